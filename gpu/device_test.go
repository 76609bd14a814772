//go:build cuda

package gpu_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/gpu"
)

func device(t *testing.T) *gpu.Backend {
	t.Helper()
	b, err := gpu.New(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// TestMemory follows the account of the device through the life of buffers.
func TestMemory(t *testing.T) {
	b := device(t)
	start := b.Memory()
	buf, err := b.Alloc(rsie.Float, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Memory() - start; got != 4000 {
		t.Errorf("1000 floats take %d bytes", got)
	}
	values := make([]float64, 1000)
	if err := b.Download(values, buf, 0); err != nil || values[0] != 0 || values[999] != 0 {
		t.Errorf("fresh memory: %v, %v", values[:3], err)
	}
	b.Free(buf)
	b.Free(buf)
	if b.Memory() != start || buf.Len() != 0 {
		t.Errorf("%d bytes in use after Free, %d before Alloc", b.Memory(), start)
	}
	if err := b.Upload(buf, 0, values[:1]); !errors.Is(err, rsie.ErrShape) {
		t.Errorf("upload after Free: %v", err)
	}
}

// TestCopies moves values of both kinds through the device.
func TestCopies(t *testing.T) {
	b := device(t)
	floats, _ := b.Alloc(rsie.Float, 300_000)
	indices, _ := b.Alloc(rsie.Index, 5)
	want := make([]float64, 300_000)
	for i := range want {
		want[i] = float64(float32(i) / 7)
	}
	want[5], want[6], want[7] = rsie.Worst, math.Inf(-1), math.NaN()
	got := make([]float64, len(want))
	if err := errors.Join(b.Upload(floats, 0, want), b.Download(got, floats, 0)); err != nil {
		t.Fatal(err)
	}
	if err := same("copy", want, got); err != nil {
		t.Error(err)
	}
	numbers, back := []float64{0, 1, math.MaxUint32}, make([]float64, 3)
	if err := errors.Join(b.Upload(indices, 2, numbers), b.Download(back, indices, 2)); err != nil {
		t.Fatal(err)
	}
	if err := same("indices", numbers, back); err != nil {
		t.Error(err)
	}
	for _, bad := range []float64{-1, 0.5, 1 << 32, math.NaN()} {
		if err := b.Upload(indices, 0, []float64{bad}); !errors.Is(err, rsie.ErrShape) {
			t.Errorf("index %g: %v", bad, err)
		}
	}
	if err := b.Upload(indices, 3, numbers); !errors.Is(err, rsie.ErrShape) {
		t.Errorf("past the end: %v", err)
	}
}

// TestOutOfMemory expects an error that says how much was asked for and that the device goes on.
func TestOutOfMemory(t *testing.T) {
	emulated(t)
	b := device(t)
	before := b.Memory()
	if _, err := b.Alloc(rsie.Float, 1<<30); err == nil || !strings.Contains(err.Error(), "cuMemAlloc of 4294967296 bytes") {
		t.Errorf("4 GiB of 2: %v", err)
	}
	if _, err := b.Alloc(rsie.Float, 10); err != nil || b.Memory() != before+40 {
		t.Errorf("after that: %v, %d bytes", err, b.Memory())
	}
}

func TestErrors(t *testing.T) {
	if _, err := gpu.New(99); !errors.Is(err, rsie.ErrUnsupported) {
		t.Errorf("device 99: %v", err)
	}
	b := device(t)
	foreign, _ := device(t).Alloc(rsie.Float, 3)
	if err := b.Upload(foreign, 0, nil); !errors.Is(err, rsie.ErrShape) {
		t.Errorf("a buffer of another: %v", err)
	}
	if err := b.Do(nil, nil, nil, nil); !errors.Is(err, rsie.ErrShape) {
		t.Errorf("no state: %v", err)
	}
	if err := errors.Join(b.Close(), b.Close()); err != nil {
		t.Error(err)
	}
	if _, err := b.Alloc(rsie.Float, 1); !errors.Is(err, rsie.ErrInvalid) {
		t.Errorf("after Close: %v", err)
	}
}
