package meta

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/stats"
)

// cost is the counted cost of the evaluations of a run.
func (t target) cost() float64 { return float64(t.budget) * evaluationCost(t.problem) }

// cheapest returns the targets in the order of the counted cost of a run, then of the name, up to
// the share of the total cost, at least n of them; and the rest.
func cheapest(targets []target, share float64, n int) (cheap, rest []target) {
	sorted := slices.Clone(targets)
	slices.SortStableFunc(sorted, func(a, b target) int {
		x, y := a.cost(), b.cost()
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	total, sum := 0.0, 0.0
	for _, t := range sorted {
		total += t.cost()
	}
	k := 0
	for k < len(sorted) {
		sum += sorted[k].cost()
		if k >= n && sum > share*total {
			break
		}
		k++
	}
	return sorted[:k], sorted[k:]
}

// The stages of a race: the cheap tasks are those that together have this share of the cost, at
// least this many.
const (
	cheapShare = 0.2
	cheapTasks = 3
)

// measureRaced measures every strategy on the cheap tasks, and on the rest those that have not
// lost: a strategy whose paired results there are significantly worse than those of the last one
// that would survive (Wilcoxon signed-rank, 5 %) is dropped, its score estimated by its result on
// the cheap tasks plus what the others gain on the rest. One that is not affordable is not run and
// scores 0.
//
// Source: M. Birattari et al., A racing algorithm for configuring metaheuristics, GECCO 2002,
// with Wilcoxon in place of Friedman.
func (e *Engine) measureRaced(ctx context.Context, targets []target, all []rsie.Strategy, key rsie.Key) ([]measured, error) {
	out := make([]measured, len(all))
	var paid []rsie.Strategy
	var at []int
	for i, s := range all {
		if affordable(s, targets) {
			paid, at = append(paid, s), append(at, i)
		} else {
			out[i] = measured{strategy: s, dropped: true} // scores 0
		}
	}
	got, err := e.measureStages(ctx, targets, paid, key)
	if err != nil {
		return nil, err
	}
	for k, i := range at {
		out[i] = got[k]
	}
	return out, nil
}

// measureStages is measureRaced among strategies that are affordable.
func (e *Engine) measureStages(ctx context.Context, targets []target, all []rsie.Strategy, key rsie.Key) ([]measured, error) {
	runs := e.config.RunsPerTask
	cheap, rest := cheapest(targets, cheapShare, cheapTasks)
	if e.config.Without.Racing || len(rest) == 0 || len(all) == 0 {
		return e.measure(ctx, targets, all, key, runs)
	}
	first, err := e.measure(ctx, cheap, all, key, runs)
	if err != nil {
		return nil, err
	}
	if err := e.drop(first); err != nil {
		return nil, err
	}
	var live []rsie.Strategy
	for _, m := range first {
		if !m.dropped {
			live = append(live, m.strategy)
		}
	}
	second, err := e.measure(ctx, rest, live, key, runs)
	if err != nil {
		return nil, err
	}
	return e.join(targets, first, second), nil
}

// drop marks the strategies that have lost.
func (e *Engine) drop(all []measured) error {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return byScore(all[a], all[b]) })
	keep := int(share(e.config.Strategy.ElitismRatio, len(all), 1, len(all)))
	last := order[keep-1]
	for _, i := range order[keep:] {
		if all[i].score >= all[last].score {
			continue
		}
		p, err := stats.WilcoxonPaired(e.termScores(all[last]), e.termScores(all[i]))
		if err != nil {
			return err
		}
		all[i].dropped = p < raceLevel
	}
	return nil
}

// termScores returns the meta-fitness of every level-1 run of m.
func (e *Engine) termScores(m measured) []float64 {
	var out []float64
	for _, t := range m.terms {
		out = append(out, t.MetaFitness(e.config.Objectives))
	}
	return out
}

// join adds the second stage to the first.
func (e *Engine) join(targets []target, first, second []measured) []measured {
	gain, k := 0.0, 0
	for i := range first {
		m := &first[i]
		if m.dropped {
			continue
		}
		s, before := second[k], m.score
		k++
		tasks := map[string]rsie.Metrics{}
		for _, part := range []map[string]rsie.Metrics{m.tasks, s.tasks} {
			for name, v := range part {
				tasks[name] = v
			}
		}
		m.tasks = tasks
		m.outcomes = slices.Concat(m.outcomes, s.outcomes)
		m.terms = slices.Concat(m.terms, s.terms)
		m.score = e.scoreOf(tasks, targets)
		gain += m.score - before
	}
	for i := range first {
		if first[i].dropped {
			first[i].score += gain / float64(k)
		}
	}
	return first
}

