package graph

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	rsie "github.com/symbio-ai/recursive-improvement"
)

func vector(g *gorgonia.ExprGraph, name string, opts ...gorgonia.NodeConsOpt) *gorgonia.Node {
	return gorgonia.NewVector(g, gorgonia.Float64, append(opts, gorgonia.WithShape(3), gorgonia.WithName(name))...)
}

func TestBadGraphsAreRefusedWithTheReason(t *testing.T) {
	sum := func(n *gorgonia.Node) *gorgonia.Node { return must(gorgonia.Sum(n)) }
	one := func(params []*gorgonia.Node, loss *gorgonia.Node) (Model, error) {
		return Model{Params: params, Loss: loss}, nil
	}
	for _, c := range []struct {
		name, want string
		build      Build
	}{
		{"no parameters", "no parameters", func(g *gorgonia.ExprGraph) (Model, error) {
			return one(nil, sum(vector(g, "w")))
		}},
		{"no loss", "no loss", func(g *gorgonia.ExprGraph) (Model, error) {
			return one([]*gorgonia.Node{vector(g, "w")}, nil)
		}},
		{"loss not a scalar", "has the shape (3), want a scalar", func(g *gorgonia.ExprGraph) (Model, error) {
			w := vector(g, "w")
			return one([]*gorgonia.Node{w}, must(gorgonia.Square(w)))
		}},
		{"shapes that do not multiply", "build: panic", func(g *gorgonia.ExprGraph) (Model, error) {
			a := gorgonia.NewMatrix(g, gorgonia.Float64, gorgonia.WithShape(2, 3), gorgonia.WithName("a"))
			b := gorgonia.NewMatrix(g, gorgonia.Float64, gorgonia.WithShape(2, 3), gorgonia.WithName("b"))
			return one([]*gorgonia.Node{a, b}, sum(must(gorgonia.Mul(a, b))))
		}},
		{"node of another graph", "parameter 0 does not belong", func(g *gorgonia.ExprGraph) (Model, error) {
			return one([]*gorgonia.Node{vector(gorgonia.NewGraph(), "w")}, sum(vector(g, "v")))
		}},
		{"nil node", "parameter 0 does not belong", func(g *gorgonia.ExprGraph) (Model, error) {
			return one([]*gorgonia.Node{nil}, sum(vector(g, "v")))
		}},
		{"computed parameter", "is computed, not a variable", func(g *gorgonia.ExprGraph) (Model, error) {
			h := must(gorgonia.Tanh(vector(g, "w")))
			return one([]*gorgonia.Node{h}, sum(h))
		}},
		{"parameter twice", "parameter w is named twice", func(g *gorgonia.ExprGraph) (Model, error) {
			w := vector(g, "w")
			return one([]*gorgonia.Node{w, w}, sum(w))
		}},
		{"integers", "parameter w holds int, want float64 or float32", func(g *gorgonia.ExprGraph) (Model, error) {
			w := gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(3), gorgonia.WithName("w"))
			return one([]*gorgonia.Node{w}, sum(vector(g, "v")))
		}},
		{"input without data", "input x has no value", func(g *gorgonia.ExprGraph) (Model, error) {
			w, x := vector(g, "w"), vector(g, "x")
			return one([]*gorgonia.Node{w}, sum(must(gorgonia.Add(w, x))))
		}},
		{"input that is a parameter", "input w is a parameter", func(g *gorgonia.ExprGraph) (Model, error) {
			w := vector(g, "w")
			return Model{Params: []*gorgonia.Node{w}, Loss: sum(w), Inputs: []*gorgonia.Node{w}}, nil
		}},
		{"NaN in the data", "input x is NaN or infinite at element 1", func(g *gorgonia.ExprGraph) (Model, error) {
			x := vector(g, "x", gorgonia.WithValue(tensor.New(tensor.WithBacking([]float64{1, math.NaN(), 2}))))
			w := vector(g, "w")
			return one([]*gorgonia.Node{w}, sum(must(gorgonia.Add(w, x))))
		}},
		{"NaN everywhere", "not finite at any of 8", func(g *gorgonia.ExprGraph) (Model, error) {
			w := vector(g, "w")
			negative := must(gorgonia.Neg(must(gorgonia.Add(must(gorgonia.Square(w)), gorgonia.NewConstant(1.0)))))
			return one([]*gorgonia.Node{w}, sum(must(gorgonia.Log(negative))))
		}},
		{"its own random numbers", "draws random numbers", func(g *gorgonia.ExprGraph) (Model, error) {
			w := vector(g, "w")
			noise := gorgonia.GaussianRandomNode(g, tensor.Float64, 0, 1, 3)
			return one([]*gorgonia.Node{w}, sum(must(gorgonia.Add(w, noise))))
		}},
		{"deviations", "2 deviations in Model.Std for 1 parameters", func(g *gorgonia.ExprGraph) (Model, error) {
			w := vector(g, "w")
			return Model{Params: []*gorgonia.Node{w}, Loss: sum(w), Std: []float64{1, 1}}, nil
		}},
		{"deviation", "Model.Std is NaN", func(g *gorgonia.ExprGraph) (Model, error) {
			w := vector(g, "w")
			return Model{Params: []*gorgonia.Node{w}, Loss: sum(w), Std: []float64{math.NaN()}}, nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := New("bad", c.build)
			require.ErrorIs(t, err, rsie.ErrInvalid)
			require.ErrorContains(t, err, "graph bad: ")
			require.ErrorContains(t, err, c.want)
			require.Nil(t, p)
		})
	}
}

// Dropout draws while it trains; in a problem it is off, or equal points would differ.
func TestDropoutIsOff(t *testing.T) {
	p, err := New("dropout", func(g *gorgonia.ExprGraph) (Model, error) {
		w := gorgonia.NewMatrix(g, gorgonia.Float64, gorgonia.WithShape(4, 4), gorgonia.WithName("w"))
		return Model{Params: []*gorgonia.Node{w}, Loss: must(gorgonia.Sum(must(gorgonia.Dropout(w, 0.5))))}, nil
	})
	require.NoError(t, err)
	point := make([]float64, 16)
	for j := range point {
		point[j] = 1
	}
	loss := []float64{0}
	require.NoError(t, p.Evaluate(t.Context(), loss, point, rsie.NewKey(1)))
	require.Equal(t, 16.0, loss[0])
}
