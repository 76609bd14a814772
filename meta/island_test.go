package meta

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// TestSearchesKeepToTheirIsland expects each of two searches to measure one family alone, and
// finalists of both.
func TestSearchesKeepToTheirIsland(t *testing.T) {
	c := tinyConfig(gonum(t, 2), 0)
	c.MetaPopulationSize, c.Candidates, c.Restarts, c.RunsPerTask, c.FinalRuns, c.BaseTaskBudget = 6, 12, 2, 1, 2, 60
	e, err := NewEngine(c)
	require.NoError(t, err)
	result, err := e.MetaTrain(context.Background(), tinyTasks(t), nil)
	require.NoError(t, err)
	born := map[rsie.Family]map[int]bool{}
	for _, r := range e.archive.order {
		f := r.strategy.Family
		if born[f] == nil {
			born[f] = map[int]bool{}
		}
		born[f][r.born] = true
	}
	require.Len(t, born, 2)
	require.Equal(t, map[int]bool{0: true, 1: true}, born[rsie.Distribution])
	require.Equal(t, map[int]bool{2: true, 3: true}, born[rsie.Population])
	finalists := map[rsie.Family]int{}
	for _, s := range result.Universal {
		finalists[s.Family]++
	}
	require.Equal(t, map[rsie.Family]int{rsie.Distribution: 3, rsie.Population: 3}, finalists)
}
