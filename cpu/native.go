//go:build cgo

package cpu

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"unsafe"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/kernels"
)

// Native is the backend in C, float32, with the instructions that the CPU has. All variants give
// the same bits. One operation runs at a time, on all workers.
type Native struct {
	mu      sync.Mutex
	pool    *kernels.Pool
	level   kernels.Level
	workers int
	call    *kernels.Call // outside Go's memory
	scratch nativeScratch
	ops     []uint8
	limit   int // bytes of buffers, 0: none
	used    int
	closed  bool
}

var _ rsie.Splitter = (*Native)(nil)

// HasNative says whether this program has the Native backend.
const HasNative = true

// NewNative returns a backend with the given number of workers, 0 for one per CPU. The caller
// closes it. It returns [rsie.ErrInvalid] for a number outside 0..[MaxWorkers], for a value of
// RSIE_CPU that names no variant, and for a variant that this CPU lacks.
func NewNative(workers int) (*Native, error) {
	if workers < 0 || workers > MaxWorkers {
		return nil, fmt.Errorf("%w: %d workers, want 0 (one per CPU) to %d",
			rsie.ErrInvalid, workers, MaxWorkers)
	}
	if workers == 0 {
		workers = min(runtime.NumCPU(), MaxWorkers)
	}
	level, err := chosenLevel(os.Getenv(LevelVariable))
	if err != nil {
		return nil, err
	}
	if err := kernels.Check(int(unsafe.Sizeof(rsie.Run{}))); err != nil {
		return nil, err
	}
	pool, err := kernels.NewPool(workers)
	if err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	call := (*kernels.Call)(kernels.Alloc(int(unsafe.Sizeof(kernels.Call{}))))
	if call == nil {
		pool.Close()
		return nil, fmt.Errorf("native: %w", rsie.ErrMemory)
	}
	return &Native{pool: pool, level: level, workers: workers, call: call}, nil
}

// chosenLevel returns the variant of a name, the best one for "".
func chosenLevel(name string) (kernels.Level, error) {
	best := kernels.CPULevel()
	if name == "" {
		return best, nil
	}
	for l := kernels.Scalar; l <= kernels.AVX512; l++ {
		if name != l.String() {
			continue
		}
		if l > best {
			return 0, fmt.Errorf("%w: %s=%s, but this CPU has %s at most; unset it or name a lower one",
				rsie.ErrInvalid, LevelVariable, name, best)
		}
		return l, nil
	}
	return 0, fmt.Errorf("%w: %s=%q; allowed are scalar, avx2 and avx512", rsie.ErrInvalid, LevelVariable, name)
}

// Split implements [rsie.Splitter]; none under a limit, which a part of it may not meet.
func (b *Native) Split(n int) ([]rsie.Backend, error) {
	if b.limit > 0 {
		return nil, nil
	}
	return splitWorkers(n, b.workers, NewNative)
}

// Info describes the backend.
func (b *Native) Info() rsie.Info {
	info := rsie.Info{Name: "native", Variant: b.level.String(), Bits: 32, Memory: b.limit,
		Device: fmt.Sprintf("C, float32, %s, %d workers", b.level, b.workers)}
	for op := rsie.OpInitialise; int(op) < rsie.OpCount; op++ {
		info.Ops[op] = true
	}
	return info
}

// Limit sets how many bytes the buffers may take, 0 for any number. It stands before the first Alloc.
func (b *Native) Limit(bytes int) { b.limit = bytes }

// memory is a buffer of one Native, outside Go's memory.
type memory struct {
	owner *Native
	kind  rsie.Element
	p     unsafe.Pointer
	n     int
}

// Len returns the number of elements, 0 after Free.
func (m *memory) Len() int { return m.n }

func (m *memory) floats() []float32 { return unsafe.Slice((*float32)(m.p), m.n) }
func (m *memory) indices() []uint32 { return unsafe.Slice((*uint32)(m.p), m.n) }

// Alloc returns n zeroed elements. It returns [rsie.ErrShape] for n outside
// 0..[kernels.MaxElements] and [rsie.ErrMemory] where the system or [Native.Limit] has no room for them.
func (b *Native) Alloc(e rsie.Element, n int) (rsie.Buffer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, b.errClosed("alloc")
	}
	if err := kernels.CheckAlloc(e, n); err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	if b.limit > 0 && 4*n > b.limit-b.used {
		return nil, fmt.Errorf("native: alloc of %d bytes with %d of %d in use: %w", 4*n, b.used, b.limit, rsie.ErrMemory)
	}
	p := kernels.Alloc(4 * n)
	if p == nil {
		return nil, fmt.Errorf("native: alloc of %d elements: %w", n, rsie.ErrMemory)
	}
	b.used += 4 * n
	return &memory{owner: b, kind: e, p: p, n: n}, nil
}

// Free gives buf back; freeing twice, or a buffer of another backend, does nothing.
func (b *Native) Free(buf rsie.Buffer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m, ok := buf.(*memory); ok && m != nil && m.owner == b {
		kernels.Free(m.p)
		b.used -= 4 * m.n
		*m = memory{}
	}
}

func (b *Native) errClosed(op string) error {
	return fmt.Errorf("%w: native: %s after Close", rsie.ErrInvalid, op)
}

func (b *Native) errForeign(op, what string) error {
	return fmt.Errorf("%w: native: %s: %s was freed, missing or made by another backend",
		rsie.ErrShape, op, what)
}

// own returns the memory behind buf after the checks that a copy of n elements from element at
// needs.
func (b *Native) own(op string, buf rsie.Buffer, at, n int) (*memory, error) {
	if b.closed {
		return nil, b.errClosed(op)
	}
	m, ok := buf.(*memory)
	if !ok || m == nil || m.owner != b {
		return nil, b.errForeign(op, "the buffer")
	}
	if err := kernels.CheckCopy(op, at, n, m.n); err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	return m, nil
}

// Upload copies src to dst from element at, rounded to float32. Values of an Index buffer must be
// whole numbers from 0 to 2^32-1, or nothing is copied and [rsie.ErrShape] returned.
func (b *Native) Upload(dst rsie.Buffer, at int, src []float64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, err := b.own("upload", dst, at, len(src))
	if err != nil {
		return err
	}
	if err := kernels.CheckUpload(m.kind, src); err != nil {
		return fmt.Errorf("native: %w", err)
	}
	if m.kind == rsie.Float {
		kernels.NarrowTo(m.floats()[at:], src)
	} else {
		kernels.IndicesTo(m.indices()[at:], src)
	}
	return nil
}

// Download copies len(dst) elements of src from element at.
func (b *Native) Download(dst []float64, src rsie.Buffer, at int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, err := b.own("download", src, at, len(dst))
	if err != nil {
		return err
	}
	if m.kind == rsie.Float {
		kernels.WidenTo(dst, m.floats()[at:][:len(dst)])
	} else {
		kernels.FromIndices(dst, m.indices()[at:][:len(dst)])
	}
	return nil
}

// Close ends the workers and frees scratch memory and programs; buffers are freed by Free. Every
// later call but Free fails. It may be called twice.
func (b *Native) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.closed = true
		b.pool.Close()
		b.scratch.free()
		kernels.Free(unsafe.Pointer(b.call))
		b.call = nil
	}
	return nil
}
