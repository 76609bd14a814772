package task

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Limits of a network.
const (
	MaxLayers     = 64      // hidden layers
	MaxWidth      = 65_536  // of a layer
	MaxParameters = 1 << 28 // of a network
)

const defaultWidth = 16 // of the one hidden layer of a task without a network

// NetworkSpec is the model of a task, without its input and output widths.
type NetworkSpec struct {
	Kind       string `yaml:"kind"`       // dense (default), elman, gru
	Hidden     []int  `yaml:"hidden"`     // widths of hidden layers, default [16]; exactly one for elman and gru
	Activation names  `yaml:"activation"` // one, or one per hidden layer: tanh (default), relu, sigmoid, linear
}

// names is a list of names in a file; a single name stands for a list of one.
type names []string

// UnmarshalYAML reads a name or a list of names.
func (n *names) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*n = names{node.Value}
		return nil
	}
	return node.Decode((*[]string)(n))
}

var networkNames = []string{"", "dense", "elman", "gru"}                // by rsie.Network
var activationNames = []string{"", "linear", "tanh", "relu", "sigmoid"} // by rsie.Activation
var lossNames = []string{"", "cross_entropy", "mean_squared", "return"} // by rsie.Loss

// model returns m with the network of the file between its first and last layer. m.Layers holds
// the input and the output width, m.Steps the length of a sequence, 0 where there is none: then
// only a dense network fits. A dense network for a sequence reads all steps at once: its input
// width is Layers[0]·Steps and its Steps 0.
func (c *loading) model(m rsie.Model) (*rsie.Model, error) {
	spec := NetworkSpec{}
	if c.network != nil {
		spec = *c.network
	}
	if spec.Kind == "" {
		spec.Kind = "dense"
	}
	if spec.Hidden == nil {
		spec.Hidden = []int{defaultWidth}
	}
	kind := slices.Index(networkNames, spec.Kind)
	if kind < 1 {
		return nil, c.invalid("network.kind %q; allowed are %s", spec.Kind, quoted(networkNames[1:]))
	}
	m.Network = rsie.Network(kind)
	if m.Network != rsie.Dense {
		if m.Steps < 1 {
			return nil, c.invalid("network.kind %s reads sequences; allowed here is dense", spec.Kind)
		}
		if len(spec.Hidden) != 1 {
			return nil, c.invalid("network.hidden has %d layers; a network of kind %s has exactly 1",
				len(spec.Hidden), spec.Kind)
		}
	}
	in, out := m.Layers[0], m.Layers[1]
	if m.Network == rsie.Dense && m.Steps > 0 {
		in, m.Steps = in*m.Steps, 0
	}
	m.Layers = append(append([]int{in}, spec.Hidden...), out)
	var err error
	if m.Activation, err = spec.activations(m.Network); err != nil {
		return nil, c.invalid("network.activation: %v", err)
	}
	if err := checkModel(&m); err != nil {
		return nil, c.invalid("network: %v", err)
	}
	return &m, nil
}

// activations returns one activation per hidden layer; none for a GRU, whose gates are fixed.
func (n NetworkSpec) activations(kind rsie.Network) ([]rsie.Activation, error) {
	if kind == rsie.GRU {
		if len(n.Activation) > 0 {
			return nil, fmt.Errorf("a gru has fixed gates; remove the field")
		}
		return nil, nil
	}
	given := []string(n.Activation)
	if len(given) == 0 {
		given = []string{"tanh"}
	}
	if len(given) != 1 && len(given) != len(n.Hidden) {
		return nil, fmt.Errorf("%d names for %d hidden layers; want one, or one per layer",
			len(given), len(n.Hidden))
	}
	out := make([]rsie.Activation, len(n.Hidden))
	for l := range out {
		name := given[min(l, len(given)-1)]
		at := slices.Index(activationNames, name)
		if at < 1 {
			return nil, fmt.Errorf("%q; allowed are %s", name, quoted(activationNames[1:]))
		}
		out[l] = rsie.Activation(at)
	}
	return out, nil
}

// checkModel returns an error unless layers and parameters are within the limits; it multiplies
// nothing that could overflow.
func checkModel(m *rsie.Model) error {
	if hidden := len(m.Layers) - 2; hidden < 0 || hidden > MaxLayers {
		return fmt.Errorf("%d hidden layers; allowed are 0 to %d", hidden, MaxLayers)
	}
	for l, width := range m.Layers {
		if width < 1 || width > MaxWidth {
			return fmt.Errorf("layer %d is %d wide; allowed are 1 to %d", l, width, MaxWidth)
		}
	}
	gates := 1
	if m.Network == rsie.GRU {
		gates = 3
	}
	total := 0 // at most 66 layers of 3·2^33 parameters
	for l := 1; l < len(m.Layers); l++ {
		in, width := m.Layers[l-1], m.Layers[l]
		if m.Network != rsie.Dense && l == 1 {
			total += (in + width + 1) * gates * width
		} else {
			total += (in + 1) * width
		}
	}
	if total > MaxParameters {
		return fmt.Errorf("%d parameters; allowed are at most %d", total, MaxParameters)
	}
	return nil
}

// quoted joins names for a message.
func quoted(list []string) string { return strings.Join(list, ", ") }
