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
	if err := s.Check(runs, ops); err != nil {
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
	if err := c.Bind(s, b.workers, b.find); err != nil {
		return err
	}
	c.Interleave(s)
	return b.scratch.grow(c, s, runs)
}

// find is the [kernels.Buffers] of b.
func (b *Native) find(buf rsie.Buffer, kind rsie.Element, n int) (unsafe.Pointer, bool) {
	m, is := buf.(*memory)
	if !is || m == nil || m.owner != b || m.kind != kind || m.n != n {
		return nil, false
	}
	return m.p, true
}

// nativeScratch is memory of the operations that outlives a call.
type nativeScratch struct {
	parts [kernels.ScratchParts]struct {
		p     unsafe.Pointer
		bytes int
	}
	sobol bool // direction numbers are there
}

// grow makes the scratch large enough for s and copies the table and the blocks into it.
func (n *nativeScratch) grow(c *kernels.Call, s *rsie.State, runs []rsie.Run) error {
	for i, need := range c.Scratch(s, int(c.Workers)) {
		part := &n.parts[i]
		if part.bytes < need.Bytes {
			kernels.Free(part.p)
			part.bytes = need.Bytes + need.Bytes/4
			if part.p = kernels.Alloc(part.bytes); part.p == nil {
				part.bytes = 0
				return fmt.Errorf("%d bytes of scratch: %w", need.Bytes, rsie.ErrMemory)
			}
		}
		*need.At = part.p
	}
	copy(unsafe.Slice((*rsie.Run)(c.Runs), s.Runs), runs)
	if !n.sobol {
		*(*[kernels.SobolDimensions][32]uint32)(c.Sobol), n.sobol = kernels.Sobol, true
	}
	blocks := unsafe.Slice((*kernels.Block)(c.Blocks), len(s.Shape.Blocks))
	for k, b := range s.Shape.Blocks {
		blocks[k] = kernels.BlockOf(b)
	}
	return nil
}

func (n *nativeScratch) free() {
	for i := range n.parts {
		kernels.Free(n.parts[i].p)
	}
	*n = nativeScratch{}
}
