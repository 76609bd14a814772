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
	// Problem is the run's own instance of the batch's problem, of the same shape; nil: the
	// batch's. Only problems that the host evaluates have instances.
	Problem rsie.Problem
}

// runEntry is what the loop knows of one run besides the backend's state.
type runEntry struct {
	spec       RunSpec
	scale      rsie.Scale
	members    int // rows
	live       int // members of a population run in the generation told last
	offset     int
	generation int
	spent      int // evaluations
	curve      Curve

	// Of distribution runs.
	since    int     // generations since the last start
	starts   starts  // what restarts go by
	last     bool    // the last phase has begun
	improved int     // evaluations at the last improvement of 0.1 %
	mark     float64 // fitness then
	weights  []float64
	muEff    float64
	muBad    float64 // the same of the worse half, by the tutorial's weights
	ranked   int     // members that muEff is of
}

// improvement is the relative gain in fitness that counts against a restart.
const improvement = 1e-3

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

// newEntry returns the entry of a run on points of a shape with S samples.
func newEntry(spec RunSpec, shape rsie.Shape, samples, offset int) runEntry {
	e := runEntry{spec: spec, offset: offset, mark: rsie.Worst,
		scale: rsie.Scale{Dim: shape.Dim, Budget: spec.Budget, Samples: samples},
		curve: Curve{Budget: spec.Budget, Points: make([]Point, 0, min(spec.Budget, 512))}}
	e.spec.Strategy = rsie.StrategySpace.Canonical(spec.Strategy)
	s := &e.spec.Strategy
	e.starts.growth, e.starts.step = 1, 1
	e.members = s.PopulationSize
	if s.Family == rsie.Population {
		e.members = e.largest()
	}
	if s.Family == rsie.Distribution {
		e.members = max(e.largest(), s.StartDraws) + s.Probes
		if s.KeepBest {
			e.members++
		}
		e.weights = make([]float64, e.members)
	}
	return e
}

// smallest is the least number of samples of a generation.
const smallest = 4

// size returns the members of a population, or the samples of a distribution, at the spent share u.
func (e *runEntry) size(u float64) int {
	s := &e.spec.Strategy
	base := float64(s.PopulationSize)
	if s.PopulationRule == rsie.LogDimension {
		base = 4 + math.Floor(3*math.Log(float64(e.scale.Dim)))
	}
	base *= s.PopulationScale.At(e.scale, u)
	if e.starts.growth != 1 {
		base = math.Floor(base * e.starts.growth)
	}
	lowest := float64(smallest)
	if s.Family == rsie.Population {
		lowest = min(lowest, float64(s.PopulationSize))
	}
	return int(math.Round(min(max(base, lowest), e.ceiling())))
}

// ceiling bounds the samples of a generation, so that a run has generations to learn from.
func (e *runEntry) ceiling() float64 {
	return math.Max(float64(e.spec.Strategy.PopulationSize), math.Max(smallest, float64(e.spec.Budget)/10))
}

// largest returns the largest size that a generation can have.
func (e *runEntry) largest() int {
	if r := e.spec.Strategy.Restart; r == rsie.IPOP || r == rsie.BIPOP {
		return int(math.Round(e.ceiling()))
	}
	n := 0
	// Schedules are monotonous but for rounding, so the ends and the middle bound them.
	for _, u := range []float64{0, 0.4999, 0.5, 1} {
		n = max(n, e.size(u))
	}
	return n
}

// template returns the entries of the table that stay the same during a run.
func (e *runEntry) template() rsie.Run {
	s := &e.spec.Strategy
	t := rsie.Run{
		Seed: e.spec.Key.Seed(), Offset: uint32(e.offset), Members: uint32(e.members),
		Tournament:    uint32(s.TournamentSize),
		Niche:         uint32(s.NicheCapacity),
		Family:        code("family", s),
		Selection:     code("selection_strategy", s),
		Mutation:      code("mutation_strategy", s),
		Crossover:     code("crossover_strategy", s),
		CrossoverRate: s.CrossoverRate, Rate: s.MutationRate,
		DiversityThreshold: s.DiversityThreshold, DiversityBonus: s.DiversityBonus,
		Base: code("differential_base", s), Adaptation: code("success_history", s),
		History: uint32(s.HistoryLength), Groups: uint32(s.StepGroups), StepFactor: s.StepFactor,
	}
	for _, f := range []struct {
		on  bool
		bit uint16
	}{{s.Mirrored, rsie.FlagMirrored},
		{s.Family == rsie.Population && s.Survival == rsie.Pairwise, rsie.FlagPairwise},
		{s.BestBreeds, rsie.FlagBestBreeds}, {s.PBestVaries, rsie.FlagVaryBest}, {s.FitnessSharing, rsie.FlagSharing}, {s.AdaptiveMutation, rsie.FlagAdaptive}} {
		if f.on {
			t.Flags |= f.bit
		}
	}
	if s.Family == rsie.Distribution {
		e.distributionTemplate(&t)
	}
	return t
}

