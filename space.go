package rsie

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// GeneKind is the type of a gene.
type GeneKind uint8

// The kinds of gene.
const (
	Real GeneKind = 1 + iota
	Integer
	Category
	Flag
)

// Gene describes one coordinate of the strategy space. A number is searched between Min and
// Max, on a logarithmic scale if Log; a file may hold any value between Lowest and Highest. A gene
// with a neutral value, which leaves its device out, has it in the share NeutralShare of its
// coordinate: a search in a space of many devices would else begin with nearly all of them on.
type Gene struct {
	Name            string
	Kind            GeneKind
	Log             bool
	Min, Max        float64
	Lowest, Highest float64
	Values          []string             // of a category, in the order of their codes
	Neutral         *float64             // nil: none
	Active          func(*Strategy) bool // nil: always
	Get             func(*Strategy) float64
	Set             func(*Strategy, float64)
}

// Space is an ordered list of genes. A gene stands after the genes that decide whether it is
// active.
type Space []Gene

// StrategySpace holds every gene of [Strategy]. Its order is that of the encoding.
var StrategySpace = slices.Concat(commonGenes, populationGenes, distributionGenes)

var commonGenes = Space{
	category("family", []Family{Population, Distribution, Random}, func(s *Strategy) *Family { return &s.Family }, nil),
	integer("population_size", 4, 256, 2, 1<<20, func(s *Strategy) *int { return &s.PopulationSize }, sizeCounts),
}

var populationGenes = Space{
	category("mutation_strategy", []Mutation{Gaussian, SVD, Dropout, Adaptive, Differential, SelfAdaptive},
		func(s *Strategy) *Mutation { return &s.Mutation }, isPopulation),
	category("selection_strategy", []Selection{Tournament, Roulette, RankLinear, Elitism},
		func(s *Strategy) *Selection { return &s.Selection }, selects),
	flag("best_breeds", func(s *Strategy) *bool { return &s.BestBreeds }, selects),
	category("survival", []Survival{Elites, Pairwise}, func(s *Strategy) *Survival { return &s.Survival }, isPopulation),
	real("crossover_rate", false, 0, 1, 0, 1, func(s *Strategy) *float64 { return &s.CrossoverRate }, selects),
	category("crossover_strategy", []Crossover{Averaging, Swapping, WeightedMerge},
		func(s *Strategy) *Crossover { return &s.Crossover },
		func(s *Strategy) bool { return selects(s) && s.CrossoverRate > 0 }),
	real("elitism_ratio", false, 0, 0.5, 0, 1, func(s *Strategy) *float64 { return &s.ElitismRatio },
		func(s *Strategy) bool { return isPopulation(s) && s.Survival == Elites }),
	category("differential_base", []Base{BaseRandom, BaseBest, ToBest}, func(s *Strategy) *Base { return &s.Base }, isDifferential),
	real("mutation_rate", true, 0.001, 1, 0, 1, func(s *Strategy) *float64 { return &s.MutationRate }, isPopulation),
	real("mutation_strength", true, 1e-3, 3, 0, 1e6, func(s *Strategy) *float64 { return &s.MutationStrength }, hasStrength),
	integer("tournament_size", 2, 20, 1, 1<<20, func(s *Strategy) *int { return &s.TournamentSize },
		func(s *Strategy) bool { return selects(s) && s.Selection == Tournament }),
	real("truncation_ratio", true, 0.02, 1, 0, 1, func(s *Strategy) *float64 { return &s.TruncationRatio },
		func(s *Strategy) bool { return selects(s) && s.Selection == Elitism || isToBest(s) }),
	flag("pbest_varies", func(s *Strategy) *bool { return &s.PBestVaries }, isToBest),
	real("archive_ratio", false, 0, 3, 0, 100, func(s *Strategy) *float64 { return &s.ArchiveRatio },
		func(s *Strategy) bool { return isToBest(s) && s.Survival == Pairwise }),
	category("success_history", []SuccessHistory{NoHistory, SHADE, LSHADE},
		func(s *Strategy) *SuccessHistory { return &s.SuccessHistory },
		func(s *Strategy) bool { return isDifferential(s) && s.Survival == Pairwise }),
	integer("history_length", 1, 100, 1, MaxHistory, func(s *Strategy) *int { return &s.HistoryLength }, hasHistory),
	real("mutation_strength_end", true, 0.01, 1, 0, 1e6, func(s *Strategy) *float64 { return &s.StrengthEnd },
		func(s *Strategy) bool { return hasStrength(s) && !hasHistory(s) }),
	real("step_factor", true, 1.05, 4, 1, 1e3, func(s *Strategy) *float64 { return &s.StepFactor }, isSelfAdaptive),
	integer("step_groups", 0, 20, 0, MaxHistory, func(s *Strategy) *int { return &s.StepGroups }, isSelfAdaptive),
	real("diversity_threshold", false, 0, 0.5, 0, 10, func(s *Strategy) *float64 { return &s.DiversityThreshold }, isPopulation),
	flag("adaptive_mutation", func(s *Strategy) *bool { return &s.AdaptiveMutation },
		func(s *Strategy) bool { return isPopulation(s) && !hasHistory(s) }),
	flag("fitness_sharing", func(s *Strategy) *bool { return &s.FitnessSharing }, selects),
	integer("niche_capacity", 1, 20, 1, 1<<20, func(s *Strategy) *int { return &s.NicheCapacity }, isSharing),
	real("diversity_bonus", false, 0, 1, 0, 100, func(s *Strategy) *float64 { return &s.DiversityBonus }, isSharing),
}

