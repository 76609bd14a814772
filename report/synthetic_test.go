package report_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/meta/store"
	"github.com/symbio-ai/recursive-improvement/report"
)

// synthetic is a run that nobody has to wait for: drawn strategies with drawn results.
type synthetic struct {
	generations, members, tasks, runs int
	unfinished                        bool
	uneven                            int                // 1: tasks have different budgets
	task                              func(k int) string // name of task k
	key                               rsie.Key
	drawn                             uint32
	met                               map[string]bool
}

// budget returns the evaluations of a run on task k.
func (s *synthetic) budget(k int) int { return 1000 * (1 + s.uneven*k) }

func (s *synthetic) uniform() float64 {
	s.drawn++
	return rsie.Uniform(s.key.Words(s.drawn, 0, 0, 0, rsie.StreamInitialise)[0])
}

// strategy returns one that was not drawn before.
func (s *synthetic) strategy() rsie.Strategy {
	x := make([]float64, rsie.StrategySpace.Dim())
	for {
		for k := range x {
			x[k] = s.uniform()
		}
		one := rsie.StrategySpace.Decode(x).Named()
		if !s.met[one.GenomeID] {
			s.met[one.GenomeID] = true
			return one
		}
	}
}

func (s *synthetic) metrics(level float64) rsie.Metrics {
	u := func() float64 { return min(1, level*(0.8+0.4*s.uniform())) }
	return rsie.Metrics{ConvergenceSpeed: u(), FinalFitness: u(), SampleEfficiency: u(), Diversity: u(), Robustness: 1, ComputationalEfficiency: u()}
}

// folder writes the run and returns its folder.
func (s *synthetic) folder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	s.key, s.met = rsie.NewKey(7), map[string]bool{}
	if s.task == nil {
		s.task = func(k int) string { return fmt.Sprintf("task-%02d", k) }
	}
	config := report.Settings{Suite: "synthetic", MetaPopulation: s.members, MetaGenerations: s.generations, BaseBudget: 1000,
		RunsPerTask: s.runs, FinalRuns: 10, Objectives: rsie.DefaultObjectives(), Seed: 7, Backend: "gonum"}
	for k := range s.tasks {
		config.Tasks = append(config.Tasks, s.task(k))
	}
	st, err := store.Create(dir, encoded(t, config))
	require.NoError(t, err)
	var last []rsie.Strategy
	for g := range s.generations {
		last = s.generation(t, st, g, last)
	}
	if !s.unfinished {
		s.finish(t, st, last[0], config)
	}
	require.NoError(t, st.Close())
	return dir
}

func encoded(t testing.TB, v any) []byte {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}

// generation stores one whose strategies are children of those before.
func (s *synthetic) generation(t testing.TB, st *store.Store, g int, parents []rsie.Strategy) []rsie.Strategy {
	row := store.Generation{Number: g, Evaluations: int64((g + 1) * s.members * s.tasks * s.runs * 1000), State: []float64{1}, Digest: fmt.Sprint(g)}
	var all []rsie.Strategy
	level := 0.4 + 0.4*float64(g)/float64(s.generations)
	for i := range s.members {
		one := s.strategy()
		all = append(all, one)
		v := store.Strategy{Digest: one.Digest(), Genes: encoded(t, one), Generation: g}
		if parents != nil {
			v.Parents = []string{parents[i].Digest()}
		}
		row.Strategies = append(row.Strategies, v)
		for task := range s.tasks {
			for k := range s.runs {
				m := s.metrics(level)
				row.Results = append(row.Results, store.Result{Strategy: v.Digest, Task: s.task(task), Replicate: k, Seed: 1, Phase: "search",
					Evaluations: 1000, Final: 1, Area: m.SampleEfficiency, MetaFitness: m.MetaFitness(rsie.DefaultObjectives()), Metrics: encoded(t, m)})
			}
		}
	}
	row.Summary = encoded(t, meta.Generation{Number: g, Best: level + 0.05, Median: level, Strategy: all[0].Digest(), Evaluations: row.Evaluations})
	require.NoError(t, st.Commit(&row))
	return all
}

// finish stores final documents in which the winner leads the hand-designed strategies.
func (s *synthetic) finish(t testing.TB, st *store.Store, winner rsie.Strategy, c report.Settings) {
	score := 0.9
	winner.FitnessScore = &score
	curves := meta.ReportCurves{}
	learned := meta.Learned{Format: meta.LearnedFormat, Version: meta.LearnedVersion, TopUniversalStrategies: []rsie.Strategy{winner}}
	learned.Metadata.Evaluations = int64(c.MetaGenerations) * 2_000_000
	learned.Report = meta.Report{Runs: c.FinalRuns, Budget: 1000}
	for k := range s.tasks {
		split := "training"
		if k == s.tasks-1 {
			split = "validation"
		}
		learned.Report.Tasks = append(learned.Report.Tasks, meta.ReportTask{Name: s.task(k), Split: split})
		curves.Tasks = append(curves.Tasks, meta.ReportTarget{Name: s.task(k), Split: split, Budget: s.budget(k), Dim: 5, Anchors: rsie.Anchors{F0: 1, F1: 0}})
	}
	var finals []store.Result
	for i, one := range append([]rsie.Strategy{winner}, rsie.Starts()...) {
		row := meta.ReportRow{Name: one.GenomeID, Role: "hand-designed", Genome: one.GenomeID, MetaFitness: 0.9 - 0.1*float64(i), Quality: map[string]float64{}}
		if i == 0 {
			row.Role = "universal winner"
		} else {
			gain := 0.1 * float64(i)
			if i == 2 {
				gain = -0.1
			}
			row.WinnerGain, row.WinnerInterval = &gain, &[2]float64{gain - 0.05, gain + 0.05}
		}
		for k := range s.tasks {
			row.Quality[s.task(k)] = 0.9 - 0.1*float64(i)
			for r := range c.FinalRuns {
				finals = append(finals, store.Result{Strategy: one.Digest(), Task: s.task(k), Replicate: r, MetaFitness: 0.9 - 0.1*float64(i) + 0.01*s.uniform()})
				curves.Runs = append(curves.Runs, s.curve(one.Digest(), s.task(k), r, i))
			}
		}
		learned.Report.Rows = append(learned.Report.Rows, row)
	}
	require.NoError(t, st.Put("results_report", encoded(t, finals)))
	require.NoError(t, st.Put(meta.CurvesDocument, encoded(t, curves)))
	require.NoError(t, st.Put(report.TimelineDocument, encoded(t, report.Timeline{Sessions: []report.Session{{Began: "2026-01-01T00:00:00Z",
		Program: "test", Platform: "any", Device: "none", Steps: []report.Phase{{Name: "search", Seconds: 60}, {Name: "race", Seconds: 30}}}}})))
	require.NoError(t, st.Finish(encoded(t, learned)))
}

// curve halves the fitness at intervals that are longer for strategies further down.
func (s *synthetic) curve(digest, task string, replicate, place int) meta.ReportCurve {
	c := meta.ReportCurve{Strategy: digest, Task: task, Replicate: replicate, Seed: uint64(replicate)}
	e, f := 1, 1.0
	for range 30 {
		c.Evaluations, c.Fitness = append(c.Evaluations, e), append(c.Fitness, f)
		e += 1 + int(20*float64(place+1)*s.uniform())
		f *= 0.9
	}
	return c
}
