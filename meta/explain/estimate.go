package explain

import (
	"math"

	"github.com/symbio-ai/recursive-improvement/meta/stats"
	"gonum.org/v1/gonum/stat/distuv"
)

// Level is the false discovery rate at which an effect counts as established, and one minus the
// coverage of the intervals.
const Level = 0.05

// Estimate is a mean over contexts: drawn strategies, each with keys of its own.
type Estimate struct {
	Mean     float64    `json:"mean"`
	Interval [2]float64 `json:"interval"` // 95 %, Student's t
	P        float64    `json:"p"`        // two-sided, for a mean of 0
	// Adjusted is P by Benjamini and Hochberg over all estimates of the same table.
	Adjusted float64 `json:"p_bh"`
	Contexts int     `json:"contexts"`
}

// Established reports whether the effect is not 0 at a false discovery rate of [Level].
func (e Estimate) Established() bool { return e.Contexts > 1 && e.Adjusted <= Level }

// Half returns half the width of the interval.
func (e Estimate) Half() float64 { return (e.Interval[1] - e.Interval[0]) / 2 }

// Within reports whether the whole interval lies closer to 0 than margin.
func (e Estimate) Within(margin float64) bool {
	return e.Contexts > 1 && e.Interval[0] > -margin && e.Interval[1] < margin
}

// estimate returns the mean of x with the interval
//
//	mean ± t(n-1, 0.975) · std/√n
//
// Values that are all equal have an interval of no width: it then says that no context showed
// another value. One value, or none, has the widest interval and P 1.
func estimate(x []float64) Estimate {
	e := Estimate{P: 1, Adjusted: 1, Contexts: len(x)}
	if len(x) == 0 {
		e.Interval = [2]float64{-1, 1}
		return e
	}
	e.Mean = stats.Mean(x)
	if len(x) == 1 {
		e.Interval = [2]float64{e.Mean - 1, e.Mean + 1}
		return e
	}
	squares := 0.0
	for _, v := range x {
		squares += (v - e.Mean) * (v - e.Mean)
	}
	n := float64(len(x))
	deviation := math.Sqrt(squares / (n - 1) / n)
	law := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}
	half := law.Quantile(1-Level/2) * deviation
	e.Interval = [2]float64{e.Mean - half, e.Mean + half}
	switch {
	case deviation > 0:
		e.P = min(1, 2*law.Survival(math.Abs(e.Mean)/deviation))
	case e.Mean != 0:
		e.P = 0
	}
	return e
}

// adjust fills Adjusted over all estimates of a table.
func adjust(all []*Estimate) error {
	if len(all) == 0 {
		return nil
	}
	p := make([]float64, len(all))
	for i, e := range all {
		p[i] = e.P
	}
	adjusted, err := stats.BenjaminiHochberg(p)
	if err != nil {
		return err
	}
	for i, e := range all {
		e.Adjusted = adjusted[i]
	}
	return nil
}

// average returns the mean over tasks of one context, all tasks alike.
func average(tasks []float64) float64 { return stats.Mean(tasks) }
