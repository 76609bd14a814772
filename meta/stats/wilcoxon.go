package stats

import (
	"fmt"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Zeros says what a signed-rank test does with pairs that do not differ. The zero value is
// invalid.
type Zeros int

// The rules for zeros.
const (
	ZerosDrop  Zeros = 1 + iota // left out before ranking (Wilcoxon 1945)
	ZerosPratt                  // ranked, then their ranks are left out (Pratt 1959)
	ZerosSplit                  // ranked, half of their ranks to each side
)

// WilcoxonOptions chooses the variant of the signed-rank test.
type WilcoxonOptions struct {
	Alternative Alternative
	Method      Method
	Zeros       Zeros
	Continuity  bool // the asymptotic statistic moves 0.5 towards its mean
}

// WilcoxonExact is the number of differing pairs up to which [Auto] is exact.
const WilcoxonExact = 100

// WilcoxonPaired returns the two-sided p-value of the signed-rank test of a - b: zeros dropped,
// exact up to [WilcoxonExact] differing pairs, above that normal with corrections for ties and
// continuity. Without any difference it is 1.
func WilcoxonPaired(a, b []float64) (p float64, err error) {
	t, err := Wilcoxon(a, b, WilcoxonOptions{TwoSided, Auto, ZerosDrop, true})
	return t.P, err
}

// Wilcoxon is the signed-rank test of the differences a[i] - b[i]. The statistic is
// min(W+, W-) for [TwoSided] and W+ otherwise. The exact distribution is that of all sign
// patterns of the mid-ranks, by dynamic programming over doubled ranks:
//
//	P(W+ = w after i) = (P(W+ = w after i-1) + P(W+ = w - r_i after i-1)) / 2
//
// The asymptotic one has variance n(n+1)(2n+1)/24 - Σ(t³-t)/48, for [ZerosPratt] less
// z(z+1)(2z+1)/24. Two differences tie when they agree to within the rounding of their
// subtraction, so that 0.3-0.2 and 0.2-0.1 do. Pairs without any difference give p = 1.
//
// Exact costs n·n(n+1) additions; more than 1,000 differing pairs are refused with it.
func Wilcoxon(a, b []float64, o WilcoxonOptions) (Test, error) {
	if err := checkPairs("Wilcoxon test", a, b, 1); err != nil {
		return Test{}, err
	}
	if err := checkChoice("Wilcoxon test", o.Alternative, o.Method); err != nil {
		return Test{}, err
	}
	if o.Zeros < ZerosDrop || o.Zeros > ZerosSplit {
		return Test{}, fmt.Errorf("%w: Wilcoxon test: zeros rule %d, want ZerosDrop, ZerosPratt "+
			"or ZerosSplit", rsie.ErrInvalid, o.Zeros)
	}
	s, err := signedRanks(a, b, o.Zeros)
	if err != nil {
		return Test{}, err
	}
	t := Test{Statistic: s.plus}
	if o.Alternative == TwoSided {
		t.Statistic = min(s.plus, s.minus)
	}
	differing := len(s.ranks)
	if differing == 0 {
		t.P = 1
		return t, nil
	}
	t.Exact = o.Method == Exact || o.Method == Auto && differing <= WilcoxonExact
	if !t.Exact {
		t.P = s.asymptotic(o)
		return t, nil
	}
	if differing > 1000 {
		return Test{}, fmt.Errorf("%w: Wilcoxon test: %d differing pairs are too many for Exact, "+
			"the limit is 1000; use Asymptotic", rsie.ErrInvalid, differing)
	}
	less, greater := s.exact()
	t.P = tail(o.Alternative, less, greater)
	return t, nil
}

// signed is what a signed-rank test needs to know of its differences.
type signed struct {
	ranks       []float64 // of the pairs that differ
	plus, minus float64   // W+ and W-, halves of zeros included for ZerosSplit
	shift       float64   // what the zeros added to both
	mean        float64
	variance    float64
}

func signedRanks(a, b []float64, zeros Zeros) (signed, error) {
	var d, slack []float64
	nonzero := 0
	for i := range a {
		v := a[i] - b[i]
		if a[i] == b[i] {
			v = 0
		}
		if math.IsInf(v, 0) && !math.IsInf(a[i], 0) && !math.IsInf(b[i], 0) {
			return signed{}, fmt.Errorf("%w: Wilcoxon test: the difference of pair %d overflows; "+
				"scale the samples down", rsie.ErrInvalid, i)
		}
		if v != 0 {
			nonzero++
		} else if zeros == ZerosDrop {
			continue
		}
		d = append(d, v)
		// Half an ulp of a, of b and of the difference, which is at most |a|+|b|, and room
		// for two more roundings.
		slack = append(slack, 0x1p-51*min(math.Abs(a[i])+math.Abs(b[i]), math.MaxFloat64))
	}
	ranks, groups := midRanks(len(d),
		func(i, j int) bool { return math.Abs(d[i]) < math.Abs(d[j]) },
		func(i, j int) bool { return tied(d[i], d[j], slack[i]+slack[j]) })
	return newSigned(d, ranks, groups, len(d)-nonzero, zeros), nil
}

// tied tells whether two differences have the same size up to slack; a zero ties with zeros.
func tied(x, y, slack float64) bool {
	x, y = math.Abs(x), math.Abs(y)
	if x == y || x == 0 || y == 0 || math.IsInf(x, 0) || math.IsInf(y, 0) {
		return x == y
	}
	return math.Abs(x-y) <= slack
}

func newSigned(d, ranks []float64, groups []int, zeroCount int, zeros Zeros) signed {
	var s signed
	for i, v := range d {
		switch {
		case v > 0:
			s.plus += ranks[i]
		case v < 0:
			s.minus += ranks[i]
		default:
			continue
		}
		s.ranks = append(s.ranks, ranks[i])
	}
	n, z := float64(len(d)), float64(zeroCount)
	s.mean = n * (n + 1) / 4
	s.variance = n * (n + 1) * (2*n + 1) / 24
	if zeroCount > 0 && zeros == ZerosPratt {
		s.mean -= z * (z + 1) / 4
		s.variance -= z * (z + 1) * (2*z + 1) / 24
		groups = groups[1:] // the zeros, which are the smallest
	}
	if zeros == ZerosSplit {
		s.shift = z * (z + 1) / 4
		s.plus += s.shift
		s.minus += s.shift
	}
	s.variance -= tieTerm(groups) / 48
	return s
}

func (s signed) asymptotic(o WilcoxonOptions) float64 {
	correction := 0.0
	if o.Continuity {
		correction = 0.5
	}
	return normalTail(o.Alternative, s.plus-s.mean, math.Sqrt(max(0, s.variance)), correction)
}

// exact returns P(W+ <= plus) and P(W+ >= plus) over all sign patterns.
func (s signed) exact() (less, greater float64) {
	total := 0
	for _, r := range s.ranks {
		total += int(2 * r)
	}
	p := make([]float64, total+1)
	p[0] = 1
	top := 0
	for _, r := range s.ranks {
		step := int(2 * r)
		top += step
		for w := top; w >= 0; w-- {
			if w >= step {
				p[w] += p[w-step]
			}
			p[w] /= 2
		}
	}
	return tails(p, int(math.Round(2*(s.plus-s.shift))))
}

// tails returns the sums of p up to at and from at.
func tails(p []float64, at int) (less, greater float64) {
	for w, v := range p {
		if w <= at {
			less += v
		}
		if w >= at {
			greater += v
		}
	}
	return less, greater
}
