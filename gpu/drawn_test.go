//go:build cuda

package gpu_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
)

// modelled is a model with its rows as a problem.
type modelled struct {
	shape rsie.Shape
	model *rsie.Model
	rows  *rsie.Rows
}

func (p modelled) Shape() rsie.Shape         { return p.shape }
func (p modelled) Model() *rsie.Model        { return p.model }
func (p modelled) Rows(rsie.Part) *rsie.Rows { return p.rows }
func (p modelled) Evaluate(context.Context, []float64, []float64, rsie.Key) error {
	panic("evaluated by the host")
}

// problems cover every network, loss and dynamics.
func problems() []modelled {
	tanh, relu, sigmoid, linear := rsie.Tanh, rsie.ReLU, rsie.Sigmoid, rsie.Linear
	var out []modelled
	add := func(name string, m rsie.Model, samples int, zeros float64) {
		out = append(out, newModelled(name, m, samples, zeros))
	}
	add("classes", rsie.Model{Layers: []int{4, 9, 3}, Activation: []rsie.Activation{tanh}, Loss: rsie.CrossEntropy}, 33, 0)
	add("one hot", rsie.Model{Layers: []int{12, 8, 5}, Activation: []rsie.Activation{relu}, Loss: rsie.CrossEntropy}, 130, 0.9)
	add("no hidden layer", rsie.Model{Layers: []int{7, 2}, Loss: rsie.CrossEntropy}, 1, 0)
	add("regression", rsie.Model{Layers: []int{3, 17, 5, 2}, Activation: []rsie.Activation{sigmoid, linear},
		Loss: rsie.MeanSquared}, 31, 0)
	add("elman", rsie.Model{Network: rsie.Elman, Layers: []int{3, 6, 4}, Activation: []rsie.Activation{tanh}, Steps: 4,
		Loss: rsie.CrossEntropy}, 40, 0)
	add("gru", rsie.Model{Network: rsie.GRU, Layers: []int{2, 5, 1}, Steps: 3, Loss: rsie.MeanSquared}, 129, 0)
	for d := rsie.CartPole; d <= rsie.Pendulum; d++ {
		_, obs, actions := d.Sizes()
		add(fmt.Sprint("dynamics ", d), rsie.Model{Layers: []int{obs, 6, actions}, Activation: []rsie.Activation{tanh},
			Loss: rsie.Return, Control: &rsie.Control{Dynamics: d, Horizon: 40}}, 3, 0)
	}
	return out
}

func newModelled(name string, m rsie.Model, samples int, zeros float64) modelled {
	r := rand.New(rand.NewPCG(7, uint64(samples)))
	if m.Network == 0 {
		m.Network = rsie.Dense
	}
	width := m.Layers[0] * max(1, m.Steps)
	if m.Loss == rsie.Return {
		width, _, _ = m.Control.Dynamics.Sizes()
	}
	rows := &rsie.Rows{S: samples}
	for range samples * width {
		v := r.NormFloat64()
		if m.Loss == rsie.Return {
			v *= 0.05
		}
		if r.Float64() < zeros {
			v = 0
		}
		rows.Inputs = append(rows.Inputs, v)
	}
	for range samples {
		switch m.Loss {
		case rsie.CrossEntropy:
			rows.Classes = append(rows.Classes, r.Int32N(int32(m.Outputs())))
		case rsie.MeanSquared:
			for range m.Outputs() {
				rows.Targets = append(rows.Targets, r.NormFloat64())
			}
		}
	}
	return modelled{rsie.Shape{Name: name, Dim: m.Dim(), Blocks: m.Blocks()}, &m, rows}
}

// run carries a batch through generations.
func run(t *testing.T, p *pair, problem rsie.Problem, generations int, strategies ...rsie.Strategy) {
	t.Helper()
	var specs []meta.RunSpec
	for r, s := range strategies {
		specs = append(specs, meta.RunSpec{Strategy: s, Key: rsie.NewKey(11).Child(uint64(r)), Budget: 500})
	}
	b, err := meta.NewBatch(p, problem, specs)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for range generations {
		if err := b.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDrawn compares strategies drawn from the whole space with the native backend, buffer by buffer.
func TestDrawn(t *testing.T) {
	p := newPair(t)
	for k := range 120 {
		run(t, p, problems()[k%len(problems())], 3, drawn(k))
	}
	t.Log("members by operation:", p.seen)
}

// drawn returns a strategy from the whole space.
func drawn(k int) rsie.Strategy {
	r := rand.New(rand.NewPCG(3, uint64(k)))
	x := make([]float64, rsie.StrategySpace.Dim())
	for i := range x {
		x[i] = r.Float64()
	}
	s := rsie.StrategySpace.Decode(x)
	s.PopulationSize = min(s.PopulationSize, 40)
	return s
}
