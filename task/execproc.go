package task

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	rsie "github.com/symbio-ai/recursive-improvement"
)

const (
	// grace is the time to end after the end of input or of output.
	grace = 500 * time.Millisecond
	// unaskedWait is how long a worker looks for output that nobody asked for before it sends a
	// line: enough to find what is in the pipe, nothing beside starting a program.
	unaskedWait = 200 * time.Microsecond
)

// execJob is a batch.
type execJob struct {
	fitness, points []float64
	dim             int
	seed            uint64
}

// execResult is what became of a worker's share.
type execResult struct {
	answers int  // lines answered
	died    bool // the program died at least once without an answer
	err     error
}

// execCommand says how a process is started and asked.
type execCommand struct {
	path, dir, name string
	args            []string
	number          int // of the worker, for standard error
	timeout         time.Duration
}

// execWorker keeps one process running.
type execWorker struct {
	problem *execProblem
	command execCommand
	process *execProcess // nil: none runs
	exit    string       // how the last one that died ended
	line    []byte       // buffer of a question
}

// evaluate writes the fitness of points [from, to).
func (w *execWorker) evaluate(ctx context.Context, job execJob, from, to int) (r execResult) {
	for from < to && r.err == nil {
		end := from
		for end < to && finite(job.points[end*job.dim:][:job.dim]...) {
			end++
		}
		if end == from {
			w.worst(job, from, from+1, notePoint)
			from++
			continue
		}
		w.share(ctx, job, from, end, &r)
		from = end
	}
	return r
}

// share asks for points [from, to) at once; if the program dies on them, for each alone.
func (w *execWorker) share(ctx context.Context, job execJob, from, to int, r *execResult) {
	if w.lost(ctx, job, from, to, r) != outcomeDied || r.err != nil {
		return
	}
	for i := from; i < to && r.err == nil; i++ {
		if w.lost(ctx, job, i, i+1, r) == outcomeDied {
			w.worst(job, i, i+1, int(outcomeDied))
		}
	}
}

// lost asks for points [from, to) and settles every outcome but death, which it returns. A
// program that had answered before and is found dead may have ended by itself: the question
// goes to a new process, so that death is blamed on points only when they killed a new one.
func (w *execWorker) lost(ctx context.Context, job execJob, from, to int, r *execResult) outcome {
	o, fresh, err := w.ask(ctx, job, from, to)
	if o == outcomeDied && err == nil && !fresh {
		o, _, err = w.ask(ctx, job, from, to)
		if o == outcomeAnswer {
			w.problem.note(noteLeft, 1)
		}
	}
	switch {
	case err != nil:
		r.err = err
	case o == outcomeAnswer:
		r.answers++
	case o == outcomeDied:
		r.died = true
	default:
		w.worst(job, from, to, int(o))
	}
	return o
}

// worst ranks points [from, to) worst and counts why.
func (w *execWorker) worst(job execJob, from, to, why int) {
	for i := from; i < to; i++ {
		job.fitness[i] = rsie.Worst
	}
	w.problem.note(why, to-from)
}

// ask sends points [from, to) to the process, starting one if none runs, and writes their
// fitness when it answers. Every other outcome leaves no process. fresh says that the process
// had answered nothing before. An error is ctx's, or that no process can be started.
func (w *execWorker) ask(ctx context.Context, job execJob, from, to int) (outcome, bool, error) {
	if w.process != nil && !w.idle() {
		w.kill()
	}
	if err := ctx.Err(); err != nil {
		return outcomeDied, false, err
	}
	if w.process == nil {
		var err error
		if w.process, err = startProcess(w.command, w.problem.stderr); err != nil {
			return outcomeDied, false, err
		}
	}
	p := w.process
	fresh := p.answers == 0
	w.line = appendQuestion(w.line[:0], w.command.name, job, from, to)
	stop := context.AfterFunc(ctx, p.kill)
	text, o := p.exchange(w.line, w.command.timeout, to-from)
	stop()
	if err := ctx.Err(); err != nil {
		w.kill()
		return outcomeDied, fresh, err
	}
	if o == outcomeAnswer {
		var strange int
		if o, strange = parseAnswer(job.fitness[from:to], text); strange > 0 {
			w.problem.note(noteValue, strange)
		}
	}
	switch o {
	case outcomeAnswer:
		p.answers++
	case outcomeDied:
		w.settle() // so that its own exit status is reported, not the signal
	default:
		w.kill()
	}
	return o, fresh, nil
}

// idle reports whether the process is ready for a question: alive, as far as one can see, and
// silent. It counts the reason when it is not.
func (w *execWorker) idle() bool {
	_ = w.process.out.SetReadDeadline(time.Now().Add(unaskedWait))
	_, err := w.process.lines.Peek(1)
	switch {
	case err == nil:
		w.problem.note(noteUnsent, 1)
		return false
	case errors.Is(err, os.ErrDeadlineExceeded):
		return true
	}
	w.problem.note(noteLeft, 1)
	return false
}

