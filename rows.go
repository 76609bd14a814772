package rsie

import "fmt"

// Check returns [ErrShape] unless the parts of m fit together and rows is data for it, and whether
// rows has what the loss needs: without Targets and Classes a model can only predict.
func (m *Model) Check(rows *Rows) (labelled bool, err error) {
	if m == nil || rows == nil || rows.S < 1 {
		return false, fmt.Errorf("%w: load needs a model and at least one row", ErrShape)
	}
	if err := m.checkNetwork(); err != nil {
		return false, err
	}
	if m.Loss == Return {
		return true, m.checkStarts(rows)
	}
	return m.checkRows(rows)
}

// checkNetwork returns [ErrShape] unless the parts of m fit together.
func (m *Model) checkNetwork() error {
	hidden, steps := len(m.Layers)-2, m.Steps >= 1
	fits := false
	switch m.Network {
	case Dense:
		fits, steps = hidden >= 0 && len(m.Activation) == hidden, m.Steps == 0
	case Elman:
		fits = hidden == 1 && len(m.Activation) == 1
	case GRU:
		fits = hidden == 1 && len(m.Activation) == 0
	}
	for _, v := range m.Layers {
		fits = fits && v >= 1
	}
	for _, a := range m.Activation {
		fits = fits && a >= Linear && a <= Sigmoid
	}
	if !fits || !steps {
		return fmt.Errorf("%w: network %d with layers %v, activations %v, %d steps", ErrShape,
			m.Network, m.Layers, m.Activation, m.Steps)
	}
	if m.Loss < CrossEntropy || m.Loss > Return || (m.Control != nil) != (m.Loss == Return) {
		return fmt.Errorf("%w: loss %d with control %v", ErrShape, m.Loss, m.Control != nil)
	}
	return nil
}

// checkStarts returns [ErrShape] unless m is a policy of its system and rows are starts.
func (m *Model) checkStarts(rows *Rows) error {
	c := m.Control
	state, obs, out := c.Dynamics.Sizes()
	if state == 0 || c.Horizon < 1 || m.Network != Dense || m.Layers[0] != obs || m.Outputs() != out {
		return fmt.Errorf("%w: system %d, horizon %d, network %d of layers %v, want dense, %d to %d",
			ErrShape, c.Dynamics, c.Horizon, m.Network, m.Layers, obs, out)
	}
	if len(rows.Inputs) != rows.S*state {
		return fmt.Errorf("%w: %d start values, want %d starts of %d", ErrShape, len(rows.Inputs), rows.S, state)
	}
	return nil
}

func (m *Model) checkRows(rows *Rows) (labelled bool, err error) {
	in, steps, out := m.Layers[0], max(1, m.Steps), m.Outputs()
	if len(rows.Inputs) != rows.S*in*steps {
		return false, fmt.Errorf("%w: %d inputs, want %d rows of %d steps of %d", ErrShape,
			len(rows.Inputs), rows.S, steps, in)
	}
	have, want := len(rows.Targets), rows.S*out
	if m.Loss == CrossEntropy {
		have, want = len(rows.Classes), rows.S
	}
	if have > 0 && have != want {
		return false, fmt.Errorf("%w: %d targets, want %d", ErrShape, have, want)
	}
	for i, c := range rows.Classes {
		if m.Loss == CrossEntropy && (c < 0 || int(c) >= out) {
			return false, fmt.Errorf("%w: class %d in row %d, the network has %d outputs", ErrShape, c, i, out)
		}
	}
	return have > 0, nil
}

// Cart returns the constants of a cart-pole system; 0 stands for gymnasium's.
func (c *Control) Cart() (force, poleMass, halfLength, cartMass float64) {
	or := func(v, standard float64) float64 {
		if v == 0 {
			return standard
		}
		return v
	}
	return or(c.Force, 10), or(c.PoleMass, 0.1), or(c.HalfLength, 0.5), or(c.CartMass, 1)
}
