package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// control changes the factor on all steps of a run:
//
//	cumulative  p = (1-c)·p + √(c(2-c)·mu_eff)·g;  factor *= exp(gain·c/d·(|p|/χ - 1))
//	path        the same p;  factor *= exp(gain·(|p|/√D - 1))
//	success     factor *= exp(gain·(2·share - 1)), share of members better than the last median
//	two-point   in settle
//
// With a full covariance g is multiplied by C^-1/2 here. χ = √D·(1 - 1/(4D) + 1/(21D²)) is the mean length of a normal vector. The last three change
// the factor by e^±0.5 at most and keep it within [1e-4, 1e2].
//
// Source: N. Hansen, arXiv:1604.00772, equations (43) and (44).
func (c *call) control(r int) {
	t, m := &c.runs[r], c.memoryOf(r)
	switch t.Control {
	case rsie.CodeCumulative, rsie.CodePathLength:
		p, rate := c.vector(r, rsie.VecStepPath), t.PathRate
		push := math.Sqrt(rate * (2 - rate) * t.MuEff)
		for j, g := range c.whiteOf(r) {
			p[j] = (1-rate)*p[j] + push*g
		}
		length, d := math.Sqrt(squared(p)), float64(c.dim)
		if t.Control == rsie.CodePathLength {
			c.scaleSigma(r, t.StepGain*(length/math.Sqrt(d)-1))
			return
		}
		change := t.StepGain * rate / t.PathDamping * (length/expectedLength(d) - 1)
		m[rsie.MemSigma] = min(max(m[rsie.MemSigma]*math.Exp(change), cumulativeLowest), cumulativeHighest)
	case rsie.CodeSuccess:
		c.successControl(r)
	}
}

// Bounds of the cumulative factor, far from what a search in float64 reaches.
const cumulativeLowest, cumulativeHighest = 1e-30, 1e30

// expectedLength returns χ of d dimensions.
func expectedLength(d float64) float64 { return math.Sqrt(d) * (1 - 1/(4*d) + 1/(21*d*d)) }

// scaleSigma multiplies the factor by exp(change) within the bounds.
func (c *call) scaleSigma(r int, change float64) {
	m := c.memoryOf(r)
	change = min(max(change, -rsie.MaxSigmaChange), rsie.MaxSigmaChange)
	m[rsie.MemSigma] = min(max(m[rsie.MemSigma]*math.Exp(change), rsie.SigmaLowest), rsie.SigmaHighest)
}

func (c *call) successControl(r int) {
	t, m := &c.runs[r], c.memoryOf(r)
	from, n := int(t.Offset), int(t.EvalTo)
	last, better := m[rsie.MemMedian], 0
	for _, f := range c.next.fitness[from : from+n] {
		if f < last {
			better++
		}
	}
	if m[rsie.MemUpdates] > 1 {
		c.scaleSigma(r, t.StepGain*(2*float64(better)/float64(n)-1))
	}
	m[rsie.MemMedian] = c.next.fitness[from+int(c.next.order[from+n/2])]
}

// lengthenPath moves the evolution path of rank-one noise:
//
//	p = (1-c)·p + √(c(2-c)·mu_eff)·g, at most 2√D long
//
// in units of the steps.
func (c *call) lengthenPath(r int) {
	t := &c.runs[r]
	if t.Covariance != rsie.CodeRankOne {
		return
	}
	p, rate := c.vector(r, rsie.VecPath), t.CovPathRate
	push := math.Sqrt(rate * (2 - rate) * t.MuEff)
	for j, g := range c.gradientOf(r) {
		p[j] = (1-rate)*p[j] + push*g
	}
	limit(p, 2*math.Sqrt(float64(c.dim)))
}