// kill ends the process with its group and waits for it.
func (w *execWorker) kill() {
	if w.process != nil {
		w.process.kill()
		w.exit = w.process.wait()
		w.process = nil
	}
}

// stop lets the process end by itself for a moment before it kills it.
func (w *execWorker) stop() {
	if w.process == nil {
		return
	}
	w.process.in.Close()
	w.settle()
}

// settle waits for a process that is about to end by itself, and kills it if it does not.
func (w *execWorker) settle() {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-w.process.done:
	case <-timer.C:
	}
	w.kill()
}

// execProcess is a running program.
type execProcess struct {
	command *exec.Cmd
	in, out *os.File // our ends of its standard input and output
	lines   *bufio.Reader
	answers int
	done    chan struct{} // closed when it has ended and been waited for
	exit    string        // how it ended; valid after done
}

// startProcess starts the program in a process group of its own.
func startProcess(c execCommand, stderr *stderrLog) (*execProcess, error) {
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.path, err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		theirIn.Close()
		in.Close()
		return nil, fmt.Errorf("start %s: %w", c.path, err)
	}
	messages := &stderrLines{log: stderr, prefix: fmt.Sprintf("%s[%d]: ", c.name, c.number)}
	p := &execProcess{in: in, out: out, lines: bufio.NewReaderSize(out, 64<<10),
		done: make(chan struct{})}
	p.command = &exec.Cmd{Path: c.path, Args: c.args, Dir: c.dir, Stdin: theirIn,
		Stdout: theirOut, Stderr: messages, WaitDelay: time.Second, SysProcAttr: ownGroup()}
	started := make(chan error)
	go p.run(started, messages)
	err = <-started
	theirIn.Close()
	theirOut.Close()
	if err != nil {
		in.Close()
		out.Close()
		return nil, fmt.Errorf("%w: the program of task %s cannot be started: %v", rsie.ErrInvalid,
			c.name, err)
	}
	return p, nil
}

// run starts the program and waits for it on one thread, because Linux kills the child when the
// thread that started it ends, not the process.
func (p *execProcess) run(started chan<- error, messages *stderrLines) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.start()
	started <- err
	if err != nil {
		return
	}
	err = p.command.Wait()
	killGroup(p.command.Process) // what the program started and left behind
	messages.flush()
	p.exit = "exit status 0"
	if err != nil {
		p.exit = err.Error()
	}
	close(p.done)
}

// busyTries is how often a program is started that is open for writing, 10 ms apart.
const busyTries = 50

// start starts the program. A file that was written just now may still be open in a child that
// another goroutine of this process is starting, which the kernel refuses to run (ETXTBSY): such
// a start is tried again.
func (p *execProcess) start() error {
	for try := 1; ; try++ {
		fresh := *p.command
		err := fresh.Start()
		if try == busyTries || !errors.Is(err, syscall.ETXTBSY) {
			p.command = &fresh
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// kill ends the process group; reads and writes in progress fail.
func (p *execProcess) kill() {
	select {
	case <-p.done: // its number may belong to another process by now
	default:
		killGroup(p.command.Process)
	}
	past := time.Unix(1, 0)
	_ = p.in.SetWriteDeadline(past)
	_ = p.out.SetReadDeadline(past)
}

// wait waits for the end after kill and says how the process ended.
func (p *execProcess) wait() string {
	<-p.done
	p.in.Close()
	p.out.Close()
	return p.exit
}

// exchange writes a question and reads the line that answers it. Writing goes on beside reading,
// so that a program that writes while it reads does not stand still.
func (p *execProcess) exchange(question []byte, timeout time.Duration, points int) ([]byte, outcome) {
	deadline := time.Now().Add(timeout)
	select {
	case <-p.done:
		return nil, outcomeDied
	default:
	}
	_ = p.in.SetWriteDeadline(deadline)
	_ = p.out.SetReadDeadline(deadline)
	written := make(chan error, 1)
	go func() {
		_, err := p.in.Write(question)
		written <- err
	}()
	limit := min(answerBase+answerPerPoint*points, answerLimit)
	text, o := p.readLine(limit)
	if o != outcomeAnswer {
		_ = p.in.SetWriteDeadline(time.Unix(1, 0))
	}
	err := <-written
	if o == outcomeAnswer && err != nil {
		o = outcomeDied
		if errors.Is(err, os.ErrDeadlineExceeded) {
			o = outcomeSlow
		}
	}
	return text, o
}

// readLine reads up to limit bytes and a line end, which the last line before an end may lack.
func (p *execProcess) readLine(limit int) ([]byte, outcome) {
	var text []byte
	for {
		part, err := p.lines.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case len(text) > limit+1:
			return nil, outcomeFlood
		case err == nil:
			return text, outcomeAnswer
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, outcomeSlow
		case errors.Is(err, io.EOF) && len(text) > 0:
			return text, outcomeAnswer
		default:
			return nil, outcomeDied
		}
	}
}
