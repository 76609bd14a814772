package cpu

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

func (l *loop) matrices() []float64 { return l.get(l.state.Matrices) }

// cmaState is the state of a published CMA-ES run between steps.
type cmaState struct {
	Mean       []float64
	C          [][]float64
	Sigma      float64
	PSigma     []float64 `json:"p_sigma"`
	PC         []float64 `json:"p_c"`
	Generation float64
}

// TestCMA repeats every published step of CMA-ES, with and without negative weights, from the
// identity, from a general state and from one that stalls the rank-one update.
func TestCMA(t *testing.T) {
	var file struct {
		Runs []struct {
			Name      string
			Constants struct {
				N, Lam, Mu                    int
				MuEff, C1, CMu, CS, Damps, CC float64
				Weights                       []float64
			}
			Start cmaState
			Steps []struct {
				X       [][]float64
				Fitness []float64
				HSigma  float64 `json:"h_sigma"`
				After   cmaState
			}
		}
	}
	readVectors(t, "cma_es.json", &file)
	steps, stalled := 0, 0
	for _, run := range file.Runs {
		k := run.Constants
		negative := 0.0
		for _, w := range k.Weights {
			negative -= min(w, 0)
		}
		l := newLoop(t, backend(t, 2), vectorShape(k.N), []int{k.Lam}, func(_ int, r *rsie.Run) {
			natural(r, 0)
			r.Scales, r.Covariance, r.Recombine = rsie.CodeNoScales, rsie.CodeFull, rsie.CodeTutorial
			r.Negative, r.MuEff, r.Control, r.StepGain = negative, k.MuEff, rsie.CodeCumulative, 1
			r.PathRate, r.PathDamping, r.CovPathRate = k.CS, k.Damps, k.CC
			r.CovRankOne, r.CovRankMu, r.Sigma, r.LearningRate = k.C1, k.CMu, 1, 1
			r.Flags |= rsie.FlagDecompose
		})
		l.setCovariance(k.N, run.Start)
		for i, s := range run.Steps {
			l.load(s.X, s.Fitness)
			l.do(rsie.OpRank, rsie.OpUpdate)
			what := fmt.Sprintf("%s, step %d: ", run.Name, i)
			close10(t, what+"mean", l.vector(0, rsie.VecMean), s.After.Mean)
			close10(t, what+"p_sigma", l.vector(0, rsie.VecStepPath), s.After.PSigma)
			close10(t, what+"p_c", l.vector(0, rsie.VecPath), s.After.PC)
			close10(t, what+"sigma", []float64{l.memory(0, rsie.MemSigma)}, []float64{s.After.Sigma})
			for row, want := range s.After.C {
				close10(t, what+"C", l.matrices()[row*k.N:][:k.N], want)
			}
			steps++
			if s.HSigma == 0 {
				stalled++
			}
		}
	}
	if steps < 24 || stalled == 0 {
		t.Errorf("%d steps checked, %d of them stalled", steps, stalled)
	}
}

// setCovariance loads a state, its matrix through the decomposition.
func (l *loop) setCovariance(n int, s cmaState) {
	l.setVector(0, rsie.VecMean, s.Mean)
	l.setVector(0, rsie.VecStepPath, s.PSigma)
	l.setVector(0, rsie.VecPath, s.PC)
	l.setMemory(0, rsie.MemSigma, s.Sigma)
	l.setMemory(0, rsie.MemUpdates, s.Generation)
	flat := make([]float64, 0, n*n)
	for _, row := range s.C {
		flat = append(flat, row...)
	}
	all := make([]float64, rsie.MatrixLen(n))
	copy(all, flat)
	eigen(all[2*n*n:], all[n*n:2*n*n], flat, make([]float64, eigenScratch(n)))
	for k := range n {
		all[2*n*n+k] = math.Sqrt(all[2*n*n+k])
	}
	l.put(l.state.Matrices, 0, all)
}

// rotated is an ellipsoid of condition 1e4 whose axes are no coordinates, optimum off the
// diagonal.
func rotated(x []float64) float64 {
	sum := 0.0
	for i := range x {
		v := 0.0
		for j := range x { // a reflection
			h := -2 * (1 + float64(i)) * (1 + float64(j)) / 55
			if i == j {
				h++
			}
			v += h * (x[j] - 0.3*float64(j) + 0.5)
		}
		sum += math.Pow(1e4, float64(i)/float64(len(x)-1)) * v * v
	}
	return sum
}

