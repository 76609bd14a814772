//go:build cuda

package gpu_test

import (
	"fmt"
	"math"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/cpu"
	"github.com/symbio-ai/recursive-improvement/gpu"
)

// pair does everything on the native backend and on the device, one operation at a time, and
// fails the test at the first buffer that has other bits.
type pair struct {
	t      *testing.T
	native rsie.Backend
	device *gpu.Backend
	seen   map[rsie.Op]int // members of the runs, by operation
}

func newPair(t *testing.T) *pair {
	t.Helper()
	native, err := cpu.NewNative(1)
	if err != nil {
		t.Fatal(err)
	}
	device, err := gpu.New(0)
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{t: t, native: native, device: device, seen: map[rsie.Op]int{}}
	t.Cleanup(func() {
		native.Close()
		if err := device.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// both is a buffer on the native backend and on the device.
type both struct{ native, device rsie.Buffer }

func (b both) Len() int { return b.native.Len() }

// twice is a program on both.
type twice struct{ native, device rsie.Program }

func (p twice) Model() *rsie.Model { return p.native.Model() }
func (p twice) Samples() int       { return p.native.Samples() }

func (p *pair) Info() rsie.Info { return p.native.Info() }

func (p *pair) Alloc(e rsie.Element, n int) (rsie.Buffer, error) {
	a, err := p.native.Alloc(e, n)
	if err != nil {
		return nil, err
	}
	b, err := p.device.Alloc(e, n)
	if err != nil {
		return nil, err
	}
	return both{a, b}, nil
}

func (p *pair) Free(buf rsie.Buffer) {
	p.native.Free(buf.(both).native)
	p.device.Free(buf.(both).device)
}

func (p *pair) Upload(dst rsie.Buffer, at int, src []float64) error {
	if err := p.native.Upload(dst.(both).native, at, src); err != nil {
		return err
	}
	return p.device.Upload(dst.(both).device, at, src)
}

func (p *pair) Download(dst []float64, src rsie.Buffer, at int) error {
	if err := p.native.Download(dst, src.(both).native, at); err != nil {
		return err
	}
	got := make([]float64, len(dst))
	if err := p.device.Download(got, src.(both).device, at); err != nil {
		return err
	}
	return same("download", dst, got)
}

func (p *pair) Load(m *rsie.Model, rows *rsie.Rows) (rsie.Program, error) {
	a, err := p.native.Load(m, rows)
	if err != nil {
		return nil, err
	}
	b, err := p.device.Load(m, rows)
	return twice{a, b}, err
}

func (p *pair) Predict(dst []float64, prog rsie.Program, points []float64) error {
	if err := p.native.Predict(dst, prog.(twice).native, points); err != nil {
		return err
	}
	got := make([]float64, len(dst))
	if err := p.device.Predict(got, prog.(twice).device, points); err != nil {
		return err
	}
	return same("predict", dst, got)
}

func (p *pair) Do(s *rsie.State, runs []rsie.Run, prog rsie.Program, ops []rsie.Op) error {
	a, b := side(s, func(b both) rsie.Buffer { return b.native }), side(s, func(b both) rsie.Buffer { return b.device })
	var t twice
	if prog != nil {
		t = prog.(twice)
	}
	for _, op := range ops {
		if err := p.native.Do(a, runs, t.native, []rsie.Op{op}); err != nil {
			return err
		}
		if err := p.device.Do(b, runs, t.device, []rsie.Op{op}); err != nil {
			return err
		}
		want, err := a.Save(p.native)
		if err != nil {
			return err
		}
		got, err := b.Save(p.device)
		if err != nil {
			return err
		}
		if err := same(op.String(), want, got); err != nil {
			return err
		}
		p.seen[op] += s.Members
	}
	return nil
}

func (p *pair) Close() error { return nil }

// side returns the state with the buffers of one backend.
func side(s *rsie.State, of func(both) rsie.Buffer) *rsie.State {
	out := *s
	for _, at := range []*rsie.Buffer{&out.Vectors, &out.Memory, &out.Matrices, &out.Archive, &out.ArchiveFitness,
		&out.History} {
		pick(at, of)
	}
	for _, g := range []*rsie.Generation{&out.Now, &out.Next} {
		for _, at := range []*rsie.Buffer{&g.Points, &g.Fitness, &g.Order, &g.Selection, &g.Choice, &g.Parent,
			&g.Factors, &g.Factored, &g.Strengths, &g.Rates} {
			pick(at, of)
		}
	}
	return &out
}

func pick(at *rsie.Buffer, of func(both) rsie.Buffer) {
	if *at != nil {
		*at = of((*at).(both))
	}
}

// same compares bits; every NaN is the same one.
func same(what string, want, got []float64) error {
	wrong, first := 0, 0
	for i := range want {
		if math.Float64bits(want[i]) != math.Float64bits(got[i]) && !(math.IsNaN(want[i]) && math.IsNaN(got[i])) {
			if wrong++; wrong == 1 {
				first = i
			}
		}
	}
	if wrong == 0 && len(want) == len(got) {
		return nil
	}
	return fmt.Errorf("%s: %d of %d values differ, the first at %d: native %v, device %v", what, wrong, len(want),
		first, want[first], got[first])
}
