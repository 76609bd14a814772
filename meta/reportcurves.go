package meta

import (
	"encoding/json"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// CurvesDocument is the name under which a run keeps its [ReportCurves].
const CurvesDocument = "curves_report"

// ReportCurves are the curves of all runs of the final table, so that pictures need no run of
// their own.
type ReportCurves struct {
	Tasks []ReportTarget `json:"tasks"`
	Runs  []ReportCurve  `json:"runs"`
}

// ReportTarget is a task of the final table with the anchors that its qualities stand on.
type ReportTarget struct {
	Name    string       `json:"name"`
	Split   string       `json:"split"`
	Budget  int          `json:"budget"` // evaluations of one run
	Dim     int          `json:"dim"`    // parameters of its problem
	Anchors rsie.Anchors `json:"anchors"`
}

// ReportCurve is the curve of one run: its improvements in order, of equal length.
type ReportCurve struct {
	Strategy    string    `json:"strategy"` // digest
	Task        string    `json:"task"`
	Replicate   int       `json:"replicate"`
	Seed        uint64    `json:"seed"`
	Evaluations []int     `json:"evaluations"`
	Fitness     []float64 `json:"fitness"` // best so far, minimised
}

// Curve returns the run as a curve of a budget.
func (r ReportCurve) Curve(budget int) Curve {
	c := Curve{Budget: budget}
	for i := range min(len(r.Evaluations), len(r.Fitness)) {
		c.Points = append(c.Points, Point{r.Evaluations[i], r.Fitness[i]})
	}
	return c
}

// storeCurves keeps the curves of the final table's runs.
func (e *Engine) storeCurves(got []measured, targets []target) error {
	if e.config.Store == nil {
		return nil
	}
	doc := ReportCurves{}
	for _, t := range targets {
		doc.Tasks = append(doc.Tasks, ReportTarget{t.name, t.split, t.budget, t.problem.Shape().Dim, t.anchors})
	}
	seen := map[string]bool{}
	for _, m := range got {
		if d := m.strategy.Digest(); seen[d] {
			continue
		} else {
			seen[d] = true
		}
		for _, o := range m.outcomes {
			c := ReportCurve{Strategy: o.Strategy, Task: o.Task, Replicate: o.Replicate, Seed: o.Seed}
			for _, p := range o.Curve.Points {
				c.Evaluations = append(c.Evaluations, p.Evaluations)
				c.Fitness = append(c.Fitness, p.Fitness)
			}
			doc.Runs = append(doc.Runs, c)
		}
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	return e.config.Store.Put(CurvesDocument, b)
}
