package explain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/task"
)

// Task is one task of an explanation.
type Task struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// Meter is what strategies are measured by.
type Meter interface {
	// Tasks is constant.
	Tasks() []Task
	// Cost returns the evaluations of one strategy, once on every task.
	Cost() int64
	// Affords reports whether s may be measured: others cost many times what they evaluate.
	Affords(s rsie.Strategy) bool
	// Measure returns scores [strategy][task], maximised. Strategies of one call meet the same
	// randomness, which follows from key alone, and the same instance of problems that have many.
	Measure(ctx context.Context, all []rsie.Strategy, key rsie.Key, instance int) ([][]float64, error)
	// Identity tells meters apart whose scores differ.
	Identity() string
}

// Score names what of a run is measured; both lie in [0,1] and are maximised.
type Score string

// The scores.
const (
	Area    Score = "area"    // under quality against the logarithm of evaluations
	Quality Score = "quality" // at the end of the budget
)

// Words names the score in a sentence.
func (s Score) Words() string {
	if s == Quality {
		return "quality at the end"
	}
	return "area under quality against log evaluations"
}

// Suite measures strategies on tasks: level 1.
type Suite struct {
	Backend rsie.Backend
	Targets []Target
	Score   Score
}

// Target is a task with the anchors that hold for the budget.
type Target struct {
	Task    *task.Task
	Budget  int // evaluations of a run
	Anchors rsie.Anchors
}

// Tasks returns names and kinds.
func (s *Suite) Tasks() []Task {
	var out []Task
	for _, t := range s.Targets {
		out = append(out, Task{t.Task.Name, t.Task.Kind})
	}
	return out
}

// Cost returns the sum of the budgets.
func (s *Suite) Cost() int64 {
	sum := int64(0)
	for _, t := range s.Targets {
		sum += int64(t.Budget)
	}
	return sum
}

// Affords reports whether level 2 would run the strategy on every task.
func (s *Suite) Affords(v rsie.Strategy) bool {
	for _, t := range s.Targets {
		if !meta.Affordable(v, t.Task.Problem) {
			return false
		}
	}
	return true
}

// instances is how many instances of a problem with many take turns.
const instances = 15

// Measure runs every strategy once on every task.
func (s *Suite) Measure(ctx context.Context, all []rsie.Strategy, key rsie.Key, instance int) ([][]float64, error) {
	problems := make([]rsie.Problem, len(s.Targets))
	for k, t := range s.Targets {
		problems[k] = t.Task.Problem
		if many, ok := problems[k].(rsie.Replicated); ok {
			var err error
			if problems[k], err = many.Replicate(instance % instances); err != nil {
				return nil, err
			}
		}
	}
	out := make([][]float64, len(all))
	for i := range out {
		out[i] = make([]float64, len(s.Targets))
	}
	return out, meta.EachProblem(s.Backend, problems, func(k int) int { return s.Targets[k].Budget },
		func(k int, b rsie.Backend) error {
			t := s.Targets[k]
			judge := meta.Judge{Backend: b, Problem: problems[k], Task: t.Task.Name, Budget: t.Budget, Runs: 1}
			got, err := judge.Measure(ctx, all, key)
			if err != nil {
				return fmt.Errorf("task %s: %w", t.Task.Name, err)
			}
			for i := range all {
				out[i][k] = s.score(got[i][0].Curve, t.Anchors)
			}
			return nil
		})
}

// score returns what of a curve is measured.
func (s *Suite) score(curve meta.Curve, a rsie.Anchors) float64 {
	if s.Score == Quality {
		return a.Quality(curve.Final())
	}
	return curve.Area(a)
}

// Identity names the backend, the score, and the tasks by their digests and budgets.
func (s *Suite) Identity() string {
	info := s.Backend.Info()
	text := fmt.Sprintln(info.Name, info.Bits, s.Score)
	for _, t := range s.Targets {
		text += fmt.Sprintln(t.Task.Name, t.Task.Digest(), t.Budget, t.Anchors)
	}
	return text
}

// Keeper keeps named documents; Get returns nil for one that is not there. A run of level 2 is
// one, see package meta/store, and a [Folder].
type Keeper interface {
	Get(name string) ([]byte, error)
	Put(name string, value []byte) error
}

// journal measures through a keeper: what was measured before is read.
type journal struct {
	meter Meter
	keep  Keeper // nil: nothing is kept
	spent int64  // evaluations, whether measured or read
}

// measure returns scores [strategy][task]; those that are one algorithm are measured once.
func (j *journal) measure(ctx context.Context, all []rsie.Strategy, key rsie.Key, instance int) ([][]float64, error) {
	distinct, place := distinctOf(all)
	j.spent += int64(len(distinct)) * j.meter.Cost()
	scores, err := j.block(ctx, distinct, key, instance)
	if err != nil {
		return nil, err
	}
	out := make([][]float64, len(all))
	for i := range all {
		out[i] = scores[place[i]]
	}
	return out, nil
}

// cost returns the evaluations that measure will count.
func (j *journal) cost(all []rsie.Strategy) int64 {
	distinct, _ := distinctOf(all)
	return int64(len(distinct)) * j.meter.Cost()
}

func (j *journal) block(ctx context.Context, all []rsie.Strategy, key rsie.Key, instance int) ([][]float64, error) {
	if j.keep == nil {
		return j.meter.Measure(ctx, all, key, instance)
	}
	h := sha256.New()
	fmt.Fprintln(h, j.meter.Identity(), key.Seed(), instance)
	for _, s := range all {
		fmt.Fprintln(h, s.Digest())
	}
	name := "explain_" + hex.EncodeToString(h.Sum(nil)[:12])
	var scores [][]float64
	b, err := j.keep.Get(name)
	if err != nil {
		return nil, err
	}
	if b != nil && json.Unmarshal(b, &scores) == nil && len(scores) == len(all) {
		return scores, nil
	}
	if scores, err = j.meter.Measure(ctx, all, key, instance); err != nil {
		return nil, err
	}
	if b, err = json.Marshal(scores); err != nil {
		return nil, err
	}
	return scores, j.keep.Put(name, b)
}

// distinctOf returns the strategies that are different algorithms, canonical, and the place of each in them.
func distinctOf(all []rsie.Strategy) (distinct []rsie.Strategy, place []int) {
	at := map[signature]int{}
	for _, s := range all {
		s = rsie.StrategySpace.Canonical(s)
		d := signatureOf(s)
		k, ok := at[d]
		if !ok {
			k = len(distinct)
			at[d] = k
			distinct = append(distinct, s)
		}
		place = append(place, k)
	}
	return distinct, place
}
