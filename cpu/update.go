package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// update moves the distribution of a run by the n members in rows [0, EvalTo) of Next, best
// first by Next.Order: see [rsie.OpUpdate]. m is the mean, step as in sample, w of
// [rsie.Weights].
//
//	z[i] = (x[i] - m)/step, shortened to √(4D + 40) where it is longer, with a full covariance
//	       as measured by its inverse; not with a limited one
//	g = Σ_i w_i·z[i];  q[j] = Σ_i w_i·z[i,j]², with a full covariance C over C[j,j]
//
// Negative tutorial weights do not count in g, and in q they are multiplied by D/|z[i]|².
//
// then the mean and the steps by compose or by fastNES. A generation of starting draws puts the
// mean on the best of them instead. Sums run over members in index order. With fewer than
// two members nothing moves.
func update(c *call) {
	c.eachRun(updates, setWeights)
	c.eachRun(updates, setSteps)
	c.eachRun(correlatesScaled, setVariance)
	c.clear()
	for r := range c.runs {
		if t := &c.runs[r]; updates(t) && t.Scales != rsie.CodeFastNES {
			c.add(r, 0, int(t.EvalTo), c.rows)
		}
	}
	c.each(shorten)
	c.clear()
	for r := range c.runs {
		if t := &c.runs[r]; updates(t) && t.Scales != rsie.CodeFastNES {
			c.add(r, 0, c.dim, columns)
		}
	}
	c.each(sumColumns)
	c.eachRun(updates, updateRun)
	c.eachRun(drew, startAtBest)
}

func updates(t *rsie.Run) bool {
	return distributes(t) && t.EvalTo >= 2 && t.Flags&rsie.FlagDraws == 0
}

func drew(t *rsie.Run) bool { return distributes(t) && t.Flags&rsie.FlagDraws != 0 }

// startAtBest puts the mean on the best point.
func startAtBest(c *call, _ int, s span) {
	copy(c.vector(s.run, rsie.VecMean), c.vector(s.run, rsie.VecBest))
	copy(c.vector(s.run, rsie.VecBefore), c.vector(s.run, rsie.VecBest))
}

// setWeights writes the weight of every member of a run to scratch, by index.
func setWeights(c *call, _ int, s span) {
	t := &c.runs[s.run]
	from, to := c.members(s.run)
	n := int(t.EvalTo)
	byRank := c.ranked[from : from+n]
	rsie.Weights(byRank, t, c.sigma(s.run))
	place := 0
	for _, i := range c.next.order[from:to] {
		if int(i) < n {
			c.utility[from+int(i)] = byRank[place]
			place++
		}
	}
}

// shorten writes to scratch the factor on every member's noise and its squared length then.
func shorten(c *call, worker int, s span) {
	t := &c.runs[s.run]
	mean, inverse := c.vector(s.run, rsie.VecMean), c.inverseOf(s.run)
	longest := float64(4*c.dim + 40)
	z := c.noise[worker][:c.dim]
	mean, inverse = mean[:len(z)], inverse[:len(z)]
	for i := s.from; i < s.to; i++ {
		m := int(t.Offset) + i
		sum := 0.0
		for j, x := range c.next.point(c, m) {
			v := (x - mean[j]) * inverse[j]
			z[j] = v
			sum += v * v
		}
		if correlates(t) {
			sum = c.whiteLength(z, t)
		}
		c.shorter[m] = 1
		if sum > longest && !limits(t) {
			c.shorter[m] = math.Sqrt(longest / sum)
		}
		c.length[m] = min(sum, longest)
	}
}

// sumColumns writes g and q of some columns. The covariance style sums good members alone.
func sumColumns(c *call, _ int, s span) {
	t := &c.runs[s.run]
	mean := c.vector(s.run, rsie.VecMean)[s.from:s.to]
	inverse := c.inverseOf(s.run)[s.from:s.to]
	g, q := c.gradientOf(s.run)[s.from:s.to], c.squareOf(s.run)[s.from:s.to]
	clear(g)
	clear(q)
	goodOnly := t.Scales == rsie.CodeVariance || t.Scales == rsie.CodeDeviation
	for i := range int(t.EvalTo) {
		m := int(t.Offset) + i
		w, f := c.utility[m], c.shorter[m]
		if w == 0 {
			continue
		}
		square := w
		switch {
		case goodOnly:
			square = max(w, 0)
		case t.Recombine == rsie.CodeTutorial:
			w, square = max(w, 0), c.squareWeight(m)
		}
		row := c.next.points[m*c.stride:][s.from:s.to]
		mean, g, q, inverse := mean[:len(row)], g[:len(row)], q[:len(row)], inverse[:len(row)]
		if t.Scales == rsie.CodeNoScales && !correlates(t) {
			for j, x := range row {
				g[j] += w * (f * (x - mean[j]) * inverse[j])
			}
			continue
		}
		for j, x := range row {
			z := f * (x - mean[j]) * inverse[j]
			g[j] += w * z
			q[j] += square * z * z
		}
	}
	if correlates(t) && t.Scales != rsie.CodeNoScales {
		for j, v := range c.variance[s.run*c.stride:][s.from:s.to] {
			q[j] /= v
		}
	}
}

