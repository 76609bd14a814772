package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Bounds of a deviation of natural gradient, far from what a search reaches before its points
// stop changing in float64.
const stdLowest, stdHighest = 1e-30, 1e30

// update moves the distribution of a run by the n members in rows [0, EvalTo) of Next, ranked
// 0 to n-1 by Next.Order: see [rsie.OpUpdate]. m is the mean, s the deviation.
//
//	adam: s = Sigma, t = Generation + 1
//	  c    = rank/(n-1) - 1/2
//	  g    = Σ_i c_i·(x_i - m)/s / (n·s)
//	  m1   = β1·m1 + (1-β1)·g;  m2 = β2·m2 + (1-β2)·g²
//	  m   -= LearningRate · m1/(1-β1^t) / (sqrt(m2/(1-β2^t)) + ε)
//	natural gradient: z = (x - m)/s
//	  w    = max(0, ln(n/2+1) - ln(rank+1)) / its sum - 1/n
//	  m   += LearningRate·s·Σ_i w_i·z_i
//	  s   *= exp(StdLearningRate·(3+ln D)/(10·sqrt D)·Σ_i w_i·(z_i²-1))
//
// Sums run over members in index order. With fewer than two evaluated members nothing moves.
// The mean of a bounded problem stays in the box.
//
// Sources: T. Salimans et al., arXiv:1703.03864, algorithm 1; D. Kingma, J. Ba,
// arXiv:1412.6980, algorithm 1; T. Schaul et al., GECCO 2011, algorithm 2 (SNES).
func update(c *call) {
	c.clear()
	for r := range c.runs {
		if updates(&c.runs[r]) {
			c.add(r, 0, 1, 1)
		}
	}
	c.each(setUtility)
	c.clear()
	for r := range c.runs {
		if updates(&c.runs[r]) {
			c.add(r, 0, c.dim, columns)
		}
	}
	c.each(moveColumns)
}

func updates(t *rsie.Run) bool {
	return active(t) && t.Family == rsie.CodeDistribution && t.EvalTo >= 2
}

// setUtility writes c or w of the evaluated members of a run.
func setUtility(c *call, _ int, s span) {
	t := &c.runs[s.run]
	from, to := c.members(s.run)
	utility := c.utility[from:to]
	n, place, sum := float64(t.EvalTo), 0., 0.
	for _, i := range c.next.order[from:to] {
		if i >= t.EvalTo {
			continue
		}
		if t.Update == rsie.CodeAdam {
			utility[i] = place/(n-1) - 0.5
		} else {
			utility[i] = math.Max(0, math.Log(n/2+1)-math.Log(place+1))
			sum += utility[i]
		}
		place++
	}
	if t.Update == rsie.CodeNaturalGradient {
		for i := range utility[:t.EvalTo] {
			utility[i] = utility[i]/sum - 1/n
		}
	}
}

func moveColumns(c *call, _ int, s span) {
	t := &c.runs[s.run]
	mean := c.vector(s.run, rsie.VecMean)[s.from:s.to]
	std := c.vector(s.run, rsie.VecStd)[s.from:s.to]
	if t.Update == rsie.CodeAdam {
		var g [columns]float64
		scale := 1 / (float64(t.EvalTo) * t.Sigma)
		c.gradient(g[:len(mean)], s, t)
		adam(mean, g[:len(mean)], c.vector(s.run, rsie.VecMoment1)[s.from:s.to],
			c.vector(s.run, rsie.VecMoment2)[s.from:s.to], scale, t)
	} else {
		c.naturalGradient(mean, std, s, t)
	}
	c.clip(mean)
}

// gradient writes Σ_i c_i·(x_i - m)/s of some columns.
func (c *call) gradient(g []float64, s span, t *rsie.Run) {
	mean := c.vector(s.run, rsie.VecMean)[s.from:s.to]
	for i := range int(t.EvalTo) {
		m := int(t.Offset) + i
		u := c.utility[m]
		row := c.next.points[m*c.stride:][s.from:s.to]
		mean, g = mean[:len(row)], g[:len(row)]
		for j, x := range row {
			g[j] += u * (x - mean[j])
		}
	}
	for j := range g {
		g[j] /= t.Sigma
	}
}

func adam(mean, g, moment1, moment2 []float64, scale float64, t *rsie.Run) {
	steps := float64(t.Generation) + 1
	correct1 := 1 - math.Pow(rsie.AdamBeta1, steps)
	correct2 := 1 - math.Pow(rsie.AdamBeta2, steps)
	for j := range mean {
		d := g[j] * scale
		moment1[j] = rsie.AdamBeta1*moment1[j] + (1-rsie.AdamBeta1)*d
		moment2[j] = rsie.AdamBeta2*moment2[j] + (1-rsie.AdamBeta2)*d*d
		root := math.Sqrt(moment2[j] / correct2)
		mean[j] -= t.LearningRate * (moment1[j] / correct1) / (root + rsie.AdamEpsilon)
	}
}

func (c *call) naturalGradient(mean, std []float64, s span, t *rsie.Run) {
	var first, second, inverse [columns]float64
	for j, v := range std {
		inverse[j] = 1 / v
	}
	for i := range int(t.EvalTo) {
		m := int(t.Offset) + i
		w := c.utility[m]
		row := c.next.points[m*c.stride:][s.from:s.to]
		mean := mean[:len(row)]
		for j, x := range row {
			z := (x - mean[j]) * inverse[j&(columns-1)]
			first[j&(columns-1)] += w * z
			second[j&(columns-1)] += w * (z*z - 1)
		}
	}
	d := float64(c.dim)
	rate := t.StdLearningRate * (3 + math.Log(d)) / (10 * math.Sqrt(d))
	for j := range mean {
		mean[j] += t.LearningRate * std[j] * first[j]
		std[j] = min(max(std[j]*exp(rate*second[j]), stdLowest), stdHighest)
	}
}
