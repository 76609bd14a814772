package cpu

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

func readVectors(t *testing.T, file string, v any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

func vectorShape(n int) rsie.Shape {
	return rsie.Shape{Name: "vectors", Dim: n, Blocks: []rsie.Block{{Rows: 1, Cols: n, Std: 1}}}
}

func close10(t *testing.T, what string, got, want []float64) {
	t.Helper()
	for j := range want {
		if !(math.Abs(got[j]-want[j]) <= 1e-10*max(1, math.Abs(want[j]))) {
			t.Errorf("%s[%d] = %.15g, want %.15g", what, j, got[j], want[j])
		}
	}
}

func (l *loop) vector(r, which int) []float64 {
	at := (r*rsie.VecCount + which) * l.state.Stride
	return l.get(l.state.Vectors)[at:][:l.state.Shape.Dim]
}

func (l *loop) setVector(r, which int, v []float64) {
	l.put(l.state.Vectors, (r*rsie.VecCount+which)*l.state.Stride, v)
}

// load puts points and their fitness in the first rows of run 0.
func (l *loop) load(x [][]float64, fitness []float64) {
	for i, row := range x {
		l.put(l.state.Next.Points, i*l.state.Stride, row)
	}
	l.put(l.state.Next.Fitness, 0, fitness)
}

// TestAdam repeats the published steps of OpenAI-ES without weight decay, ties included.
func TestAdam(t *testing.T) {
	var file struct {
		Runs []struct {
			Name     string
			N, Pairs int
			Sigma    float64
			Rate     float64 `json:"learning_rate"`
			Decay    float64 `json:"weight_decay"`
			Start    struct{ Mean []float64 }
			Steps    []struct {
				X       [][]float64
				Fitness []float64
				After   struct{ Mean, M, V []float64 }
			}
		}
	}
	readVectors(t, "openai_es.json", &file)
	steps := 0
	for _, run := range file.Runs {
		if run.Decay != 0 {
			continue
		}
		g := backend(t, 2)
		l := newLoop(t, g, vectorShape(run.N), []int{2 * run.Pairs}, func(_ int, r *rsie.Run) {
			distribution(r)
			// The rate of the source is in units of the parameters.
			r.Sigma, r.LearningRate = run.Sigma, run.Rate/run.Sigma
		})
		l.setVector(0, rsie.VecMean, run.Start.Mean)
		for i, s := range run.Steps {
			l.table[0].Generation = uint32(i)
			l.load(s.X, s.Fitness)
			l.do(rsie.OpRank, rsie.OpUpdate)
			close10(t, run.Name+" mean", l.vector(0, rsie.VecMean), s.After.Mean)
			// The source minimises along -g.
			m := l.vector(0, rsie.VecMoment1)
			for j := range m {
				m[j] = -m[j]
			}
			close10(t, run.Name+" m", m, s.After.M)
			close10(t, run.Name+" v", l.vector(0, rsie.VecMoment2), s.After.V)
			steps++
		}
	}
	if steps < 3 {
		t.Errorf("%d steps checked, want 3 or more", steps)
	}
}

// TestNaturalGradient repeats the published steps of SNES.
func TestNaturalGradient(t *testing.T) {
	var file struct {
		Runs []struct {
			Name    string
			N, Lam  int
			EtaMean float64 `json:"eta_mean"`
			Start   struct{ Mean, Sigma []float64 }
			Steps   []struct {
				X       [][]float64
				Fitness []float64
				After   struct{ Mean, Sigma []float64 }
			}
		}
	}
	readVectors(t, "snes.json", &file)
	if len(file.Runs) == 0 {
		t.Fatal("no runs")
	}
	for _, run := range file.Runs {
		g := backend(t, 2)
		l := newLoop(t, g, vectorShape(run.N), []int{run.Lam}, func(_ int, r *rsie.Run) {
			n := float64(run.N)
			natural(r, (3+math.Log(n))/(5*math.Sqrt(n)))
			r.Sigma, r.LearningRate = 1, run.EtaMean
		})
		l.setVector(0, rsie.VecMean, run.Start.Mean)
		l.setVector(0, rsie.VecScale, run.Start.Sigma)
		for _, s := range run.Steps {
			l.load(s.X, s.Fitness)
			l.do(rsie.OpRank, rsie.OpUpdate)
			close10(t, run.Name+" mean", l.vector(0, rsie.VecMean), s.After.Mean)
			close10(t, run.Name+" sigma", l.vector(0, rsie.VecScale), s.After.Sigma)
		}
	}
}

// TestSepCMA repeats the published steps of sep-CMA-ES with cumulative step-size control: mean,
// step size, variances and both paths.
func TestSepCMA(t *testing.T) {
	type state struct {
		Mean, C    []float64
		Sigma      float64
		PSigma     []float64 `json:"p_sigma"`
		PC         []float64 `json:"p_c"`
		Generation float64
	}
	var file struct {
		Runs []struct {
			Name, Variant string
			Constants     struct {
				N, Lam, Mu                    int
				MuEff, C1, CMu, CS, Damps, CC float64
				Weights                       []float64
			}
			Start state
			Steps []struct {
				X       [][]float64
				Fitness []float64
				After   state
			}
		}
	}
	readVectors(t, "sep_cma_es.json", &file)
	checked := 0
	for _, run := range file.Runs {
		k := run.Constants
		if run.Variant != "tutorial_scaled" {
			continue // its weights ln(mu+1) - ln i are not in the space
		}
		l := newLoop(t, backend(t, 2), vectorShape(k.N), []int{k.Lam}, func(_ int, r *rsie.Run) {
			natural(r, 0)
			r.Recombine, r.Mu, r.WeightExponent, r.MuEff = rsie.CodeLogarithmic, uint32(k.Mu), 1, k.MuEff
			r.Control, r.Scales, r.StepGain = rsie.CodeCumulative, rsie.CodeSepCMA, 1
			r.PathRate, r.PathDamping, r.CovPathRate = k.CS, k.Damps, k.CC
			r.CovRankOne, r.CovRankMu, r.Sigma, r.LearningRate = k.C1, k.CMu, 1, 1
		})
		scale := make([]float64, k.N)
		for j, v := range run.Start.C {
			scale[j] = math.Sqrt(v)
		}
		l.setVector(0, rsie.VecMean, run.Start.Mean)
		l.setVector(0, rsie.VecScale, scale)
		l.setVector(0, rsie.VecStepPath, run.Start.PSigma)
		l.setVector(0, rsie.VecPath, run.Start.PC)
		l.setMemory(0, rsie.MemSigma, run.Start.Sigma)
		l.setMemory(0, rsie.MemUpdates, run.Start.Generation)
		for _, s := range run.Steps {
			l.load(s.X, s.Fitness)
			l.do(rsie.OpRank, rsie.OpUpdate)
			variance := l.vector(0, rsie.VecScale)
			for j, d := range variance {
				variance[j] = d * d
			}
			close10(t, run.Name+" mean", l.vector(0, rsie.VecMean), s.After.Mean)
			close10(t, run.Name+" C", variance, s.After.C)
			close10(t, run.Name+" p_sigma", l.vector(0, rsie.VecStepPath), s.After.PSigma)
			close10(t, run.Name+" p_c", l.vector(0, rsie.VecPath), s.After.PC)
			close10(t, run.Name+" sigma", []float64{l.memory(0, rsie.MemSigma)}, []float64{s.After.Sigma})
			checked++
		}
	}
	if checked < 6 {
		t.Errorf("%d steps checked, want 6 or more", checked)
	}
}

// TestLikelihood repeats the published steps of PGPE with centred ranks.
func TestLikelihood(t *testing.T) {
	var file struct {
		Runs []struct {
			Name, Shaping string
			N, Pairs      int
			RateMean      float64 `json:"learning_rate_mean"`
			RateSigma     float64 `json:"learning_rate_sigma"`
			Start         struct{ Mean, Sigma []float64 }
			Steps         []struct {
				X       [][]float64
				Fitness []float64
				After   struct{ Mean, Sigma []float64 }
			}
		}
	}
	readVectors(t, "pgpe.json", &file)
	checked := 0
	for _, run := range file.Runs {
		if run.Shaping != "centred ranks" {
			continue
		}
		l := newLoop(t, backend(t, 2), vectorShape(run.N), []int{2 * run.Pairs}, func(_ int, r *rsie.Run) {
			distribution(r)
			r.Update, r.Momentum, r.Scales = rsie.CodePlain, 0, rsie.CodeLikelihood
			r.Sigma, r.LearningRate, r.ScaleRate = 1, run.RateMean, run.RateSigma
		})
		l.setVector(0, rsie.VecMean, run.Start.Mean)
		l.setVector(0, rsie.VecScale, run.Start.Sigma)
		for _, s := range run.Steps {
			l.load(s.X, s.Fitness)
			l.do(rsie.OpRank, rsie.OpUpdate)
			close10(t, run.Name+" mean", l.vector(0, rsie.VecMean), s.After.Mean)
			close10(t, run.Name+" sigma", l.vector(0, rsie.VecScale), s.After.Sigma)
			checked++
		}
	}
	if checked < 6 {
		t.Errorf("%d steps checked, want 6 or more", checked)
	}
}

// plans are distribution strategies that move the mean by different rules.
var plans = map[string]func(*rsie.Run){
	"adam":    distribution,
	"natural": func(r *rsie.Run) { natural(r, 0.3) },
	"clipup": func(r *rsie.Run) {
		distribution(r)
		r.Update, r.MaxSpeed, r.Scales, r.ScaleRate = rsie.CodeClipUp, 2, rsie.CodeLikelihood, 0.1
	},
}

// TestUpdatePartly checks that members without an evaluation do not count: the result is that
// of a run of the evaluated ones alone, whatever stands in the rest, and one member moves
// nothing.
func TestUpdatePartly(t *testing.T) {
	for rule, set := range plans {
		g := backend(t, 1)
		sizes := map[int]*loop{}
		for _, n := range []int{5, 9} {
			l := newLoop(t, g, vectorShape(40), []int{n}, func(_ int, r *rsie.Run) {
				set(r)
				r.EvalTo = 5
			})
			l.evaluate()
			fitness := l.get(l.state.Next.Fitness)
			fitness[1], fitness[3] = rsie.Worst, 1e31 // above the members without an evaluation
			l.put(l.state.Next.Fitness, 0, fitness)
			if n == 9 {
				l.put(l.state.Next.Points, 7*l.state.Stride, slices.Repeat([]float64{1e9}, 40))
			}
			before := l.vector(0, rsie.VecMean)
			l.do(rsie.OpRank, rsie.OpUpdate)
			if slices.Equal(before, l.vector(0, rsie.VecMean)) {
				t.Errorf("%s, %d members: the mean does not move", rule, n)
			}
			sizes[n] = l
		}
		if a, b := sizes[5].get(sizes[5].state.Vectors), sizes[9].get(sizes[9].state.Vectors); !slices.Equal(a, b) {
			t.Errorf("%s: rows without an evaluation change the update", rule)
		}
		l := sizes[9]
		before := l.get(l.state.Vectors)
		l.table[0].EvalTo = 1
		if l.do(rsie.OpUpdate); !slices.Equal(before, l.get(l.state.Vectors)) {
			t.Errorf("%s: one member moves the distribution", rule)
		}
	}
}

// TestUpdateBounds checks that the mean stays in the box and the scales within their bounds.
func TestUpdateBounds(t *testing.T) {
	shape := vectorShape(3)
	shape.Lower, shape.Upper = -1, 1
	for rule, set := range plans {
		l := newLoop(t, backend(t, 1), shape, []int{4}, func(_ int, r *rsie.Run) {
			set(r)
			r.LearningRate, r.Sigma = 1e9, 0.01
			if r.Scales != rsie.CodeNoScales {
				r.ScaleRate = 1e6
			}
		})
		l.fitness = func(_, i int, x []float64) float64 { return float64(i) }
		l.evaluate()
		l.do(rsie.OpRank, rsie.OpUpdate)
		for j, v := range l.vector(0, rsie.VecMean) {
			if math.Abs(v) != 1 {
				t.Errorf("%s: mean[%d] = %g, want a side of the box", rule, j, v)
			}
		}
		for j, v := range l.vector(0, rsie.VecScale) {
			if !(v >= rsie.ScaleLowest && v <= rsie.ScaleHighest) {
				t.Errorf("%s: scale[%d] = %g", rule, j, v)
			}
		}
	}
}

// TestPull checks decay and the pull to the best point, and that a long step is shortened.
func TestPull(t *testing.T) {
	l := newLoop(t, backend(t, 1), vectorShape(2), []int{4}, func(_ int, r *rsie.Run) {
		natural(r, 0)
		r.Sigma, r.LearningRate, r.Recombine, r.Mu = 1, 1, rsie.CodeEqual, 1
		r.Decay, r.Pull = 0.5, 0.25
	})
	l.setVector(0, rsie.VecMean, []float64{0, 0})
	l.setVector(0, rsie.VecBest, []float64{8, 0})
	l.load([][]float64{{0, 100}, {0, 0}, {0, 0}, {0, 0}}, []float64{1, 2, 3, 4})
	l.do(rsie.OpRank, rsie.OpUpdate)
	// The best sample is shortened from 100 to √48, halved, then moved a quarter of the way.
	close10(t, "mean", l.vector(0, rsie.VecMean), []float64{2, 0.75 * 0.5 * math.Sqrt(48)})
}
