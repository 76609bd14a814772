package explain

import (
	"context"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// The path.
const (
	mostSteps = 8  // single factors, before all others together
	orderKeys = 4  // on which the order is chosen
	pathKeys  = 12 // at least, on which the figures are measured
	restName  = "all other genes"
)

// walk chooses the order of the path greedily and measures it on fresh keys, as many as the
// limit allows.
func (e *explanation) walk(ctx context.Context, leaders []Factor, limit int64) error {
	items := e.items(leaders, limit)
	if len(items) == 0 {
		return nil
	}
	order, err := e.order(ctx, items)
	if err != nil {
		return err
	}
	states := []rsie.Strategy{e.reference}
	for _, f := range order {
		states = append(states, f.do(states[len(states)-1], e.subject))
	}
	scores := make([][]float64, len(states)) // [state][key]
	for k := 0; k < mostKeys; k++ {
		if k >= 2 && e.journal.spent+e.journal.cost(states) > limit {
			break
		}
		got, err := e.journal.measure(ctx, states, e.key.Child(keyPath).Child(uint64(k)), k)
		if err != nil {
			return err
		}
		for i, s := range got {
			scores[i] = append(scores[i], average(s))
		}
	}
	return e.fillPath(order, states, scores)
}

// items returns the factors of the path: those that govern others, then the leaders, as many as
// the limit allows, and all other genes as one.
func (e *explanation) items(leaders []Factor, limit int64) []Factor {
	held, _ := governors(e.factors, e.subject, e.reference)
	singles := slices.Clone(held)
	for _, f := range leaders {
		if !slices.ContainsFunc(held, func(h Factor) bool { return h.Name == f.Name }) {
			singles = append(singles, f)
		}
	}
	singles = singles[:min(len(singles), mostSteps)]
	cost := func(n int) int64 { // of n singles and the rest
		return int64(orderKeys*(n+1)*(n+2)/2+pathKeys*(n+2)) * e.journal.meter.Cost()
	}
	for len(singles) > len(held) && e.journal.spent+cost(len(singles)) > limit {
		singles = singles[:len(singles)-1]
	}
	if len(singles) == 0 || e.journal.spent+cost(len(singles)) > limit {
		return nil
	}
	rest := Factor{Name: restName}
	for _, g := range rsie.StrategySpace {
		if slices.ContainsFunc(singles, func(f Factor) bool { return slices.Contains(f.Genes, g.Name) }) {
			continue
		}
		if g.Get(&e.subject) != g.Get(&e.reference) {
			rest.genes, rest.Genes = append(rest.genes, g), append(rest.Genes, g.Name)
		}
	}
	if len(rest.genes) > 0 {
		singles = append(singles, rest)
	}
	return singles
}

// order returns the items, each the one that gains most after those before it; one that makes no
// other algorithm comes after all that do.
func (e *explanation) order(ctx context.Context, items []Factor) ([]Factor, error) {
	var out []Factor
	at, left := e.reference, slices.Clone(items)
	for len(left) > 0 {
		var all []rsie.Strategy
		var who []int
		for i, f := range left {
			if next := f.do(at, e.subject); !same(next, at) && e.journal.meter.Affords(next) {
				all, who = append(all, next), append(who, i)
			}
		}
		if len(all) == 0 {
			return append(out, left...), nil
		}
		sums := make([]float64, len(all))
		for k := range orderKeys {
			if len(all) == 1 {
				break
			}
			got, err := e.journal.measure(ctx, all, e.key.Child(keyOrder).Child(uint64(k)), k)
			if err != nil {
				return nil, err
			}
			for i, s := range got {
				sums[i] += average(s)
			}
		}
		best := 0
		for i, s := range sums {
			if s > sums[best] {
				best = i
			}
		}
		f := left[who[best]]
		out, at = append(out, f), f.do(at, e.subject)
		left = slices.Delete(left, who[best], who[best]+1)
	}
	return out, nil
}

func (e *explanation) fillPath(order []Factor, states []rsie.Strategy, scores [][]float64) error {
	difference := func(a, b []float64) []float64 {
		out := make([]float64, len(a))
		for k := range a {
			out[k] = a[k] - b[k]
		}
		return out
	}
	last := len(states) - 1
	p := &e.out.Path
	p.Keys, p.Total = len(scores[0]), estimate(difference(scores[last], scores[0]))
	e.out.Reference.Score, e.out.Subject.Score = estimate(scores[0]), estimate(scores[last])
	var gains []*Estimate
	for i, f := range order {
		after := estimate(scores[i+1])
		p.Steps = append(p.Steps, Step{Factor: f.Name, Genes: f.Genes, Score: after.Mean,
			Gain:    estimate(difference(scores[i+1], scores[i])),
			Nothing: same(states[i+1], states[i])})
	}
	for i := range p.Steps {
		if !p.Steps[i].Nothing {
			gains = append(gains, &p.Steps[i].Gain)
		}
	}
	p.Total.Adjusted = p.Total.P
	return adjust(gains)
}
