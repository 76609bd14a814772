//go:build cuda

package gpu

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/kernels"
	"gorgonia.org/cu"
)

// program is a model with its data on the device; it is freed with the last reference to it.
type program struct {
	owner       *Backend
	model       *rsie.Model
	samples     int
	dim         int
	width       int              // values that Predict writes per network
	activations int              // floats of scratch of one block of threads
	host        *kernels.Program // for the host's phases; outside Go's memory
	device      cu.DevicePtr
	scratch     cu.DevicePtr // [workers][activations]
	data        []cu.DevicePtr
}

// Model returns the model that was loaded.
func (p *program) Model() *rsie.Model { return p.model }

// Samples returns the number of rows, or of episodes.
func (p *program) Samples() int { return p.samples }

// lanes is LANES of the kernels: the threads of a block, and the samples that it has in flight.
const lanes = 128

// Load compiles the model for the rows, which are copied to the device.
func (b *Backend) Load(m *rsie.Model, rows *rsie.Rows) (rsie.Program, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, b.errClosed("load")
	}
	l, err := kernels.NewLayout(m, rows)
	if err != nil {
		return nil, fmt.Errorf("cuda: load: %w", err)
	}
	if err := b.enter(); err != nil {
		return nil, err
	}
	defer runtime.UnlockOSThread()
	p := &program{owner: b, model: m, samples: rows.S, dim: m.Dim(), width: l.Width, activations: l.Activations(lanes)}
	if err := p.fill(l); err != nil {
		p.free()
		kernels.Free(unsafe.Pointer(p.host))
		return nil, fmt.Errorf("cuda: load of %d rows: %w", rows.S, err)
	}
	runtime.SetFinalizer(p, func(p *program) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if !b.closed && b.enter() == nil {
			p.free()
			runtime.UnlockOSThread()
		}
		kernels.Free(unsafe.Pointer(p.host))
	})
	return p, nil
}

// fill copies a layout to the device.
func (p *program) fill(l *kernels.Layout) error {
	if p.host = (*kernels.Program)(kernels.Alloc(int(unsafe.Sizeof(kernels.Program{})))); p.host == nil {
		return rsie.ErrMemory
	}
	*p.host = l.Program
	c := p.host
	for _, err := range []error{put(p, &c.Layers, l.Layers), put(p, &c.Inputs, l.Inputs), put(p, &c.Targets, l.Targets),
		put(p, &c.Starts, l.Starts), put(p, &c.Value, l.Values), put(p, &c.Classes, l.Classes), put(p, &c.From, l.From),
		put(p, &c.At, l.At)} {
		if err != nil {
			return err
		}
	}
	var err error
	if p.device, err = p.owner.take(int(unsafe.Sizeof(*c))); err != nil {
		return err
	}
	if err := cu.MemcpyHtoD(p.device, unsafe.Pointer(c), int64(unsafe.Sizeof(*c))); err != nil {
		return driverError("cuMemcpyHtoD of a program", err)
	}
	for {
		p.scratch, err = p.owner.take(4 * p.activations * p.owner.workers(4*p.activations))
		if !errors.Is(err, rsie.ErrMemory) || !p.owner.shrink() {
			return err
		}
	}
}

// put copies values to new memory of the device, nil to none.
func put[T any](p *program, at *unsafe.Pointer, values []T) error {
	if len(values) == 0 {
		return nil
	}
	bytes := len(values) * int(unsafe.Sizeof(values[0]))
	to, err := p.owner.take(bytes)
	if err != nil {
		return err
	}
	p.data = append(p.data, to)
	*at = pointer(to)
	if err := cu.MemcpyHtoD(to, unsafe.Pointer(&values[0]), int64(bytes)); err != nil {
		return driverError(fmt.Sprintf("cuMemcpyHtoD of %d bytes of data", bytes), err)
	}
	return nil
}

// free gives the memory of the device back.
func (p *program) free() {
	for _, at := range append(p.data, p.device, p.scratch) {
		_ = p.owner.give(at) // a sticky error comes again
	}
	p.data, p.device, p.scratch = nil, 0, 0
}

// Predict writes the outputs of the networks of points [n, Dim] on all rows of p.
func (b *Backend) Predict(dst []float64, prog rsie.Program, points []float64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return b.errClosed("predict")
	}
	p, ok := prog.(*program)
	if !ok || p == nil || p.owner != b {
		return b.errForeign("predict", "the program")
	}
	n := len(points) / p.dim
	if n*p.dim != len(points) || n*p.width != len(dst) {
		return fmt.Errorf("%w: cuda: predict of %d point values to %d outputs, want n x %d to n x %d",
			rsie.ErrShape, len(points), len(dst), p.dim, p.width)
	}
	if n == 0 {
		return nil
	}
	if err := b.enter(); err != nil {
		return err
	}
	defer runtime.UnlockOSThread()
	if err := b.fitting(dst, p, points, n); err != nil {
		return fmt.Errorf("cuda:%d: predict: %w", b.ordinal, err)
	}
	runtime.KeepAlive(prog)
	return nil
}

// fitting predicts n points together, or where the device has not the memory, in halves one after the
// other.
func (b *Backend) fitting(dst []float64, p *program, points []float64, n int) error {
	err := b.predict(dst, p, points, n)
	if !errors.Is(err, rsie.ErrMemory) || n == 1 {
		return err
	}
	k := n / 2
	if err := b.fitting(dst[:k*p.width], p, points[:k*p.dim], k); err != nil {
		return err
	}
	return b.fitting(dst[k*p.width:], p, points[k*p.dim:], n-k)
}

func (b *Backend) predict(dst []float64, p *program, points []float64, n int) error {
	asked := kernels.Narrow(points)
	in, err := b.take(4 * len(asked))
	if err != nil {
		return err
	}
	defer b.give(in)
	out, err := b.take(4 * len(dst))
	if err != nil {
		return err
	}
	defer b.give(out)
	if err := cu.MemcpyHtoD(in, unsafe.Pointer(&asked[0]), int64(4*len(asked))); err != nil {
		return driverError("cuMemcpyHtoD of points", err)
	}
	c := b.call
	*c = kernels.Call{Workers: int32(b.blocks), Asked: pointer(in), Predicted: pointer(out)}
	b.ops = append(b.ops[:0], 0)
	if err := b.execute(c, p, nil, nil, n); err != nil {
		return err
	}
	return b.fetch(dst, &memory{kind: rsie.Float, p: out, n: len(dst)}, 0)
}
