package meta

import (
	"context"
	"fmt"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/stats"
	"github.com/symbio-ai/recursive-improvement/task"
)

// ErtTargets is the number of quality targets 0.1, 0.2 .. 0.9 of an expected running time.
const ErtTargets = 9

// Significance is the level of the tests of a comparison, after Holm's correction.
const Significance = 0.05

// Comparison is what [Compare] measured. Quality and area are maximised, fitness and expected
// running times minimised.
type Comparison struct {
	Runs       int              `json:"runs"`   // per strategy and task
	Budget     int              `json:"budget"` // evaluations of one run, 0: each task's own
	Seed       uint64           `json:"seed"`
	Reference  string           `json:"reference"` // the strategy that the others are tested against
	Strategies []string         `json:"strategies"`
	Tasks      []TaskComparison `json:"tasks"`
	// Overall holds means over tasks; its tests pair the mean over tasks of each seed.
	Overall []ComparisonRow `json:"overall"`
	Each    []ComparisonRun `json:"-"`
}

// TaskComparison is one task of a comparison, a row per strategy.
type TaskComparison struct {
	Task    string       `json:"task"`
	Anchors rsie.Anchors `json:"anchors"`
	Budget  int          `json:"budget"` // evaluations of one run
	// AnchorBudget is the number of evaluations for which the anchors hold.
	AnchorBudget int             `json:"anchor_budget"`
	Measured     bool            `json:"anchors_measured"` // by this comparison: the task's file had none
	Solved       bool            `json:"solved_by_random_search"`
	Rows         []ComparisonRow `json:"rows"`
}

// ComparisonRow is one strategy.
type ComparisonRow struct {
	Strategy string  `json:"strategy"`
	Digest   string  `json:"digest"`
	Quality  Measure `json:"quality"` // at the end of the budget
	Area     Measure `json:"area"`    // under quality against log evaluations
	// MedianFitness and Times are null or absent over several tasks, which have no common scale.
	MedianFitness *float64       `json:"median_fitness"`
	Times         []ExpectedTime `json:"ert,omitempty"`
	// Of function tasks: mean AOCC, see [Curve.Mean], and expected times to precisions.
	AOCC *float64 `json:"aocc,omitempty"`
	// Cut is how far the reference cuts the strategy's regret over all tasks; nil elsewhere.
	Cut        *Cut            `json:"regret_cut,omitempty"`
	Precisions []PrecisionTime `json:"ert_precision,omitempty"`
}

// Cut is how much less the mean regret 1 - area of the reference is, as a share of the other's
// regret; both means are over tasks and seeds. The interval is the 95 % one over tasks and seeds.
type Cut struct {
	Value    float64    `json:"value"`
	Interval [2]float64 `json:"interval"`
}

// Precisions are the targets of the expected running times on function tasks.
var Precisions = [8]float64{1e2, 1e1, 1, 1e-1, 1e-2, 1e-3, 1e-5, 1e-8}

// PrecisionTime is the expected running time to a precision f - f_opt.
type PrecisionTime struct {
	Precision   float64  `json:"precision"`
	Evaluations *float64 `json:"evaluations"` // null when no run reached it
	Reached     int      `json:"reached"`
}

// Measure is the interquartile mean over seeds (over several tasks the mean of those), with its
// 95 % bootstrap interval: over seeds on one task, over tasks and seeds on several.
type Measure struct {
	IQM      float64    `json:"iqm"`
	Interval [2]float64 `json:"interval"`
	Versus   *Versus    `json:"versus_reference"` // null for the reference itself
}

// Versus compares a strategy with the reference on runs of the same key.
type Versus struct {
	P       float64 `json:"p"`      // Wilcoxon signed-rank, two-sided
	Holm    float64 `json:"p_holm"` // corrected over the strategies
	A12     float64 `json:"a12"`    // probability that a run of the strategy beats one of the reference
	Wins    int     `json:"wins"`
	Losses  int     `json:"losses"`
	Verdict string  `json:"verdict"` // better, worse, not significant

	above bool // the signed ranks favour the strategy
}

