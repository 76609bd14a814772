package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// The files of a run folder that exist while a program works on the run.
const (
	beatFile  = "live.json"
	orderFile = "live.order"
)

// The states of a run.
const (
	Running  = "running"
	Pausing  = "pausing" // at the end of the generation or round under way
	Paused   = "paused"
	Stopping = "stopping"
	Finished = "finished"
	Stopped  = "stopped" // not finished, and no program works on it
)

// BeatEvery is how often a program renews its heartbeat; one that is staleAfter old is of a program
// that was killed.
const (
	BeatEvery  = 2 * time.Second
	staleAfter = 5 * BeatEvery
)

// Beat says what a program is doing with a run.
type Beat struct {
	State string `json:"state"`
	Phase string `json:"phase"` // in words
	Time  int64  `json:"time"`  // seconds since 1970

	// Of the last generation; 0 before the program has stored one.
	Generation  int     `json:"generation"`
	Evaluations int64   `json:"evaluations"`
	Best        float64 `json:"best"` // meta-fitness, maximised
}

// Write puts the heartbeat into the run folder.
func (b Beat) Write(dir string, now time.Time) error {
	b.Time = now.Unix()
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	part := filepath.Join(dir, beatFile+".part")
	if err := os.WriteFile(part, text, 0o644); err != nil {
		return err
	}
	return os.Rename(part, filepath.Join(dir, beatFile))
}

// readBeat returns the heartbeat of a run, ok when it is fresh.
func readBeat(dir string, now time.Time) (b Beat, ok bool) {
	text, err := os.ReadFile(filepath.Join(dir, beatFile))
	if err != nil || len(text) > 4096 || json.Unmarshal(text, &b) != nil {
		return Beat{}, false
	}
	return b, now.Sub(time.Unix(b.Time, 0)) < staleAfter
}

// Clear removes heartbeat and order when a program ends.
func Clear(dir string) {
	os.Remove(filepath.Join(dir, beatFile))
	os.Remove(filepath.Join(dir, orderFile))
}

// Orders are what a run can be told.
var Orders = []string{"pause", "resume", "stop"}

// Order tells the program that works on a run to pause, resume, or stop with everything saved.
func Order(dir, order string) error {
	if !slices.Contains(Orders, order) {
		return fmt.Errorf("%w: order %q, want one of %v", rsie.ErrInvalid, order, Orders)
	}
	return os.WriteFile(filepath.Join(dir, orderFile), []byte(order), 0o644)
}

// TakeOrder returns the order that waits in a run folder and removes it; empty when there is none.
func TakeOrder(dir string) string {
	path := filepath.Join(dir, orderFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return ""
	}
	os.Remove(path)
	order := strings.TrimSpace(string(text[:min(len(text), 16)]))
	if err != nil || !slices.Contains(Orders, order) {
		return ""
	}
	return order
}
