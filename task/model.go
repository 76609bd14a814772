package task

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// The form of model.json.
const (
	ModelFormat  = "rsie-model"
	ModelVersion = 1

	maxModelFile = 64 << 20 // bytes of model.json
	weightsFile  = "model.safetensors"
	modelFile    = "model.json"
)

// modelJSON is model.json: everything but the parameters.
type modelJSON struct {
	Format     string         `json:"format"`
	Version    int            `json:"version"`
	Task       taskJSON       `json:"task"`
	Network    networkJSON    `json:"network"`
	Parameters parametersJSON `json:"parameters"`
	Coding     *Coding        `json:"coding"` // null for episodes
	Info       map[string]any `json:"info"`
}

type taskJSON struct {
	Name        string `json:"name"`
	Kind        string `json:"kind"`
	Digest      string `json:"digest"`
	Description string `json:"description"`
}

type networkJSON struct {
	Kind       string       `json:"kind"`
	Layers     []int        `json:"layers"`     // widths, the input and the output included
	Activation []string     `json:"activation"` // one per hidden layer; a gru has none
	Steps      int          `json:"steps"`      // of a sequence; 0 for dense
	Loss       string       `json:"loss"`
	Control    *controlJSON `json:"control,omitempty"`
}

type controlJSON struct {
	System     string  `json:"system"`
	Horizon    int     `json:"horizon"`
	Force      float64 `json:"force"`
	PoleMass   float64 `json:"pole_mass"`
	HalfLength float64 `json:"half_length"`
	CartMass   float64 `json:"cart_mass"`
}

type parametersJSON struct {
	Count  int         `json:"count"`
	File   string      `json:"file"`
	SHA256 string      `json:"sha256"` // of the file
	Layout string      `json:"layout"` // in words
	Blocks []blockJSON `json:"blocks"` // tile the flat vector in this order
}

type blockJSON struct {
	Name   string `json:"name"` // of the tensor
	Offset int    `json:"offset"`
	Rows   int    `json:"rows"`
	Cols   int    `json:"cols"`
}

const (
	layoutDense = "per layer weight[in][out], row-major, then bias[out]; y = x·weight + bias, " +
		"hidden layers through their activation, the last layer linear"
	layoutElman = "layer 0: weight_input[in][h], weight_hidden[h][h], bias[h]; h_0 = 0, " +
		"h_t = act(x_t·weight_input + h_(t-1)·weight_hidden + bias); layer 1: weight[h][out], bias[out], " +
		"on the last h, linear"
	layoutGRU = "layer 0: weight_input[in][3h], weight_hidden[h][3h], bias[3h], gates in the order update z, " +
		"reset r, candidate n; z, r = sigmoid(x·Wx + h·Wh + b), n = tanh(x·Wx + (r∘h)·Wh + b), " +
		"h' = (1-z)∘n + z∘h, h_0 = 0; layer 1: weight[h][out], bias[out], on the last h, linear"
)

// blockNames returns the names of the tensors of m, in parameter order.
func blockNames(m *rsie.Model) []string {
	if m.Network != rsie.Dense {
		return []string{"layers.0.weight_input", "layers.0.weight_hidden", "layers.0.bias",
			"layers.1.weight", "layers.1.bias"}
	}
	var out []string
	for l := range len(m.Layers) - 1 {
		out = append(out, fmt.Sprintf("layers.%d.weight", l), fmt.Sprintf("layers.%d.bias", l))
	}
	return out
}

// tensorShape returns the shape of a block in the file: biases have one dimension.
func tensorShape(name string, b rsie.Block) []int {
	if filepath.Ext(name) == ".bias" {
		return []int{b.Cols}
	}
	return []int{b.Rows, b.Cols}
}

