package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/meta/stats"
)

// versus is two runs side by side.
type versus struct {
	A, B    string
	Words   []string
	Command string // that compares the winners, empty when they are alike
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
		overlay("spent", "The same against evaluations spent", "level-1 evaluations", a, b, func(g Generation) float64 { return float64(g.Evaluations) }),
	}
	if f := winnersCurves(a, b); !f.Empty() {
		v.Figures = append(v.Figures, f)
	}
	if i, j := a.Winner(), b.Winner(); i >= 0 && j >= 0 {
		for _, d := range meta.Diff(a.Strategies[i].Genome, b.Strategies[j].Genome) {
			if d.A, d.B = offOr(d.A), offOr(d.B); d.A != d.B {
				v.Genes = append(v.Genes, d)
			}
		}
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
	add("tasks", func(r *Run) string {
		return fmt.Sprintf("%d: %s", len(r.Settings.Tasks), strings.Join(r.Settings.Tasks, ", "))
	})
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
	f := Figure{ID: id, Title: title, Small: true, Says: "Meta-fitness of the best strategy of each generation, maximised. Generations " +
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

// winnersCurves draws the quality of both winners against evaluations, meaned over the tasks that
// both runs measured with one budget, on the anchors of a.
func winnersCurves(a, b *Run) Figure {
	f := Figure{ID: "curves", Title: "Quality of the winners", Small: true,
		Y: Axis{Title: "quality, higher is better", Low: 0, Up: 1.03, Ticks: []Tick{{0, "0"}, {0.25, "0.25"}, {0.5, "0.5"}, {0.75, "0.75"}, {1, "1"}}}}
	if len(a.contenders()) == 0 || len(b.contenders()) == 0 {
		return f
	}
	var tasks []meta.ReportTarget
	var names []string
	for _, t := range a.Curves.Tasks {
		if slices.ContainsFunc(b.Curves.Tasks, func(o meta.ReportTarget) bool { return o.Name == t.Name && o.Budget == t.Budget }) {
			tasks, names = append(tasks, t), append(names, t.Name)
		}
	}
	if len(tasks) == 0 {
		return f
	}
	f.Says = "Best quality so far on the tasks that both runs measured with one budget (" + strings.Join(names, ", ") + "), meaned over them and over " +
		"fresh seeds, with 95 % bootstrap intervals. The seeds of two runs are not paired."
	parts := shares()
	axis, unit := evaluationAxis(tasks)
	f.X, f.Table.Head = axis, []string{axis.Title}
	at := thin(len(parts), 9)
	for _, k := range at {
		f.Table.Rows = append(f.Table.Rows, []string{compact(parts[k] * unit)})
	}
	for k, r := range []*Run{a, b} {
		s := Series{Name: []string{"A: ", "B: "}[k] + r.Name, Mark: Line, Colour: k, Strong: k == 0}
		band := Series{Mark: Band, Colour: k}
		q := r.qualities(r.contenders()[0].digest, tasks, parts)
		for i, share := range parts {
			column := make([]float64, len(q))
			for j := range q {
				column[j] = q[j][i]
			}
			low, high := interval(column)
			s.X, s.Y = append(s.X, share*unit), append(s.Y, stats.Mean(column))
			band.Low, band.High = append(band.Low, low), append(band.High, high)
		}
		band.X = s.X
		f.Series = append(f.Series, band, s)
		f.Table.Head = append(f.Table.Head, s.Name)
		for row, i := range at {
			f.Table.Rows[row] = append(f.Table.Rows[row], fixed(s.Y[i]))
		}
	}
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
			"A search depends on its seed: one run of each says little about which settings are better.",
			fixed(x), fixed(y), signed(y-x)))
	}
	if n := len(v.Genes); n > 0 {
		out = append(out, fmt.Sprintf("The winners differ in %d genes. The command below compares them with intervals and tests.", n))
		v.Command = fmt.Sprintf("rsie compare --strategies %s/strategies.json,%s/strategies.json", a.Name, b.Name)
	}
	return out
}
