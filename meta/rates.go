package meta

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// rates fills what follows from the weights: learning rates by the textbook or by law.
//
// Sources: N. Hansen, arXiv:1604.00772, table 1; T. Schaul et al., GECCO 2011; R. Ros and N.
// Hansen, PPSN 2008, for the factor (D+2)/3, here with the law's dimension exponent.
func (e *runEntry) rates(t *rsie.Run, law rsie.Law, u float64) {
	s := &e.spec.Strategy
	n, d := int(t.EvalTo), float64(e.scale.Dim)
	t.Mu = share(s.ParentFraction, n, 1, n)
	if s.ScaleRule == rsie.FastNES {
		t.Recombine = rsie.CodeUtility
	}
	if n != e.ranked {
		e.ranked, e.muEff = n, rsie.Weights(e.weights[:n], t, 1)
		e.muBad = badEffective(n)
	}
	m := e.muEff
	t.MuEff = m
	switch s.StepControl {
	case rsie.PathLength:
		t.PathRate = math.Sqrt(m) / (math.Sqrt(m) + math.Sqrt(d))
	case rsie.Cumulative:
		t.PathRate = (m + 2) / (d + m + 5)
		t.PathDamping = 1 + 2*math.Max(0, math.Sqrt((m-1)/(d+1))-1) + t.PathRate
	}
	t.CovPathRate = 4 / (4 + math.Sqrt(d))
	t.CovRankOne = s.CovarianceRate
	t.ScaleRate = law.At(e.scale, u)
	textbook := s.ScaleRateRule == rsie.Textbook
	natural := (3 + math.Log(d)) / (5 * math.Sqrt(d))
	switch {
	case learnsFull(s):
		e.fullRates(t, natural)
	case s.Covariance == rsie.Limited:
		e.limitedRates(t, n)
	case s.ScaleRule == rsie.FastNES:
		e.fastRates(t, n, textbook)
	case s.ScaleRule == rsie.SepCMA:
		c1, cmu := 1/m, 1-1/m
		rate := t.ScaleRate
		if textbook {
			c1, cmu = textbookRates(d, m)
			rate = law.Value * law.Factor(u) * math.Pow((d+2)/3, law.Dim)
		}
		t.CovPathRate = (4 + m/d) / (d + 4 + 2*m/d)
		t.CovRankOne, t.CovRankMu = math.Min(rate*c1, 0.3), math.Min(rate*cmu, 0.6)
	}
	if s.ScaleRule == rsie.NaturalRule && textbook {
		t.ScaleRate *= natural
	}
	if s.Recombination == rsie.Tutorial {
		t.Negative = s.NegativeWeight * e.negativeSum(t.CovRankOne, t.CovRankMu)
	}
}

// textbookRates returns c1 and cmu of arXiv:1604.00772 as sep-CMA-ES has them here: without the
// 1/4 of the tutorial's later version, which evosax and the reference runs lack too.
func textbookRates(d, m float64) (c1, cmu float64) {
	c1 = 2 / ((d+1.3)*(d+1.3) + m)
	return c1, math.Min(1-c1, 2*(m-2+1/m)/((d+2)*(d+2)+m))
}

// fullRates fills the rates of a full covariance, covariance_rate times the textbook's, and says
// whether the matrix is decomposed after this generation. Above MaxFullDim the rates are those
// of the diagonal, (D+2)/3 times as large for CMA-ES.
//
// Sources: N. Hansen, arXiv:1604.00772, equations (56) to (58) and appendix B.2 for how often;
// T. Glasmachers et al., GECCO 2010, table 1, for the natural gradient.
func (e *runEntry) fullRates(t *rsie.Run, snes float64) {
	s := &e.spec.Strategy
	d, m, rate := float64(e.scale.Dim), e.muEff, s.CovarianceRate
	large := e.scale.Dim > rsie.MaxFullDim
	if s.Covariance == rsie.NaturalFull {
		t.CovRankMu = rate * 3 * snes / d
		if large {
			t.ScaleRate = rate * snes
		}
		return
	}
	if large {
		rate *= (d + 2) / 3
	}
	t.CovPathRate = (4 + m/d) / (d + 4 + 2*m/d)
	t.CovRankOne = math.Min(rate*2/((d+1.3)*(d+1.3)+m), 1)
	t.CovRankMu = math.Min(rate*2*(0.25+m-2+1/m)/((d+2)*(d+2)+m), 1-t.CovRankOne)
	gap := math.Floor(1 / (10 * d * (t.CovRankOne + t.CovRankMu)))
	if gap <= 1 || math.Mod(float64(e.since+1), gap) == 0 {
		t.Flags |= rsie.FlagDecompose
	}
}

