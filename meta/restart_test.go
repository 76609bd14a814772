package meta

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
)

// ripples is a function of many optima in an open box, with an own instance for every run.
type ripples struct {
	dim      int
	shift    float64
	parallel bool
}

func (p ripples) Shape() rsie.Shape {
	return rsie.Shape{Name: "ripples", Dim: p.dim, Lower: -5, Upper: 5, Open: true, Parallel: p.parallel,
		Blocks: []rsie.Block{{Rows: 1, Cols: p.dim, Std: 1}}}
}

func (p ripples) Evaluate(_ context.Context, fitness, points []float64, _ rsie.Key) error {
	for i := range fitness {
		fitness[i] = 0
		for j, x := range points[i*p.dim:][:p.dim] {
			d := x - p.shift - 0.1*float64(j)
			fitness[i] += d*d + 10*(1-math.Cos(2*math.Pi*d))
		}
	}
	return nil
}

func (p ripples) Replicate(k int) (rsie.Problem, error) {
	p.shift = 0.5 * float64(k)
	return p, nil
}

func restarting(t *testing.T, name string) rsie.Strategy {
	s, err := rsie.Baseline(name)
	require.NoError(t, err)
	return s
}

// IPOP doubles the population at every start; BIPOP alternates so that both kinds of start have
// cost about the same, and small starts have smaller populations and steps.
func TestRestartSizes(t *testing.T) {
	for _, name := range []string{"ipop-cma-es", "bipop-cma-es"} {
		batch, err := NewBatch(gonum(t, 1), ripples{dim: 4}, []RunSpec{{Strategy: restarting(t, name), Key: rsie.NewKey(3), Budget: 40_000}})
		require.NoError(t, err)
		defer batch.Close()
		e := &batch.runs[0]
		var sizes []int
		small := 0
		for !batch.Done() {
			number := e.starts.number
			require.NoError(t, batch.Step(t.Context()))
			if e.starts.number > number {
				sizes = append(sizes, e.size(0))
				if name == "bipop-cma-es" && !e.starts.large {
					small++
					require.Less(t, e.starts.step, 1.0)
					require.LessOrEqual(t, e.size(0), 8<<e.starts.doublings)
					require.Positive(t, e.starts.longest)
				}
			}
		}
		require.GreaterOrEqual(t, len(sizes), 3, name)
		if name == "ipop-cma-es" {
			for i, n := range sizes {
				require.Equal(t, 16<<i, n, "start %d", i+1)
			}
			continue
		}
		require.Positive(t, small)
		require.Equal(t, 16, sizes[0], "the first start counts as small, so the second is large")
		ratio := float64(e.starts.spent[0]) / float64(e.starts.spent[1])
		require.InDelta(t, 1, ratio, 0.6, "evaluations of small and large starts")
	}
}

// Every criterion ends a start on its own.
func TestTermination(t *testing.T) {
	fresh := func() *runEntry {
		e := newEntry(RunSpec{Strategy: restarting(t, "ipop-cma-es"), Key: rsie.NewKey(1), Budget: 10_000},
			ripples{dim: 5}.Shape(), 0, 0)
		return &e
	}
	memory := make([]float64, rsie.MemCount)
	healthy := func() []float64 {
		clear(memory)
		memory[rsie.MemExtent], memory[rsie.MemCondition] = 1, 10
		return memory
	}
	better := func(g int) []float64 { return []float64{100 - float64(g), 102 - float64(g), 103, 104} }
	for name, c := range map[string]struct {
		generations int // at which it ends, 0 for never within 150
		fitness     func(g int) []float64
		memory      func(m []float64)
	}{
		"improving": {0, better, func([]float64) {}},
		"flat":      {2, func(int) []float64 { return []float64{5, 5, 5, 5, 5, 5, 5, 9} }, func([]float64) {}},
		"narrow":    {1, func(int) []float64 { return []float64{5, 5 + 1e-13, 5 + 2e-13, 5 + 3e-13} }, func([]float64) {}},
		"history":   {10, func(g int) []float64 { return []float64{5, 6, 7, 8} }, func([]float64) {}},
		"extent":    {1, better, func(m []float64) { m[rsie.MemExtent] = 1e-12 }},
		"condition": {1, better, func(m []float64) { m[rsie.MemCondition] = 2e14 }},
		"stuck":     {1, better, func(m []float64) { m[rsie.MemStuck] = 1 }},
		// A window of 120 + 30·5/4 generations of noise around one value.
		"stagnation": {160, func(g int) []float64 {
			v := 50 + math.Abs(math.Mod(float64(g), 7)-3)
			return []float64{v, v + 1, v + 2, v + 3}
		}, func([]float64) {}},
	} {
		e, m := fresh(), healthy()
		c.memory(m)
		ended := 0
		for g := 1; g <= 170 && ended == 0; g++ {
			if c.generations == 0 && g > 150 {
				break
			}
			e.judge(c.fitness(g), make([]float64, 8), m)
			if e.starts.ended {
				ended = g
			}
		}
		require.Equal(t, c.generations, ended, name)
	}
	e := fresh()
	e.since = 5000
	require.True(t, e.tooLong())
	e.since = 3000
	require.False(t, e.tooLong())
	e.starts.longest = 2000
	require.True(t, e.tooLong())
}

