package meta

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/store"
)

// sized is a modelled problem whose evaluation costs in proportion to its rows.
type sized struct {
	ellipsoid
	rows int
}

func (p sized) Model() *rsie.Model {
	return &rsie.Model{Network: rsie.Dense, Layers: []int{1, 2, 1}, Activation: []rsie.Activation{rsie.Tanh}, Loss: rsie.MeanSquared}
}

func (p sized) Rows(part rsie.Part) *rsie.Rows { return &rsie.Rows{S: p.rows} }

func TestCheapest(t *testing.T) {
	var all []target
	for name, rows := range map[string]int{"d": 60, "b": 20, "a": 10, "c": 10} {
		all = append(all, target{name: name, problem: sized{ellipsoid{dim: 2}, rows}, budget: 10})
	}
	names := func(t []target) (out string) {
		for _, x := range t {
			out += x.name
		}
		return out
	}
	for _, c := range []struct {
		share float64
		least int
		want  int
	}{{0.2, 1, 2}, {0.39, 1, 2}, {0.41, 1, 3}, {0.1, 3, 3}, {1, 1, 4}, {0.05, 9, 4}} {
		cheap, rest := cheapest(all, c.share, c.least)
		require.Len(t, cheap, c.want, "%+v", c)
		require.Len(t, rest, 4-c.want)
		require.ElementsMatch(t, []byte("abcd"), []byte(names(cheap)+names(rest)))
	}
	cheap, _ := cheapest(all, 0.41, 1)
	require.Equal(t, byte('b'), names(cheap)[2], "the third by cost")
}

// measuredOf returns a strategy that reached the given final qualities in as many runs.
func measuredOf(size int, quality ...float64) measured {
	s := rsie.DefaultStrategy()
	s.PopulationSize = size
	m := measured{strategy: s, tasks: map[string]rsie.Metrics{}}
	for _, q := range quality {
		m.terms = append(m.terms, rsie.Metrics{FinalFitness: q})
		m.score += 0.4 * q / float64(len(quality))
	}
	return m
}

// A strategy that is behind on every run is dropped, one that is behind on average by a single
// run stays, and the survivors always stay.
func TestDrop(t *testing.T) {
	e, err := NewEngine(tinyConfig(gonum(t, 1), 1))
	require.NoError(t, err)
	strong := []float64{0.9, 0.8, 0.95, 0.85, 0.9, 0.8, 0.7, 0.9}
	weak, mixed := make([]float64, 8), make([]float64, 8)
	for i, q := range strong {
		weak[i], mixed[i] = q-0.1-0.01*float64(i), q+0.01
	}
	mixed[7] = 0.1
	all := []measured{measuredOf(10, weak...), measuredOf(11, strong...), measuredOf(12, strong...), measuredOf(13, mixed...)}
	require.NoError(t, e.drop(all))
	require.True(t, all[0].dropped)
	for i := 1; i < 4; i++ {
		require.False(t, all[i].dropped, "strategy %d", i)
	}
}

// A dropped strategy is estimated by what the others gain on the rest of the tasks.
func TestJoin(t *testing.T) {
	e, err := NewEngine(tinyConfig(gonum(t, 1), 1))
	require.NoError(t, err)
	targets := []target{{name: "cheap"}, {name: "dear"}}
	first := []measured{
		{score: 0.5, tasks: map[string]rsie.Metrics{"cheap": {FinalFitness: 1}}, terms: make([]rsie.Metrics, 1)},
		{score: 0.2, dropped: true},
	}
	second := []measured{{tasks: map[string]rsie.Metrics{"dear": {FinalFitness: 0.5}}, terms: make([]rsie.Metrics, 2)}}
	got := e.join(targets, first, second)
	require.InDelta(t, 0.4*0.75, got[0].score, 1e-12)
	require.Len(t, got[0].terms, 3)
	require.InDelta(t, 0.2+0.4*0.75-0.5, got[1].score, 1e-12)
}

// The bound takes every measurement; without evidence the last one alone counts.
func TestBound(t *testing.T) {
	c := tinyConfig(gonum(t, 1), 1)
	e, err := NewEngine(c)
	require.NoError(t, err)
	m := measuredOf(10, 0.5)
	require.InDelta(t, m.score-0.05, e.bound(&m), 1e-12)
	e.archive.at(m.strategy, 0).note(measured{score: 0.4})
	require.InDelta(t, (m.score+0.4)/2-0.05/1.4142135623730951, e.bound(&m), 1e-12)
	c.Without.Evidence = true
	e, err = NewEngine(c)
	require.NoError(t, err)
	require.Equal(t, m.score, e.bound(&m))
}

