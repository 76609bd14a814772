package graph

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// check says what is wrong with m as a model on g.
func (m Model) check(g *gorgonia.ExprGraph) error {
	if len(m.Params) == 0 {
		return errors.New("no parameters; name at least one node in Model.Params")
	}
	if m.Loss == nil {
		return errors.New("no loss; name a scalar node in Model.Loss")
	}
	if m.Std != nil && len(m.Std) != len(m.Params) {
		return fmt.Errorf("%d deviations in Model.Std for %d parameters", len(m.Std), len(m.Params))
	}
	for _, list := range []struct {
		what  string
		nodes []*gorgonia.Node
	}{{"parameter", m.Params}, {"loss", []*gorgonia.Node{m.Loss}}, {"output", m.Outputs}, {"input", m.Inputs}} {
		for i, n := range list.nodes {
			if n == nil || n.Graph() != g {
				return fmt.Errorf("%s %d does not belong to the graph given to the build function", list.what, i)
			}
			if d := n.Dtype(); d != tensor.Float64 && d != tensor.Float32 {
				return fmt.Errorf("%s %s holds %v, want float64 or float32", list.what, n.Name(), d)
			}
		}
	}
	if !m.Loss.IsScalar() {
		return fmt.Errorf("the loss %s has the shape %v, want a scalar; take its mean or sum",
			m.Loss.Name(), m.Loss.Shape())
	}
	return m.checkInputs(g)
}

// checkInputs says which node is not what the model calls it, lacks data or holds bad data.
func (m Model) checkInputs(g *gorgonia.ExprGraph) error {
	for i, n := range m.Params {
		if !n.IsVar() {
			return fmt.Errorf("parameter %s is computed, not a variable", n.Name())
		}
		if slices.Contains(m.Params[:i], n) {
			return fmt.Errorf("parameter %s is named twice", n.Name())
		}
	}
	for _, n := range m.Inputs {
		if !n.IsVar() || slices.Contains(m.Params, n) {
			return fmt.Errorf("input %s is a parameter or computed, want a variable with data", n.Name())
		}
	}
	for _, n := range g.Inputs() {
		if !n.IsVar() || slices.Contains(m.Params, n) {
			continue
		}
		if n.Value() == nil {
			return fmt.Errorf("input %s has no value; bind a tensor with gorgonia.WithValue", n.Name())
		}
		if at := notFinite(n.Value()); at >= 0 {
			return fmt.Errorf("input %s is NaN or infinite at element %d", n.Name(), at)
		}
	}
	return nil
}

// notFinite returns the first element of v that is NaN or infinite, -1 when there is none.
func notFinite(v gorgonia.Value) int {
	for i, x := range numbers(v) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return i
		}
	}
	return -1
}

// numbers returns the elements of v as float64, none for other element types.
func numbers(v gorgonia.Value) []float64 {
	switch x := v.Data().(type) {
	case float64:
		return []float64{x}
	case float32:
		return []float64{float64(x)}
	case []float64:
		return x
	case []float32:
		out := make([]float64, len(x))
		for i := range x {
			out[i] = float64(x[i])
		}
		return out
	}
	return nil
}

// number returns the value of a scalar.
func number(v gorgonia.Value) float64 { return numbers(v)[0] }

// dense returns a copy of v as a tensor.
func dense(v gorgonia.Value) *tensor.Dense {
	if d, ok := v.(*tensor.Dense); ok {
		return d.Clone().(*tensor.Dense)
	}
	return tensor.New(tensor.FromScalar(v.Data()))
}

// parameter is the memory of a parameter node, which the graph reads in every run: one of the
// fields is set.
type parameter struct {
	size     int
	scalar64 *gorgonia.F64
	scalar32 *gorgonia.F32
	dense64  []float64
	dense32  []float32
}

// set copies the first elements of values to the node.
func (p parameter) set(values []float64) {
	switch {
	case p.scalar64 != nil:
		*p.scalar64 = gorgonia.F64(values[0])
	case p.scalar32 != nil:
		*p.scalar32 = gorgonia.F32(values[0])
	case p.dense64 != nil:
		copy(p.dense64, values[:p.size])
	default:
		for i := range p.dense32 {
			p.dense32[i] = float32(values[i])
		}
	}
}

// bind gives every parameter node memory of its own, so that no tensor of the user is written.
func bind(nodes []*gorgonia.Node) ([]parameter, error) {
	out := make([]parameter, len(nodes))
	for i, n := range nodes {
		p := parameter{size: n.Shape().TotalSize()}
		double := n.Dtype() == tensor.Float64
		var v gorgonia.Value
		switch {
		case n.IsScalar() && double:
			p.size, p.scalar64 = 1, gorgonia.NewF64(0)
			v = p.scalar64
		case n.IsScalar():
			p.size, p.scalar32 = 1, gorgonia.NewF32(0)
			v = p.scalar32
		case double:
			p.dense64 = make([]float64, p.size)
			v = tensor.New(tensor.WithShape(n.Shape()...), tensor.WithBacking(p.dense64))
		default:
			p.dense32 = make([]float32, p.size)
			v = tensor.New(tensor.WithShape(n.Shape()...), tensor.WithBacking(p.dense32))
		}
		if p.size < 1 {
			return nil, fmt.Errorf("parameter %s has the shape %v and no elements", n.Name(), n.Shape())
		}
		if err := gorgonia.Let(n, v); err != nil {
			return nil, fmt.Errorf("parameter %s: %w", n.Name(), err)
		}
		out[i] = p
	}
	return out, nil
}

// shape returns the blocks of the parameters.
func shape(name string, m Model, params []parameter) (rsie.Shape, error) {
	out := rsie.Shape{Name: name}
	layer := -1
	for i, n := range m.Params {
		rows, fanIn := 1, 0
		if s := n.Shape(); s.Dims() >= 2 && s[0] > 1 {
			rows, fanIn = s[0], s[0]
			if s.Dims() > 2 {
				fanIn = params[i].size / rows
			}
			layer++
		}
		std := 0.0
		if fanIn > 0 {
			std = 1 / math.Sqrt(float64(fanIn))
		}
		if m.Std != nil {
			std = m.Std[i]
		}
		if !(std >= 0) || math.IsInf(std, 0) {
			return out, fmt.Errorf("parameter %s: Model.Std is %g, want a finite number >= 0", n.Name(), std)
		}
		out.Blocks = append(out.Blocks, rsie.Block{Offset: out.Dim, Rows: rows, Cols: params[i].size / rows,
			Layer: max(layer, 0), Std: std})
		out.Dim += params[i].size
	}
	return out, out.Check()
}
