package meta

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/store"
	"github.com/symbio-ai/recursive-improvement/task"
)

// tinyTasks are two training tasks and one for validation. Their anchors hold for more evaluations
// than tests spend, so engines measure their own.
func tinyTasks(t *testing.T) []*task.Task {
	suite, err := task.Embedded("standard")
	require.NoError(t, err)
	tasks, err := suite.Select([]string{"iris", "sines", "penguins"})
	require.NoError(t, err)
	return tasks
}

func tinyConfig(b rsie.Backend, seed uint64) Config {
	return Config{MetaPopulationSize: 8, MetaGenerations: 4, BaseTaskBudget: 100, RunsPerTask: 2,
		FinalRuns: 3, Seed: seed, Backend: b}
}

func learned(t *testing.T, e *Engine) []byte {
	var b bytes.Buffer
	require.NoError(t, e.ExportLearnedStrategies(&b))
	return b.Bytes()
}

// The same seed gives the same bytes for any number of workers, with a store or without, and
// after an interruption at each generation; another seed gives others.
func TestSameSeedSameBytes(t *testing.T) {
	ctx := context.Background()
	tasks := tinyTasks(t)
	train := func(workers int, seed uint64, st *store.Store) ([]byte, string) {
		c := tinyConfig(gonum(t, workers), seed)
		c.Store = st
		e, err := NewEngine(c)
		require.NoError(t, err)
		r, err := e.MetaTrain(ctx, tasks, nil)
		require.NoError(t, err)
		return learned(t, e), r.Digest
	}
	want, digest := train(1, 7, nil)
	for _, workers := range []int{7} {
		got, d := train(workers, 7, nil)
		require.Equal(t, digest, d)
		require.Equal(t, string(want), string(got))
	}
	other, otherDigest := train(2, 8, nil)
	require.NotEqual(t, digest, otherDigest)
	require.NotEqual(t, string(want), string(other))
	for _, stop := range []int{0, 2} {
		got, d := interrupted(t, tasks, stop)
		require.Equal(t, digest, d, "stopped after generation %d", stop)
		require.Equal(t, string(want), string(got))
	}
}

// interrupted runs until generation `stop` is stored, then continues from the folder with a new
// engine.
func interrupted(t *testing.T, tasks []*task.Task, stop int) ([]byte, string) {
	dir := filepath.Join(t.TempDir(), "run")
	st, err := store.Create(dir, []byte("{}"))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	c := tinyConfig(gonum(t, 2), 7)
	c.Store = st
	c.Progress = func(g Generation) {
		if g.Number == stop {
			cancel()
		}
	}
	e, err := NewEngine(c)
	require.NoError(t, err)
	_, err = e.MetaTrain(ctx, tasks, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, st.Close())

	st, err = store.Open(dir)
	require.NoError(t, err)
	defer st.Close()
	c.Store, c.Progress = st, nil
	e, err = NewEngine(c)
	require.NoError(t, err)
	r, err := e.MetaTrain(context.Background(), tasks, nil)
	require.NoError(t, err)
	return learned(t, e), r.Digest
}

// Loading the first universal strategy back gives the same strategy, and the file has the
// published names.
func TestExportRoundTrip(t *testing.T) {
	e, err := NewEngine(tinyConfig(gonum(t, 2), 3))
	require.NoError(t, err)
	require.ErrorIs(t, e.ExportLearnedStrategies(&bytes.Buffer{}), rsie.ErrNotFound)
	_, found := e.UniversalBestStrategy()
	require.False(t, found)
	_, err = e.MetaTrain(context.Background(), tinyTasks(t), nil)
	require.NoError(t, err)
	var doc map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(learned(t, e), &doc))
	var top []rsie.Strategy
	require.NoError(t, json.Unmarshal(doc["top_universal_strategies"], &top))
	best, found := e.UniversalBestStrategy()
	require.True(t, found)
	require.Equal(t, best, top[0])
	require.NotNil(t, top[0].FitnessScore)
	require.Len(t, top[0].TaskPerformances, 3)
	specialist, found := e.BestStrategyForTask("iris")
	require.True(t, found)
	require.NoError(t, specialist.Validate())
	_, found = e.BestStrategyForTask("penguins")
	require.False(t, found, "a validation task teaches no specialist")
}

