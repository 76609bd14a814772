package graph

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// gradient returns gorgonia's derivative of the loss of build at a point.
func gradient(t *testing.T, build Build, point []float64) []float64 {
	g := gorgonia.NewGraph()
	m, err := build(g)
	require.NoError(t, err)
	params, err := bind(m.Params)
	require.NoError(t, err)
	at := 0
	for _, q := range params {
		q.set(point[at:])
		at += q.size
	}
	_, err = gorgonia.Grad(m.Loss, m.Params...)
	require.NoError(t, err)
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(m.Params...))
	defer vm.Close()
	require.NoError(t, vm.RunAll())
	var out []float64
	for _, n := range m.Params {
		v, err := n.Grad()
		require.NoError(t, err)
		out = append(out, numbers(v)...)
	}
	return out
}

// differences returns the central differences of a problem's loss at a point.
func differences(t *testing.T, p rsie.Problem, point []float64, h float64) []float64 {
	out := make([]float64, len(point))
	for j := range point {
		pair := append(append([]float64{}, point...), point...)
		pair[j] += h
		pair[len(point)+j] -= h
		loss := make([]float64, 2)
		require.NoError(t, p.Evaluate(t.Context(), loss, pair, rsie.NewKey(1)))
		out[j] = (loss[0] - loss[1]) / (2 * h)
	}
	return out
}

// The loss that evolution sees and the graph that gorgonia differentiates are one function.
func TestGradientsAgreeWithFiniteDifferences(t *testing.T) {
	unary := map[string]func(*gorgonia.Node) (*gorgonia.Node, error){
		"tanh": gorgonia.Tanh, "sigmoid": gorgonia.Sigmoid, "relu": gorgonia.Rectify, "exp": gorgonia.Exp,
		"log of square": func(w *gorgonia.Node) (*gorgonia.Node, error) {
			return gorgonia.Log(must(gorgonia.Square(w)))
		},
		"sqrt of exp": func(w *gorgonia.Node) (*gorgonia.Node, error) {
			return gorgonia.Sqrt(must(gorgonia.Exp(w)))
		},
		"square": gorgonia.Square, "cube": gorgonia.Cube,
		"sin": gorgonia.Sin, "cos": gorgonia.Cos, "softplus": gorgonia.Softplus, "neg": gorgonia.Neg,
	}
	// Weights of the outputs differ, so that a gradient of the wrong element shows.
	weights := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float64{1, -2, 3, 0.5, -0.25, 2}))
	builds := map[string]Build{}
	for name, f := range unary {
		builds[name] = func(g *gorgonia.ExprGraph) (Model, error) {
			w := gorgonia.NewMatrix(g, gorgonia.Float64, gorgonia.WithShape(2, 3), gorgonia.WithName("w"))
			c := gorgonia.NodeFromAny(g, weights, gorgonia.WithName("c"))
			loss := must(gorgonia.Sum(must(gorgonia.HadamardProd(must(f(w)), c))))
			return Model{Params: []*gorgonia.Node{w}, Loss: loss}, nil
		}
	}
	builds["mul, add, sub, div, mean"] = func(g *gorgonia.ExprGraph) (Model, error) {
		a := gorgonia.NewMatrix(g, gorgonia.Float64, gorgonia.WithShape(2, 2), gorgonia.WithName("a"))
		b := gorgonia.NewVector(g, gorgonia.Float64, gorgonia.WithShape(2), gorgonia.WithName("b"))
		c := gorgonia.NodeFromAny(g, weights, gorgonia.WithName("c"))
		y := must(gorgonia.BroadcastAdd(must(gorgonia.Mul(must(gorgonia.Transpose(c)), a)), b, nil, []byte{0}))
		d := must(gorgonia.Exp(y)) // never 0
		z := must(gorgonia.HadamardDiv(must(gorgonia.Sub(y, must(gorgonia.Square(y)))), d))
		return Model{Params: []*gorgonia.Node{a, b}, Loss: must(gorgonia.Mean(z))}, nil
	}
	point := []float64{0.7, 1.3, 0.4, 1.9, 0.9, 1.1} // off the kinks of relu and log of square
	for name, build := range builds {
		t.Run(name, func(t *testing.T) {
			p, err := New(name, build)
			require.NoError(t, err)
			want := differences(t, p, point, 1e-5)
			require.InDeltaSlice(t, want, gradient(t, build, point), 1e-7)
		})
	}
}

func TestGradientsEqualNumpy(t *testing.T) {
	for _, c := range references(t) {
		t.Run(c.Name, func(t *testing.T) {
			require.InDeltaSlice(t, c.Gradient, gradient(t, c.build, c.Parameters), 1e-10)
		})
	}
}
