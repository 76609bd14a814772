//go:build cuda

package gpu

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/kernels"
	"gorgonia.org/cu"
)

// Has says whether this program has the CUDA backend.
const Has = true

// Backend runs operations on one CUDA device.
type Backend struct {
	mu      sync.Mutex
	ordinal int
	device  cu.Device
	about   string
	context cu.CUContext
	total   int // bytes of the device that may be used
	limited bool
	blocks  int // of threads that the device is given at most
	launch  *launcher
	live    map[cu.DevicePtr]int // bytes of every allocation
	used    int                  // their sum
	call    *kernels.Call        // outside Go's memory
	scratch scratch
	floats  []float32 // of a copy
	indices []uint32
	ops     []uint8
	closed  bool
	broken  error // of the kernel that ended the use of the device
}

var _ rsie.Backend = (*Backend)(nil)

// blocksPerProcessor is how many blocks of the largest kernel, with 128 threads of up to 144
// registers, a multiprocessor of 65,536 registers holds, with one to spare.
const blocksPerProcessor = 4

// staging is the number of values that a copy converts at a time.
const staging = 1 << 18

// New returns a backend on the device of the given number; the caller closes it. It returns
// [rsie.ErrUnsupported] when there is no such device.
func New(ordinal int) (*Backend, error) {
	if err := kernels.Check(int(unsafe.Sizeof(rsie.Run{}))); err != nil {
		return nil, err
	}
	n, err := cu.NumDevices()
	if err != nil {
		return nil, driverError("cuDeviceGetCount", err)
	}
	if ordinal < 0 || ordinal >= n {
		return nil, fmt.Errorf("%w: cuda:%d, but the driver has %d devices, counted from 0; "+
			"CUDA_VISIBLE_DEVICES may hide some", rsie.ErrUnsupported, ordinal, n)
	}
	b := &Backend{ordinal: ordinal, live: map[cu.DevicePtr]int{},
		floats: make([]float32, staging), indices: make([]uint32, staging)}
	if b.device, err = cu.GetDevice(ordinal); err != nil {
		return nil, driverError("cuDeviceGet", err)
	}
	if err := b.describe(); err != nil {
		return nil, err
	}
	if b.context, err = b.device.RetainPrimaryCtx(); err != nil {
		return nil, driverError("cuDevicePrimaryCtxRetain", err)
	}
	if err := b.open(); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// describe reads what the device is.
func (b *Backend) describe() error {
	name, err := b.device.Name()
	if err != nil {
		return driverError("cuDeviceGetName", err)
	}
	total, err := b.device.TotalMem()
	if err != nil {
		return driverError("cuDeviceTotalMem", err)
	}
	var values [3]int
	for i, a := range [3]cu.DeviceAttribute{cu.MultiprocessorCount, cu.ComputeCapabilityMajor, cu.ComputeCapabilityMinor} {
		if values[i], err = b.device.Attribute(a); err != nil {
			return driverError("cuDeviceGetAttribute", err)
		}
	}
	b.total, b.blocks = int(total), values[0]*blocksPerProcessor
	version := cu.Version()
	b.about = fmt.Sprintf("%s, compute %d.%d, %d multiprocessors, %.1f GiB, driver for CUDA %d.%d",
		name, values[1], values[2], values[0], float64(total)/(1<<30), version/1000, version%1000/10)
	return nil
}

// open loads the kernels and allocates what every call needs.
func (b *Backend) open() error {
	if err := b.enter(); err != nil {
		return err
	}
	defer runtime.UnlockOSThread()
	if b.call = (*kernels.Call)(kernels.Alloc(int(unsafe.Sizeof(kernels.Call{})))); b.call == nil {
		return fmt.Errorf("cuda: %w", rsie.ErrMemory)
	}
	var err error
	b.launch, err = newLauncher(b.context)
	return err
}

// enter ties the goroutine to a thread that works on the context. The caller unties it.
func (b *Backend) enter() error {
	if b.broken != nil {
		return b.broken
	}
	runtime.LockOSThread()
	if err := cu.SetCurrentContext(b.context); err != nil {
		runtime.UnlockOSThread()
		return driverError("cuCtxSetCurrent", err)
	}
	return nil
}

// Info describes the backend.
func (b *Backend) Info() rsie.Info {
	b.mu.Lock()
	defer b.mu.Unlock()
	info := rsie.Info{Name: fmt.Sprintf("cuda:%d", b.ordinal), Bits: 32,
		Device: fmt.Sprintf("%s; %d bytes in use", b.about, b.used)}
	if b.limited {
		info.Memory = b.total
	}
	for op := rsie.OpInitialise; int(op) < rsie.OpCount; op++ {
		info.Ops[op] = true
	}
	return info
}

// Memory returns how many bytes of the device this backend has allocated.
func (b *Backend) Memory() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// Limit sets how many bytes of the device may be used. It stands before the first Alloc.
func (b *Backend) Limit(bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.total, b.limited = min(b.total, bytes), true
}

// take allocates memory of the device, at least one byte. Without room it returns [rsie.ErrMemory].
func (b *Backend) take(bytes int) (cu.DevicePtr, error) {
	call := func() string {
		return fmt.Sprintf("cuMemAlloc of %d bytes with %d of %d in use", bytes, b.used, b.total)
	}
	if b.limited && bytes > b.total-b.used {
		return 0, driverError(call(), rsie.ErrMemory)
	}
	p, err := cu.MemAlloc(int64(max(1, bytes)))
	if err == cu.OutOfMemory {
		return 0, driverError(call(), rsie.ErrMemory)
	}
	if err != nil {
		return 0, driverError(call(), err)
	}
	b.live[p] = bytes
	b.used += bytes
	return p, nil
}

// give frees memory of take; 0 does nothing.
func (b *Backend) give(p cu.DevicePtr) error {
	if p == 0 {
		return nil
	}
	b.used -= b.live[p]
	delete(b.live, p)
	if err := cu.MemFree(p); err != nil {
		return driverError("cuMemFree", err)
	}
	return nil
}

// memory is a buffer of one backend.
type memory struct {
	owner *Backend
	kind  rsie.Element
	p     cu.DevicePtr
	n     int
}

// Len returns the number of elements, 0 after Free.
func (m *memory) Len() int { return m.n }

// Alloc returns n zeroed elements. It returns [rsie.ErrShape] for n outside
// 0..[kernels.MaxElements] and [rsie.ErrMemory] where the device or [Backend.Limit] has no room for them,
// without scratch either.
func (b *Backend) Alloc(e rsie.Element, n int) (rsie.Buffer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, b.errClosed("alloc")
	}
	if err := kernels.CheckAlloc(e, n); err != nil {
		return nil, fmt.Errorf("cuda: %w", err)
	}
	if err := b.enter(); err != nil {
		return nil, err
	}
	defer runtime.UnlockOSThread()
	p, err := b.take(4 * n)
	if errors.Is(err, rsie.ErrMemory) && b.scratch.give(b) == nil {
		p, err = b.take(4 * n)
	}
	if err != nil {
		return nil, err
	}
	if err := cu.MemsetD8(p, 0, int64(max(1, 4*n))); err != nil {
		return nil, driverError("cuMemsetD8", err)
	}
	return &memory{owner: b, kind: e, p: p, n: n}, nil
}

