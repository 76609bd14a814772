package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/meta/stats"
)

// contender is a strategy of the final table: the winner first, then the hand-designed ones.
type contender struct {
	name, digest string
	colour       int
	row          *meta.ReportRow // nil where the file of the run has none
}

// contenders returns those whose curves are kept, the winner first.
func (r *Run) contenders() []contender {
	if r.Learned == nil || r.Curves == nil || len(r.Learned.TopUniversalStrategies) == 0 {
		return nil
	}
	winner := r.Learned.TopUniversalStrategies[0]
	names := baselineNames()
	out := []contender{{name: "winner", digest: winner.Digest()}}
	seen := map[string]bool{out[0].digest: true}
	for _, c := range r.Curves.Runs {
		if seen[c.Strategy] {
			continue
		}
		seen[c.Strategy] = true
		name := names[c.Strategy]
		if name == "" {
			name = "g-" + c.Strategy
		}
		out = append(out, contender{name: name, digest: c.Strategy, colour: min(len(out), 7)})
	}
	for k := range out {
		for i := range r.Learned.Report.Rows {
			row := &r.Learned.Report.Rows[i]
			if k == 0 && row.Role == "universal winner" || k > 0 && row.Genome == out[k].name && row.Role == "hand-designed" {
				out[k].row = row
			}
		}
	}
	return out
}

// curvePlaces is the number of places at which curves are drawn, evenly on a logarithm.
const curvePlaces = 32

// shares returns the shares of the budget at which curves are drawn.
func shares() []float64 {
	const first = 1.0 / 400
	out := make([]float64, curvePlaces)
	for k := range out {
		out[k] = first * math.Pow(1/first, float64(k)/(curvePlaces-1))
	}
	return out
}

// evaluationsAt returns the evaluations at a share of a budget.
func evaluationsAt(share float64, budget int) int {
	return max(1, int(math.Round(share*float64(budget))))
}

// evaluationAxis returns the axis of evaluations on tasks of one budget, of shares of it where
// budgets differ, and what a share of 1 is on it.
func evaluationAxis(tasks []meta.ReportTarget) (Axis, float64) {
	a, unit := Axis{Title: "evaluations", Log: true}, 100.0
	if len(tasks) > 0 {
		unit = float64(tasks[0].Budget)
	}
	for _, t := range tasks {
		if t.Budget != tasks[0].Budget {
			a.Title, unit = "evaluations in % of each task's budget", 100
		}
	}
	at := shares()
	a.Low, a.Up = at[0]*unit, unit
	return a, unit
}

// qualities returns the quality at every share of the budget of each replicate of a strategy,
// meaned over the tasks: [replicate][share].
func (r *Run) qualities(digest string, tasks []meta.ReportTarget, at []float64) [][]float64 {
	known := map[string]meta.ReportTarget{}
	for _, t := range tasks {
		known[t.Name] = t
	}
	var out [][]float64
	for _, run := range r.Curves.Runs {
		t, ok := known[run.Task]
		if run.Strategy != digest || !ok || run.Replicate < 0 || run.Replicate > 1<<16 {
			continue
		}
		for len(out) <= run.Replicate {
			out = append(out, make([]float64, len(at)))
		}
		c := run.Curve(t.Budget)
		for k, share := range at {
			out[run.Replicate][k] += t.Anchors.Quality(c.At(evaluationsAt(share, t.Budget))) / float64(len(tasks))
		}
	}
	return out
}

// QualityCurves returns the figure of quality against evaluations, meaned over all tasks.
func (r *Run) QualityCurves() Figure {
	f := Figure{ID: "curves", Title: "Quality against evaluations", Tall: 290,
		Says: "Best quality so far, meaned over all tasks and fresh seeds: 0 is random search, 1 the best known " +
			"value. Bands are 95 % bootstrap intervals of the mean over seeds. A line further up or further " +
			"left is better."}
	if r.Curves != nil {
		r.drawCurves(&f, r.Curves.Tasks, true)
	}
	return f
}

