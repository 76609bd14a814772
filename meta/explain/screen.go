package explain

import (
	"cmp"
	"context"
	"math"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/stats"
)

// screenBlock is how many strategies of the screening meet the same keys; the mean over them is
// taken off, so that luck of the keys is no variance.
const screenBlock = 16

// The number of strategies of the screening.
const (
	fewestSamples = 2 * screenBlock
	mostSamples   = 256
)

// governors returns the factors that switch more than half of the others off when they take the
// reference's value, such as the family; and the others.
func governors(all []Factor, subject, reference rsie.Strategy) (held, free []Factor) {
	for i, f := range all {
		without, off := f.do(subject, reference), 0
		for k, g := range all {
			if k != i && !acts(g, without, subject, reference) {
				off++
			}
		}
		if 2*off > len(all)-1 {
			held = append(held, f)
		} else {
			free = append(free, f)
		}
	}
	return held, free
}

// screen measures strategies between reference and subject and fits the surrogate. It also
// returns the surrogate's Shapley values.
func (e *explanation) screen(ctx context.Context, limit int64) error {
	held, free := governors(e.factors, e.subject, e.reference)
	for _, f := range held {
		e.out.Screening.Held = append(e.out.Screening.Held, f.Name)
	}
	if len(free) < 2 {
		return nil
	}
	x, y, groups, err := e.cube(ctx, free, limit)
	if err != nil || len(y) < fewestSamples {
		return err
	}
	e.out.Screening.Samples = len(y)
	e.out.Screening.R2 = heldOut(x, y, groups)
	p := choose(x, y, groups)
	q := fit(x, y, p)
	spread := spreadOf(x, y, p, e.key.Child(keyRefits))
	total := 0.0
	for i, m := range q.main {
		total += m * m
		for j := range i {
			total += q.pair[i][j] * q.pair[i][j]
		}
	}
	for i, f := range free {
		share := Share{Factor: f.Name}
		if total > 0 {
			share.Main = q.main[i] * q.main[i] / total
			share.Total = share.Main
			for j := range free {
				share.Total += q.pair[i][j] * q.pair[i][j] / total
			}
		}
		e.out.Screening.Shares = append(e.out.Screening.Shares, share)
		e.out.Shapley.Surrogate = append(e.out.Shapley.Surrogate, ShapleyValue{f.Name,
			Estimate{Mean: 2 * q.main[i], Interval: [2]float64{2 * spread[i][0], 2 * spread[i][1]}, P: 1, Adjusted: 1,
				Contexts: len(y)}})
	}
	slices.SortStableFunc(e.out.Screening.Shares, func(a, b Share) int { return cmp.Compare(b.Total, a.Total) })
	slices.SortStableFunc(e.out.Shapley.Surrogate, func(a, b ShapleyValue) int {
		return cmp.Compare(math.Abs(b.Mean), math.Abs(a.Mean))
	})
	return nil
}

// cube measures blocks of strategies in which each factor has either value with probability 1/2,
// until the limit, and returns places, centred scores and the block of each.
func (e *explanation) cube(ctx context.Context, free []Factor, limit int64) (x [][]float64, y []float64,
	groups []int, err error) {
	for block := 0; len(y) < mostSamples; block++ {
		key := e.key.Child(keyScreen).Child(uint64(block))
		var all []rsie.Strategy
		var places [][]float64
		for k := range screenBlock {
			s, at := e.subject, make([]float64, len(free))
			for i, f := range free {
				w := key.Words(uint32(i), uint32(k), 0, 0, rsie.StreamResample)
				if at[i] = 1; w[0]&1 == 0 {
					at[i] = -1
					f.set(&s, e.reference)
				}
			}
			if e.journal.meter.Affords(s) {
				all, places = append(all, s), append(places, at)
			}
		}
		if len(all) == 0 || e.journal.spent+e.journal.cost(all) > limit {
			return x, y, groups, nil
		}
		scores, err := e.journal.measure(ctx, all, key.Child(1), block)
		if err != nil {
			return nil, nil, nil, err
		}
		means := make([]float64, len(all))
		for i, s := range scores {
			means[i] = average(s)
		}
		middle := stats.Mean(means)
		for i, v := range means {
			x, y, groups = append(x, places[i]), append(y, v-middle), append(groups, block)
		}
	}
	return x, y, groups, nil
}
