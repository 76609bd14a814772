package cpu

import (
	"fmt"
	"math"
	"testing"

	"github.com/symbio-ai/recursive-improvement"
)

// mlp is testdata/mlp.json.
type mlp struct {
	Inputs [][]float64
	Cases  []struct {
		Name        string
		LayerSizes  []int `json:"layer_sizes"`
		Activations []string
		Parameters  []float64
		Outputs     [][]float64
		MeanLoss    float64 `json:"mean_loss"`
	}
}

func flat(rows [][]float64) []float64 {
	var out []float64
	for _, r := range rows {
		out = append(out, r...)
	}
	return out
}

// TestDenseEqualsNumpy compares outputs and loss with numpy's, among them a network whose
// logits reach 100.
func TestDenseEqualsNumpy(t *testing.T) {
	var file struct {
		Classification struct {
			mlp
			Targets []int32
		}
		Regression struct {
			mlp
			Targets [][]float64
		}
	}
	readJSON(t, "testdata/mlp.json", &file)
	activations := map[string]rsie.Activation{"tanh": rsie.Tanh, "relu": rsie.ReLU, "sigmoid": rsie.Sigmoid}
	check := func(data mlp, loss rsie.Loss, rows rsie.Rows) {
		rows.S, rows.Inputs = len(data.Inputs), flat(data.Inputs)
		for _, c := range data.Cases {
			m := &rsie.Model{Network: rsie.Dense, Layers: c.LayerSizes, Loss: loss}
			for _, a := range c.Activations[:len(c.Activations)-1] {
				m.Activation = append(m.Activation, activations[a])
			}
			p, err := load(m, &rows, 1)
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			if got := fitnessOf(p, c.Parameters); !near(got, c.MeanLoss, 1e-13) {
				t.Errorf("%s: loss %.17g, want %.17g", c.Name, got, c.MeanLoss)
			}
			out := make([]float64, rows.S*m.Outputs())
			p.predict(out, 0, c.Parameters)
			for i, want := range flat(c.Outputs) {
				if !near(out[i], want, 1e-13) {
					t.Errorf("%s: output %d is %.17g, want %.17g", c.Name, i, out[i], want)
				}
			}
		}
	}
	check(file.Classification.mlp, rsie.CrossEntropy, rsie.Rows{Classes: file.Classification.Targets})
	check(file.Regression.mlp, rsie.MeanSquared, rsie.Rows{Targets: flat(file.Regression.Targets)})
	if n := len(file.Classification.Cases) + len(file.Regression.Cases); n != 6 {
		t.Errorf("%d cases, want 6", n)
	}
}

// times returns x W for W[len(x)][cols], plainly.
func times(x, w []float64, cols int) []float64 {
	out := make([]float64, cols)
	for k, v := range x {
		for j := range out {
			out[j] += v * w[k*cols+j]
		}
	}
	return out
}

// plus returns a + b.
func plus(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] + b[i]
	}
	return out
}

func each(x []float64, f func(float64) float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = f(v)
	}
	return out
}

func logistic(v float64) float64 { return 1 / (1 + math.Exp(-v)) }

var plainActivations = []func(float64) float64{
	rsie.Linear: func(v float64) float64 { return v }, rsie.Tanh: math.Tanh,
	rsie.ReLU: func(v float64) float64 { return math.Max(v, 0) }, rsie.Sigmoid: logistic,
}

// plainForward is the network on one row, written from the documentation of [rsie.Model] with
// package math and nothing of this package.
func plainForward(m *rsie.Model, x, point []float64) []float64 {
	take := func(n int) []float64 {
		out := point[:n]
		point = point[n:]
		return out
	}
	if m.Network == rsie.Dense {
		for l := 1; l < len(m.Layers); l++ {
			w := take(m.Layers[l-1] * m.Layers[l])
			x = plus(times(x, w, m.Layers[l]), take(m.Layers[l]))
			if l <= len(m.Activation) {
				x = each(x, plainActivations[m.Activation[l-1]])
			}
		}
		return x
	}
	in, h, out := m.Layers[0], m.Layers[1], m.Layers[2]
	gates := 1
	if m.Network == rsie.GRU {
		gates = 3
	}
	wx, wh, b := take(in*gates*h), take(h*gates*h), take(gates*h)
	wo, bo := take(h*out), take(out)
	state := make([]float64, h)
	for t := range m.Steps {
		fromX := plus(times(x[t*in:(t+1)*in], wx, gates*h), b)
		if m.Network == rsie.Elman {
			state = each(plus(fromX, times(state, wh, h)), plainActivations[m.Activation[0]])
			continue
		}
		fromH := times(state, wh, 3*h)
		gated := make([]float64, h)
		for i := range gated {
			gated[i] = logistic(fromX[h+i]+fromH[h+i]) * state[i]
		}
		candidate := times(gated, wh, 3*h)
		next := make([]float64, h)
		for i := range next {
			z := logistic(fromX[i] + fromH[i])
			next[i] = (1-z)*math.Tanh(fromX[2*h+i]+candidate[2*h+i]) + z*state[i]
		}
		state = next
	}
	return plus(times(state, wo, out), bo)
}

