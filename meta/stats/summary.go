package stats

import (
	"fmt"
	"math"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Mean returns the mean of x, NaN when x is empty. The sum runs in index order, unlike that of
// gonum's assembly, so that it is the same on every machine.
func Mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// Median returns the middle value of x, the mean of the middle two for an even number, NaN when
// x is empty or holds NaN.
func Median(x []float64) float64 { return Quantile(x, 0.5) }

// Quantile returns the q-quantile of x by linear interpolation between the order statistics at
// position q·(n-1), NaN when x is empty, holds NaN, or q is outside [0,1].
func Quantile(x []float64, q float64) float64 {
	if len(x) == 0 || !(q >= 0 && q <= 1) || slices.ContainsFunc(x, math.IsNaN) {
		return math.NaN()
	}
	s := slices.Clone(x)
	slices.Sort(s)
	return quantile(s, q)
}

// quantile is Quantile of sorted values.
func quantile(s []float64, q float64) float64 {
	at := q * float64(len(s)-1)
	i := min(int(at), len(s)-1)
	if at == float64(i) || i == len(s)-1 || s[i] == s[i+1] {
		return s[i]
	}
	part := at - float64(i)
	return float64(s[i]*(1-part)) + float64(s[i+1]*part)
}

// InterquartileMean returns the mean of x without the floor(n/4) smallest and largest values,
// NaN when x is empty or holds NaN.
//
// Source: R. Agarwal et al., Deep RL at the edge of the statistical precipice, NeurIPS 2021.
func InterquartileMean(x []float64) float64 {
	if slices.ContainsFunc(x, math.IsNaN) {
		return math.NaN()
	}
	s := slices.Clone(x)
	slices.Sort(s)
	cut := len(s) / 4
	return Mean(s[cut : len(s)-cut])
}

// ExpectedRunningTime returns the evaluations of all runs, failed ones with what they used,
// over the number of runs that reached the target; +Inf when none did.
//
// Source: N. Hansen et al., COCO: performance assessment, arXiv:1605.03560.
func ExpectedRunningTime(evaluations []int64, reached []bool) (float64, error) {
	if len(evaluations) != len(reached) {
		return 0, fmt.Errorf("%w: expected running time: %d runs and %d outcomes",
			rsie.ErrShape, len(evaluations), len(reached))
	}
	if len(evaluations) == 0 {
		return 0, fmt.Errorf("%w: expected running time of no runs", rsie.ErrInvalid)
	}
	sum, successes := 0.0, 0
	for i, e := range evaluations {
		if e < 0 {
			return 0, fmt.Errorf("%w: expected running time: run %d has %d evaluations, want >= 0",
				rsie.ErrInvalid, i, e)
		}
		sum += float64(e)
		if reached[i] {
			successes++
		}
	}
	if successes == 0 {
		return math.Inf(1), nil
	}
	return sum / float64(successes), nil
}
