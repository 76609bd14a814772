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
	l, err := kernels.NewLayout(m, rows)
	if err != nil {
		return nil, fmt.Errorf("native: load of %d rows: %w", rows.S, err)
	}
	p := &nativeProgram{owner: b, model: m, dim: m.Dim(), width: l.Width, activations: l.Activations(nativeFlight)}
	if err := p.fill(l, b.workers); err != nil {
		return nil, fmt.Errorf("native: load of %d rows: %w", rows.S, err)
	}
	runtime.SetFinalizer(p, (*nativeProgram).free)
	return p, nil
}

// nativeFlight bounds the samples that a worker has in flight: LANES of the kernels, which the columns of
// the scalar form are apart; the others have a tile.
const nativeFlight = 128

// fill copies a layout to memory outside Go's.
func (p *nativeProgram) fill(l *kernels.Layout, workers int) error {
	p.c = (*kernels.Program)(kernels.Alloc(int(unsafe.Sizeof(kernels.Program{}))))
	if p.c == nil {
		return rsie.ErrMemory
	}
	c := p.c
	*c = l.Program
	ok := put(&c.Layers, l.Layers) && put(&c.Inputs, l.Inputs) && put(&c.Targets, l.Targets) &&
		put(&c.Starts, l.Starts) && put(&c.Value, l.Values) && put(&c.Classes, l.Classes) &&
		put(&c.From, l.From) && put(&c.At, l.At)
	p.scratch = kernels.Alloc(4 * p.activations * workers)
	if !ok || p.scratch == nil {
		p.free()
		return rsie.ErrMemory
	}
	return nil
}

// put copies values to new memory outside Go's, nil to none; false means that there is none.
func put[T any](at *unsafe.Pointer, values []T) bool {
	var zero T
	if values == nil {
		return true
	}
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
	if c.Predicted = kernels.Alloc(4 * len(dst)); c.Predicted == nil || !put(&c.Asked, kernels.Narrow(points)) {
		return fmt.Errorf("native: predict: %w", rsie.ErrMemory)
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