var distributionGenes = slices.Concat(
	Space{
		category("scale_rule", []ScaleRule{NoScales, NaturalRule, Variance, Likelihood, Deviation, SepCMA, FastNES},
			func(s *Strategy) *ScaleRule { return &s.ScaleRule }, isDistribution),
		optional(1, integer("start_draws", 1, 64, 1, 1<<16, func(s *Strategy) *int { return &s.StartDraws }, isDistribution)),
		real("start_hidden_scale", true, 0.3, 6, 0, 1e6, func(s *Strategy) *float64 { return &s.StartHidden }, isDistribution),
		real("start_output_scale", true, 0.1, 3, 0, 1e6, func(s *Strategy) *float64 { return &s.StartOutput }, isDistribution),
		optional(1, real("start_share", false, 0.1, 1, 0, 1, func(s *Strategy) *float64 { return &s.StartShare }, isDistribution)),
		real("layer_exponent", false, 0, 1, -4, 4, func(s *Strategy) *float64 { return &s.LayerExponent }, isDistribution),
		real("output_step", true, 0.1, 3, 1e-6, 1e6, func(s *Strategy) *float64 { return &s.OutputStep }, isDistribution),
		category("population_rule", []PopulationRule{BySize, LogDimension},
			func(s *Strategy) *PopulationRule { return &s.PopulationRule }, hasSize),
	},
	law("population_scale", 0.3, 3, 0.01, 1e4, func(s *Strategy) *Law { return &s.PopulationScale }, hasSize),
	Space{
		flag("mirrored", func(s *Strategy) *bool { return &s.Mirrored }, isDistribution),
		optional(0, category("sampling", []Sampling{Normal, Orthogonal, Sobol, LowRank},
			func(s *Strategy) *Sampling { return &s.Sampling }, isDistribution)),
		optional(1, real("density", true, 0.05, 1, 1e-6, 1, func(s *Strategy) *float64 { return &s.Density }, isDistribution)),
		category("recombination", []Recombination{Centred, Logarithmic, Utility, Equal, Softmax, Tutorial, Logistic},
			func(s *Strategy) *Recombination { return &s.Recombination }, composes),
		real("parent_fraction", true, 0.05, 1, 0, 1, func(s *Strategy) *float64 { return &s.ParentFraction }, hasMu),
		real("weight_exponent", false, 0, 2, 0, 10, func(s *Strategy) *float64 { return &s.WeightExponent },
			func(s *Strategy) bool { return composes(s) && s.Recombination == Logarithmic }),
		real("negative_weight", false, 0, 1, 0, 10, func(s *Strategy) *float64 { return &s.NegativeWeight }, hasNegative),
		real("temperature", true, 0.5, 50, 0, 1e6, func(s *Strategy) *float64 { return &s.Temperature },
			func(s *Strategy) bool {
				return composes(s) && (s.Recombination == Softmax || s.Recombination == Logistic)
			}),
		flag("keep_best", func(s *Strategy) *bool { return &s.KeepBest }, isDistribution),
		category("update_rule", []UpdateRule{Plain, Adam, ClipUp}, func(s *Strategy) *UpdateRule { return &s.UpdateRule }, composes),
	},
	law("learning_rate", 0.03, 10, 0, 1e9, func(s *Strategy) *Law { return &s.LearningRate }, isDistribution),
	Space{
		real("momentum", false, 0, 0.95, 0, 0.9999, func(s *Strategy) *float64 { return &s.Momentum }, composes),
		real("second_moment_rate", true, 5e-4, 0.2, 1e-9, 1, func(s *Strategy) *float64 { return &s.SecondMoment },
			func(s *Strategy) bool { return composes(s) && s.UpdateRule == Adam }),
		real("max_speed", true, 0.5, 10, 1e-9, 1e9, func(s *Strategy) *float64 { return &s.MaxSpeed },
			func(s *Strategy) bool { return composes(s) && s.UpdateRule == ClipUp }),
		optional(0, real("weight_decay", false, 0, 0.001, 0, 1, func(s *Strategy) *float64 { return &s.WeightDecay }, isDistribution)),
		real("pull", false, 0, 1, 0, 1, func(s *Strategy) *float64 { return &s.Pull }, isDistribution),
		integer("probes", 0, 2, 0, 2, func(s *Strategy) *int { return &s.Probes }, isDistribution),
	},
	law("sigma", 0.005, 3, 1e-12, 1e6, func(s *Strategy) *Law { return &s.Sigma }, isDistribution),
	Space{
		category("step_control", []StepControl{NoControl, Cumulative, PathLength, Success, TwoPoint},
			func(s *Strategy) *StepControl { return &s.StepControl }, composes),
	},
	law("step_gain", 0.01, 1.5, 0, 1e3, func(s *Strategy) *Law { return &s.StepGain },
		func(s *Strategy) bool { return composes(s) && s.StepControl != NoControl }),
	Space{
		category("scale_rate_rule", []RateRule{ByLaw, Textbook}, func(s *Strategy) *RateRule { return &s.ScaleRateRule }, hasRate),
	},
	law("scale_rate", 0.003, 3, 0, 1e6, func(s *Strategy) *Law { return &s.ScaleRate }, hasRate),
	Space{
		optional(0, unsearched(1, category("covariance", []Covariance{NoCovariance, RankOne, Full, NaturalFull, Limited},
			func(s *Strategy) *Covariance { return &s.Covariance }, hasCovariance))),
		real("covariance_rate", true, 0.002, 2, 0, 100, func(s *Strategy) *float64 { return &s.CovarianceRate },
			func(s *Strategy) bool { return hasCovariance(s) && s.Covariance != NoCovariance }),
		optional(0, category("restart", []Restart{NoRestart, FromBest, Anew, IPOP, BIPOP},
			func(s *Strategy) *Restart { return &s.Restart }, isDistribution)),
		category("restart_trigger", []RestartTrigger{Patience, Termination},
			func(s *Strategy) *RestartTrigger { return &s.RestartTrigger }, restarts),
		real("restart_patience", true, 0.02, 1, 1e-6, 1, func(s *Strategy) *float64 { return &s.RestartPatience },
			func(s *Strategy) bool { return restarts(s) && s.RestartTrigger == Patience }),
		optional(0, real("last_phase", false, 0, 0.5, 0, 1, func(s *Strategy) *float64 { return &s.LastPhase }, isDistribution)),
		real("last_phase_step", true, 0.03, 3, 1e-6, 1e6, func(s *Strategy) *float64 { return &s.LastPhaseStep },
			func(s *Strategy) bool { return isDistribution(s) && s.LastPhase > 0 }),
		optional(0, integer("parents", 0, 20, 0, 1<<16, func(s *Strategy) *int { return &s.Parents }, isDistribution)),
	},
	law("parent_share", 0.01, 1, 0, 1, func(s *Strategy) *Law { return &s.ParentShare }, hasParents),
	Space{
		real("parent_step", true, 0.1, 3, 0, 1e6, func(s *Strategy) *float64 { return &s.ParentStep }, hasParents),
		real("parent_crossover", false, 0, 1, 0, 1, func(s *Strategy) *float64 { return &s.ParentCrossover }, hasParents),
	})

