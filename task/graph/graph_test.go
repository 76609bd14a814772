package graph

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// reference is a network of testdata/mlp.json with what numpy 2.4.6 computes for it.
type reference struct {
	Name        string
	Sizes       []int `json:"layer_sizes"`
	Activations []string
	Loss        string
	Parameters  []float64
	Outputs     [][]float64
	Gradient    []float64
	MeanLoss    float64 `json:"mean_loss"`

	inputs  *tensor.Dense
	targets *tensor.Dense // one-hot rows for classes
}

func references(t *testing.T) []reference {
	raw, err := os.ReadFile("testdata/mlp.json")
	require.NoError(t, err)
	var doc struct {
		Classification struct {
			Inputs  [][]float64
			Targets []int
			Cases   []reference
		}
		Regression struct {
			Inputs  [][]float64
			Targets [][]float64
			Cases   []reference
		}
	}
	require.NoError(t, json.Unmarshal(raw, &doc))
	var out []reference
	for _, c := range doc.Classification.Cases {
		var rows [][]float64
		for _, class := range doc.Classification.Targets {
			row := make([]float64, len(c.Outputs[0]))
			row[class] = 1
			rows = append(rows, row)
		}
		c.inputs, c.targets = matrix(doc.Classification.Inputs), matrix(rows)
		out = append(out, c)
	}
	for _, c := range doc.Regression.Cases {
		c.inputs, c.targets = matrix(doc.Regression.Inputs), matrix(doc.Regression.Targets)
		out = append(out, c)
	}
	require.Len(t, out, 6)
	return out
}

func matrix(rows [][]float64) *tensor.Dense {
	var flat []float64
	for _, r := range rows {
		flat = append(flat, r...)
	}
	return tensor.New(tensor.WithShape(len(rows), len(rows[0])), tensor.WithBacking(flat))
}

func must(n *gorgonia.Node, err error) *gorgonia.Node { return gorgonia.Must(n, err) }

// layer returns act(x·W + b).
func layer(x, w, b *gorgonia.Node, act string) *gorgonia.Node {
	y := must(gorgonia.BroadcastAdd(must(gorgonia.Mul(x, w)), b, nil, []byte{0}))
	switch act {
	case "tanh":
		return must(gorgonia.Tanh(y))
	case "relu":
		return must(gorgonia.Rectify(y))
	case "sigmoid":
		return must(gorgonia.Sigmoid(y))
	}
	return y
}

// build is the graph of a reference, its bias vectors either of shape (n) or (1, n).
func (c reference) build(g *gorgonia.ExprGraph) (Model, error) {
	x := gorgonia.NodeFromAny(g, c.inputs, gorgonia.WithName("x"))
	target := gorgonia.NodeFromAny(g, c.targets, gorgonia.WithName("target"))
	m := Model{Inputs: []*gorgonia.Node{x}}
	h := x
	for l, act := range c.Activations {
		w := gorgonia.NewMatrix(g, gorgonia.Float64, gorgonia.WithShape(c.Sizes[l], c.Sizes[l+1]),
			gorgonia.WithName("w"+string(rune('0'+l))))
		b := gorgonia.NewMatrix(g, gorgonia.Float64, gorgonia.WithShape(1, c.Sizes[l+1]),
			gorgonia.WithName("b"+string(rune('0'+l))))
		m.Params = append(m.Params, w, b)
		h = layer(h, w, b, act)
	}
	m.Outputs = []*gorgonia.Node{h}
	if c.Loss == "mse" {
		m.Loss = must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(h, target))))))
		return m, nil
	}
	// Cross-entropy: mean of logsumexp(h) - h[class]. Logits up to 173 stay below the overflow
	// of exp in float64, at 709.
	lse := must(gorgonia.Log(must(gorgonia.Sum(must(gorgonia.Exp(h)), 1))))
	hit := must(gorgonia.Sum(must(gorgonia.HadamardProd(h, target)), 1))
	m.Loss = must(gorgonia.Mean(must(gorgonia.Sub(lse, hit))))
	return m, nil
}

func TestMultilayerPerceptronEqualsNumpy(t *testing.T) {
	for _, c := range references(t) {
		t.Run(c.Name, func(t *testing.T) {
			before := c.inputs.Clone().(*tensor.Dense)
			p, err := New(c.Name, c.build)
			require.NoError(t, err)
			require.Equal(t, len(c.Parameters), p.Shape().Dim)

			// The other point between the two equal ones shows that nothing of a run stays.
			zero := make([]float64, len(c.Parameters))
			points := append(append(append([]float64{}, c.Parameters...), zero...), c.Parameters...)
			loss := make([]float64, 3)
			require.NoError(t, p.Evaluate(context.Background(), loss, points, rsie.NewKey(1)))
			require.InDelta(t, c.MeanLoss, loss[0], 1e-10)
			require.Equal(t, loss[0], loss[2])
			require.NotEqual(t, loss[0], loss[1])

			out, err := p.Outputs(c.Parameters)
			require.NoError(t, err)
			require.Equal(t, tensor.Shape{len(c.Outputs), len(c.Outputs[0])}, out[0].Shape())
			for s, row := range c.Outputs {
				require.InDeltaSlice(t, row, out[0].Data().([]float64)[s*len(row):][:len(row)], 1e-10)
			}
			require.Equal(t, before.Data(), c.inputs.Data(), "the user's data was written")
		})
	}
}

