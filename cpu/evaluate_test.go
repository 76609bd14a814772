package cpu

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/symbio-ai/recursive-improvement"
)

// TestEvaluateIsTheSame checks what every network and system must keep: no allocation, the same
// bits from every worker, for every stride and place in a batch, points left alone and nothing
// read behind Dim.
func TestEvaluateIsTheSame(t *testing.T) {
	const members = 3
	for _, c := range suiteShapes() {
		p, err := load(c.model, c.rows, 3)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		stride := rsie.Stride(p.dim) + 32
		points := make([]float64, members*stride)
		for i := range points {
			points[i] = math.NaN()
		}
		for i := range members {
			copy(points[i*stride:], conformancePoint(c.model, float64(i)))
		}
		before := append([]float64{}, points...)
		first, second := make([]float64, members), make([]float64, members)
		p.evaluate(0, first, points, stride)
		p.evaluate(2, second, points, stride)
		for i := range first {
			tight := fitnessOf(p, points[i*stride:][:p.dim])
			if first[i] != second[i] || first[i] != tight || first[i] == rsie.Worst {
				t.Errorf("%s, member %d: %v, worker 2 %v, alone %v", c.name, i, first[i], second[i], tight)
			}
		}
		for i := range points {
			if math.Float64bits(points[i]) != math.Float64bits(before[i]) {
				t.Fatalf("%s: value %d of the points was changed", c.name, i)
			}
		}
		if n := testing.AllocsPerRun(1, func() { p.evaluate(1, first[:1], points, stride) }); n != 0 {
			t.Errorf("%s: %g allocations", c.name, n)
		}
	}
}

// TestNotFiniteIsWorst puts NaN and infinity in the last bias, which reaches every output, and
// in the first weight.
func TestNotFiniteIsWorst(t *testing.T) {
	for _, c := range suiteShapes() {
		if c.model.Control != nil && c.model.Outputs() > 1 {
			continue // an argmax is finite whatever the outputs
		}
		p, err := load(c.model, c.rows, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			point := conformancePoint(c.model, 0)
			point[p.dim-1] = bad
			squashed := p.system.squash && math.IsInf(bad, 0) // tanh makes it ±1
			if got := fitnessOf(p, point); (got == rsie.Worst) == squashed {
				t.Errorf("%s with a bias of %g: fitness %g", c.name, bad, got)
			}
		}
		point := conformancePoint(c.model, 0)
		point[0] = math.NaN()
		if got := fitnessOf(p, point); got != rsie.Worst {
			t.Errorf("%s with a weight of NaN: fitness %g", c.name, got)
		}
	}
}

// sameSum asks for the same bits on amd64. Elsewhere gonum's product is a loop in Go, which a
// compiler may fuse.
func sameSum(a, b float64) bool {
	return a == b || runtime.GOARCH != "amd64" && near(a, b, 1e-14)
}

// TestListsEqualProduct gives the same mostly zero rows in both forms: the bits agree.
func TestListsEqualProduct(t *testing.T) {
	for _, nonzero := range []int{0, 1, 3, 4, 5, 8, 9} {
		const n, in, out = 13, 40, 6
		src := make([]float64, n*in)
		for s := range n {
			for e := range nonzero {
				src[s*in+(s+e*e+3*e)%in] = math.Sin(float64(1 + s + e*n))
			}
		}
		lists := newInput(src, n, in, in)
		if lists.x != nil {
			t.Fatalf("%d of %d inputs: not taken as lists", nonzero, in)
		}
		full := make([]float64, n*in)
		transpose(full, src, n, in, in)
		w := ramp(in * out)
		a, b := ramp(out*n), ramp(out*n)
		lists.add(a, w, n, out, out)
		addProduct(b, full, w, n, out, out)
		for i := range a {
			if !sameSum(a[i], b[i]) {
				t.Fatalf("%d inputs: value %d is %v by lists, %v by the product", nonzero, i, a[i], b[i])
			}
		}
	}
	if dense := newInput(ramp(40), 4, 10, 10); dense.x == nil {
		t.Error("full rows taken as lists")
	}
}

// TestProductOrder has sums whose value depends on the order: only k ascending from y gives it.
func TestProductOrder(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 7, 64} {
		const in, cols = 7, 3
		x, w := ramp(in*n), ramp(in*cols)
		for i := range x {
			x[i] *= math.Pow(10, float64(i%9))
		}
		got := ramp(cols * n)
		want := append([]float64{}, got...)
		addProduct(got, x, w, n, cols, cols)
		for j := range cols {
			for s := range n {
				for k := range in {
					want[j*n+s] += float64(w[k*cols+j] * x[k*n+s])
				}
			}
		}
		for i := range want {
			if !sameSum(got[i], want[i]) {
				t.Fatalf("n %d, value %d: %v, want %v", n, i, got[i], want[i])
			}
		}
	}
}

