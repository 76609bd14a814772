package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// elongate turns independent noise z into that of CR-FM-NES, longer along the direction v:
//
//	y = z + (√(1+|v|²) - 1)·(z·v̄)·v̄, v̄ = v/|v|
//
// so that mean + step∘y has the covariance σ²·D(I + v·vᵀ)D.
func (c *call) elongate(z []float64, run int) {
	v := c.vector(run, rsie.VecDirection)
	length, along := squared(v), 0.
	if length == 0 {
		return
	}
	for j, x := range v {
		along += z[j] * x
	}
	factor := (math.Sqrt(1+length) - 1) * along / length
	for j, x := range v {
		z[j] += factor * x
	}
}

// fastNES updates mean, sigma, scales D and direction v of a run by CR-FM-NES. y is
// (x - mean)/step, z what elongate made it of, w the utility weights, negative ones times
// Negative, h the same before 1/n is subtracted:
//
//	p  = (1-cs)·p + √(cs(2-cs)·mu_eff)·Σ w z;  far: |p| >= χ
//	w  = h·exp(Temperature·|z|), normalised, minus 1/n, when far
//	pc = (1-cc)·pc + √(cc(2-cc)·mu_eff)·D∘Σ w y;  mean += rate·step∘Σ w y
//	v, D by the natural gradient of the samples with weights ScaleRate·w and of pc/D with c1,
//	see turn; sigma *= exp(l/2·Σ w(|z|²/D - 1)), l = 1 far, StepGain for |p| >= χ/10, else
//	PathDamping
//
// Rows of Run: cs PathRate, cc CovPathRate, c1 CovRankOne.
//
// Source: M. Nomura, I. Ono, arXiv:2201.11422, algorithm 1.
func (c *call) fastNES(r int) {
	t := &c.runs[r]
	n, from := int(t.EvalTo), int(t.Offset)
	v, p := c.vector(r, rsie.VecDirection), c.vector(r, rsie.VecStepPath)
	for i, w := range c.utility[from : from+n] {
		if w < 0 {
			c.utility[from+i] = t.Negative * w
		}
	}
	c.lengths(r)
	g := c.gradientOf(r)
	c.weightedSum(g, r)
	v2 := squared(v)
	along := 0.
	for j, x := range v {
		along += g[j] * x
	}
	back := (1/math.Sqrt(1+v2) - 1) * along / v2
	push := math.Sqrt(t.PathRate * (2 - t.PathRate) * t.MuEff)
	for j, x := range v {
		p[j] = (1-t.PathRate)*p[j] + push*(g[j]+back*x)
	}
	far, chi, rate := math.Sqrt(squared(p)), expectedLength(float64(c.dim)), t.PathDamping
	switch {
	case far >= chi:
		rate = 1
		c.distanceWeights(r)
		c.weightedSum(g, r)
	case far >= 0.1*chi:
		rate = t.StepGain
	}
	c.followSamples(r)
	growth := 0.
	for i, w := range c.utility[from : from+n] {
		growth += w * (c.shorter[from+i]/float64(c.dim) - 1)
	}
	c.turn(r)
	m := c.memoryOf(r)
	m[rsie.MemSigma] = min(max(m[rsie.MemSigma]*math.Exp(min(rate/2*growth, 1)), cumulativeLowest), cumulativeHighest)
}

// lengths writes y·v̄ of every member to distance and |z|² to shorter.
func (c *call) lengths(r int) {
	t := &c.runs[r]
	mean, steps, v := c.vector(r, rsie.VecMean), c.stepsOf(r), c.vector(r, rsie.VecDirection)
	v2 := squared(v)
	norm := math.Sqrt(v2)
	for i := range int(t.EvalTo) {
		m := int(t.Offset) + i
		along, square := 0., 0.
		for j, x := range c.next.point(c, m) {
			y := (x - mean[j]) / steps[j]
			along += y * v[j] / norm
			square += y * y
		}
		c.distance[m] = along
		c.shorter[m] = math.Max(0, square+(1/(1+v2)-1)*along*along)
	}
}

// weightedSum writes Σ w y to g.
func (c *call) weightedSum(g []float64, r int) {
	t := &c.runs[r]
	mean, steps := c.vector(r, rsie.VecMean), c.stepsOf(r)
	clear(g)
	for i := range int(t.EvalTo) {
		m := int(t.Offset) + i
		w := c.utility[m]
		for j, x := range c.next.point(c, m) {
			g[j] += w * (x - mean[j]) / steps[j]
		}
	}
}

