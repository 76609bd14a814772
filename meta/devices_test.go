package meta

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/store"
)

// measuredSeeds trains with devices switched off and returns the seeds that each strategy of the
// search was measured with, generation by generation.
func measuredSeeds(t *testing.T, without Devices) (map[string][]uint64, *Result, *Engine) {
	c := tinyConfig(gonum(t, 2), 11)
	c.Without, c.RunsPerTask = without, 1
	st, err := store.Create(filepath.Join(t.TempDir(), "run"), []byte("{}"))
	require.NoError(t, err)
	defer st.Close()
	c.Store = st
	e, err := NewEngine(c)
	require.NoError(t, err)
	r, err := e.MetaTrain(context.Background(), tinyTasks(t)[:1], nil)
	require.NoError(t, err)
	seeds := map[string][]uint64{}
	require.NoError(t, st.Results(func(r store.Result) error {
		seeds[r.Strategy] = append(seeds[r.Strategy], r.Seed)
		return nil
	}))
	return seeds, r, e
}

// A survivor is measured in every generation with its fresh keys. Without remeasuring it keeps its
// first measurement; without fresh keys all are measured with the same.
func TestRemeasuring(t *testing.T) {
	distinct := func(seeds map[string][]uint64) (most, keys int) {
		all := map[uint64]bool{}
		for _, s := range seeds {
			most = max(most, len(s))
			for _, v := range s {
				all[v] = true
			}
		}
		return most, len(all)
	}
	for _, c := range []struct {
		without Devices
		most    int
		keys    int
	}{{Devices{}, 4, 4}, {Devices{Remeasuring: true}, 1, 4}, {Devices{FreshKeys: true}, 1, 1}} {
		seeds, _, _ := measuredSeeds(t, c.without)
		most, keys := distinct(seeds)
		require.Equal(t, c.most, most, "measurements of a strategy, without %+v", c.without)
		require.Equal(t, c.keys, keys, "keys, without %+v", c.without)
		require.Greater(t, len(seeds), 8, "children were measured")
	}
}

// Without crossover the genes of a child that its first parent does not have are mutated ones;
// with it, many are another parent's.
func TestWithoutCrossover(t *testing.T) {
	with, _, _ := measuredSeeds(t, Devices{})
	without, _, e := measuredSeeds(t, Devices{Crossover: true})
	require.NotEqual(t, with, without)
	own := func(r *record) (inherited, all int) {
		child, parent := make([]float64, e.space.Dim()), make([]float64, e.space.Dim())
		e.space.Encode(child, r.strategy)
		e.space.Encode(parent, e.archive.bySum[r.parents[0]].strategy)
		for i, g := range e.space {
			if p := e.archive.bySum[r.parents[0]].strategy; g.IsActive(&r.strategy) && g.IsActive(&p) {
				all++
				if child[i] == parent[i] {
					inherited++
				}
			}
		}
		return inherited, all
	}
	children, from, of := 0, 0, 0
	for _, r := range e.archive.order {
		if len(r.parents) > 0 {
			n, all := own(r)
			children, from, of = children+1, from+n, of+all
		}
	}
	require.Greater(t, children, 5)
	require.InDelta(t, 1-MetaStrategy().MutationRate, float64(from)/float64(of), 0.06)
}

// Without a final race the leader of the search is the winner and nothing more is spent on it.
func TestWithoutFinalRace(t *testing.T) {
	_, r, e := measuredSeeds(t, Devices{FinalRace: true})
	require.Equal(t, e.archive.leaders(1, "")[0].digest, r.Universal[0].Digest())
	require.Len(t, r.Universal, Finalists)
	_, raced, _ := measuredSeeds(t, Devices{})
	require.Greater(t, raced.Searched, r.Searched, "the search itself is the same")
}

// A search with its race stays within the meta-budget and uses what a generation fits into;
// interrupted, it ends the same. One too small for a generation is refused.
func TestMetaBudget(t *testing.T) {
	for _, restarts := range []int{1, 2} {
		c := tinyConfig(gonum(t, 2), 3)
		c.MetaGenerations, c.MetaBudget, c.Restarts = 1000, 30_000, restarts
		c.Without = Devices{Racing: true, FinalRace: true}
		generations, stop := 0, func() {}
		c.Progress = func(Generation) {
			if generations++; generations == 2 {
				stop()
			}
		}
		train := func(ctx context.Context, st *store.Store) (*Result, error) {
			c.Store = st
			e, err := NewEngine(c)
			require.NoError(t, err)
			return e.MetaTrain(ctx, tinyTasks(t)[:1], nil)
		}
		r, err := train(context.Background(), nil)
		require.NoError(t, err)
		cost := int64(c.MetaPopulationSize * c.RunsPerTask * c.BaseTaskBudget)
		require.LessOrEqual(t, r.Searched, c.MetaBudget)
		require.Greater(t, r.Searched, c.MetaBudget-int64(restarts+1)*cost)
		require.Greater(t, generations, 2*restarts)
		least := r.Searched - int64(generations)*cost

		st, err := store.Create(filepath.Join(t.TempDir(), "run"), []byte("{}"))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		generations, stop = 0, cancel
		_, err = train(ctx, st)
		require.ErrorIs(t, err, context.Canceled)
		again, err := train(context.Background(), st)
		require.NoError(t, err)
		require.Equal(t, r.Digest, again.Digest)
		require.Equal(t, r.Searched, again.Searched)
		require.NoError(t, st.Close())

		c.MetaBudget = least
		_, err = train(context.Background(), nil)
		require.ErrorIs(t, err, rsie.ErrInvalid)
		require.ErrorContains(t, err, "meta-budget")
	}
}
