package bench

import (
	"context"
	"fmt"
	"math"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// conformCases is the one table of cases. Each batch holds runs of different strategies.
func conformCases() []conformCase {
	population := covering(drawn(rsie.Population, 300))
	distribution := covering(drawn(rsie.Distribution, 300))
	iris := modelCase("classes", rsie.Model{Layers: []int{4, 7, 3}, Activation: []rsie.Activation{rsie.Tanh},
		Loss: rsie.CrossEntropy}, 33, 0)
	out := []conformCase{
		{"members of populations", "lanes, blocks of parents, counting and radix sort", iris,
			sized(population, 2, 3, 4, 7, 31, 33, 127, 128, 129, 255, 256, 257), 3, false},
		{"members of distributions", "pairs, lanes, counting and radix sort, sums over members", iris,
			sized(distribution, 4, 5, 7, 31, 32, 33, 127, 128, 129, 255, 256, 258), 3, false},
		{"odd fitness", "NaN, infinities, both zeros, denormals and ties in every order and sum", iris,
			slices.Concat(sized(population, 9, 12, 40, 64), sized(distribution, 9, 12, 40, 64)), 3, true},
		{"random search", "the family without memory", iris, sized(drawn(rsie.Random, 1), 130), 3, false},
		{"hand-designed", "every strategy that is published with the program", iris, atMost(rsie.Baselines(), 24), 5, false},
	}
	for _, d := range []int{1, 2, 31, 32, 33, 255, 256, 257, 2049} {
		out = append(out, conformCase{fmt.Sprint("parameters ", d), "padding, columns, pieces of noise; the host evaluates",
			steps{d}, slices.Concat(sized(population[:3], 5), sized(distribution[:4], 6)), 2, false})
	}
	out = append(out, networkCases(distribution)...)
	out = append(out, controlCases(slices.Concat(population[:1], distribution[:1]))...)
	return append(out, matrixCases()...)
}

// networkCases have sample counts around a tile, the leaves of a sum and what is in flight, and widths
// around the vectors of every instruction set.
func networkCases(strategies []rsie.Strategy) (out []conformCase) {
	add := func(name string, m rsie.Model, samples int, zeros float64) {
		out = append(out, conformCase{name, "samples of a tile, leaves, widths of vectors",
			modelCase(name, m, samples, zeros), sized(strategies[:2], 5, 9), 1, false})
	}
	tanh := []rsie.Activation{rsie.Tanh}
	for _, n := range []int{1, 31, 32, 33, 127, 128, 129, 1023, 1025} {
		add(fmt.Sprint("samples ", n), rsie.Model{Layers: []int{3, 5, 2}, Activation: tanh, Loss: rsie.CrossEntropy}, n, 0)
	}
	for _, w := range []int{1, 6, 7, 8, 9, 15, 16, 17} {
		add(fmt.Sprint("width ", w), rsie.Model{Layers: []int{w, w, w, w + 1}, Loss: rsie.CrossEntropy,
			Activation: []rsie.Activation{rsie.ReLU, rsie.Sigmoid}}, 40, 0)
	}
	add("no hidden layer", rsie.Model{Layers: []int{7, 2}, Loss: rsie.CrossEntropy}, 37, 0)
	add("one hot", rsie.Model{Layers: []int{40, 9, 5}, Activation: tanh, Loss: rsie.CrossEntropy}, 130, 0.9)
	add("regression", rsie.Model{Layers: []int{3, 17, 5, 2}, Loss: rsie.MeanSquared,
		Activation: []rsie.Activation{rsie.Sigmoid, rsie.Linear}}, 31, 0)
	for _, n := range []int{1, 129} {
		add(fmt.Sprint("elman ", n), rsie.Model{Network: rsie.Elman, Layers: []int{3, 6, 4}, Activation: tanh, Steps: 4,
			Loss: rsie.CrossEntropy}, n, 0)
		add(fmt.Sprint("gru ", n), rsie.Model{Network: rsie.GRU, Layers: []int{2, 9, 1}, Steps: 3, Loss: rsie.MeanSquared}, n, 0)
	}
	return out
}

// controlCases have every dynamics with numbers of episodes around those that advance together.
func controlCases(strategies []rsie.Strategy) (out []conformCase) {
	for d := rsie.CartPole; d <= rsie.Pendulum; d++ {
		_, obs, actions := d.Sizes()
		for i, episodes := range []int{1, 3, 33} {
			if (int(d)+i)%2 == 0 && i > 0 {
				continue
			}
			m := rsie.Model{Layers: []int{obs, 5 + 2*i, actions}, Activation: []rsie.Activation{rsie.Tanh}, Loss: rsie.Return,
				Control: &rsie.Control{Dynamics: d, Horizon: 60 - 59*(i%2)}}
			name := fmt.Sprintf("dynamics %d, %d episodes", d, episodes)
			out = append(out, conformCase{name, "lanes that end, wait and are refilled",
				modelCase(name, m, episodes, 0), sized(strategies, 5, 17), 2, false})
		}
	}
	return out
}

// matrixCases decompose matrices of every kind and learn every kind of covariance.
func matrixCases() (out []conformCase) {
	svd := rsie.DefaultStrategy()
	svd.Mutation = rsie.SVD
	for _, l := range [][]int{{1, 1}, {2, 3, 2}, {16, 17, 1}, {40, 5, 33}} {
		m := rsie.Model{Layers: l, Loss: rsie.CrossEntropy}
		for range len(l) - 2 {
			m.Activation = append(m.Activation, rsie.Tanh)
		}
		name := fmt.Sprint("matrices ", l)
		out = append(out, conformCase{name, "rows and columns of decompositions, spans of members",
			modelCase(name, m, 20, 0), sized([]rsie.Strategy{svd, svd, svd}, 2, 16, 19), 2, false})
	}
	var learners []rsie.Strategy
	for _, name := range []string{"cma-es", "xnes", "lm-ma-es", "cr-fm-nes", "sep-cma-es", "bipop-cma-es"} {
		s, err := rsie.Baseline(name)
		if err != nil {
			panic(err) // it is embedded
		}
		learners = append(learners, s)
	}
	for _, d := range []int{2, 17, 128, 257} {
		generations := 6
		if d > 100 {
			generations = 3
		}
		out = append(out, conformCase{fmt.Sprint("covariance ", d), "solvers, paths, the border of full matrices",
			steps{d}, learners, generations, false})
	}
	return out
}

// wholeRuns are on every kind of task but function and exec; their strategies have every value of every
// category of the space.
func wholeRuns() (out []wholeRun) {
	small := []string{"pendulum", "wine_autoencoder", "cartpole_swingup", "sunspots", "acrobot", "mountaincar", "spirals"}
	large := []string{"iris", "diabetes", "penguins"}
	add := func(s rsie.Strategy, size, generations int) {
		s.PopulationSize, s.PopulationScale = size, rsie.DefaultStrategy().PopulationScale
		if size > 20 {
			s.PopulationRule = rsie.BySize
		}
		t := small[len(out)%len(small)]
		if size > 20 {
			t = large[len(out)%len(large)]
		}
		out = append(out, wholeRun{fmt.Sprintf("%02d-%s-%d-%s", len(out)+1, s.Family, size, t), t, s, generations * size})
	}
	for _, f := range []struct {
		family rsie.Family
		sizes  []int
	}{{rsie.Population, []int{4096, 2, 3, 17, 33, 129}}, {rsie.Distribution, []int{1000, 4, 7, 16, 31, 64, 130}},
		{rsie.Random, []int{50}}} {
		for i, s := range covering(drawn(f.family, 300)) {
			size := f.sizes[i%len(f.sizes)]
			add(s, size, max(2, min(8, 150/size)))
		}
	}
	return out
}

// covering returns few of the strategies in which every value of a category or flag that is active in
// one of them is active in one: first the one with the most values, then always the one that adds most.
func covering(strategies []rsie.Strategy) (out []rsie.Strategy) {
	seen := map[string]bool{}
	for {
		best, most := -1, 0
		for k := range strategies {
			if n := len(fresh(&strategies[k], seen)); n > most {
				best, most = k, n
			}
		}
		if best < 0 {
			return out
		}
		for _, v := range fresh(&strategies[best], seen) {
			seen[v] = true
		}
		out = append(out, strategies[best])
	}
}

// fresh returns the values of active categories and flags of a strategy that were not seen.
func fresh(s *rsie.Strategy, seen map[string]bool) (out []string) {
	for _, g := range rsie.StrategySpace {
		if (g.Kind == rsie.Category || g.Kind == rsie.Flag) && (g.Active == nil || g.Active(s)) {
			if v := fmt.Sprint(g.Name, "=", g.Get(s)); !seen[v] {
				out = append(out, v)
			}
		}
	}
	return out
}

// drawn returns n strategies of a family from the whole space, those values included that are not
// searched.
func drawn(family rsie.Family, n int) (out []rsie.Strategy) {
	for k := range n {
		s := rsie.DefaultStrategy()
		s.Family = family
		key := rsie.NewKey(uint64(k))
		for i, g := range rsie.StrategySpace {
			if g.Name == "family" || g.Name == "population_size" || g.Active != nil && !g.Active(&s) {
				continue
			}
			w := key.Words(uint32(i), 0, 0, 0, rsie.StreamInitialise)
			u := rsie.Uniform(w[0])
			switch {
			case g.Kind == rsie.Category:
				g.Set(&s, float64(rsie.Below(w[0], uint32(len(g.Values)))))
			case g.Kind == rsie.Flag:
				g.Set(&s, math.Round(u))
			case g.Kind == rsie.Integer:
				g.Set(&s, math.Floor(g.Min+float64(u*(g.Max-g.Min))))
			case g.Log:
				g.Set(&s, g.Min*math.Pow(g.Max/g.Min, u))
			default:
				g.Set(&s, g.Min+float64(u*(g.Max-g.Min)))
			}
		}
		s.GenomeID = fmt.Sprintf("%s-%d", family, k)
		out = append(out, s)
	}
	return out
}

// sized returns strategies with the given population sizes; the shorter list begins again.
func sized(strategies []rsie.Strategy, sizes ...int) []rsie.Strategy {
	out := make([]rsie.Strategy, max(len(strategies), len(sizes)))
	for i := range out {
		out[i] = strategies[i%len(strategies)]
		out[i].PopulationSize, out[i].PopulationScale = sizes[i%len(sizes)], rsie.DefaultStrategy().PopulationScale
		out[i].PopulationRule = rsie.BySize
	}
	return out
}

// atMost returns strategies with smaller populations.
func atMost(strategies []rsie.Strategy, size int) []rsie.Strategy {
	out := slices.Clone(strategies)
	for i := range out {
		out[i].PopulationSize = min(out[i].PopulationSize, size)
	}
	return out
}

// steps is a problem that the host evaluates, without a rounding: the largest distance from 1/3, in
// steps of 1/64, with values that are no numbers and many ties.
type steps struct{ dim int }

func (p steps) Shape() rsie.Shape {
	shape := rsie.Shape{Name: fmt.Sprint("steps ", p.dim), Dim: p.dim, Lower: -2, Upper: 3}
	if rows := p.dim / 8; rows > 1 {
		shape.Blocks = append(shape.Blocks, rsie.Block{Rows: rows, Cols: 8, Std: 1})
	}
	if at := len(shape.Blocks) * (p.dim / 8 * 8); at < p.dim {
		shape.Blocks = append(shape.Blocks, rsie.Block{Offset: at, Rows: 1, Cols: p.dim - at, Layer: len(shape.Blocks)})
	}
	return shape
}

func (p steps) Evaluate(_ context.Context, fitness, points []float64, _ rsie.Key) error {
	for i := range fitness {
		worst := 0.0
		for _, v := range points[i*p.dim:][:p.dim] {
			worst = max(worst, math.Floor(math.Abs(v-1.0/3)*64))
		}
		switch fitness[i] = worst / 64; int(worst) % 11 {
		case 3:
			fitness[i] = math.NaN()
		case 7:
			fitness[i] = math.Inf(1)
		}
	}
	return nil
}

// modelled is a model with rows made for it.
type modelled struct {
	shape rsie.Shape
	model *rsie.Model
	rows  *rsie.Rows
}

func (p modelled) Shape() rsie.Shape         { return p.shape }
func (p modelled) Model() *rsie.Model        { return p.model }
func (p modelled) Rows(rsie.Part) *rsie.Rows { return p.rows }
func (p modelled) Evaluate(context.Context, []float64, []float64, rsie.Key) error {
	return fmt.Errorf("%w: %s is evaluated by the backend", rsie.ErrUnsupported, p.shape.Name)
}

// modelCase returns a model on so many rows, of which a share of the inputs is 0.
func modelCase(name string, m rsie.Model, samples int, zeros float64) modelled {
	if m.Network == 0 {
		m.Network = rsie.Dense
	}
	width, scale := m.Layers[0]*max(1, m.Steps), 2.0
	if m.Loss == rsie.Return {
		width, _, _ = m.Control.Dynamics.Sizes()
		scale = 0.1
	}
	key := rsie.NewKey(7)
	draw := func(i int) [4]uint32 { return key.Words(uint32(i), uint32(samples), 0, 0, rsie.StreamProblem) }
	rows := &rsie.Rows{S: samples}
	for i := range samples * width {
		w := draw(i)
		v := scale * (rsie.Uniform(w[0]) - 0.5)
		if rsie.Uniform(w[1]) < zeros {
			v = 0
		}
		rows.Inputs = append(rows.Inputs, v)
	}
	for i := range samples {
		w := draw(1<<20 + i)
		switch m.Loss {
		case rsie.CrossEntropy:
			rows.Classes = append(rows.Classes, int32(rsie.Below(w[0], uint32(m.Outputs()))))
		case rsie.MeanSquared:
			for j := range m.Outputs() {
				rows.Targets = append(rows.Targets, 2*rsie.Uniform(w[j%4])-1)
			}
		}
	}
	return modelled{rsie.Shape{Name: dashed(name), Dim: m.Dim(), Blocks: m.Blocks()}, &m, rows}
}
