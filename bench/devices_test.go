package bench

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/cpu"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/task"
)

// study compares ways to search for strategies at one meta-budget: each searches once per seed on
// the teaching tasks, and its winner is judged on other tasks with keys that no search saw.
type study struct {
	backend    rsie.Backend
	teach      []*task.Task
	judge      []*task.Task
	objectives rsie.Objectives
	seeds      int
	budget     int   // evaluations of a level-1 run
	metaBudget int64 // evaluations of a search and of the choice of its winner
	population int   // strategies of a generation
	runs       int   // keys per judging task
}

// The sizes of the study: of make devices, and of the test that it works.
var (
	wholeStudy = study{seeds: 8, budget: 500, metaBudget: 3_000_000, population: 16, runs: 5}
	smallStudy = study{seeds: 1, budget: 40, metaBudget: 24_000, population: 4, runs: 1}
)

// The keys of a study.
const (
	keyStudyAnchors = iota
	keyStudyJudge
	keyStudySearch
)

// load reads count teaching tasks and twice as many judging tasks. Even seeds teach and odd ones
// judge: see [task.Generate]. Anchors hold for the budget of the study.
func (s *study) load(t *testing.T, count int) {
	t.Helper()
	var err error
	s.backend, err = cpu.New(1)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.backend.Close()) })
	// A meter of costs has no place in a comparison by evaluations.
	s.objectives = rsie.DefaultObjectives()
	s.objectives.ComputationalEfficiency = 0
	read := func(seed uint64, count int) []*task.Task {
		suite, err := task.Generate("cheap", seed, count)
		require.NoError(t, err)
		for _, one := range suite.Tasks {
			m := meta.AnchorMeter{Backend: s.backend, Budget: s.budget, Runs: 5, Strategies: meta.AnchorStrategies()}
			r, err := m.Measure(t.Context(), one.Name, one.Problem, rsie.NewKey(keyStudyAnchors))
			require.NoError(t, err)
			one.Anchors, one.Budget = &r.Anchors, s.budget
		}
		return suite.Tasks
	}
	s.teach, s.judge = read(6, count), read(1001, 2*count)
}

// config is the engine of a seed with every device in use.
func (s *study) config(seed int) meta.Config {
	return meta.Config{MetaPopulationSize: s.population, MetaGenerations: 10_000, BaseTaskBudget: s.budget,
		RunsPerTask: 1, Objectives: s.objectives, Seed: uint64(seed), Backend: s.backend, FinalRuns: 2,
		MetaBudget: s.metaBudget, Rivals: rsie.Starts()[:1]}
}

// found is what a search ends with.
type found struct {
	winner rsie.Strategy
	spent  int64 // evaluations until the winner was chosen
}

// contender is one way to search.
type contender struct {
	name   string
	search func(ctx context.Context, s *study, seed int) (found, error)
}

// contenders are all that the table compares: the engine with every device, without each of them, two
// searches of another kind, and the engine with other settings.
func contenders() []contender {
	without := func(name string, change func(*meta.Devices)) contender {
		return engineWith("without "+name, func(c *meta.Config) { change(&c.Without) })
	}
	return []contender{
		engineWith("full", func(*meta.Config) {}),
		without("halving", func(d *meta.Devices) { d.Halving = true }),
		without("racing", func(d *meta.Devices) { d.Racing = true }),
		without("evidence", func(d *meta.Devices) { d.Evidence = true }),
		without("crossover", func(d *meta.Devices) { d.Crossover = true }),
		without("remeasuring", func(d *meta.Devices) { d.Remeasuring = true }),
		without("fresh-keys", func(d *meta.Devices) { d.FreshKeys = true }),
		without("final-race", func(d *meta.Devices) { d.FinalRace = true }),
		engineWith("2 restarts", func(c *meta.Config) { c.Restarts, c.Candidates = 2, 4*c.MetaPopulationSize }),
		{"random search", randomSearch},
		{"irace-style", iterateRaces},
		engineWith("area alone", func(c *meta.Config) { c.Objectives = rsie.Objectives{SampleEfficiency: 1} }),
		engineWith("smaller mutations", func(c *meta.Config) {
			own := meta.MetaStrategy()
			own.MutationRate, own.MutationStrength = own.MutationRate/2, own.MutationStrength/2
			c.Strategy = &own
		}),
		engineWith("half generations", func(c *meta.Config) {
			c.Candidates = 8 * c.MetaPopulationSize
			c.MetaPopulationSize /= 2
		}),
	}
}

