package rsie

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
)

// Family is the kind of algorithm a strategy is.
type Family string

// The families.
const (
	Population   Family = "population"   // genetic algorithm: select, cross, mutate, survive
	Distribution Family = "distribution" // evolution strategy: sample around a mean, rank, update
	Random       Family = "random"       // every member is a fresh initialisation draw
)

// Selection says how parents are chosen.
type Selection string

// The selection operators.
const (
	Tournament Selection = "tournament" // best of tournament_size uniform draws
	Roulette   Selection = "roulette"   // probability ~ worst fitness - fitness, in u64 fixed point
	RankLinear Selection = "rank"       // linear ranking, pressure 2
	Elitism    Selection = "elitism"    // truncation: uniform among the best truncation_ratio
)

// Mutation says how a child is changed.
type Mutation string

// The mutation operators.
const (
	Gaussian Mutation = "gaussian" // genes + strength·N(0,1), each with probability mutation_rate
	SVD      Mutation = "svd"      // singular values times exp(strength·N(0,1)), per weight matrix
	Dropout  Mutation = "dropout"  // genes set to zero, each with probability mutation_rate
	Adaptive Mutation = "adaptive" // gaussian whose step follows the one-fifth success rule

	// Member plus strength times the difference of two others, crossed with the member the child
	// is made against; each gene comes from the mutant with probability mutation_rate.
	Differential Mutation = "differential"
	SelfAdaptive Mutation = "self_adaptive" // gaussian whose step is inherited and changed
)

// Base says which point a difference is added to. x is the member the child is made against.
type Base string

// The bases.
const (
	BaseRandom Base = "random"           // another member
	BaseBest   Base = "best"             // the best member
	ToBest     Base = "current_to_pbest" // x + strength·(one of the best - x)
)

// SuccessHistory says how strength and rate of differential mutation follow success.
type SuccessHistory string

// The success histories.
const (
	NoHistory SuccessHistory = "none"
	SHADE     SuccessHistory = "shade"   // rates by the weighted mean of what improved
	LSHADE    SuccessHistory = "l_shade" // rates by the Lehmer mean; a rate of 0 stays
)

// Survival says which members outlive their children.
type Survival string

// The survival rules.
const (
	Elites   Survival = "elites"   // the best, a share of elitism_ratio
	Pairwise Survival = "pairwise" // each that is better than the child made against it
)

// Sampling says how the noise of a generation is drawn.
type Sampling string

// The samplings.
const (
	Normal     Sampling = "gaussian"   // independent
	Orthogonal Sampling = "orthogonal" // directions at right angles, in blocks of up to D
	Sobol      Sampling = "sobol"      // a scrambled low-discrepancy sequence
	LowRank    Sampling = "low_rank"   // per weight matrix the product of a column and a row
)

// Crossover says how two parents are joined.
type Crossover string

// The crossover operators.
const (
	Averaging     Crossover = "averaging"      // (a + b)/2
	Swapping      Crossover = "swapping"       // whole layers from either parent
	WeightedMerge Crossover = "weighted_merge" // mean weighted by worst fitness - fitness
)

// Recombination says how ranks become weights. mu is the number of members that count as good,
// n the number of members, ranks i count from 1.
type Recombination string

// The recombinations.
const (
	Centred     Recombination = "centred"     // (0.5 - (i-1)/(n-1)) / (n·sigma): a gradient estimate
	Logarithmic Recombination = "logarithmic" // (ln(mu+1/2) - ln i)^weight_exponent, normalised
	Utility     Recombination = "utility"     // max(0, ln(n/2+1) - ln i), normalised, minus 1/n
	Equal       Recombination = "equal"       // 1/mu
	Softmax     Recombination = "softmax"     // softmax of temperature · (0.5 - (i-1)/(n-1))
	Tutorial    Recombination = "tutorial"    // ln((n+1)/2) - ln i; the negative ones count in the covariance alone
	Logistic    Recombination = "logistic"    // softmax of -20·sigmoid(temperature · ((i-1)/(n-1) - 0.5))
)