// Children of the operators differ from their parents and hold their genes.
func TestStrategyOperators(t *testing.T) {
	e, err := NewEngine(tinyConfig(gonum(t, 1), 3))
	require.NoError(t, err)
	first := e.InitializeMetaPopulation()
	require.Len(t, first, 8)
	require.Equal(t, "default", first[0].GenomeID)
	a, b := first[0], first[1]
	for range 20 {
		child, err := e.CrossoverStrategies(a, b)
		require.NoError(t, err)
		require.NoError(t, child.Validate())
		for _, g := range rsie.StrategySpace {
			if !g.IsActive(&child) || !g.IsActive(&a) || !g.IsActive(&b) || g.Get(&a) < g.Min || g.Get(&b) < g.Min {
				continue
			}
			require.Contains(t, []string{g.Format(&a), g.Format(&b)}, g.Format(&child), g.Name)
		}
		mutant, err := e.MutateStrategy(a)
		require.NoError(t, err)
		require.NotEqual(t, a.Digest(), mutant.Digest())
	}
}

func TestEngineRefusesBadSettings(t *testing.T) {
	b := gonum(t, 1)
	for says, c := range map[string]Config{
		"meta-population is 1":   {MetaPopulationSize: 1, Backend: b},
		"base-budget is 3":       {BaseTaskBudget: 3, Backend: b},
		"runs-per-task is -1":    {RunsPerTask: -1, Backend: b},
		"needs a backend":        {},
		"weight -1":              {Backend: b, Objectives: rsie.Objectives{FinalFitness: -1}},
		"meta-generations is -5": {MetaGenerations: -5, Backend: b},
	} {
		_, err := NewEngine(c)
		require.ErrorIs(t, err, rsie.ErrInvalid)
		require.ErrorContains(t, err, says)
	}
	e, err := NewEngine(tinyConfig(b, 1))
	require.NoError(t, err)
	_, err = e.MetaTrain(context.Background(), nil, nil)
	require.ErrorContains(t, err, "split training")
}

// The defaults are the published ones.
func TestDefaults(t *testing.T) {
	e, err := NewEngine(Config{Backend: gonum(t, 1)})
	require.NoError(t, err)
	require.Equal(t, 20, e.config.MetaPopulationSize)
	require.Equal(t, 30, e.config.MetaGenerations)
	require.Equal(t, 100, e.config.BaseTaskBudget)
	require.Equal(t, rsie.DefaultObjectives(), e.config.Objectives)
}

// Keys of a task depend on its name alone: measuring it beside others changes nothing.
func TestScoresDoNotDependOnNeighbours(t *testing.T) {
	tasks := tinyTasks(t)
	e, err := NewEngine(tinyConfig(gonum(t, 2), 5))
	require.NoError(t, err)
	s, err := rsie.Baseline("snes")
	require.NoError(t, err)
	both, err := e.EvaluateStrategy(context.Background(), s, tasks[:2])
	require.NoError(t, err)
	first, err := e.EvaluateStrategy(context.Background(), s, tasks[:1])
	require.NoError(t, err)
	second, err := e.EvaluateStrategy(context.Background(), s, tasks[1:2])
	require.NoError(t, err)
	require.InDelta(t, (first.FinalFitness+second.FinalFitness)/2, both.FinalFitness, 1e-15)
	require.InDelta(t, (first.SampleEfficiency+second.SampleEfficiency)/2, both.SampleEfficiency, 1e-15)
	score := e.CalculateMetaFitness(both)
	require.InDelta(t, both.MetaFitness(rsie.DefaultObjectives()), score, 1e-15)
}

// Anchors of a task's file are used for runs of the budget they hold for; else the engine
// measures its own, at its budget, and keeps them in the run.
func TestAnchorsHoldForTheBudget(t *testing.T) {
	ctx := context.Background()
	iris := *tinyTasks(t)[0]
	dir := filepath.Join(t.TempDir(), "run")
	st, err := store.Create(dir, []byte("{}"))
	require.NoError(t, err)
	defer st.Close()
	c := tinyConfig(gonum(t, 2), 7)
	c.Store = st
	e, err := NewEngine(c)
	require.NoError(t, err)
	get := func() target {
		t.Helper()
		out, err := e.targets(ctx, []*task.Task{&iris}, nil)
		require.NoError(t, err)
		return out[0]
	}
	of := *iris.Anchors
	measured := get().anchors
	want, err := AnchorMeter{Backend: c.Backend, Budget: c.BaseTaskBudget, Runs: anchorRuns}.Measure(ctx,
		iris.Name, iris.Problem, e.key.Child(keyAnchors))
	require.NoError(t, err)
	require.Equal(t, want.Anchors, measured, "anchors of 10,000 evaluations do not hold for 100")
	require.Greater(t, measured.F0, of.F0)
	iris.Budget, iris.Anchors = c.BaseTaskBudget, &rsie.Anchors{F0: 3, F1: 1}
	require.Equal(t, measured, get().anchors, "a run keeps its anchors when the file gets some")
	e.config.Store = nil
	require.Equal(t, rsie.Anchors{F0: 3, F1: 1}, get().anchors)
}
