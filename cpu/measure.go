package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// columns is the width of a span over parameters.
const columns = 256

// tiles returns the number of such spans.
func (c *call) tiles() int { return (c.dim + columns - 1) / columns }

// spreadHighest bounds the measured spread, which overflows when points do.
const spreadHighest = 1e18

// measure updates Memory and the best point of every run by Next: see [rsie.OpMeasure].
//
//	MemSpread     = sqrt(1/D · Σ_j variance over i of x[i,j]), at most 1e18, over the rows of told
//	MemSpread0    = MemSpread of generation 0
//	MemSpreadSum += min(1, MemSpread/MemSpread0), see spreadRatio;  MemMeasured += 1
//	MemBest, VecBest: the best of rows [EvalFrom, EvalTo), ties by index, when better than ever
//	MemSuccess    = share of the evaluated children better than their first parent was in Now;
//	                survivors and immigrants do not count, without a child it stays
//	MemStep      *= exp(SuccessGain·(MemSuccess - SuccessTarget)) within [StepLowest,
//	                StepHighest], of runs with adaptive mutation that have a child
//
// Source of the step rule: I. Rechenberg, Evolutionsstrategie, 1973, in the form of S. Kern et
// al., Natural Computing 3, 2004.
func measure(c *call) {
	c.clear()
	for r := range c.runs {
		if active(&c.runs[r]) {
			c.add(r, 0, c.dim, columns)
		}
	}
	c.each(sumVariance)
	c.everyRun()
	c.each(measureRun)
}

// sumVariance writes the sum of the variances of some columns to the run's partial sums.
func sumVariance(c *call, _ int, s span) {
	from, to := c.told(s.run)
	var mean, square [columns]float64
	c.meanOf(mean[:s.to-s.from], s)
	for m := from; m < to; m++ {
		for j, x := range c.next.points[m*c.stride:][s.from:s.to] {
			d := x - mean[j&(columns-1)]
			square[j&(columns-1)] += d * d
		}
	}
	sum := 0.
	for _, v := range square[:s.to-s.from] {
		sum += v
	}
	c.partial[s.run*c.tiles()+s.from/columns] = sum / float64(to-from)
}

// told returns the rows of run r that hold members of this generation: [0, EvalTo) of a
// distribution, whose size varies, all of any other.
func (c *call) told(r int) (from, to int) {
	t := &c.runs[r]
	if t.Family == rsie.CodePopulation {
		return c.members(r)
	}
	return int(t.Offset), int(t.Offset + t.EvalTo)
}

// meanOf writes the mean over members of some columns of Next.
func (c *call) meanOf(mean []float64, s span) {
	from, to := c.told(s.run)
	clear(mean)
	for m := from; m < to; m++ {
		row := c.next.points[m*c.stride:][s.from:s.to]
		mean = mean[:len(row)]
		for j, x := range row {
			mean[j] += x
		}
	}
	for j := range mean {
		mean[j] /= float64(to - from)
	}
}

// spreadRatio returns min(1, spread/start). A population without spread has the ratio 0 even
// when its start had none.
func spreadRatio(spread, start float64) float64 {
	switch {
	case !(spread > 0):
		return 0
	case spread >= start:
		return 1
	}
	return spread / start
}

func measureRun(c *call, _ int, s span) {
	t, m := &c.runs[s.run], c.memoryOf(s.run)
	fresh := immigrantsFrom(t, m) // by the spread that OpBreed saw
	sum := 0.
	for _, v := range c.partial[s.run*c.tiles():][:c.tiles()] {
		sum += v
	}
	spread := math.Sqrt(sum / float64(c.dim))
	if !(spread < spreadHighest) {
		spread = spreadHighest
	}
	m[rsie.MemSpread] = spread
	if t.Generation == 0 {
		m[rsie.MemSpread0] = spread
	}
	m[rsie.MemSpreadSum] += spreadRatio(spread, m[rsie.MemSpread0])
	c.keepBest(s.run)
	m[rsie.MemMeasured]++
	if t.Family == rsie.CodePopulation && t.Generation > 0 {
		c.success(t, m, fresh)
	}
}

// keepBest updates the best point of run r. The best of the first generation is kept even when
// it is no better than Worst.
func (c *call) keepBest(r int) {
	t, m := &c.runs[r], c.memoryOf(r)
	best, fitness := -1, m[rsie.MemBest]
	for i := int(t.EvalFrom); i < int(t.EvalTo); i++ {
		f := c.next.fitness[int(t.Offset)+i]
		if f < fitness {
			best, fitness = i, f
		} else if best < 0 && m[rsie.MemMeasured] == 0 {
			best = i
		}
	}
	if best >= 0 {
		m[rsie.MemBest] = fitness
		copy(c.vector(r, rsie.VecBest), c.next.point(c, int(t.Offset)+best))
	}
}

func (c *call) success(t *rsie.Run, m []float64, fresh int) {
	from := int(t.Offset)
	better, children := 0, 0
	for i := int(max(t.Elites, t.EvalFrom)); i < min(int(t.EvalTo), fresh); i++ {
		children++
		if c.next.fitness[from+i] < c.now.fitness[from+int(c.next.parent[from+i])] {
			better++
		}
	}
	if children == 0 {
		return
	}
	m[rsie.MemSuccess] = float64(better) / float64(children)
	if t.Mutation == rsie.CodeAdaptive {
		step := m[rsie.MemStep] * exp(rsie.SuccessGain*(m[rsie.MemSuccess]-rsie.SuccessTarget))
		m[rsie.MemStep] = min(max(step, rsie.StepLowest), rsie.StepHighest)
	}
}
