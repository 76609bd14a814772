package report

// AttributionDocument is the name under which a run keeps its [Attribution].
const AttributionDocument = "attribution"

// Attribution is what experiments say each gene contributes. A report shows it as it is: all
// numbers and sentences are those of the experiment.
type Attribution struct {
	Method      string   `json:"method"`      // in words: distribution, pairing, correction
	Measure     string   `json:"measure"`     // what effects are in units of, such as meta-fitness
	Tasks       []string `json:"tasks"`       // that were used
	Evaluations int64    `json:"evaluations"` // spent
	Effects     []Effect `json:"effects"`     // of single genes and of pairs
	Path        []Step   `json:"path"`        // ablation from the default to the winner
	Sentences   []string `json:"sentences"`   // each with the figures that support it
}

// Effect is the mean change of the measure under an intervention, maximised.
type Effect struct {
	Gene     string     `json:"gene"`           // a pair as "gene × gene"
	Change   string     `json:"change"`         // such as "0 -> 0.4"
	Mean     float64    `json:"mean"`           // paired difference
	Interval [2]float64 `json:"interval"`       // 95 %
	Q        float64    `json:"q"`              // p corrected for false discoveries
	Pairs    int        `json:"pairs"`          // measured
	Task     string     `json:"task,omitempty"` // "" over all tasks
}

// Step is one gene of an ablation path.
type Step struct {
	Gene     string     `json:"gene"`
	From     string     `json:"from"`
	To       string     `json:"to"`
	Gain     float64    `json:"gain"` // paired difference to the step before
	Interval [2]float64 `json:"interval"`
}
