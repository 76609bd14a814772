//go:build cgo

package cpu

import (
	"fmt"
	"runtime"
	"unsafe"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/kernels"
)

// Do runs ops in order over the runs of the table. Scratch memory is sized at the first call
// for a larger state than before; later calls allocate nothing. It returns [rsie.ErrShape],
// with nothing changed, when the state, the table or the program disagree.
func (b *Native) Do(s *rsie.State, runs []rsie.Run, p rsie.Program, ops []rsie.Op) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return b.errClosed("do")
	}
	err := b.bind(s, runs, p, ops)
	if err == nil {
		err = b.pool.Do(b.level, b.call, b.ops)
	}
	runtime.KeepAlive(p) // a program is freed when nothing refers to it
	if err == nil {
		return nil
	}
	shape := ""
	if s != nil {
		shape = fmt.Sprintf(" on %s [%d runs, %d members, %d parameters]",
			s.Shape.Name, s.Runs, s.Members, s.Shape.Dim)
	}
	return fmt.Errorf("native: do %v%s: %w", ops, shape, err)
}

// bind checks the arguments of Do and sets b.call up for them.
func (b *Native) bind(s *rsie.State, runs []rsie.Run, p rsie.Program, ops []rsie.Op) error {
	if err := checkTable(s, runs, ops); err != nil {
		return err
	}
	c := b.call
	c.Program = nil
	b.ops = b.ops[:0]
	for _, op := range ops {
		b.ops = append(b.ops, uint8(op))
		if op != rsie.OpEvaluate && op != rsie.OpEvaluateProbes {
			continue
		}
		l, ok := p.(*nativeProgram)
		if !ok || l == nil || l.owner != b {
			return b.errForeign("evaluate", "the program")
		}
		if l.dim != s.Shape.Dim {
			return fmt.Errorf("%w: a program of %d parameters", rsie.ErrShape, l.dim)
		}
		b.use(l)
	}
	c.RunCount, c.BlockCount, c.Dim = int32(s.Runs), int32(len(s.Shape.Blocks)), int32(s.Shape.Dim)
	c.Stride, c.Factors, c.Members = int32(s.Stride), int32(s.FactorLen), int32(s.Members)
	c.Workers, c.Rows = int32(b.workers), int32(max(1, 4096/s.Stride))
	c.Tiles = int32((s.Shape.Dim + columns - 1) / columns)
	c.Bounded, c.Closed = flag(s.Shape.Bounded()), flag(s.Shape.Bounded() && !s.Shape.Open)
	c.Lower, c.Upper = float32(s.Shape.Lower), float32(s.Shape.Upper)
	if err := b.view(s); err != nil {
		return err
	}
	return b.scratch.grow(c, s, runs)
}

func flag(v bool) int32 {
	if v {
		return 1
	}
	return 0
}

// view points the call at the buffers of s.
func (b *Native) view(s *rsie.State) error {
	ok := true
	at := func(buf rsie.Buffer, kind rsie.Element, n int) unsafe.Pointer {
		if n == 0 {
			return nil
		}
		m, is := buf.(*memory)
		if !is || m == nil || m.owner != b || m.kind != kind || m.n != n {
			ok = false
			return nil
		}
		return m.p
	}
	optional := func(buf rsie.Buffer) unsafe.Pointer {
		if buf == nil {
			return nil
		}
		return at(buf, rsie.Float, buf.Len())
	}
	m, valid := s.Members, 0
	if s.FactorLen > 0 {
		valid = m * len(s.Shape.Blocks)
	}
	c := b.call
	c.Archive, c.Archived, c.History = optional(s.Archive), optional(s.ArchiveFitness), optional(s.History)
	c.Vectors = at(s.Vectors, rsie.Float, s.Runs*rsie.VecCount*s.Stride)
	c.Memory = at(s.Memory, rsie.Float, s.Runs*rsie.MemCount)
	c.Matrices = at(s.Matrices, rsie.Float, s.Slots()*s.MatrixLen)
	for i, g := range [2]*rsie.Generation{&s.Now, &s.Next} {
		v := [2]*kernels.Side{&c.Now, &c.Next}[i]
		v.Points, v.Fitness = at(g.Points, rsie.Float, m*s.Stride), at(g.Fitness, rsie.Float, m)
		v.Selection, v.Factors = at(g.Selection, rsie.Float, m), at(g.Factors, rsie.Float, m*s.FactorLen)
		v.Strengths, v.Rates = optional(g.Strengths), optional(g.Rates)
		v.Order, v.Choice = at(g.Order, rsie.Index, m), at(g.Choice, rsie.Index, m)
		v.Parent, v.Factored = at(g.Parent, rsie.Index, m), at(g.Factored, rsie.Index, valid)
	}
	if !ok {
		return fmt.Errorf("%w: a buffer of the state was freed, belongs to another backend or "+
			"has the wrong length", rsie.ErrShape)
	}
	return nil
}

