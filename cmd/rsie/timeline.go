package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/meta/store"
	"github.com/symbio-ai/recursive-improvement/report"
)

// stopwatch keeps in the run how long its phases took. Times are for people: they enter no digest,
// and a failure to keep them stops nothing.
type stopwatch struct {
	st    *store.Store
	line  report.Timeline
	phase string // that is under way
	since time.Time
}

// newStopwatch begins a session of the run.
func newStopwatch(st *store.Store, device string) (*stopwatch, error) {
	w := &stopwatch{st: st, phase: "anchors", since: time.Now()}
	b, err := st.Get(report.TimelineDocument)
	if err == nil && b != nil {
		err = json.Unmarshal(b, &w.line)
	}
	if err != nil {
		return nil, fmt.Errorf("timeline of the run: %w", err)
	}
	w.line.Sessions = append(w.line.Sessions, report.Session{Began: w.since.UTC().Format(time.RFC3339),
		Program: versionLine(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Device: device})
	return w, nil
}

// say notes that a phase begins, which the engine tells by its first words.
func (w *stopwatch) say(text string) {
	for _, name := range []string{"halving", "search", "race", "specialists", "final tables"} {
		if strings.HasPrefix(text, name) {
			w.mark(0)
			w.phase = name
		}
	}
}

// generation notes the end of a generation.
func (w *stopwatch) generation(g meta.Generation) {
	w.mark(g.Number)
	w.keep()
}

// mark ends a stretch of the phase under way.
func (w *stopwatch) mark(generation int) {
	now := time.Now()
	s := &w.line.Sessions[len(w.line.Sessions)-1]
	s.Steps = append(s.Steps, report.Phase{Name: w.phase, Generation: generation, Seconds: now.Sub(w.since).Seconds()})
	w.since = now
}

// finish ends the last phase.
func (w *stopwatch) finish() {
	w.mark(0)
	w.keep()
}

func (w *stopwatch) keep() {
	if b, err := json.Marshal(w.line); err == nil {
		_ = w.st.Put(report.TimelineDocument, b) // the next generation tells of a full disk
	}
}
