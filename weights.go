package rsie

import "math"

// Weights writes the recombination weights of the n best members, best first, and returns the
// variance effective number of good members 1/Σ w⁺² of the positive ones after they are scaled
// to sum 1:
//
//	centred      w_i = (0.5 - (i-1)/(n-1)) / (n·sigma)
//	logarithmic  w_i = (ln(mu + 1/2) - ln i)^e, i <= mu, normalised; the mu worst: -negative·w_i
//	utility      w_i = max(0, ln(n/2 + 1) - ln i), normalised, minus 1/n
//	equal        w_i = 1/mu, i <= mu; the mu worst: -negative/mu
//	softmax      w_i ~ exp(temperature·(0.5 - (i-1)/(n-1))), normalised
//	tutorial     w_i ~ ln((n+1)/2) - ln i: the positive ones of sum 1, the others of sum -negative
//	logistic     w_i ~ exp(-20/(1 + exp(temperature·(0.5 - (i-1)/(n-1))))), normalised
//
// with n = len(dst). sigma counts for centred alone: its weights estimate a gradient.
//
// Sources: T. Salimans et al., arXiv:1703.03864; N. Hansen, arXiv:1604.00772; D. Wierstra et
// al., JMLR 2014; R. Lange et al., arXiv:2211.11260.
func Weights(dst []float64, t *Run, sigma float64) (muEff float64) {
	n := float64(len(dst))
	centred := func(i int) float64 { return 0.5 - float64(i)/max(1, n-1) }
	switch t.Recombine {
	case CodeCentred:
		for i := range dst {
			dst[i] = centred(i) / (n * sigma)
		}
	case CodeUtility:
		for i := range dst {
			dst[i] = math.Max(0, math.Log(n/2+1)-math.Log(float64(i+1)))
		}
		normalise(dst)
		for i := range dst {
			dst[i] -= 1 / n
		}
	case CodeSoftmax:
		for i := range dst {
			dst[i] = math.Exp(t.Temperature * (centred(i) - 0.5))
		}
		normalise(dst)
	case CodeTutorial:
		tutorial(dst, t.Negative)
	case CodeLogistic:
		for i := range dst {
			dst[i] = math.Exp(-logisticSlope / (1 + math.Exp(t.Temperature*centred(i))))
		}
		normalise(dst)
	default:
		truncated(dst, t)
	}
	return effective(dst)
}

// logisticSlope is the factor within the softmax of arXiv:2211.11260, equation (6).
const logisticSlope = 20

// truncated writes logarithmic or equal weights of the Mu best and the negative ones of the Mu
// worst; they add where Mu exceeds half of the members.
func truncated(dst []float64, t *Run) {
	mu := min(max(1, int(t.Mu)), len(dst))
	raw := func(i int) float64 {
		if t.Recombine == CodeEqual {
			return 1
		}
		return math.Pow(math.Log(float64(mu)+0.5)-math.Log(float64(i+1)), t.WeightExponent)
	}
	sum := 0.0
	for i := range mu {
		sum += raw(i)
	}
	clear(dst)
	for i := range mu {
		w := raw(i) / sum
		dst[i] += w
		dst[len(dst)-1-i] -= t.Negative * w
	}
}

// tutorial writes the weights of arXiv:1604.00772, equations (49) and (53).
func tutorial(dst []float64, negative float64) {
	good, bad := 0.0, 0.0
	for i := range dst {
		dst[i] = math.Log((float64(len(dst))+1)/2) - math.Log(float64(i+1))
		good += max(dst[i], 0)
		bad -= min(dst[i], 0)
	}
	for i, w := range dst {
		if w > 0 {
			dst[i] = w / good
		} else if bad > 0 {
			dst[i] = negative * w / bad
		}
	}
}

func normalise(w []float64) {
	sum := 0.0
	for _, v := range w {
		sum += v
	}
	for i := range w {
		w[i] /= sum
	}
}

// effective returns (Σ w⁺)²/Σ w⁺².
func effective(w []float64) float64 {
	sum, square := 0.0, 0.0
	for _, v := range w {
		if v > 0 {
			sum += v
			square += v * v
		}
	}
	if square == 0 {
		return 1
	}
	return sum * sum / square
}
