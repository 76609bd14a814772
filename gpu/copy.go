//go:build cuda

package gpu

import (
	"fmt"
	"math"
	"runtime"
	"unsafe"

	rsie "github.com/symbio-ai/recursive-improvement"
	"gorgonia.org/cu"
)

// worst32 is what [rsie.Worst] becomes in float32; it comes back as itself.
const worst32 = float32(rsie.Worst)

// own returns the memory behind buf after the checks that a copy of n elements from element at
// needs, on a thread that works on the context. The caller unties it unless there is an error.
func (b *Backend) own(op string, buf rsie.Buffer, at, n int) (*memory, error) {
	if b.closed {
		return nil, b.errClosed(op)
	}
	m, ok := buf.(*memory)
	if !ok || m == nil || m.owner != b {
		return nil, b.errForeign(op, "the buffer")
	}
	if at < 0 || at > m.n || n > m.n-at {
		return nil, fmt.Errorf("%w: cuda: %s of %d elements from element %d of a buffer of %d",
			rsie.ErrShape, op, n, at, m.n)
	}
	return m, b.enter()
}

// Upload copies src to dst from element at, rounded to float32. Values of an Index buffer must be
// whole numbers from 0 to 2^32-1, or nothing is copied and [rsie.ErrShape] returned.
func (b *Backend) Upload(dst rsie.Buffer, at int, src []float64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, err := b.own("upload", dst, at, len(src))
	if err != nil {
		return err
	}
	defer runtime.UnlockOSThread()
	for i, v := range src {
		if m.kind == rsie.Index && (!(v >= 0 && v <= math.MaxUint32) || v != math.Trunc(v)) {
			return fmt.Errorf("%w: cuda: upload of %d elements: element %d is %g, want a whole number below 2^32",
				rsie.ErrShape, len(src), i, v)
		}
	}
	for done := 0; done < len(src); done += staging {
		part := src[done:min(done+staging, len(src))]
		from := unsafe.Pointer(&b.floats[0])
		if m.kind == rsie.Index {
			from = unsafe.Pointer(&b.indices[0])
			for i, v := range part {
				b.indices[i] = uint32(v)
			}
		} else {
			for i, v := range part {
				b.floats[i] = float32(v)
			}
		}
		if err := cu.MemcpyHtoD(m.p+cu.DevicePtr(4*(at+done)), from, int64(4*len(part))); err != nil {
			return driverError(fmt.Sprintf("cuMemcpyHtoD of %d elements", len(part)), err)
		}
	}
	return nil
}

// Download copies len(dst) elements of src from element at.
func (b *Backend) Download(dst []float64, src rsie.Buffer, at int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, err := b.own("download", src, at, len(dst))
	if err != nil {
		return err
	}
	defer runtime.UnlockOSThread()
	return b.fetch(dst, m, at)
}

// fetch is Download without checks.
func (b *Backend) fetch(dst []float64, m *memory, at int) error {
	for done := 0; done < len(dst); done += staging {
		part := dst[done:min(done+staging, len(dst))]
		to := unsafe.Pointer(&b.floats[0])
		if m.kind == rsie.Index {
			to = unsafe.Pointer(&b.indices[0])
		}
		if err := cu.MemcpyDtoH(to, m.p+cu.DevicePtr(4*(at+done)), int64(4*len(part))); err != nil {
			return driverError(fmt.Sprintf("cuMemcpyDtoH of %d elements", len(part)), err)
		}
		for i := range part {
			switch {
			case m.kind == rsie.Index:
				part[i] = float64(b.indices[i])
			case b.floats[i] == worst32:
				part[i] = rsie.Worst
			default:
				part[i] = float64(b.floats[i])
			}
		}
	}
	return nil
}
