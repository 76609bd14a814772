package cpu

import (
	"math"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// TestProbes checks where the probes stand, that the better one becomes mean and best, and that
// the two-point control follows.
func TestProbes(t *testing.T) {
	for _, c := range []struct {
		fitness    []float64
		mean       []float64
		best       float64
		stepFactor float64
	}{
		{[]float64{5, 4}, []float64{5, 1}, 4, math.Exp(0.2)},
		{[]float64{4, 5}, []float64{3, 1}, 4, math.Exp(-0.2)},
		{[]float64{9, 9}, []float64{3, 1}, 8, math.Exp(-0.2)},
	} {
		l := newLoop(t, backend(t, 1), vectorShape(2), []int{6}, func(_ int, r *rsie.Run) {
			distribution(r)
			r.Probes, r.Control, r.StepGain = 2, rsie.CodeTwoPoint, 0.2
		})
		l.setVector(0, rsie.VecBefore, []float64{1, 1})
		l.setVector(0, rsie.VecMean, []float64{3, 1})
		l.setMemory(0, rsie.MemBest, 8)
		l.do(rsie.OpProbe)
		points := l.get(l.state.Next.Points)
		if a, b := l.point(points, 0, 4), l.point(points, 0, 5); !slices.Equal(a, []float64{3, 1}) || !slices.Equal(b, []float64{5, 1}) {
			t.Fatalf("probes %v and %v", a, b)
		}
		l.put(l.state.Next.Fitness, 4, c.fitness)
		l.do(rsie.OpSettle)
		if got := l.vector(0, rsie.VecMean); !slices.Equal(got, c.mean) {
			t.Errorf("%v: mean %v, want %v", c.fitness, got, c.mean)
		}
		if got := l.memory(0, rsie.MemBest); got != c.best {
			t.Errorf("%v: best %g, want %g", c.fitness, got, c.best)
		}
		if got := l.memory(0, rsie.MemSigma); math.Abs(got-c.stepFactor) > 1e-12 {
			t.Errorf("%v: step factor %g, want %g", c.fitness, got, c.stepFactor)
		}
	}
}

// TestControls checks the direction of every control on a population that all moved one way and
// on one that cancels out.
func TestControls(t *testing.T) {
	for _, control := range []uint8{rsie.CodeCumulative, rsie.CodePathLength} {
		for _, c := range []struct {
			points [][]float64
			longer bool
		}{
			{[][]float64{{3, 3}, {3, 3}, {-3, -3}, {-3, -3}}, true},
			{[][]float64{{0.1, 0}, {-0.1, 0}, {0, 0.1}, {0, -0.1}}, false},
		} {
			l := newLoop(t, backend(t, 1), vectorShape(2), []int{4}, func(_ int, r *rsie.Run) {
				natural(r, 0)
				r.Recombine, r.Mu, r.MuEff, r.Sigma = rsie.CodeEqual, 2, 2, 1
				r.Control, r.StepGain, r.PathRate, r.PathDamping = control, 0.5, 0.5, 1
			})
			l.setVector(0, rsie.VecMean, []float64{0, 0})
			l.load(c.points, []float64{1, 2, 3, 4})
			l.do(rsie.OpRank, rsie.OpUpdate)
			if got := l.memory(0, rsie.MemSigma); (got > 1) != c.longer || got == 1 {
				t.Errorf("control %d: step factor %g, want longer %v", control, got, c.longer)
			}
		}
	}
}

// TestSuccessControl checks that the share of members better than the last median moves the steps.
func TestSuccessControl(t *testing.T) {
	l := newLoop(t, backend(t, 1), vectorShape(2), []int{4}, func(_ int, r *rsie.Run) {
		distribution(r)
		r.Control, r.StepGain = rsie.CodeSuccess, 0.4
	})
	points := [][]float64{{1, 0}, {0, 1}, {1, 1}, {2, 1}}
	l.load(points, []float64{1, 2, 3, 4})
	l.do(rsie.OpRank, rsie.OpUpdate)
	if got := l.memory(0, rsie.MemSigma); got != 1 {
		t.Errorf("first step factor %g, want 1", got)
	}
	l.load(points, []float64{1, 2, 2.5, 9}) // three of four beat the median 3
	l.do(rsie.OpRank, rsie.OpUpdate)
	if got, want := l.memory(0, rsie.MemSigma), math.Exp(0.2); math.Abs(got-want) > 1e-12 {
		t.Errorf("step factor %g, want %g", got, want)
	}
}
