package task

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// execSpec is the user's own program as the evaluator of points, in any language.
//
// The program is started once per worker, in the folder of the task file, and reads one line of
// JSON from standard input per batch:
//
//	{"version":1,"task":"NAME","seed":123,"first":0,"points":[[0.1,-2],[3,4]]}
//
// It answers each with one line of JSON on standard output, flushed, fitness minimised, one
// number per point in order:
//
//	{"fitness":[1.5,0.25]}
//
// seed is a whole number below 2^53 and changes with every batch; first is the position of the
// first of these points in the batch. A program that draws random numbers derives them for the
// k-th point from seed and first+k and from nothing else, and its task says noisy: true; then
// results do not depend on the number of workers. Numbers are written so that a float64 is read
// back exactly. Other fields of the answer are ignored. Standard error is free for messages.
// The program ends when standard input does.
//
// A point ranks worst, with a counted warning, when its value is null, NaN, infinite or no
// number. All points of a line rank worst when the answer is no such object, has the wrong
// length, exceeds 64 KiB + 1 KiB per point (64 MiB at most), or does not come within
// timeout_seconds; the process with its group is then killed and started again. A program that
// dies is started again and gets the points of the line once more, one by one, so that only
// points it dies on rank worst. When it dies on every point of its first three batches, the run
// ends with an error that shows its last lines of standard error.
type execSpec struct {
	Command        []string `yaml:"command"`         // program and arguments; a path is relative to the task file
	Dim            int      `yaml:"dim"`             // one vector of so many parameters, or ...
	Blocks         [][2]int `yaml:"blocks"`          // ... matrices [rows, columns] in order, or ...
	Layers         []int    `yaml:"layers"`          // ... the parameters of dense layers of these widths
	Lower          *float64 `yaml:"lower"`           // box of every parameter, with upper
	Upper          *float64 `yaml:"upper"`           //
	StartStd       *float64 `yaml:"start_std"`       // deviation of starting values without a box, default 1
	TimeoutSeconds *float64 `yaml:"timeout_seconds"` // per line, 0.001..86400, default 60
	Noisy          bool     `yaml:"noisy"`           // the same point may get another fitness
	Bits           int      `yaml:"bits"`            // 64: refuse float32 backends; 32 or absent: any
}

const (
	maxExecDim         = 1_000_000
	maxExecFile        = 16 << 20 // larger files of a command do not count for the digest
	defaultExecSeconds = 60
	execStderrLimit    = 1 << 20
)

// build checks the command and makes the problem; processes start with the first evaluation.
func (s *execSpec) build(t *Task, c *loading) error {
	if c.network != nil {
		return c.invalid("network does not belong to kind exec; give dim, blocks or layers")
	}
	shape, err := s.shape(t.Name, c)
	if err != nil {
		return err
	}
	timeout := float64(defaultExecSeconds)
	if s.TimeoutSeconds != nil {
		timeout = *s.TimeoutSeconds
	}
	if !(timeout >= 0.001 && timeout <= 86400) {
		return c.invalid("timeout_seconds %g; allowed are 0.001 to 86400", timeout)
	}
	path, err := s.program(c)
	if err != nil {
		return err
	}
	workers := c.options.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	p := &execProblem{shape: shape, warn: c.options.Warn, notes: make([]counted, noteCount)}
	p.stderr = &stderrLog{to: c.options.Stderr, left: execStderrLimit}
	for i := range workers {
		p.workers = append(p.workers, &execWorker{
			problem: p,
			command: execCommand{path: path, args: s.Command, dir: c.dir,
				timeout: time.Duration(timeout * float64(time.Second)), name: t.Name, number: i},
		})
	}
	t.Problem = p
	t.digest = s.digest(shape, c.dir)
	t.close = p.close
	return nil
}