// law returns the genes of a law: its value, its exponents and its schedule.
func law(name string, minimum, maximum, lowest, highest float64, at func(*Strategy) *Law,
	active func(*Strategy) bool) Space {
	exponent := func(of string, field func(*Law) *float64) Gene {
		return optional(0, real(name+"."+of, false, -1, 1, -4, 4, func(s *Strategy) *float64 { return field(at(s)) }, active))
	}
	return Space{
		real(name, true, minimum, maximum, lowest, highest, func(s *Strategy) *float64 { return &at(s).Value }, active),
		exponent("dim_exponent", func(l *Law) *float64 { return &l.Dim }),
		exponent("budget_exponent", func(l *Law) *float64 { return &l.Budget }),
		exponent("samples_exponent", func(l *Law) *float64 { return &l.Samples }),
		optional(0, category(name+".schedule", Schedules, func(s *Strategy) *Schedule { return &at(s).Schedule }, active)),
		real(name+".end", true, 0.03, 10, 0, 1e6, func(s *Strategy) *float64 { return &at(s).End },
			func(s *Strategy) bool { return active(s) && at(s).Schedule != Constant }),
	}
}

func isPopulation(s *Strategy) bool   { return s.Family == Population }
func isDistribution(s *Strategy) bool { return s.Family == Distribution }
func isSharing(s *Strategy) bool      { return selects(s) && s.FitnessSharing }
func hasStrength(s *Strategy) bool    { return isPopulation(s) && s.Mutation != Dropout }