// TaskCurves returns the same for each task.
func (r *Run) TaskCurves() []Figure {
	var out []Figure
	if r.Curves == nil {
		return nil
	}
	for k, t := range r.Curves.Tasks {
		f := Figure{ID: fmt.Sprintf("curves-%d", k), Title: t.Name, Tall: 170, Small: true,
			Says: fmt.Sprintf("Best quality so far on the %s task %s, meaned over fresh seeds, against evaluations.", t.Split, t.Name)}
		r.drawCurves(&f, []meta.ReportTarget{t}, false)
		out = append(out, f)
	}
	return out
}

func (r *Run) drawCurves(f *Figure, tasks []meta.ReportTarget, bands bool) {
	parts := shares()
	axis, unit := evaluationAxis(tasks)
	f.X = axis
	places := make([]float64, len(parts))
	for k, share := range parts {
		places[k] = share * unit
	}
	f.Y = Axis{Title: "quality, higher is better", Low: 0, Up: 1.03, Ticks: []Tick{{0, "0"}, {0.25, "0.25"}, {0.5, "0.5"}, {0.75, "0.75"}, {1, "1"}}}
	f.Table.Head = []string{axis.Title}
	at := thin(len(places), 9)
	for _, k := range at {
		f.Table.Rows = append(f.Table.Rows, []string{compact(places[k])})
	}
	for _, c := range r.contenders() {
		q := r.qualities(c.digest, tasks, parts)
		if len(q) == 0 {
			continue
		}
		s := Series{Name: c.name, Mark: Line, X: places, Colour: c.colour, Strong: c.colour == 0}
		band := Series{Mark: Band, X: places, Colour: c.colour}
		for k := range places {
			column := make([]float64, len(q))
			for i := range q {
				column[i] = q[i][k]
			}
			s.Y = append(s.Y, stats.Mean(column))
			if bands {
				low, high := interval(column)
				band.Low, band.High = append(band.Low, low), append(band.High, high)
			}
		}
		if bands {
			f.Series = append(f.Series, band)
		}
		f.Series = append(f.Series, s)
		f.Table.Head = append(f.Table.Head, c.name)
		for i, k := range at {
			f.Table.Rows[i] = append(f.Table.Rows[i], fixed(s.Y[k]))
		}
	}
	// The winner is drawn on top.
	slices.SortStableFunc(f.Series, func(a, b Series) int { return b.Colour - a.Colour })
}

// resamples of the intervals of pictures; sentences have those of the engine.
const resamples = 400

// interval returns the 95 % bootstrap interval of the mean of x.
func interval(x []float64) (low, high float64) {
	key, i := rsie.NewKey(1), uint32(0)
	low, high, err := stats.BootstrapInterval(x, stats.Mean, resamples, 0.95, func(n int) int {
		w := key.Words(i/4, 0, 0, 0, rsie.StreamResample)[i%4]
		i++
		return int(rsie.Below(w, uint32(n)))
	})
	if err != nil {
		return math.NaN(), math.NaN()
	}
	return low, high
}

// ECDF returns the figure of the share of targets reached against evaluations.
func (r *Run) ECDF() Figure {
	f := Figure{ID: "ecdf", Title: "Share of targets reached", Tall: 290,
		Says: "Of all pairs of a run on fresh seeds and a quality target 0.1, 0.2, .. 0.9, the share that was " +
			"reached within the evaluations (ECDF of running times). Further up or left is better; where a " +
			"line ends below 100 %, some targets were never reached.",
		Table: Table{Head: []string{"strategy", "10 % of targets", "50 % of targets", "90 % of targets", "reached in all"}, Text: 1}}
	if r.Curves == nil {
		return f
	}
	known := map[string]meta.ReportTarget{}
	for _, t := range r.Curves.Tasks {
		known[t.Name] = t
	}
	axis, unit := evaluationAxis(r.Curves.Tasks)
	f.X = axis
	f.Y = Axis{Title: "targets reached", Low: 0, Up: 1.03, Ticks: []Tick{{0, "0 %"}, {0.25, "25 %"}, {0.5, "50 %"}, {0.75, "75 %"}, {1, "100 %"}}}
	for _, c := range r.contenders() {
		var reached []float64
		total := 0
		for _, run := range r.Curves.Runs {
			if run.Strategy != c.digest {
				continue
			}
			t := known[run.Task]
			curve := run.Curve(t.Budget)
			for k := 1; k <= 9; k++ {
				total++
				if e, ok := curve.Reach(t.Anchors.Target(float64(k) / 10)); ok {
					reached = append(reached, float64(e)/float64(max(1, t.Budget))*unit)
				}
			}
		}
		slices.Sort(reached)
		f.Series = append(f.Series, ecdfLine(c, reached, total, unit))
		row := []string{c.name}
		for _, share := range []float64{0.1, 0.5, 0.9} {
			cell := "-"
			if n := int(math.Ceil(share * float64(total))); n >= 1 && n <= len(reached) {
				cell = compact(reached[n-1])
			}
			row = append(row, cell)
		}
		f.Table.Rows = append(f.Table.Rows, append(row, fmt.Sprintf("%.0f %%", 100*float64(len(reached))/float64(max(1, total)))))
	}
	slices.Reverse(f.Series)
	return f
}

