package cpu

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// benchShape is a network 8-16-16-3 with sides that factors exist for.
func benchShape() rsie.Shape {
	m := &rsie.Model{Network: rsie.Dense, Layers: []int{8, 16, 16, 3}}
	return rsie.Shape{Name: "bench", Dim: m.Dim(), Blocks: m.Blocks()}
}

// benchOp times one operation on one core, on 24 runs of 50 members after three generations, where
// variant changes the default strategy. values is how many numbers it reads and writes per
// parameter of a row that it works on, for OpRank per row.
func benchOp(b *testing.B, op rsie.Op, variant string, values float64, set func(*rsie.Run)) {
	const runs, n = 24, 50
	onEngines(b, 1, size(runs, n, "8-16-16-3", 0)+"/"+variant, func(b *testing.B, g engine) {
		l := newLoop(b, g, benchShape(), repeat(n, runs), func(r int, t *rsie.Run) { set(t) })
		defer l.state.Free(g)
		for range 3 {
			l.generation()
		}
		l.fill()
		l.do(rsie.OpBreed, rsie.OpSample, rsie.OpSurvive)
		l.evaluate()
		l.do(rsie.OpRank)
		rows := map[rsie.Op]int{rsie.OpBreed: n - n/5, rsie.OpSurvive: n / 5}[op]
		if rows == 0 {
			rows = n
		}
		elements := float64(runs * rows * l.state.Shape.Dim)
		if op == rsie.OpRank {
			elements = runs * n
		}
		if op == rsie.OpInitialise {
			for r := range l.table {
				l.table[r].Flags |= rsie.FlagBegin
			}
		}
		rate := timed(b, func() { l.do(op) })
		b.ReportMetric(elements*rate, "elements/s")
		reportBytes(b, g, values*elements, rate)
	})
}

// distribution makes t a run of OpenAI-ES with Adam.
func distribution(t *rsie.Run) {
	t.Family, t.Update = rsie.CodeDistribution, rsie.CodeAdam
	t.Recombine, t.Control, t.Scales = rsie.CodeCentred, rsie.CodeNoControl, rsie.CodeNoScales
	t.Sampling = rsie.CodeNormal
	t.Covariance, t.Density, t.StartHidden, t.StartOutput = rsie.CodeNoCovariance, 1, 1, 1
	t.OutputStep, t.Sigma, t.LearningRate, t.Momentum, t.SecondRate = 1, 0.1, 1, 0.9, 0.001
	t.MuEff, t.StartShare = 1, 1
}

// natural makes t a run of SNES with the given rate of the scales.
func natural(t *rsie.Run, rate float64) {
	distribution(t)
	t.Update, t.Momentum, t.Recombine = rsie.CodePlain, 0, rsie.CodeUtility
	t.Scales, t.ScaleRate = rsie.CodeNatural, rate
}

func plain(*rsie.Run) {}

func BenchmarkInitialise(b *testing.B) { benchOp(b, rsie.OpInitialise, "normal", 1, plain) }

func BenchmarkBreed(b *testing.B) {
	benchOp(b, rsie.OpBreed, "gaussian", 3, plain)
	benchOp(b, rsie.OpBreed, "gaussian-dense", 3, func(t *rsie.Run) { t.Rate = 1 })
	benchOp(b, rsie.OpBreed, "svd", 3, func(t *rsie.Run) { t.Mutation = rsie.CodeSVD })
	benchOp(b, rsie.OpBreed, "differential", 5, differential)
}

func BenchmarkSample(b *testing.B) {
	benchOp(b, rsie.OpSample, "normal", 1, distribution)
	benchOp(b, rsie.OpSample, "mirrored", 1, func(t *rsie.Run) { distribution(t); t.Flags |= rsie.FlagMirrored })
}

func BenchmarkSurvive(b *testing.B) { benchOp(b, rsie.OpSurvive, "elites", 2, plain) }

func BenchmarkRank(b *testing.B) { benchOp(b, rsie.OpRank, "order", 2, plain) }

func BenchmarkShare(b *testing.B) {
	// Half of the other members' rows are read for each; a distance that ends early reads less.
	benchOp(b, rsie.OpShare, "sharing", 25, func(t *rsie.Run) { t.Flags |= rsie.FlagSharing })
}

func BenchmarkMeasure(b *testing.B) { benchOp(b, rsie.OpMeasure, "spread", 2, plain) }

func BenchmarkUpdate(b *testing.B) {
	benchOp(b, rsie.OpUpdate, "adam", 1, distribution)
	benchOp(b, rsie.OpUpdate, "natural", 1, func(t *rsie.Run) { natural(t, 0.1) })
}

