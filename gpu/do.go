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

// scratch is memory of the operations that outlives a call.
type scratch struct {
	parts [kernels.ScratchParts]part
	// What a call copies to the device in one piece: the call, the table, the blocks, the spans.
	device part
	host   unsafe.Pointer // outside Go's memory, as long as device
	table  unsafe.Pointer // the run table for the host's phases
	runs   int            // room in table
	sobol  bool           // direction numbers are there
}

type part struct {
	p     cu.DevicePtr
	bytes int
}

// give gives the memory of the device back; the next call takes what it needs anew.
func (s *scratch) give(b *Backend) error {
	var first error
	for i := range s.parts {
		first = errors.Join(first, b.give(s.parts[i].p))
		s.parts[i] = part{}
	}
	first = errors.Join(first, b.give(s.device.p))
	kernels.Free(s.host)
	s.device, s.host, s.sobol = part{}, nil, false
	return first
}

// freeHost frees the memory that is not the device's.
func (s *scratch) freeHost() {
	kernels.Free(s.host)
	kernels.Free(s.table)
	*s = scratch{}
}

// shrink halves the blocks of threads that run at once, and with them the scratch memory; the results
// stay the same. It reports false where one block is left.
func (b *Backend) shrink() bool {
	if b.blocks == 1 || b.scratch.give(b) != nil {
		return false
	}
	b.blocks /= 2
	return true
}

// pointer returns an address of the device as a field of the call holds it.
func pointer(p cu.DevicePtr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// Do runs ops in order over the runs of the table and waits for them. Scratch memory is sized at
// the first call for a larger state than before. It returns [rsie.ErrShape], with nothing changed,
// when the state, the table or the program disagree.
func (b *Backend) Do(s *rsie.State, runs []rsie.Run, p rsie.Program, ops []rsie.Op) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return b.errClosed("do")
	}
	err := b.do(s, runs, p, ops)
	runtime.KeepAlive(p) // a program is freed when nothing refers to it
	if err == nil {
		return nil
	}
	shape := ""
	if s != nil {
		shape = fmt.Sprintf(" on %s [%d runs, %d members, %d parameters]", s.Shape.Name, s.Runs, s.Members, s.Shape.Dim)
	}
	return fmt.Errorf("cuda:%d: do %v%s: %w", b.ordinal, ops, shape, err)
}

func (b *Backend) do(s *rsie.State, runs []rsie.Run, p rsie.Program, ops []rsie.Op) error {
	if err := s.Check(runs, ops); err != nil {
		return err
	}
	if err := b.enter(); err != nil {
		return err
	}
	defer runtime.UnlockOSThread()
	var l *program
	b.ops = b.ops[:0]
	for _, op := range ops {
		b.ops = append(b.ops, uint8(op))
		if op != rsie.OpEvaluate && op != rsie.OpEvaluateProbes {
			continue
		}
		var ok bool
		if l, ok = p.(*program); !ok || l == nil || l.owner != b {
			return b.errForeign("evaluate", "the program")
		}
		if l.dim != s.Shape.Dim {
			return fmt.Errorf("%w: a program of %d parameters", rsie.ErrShape, l.dim)
		}
	}
	for {
		err := b.attempt(s, runs, l)
		if !errors.Is(err, rsie.ErrMemory) || !b.shrink() {
			return err
		}
	}
}

// attempt runs the operations with as many blocks of threads as b.blocks. It returns
// [rsie.ErrMemory] before the first of them where their scratch does not fit.
func (b *Backend) attempt(s *rsie.State, runs []rsie.Run, l *program) error {
	c := b.call
	*c = kernels.Call{}
	if err := c.Bind(s, b.workers(4*4*s.Stride), b.find); err != nil {
		return err
	}
	if err := b.grow(c, s, runs); err != nil {
		return err
	}
	return b.execute(c, l, runs, s.Shape.Blocks, 0)
}

// workers returns how many blocks of threads may run at once when each has that much scratch: an
// eighth of the device at most.
func (b *Backend) workers(bytes int) int { return max(1, min(b.blocks, b.total/8/max(1, bytes))) }

// find is the [kernels.Buffers] of b.
func (b *Backend) find(buf rsie.Buffer, kind rsie.Element, n int) (unsafe.Pointer, bool) {
	m, is := buf.(*memory)
	if !is || m == nil || m.owner != b || m.kind != kind || m.n != n {
		return nil, false
	}
	return pointer(m.p), true
}

