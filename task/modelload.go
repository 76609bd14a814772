package task

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// LoadModel reads a folder that [SaveModel] wrote.
//
// It returns [rsie.ErrInvalid] when a file is missing, cut off, changed or of a newer version.
func LoadModel(dir string) (*SavedModel, error) {
	path := filepath.Join(dir, modelFile)
	text, err := readLimited(path, maxModelFile)
	if err != nil {
		return nil, err
	}
	var described modelJSON
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&described); err != nil {
		// The version comes first: a newer form may well have other fields.
		if v := peekVersion(text); v > ModelVersion {
			return nil, newerModel(path, v)
		}
		return nil, fmt.Errorf("%w: %s: %v", rsie.ErrInvalid, path, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: %s: there is more after the JSON object", rsie.ErrInvalid, path)
	}
	switch {
	case described.Format != ModelFormat:
		return nil, fmt.Errorf("%w: %s: format %q, want %q", rsie.ErrInvalid, path, described.Format, ModelFormat)
	case described.Version != ModelVersion:
		return nil, newerModel(path, described.Version)
	}
	out := &SavedModel{coding: described.Coding, task: described.Task, info: described.Info}
	if out.model, err = described.Network.model(); err != nil {
		return nil, fmt.Errorf("%w: %s: network: %v", rsie.ErrInvalid, path, err)
	}
	if out.coding != nil {
		c, err := out.coding.coder()
		if err == nil {
			err = c.check(out.model.Layers[0]*max(1, out.model.Steps), out.model.Outputs())
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %v", rsie.ErrInvalid, path, err)
		}
	}
	out.params, err = readParams(filepath.Join(dir, weightsFile), out.model, described.Parameters.SHA256)
	return out, err
}

func newerModel(path string, version int) error {
	return fmt.Errorf("%w: %s has version %d, this program reads version %d; use a newer rsie",
		rsie.ErrInvalid, path, version, ModelVersion)
}

// peekVersion returns the version of a file that does not fit otherwise, 0 when there is none.
func peekVersion(text []byte) int {
	var head struct{ Version int }
	_ = json.Unmarshal(text, &head) // what cannot be read has version 0
	return head.Version
}

// model returns the network, checked against the limits.
func (n networkJSON) model() (*rsie.Model, error) {
	m := &rsie.Model{Layers: n.Layers, Steps: n.Steps}
	kind, loss := slices.Index(networkNames, n.Kind), slices.Index(lossNames, n.Loss)
	if kind < 1 {
		return nil, fmt.Errorf("kind %q; allowed are %s", n.Kind, quoted(networkNames[1:]))
	}
	if loss < 1 {
		return nil, fmt.Errorf("loss %q; allowed are %s", n.Loss, quoted(lossNames[1:]))
	}
	m.Network, m.Loss = rsie.Network(kind), rsie.Loss(loss)
	if err := checkModel(m); err != nil {
		return nil, err
	}
	recurrent := m.Network != rsie.Dense
	if recurrent != (n.Steps > 0) || n.Steps < 0 || n.Steps > MaxWidth || recurrent && len(n.Layers) != 3 {
		return nil, fmt.Errorf("steps %d and %d layers do not fit kind %s", n.Steps, len(n.Layers), n.Kind)
	}
	want := len(n.Layers) - 2
	if m.Network == rsie.GRU {
		want = 0
	}
	if len(n.Activation) != want {
		return nil, fmt.Errorf("%d activations, want %d", len(n.Activation), want)
	}
	for _, name := range n.Activation {
		a := slices.Index(activationNames, name)
		if a < 1 {
			return nil, fmt.Errorf("activation %q; allowed are %s", name, quoted(activationNames[1:]))
		}
		m.Activation = append(m.Activation, rsie.Activation(a))
	}
	if (n.Control != nil) != (m.Loss == rsie.Return) {
		return nil, fmt.Errorf("loss return and control go together")
	}
	if c := n.Control; c != nil {
		i := slices.IndexFunc(controlSystems, func(e controlSystem) bool { return e.name == c.System })
		if i < 0 {
			return nil, fmt.Errorf("control: unknown system %q", c.System)
		}
		_, obs, out := controlSystems[i].dynamics.Sizes()
		if m.Layers[0] != obs || m.Outputs() != out || c.Horizon < 1 || c.Horizon > maxHorizon {
			return nil, fmt.Errorf("control: system %s has %d observations and %d outputs, horizon 1 to %d",
				c.System, obs, out, maxHorizon)
		}
		m.Control = &rsie.Control{Dynamics: controlSystems[i].dynamics, Horizon: c.Horizon, Force: c.Force,
			PoleMass: c.PoleMass, HalfLength: c.HalfLength, CartMass: c.CartMass}
	}
	return m, nil
}

// readParams reads the parameters of m from a safetensors file with the given SHA-256.
func readParams(path string, m *rsie.Model, sum string) ([]float64, error) {
	f, err := openFile(path, int64(m.Dim())*8+maxTensorHeader+8)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", rsie.ErrInvalid, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%w: cannot read %s: %v", rsie.ErrInvalid, path, cause(err))
	}
	tensors, _, err := readTensors(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, fmt.Errorf("%w: cannot read %s: %v", rsie.ErrInvalid, path, cause(err))
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return nil, fmt.Errorf("%w: %s does not belong to %s: its SHA-256 is %s", rsie.ErrInvalid, path,
			modelFile, got)
	}
	names, blocks := blockNames(m), m.Blocks()
	if len(tensors) != len(names) {
		return nil, fmt.Errorf("%w: %s holds %d tensors, the network has %d", rsie.ErrInvalid, path,
			len(tensors), len(names))
	}
	out := make([]float64, m.Dim())
	for _, t := range tensors {
		k := slices.Index(names, t.name)
		if k < 0 || !slices.Equal(t.shape, tensorShape(names[k], blocks[k])) {
			return nil, fmt.Errorf("%w: %s: tensor %q of shape %v is not the network's", rsie.ErrInvalid, path,
				t.name, t.shape)
		}
		values, err := t.floats()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		copy(out[blocks[k].Offset:], values)
	}
	return out, nil
}