// BenchmarkFactor times the decomposition of 256 normal matrices on one core.
func BenchmarkFactor(b *testing.B) {
	const members = 256
	for _, c := range [][2]int{{32, 10}, {64, 32}, {128, 64}} {
		onEngines(b, 1, fmt.Sprintf("R=1/N=%d/matrix=%dx%d", members, c[0], c[1]), func(b *testing.B, g engine) {
			var points [][]float64
			for i := range members {
				x := make([]float64, c[0]*c[1]+3)
				normals(x, address{key: rsie.NewKey(3), member: uint32(i)}, rsie.StreamInitialise)
				points = append(points, x)
			}
			s, table := populations(b, g, matrixShape(c[0], c[1]), rsie.CodeSVD, points)
			none := make([]float64, s.Next.Factored.Len())
			rate := timed(b, func() {
				must(b, g.Upload(s.Next.Factored, 0, none))
				must(b, g.Do(s, table, nil, []rsie.Op{rsie.OpFactor}))
			})
			b.ReportMetric(members*rate, "matrices/s")
		})
	}
}

// BenchmarkMutate times children that are copies of one parent with Gaussian mutation at rate 0.1,
// on one core. 64 x 1,500 numbers of 4 bytes, parents and children, lie in the second cache.
func BenchmarkMutate(b *testing.B) {
	for _, c := range [][2]int{{64, 1500}, {1024, 48828}} {
		onEngines(b, 1, fmt.Sprintf("R=1/N=%d/D=%d", c[0], c[1]), func(b *testing.B, g engine) {
			n := uint32(c[0])
			s, err := rsie.NewState(g, oneBlock(c[1]), rsie.Needs{Members: []int{c[0]}})
			must(b, err)
			defer s.Free(g)
			table := []rsie.Run{{Seed: 1, Members: n, Previous: n, EvalTo: n, Tournament: 1, Eligible: 1, Niche: 1,
				Family: rsie.CodePopulation, Selection: rsie.CodeTournament, Mutation: rsie.CodeGaussian,
				Crossover: rsie.CodeAveraging, Rate: 0.1, Strength: 0.01, Flags: rsie.FlagActive | rsie.FlagBegin}}
			must(b, g.Do(s, table, nil, []rsie.Op{rsie.OpInitialise, rsie.OpRank, rsie.OpShare}))
			s.Swap()
			table[0].Flags, table[0].Generation = rsie.FlagActive, 1
			rate := timed(b, func() { must(b, g.Do(s, table, nil, []rsie.Op{rsie.OpBreed})) })
			b.ReportMetric(float64(c[0]*c[1])*rate, "elements/s")
			reportBytes(b, g, float64(2*c[0]*c[1]), rate)
		})
	}
}

// BenchmarkAskTell times sampling, rank and update of strategies of 256 members on one core, with
// fitness as given.
func BenchmarkAskTell(b *testing.B) {
	const n = 256
	for _, dim := range []int{1000, 100000} {
		for _, c := range []struct {
			name string
			set  func(*rsie.Run)
		}{{"openai", mirrored}, {"snes", func(t *rsie.Run) { natural(t, 0.01) }}, {"sep-cma", separable}} {
			onEngines(b, 1, fmt.Sprintf("R=1/N=%d/D=%d/%s", n, dim, c.name), func(b *testing.B, g engine) {
				l := newLoop(b, g, oneBlock(dim), []int{n}, func(_ int, t *rsie.Run) { c.set(t) })
				defer l.state.Free(g)
				fitness := make([]float64, n)
				for i := range fitness {
					fitness[i] = math.Sin(float64(i))
				}
				l.put(l.state.Next.Fitness, 0, fitness)
				rate := timed(b, func() {
					l.table[0].Generation++
					l.do(rsie.OpSample)
					l.do(rsie.OpRank, rsie.OpUpdate)
				})
				b.ReportMetric(rate, "generations/s")
				reportBytes(b, g, float64(2*n*dim), rate) // points are written and read
			})
		}
	}
}

// mirrored is OpenAI-ES with sampling in pairs.
func mirrored(t *rsie.Run) { distribution(t); t.Flags |= rsie.FlagMirrored; t.LearningRate = 0.01 }

// separable is Sep-CMA-ES.
func separable(t *rsie.Run) {
	natural(t, 0.01)
	t.Scales, t.Recombine, t.Mu, t.WeightExponent = rsie.CodeSepCMA, rsie.CodeLogarithmic, 128, 1
	t.Control, t.StepGain, t.PathRate, t.PathDamping = rsie.CodeCumulative, 1, 0.1, 1.1
	t.CovPathRate, t.CovRankOne, t.CovRankMu, t.MuEff = 0.01, 1e-3, 1e-2, 60
}

