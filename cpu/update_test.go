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
			r.Sigma, r.LearningRate = run.Sigma, run.Rate
		})
		l.setVector(0, rsie.VecMean, run.Start.Mean)
		for i, s := range run.Steps {
			l.table[0].Generation = uint32(i)
			l.load(s.X, s.Fitness)
			l.do(rsie.OpRank, rsie.OpUpdate)
			close10(t, run.Name+" mean", l.vector(0, rsie.VecMean), s.After.Mean)
			close10(t, run.Name+" m", l.vector(0, rsie.VecMoment1), s.After.M)
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
			r.Family, r.Update = rsie.CodeDistribution, rsie.CodeNaturalGradient
			r.LearningRate = run.EtaMean
		})
		l.setVector(0, rsie.VecMean, run.Start.Mean)
		l.setVector(0, rsie.VecStd, run.Start.Sigma)
		for i, s := range run.Steps {
			l.table[0].Generation = uint32(i)
			l.load(s.X, s.Fitness)
			l.do(rsie.OpRank, rsie.OpUpdate)
			close10(t, run.Name+" mean", l.vector(0, rsie.VecMean), s.After.Mean)
			close10(t, run.Name+" sigma", l.vector(0, rsie.VecStd), s.After.Sigma)
		}
	}
}

// TestUpdatePartly checks that members without an evaluation do not count: the result is that
// of a run of the evaluated ones alone, whatever stands in the rest, and one member moves
// nothing.
func TestUpdatePartly(t *testing.T) {
	for _, rule := range []uint8{rsie.CodeAdam, rsie.CodeNaturalGradient} {
		g := backend(t, 1)
		sizes := map[int]*loop{}
		for _, n := range []int{5, 9} {
			l := newLoop(t, g, vectorShape(40), []int{n}, func(_ int, r *rsie.Run) {
				r.Family, r.Update, r.EvalTo = rsie.CodeDistribution, rule, 5
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
				t.Errorf("rule %d, %d members: the mean does not move", rule, n)
			}
			sizes[n] = l
		}
		if a, b := sizes[5].get(sizes[5].state.Vectors), sizes[9].get(sizes[9].state.Vectors); !slices.Equal(a, b) {
			t.Errorf("rule %d: rows without an evaluation change the update", rule)
		}
		l := sizes[9]
		before := l.get(l.state.Vectors)
		l.table[0].EvalTo = 1
		if l.do(rsie.OpUpdate); !slices.Equal(before, l.get(l.state.Vectors)) {
			t.Errorf("rule %d: one member moves the distribution", rule)
		}
	}
}

// TestUpdateBounds checks that the mean stays in the box and the deviation above its bound.
func TestUpdateBounds(t *testing.T) {
	g := backend(t, 1)
	shape := vectorShape(3)
	shape.Lower, shape.Upper = -1, 1
	l := newLoop(t, g, shape, []int{4, 4}, func(r int, run *rsie.Run) {
		run.Family, run.Update = rsie.CodeDistribution, uint8(1+r)
		run.LearningRate, run.StdLearningRate, run.Sigma = 1e6, 1e6, 0.01
	})
	l.fitness = func(_, i int, x []float64) float64 { return float64(i) }
	l.evaluate()
	l.do(rsie.OpRank, rsie.OpUpdate)
	for r := range 2 {
		for j, v := range l.vector(r, rsie.VecMean) {
			if math.Abs(v) != 1 {
				t.Errorf("run %d: mean[%d] = %g, want a side of the box", r, j, v)
			}
		}
	}
	for j, v := range l.vector(1, rsie.VecStd) {
		if !(v >= stdLowest && v <= stdHighest) || v == 0.01 {
			t.Errorf("std[%d] = %g", j, v)
		}
	}
}
