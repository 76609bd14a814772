package report

import (
	"fmt"
	"math"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/stats"
)

// geneChoice is how many genes of each sort the pictures show.
const geneChoice = 6

// GeneFrequencies returns, for each of the choices between values that moved most, the figure of
// the share of each value over generations.
func (r *Run) GeneFrequencies() []Figure {
	return r.geneFigures("share", func(g rsie.Gene) bool {
		return g.Kind == rsie.Category || g.Kind == rsie.Flag
	}, r.frequency)
}

// GeneDrift returns the same for genes that are numbers: median and middle half.
func (r *Run) GeneDrift() []Figure {
	return r.geneFigures("value", func(g rsie.Gene) bool {
		return g.Kind == rsie.Real || g.Kind == rsie.Integer
	}, r.drift)
}

// geneFigures draws the chosen genes that are active in the winner or among the strategies and
// changed most between the first and the last generation.
func (r *Run) geneFigures(kind string, is func(rsie.Gene) bool, draw func(int) Figure) []Figure {
	if len(r.Generations) < 2 {
		return nil
	}
	type moved struct {
		gene int
		by   float64
	}
	var all []moved
	for k, g := range rsie.StrategySpace {
		if !is(g) {
			continue
		}
		if by := r.movement(k); by > 0 {
			all = append(all, moved{k, by})
		}
	}
	slices.SortStableFunc(all, func(a, b moved) int {
		switch {
		case a.by > b.by:
			return -1
		case a.by < b.by:
			return 1
		}
		return 0
	})
	var out []Figure
	for _, m := range all[:min(geneChoice, len(all))] {
		f := draw(m.gene)
		f.ID = fmt.Sprintf("gene-%s-%d", kind, m.gene)
		out = append(out, f)
	}
	return out
}

// values returns the values of a gene in a generation, of the members in which it has an effect.
func (r *Run) values(g Generation, gene int) []float64 {
	var out []float64
	of := rsie.StrategySpace[gene]
	for _, m := range g.Members {
		if s := r.Strategies[m.Strategy].Genome; of.IsActive(&s) {
			out = append(out, of.Get(&s))
		}
	}
	return out
}

// movement returns how far a gene went from the first to the last generation: half the sum of
// the differences of shares (total variation), or the difference of median places.
func (r *Run) movement(gene int) float64 {
	first, last := r.Generations[0], r.Generations[len(r.Generations)-1]
	a, b := r.values(first, gene), r.values(last, gene)
	if len(a) == 0 || len(b) == 0 || 2*len(b) < len(last.Members) {
		return 0
	}
	of := rsie.StrategySpace[gene]
	if of.Kind == rsie.Category || of.Kind == rsie.Flag {
		sum := 0.0
		for v := range int(of.Max) + 1 {
			sum += math.Abs(shareOf(a, float64(v))-shareOf(b, float64(v))) / 2
		}
		return sum
	}
	return math.Abs(position(of, stats.Quantile(b, 0.5)) - position(of, stats.Quantile(a, 0.5)))
}

// position is the place of a value in the searched range of its gene.
func position(g rsie.Gene, v float64) float64 {
	v = min(max(v, g.Min), g.Max)
	if g.Log {
		return math.Log(v/g.Min) / math.Log(g.Max/g.Min)
	}
	return (v - g.Min) / (g.Max - g.Min)
}

func shareOf(x []float64, v float64) float64 {
	n := 0
	for _, y := range x {
		if y == v {
			n++
		}
	}
	if len(x) == 0 {
		return 0
	}
	return float64(n) / float64(len(x))
}

func (r *Run) frequency(gene int) Figure {
	g := rsie.StrategySpace[gene]
	f := Figure{Title: g.Name, Tall: 170, Small: true,
		Says: "Share of each value of " + g.Name + " among the strategies in which it has an effect, by generation.",
		X:    Axis{Title: "generation", Ticks: r.generationTicks()}, Y: Axis{Low: 0, Up: 1,
			Ticks: []Tick{{0, "0 %"}, {0.5, "50 %"}, {1, "100 %"}}},
		Table: Table{Head: []string{"generation"}}}
	names := g.Values
	if g.Kind == rsie.Flag {
		names = []string{"false", "true"}
	}
	var xs []float64
	var shares [][]float64
	used := make([]bool, len(names))
	for _, at := range r.Generations {
		v := r.values(at, gene)
		if len(v) == 0 {
			continue
		}
		row := make([]float64, len(names))
		for k := range names {
			row[k] = shareOf(v, float64(k))
			used[k] = used[k] || row[k] > 0
		}
		xs, shares = append(xs, float64(at.Number+1)), append(shares, row)
	}
	colour := 0
	base := make([]float64, len(xs))
	rows := make([][]string, len(xs))
	for i := range xs {
		rows[i] = []string{fmt.Sprint(int(xs[i]))}
	}
	for k, name := range names {
		if !used[k] {
			continue
		}
		s := Series{Name: name, Mark: Area, X: xs, Low: slices.Clone(base), Colour: colour}
		colour++
		f.Table.Head = append(f.Table.Head, name)
		for i := range xs {
			base[i] += shares[i][k]
			rows[i] = append(rows[i], fmt.Sprintf("%.0f %%", 100*shares[i][k]))
		}
		s.High = slices.Clone(base)
		f.Series = append(f.Series, s)
	}
	f.Table.Rows = rows
	f.Table.keep(12)
	return f
}