// UpdateRule says how the mean moves along the weighted noise g, in units of the steps.
type UpdateRule string

// The update rules.
const (
	Plain  UpdateRule = "plain"  // v = momentum·v + (1 - momentum)·g; mean += rate·step·v
	Adam   UpdateRule = "adam"   // first moment by momentum, second by 1 - second_moment_rate, bias-corrected
	ClipUp UpdateRule = "clipup" // v = momentum·v + rate·g/|g|, at most max_speed long; mean += v
)

// StepControl says how one factor on all steps follows success.
type StepControl string

// The step-size controls.
const (
	NoControl  StepControl = "none"
	Cumulative StepControl = "cumulative" // path length against a random walk's, Hansen's constants
	PathLength StepControl = "path"       // the same with c = √mu_eff/(√mu_eff + √D)
	Success    StepControl = "success"    // share of members better than the last median
	TwoPoint   StepControl = "two_point"  // whether the line search beat the mean; needs probes
)

// ScaleRule says how the steps of single parameters follow success.
type ScaleRule string

// The rules of diagonal scales d. w are the weights, z the noise.
const (
	NoScales    ScaleRule = "none"
	NaturalRule ScaleRule = "natural"    // d *= exp(rate/2·(Σ w z² - Σ w))
	Variance    ScaleRule = "covariance" // d *= √(1 - rate + rate·Σ w⁺ z²)
	Likelihood  ScaleRule = "pgpe"       // likelihood gradient of symmetric pairs, changed by 20 % at most
	Deviation   ScaleRule = "deviation"  // d moves to √(Σ w z²)·d by the rate
	SepCMA      ScaleRule = "cma"        // rank-one and rank-mu update of a diagonal covariance
	FastNES     ScaleRule = "cr_fm_nes"  // a diagonal, a direction and sigma by CR-FM-NES
)

// RateRule says what a law of a rate is a factor of.
type RateRule string

// The rate rules.
const (
	ByLaw    RateRule = "law"      // the rate is the law's value
	Textbook RateRule = "textbook" // the law's value times the default rate of the rule's source
)

// Covariance says which correlations a distribution strategy learns.
type Covariance string

// The covariances.
const (
	NoCovariance Covariance = "none"
	RankOne      Covariance = "rank_one"       // noise along the evolution path beside the rest
	Full         Covariance = "full"           // rank-one and rank-mu update of the whole matrix; above MaxFullDim its diagonal
	NaturalFull  Covariance = "natural"        // multiplicative natural gradient of the whole matrix; above MaxFullDim its diagonal
	Limited      Covariance = "limited_memory" // product of few rank-one matrices, LM-MA-ES; level 2 does not search it
)

// PopulationRule says what population_size means.
type PopulationRule string

// The population rules.
const (
	BySize       PopulationRule = "fixed"         // population_size times population_scale
	LogDimension PopulationRule = "log_dimension" // 4 + ⌊3 ln D⌋ times population_scale
)

// Restart says what happens when a run stops improving.
type Restart string

// The restarts.
const (
	NoRestart Restart = "none"
	FromBest  Restart = "best"  // mean at the best point
	Anew      Restart = "anew"  // mean at a fresh draw
	IPOP      Restart = "ipop"  // anew, the population doubled
	BIPOP     Restart = "bipop" // anew, alternately doubled and small with smaller steps, at equal cost
)

// RestartTrigger says when a run starts again.
type RestartTrigger string

// The triggers.
const (
	Patience    RestartTrigger = "patience"    // restart_patience of the budget without improvement
	Termination RestartTrigger = "termination" // the termination criteria of CMA-ES
)

// StrategyFormat and StrategyVersion stand in every strategy file.
const (
	StrategyFormat  = "rsie-strategy"
	StrategyVersion = 1
)