// candidate is a strategy in the halving with the metrics of each task so far.
type candidate struct {
	Strategy rsie.Strategy             `json:"strategy"`
	Tasks    map[string][]rsie.Metrics `json:"tasks"`
	score    float64
}

// halving is the state between rounds, kept in the store.
type halving struct {
	Round       int         `json:"round"` // rounds that are done
	Live        []candidate `json:"live"`
	Evaluations int64       `json:"evaluations"`
}

// rounds of the halving: the share of the cost the tasks may have, and the share of candidates
// that goes on. The last leaves the population.
var rounds = []struct{ cost, keep float64 }{{0.1, 0.3}, {0.4, 0.4}, {1, 0}}

// halve returns the first generation of a search: of Candidates strategies, those that do best
// when fewer and fewer of them meet more and more tasks. It continues after the last stored round.
//
// Source: K. Jamieson, A. Talwalkar, Non-stochastic best arm identification and hyperparameter
// optimization, AISTATS 2016.
func (e *Engine) halve(ctx context.Context, targets []target, in island, name string, key rsie.Key) ([]rsie.Strategy, error) {
	n := e.config.MetaPopulationSize
	if e.config.Without.Halving || e.config.Candidates <= n {
		return e.draw(n, in, key), nil
	}
	state, err := e.storedHalving(name)
	if err != nil {
		return nil, err
	}
	if state == nil {
		state = &halving{}
		for _, s := range e.draw(e.config.Candidates, in, key) {
			if !affordable(s, targets) {
				continue
			}
			state.Live = append(state.Live, candidate{Strategy: s, Tasks: map[string][]rsie.Metrics{}})
		}
	} else {
		e.evaluations = state.Evaluations
	}
	for state.Round < len(rounds) {
		chosen, _ := cheapest(targets, rounds[state.Round].cost, 2)
		e.config.Say(fmt.Sprintf("halving %d/%d: %d candidates on %d of %d tasks",
			state.Round+1, len(rounds), len(state.Live), len(chosen), len(targets)))
		if err := e.halvingRound(ctx, targets, state, key); err != nil {
			return nil, err
		}
		state.Evaluations = e.evaluations
		if err := e.keepHalving(name, state); err != nil {
			return nil, err
		}
	}
	var out []rsie.Strategy
	for _, c := range state.Live {
		out = append(out, c.Strategy)
	}
	return out, nil
}

// halvingRound measures the live candidates on the round's tasks with one key and keeps the best.
func (e *Engine) halvingRound(ctx context.Context, targets []target, state *halving, key rsie.Key) error {
	round := rounds[state.Round]
	chosen, _ := cheapest(targets, round.cost, 2)
	var all []rsie.Strategy
	for _, c := range state.Live {
		all = append(all, c.Strategy)
	}
	got, err := e.measure(ctx, chosen, all, key.Child(uint64(state.Round)), 1)
	if err != nil {
		return err
	}
	for i := range state.Live {
		c := &state.Live[i]
		mean := map[string]rsie.Metrics{}
		for _, t := range chosen {
			c.Tasks[t.name] = append(c.Tasks[t.name], got[i].tasks[t.name])
			mean[t.name] = meanMetrics(c.Tasks[t.name])
		}
		c.score = e.scoreOf(mean, chosen)
	}
	slices.SortStableFunc(state.Live, func(a, b candidate) int {
		return byScore(measured{score: a.score}, measured{score: b.score})
	})
	keep := max(int(round.keep*float64(len(state.Live))), e.config.MetaPopulationSize)
	if state.Round == len(rounds)-1 {
		keep = e.config.MetaPopulationSize
	}
	state.Live = state.Live[:min(keep, len(state.Live))]
	state.Round++
	return nil
}

func (e *Engine) storedHalving(name string) (*halving, error) {
	if e.config.Store == nil {
		return nil, nil
	}
	b, err := e.config.Store.Get(name)
	if err != nil || b == nil {
		return nil, err
	}
	var state halving
	return &state, json.Unmarshal(b, &state)
}

func (e *Engine) keepHalving(name string, state *halving) error {
	if e.config.Store == nil {
		return nil
	}
	b, err := json.Marshal(state)
	if err != nil {
		return err
	}
	return e.config.Store.Put(name, b)
}
