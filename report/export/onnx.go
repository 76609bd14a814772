package export

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/task"
	"google.golang.org/protobuf/encoding/protowire"
)

// The versions of ONNX that are written; every runtime since 2021 reads them.
const (
	irVersion = 8
	opset     = 17
)

// The field numbers of onnx.proto that are written. Source: onnx 1.23, onnx/onnx.proto.
const (
	modelIR, modelProducer, modelDoc, modelGraph, modelOpset, modelMeta                 = 1, 2, 6, 7, 8, 14
	opsetVersion                                                                        = 2
	graphNode, graphName, graphInitializer, graphInput, graphOutput                     = 1, 2, 5, 11, 12
	nodeInput, nodeOutput, nodeType                                                     = 1, 2, 4
	tensorDims, tensorType, tensorName, tensorRaw                                       = 1, 2, 8, 9
	infoName, infoType, typeTensor, typeElement, typeShape, shapeDim, dimValue, dimName = 1, 2, 1, 1, 2, 1, 1, 2
	entryKey, entryValue                                                                = 1, 2

	elementDouble, elementInt64 = 11, 7
)

// graph collects nodes and constants.
type graph struct {
	nodes, constants []byte
	count            int
}

func message(b []byte, field protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), content)
}

func text(b []byte, field protowire.Number, s string) []byte { return message(b, field, []byte(s)) }

func integer(b []byte, field protowire.Number, v int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}

// node adds an operation and returns the name of its output.
func (g *graph) node(op string, inputs ...string) string {
	g.count++
	out := fmt.Sprintf("%s_%d", op, g.count)
	g.named(op, out, inputs...)
	return out
}

func (g *graph) named(op, output string, inputs ...string) {
	var n []byte
	for _, in := range inputs {
		n = text(n, nodeInput, in)
	}
	n = text(text(n, nodeOutput, output), nodeType, op)
	g.nodes = message(g.nodes, graphNode, n)
}

// constant adds a tensor of doubles.
func (g *graph) constant(name string, shape []int, values []float64) string {
	raw := make([]byte, 0, 8*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
	}
	g.tensor(name, shape, elementDouble, raw)
	return name
}

// place adds a list of one integer.
func (g *graph) place(v int) string {
	name := fmt.Sprintf("int_%d", g.count)
	g.count++
	g.tensor(name, []int{1}, elementInt64, binary.LittleEndian.AppendUint64(nil, uint64(v)))
	return name
}

func (g *graph) tensor(name string, shape []int, element int, raw []byte) {
	var t []byte
	for _, n := range shape {
		t = integer(t, tensorDims, n)
	}
	t = text(integer(t, tensorType, element), tensorName, name)
	g.constants = message(g.constants, graphInitializer, message(t, tensorRaw, raw))
}

// columns cuts columns [from, to) of a matrix.
func (g *graph) columns(x string, from, to int) string {
	return g.node("Slice", x, g.place(from), g.place(to), g.place(1))
}

func (g *graph) affine(x, weight, bias string) string {
	return g.node("Add", g.node("MatMul", x, weight), bias)
}

// activated applies a hidden layer's function.
func (g *graph) activated(x string, a rsie.Activation) string {
	op := map[rsie.Activation]string{rsie.Tanh: "Tanh", rsie.ReLU: "Relu", rsie.Sigmoid: "Sigmoid"}[a]
	if op == "" {
		return x
	}
	return g.node(op, x)
}

// ONNX writes the network of a model: input x [rows, inputs], a sequence being one row with its
// first step first; output y [rows, outputs], linear; both float64. How a user's row becomes inputs
// stands in model.json, beside which the file is meant to be kept.
func ONNX(w io.Writer, m *task.SavedModel) error {
	g := &graph{}
	net := m.Model()
	var out string
	switch net.Network {
	case rsie.Dense:
		out = g.dense(m)
	case rsie.Elman:
		out = g.elman(m)
	case rsie.GRU:
		out = g.gru(m)
	default:
		return fmt.Errorf("%w: a network of kind %d has no form in ONNX", rsie.ErrUnsupported, net.Network)
	}
	g.named("Identity", "y", out)
	body := append(g.nodes, text(nil, graphName, "network")...)
	body = append(body, g.constants...)
	body = message(body, graphInput, info("x", net.Layers[0]*max(1, net.Steps)))
	body = message(body, graphOutput, info("y", net.Outputs()))
	b := text(integer(nil, modelIR, irVersion), modelProducer, "rsie")
	b = text(b, modelDoc, "A network evolved on task "+m.Task()+"; inputs are coded as model.json says.")
	b = message(b, modelGraph, body)
	b = message(b, modelOpset, integer(nil, opsetVersion, opset))
	b = message(b, modelMeta, text(text(nil, entryKey, "task"), entryValue, m.Task()))
	_, err := w.Write(b)
	return err
}

