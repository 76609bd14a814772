package bbob

import (
	"errors"
	"math"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

func mustMixture(t testing.TB, dim, instance int) *Mixture {
	t.Helper()
	m, err := GenerateMixture(dim, instance)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMixtureVectors compares with ManyAffine of ioh 0.4.2.
func TestMixtureVectors(t *testing.T) {
	var v struct {
		Sets []struct {
			Dimension, Instance int
			Points              [][]float64
			Values, Weights     []float64
			XOpt                []float64 `json:"x_opt"`
		}
	}
	readJSON(t, "testdata/mixture.json", &v)
	if len(v.Sets) != 15 {
		t.Fatalf("%d sets, want 15", len(v.Sets))
	}
	for _, want := range v.Sets {
		m := mustMixture(t, want.Dimension, want.Instance)
		var weights [Functions]float64
		for _, c := range m.Components() {
			weights[c.Function-1] = c.Weight
		}
		for i, w := range want.Weights {
			if math.Abs(weights[i]-w) > 1e-14 {
				t.Errorf("%s: weight of f%d is %v, want %v", m.Name(), i+1, weights[i], w)
			}
		}
		for i, x := range m.XOpt() {
			if x != want.XOpt[i] {
				t.Errorf("%s: x_opt[%d] is %v, want %v", m.Name(), i, x, want.XOpt[i])
			}
		}
		for k, x := range want.Points {
			if got := m.Eval(x); !(relative(got, want.Values[k]) <= 1e-9) {
				t.Errorf("%s: point %d: %v, want %v", m.Name(), k, got, want.Values[k])
			}
		}
	}
}

// TestMixtureFormula computes a mixture of f1 and f9 with other weights and instances by hand,
// above the dimension whose scratch is on the stack, too.
func TestMixtureFormula(t *testing.T) {
	for _, dim := range []int{3, stackDim + 1} {
		xOpt := randomPoints(1, dim, 4, rsie.NewKey(1))
		m, err := NewMixture([]Component{{1, 2, 3}, {4, 1, 0}, {9, 5, 1}}, xOpt)
		if err != nil {
			t.Fatal(err)
		}
		f, g := mustNew(t, 1, dim, 2), mustNew(t, 9, dim, 5)
		x := randomPoints(1, dim, 5, rsie.NewKey(2))
		atF, atG := make([]float64, dim), make([]float64, dim)
		for i := range x {
			atF[i] = x[i] - xOpt[i] + f.XOpt()[i]
			atG[i] = x[i] - xOpt[i] + g.XOpt()[i]
		}
		l := 0.75*(math.Log10(f.Eval(atF)-f.FOpt())+8)/11 + 0.25*(math.Log10(g.Eval(atG)-g.FOpt())+8)/15.2
		if got, want := m.Eval(x), math.Pow(10, 10*l-8); relative(got, want) > 1e-10 {
			t.Errorf("%s: %v, want %v", m.Name(), got, want)
		}
		if len(m.Components()) != 2 {
			t.Errorf("components %v, want the two of positive weight", m.Components())
		}
	}
}

func TestMixtureOptimum(t *testing.T) {
	for instance := 1; instance <= 20; instance++ {
		m := mustMixture(t, 5, instance)
		if m.FOpt() != m.Eval(m.XOpt()) || !(m.FOpt() > 0 && m.FOpt() < 1e-8) {
			t.Errorf("%s: f_opt %g, at x_opt %g", m.Name(), m.FOpt(), m.Eval(m.XOpt()))
		}
		points := randomPoints(50, 5, 5, rsie.NewKey(uint64(instance)))
		for k := range 50 {
			if p := m.Precision(points[5*k : 5*k+5]); !(p > 1e-4) {
				t.Errorf("%s: precision %g at a random point", m.Name(), p)
			}
		}
	}
}

func TestMixtureBorders(t *testing.T) {
	m := mustMixture(t, 5, 1)
	x := randomPoints(2, 5, 5, rsie.NewKey(1))
	if a := testing.AllocsPerRun(100, func() { m.Eval(x[:5]) }); a != 0 {
		t.Errorf("%g allocations", a)
	}
	fitness := make([]float64, 2)
	if err := m.EvalAll(fitness, x); err != nil || fitness[1] != m.Eval(x[5:]) {
		t.Errorf("EvalAll gave %v, %v", fitness, err)
	}
	if err := m.EvalAll(fitness, x[:9]); !errors.Is(err, rsie.ErrShape) {
		t.Errorf("EvalAll with 9 coordinates for 2 points: %v, want ErrShape", err)
	}
	x[0] = math.NaN()
	if v := m.Eval(x[:5]); !math.IsNaN(v) {
		t.Errorf("value %g with NaN", v)
	}
	dim, instance, err := ParseMixture(m.Name())
	if err != nil || dim != 5 || instance != 1 {
		t.Errorf("ParseMixture(%q) = %d, %d, %v", m.Name(), dim, instance, err)
	}
	for _, bad := range []string{"", "bbob/d5/i1", "bbob-mixture/d1/i1", "bbob-mixture/d5",
		"bbob-mixture/d05/i1",
		"bbob-mixture/d5/i0", "bbob-mixture/d5/i1/"} {
		if _, _, err := ParseMixture(bad); !errors.Is(err, rsie.ErrInvalid) {
			t.Errorf("ParseMixture(%q): %v, want ErrInvalid", bad, err)
		}
	}
	good := []float64{1, 2}
	for _, c := range []struct {
		components []Component
		xOpt       []float64
	}{
		{nil, good}, {[]Component{{1, 1, 0}}, good}, {[]Component{{1, 1, -1}}, good},
		{[]Component{{1, 1, math.NaN()}}, good}, {[]Component{{25, 1, 1}}, good},
		{[]Component{{1, 0, 1}}, good}, {[]Component{{1, 1, 1}}, []float64{1}},
		{[]Component{{1, 1, 1}}, []float64{1, 5.5}}, {[]Component{{1, 1, 1}}, []float64{1, math.NaN()}},
	} {
		if _, err := NewMixture(c.components, c.xOpt); !errors.Is(err, rsie.ErrInvalid) {
			t.Errorf("NewMixture(%v, %v): %v, want ErrInvalid", c.components, c.xOpt, err)
		}
	}
}

func BenchmarkMixture(b *testing.B) {
	m := mustMixture(b, 5, 1)
	x := randomPoints(1, 5, 5, rsie.NewKey(1))
	b.ReportAllocs()
	for b.Loop() {
		m.Eval(x)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "evals/s")
}