// TestCovarianceLearns checks that both full covariances find the axes of a function that no
// diagonal fits: the mean comes close, which the diagonal alone does not in the same time.
func TestCovarianceLearns(t *testing.T) {
	const dim, members = 5, 8
	reached := map[string]float64{}
	for name, set := range map[string]func(*rsie.Run){
		"full": func(r *rsie.Run) {
			r.Covariance, r.Recombine, r.Negative, r.MuEff = rsie.CodeFull, rsie.CodeTutorial, 1.7, 2.6
			r.CovRankOne, r.CovRankMu, r.CovPathRate = 0.047, 0.048, 0.45
		},
		"natural": func(r *rsie.Run) {
			r.Covariance, r.CovRankMu, r.Control = rsie.CodeExponential, 0.25, rsie.CodeNoControl
		},
		"diagonal": func(r *rsie.Run) {
			r.Recombine, r.Mu, r.WeightExponent, r.MuEff, r.Scales = rsie.CodeLogarithmic, 4, 1, 2.6, rsie.CodeSepCMA
			r.CovRankOne, r.CovRankMu, r.CovPathRate = 0.1, 0.1, 0.45
		},
	} {
		l := newLoop(t, backend(t, 1), vectorShape(dim), []int{members}, func(_ int, r *rsie.Run) {
			natural(r, 0)
			r.Scales, r.Control, r.StepGain = rsie.CodeNoScales, rsie.CodeCumulative, 1
			r.PathRate, r.PathDamping, r.Sigma = 0.365, 1.365, 0.5
			r.Flags |= rsie.FlagDecompose
			set(r)
		})
		l.fitness = func(_, _ int, x []float64) float64 { return rotated(x) }
		for i := range 250 {
			l.table[0].Generation = uint32(i + 1)
			l.do(rsie.OpSample)
			l.evaluate()
			l.do(rsie.OpRank, rsie.OpUpdate)
		}
		reached[name] = rotated(l.vector(0, rsie.VecMean))
	}
	for _, name := range []string{"full", "natural"} {
		if !(reached[name] < 1e-6 && reached[name] < 1e-3*reached["diagonal"]) {
			t.Errorf("%s covariance reaches %g, the diagonal %g", name, reached[name], reached["diagonal"])
		}
	}
}

// TestExponential checks the multiplicative update against a matrix of one pair of members, and
// that A and its inverse stay inverse.
func TestExponential(t *testing.T) {
	const n = 3
	l := newLoop(t, backend(t, 1), vectorShape(n), []int{2}, func(_ int, r *rsie.Run) {
		natural(r, 0)
		r.Scales, r.Covariance, r.Recombine, r.Mu = rsie.CodeNoScales, rsie.CodeExponential, rsie.CodeEqual, 1
		r.Sigma, r.LearningRate, r.CovRankMu = 1, 0, 0.5
	})
	l.setVector(0, rsie.VecMean, []float64{0, 0, 0})
	l.load([][]float64{{2, 0, 0}, {0, 5, 0}}, []float64{1, 2})
	l.do(rsie.OpRank, rsie.OpUpdate)
	// The gradient is diag(4, 0, 0) - I.
	m := l.matrices()
	close10(t, "A", m[:n*n], []float64{math.Exp(0.75), 0, 0, 0, math.Exp(-0.25), 0, 0, 0, math.Exp(-0.25)})
	l.load([][]float64{{1, -2, 0.5}, {0, 5, 0}}, []float64{1, 2})
	l.do(rsie.OpRank, rsie.OpUpdate)
	m = l.matrices()
	for i := range n { // rows of m are columns of A
		for k := range n {
			sum := 0.0
			for j := range n {
				sum += m[n*n+i*n+j] * m[k*n+j]
			}
			want := 0.0
			if i == k {
				want = 1
			}
			if math.Abs(sum-want) > 1e-12 {
				t.Errorf("inverse·A at %d,%d = %g", i, k, sum)
			}
		}
	}
	if math.Abs(m[1]) < 1e-3 {
		t.Error("the second step brought no correlation")
	}
}

// TestWatch checks what termination criteria read.
func TestWatch(t *testing.T) {
	l := newLoop(t, backend(t, 1), vectorShape(2), []int{4}, func(_ int, r *rsie.Run) {
		natural(r, 0)
		r.Sigma, r.LearningRate = 0.5, 0
		r.Flags |= rsie.FlagWatch
	})
	l.setVector(0, rsie.VecScale, []float64{0.1, 1})
	l.setVector(0, rsie.VecMean, []float64{0, 1})
	for _, c := range []struct{ sigma, stuck float64 }{{1, 0}, {1e-17, 1}} {
		l.setMemory(0, rsie.MemSigma, c.sigma)
		l.do(rsie.OpRank, rsie.OpUpdate)
		close10(t, "extent", []float64{l.memory(0, rsie.MemExtent) / c.sigma}, []float64{0.5})
		close10(t, "condition", []float64{l.memory(0, rsie.MemCondition)}, []float64{100})
		if got := l.memory(0, rsie.MemStuck); got != c.stuck {
			t.Errorf("step factor %g: stuck %g, want %g", c.sigma, got, c.stuck)
		}
	}
}

