package stats

import (
	"fmt"
	"math"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
	"gonum.org/v1/gonum/stat/distuv"
)

// BootstrapInterval returns the percentile interval of stat on x: the (1±level)/2 quantiles of
// stat over resamples of x. source(n) must return an index from 0 to n-1 and is called
// len(x) times per resample, so equal indices give an equal interval. stat may reorder the
// slice it is given, a copy, and must not keep it.
//
// resamples is 2 to 10,000,000 and level lies in (0,1). A statistic that is NaN on a resample
// is [rsie.ErrInvalid].
func BootstrapInterval(x []float64, stat func([]float64) float64, resamples int, level float64,
	source func(n int) int) (low, high float64, err error) {
	draws, err := resample(x, stat, resamples, level, source)
	if err != nil {
		return 0, 0, err
	}
	return quantile(draws, (1-level)/2), quantile(draws, (1+level)/2), nil
}

// BootstrapBCa is [BootstrapInterval] with Efron's correction of bias and skew:
//
//	z0     = Φ⁻¹((#{θ* < θ} + #{θ* <= θ}) / 2B)
//	a      = Σu³ / (6 (Σu²)^1.5)          u_i = mean of the jackknife - jackknife without x_i
//	levels = Φ(z0 + (z0+z)/(1 - a(z0+z)))  z = Φ⁻¹((1±level)/2)
//
// It needs two values, and [rsie.ErrInvalid] says so when the interval does not exist because
// every resample lies on one side of the statistic of x.
//
// Source: B. Efron, Better bootstrap confidence intervals, JASA 82, 1987.
func BootstrapBCa(x []float64, stat func([]float64) float64, resamples int, level float64,
	source func(n int) int) (low, high float64, err error) {
	if err := checkSample("BCa interval", x, 2); err != nil {
		return 0, 0, err
	}
	draws, err := resample(x, stat, resamples, level, source)
	if err != nil {
		return 0, 0, err
	}
	estimate := stat(slices.Clone(x))
	below, upto := 0, 0
	for _, v := range draws {
		if v < estimate {
			below++
		}
		if v <= estimate {
			upto++
		}
	}
	share := float64(below+upto) / (2 * float64(len(draws)))
	a, err := acceleration(x, stat)
	if err != nil {
		return 0, 0, err
	}
	if math.IsNaN(estimate) || share <= 0 || share >= 1 {
		return 0, 0, fmt.Errorf("%w: BCa interval: the statistic of the sample, %v, lies outside "+
			"all %d resamples; use the percentile interval", rsie.ErrInvalid, estimate, len(draws))
	}
	z0 := distuv.UnitNormal.Quantile(share)
	at := func(q float64) float64 {
		z := z0 + distuv.UnitNormal.Quantile(q)
		return distuv.UnitNormal.CDF(z0 + z/(1-a*z))
	}
	return quantile(draws, at((1-level)/2)), quantile(draws, at((1+level)/2)), nil
}

// resample returns the sorted statistics of the resamples.
func resample(x []float64, stat func([]float64) float64, resamples int, level float64,
	source func(n int) int) ([]float64, error) {
	if err := checkSample("bootstrap", x, 1); err != nil {
		return nil, err
	}
	if stat == nil || source == nil {
		return nil, fmt.Errorf("%w: bootstrap needs a statistic and a source of indices", rsie.ErrInvalid)
	}
	if resamples < 2 || resamples > 10_000_000 {
		return nil, fmt.Errorf("%w: bootstrap with %d resamples, want 2 to 10,000,000",
			rsie.ErrInvalid, resamples)
	}
	if !(level > 0 && level < 1) {
		return nil, fmt.Errorf("%w: bootstrap level %v, want between 0 and 1, such as 0.95",
			rsie.ErrInvalid, level)
	}
	draws := make([]float64, resamples)
	sample := make([]float64, len(x))
	for b := range draws {
		for i := range sample {
			k := source(len(x))
			if k < 0 || k >= len(x) {
				return nil, fmt.Errorf("%w: bootstrap: the source gave index %d of %d values",
					rsie.ErrInvalid, k, len(x))
			}
			sample[i] = x[k]
		}
		if draws[b] = stat(sample); math.IsNaN(draws[b]) {
			return nil, fmt.Errorf("%w: bootstrap: the statistic is NaN on resample %d",
				rsie.ErrInvalid, b)
		}
	}
	slices.Sort(draws)
	return draws, nil
}

// acceleration is the jackknife estimate of a, 0 when leaving a value out changes nothing.
func acceleration(x []float64, stat func([]float64) float64) (float64, error) {
	left := make([]float64, len(x))
	sample := make([]float64, 0, len(x))
	for i := range x {
		sample = append(append(sample[:0], x[:i]...), x[i+1:]...)
		left[i] = stat(sample)
	}
	mean := Mean(left)
	var squares, cubes float64
	for _, v := range left {
		u := mean - v
		squares += u * u
		cubes += u * u * u
	}
	if squares == 0 {
		return 0, nil
	}
	a := cubes / (6 * math.Pow(squares, 1.5))
	if math.IsNaN(a) || math.IsInf(a, 0) {
		return 0, fmt.Errorf("%w: BCa interval: the statistic is not finite when one value is left "+
			"out", rsie.ErrInvalid)
	}
	return a, nil
}