func TestShapeHasABlockPerParameter(t *testing.T) {
	p, err := New("blocks", func(g *gorgonia.ExprGraph) (Model, error) {
		w := gorgonia.NewMatrix(g, gorgonia.Float64, gorgonia.WithShape(4, 3), gorgonia.WithName("w"))
		b := gorgonia.NewVector(g, gorgonia.Float64, gorgonia.WithShape(3), gorgonia.WithName("b"))
		s := gorgonia.NewScalar(g, gorgonia.Float64, gorgonia.WithName("s"))
		k := gorgonia.NewTensor(g, gorgonia.Float64, 4, gorgonia.WithShape(2, 3, 1, 3), gorgonia.WithName("k"))
		sum := must(gorgonia.Add(must(gorgonia.Sum(w)), must(gorgonia.Sum(b))))
		sum = must(gorgonia.Add(must(gorgonia.Add(sum, s)), must(gorgonia.Sum(k))))
		return Model{Params: []*gorgonia.Node{w, b, s, k}, Loss: sum}, nil
	})
	require.NoError(t, err)
	require.Equal(t, rsie.Shape{Name: "blocks", Dim: 34, Blocks: []rsie.Block{
		{Offset: 0, Rows: 4, Cols: 3, Layer: 0, Std: 0.5},
		{Offset: 12, Rows: 1, Cols: 3, Layer: 0, Std: 0},
		{Offset: 15, Rows: 1, Cols: 1, Layer: 0, Std: 0},
		{Offset: 16, Rows: 2, Cols: 9, Layer: 1, Std: 1.0 / 3},
	}}, p.Shape())

	point := make([]float64, 34)
	sum := 0.0
	for j := range point {
		point[j] = float64(j)
		sum += point[j]
	}
	loss := []float64{0}
	require.NoError(t, p.Evaluate(context.Background(), loss, point, rsie.NewKey(1)))
	require.Equal(t, sum, loss[0])
	values, err := p.Parameters(point)
	require.NoError(t, err)
	require.Equal(t, tensor.Shape{4, 3}, values[0].Shape())
	require.Equal(t, []float64{12, 13, 14}, values[1].Data())
	require.Equal(t, 15.0, values[2].ScalarValue())
	require.Equal(t, tensor.Shape{2, 3, 1, 3}, values[3].Shape())
}

// quadratic is mean((x·w - 1)^2) in the given precision with a row of inputs per value.
func quadratic(dtype tensor.Dtype, x any, std []float64) Build {
	return func(g *gorgonia.ExprGraph) (Model, error) {
		in := gorgonia.NodeFromAny(g, tensor.New(tensor.WithShape(3, 2), tensor.WithBacking(x)), gorgonia.WithName("x"))
		w := gorgonia.NewVector(g, dtype, gorgonia.WithShape(2), gorgonia.WithName("w"))
		out := must(gorgonia.Mul(in, w))
		var one any = 1.0
		if dtype == tensor.Float32 {
			one = float32(1)
		}
		loss := must(gorgonia.Mean(must(gorgonia.Square(must(gorgonia.Sub(out, gorgonia.NewConstant(one)))))))
		return Model{Params: []*gorgonia.Node{w}, Loss: loss, Outputs: []*gorgonia.Node{out, loss},
			Inputs: []*gorgonia.Node{in}, Std: std}, nil
	}
}

func TestStdIsTheUsersWhenGiven(t *testing.T) {
	p, err := New("q", quadratic(tensor.Float64, []float64{1, 2, 3, 4, 5, 6}, []float64{0.25}))
	require.NoError(t, err)
	require.Equal(t, 0.25, p.Shape().Blocks[0].Std)
}

func TestFloat32GraphsAreEvaluatedInFloat32(t *testing.T) {
	p, err := New("q32", quadratic(tensor.Float32, []float32{1, 2, 3, 4, 5, 6}, nil))
	require.NoError(t, err)
	out, err := p.Outputs([]float64{0.1, 1})
	require.NoError(t, err)
	w0, w1 := float32(0.1), float32(1)
	want := []float32{1*w0 + 2*w1, 3*w0 + 4*w1, 5*w0 + 6*w1}
	require.InDeltaSlice(t, want, out[0].Data(), 1e-6)
	var loss float64
	for _, y := range want {
		loss += float64(y-1) * float64(y-1) / 3
	}
	require.InDelta(t, loss, float64(out[1].ScalarValue().(float32)), 1e-5)
}

