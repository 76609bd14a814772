package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// maxEffects bounds the effects that a figure shows; all stand in the attribution itself.
const maxEffects = 24

// Causes returns the figures of the run's attribution: effects with intervals and the ablation
// path; none without one.
func (r *Run) Causes() []Figure {
	a := r.Attribution
	if a == nil {
		return nil
	}
	var out []Figure
	overall := slices.DeleteFunc(slices.Clone(a.Effects), func(e Effect) bool { return e.Task != "" })
	if len(overall) > 0 {
		slices.SortStableFunc(overall, func(x, y Effect) int { return cmp.Compare(math.Abs(y.Mean), math.Abs(x.Mean)) })
		f := Figure{ID: "causes", Title: "What each gene contributes",
			Says: "Mean change of " + a.Measure + " when the gene alone is changed, with its 95 % interval, largest " +
				"first. Where the range holds 0, the experiment does not show an effect.",
			X:     Axis{Title: "change of " + a.Measure},
			Table: Table{Head: []string{"gene", "change", "effect", "95 % interval", "q", "pairs"}, Text: 2}}
		var rows []whisker
		for _, e := range overall[:min(maxEffects, len(overall))] {
			rows = append(rows, whisker{e.Gene, e.Mean, e.Interval})
			f.Table.Rows = append(f.Table.Rows, []string{e.Gene, e.Change, signed(e.Mean),
				signed(e.Interval[0]) + " to " + signed(e.Interval[1]), fmt.Sprintf("%.2g", e.Q), fmt.Sprint(e.Pairs)})
		}
		f.whiskers(rows)
		out = append(out, f)
	}
	if len(a.Path) > 0 {
		f := Figure{ID: "path", Title: "From the default to the winner, gene by gene",
			Says: "Change of " + a.Measure + " at each step of a path that turns the default strategy into the winner, " +
				"in the order of the steps, with 95 % intervals.",
			X:     Axis{Title: "change of " + a.Measure},
			Table: Table{Head: []string{"gene", "from", "to", "gain", "95 % interval"}, Text: 3}}
		var rows []whisker
		for _, s := range a.Path {
			rows = append(rows, whisker{s.Gene, s.Gain, s.Interval})
			f.Table.Rows = append(f.Table.Rows, []string{s.Gene, s.From, s.To, signed(s.Gain),
				signed(s.Interval[0]) + " to " + signed(s.Interval[1])})
		}
		f.whiskers(rows)
		out = append(out, f)
	}
	return out
}

type whisker struct {
	name string
	mean float64
	in   [2]float64
}

// whiskers fills a figure with a dot and a range per row, and a line at 0.
func (f *Figure) whiskers(rows []whisker) {
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
