package bbob

import (
	"errors"
	"math"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

func mustNoisy(t testing.TB, function, dim, instance int) *Noisy {
	t.Helper()
	n, err := NewNoisy(function, dim, instance)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestNoisyVectors: without an outlier Cauchy noise is the constant 1000 α, so that COCO's most
// frequent value gives base, penalty and strength of the ten Cauchy functions.
func TestNoisyVectors(t *testing.T) {
	var v struct {
		Sets []struct {
			Function, Dimension, Instance int
			Points                        [][]float64
			Values                        []float64
		}
	}
	readJSON(t, "testdata/noisy.json", &v)
	if len(v.Sets) != 10*3*3 {
		t.Fatalf("%d sets, want 90", len(v.Sets))
	}
	for _, want := range v.Sets {
		n := mustNoisy(t, want.Function, want.Dimension, want.Instance)
		n.noise.P = 0
		for k, x := range want.Points {
			got := n.Eval(x, rsie.NewKey(1), uint32(k))
			if !(relative(got, want.Values[k]) <= 1e-9) {
				t.Errorf("%s: point %d: %v, want %v", n.Name(), k, got, want.Values[k])
			}
		}
	}
}

// TestNoiseDistribution compares quantiles of 20,000 draws with those of the models. A quantile
// of level q has standard deviation sqrt(q(1-q)/20000) <= 0.0036 in level; the bound is five.
func TestNoiseDistribution(t *testing.T) {
	const draws, v = 20000, 100.0
	level := func(n Noise, x float64) float64 { // share of draws below x
		below := 0
		for i := range uint32(draws) {
			if n.apply(v, rsie.NewKey(5).Words(0, i, 0, 0, rsie.StreamProblem)) < x {
				below++
			}
		}
		return float64(below) / draws
	}
	gaussian := Noise{Model: GaussianNoise, Beta: 1}
	scaled := Noise{Model: UniformNoise, Beta: 2}         // v U²
	amplified := Noise{Model: UniformNoise, Alpha: 1}     // v (10^7)^U
	cauchy := Noise{Model: CauchyNoise, Alpha: 1, P: 0.2} // 0.8 constant
	strong := Noise{Model: CauchyNoise, Alpha: 1, P: 1}   // median v + 1000
	for _, c := range []struct {
		name  string
		noise Noise
		x     float64
		want  float64
	}{
		{"gaussian median", gaussian, v, 0.5},
		{"gaussian one sigma", gaussian, v * math.E, 0.841345},
		{"gaussian -two sigma", gaussian, v * math.Exp(-2), 0.022750},
		{"uniform, U² below 1/4", scaled, v / 4, 0.5},
		{"uniform, U² below 0.81", scaled, v * 0.81, 0.9},
		{"uniform, amplified", amplified, v * math.Pow(1e7, 0.3), 0.3},
		{"cauchy without outliers", cauchy, v + 1000 - 1e-6, 0.1},
		{"cauchy with outliers", cauchy, v + 1000 + 1e-6, 0.9},
		{"cauchy median", strong, v + 1000, 0.5},
		{"cauchy quartile", strong, v + 1001, 0.75},
		{"cauchy lower quartile", strong, v + 999, 0.25},
	} {
		if got := level(c.noise, c.x); math.Abs(got-c.want) > 0.018 {
			t.Errorf("%s: share %.4f, want %.4f", c.name, got, c.want)
		}
	}
}

// TestNoiseIsAnAddress: equal keys give equal noise in any order, other keys and members other
// noise; points below 1e-8 and the penalty have none.
func TestNoiseIsAnAddress(t *testing.T) {
	n := mustNoisy(t, 107, 5, 1)
	points := randomPoints(6, 5, 5, rsie.NewKey(3))
	first, again, other := make([]float64, 6), make([]float64, 6), make([]float64, 6)
	for _, c := range []struct {
		into []float64
		key  rsie.Key
	}{{first, rsie.NewKey(1)}, {other, rsie.NewKey(2)}, {again, rsie.NewKey(1)}} {
		if err := n.EvalAll(c.into, points, c.key); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(first, again) {
		t.Errorf("the same key gave %v, then %v", first, again)
	}
	for i := range first {
		if first[i] == other[i] {
			t.Errorf("member %d: two keys gave the same noise", i)
		}
		if got := n.Eval(points[i*5:i*5+5], rsie.NewKey(1), uint32(i)); got != first[i] {
			t.Errorf("member %d alone: %v, in the batch %v", i, got, first[i])
		}
	}
	x := points[:5]
	if n.Eval(x, rsie.NewKey(1), 0) == n.Eval(x, rsie.NewKey(1), 1) {
		t.Error("two members had the same noise")
	}
	optimum := n.XOpt()
	if got := n.Eval(optimum, rsie.NewKey(1), 0); got != n.FOpt() {
		t.Errorf("value at x_opt is %v, want %v without noise", got, n.FOpt())
	}
	outside := slices.Clone(optimum)
	outside[2] = 7
	if got, want := n.Precision(outside), n.base.bare(outside)+400; math.Abs(got-want) > 1e-9 {
		t.Errorf("precision two outside the box is %v, want %v", got, want)
	}
}

func TestAddNoise(t *testing.T) {
	base := mustNew(t, 16, 5, 2)
	n, err := AddNoise(base, Noise{Model: GaussianNoise, Beta: 0})
	if err != nil {
		t.Fatal(err)
	}
	x := randomPoints(1, 5, 8, rsie.NewKey(4))
	if got, want := n.Eval(x, rsie.NewKey(1), 0), base.Eval(x)+1.01e-8; relative(got, want) > 1e-12 {
		t.Errorf("noise of strength 0 gives %v, want %v", got, want)
	}
	if n.Name() != "bbob/f16/d5/i2+gaussian(0)" {
		t.Errorf("name is %q", n.Name())
	}
	for _, bad := range []Noise{{}, {Model: 4}, {Model: GaussianNoise, Beta: -1},
		{Model: GaussianNoise, Beta: math.NaN()}, {Model: UniformNoise, Alpha: 2},
		{Model: CauchyNoise, Alpha: 1, P: 1.5}, {Model: CauchyNoise, Alpha: math.Inf(1)}} {
		if _, err := AddNoise(base, bad); !errors.Is(err, rsie.ErrInvalid) {
			t.Errorf("AddNoise(%+v): %v, want ErrInvalid", bad, err)
		}
	}
	for _, bad := range [][3]int{{100, 5, 1}, {131, 5, 1}, {101, 1, 1}, {101, 5, 0}} {
		if _, err := NewNoisy(bad[0], bad[1], bad[2]); !errors.Is(err, rsie.ErrInvalid) {
			t.Errorf("NewNoisy%v: %v, want ErrInvalid", bad, err)
		}
	}
	if err := n.EvalAll(make([]float64, 2), x, rsie.NewKey(1)); !errors.Is(err, rsie.ErrShape) {
		t.Errorf("EvalAll with 5 coordinates for 2 points: %v, want ErrShape", err)
	}
}

func TestNoisyAllocatesNothing(t *testing.T) {
	x := randomPoints(1, 5, 5, rsie.NewKey(1))
	for number := FirstNoisy; number <= LastNoisy; number++ {
		n := mustNoisy(t, number, 5, 1)
		if a := testing.AllocsPerRun(100, func() { n.Eval(x, rsie.NewKey(1), 0) }); a != 0 {
			t.Errorf("%s: %g allocations", n.Name(), a)
		}
	}
}
