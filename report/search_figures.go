package report

import (
	"fmt"
	"math"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/meta/stats"
)

// ranked returns the strategies that were measured on all tasks, best first: by mean score, those
// measured in more generations first among equals.
func (r *Run) ranked() []int {
	var out []int
	for i := range r.Strategies {
		if len(r.Strategies[i].Scores) > 0 {
			out = append(out, i)
		}
	}
	// A score measured once is the luckiest of many: it is held back by the noise over √n, as the
	// engine does.
	noise := r.noise()
	bound := func(i int) float64 {
		s := &r.Strategies[i]
		return s.Score() - noise/math.Sqrt(float64(len(s.Scores)))
	}
	slices.SortStableFunc(out, func(a, b int) int {
		switch x, y := bound(a), bound(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return out
}

// noise returns the pooled standard deviation of scores of one strategy between generations.
func (r *Run) noise() float64 {
	sum, degrees := 0.0, 0
	for i := range r.Strategies {
		scores := r.Strategies[i].Scores
		for _, v := range scores {
			d := v - stats.Mean(scores)
			sum += d * d
		}
		degrees += max(0, len(scores)-1)
	}
	if degrees == 0 {
		return 0.05
	}
	return math.Sqrt(sum / float64(degrees))
}

// scoresOf returns the scores of a generation's members that met all tasks.
func scoresOf(g Generation) []float64 {
	var out []float64
	for _, m := range g.Members {
		if !m.Dropped {
			out = append(out, m.Score)
		}
	}
	return out
}

// Progress returns the figure of scores over generations.
func (r *Run) Progress() Figure {
	f := Figure{ID: "progress", Title: "Score over generations",
		Says: "Meta-fitness of the strategies of each generation, maximised. The line is the best, the dashed " +
			"line the median, the band holds the middle half. Each generation is measured on fresh keys, so " +
			"the best of one may fall below that of the last.",
		X:     Axis{Title: "generation", Ticks: r.generationTicks()},
		Y:     Axis{Title: "meta-fitness, higher is better"},
		Table: Table{Head: []string{"generation", "best", "upper quartile", "median", "lower quartile", "evaluations so far"}}}
	band := Series{Mark: Band}
	best := Series{Name: "best", Mark: Line, Strong: true}
	middle := Series{Name: "median", Mark: Line, Colour: 1}
	for _, g := range r.Generations {
		s := scoresOf(g)
		if len(s) == 0 {
			continue
		}
		low, mid, high := stats.Quantile(s, 0.25), stats.Quantile(s, 0.5), stats.Quantile(s, 0.75)
		x := float64(g.Number + 1)
		band.X, band.Low, band.High = append(band.X, x), append(band.Low, low), append(band.High, high)
		best.X, best.Y = append(best.X, x), append(best.Y, g.Best)
		middle.X, middle.Y = append(middle.X, x), append(middle.Y, mid)
		f.Table.Rows = append(f.Table.Rows, []string{fmt.Sprint(g.Number + 1), fixed(g.Best), fixed(high),
			fixed(mid), fixed(low), fmt.Sprint(g.Evaluations)})
	}
	f.Series = []Series{band, best, middle}
	f.Table.keep(40)
	return f
}

// generationTicks returns whole generations, counted from 1.
func (r *Run) generationTicks() []Tick {
	out := []Tick{}
	n := len(r.Generations)
	every := max(1, int(roundStep(float64(n)/8)))
	for k := 1; k <= n; k++ {
		if k == 1 || k%every == 0 {
			out = append(out, Tick{float64(k), fmt.Sprint(k)})
		}
	}
	return out
}

// keep thins the rows of a table to about n.
func (t *Table) keep(n int) {
	var rows [][]string
	for _, i := range thin(len(t.Rows), n) {
		rows = append(rows, t.Rows[i])
	}
	t.Rows = rows
}

// Diversity returns the figure of how different strategies and populations are.
func (r *Run) Diversity() Figure {
	f := Figure{ID: "diversity", Title: "Diversity",
		Says: "How different things are, over generations. The line is the mean distance of a generation's " +
			"strategies from their centre, relative to the first generation: it falls as the search settles. " +
			"The dashed line is the mean spread that the strategies keep in the populations they evolve.",
		X: Axis{Title: "generation", Ticks: r.generationTicks()}, Y: Axis{Title: "relative spread"},
		Table: Table{Head: []string{"generation", "among strategies", "inside populations"}}}
	among := Series{Name: "among strategies", Mark: Line, Strong: true}
	inside := Series{Name: "inside populations", Mark: Line, Colour: 1}
	first := 0.0
	for _, g := range r.Generations {
		if len(g.Members) == 0 {
			continue
		}
		spread, kept := r.spread(g), 0.0
		for _, m := range g.Members {
			kept += m.Diversity / float64(len(g.Members))
		}
		if first == 0 {
			first = spread
		}
		if first > 0 {
			spread /= first
		}
		x := float64(g.Number + 1)
		among.X, among.Y = append(among.X, x), append(among.Y, spread)
		inside.X, inside.Y = append(inside.X, x), append(inside.Y, kept)
		f.Table.Rows = append(f.Table.Rows, []string{fmt.Sprint(g.Number + 1), fixed(spread), fixed(kept)})
	}
	f.Series = []Series{among, inside}
	f.Table.keep(40)
	return f
}

// spread returns the mean distance of a generation's encoded strategies from their mean.
func (r *Run) spread(g Generation) float64 {
	centre := make([]float64, rsie.StrategySpace.Dim())
	n := float64(len(g.Members))
	for _, m := range g.Members {
		for k, v := range r.Strategies[m.Strategy].Point {
			centre[k] += v / n
		}
	}
	sum := 0.0
	for _, m := range g.Members {
		square := 0.0
		for k, v := range r.Strategies[m.Strategy].Point {
			square += (v - centre[k]) * (v - centre[k])
		}
		sum += math.Sqrt(square) / n
	}
	return sum
}

// Ancestor is a step of a line of descent.
type Ancestor struct {
	Strategy int
	Changes  []meta.Difference // to the ancestor before
}

// Lineage returns the line of descent of a strategy, its oldest known ancestor first.
func (r *Run) Lineage(at int) []Ancestor {
	var chain []int
	for seen := map[int]bool{}; at >= 0 && !seen[at]; at = r.Strategies[at].Parent {
		seen[at] = true
		chain = append(chain, at)
	}
	slices.Reverse(chain)
	var out []Ancestor
	for k, i := range chain {
		a := Ancestor{Strategy: i}
		if k > 0 {
			a.Changes = meta.Diff(r.Strategies[chain[k-1]].Genome, r.Strategies[i].Genome)
		}
		out = append(out, a)
	}
	return out
}

// floorOfPicture returns a score that all ancestors of the winner and nine of ten strategies
// reach: failures would press the others flat.
func (r *Run) floorOfPicture() float64 {
	var all []float64
	for _, i := range r.ranked() {
		all = append(all, r.Strategies[i].Score())
	}
	if len(all) == 0 {
		return 0
	}
	floor := stats.Quantile(all, 0.1)
	for _, a := range r.Lineage(r.Winner()) {
		if s := r.Strategies[a.Strategy].Score(); s < floor {
			floor = s
		}
	}
	return floor
}

// maxEdges bounds what the genealogy draws besides the winner's line; the best are kept.
const maxEdges = 600

// Genealogy returns the figure of descent with the winner's line on top.
func (r *Run) Genealogy() Figure {
	f := Figure{ID: "genealogy", Title: "Genealogy of the winner", Wide: true, Tall: 300,
		Says: "Every dot is a strategy at the generation that met it first and its mean meta-fitness; a line " +
			"joins it with its first parent. The thick line leads from a starting strategy to the winner, " +
			"its steps are numbered as in the list below.",
		X:     Axis{Title: "generation", Ticks: r.generationTicks()},
		Y:     Axis{Title: "mean meta-fitness, higher is better"},
		Table: Table{Head: []string{"step", "strategy", "generation", "meta-fitness", "genes changed"}, Text: 2}}
	others := Series{Mark: Line, Faint: true, Colour: 7}
	dots := Series{Name: "strategies", Mark: Dots, Faint: true, Colour: 7}
	order, floor, hidden := r.ranked(), r.floorOfPicture(), 0
	for k, i := range order {
		s := &r.Strategies[i]
		if s.Score() < floor {
			hidden++
			continue
		}
		x, y := float64(s.Born+1), s.Score()
		dots.X, dots.Y = append(dots.X, x), append(dots.Y, y)
		dots.Texts = append(dots.Texts, s.Name+" "+fixed(y))
		if k < maxEdges && s.Parent >= 0 && r.Strategies[s.Parent].Score() >= floor {
			p := &r.Strategies[s.Parent]
			others.X = append(others.X, float64(p.Born+1), x, x)
			others.Y = append(others.Y, p.Score(), y, math.NaN())
		}
	}
	line := Series{Name: "line of the winner", Mark: Line, Strong: true}
	steps := Series{Mark: Dots, Strong: true}
	if w := r.Winner(); w >= 0 {
		for k, a := range r.Lineage(w) {
			s := &r.Strategies[a.Strategy]
			f.Table.Rows = append(f.Table.Rows, []string{fmt.Sprint(k + 1), s.Name, fmt.Sprint(s.Born + 1),
				fixed(s.Score()), fmt.Sprint(len(a.Changes))})
			if len(s.Scores) == 0 {
				continue
			}
			x, y := float64(s.Born+1), s.Score()
			line.X, line.Y = append(line.X, x), append(line.Y, y)
			steps.X, steps.Y = append(steps.X, x), append(steps.Y, y)
			steps.Texts = append(steps.Texts, fmt.Sprintf("%d: %s %s", k+1, s.Name, fixed(y)))
			f.Labels = append(f.Labels, Label{X: x, Y: y, Text: fmt.Sprint(k + 1), Anchor: "middle", Up: 9, Strong: true})
		}
	}
	if hidden > 0 {
		f.Says += fmt.Sprintf(" %d strategies below %s are not drawn.", hidden, fixed(floor))
	}
	f.Series = []Series{others, dots, line, steps}
	f.X.Low, f.X.Up = 0.6, float64(max(1, len(r.Generations)))+0.4
	return f
}