// grow makes the scratch large enough for s. The first two parts, the table and the blocks, come
// with every call.
func (b *Backend) grow(c *kernels.Call, s *rsie.State, runs []rsie.Run) error {
	n := &b.scratch
	// The solver works once per run, so that no more blocks than runs use it.
	parts := c.Scratch(s, min(int(c.Workers), s.Runs))
	for i, need := range parts {
		if i < 2 {
			continue
		}
		if err := b.enlarge(&n.parts[i], need.Bytes); err != nil {
			return err
		}
		*need.At = pointer(n.parts[i].p)
	}
	if !n.sobol {
		if err := cu.MemcpyHtoD(n.parts[2].p, unsafe.Pointer(&kernels.Sobol), int64(unsafe.Sizeof(kernels.Sobol))); err != nil {
			return driverError("cuMemcpyHtoD of the direction numbers", err)
		}
		n.sobol = true
	}
	if n.runs < len(runs) {
		kernels.Free(n.table)
		n.runs = 0
		if n.table = kernels.Alloc(int(unsafe.Sizeof(rsie.Run{})) * len(runs)); n.table == nil {
			return rsie.ErrMemory
		}
		n.runs = len(runs)
	}
	return nil
}

// enlarge replaces memory that is too small.
func (b *Backend) enlarge(at *part, bytes int) error {
	if at.bytes >= bytes {
		return nil
	}
	old := at.p
	*at = part{}
	if err := b.give(old); err != nil {
		return err
	}
	p, err := b.take(bytes + bytes/4)
	if err == nil {
		*at = part{p, bytes + bytes/4}
	}
	return err
}

// aligned rounds up to where anything may stand.
func aligned(bytes int) int { return (bytes + 255) &^ 255 }

// execute records the operations, copies what they need to the device and runs them. c has the
// addresses of the device but for the table, the blocks and the program.
func (b *Backend) execute(c *kernels.Call, l *program, runs []rsie.Run, blocks []rsie.Block, points int) error {
	n := &b.scratch
	table := unsafe.Slice((*rsie.Run)(n.table), n.runs)
	copy(table, runs)
	c.Runs = n.table
	if l != nil {
		c.Workers = min(c.Workers, int32(b.workers(4*l.activations)))
		c.Program = unsafe.Pointer(l.host)
	}
	spans, err := b.launch.record(c, b.ops, points)
	if err != nil || spans == 0 {
		return err
	}
	runsAt := aligned(int(unsafe.Sizeof(*c)))
	blocksAt := runsAt + aligned(int(unsafe.Sizeof(rsie.Run{}))*len(runs))
	spansAt := blocksAt + aligned(int(unsafe.Sizeof(kernels.Block{}))*len(blocks))
	total := spansAt + spanSize*spans
	if n.device.bytes < total {
		kernels.Free(n.host)
		if err := b.enlarge(&n.device, total); err != nil {
			n.host = nil
			return err
		}
		if n.host = kernels.Alloc(n.device.bytes); n.host == nil {
			n.device.bytes = 0
			return rsie.ErrMemory
		}
	}
	c.Runs, c.Blocks = pointer(n.device.p+cu.DevicePtr(runsAt)), pointer(n.device.p+cu.DevicePtr(blocksAt))
	if l != nil {
		c.Program, c.Activations = pointer(l.device), pointer(l.scratch)
		c.ActivationLen, c.Width = int64(l.activations), int64(l.width)
	}
	host := unsafe.Slice((*byte)(n.host), n.device.bytes)
	*(*kernels.Call)(n.host) = *c
	copy(unsafe.Slice((*rsie.Run)(unsafe.Pointer(&host[runsAt])), len(runs)+1), runs)
	for i, k := range blocks {
		*(*kernels.Block)(unsafe.Pointer(&host[blocksAt+i*int(unsafe.Sizeof(kernels.Block{}))])) = kernels.BlockOf(k)
	}
	copy(host[spansAt:], b.launch.spans())
	if err := cu.MemcpyHtoD(n.device.p, n.host, int64(total)); err != nil {
		return driverError(fmt.Sprintf("cuMemcpyHtoD of a call of %d bytes", total), err)
	}
	b.broken = b.launch.run(n.device.p, n.device.p+cu.DevicePtr(spansAt), int(c.Workers))
	return b.broken
}