func (r *Run) drift(gene int) Figure {
	g := rsie.StrategySpace[gene]
	f := Figure{Title: g.Name, Tall: 170, Small: true,
		Says: "Median of " + g.Name + " over generations with the middle half as a band, among the strategies in " +
			"which it has an effect; the dotted line is the winner's value.",
		X: Axis{Title: "generation", Ticks: r.generationTicks()}, Y: Axis{Log: g.Log && g.Min > 0},
		Table: Table{Head: []string{"generation", "lower quartile", "median", "upper quartile"}}}
	band, line := Series{Mark: Band}, Series{Name: "median", Mark: Line, Strong: true}
	for _, at := range r.Generations {
		v := r.values(at, gene)
		if len(v) == 0 {
			continue
		}
		low, mid, high := stats.Quantile(v, 0.25), stats.Quantile(v, 0.5), stats.Quantile(v, 0.75)
		x := float64(at.Number + 1)
		band.X, band.Low, band.High = append(band.X, x), append(band.Low, low), append(band.High, high)
		line.X, line.Y = append(line.X, x), append(line.Y, mid)
		f.Table.Rows = append(f.Table.Rows, []string{fmt.Sprint(at.Number + 1), compact(low), compact(mid), compact(high)})
	}
	f.Series = []Series{band, line}
	if w := r.Winner(); w >= 0 && len(line.X) > 0 && g.IsActive(&r.Strategies[w].Genome) {
		v := g.Get(&r.Strategies[w].Genome)
		f.Series = append(f.Series, Series{Name: "winner " + compact(v), Mark: Line, Colour: 2,
			X: []float64{line.X[0], line.X[len(line.X)-1]}, Y: []float64{v, v}})
	}
	f.Table.keep(12)
	return f
}

// The lines and axes of the parallel coordinates; more than manyLines are drawn pale.
const (
	parallelLines = 250
	parallelAxes  = 8
	manyLines     = 60
)

