//go:build cgo

package cpu

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// native returns a Native backend at the variant that RSIE_CPU names.
func native(t testing.TB, workers int) *Native {
	t.Helper()
	b, err := NewNative(workers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// named is one buffer of a state.
type named struct {
	name   string
	buffer rsie.Buffer
	index  bool
}

func buffersOf(s *rsie.State) []named {
	out := []named{{"vectors", s.Vectors, false}, {"memory", s.Memory, false}, {"matrices", s.Matrices, false},
		{"archive", s.Archive, false}, {"archive fitness", s.ArchiveFitness, false}, {"history", s.History, false}}
	for i, g := range []*rsie.Generation{&s.Now, &s.Next} {
		side := []string{"now ", "next "}[i]
		out = append(out, named{side + "points", g.Points, false}, named{side + "fitness", g.Fitness, false},
			named{side + "order", g.Order, true}, named{side + "selection", g.Selection, false},
			named{side + "choice", g.Choice, true}, named{side + "parent", g.Parent, true},
			named{side + "factors", g.Factors, false}, named{side + "factored", g.Factored, true},
			named{side + "strengths", g.Strengths, false}, named{side + "rates", g.Rates, false})
	}
	return slices.DeleteFunc(out, func(n named) bool { return n.buffer == nil })
}

// tolerance says how far Native may be from its twin after an operation that both start from the
// same float32 state, relative to 1 + |value|, and how large a share of the values of a buffer may
// be farther: draws at the border of an event, ties within rounding.
type tolerance struct{ value, share float64 }

// tolerances are by operation; what is not here is tolerances[0].
var tolerances = map[rsie.Op]tolerance{
	0: {2e-5, 0},
}

func toleranceOf(op rsie.Op) tolerance {
	if v, ok := tolerances[op]; ok {
		return v
	}
	return tolerances[0]
}

// conform carries runs through generations on the twin, rounded to float32 after every
// operation. Every operation of the list is also done by Native from the same state, and all
// buffers are compared.
func conform(t *testing.T, l *loop, p rsie.Program, m *rsie.Model, rows *rsie.Rows, generations int,
	prepare func(generation int), only ...rsie.Op) {
	t.Helper()
	b := native(t, 2)
	s, err := rsie.NewState(b, l.state.Shape, needsOf(l))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Free(b)
	var q rsie.Program
	if m != nil {
		if q, err = b.Load(m, rows); err != nil {
			t.Fatal(err)
		}
	}
	for generation := range generations {
		l.fill()
		prepare(generation)
		ops := []rsie.Op{rsie.OpInitialise, rsie.OpBreed, rsie.OpSample, rsie.OpSurvive, rsie.OpEvaluate,
			rsie.OpReplace, rsie.OpRank, rsie.OpMeasure, rsie.OpShare, rsie.OpUpdate, rsie.OpFactor,
			rsie.OpProbe, rsie.OpEvaluateProbes, rsie.OpSettle}
		for _, op := range ops {
			if generation == 0 && (op == rsie.OpBreed || op == rsie.OpSurvive || op == rsie.OpReplace) {
				continue
			}
			if p == nil && (op == rsie.OpEvaluate || op == rsie.OpEvaluateProbes) {
				continue
			}
			start := rounded(t, l)
			if err := l.state.Restore(l.g, start); err != nil {
				t.Fatal(err)
			}
			if err := l.g.Do(l.state, l.table, p, []rsie.Op{op}); err != nil {
				t.Fatal(err)
			}
			if len(only) > 0 && !slices.Contains(only, op) {
				continue
			}
			if err := s.Restore(b, start); err != nil {
				t.Fatal(err)
			}
			if err := b.Do(s, l.table, q, []rsie.Op{op}); err != nil {
				t.Fatal(err)
			}
			compareStates(t, fmt.Sprintf("generation %d, %v", generation, op), l, s, b, toleranceOf(op))
			if t.Failed() {
				return
			}
		}
		l.state.Swap()
		l.spent++
	}
}

func needsOf(l *loop) rsie.Needs {
	var needs rsie.Needs
	for r := range l.table {
		needs.Members = append(needs.Members, int(l.table[r].Members))
	}
	needs.SVD, needs.Own = l.state.FactorLen > 0, l.state.Next.Strengths != nil
	needs.History, needs.Slots = l.state.History != nil, l.state.Slots()
	if l.state.ArchiveFitness != nil {
		needs.Archive = l.state.ArchiveFitness.Len()
	}
	return needs
}

// rounded returns the state with every value rounded to float32.
func rounded(t *testing.T, l *loop) []float64 {
	t.Helper()
	all, err := l.state.Save(l.g)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range all {
		if v != rsie.Worst && math.Abs(v) < math.MaxFloat32 && v != math.Trunc(v) {
			all[i] = float64(float32(v))
		}
	}
	return all
}

func compareStates(t *testing.T, where string, l *loop, s *rsie.State, b *Native, tol tolerance) {
	t.Helper()
	ours := buffersOf(s)
	for i, n := range buffersOf(l.state) {
		want, got := make([]float64, n.buffer.Len()), make([]float64, n.buffer.Len())
		if err := l.g.Download(want, n.buffer, 0); err != nil {
			t.Fatal(err)
		}
		if err := b.Download(got, ours[i].buffer, 0); err != nil {
			t.Fatal(err)
		}
		wrong := 0
		var first []string
		for k := range want {
			far := math.Abs(got[k]-want[k]) > tol.value*(1+math.Abs(want[k]))
			if n.index {
				far = got[k] != want[k]
			}
			if far || math.IsNaN(got[k]) != math.IsNaN(want[k]) {
				if wrong++; wrong <= 3 {
					first = append(first, fmt.Sprintf("[%d] %.9g, want %.9g", k, got[k], want[k]))
				}
			}
		}
		if float64(wrong) > tol.share*float64(len(want)) {
			t.Errorf("%s: %s: %d of %d values differ: %s", where, n.name, wrong, len(want), strings.Join(first, "; "))
		}
	}
}

// TestNativeConforms compares every operation of twenty-two strategies with the twin.
func TestNativeConforms(t *testing.T) {
	for r := range mixedSizes {
		t.Run(fmt.Sprint("strategy ", r), func(t *testing.T) {
			g := backend(t, 1)
			l := newLoop(t, g, benchShape(), []int{mixedSizes[r]}, func(_ int, run *rsie.Run) {
				mixed(r, run)
				run.Seed, run.Index = uint64(500+r), uint32(r)
			})
			m, rows := classifier()
			p, err := g.Load(m, rows)
			if err != nil {
				t.Fatal(err)
			}
			conform(t, l, p, m, rows, 6, func(generation int) {
				run := &l.table[0]
				run.EvalTo = run.Members - run.Probes
				if generation == 0 {
					run.Flags |= rsie.FlagBegin
				} else {
					run.Flags &^= rsie.FlagBegin
				}
			})
		})
	}
}

// TestNativeMisuse expects refusals that say what was wrong.
func TestNativeMisuse(t *testing.T) {
	b, other := native(t, 1), native(t, 1)
	alloc := func(e rsie.Element, n int) error { _, err := b.Alloc(e, n); return err }
	floats, _ := b.Alloc(rsie.Float, 4)
	indices, _ := b.Alloc(rsie.Index, 4)
	for i, c := range []struct {
		err  error
		is   error
		text string
	}{
		{alloc(rsie.Float, -1), rsie.ErrShape, "alloc of -1"},
		{alloc(rsie.Float, math.MaxInt32+1), rsie.ErrShape, "want 0 to 2147483647"},
		{alloc(9, 2), rsie.ErrShape, "kind 9"},
		{other.Upload(floats, 0, nil), rsie.ErrShape, "another backend"},
		{b.Upload(floats, 2, make([]float64, 3)), rsie.ErrShape, "upload of 3 elements from element 2 of a buffer of 4"},
		{b.Upload(floats, -1, nil), rsie.ErrShape, "-1"},
		{b.Upload(indices, 0, []float64{0, 1.5}), rsie.ErrShape, "element 1 is 1.5"},
		{b.Upload(indices, 0, []float64{1 << 32}), rsie.ErrShape, "below 2^32"},
		{b.Upload(indices, 0, []float64{math.NaN()}), rsie.ErrShape, "NaN"},
		{b.Download(make([]float64, 5), floats, 0), rsie.ErrShape, "download of 5"},
	} {
		if !errors.Is(c.err, c.is) || !strings.Contains(c.err.Error(), c.text) {
			t.Errorf("%d: %v, want %v with %q", i, c.err, c.is, c.text)
		}
	}
	b.Limit(48)
	if err := alloc(rsie.Float, 5); !errors.Is(err, rsie.ErrMemory) || !strings.Contains(err.Error(), "20 bytes with 32 of 48") {
		t.Errorf("over the limit: %v", err)
	}
	b.Free(floats)
	if err := alloc(rsie.Float, 8); err != nil {
		t.Errorf("after Free: %v", err)
	}
	want := []float64{rsie.Worst, -0.5, 3, 1}
	got := make([]float64, 4)
	buf, _ := native(t, 1).Alloc(rsie.Float, 4)
	owner := buf.(*memory).owner
	if err := errors.Join(owner.Upload(buf, 0, want), owner.Download(got, buf, 0)); err != nil || !slices.Equal(want, got) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}