func isDifferential(s *Strategy) bool { return isPopulation(s) && s.Mutation == Differential }
func isToBest(s *Strategy) bool       { return isDifferential(s) && s.Base == ToBest }
func isSelfAdaptive(s *Strategy) bool { return isPopulation(s) && s.Mutation == SelfAdaptive }
func hasParents(s *Strategy) bool     { return isDistribution(s) && s.Parents > 0 }

// selects is false under differential mutation, where every member has a child.
func selects(s *Strategy) bool { return isPopulation(s) && s.Mutation != Differential }

func hasHistory(s *Strategy) bool {
	return isDifferential(s) && s.Survival == Pairwise && s.SuccessHistory != NoHistory
}

// hasSize is true where the population follows the population rule and its law.
func hasSize(s *Strategy) bool { return s.Family != Random }

// sizeCounts is false where the population size follows from the dimension.
func sizeCounts(s *Strategy) bool { return !hasSize(s) || s.PopulationRule == BySize }

// restarts is true where a run may start again.
func restarts(s *Strategy) bool { return isDistribution(s) && s.Restart != NoRestart }

// hasMu is true where a share of the members counts as good.
func hasMu(s *Strategy) bool {
	return composes(s) && (s.Recombination == Logarithmic || s.Recombination == Equal)
}

// hasNegative is true where bad members can have negative weights.
func hasNegative(s *Strategy) bool {
	return hasMu(s) || composes(s) && s.Recombination == Tutorial || isDistribution(s) && s.ScaleRule == FastNES
}