// Strategy is an evolution algorithm as data: the point that level 2 evolves. Fields up to
// TaskPerformances are those of the published format; a file with only these is complete and
// takes [DefaultStrategy]'s values for the rest. Ranges stand in [StrategySpace].
type Strategy struct {
	Format  string `json:"format"`
	Version int    `json:"version"`

	GenomeID           string             `json:"genome_id"`
	Selection          Selection          `json:"selection_strategy"`
	Mutation           Mutation           `json:"mutation_strategy"`
	Crossover          Crossover          `json:"crossover_strategy"`
	PopulationSize     int                `json:"population_size"`     // members; 50
	ElitismRatio       float64            `json:"elitism_ratio"`       // share kept unchanged; 0.2
	MutationRate       float64            `json:"mutation_rate"`       // probability per gene; 0.1
	MutationStrength   float64            `json:"mutation_strength"`   // standard deviation; 0.01
	TournamentSize     int                `json:"tournament_size"`     // 5
	DiversityThreshold float64            `json:"diversity_threshold"` // of the starting spread; 0.1
	AdaptiveMutation   bool               `json:"adaptive_mutation"`   // rate up to doubled as spread is lost
	FitnessSharing     bool               `json:"fitness_sharing"`     // clearing of crowded niches
	NicheCapacity      int                `json:"niche_capacity"`      // members a niche keeps; 5
	DiversityBonus     float64            `json:"diversity_bonus"`     // weight of distance to the centroid; 0.1
	FitnessScore       *float64           `json:"fitness_score"`       // meta-fitness, maximised; null if not measured
	TaskPerformances   map[string]float64 `json:"task_performances"`   // final quality by task, maximised

	Source string `json:"source,omitempty"` // where the algorithm and its settings come from

	Family          Family  `json:"family"`                // population
	CrossoverRate   float64 `json:"crossover_rate"`        // probability that a child has two parents; 0.7
	TruncationRatio float64 `json:"truncation_ratio"`      // eligible share under elitism; 0.2
	StrengthEnd     float64 `json:"mutation_strength_end"` // factor on the strength at the end of the budget; 1

	BestBreeds     bool           `json:"best_breeds"`       // the first child is one of the best member; false
	Survival       Survival       `json:"survival"`          // elites
	Base           Base           `json:"differential_base"` // random
	PBestVaries    bool           `json:"pbest_varies"`      // the share of best members differs by child; false
	ArchiveRatio   float64        `json:"archive_ratio"`     // replaced members kept, as a share of the population; 0
	SuccessHistory SuccessHistory `json:"success_history"`   // none
	HistoryLength  int            `json:"history_length"`    // entries of the success history; 6
	StepFactor     float64        `json:"step_factor"`       // largest change of a self-adaptive step; 2
	StepGroups     int            `json:"step_groups"`       // groups that share a step; 0: each member has its own

	// Distribution family: see the formulas in docs/strategies.md.
	StartDraws      int            `json:"start_draws"`        // draws of which the best is the first mean; 1: not evaluated
	StartHidden     float64        `json:"start_hidden_scale"` // factor on hidden weights of a starting draw; 1
	StartOutput     float64        `json:"start_output_scale"` // factor on weights of the last layer; 1
	StartShare      float64        `json:"start_share"`        // share of the box, around its centre, that the first mean is drawn in; 1
	LayerExponent   float64        `json:"layer_exponent"`     // steps ~ fan_in^(-layer_exponent/2); 0
	OutputStep      float64        `json:"output_step"`        // factor on the steps of the last layer; 1
	PopulationRule  PopulationRule `json:"population_rule"`    // fixed
	PopulationScale Law            `json:"population_scale"`   // factor on the population size; 1
	Mirrored        bool           `json:"mirrored"`           // samples in pairs mean ± noise; true
	Sampling        Sampling       `json:"sampling"`           // gaussian
	Density         float64        `json:"density"`            // share of parameters that a sample moves; 1
	Recombination   Recombination  `json:"recombination"`      // centred
	ParentFraction  float64        `json:"parent_fraction"`    // mu as a share of the members; 0.5
	WeightExponent  float64        `json:"weight_exponent"`    // 1
	NegativeWeight  float64        `json:"negative_weight"`    // weight of the worst, as a share of the best's; 0
	Temperature     float64        `json:"temperature"`        // of softmax and logistic; 8
	KeepBest        bool           `json:"keep_best"`          // the best point so far joins the members that are ranked
	UpdateRule      UpdateRule     `json:"update_rule"`        // adam
	LearningRate    Law            `json:"learning_rate"`      // of the mean, in steps; 1
	Momentum        float64        `json:"momentum"`           // 0.9
	SecondMoment    float64        `json:"second_moment_rate"` // of the second moment of Adam, 1 - beta2; 0.001
	MaxSpeed        float64        `json:"max_speed"`          // of clipup, as a multiple of the learning rate; 2
	WeightDecay     float64        `json:"weight_decay"`       // share of the mean lost per evaluation; 0
	Pull            float64        `json:"pull"`               // share of the way to the best point; 0
	Probes          int            `json:"probes"`             // 0; 1: the mean is evaluated; 2: a step beyond it too
	Sigma           Law            `json:"sigma"`              // step size; 0.1
	StepControl     StepControl    `json:"step_control"`       // none
	StepGain        Law            `json:"step_gain"`          // speed of the control; 1
	ScaleRule       ScaleRule      `json:"scale_rule"`         // none
	ScaleRate       Law            `json:"scale_rate"`         // 0.1
	ScaleRateRule   RateRule       `json:"scale_rate_rule"`    // law
	Covariance      Covariance     `json:"covariance"`         // none
	CovarianceRate  float64        `json:"covariance_rate"`    // rank_one: variance along the path; full: factor on the rates; 0.02
	Restart         Restart        `json:"restart"`            // none
	RestartTrigger  RestartTrigger `json:"restart_trigger"`    // patience
	RestartPatience float64        `json:"restart_patience"`   // share of the budget without an improvement of 0.1 %; 0.2
	LastPhase       float64        `json:"last_phase"`         // share of the budget spent around the best point at the end; 0
	LastPhaseStep   float64        `json:"last_phase_step"`    // factor on the steps there; 0.3
	Parents         int            `json:"parents"`            // best points that samples are children of; 0
	ParentShare     Law            `json:"parent_share"`       // probability that a sample is such a child; 0.2
	ParentStep      float64        `json:"parent_step"`        // factor on its steps; 1
	ParentCrossover float64        `json:"parent_crossover"`   // probability that it has two parents; 0
}

