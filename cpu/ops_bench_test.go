package cpu

import (
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

// benchOp times one operation on 24 runs of 50 members after a first generation. values is how
// many numbers of 8 bytes it reads and writes per parameter of a row
// that it works on, for OpRank per row.
func benchOp(b *testing.B, op rsie.Op, values int, set func(*rsie.Run)) {
	g, err := NewGonum(0)
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close()
	const runs, n = 24, 50
	l := newLoop(b, g, benchShape(), repeat(n, runs), func(r int, t *rsie.Run) { set(t) })
	defer l.state.Free(g)
	for range 3 {
		l.generation()
	}
	l.fill()
	l.do(rsie.OpBreed, rsie.OpSample, rsie.OpSurvive)
	l.evaluate()
	l.do(rsie.OpRank)
	ops := []rsie.Op{op}
	rows := n
	switch op {
	case rsie.OpBreed:
		rows = n - n/5
	case rsie.OpSurvive:
		rows = n / 5
	}
	elements := runs * rows * l.state.Shape.Dim
	if op == rsie.OpRank {
		elements = runs * n
	}
	b.SetBytes(int64(8 * values * elements))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if op == rsie.OpFactor {
			clear(l.state.Next.Factored.(*buffer).indices)
		}
		if err := g.Do(l.state, l.table, nil, ops); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(elements)*float64(b.N)/b.Elapsed().Seconds(), "elements/s")
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

func BenchmarkInitialise(b *testing.B) { benchOp(b, rsie.OpInitialise, 1, func(*rsie.Run) {}) }
func BenchmarkBreed(b *testing.B)      { benchOp(b, rsie.OpBreed, 3, func(*rsie.Run) {}) }
func BenchmarkBreedDense(b *testing.B) {
	benchOp(b, rsie.OpBreed, 3, func(t *rsie.Run) { t.Rate = 1 })
}
func BenchmarkBreedSVD(b *testing.B) {
	benchOp(b, rsie.OpBreed, 3, func(t *rsie.Run) { t.Mutation = rsie.CodeSVD })
}
func BenchmarkSample(b *testing.B)  { benchOp(b, rsie.OpSample, 1, distribution) }
func BenchmarkSurvive(b *testing.B) { benchOp(b, rsie.OpSurvive, 2, func(*rsie.Run) {}) }
func BenchmarkRank(b *testing.B)    { benchOp(b, rsie.OpRank, 2, func(*rsie.Run) {}) }
func BenchmarkShare(b *testing.B) {
	// Half of the other members' rows are read for each; a distance that ends early reads less.
	benchOp(b, rsie.OpShare, 25, func(t *rsie.Run) { t.Flags |= rsie.FlagSharing })
}
func BenchmarkMeasure(b *testing.B) { benchOp(b, rsie.OpMeasure, 2, func(*rsie.Run) {}) }
func BenchmarkUpdate(b *testing.B)  { benchOp(b, rsie.OpUpdate, 1, distribution) }
func BenchmarkUpdateNatural(b *testing.B) {
	benchOp(b, rsie.OpUpdate, 1, func(t *rsie.Run) {
		natural(t, 0.1)
	})
}
func BenchmarkFactor(b *testing.B) {
	benchOp(b, rsie.OpFactor, 1, func(t *rsie.Run) { t.Mutation = rsie.CodeSVD })
}

// BenchmarkGeneration times whole generations of 600 runs of 50 members, for networks of the
// embedded suite, and reports the share of time outside OpEvaluate.
func BenchmarkGeneration(b *testing.B) {
	mirrored := func(t *rsie.Run) { distribution(t); t.Flags |= rsie.FlagMirrored }
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
		b.Run(c.network+"/"+c.name, func(b *testing.B) { benchGeneration(b, c.network, c.set) })
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
		b.Run(c.name, func(b *testing.B) {
			var all []*generations
			for _, name := range []string{"iris", "wine", "digits", "breast_cancer", "diabetes", "spirals",
				"sines", "cartpole_swingup", "pendulum", "acrobot"} {
				all = append(all, newGenerations(b, name, 60, c.set))
			}
			timeGenerations(b, all)
		})
	}
}

func benchGeneration(b *testing.B, network string, set func(r int, t *rsie.Run)) {
	timeGenerations(b, []*generations{newGenerations(b, network, 600, set)})
}

// generations steps runs on one network and counts.
type generations struct {
	loop        *loop
	program     rsie.Program
	inside      time.Duration // in OpEvaluate
	evaluations int
}

func newGenerations(b *testing.B, network string, runs int, set func(r int, t *rsie.Run)) *generations {
	g := backend(b, 0)
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
	for b.Loop() {
		for _, s := range all {
			s.step(b)
		}
	}
	inside, evaluations := time.Duration(0), 0
	for _, s := range all {
		inside += s.inside
		evaluations += s.evaluations
	}
	b.ReportMetric(float64(evaluations)/b.Elapsed().Seconds(), "evaluations/s")
	b.ReportMetric(100*(1-inside.Seconds()/b.Elapsed().Seconds()), "%outside")
}