// composes is false under CR-FM-NES, which sets weights, update and step control itself.
func composes(s *Strategy) bool { return isDistribution(s) && s.ScaleRule != FastNES }

// hasCovariance is false under the rules that use the evolution path themselves.
func hasCovariance(s *Strategy) bool { return composes(s) && s.ScaleRule != SepCMA }

func hasRate(s *Strategy) bool { return isDistribution(s) && s.ScaleRule != NoScales }

func category[T ~string](name string, values []T, at func(*Strategy) *T, active func(*Strategy) bool) Gene {
	g := Gene{Name: name, Kind: Category, Max: float64(len(values) - 1), Active: active}
	for _, v := range values {
		g.Values = append(g.Values, string(v))
	}
	g.Get = func(s *Strategy) float64 { return float64(slices.Index(values, *at(s))) }
	g.Set = func(s *Strategy, v float64) { *at(s) = values[int(v)] }
	g.Highest = g.Max
	return g
}

// optional gives a gene a neutral value.
func optional(neutral float64, g Gene) Gene {
	g.Neutral = &neutral
	return g
}

// unsearched leaves the last n values of a category out of the search.
func unsearched(n int, g Gene) Gene {
	g.Max -= float64(n)
	return g
}

func real(name string, log bool, minimum, maximum, lowest, highest float64,
	at func(*Strategy) *float64, active func(*Strategy) bool) Gene {
	return Gene{Name: name, Kind: Real, Log: log, Min: minimum, Max: maximum, Lowest: lowest, Highest: highest,
		Active: active,
		Get:    func(s *Strategy) float64 { return *at(s) },
		Set:    func(s *Strategy, v float64) { *at(s) = v }}
}

func integer(name string, minimum, maximum, lowest, highest float64,
	at func(*Strategy) *int, active func(*Strategy) bool) Gene {
	return Gene{Name: name, Kind: Integer, Log: minimum > 0, Min: minimum, Max: maximum, Lowest: lowest, Highest: highest,
		Active: active,
		Get:    func(s *Strategy) float64 { return float64(*at(s)) },
		Set:    func(s *Strategy, v float64) { *at(s) = int(v) }}
}

func flag(name string, at func(*Strategy) *bool, active func(*Strategy) bool) Gene {
	return Gene{Name: name, Kind: Flag, Max: 1, Highest: 1, Active: active,
		Get: func(s *Strategy) float64 {
			if *at(s) {
				return 1
			}
			return 0
		},
		Set: func(s *Strategy, v float64) { *at(s) = v > 0.5 }}
}

// IsActive reports whether g has an effect in s.
func (g Gene) IsActive(s *Strategy) bool { return g.Active == nil || g.Active(s) }

// IsNeutral reports whether g is a part of a law that changes nothing in s: an exponent of 0 or
// a constant schedule.
func (g Gene) IsNeutral(s *Strategy) bool {
	_, part, ok := strings.Cut(g.Name, ".")
	switch {
	case !ok || part == "end":
		return false
	case part == "schedule":
		return g.Format(s) == string(Constant)
	}
	return g.Get(s) == 0
}

