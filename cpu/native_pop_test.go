//go:build cgo

package cpu

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/kernels"
)

// popCases drives runs of the population family on Native, as loop does on Gonum.
type popCases struct {
	b     *Native
	state *rsie.State
	l     *loop // its table, and the twin's state that is not used
	spent int
}

// newPopulations starts runs with the settings that set gives them.
func newPopulations(t testing.TB, b *Native, shape rsie.Shape, sizes []int, set func(k int, run *rsie.Run)) *popCases {
	t.Helper()
	l := newLoop(t, backend(t, 1), shape, sizes, set)
	s, err := rsie.NewState(b, shape, needsOf(l))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Free(b) })
	return &popCases{b: b, state: s, l: l}
}

// ask makes the points of a generation.
func (p *popCases) ask(t testing.TB) {
	t.Helper()
	p.l.spent = p.spent
	p.l.fill()
	ops := []rsie.Op{rsie.OpBreed, rsie.OpSurvive}
	if p.spent == 0 {
		ops = []rsie.Op{rsie.OpInitialise}
	}
	p.begins(p.spent == 0)
	p.do(t, ops...)
	p.begins(false)
}

func (p *popCases) begins(v bool) {
	for r := range p.l.table {
		p.l.table[r].Flags &^= rsie.FlagBegin
		if v {
			p.l.table[r].Flags |= rsie.FlagBegin
		}
	}
}

func (p *popCases) do(t testing.TB, ops ...rsie.Op) {
	t.Helper()
	if err := p.b.Do(p.state, p.l.table, nil, ops); err != nil {
		t.Fatal(err)
	}
}

// evaluate writes target of every point; every seventh fitness is not a number.
func (p *popCases) evaluate(t testing.TB) {
	t.Helper()
	points, fitness := make([]float64, p.state.Next.Points.Len()), make([]float64, p.state.Members)
	if err := p.b.Download(points, p.state.Next.Points, 0); err != nil {
		t.Fatal(err)
	}
	for i := range fitness {
		fitness[i] = target(points[i*p.state.Stride:][:p.state.Shape.Dim])
		if i%7 == 6 {
			fitness[i] = math.NaN()
		}
	}
	if err := p.b.Upload(p.state.Next.Fitness, 0, fitness); err != nil {
		t.Fatal(err)
	}
}

// tell ends a generation.
func (p *popCases) tell(t testing.TB) {
	t.Helper()
	if p.spent > 0 {
		p.do(t, rsie.OpReplace)
	}
	p.do(t, rsie.OpRank, rsie.OpMeasure, rsie.OpShare)
	p.state.Swap()
	p.spent++
}

// digest is the hash of all buffers.
func (p *popCases) digest(t testing.TB) string {
	t.Helper()
	all, err := p.state.Save(p.b)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	for _, v := range all {
		bits := math.Float64bits(v)
		if v != v {
			bits = math.Float64bits(math.NaN())
		}
		h.Write(binary.LittleEndian.AppendUint64(nil, bits))
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// atLevel returns a Native of a variant, nil where this CPU lacks it.
func atLevel(t testing.TB, level kernels.Level, workers int) *Native {
	if level > kernels.CPULevel() {
		return nil
	}
	b := native(t, workers)
	b.level = level
	return b
}

// strategiesOf are those of mixed that have a population, some twice with other sizes, so that
// both ways to sort and blocks of several sizes are used.
var strategiesOf = []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 17, 5, 7}

// TestNativePopulationBits runs popCases by every variant and by 1, 2 and 7 workers: all
// buffers end with the same bits.
func TestNativePopulationBits(t *testing.T) {
	sizes := make([]int, len(strategiesOf))
	for k, r := range strategiesOf {
		sizes[k] = mixedSizes[r]
	}
	sizes[13], sizes[14] = 257, 640
	want := ""
	for _, shape := range []rsie.Shape{benchShape(), {Name: "box", Dim: 5, Blocks: []rsie.Block{{Cols: 5, Rows: 1, Std: 1}},
		Lower: -1, Upper: 1}} {
		for _, c := range []struct {
			level   kernels.Level
			workers int
		}{{kernels.Scalar, 1}, {kernels.Scalar, 2}, {kernels.AVX2, 1}, {kernels.AVX2, 7}, {kernels.AVX512, 1}, {kernels.AVX512, 2}} {
			b := atLevel(t, c.level, c.workers)
			if b == nil {
				t.Logf("this CPU lacks %v", c.level)
				continue
			}
			p := newPopulations(t, b, shape, sizes, func(k int, run *rsie.Run) { mixed(strategiesOf[k], run) })
			for range 6 {
				p.ask(t)
				p.evaluate(t)
				p.tell(t)
			}
			if got := p.digest(t); c.workers == 1 && c.level == kernels.Scalar {
				want = got
			} else if got != want {
				t.Errorf("%s: %v with %d workers: digest %s, want %s", shape.Name, c.level, c.workers, got, want)
			}
		}
	}
}

// TestNativeOrder compares the order of many fitness values, among them equal ones, both zeros,
// infinities and NaN, with that of the twin, on both sides of the size where the way changes.
func TestNativeOrder(t *testing.T) {
	b := native(t, 1)
	special := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0, rsie.Worst, 1e-42, -1e-42}
	sizes := []int{1, 2, 15, 16, 17, 33, 255, 256, 257, 1000, 5000}
	p := newPopulations(t, b, rsie.Shape{Name: "one", Dim: 1, Blocks: []rsie.Block{{Cols: 1, Rows: 1, Std: 1}}}, sizes, nil)
	fitness := make([]float64, p.state.Members)
	for i := range fitness {
		w := rsie.NewKey(3).Words(uint32(i), 0, 0, 0, rsie.StreamProblem)
		fitness[i] = float64(float32(math.Ldexp(float64(int32(w[0])), int(w[1]%200)-110)))
		if w[2]%4 == 0 {
			fitness[i] = special[w[3]%8]
		} else if w[2]%4 == 1 {
			fitness[i] = float64(w[3] % 50)
		}
	}
	if err := b.Upload(p.state.Next.Fitness, 0, fitness); err != nil {
		t.Fatal(err)
	}
	p.do(t, rsie.OpRank)
	got, at := make([]float64, p.state.Members), 0
	if err := b.Download(got, p.state.Next.Order, 0); err != nil {
		t.Fatal(err)
	}
	for _, n := range sizes {
		want := make([]uint32, n)
		order(want, fitness[at:at+n])
		for i, v := range want {
			if got[at+i] != float64(v) {
				t.Fatalf("%d members: place %d has member %g, want %d", n, i, got[at+i], v)
			}
		}
		at += n
	}
}
