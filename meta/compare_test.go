package meta

import (
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/task"
)

func TestExpectedTimeCensorsFailures(t *testing.T) {
	var each [3]ComparisonRun
	each[0].Reach[4], each[2].Reach[4] = 100, 300 // the second run fails with its whole budget
	got, err := expectedTime(each[:], 4, 1000)
	require.NoError(t, err)
	require.Equal(t, 0.5, got.Quality)
	require.Equal(t, 2, got.Reached)
	require.Equal(t, 700.0, *got.Evaluations) // (100 + 1000 + 300) / 2
	got, err = expectedTime(each[:], 5, 1000)
	require.NoError(t, err)
	require.Nil(t, got.Evaluations)
	require.Zero(t, got.Reached)
}

// TestRowsAreTestedAgainstTheFirst: 8 pairs that all favour one side have the exact two-sided
// p-value 2/2^8, and Holm doubles it among two strategies.
func TestRowsAreTestedAgainstTheFirst(t *testing.T) {
	base := []float64{0.10, 0.52, 0.33, 0.41, 0.27, 0.66, 0.58, 0.09}
	above, below := make([]float64, len(base)), make([]float64, len(base))
	for i, v := range base {
		above[i] = v + 0.01*float64(i+1)
		below[i] = v - 0.01*float64(i+1)
	}
	all := [][]float64{base, above, base, below}
	rows := make([]ComparisonRow, len(all))
	require.NoError(t, testRows(rows, func(i int) (quality, area []float64) { return all[i], all[len(all)-1-i] }))
	require.Nil(t, rows[0].Quality.Versus)
	for i, want := range []Versus{
		{P: 2.0 / 256, Holm: 6.0 / 256, Wins: 8, Verdict: "better", above: true},
		{P: 1, Holm: 1, Verdict: "not significant"},
		{P: 2.0 / 256, Holm: 6.0 / 256, Losses: 8, Verdict: "worse"},
	} {
		got := *rows[i+1].Quality.Versus
		if i == 1 {
			require.Equal(t, 0.5, got.A12)
		}
		got.A12 = 0
		got.above = want.above // of equal values neither side is above
		require.Equal(t, want, got, "strategy %d", i+1)
	}
	// Area is tested on its own: there the reference is the worst of all.
	require.Equal(t, "better", rows[1].Area.Versus.Verdict)
	require.Equal(t, "better", rows[3].Area.Versus.Verdict)
}

// TestOverTasksDrawsTasks: when all seeds of a task agree, the interval comes from drawing tasks:
// of two tasks both draws are the lower one with probability 1/4.
func TestOverTasksDrawsTasks(t *testing.T) {
	x := [][]float64{{0.2, 0.2, 0.2, 0.2}, {0.6, 0.6, 0.6, 0.6}}
	got := overTasks(x, rsie.NewKey(3))
	require.InDelta(t, 0.4, got.IQM, 1e-15)
	require.InDeltaSlice(t, []float64{0.2, 0.6}, got.Interval[:], 1e-15)
	// And when all tasks agree, from drawing seeds.
	got = overTasks([][]float64{{0, 0, 1, 1}, {0, 0, 1, 1}}, rsie.NewKey(3))
	require.InDelta(t, 0.5, got.IQM, 1e-15)
	require.Less(t, got.Interval[0], 0.3)
	require.Greater(t, got.Interval[1], 0.7)
	require.Equal(t, got, overTasks([][]float64{{0, 0, 1, 1}, {0, 0, 1, 1}}, rsie.NewKey(3)))
}

func TestBySeedMeansOverTasks(t *testing.T) {
	require.Equal(t, []float64{2, 3}, bySeed([][]float64{{1, 2}, {3, 4}}))
}

func TestCompareRefuses(t *testing.T) {
	a, b := rsie.DefaultStrategy(), rsie.DefaultStrategy()
	a.GenomeID, b.GenomeID = "a", "a"
	for want, c := range map[string]struct {
		all          []rsie.Strategy
		runs, budget int
	}{
		"two strategies are named":     {[]rsie.Strategy{a, b}, 2, 10},
		"runs is 1":                    {[]rsie.Strategy{a}, 1, 10},
		"budget of task x is 9":        {[]rsie.Strategy{a}, 2, 9},
		"comparison of 0 strategies":   {nil, 2, 10},
		"runs is 10001, allowed is 2 ": {[]rsie.Strategy{a}, 10_001, 10},
	} {
		_, err := Compare(t.Context(), nil, []*task.Task{{Name: "x"}}, c.all, c.runs, c.budget, rsie.NewKey(1))
		require.ErrorIs(t, err, rsie.ErrInvalid)
		require.ErrorContains(t, err, want)
	}
}
