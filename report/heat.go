package report

import (
	"fmt"
	"math"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
)

// HeatMap is a table whose cells are shaded by value.
type HeatMap struct {
	ID, Title, Says string
	Columns         []string
	Rows            []HeatRow
	Top             float64 // the value of the darkest shade, 0 means 1
}

// HeatRow is one strategy.
type HeatRow struct {
	Name, Note string
	Words      string // what it is
	Strong     bool
	Cells      []HeatCell
}

// HeatCell is a value in [0,1], maximised; NaN was not measured.
type HeatCell struct {
	Value float64
	Best  bool // of its column
}

// Text is the value to two digits.
func (c HeatCell) Text() string {
	if math.IsNaN(c.Value) {
		return "–"
	}
	return fmt.Sprintf("%.2f", c.Value)
}

// Shade gives the class of a cell, one of eleven.
func (h HeatMap) Shade(c HeatCell) string {
	if math.IsNaN(c.Value) {
		return "h0"
	}
	return fmt.Sprintf("h%d", int(math.Round(10*h.part(c))))
}

// markBest marks the highest value of each column.
func (h *HeatMap) markBest() {
	for c := range h.Columns {
		best := -1
		for i := range h.Rows {
			if v := h.Rows[i].Cells[c].Value; !math.IsNaN(v) && (best < 0 || v > h.Rows[best].Cells[c].Value) {
				best = i
			}
		}
		if best >= 0 {
			h.Rows[best].Cells[c].Best = true
		}
	}
}

// heatRows bounds the strategies of the heat map.
const heatRows = 24

// SearchHeat returns the quality of the leading strategies on each training task, as the
// generations measured it.
func (r *Run) SearchHeat() HeatMap {
	h := HeatMap{ID: "heat", Title: "Strategies by task",
		Says: "Mean area score in the generations (area under quality against the logarithm of evaluations, maximised), of the " +
			"strategies with the highest meta-fitness and of the hand-designed ones that took part. Darker is better, up to the highest " +
			"value here; a box marks the best of a task. Rows measured in few generations (n) are uncertain, and stand lower for it."}
	tasks := map[string]bool{}
	for i := range r.Strategies {
		for name := range r.Strategies[i].Tasks {
			tasks[name] = true
		}
	}
	h.Columns = sortedKeys(tasks)
	order := r.ranked()
	known := baselineNames()
	for k, i := range order {
		s := &r.Strategies[i]
		if _, base := known[s.Digest]; k >= heatRows && !base {
			continue
		}
		row := HeatRow{Name: s.Name, Note: fmt.Sprintf("%s (n = %d)", fixed(s.Score()), len(s.Scores)), Strong: i == r.Winner(),
			Words: meta.Describe(s.Genome)}
		for _, name := range h.Columns {
			v := math.NaN()
			if t, ok := s.Tasks[name]; ok {
				v = t.Area
				h.Top = max(h.Top, v)
			}
			row.Cells = append(row.Cells, HeatCell{Value: v})
		}
		h.Rows = append(h.Rows, row)
	}
	h.markBest()
	return h
}

// FinalHeat returns the final table: quality on fresh seeds by task.
func (r *Run) FinalHeat() HeatMap {
	h := HeatMap{ID: "final", Title: "Final quality on fresh seeds",
		Says: "Quality at the end of the budget on seeds that took no part in any choice; 0 is random search, 1 the " +
			"best known value. A box marks the best of a task."}
	if r.Learned == nil {
		return h
	}
	for _, t := range r.Learned.Report.Tasks {
		name := t.Name
		if t.Split == "validation" {
			name += " (validation)"
		}
		h.Columns = append(h.Columns, name)
	}
	rows := slices.DeleteFunc(slices.Clone(r.Learned.Report.Rows), func(row meta.ReportRow) bool {
		return row.Role != "universal winner" && row.WinnerGain == nil
	})
	for _, row := range rows {
		out := HeatRow{Name: row.Name, Note: fixed(row.MetaFitness), Strong: row.Role == "universal winner"}
		if out.Strong {
			out.Name = "winner"
		}
		if at, ok := r.named(row.Genome); ok {
			out.Words = meta.Describe(at)
		}
		for _, t := range r.Learned.Report.Tasks {
			v, ok := row.Quality[t.Name]
			if !ok {
				v = math.NaN()
			}
			out.Cells = append(out.Cells, HeatCell{Value: v})
		}
		h.Rows = append(h.Rows, out)
	}
	h.markBest()
	return h
}

// named returns the genes of a strategy of the final table.
func (r *Run) named(genome string) (rsie.Strategy, bool) {
	for _, s := range append(r.Learned.TopUniversalStrategies[:1:1], rsie.Baselines()...) {
		if s.GenomeID == genome {
			return s, true
		}
	}
	return rsie.Strategy{}, false
}