// DefaultStrategy returns the published default genome: tournament, gaussian, averaging.
func DefaultStrategy() Strategy {
	s := Strategy{
		Format: StrategyFormat, Version: StrategyVersion,
		Selection: Tournament, Mutation: Gaussian, Crossover: Averaging,
		PopulationSize: 50, ElitismRatio: 0.2, MutationRate: 0.1, MutationStrength: 0.01,
		TournamentSize: 5, DiversityThreshold: 0.1, NicheCapacity: 5, DiversityBonus: 0.1,
		Family: Population, CrossoverRate: 0.7, TruncationRatio: 0.2, StrengthEnd: 1,
		StartDraws: 1, StartHidden: 1, StartOutput: 1, StartShare: 1, OutputStep: 1,
		PopulationRule: BySize, PopulationScale: Fixed(1), Mirrored: true, Density: 1,
		Recombination: Centred, ParentFraction: 0.5, WeightExponent: 1, Temperature: 8,
		UpdateRule: Adam, LearningRate: Fixed(1), Momentum: 0.9, SecondMoment: 0.001, MaxSpeed: 2, Sigma: Fixed(0.1),
		StepControl: NoControl, StepGain: Fixed(1), ScaleRule: NoScales, ScaleRate: Fixed(0.1), ScaleRateRule: ByLaw,
		Covariance: NoCovariance, CovarianceRate: 0.02, Restart: NoRestart, RestartTrigger: Patience, RestartPatience: 0.2,
		LastPhaseStep: 0.3,
		Survival:      Elites, Base: BaseRandom, SuccessHistory: NoHistory, HistoryLength: 6, StepFactor: 2,
		Sampling: Normal, ParentShare: Fixed(0.2), ParentStep: 1,
	}
	return s
}