func TestOutputsOnOtherInputs(t *testing.T) {
	p, err := New("q", quadratic(tensor.Float64, []float64{1, 2, 3, 4, 5, 6}, nil))
	require.NoError(t, err)
	other := tensor.New(tensor.WithShape(3, 2), tensor.WithBacking([]float64{0, 1, 1, 0, 1, 1}))
	out, err := p.Outputs([]float64{2, 3}, other)
	require.NoError(t, err)
	require.Equal(t, []float64{3, 2, 5}, out[0].Data())
	back, err := p.Outputs([]float64{2, 3})
	require.NoError(t, err)
	require.Equal(t, []float64{8, 18, 28}, back[0].Data(), "the data of the build is back")
	require.Equal(t, []float64{3, 2, 5}, out[0].Data(), "an earlier result was written")

	_, err = p.Outputs([]float64{2, 3}, tensor.New(tensor.WithShape(2, 2), tensor.Of(tensor.Float64)))
	require.ErrorIs(t, err, rsie.ErrShape)
	_, err = p.Outputs([]float64{2, 3}, other, other)
	require.ErrorIs(t, err, rsie.ErrShape)
	_, err = p.Outputs([]float64{2})
	require.ErrorIs(t, err, rsie.ErrShape)
	_, err = p.Parameters([]float64{2})
	require.ErrorIs(t, err, rsie.ErrShape)
}

func TestEvaluateChecksSizesAndContext(t *testing.T) {
	p, err := New("q", quadratic(tensor.Float64, []float64{1, 2, 3, 4, 5, 6}, nil))
	require.NoError(t, err)
	err = p.Evaluate(context.Background(), make([]float64, 2), make([]float64, 3), rsie.NewKey(1))
	require.ErrorIs(t, err, rsie.ErrShape)
	stopped, stop := context.WithCancel(context.Background())
	stop()
	err = p.Evaluate(stopped, make([]float64, 1), make([]float64, 2), rsie.NewKey(1))
	require.ErrorIs(t, err, context.Canceled)
}

func TestNotANumberIsAFitnessWhereOtherPointsAreFinite(t *testing.T) {
	p, err := New("log", func(g *gorgonia.ExprGraph) (Model, error) {
		w := gorgonia.NewVector(g, gorgonia.Float64, gorgonia.WithShape(1), gorgonia.WithName("w"))
		return Model{Params: []*gorgonia.Node{w}, Loss: must(gorgonia.Sum(must(gorgonia.Log(w)))), Std: []float64{1}}, nil
	})
	require.NoError(t, err)
	loss := make([]float64, 2)
	require.NoError(t, p.Evaluate(context.Background(), loss, []float64{-1, math.E}, rsie.NewKey(1)))
	require.True(t, math.IsNaN(loss[0]), "%g", loss[0])
	require.InDelta(t, 1, loss[1], 1e-15)
}

func TestCallersTakeTurns(t *testing.T) {
	p, err := New("q", quadratic(tensor.Float64, []float64{1, 2, 3, 4, 5, 6}, nil))
	require.NoError(t, err)
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			w := float64(worker)
			for range 50 {
				loss := []float64{0}
				if err := p.Evaluate(context.Background(), loss, []float64{w, 0}, rsie.NewKey(1)); err != nil {
					t.Error(err)
				}
				want := (math.Pow(w-1, 2) + math.Pow(3*w-1, 2) + math.Pow(5*w-1, 2)) / 3
				if math.Abs(loss[0]-want) > 1e-12 {
					t.Errorf("worker %d: loss %g, want %g", worker, loss[0], want)
				}
			}
		})
	}
	group.Wait()
}

func TestFactory(t *testing.T) {
	factory := Factory(map[string]Build{"q": quadratic(tensor.Float64, []float64{1, 2, 3, 4, 5, 6}, nil),
		"bad": func(*gorgonia.ExprGraph) (Model, error) { return Model{}, errors.New("no such file") }})
	a, err := factory("q")
	require.NoError(t, err)
	b, err := factory("q")
	require.NoError(t, err)
	require.Equal(t, "q", a.Shape().Name)
	require.NotSame(t, a, b)
	_, err = factory("r")
	require.ErrorIs(t, err, rsie.ErrNotFound)
	require.ErrorContains(t, err, `"r"; known are [bad q]`)
	p, err := factory("bad")
	require.ErrorContains(t, err, "no such file")
	require.Nil(t, p)
}
