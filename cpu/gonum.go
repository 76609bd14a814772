package cpu

import (
	"fmt"
	"math"
	"runtime"
	"sync"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Gonum is the pure-Go backend in float64: the readable twin of every kernel, and the engine of
// problems that ask for 64 bits. One operation runs at a time, on all workers.
type Gonum struct {
	mu     sync.Mutex
	pool   *pool
	call   call
	closed bool
}

var _ rsie.Backend = (*Gonum)(nil)

// MaxWorkers is the largest number of workers of a backend.
const MaxWorkers = 1024

// NewGonum returns a backend with the given number of workers, 0 for one per CPU. The caller
// closes it, which ends its goroutines. It returns [rsie.ErrInvalid] for a number outside
// 0..[MaxWorkers].
func NewGonum(workers int) (*Gonum, error) {
	if workers < 0 || workers > MaxWorkers {
		return nil, fmt.Errorf("%w: %d workers, want 0 (one per CPU) to %d",
			rsie.ErrInvalid, workers, MaxWorkers)
	}
	if workers == 0 {
		workers = min(runtime.NumCPU(), MaxWorkers)
	}
	g := &Gonum{pool: newPool(workers)}
	g.call.pool = g.pool
	g.call.noise, g.call.solver = make([][]float64, workers), make([][]float64, workers)
	return g, nil
}

// workers returns the number of workers, the caller's goroutine included.
func (p *pool) workers() int { return len(p.wake) + 1 }

// Info describes the backend.
func (g *Gonum) Info() rsie.Info {
	info := rsie.Info{Name: "gonum", Bits: 64,
		Device: fmt.Sprintf("pure Go, float64, %d workers", g.pool.workers())}
	for op := rsie.OpInitialise; int(op) < rsie.OpCount; op++ {
		info.Ops[op] = true
	}
	return info
}

// buffer is memory of one Gonum; one of the slices is set.
type buffer struct {
	owner   *Gonum
	floats  []float64
	indices []uint32
}

// Len returns the number of elements, 0 after Free.
func (b *buffer) Len() int { return len(b.floats) + len(b.indices) }

// MaxElements is the largest number of elements of one buffer.
const MaxElements = 1 << 32

// Alloc returns n zeroed elements. It returns [rsie.ErrShape] for n outside 0..[MaxElements].
func (g *Gonum) Alloc(e rsie.Element, n int) (rsie.Buffer, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return nil, errClosed("alloc")
	case n < 0 || n > MaxElements:
		return nil, fmt.Errorf("%w: gonum: alloc of %d elements, want 0 to %d",
			rsie.ErrShape, n, MaxElements)
	case e == rsie.Float:
		return &buffer{owner: g, floats: make([]float64, n)}, nil
	case e == rsie.Index:
		return &buffer{owner: g, indices: make([]uint32, n)}, nil
	}
	return nil, fmt.Errorf("%w: gonum: alloc of %d elements of kind %d, want %d (Float) or %d (Index)",
		rsie.ErrShape, n, e, rsie.Float, rsie.Index)
}

// Free gives b back; freeing twice, or a buffer of another backend, does nothing.
func (g *Gonum) Free(b rsie.Buffer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if own, ok := b.(*buffer); ok && own != nil && own.owner == g {
		own.owner, own.floats, own.indices = nil, nil, nil
	}
}

// errClosed and errForeign are the misuses any operation may meet.
func errClosed(op string) error {
	return fmt.Errorf("%w: gonum: %s after Close", rsie.ErrInvalid, op)
}

func errForeign(op, what string) error {
	return fmt.Errorf("%w: gonum: %s: %s was freed, missing or made by another backend",
		rsie.ErrShape, op, what)
}

// own returns the buffer behind b after the checks that a copy of n elements from element at
// needs.
func (g *Gonum) own(op string, b rsie.Buffer, at, n int) (*buffer, error) {
	if g.closed {
		return nil, errClosed(op)
	}
	own, ok := b.(*buffer)
	if !ok || own == nil || own.owner != g {
		return nil, errForeign(op, "the buffer")
	}
	if at < 0 || at > own.Len() || n > own.Len()-at {
		return nil, fmt.Errorf("%w: gonum: %s of %d elements from element %d of a buffer of %d",
			rsie.ErrShape, op, n, at, own.Len())
	}
	return own, nil
}

// Upload copies src to dst from element at. Values of an Index buffer must be whole numbers
// from 0 to 2^32-1, or nothing is copied and [rsie.ErrShape] returned.
func (g *Gonum) Upload(dst rsie.Buffer, at int, src []float64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	b, err := g.own("upload", dst, at, len(src))
	if err != nil {
		return err
	}
	if b.floats != nil {
		copy(b.floats[at:], src)
		return nil
	}
	for i, v := range src {
		if !(v >= 0 && v <= math.MaxUint32) || v != math.Trunc(v) {
			return fmt.Errorf("%w: gonum: upload of %d elements: element %d is %g, "+
				"want a whole number below 2^32", rsie.ErrShape, len(src), i, v)
		}
	}
	for i, v := range src {
		b.indices[at+i] = uint32(v)
	}
	return nil
}

// Download copies len(dst) elements of src from element at.
func (g *Gonum) Download(dst []float64, src rsie.Buffer, at int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	b, err := g.own("download", src, at, len(dst))
	if err != nil {
		return err
	}
	if b.floats != nil {
		copy(dst, b.floats[at:])
		return nil
	}
	for i := range dst {
		dst[i] = float64(b.indices[at+i])
	}
	return nil
}

// loaded is a program with what the checks of a call need, so that they allocate nothing.
type loaded struct {
	*program
	owner *Gonum
	dim   int
	width int // values that Predict writes per network
}

// Load compiles the model for the rows, which are copied.
func (g *Gonum) Load(m *rsie.Model, rows *rsie.Rows) (rsie.Program, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, errClosed("load")
	}
	if m == nil || rows == nil {
		return nil, fmt.Errorf("%w: gonum: load without a model or rows", rsie.ErrShape)
	}
	p, err := load(m, rows, g.pool.workers())
	if err != nil {
		return nil, fmt.Errorf("gonum: load of %d rows: %w", rows.S, err)
	}
	width := p.Samples()
	if m.Loss != rsie.Return {
		width *= m.Outputs()
	}
	return &loaded{p, g, m.Dim(), width}, nil
}

// Predict writes the outputs of the networks of points [n, Dim] on all rows of p.
func (g *Gonum) Predict(dst []float64, p rsie.Program, points []float64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return errClosed("predict")
	}
	l, ok := p.(*loaded)
	if !ok || l == nil || l.owner != g {
		return errForeign("predict", "the program")
	}
	n := len(points) / l.dim
	if n*l.dim != len(points) || n*l.width != len(dst) {
		return fmt.Errorf("%w: gonum: predict of %d point values to %d outputs, want n x %d to n x %d",
			rsie.ErrShape, len(points), len(dst), l.dim, l.width)
	}
	c := &g.call
	c.program, c.dst, c.src = l, dst, points
	c.clear()
	c.add(0, 0, n, 1)
	c.each(predictNetwork)
	c.program, c.dst, c.src = nil, nil, nil
	return nil
}

func predictNetwork(c *call, worker int, s span) {
	p := c.program
	p.predict(c.dst[s.from*p.width:][:p.width], worker, c.src[s.from*p.dim:][:p.dim])
}

// Close ends the workers; every later call fails. It may be called twice.
func (g *Gonum) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.closed = true
		g.pool.close()
		g.call = call{pool: g.pool}
	}
	return nil
}
