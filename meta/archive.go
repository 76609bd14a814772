package meta

import (
	"math"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// record is all that level 2 has measured of one strategy.
type record struct {
	strategy rsie.Strategy
	digest   string
	born     int                       // generation
	parents  []string                  // digests
	scores   []float64                 // meta-fitness, one per generation it was measured in
	tasks    map[string][]rsie.Metrics // per task, one per generation
}

// archive keeps records in the order of their first measurement, which is the same in every
// run of the same seed.
type archive struct {
	order []*record
	bySum map[string]*record
}

func newArchive() *archive { return &archive{bySum: map[string]*record{}} }

// at returns the record of s, made when there is none.
func (a *archive) at(s rsie.Strategy, generation int) *record {
	d := s.Digest()
	if r := a.bySum[d]; r != nil {
		return r
	}
	r := &record{strategy: s, digest: d, born: generation, tasks: map[string][]rsie.Metrics{}}
	a.bySum[d] = r
	a.order = append(a.order, r)
	return r
}

// note adds one generation's measurement. A strategy that was dropped has no score: its results on
// the cheap tasks count for specialists alone.
func (r *record) note(m measured) {
	if !m.dropped {
		r.scores = append(r.scores, m.score)
	}
	for name, v := range m.tasks {
		r.tasks[name] = append(r.tasks[name], v)
	}
}

// noise returns the standard deviation of a score between keys, pooled over the strategies that
// were measured more than once; 0.05 when none was.
func (a *archive) noise() float64 {
	sum, degrees := 0.0, 0
	for _, r := range a.order {
		if len(r.scores) == 0 {
			continue
		}
		mean := average(r.scores)
		for _, s := range r.scores {
			sum += (s - mean) * (s - mean)
		}
		degrees += len(r.scores) - 1
	}
	if degrees == 0 {
		return 0.05
	}
	return math.Sqrt(sum / float64(degrees))
}

// leaders returns the n records of an island of highest lower confidence bound
//
//	mean score - noise/√measurements
//
// ties in the order of first measurement. A strategy seen once must lead by luck's width.
func (a *archive) leaders(n int, in island) []*record {
	return a.best(n, func(r *record) []float64 {
		if !in.has(r.strategy) {
			return nil
		}
		return r.scores
	}, a.noise())
}

// specialists returns the n records of highest lower confidence bound on one task.
func (a *archive) specialists(n int, task string, o rsie.Objectives) []*record {
	return a.best(n, func(r *record) []float64 {
		var out []float64
		for _, m := range r.tasks[task] {
			out = append(out, m.MetaFitness(o))
		}
		return out
	}, 2*a.noise())
}

func (a *archive) best(n int, scores func(*record) []float64, noise float64) []*record {
	type bound struct {
		r     *record
		value float64
	}
	var all []bound
	for _, r := range a.order {
		if s := scores(r); len(s) > 0 {
			all = append(all, bound{r, average(s) - noise/math.Sqrt(float64(len(s)))})
		}
	}
	slices.SortStableFunc(all, func(x, y bound) int {
		switch {
		case x.value > y.value:
			return -1
		case x.value < y.value:
			return 1
		}
		return 0
	})
	var out []*record
	for _, b := range all[:min(n, len(all))] {
		out = append(out, b.r)
	}
	return out
}

func average(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
