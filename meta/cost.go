package meta

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Counted costs, in floating-point operations plus bytes moved. They weigh strategies against
// each other; they do not predict seconds.
const (
	costNormal     = 12 // Philox, logarithm, root and rotation per normal draw
	costActivation = 20 // tanh by polynomial
	costByte       = 8  // per float64 read or written
	costHost       = 1e6
)

// evaluationCost counts one evaluation of p: for a network two operations per weight and
// sample plus the activations; a problem of which only the fitness is known counts as 10^6.
func evaluationCost(p rsie.Problem) float64 {
	m, ok := p.(rsie.Modelled)
	if !ok {
		return costHost
	}
	model := m.Model()
	samples := float64(m.Rows(rsie.Training).S) * float64(max(1, model.Steps))
	if model.Control != nil {
		samples *= float64(model.Control.Horizon)
	}
	hidden := 0
	for _, w := range model.Layers[1 : len(model.Layers)-1] {
		hidden += w
	}
	return samples * float64(2*model.Dim()+costActivation*hidden)
}

// strategyCost counts what s spends per evaluation besides the evaluation itself.
func strategyCost(s rsie.Strategy, shape rsie.Shape) float64 {
	d, n := float64(shape.Dim), float64(s.PopulationSize)
	copying := 2 * costByte * d
	switch s.Family {
	case rsie.Random:
		return copying + costNormal*d
	case rsie.Distribution:
		cost := copying + (costNormal+2)*d + 9*d // sample, then the update's sums and lengths
		if s.Mirrored {
			cost -= costNormal * d / 2
		}
		return cost + covarianceCost(s, d)
	}
	cost := copying + 2*d // crossover
	switch s.Mutation {
	case rsie.Dropout:
		cost += s.MutationRate * d
	default:
		cost += s.MutationRate * (costNormal + 4) * d
	}
	if s.Mutation == rsie.SVD {
		for _, b := range shape.Blocks {
			small, large := float64(min(b.Rows, b.Cols)), float64(max(b.Rows, b.Cols))
			cost += 2*small*small*large + s.CrossoverRate*20*small*small*large
		}
	}
	if s.FitnessSharing {
		cost += 3*d + n*3*d/2
	}
	return cost
}

// covarianceCost counts what a full covariance costs per evaluation: products with D x D matrices,
// and the decomposition shared by the n samples of the generations between two of them.
func covarianceCost(s rsie.Strategy, d float64) float64 {
	n := float64(s.PopulationSize)
	if s.PopulationRule == rsie.LogDimension {
		n = 4 + 3*math.Log(d)
	}
	switch {
	case s.ScaleRule == rsie.SepCMA || s.ScaleRule == rsie.FastNES:
		return 0
	case s.Covariance == rsie.Limited:
		return 4 * d * float64(rsie.LimitedVectors(int(d)))
	case d > rsie.MaxFullDim:
		return 0
	case s.Covariance == rsie.NaturalFull:
		return 8*d*d + 20*d*d*d/n
	case s.Covariance == rsie.Full:
		// Decompositions wait until the rates have changed the matrix by enough.
		generations := math.Max(1, d/(6*n*math.Max(s.CovarianceRate, 1e-6)))
		return 8*d*d + 10*d*d*d/(n*generations)
	}
	return 0
}

// maxOverhead is the counted cost of a strategy, as a multiple of that of the evaluations, that
// level 2 will pay.
const maxOverhead = 8

// affordable reports whether s costs at most maxOverhead times what it evaluates, on every
// target. The search does not run others: one of them would take the time of many.
func affordable(s rsie.Strategy, targets []target) bool {
	for _, t := range targets {
		if !Affordable(s, t.problem) {
			return false
		}
	}
	return true
}

// Affordable reports whether the counted cost of s on p is one that level 2 will pay.
func Affordable(s rsie.Strategy, p rsie.Problem) bool {
	return strategyCost(s, p.Shape()) <= maxOverhead*evaluationCost(p)
}

// efficiency returns the share of the counted cost that evaluations have.
func efficiency(s rsie.Strategy, p rsie.Problem) float64 {
	e := evaluationCost(p)
	return e / (e + strategyCost(s, p.Shape()))
}