// adapt changes the diagonal scales d of a run, η the rate:
//
//	natural     d *= exp(η/2·(q - Σ w))
//	covariance  d *= √(1 - η + η·q), q of the good members alone
//	deviation   d += η·(√q - 1)·d, q of the good members alone
//	pgpe        d += η·s·(q - Σ w)·d, changed by 20 % at most, s the step size, which centred
//	            weights are divided by
//	cma         d² = (1 - c1 - cμ·Σ w + (1-h)·c1·c(2-c))·d² + c1·p² + cμ·q·d²,
//	            p = (1-c)·p + h·√(c(2-c)·mu_eff)·g·d
//
// within [1e-3, 1e2], cma without bounds.
//
// Sources: T. Schaul et al., GECCO 2011 (natural); F. Sehnke et al., Neural Networks 23, 2010
// (pgpe); R. Lange et al., arXiv:2211.11260 (deviation); R. Ros, N. Hansen, PPSN 2008 (cma).
func (c *call) adapt(r int) {
	t := &c.runs[r]
	if t.Scales == rsie.CodeNoScales {
		return
	}
	if t.Scales == rsie.CodeSepCMA {
		c.diagonalCMA(r)
		return
	}
	d, q := c.vector(r, rsie.VecScale), c.squareOf(r)
	sum, eta := c.weightSum(r), t.ScaleRate
	if t.Scales == rsie.CodeLikelihood {
		eta *= c.sigma(r)
	}
	for j := range d {
		factor := 1.0
		switch t.Scales {
		case rsie.CodeNatural:
			factor = math.Exp(eta / 2 * (q[j] - sum))
		case rsie.CodeVariance:
			factor = math.Sqrt(max(0, 1-eta+eta*q[j]))
		case rsie.CodeDeviation:
			factor = 1 + eta*(math.Sqrt(q[j])-1)
		case rsie.CodeLikelihood:
			factor = 1 + min(max(eta*(q[j]-sum), -largestChange), largestChange)
		}
		d[j] = min(max(d[j]*factor, rsie.ScaleLowest), rsie.ScaleHighest)
	}
}

// largestChange is the largest relative change of a deviation by the likelihood rule.
const largestChange = 0.2

// weightSum returns Σ w over the members of run r in index order.
func (c *call) weightSum(r int) float64 {
	t := &c.runs[r]
	sum := 0.0
	for _, w := range c.utility[t.Offset:][:t.EvalTo] {
		sum += w
	}
	return sum
}

// diagonalCMA updates the scales as the square root of a diagonal covariance matrix.
func (c *call) diagonalCMA(r int) {
	t, m := &c.runs[r], c.memoryOf(r)
	d, p := c.vector(r, rsie.VecScale), c.vector(r, rsie.VecPath)
	g, q := c.gradientOf(r), c.squareOf(r)
	c1, cmu, rate := t.CovRankOne, t.CovRankMu, t.CovPathRate
	h := 0.0
	if c.unstalled(r, m[rsie.MemUpdates]) {
		h = 1
	}
	push := h * math.Sqrt(rate*(2-rate)*t.MuEff)
	keep := 1 - c1 - cmu*c.weightSum(r) + (1-h)*c1*rate*(2-rate)
	for j := range d {
		p[j] = (1-rate)*p[j] + push*g[j]*d[j]
		variance := keep*d[j]*d[j] + c1*p[j]*p[j] + cmu*q[j]*d[j]*d[j]
		d[j] = math.Sqrt(max(variance, 1e-60))
	}
}

// unstalled reports h_sigma: whether the path of the step control is short enough for the
// rank-one update. Without cumulative control it always is.
//
// Source: N. Hansen, arXiv:1604.00772, below equation (45).
func (c *call) unstalled(r int, updates float64) bool {
	t := &c.runs[r]
	if t.Control != rsie.CodeCumulative {
		return true
	}
	d := float64(c.dim)
	length := math.Sqrt(squared(c.vector(r, rsie.VecStepPath)))
	norm := math.Sqrt(1 - math.Pow(1-t.PathRate, 2*updates))
	return length/norm < (1.4+2/(d+1))*expectedLength(d)
}