// engineWith is the engine with a changed configuration.
func engineWith(name string, change func(*meta.Config)) contender {
	return contender{name, func(ctx context.Context, s *study, seed int) (found, error) {
		c := s.config(seed)
		change(&c)
		e, err := meta.NewEngine(c)
		if err != nil {
			return found{}, err
		}
		r, err := e.MetaTrain(ctx, s.teach, nil)
		if err != nil {
			return found{}, err
		}
		return found{r.Universal[0], r.Searched}, nil
	}}
}

// draw returns n strategies that the engine of a seed would start from, without those that cost
// too much, which it does not run either.
func (s *study) draw(seed, n int) ([]rsie.Strategy, error) {
	c := s.config(seed)
	c.MetaPopulationSize, c.Candidates = n, n
	e, err := meta.NewEngine(c)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(e.InitializeMetaPopulation(), func(x rsie.Strategy) bool { return !s.affordable(x) }), nil
}

func (s *study) affordable(x rsie.Strategy) bool {
	return !slices.ContainsFunc(s.teach, func(t *task.Task) bool { return !meta.Affordable(x, t.Problem) })
}

// measure runs strategies on a task and returns the metrics [strategy][key].
func (s *study) measure(ctx context.Context, t *task.Task, all []rsie.Strategy, key rsie.Key, runs int) ([][]rsie.Metrics, error) {
	judge := meta.Judge{Backend: s.backend, Problem: t.Problem, Task: t.Name, Budget: s.budget, Runs: runs}
	got, err := judge.Measure(ctx, all, key)
	if err != nil {
		return nil, err
	}
	out := make([][]rsie.Metrics, len(all))
	for i := range got {
		for _, o := range got[i] {
			out[i] = append(out[i], o.Terms(*t.Anchors, 0))
		}
	}
	return out, nil
}

// scores returns mean area and meta-fitness of strategies over tasks.
func (s *study) scores(ctx context.Context, tasks []*task.Task, all []rsie.Strategy, key rsie.Key, runs int) (area,
	fitness []float64, err error) {
	area, fitness = make([]float64, len(all)), make([]float64, len(all))
	for _, t := range tasks {
		got, err := s.measure(ctx, t, all, key, runs)
		if err != nil {
			return nil, nil, err
		}
		for i := range got {
			m := meta.Score(got[i])
			area[i] += m.SampleEfficiency / float64(len(tasks))
			fitness[i] += m.MetaFitness(s.objectives) / float64(len(tasks))
		}
	}
	return area, fitness, nil
}

// The end of random search, that of the engine's search without its tests: the best meet this
// many more keys.
const choiceRuns = 8

// randomSearch draws strategies as the engine does its candidates and measures each once on every
// task. The best, as many as the engine's finalists, are measured on fresh keys, and the best mean
// of those wins.
func randomSearch(ctx context.Context, s *study, seed int) (found, error) {
	one := int64(len(s.teach) * s.budget)
	room := int(s.metaBudget/one) - meta.Finalists*choiceRuns
	all, err := s.draw(seed, 2*room) // some of them cost too much
	if err != nil {
		return found{}, err
	}
	all = all[:min(room, len(all))]
	key := rsie.NewKey(uint64(seed)).Child(keyStudySearch)
	_, first, err := s.scores(ctx, s.teach, all, key.Child(0), 1)
	if err != nil {
		return found{}, err
	}
	var best []rsie.Strategy
	for _, i := range descending(first)[:min(meta.Finalists, len(all))] {
		best = append(best, all[i])
	}
	_, again, err := s.scores(ctx, s.teach, best, key.Child(1), choiceRuns)
	if err != nil {
		return found{}, err
	}
	return found{best[descending(again)[0]], one * int64(len(all)+len(best)*choiceRuns)}, nil
}

