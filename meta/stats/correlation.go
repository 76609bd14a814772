package stats

import (
	"fmt"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Spearman returns the correlation of the mid-ranks of x and y, in [-1,1], and its two-sided
// p-value from Student's t with n-2 degrees of freedom. It needs three pairs and is undefined,
// [rsie.ErrInvalid], when all values of a sample are equal.
func Spearman(x, y []float64) (rho, p float64, err error) {
	if err := checkCorrelation("Spearman correlation", x, y, 3); err != nil {
		return 0, 0, err
	}
	rho = stat.Correlation(Ranks(x), Ranks(y), nil)
	// The quotient can miss ±1 by an ulp and the t statistic then loses its pole.
	if 1-math.Abs(rho) < 1e-14 {
		return math.Copysign(1, rho), 0, nil
	}
	free := float64(len(x) - 2)
	t := rho * math.Sqrt(free/((1+rho)*(1-rho)))
	return rho, clamp(2 * distuv.StudentsT{Sigma: 1, Nu: free}.Survival(math.Abs(t))), nil
}

// KendallExact is the number of pairs up to which [Auto] is exact when nothing ties.
const KendallExact = 33

// Kendall returns Kendall's tau-b of x and y, in [-1,1], and its two-sided p-value. [Exact], for
// samples without ties, counts permutations by their inversions; [Asymptotic] is normal with
// the variance corrected for ties; [Auto] is exact up to [KendallExact] pairs without ties.
// It needs two pairs and is undefined, [rsie.ErrInvalid], when all values of a sample are equal.
// The cost is n² comparisons.
func Kendall(x, y []float64, method Method) (tau, p float64, err error) {
	if err := checkCorrelation("Kendall correlation", x, y, 2); err != nil {
		return 0, 0, err
	}
	if err := checkChoice("Kendall correlation", TwoSided, method); err != nil {
		return 0, 0, err
	}
	balance := 0.0 // concordant minus discordant pairs
	for i := range x {
		for j := range i {
			balance += sign(x[i], x[j]) * sign(y[i], y[j])
		}
	}
	n := float64(len(x))
	pairs := n * (n - 1) / 2
	tx, ty := tiesOf(x), tiesOf(y)
	tau = balance / math.Sqrt(pairs-tx.pairs) / math.Sqrt(pairs-ty.pairs)
	tau = max(-1, min(1, tau))
	clean := tx.pairs == 0 && ty.pairs == 0
	switch {
	case method == Exact && !clean:
		return 0, 0, fmt.Errorf("%w: Kendall correlation: Exact needs samples without ties; use "+
			"Asymptotic", rsie.ErrInvalid)
	case method == Exact && len(x) > 170:
		return 0, 0, fmt.Errorf("%w: Kendall correlation: %d pairs are too many for Exact, the limit "+
			"is 170; use Asymptotic", rsie.ErrInvalid, len(x))
	case method == Exact, method == Auto && clean && len(x) <= KendallExact:
		fewer := int((pairs - math.Abs(balance)) / 2)
		return tau, clamp(2 * inversionsUpTo(len(x), fewer)), nil
	}
	m := n * (n - 1)
	variance := (m*(2*n+5)-tx.cubic-ty.cubic)/18 + 2*tx.pairs*ty.pairs/m
	if n > 2 {
		variance += tx.triples * ty.triples / (9 * m * (n - 2))
	}
	return tau, normalTail(TwoSided, balance, math.Sqrt(max(0, variance)), 0), nil
}

func checkCorrelation(what string, x, y []float64, least int) error {
	if err := checkPairs(what, x, y, least); err != nil {
		return err
	}
	for i, s := range [][]float64{x, y} {
		if constant(s) {
			return fmt.Errorf("%w: %s is undefined: all values of sample %d of 2 are equal",
				rsie.ErrInvalid, what, i+1)
		}
	}
	return nil
}

func constant(s []float64) bool {
	for _, v := range s {
		if v != s[0] {
			return false
		}
	}
	return true
}

func sign(a, b float64) float64 {
	switch {
	case a > b:
		return 1
	case a < b:
		return -1
	}
	return 0
}

// tieSums are sums over the groups of t equal values.
type tieSums struct {
	pairs   float64 // t(t-1)/2
	triples float64 // t(t-1)(t-2)
	cubic   float64 // t(t-1)(2t+5)
}

func tiesOf(x []float64) tieSums {
	var s tieSums
	_, groups := midRanks(len(x), func(i, j int) bool { return x[i] < x[j] },
		func(i, j int) bool { return x[i] == x[j] })
	for _, g := range groups {
		t := float64(g)
		s.pairs += t * (t - 1) / 2
		s.triples += t * (t - 1) * (t - 2)
		s.cubic += t * (t - 1) * (2*t + 5)
	}
	return s
}

// inversionsUpTo returns the share of permutations of n items with at most top inversions. The
// i-th item adds 0 to i-1 inversions, each with the same chance.
func inversionsUpTo(n, top int) float64 {
	p := make([]float64, top+1)
	p[0] = 1
	next := make([]float64, top+1)
	for i := 2; i <= n; i++ {
		for w := range next {
			next[w] = 0
			for k := 0; k < i && k <= w; k++ {
				next[w] += p[w-k] / float64(i)
			}
		}
		p, next = next, p
	}
	sum := 0.0
	for _, v := range p {
		sum += v
	}
	return sum
}
