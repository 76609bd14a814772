package meta

import (
	"fmt"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Describe returns a strategy in one line: its family, size and the genes that matter most.
func Describe(s rsie.Strategy) string {
	s = rsie.StrategySpace.Canonical(s) // what has no effect is off
	switch s.Family {
	case rsie.Random:
		return "random search"
	case rsie.Distribution:
		return describeDistribution(s)
	}
	if s.Mutation == rsie.Differential {
		return describeDifferential(s)
	}
	parts := []string{fmt.Sprintf("%s of %s", s.Selection, size(s))}
	if s.Survival == rsie.Pairwise {
		parts = append(parts, "pairwise survival")
	} else {
		parts = append(parts, fmt.Sprintf("elite %.0f%%", 100*s.ElitismRatio))
	}
	if s.CrossoverRate > 0 {
		parts = append(parts, fmt.Sprintf("%s %.0f%%", s.Crossover, 100*s.CrossoverRate))
	}
	parts = append(parts, fmt.Sprintf("%s rate %.3g", s.Mutation, s.MutationRate))
	if s.Mutation != rsie.Dropout {
		parts = append(parts, fmt.Sprintf("strength %.3g", s.MutationStrength))
	}
	if s.FitnessSharing {
		parts = append(parts, "sharing")
	}
	return strings.Join(parts, ", ")
}

// size returns the population size before its law.
func size(s rsie.Strategy) string {
	if s.PopulationRule == rsie.LogDimension {
		return "4+3lnD"
	}
	return fmt.Sprint(s.PopulationSize)
}

// describeDifferential names the parts of differential evolution that are on; it has no
// selection and no crossover of its own.
func describeDifferential(s rsie.Strategy) string {
	parts := []string{fmt.Sprintf("differential %s of %s", s.Base, size(s)), string(s.Survival) + " survival"}
	if s.Survival == rsie.Pairwise && s.SuccessHistory != rsie.NoHistory {
		return strings.Join(append(parts, string(s.SuccessHistory)+" history"), ", ")
	}
	return strings.Join(append(parts, fmt.Sprintf("rate %.3g, strength %.3g", s.MutationRate, s.MutationStrength)), ", ")
}

// describeDistribution names the parts of a distribution strategy that are on.
func describeDistribution(s rsie.Strategy) string {
	parts := []string{fmt.Sprintf("%s %s samples", s.Recombination, size(s))}
	if s.ScaleRule == rsie.FastNES { // it has weights and an update of its own
		parts[0] = size(s) + " samples"
	}
	if s.Mirrored {
		parts[0] += " mirrored"
	}
	update := string(s.UpdateRule) + " "
	if s.ScaleRule == rsie.FastNES {
		update = ""
	}
	parts = append(parts, fmt.Sprintf("%srate %.3g", update, s.LearningRate.Value),
		fmt.Sprintf("sigma %.3g", s.Sigma.Value))
	for _, p := range []struct {
		on   bool
		text string
	}{
		{s.StepControl != rsie.NoControl, fmt.Sprintf("%s control", s.StepControl)},
		{s.ScaleRule != rsie.NoScales, fmt.Sprintf("%s scales", s.ScaleRule)},
		{s.Covariance != rsie.NoCovariance, fmt.Sprintf("%s covariance", s.Covariance)},
		{s.StartDraws > 1, fmt.Sprintf("best of %d starts", s.StartDraws)},
		{s.Pull > 0, fmt.Sprintf("pull %.2g", s.Pull)},
		{s.Probes == 1, "1 probe"},
		{s.Probes > 1, fmt.Sprintf("%d probes", s.Probes)},
		{s.Restart != rsie.NoRestart, fmt.Sprintf("restart %s", s.Restart)},
	} {
		if p.on {
			parts = append(parts, p.text)
		}
	}
	return strings.Join(parts, ", ")
}

// Difference is one gene in which two strategies differ.
type Difference struct {
	Gene string `json:"gene"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// Diff lists the genes in which a and b differ, in the order of the space; a gene without
// effect in a strategy, or a part of a law that changes nothing there, shows as "-".
func Diff(a, b rsie.Strategy) []Difference {
	show := func(g rsie.Gene, s *rsie.Strategy) string {
		if !g.IsActive(s) || g.IsNeutral(s) {
			return "-"
		}
		return g.Format(s)
	}
	var out []Difference
	for _, g := range rsie.StrategySpace {
		if x, y := show(g, &a), show(g, &b); x != y {
			out = append(out, Difference{g.Name, x, y})
		}
	}
	return out
}
