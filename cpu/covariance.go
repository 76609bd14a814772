package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// correlates selects the runs that learn a full covariance C of the noise z of update.
func correlates(t *rsie.Run) bool {
	return t.Covariance == rsie.CodeFull || t.Covariance == rsie.CodeExponential
}

func correlatesScaled(t *rsie.Run) bool {
	return updates(t) && correlates(t) && t.Scales != rsie.CodeNoScales
}

// smallestEigenvalue bounds the eigenvalues of C from below, as a share of the largest.
const smallestEigenvalue = 1e-16

// first and second return the two matrices of a run: see [rsie.State].
func (c *call) first(t *rsie.Run) []float64 {
	return c.matrices[int(t.Slot)*rsie.MatrixLen(c.dim):][:c.dim*c.dim]
}

func (c *call) second(t *rsie.Run) []float64 {
	return c.matrices[int(t.Slot)*rsie.MatrixLen(c.dim)+c.dim*c.dim:][:c.dim*c.dim]
}

// roots returns the roots of the eigenvalues of C, in the order of the rows of second.
func (c *call) roots(t *rsie.Run) []float64 {
	return c.matrices[int(t.Slot)*rsie.MatrixLen(c.dim)+2*c.dim*c.dim:][:c.dim]
}

// uncorrelated makes C the identity.
func (c *call) uncorrelated(r int) {
	t := &c.runs[r]
	for _, m := range [2][]float64{c.first(t), c.second(t)} {
		clear(m)
		for j := range c.dim {
			m[j*c.dim+j] = 1
		}
	}
	for j := range c.roots(t) {
		c.roots(t)[j] = 1
	}
}

// correlate writes y = A·z with C = A·Aᵀ.
func (c *call) correlate(y, z []float64, t *rsie.Run) {
	clear(y)
	rows, roots := c.first(t), c.roots(t)
	if t.Covariance == rsie.CodeFull {
		rows = c.second(t)
	}
	for k, v := range z {
		if t.Covariance == rsie.CodeFull {
			v *= roots[k]
		}
		for j, b := range rows[k*c.dim:][:c.dim] {
			y[j] += v * b
		}
	}
}

// whitened returns coordinate k of A⁻¹·y.
func (c *call) whitened(y []float64, k int, t *rsie.Run) float64 {
	v := product(c.second(t)[k*c.dim:][:c.dim], y)
	if t.Covariance == rsie.CodeFull {
		v /= c.roots(t)[k]
	}
	return v
}

// whiteLength returns yᵀ·C⁻¹·y.
func (c *call) whiteLength(y []float64, t *rsie.Run) float64 {
	sum := 0.0
	for k := range c.dim {
		v := c.whitened(y, k, t)
		sum += v * v
	}
	return sum
}

// whiteGradient writes the gradient in uncorrelated coordinates to scratch: C^-1/2·g with the
// symmetric root, or A⁻¹·g.
func (c *call) whiteGradient(r int) {
	t, g := &c.runs[r], c.gradientOf(r)
	out := c.white[r*c.stride:][:c.dim]
	clear(out)
	for k := range c.dim {
		v := c.whitened(g, k, t)
		if t.Covariance == rsie.CodeExponential {
			out[k] = v
			continue
		}
		for j, b := range c.second(t)[k*c.dim:][:c.dim] {
			out[j] += v * b
		}
	}
}

// whiteOf returns the gradient that the path of the step control follows.
func (c *call) whiteOf(r int) []float64 {
	if t := &c.runs[r]; correlates(t) || limits(t) {
		return c.white[r*c.stride:][:c.dim]
	}
	return c.gradientOf(r)
}

// setVariance writes the diagonal of C to scratch.
func setVariance(c *call, _ int, s span) {
	c.diagonal(c.variance[s.run*c.stride:][:c.dim], &c.runs[s.run])
}

func (c *call) diagonal(dst []float64, t *rsie.Run) {
	m := c.first(t)
	if t.Covariance == rsie.CodeFull {
		for j := range dst {
			dst[j] = m[j*c.dim+j]
		}
		return
	}
	clear(dst)
	for k := range c.dim {
		for j, a := range m[k*c.dim:][:c.dim] {
			dst[j] += a * a
		}
	}
}

