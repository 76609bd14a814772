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
)

// Crossover says how two parents are joined.
type Crossover string

// The crossover operators.
const (
	Averaging     Crossover = "averaging"      // (a + b)/2
	Swapping      Crossover = "swapping"       // whole layers from either parent
	WeightedMerge Crossover = "weighted_merge" // mean weighted by worst fitness - fitness
)

// UpdateRule says how a distribution strategy moves.
type UpdateRule string

// The update rules.
const (
	Adam            UpdateRule = "adam"             // rank-gradient through Adam (OpenAI-ES)
	NaturalGradient UpdateRule = "natural_gradient" // separable natural gradient (SNES)
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

	Family          Family     `json:"family"`                // population
	CrossoverRate   float64    `json:"crossover_rate"`        // probability that a child has two parents; 0.7
	TruncationRatio float64    `json:"truncation_ratio"`      // eligible share under elitism; 0.2
	StrengthEnd     float64    `json:"mutation_strength_end"` // factor on the strength at the end of the budget; 1
	UpdateRule      UpdateRule `json:"update_rule"`           // adam
	Mirrored        bool       `json:"mirrored"`              // samples in pairs mean ± noise; true
	Sigma           float64    `json:"sigma"`                 // starting standard deviation; 0.1
	SigmaEnd        float64    `json:"sigma_end"`             // factor on sigma at the end (adam only); 1
	LearningRate    float64    `json:"learning_rate"`         // of the mean; 0.1
	LearningRateEnd float64    `json:"learning_rate_end"`     // factor at the end of the budget; 1
	StdLearningRate float64    `json:"std_learning_rate"`     // factor on SNES's default rate of the std; 1
}

// DefaultStrategy returns the published default genome: tournament, gaussian, averaging.
func DefaultStrategy() Strategy {
	s := Strategy{
		Format: StrategyFormat, Version: StrategyVersion,
		Selection: Tournament, Mutation: Gaussian, Crossover: Averaging,
		PopulationSize: 50, ElitismRatio: 0.2, MutationRate: 0.1, MutationStrength: 0.01,
		TournamentSize: 5, DiversityThreshold: 0.1, NicheCapacity: 5, DiversityBonus: 0.1,
		Family: Population, CrossoverRate: 0.7, TruncationRatio: 0.2, StrengthEnd: 1,
		UpdateRule: Adam, Mirrored: true, Sigma: 0.1, SigmaEnd: 1,
		LearningRate: 0.1, LearningRateEnd: 1, StdLearningRate: 1,
	}
	return s
}

// Digest returns 16 hexadecimal digits that depend on the genes alone: two strategies with the
// same digest run the same algorithm. Genes that have no effect under the others do not count.
func (s Strategy) Digest() string {
	s = StrategySpace.Canonical(s)
	s.GenomeID, s.FitnessScore, s.TaskPerformances = "", nil, nil
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