// descending returns the indices of values from the largest to the smallest.
func descending(values []float64) []int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case values[i] > values[j]:
			return -1
		case values[i] < values[j]:
			return 1
		}
		return 0
	})
	return order
}

// outcome is one search of the table.
type outcome struct {
	Contender   string
	Seed        int
	Winner      string
	Area        float64
	MetaFitness float64
	Spent       int64
	Seconds     float64 // of the processor
}

// run searches once and judges the winner.
func (s *study) run(t *testing.T, c contender, seed int) outcome {
	began := processorSeconds(t)
	got, err := c.search(t.Context(), s, seed)
	require.NoError(t, err)
	seconds := processorSeconds(t) - began
	area, fitness, err := s.scores(t.Context(), s.judge, []rsie.Strategy{got.winner}, rsie.NewKey(keyStudyJudge).Child(0), s.runs)
	require.NoError(t, err)
	return outcome{c.name, seed, got.winner.Digest(), area[0], fitness[0], got.spent, seconds}
}

func processorSeconds(t *testing.T) float64 {
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// TestDevices prints the table of bench/results/devices.md when RSIE_DEVICES names a file, to
// which it adds each search that it does not hold yet: make devices. Without, it makes sure of a small
// study that every contender keeps to the budget and repeats itself.
func TestDevices(t *testing.T) {
	file := os.Getenv("RSIE_DEVICES")
	if file == "" {
		smallDevices(t)
		return
	}
	s := wholeStudy
	s.load(t, 20)
	for _, c := range contenders() {
		t.Run(c.name, func(t *testing.T) {
			for seed := 1; seed <= s.seeds; seed++ {
				if done := readOutcomes(t, file); !slices.ContainsFunc(done, func(o outcome) bool {
					return o.Contender == c.name && o.Seed == seed
				}) {
					addOutcome(t, file, s.run(t, c, seed))
				}
			}
		})
	}
	fmt.Println(deviceTable(t, contenders(), readOutcomes(t, file), s.seeds))
	fmt.Println(s.handDesigned(t, "default", "sep-cma-es", "snes-assembled", "cma-es"))
}

// handDesigned says what strategies that nobody searched for reach on the judging tasks.
func (s *study) handDesigned(t *testing.T, names ...string) string {
	var all []rsie.Strategy
	for _, name := range names {
		one, err := rsie.Baseline(name)
		require.NoError(t, err)
		all = append(all, one)
	}
	area, fitness, err := s.scores(t.Context(), s.judge, all, rsie.NewKey(keyStudyJudge).Child(0), s.runs)
	require.NoError(t, err)
	out := "Area and meta-fitness without a search:"
	for i, name := range names {
		out += fmt.Sprintf(" %s %.3f %.3f", name, area[i], fitness[i])
	}
	return out
}

func smallDevices(t *testing.T) {
	s := smallStudy
	s.load(t, 4)
	file := filepath.Join(t.TempDir(), "outcomes")
	for _, c := range contenders() {
		t.Run(c.name, func(t *testing.T) {
			got := s.run(t, c, 1)
			require.LessOrEqual(t, got.Spent, s.metaBudget)
			require.Greater(t, got.Spent, s.metaBudget/2)
			require.False(t, math.IsNaN(got.Area))
			require.Greater(t, got.MetaFitness, 0.1)
			again := s.run(t, c, 1)
			again.Seconds = got.Seconds
			require.Equal(t, got, again)
			addOutcome(t, file, got)
			other := s.run(t, c, 2)
			require.NotEqual(t, got.Winner, other.Winner)
			addOutcome(t, file, other)
		})
	}
	done := readOutcomes(t, file)
	table := deviceTable(t, contenders(), done, 2)
	for _, o := range done {
		require.Contains(t, table, "| "+o.Contender+" |")
	}
}