// squareWeight returns w°, the weight of member m in the covariance: w, and n/|z|²·w where w is
// negative, which keeps C positive.
//
// Source: N. Hansen, arXiv:1604.00772, equation (46).
func (c *call) squareWeight(m int) float64 {
	w := c.utility[m]
	if w < 0 {
		w *= float64(c.dim) / max(c.length[m], 1e-300)
	}
	return w
}

// covary changes the full covariance of a run:
//
//	full     C = (1 + (1-h)·c1·c(2-c) - c1 - cμ·Σ w)·C + c1·p·pᵀ + cμ·Σ w°·z·zᵀ
//	         p = (1-c)·p + h·√(c(2-c)·mu_eff)·g;  C = B·diag(d²)·Bᵀ anew with FlagDecompose
//	natural  A = A·exp(cμ/2·(Σ w·s·sᵀ - Σ w·I)), s = A⁻¹·z
//
// Sources: N. Hansen, arXiv:1604.00772, equations (45) to (47); T. Glasmachers et al.,
// Exponential natural evolution strategies, GECCO 2010, with one rate for size and shape.
func (c *call) covary(r, worker int) {
	t := &c.runs[r]
	if t.Covariance == rsie.CodeExponential {
		c.covaryNaturally(r, worker)
		return
	}
	h := 0.0
	if c.unstalled(r, c.memoryOf(r)[rsie.MemUpdates]) {
		h = 1
	}
	p, rate, c1 := c.vector(r, rsie.VecPath), t.CovPathRate, t.CovRankOne
	push := h * math.Sqrt(rate*(2-rate)*t.MuEff)
	for j, g := range c.gradientOf(r) {
		p[j] = (1-rate)*p[j] + push*g
	}
	keep := 1 + (1-h)*c1*rate*(2-rate) - c1 - t.CovRankMu*c.weightSum(r)
	m := c.first(t)
	for j := range m {
		m[j] *= keep
	}
	addOuter(m, p, c1)
	z := c.noise[worker][:c.dim]
	for i := range int(t.EvalTo) {
		if w := c.squareWeight(int(t.Offset) + i); w != 0 {
			c.noiseBack(z, r, i)
			addOuter(m, z, t.CovRankMu*w)
		}
	}
	if t.Flags&rsie.FlagDecompose != 0 {
		c.decomposeCovariance(t, worker)
	}
}

// noiseBack writes the shortened noise of member i, as seen before the mean moved.
func (c *call) noiseBack(z []float64, r, i int) {
	m := int(c.runs[r].Offset) + i
	before, steps := c.vector(r, rsie.VecBefore), c.stepsOf(r)
	for j, x := range c.next.point(c, m) {
		z[j] = c.shorter[m] * (x - before[j]) / steps[j]
	}
}

// addOuter adds w·v·vᵀ to m.
func addOuter(m, v []float64, w float64) {
	for k, x := range v {
		a := w * x
		row := m[k*len(v):][:len(v)]
		for j, y := range v {
			row[j] += a * y
		}
	}
}

// solverLen returns the scratch that the decomposition of a symmetric matrix takes.
func solverLen(dim int) int { return 2*dim*dim + dim + eigenScratch(dim) }

// decomposeCovariance writes eigenvectors and roots of eigenvalues of C.
func (c *call) decomposeCovariance(t *rsie.Run, worker int) {
	n := c.dim
	a := c.solver[worker][:n*n]
	copy(a, c.first(t))
	roots := c.roots(t)
	eigen(roots, c.second(t), a, c.solver[worker][n*n:])
	largest := 0.0
	for _, s := range roots {
		largest = max(largest, s)
	}
	for k, s := range roots {
		roots[k] = math.Sqrt(max(s, smallestEigenvalue*largest, math.SmallestNonzeroFloat64))
	}
}

