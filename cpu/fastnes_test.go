package cpu

import (
	"math"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// TestFastNES repeats steps of CR-FM-NES by its authors' package and by another library, made by
// bench/peers/cr_fm_nes.py; the second drops the negative weights where samples are near.
func TestFastNES(t *testing.T) {
	type numbers struct {
		Mean, V []float64
		Std     float64
		Path    []float64 `json:"p_std"`
		Cov     []float64 `json:"p_c"`
		Scale   []float64 `json:"D"`
	}
	var file struct {
		Runs []struct {
			D, N     int
			Negative float64
			Rates    struct {
				MuEff float64 `json:"mu_eff"`
				CStd  float64 `json:"c_std"`
				CC    float64 `json:"c_c"`
				C1    float64 `json:"c1"`
				B     float64 `json:"lr_B"`
				Alpha float64
				Stag  float64
				Conv  float64
			}
			Steps []struct {
				Before, After numbers
				X             [][]float64
				Fitness       []float64
			}
		}
	}
	readVectors(t, "cr_fm_nes.json", &file)
	steps := 0
	for _, run := range file.Runs {
		l := newLoop(t, backend(t, 2), vectorShape(run.D), []int{run.N}, func(_ int, r *rsie.Run) {
			distribution(r)
			v := run.Rates
			r.Scales, r.Recombine, r.Sigma, r.LearningRate = rsie.CodeFastNES, rsie.CodeUtility, 0.7, 1
			r.MuEff, r.PathRate, r.CovPathRate, r.CovRankOne = v.MuEff, v.CStd, v.CC, v.C1
			r.Temperature, r.StepGain, r.PathDamping, r.ScaleRate = v.Alpha, v.Stag, v.Conv, v.B
			r.Negative = run.Negative
		})
		for _, s := range run.Steps {
			b := s.Before
			l.setVector(0, rsie.VecMean, b.Mean)
			l.setVector(0, rsie.VecDirection, b.V)
			l.setVector(0, rsie.VecStepPath, b.Path)
			l.setVector(0, rsie.VecPath, b.Cov)
			l.setVector(0, rsie.VecScale, b.Scale)
			l.setMemory(0, rsie.MemSigma, b.Std/0.7)
			l.load(s.X, s.Fitness)
			l.do(rsie.OpRank, rsie.OpMeasure, rsie.OpUpdate)
			a := s.After
			close10(t, "mean", l.vector(0, rsie.VecMean), a.Mean)
			close10(t, "v", l.vector(0, rsie.VecDirection), a.V)
			close10(t, "step path", l.vector(0, rsie.VecStepPath), a.Path)
			close10(t, "path", l.vector(0, rsie.VecPath), a.Cov)
			close10(t, "scale", l.vector(0, rsie.VecScale), a.Scale)
			close10(t, "sigma", []float64{0.7 * l.memory(0, rsie.MemSigma)}, []float64{a.Std})
			steps++
		}
	}
	if steps != 24 {
		t.Errorf("%d steps, want 24", steps)
	}
}

// TestElongate checks the covariance of samples along the direction and across it.
func TestElongate(t *testing.T) {
	const n, dim = 4000, 5
	l := newLoop(t, backend(t, 2), vectorShape(dim), []int{n}, func(_ int, r *rsie.Run) {
		distribution(r)
		r.Scales, r.Recombine, r.Sigma = rsie.CodeFastNES, rsie.CodeUtility, 1
	})
	l.setVector(0, rsie.VecMean, make([]float64, dim))
	l.setVector(0, rsie.VecDirection, []float64{2, 0, 0, 0, 0})
	l.do(rsie.OpSample)
	points := l.get(l.state.Next.Points)
	for j, want := range []float64{5, 1, 1, 1, 1} {
		sum := 0.
		for i := range n {
			x := l.point(points, 0, i)[j]
			sum += x * x
		}
		if got := sum / n; math.Abs(got-want) > 5*want*math.Sqrt(2./n) {
			t.Errorf("variance of coordinate %d is %g, want %g", j, got, want)
		}
	}
}
