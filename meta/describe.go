package meta

import (
	"fmt"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Describe returns a strategy in one line: its family, size and the genes that matter most.
func Describe(s rsie.Strategy) string {
	switch s.Family {
	case rsie.Random:
		return "random search"
	case rsie.Distribution:
		text := fmt.Sprintf("%s, %d samples", s.UpdateRule, s.PopulationSize)
		if s.Mirrored {
			text += " mirrored"
		}
		return text + fmt.Sprintf(", sigma %.3g, learning rate %.3g", s.Sigma, s.LearningRate)
	}
	parts := []string{fmt.Sprintf("%s of %d, elite %.0f%%", s.Selection, s.PopulationSize, 100*s.ElitismRatio)}
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

// Difference is one gene in which two strategies differ.
type Difference struct {
	Gene string `json:"gene"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// Diff lists the genes in which a and b differ, in the order of the space; a gene without
// effect in a strategy shows as "-".
func Diff(a, b rsie.Strategy) []Difference {
	show := func(g rsie.Gene, s *rsie.Strategy) string {
		if !g.IsActive(s) {
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
