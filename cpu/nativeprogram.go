//go:build cgo

package cpu

import (
	"fmt"
	"runtime"
	"unsafe"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/kernels"
)

// nativeProgram is a model with its data outside Go's memory; it is freed with the last
// reference to it.
type nativeProgram struct {
	owner       *Native
	model       *rsie.Model
	dim         int
	width       int // values that Predict writes per network
	activations int // floats of scratch of one worker
	c           *kernels.Program
	scratch     unsafe.Pointer // [workers][activations]
}

// Model returns the model that was loaded.
func (p *nativeProgram) Model() *rsie.Model { return p.model }

// Samples returns the number of rows, or of episodes.
func (p *nativeProgram) Samples() int { return int(p.c.Samples) }

// samplesPadded rounds rows up to the leaves of a sum.
func samplesPadded(n int) int { return (n + 127) &^ 127 }

// Load compiles the model for the rows, which are copied.
func (b *Native) Load(m *rsie.Model, rows *rsie.Rows) (rsie.Program, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, b.errClosed("load")
	}
	if m == nil || rows == nil {
		return nil, fmt.Errorf("%w: native: load without a model or rows", rsie.ErrShape)
	}
	// The twin makes every check of sizes and classes.
	twin, err := load(m, rows, 1)
	if err != nil {
		return nil, fmt.Errorf("native: load of %d rows: %w", rows.S, err)
	}
	p := &nativeProgram{owner: b, model: m, dim: m.Dim(), width: rows.S}
	if m.Loss != rsie.Return {
		p.width *= m.Outputs()
	}
	if err := p.fill(twin, m, rows, b.workers); err != nil {
		return nil, fmt.Errorf("native: load of %d rows: %w", rows.S, err)
	}
	runtime.SetFinalizer(p, (*nativeProgram).free)
	return p, nil
}

// fill copies the model and the rows to memory outside Go's.
func (p *nativeProgram) fill(twin *program, m *rsie.Model, rows *rsie.Rows, workers int) error {
	p.c = (*kernels.Program)(kernels.Alloc(int(unsafe.Sizeof(kernels.Program{}))))
	if p.c == nil {
		return kernels.ErrMemory
	}
	c, padded := p.c, samplesPadded(rows.S)
	steps, in, out := max(1, m.Steps), m.Layers[0], m.Outputs()
	c.Network, c.Loss, c.Labelled = int32(m.Network), int32(m.Loss), flag(twin.labelled)
	c.Samples, c.Padded, c.Steps, c.Dim = int32(rows.S), int32(padded), int32(steps), int32(p.dim)
	c.Outputs = int32(out)
	for _, w := range m.Layers {
		c.Widest = max(c.Widest, int32(w))
	}
	if m.Network == rsie.GRU {
		c.Widest = max(c.Widest, int32(3*m.Layers[1]))
	}
	layers := nativeLayers(m)
	c.LayerCount = int32(len(layers))
	ok := put(&c.Layers, layers)
	if m.Loss == rsie.Return {
		state, obs, _ := m.Control.Dynamics.Sizes()
		c.Dynamics, c.Horizon = int32(m.Control.Dynamics), int32(m.Control.Horizon)
		c.State, c.Obs = int32(state), int32(obs)
		k := newCart[float32](m.Control)
		c.Force, c.PoleMass, c.HalfLength, c.TotalMass, c.MomentumArm = k.force, k.poleMass, k.halfLength, k.total, k.moment
		ok = ok && put(&c.Starts, narrow(rows.Inputs))
	} else {
		ok = ok && put(&c.Inputs, tiles(rows.Inputs, rows.S, steps*in))
		if from, at, value := lists(rows.Inputs, rows.S, in); m.Network == rsie.Dense && 4*len(at) < rows.S*in {
			ok = ok && put(&c.From, from) && put(&c.At, at) && put(&c.Value, value)
		}
		if len(rows.Targets) > 0 {
			ok = ok && put(&c.Targets, tiles(rows.Targets, rows.S, out))
		}
		if m.Loss == rsie.CrossEntropy && len(rows.Classes) > 0 {
			classes := make([]int32, padded)
			for i := range classes {
				classes[i] = -1
			}
			copy(classes, rows.Classes)
			ok = ok && put(&c.Classes, classes)
		}
	}
	// Two activations of a tile and room for gates, peaks and sums.
	p.activations = (4*int(c.Widest) + 8) * nativeTile(c)
	if m.Loss == rsie.Return {
		// As rsie_flight_len of rollout.h, and the returns of at most 16 policies.
		p.activations = max(16*(p.dim+2*int(c.Widest)), 2*128*int(c.Widest)) + 16*rows.S
	}
	p.scratch = kernels.Alloc(4 * p.activations * workers)
	if !ok || p.scratch == nil {
		p.free()
		return kernels.ErrMemory
	}
	return nil
}

