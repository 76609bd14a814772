package task

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
)

// outcome is how one line to a program ended.
type outcome uint8

const (
	outcomeAnswer outcome = iota // a value per point, though some may not be finite
	outcomeDied
	outcomeSlow
	outcomeFlood
	outcomeText   // not a JSON object with fitness
	outcomeLength // not one value per point
	outcomeCount
)

// Notes count what went wrong: an outcome, or one of these.
const (
	noteValue  = int(outcomeCount) + iota // null, NaN, infinite or no number
	notePoint                             // a parameter is not finite
	noteLeft                              // the program ended after an answer
	noteUnsent                            // output that nobody asked for
	noteCount
)

var noteTexts = [noteCount]string{
	outcomeDied:   "points ranked worst: the program died on them",
	outcomeSlow:   "points ranked worst: no answer within timeout_seconds; the program was killed",
	outcomeFlood:  "points ranked worst: the answer was longer than 64 KiB + 1 KiB per point",
	outcomeText:   `points ranked worst: the answer was not a line like {"fitness":[1,2]}`,
	outcomeLength: "points ranked worst: the answer did not have one value per point",
	noteValue:     "points ranked worst: their value was null, NaN, infinite or no number",
	notePoint:     "points ranked worst: a parameter was not finite",
	noteLeft:      "restarts: the program ended after an answer; let it read until its input ends",
	noteUnsent:    "restarts: the program wrote to standard output without being asked",
}

// counted is how often something happened, and up to where that was reported.
type counted struct{ n, told int }

// note counts n more of what.
func (p *execProblem) note(what, n int) {
	p.counting.Lock()
	p.notes[what].n += n
	p.counting.Unlock()
}

// report warns about each count that is new, or has doubled since it was reported, or at the
// end has grown at all.
func (p *execProblem) report(end bool) {
	for what := range p.notes {
		c := &p.notes[what]
		if c.n == c.told || (!end && c.n < 2*c.told) {
			continue
		}
		c.told = c.n
		if p.warn != nil {
			p.warn(fmt.Sprintf("task %s: so far %d %s", p.shape.Name, c.n, noteTexts[what]))
		}
	}
}

// stderrLog is where all processes of a task put their standard error. It passes on left bytes
// and keeps the last lines.
type stderrLog struct {
	mu   sync.Mutex
	to   io.Writer // nil: nowhere
	left int
	last []string
}

const keptLines = 10

// line passes on one line.
func (l *stderrLog) line(prefix, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last = append(l.last, text); len(l.last) > keptLines {
		l.last = l.last[1:]
	}
	if l.to == nil || l.left <= 0 {
		return
	}
	out := prefix + text + "\n"
	if l.left -= len(out); l.left <= 0 {
		out = fmt.Sprintf("%s(more than %d bytes of standard error; the rest is dropped)\n",
			prefix, execStderrLimit)
	}
	_, _ = io.WriteString(l.to, out) // a full disk must not end a run for the sake of messages
}

// tail returns the last lines, indented.
func (l *stderrLog) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.last) == 0 {
		return "  (none)"
	}
	return "  " + strings.Join(l.last, "\n  ")
}

// stderrLines cuts the standard error of one process into lines.
type stderrLines struct {
	log    *stderrLog
	prefix string
	mu     sync.Mutex
	rest   []byte
}

const longestStderrLine = 4 << 10

// Write passes on the lines of b that are complete; it never fails, so that a talkative program
// is never blocked.
func (s *stderrLines) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for rest := b; len(rest) > 0; {
		at := bytes.IndexByte(rest, '\n')
		take := at
		if at < 0 {
			take = len(rest)
		}
		take = min(take, longestStderrLine-len(s.rest))
		s.rest = append(s.rest, rest[:take]...)
		rest = rest[take:]
		if at == take || len(s.rest) == longestStderrLine {
			s.emit()
		}
		if at == take {
			rest = rest[1:]
		}
	}
	return len(b), nil
}

// flush passes on what has no line end.
func (s *stderrLines) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.rest) > 0 {
		s.emit()
	}
}

func (s *stderrLines) emit() {
	s.log.line(s.prefix, strings.TrimRight(string(s.rest), "\r"))
	s.rest = s.rest[:0]
}
