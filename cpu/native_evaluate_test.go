//go:build cgo

package cpu

import (
	"fmt"
	"math"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/kernels"
)

// levels are the variants that this CPU has.
func levels() []kernels.Level {
	return []kernels.Level{kernels.Scalar, kernels.AVX2, kernels.AVX512}[:kernels.CPULevel()+1]
}

// nativeAt returns a backend of a variant.
func nativeAt(t testing.TB, level kernels.Level, workers int) *Native {
	t.Helper()
	b := native(t, workers)
	b.level = level
	return b
}

// nativeFitness returns what b makes of points.
func nativeFitness(t testing.TB, b *Native, m *rsie.Model, rows *rsie.Rows, points [][]float64) []float64 {
	t.Helper()
	p, err := b.Load(m, rows)
	if err != nil {
		t.Fatal(err)
	}
	s, runs := populations(t, b, modelShape(m), rsie.CodeGaussian, points)
	if err := b.Do(s, runs, p, []rsie.Op{rsie.OpEvaluate}); err != nil {
		t.Fatal(err)
	}
	out := make([]float64, len(points))
	if err := b.Download(out, s.Next.Fitness, 0); err != nil {
		t.Fatal(err)
	}
	return out
}

// evaluateShapes are networks of every kind, loss and activation, with sizes around the cut-offs:
// groups of outputs, vectors and tiles of samples.
func evaluateShapes() []shape {
	var out []shape
	for _, s := range suiteShapes() {
		if s.model.Loss != rsie.Return {
			out = append(out, s)
		}
	}
	sizes := []int{1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 127, 128, 129, 150, 257}
	for i, n := range sizes {
		act := rsie.Activation(1 + i%4)
		dense := &rsie.Model{Network: rsie.Dense, Layers: []int{1 + i%5, 1 + i, 2 + i%13}, Loss: rsie.CrossEntropy,
			Activation: []rsie.Activation{act}}
		linear := &rsie.Model{Network: rsie.Dense, Layers: []int{3, 1 + i}, Loss: rsie.MeanSquared}
		elman := &rsie.Model{Network: rsie.Elman, Layers: []int{1 + i%3, 1 + i%11, 2}, Steps: 1 + i%4,
			Activation: []rsie.Activation{act}, Loss: rsie.CrossEntropy}
		gru := &rsie.Model{Network: rsie.GRU, Layers: []int{1 + i%3, 1 + i%11, 2}, Steps: 1 + i%4, Loss: rsie.MeanSquared}
		for _, m := range []*rsie.Model{dense, linear, elman, gru} {
			out = append(out, shape{fmt.Sprintf("%d/%v/%d", m.Network, m.Layers, n), m, sineRows(m, n)})
		}
	}
	return out
}

// TestNativeEvaluates compares fitness and outputs of every variant with the twin's, and the
// variants with each other to the bit, for one, two and seven workers.
func TestNativeEvaluates(t *testing.T) {
	for _, s := range evaluateShapes() {
		var points [][]float64
		for i := range 5 {
			x := conformancePoint(s.model, float64(i))
			for j := range x {
				x[j] = float64(float32(x[j]))
			}
			points = append(points, x)
		}
		twin, err := load(s.model, s.rows, 1)
		if err != nil {
			t.Fatal(err)
		}
		var first []float64
		for _, level := range levels() {
			for _, workers := range []int{1, 2, 7} {
				if level == kernels.Scalar && workers > 1 && s.rows.S > 300 {
					continue // seconds each
				}
				got := nativeFitness(t, nativeAt(t, level, workers), s.model, s.rows, points)
				if first == nil {
					first = got
				}
				for i, x := range points {
					if want := fitnessOf(twin, x); math.Abs(got[i]-want) > 2e-6*(1+want) {
						t.Errorf("%s: %v: fitness of point %d is %.9g, want %.9g", s.name, level, i, got[i], want)
					}
					if got[i] != first[i] {
						t.Errorf("%s: %v, %d workers: fitness %x, scalar with one %x", s.name, level, workers, got[i], first[i])
					}
				}
			}
		}
	}
}

// TestNativePredicts compares outputs.
func TestNativePredicts(t *testing.T) {
	for _, s := range evaluateShapes() {
		points := append(conformancePoint(s.model, 0), conformancePoint(s.model, 1)...)
		twin, err := load(s.model, s.rows, 1)
		if err != nil {
			t.Fatal(err)
		}
		n, width := s.model.Dim(), s.rows.S*s.model.Outputs()
		want := make([]float64, 2*width)
		twin.predict(want[:width], 0, points[:n])
		twin.predict(want[width:], 0, points[n:])
		var first []float64
		for _, level := range levels() {
			b, got := nativeAt(t, level, 2), make([]float64, len(want))
			p, err := b.Load(s.model, s.rows)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Predict(got, p, points); err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = got
			}
			for i := range want {
				if math.Abs(got[i]-want[i]) > 5e-6*(1+math.Abs(want[i])) {
					t.Fatalf("%s: %v: output %d is %.9g, want %.9g", s.name, level, i, got[i], want[i])
				}
				if got[i] != first[i] {
					t.Fatalf("%s: %v: output %d is %x, scalar %x", s.name, level, i, got[i], first[i])
				}
			}
		}
	}
}

// TestNativeFitnessIsFinite puts values that are not finite, or huge, at every parameter in turn.
func TestNativeFitnessIsFinite(t *testing.T) {
	for _, s := range evaluateShapes()[12:28] {
		var points [][]float64
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 3e38, -3e38, 1e-40} {
			for j := range s.model.Dim() {
				x := conformancePoint(s.model, 0)
				x[j] = v
				points = append(points, x)
			}
		}
		twin, err := load(s.model, s.rows, 1)
		if err != nil {
			t.Fatal(err)
		}
		var first []float64
		for _, level := range levels() {
			got := nativeFitness(t, nativeAt(t, level, 1), s.model, s.rows, points)
			if first == nil {
				first = got
			}
			for i, f := range got {
				if f != first[i] || math.IsNaN(f) || math.IsInf(f, 0) {
					t.Fatalf("%s: %v: fitness %g, scalar %g, with %g at %d", s.name, level, f, first[i],
						points[i][i%s.model.Dim()], i%s.model.Dim())
				}
				if want := fitnessOf(twin, points[i]); i < s.model.Dim() && (f == rsie.Worst) != (want == rsie.Worst) {
					t.Fatalf("%s: %v: %g at %d gives %g, want %g", s.name, level, points[i][i%s.model.Dim()],
						i%s.model.Dim(), f, want)
				}
			}
		}
	}
}
