package kernels

import rsie "github.com/symbio-ai/recursive-improvement"

// Tile is TILE of the kernels: the samples that stand together.
const Tile = 32

// Layout is what a program has in memory: the values that the pointers of Program go to. A slice
// that is nil stands for no memory.
type Layout struct {
	Program Program // without pointers
	Width   int     // values that Predict writes per network
	Scratch int     // floats of scratch of one worker, besides Columns
	Columns int     // floats of scratch per sample that a worker has in flight

	Layers                          []Layer
	Inputs, Targets, Starts, Values []float32
	Classes, From, At               []int32
}

// NewLayout lays rows out for m, or returns [rsie.ErrShape] when they do not fit together. Nothing
// is kept.
func NewLayout(m *rsie.Model, rows *rsie.Rows) (*Layout, error) {
	labelled, err := m.Check(rows)
	if err != nil {
		return nil, err
	}
	l := &Layout{Width: rows.S, Layers: layersOf(m)}
	c := &l.Program
	c.Network, c.Loss = int32(m.Network), int32(m.Loss)
	if labelled {
		c.Labelled = 1
	}
	c.Samples, c.Padded, c.Steps = int32(rows.S), int32(padded(rows.S)), int32(max(1, m.Steps))
	c.Dim, c.Outputs, c.LayerCount = int32(m.Dim()), int32(m.Outputs()), int32(len(l.Layers))
	for _, w := range m.Layers {
		c.Widest = max(c.Widest, int32(w))
	}
	if m.Network == rsie.GRU {
		c.Widest = max(c.Widest, int32(3*m.Layers[1]))
	}
	if m.Loss == rsie.Return {
		l.control(m.Control, rows)
	} else {
		l.rows(m, rows)
	}
	return l, nil
}

// control lays out episodes.
func (l *Layout) control(m *rsie.Control, rows *rsie.Rows) {
	c := &l.Program
	state, obs, _ := m.Dynamics.Sizes()
	c.Dynamics, c.Horizon, c.State, c.Obs = int32(m.Dynamics), int32(m.Horizon), int32(state), int32(obs)
	force, pole, half, cart := m.Cart()
	c.Force, c.PoleMass, c.HalfLength = float32(force), float32(pole), float32(half)
	c.TotalMass, c.MomentumArm = float32(cart+pole), float32(pole*half)
	l.Starts = Narrow(rows.Inputs)
	// As rsie_flight_len and MOST_EPISODES of rollout.h; two probes are one span.
	dim, widest := int(c.Dim), int(c.Widest)
	l.Scratch = max(32*(dim+2*widest), 2*128*widest) + max(2048, 2*rows.S)
}

// rows lays out samples.
func (l *Layout) rows(m *rsie.Model, rows *rsie.Rows) {
	c := &l.Program
	in, out := m.Layers[0], m.Outputs()
	l.Width *= out
	l.Inputs = tiles(rows.Inputs, rows.S, int(c.Steps)*in)
	from, at, values := lists(rows.Inputs, rows.S, in)
	if m.Network == rsie.Dense && 4*len(at) < rows.S*in {
		l.From, l.At, l.Values = from, at, values
	}
	if len(rows.Targets) > 0 {
		l.Targets = tiles(rows.Targets, rows.S, out)
	}
	if m.Loss == rsie.CrossEntropy && len(rows.Classes) > 0 {
		l.Classes = make([]int32, c.Padded)
		for i := range l.Classes {
			l.Classes[i] = -1
		}
		copy(l.Classes, rows.Classes)
	}
	// Two activations of a tile and room for gates, peaks and sums.
	l.Columns = 4*int(c.Widest) + 8
}

// Activations returns the scratch of a worker, in floats, with at most the given number of samples
// in flight.
func (l *Layout) Activations(samples int) int {
	return l.Scratch + l.Columns*min(int(l.Program.Padded), samples)
}

// padded rounds rows up to the leaves of a sum.
func padded(n int) int { return (n + 127) &^ 127 }

// tiles lays rows [n][width] out as [padded/Tile][width][Tile], padded with 0.
func tiles(rows []float64, n, width int) []float32 {
	out := make([]float32, padded(n)*width)
	for s := range n {
		to := out[s/Tile*Tile*width+s%Tile:]
		for k, v := range rows[s*width:][:width] {
			to[k*Tile] = float32(v)
		}
	}
	return out
}

// lists returns the inputs that are not zero: of sample s, from[s] to from[s+1].
func lists(rows []float64, n, in int) (from, at []int32, value []float32) {
	for s := range padded(n) + 1 {
		from = append(from, int32(len(at)))
		if s >= n {
			continue
		}
		for k, v := range rows[s*in:][:in] {
			if float32(v) != 0 {
				at, value = append(at, int32(k)), append(value, float32(v))
			}
		}
	}
	return from, at, value
}

// layersOf returns the layers in C; of a recurrent network the hidden and the output layer, sizes
// alone.
func layersOf(m *rsie.Model) []Layer {
	if m.Network != rsie.Dense {
		act := rsie.Tanh
		if len(m.Activation) > 0 {
			act = m.Activation[0]
		}
		return []Layer{{In: int32(m.Layers[0]), Out: int32(m.Layers[1]), Act: int32(act)},
			{In: int32(m.Layers[1]), Out: int32(m.Layers[2]), Act: int32(rsie.Linear)}}
	}
	var out []Layer
	at := int32(0)
	for i, w := range m.Layers[1:] {
		l := Layer{In: int32(m.Layers[i]), Out: int32(w), W: at, Act: int32(rsie.Linear)}
		if i < len(m.Activation) {
			l.Act = int32(m.Activation[i])
		}
		l.B = at + l.In*l.Out
		at = l.B + l.Out
		out = append(out, l)
	}
	return out
}

// Narrow rounds values to float32.
func Narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	NarrowTo(out, x)
	return out
}