// Free gives buf back; freeing twice, or a buffer of another backend, does nothing.
func (b *Backend) Free(buf rsie.Buffer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, ok := buf.(*memory)
	if !ok || m == nil || m.owner != b {
		return
	}
	if !b.closed && b.enter() == nil {
		_ = b.give(m.p) // the contract has no error here; a sticky one comes again
		runtime.UnlockOSThread()
	}
	*m = memory{}
}

func (b *Backend) errClosed(op string) error {
	return fmt.Errorf("%w: cuda: %s after Close", rsie.ErrInvalid, op)
}

func (b *Backend) errForeign(op, what string) error {
	return fmt.Errorf("%w: cuda: %s: %s was freed, missing or made by another backend", rsie.ErrShape, op, what)
}

// Close frees all memory of the device, that of buffers included. Every later call but Free fails.
// It may be called twice.
func (b *Backend) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	defer func() {
		b.scratch.freeHost()
		kernels.Free(unsafe.Pointer(b.call))
		b.call = nil
	}()
	if b.broken != nil { // the memory goes with the context
		b.device.ReleasePrimaryCtx()
		return nil
	}
	if err := b.enter(); err != nil {
		return err
	}
	defer runtime.UnlockOSThread()
	var first error
	keep := func(err error) {
		if first == nil {
			first = err
		}
	}
	for p := range b.live {
		keep(b.give(p))
	}
	if b.launch != nil {
		keep(b.launch.close())
	}
	keep(b.device.ReleasePrimaryCtx())
	return first
}