// shape returns the points the program reads.
func (s *execSpec) shape(name string, c *loading) (rsie.Shape, error) {
	out := rsie.Shape{Name: name, Noisy: s.Noisy, Bits: s.Bits}
	if s.Bits != 0 && s.Bits != 32 && s.Bits != 64 {
		return out, c.invalid("bits %d; allowed are 32 and 64", s.Bits)
	}
	if (s.Lower == nil) != (s.Upper == nil) {
		return out, c.invalid("lower and upper go together; give both or neither")
	}
	std := 1.0
	if s.StartStd != nil {
		std = *s.StartStd
		if !(std > 0 && std <= 1e6) {
			return out, c.invalid("start_std %g; allowed are values above 0 up to 1e6", std)
		}
		if s.Lower != nil || s.Layers != nil {
			return out, c.invalid("start_std has no effect with a box (uniform starts) or with " +
				"layers (1/sqrt of the fan-in); remove it")
		}
	}
	if s.Lower != nil {
		out.Lower, out.Upper = *s.Lower, *s.Upper
		if !(out.Lower < out.Upper && out.Lower >= -1e15 && out.Upper <= 1e15) {
			return out, c.invalid("lower %g with upper %g; want lower < upper within ±1e15",
				out.Lower, out.Upper)
		}
	}
	var err error
	if out.Blocks, err = s.blocks(std, c); err != nil {
		return out, err
	}
	last := out.Blocks[len(out.Blocks)-1]
	out.Dim = last.Offset + last.Rows*last.Cols
	return out, nil
}

// blocks returns the matrices of a point, of at most maxExecDim parameters in all.
func (s *execSpec) blocks(std float64, c *loading) ([]rsie.Block, error) {
	given := 0
	for _, is := range []bool{s.Dim != 0, s.Blocks != nil, s.Layers != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		return nil, c.invalid("%d of dim, blocks and layers are given; give exactly one, with "+
			"1 to %d parameters", given, maxExecDim)
	}
	sides := s.Blocks
	switch {
	case s.Dim != 0:
		sides = [][2]int{{1, s.Dim}}
	case s.Layers != nil:
		if len(s.Layers) < 2 {
			return nil, c.invalid("layers has %d widths, want at least 2", len(s.Layers))
		}
		for l := 1; l < len(s.Layers); l++ {
			sides = append(sides, [2]int{s.Layers[l-1], s.Layers[l]}, [2]int{1, s.Layers[l]})
		}
	}
	var out []rsie.Block
	at := 0
	for i, b := range sides {
		if b[0] < 1 || b[1] < 1 || b[0] > maxExecDim || b[1] > maxExecDim ||
			at+b[0]*b[1] > maxExecDim {
			return nil, c.invalid("block %d has %d x %d parameters; sides start at 1 and a point "+
				"holds at most %d parameters", i+1, b[0], b[1], maxExecDim)
		}
		block := rsie.Block{Offset: at, Rows: b[0], Cols: b[1], Layer: i, Std: std}
		if s.Layers != nil {
			block.Layer, block.Std = i/2, 0
			if i%2 == 0 {
				block.Std = 1 / math.Sqrt(float64(b[0]))
			}
		}
		out = append(out, block)
		at += b[0] * b[1]
	}
	if len(out) == 0 {
		return nil, c.invalid("blocks is empty, want at least one [rows, columns]")
	}
	return out, nil
}

// program returns the absolute path of the program.
func (s *execSpec) program(c *loading) (string, error) {
	if c.dir == "" {
		return "", c.invalid("kind exec needs a task file on disk; this one is embedded")
	}
	if len(s.Command) == 0 || s.Command[0] == "" {
		return "", c.invalid("command is empty; give a program and its arguments as a list")
	}
	name := s.Command[0]
	if strings.ContainsRune(name, filepath.Separator) && !filepath.IsAbs(name) {
		name = filepath.Join(c.dir, name)
	}
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", c.invalid("command: the program %q cannot be started: %v; check the spelling, "+
			"that it is installed, and its execute permission", s.Command[0], err)
	}
	return path, nil
}