// plainLoss is the mean loss of rows by plainForward.
func plainLoss(m *rsie.Model, rows *rsie.Rows, point []float64) (loss float64, outputs []float64) {
	in, width := m.Layers[0]*max(1, m.Steps), m.Outputs()
	for s := range rows.S {
		y := plainForward(m, rows.Inputs[s*in:(s+1)*in], point)
		outputs = append(outputs, y...)
		if m.Loss == rsie.CrossEntropy {
			sum := 0.0
			for _, v := range y {
				sum += math.Exp(v)
			}
			loss += math.Log(sum) - y[rows.Classes[s]]
			continue
		}
		for j, v := range y {
			loss += (v - rows.Targets[s*width+j]) * (v - rows.Targets[s*width+j]) / float64(width)
		}
	}
	return loss / float64(rows.S), outputs
}

// plainCases are the networks of the suite and shapes around the sizes of blocks and of the
// four-way product.
func plainCases() []shape {
	var out []shape
	for _, c := range suiteShapes() {
		if c.model.Control == nil {
			out = append(out, c)
		}
	}
	add := func(rows int, m rsie.Model) {
		name := fmt.Sprintf("%v %d rows, kind %d", m.Layers, rows, m.Network)
		out = append(out, shape{name, &m, sineRows(&m, rows)})
	}
	act := func(a ...rsie.Activation) []rsie.Activation { return a }
	for _, rows := range []int{1, 2, 3, 5, 63, 64, 65, 129} {
		add(rows, rsie.Model{Network: rsie.Dense, Layers: []int{3, 5, 2},
			Activation: act(rsie.ReLU), Loss: rsie.CrossEntropy})
		add(rows, rsie.Model{Network: rsie.GRU, Layers: []int{2, 5, 17}, Steps: 3, Loss: rsie.CrossEntropy})
		add(rows, rsie.Model{Network: rsie.Elman, Layers: []int{3, 1, 4}, Steps: 2,
			Activation: act(rsie.Sigmoid), Loss: rsie.MeanSquared})
	}
	add(7, rsie.Model{Network: rsie.Dense, Layers: []int{4, 3}, Loss: rsie.CrossEntropy})
	add(70, rsie.Model{Network: rsie.Dense, Layers: []int{6, 5, 7, 3, 2}, Loss: rsie.MeanSquared,
		Activation: act(rsie.Sigmoid, rsie.Linear, rsie.ReLU)})
	add(9, rsie.Model{Network: rsie.Elman, Layers: []int{2, 3, 9}, Steps: 1,
		Activation: act(rsie.ReLU), Loss: rsie.MeanSquared})
	// One-hot characters, so that a recurrent network reads lists, with a row of zeros and one
	// of values that are not 1.
	text := rsie.Model{Network: rsie.GRU, Layers: []int{27, 8, 27}, Steps: 6, Loss: rsie.CrossEntropy}
	add(80, text)
	inputs := out[len(out)-1].rows.Inputs
	clear(inputs)
	for i := range 80 * 6 {
		inputs[i*27+i*i%27] = 1
		if i%11 == 0 {
			inputs[i*27+i*i%27] = 0
		}
		if i%5 == 0 {
			inputs[i*27+(i*i+3)%27] = -0.5
		}
	}
	return out
}

func TestNetworksEqualPlainForm(t *testing.T) {
	const tolerance = 1e-12 // of sums of up to a hundred terms and ten steps
	for _, c := range plainCases() {
		p, err := load(c.model, c.rows, 1)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		point := conformancePoint(c.model, 0.25)
		want, outputs := plainLoss(c.model, c.rows, point)
		if got := fitnessOf(p, point); !near(got, want, tolerance) {
			t.Errorf("%s: loss %.17g, want %.17g", c.name, got, want)
		}
		got := make([]float64, len(outputs))
		p.predict(got, 0, point)
		for i, v := range outputs {
			if !near(got[i], v, tolerance) {
				t.Fatalf("%s: output %d is %.17g, want %.17g", c.name, i, got[i], v)
			}
		}
	}
}

// TestLargeLogits has logits whose exponentials overflow or vanish unless the largest is
// subtracted: ln(e^1000 + e^-1000) ∓ 1000.
func TestLargeLogits(t *testing.T) {
	m := &rsie.Model{Network: rsie.Dense, Layers: []int{1, 2}, Loss: rsie.CrossEntropy}
	for _, c := range []struct {
		x     float64
		class int32
		want  float64
	}{{1000, 0, 0}, {1000, 1, 2000}, {-1000, 0, 2000}, {-1000, 1, 0}, {0, 1, math.Ln2}} {
		p, err := load(m, &rsie.Rows{S: 1, Inputs: []float64{c.x}, Classes: []int32{c.class}}, 1)
		if err != nil {
			t.Fatal(err)
		}
		// Both logits carry 5000 more, which changes nothing.
		if got := fitnessOf(p, []float64{1, -1, 5000, 5000}); !near(got, c.want, 1e-12) {
			t.Errorf("x %g, class %d: %g, want %g", c.x, c.class, got, c.want)
		}
	}
}
