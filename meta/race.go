package meta

import (
	"context"
	"fmt"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/stats"
)

// The race: rounds of fresh keys on every task; after each round but the first a finalist is
// dropped when the paired Wilcoxon signed-rank test against the leader says so.
const (
	raceRounds = 4
	raceLevel  = 0.05
)

// racer is one finalist and its meta-fitness, task by task and key by key.
type racer struct {
	strategy rsie.Strategy
	scores   []float64
}

// raceRuns returns the fresh keys of a round.
func (e *Engine) raceRuns() int { return max(2, e.config.FinalRuns/2) }

// raceCost returns the evaluations of a race on the targets that drops nobody.
func (e *Engine) raceCost(targets []target) int64 {
	if e.config.Without.FinalRace {
		return 0
	}
	return int64(Finalists*raceRounds*e.raceRuns()) * budgets(targets)
}

// race returns the finalists, the winner first, losers in the order of their mean when dropped.
//
// Source: O. Maron and A. Moore, Hoeffding races, NIPS 1993; M. Birattari et al., A racing
// algorithm for configuring metaheuristics, GECCO 2002, with Wilcoxon in place of Friedman.
func (e *Engine) race(ctx context.Context, targets []target, finalists []rsie.Strategy) ([]rsie.Strategy, error) {
	if e.config.Without.FinalRace {
		return finalists, nil
	}
	live := make([]racer, len(finalists))
	for i, s := range finalists {
		live[i].strategy = s
	}
	var lost []racer
	for round := 0; round < raceRounds && len(live) > 1; round++ {
		var all []rsie.Strategy
		for _, r := range live {
			all = append(all, r.strategy)
		}
		e.config.Say(fmt.Sprintf("race %d/%d: %d finalists on %d tasks", round+1, raceRounds, len(all), len(targets)))
		key := e.key.Child(keyRace).Child(uint64(round))
		got, err := e.measure(ctx, targets, all, key, e.raceRuns())
		if err != nil {
			return nil, err
		}
		for i := range live {
			for _, m := range got[i].terms {
				live[i].scores = append(live[i].scores, m.MetaFitness(e.config.Objectives))
			}
		}
		slices.SortStableFunc(live, byMean)
		if round == 0 {
			continue
		}
		kept := live[:1]
		for _, r := range live[1:] {
			p, err := stats.WilcoxonPaired(live[0].scores, r.scores)
			if err != nil {
				return nil, err
			}
			if p < raceLevel {
				lost = append(lost, r)
			} else {
				kept = append(kept, r)
			}
		}
		live = kept
	}
	slices.SortStableFunc(lost, byMean)
	var out []rsie.Strategy
	for _, r := range append(live, lost...) {
		out = append(out, r.strategy)
	}
	return out, nil
}

func byMean(a, b racer) int {
	x, y := average(a.scores), average(b.scores)
	switch {
	case x > y:
		return -1
	case x < y:
		return 1
	}
	return 0
}