// nativeScratch is memory of the operations that outlives a call.
type nativeScratch struct {
	parts [24]struct {
		p     unsafe.Pointer
		bytes int
	}
	sobol bool // direction numbers are there
}

// nichesSize is at least the size of what fitness sharing keeps of a run, in bytes.
const nichesSize = 64

// grow makes the scratch large enough for s and copies the table and the blocks into it.
func (n *nativeScratch) grow(c *kernels.Call, s *rsie.State, runs []rsie.Run) error {
	workers, solver := int(c.Workers), 0
	if s.Slots() > 0 {
		solver = solverLen(s.Shape.Dim)
	}
	c.SolverLen = int64(solver)
	per := 4 * s.Runs * s.Stride
	i, err := 0, error(nil)
	need := func(at *unsafe.Pointer, bytes int) {
		part := &n.parts[i]
		i++
		if part.bytes < bytes {
			kernels.Free(part.p)
			part.bytes = bytes + bytes/4
			if part.p = kernels.Alloc(part.bytes); part.p == nil {
				part.bytes, err = 0, fmt.Errorf("%d bytes of scratch: %w", bytes, kernels.ErrMemory)
			}
		}
		*at = part.p
	}
	need(&c.Runs, int(unsafe.Sizeof(rsie.Run{}))*s.Runs)
	need(&c.Blocks, int(unsafe.Sizeof(kernels.Block{}))*len(s.Shape.Blocks))
	need(&c.Noise, 4*4*workers*s.Stride)
	for _, at := range []*unsafe.Pointer{&c.Lottery, &c.Near} {
		need(at, 8*s.Members)
	}
	need(&c.Cleared, s.Members)
	for _, at := range []*unsafe.Pointer{&c.Distance, &c.Utility, &c.Ranked, &c.Shorter, &c.Length} {
		need(at, 4*s.Members)
	}
	for _, at := range []*unsafe.Pointer{&c.Steps, &c.Inverse, &c.Gradient, &c.Square, &c.Centroid,
		&c.White, &c.Variance} {
		need(at, per)
	}
	need(&c.Solver, 8*workers*solver)
	need(&c.Partial, 4*s.Runs*int(c.Tiles))
	need(&c.Plans, int(unsafe.Sizeof(kernels.Plan{}))*s.Runs)
	need(&c.Niches, nichesSize*s.Runs)
	need(&c.Sobol, int(unsafe.Sizeof(sobolVectors)))
	if err != nil {
		return err
	}
	copy(unsafe.Slice((*rsie.Run)(c.Runs), s.Runs), runs)
	if !n.sobol {
		*(*[sobolDimensions][32]uint32)(c.Sobol), n.sobol = sobolVectors, true
	}
	c.LastLayer = 0
	for k, b := range s.Shape.Blocks {
		unsafe.Slice((*kernels.Block)(c.Blocks), len(s.Shape.Blocks))[k] = kernels.Block{
			Offset: int32(b.Offset), Rows: int32(b.Rows), Cols: int32(b.Cols), Layer: int32(b.Layer), Std: float32(b.Std)}
		c.LastLayer = max(c.LastLayer, int32(b.Layer))
	}
	return nil
}

func (n *nativeScratch) free() {
	for i := range n.parts {
		kernels.Free(n.parts[i].p)
	}
	*n = nativeScratch{}
}
