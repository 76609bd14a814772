//go:build cuda

package gpu

import (
	"fmt"
	"runtime"
	"unsafe"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/kernels"
	"gorgonia.org/cu"
)

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
	if err := kernels.CheckCopy(op, at, n, m.n); err != nil {
		return nil, fmt.Errorf("cuda: %w", err)
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
	if err := kernels.CheckUpload(m.kind, src); err != nil {
		return fmt.Errorf("cuda: %w", err)
	}
	for done := 0; done < len(src); done += staging {
		part := src[done:min(done+staging, len(src))]
		from := unsafe.Pointer(&b.floats[0])
		if m.kind == rsie.Index {
			from = unsafe.Pointer(&b.indices[0])
			kernels.IndicesTo(b.indices, part)
		} else {
			kernels.NarrowTo(b.floats, part)
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
		if m.kind == rsie.Index {
			kernels.FromIndices(part, b.indices[:len(part)])
		} else {
			kernels.WidenTo(part, b.floats[:len(part)])
		}
	}
	return nil
}