// A saved batch of restarting strategies continues bit for bit from any generation, in the
// middle of a start too; and runs shared by goroutines give the bits of one goroutine.
func TestRestartsResumeAndShare(t *testing.T) {
	var specs []RunSpec
	for i, name := range []string{"ipop-cma-es", "bipop-cma-es", "cma-es", "xnes"} {
		own, err := ripples{dim: 3}.Replicate(i)
		require.NoError(t, err)
		specs = append(specs, RunSpec{Strategy: restarting(t, name), Key: rsie.NewKey(uint64(i)), Budget: 6000, Problem: own})
	}
	run := func(parallel bool, saveAt int) ([]Curve, []int) {
		whole, err := NewBatch(gonum(t, 2), ripples{dim: 3, parallel: parallel}, specs)
		require.NoError(t, err)
		defer whole.Close()
		for range saveAt {
			require.NoError(t, whole.Step(t.Context()))
		}
		if saveAt > 0 {
			saved, err := whole.Save()
			require.NoError(t, err)
			again, err := NewBatch(gonum(t, 1), ripples{dim: 3}, specs)
			require.NoError(t, err)
			defer again.Close()
			require.NoError(t, again.Restore(saved))
			require.ErrorIs(t, again.Restore(saved[:40]), rsie.ErrShape)
			require.NoError(t, again.Restore(saved))
			whole = again
		}
		require.NoError(t, whole.Run(t.Context()))
		var curves []Curve
		var starts []int
		for r := range specs {
			curves = append(curves, whole.Curve(r))
			starts = append(starts, whole.runs[r].starts.number)
		}
		return curves, starts
	}
	want, starts := run(false, 0)
	require.Greater(t, starts[0], 1)
	require.Greater(t, starts[1], 1)
	got, _ := run(true, 0)
	require.Equal(t, want, got, "goroutines")
	for _, at := range []int{1, 57, 300} {
		got, again := run(false, at)
		require.Equal(t, want, got, "saved after %d generations", at)
		require.Equal(t, starts, again)
	}
	require.NotEqual(t, want[0].Points[0], want[1].Points[0])
}

// Every run of a replicated problem has its own instance, whatever else is measured.
func TestReplicates(t *testing.T) {
	judge := Judge{Backend: gonum(t, 1), Problem: ripples{dim: 3, parallel: true}, Task: "r", Budget: 4000, Runs: 3, Points: true}
	got, err := judge.Measure(t.Context(), []rsie.Strategy{restarting(t, "ipop-cma-es")}, rsie.NewKey(1))
	require.NoError(t, err)
	for k, o := range got[0] {
		require.InDelta(t, 0.5*float64(k), o.Best[0]-math.Round(o.Best[0]-0.5*float64(k)), 0.05, "replicate %d", k) // local optima lie near whole steps
		require.Less(t, o.Curve.Final(), 10.0)
	}
}

// The mean quality counts every evaluation once.
func TestCurveMean(t *testing.T) {
	a := rsie.Anchors{F0: 100, Floor: 1e-8}
	c := Curve{Budget: 10, Points: []Point{{1, 1000}, {3, 1}, {9, 1e-9}}}
	require.InDelta(t, (2*0+6*0.2+2*1)/10.0, c.Mean(a), 1e-12)
	require.Equal(t, 1e-3, math.Round(a.Target(0.5)*1e9)/1e9)
}

// Above MaxFullDim the diagonal alone is learned, without matrices.
func TestLargeDimensionsLearnTheDiagonal(t *testing.T) {
	for name, scales := range map[string]uint8{"cma-es": rsie.CodeSepCMA, "xnes": rsie.CodeNatural} {
		for dim, full := range map[int]bool{rsie.MaxFullDim: true, rsie.MaxFullDim + 1: false} {
			batch, err := NewBatch(gonum(t, 1), ellipsoid{dim, nil}, []RunSpec{{Strategy: restarting(t, name), Key: rsie.NewKey(1), Budget: 40}})
			require.NoError(t, err)
			defer batch.Close()
			require.NoError(t, batch.Run(t.Context()))
			require.Equal(t, full, batch.table[0].Covariance >= rsie.CodeFull, name)
			require.Equal(t, full, batch.state.Matrices != nil, name)
			if !full {
				require.Equal(t, scales, batch.table[0].Scales)
			}
		}
	}
}

// The negative tutorial weights have the published sums.
func TestTutorialWeights(t *testing.T) {
	for _, c := range []struct {
		dim, lambda               int
		muEff, negative, c1, last float64
	}{
		{5, 8, 2.6001788261131793, 1.988158029708425, 0.047292304159400896, -0.8111493520260594},
		{2, 50, 13.951320940285164, 0.06098575066097107, 0.08051101649576937, -0.0043192970801008606},
	} {
		s := restarting(t, "cma-es")
		s.PopulationRule, s.PopulationSize = rsie.BySize, c.lambda
		e := newEntry(RunSpec{Strategy: s, Key: rsie.NewKey(1), Budget: 1000}, ellipsoid{c.dim, nil}.Shape(), 0, 0)
		table := e.template()
		e.fill(&table, false)
		require.InDelta(t, c.muEff, table.MuEff, 1e-12)
		require.InDelta(t, c.c1, table.CovRankOne, 1e-15)
		require.InDelta(t, c.negative, table.Negative, 1e-12)
		w := make([]float64, c.lambda)
		rsie.Weights(w, &table, 1)
		require.InDelta(t, c.last, w[c.lambda-1], 1e-14)
	}
}