// Parallel returns the parallel coordinates of the strategies over the genes that go with the
// score.
func (r *Run) Parallel() Figure {
	f := Figure{ID: "parallel", Title: "Genes and scores side by side", Wide: true, Tall: 360,
		Says: "Every line is a strategy; it crosses each axis at its value of that gene, from the lower end of " +
			"the searched range to the upper, and the last at its mean meta-fitness. Dark lines score best, the thick one is the winner. Where dark " +
			"lines bundle, good strategies agree. The genes are those that rank together with the score.",
		X: Axis{Vertical: true, Ticks: []Tick{}}, Y: Axis{Low: -0.06, Up: 1.06, Hidden: true},
		Table: Table{Head: []string{"gene", "winner", "median of the best tenth", "median of all", "rank correlation with score"}, Text: 2}}
	order := r.ranked()
	genes := r.scoredGenes(order)
	if len(order) < 3 || len(genes) < 2 {
		return f
	}
	f.X.Low, f.X.Up = -0.35, float64(len(genes))+0.35
	for k, g := range genes {
		of := rsie.StrategySpace[g.gene]
		f.X.Ticks = append(f.X.Ticks, Tick{float64(k), of.Name})
		f.poleEnds(k, ends(of, true), ends(of, false))
		f.Table.Rows = append(f.Table.Rows, r.geneRow(order, g))
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, i := range order {
		low, high = min(low, r.Strategies[i].Score()), max(high, r.Strategies[i].Score())
	}
	f.X.Ticks = append(f.X.Ticks, Tick{float64(len(genes)), "meta-fitness"})
	f.poleEnds(len(genes), fixed(high), fixed(low))
	pick := thin(len(order), parallelLines)
	slices.Reverse(pick) // the best is drawn last
	for _, k := range pick {
		s := r.parallelLine(order[k], genes, low, high)
		s.Shade, s.Faint = 1+min(4, 5*(len(order)-1-k)/len(order)), len(pick) > manyLines
		f.Series = append(f.Series, s)
	}
	if w := r.Winner(); w >= 0 {
		s := r.parallelLine(w, genes, low, high)
		s.Name, s.Strong = "winner", true
		f.Series = append(f.Series, s)
	}
	return f
}

// poleEnds writes the values at the ends of axis k.
func (f *Figure) poleEnds(k int, up, low string) {
	f.Labels = append(f.Labels, Label{X: float64(k), Y: 1, Text: up, Anchor: "middle", Up: 6},
		Label{X: float64(k), Y: 0, Text: low, Anchor: "middle", Up: -14})
}

// ends returns the text at an end of a gene's axis.
func ends(g rsie.Gene, upper bool) string {
	v := g.Min
	if upper {
		v = g.Max
	}
	switch {
	case g.Kind == rsie.Category:
		return g.Values[int(v)]
	case g.Kind == rsie.Flag:
		return fmt.Sprint(upper)
	}
	return compact(v)
}

type scoredGene struct {
	gene int
	rho  float64
}

// scoredGenes returns the genes with most rank correlation with the score, in the order of the
// space.
func (r *Run) scoredGenes(order []int) []scoredGene {
	var all []scoredGene
	for k, g := range rsie.StrategySpace {
		var x, y []float64
		for _, i := range order {
			if s := r.Strategies[i].Genome; g.IsActive(&s) {
				x, y = append(x, g.Get(&s)), append(y, r.Strategies[i].Score())
			}
		}
		// A gene that is on in few strategies is no axis for all.
		if len(x) < 3 || 5*len(x) < 3*len(order) || slices.Max(x) == slices.Min(x) {
			continue
		}
		if rho, _, err := stats.Spearman(x, y); err == nil && !math.IsNaN(rho) {
			all = append(all, scoredGene{k, rho})
		}
	}
	slices.SortStableFunc(all, func(a, b scoredGene) int {
		switch x, y := math.Abs(a.rho), math.Abs(b.rho); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	all = all[:min(parallelAxes, len(all))]
	slices.SortFunc(all, func(a, b scoredGene) int { return a.gene - b.gene })
	return all
}

// parallelLine is the line of a strategy over the genes and its score, which goes from low to high.
func (r *Run) parallelLine(at int, genes []scoredGene, low, high float64) Series {
	s := Series{Mark: Line}
	for k, g := range genes {
		of := rsie.StrategySpace[g.gene]
		y := math.NaN()
		if genome := r.Strategies[at].Genome; of.IsActive(&genome) {
			y = position(of, of.Get(&genome))
		}
		s.X, s.Y = append(s.X, float64(k)), append(s.Y, y)
	}
	y := 0.5
	if high > low {
		y = (r.Strategies[at].Score() - low) / (high - low)
	}
	s.X, s.Y = append(s.X, float64(len(genes))), append(s.Y, y)
	return s
}

// geneRow is a line of the table of the parallel coordinates.
func (r *Run) geneRow(order []int, g scoredGene) []string {
	of := rsie.StrategySpace[g.gene]
	row := []string{of.Name, "-"}
	if w := r.Winner(); w >= 0 && of.IsActive(&r.Strategies[w].Genome) {
		row[1] = of.Format(&r.Strategies[w].Genome)
	}
	for _, n := range []int{max(1, len(order)/10), len(order)} {
		var x []float64
		for _, i := range order[:n] {
			if s := r.Strategies[i].Genome; of.IsActive(&s) {
				x = append(x, of.Get(&s))
			}
		}
		switch {
		case len(x) == 0:
			row = append(row, "-")
		case of.Kind == rsie.Category || of.Kind == rsie.Flag:
			row = append(row, mostFrequent(of, x))
		default:
			row = append(row, compact(stats.Quantile(x, 0.5)))
		}
	}
	return append(row, fmt.Sprintf("%+.2f", g.rho))
}

// mostFrequent names the value that most have.
func mostFrequent(g rsie.Gene, x []float64) string {
	best := 0.0
	for v := range int(g.Max) + 1 {
		if shareOf(x, float64(v)) > shareOf(x, best) {
			best = float64(v)
		}
	}
	if g.Kind == rsie.Flag {
		return fmt.Sprint(best == 1)
	}
	return g.Values[int(best)]
}