func (e *runEntry) distributionTemplate(t *rsie.Run) {
	s := &e.spec.Strategy
	t.Update = code("update_rule", s)
	t.Recombine, t.Control = code("recombination", s), code("step_control", s)
	t.Sampling, t.ParentStep, t.ParentCross = code("sampling", s), s.ParentStep, s.ParentCrossover
	t.Archive = uint32(s.Parents)
	t.Scales, t.Covariance = code("scale_rule", s), code("covariance", s)
	t.Momentum, t.SecondRate, t.MaxSpeed = s.Momentum, s.SecondMoment, s.MaxSpeed
	t.Pull, t.WeightExponent, t.Negative = s.Pull, s.WeightExponent, s.NegativeWeight
	t.Temperature, t.Density = s.Temperature, s.Density
	t.StartHidden, t.StartOutput, t.StartShare = s.StartHidden, s.StartOutput, s.StartShare
	if learnsFull(s) && e.scale.Dim > rsie.MaxFullDim {
		t.Scales = rsie.CodeNatural
		if s.Covariance == rsie.Full {
			t.Scales = rsie.CodeSepCMA
		}
		t.Covariance = rsie.CodeNoCovariance
	}
	t.LayerExponent, t.OutputStep = s.LayerExponent, s.OutputStep
}

// fill resolves the schedules and sizes of the coming generation at u = spent / budget. A run
// whose budget is spent becomes inactive. Survivors of a noisy problem are measured again.
func (e *runEntry) fill(t *rsie.Run, noisy bool) {
	s := &e.spec.Strategy
	left := e.spec.Budget - e.spent
	t.Flags &^= rsie.FlagActive | rsie.FlagBegin | rsie.FlagFromBest | rsie.FlagDraws | rsie.FlagPath |
		rsie.FlagDecompose | rsie.FlagWatch
	t.Elites, t.Probes = 0, 0
	if left <= 0 {
		t.EvalFrom, t.EvalTo = 0, 0
		return
	}
	t.Flags |= rsie.FlagActive
	t.Generation = uint32(e.generation)
	if e.generation == 0 {
		t.Flags |= rsie.FlagBegin
	}
	u := float64(e.spent) / float64(e.spec.Budget)
	if s.Family == rsie.Distribution {
		e.fillDistribution(t, u, left)
		return
	}
	n := e.members
	if s.Family == rsie.Population {
		n = e.fillPopulation(t, u)
	}
	t.EvalFrom = t.Elites
	if noisy {
		t.EvalFrom = 0
	}
	t.EvalTo = t.EvalFrom + uint32(min(n-int(t.EvalFrom), left))
	t.Strength = s.MutationStrength * math.Pow(s.StrengthEnd, u)
}

// fillPopulation fills the sizes of a population run and returns its number of members.
func (e *runEntry) fillPopulation(t *rsie.Run, u float64) int {
	s := &e.spec.Strategy
	n := e.size(u)
	t.Members, t.Previous = uint32(n), uint32(e.live)
	lowest := 1
	if s.Mutation == rsie.Differential {
		lowest = 2 // as in the source of current-to-pbest
	}
	parents := n
	if e.generation > 0 {
		parents = e.live
		if s.Survival == rsie.Elites {
			t.Elites = share(s.ElitismRatio, n, 0, min(n-1, e.live))
		}
	}
	t.Eligible = share(s.TruncationRatio, parents, min(lowest, parents), parents)
	if s.ArchiveRatio > 0 {
		t.Archive = share(s.ArchiveRatio, n, 1, e.archive())
	}
	t.Groups = uint32(min(s.StepGroups, n-int(t.Elites)))
	return n
}

// archive returns the rows of the archive that the run can use.
func (e *runEntry) archive() int {
	s := &e.spec.Strategy
	if s.Family == rsie.Population && s.ArchiveRatio > 0 {
		return int(share(s.ArchiveRatio, e.members, 1, math.MaxInt32))
	}
	if s.Family != rsie.Distribution {
		return 0
	}
	if s.Covariance == rsie.Limited {
		return s.Parents + rsie.LimitedVectors(e.scale.Dim)
	}
	return s.Parents
}

// fillDistribution fills the entry of a distribution run.
func (e *runEntry) fillDistribution(t *rsie.Run, u float64, left int) {
	s := &e.spec.Strategy
	e.restart(t, u)
	t.Since = uint32(e.since)
	n := e.size(u)
	if e.since == 0 && s.StartDraws > 1 && t.Flags&rsie.FlagFromBest == 0 {
		t.Flags |= rsie.FlagDraws
		n = s.StartDraws
	} else if s.KeepBest && e.spent > 0 {
		t.Elites = 1
	}
	n = min(n, left)
	t.EvalFrom, t.EvalTo = t.Elites, t.Elites+uint32(n)
	if t.Flags&rsie.FlagDraws == 0 {
		t.Probes = uint32(min(s.Probes, left-n))
	}
	t.Members = t.EvalTo + t.Probes
	if s.Covariance == rsie.RankOne && e.since > rsie.PathGeneration {
		t.Flags |= rsie.FlagPath
	}
	t.ParentShare = s.ParentShare.At(e.scale, u)
	if e.watches() {
		t.Flags |= rsie.FlagWatch
	}
	t.Sigma = s.Sigma.At(e.scale, u) * e.starts.step
	if e.last {
		t.Sigma *= s.LastPhaseStep
	}
	t.LearningRate = s.LearningRate.At(e.scale, u)
	t.Decay = min(1, s.WeightDecay*float64(n)/float64(e.spec.Budget))
	t.StepGain = s.StepGain.At(e.scale, u)
	e.rates(t, s.ScaleRate, u)
}

// learnsFull reports whether s asks for a full covariance.
func learnsFull(s *rsie.Strategy) bool {
	return s.Family == rsie.Distribution && (s.Covariance == rsie.Full || s.Covariance == rsie.NaturalFull)
}