// Digest returns 16 hexadecimal digits that depend on the genes alone: two strategies with the
// same digest run the same algorithm. Genes that have no effect under the others do not count.
func (s Strategy) Digest() string {
	s = StrategySpace.Canonical(s)
	s.GenomeID, s.Source, s.FitnessScore, s.TaskPerformances = "", "", nil, nil
	b, err := json.Marshal(s)
	if err != nil {
		panic("rsie: a strategy without NaN always marshals: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// Named returns s with its digest as genome_id when it has none.
func (s Strategy) Named() Strategy {
	if s.GenomeID == "" {
		s.GenomeID = "g-" + s.Digest()
	}
	return s
}

// Clone returns a copy that shares nothing with s.
func (s Strategy) Clone() Strategy {
	if s.FitnessScore != nil {
		v := *s.FitnessScore
		s.FitnessScore = &v
	}
	s.TaskPerformances = maps.Clone(s.TaskPerformances)
	return s
}

// Validate returns [ErrInvalid] with the field, the value and the allowed range.
func (s Strategy) Validate() error {
	if s.Format != StrategyFormat {
		return fmt.Errorf("%w: format %q, want %q", ErrInvalid, s.Format, StrategyFormat)
	}
	if s.Version != StrategyVersion {
		return fmt.Errorf("%w: version %d, this program reads version %d; use a newer rsie",
			ErrInvalid, s.Version, StrategyVersion)
	}
	for _, g := range StrategySpace {
		if err := g.check(&s); err != nil {
			return err
		}
	}
	if s.FitnessScore != nil && !finite(*s.FitnessScore) {
		return fmt.Errorf("%w: fitness_score is not finite; use null", ErrInvalid)
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// MaxStrategyFile is the largest strategy file read, in bytes.
const MaxStrategyFile = 16 << 20

// UnmarshalJSON fills missing fields with the defaults, refuses unknown and duplicate fields
// and validates.
func (s *Strategy) UnmarshalJSON(b []byte) error {
	if err := duplicateKey(b); err != nil {
		return err
	}
	type plain Strategy
	p := plain(DefaultStrategy())
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return fmt.Errorf("%w: strategy: %v", ErrInvalid, err)
	}
	v := Strategy(p)
	if err := v.Validate(); err != nil {
		return fmt.Errorf("strategy %q: %w", v.GenomeID, err)
	}
	*s = v
	return nil
}

// duplicateKey refuses an object that names a field twice, which encoding/json accepts.
func duplicateKey(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	var open []map[string]bool // one set per open object, nil for an array
	key := false
	for {
		t, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: strategy: %v", ErrInvalid, err)
		}
		switch v := t.(type) {
		case json.Delim:
			switch v {
			case '{':
				open, key = append(open, map[string]bool{}), true
				continue
			case '[':
				open, key = append(open, nil), false
				continue
			}
			open = open[:len(open)-1]
		case string:
			if key {
				if set := open[len(open)-1]; set[v] {
					return fmt.Errorf("%w: field %q stands twice", ErrInvalid, v)
				} else {
					set[v] = true
				}
				key = false
				continue
			}
		}
		key = len(open) > 0 && open[len(open)-1] != nil
	}
}

// EvolutionConfig is a strategy ready to train one model.
type EvolutionConfig struct {
	Strategy Strategy
	Backend  Backend // where it runs; the caller sets it
	Task     string  // name given to the model factory
	Budget   int     // evaluations
	Seed     uint64
}

// ToEvolutionConfig returns s as the configuration of a run with 10,000 evaluations and seed 1.
func (s Strategy) ToEvolutionConfig() EvolutionConfig {
	return EvolutionConfig{Strategy: s.Clone(), Budget: 10_000, Seed: 1}
}
