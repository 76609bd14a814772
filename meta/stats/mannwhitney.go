package stats

import (
	"fmt"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// MannWhitneyOptions chooses the variant of the rank-sum test.
type MannWhitneyOptions struct {
	Alternative Alternative
	Method      Method
	Continuity  bool // the asymptotic statistic moves 0.5 towards its mean
}

// MannWhitneyExact is the number of values of both samples up to which [Auto] is exact.
const MannWhitneyExact = 50

// MannWhitney is the rank-sum test of two independent samples. The statistic is U of x, the
// number of pairs with x above y, a tie counting half. The exact distribution is that of all
// assignments of the mid-ranks to the two groups; the asymptotic one has mean mn/2 and variance
//
//	mn/12 · ((N+1) - Σ(t³-t)/(N(N-1)))
//
// Equal values throughout give p = 1. Exact refuses more than 200 values.
func MannWhitney(x, y []float64, o MannWhitneyOptions) (Test, error) {
	if err := checkSample("Mann-Whitney test, first sample", x, 1); err != nil {
		return Test{}, err
	}
	if err := checkSample("Mann-Whitney test, second sample", y, 1); err != nil {
		return Test{}, err
	}
	if err := checkChoice("Mann-Whitney test", o.Alternative, o.Method); err != nil {
		return Test{}, err
	}
	both := append(append(make([]float64, 0, len(x)+len(y)), x...), y...)
	ranks, groups := midRanks(len(both), func(i, j int) bool { return both[i] < both[j] },
		func(i, j int) bool { return both[i] == both[j] })
	m, n := float64(len(x)), float64(len(y))
	sum := 0.0
	for _, r := range ranks[:len(x)] {
		sum += r
	}
	t := Test{Statistic: sum - m*(m+1)/2}
	t.Exact = o.Method == Exact || o.Method == Auto && len(both) <= MannWhitneyExact
	if !t.Exact {
		all := m + n
		variance := m * n / 12 * (all + 1 - tieTerm(groups)/(all*(all-1)))
		correction := 0.0
		if o.Continuity {
			correction = 0.5
		}
		t.P = normalTail(o.Alternative, t.Statistic-m*n/2, math.Sqrt(max(0, variance)), correction)
		return t, nil
	}
	if len(both) > 200 {
		return Test{}, fmt.Errorf("%w: Mann-Whitney test: %d values are too many for Exact, the "+
			"limit is 200; use Asymptotic", rsie.ErrInvalid, len(both))
	}
	less, greater := tails(rankSums(ranks, len(x)), int(math.Round(2*sum)))
	t.P = tail(o.Alternative, less, greater)
	return t, nil
}

// rankSums returns the distribution of the doubled rank sum of a random group of size m.
// p[k][w] holds P(the first i items give k members and doubled sum w), where an item joins
// the group with the chance (m-k)/(items left), so no count can overflow.
func rankSums(ranks []float64, m int) []float64 {
	total := 0
	for _, r := range ranks {
		total += int(2 * r)
	}
	p := make([][]float64, m+1)
	for k := range p {
		p[k] = make([]float64, total+1)
	}
	p[0][0] = 1
	for i, r := range ranks {
		step, left := int(2*r), float64(len(ranks)-i)
		for k := min(i+1, m); k >= 0; k-- {
			stay := 1 - float64(m-k)/left
			for w := range p[k] {
				v := p[k][w] * max(0, stay)
				if k > 0 && w >= step {
					v += p[k-1][w-step] * float64(m-k+1) / left
				}
				p[k][w] = v
			}
		}
	}
	return p[m]
}

// A12 returns the probability that a value of x is above one of y, a tie counting half: 0.5
// means no difference. When values are minimised, a better x has less than 0.5.
//
// Source: A. Vargha and H. Delaney 2000.
func A12(x, y []float64) (float64, error) {
	o := MannWhitneyOptions{Alternative: TwoSided, Method: Asymptotic}
	t, err := MannWhitney(x, y, o)
	if err != nil {
		return 0, err
	}
	return t.Statistic / (float64(len(x)) * float64(len(y))), nil
}
