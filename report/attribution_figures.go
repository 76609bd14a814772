package report

import (
	"fmt"

	"github.com/symbio-ai/recursive-improvement/meta/explain"
)

// maxEffects bounds the effects that a figure shows; all stand in the explanation itself.
const maxEffects = 24

// Causes returns the figures of what rsie explain has measured: effects of genes and of pairs,
// Shapley values measured and of a surrogate, and the path; none without an explanation.
func (r *Run) Causes() []Figure {
	e := r.Explained
	if e == nil {
		return nil
	}
	var out []Figure
	for _, f := range []Figure{effectsFigure(e), surrogateFigure(e), shapleyFigure(e), pathFigure(e), pairsFigure(e)} {
		if !f.Empty() {
			out = append(out, f)
		}
	}
	return out
}

func effectsFigure(e *explain.Result) Figure {
	f := Figure{ID: "causes", Title: "What each gene contributes",
		Says: fmt.Sprintf("Mean change of the %s when the gene alone is set from its value in %s to that in %s, with its 95 %% interval, "+
			"largest first. Where the range holds 0, the experiment does not show an effect.", e.Score.Words(), e.Reference.Genome, e.Subject.Genome),
		X:     Axis{Title: "change of the score"},
		Table: Table{Head: []string{"gene", e.Subject.Genome, e.Reference.Genome, "effect", "95 % interval", "p (BH)", "contexts"}, Text: 3}}
	var rows []whisker
	for _, v := range e.Effects {
		if v.Unmeasured || len(rows) == maxEffects {
			continue
		}
		rows = append(rows, whisker{v.Name, v.Mean, v.Interval})
		f.Table.Rows = append(f.Table.Rows, append([]string{v.Name, v.Subject, v.Reference}, estimateCells(v.Estimate)...))
	}
	f.whiskers(rows)
	return f
}

func pairsFigure(e *explain.Result) Figure {
	f := Figure{ID: "pairs", Title: "Which genes depend on each other", Wide: true,
		Says: "Effect of one gene where the other has the value of " + e.Subject.Genome + ", minus its effect where the other has that of " +
			e.Reference.Genome + ", with 95 % intervals. Right of 0 the two support each other, left of 0 they hinder each other.",
		X:     Axis{Title: "interaction"},
		Table: Table{Head: []string{"gene", "gene", "interaction", "95 % interval", "p (BH)", "contexts"}, Text: 2}}
	var rows []whisker
	for _, v := range e.Pairs[:min(maxEffects, len(e.Pairs))] {
		rows = append(rows, whisker{v.A + " × " + v.B, v.Mean, v.Interval})
		f.Table.Rows = append(f.Table.Rows, append([]string{v.A, v.B}, estimateCells(v.Estimate)...))
	}
	f.whiskers(rows)
	return f
}

func shapleyFigure(e *explain.Result) Figure {
	s := e.Shapley
	f := Figure{ID: "shapley", Title: "Shapley values, measured",
		Says: fmt.Sprintf("Shapley values of the leading genes, with 95 %% intervals: every subset of them was run on %d keys, and each gene "+
			"gets its mean contribution over all orders. Together they bring %s.", s.Keys, signed(s.Total.Mean)),
		X:     Axis{Title: "share of the gain"},
		Table: Table{Head: []string{"gene", "with", "value or interaction", "95 % interval", "p (BH)", "keys"}, Text: 2}}
	var rows []whisker
	for _, v := range s.Measured {
		rows = append(rows, whisker{v.Factor, v.Mean, v.Interval})
		f.Table.Rows = append(f.Table.Rows, append([]string{v.Factor, ""}, estimateCells(v.Estimate)...))
	}
	for _, v := range s.Pairs {
		f.Table.Rows = append(f.Table.Rows, append([]string{v.A, v.B}, estimateCells(v.Estimate)...))
	}
	f.whiskers(rows)
	return f
}

// surrogateFigure is empty where the surrogate predicts nothing.
func surrogateFigure(e *explain.Result) Figure {
	s := e.Screening
	f := Figure{ID: "surrogate", Title: fmt.Sprintf("Shapley values of a surrogate, held-out R² %.2f", s.R2),
		Says: fmt.Sprintf("Shapley values of a quadratic surrogate of %d strategies between %s and %s. It reaches R² %.2f on strategies that it was "+
			"not fitted to, and is as good as that. Ranges are those of refits, not intervals.", s.Samples, e.Reference.Genome, e.Subject.Genome, s.R2),
		X:     Axis{Title: "share of the gain"},
		Table: Table{Head: []string{"gene", "share of variance alone", "with others", "Shapley value", "range of refits"}, Text: 1}}
	if s.R2 <= 0 {
		return f
	}
	values := map[string]explain.Estimate{}
	for _, v := range e.Shapley.Surrogate {
		values[v.Factor] = v.Estimate
	}
	var rows []whisker
	for _, v := range s.Shares[:min(12, len(s.Shares))] {
		of := values[v.Factor]
		rows = append(rows, whisker{v.Factor, of.Mean, of.Interval})
		f.Table.Rows = append(f.Table.Rows, append([]string{v.Factor, fixed(v.Main), fixed(v.Total)}, estimateCells(of)[:2]...))
	}
	f.whiskers(rows)
	return f
}