// Format returns the value of g in s as it stands in a file, without quotes.
func (g Gene) Format(s *Strategy) string {
	v := g.Get(s)
	switch g.Kind {
	case Category:
		return g.Values[int(v)]
	case Flag:
		return strconv.FormatBool(v == 1)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// check returns [ErrInvalid] with the allowed range when g's value in s is outside it.
func (g Gene) check(s *Strategy) error {
	v := g.Get(s)
	if g.Kind == Category && v < 0 {
		return fmt.Errorf("%w: %s: unknown value; allowed are %v", ErrInvalid, g.Name, g.Values)
	}
	if !(v >= g.Lowest && v <= g.Highest) {
		return fmt.Errorf("%w: %s is %g, allowed is %g to %g", ErrInvalid, g.Name, v, g.Lowest, g.Highest)
	}
	return nil
}

// NeutralShare is the share of the coordinate that stands for a neutral value.
const NeutralShare = 0.5

// encode returns the coordinate of the value v in [0,1].
func (g Gene) encode(v float64) float64 {
	u := g.even(v)
	if g.Neutral == nil {
		return u
	}
	low, high, from := g.rest()
	switch {
	case v == *g.Neutral:
		return from + NeutralShare/2
	case u < low:
		return u / low * from
	}
	return from + NeutralShare + (u-high)/(1-high)*(1-from-NeutralShare)
}

// decode returns the value at coordinate x: numbers are rounded to four significant digits, so
// that files stay readable and the encoding of a decoded point is itself.
func (g Gene) decode(x float64) float64 {
	x = min(max(x, 0), 1)
	if g.Neutral == nil {
		return g.value(x)
	}
	low, high, from := g.rest()
	switch {
	case x < from:
		return g.value(x / from * low)
	case high < 1 && x > from+NeutralShare:
		return g.value(high + (x-from-NeutralShare)/(1-from-NeutralShare)*(1-high))
	}
	return *g.Neutral
}

// rest returns where the neutral value lies among evenly spread values, a point for a number, and
// where its share of the coordinate begins.
func (g Gene) rest() (low, high, from float64) {
	low = g.even(*g.Neutral)
	high = low
	if g.Kind == Category || g.Kind == Flag {
		half := 0.5 / (g.Max + 1)
		low, high = low-half, high+half
	}
	return low, high, low / (1 - high + low) * (1 - NeutralShare)
}

// even returns the coordinate of the value v where all values have the same share.
func (g Gene) even(v float64) float64 {
	switch g.Kind {
	case Category, Flag:
		return (min(v, g.Max) + 0.5) / (g.Max + 1)
	}
	v = min(max(v, g.Min), g.Max)
	if g.Log {
		return math.Log(v/g.Min) / math.Log(g.Max/g.Min)
	}
	return (v - g.Min) / (g.Max - g.Min)
}

// value is the reverse of even.
func (g Gene) value(u float64) float64 {
	switch g.Kind {
	case Category, Flag:
		return min(math.Floor(u*(g.Max+1)), g.Max)
	}
	v := g.Min + u*(g.Max-g.Min)
	if g.Log {
		v = g.Min * math.Exp(u*math.Log(g.Max/g.Min))
	}
	if g.Kind == Integer {
		return min(max(math.Round(v), g.Min), g.Max)
	}
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	return min(max(v, g.Min), g.Max)
}

// Dim returns K, the number of coordinates.
func (sp Space) Dim() int { return len(sp) }

// Encode writes the point of s in [0,1]^K to dst, which has length K. Values outside the
// searched range are moved to its border; a gene without effect takes its default's place.
func (sp Space) Encode(dst []float64, s Strategy) {
	s = sp.Canonical(s)
	for k, g := range sp {
		dst[k] = g.encode(g.Get(&s))
	}
}

// Decode returns the strategy at point x, of length K; coordinates are clipped to [0,1], NaN
// counts as 0. Genes without effect take their defaults.
func (sp Space) Decode(x []float64) Strategy {
	s := DefaultStrategy()
	for k, g := range sp {
		v := x[k]
		if math.IsNaN(v) {
			v = 0
		}
		g.Set(&s, g.decode(v))
	}
	return sp.Canonical(s)
}

// Canonical returns s with every gene that has no effect set to its default.
func (sp Space) Canonical(s Strategy) Strategy {
	d := DefaultStrategy()
	for _, g := range sp {
		if !g.IsActive(&s) {
			g.Set(&s, g.Get(&d))
		}
	}
	return s
}

// Blocks returns the shape of an encoded strategy as layers of one gene each, so that layer
// swapping exchanges whole genes.
func (sp Space) Blocks() []Block {
	out := make([]Block, len(sp))
	for k := range sp {
		out[k] = Block{Offset: k, Rows: 1, Cols: 1, Layer: k, Std: 1}
	}
	return out
}
