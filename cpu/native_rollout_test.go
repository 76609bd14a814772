//go:build cgo

package cpu

import (
	"math"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// controlPrograms loads every system with a horizon that float32 can follow: chaos multiplies the
// rounding of a step.
func controlPrograms(t testing.TB, horizon int) (out []shape) {
	for _, s := range suiteShapes() {
		if s.model.Loss != rsie.Return {
			continue
		}
		c := *s.model.Control
		c.Horizon = horizon
		m := *s.model
		m.Control = &c
		out = append(out, shape{s.name, &m, s.rows})
	}
	return out
}

// TestNativeRolloutConforms compares returns of every system with the twin's over 20 steps.
func TestNativeRolloutConforms(t *testing.T) {
	g, b := backend(t, 1), native(t, 2)
	for _, s := range controlPrograms(t, 20) {
		p, err := g.Load(s.model, s.rows)
		if err != nil {
			t.Fatal(err)
		}
		q, err := b.Load(s.model, s.rows)
		if err != nil {
			t.Fatal(err)
		}
		const n = 37
		points := make([]float64, n*s.model.Dim())
		normals(points, address{key: rsie.NewKey(5)}, rsie.StreamProblem)
		for i, v := range points {
			points[i] = float64(float32(v))
		}
		want, got := make([]float64, n*s.rows.S), make([]float64, n*s.rows.S)
		if err := g.Predict(want, p, points); err != nil {
			t.Fatal(err)
		}
		if err := b.Predict(got, q, points); err != nil {
			t.Fatal(err)
		}
		far := 0
		for i := range want {
			if math.Abs(got[i]-want[i]) > 2e-3*(1+math.Abs(want[i])) {
				if far++; far == 1 {
					t.Logf("%s: return %d is %g, want %g", s.name, i, got[i], want[i])
				}
			}
		}
		// A choice between outputs that are nearly equal may fall the other way.
		if far > len(want)/50 {
			t.Errorf("%s: %d of %d returns differ", s.name, far, len(want))
		}
	}
}

// TestNativeRolloutIsOfTheEpisode compares the fitness of members in one state with that of each
// alone: lanes, spans and neighbours may not matter.
func TestNativeRolloutIsOfTheEpisode(t *testing.T) {
	for _, s := range controlPrograms(t, 120) {
		b := native(t, 3)
		q, err := b.Load(s.model, s.rows)
		if err != nil {
			t.Fatal(err)
		}
		const n = 41
		dim := s.model.Dim()
		points := make([]float64, n*dim)
		normals(points, address{key: rsie.NewKey(6)}, rsie.StreamProblem)
		all := make([]float64, n*s.rows.S)
		if err := b.Predict(all, q, points); err != nil {
			t.Fatal(err)
		}
		fitness := evaluateOn(t, b, q, s.model, points)
		for i := range n {
			alone := evaluateOn(t, b, q, s.model, points[i*dim:][:dim])
			if alone[0] != fitness[i] {
				t.Fatalf("%s: member %d has %v among others and %v alone", s.name, i, fitness[i], alone[0])
			}
			mean := 0.0
			for _, v := range all[i*s.rows.S:][:s.rows.S] {
				mean -= v / float64(s.rows.S)
			}
			if math.Abs(mean-fitness[i]) > 1e-4*(1+math.Abs(mean)) {
				t.Fatalf("%s: member %d has fitness %v, its returns mean %v", s.name, i, fitness[i], mean)
			}
		}
	}
}

// evaluateOn returns the fitness of points as the members of one random run.
func evaluateOn(t testing.TB, b rsie.Backend, p rsie.Program, m *rsie.Model, points []float64) []float64 {
	t.Helper()
	n := len(points) / m.Dim()
	s, err := rsie.NewState(b, rsie.Shape{Name: "episodes", Dim: m.Dim(), Blocks: m.Blocks()}, rsie.Needs{Members: []int{n}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Free(b)
	for i := range n {
		if err := b.Upload(s.Next.Points, i*s.Stride, points[i*m.Dim():][:m.Dim()]); err != nil {
			t.Fatal(err)
		}
	}
	table := []rsie.Run{{Members: uint32(n), Previous: uint32(n), EvalTo: uint32(n), Family: rsie.CodeRandom, Flags: rsie.FlagActive}}
	if err := b.Do(s, table, p, []rsie.Op{rsie.OpEvaluate}); err != nil {
		t.Fatal(err)
	}
	out := make([]float64, n)
	if err := b.Download(out, s.Next.Fitness, 0); err != nil {
		t.Fatal(err)
	}
	return out
}

// BenchmarkNativeRollout times whole episodes of 256 random policies on both backends.
func BenchmarkNativeRollout(b *testing.B) {
	for _, s := range suiteShapes() {
		if s.model.Loss != rsie.Return {
			continue
		}
		points := make([]float64, 256*s.model.Dim())
		normals(points, address{key: rsie.NewKey(6)}, rsie.StreamProblem)
		for _, name := range []string{"gonum", "native"} {
			b.Run(s.name+"/backend="+name, func(b *testing.B) {
				var back rsie.Backend = native(b, 1)
				if name == "gonum" {
					back = backend(b, 1)
				}
				p, err := back.Load(s.model, s.rows)
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					evaluateOn(b, back, p, s.model, points)
				}
				b.ReportMetric(float64(256*s.rows.S)*float64(b.N)/b.Elapsed().Seconds(), "episodes/s")
			})
		}
	}
}