// SaveModel writes the network of t with the parameters point, [Dim], to a folder, which it
// makes: model.safetensors holds them as F64, one tensor per matrix and bias; model.json holds
// the network, the coding of data, the task and info. The same input gives the same bytes.
//
// It returns [rsie.ErrUnsupported] for a task without a network and [rsie.ErrInvalid] when the
// folder cannot be written.
func SaveModel(dir string, t *Task, point []float64, info map[string]any) error {
	problem, ok := t.Problem.(rsie.Modelled)
	if !ok {
		return fmt.Errorf("%w: task %s has no network to save", rsie.ErrUnsupported, t.Name)
	}
	m := problem.Model()
	if len(point) != m.Dim() {
		return fmt.Errorf("%w: save model: %d parameters, the network of task %s has %d",
			rsie.ErrShape, len(point), t.Name, m.Dim())
	}
	layout := [...]string{rsie.Dense: layoutDense, rsie.Elman: layoutElman, rsie.GRU: layoutGRU}[m.Network]
	var tensors []tensor
	var blocks []blockJSON
	names := blockNames(m)
	for k, b := range m.Blocks() {
		values := point[b.Offset:][:b.Rows*b.Cols]
		tensors = append(tensors, tensor{names[k], "F64", tensorShape(names[k], b), encodeF64(values)})
		blocks = append(blocks, blockJSON{names[k], b.Offset, b.Rows, b.Cols})
	}
	var weights bytes.Buffer
	metadata := map[string]string{"format": ModelFormat, "layout": layout, "precision": "float64",
		"task": t.Name}
	if err := writeTensors(&weights, tensors, metadata); err != nil {
		return err
	}
	sum := sha256.Sum256(weights.Bytes())
	described := modelJSON{
		Format: ModelFormat, Version: ModelVersion,
		Task:    taskJSON{t.Name, t.Kind, t.Digest(), t.Description},
		Network: describeNetwork(m),
		Parameters: parametersJSON{Count: m.Dim(), File: weightsFile, SHA256: hex.EncodeToString(sum[:]),
			Layout: layout, Blocks: blocks},
		Coding: t.coding, Info: info,
	}
	text, err := json.MarshalIndent(described, "", "  ")
	if err != nil {
		return fmt.Errorf("%w: save model: %v", rsie.ErrInvalid, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return cannotWrite(dir, err)
	}
	if err := writeAtomically(filepath.Join(dir, weightsFile), weights.Bytes()); err != nil {
		return err
	}
	return writeAtomically(filepath.Join(dir, modelFile), append(text, '\n'))
}

func describeNetwork(m *rsie.Model) networkJSON {
	out := networkJSON{Kind: networkNames[m.Network], Layers: m.Layers, Activation: []string{}, Steps: m.Steps,
		Loss: lossNames[m.Loss]}
	for _, a := range m.Activation {
		out.Activation = append(out.Activation, activationNames[a])
	}
	if c := m.Control; c != nil {
		i := slices.IndexFunc(controlSystems, func(e controlSystem) bool { return e.dynamics == c.Dynamics })
		out.Control = &controlJSON{controlSystems[i].name, c.Horizon, c.Force, c.PoleMass, c.HalfLength, c.CartMass}
	}
	return out
}

// SavedModel is a model read from a folder.
type SavedModel struct {
	model    *rsie.Model
	params   []float64
	coding   *Coding
	task     taskJSON
	info     map[string]any
	warnings []string
}

// Model returns the network.
func (m *SavedModel) Model() *rsie.Model { return m.model }

// Params returns the parameters, [Dim].
func (m *SavedModel) Params() []float64 { return m.params }

// Tensor is a matrix or a bias of a saved model, row-major.
type Tensor struct {
	Name   string
	Shape  []int
	Values []float64
}

// Tensors returns the parameters as the tensors of model.safetensors, in parameter order. Their
// values share the memory of [SavedModel.Params].
func (m *SavedModel) Tensors() []Tensor {
	names := blockNames(m.model)
	var out []Tensor
	for k, b := range m.model.Blocks() {
		out = append(out, Tensor{names[k], tensorShape(names[k], b), m.params[b.Offset:][:b.Rows*b.Cols]})
	}
	return out
}

// Task returns the name of the task the model was trained on.
func (m *SavedModel) Task() string { return m.task.Name }

// Info returns what was stored beside the model.
func (m *SavedModel) Info() map[string]any { return m.info }

// Warnings returns what was met in the rows read so far and could be answered all the same, such
// as categories that training never saw.
func (m *SavedModel) Warnings() []string { return m.warnings }

// RowsFromCSV reads the rows to predict: the columns the model was trained on, found by name, in
// any order; the target is not needed. Targets are 0. Of a text model, r is text.
//
// It returns [rsie.ErrInvalid] with name, line and column, and [rsie.ErrUnsupported] for a
// policy, which reads no rows.
func (m *SavedModel) RowsFromCSV(r io.Reader, name string) (*rsie.Rows, error) {
	c, err := m.coding.coder()
	if err != nil {
		return nil, err
	}
	return c.rows(r, name, func(text string) { m.warnings = append(m.warnings, text) })
}

// WritePredictions writes a header and one line per row of outputs [S, out]: the class and the
// probability of each class, or the value in original units, or the columns again.
func (m *SavedModel) WritePredictions(w io.Writer, outputs []float64) error {
	c, err := m.coding.coder()
	if err != nil {
		return err
	}
	return c.write(w, outputs)
}
