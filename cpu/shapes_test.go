package cpu

import (
	"math"
	"testing"

	"github.com/symbio-ai/recursive-improvement"
)

// shape is a network of the suite on rows made here, of the same number.
type shape struct {
	name  string
	model *rsie.Model
	rows  *rsie.Rows
}

// suiteShapes are the networks of the embedded suite (layers, loss, training rows) and of each
// control system, on sines for data: a check of speed and of invariants, not of the tasks.
func suiteShapes() []shape {
	var out []shape
	for _, c := range []struct {
		name   string
		layers []int
		loss   rsie.Loss
		rows   int
	}{
		{"iris", []int{4, 8, 3}, rsie.CrossEntropy, 90},
		{"wine", []int{13, 16, 3}, rsie.CrossEntropy, 108},
		{"digits", []int{64, 32, 10}, rsie.CrossEntropy, 360},
		{"breast_cancer", []int{30, 16, 2}, rsie.CrossEntropy, 342},
		{"diabetes", []int{10, 16, 1}, rsie.MeanSquared, 266},
		{"spirals", []int{2, 16, 16, 2}, rsie.CrossEntropy, 120},
		{"sines", []int{1, 16, 16, 1}, rsie.MeanSquared, 72},
		{"penguins", []int{7, 16, 3}, rsie.CrossEntropy, 207},
		{"wine_autoencoder", []int{13, 6, 13}, rsie.MeanSquared, 108},
		{"opticks", []int{108, 16, 27}, rsie.CrossEntropy, 2047},
	} {
		m := &rsie.Model{Network: rsie.Dense, Layers: c.layers, Loss: c.loss}
		for range len(c.layers) - 2 {
			m.Activation = append(m.Activation, rsie.Tanh)
		}
		out = append(out, shape{c.name, m, sineRows(m, c.rows)})
	}
	text := out[len(out)-1]
	clear(text.rows.Inputs)
	for i := range 4 * text.rows.S { // four characters of 27 per row
		text.rows.Inputs[i*27+(i*i+i/7)%27] = 1
	}
	elman := &rsie.Model{Network: rsie.Elman, Layers: []int{1, 12, 1}, Steps: 10,
		Activation: []rsie.Activation{rsie.Tanh}, Loss: rsie.MeanSquared}
	gru := &rsie.Model{Network: rsie.GRU, Layers: []int{1, 12, 1}, Steps: 10, Loss: rsie.MeanSquared}
	out = append(out, shape{"sunspots", elman, sineRows(elman, 175)}, shape{"gru", gru, sineRows(gru, 175)})
	for _, c := range []struct {
		name     string
		dynamics rsie.Dynamics
		horizon  int
	}{
		{"cartpole", rsie.CartPole, 500}, {"cartpole_swingup", rsie.CartPoleSwingUp, 300},
		{"acrobot", rsie.Acrobot, 500}, {"mountaincar", rsie.MountainCar, 200},
		{"mountaincar_continuous", rsie.MountainCarContinuous, 999}, {"pendulum", rsie.Pendulum, 200},
	} {
		state, obs, width := c.dynamics.Sizes()
		m := &rsie.Model{Network: rsie.Dense, Layers: []int{obs, 16, width}, Loss: rsie.Return,
			Activation: []rsie.Activation{rsie.Tanh},
			Control:    &rsie.Control{Dynamics: c.dynamics, Horizon: c.horizon}}
		starts := &rsie.Rows{S: 8, Inputs: ramp(8 * state)}
		for i := range starts.Inputs {
			starts.Inputs[i] *= 0.05
		}
		out = append(out, shape{c.name, m, starts})
	}
	return out
}

// sineRows returns n rows of inputs and labels for m.
func sineRows(m *rsie.Model, n int) *rsie.Rows {
	r := &rsie.Rows{S: n, Inputs: ramp(n * m.Layers[0] * max(1, m.Steps))}
	if m.Loss == rsie.MeanSquared {
		r.Targets = ramp(n * m.Outputs())
		return r
	}
	for i := range n {
		r.Classes = append(r.Classes, int32(i*7%m.Outputs()))
	}
	return r
}

// conformancePoint is the vector of the suite's check values: s·sin(i+1+shift) with
// s = 1.5/sqrt(fan_in) for weights and 0.1 for biases.
func conformancePoint(m *rsie.Model, shift float64) []float64 {
	var out []float64
	for _, b := range m.Blocks() {
		s := 1.5 * b.Std
		if b.Std == 0 {
			s = 0.1
		}
		for range b.Rows * b.Cols {
			out = append(out, s*math.Sin(float64(len(out)+1)+shift))
		}
	}
	return out
}

// populations fills a state of one run, which mutates by the given operator, with points of a shape
// and returns its table.
func populations(t testing.TB, b rsie.Backend, shape rsie.Shape, mutation uint8, points [][]float64) (*rsie.State, []rsie.Run) {
	t.Helper()
	run := rsie.Run{Eligible: 1, Tournament: 1, Niche: 1, Family: rsie.CodePopulation,
		Selection: rsie.CodeTournament, Mutation: mutation, Crossover: rsie.CodeAveraging, Flags: rsie.FlagActive}
	n := len(points)
	s, err := rsie.NewState(b, shape, rsie.Needs{Members: []int{n}, SVD: run.Mutation == rsie.CodeSVD})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Free(b) })
	for i, x := range points {
		if err := b.Upload(s.Next.Points, i*s.Stride, x); err != nil {
			t.Fatal(err)
		}
	}
	run.Members, run.Previous, run.EvalTo = uint32(n), uint32(n), uint32(n)
	return s, []rsie.Run{run}
}

// matrixShape is the shape of one rows x cols matrix and a vector of three.
func matrixShape(rows, cols int) rsie.Shape {
	return rsie.Shape{Name: "matrices", Dim: rows*cols + 3, Blocks: []rsie.Block{
		{Rows: rows, Cols: cols, Std: 1}, {Offset: rows * cols, Rows: 1, Cols: 3}}}
}

// modelShape is the shape of the points of a model.
func modelShape(m *rsie.Model) rsie.Shape {
	return rsie.Shape{Name: "network", Dim: m.Dim(), Blocks: m.Blocks()}
}

// oneBlock is the shape of a vector.
func oneBlock(dim int) rsie.Shape {
	return rsie.Shape{Name: "flat", Dim: dim, Blocks: []rsie.Block{{Rows: 1, Cols: dim, Std: 1}}}
}
