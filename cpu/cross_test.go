package cpu

import (
	"math"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// crossed returns a loop of two members with genes 1 and 2 (times the element's number plus
// one) and all children crossed, in the shape of a network, and the children of generations.
func crossed(t *testing.T, crossover uint8, f0, f1 float64, children func(first int, x []float64)) {
	t.Helper()
	shape := benchShape()
	l := newLoop(t, backend(t, 2), shape, []int{2}, func(_ int, r *rsie.Run) {
		r.Crossover, r.CrossoverRate, r.Rate, r.DiversityThreshold = crossover, 1, 0, 0
		r.Tournament = 1
	})
	l.fitness = func(_, i int, _ []float64) float64 { return []float64{f0, f1}[i] }
	l.generation()
	for i := range 2 {
		x := make([]float64, shape.Dim)
		for j := range x {
			x[j] = float64((i + 1) * (j + 1))
		}
		l.put(l.state.Now.Points, i*l.state.Stride, x)
	}
	for range 1500 {
		l.table[0].Generation++
		l.do(rsie.OpBreed)
		points, parents := l.get(l.state.Next.Points), l.get(l.state.Next.Parent)
		for i := range 2 {
			children(int(parents[i]), l.point(points, 0, i))
		}
	}
}

// factorsOf returns x[j]/(j+1) when it is the same within [low, high), else NaN.
func factorsOf(x []float64, low, high int) float64 {
	v := x[low] / float64(low+1)
	for j := low; j < high; j++ {
		if math.Abs(x[j]/float64(j+1)-v) > 1e-12 {
			return math.NaN()
		}
	}
	return v
}

// TestMeans checks the two means, and that one parent in both roles is copied.
func TestMeans(t *testing.T) {
	cases := []struct {
		name      string
		crossover uint8
		f0, f1    float64
		want      float64 // of two different parents, with the first one 0 or 1
	}{
		{"averaging", rsie.CodeAveraging, 1, 5, 1.5},
		{"the worst weighs nothing", rsie.CodeWeightedMerge, 1, 5, 1},
		{"no difference", rsie.CodeWeightedMerge, 5, 5, 1.5},
		{"no finite fitness", rsie.CodeWeightedMerge, rsie.Worst, rsie.Worst, 1.5},
		{"one finite fitness", rsie.CodeWeightedMerge, rsie.Worst, 5, 1.5},
	}
	for _, c := range cases {
		counts := map[float64]int{}
		crossed(t, c.crossover, c.f0, c.f1, func(first int, x []float64) {
			v := factorsOf(x, 0, len(x))
			counts[math.Round(v*1e9)/1e9]++
			if first == 0 && v == 2 || math.IsNaN(v) {
				t.Fatalf("%s: parent %d, factor %g", c.name, first, v)
			}
		})
		// 3,000 children: a quarter each has parents 0,0 and 1,1, half has both.
		want := map[float64]int{1: 750, 2: 750}
		want[c.want] += 1500
		for v, n := range counts {
			if math.Abs(float64(n-want[v])) > 150 {
				t.Errorf("%s: %d children of factor %g, want about %d", c.name, n, v, want[v])
			}
		}
	}
}

// TestMergeShare checks weights between the ends.
func TestMergeShare(t *testing.T) {
	for _, c := range [][4]float64{
		{10, 4, 8, 0.75}, {10, 10, 8, 0}, {10, rsie.Worst, 8, 0}, {10, 8, math.NaN(), 1},
		{10, 10, 10, 0.5}, {math.NaN(), rsie.Worst, rsie.Worst, 0.5},
	} {
		if got := mergeShare(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("mergeShare(%v) = %g, want %g", c[:3], got, c[3])
		}
	}
}

// TestSwapping checks that layers move whole and independently of each other, with
// probability 1/2.
func TestSwapping(t *testing.T) {
	blocks := benchShape().Blocks
	counts := make([]int, 8)
	differ := 0
	crossed(t, rsie.CodeSwapping, 1, 5, func(first int, x []float64) {
		pattern := 0
		for i := 0; i < len(blocks); i += 2 {
			w, b := blocks[i], blocks[i+1]
			v := factorsOf(x, w.Offset, b.Offset+b.Cols)
			if math.IsNaN(v) {
				t.Fatalf("layer %d is mixed", w.Layer)
			}
			if v != float64(first+1) {
				pattern |= 1 << w.Layer
			}
		}
		if pattern != 0 {
			differ++
		}
		counts[pattern]++
	})
	// Half of the children have one parent twice: pattern 0. The others' patterns are uniform.
	probability := slices.Repeat([]float64{1. / 16}, 8)
	probability[0] = 9. / 16
	chiSquared(t, "layers from the second parent", counts, probability)
	if differ == 0 {
		t.Error("no layer was ever swapped")
	}
}
