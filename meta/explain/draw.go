package explain

import (
	"fmt"

	rsie "github.com/symbio-ai/recursive-improvement"
	"gonum.org/v1/gonum/stat/distuv"
)

// Distribution names what the strategies are drawn from in which factors are set.
type Distribution string

// The distributions. The family is the subject's in both.
const (
	// Neighbourhood moves each active number of the subject with probability 1/5, by a normal
	// step of a tenth of its searched range, and draws each active category anew with
	// probability 1/20.
	Neighbourhood Distribution = "neighbourhood"
	// Uniform draws every gene uniformly from its searched range.
	Uniform Distribution = "uniform"
)

// The neighbourhood.
const (
	moveChance   = 0.2
	moveStep     = 0.1
	switchChance = 0.05
)

// check returns [rsie.ErrInvalid] for an unknown name.
func (d Distribution) check() error {
	if d != Neighbourhood && d != Uniform {
		return fmt.Errorf("%w: distribution %q, allowed are %s and %s", rsie.ErrInvalid, d, Neighbourhood, Uniform)
	}
	return nil
}

// draw returns a strategy of the distribution around a subject. Every gene has its own address
// below the key, so that a gene more in the space leaves the draws of the others as they are.
func (d Distribution) draw(subject rsie.Strategy, key rsie.Key) rsie.Strategy {
	s := subject.Clone()
	for k, g := range rsie.StrategySpace {
		w := key.Words(0, uint32(k), 0, 0, rsie.StreamResample)
		chance, u := rsie.Uniform(w[0]), rsie.Uniform(w[1])
		switch {
		case g.Name == "family":
		case d == Uniform:
			place(g, &s, u)
		case !g.IsActive(&subject):
		case g.Kind == rsie.Category || g.Kind == rsie.Flag:
			if chance < switchChance {
				place(g, &s, u)
			}
		case chance < moveChance:
			place(g, &s, coordinate(g, subject)+moveStep*distuv.UnitNormal.Quantile(u))
		}
	}
	return s
}
