package report

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/symbio-ai/recursive-improvement/meta"
)

// versus is two runs side by side.
type versus struct {
	A, B    string
	Words   []string
	Rows    []pairRow
	Figures []Figure
	Heat    HeatMap
	Genes   []meta.Difference
}

type pairRow struct {
	Name, A, B string
	Differs    bool
}

// WriteComparison writes the page of two runs side by side.
func WriteComparison(w io.Writer, a, b *Run) error {
	v := &versus{A: a.Name, B: b.Name, Rows: compareRows(a, b), Heat: compareHeat(a, b)}
	v.Figures = []Figure{
		overlay("progress", "Best of each generation", "generation", a, b, func(g Generation) float64 { return float64(g.Number + 1) }),
		overlay("spent", "Best of each generation against evaluations spent", "level-1 evaluations", a, b, func(g Generation) float64 { return float64(g.Evaluations) }),
	}
	if i, j := a.Winner(), b.Winner(); i >= 0 && j >= 0 {
		v.Genes = meta.Diff(a.Strategies[i].Genome, b.Strategies[j].Genome)
	}
	v.Words = v.words(a, b)
	return writePage(w, document{Title: "Runs " + a.Name + " and " + b.Name, Versus: v, Program: a.Program})
}

func compareRows(a, b *Run) []pairRow {
	var rows []pairRow
	add := func(name string, of func(*Run) string) {
		x, y := of(a), of(b)
		rows = append(rows, pairRow{name, x, y, x != y})
	}
	add("suite", func(r *Run) string { return r.Settings.Suite })
	add("tasks", func(r *Run) string { return fmt.Sprintf("%d: %v", len(r.Settings.Tasks), r.Settings.Tasks) })
	add("seed", func(r *Run) string { return fmt.Sprint(r.Settings.Seed) })
	add("evaluations of one level-1 run", func(r *Run) string { return budgetWords(r.Settings.BaseBudget) })
	add("strategies per generation", func(r *Run) string { return fmt.Sprint(r.Settings.MetaPopulation) })
	add("generations", func(r *Run) string {
		return fmt.Sprintf("%d of %d", len(r.Generations), r.Settings.MetaGenerations)
	})
	add("strategies tried", func(r *Run) string { return fmt.Sprint(len(r.Strategies)) })
	add("evaluations", func(r *Run) string {
		if r.Learned != nil {
			return fmt.Sprint(r.Learned.Metadata.Evaluations)
		}
		if n := len(r.Generations); n > 0 {
			return fmt.Sprint(r.Generations[n-1].Evaluations)
		}
		return "0"
	})
	add("best of the search (meta-fitness, maximised)", func(r *Run) string { return fixed(r.Best()) })
	add("winner on fresh seeds (meta-fitness, maximised)", func(r *Run) string { return fixed(r.finalScore()) })
	add("winner", func(r *Run) string {
		if w := r.Winner(); w >= 0 {
			return r.Strategies[w].Name + ": " + meta.Describe(r.Strategies[w].Genome)
		}
		return "-"
	})
	return rows
}

// finalScore returns the winner's meta-fitness on fresh seeds, NaN before there is one.
func (r *Run) finalScore() float64 {
	if r.Learned == nil || r.Learned.TopUniversalStrategies[0].FitnessScore == nil {
		return math.NaN()
	}
	return *r.Learned.TopUniversalStrategies[0].FitnessScore
}

// overlay draws the best score of the generations of two runs.
func overlay(id, title, axis string, a, b *Run, at func(Generation) float64) Figure {
	f := Figure{ID: id, Title: title, Says: "Meta-fitness of the best strategy of each generation, maximised. Generations " +
		"are measured on fresh keys, so lines may fall; runs of other seeds or tasks have other keys.",
		X: Axis{Title: axis}, Y: Axis{Title: "meta-fitness, higher is better"},
		Table: Table{Head: []string{"run", axis, "best"}, Text: 1}}
	for k, r := range []*Run{a, b} {
		s := Series{Name: []string{"A: ", "B: "}[k] + r.Name, Mark: Line, Colour: k, Strong: k == 0}
		for _, g := range r.Generations {
			s.X, s.Y = append(s.X, at(g)), append(s.Y, g.Best)
			f.Table.Rows = append(f.Table.Rows, []string{r.Name, compact(at(g)), fixed(g.Best)})
		}
		f.Series = append(f.Series, s)
	}
	f.Table.keep(40)
	return f
}

// compareHeat sets the winners' qualities side by side on the tasks that both have.
func compareHeat(a, b *Run) HeatMap {
	h := HeatMap{ID: "final", Title: "Final quality of the winners by task",
		Says: "On fresh seeds of each run, on the tasks that both runs measured; a box marks the higher."}
	if a.Learned == nil || b.Learned == nil {
		return h
	}
	rows := []HeatRow{{Name: "A: " + a.Name, Note: fixed(a.finalScore())}, {Name: "B: " + b.Name, Note: fixed(b.finalScore())}}
	x, y := winnerRow(a), winnerRow(b)
	for _, name := range sortedKeys(x.Quality) {
		q, ok := y.Quality[name]
		if !ok {
			continue
		}
		h.Columns = append(h.Columns, name)
		rows[0].Cells = append(rows[0].Cells, HeatCell{Value: x.Quality[name]})
		rows[1].Cells = append(rows[1].Cells, HeatCell{Value: q})
	}
	if len(h.Columns) > 0 {
		h.Rows = rows
		h.markBest()
	}
	return h
}

func winnerRow(r *Run) meta.ReportRow {
	rows := r.Learned.Report.Rows
	if i := slices.IndexFunc(rows, func(row meta.ReportRow) bool { return row.Role == "universal winner" }); i >= 0 {
		return rows[i]
	}
	return meta.ReportRow{}
}

func (v *versus) words(a, b *Run) []string {
	var out []string
	same := slices.Equal(a.Settings.Tasks, b.Settings.Tasks) && a.Settings.BaseBudget == b.Settings.BaseBudget &&
		a.Settings.Objectives == b.Settings.Objectives
	if !same {
		out = append(out, "The runs differ in tasks, budget or objectives: their scores are on different scales and are "+
			"not to be compared. Only the qualities of tasks that both have stand side by side.")
	}
	x, y := a.finalScore(), b.finalScore()
	switch {
	case math.IsNaN(x) || math.IsNaN(y):
		out = append(out, "At least one run is not finished, so the winners have not been measured on fresh seeds.")
	case same:
		out = append(out, fmt.Sprintf("On fresh seeds the winner of A scores %s and that of B %s (meta-fitness, maximised), a difference of %s. "+
			"These are two runs of a random search for strategies: one of each says little about which settings are better.",
			fixed(x), fixed(y), signed(y-x)))
	}
	if n := len(v.Genes); n > 0 {
		out = append(out, fmt.Sprintf("The winners differ in %d genes. To compare the strategies themselves with intervals and tests: "+
			"rsie compare --strategies %s/strategies.json,%s/strategies.json", n, a.Name, b.Name))
	}
	return out
}