func pathFigure(e *explain.Result) Figure {
	f := Figure{ID: "path", Title: fmt.Sprintf("From %s to %s, gene by gene", e.Reference.Genome, e.Subject.Genome),
		Says: fmt.Sprintf("Change of the %s at each step of a path that takes over one gene after the other, each time the one that gains "+
			"most, from the top down, with 95 %% intervals. Another order would give the same gene another gain.", e.Score.Words()),
		X:     Axis{Title: "change of the score"},
		Table: Table{Head: []string{"gene", "score after it", "gain", "95 % interval", "p (BH)", "keys"}, Text: 1}}
	var rows []whisker
	for _, s := range e.Path.Steps {
		if s.Nothing {
			continue
		}
		rows = append(rows, whisker{s.Factor, s.Gain.Mean, s.Gain.Interval})
		f.Table.Rows = append(f.Table.Rows, append([]string{s.Factor, fixed(s.Score)}, estimateCells(s.Gain)...))
	}
	f.whiskers(rows)
	return f
}

func estimateCells(e explain.Estimate) []string {
	return []string{signed(e.Mean), signed(e.Interval[0]) + " to " + signed(e.Interval[1]), fmt.Sprintf("%.2g", e.Adjusted), fmt.Sprint(e.Contexts)}
}

// shownParts is how many tasks the effects by task have; more are shown by kind alone.
const shownParts = 12

// partTable is a table of effects by task, or by kind of task.
type partTable struct {
	Title string
	Head  []string
	Rows  []partRow
}

type partRow struct {
	Name  string
	Cells []partCell
}

// partCell is one effect; Told when it can be told from 0.
type partCell struct {
	Text string
	Told bool
}

// CauseParts returns the effects by kind of task and by task, of the genes that can be told from 0 on
// one of them.
func (r *Run) CauseParts() []partTable {
	if r.Explained == nil {
		return nil
	}
	var out []partTable
	for _, part := range []struct {
		title string
		of    func(explain.Effect) []explain.PartEffect
	}{{"Effects by kind of task", func(v explain.Effect) []explain.PartEffect { return v.Kinds }},
		{"Effects by task", func(v explain.Effect) []explain.PartEffect { return v.Tasks }}} {
		t := partTable{Title: part.title}
		for _, v := range r.Explained.Effects {
			row, told := partRow{Name: v.Name}, false
			all := part.of(v)
			for _, p := range all {
				told = told || p.Established()
				row.Cells = append(row.Cells, partCell{fmt.Sprintf("%s [%s, %s]", signed(p.Mean), signed(p.Interval[0]), signed(p.Interval[1])), p.Established()})
			}
			if told {
				t.Rows = append(t.Rows, row)
			}
			if told && t.Head == nil {
				for _, p := range all {
					t.Head = append(t.Head, p.Name)
				}
			}
		}
		if len(t.Rows) > 0 && len(t.Head) > 1 && len(t.Head) <= shownParts {
			out = append(out, t)
		}
	}
	return out
}

type whisker struct {
	name string
	mean float64
	in   [2]float64
}

// whiskers fills a figure with a dot and a range per row, and a line at 0. Without rows it stays
// empty.
func (f *Figure) whiskers(rows []whisker) {
	if len(rows) == 0 {
		return
	}
	s := Series{Mark: Interval}
	for k, w := range rows {
		s.X, s.Y = append(s.X, w.mean), append(s.Y, -float64(k))
		s.Low, s.High = append(s.Low, w.in[0]), append(s.High, w.in[1])
		s.Texts = append(s.Texts, w.name+": "+signed(w.mean))
		f.Y.Ticks = append(f.Y.Ticks, Tick{-float64(k), w.name})
	}
	f.Y.Low, f.Y.Up = -float64(len(rows))+0.4, 0.6
	f.Tall = 76 + 22*len(rows)
	zero := Series{Mark: Line, Colour: 7, X: []float64{0, 0}, Y: []float64{f.Y.Low, f.Y.Up}}
	f.Series = []Series{zero, s}
}
