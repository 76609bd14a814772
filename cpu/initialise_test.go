package cpu

import (
	"math"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// TestInitialise checks the deviation of each block, zeros where it is 0, that runs and members
// differ, the parts of a distribution run and the memory; buffers start dirty.
func TestInitialise(t *testing.T) {
	shape := benchShape()
	g := backend(t, 2)
	l := newLoop(t, g, shape, []int{40, 6, 5}, func(r int, run *rsie.Run) {
		run.Family = []uint8{rsie.CodePopulation, rsie.CodeDistribution, rsie.CodeRandom}[r]
		run.Sigma = 0.3
		if r == 0 {
			run.Mutation = rsie.CodeSVD
		}
	})
	for _, b := range []rsie.Buffer{l.state.Vectors, l.state.Memory, l.state.Next.Factored} {
		l.put(b, 0, slices.Repeat([]float64{7}, b.Len()))
	}
	l.do(rsie.OpInitialise)
	points := l.get(l.state.Next.Points)
	for k, b := range shape.Blocks {
		sum, n := 0., 0.
		for i := range 40 {
			for _, v := range l.point(points, 0, i)[b.Offset:][:b.Rows*b.Cols] {
				sum, n = sum+v*v, n+1
			}
		}
		if want := b.Std * b.Std; math.Abs(sum/n-want) > 5*want*math.Sqrt(2/n) {
			t.Errorf("block %d: variance %g, want %g", k, sum/n, want)
		}
	}
	if slices.Equal(l.point(points, 0, 0), l.point(points, 0, 1)) {
		t.Error("two members are equal")
	}
	mean := l.vector(1, rsie.VecMean)
	z := make([]float64, shape.Dim)
	normals(z, addressOf(&l.table[1], 0), rsie.StreamInitialise)
	for _, b := range shape.Blocks {
		if got, want := mean[b.Offset], z[b.Offset]*b.Std; got != want {
			t.Errorf("mean at %d is %g, want %g", b.Offset, got, want)
		}
	}
	if std := l.vector(1, rsie.VecStd); slices.Min(std) != 0.3 || slices.Max(std) != 0.3 {
		t.Errorf("std %v, want 0.3", std)
	}
	for r := range 3 {
		want := []float64{0, 0, 0, 0, 1, 0, rsie.Worst}
		if got := l.get(l.state.Memory)[r*rsie.MemCount:][:rsie.MemCount]; !slices.Equal(got, want) {
			t.Errorf("run %d: memory %v, want %v", r, got, want)
		}
		for _, which := range []int{rsie.VecMoment1, rsie.VecMoment2, rsie.VecBest} {
			if v := l.vector(r, which); slices.Min(v) != 0 || slices.Max(v) != 0 {
				t.Errorf("run %d: vector %d is not 0", r, which)
			}
		}
	}
	valid := l.get(l.state.Next.Factored)[:40*len(shape.Blocks)]
	if slices.Max(valid) != 0 {
		t.Error("factors are valid after initialise")
	}
}

// TestInitialiseBox checks uniform draws over the whole box for members and the mean.
func TestInitialiseBox(t *testing.T) {
	shape := rsie.Shape{Name: "box", Dim: 50, Lower: -3, Upper: 5, Blocks: []rsie.Block{{Rows: 1, Cols: 50}}}
	l := newLoop(t, backend(t, 1), shape, []int{400, 4}, func(r int, run *rsie.Run) {
		if r == 1 {
			distribution(run)
		}
	})
	counts := make([]int, 16)
	points := l.get(l.state.Next.Points)
	for i := range 400 {
		for _, v := range l.point(points, 0, i) {
			counts[int((v+3)*2)]++ // panics outside the box
		}
	}
	chiSquared(t, "box", counts, slices.Repeat([]float64{1. / 16}, 16))
	mean := l.vector(1, rsie.VecMean)
	low, high := slices.Min(mean), slices.Max(mean)
	if low < -3 || high > 5 || high-low < 4 {
		t.Errorf("mean %v is not spread over the box", mean)
	}
}
