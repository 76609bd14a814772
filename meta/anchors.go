package meta

import (
	"context"
	"fmt"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// AnchorMeter measures a problem's reference values at a budget.
type AnchorMeter struct {
	Backend rsie.Backend
	Budget  int // evaluations per run
	Runs    int // keys per strategy
}

// AnchorReport is what was measured.
type AnchorReport struct {
	Anchors     rsie.Anchors
	Strategy    string // that reached F1
	Evaluations int64
	// Solved: random search already comes within 1 % of the best known value, so the task
	// cannot tell strategies apart.
	Solved bool
}

// Measure returns as F0 the median over keys of random search's best fitness and as F1 the
// lowest fitness any strategy of [rsie.Starts] reached. When nothing beats random search, F1 is
// random search's own best; when even that is the median, F1 is set just below F0 and the task
// counts as solved.
func (m AnchorMeter) Measure(ctx context.Context, name string, p rsie.Problem, key rsie.Key) (AnchorReport, error) {
	judge := Judge{Backend: m.Backend, Problem: p, Task: name, Budget: m.Budget, Runs: m.Runs}
	all := rsie.Starts()
	got, err := judge.Measure(ctx, all, key)
	if err != nil {
		return AnchorReport{}, fmt.Errorf("anchors of %s: %w", name, err)
	}
	out := AnchorReport{Anchors: rsie.Anchors{F1: rsie.Worst}, Evaluations: int64(len(all) * m.Runs * m.Budget)}
	for i, s := range all {
		var finals []float64
		for _, o := range got[i] {
			finals = append(finals, o.Curve.Final())
		}
		slices.Sort(finals)
		if s.Family == rsie.Random {
			out.Anchors.F0 = median(finals)
		}
		if finals[0] < out.Anchors.F1 {
			out.Anchors.F1, out.Strategy = finals[0], s.GenomeID
		}
	}
	a := &out.Anchors
	if scale := max(abs(a.F0), abs(a.F1), 1e-12); a.F0-a.F1 < 0.01*scale {
		out.Solved = true
	}
	if a.F1 >= a.F0 {
		a.F1 = a.F0 - max(abs(a.F0), 1)*1e-9
	}
	return out, nil
}

func abs(x float64) float64 { return max(x, -x) }

// median returns the middle of a sorted slice, the mean of the two middle values if even.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
