//go:build cgo

package cpu

import (
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// TestNativeLimitedConforms compares runs with a limited-memory matrix with the twin.
func TestNativeLimitedConforms(t *testing.T) {
	for _, d := range []int{5, 133} {
		l := limitedLoop(t, d, 1, func(run *rsie.Run) { run.Flags |= rsie.FlagMirrored })
		m := &rsie.Model{Network: rsie.Dense, Layers: []int{d - 1, 1}, Loss: rsie.MeanSquared}
		rows := sineRows(m, 9)
		p, err := l.g.Load(m, rows)
		if err != nil {
			t.Fatal(err)
		}
		conform(t, l, p, m, rows, 9, func(generation int) {
			for r := range l.table {
				run := &l.table[r]
				run.Flags &^= rsie.FlagBegin
				if generation == 0 {
					run.Flags |= rsie.FlagBegin
				}
			}
			l.table[1].Flags &^= rsie.FlagActive
		})
	}
}