func TestSegments(t *testing.T) {
	c := tinyConfig(gonum(t, 1), 1)
	c.MetaGenerations, c.Restarts, c.MetaBudget = 8, 3, 1000
	e, err := NewEngine(c)
	require.NoError(t, err)
	require.Equal(t, segment{0, 0, 3, 300}, e.segment(0, 0, 0, 100))
	require.Equal(t, segment{1, 2, 5, 600}, e.segment(1, 2, 0, 100))
	require.Equal(t, segment{2, 5, 7, 1000}, e.segment(2, 5, 100, 0))
}

// The halving leaves better strategies than its candidates are on average, on fresh keys.
func TestHalvingChooses(t *testing.T) {
	tasks := tinyTasks(t)[:1]
	c := tinyConfig(gonum(t, 2), 5)
	c.Candidates, c.BaseTaskBudget = 40, 1000
	e, err := NewEngine(c)
	require.NoError(t, err)
	targets, err := e.targets(context.Background(), tasks, nil)
	require.NoError(t, err)
	mean := func(all []rsie.Strategy) float64 {
		got, err := e.measure(context.Background(), targets, all, rsie.NewKey(99), 2)
		require.NoError(t, err)
		sum := 0.0
		for _, m := range got {
			sum += m.score / float64(len(got))
		}
		return sum
	}
	chosen, err := e.halve(context.Background(), targets, "", "halving_0", rsie.NewKey(3))
	require.NoError(t, err)
	require.Len(t, chosen, c.MetaPopulationSize)
	require.Greater(t, mean(chosen), mean(e.draw(c.Candidates, "", rsie.NewKey(3)))+0.1)
}

// A run of several restarts, with every part of the search on or off, continues after an
// interruption in any segment to the same bytes.
func TestRestartsResume(t *testing.T) {
	tasks := tinyTasks(t)[:1]
	for _, without := range []Devices{{}, {Halving: true, Racing: true, Evidence: true, Crossover: true,
		Remeasuring: true, FinalRace: true}, {FreshKeys: true}} {
		c := tinyConfig(gonum(t, 2), 9)
		c.Restarts, c.Without = 2, without
		e, err := NewEngine(c)
		require.NoError(t, err)
		whole, err := e.MetaTrain(context.Background(), tasks, nil)
		require.NoError(t, err)
		for _, stop := range []int{1, 2} { // the last of the first segment, the first of the second
			dir := filepath.Join(t.TempDir(), "run")
			st, err := store.Create(dir, []byte("{}"))
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(context.Background())
			c.Store, c.Progress = st, func(g Generation) {
				if g.Number == stop {
					cancel()
				}
			}
			e, err := NewEngine(c)
			require.NoError(t, err)
			_, err = e.MetaTrain(ctx, tasks, nil)
			require.ErrorIs(t, err, context.Canceled)
			c.Progress = nil
			e, err = NewEngine(c)
			require.NoError(t, err)
			again, err := e.MetaTrain(context.Background(), tasks, nil)
			require.NoError(t, err)
			require.Equal(t, whole.Digest, again.Digest, "stopped after generation %d, without %+v", stop, without)
			require.NoError(t, st.Close())
			c.Store = nil
		}
	}
}

// A strategy that would cost many times what it evaluates is not run; it scores 0 and the search
// goes on without it.
func TestAffordable(t *testing.T) {
	tasks := tinyTasks(t)[:1]
	c := tinyConfig(gonum(t, 2), 9)
	e, err := NewEngine(c)
	require.NoError(t, err)
	targets, err := e.targets(context.Background(), tasks, nil)
	require.NoError(t, err)
	all := e.draw(6, "", rsie.NewKey(1))
	for _, s := range all {
		require.True(t, affordable(s, targets), s.GenomeID)
	}
	dear, err := rsie.Baseline("xnes")
	require.NoError(t, err)
	require.False(t, affordable(dear, targets))
	require.True(t, affordable(dear, []target{{problem: ellipsoid{dim: 5}}}), "its cost grows with the parameters")
	got, err := e.measureRaced(context.Background(), targets, append(all, dear), rsie.NewKey(2))
	require.NoError(t, err)
	require.True(t, got[6].dropped)
	require.Empty(t, got[6].outcomes)
	require.Zero(t, got[6].score)
	require.Positive(t, got[3].score)
}
