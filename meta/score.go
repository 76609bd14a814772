package meta

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Outcome is one level-1 run: a strategy on a task with one key.
type Outcome struct {
	Strategy  string // digest
	Task      string
	Replicate int
	Seed      uint64
	Curve     Curve
	Diversity float64
	Best      []float64 // nil unless asked for
}

// Terms returns the metrics of the run alone; robustness needs several runs and is 1 here.
func (o Outcome) Terms(a rsie.Anchors, efficiency float64) rsie.Metrics {
	return rsie.Metrics{
		ConvergenceSpeed:        o.Curve.Speed(a),
		FinalFitness:            a.Quality(o.Curve.Final()),
		SampleEfficiency:        o.Curve.Area(a),
		Diversity:               min(max(o.Diversity, 0), 1),
		Robustness:              1,
		ComputationalEfficiency: efficiency,
	}
}

// Score joins the metrics of runs of one strategy on one task that differ in the key alone:
// the mean of every term, and
//
//	robustness = 1 - 2·std(final quality over seeds)
//
// with the population standard deviation, which is at most 1/2.
func Score(runs []rsie.Metrics) rsie.Metrics {
	m := meanMetrics(runs)
	variance := 0.0
	for _, r := range runs {
		d := r.FinalFitness - m.FinalFitness
		variance += d * d
	}
	if len(runs) > 0 {
		m.Robustness = max(0, 1-2*math.Sqrt(variance/float64(len(runs))))
	}
	return m
}

// meanMetrics returns the mean of every term, all zero for none.
func meanMetrics(all []rsie.Metrics) rsie.Metrics {
	var m rsie.Metrics
	n := float64(len(all))
	for _, r := range all {
		m.ConvergenceSpeed += r.ConvergenceSpeed / n
		m.FinalFitness += r.FinalFitness / n
		m.SampleEfficiency += r.SampleEfficiency / n
		m.Diversity += r.Diversity / n
		m.Robustness += r.Robustness / n
		m.ComputationalEfficiency += r.ComputationalEfficiency / n
	}
	return m
}
