package report

import (
	"fmt"
	"slices"
)

// Cost returns the figure of where evaluations went, and that of time where the run kept it.
func (r *Run) Cost() []Figure {
	out := []Figure{r.evaluationsByPhase()}
	if _, total := r.Timeline.Seconds(); total > 0 {
		out = append(out, r.secondsByPhase())
	}
	return append(out, r.evaluationsByTask())
}

// bars fills a figure with horizontal bars of values, and its table with their shares.
func (f *Figure) bars(names []string, values []float64, text func(float64) string) {
	s := Series{Mark: Bars}
	total := 0.0
	for _, v := range values {
		total += v
	}
	for k, v := range values {
		y := -float64(k)
		s.X, s.Y = append(s.X, v), append(s.Y, y)
		s.Texts = append(s.Texts, names[k]+": "+text(v))
		f.Y.Ticks = append(f.Y.Ticks, Tick{y, names[k]})
		share := "-"
		if total > 0 {
			share = fmt.Sprintf("%.0f %%", 100*v/total)
		}
		f.Table.Rows = append(f.Table.Rows, []string{names[k], text(v), share})
	}
	f.Series = []Series{s}
	f.Y.Low, f.Y.Up = -float64(len(values))+0.4, 0.6
	f.X.Low, f.X.Up = 0, 1
	if len(values) > 0 && slices.Max(values) > 0 {
		f.X.Up = 1.05 * slices.Max(values)
	}
	f.Tall = 70 + 22*len(values)
	f.Table.Text = 1
}

func (r *Run) evaluationsByPhase() Figure {
	f := Figure{ID: "cost", Title: "Evaluations by phase", Small: true,
		Says: "Level-1 evaluations of each phase of the run: choosing the first generation (with anchors the run " +
			"measured itself), the generations, and what follows them: race, specialists, final tables.",
		X:     Axis{Title: "evaluations"},
		Table: Table{Head: []string{"phase", "evaluations", "share"}}}
	searched := 0.0
	if n := len(r.Generations); n > 0 {
		searched = float64(r.Generations[n-1].Evaluations)
	}
	names := []string{"first choice", "generations"}
	values := []float64{float64(r.Halving), searched - float64(r.Halving)}
	if r.Learned != nil {
		names = append(names, "race and tables")
		values = append(values, float64(r.Learned.Metadata.Evaluations)-searched)
	}
	f.bars(names, values, func(v float64) string { return fmt.Sprintf("%.0f", v) })
	return f
}

func (r *Run) secondsByPhase() Figure {
	f := Figure{ID: "time", Title: "Time by phase", Small: true,
		Says:  "Seconds that the program spent on each phase, over all sessions of the run.",
		X:     Axis{Title: "seconds"},
		Table: Table{Head: []string{"phase", "seconds", "share"}}}
	by, _ := r.Timeline.Seconds()
	var names []string
	var values []float64
	for _, p := range phases {
		if by[p] > 0 {
			names, values = append(names, p), append(values, by[p])
		}
	}
	f.bars(names, values, func(v float64) string { return fmt.Sprintf("%.1f", v) })
	return f
}

func (r *Run) evaluationsByTask() Figure {
	f := Figure{ID: "cost-tasks", Title: "Evaluations of the generations by task", Small: true,
		Says: "Level-1 evaluations that the generations spent on each training task. Strategies that lose on the " +
			"cheap tasks do not meet the others, so those have fewer.",
		X:     Axis{Title: "evaluations"},
		Table: Table{Head: []string{"task", "evaluations", "share"}}}
	spent := map[string]int64{}
	for i := range r.Strategies {
		for name, t := range r.Strategies[i].Tasks {
			spent[name] += t.Evaluations
		}
	}
	var names []string
	var values []float64
	for _, name := range sortedKeys(spent) {
		names = append(names, name)
		values = append(values, float64(spent[name]))
	}
	f.bars(names, values, func(v float64) string { return fmt.Sprintf("%.0f", v) })
	return f
}