func ecdfLine(c contender, reached []float64, total int, unit float64) Series {
	s := Series{Name: c.name, Mark: Steps, Colour: c.colour, Strong: c.colour == 0}
	for _, share := range shares() {
		e := share * unit
		n, _ := slices.BinarySearch(reached, e*(1+1e-9))
		s.X, s.Y = append(s.X, e), append(s.Y, float64(n)/float64(max(1, total)))
	}
	return s
}

// Lead returns the figure of the winner's lead over each hand-designed strategy.
func (r *Run) Lead() Figure {
	f := Figure{ID: "lead", Title: "Lead of the winner",
		Says: "How far the winner is ahead of each hand-designed strategy in meta-fitness on " + r.judgedOn() +
			", with the 95 % interval over seeds. A range right of 0 means better, left of 0 worse; one that " +
			"holds 0 leaves it open.",
		X:     Axis{Title: "difference of meta-fitness"},
		Table: r.Duels()}
	if r.Learned == nil {
		return f
	}
	var rows []whisker
	for _, d := range r.duels() {
		rows = append(rows, whisker{d.row.Name, *d.row.WinnerGain, *d.row.WinnerInterval})
	}
	if len(rows) > 0 {
		f.whiskers(rows)
	}
	return f
}

// Duels returns the winner against each hand-designed strategy as a table: the lead on the tasks that
// judge, and the test over all tasks.
func (r *Run) Duels() Table {
	t := Table{Head: []string{"against", "verdict", "lead", "95 % interval", "seeds ahead", "behind", "p (Holm)", "A12"}, Text: 2}
	if r.Learned == nil {
		return t
	}
	for _, d := range r.duels() {
		in := *d.row.WinnerInterval
		row := []string{d.row.Name, verdict(in), signed(*d.row.WinnerGain), signed(in[0]) + " to " + signed(in[1]), "-", "-", "-", "-"}
		if d.seeds > 0 {
			row = append(row[:4], fmt.Sprint(d.wins), fmt.Sprint(d.losses), fmt.Sprintf("%.2g", d.holm), fmt.Sprintf("%.2f", d.a12))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// verdict says what an interval of a lead means.
func verdict(in [2]float64) string {
	switch {
	case max(in[0], -in[0], in[1], -in[1]) < 0.0005:
		return "equal"
	case in[0] > 0:
		return "better"
	case in[1] < 0:
		return "worse"
	}
	return "open"
}

// judgedOn names the tasks that the winner's lead is measured on.
func (r *Run) judgedOn() string {
	var names []string
	if r.Learned != nil {
		for _, t := range r.Learned.Report.Tasks {
			if t.Split == "validation" {
				names = append(names, t.Name)
			}
		}
	}
	switch len(names) {
	case 0:
		return "all tasks, for want of validation tasks"
	case 1:
		return "the validation task " + names[0]
	}
	return fmt.Sprintf("the %d validation tasks (%s)", len(names), strings.Join(names, ", "))
}
