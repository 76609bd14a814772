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

// islands returns those of the searches, which take turns: the whole space for one search alone.
func (c *Config) islands() []island {
	if c.Restarts == 1 {
		return []island{""}
	}
	return []island{island(rsie.Distribution), island(rsie.Population)}
}

// island returns that of search k.
func (e *Engine) island(k int) island {
	all := e.config.islands()
	return all[k%len(all)]
}

func (i island) has(s rsie.Strategy) bool { return i == "" || s.Family == rsie.Family(i) }

// decode returns the strategy of the island at point x, whatever family x says.
func (i island) decode(x []float64) rsie.Strategy {
	if i != "" {
		x = slices.Clone(x)
		rsie.StrategySpace[:1].Encode(x, rsie.Strategy{Family: rsie.Family(i)}) // the first gene is the family
	}
	return rsie.StrategySpace.Decode(x)
}
