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
	// Strategies are those that F1 is the best of; random search, which gives F0, must be among
	// them. Nil means [rsie.Starts].
	Strategies []rsie.Strategy
}

// AnchorRuns is the number of keys per strategy of anchors that are measured on demand.
const AnchorRuns = 3

// AnchorStrategies are few strategies that fail on different tasks, for anchors that are measured
// on demand: random search, then two with a step-size control, one that checks itself, and a
// population. One algorithm alone makes F1 a matter of luck where it fails: on thresholds and
// sparse rewards the population often leads, on smooth functions sep-CMA-ES, on networks the
// assembled SNES. F1 is still the best known value and no bound: a learned strategy may pass it,
// its quality is then clipped at 1.
func AnchorStrategies() []rsie.Strategy {
	var out []rsie.Strategy
	for _, name := range []string{"random-search", "snes", "sep-cma-es", "snes-assembled", "simple-ga"} {
		s, err := rsie.Baseline(name)
		if err != nil {
			panic("meta: " + err.Error())
		}
		out = append(out, s)
	}
	return out
}

// AnchorReport is what was measured.
type AnchorReport struct {
	Anchors     rsie.Anchors
	Strategy    string // that reached F1
	Evaluations int64
	// Solved: random search already comes within 1 % of the best known value, so the task
	// cannot tell strategies apart.
	Solved bool
	// Spread is how far the median run of that strategy stays above F1, as a share of F0 - F1:
	// near 1, F1 was luck, and areas on this task will be small.
	Spread float64
}

// Measure returns as F0 the median over keys of random search's best fitness and as F1 the
// lowest fitness any strategy reached. When nothing beats random search, F1 is
// random search's own best; when even that is the median, F1 is set just below F0 and the task
// counts as solved.
//
// It returns [rsie.ErrInvalid] without random search among the strategies.
func (m AnchorMeter) Measure(ctx context.Context, name string, p rsie.Problem, key rsie.Key) (AnchorReport, error) {
	judge := Judge{Backend: m.Backend, Problem: p, Task: name, Budget: m.Budget, Runs: m.Runs}
	all := m.Strategies
	if all == nil {
		all = rsie.Starts()
	}
	floor := slices.IndexFunc(all, func(s rsie.Strategy) bool { return s.Family == rsie.Random })
	if floor < 0 {
		return AnchorReport{}, fmt.Errorf("%w: anchors of %s: random search is not among the strategies",
			rsie.ErrInvalid, name)
	}
	got, err := judge.Measure(ctx, all, key)
	if err != nil {
		return AnchorReport{}, fmt.Errorf("anchors of %s: %w", name, err)
	}
	out := AnchorReport{Anchors: rsie.Anchors{F1: rsie.Worst}, Evaluations: int64(len(all) * m.Runs * m.Budget)}
	a, middle := &out.Anchors, 0.0
	for i, s := range all {
		var finals []float64
		for _, o := range got[i] {
			finals = append(finals, o.Curve.Final())
		}
		slices.Sort(finals)
		if i == floor {
			a.F0 = median(finals)
		}
		if finals[0] < a.F1 {
			a.F1, out.Strategy, middle = finals[0], s.GenomeID, median(finals)
		}
	}
	if scale := max(abs(a.F0), abs(a.F1), 1e-12); a.F0-a.F1 < 0.01*scale {
		out.Solved = true
	}
	if a.F1 >= a.F0 {
		a.F1 = a.F0 - max(abs(a.F0), 1)*1e-9
	}
	out.Spread = min(1, max(0, (middle-a.F1)/(a.F0-a.F1)))
	return out, nil
}

func abs(x float64) float64 { return max(x, -x) }

// median returns the middle of a sorted slice, the mean of the two middle values if even.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