// info describes a matrix of doubles with any number of rows.
func info(name string, columns int) []byte {
	shape := message(nil, shapeDim, text(nil, dimName, "rows"))
	shape = message(shape, shapeDim, integer(nil, dimValue, columns))
	t := message(integer(nil, typeElement, elementDouble), typeShape, shape)
	return message(text(nil, infoName, name), infoType, message(nil, typeTensor, t))
}

func (g *graph) dense(m *task.SavedModel) string {
	at := "x"
	tensors := m.Tensors()
	for l := 0; 2*l < len(tensors); l++ {
		w, b := tensors[2*l], tensors[2*l+1]
		at = g.affine(at, g.constant(w.Name, w.Shape, w.Values), g.constant(b.Name, b.Shape, b.Values))
		if l < len(m.Model().Activation) {
			at = g.activated(at, m.Model().Activation[l])
		}
	}
	return at
}

// layers adds the tensors of a recurrent network and returns their names.
func (g *graph) layers(tensors []task.Tensor) (names []string) {
	for _, t := range tensors {
		names = append(names, g.constant(t.Name, t.Shape, t.Values))
	}
	return names
}

// elman unrolls h_t = act(x_t·Wx + h_(t-1)·Wh + b), h_0 = 0.
func (g *graph) elman(m *task.SavedModel) string {
	n := g.layers(m.Tensors())
	in, h := m.Model().Layers[0], ""
	for t := range m.Model().Steps {
		sum := g.affine(g.columns("x", t*in, (t+1)*in), n[0], n[2])
		if h != "" {
			sum = g.node("Add", sum, g.node("MatMul", h, n[1]))
		}
		h = g.activated(sum, m.Model().Activation[0])
	}
	return g.affine(h, n[3], n[4])
}

// gru unrolls z, r = sigmoid(x·Wx + h·Wh + b), n = tanh(x·Wx + (r∘h)·Wh + b),
// h' = (1-z)∘n + z∘h, h_0 = 0.
func (g *graph) gru(m *task.SavedModel) string {
	tensors := m.Tensors()
	hidden := tensors[2].Shape[0] / 3
	var wx, wh, bias [3]string
	for gate := range 3 {
		wx[gate] = g.gate(tensors[0], gate, hidden)
		wh[gate] = g.gate(tensors[1], gate, hidden)
		bias[gate] = g.gate(tensors[2], gate, hidden)
	}
	one := g.constant("one", []int{1}, []float64{1})
	in, h := m.Model().Layers[0], ""
	for t := range m.Model().Steps {
		x := g.columns("x", t*in, (t+1)*in)
		sums := [3]string{}
		for gate := range 3 {
			sums[gate] = g.affine(x, wx[gate], bias[gate])
		}
		if h == "" {
			z := g.node("Sigmoid", sums[0])
			h = g.node("Mul", g.node("Sub", one, z), g.node("Tanh", sums[2]))
			continue
		}
		z := g.node("Sigmoid", g.node("Add", sums[0], g.node("MatMul", h, wh[0])))
		r := g.node("Sigmoid", g.node("Add", sums[1], g.node("MatMul", h, wh[1])))
		n := g.node("Tanh", g.node("Add", sums[2], g.node("MatMul", g.node("Mul", r, h), wh[2])))
		h = g.node("Add", g.node("Mul", g.node("Sub", one, z), n), g.node("Mul", z, h))
	}
	last := g.layers(tensors[3:])
	return g.affine(h, last[0], last[1])
}

// gate adds the columns of one gate of a tensor [.., 3h].
func (g *graph) gate(t task.Tensor, gate, hidden int) string {
	rows := len(t.Values) / (3 * hidden)
	var values []float64
	for i := range rows {
		values = append(values, t.Values[i*3*hidden+gate*hidden:][:hidden]...)
	}
	shape := []int{rows, hidden}
	if len(t.Shape) == 1 {
		shape = []int{hidden}
	}
	return g.constant(fmt.Sprintf("%s.%d", t.Name, gate), shape, values)
}
