package cpu

import (
	"math"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// TestMeasureSpread compares with the variance column by column, over more than one tile.
func TestMeasureSpread(t *testing.T) {
	const dim, n = 2*columns + 45, 11
	l := newLoop(t, backend(t, 2), vectorShape(dim), []int{n}, nil)
	spread := func() float64 {
		points, sum := l.get(l.state.Next.Points), 0.
		for j := range dim {
			mean := 0.
			for i := range n {
				mean += l.point(points, 0, i)[j] / n
			}
			for i := range n {
				d := l.point(points, 0, i)[j] - mean
				sum += d * d / n
			}
		}
		return math.Sqrt(sum / dim)
	}
	expect := func(entry int, want float64) {
		t.Helper()
		if got := l.memory(0, entry); math.Abs(got-want) > 1e-12 {
			t.Errorf("memory %d is %.15g, want %.15g", entry, got, want)
		}
	}
	l.evaluate()
	l.do(rsie.OpMeasure)
	first := spread()
	expect(rsie.MemSpread, first)
	expect(rsie.MemSpread0, first)
	expect(rsie.MemSpreadSum, 1)
	for i := range n { // a quarter of the spread
		x := l.point(l.get(l.state.Next.Points), 0, i)
		for j := range x {
			x[j] = 3 + x[j]/4
		}
		l.put(l.state.Next.Points, i*l.state.Stride, x)
	}
	l.table[0].Generation = 1
	l.do(rsie.OpMeasure)
	expect(rsie.MemSpread, first/4)
	expect(rsie.MemSpread0, first)
	expect(rsie.MemSpreadSum, 1.25)
	expect(rsie.MemMeasured, 2)
	l.put(l.state.Next.Points, 5, []float64{math.Inf(1)})
	l.do(rsie.OpMeasure)
	expect(rsie.MemSpread, spreadHighest)
	expect(rsie.MemSpreadSum, 2.25)
}

func TestSpreadRatio(t *testing.T) {
	for _, c := range [][3]float64{{1, 2, 0.5}, {3, 2, 1}, {0, 0, 0}, {0, 2, 0}, {1, 0, 1}} {
		if got := spreadRatio(c[0], c[1]); got != c[2] {
			t.Errorf("spreadRatio(%g, %g) = %g, want %g", c[0], c[1], got, c[2])
		}
	}
}

// TestMeasureBest checks that the best of the evaluated rows, and no other, is kept for ever.
func TestMeasureBest(t *testing.T) {
	l := newLoop(t, backend(t, 1), vectorShape(3), []int{4}, nil)
	steps := []struct {
		fitness  []float64
		from, to uint32
		best     float64
		row      int // -1: unchanged
	}{
		{[]float64{math.NaN(), rsie.Worst, rsie.Worst, 7}, 0, 3, rsie.Worst, 0},
		{[]float64{9, 5, 5, 6}, 0, 4, 5, 1},
		{[]float64{1, 6, 4, 4}, 1, 4, 4, 2},
		{[]float64{8, 4, 9, 3}, 0, 3, 4, -1},
		{[]float64{8, -2, 9, 3}, 0, 4, -2, 1},
	}
	want := make([]float64, 3)
	for g, s := range steps {
		l.table[0].Generation, l.table[0].EvalFrom, l.table[0].EvalTo = uint32(g), s.from, s.to
		for i := range 4 {
			l.put(l.state.Next.Points, i*l.state.Stride, []float64{float64(g), float64(i), 1})
		}
		l.put(l.state.Next.Fitness, 0, s.fitness)
		l.do(rsie.OpMeasure)
		if s.row >= 0 {
			want = []float64{float64(g), float64(s.row), 1}
		}
		if got := l.vector(0, rsie.VecBest); l.memory(0, rsie.MemBest) != s.best || !slices.Equal(got, want) {
			t.Errorf("step %d: best %g at %v, want %g at %v", g, l.memory(0, rsie.MemBest), got, s.best, want)
		}
	}
}

// TestSuccess checks the share of better children and the step, without survivors, immigrants
// and rows that were not evaluated, and the limits of the step.
func TestSuccess(t *testing.T) {
	for mutation := rsie.CodeGaussian; mutation <= rsie.CodeAdaptive; mutation++ {
		l := ready(t, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, func(r *rsie.Run) { r.Mutation = mutation })
		r := &l.table[0]
		r.Generation, r.Elites, r.EvalFrom, r.EvalTo = 1, 2, 2, 8
		l.put(l.state.Next.Parent, 0, []float64{0, 1, 0, 4, 4, 9, 9, 9, 0, 0})
		// Rows 2 to 7: equal to the parent is not better; rows 3, 5 and 6 are better.
		fitness := []float64{0, 0, 1, 4, 6, 9, -1, 10, 0, 0}
		l.put(l.state.Next.Fitness, 0, fitness)
		expect := func(success, step float64) {
			t.Helper()
			if mutation != rsie.CodeAdaptive {
				step = 1
			}
			gotSuccess, gotStep := l.memory(0, rsie.MemSuccess), l.memory(0, rsie.MemStep)
			if gotSuccess != success || math.Abs(gotStep-step) > 1e-14 {
				t.Errorf("mutation %d: success %g, step %g, want %g and %g", mutation, gotSuccess, gotStep, success, step)
			}
		}
		l.do(rsie.OpMeasure)
		expect(0.5, math.Exp(0.2*0.3))
		// The spread is lost: row 9 is an immigrant now, row 8 counts.
		r.EvalTo, r.DiversityThreshold = 10, 0.5
		l.setMemory(0, rsie.MemStep, 1)
		l.setMemory(0, rsie.MemSpread, 0.1)
		l.setMemory(0, rsie.MemSpread0, 1)
		l.do(rsie.OpMeasure)
		expect(4./7, math.Exp(0.2*(4./7-0.2)))
		r.EvalFrom, r.EvalTo = 2, 2
		l.setMemory(0, rsie.MemStep, 3)
		if l.do(rsie.OpMeasure); l.memory(0, rsie.MemStep) != 3 {
			t.Errorf("a generation without children moves the step")
		}
		if mutation == rsie.CodeAdaptive {
			r.DiversityThreshold, r.EvalTo = 0, 10
			for step, want := range map[float64]float64{1e3: 1e3, 1e-6: 1e-6} {
				l.setMemory(0, rsie.MemStep, step)
				l.put(l.state.Next.Fitness, 0, slices.Repeat([]float64{map[bool]float64{true: -5, false: 50}[step > 1]}, 10))
				if l.do(rsie.OpMeasure); l.memory(0, rsie.MemStep) != want {
					t.Errorf("step %g, want it held at %g", l.memory(0, rsie.MemStep), want)
				}
			}
		}
	}
}
