package stats

import (
	"fmt"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
	"gonum.org/v1/gonum/stat/distuv"
)

// FriedmanTest is the outcome of [Friedman].
type FriedmanTest struct {
	MeanRanks []float64 // by treatment, 1 for the smallest values
	ChiSquare float64
	Degrees   int // treatments - 1
	P         float64
	Blocks    int
}

// Friedman compares treatments over blocks, such as algorithms over tasks: blocks is
// [blocks][treatments], at least 2 by 2 (for which the approximation is poor; 3 treatments and
// 10 blocks are a usual minimum). Mid-ranks are taken within a block and the statistic is
// corrected for ties. Blocks of equal values throughout give p = 1.
func Friedman(blocks [][]float64) (FriedmanTest, error) {
	if len(blocks) < 2 {
		return FriedmanTest{}, fmt.Errorf("%w: Friedman test has %d blocks, want at least 2",
			rsie.ErrInvalid, len(blocks))
	}
	treatments := len(blocks[0])
	t := FriedmanTest{MeanRanks: make([]float64, treatments), Degrees: treatments - 1,
		Blocks: len(blocks)}
	ties := 0.0
	for b, row := range blocks {
		if len(row) != treatments {
			return FriedmanTest{}, fmt.Errorf("%w: Friedman test: block %d has %d treatments, block "+
				"0 has %d", rsie.ErrShape, b, len(row), treatments)
		}
		if err := checkSample(fmt.Sprintf("Friedman test, block %d", b), row, 2); err != nil {
			return FriedmanTest{}, err
		}
		ranks, groups := midRanks(treatments, func(i, j int) bool { return row[i] < row[j] },
			func(i, j int) bool { return row[i] == row[j] })
		ties += tieTerm(groups)
		for j, r := range ranks {
			t.MeanRanks[j] += r
		}
	}
	n, k := float64(len(blocks)), float64(treatments)
	spread := 0.0
	for j := range t.MeanRanks {
		t.MeanRanks[j] /= n
		off := t.MeanRanks[j] - (k+1)/2
		spread += off * off
	}
	t.P = 1
	if c := 1 - ties/(k*(k*k-1)*n); c > 0 {
		t.ChiSquare = 12 * n / (k * (k + 1)) * spread / c
		t.P = clamp(distuv.ChiSquared{K: k - 1}.Survival(t.ChiSquare))
	}
	return t, nil
}

// ImanDavenport returns the F statistic (n-1)χ²/(n(k-1)-χ²) of a Friedman test and its p-value
// with k-1 and (k-1)(n-1) degrees of freedom, less conservative than χ². When every block has
// the same order the statistic does not exist: [rsie.ErrInvalid].
func (t FriedmanTest) ImanDavenport() (f, p float64, err error) {
	n, d := float64(t.Blocks), float64(t.Degrees)
	rest := n*d - t.ChiSquare
	if t.Blocks < 2 || t.Degrees < 1 || rest <= 1e-12*n*d {
		return 0, 0, fmt.Errorf("%w: the Iman-Davenport statistic does not exist when every block "+
			"has the same order; use the chi-square p-value", rsie.ErrInvalid)
	}
	f = (n - 1) * t.ChiSquare / rest
	return f, clamp(distuv.F{D1: d, D2: d * (n - 1)}.Survival(f)), nil
}

// NemenyiDifference returns the smallest difference of mean ranks that is significant at level
// alpha in (0,1) for treatments >= 2 over blocks >= 2:
//
//	q/√2 · √(k(k+1)/(6n))    q the 1-alpha quantile of the range of k standard normals
//
// Source: J. Demsar, JMLR 7, 2006, section 3.2.2.
func NemenyiDifference(treatments, blocks int, alpha float64) (float64, error) {
	if treatments < 2 || treatments > 1000 || blocks < 2 || !(alpha > 0 && alpha < 1) {
		return 0, fmt.Errorf("%w: Nemenyi difference of %d treatments over %d blocks at level %v, "+
			"want 2 to 1000, at least 2, and 0 to 1", rsie.ErrInvalid, treatments, blocks, alpha)
	}
	low, high := 0.0, 80.0
	for range 60 {
		q := (low + high) / 2
		if rangeCDF(q, treatments) < 1-alpha {
			low = q
		} else {
			high = q
		}
	}
	k := float64(treatments)
	return high / math.Sqrt2 * math.Sqrt(k*(k+1)/(6*float64(blocks))), nil
}

// rangeCDF returns the probability that k standard normals span at most q:
//
//	k ∫ φ(x) (Φ(x+q) - Φ(x))^(k-1) dx
//
// by the trapezoid rule, which converges exponentially for such integrands.
func rangeCDF(q float64, k int) float64 {
	const step = 1.0 / 32
	sum := 0.0
	for i := -9 * 32; i <= 9*32; i++ {
		x := float64(i) * step
		sum += distuv.UnitNormal.Prob(x) *
			math.Pow(distuv.UnitNormal.CDF(x+q)-distuv.UnitNormal.CDF(x), float64(k-1))
	}
	return float64(k) * sum * step
}