// tile is TILE of the kernels: the samples that stand together.
const tile = 32

// tiles lays rows [n][width] out as [padded/tile][width][tile], padded with 0.
func tiles(rows []float64, n, width int) []float32 {
	out := make([]float32, samplesPadded(n)*width)
	for s := range n {
		to := out[s/tile*tile*width+s%tile:]
		for k, v := range rows[s*width:][:width] {
			to[k*tile] = float32(v)
		}
	}
	return out
}

// lists returns the inputs that are not zero: of sample s, from[s] to from[s+1].
func lists(rows []float64, n, in int) (from, at []int32, value []float32) {
	for s := range samplesPadded(n) + 1 {
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

// nativeTile is the number of samples, or of episodes, that a worker has in flight.
func nativeTile(c *kernels.Program) int { return min(int(c.Padded), 1024) }

// nativeLayers returns the layers in C; of a recurrent network the hidden and the output layer,
// sizes alone.
func nativeLayers(m *rsie.Model) []kernels.Layer {
	if m.Network != rsie.Dense {
		act := rsie.Tanh
		if len(m.Activation) > 0 {
			act = m.Activation[0]
		}
		return []kernels.Layer{{In: int32(m.Layers[0]), Out: int32(m.Layers[1]), Act: int32(act)},
			{In: int32(m.Layers[1]), Out: int32(m.Layers[2]), Act: int32(rsie.Linear)}}
	}
	var out []kernels.Layer
	for _, l := range denseLayers(m) {
		out = append(out, kernels.Layer{In: int32(l.in), Out: int32(l.out), W: int32(l.w), B: int32(l.b), Act: int32(l.act)})
	}
	return out
}

func narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

// put copies values to new memory outside Go's; false means that there is none.
func put[T any](at *unsafe.Pointer, values []T) bool {
	var zero T
	*at = kernels.Alloc(max(1, len(values)) * int(unsafe.Sizeof(zero)))
	if *at == nil {
		return false
	}
	copy(unsafe.Slice((*T)(*at), len(values)), values)
	return true
}

func (p *nativeProgram) free() {
	if p.c != nil {
		for _, at := range []unsafe.Pointer{p.c.Layers, p.c.Inputs, p.c.Targets, p.c.Classes, p.c.Starts,
			p.c.From, p.c.At, p.c.Value} {
			kernels.Free(at)
		}
		kernels.Free(unsafe.Pointer(p.c))
	}
	kernels.Free(p.scratch)
	p.c, p.scratch = nil, nil
}

// use points the call at a program and its scratch.
func (b *Native) use(p *nativeProgram) {
	b.call.Program, b.call.Activations = unsafe.Pointer(p.c), p.scratch
	b.call.ActivationLen, b.call.Width = int64(p.activations), int64(p.width)
}

// Predict writes the outputs of the networks of points [n, Dim] on all rows of p.
func (b *Native) Predict(dst []float64, prog rsie.Program, points []float64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return b.errClosed("predict")
	}
	p, ok := prog.(*nativeProgram)
	if !ok || p == nil || p.owner != b {
		return b.errForeign("predict", "the program")
	}
	n := len(points) / p.dim
	if n*p.dim != len(points) || n*p.width != len(dst) {
		return fmt.Errorf("%w: native: predict of %d point values to %d outputs, want n x %d to n x %d",
			rsie.ErrShape, len(points), len(dst), p.dim, p.width)
	}
	b.use(p)
	c := b.call
	defer func() {
		kernels.Free(c.Asked)
		kernels.Free(c.Predicted)
		c.Asked, c.Predicted = nil, nil
	}()
	if c.Predicted = kernels.Alloc(4 * len(dst)); c.Predicted == nil || !put(&c.Asked, narrow(points)) {
		return fmt.Errorf("native: predict: %w", kernels.ErrMemory)
	}
	if err := b.pool.Predict(b.level, c, n); err != nil {
		return fmt.Errorf("native: %w", err)
	}
	for i, v := range unsafe.Slice((*float32)(c.Predicted), len(dst)) {
		dst[i] = float64(v)
	}
	runtime.KeepAlive(p)
	return nil
}