// covaryNaturally multiplies A and its inverse by the exponential of the natural gradient.
func (c *call) covaryNaturally(r, worker int) {
	t, n := &c.runs[r], c.dim
	scratch := c.solver[worker]
	m, v, values := scratch[:n*n], scratch[n*n:][:n*n], scratch[2*n*n:][:n]
	clear(m)
	z, s := c.noise[worker][:n], c.noise[worker][c.stride:][:n]
	for i := range int(t.EvalTo) {
		w := c.utility[int(t.Offset)+i]
		if w == 0 {
			continue
		}
		c.noiseBack(z, r, i)
		for k := range s {
			s[k] = c.whitened(z, k, t)
		}
		addOuter(m, s, w)
	}
	sum := c.weightSum(r)
	for k := range n {
		m[k*n+k] -= sum
	}
	eigen(values, v, m, scratch[n*n+n*n+n:])
	for k := range values {
		values[k] = math.Exp(min(max(t.CovRankMu/2*values[k], -1), 1))
	}
	c.multiply(c.first(t), m, v, values, false)
	c.multiply(c.second(t), m, v, values, true)
}

// multiply replaces the matrix a by V·diag(e)·Vᵀ·a, rows of v the columns of V, by the inverse
// of e where it is asked for; m is scratch.
func (c *call) multiply(a, m, v, e []float64, inverse bool) {
	n := c.dim
	clear(m)
	for k := range n {
		row := v[k*n:][:n]
		out := m[k*n:][:n]
		for i, b := range row { // out = row·a
			for j, x := range a[i*n:][:n] {
				out[j] += b * x
			}
		}
		scale := e[k]
		if inverse {
			scale = 1 / scale
		}
		for j := range out {
			out[j] *= scale
		}
	}
	clear(a)
	for k := range n {
		for i, b := range v[k*n:][:n] {
			row := a[i*n:][:n]
			for j, x := range m[k*n:][:n] {
				row[j] += b * x
			}
		}
	}
}

// watch writes what termination criteria look at, for the generation to come:
//
//	MemExtent     max_j step[j]·max(√C[j,j], |p[j]|)
//	MemCondition  of C, without a full one of diag(step²)
//	MemStuck      1 when 0.2 standard deviations along some coordinate, or 0.1 along one axis
//	              of C, which changes from one update to the next, leave the mean as it is
//
// Source: N. Hansen, Benchmarking a BI-population CMA-ES on the BBOB-2009 function testbed,
// GECCO 2009, section 2.
func (c *call) watch(r int) {
	t, m := &c.runs[r], c.memoryOf(r)
	mean, path := c.vector(r, rsie.VecMean), c.vector(r, rsie.VecPath)
	setSteps(c, 0, span{run: r})
	steps, variance := c.stepsOf(r), c.variance[r*c.stride:][:c.dim]
	for j := range variance {
		variance[j] = 1
	}
	if correlates(t) {
		c.diagonal(variance, t)
	}
	extent, stuck := 0.0, false
	narrow, wide := math.Inf(1), 0.0
	for j, s := range steps {
		deviation := s * math.Sqrt(variance[j])
		extent = max(extent, deviation)
		if t.Covariance == rsie.CodeFull {
			extent = max(extent, s*math.Abs(path[j]))
		}
		narrow, wide = min(narrow, s), max(wide, s)
		stuck = stuck || mean[j]+0.2*deviation == mean[j]
	}
	if t.Covariance == rsie.CodeFull {
		narrow, wide = math.Inf(1), 0
		for _, d := range c.roots(t) {
			narrow, wide = min(narrow, d), max(wide, d)
		}
		axis := int(m[rsie.MemUpdates]) % c.dim
		still := true
		for j, b := range c.second(t)[axis*c.dim:][:c.dim] {
			still = still && mean[j] == mean[j]+0.1*steps[j]*c.roots(t)[axis]*b
		}
		stuck = stuck || still
	}
	m[rsie.MemExtent], m[rsie.MemStuck] = extent, 0
	m[rsie.MemCondition] = wide / narrow * (wide / narrow)
	if stuck {
		m[rsie.MemStuck] = 1
	}
}