// ExpectedTime is the expected running time to a quality: all evaluations spent before the
// target or the end of the budget, over the number of runs that reached it.
type ExpectedTime struct {
	Quality     float64  `json:"quality"`
	Evaluations *float64 `json:"evaluations"` // null when no run reached it
	Reached     int      `json:"reached"`
}

// ComparisonRun is one level-1 run of a comparison.
type ComparisonRun struct {
	Task, Strategy string
	Budget         int
	Replicate      int
	Seed           uint64
	Fitness        float64
	Quality, Area  float64
	Reach          [ErtTargets]int      // evaluations to qualities 0.1 .. 0.9, 0 when not reached
	AOCC           float64              // of function tasks, else 0
	Precise        [len(Precisions)]int // evaluations to Precisions likewise
}

// The uses of a comparison's key.
const (
	keyCompareRuns = iota
	keyCompareAnchors
	keyCompareBootstrap
)

// Compare runs every strategy `runs` times on every task with the same keys and tests all
// against the first. Strategies are told apart by their genome_id. budget is that of a run, 0 for
// each task's own. A task without anchors gets them measured at the budget. The result depends on the arguments alone.
//
// It returns [rsie.ErrInvalid] for no strategy, two of one name, or counts out of range.
func Compare(ctx context.Context, b rsie.Backend, tasks []*task.Task, strategies []rsie.Strategy,
	runs, budget int, key rsie.Key) (*Comparison, error) {
	out := &Comparison{Runs: runs, Budget: budget, Seed: key.Seed()}
	if err := out.check(tasks, strategies); err != nil {
		return nil, err
	}
	out.Reference = out.Strategies[0]
	out.Tasks = make([]TaskComparison, len(tasks))
	each := make([][]ComparisonRun, len(tasks))
	var problems []rsie.Problem
	for _, t := range tasks {
		problems = append(problems, t.Problem)
	}
	err := EachProblem(b, problems, func(i int) int { return out.budget(tasks[i]) },
		func(i int, b rsie.Backend) (err error) {
			out.Tasks[i], each[i], err = compareOn(ctx, b, tasks[i], strategies, out, key)
			return err
		})
	if err != nil {
		return nil, err
	}
	out.Each = slices.Concat(each...)
	return out, out.overall(strategies, key.Child(keyCompareBootstrap))
}

func (c *Comparison) check(tasks []*task.Task, strategies []rsie.Strategy) error {
	if len(tasks) == 0 || len(strategies) == 0 {
		return fmt.Errorf("%w: a comparison of %d strategies on %d tasks, want one of each at least",
			rsie.ErrInvalid, len(strategies), len(tasks))
	}
	if c.Runs < 2 || c.Runs > 10_000 {
		return fmt.Errorf("%w: runs is %d, allowed is 2 to 10000", rsie.ErrInvalid, c.Runs)
	}
	for _, t := range tasks {
		if b := c.budget(t); b < 10 || b > 1<<30 {
			return fmt.Errorf("%w: budget of task %s is %d, allowed is 10 to %d", rsie.ErrInvalid, t.Name, b, 1<<30)
		}
	}
	for _, s := range strategies {
		if slices.Contains(c.Strategies, s.GenomeID) {
			return fmt.Errorf("%w: two strategies are named %q; name each once", rsie.ErrInvalid, s.GenomeID)
		}
		c.Strategies = append(c.Strategies, s.GenomeID)
	}
	return nil
}

// budget returns the evaluations of a run on t.
func (c *Comparison) budget(t *task.Task) int {
	if c.Budget == 0 {
		return t.Budget
	}
	return c.Budget
}

