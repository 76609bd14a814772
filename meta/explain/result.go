package explain

import "encoding/json"

// The format of a stored explanation.
const (
	Format  = "rsie-explanation"
	Version = 1
	// Document is the name under which a [Keeper] holds the last explanation.
	Document = "explanation"
)

// Result is what [Explain] found. Scores lie in [0,1] and are maximised; every effect is the
// score with the subject's value minus the score with the reference's value.
type Result struct {
	Format       string       `json:"format"`
	Version      int          `json:"version"`
	Subject      Named        `json:"subject"`
	Reference    Named        `json:"reference"`
	Distribution Distribution `json:"distribution"`
	Score        Score        `json:"score"`
	Tasks        []Task       `json:"tasks"`
	Seed         uint64       `json:"seed"`
	Limit        int64        `json:"limit"`       // evaluations allowed
	Evaluations  int64        `json:"evaluations"` // evaluations counted
	Precision    float64      `json:"precision"`   // half-width at which an interval is narrow enough
	Narrow       bool         `json:"narrow"`      // all effects reached it
	Screening    Screening    `json:"screening"`
	Effects      []Effect     `json:"effects"` // largest first
	Pairs        []Pair       `json:"pairs"`   // largest first
	Shapley      Shapley      `json:"shapley"`
	Path         Path         `json:"path"`
	Sentences    []string     `json:"sentences"`
}

// Named is one of the two strategies.
type Named struct {
	Genome  string `json:"genome_id"`
	Digest  string `json:"digest"`
	Summary string `json:"summary"`
	// Score is its mean on the keys of the path, which chose nothing.
	Score Estimate `json:"score"`
}

// Effect is what one factor contributes in strategies of the distribution in which it acts.
type Effect struct {
	Factor
	Estimate
	Tasks []PartEffect `json:"tasks"`
	Kinds []PartEffect `json:"kinds,omitempty"` // of tasks, where there are several
	// Unmeasured factors were left out: the screening gave them the least share, and the
	// evaluations do not reach for all.
	Unmeasured bool `json:"unmeasured,omitempty"`
}

// PartEffect is an effect on one task or one kind of task.
type PartEffect struct {
	Name string `json:"name"`
	Estimate
}

// Pair is the interaction of two factors: the effect of A where B has the subject's value minus
// the effect of A where B has the reference's. Positive: they support each other.
type Pair struct {
	A string `json:"a"`
	B string `json:"b"`
	Estimate
}

// Screening is a surrogate fitted to strategies between reference and subject: each factor has
// either value with probability 1/2.
type Screening struct {
	Samples int      `json:"samples"`
	R2      float64  `json:"r2_held_out"`    // on strategies that took no part in the fit
	Held    []string `json:"held,omitempty"` // factors kept at the subject's value: most others act only then
	Shares  []Share  `json:"shares"`         // largest total first
}

// Share is the part that a factor has in the surrogate's variance.
type Share struct {
	Factor string  `json:"factor"`
	Main   float64 `json:"main"`  // of the factor alone
	Total  float64 `json:"total"` // with its interactions; totals sum to more than 1
}

// Shapley values divide the difference of the subject to the same without the factors.
type Shapley struct {
	// Measured is the game of a few factors: every subset was run. The others have the
	// subject's values.
	Measured []ShapleyValue       `json:"measured"`
	Keys     int                  `json:"keys"`  // on which every subset was run
	Total    Estimate             `json:"total"` // what the measured values sum to
	Pairs    []ShapleyInteraction `json:"pairs"`
	// Surrogate is the game of all factors of the screening, as good as the surrogate's R².
	// Its intervals are those of refits to resampled strategies.
	Surrogate []ShapleyValue `json:"surrogate"`
}

// ShapleyValue is the share of one factor.
type ShapleyValue struct {
	Factor string `json:"factor"`
	Estimate
}

// ShapleyInteraction is the Shapley interaction index of two factors.
type ShapleyInteraction struct {
	A string `json:"a"`
	B string `json:"b"`
	Estimate
}

// Path leads from the reference to the subject, a factor at a time, each time the one that
// gains most. The order was chosen on other keys than those that the figures are measured on.
type Path struct {
	Steps []Step   `json:"steps"`
	Keys  int      `json:"keys"`
	Total Estimate `json:"total"` // subject minus reference
}

// Step sets one factor, or all others together, to the subject's value.
type Step struct {
	Factor  string   `json:"factor"`
	Genes   []string `json:"genes"`
	Score   float64  `json:"score"` // mean after the step
	Gain    Estimate `json:"gain"`
	Nothing bool     `json:"nothing,omitempty"` // the step makes no other algorithm
}

// Stored returns the explanation that a keeper holds, nil when there is none.
func Stored(k Keeper) (*Result, error) {
	b, err := k.Get(Document)
	if err != nil || b == nil {
		return nil, err
	}
	var r Result
	return &r, json.Unmarshal(b, &r)
}
