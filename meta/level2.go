package meta

import (
	"context"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// MetaStrategy returns the strategy that level 2 itself runs by default, over points of
// [rsie.StrategySpace]: tournaments of 3, whole genes from either parent, gaussian steps on one
// gene in twelve, of a fifth of its range at first and two fifths of that at the end.
func MetaStrategy() rsie.Strategy {
	s := rsie.DefaultStrategy()
	s.GenomeID = "meta-default"
	s.PopulationSize, s.TournamentSize, s.ElitismRatio = 20, 3, 0.4
	s.Crossover, s.CrossoverRate = rsie.Swapping, 0.6
	s.MutationRate, s.MutationStrength, s.StrengthEnd = 0.08, 0.2, 0.4
	s.DiversityThreshold = 0.2
	return s
}

// target is one task as level 2 sees it.
type target struct {
	name    string
	split   string // training or validation
	problem rsie.Problem
	anchors rsie.Anchors
	digest  string
	budget  int  // evaluations of a run
	made    bool // of a family of generated tasks, beside others
}

// measured is what one strategy reached in one measurement.
type measured struct {
	strategy rsie.Strategy
	score    float64
	tasks    map[string]rsie.Metrics
	outcomes []Outcome
	terms    []rsie.Metrics // of outcomes
	dropped  bool           // lost the race on the cheap tasks; score is an estimate
	known    bool           // not measured again: score is the mean of the archive's
}

// strategies is the level-2 problem: a point is an encoded strategy, its fitness 1 minus the lower
// confidence bound of its meta-fitness in level-1 runs on the training tasks. It is noisy, so the
// loop measures survivors again on the fresh keys of each generation.
type strategies struct {
	engine     *Engine
	targets    []target
	island     island
	generation []measured // of the last Evaluate, one per point
}

// Shape returns the unit cube of the strategy space.
func (p *strategies) Shape() rsie.Shape {
	sp := rsie.StrategySpace
	return rsie.Shape{Name: "strategies", Dim: sp.Dim(), Blocks: sp.Blocks(), Lower: 0, Upper: 1, Noisy: true,
		Bits: 64} // an encoded strategy decodes to itself, digit for digit
}

// Evaluate measures every strategy with the same keys.
func (p *strategies) Evaluate(ctx context.Context, fitness, points []float64, key rsie.Key) error {
	dim := rsie.StrategySpace.Dim()
	all := make([]rsie.Strategy, len(fitness))
	for i := range fitness {
		all[i] = p.island.decode(points[i*dim:][:dim])
	}
	got, err := p.measureNew(ctx, all, key)
	if err != nil {
		return err
	}
	for i := range got {
		fitness[i] = 1 - p.engine.bound(&got[i])
	}
	p.generation = got
	return nil
}

// measureNew measures the strategies of a generation, or, when survivors are not to be measured
// again, those that have no measurement yet.
func (p *strategies) measureNew(ctx context.Context, all []rsie.Strategy, key rsie.Key) ([]measured, error) {
	e := p.engine
	if e.config.Without.FreshKeys {
		key = e.key.Child(keySame)
	} else if !e.config.Without.Remeasuring {
		return e.measureRaced(ctx, p.targets, all, key)
	}
	out := make([]measured, len(all))
	var unknown []rsie.Strategy
	var at []int
	for i, s := range all {
		if r := e.archive.bySum[s.Digest()]; r != nil && len(r.scores) > 0 {
			out[i] = measured{strategy: s, score: average(r.scores), known: true}
		} else {
			unknown, at = append(unknown, s), append(at, i)
		}
	}
	got, err := e.measureRaced(ctx, p.targets, unknown, key)
	if err != nil {
		return nil, err
	}
	for k, i := range at {
		out[i] = got[k]
	}
	return out, nil
}

// bound returns the lower confidence bound of a strategy's score after the measurement m, which
// the archive does not hold yet:
//
//	mean of all measurements - noise/√measurements
func (e *Engine) bound(m *measured) float64 {
	if e.config.Without.Evidence {
		return m.score
	}
	sum, n := m.score, 1.0
	if m.known {
		sum, n = 0, 0
	}
	if r := e.archive.bySum[m.strategy.Digest()]; r != nil {
		for _, s := range r.scores {
			sum += s
			n++
		}
	}
	return sum/n - e.archive.noise()/math.Sqrt(n)
}

// measure runs every strategy `runs` times on every target. Strategies of the same digest are
// run once. The order of the result is that of all.
func (e *Engine) measure(ctx context.Context, targets []target, all []rsie.Strategy, key rsie.Key,
	runs int) ([]measured, error) {
	var distinct []rsie.Strategy
	place := map[string]int{}
	for _, s := range all {
		if d := s.Digest(); !contains(place, d) {
			place[d] = len(distinct)
			distinct = append(distinct, s)
		}
	}
	got := make([]measured, len(distinct))
	for i, s := range distinct {
		got[i] = measured{strategy: s, tasks: map[string]rsie.Metrics{}}
	}
	outcomes := make([][][]Outcome, len(targets))
	var problems []rsie.Problem
	for _, t := range targets {
		problems = append(problems, t.problem)
	}
	err := EachProblem(e.config.Backend, problems, func(i int) int { return targets[i].budget },
		func(i int, b rsie.Backend) (err error) {
			t := targets[i]
			judge := Judge{Backend: b, Problem: t.problem, Task: t.name, Budget: t.budget, Runs: runs}
			outcomes[i], err = judge.Measure(ctx, distinct, key)
			return err
		})
	if err != nil {
		return nil, err
	}
	for k, t := range targets {
		for i, s := range distinct {
			got[i].add(t, s, outcomes[k][i])
			for _, o := range outcomes[k][i] {
				e.evaluations += int64(o.Curve.Budget)
			}
		}
	}
	for i := range got {
		got[i].score = e.scoreOf(got[i].tasks, targets)
	}
	out := make([]measured, len(all))
	for i, s := range all {
		out[i] = got[place[s.Digest()]]
	}
	return out, nil
}

// add files the runs of a target.
func (m *measured) add(t target, s rsie.Strategy, runs []Outcome) {
	var terms []rsie.Metrics
	for _, o := range runs {
		terms = append(terms, o.Terms(t.anchors, efficiency(s, t.problem)))
	}
	m.tasks[t.name] = Score(terms)
	m.terms = append(m.terms, terms...)
	m.outcomes = append(m.outcomes, runs...)
}

// madeWeight is what generated tasks count together, where the tasks of the suite count 1. There
// may be many of them, and they stand for tasks nobody has seen, not for those of the suite.
const madeWeight = 0.6

// scoreOf returns the meta-fitness of the mean metrics over the tasks of the suite and over the
// generated ones, weighted.
func (e *Engine) scoreOf(tasks map[string]rsie.Metrics, targets []target) float64 {
	var own, made []rsie.Metrics
	for _, t := range targets {
		if t.made {
			made = append(made, tasks[t.name])
		} else {
			own = append(own, tasks[t.name])
		}
	}
	score := meanMetrics(own).MetaFitness(e.config.Objectives)
	if len(made) == 0 {
		return score
	}
	generated := meanMetrics(made).MetaFitness(e.config.Objectives)
	if len(own) == 0 {
		return generated
	}
	return (score + madeWeight*generated) / (1 + madeWeight)
}

func contains(m map[string]int, k string) bool { _, ok := m[k]; return ok }
