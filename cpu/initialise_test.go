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
		if r == 1 {
			distribution(run)
		}
		if r == 0 {
			run.Mutation = rsie.CodeSVD
		}
	})
	for _, b := range []rsie.Buffer{l.state.Vectors, l.state.Memory, l.state.Next.Factored} {
		l.put(b, 0, slices.Repeat([]float64{7}, b.Len()))
	}
	for r := range l.table {
		l.table[r].Flags |= rsie.FlagBegin
	}
	l.do(rsie.OpInitialise, rsie.OpSample)
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
	if scale := l.vector(1, rsie.VecScale); slices.Min(scale) != 1 || slices.Max(scale) != 1 {
		t.Errorf("scale %v, want 1", scale)
	}
	for r := range 3 {
		want := make([]float64, rsie.MemCount)
		want[rsie.MemStep], want[rsie.MemBest] = 1, rsie.Worst
		if r == 1 {
			want[rsie.MemSigma], want[rsie.MemMedian] = 1, rsie.Worst
		}
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

// TestBegin checks the steps by layer, the rescaled weights of a start, and a restart from the
// best point, which resets the step factor and keeps the best.
func TestBegin(t *testing.T) {
	shape := benchShape() // layers 8-16-16-3
	l := newLoop(t, backend(t, 1), shape, []int{6}, func(_ int, r *rsie.Run) {
		distribution(r)
		r.LayerExponent, r.OutputStep, r.StartHidden, r.StartOutput = 0.5, 0.25, 3, 0.5
	})
	layer, mean := l.vector(0, rsie.VecLayer), l.vector(0, rsie.VecMean)
	z := make([]float64, shape.Dim)
	normals(z, addressOf(&l.table[0], 0), rsie.StreamInitialise)
	for k, b := range shape.Blocks {
		step, weight := math.Pow([]float64{8, 16, 16}[k/2], -0.25), 3.
		if k >= 4 {
			step, weight = step*0.25, 0.5
		}
		if got := layer[b.Offset]; math.Abs(got-step) > 1e-15 {
			t.Errorf("block %d: step factor %g, want %g", k, got, step)
		}
		if got, want := mean[b.Offset], z[b.Offset]*b.Std*weight; math.Abs(got-want) > 1e-15 {
			t.Errorf("block %d: mean %g, want %g", k, got, want)
		}
	}
	best := slices.Repeat([]float64{7}, shape.Dim)
	l.setVector(0, rsie.VecBest, best)
	l.setMemory(0, rsie.MemSigma, 0.01)
	l.setMemory(0, rsie.MemBest, 2)
	l.table[0].Generation = 4
	l.table[0].Flags |= rsie.FlagBegin | rsie.FlagFromBest
	l.do(rsie.OpInitialise)
	if !slices.Equal(l.vector(0, rsie.VecMean), best) {
		t.Error("the mean is not at the best point")
	}
	if s, b := l.memory(0, rsie.MemSigma), l.memory(0, rsie.MemBest); s != 1 || b != 2 {
		t.Errorf("step factor %g, best %g, want 1 and 2", s, b)
	}
}