// compareOn returns the comparison c on one task, and its runs in the order of the strategies.
func compareOn(ctx context.Context, b rsie.Backend, t *task.Task, strategies []rsie.Strategy,
	c *Comparison, key rsie.Key) (TaskComparison, []ComparisonRun, error) {
	out := TaskComparison{Task: t.Name, Budget: c.budget(t), AnchorBudget: t.Budget}
	if t.Anchors != nil {
		out.Anchors = *t.Anchors
	} else {
		m := AnchorMeter{Backend: b, Budget: out.Budget, Runs: 5}
		report, err := m.Measure(ctx, t.Name, t.Problem, key.Child(keyCompareAnchors))
		if err != nil {
			return out, nil, err
		}
		out.Anchors, out.Measured, out.Solved = report.Anchors, true, report.Solved
		out.AnchorBudget = out.Budget
	}
	judge := Judge{Backend: b, Problem: t.Problem, Task: t.Name, Budget: out.Budget, Runs: c.Runs}
	got, err := judge.Measure(ctx, strategies, key.Child(keyCompareRuns))
	if err != nil {
		return out, nil, err
	}
	var each []ComparisonRun
	boot := taskKey(key.Child(keyCompareBootstrap), t.Name)
	for i, s := range strategies {
		for _, o := range got[i] {
			each = append(each, runOf(o, s.GenomeID, out.Anchors))
		}
		row, err := rowOfRuns(each[i*c.Runs:], s, out.Budget, out.Anchors.Floor > 0, boot)
		if err != nil {
			return out, nil, fmt.Errorf("task %s, strategy %s: %w", t.Name, s.GenomeID, err)
		}
		out.Rows = append(out.Rows, row)
	}
	return out, each, testRows(out.Rows, func(i int) (quality, area []float64) {
		return valuesOf(each[i*c.Runs:][:c.Runs])
	})
}

func runOf(o Outcome, name string, a rsie.Anchors) ComparisonRun {
	r := ComparisonRun{Task: o.Task, Strategy: name, Budget: o.Curve.Budget, Replicate: o.Replicate, Seed: o.Seed,
		Fitness: o.Curve.Final(), Quality: a.Quality(o.Curve.Final()), Area: o.Curve.Area(a)}
	for k := range r.Reach {
		if e, ok := o.Curve.Reach(a.Target(float64(k+1) / 10)); ok {
			r.Reach[k] = e
		}
	}
	if a.Floor > 0 {
		r.AOCC = o.Curve.Mean(a)
		for k, p := range Precisions {
			if e, ok := o.Curve.Reach(a.F1 + p); ok {
				r.Precise[k] = e
			}
		}
	}
	return r
}

func valuesOf(each []ComparisonRun) (quality, area []float64) {
	for _, r := range each {
		quality, area = append(quality, r.Quality), append(area, r.Area)
	}
	return quality, area
}

// rowOfRuns summarises the runs of one strategy on one task. All strategies get the same
// resamples.
func rowOfRuns(each []ComparisonRun, s rsie.Strategy, budget int, precise bool, key rsie.Key) (ComparisonRow, error) {
	quality, area := valuesOf(each)
	fitness := make([]float64, len(each))
	for i, r := range each {
		fitness[i] = r.Fitness
	}
	slices.Sort(fitness)
	middle := median(fitness)
	row := ComparisonRow{Strategy: s.GenomeID, Digest: s.Digest(), MedianFitness: &middle}
	for _, m := range []struct {
		at     *Measure
		values []float64
	}{{&row.Quality, quality}, {&row.Area, area}} {
		low, high, err := stats.BootstrapInterval(m.values, stats.InterquartileMean, Resamples, 0.95,
			IndexSource(key))
		if err != nil {
			return row, err
		}
		m.at.IQM, m.at.Interval = stats.InterquartileMean(m.values), [2]float64{low, high}
	}
	for k := range ErtTargets {
		mean, err := expectedTime(each, k, budget)
		if err != nil {
			return row, err
		}
		row.Times = append(row.Times, mean)
	}
	if precise {
		return row, preciseTimes(&row, each, budget)
	}
	return row, nil
}