// limitedRates fills the rates of a limited-memory matrix, covariance_rate times the source's,
// and the rate of the cumulative control, which is defined for few samples and many parameters
// there and at most 1/2 here.
//
// Source: I. Loshchilov, T. Glasmachers, H.-G. Beyer, arXiv:1705.06693, table 1.
func (e *runEntry) limitedRates(t *rsie.Run, n int) {
	d, rate := float64(e.scale.Dim), e.spec.Strategy.CovarianceRate
	t.CovRankOne, t.CovRankMu = math.Min(rate*float64(n)/d, 1), rate/d
	if e.spec.Strategy.StepControl == rsie.Cumulative {
		t.PathRate, t.PathDamping = math.Min(2*float64(n)/d, 0.5), 1
	}
}

// badEffective returns the variance effective number of the members that have negative weights
// ln((n+1)/2) - ln i.
func badEffective(n int) float64 {
	sum, square := 0.0, 0.0
	for i := 1; i <= n; i++ {
		if w := math.Log((float64(n)+1)/2) - math.Log(float64(i)); w < 0 {
			sum += w
			square += w * w
		}
	}
	if square == 0 {
		return 0
	}
	return sum * sum / square
}

// negativeSum returns the sum of the tutorial's negative weights, sign reversed.
//
// Source: N. Hansen, arXiv:1604.00772, equations (50) to (53).
func (e *runEntry) negativeSum(c1, cmu float64) float64 {
	if cmu <= 0 {
		return 0
	}
	d := float64(e.scale.Dim)
	return math.Max(0, min(1+c1/cmu, 1+2*e.muBad/(e.muEff+2), (1-c1-cmu)/(d*cmu)))
}

// fastRates fills the constants of CR-FM-NES for n samples.
//
// Source: M. Nomura, I. Ono, arXiv:2201.11422, section 4 and table 1.
func (e *runEntry) fastRates(t *rsie.Run, n int, textbook bool) {
	lambda, d := float64(n), float64(e.scale.Dim)
	sum, square := 0.0, 0.0
	for i := range n {
		w := math.Max(0, math.Log(lambda/2+1)-math.Log(float64(i+1)))
		sum, square = sum+w, square+w*w
	}
	m := sum * sum / square
	t.MuEff = m
	t.PathRate = (m + 2) / (d + m + 5)
	t.CovPathRate = (4 + m/d) / (d + 4 + 2*m/d)
	t.CovRankOne = 2 / ((d+1.3)*(d+1.3) + m) * (d - 5) / 6
	t.StepGain = math.Tanh((0.024*lambda + 0.7*d + 20) / (d + 12))
	t.PathDamping = 2 * math.Tanh((0.025*lambda+0.75*d+10)/(d+4))
	t.Temperature = distanceExponent(d) * math.Min(1, math.Sqrt(lambda/d))
	if textbook {
		t.ScaleRate *= math.Tanh((math.Min(0.02*lambda, 3*math.Log(d)) + 5) / (0.23*d + 25))
	}
}

// distanceExponent returns the h with (1 + h²)·exp(h²/2)/0.24 = 10 + d, d at most 2000, by
// damped Newton steps.
func distanceExponent(d float64) float64 {
	d = math.Min(d, 2000)
	h := 1.0
	for range 100 {
		f := (1+h*h)*math.Exp(h*h/2)/0.24 - 10 - d
		if math.Abs(f) <= 1e-10 {
			break
		}
		h -= 0.5 * f / (h * math.Exp(h*h/2) * (3 + h*h) / 0.24)
	}
	return h
}
