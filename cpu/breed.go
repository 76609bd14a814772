package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// plan is what the children of a run have in common.
type plan struct {
	worst    float64 // largest finite fitness of Now; NaN when there is none
	tickets  uint64  // sum of the roulette weights
	limit    uint32  // of the event that a gene is mutated, see limitOf; svd mutation
	inverse  float64 // of the gaps between mutated genes, other mutations
	strength float64
	rate     float64
	fresh    int // rows from here on are immigrants
}

// breed makes rows [Elites, Members) of population runs: see [rsie.OpBreed].
//
//	MemSpread < DiversityThreshold·MemSpread0: the last max(1, round(0.1·Members)) of the rows
//	are starting draws of StreamImmigrant
//	other rows: first parent by selection, with FlagBestBreeds of the first child the best; with probability CrossoverRate (StreamCross, element
//	0) a second one by the same selection and crossover; then mutation
//
// Parent is the first parent's number, the own number for immigrants. Differential mutation has
// its own way, see differ.
func breed(c *call) {
	c.clear()
	for r := range c.runs {
		if breeds(&c.runs[r]) {
			c.add(r, 0, 1, 1)
		}
	}
	c.each(planRun)
	c.clear()
	for r := range c.runs {
		t := &c.runs[r]
		if !breeds(t) {
			continue
		}
		size := c.rows
		if t.Mutation == rsie.CodeSVD {
			size = 1 // a decomposition costs more than everything else of a child
		}
		c.add(r, int(t.Elites), int(t.Members), size)
	}
	c.each(breedRows)
}

// breeds selects the population runs that have parents.
func breeds(t *rsie.Run) bool {
	return active(t) && t.Family == rsie.CodePopulation && t.Flags&rsie.FlagBegin == 0
}

func planRun(c *call, _ int, s span) {
	t, p, m := &c.runs[s.run], &c.plans[s.run], c.memoryOf(s.run)
	from := int(t.Offset)
	to := from + int(t.Previous)
	p.worst, _ = finiteRange(c.now.fitness[from:to])
	if t.Selection == rsie.CodeRoulette {
		p.tickets = tickets(c.lottery[from:to], c.now.selection[from:to])
	}
	rate := t.Rate
	if t.Flags&rsie.FlagAdaptive != 0 {
		rate *= 2 - spreadRatio(m[rsie.MemSpread], m[rsie.MemSpread0])
	}
	p.rate, p.limit, p.strength = rate, limitOf(rate), t.Strength
	p.inverse = inverseGap(rate)
	if t.Mutation == rsie.CodeAdaptive {
		p.strength *= m[rsie.MemStep]
	}
	p.fresh = immigrantsFrom(t, m)
}

// immigrantsFrom returns the first row of immigrants of the generation after memory m, Members
// when there are none.
func immigrantsFrom(t *rsie.Run, m []float64) int {
	n := int(t.Members)
	if t.Generation == 0 || !(m[rsie.MemSpread] < t.DiversityThreshold*m[rsie.MemSpread0]) {
		return n
	}
	count := max(1, int(math.Round(rsie.ImmigrantShare*float64(n))))
	return max(int(t.Elites), n-count)
}

// finiteRange returns the largest and the smallest of the values below Worst, NaN without any.
func finiteRange(f []float64) (worst, best float64) {
	worst, best = math.NaN(), math.NaN()
	for _, v := range f {
		if finite(v) {
			if !(v <= worst) {
				worst = v
			}
			if !(v >= best) {
				best = v
			}
		}
	}
	return worst, best
}

// finite reports whether a fitness is a measured value: neither NaN nor infinite nor Worst.
func finite(f float64) bool { return f < rsie.Worst && f >= -math.MaxFloat64 }

func breedRows(c *call, _ int, s span) {
	t, p := &c.runs[s.run], &c.plans[s.run]
	for i := s.from; i < s.to; i++ {
		if i >= p.fresh {
			c.fresh(t, i, rsie.StreamImmigrant)
			continue
		}
		a := addressOf(t, i)
		if t.Mutation == rsie.CodeDifferential {
			c.differ(t, s.run, p, &a)
			continue
		}
		first := c.pick(t, p, &a, 0)
		if t.Flags&rsie.FlagBestBreeds != 0 && i == int(t.Elites) {
			first = int(c.now.choice[t.Offset])
		}
		second := first
		if a.element(0, rsie.StreamCross)>>8 < limitOf(t.CrossoverRate) {
			second = c.pick(t, p, &a, 1)
		}
		child := int(t.Offset) + i
		c.cross(t, p, &a, child, first, second)
		own := *p
		if t.Mutation == rsie.CodeSelfAdaptive {
			own.strength *= c.ownStep(t, s.run, &a, first)
		}
		c.mutate(t, &own, &a, child)
		c.next.parent[child] = uint32(first)
	}
}
