package explain

import (
	"context"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// contrast is a weighted sum of scores of arms, strategies that are made of one context.
type contrast struct {
	factors []Factor    // one: an effect; two: an interaction
	values  [][]float64 // [context][task], of the contexts in which it acts
}

// arms returns the strategies to measure in a context, nil where the contrast does not act
// there. Their weights are +1 -1 of one factor and +1 -1 -1 +1 of two.
func (c *contrast) arms(s, subject, reference rsie.Strategy) []rsie.Strategy {
	a := c.factors[0]
	if len(c.factors) == 1 {
		if !acts(a, s, subject, reference) {
			return nil
		}
		return []rsie.Strategy{a.do(s, subject), a.do(s, reference)}
	}
	b := c.factors[1]
	with := b.do(s, subject)
	if !acts(a, with, subject, reference) || !acts(b, a.do(s, subject), subject, reference) {
		return nil
	}
	without := b.do(s, reference)
	return []rsie.Strategy{a.do(with, subject), a.do(with, reference), a.do(without, subject), a.do(without, reference)}
}

// weights of the arms, in their order.
var weights = []float64{1, -1, -1, 1}

// note adds the scores [arm][task] of a context.
func (c *contrast) note(scores [][]float64) {
	row := make([]float64, len(scores[0]))
	for i, arm := range scores {
		for t, v := range arm {
			row[t] += weights[i] * v
		}
	}
	c.values = append(c.values, row)
}

// over returns the estimate of the mean over the tasks that a filter takes.
func (c *contrast) over(takes func(task int) bool) Estimate {
	var x []float64
	for _, row := range c.values {
		var some []float64
		for t, v := range row {
			if takes(t) {
				some = append(some, v)
			}
		}
		x = append(x, average(some))
	}
	return estimate(x)
}

func (c *contrast) overall() Estimate { return c.over(func(int) bool { return true }) }

// The rounds of an allocation.
const (
	firstContexts = 12 // every contrast meets these before any decision
	moreContexts  = 4  // per further round
	// shareOfEffect narrows an interval no further once its half is this share of the effect.
	// Effects that stop so lie eight standard errors from 0, so that stopping does not bias them.
	shareOfEffect = 0.25
	// widest takes part in a round what is at least this share of the widest interval.
	widest = 0.5
)

// allocation measures contrasts in contexts drawn one after the other.
type allocation struct {
	journal   *journal
	dist      Distribution
	subject   rsie.Strategy
	reference rsie.Strategy
	precision float64
	key       rsie.Key
	limit     int64 // of journal.spent
	next      int   // number of the next context
}

// run measures all contrasts in the first contexts, then, in rounds, those that are not narrow
// enough, the widest first, until all are or the limit is reached. The width alone decides, not
// the sign nor the significance, so that the intervals keep their coverage. It reports whether
// all are narrow.
func (a *allocation) run(ctx context.Context, all []*contrast) (bool, error) {
	active := all
	for n := firstContexts; len(active) > 0; n = moreContexts {
		for range n {
			more, err := a.one(ctx, active)
			if err != nil {
				return false, err
			}
			if !more {
				return false, nil
			}
		}
		active = a.uncertain(all)
	}
	return true, nil
}

// uncertain returns the contrasts to measure on.
func (a *allocation) uncertain(all []*contrast) []*contrast {
	halves, top := make([]float64, len(all)), 0.0
	for i, c := range all {
		e := c.overall()
		if halves[i] = e.Half(); halves[i] <= math.Max(a.precision, shareOfEffect*math.Abs(e.Mean)) {
			halves[i] = 0
		}
		top = max(top, halves[i])
	}
	var out []*contrast
	for i, c := range all {
		// A contrast that never acted in a hundred contexts has no effect to speak of.
		if halves[i] > 0 && halves[i] >= widest*top && (len(c.values) > 1 || a.next < 100) {
			out = append(out, c)
		}
	}
	return out
}

// one measures contrasts in the next context; false means that the limit does not allow it.
func (a *allocation) one(ctx context.Context, active []*contrast) (bool, error) {
	key := a.key.Child(uint64(a.next))
	s := a.dist.draw(a.subject, key.Child(0))
	var arms []rsie.Strategy
	var who []*contrast
	for _, c := range active {
		got := c.arms(s, a.subject, a.reference)
		if got != nil && a.affords(got) {
			arms, who = append(arms, got...), append(who, c)
		}
	}
	if len(arms) == 0 {
		a.next++
		return a.next < 1_000_000, nil
	}
	if a.journal.spent+a.journal.cost(arms) > a.limit {
		return false, nil
	}
	scores, err := a.journal.measure(ctx, arms, key.Child(1), a.next)
	if err != nil {
		return false, err
	}
	for _, c := range who {
		n := 2 * len(c.factors)
		c.note(scores[:n])
		scores = scores[n:]
	}
	a.next++
	return true, nil
}

func (a *allocation) affords(arms []rsie.Strategy) bool {
	for _, s := range arms {
		if !a.journal.meter.Affords(s) {
			return false
		}
	}
	return true
}
