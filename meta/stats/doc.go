// Package stats holds the tests, intervals and summaries that experiments with evolution
// strategies report: paired and unpaired rank tests, adjustments for many comparisons,
// bootstrap intervals, rank correlations, the interquartile mean and the expected running time.
//
// Nothing in it draws random numbers: the bootstrap takes its indices from the caller, so a
// result repeats itself. Sums run in index order.
//
// # Errors
//
// Input that cannot be judged (too few values, NaN) is [rsie.ErrInvalid]; samples that should
// have equal lengths and have not are [rsie.ErrShape]. No function panics on data and no
// p-value is ever NaN. A slice given is never modified.
//
// # Sources
//
// F. Wilcoxon 1945; H. Mann and D. Whitney 1947; M. Friedman 1937; R. Iman and J. Davenport
// 1980; J. Demsar, JMLR 7, 2006; S. Holm 1979; Y. Benjamini and Y. Hochberg 1995; B. Efron,
// JASA 82, 1987; A. Vargha and H. Delaney 2000; R. Agarwal et al., NeurIPS 2021. The values of
// testdata/stats.json were computed by scipy 1.17.1 and statsmodels 0.15.0.
package stats

import (
	"fmt"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
	"gonum.org/v1/gonum/stat/distuv"
)

// Alternative says which departure from "no difference" a test looks for. The zero value is
// invalid.
type Alternative int

// The alternatives. The first sample of a call is the one meant.
const (
	TwoSided Alternative = 1 + iota
	Less                 // the first sample tends to smaller values
	Greater              // the first sample tends to larger values
)

// Method says how a p-value is computed. The zero value is invalid.
type Method int

// The methods.
const (
	// Auto is Exact up to the size the test states and Asymptotic above it.
	Auto Method = 1 + iota
	// Exact is the permutation distribution of the mid-ranks at hand, so it holds with ties.
	Exact
	// Asymptotic is the normal approximation with the variance corrected for ties.
	Asymptotic
)

// Test is the outcome of a test.
type Test struct {
	Statistic float64
	P         float64 // in [0,1]
	Exact     bool    // P is from the permutation distribution
}

// checkSample returns an error unless x has at least least values and no NaN.
func checkSample(what string, x []float64, least int) error {
	if len(x) < least {
		return fmt.Errorf("%w: %s has %d values, want at least %d", rsie.ErrInvalid, what, len(x), least)
	}
	for i, v := range x {
		if math.IsNaN(v) {
			return fmt.Errorf("%w: %s: value %d is NaN; leave failed measurements out or give "+
				"them the worst value", rsie.ErrInvalid, what, i)
		}
	}
	return nil
}

// checkPairs is checkSample for two samples of equal length.
func checkPairs(what string, a, b []float64, least int) error {
	if len(a) != len(b) {
		return fmt.Errorf("%w: %s: %d and %d values, want pairs", rsie.ErrShape, what, len(a), len(b))
	}
	if err := checkSample(what+", first sample", a, least); err != nil {
		return err
	}
	return checkSample(what+", second sample", b, least)
}

func checkChoice(what string, alternative Alternative, method Method) error {
	if alternative < TwoSided || alternative > Greater {
		return fmt.Errorf("%w: %s: alternative %d, want TwoSided, Less or Greater",
			rsie.ErrInvalid, what, alternative)
	}
	if method < Auto || method > Asymptotic {
		return fmt.Errorf("%w: %s: method %d, want Auto, Exact or Asymptotic",
			rsie.ErrInvalid, what, method)
	}
	return nil
}

// tail returns the p-value of an alternative from both one-sided ones.
func tail(alternative Alternative, less, greater float64) float64 {
	switch alternative {
	case Less:
		return clamp(less)
	case Greater:
		return clamp(greater)
	}
	return clamp(2 * min(less, greater))
}

// clamp removes the rounding of sums of probabilities.
func clamp(p float64) float64 { return max(0, min(1, p)) }

// normalTail returns the p-value of a statistic that lies distance from its mean under a
// normal law of standard deviation sd; correction is what continuity takes off the distance.
func normalTail(alternative Alternative, distance, sd, correction float64) float64 {
	if sd == 0 {
		return 1
	}
	switch alternative {
	case Less:
		return distuv.UnitNormal.CDF((distance + correction) / sd)
	case Greater:
		return distuv.UnitNormal.Survival((distance - correction) / sd)
	}
	far := math.Abs(distance)
	if far > 0 {
		far -= correction
	}
	return clamp(2 * distuv.UnitNormal.Survival(far/sd))
}
