package meta

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/task"
)

// generated returns tasks of a family.
func generated(t *testing.T, family string, seed uint64, count int) []*task.Task {
	t.Helper()
	s, err := task.Generate(family, seed, count)
	require.NoError(t, err)
	return s.Tasks
}

// Level 1 runs on tasks of every family: no final is Worst, and some strategy gains on the start.
func TestGeneratedTasksRun(t *testing.T) {
	b := gonum(t, 2)
	snes, err := rsie.Baseline("snes")
	require.NoError(t, err)
	genetic, err := rsie.Baseline("simple-ga")
	require.NoError(t, err)
	for _, family := range task.FamilyNames() {
		count := 7
		if family == "cheap" {
			count = 20
		}
		gains := 0
		for _, made := range generated(t, family, 0, count) {
			j := Judge{Backend: b, Problem: made.Problem, Task: made.Name, Budget: 150, Runs: 1}
			got, err := j.Measure(context.Background(), []rsie.Strategy{snes, genetic}, rsie.NewKey(3))
			require.NoError(t, err, made.Name)
			for _, o := range got {
				require.Less(t, abs(o[0].Curve.Final()), 1e12, made.Name)
				if o[0].Curve.Final() < o[0].Curve.Points[0].Fitness {
					gains++
				}
			}
		}
		require.Greater(t, gains, count/2, family)
	}
}

// A cached report is the measured one, costs nothing, and belongs to all it depends on.
func TestAnchorCache(t *testing.T) {
	b := gonum(t, 2)
	ctx := context.Background()
	made := generated(t, "cheap", 0, 2)
	path := filepath.Join(t.TempDir(), "deep", "anchors.json")
	m := AnchorMeter{Backend: b, Budget: 120, Runs: 2, Strategies: AnchorStrategies()}
	first, err := NewAnchorCache(path, "c").Measure(ctx, m, made[0], rsie.NewKey(1))
	require.NoError(t, err)
	require.Equal(t, int64(5*2*120), first.Evaluations)
	require.Greater(t, first.Anchors.F0, first.Anchors.F1)
	require.True(t, first.Spread >= 0 && first.Spread <= 1)
	direct, err := m.Measure(ctx, made[0].Digest(), made[0].Problem, rsie.NewKey(1))
	require.NoError(t, err)
	require.Equal(t, direct, first)

	renamed := *made[0]
	renamed.Name = "another"
	again, err := NewAnchorCache(path, "c").Measure(ctx, m, &renamed, rsie.NewKey(1))
	require.NoError(t, err)
	require.Zero(t, again.Evaluations)
	again.Evaluations = first.Evaluations
	require.Equal(t, first, again)
	for name, change := range map[string]func(*AnchorMeter, *rsie.Key, *string, **task.Task){
		"budget":     func(m *AnchorMeter, _ *rsie.Key, _ *string, _ **task.Task) { m.Budget = 130 },
		"runs":       func(m *AnchorMeter, _ *rsie.Key, _ *string, _ **task.Task) { m.Runs = 1 },
		"strategies": func(m *AnchorMeter, _ *rsie.Key, _ *string, _ **task.Task) { m.Strategies = m.Strategies[:2] },
		"key":        func(_ *AnchorMeter, k *rsie.Key, _ *string, _ **task.Task) { *k = rsie.NewKey(2) },
		"contract":   func(_ *AnchorMeter, _ *rsie.Key, c *string, _ **task.Task) { *c = "d" },
		"task":       func(_ *AnchorMeter, _ *rsie.Key, _ *string, t **task.Task) { *t = made[1] },
	} {
		other, key, contract, of := m, rsie.NewKey(1), "c", made[0]
		change(&other, &key, &contract, &of)
		got, err := NewAnchorCache(path, contract).Measure(ctx, other, of, key)
		require.NoError(t, err)
		require.NotZero(t, got.Evaluations, name)
	}
	entries := map[string]any{}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &entries))
	require.Len(t, entries["entries"], 7)
}