func TestLoadChecksSizes(t *testing.T) {
	tanh := []rsie.Activation{rsie.Tanh}
	model := func(change func(m *rsie.Model)) *rsie.Model {
		m := &rsie.Model{Network: rsie.Dense, Layers: []int{2, 3, 2}, Activation: tanh, Loss: rsie.CrossEntropy}
		change(m)
		return m
	}
	control := func(change func(m *rsie.Model)) *rsie.Model {
		m := &rsie.Model{Network: rsie.Dense, Layers: []int{3, 3, 1}, Activation: tanh, Loss: rsie.Return,
			Control: &rsie.Control{Dynamics: rsie.Pendulum, Horizon: 5}}
		change(m)
		return m
	}
	same := func(*rsie.Model) {}
	good := &rsie.Rows{S: 2, Inputs: []float64{1, 2, 3, 4}, Classes: []int32{0, 1}}
	for _, c := range []struct {
		name string
		m    *rsie.Model
		r    *rsie.Rows
	}{
		{"no model", nil, good},
		{"no rows", model(same), nil},
		{"no samples", model(same), &rsie.Rows{}},
		{"short inputs", model(same), &rsie.Rows{S: 2, Inputs: []float64{1, 2, 3}, Classes: []int32{0, 1}}},
		{"short classes", model(same), &rsie.Rows{S: 2, Inputs: good.Inputs, Classes: []int32{0}}},
		{"class too high", model(same), &rsie.Rows{S: 2, Inputs: good.Inputs, Classes: []int32{0, 2}}},
		{"class below 0", model(same), &rsie.Rows{S: 2, Inputs: good.Inputs, Classes: []int32{-1, 0}}},
		{"targets of another width", model(func(m *rsie.Model) { m.Loss = rsie.MeanSquared }),
			&rsie.Rows{S: 2, Inputs: good.Inputs, Targets: []float64{1, 2}}},
		{"no activation", model(func(m *rsie.Model) { m.Activation = nil }), good},
		{"unknown activation", model(func(m *rsie.Model) { m.Activation = []rsie.Activation{9} }), good},
		{"one layer", model(func(m *rsie.Model) { m.Layers, m.Activation = []int{2}, nil }), good},
		{"layer of 0", model(func(m *rsie.Model) { m.Layers = []int{2, 0, 2} }), good},
		{"unknown network", model(func(m *rsie.Model) { m.Network = 7 }), good},
		{"dense with steps", model(func(m *rsie.Model) { m.Steps = 2 }), good},
		{"elman without steps", model(func(m *rsie.Model) { m.Network = rsie.Elman }), good},
		{"gru with an activation", model(func(m *rsie.Model) { m.Network, m.Steps = rsie.GRU, 1 }), good},
		{"return without control", model(func(m *rsie.Model) { m.Loss = rsie.Return }), good},
		{"unknown loss", model(func(m *rsie.Model) { m.Loss = 0 }), good},
		{"policy of another width", control(func(m *rsie.Model) { m.Layers = []int{4, 3, 1} }), good},
		{"horizon 0", control(func(m *rsie.Model) { m.Control.Horizon = 0 }), good},
		{"unknown system", control(func(m *rsie.Model) { m.Control.Dynamics = 99 }), good},
		{"short starts", control(same), &rsie.Rows{S: 3, Inputs: good.Inputs}},
	} {
		if _, err := load(c.m, c.r, 1); !errors.Is(err, rsie.ErrShape) {
			t.Errorf("%s: error %v, want %v", c.name, err, rsie.ErrShape)
		}
	}
	if _, err := load(model(same), good, 0); !errors.Is(err, rsie.ErrShape) {
		t.Errorf("no workers: error %v", err)
	}
	if _, err := load(control(same), good, 1); err != nil {
		t.Errorf("good control: %v", err)
	}
}

// TestUnlabelledRows can be predicted and have no fitness.
func TestUnlabelledRows(t *testing.T) {
	for _, loss := range []rsie.Loss{rsie.CrossEntropy, rsie.MeanSquared} {
		m := &rsie.Model{Network: rsie.Dense, Layers: []int{2, 2}, Loss: loss}
		p, err := load(m, &rsie.Rows{S: 1, Inputs: []float64{3, 5}}, 1)
		if err != nil {
			t.Fatal(err)
		}
		point := []float64{1, 10, 100, 1000, 0.5, 0.25}
		out := make([]float64, 2)
		p.predict(out, 0, point)
		if out[0] != 503.5 || out[1] != 5030.25 {
			t.Errorf("outputs %v, want 503.5 and 5030.25", out)
		}
		if got := fitnessOf(p, point); got != rsie.Worst {
			t.Errorf("fitness %g, want Worst", got)
		}
	}
}

// The two forms of the cross-entropy agree where both hold; large gaps and many samples keep
// it exact, and of an output that is not finite it is none.
func TestCrossEntropyForms(t *testing.T) {
	const n, k = 61, 5
	w := &scratch{gaps: make([]float64, n*k), peak: make([]float64, n), sum: make([]float64, n)}
	out, classes := make([]float64, n*k), make([]int32, n)
	for i := range out {
		out[i] = 9 * math.Sin(float64(i*i))
	}
	for s := range classes {
		classes[s] = int32(s * s % k)
	}
	got, want := crossEntropy(w, out, classes), crossEntropyFar(w, slices.Clone(out), classes)
	if math.Abs(got-want) > 1e-13*want {
		t.Errorf("cross-entropy %.17g, in the far form %.17g", got, want)
	}
	for _, gap := range []float64{300, 699, 701, 5000} {
		out := []float64{0, 0, 0, gap, gap, gap} // three samples of class 0 of two
		if got := crossEntropy(w, out, []int32{0, 0, 0}); math.Abs(got-3*gap) > 1e-12*gap {
			t.Errorf("gap %g: cross-entropy %g, want three times that", gap, got)
		}
	}
	for _, v := range []float64{math.Inf(1), math.Inf(-1), math.NaN()} {
		if got := crossEntropy(w, []float64{v, 1}, []int32{0}); got-got == 0 {
			t.Errorf("output %g of the class: cross-entropy %g, want none", v, got)
		}
	}
}
