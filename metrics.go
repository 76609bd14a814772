package rsie

import (
	"fmt"
	"math"
)

// Anchors are a task's reference values at a budget: quality 0 and quality 1.
type Anchors struct {
	F0 float64 `json:"f0" yaml:"f0"` // median over seeds of random search's best fitness
	F1 float64 `json:"f1" yaml:"f1"` // best known fitness
	// Floor above 0 makes quality logarithmic in the precision f - f1, and 1 at a precision of
	// Floor. It is for problems whose lowest value is known.
	Floor float64 `json:"floor,omitempty" yaml:"floor,omitempty"`
}

// Quality returns, clipped to [0,1] and 0 for NaN,
//
//	q = (f0 - f)/(f0 - f1)
//	q = ln((f0 - f1)/max(f - f1, floor)) / ln((f0 - f1)/floor)   with a floor
func (a Anchors) Quality(f float64) float64 {
	q := (a.F0 - f) / (a.F0 - a.F1)
	if a.Floor > 0 {
		wide := a.F0 - a.F1
		q = math.Log(wide/math.Max(f-a.F1, a.Floor)) / math.Log(wide/a.Floor)
	}
	if !(q > 0) {
		return 0
	}
	return min(q, 1)
}

// Target returns the fitness of quality q in [0,1].
func (a Anchors) Target(q float64) float64 {
	if a.Floor > 0 {
		return a.F1 + a.Floor*math.Pow((a.F0-a.F1)/a.Floor, 1-q)
	}
	return a.F0 - q*(a.F0-a.F1)
}

// Metrics are the terms of meta-fitness of a strategy, each in [0,1], maximised.
type Metrics struct {
	ConvergenceSpeed        float64 `json:"convergence_speed"`        // mean over q targets 0.1..0.9 of 1 - e(target)/budget
	FinalFitness            float64 `json:"final_fitness"`            // quality at the end of the budget
	SampleEfficiency        float64 `json:"sample_efficiency"`        // area under quality against log evaluations
	Diversity               float64 `json:"diversity"`                // mean spread relative to the start, capped at 1
	Robustness              float64 `json:"robustness"`               // 1 - spread of final quality over seeds
	ComputationalEfficiency float64 `json:"computational_efficiency"` // counted cost of evaluations / all counted cost
}

// Objectives are the weights of [Metrics] in meta-fitness.
type Objectives Metrics

// DefaultObjectives returns 0.3, 0.4, 0.2, 0.05, 0.03, 0.02 in the order of the fields.
func DefaultObjectives() Objectives {
	return Objectives{0.3, 0.4, 0.2, 0.05, 0.03, 0.02}
}

// Check returns [ErrInvalid] unless every weight is finite and >= 0 and one is positive.
func (o Objectives) Check() error {
	sum := 0.0
	for _, w := range Metrics(o).terms() {
		if !finite(w) || w < 0 {
			return fmt.Errorf("%w: objective weight %g, want a number >= 0", ErrInvalid, w)
		}
		sum += w
	}
	if sum <= 0 {
		return fmt.Errorf("%w: all objective weights are 0, want one above 0", ErrInvalid)
	}
	return nil
}

// MetaFitness returns the mean of the terms weighted by o, in [0,1], maximised.
func (m Metrics) MetaFitness(o Objectives) float64 {
	sum, weights := 0.0, 0.0
	terms := m.terms()
	for i, w := range Metrics(o).terms() {
		sum += w * terms[i]
		weights += w
	}
	return sum / weights
}

func (m Metrics) terms() [6]float64 {
	return [6]float64{m.ConvergenceSpeed, m.FinalFitness, m.SampleEfficiency, m.Diversity,
		m.Robustness, m.ComputationalEfficiency}
}