// BenchmarkGeneration times whole generations of 600 runs of 50 members, for networks of the
// embedded suite, and reports the share of time outside OpEvaluate.
func BenchmarkGeneration(b *testing.B) {
	for _, c := range []struct {
		name    string
		network string
		set     func(r int, t *rsie.Run)
	}{
		{"default", "wine", func(_ int, t *rsie.Run) { t.Rate = 0.1 }},
		{"adam", "wine", func(_ int, t *rsie.Run) { mirrored(t) }},
		{"snes", "wine", func(_ int, t *rsie.Run) { natural(t, 0.1) }},
		{"assembled", "wine", func(_ int, t *rsie.Run) {
			mirrored(t)
			t.Scales, t.ScaleRate, t.Control = rsie.CodeLikelihood, 0.05, rsie.CodeCumulative
			t.PathRate, t.PathDamping, t.StepGain, t.Pull = 0.3, 1.3, 1, 0.1
		}},
		{"dense", "wine", func(_ int, t *rsie.Run) { t.Rate = 1 }},
		{"svd", "wine", func(_ int, t *rsie.Run) { t.Mutation = rsie.CodeSVD }},
		{"sharing", "wine", func(_ int, t *rsie.Run) { t.Flags |= rsie.FlagSharing }},
		{"mixed", "wine", func(r int, t *rsie.Run) { mixed(r%16, t) }},
		{"default", "iris", func(_ int, t *rsie.Run) { t.Rate = 0.1 }},
		{"adam", "iris", func(_ int, t *rsie.Run) { mirrored(t) }},
		{"adam", "spirals", func(_ int, t *rsie.Run) { mirrored(t) }},
		{"adam", "breast_cancer", func(_ int, t *rsie.Run) { mirrored(t) }},
		{"adam", "sines", func(_ int, t *rsie.Run) { mirrored(t) }},
		{"adam", "pendulum", func(_ int, t *rsie.Run) { mirrored(t) }},
	} {
		const runs = 600
		onEngines(b, 0, fmt.Sprintf("R=%d/N=50/net=%s/%s", runs, c.network, c.name), func(b *testing.B, g engine) {
			timeGenerations(b, []*generations{newGenerations(b, g, c.network, runs, c.set)})
		})
	}
}

// BenchmarkSuite times a generation of 60 runs of 50 members on each of the ten training tasks of
// the embedded suite, 600 runs in all, and reports the share of time outside OpEvaluate.
func BenchmarkSuite(b *testing.B) {
	kinds := func(r int, t *rsie.Run) {
		switch r % 3 {
		case 1:
			distribution(t)
			t.Flags |= rsie.FlagMirrored
		case 2:
			natural(t, 0.1)
		}
	}
	for _, c := range []struct {
		name string
		set  func(r int, t *rsie.Run)
	}{
		{"default", func(_ int, t *rsie.Run) { t.Rate = 0.1 }},
		{"mixed", kinds},
	} {
		onEngines(b, 0, "R=600/N=50/net=all/"+c.name, func(b *testing.B, g engine) {
			var all []*generations
			for _, name := range []string{"iris", "wine", "digits", "breast_cancer", "diabetes", "spirals",
				"sines", "cartpole_swingup", "pendulum", "acrobot"} {
				all = append(all, newGenerations(b, g, name, 60, c.set))
			}
			timeGenerations(b, all)
		})
	}
}

// generations steps runs on one network and counts.
type generations struct {
	loop        *loop
	program     rsie.Program
	inside      time.Duration // in OpEvaluate
	evaluations int
}

func newGenerations(b *testing.B, g engine, network string, runs int, set func(r int, t *rsie.Run)) *generations {
	shapes := suiteShapes()
	i := slices.IndexFunc(shapes, func(s shape) bool { return s.name == network })
	if i < 0 {
		b.Fatalf("no network %s", network)
	}
	m := shapes[i].model
	p, err := g.Load(m, shapes[i].rows)
	if err != nil {
		b.Fatal(err)
	}
	l := newLoop(b, g, rsie.Shape{Name: network, Dim: m.Dim(), Blocks: m.Blocks()}, repeat(50, runs), set)
	return &generations{loop: l, program: p}
}

var (
	benchAsk      = []rsie.Op{rsie.OpBreed, rsie.OpSample, rsie.OpSurvive}
	benchEvaluate = []rsie.Op{rsie.OpEvaluate}
	benchTell     = []rsie.Op{rsie.OpRank, rsie.OpMeasure, rsie.OpShare, rsie.OpUpdate, rsie.OpFactor}
)

func (s *generations) step(b *testing.B) {
	l := s.loop
	l.fill()
	if l.spent > 0 {
		l.do(benchAsk...)
	}
	start := time.Now()
	if err := l.g.Do(l.state, l.table, s.program, benchEvaluate); err != nil {
		b.Fatal(err)
	}
	s.inside += time.Since(start)
	l.do(benchTell...)
	l.state.Swap()
	l.spent++
	for r := range l.table {
		s.evaluations += int(l.table[r].EvalTo - l.table[r].EvalFrom)
	}
}

// timeGenerations steps all in turn, after one generation that is not counted.
func timeGenerations(b *testing.B, all []*generations) {
	for _, s := range all {
		s.step(b)
		s.inside, s.evaluations = 0, 0
	}
	b.ReportAllocs()
	start := cpuSeconds()
	for b.Loop() {
		for _, s := range all {
			s.step(b)
		}
	}
	used := cpuSeconds() - start
	inside, evaluations := time.Duration(0), 0
	for _, s := range all {
		inside += s.inside
		evaluations += s.evaluations
	}
	b.ReportMetric(float64(evaluations)/used, "evaluations/s")
	b.ReportMetric(100*(1-inside.Seconds()/b.Elapsed().Seconds()), "%outside")
}
