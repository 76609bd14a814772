package meta

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// RunSpec is one run of a batch.
type RunSpec struct {
	Strategy rsie.Strategy
	Key      rsie.Key
	Budget   int // evaluations
}

// runEntry is what the loop knows of one run besides the backend's state.
type runEntry struct {
	spec       RunSpec
	members    int
	offset     int
	generation int
	spent      int // evaluations
	curve      Curve
}

// code returns the table code of the gene's value in s: its place in the space, from 1.
func code(gene string, s *rsie.Strategy) uint8 {
	for _, g := range rsie.StrategySpace {
		if g.Name == gene {
			return uint8(g.Get(s)) + 1
		}
	}
	panic("meta: no gene " + gene)
}

// share returns round(ratio·n) within [lowest, highest].
func share(ratio float64, n, lowest, highest int) uint32 {
	return uint32(min(max(int(math.Round(ratio*float64(n))), lowest), highest))
}

// template returns the entries of the table that stay the same during a run.
func (e *runEntry) template() rsie.Run {
	s := &e.spec.Strategy
	t := rsie.Run{
		Seed: e.spec.Key.Seed(), Offset: uint32(e.offset), Members: uint32(e.members),
		Eligible:      share(s.TruncationRatio, e.members, 1, e.members),
		Tournament:    uint32(s.TournamentSize),
		Niche:         uint32(s.NicheCapacity),
		Family:        code("family", s),
		Selection:     code("selection_strategy", s),
		Mutation:      code("mutation_strategy", s),
		Crossover:     code("crossover_strategy", s),
		Update:        code("update_rule", s),
		CrossoverRate: s.CrossoverRate, Rate: s.MutationRate,
		DiversityThreshold: s.DiversityThreshold, DiversityBonus: s.DiversityBonus,
		StdLearningRate: s.StdLearningRate,
	}
	for _, f := range []struct {
		on  bool
		bit uint8
	}{{s.Mirrored, rsie.FlagMirrored}, {s.FitnessSharing, rsie.FlagSharing}, {s.AdaptiveMutation, rsie.FlagAdaptive}} {
		if f.on {
			t.Flags |= f.bit
		}
	}
	return t
}

// fill resolves the schedules and sizes of the coming generation:
//
//	value(u) = value · end^u,  u = spent / budget
//
// A run whose budget is spent becomes inactive. Survivors of a noisy problem are measured again.
func (e *runEntry) fill(t *rsie.Run, noisy bool) {
	s := &e.spec.Strategy
	left := e.spec.Budget - e.spent
	if left <= 0 {
		t.Flags &^= rsie.FlagActive
		t.EvalFrom, t.EvalTo = 0, 0
		return
	}
	t.Flags |= rsie.FlagActive
	t.Generation = uint32(e.generation)
	t.Elites = 0
	if e.generation > 0 && s.Family == rsie.Population {
		t.Elites = share(s.ElitismRatio, e.members, 0, e.members-1)
	}
	t.EvalFrom = t.Elites
	if noisy {
		t.EvalFrom = 0
	}
	t.EvalTo = t.EvalFrom + uint32(min(e.members-int(t.EvalFrom), left))
	u := float64(e.spent) / float64(e.spec.Budget)
	t.Strength = s.MutationStrength * math.Pow(s.StrengthEnd, u)
	t.Sigma = s.Sigma * math.Pow(s.SigmaEnd, u)
	t.LearningRate = s.LearningRate * math.Pow(s.LearningRateEnd, u)
}