// distanceWeights replaces the weights by those that favour far samples. The largest exponent is
// subtracted from all.
func (c *call) distanceWeights(r int) {
	t := &c.runs[r]
	n, from := int(t.EvalTo), int(t.Offset)
	place, longest := 0, 0.
	for _, s := range c.shorter[from : from+n] {
		longest = math.Max(longest, math.Sqrt(s))
	}
	sum := 0.
	for _, i := range c.next.order[from:][:t.Members] {
		if int(i) >= n {
			continue
		}
		place++
		m := from + int(i)
		h := math.Max(0, math.Log(float64(n)/2+1)-math.Log(float64(place)))
		c.utility[m] = h * math.Exp(t.Temperature*(math.Sqrt(c.shorter[m])-longest))
	}
	for _, w := range c.utility[from : from+n] {
		sum += w
	}
	for i := range n {
		c.utility[from+i] = c.utility[from+i]/sum - 1/float64(n)
	}
}

// followSamples moves the mean and the evolution path along g.
func (c *call) followSamples(r int) {
	t := &c.runs[r]
	mean, path, g, steps := c.vector(r, rsie.VecMean), c.vector(r, rsie.VecPath), c.gradientOf(r), c.stepsOf(r)
	sigma, rate := c.sigma(r), t.CovPathRate
	push := math.Sqrt(rate * (2 - rate) * t.MuEff)
	// The sums of turn are over points around the mean before it moves.
	c.gradientSums(r)
	for j := range mean {
		path[j] = (1-rate)*path[j] + push*steps[j]/sigma*g[j]
		mean[j] += t.LearningRate * steps[j] * g[j]
	}
}

// gradientSums writes Σ w y² to square and Σ w (y·v̄)·y to centroid, weights times ScaleRate.
func (c *call) gradientSums(r int) {
	t := &c.runs[r]
	mean, steps := c.vector(r, rsie.VecMean), c.stepsOf(r)
	s, cross := c.squareOf(r), c.centroid[r*c.stride:][:c.dim]
	clear(s)
	clear(cross)
	for i := range int(t.EvalTo) {
		m := int(t.Offset) + i
		w, along := t.ScaleRate*c.utility[m], c.distance[m]
		for j, x := range c.next.point(c, m) {
			y := (x - mean[j]) / steps[j]
			s[j] += w * y * y
			cross[j] += w * along * y
		}
	}
}

// turn changes v and D by the natural gradient, which is linear in the samples, so that it is
// applied to their weighted sums, and keeps the determinant of the covariance.
//
// Source: Y. Akimoto et al., GECCO 2014 (VD-CMA), theorem 3.6, as in arXiv:2201.11422.
func (c *call) turn(r int) {
	t := &c.runs[r]
	from := int(t.Offset)
	v, d, path := c.vector(r, rsie.VecDirection), c.vector(r, rsie.VecScale), c.vector(r, rsie.VecPath)
	layer := c.vector(r, rsie.VecLayer)
	s, u := c.squareOf(r), c.centroid[r*c.stride:][:c.dim]
	v2 := squared(v)
	norm, v4, gamma := math.Sqrt(v2), v2*v2, 1+v2
	weight, squares, top, along := t.CovRankOne, 0., 0., 0.
	for i, w := range c.utility[from : from+int(t.EvalTo)] {
		weight += t.ScaleRate * w
		squares += t.ScaleRate * w * c.distance[from+i] * c.distance[from+i]
	}
	for j, x := range v {
		along += path[j] / (d[j] * layer[j]) * x / norm
		top = math.Max(top, x*x/v2)
	}
	squares += t.CovRankOne * along * along
	alpha := math.Min(1, math.Sqrt(v4+(2*gamma-math.Sqrt(gamma))/top)/(2+v2))
	b := -(1-alpha*alpha)*v4/gamma + 2*alpha*alpha
	dot := 0. // of t with v̄
	for j, x := range v {
		bar := x / norm
		y := path[j] / (d[j] * layer[j])
		s[j] += t.CovRankOne*y*y - weight
		u[j] += t.CovRankOne * along * y
		s[j] -= v2 / gamma * u[j] * bar
		u[j] -= 0.5 * bar * (squares + gamma*weight)
		dot += u[j] * bar
	}
	inner, scale := 0., 1.
	for j, x := range v {
		bar := x / norm
		s[j] -= alpha / gamma * ((2+v2)*u[j]*bar - v2*dot*bar*bar)
		h := bar * bar / (2 - (b+2*alpha*alpha)*bar*bar)
		inner += s[j] * h
		scale += b * bar * bar * h
	}
	rest := 0.
	for j, x := range v {
		bar := x / norm
		h := 1 / (2 - (b+2*alpha*alpha)*bar*bar)
		s[j] = s[j]*h - b/scale*inner*h*bar*bar
		rest += s[j] * bar * bar
	}
	logs := 0.
	for j, x := range v {
		bar := x / norm
		u[j] -= alpha * ((2+v2)*s[j]*bar - rest*bar)
		// A scale of 0 or less, which the source does not exclude, would end the search.
		d[j] *= math.Max(1+s[j], 1e-3)
		logs += math.Log(d[j])
	}
	for j := range v {
		v[j] += u[j] / norm
	}
	root := math.Exp(logs/float64(c.dim) + math.Log(1+squared(v))/(2*float64(c.dim)))
	for j := range d {
		d[j] /= root
	}
}
