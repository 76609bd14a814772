package live

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/symbio-ai/recursive-improvement/meta/store"
	"github.com/symbio-ai/recursive-improvement/report"
)

// Status is what a list of runs shows of one.
type Status struct {
	ID          int      `json:"id"`
	Name        string   `json:"name"`
	State       string   `json:"state"`
	Phase       string   `json:"phase"`
	Generation  int      `json:"generation"` // stored so far
	Generations int      `json:"generations"`
	Best        *float64 `json:"best"` // meta-fitness, maximised; null before the first generation
	Evaluations int64    `json:"evaluations"`
	Strategies  int      `json:"strategies"`
	Version     int      `json:"version"` // changes when the pictures do
	Error       string   `json:"error"`
	ReadOnly    bool     `json:"read_only"` // the page takes no orders
}

// watched is one run folder. Its pictures are drawn once per change for all readers.
type watched struct {
	dir      string
	describe func(*store.Store, *report.Run) error

	mu     sync.Mutex
	st     *store.Store
	status Status
	body   []byte
	run    *report.Run // that body shows
	page   []byte      // of run to keep, written when it is asked for
	next   time.Time   // no drawing before
	stamp  string      // of the database file that body shows
}

// drawShare is the part of the time that drawing may take: 0.5 %.
const drawShare = 200

// refresh reads the run's state, draws it anew when it has changed and enough time has passed, and
// returns its status.
func (w *watched) refresh(now time.Time) Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	stamp := w.changed()
	if stamp != w.stamp && !now.Before(w.next) {
		began := time.Now()
		if err := w.draw(); err != nil {
			w.status.Error = err.Error()
		} else {
			w.status.Error, w.stamp = "", stamp
			w.status.Version++
		}
		w.next = now.Add(max(time.Second, drawShare*time.Since(began)))
	}
	beat, alive := readBeat(w.dir, now)
	w.status.State, w.status.Phase = Stopped, ""
	switch {
	case alive:
		w.status.State, w.status.Phase = beat.State, beat.Phase
		if beat.Generation > w.status.Generation { // pictures follow later
			w.status.Generation, w.status.Evaluations = beat.Generation, beat.Evaluations
			if w.status.Best == nil || beat.Best > *w.status.Best {
				w.status.Best = &beat.Best
			}
		}
	case w.run != nil && w.status.Generation > 0 && w.finished():
		w.status.State = Finished
	}
	return w.status
}

// finished reports whether the run has its final document.
func (w *watched) finished() bool {
	if w.st == nil {
		return false
	}
	_, ok, err := w.st.Finished()
	return err == nil && ok
}

// changed returns a text that differs when the database was written.
func (w *watched) changed() string {
	out := ""
	for _, name := range []string{"run.db", "run.db-wal"} {
		if info, err := os.Stat(filepath.Join(w.dir, name)); err == nil {
			out += fmt.Sprint(info.Size(), info.ModTime().UnixNano(), ";")
		}
	}
	return out
}

func (w *watched) draw() error {
	if w.st == nil {
		st, err := store.OpenReadOnly(w.dir)
		if err != nil {
			return err
		}
		w.st = st
	}
	r, err := report.Load(w.st, w.dir)
	if err != nil {
		return err
	}
	if err := w.describe(w.st, r); err != nil {
		return err
	}
	var body bytes.Buffer
	if err := r.WriteBody(&body); err != nil {
		return err
	}
	w.body, w.run, w.page = body.Bytes(), r, nil
	w.status.Generation, w.status.Generations, w.status.Strategies = len(r.Generations), r.Settings.MetaGenerations, len(r.Strategies)
	w.status.Best = nil
	if n := len(r.Generations); n > 0 {
		best := r.Best()
		w.status.Best, w.status.Evaluations = &best, r.Generations[n-1].Evaluations
	}
	return nil
}

// pictures returns what was drawn last.
func (w *watched) pictures() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.body
}

// kept returns the page of what was drawn last, as a file to keep. It is written once however many
// ask for it.
func (w *watched) kept() ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.page == nil && w.run != nil {
		var page bytes.Buffer
		if err := w.run.WriteHTML(&page); err != nil {
			return nil, err
		}
		w.page = page.Bytes()
	}
	return w.page, nil
}

func (w *watched) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.st != nil {
		w.st.Close()
	}
}