// correlated sets run r to one of the covariances, with everything that termination reads.
func correlated(r int, t *rsie.Run) {
	natural(t, 0.1)
	t.Covariance = []uint8{rsie.CodeFull, rsie.CodeNoCovariance, rsie.CodeExponential, rsie.CodeFull}[r]
	t.Control, t.StepGain, t.PathRate, t.PathDamping = rsie.CodeCumulative, 1, 0.3, 1.3
	t.CovPathRate, t.CovRankOne, t.CovRankMu = 0.3, 0.05, 0.05
	t.Recombine, t.Negative, t.MuEff = rsie.CodeTutorial, 1.5, 2.6
	t.Flags |= rsie.FlagDecompose | rsie.FlagWatch
	t.Seed, t.Index = uint64(90+r), uint32(r)
}

// generations samples and updates n times.
func (l *loop) generations(n int) {
	for i := range n {
		for r := range l.table {
			l.table[r].Generation = uint32(i + 1)
		}
		l.do(rsie.OpSample)
		l.evaluate()
		l.do(rsie.OpRank, rsie.OpUpdate)
	}
}

// TestCovarianceAlone checks that a run in a batch has the bits of the run alone, for any number
// of workers, and that nothing is allocated.
func TestCovarianceAlone(t *testing.T) {
	fitness := func(_, _ int, x []float64) float64 { return rotated(x) }
	together := newLoop(t, backend(t, 3), vectorShape(7), []int{9, 8, 10, 11}, correlated)
	together.fitness = fitness
	together.generations(12)
	slot := rsie.MatrixLen(7)
	for r, n := range []int{9, 8, 10, 11} {
		alone := newLoop(t, backend(t, 1), vectorShape(7), []int{n}, func(_ int, run *rsie.Run) { correlated(r, run) })
		alone.fitness = fitness
		alone.generations(12)
		for which := range rsie.VecCount {
			if !slices.Equal(alone.vector(0, which), together.vector(r, which)) {
				t.Errorf("run %d: vector %d depends on the batch", r, which)
			}
		}
		if correlates(&together.table[r]) {
			at := int(together.table[r].Slot) * slot
			if !slices.Equal(alone.matrices(), together.matrices()[at:at+slot]) {
				t.Errorf("run %d: matrices depend on the batch", r)
			}
		}
	}
	ops := []rsie.Op{rsie.OpSample, rsie.OpRank, rsie.OpUpdate}
	if n := testing.AllocsPerRun(5, func() { together.do(ops...) }); n != 0 {
		t.Errorf("%g allocations per generation", n)
	}
}

// TestSlots checks that a full covariance without matrices is refused.
func TestSlots(t *testing.T) {
	l := newLoop(t, backend(t, 1), vectorShape(3), []int{6}, func(_ int, r *rsie.Run) { correlated(0, r) })
	l.table[0].Slot = 1
	if err := l.g.Do(l.state, l.table, nil, []rsie.Op{rsie.OpSample}); !errors.Is(err, rsie.ErrShape) {
		t.Errorf("error %v, want ErrShape", err)
	}
}

// TestOpenBox checks that bounds of an open problem hold for starting points alone.
func TestOpenBox(t *testing.T) {
	shape := vectorShape(3)
	shape.Lower, shape.Upper, shape.Open = -1, 1, true
	l := newLoop(t, backend(t, 1), shape, []int{200}, func(_ int, r *rsie.Run) {
		distribution(r)
		r.Sigma, r.StartShare = 3, 0.1
	})
	for j, v := range l.vector(0, rsie.VecMean) {
		if math.Abs(v) > 0.1 || v == 0 {
			t.Errorf("mean[%d] starts at %g, want within the middle tenth", j, v)
		}
	}
	l.table[0].Generation = 1
	l.do(rsie.OpSample)
	if widest := slices.Max(l.get(l.state.Next.Points)); widest < 5 {
		t.Errorf("the largest of 600 coordinates is %g, want a wide sample", widest)
	}
}