// expectedTime returns the expected running time to target k.
func expectedTime(each []ComparisonRun, k, budget int) (ExpectedTime, error) {
	out := ExpectedTime{Quality: float64(k+1) / 10}
	var err error
	out.Evaluations, out.Reached, err = runningTime(each, func(r *ComparisonRun) int { return r.Reach[k] }, budget)
	return out, err
}

// runningTime returns the expected running time to a target that every run reached after so many
// evaluations, or never where that is 0; nil when none did.
func runningTime(each []ComparisonRun, reach func(*ComparisonRun) int, budget int) (*float64, int, error) {
	count := 0
	spent, reached := make([]int64, len(each)), make([]bool, len(each))
	for i := range each {
		e := reach(&each[i])
		spent[i], reached[i] = int64(budget), e > 0
		if e > 0 {
			spent[i] = int64(e)
			count++
		}
	}
	mean, err := stats.ExpectedRunningTime(spent, reached)
	if count == 0 {
		return nil, 0, err
	}
	return &mean, count, err
}

// preciseTimes fills what a row of a function task has besides.
func preciseTimes(row *ComparisonRow, each []ComparisonRun, budget int) error {
	mean := 0.0
	for i := range each {
		mean += each[i].AOCC / float64(len(each))
	}
	row.AOCC = &mean
	for k, p := range Precisions {
		e, reached, err := runningTime(each, func(r *ComparisonRun) int { return r.Precise[k] }, budget)
		if err != nil {
			return err
		}
		row.Precisions = append(row.Precisions, PrecisionTime{p, e, reached})
	}
	return nil
}

// testRows tests every row but the first against the first, on values paired by position, and
// corrects the p-values of each measure over the rows.
func testRows(rows []ComparisonRow, values func(i int) (quality, area []float64)) error {
	baseQuality, baseArea := values(0)
	quality := make([]*Versus, len(rows)-1)
	area := make([]*Versus, len(rows)-1)
	for i := range rows[1:] {
		q, a := values(i + 1)
		var err error
		if quality[i], err = versus(q, baseQuality); err != nil {
			return err
		}
		if area[i], err = versus(a, baseArea); err != nil {
			return err
		}
		rows[i+1].Quality.Versus, rows[i+1].Area.Versus = quality[i], area[i]
	}
	if err := correct(quality); err != nil {
		return err
	}
	return correct(area)
}

// versus compares x with the reference y, paired by position, larger being better.
func versus(x, y []float64) (*Versus, error) {
	p, err := stats.WilcoxonPaired(x, y)
	if err != nil {
		return nil, err
	}
	above, err := stats.Wilcoxon(x, y, stats.WilcoxonOptions{Alternative: stats.Greater,
		Method: stats.Auto, Zeros: stats.ZerosDrop, Continuity: true})
	if err != nil {
		return nil, err
	}
	a12, err := stats.A12(x, y)
	v := &Versus{P: p, A12: a12, above: above.P < 0.5}
	for i := range x {
		switch {
		case x[i] > y[i]:
			v.Wins++
		case x[i] < y[i]:
			v.Losses++
		}
	}
	return v, err
}

// correct fills Holm's p-values and the verdicts.
func correct(all []*Versus) error {
	if len(all) == 0 {
		return nil
	}
	p := make([]float64, len(all))
	for i, v := range all {
		p[i] = v.P
	}
	holm, err := stats.Holm(p)
	if err != nil {
		return err
	}
	for i, v := range all {
		v.Holm = holm[i]
		switch {
		case v.Holm >= Significance:
			v.Verdict = "not significant"
		case v.above:
			v.Verdict = "better"
		default:
			v.Verdict = "worse"
		}
	}
	return nil
}
