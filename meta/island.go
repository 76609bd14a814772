package meta

import (
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// island is a part of the strategy space: the strategies of one family, all of them for "". A child
// of two families has the defaults of one in most of its genes, so the family that is ahead early
// would take a population over before the other is worked out; searches on islands meet in the
// final race alone.
type island rsie.Family

// islands are those of several searches, in turn.
var islands = []island{island(rsie.Distribution), island(rsie.Population)}

// island returns that of search k.
func (e *Engine) island(k int) island {
	if e.config.Restarts == 1 {
		return ""
	}
	return islands[k%len(islands)]
}

func (i island) has(s rsie.Strategy) bool { return i == "" || s.Family == rsie.Family(i) }

// decode returns the strategy of the island at point x, whatever family x says.
func (i island) decode(x []float64) rsie.Strategy {
	if i == "" {
		return rsie.StrategySpace.Decode(x)
	}
	x = slices.Clone(x)
	k := slices.IndexFunc(rsie.StrategySpace, func(g rsie.Gene) bool { return g.Name == "family" })
	g := rsie.StrategySpace[k]
	x[k] = (float64(slices.Index(g.Values, string(i))) + 0.5) / (g.Max + 1)
	return rsie.StrategySpace.Decode(x)
}
