package report

import (
	"fmt"

	"github.com/symbio-ai/recursive-improvement/meta/explain"
)

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

// attributionOf returns what rsie explain kept in a run as a report shows it.
func attributionOf(r *explain.Result) *Attribution {
	a := &Attribution{Measure: "meta-fitness", Evaluations: r.Evaluations, Sentences: r.Sentences,
		Method: fmt.Sprintf("Each effect is the score with the value in %s minus the score with that in %s; q is p after the "+
			"correction of Benjamini and Hochberg.", r.Subject.Genome, r.Reference.Genome)}
	for _, t := range r.Tasks {
		a.Tasks = append(a.Tasks, t.Name)
	}
	for _, e := range r.Effects {
		if !e.Unmeasured {
			a.Effects = append(a.Effects, Effect{Gene: e.Name, Change: e.Reference + " -> " + e.Subject, Mean: e.Mean,
				Interval: e.Interval, Q: e.Adjusted, Pairs: e.Contexts})
		}
	}
	for _, p := range r.Pairs {
		a.Effects = append(a.Effects, Effect{Gene: p.A + " × " + p.B, Change: "interaction", Mean: p.Mean, Interval: p.Interval,
			Q: p.Adjusted, Pairs: p.Contexts})
	}
	for _, s := range r.Path.Steps {
		if !s.Nothing {
			a.Path = append(a.Path, Step{Gene: s.Factor, From: "reference", To: "subject", Gain: s.Gain.Mean, Interval: s.Gain.Interval})
		}
	}
	return a
}