// Damage and values that are no anchors count as missing; the file is made anew.
func TestAnchorCacheDamage(t *testing.T) {
	made := generated(t, "cheap", 0, 1)[0]
	m := AnchorMeter{Backend: gonum(t, 1), Budget: 60, Runs: 1, Strategies: AnchorStrategies()}
	path := filepath.Join(t.TempDir(), "anchors.json")
	c := NewAnchorCache(path, "c")
	want, err := c.Measure(context.Background(), m, made, rsie.NewKey(1))
	require.NoError(t, err)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	address := c.address(m, made, rsie.NewKey(1))
	for _, text := range []string{"", "{", string(whole[:len(whole)/2]), `{"format":"other","version":1}`,
		`{"format":"rsie-anchors","version":2,"entries":{"` + address + `":{"Anchors":{"f0":2,"f1":1}}}}`,
		`{"format":"rsie-anchors","version":1,"entries":{"` + address + `":{"Anchors":{"f0":1,"f1":2}}}}`} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		got, err := NewAnchorCache(path, "c").Measure(context.Background(), m, made, rsie.NewKey(1))
		require.NoError(t, err)
		require.Equal(t, want, got, text)
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(whole), string(now))
	}
	require.NoError(t, os.Mkdir(path+"d", 0o755))
	got, err := NewAnchorCache(path+"d", "c").Measure(context.Background(), m, made, rsie.NewKey(1))
	require.Error(t, err, "a folder stands in the way")
	require.Equal(t, want, got, "what was measured is valid")
}

// Writers at the same time leave a whole file with entries of the last at least.
func TestAnchorCacheOfTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "anchors.json")
	tasks := generated(t, "cheap", 0, 12)
	var all sync.WaitGroup
	for w := range 2 {
		b := gonum(t, 1)
		all.Go(func() {
			c := NewAnchorCache(path, "c")
			m := AnchorMeter{Backend: b, Budget: 20, Runs: 1, Strategies: AnchorStrategies()}
			for k := w; k < len(tasks); k += 2 {
				if _, err := c.Measure(context.Background(), m, tasks[k], rsie.NewKey(1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	var file anchorCacheFile
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &file))
	require.GreaterOrEqual(t, len(file.Entries), 6)
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1, "no temporary file stays")
}

// AnchorTasks fills what is missing and leaves the rest; the same tasks get the same anchors.
func TestAnchorTasks(t *testing.T) {
	b := gonum(t, 2)
	known := rsie.Anchors{F0: 5, F1: 4}
	measure := func() []*task.Task {
		tasks := generated(t, "cheap", 0, 3)
		tasks[1].Anchors = &known
		calls := 0
		require.NoError(t, AnchorTasks(context.Background(), b, tasks, 80, NewAnchorCache("", ""),
			func(int) { calls++ }, nil))
		require.Equal(t, 3, calls)
		return tasks
	}
	one, two := measure(), measure()
	require.Equal(t, known, *one[1].Anchors)
	require.Greater(t, one[0].Anchors.F0, one[0].Anchors.F1)
	require.Equal(t, *one[0].Anchors, *two[0].Anchors)
	require.Equal(t, 80, one[0].Budget)
	require.NotEqual(t, 80, one[1].Budget)
	ctx, stop := context.WithCancel(context.Background())
	stop()
	require.ErrorIs(t, AnchorTasks(ctx, b, generated(t, "cheap", 0, 1), 80, NewAnchorCache("", ""), nil, nil),
		context.Canceled)
	m := AnchorMeter{Backend: b, Budget: 20, Runs: 1, Strategies: AnchorStrategies()[1:]}
	_, err := m.Measure(context.Background(), "x", one[0].Problem, rsie.NewKey(1))
	require.ErrorIs(t, err, rsie.ErrInvalid, "random search is missing")
}