// updateRun applies the sums of a run.
func updateRun(c *call, worker int, s span) {
	r := s.run
	t, m := &c.runs[r], c.memoryOf(r)
	copy(c.vector(r, rsie.VecBefore), c.vector(r, rsie.VecMean))
	m[rsie.MemUpdates]++
	if t.Scales == rsie.CodeFastNES {
		c.fastNES(r)
	} else {
		c.compose(r, worker)
	}
	mean := c.vector(r, rsie.VecMean)
	if t.Decay > 0 {
		for j := range mean {
			mean[j] *= 1 - t.Decay
		}
	}
	if t.Pull > 0 {
		for j, b := range c.vector(r, rsie.VecBest) {
			mean[j] += t.Pull * (b - mean[j])
		}
	}
	c.clip(mean)
	if t.Flags&rsie.FlagWatch != 0 {
		c.watch(r)
	}
}

// compose moves the mean and changes the steps by the rules of a run.
func (c *call) compose(r, worker int) {
	t := &c.runs[r]
	c.move(r)
	if correlates(t) {
		c.whiteGradient(r)
	} else if limits(t) {
		c.relaxGradient(r)
	}
	c.control(r)
	c.lengthenPath(r)
	if correlates(t) {
		c.covary(r, worker)
	} else if limits(t) {
		c.remember(r)
	}
	c.adapt(r)
}

// move changes the mean along g:
//
//	plain   v = β·v + (1-β)·g;  mean += rate·step·v
//	adam    v = β·v + (1-β)·g;  u = β2·u + (1-β2)·g²;  1-β2 = SecondRate, t = updates
//	        mean += rate·step·(v/(1-β^t)) / (√(u/(1-β2^t)) + ε)
//	clipup  v = β·v + rate·sigma·(step∘g)/|step∘g|, |v| <= MaxSpeed·rate·sigma;  mean += v
//
// Sources: D. Kingma, J. Ba, arXiv:1412.6980, algorithm 1; N. Toklu et al., arXiv:2008.02387,
// algorithm 2 (ClipUp).
func (c *call) move(r int) {
	t := &c.runs[r]
	mean, g, steps := c.vector(r, rsie.VecMean), c.gradientOf(r), c.stepsOf(r)
	v, u := c.vector(r, rsie.VecMoment1), c.vector(r, rsie.VecMoment2)
	switch t.Update {
	case rsie.CodePlain:
		for j := range mean {
			v[j] = t.Momentum*v[j] + (1-t.Momentum)*g[j]
			mean[j] += t.LearningRate * steps[j] * v[j]
		}
	case rsie.CodeAdam:
		updates := c.memoryOf(r)[rsie.MemUpdates]
		beta2 := 1 - t.SecondRate
		correct1, correct2 := 1-math.Pow(t.Momentum, updates), 1-math.Pow(beta2, updates)
		for j := range mean {
			v[j] = t.Momentum*v[j] + (1-t.Momentum)*g[j]
			u[j] = beta2*u[j] + t.SecondRate*g[j]*g[j]
			root := math.Sqrt(u[j] / correct2)
			mean[j] += t.LearningRate * steps[j] * (v[j] / correct1) / (root + rsie.AdamEpsilon)
		}
	case rsie.CodeClipUp:
		rate := t.LearningRate * c.sigma(r)
		length := 0.0
		for j := range g {
			length += steps[j] * g[j] * steps[j] * g[j]
		}
		pace := 0.0
		if length > 0 {
			pace = rate / math.Sqrt(length)
		}
		for j := range v {
			v[j] = t.Momentum*v[j] + pace*steps[j]*g[j]
		}
		limit(v, t.MaxSpeed*rate)
		for j := range mean {
			mean[j] += v[j]
		}
	}
}

// limit shortens v to at most the given length.
func limit(v []float64, longest float64) {
	if n := math.Sqrt(squared(v)); n > longest {
		for j := range v {
			v[j] *= longest / n
		}
	}
}

// squared returns Σ v².
func squared(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return sum
}