// digest covers the command, the content of the files it names below dir, and the points.
// timeout_seconds is a limit, like the number of workers, and does not count.
func (s *execSpec) digest(shape rsie.Shape, dir string) string {
	files := make([]string, len(s.Command))
	for i, arg := range s.Command {
		files[i] = fileDigest(dir, arg)
	}
	shape.Name = "" // a name decides no fitness
	text, err := json.Marshal([]any{"exec/1", s.Command, files, shape})
	if err != nil {
		panic("task: a shape of finite numbers has a JSON form: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// fileDigest returns a hash of the file that arg names relative to dir, or "" when it names
// none, as a program found through PATH.
func fileDigest(dir, arg string) string {
	if !filepath.IsAbs(arg) {
		arg = filepath.Join(dir, arg)
	}
	info, err := os.Stat(arg)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxExecFile {
		return ""
	}
	data, err := os.ReadFile(arg)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// execProblem spreads batches over processes.
type execProblem struct {
	shape   rsie.Shape
	workers []*execWorker
	warn    func(text string)
	stderr  *stderrLog

	evaluating sync.Mutex // one batch at a time; guards what follows but notes
	closed     bool
	answered   bool // the program has answered at least once
	deaths     int  // batches in a row that got no answer because the program died

	counting sync.Mutex
	notes    []counted // by note
}

// Shape returns the parameters the program reads.
func (p *execProblem) Shape() rsie.Shape { return p.shape }

// Evaluate sends points to the workers in contiguous shares of about equal size. It returns
// ctx's error soon after ctx ends, with the processes killed; a later call starts them again.
func (p *execProblem) Evaluate(ctx context.Context, fitness, points []float64, key rsie.Key) error {
	if len(points) != len(fitness)*p.shape.Dim {
		return fmt.Errorf("%w: task %s: %d numbers for %d points of %d parameters", rsie.ErrShape,
			p.shape.Name, len(points), len(fitness), p.shape.Dim)
	}
	p.evaluating.Lock()
	defer p.evaluating.Unlock()
	if p.closed {
		return fmt.Errorf("task %s is closed", p.shape.Name)
	}
	if len(fitness) == 0 {
		return ctx.Err()
	}
	n := min(len(p.workers), len(fitness))
	results := make([]execResult, n)
	var all sync.WaitGroup
	for i := range n {
		job := execJob{fitness: fitness, points: points, dim: p.shape.Dim, seed: key.Seed() >> 11}
		all.Go(func() {
			results[i] = p.workers[i].evaluate(ctx, job, i*len(fitness)/n, (i+1)*len(fitness)/n)
		})
	}
	all.Wait()
	p.report(false)
	if err := ctx.Err(); err != nil {
		return err
	}
	return p.judge(results)
}

// judge ends a run whose program never worked.
func (p *execProblem) judge(results []execResult) error {
	answers, died := 0, false
	for _, r := range results {
		if r.err != nil {
			return r.err
		}
		answers += r.answers
		died = died || r.died
	}
	p.answered = p.answered || answers > 0
	if answers > 0 || !died {
		p.deaths = 0
		return nil
	}
	p.deaths++
	if p.answered || p.deaths < 3 {
		return nil
	}
	return fmt.Errorf("%w: task %s: the program died on each of its first %d batches; it ended "+
		"with %s and its last lines of standard error were:\n%s", rsie.ErrInvalid, p.shape.Name,
		p.deaths, p.workers[0].exit, p.stderr.tail())
}

// close ends all processes and waits for them; it may be called twice.
func (p *execProblem) close() {
	p.evaluating.Lock()
	defer p.evaluating.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	var all sync.WaitGroup
	for _, w := range p.workers {
		all.Go(w.stop)
	}
	all.Wait()
	p.report(true)
}
