package bench

import (
	"cmp"
	"context"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/stats"
	"github.com/symbio-ai/recursive-improvement/task"
)

// Iterated racing over encoded strategies, with the defaults of irace: elitist races with the
// Friedman test, whose post hoc is Conover's. An instance is a task with a key; a race takes every
// task once before it takes one twice. Left out is the soft restart, which acts when two elites
// are the same to 1e-4 in every parameter.
//
// Source: M. López-Ibáñez, J. Dubois-Lacoste, L. Pérez Cáceres, M. Birattari, T. Stützle, The irace
// package: Iterated racing for automatic algorithm configuration, Operations Research Perspectives
// 3, 2016, sections 3 and 4; irace 3.5 where the paper leaves a choice.
const (
	raceLevel       = 0.05
	raceFirstTest   = 5 // instances before the first test
	raceSizeCap     = 5 // iterations after which races count on no more instances
	racePatience    = 2 // tests in a row without a loser, after the instances of races before, that end one
	firstDeviation  = 0.5
	raceNewInstance = 1
)

// configuration is a strategy in the races.
type configuration struct {
	point    []float64
	strategy rsie.Strategy
	sigma    float64         // of the model that its children are drawn from
	chances  [][]float64     // of the values of each category; nil for numbers
	costs    map[int]float64 // 1 - meta-fitness by instance
}

// iteratedRace is the state of one search.
type iteratedRace struct {
	*study
	seed  int
	key   rsie.Key
	draws func() float64
	left  int // experiments: one strategy on one instance
	next  int // the first instance that no race has seen
}

// iterateRaces is the search of a seed. Its first configurations are those that the engine draws.
func iterateRaces(ctx context.Context, s *study, seed int) (found, error) {
	key := rsie.NewKey(uint64(seed)).Child(keyStudySearch).Child(1)
	r := &iteratedRace{study: s, seed: seed, key: key, draws: uniforms(key.Child(0)), left: int(s.metaBudget / int64(s.budget))}
	genes := float64(rsie.StrategySpace.Dim())
	planned, least := int(2+math.Log2(genes)), int(2+math.Log2(genes))
	experiments := r.left
	var elites []*configuration
	for j := 1; ; j++ {
		planned = max(planned, j)
		budget := r.left / (planned - j + 1)
		n := raceSize(budget, j, len(elites), r.next)
		if n <= max(len(elites), least) {
			break
		}
		var err error
		live := slices.Clone(elites)
		if j == 1 {
			live, err = r.firstConfigurations(n)
		} else {
			live = append(live, r.children(elites, n-len(elites), j, planned)...)
		}
		if err != nil {
			return found{}, err
		}
		if elites, err = r.race(ctx, live, len(elites), least, budget); err != nil {
			return found{}, err
		}
	}
	return found{elites[0].strategy, int64(experiments-r.left) * int64(s.budget)}, nil
}

// raceSize returns the configurations of iteration j: as many as the budget pays for if each meets
// the instances up to the first test and min(5, j) more, or those of the last race and a new one. What
// elites have met is not paid for again.
func raceSize(budget, j, elites, old int) int {
	n := max(raceFirstTest+min(raceSizeCap, j), old+raceNewInstance)
	return (budget + elites*old) / n
}

// firstConfigurations returns n strategies with the model that knows nothing.
func (r *iteratedRace) firstConfigurations(n int) ([]*configuration, error) {
	all, err := r.draw(r.seed, 2*n) // some of them cost too much
	if err != nil {
		return nil, err
	}
	var out []*configuration
	for _, s := range all[:min(n, len(all))] {
		c := newConfiguration(s)
		c.sigma = firstDeviation
		for _, g := range rsie.StrategySpace {
			var even []float64
			if g.Kind == rsie.Category || g.Kind == rsie.Flag {
				even = slices.Repeat([]float64{1 / (g.Max + 1)}, int(g.Max)+1)
			}
			c.chances = append(c.chances, even)
		}
		out = append(out, c)
	}
	return out, nil
}

func newConfiguration(s rsie.Strategy) *configuration {
	c := &configuration{point: make([]float64, rsie.StrategySpace.Dim()), strategy: s, costs: map[int]float64{}}
	rsie.StrategySpace.Encode(c.point, s)
	return c
}

// children narrows the models of the elites, which are ordered, and draws n configurations from
// them:
//
//	P(elite z is the parent) = (N - rank_z + 1) / (N (N + 1) / 2)
//	σ = σ n^(-1/genes)      p(value) = p(value) (1 - (j-1)/J) + (j-1)/J [value is the parent's]
//
// A gene that the parent does not use is drawn from its whole range.
func (r *iteratedRace) children(elites []*configuration, n, j, planned int) []*configuration {
	share := float64(j-1) / float64(planned)
	for _, e := range elites {
		e.sigma *= math.Pow(1/float64(n), 1/float64(rsie.StrategySpace.Dim()))
		for k, p := range e.chances {
			e.chances[k] = narrowed(p, valueAt(e.point[k], len(p)), share)
		}
	}
	var out []*configuration
	for len(out) < n {
		parent := elites[r.parent(len(elites))]
		x := make([]float64, len(parent.point))
		for k, g := range rsie.StrategySpace {
			switch p := parent.chances[k]; {
			case !g.IsActive(&parent.strategy):
				x[k] = r.draws()
			case p != nil:
				x[k] = (float64(r.value(p)) + 0.5) / float64(len(p))
			default:
				x[k] = r.truncatedNormal(parent.point[k], parent.sigma)
			}
		}
		child := newConfiguration(rsie.StrategySpace.Decode(x).Named())
		child.sigma, child.chances = parent.sigma, slices.Clone(parent.chances)
		if r.affordable(child.strategy) {
			out = append(out, child)
		}
	}
	return out
}

// valueAt returns the value of a category of n values at coordinate x.
func valueAt(x float64, n int) int { return min(int(x*float64(n)), n-1) }

func narrowed(p []float64, value int, share float64) []float64 {
	if p == nil {
		return nil
	}
	out := make([]float64, len(p))
	for i := range p {
		out[i] = p[i] * (1 - share)
	}
	out[value] += share
	return out
}

// parent draws the rank of a parent, from 0, the first most often.
func (r *iteratedRace) parent(n int) int {
	weights := make([]float64, n)
	for z := range weights {
		weights[z] = float64(n-z) / float64(n*(n+1)/2)
	}
	return r.value(weights)
}

// value draws an index with the given chances.
func (r *iteratedRace) value(p []float64) int {
	u := r.draws()
	for i := range p {
		if u -= p[i]; u < 0 {
			return i
		}
	}
	return len(p) - 1
}

// truncatedNormal draws from the normal distribution within the unit interval.
func (r *iteratedRace) truncatedNormal(mean, sigma float64) float64 {
	for {
		z := math.Sqrt(-2*math.Log(r.draws())) * math.Cos(2*math.Pi*r.draws())
		if x := mean + sigma*z; x >= 0 && x <= 1 {
			return x
		}
	}
}

// uniforms returns draws from (0,1), the i-th call at address i.
func uniforms(key rsie.Key) func() float64 {
	i := uint32(0)
	var words [4]uint32
	return func() float64 {
		if i%4 == 0 {
			words = key.Words(i/4, 0, 0, 0, rsie.StreamInitialise)
		}
		i++
		return rsie.Uniform(words[(i-1)%4])
	}
}

// race runs one race within a budget of experiments and returns its elites, best first. The first
// instance is new, then come those of the races before, which the elites, first in live, have met. None of
// them can lose before the others have met those as well.
func (r *iteratedRace) race(ctx context.Context, live []*configuration, elites, least, budget int) ([]*configuration, error) {
	old, quiet, stop := r.next, 0, r.left-budget
	safe := slices.Clone(live[:elites])
	var met []int
	for step := 0; ; step++ {
		instance := step // a new one after the old ones
		if step == 0 {
			instance = old
		} else if step <= old {
			instance = step - 1
		}
		unmet := slices.DeleteFunc(slices.Clone(live), func(c *configuration) bool { _, ok := c.costs[instance]; return ok })
		if r.left-len(unmet) < stop {
			break
		}
		if err := r.meet(ctx, unmet, instance); err != nil {
			return nil, err
		}
		r.next, met = max(r.next, instance+1), append(met, instance)
		if len(met) < raceFirstTest {
			continue
		}
		before, err := len(live), error(nil)
		if live, err = survivors(live, met, safe, step >= old); err != nil {
			return nil, err
		}
		if quiet++; len(live) < before || step < old {
			quiet = 0
		}
		if step >= old && (len(live) <= least || elites > 0 && quiet >= racePatience) {
			break
		}
	}
	best, err := byRanks(live, met)
	return best[:min(least, len(best))], err
}

// meet measures configurations on an instance.
func (r *iteratedRace) meet(ctx context.Context, live []*configuration, instance int) error {
	if len(live) == 0 {
		return nil
	}
	var all []rsie.Strategy
	for _, c := range live {
		all = append(all, c.strategy)
	}
	got, err := r.measure(ctx, r.taskOf(instance), all, r.key.Child(1).Child(uint64(instance)), 1)
	if err != nil {
		return err
	}
	for i, c := range live {
		c.costs[instance] = 1 - got[i][0].MetaFitness(r.objectives)
	}
	r.left -= len(all)
	return nil
}

// taskOf returns the task of an instance: all of them in an order of their own, again and again.
func (r *iteratedRace) taskOf(instance int) *task.Task {
	n := len(r.teach)
	order := slices.Clone(r.teach)
	draws := uniforms(r.key.Child(2).Child(uint64(instance / n)))
	for i := n - 1; i > 0; i-- {
		k := int(draws() * float64(i+1))
		order[i], order[k] = order[k], order[i]
	}
	return order[instance%n]
}

// survivors drops those whose rank sum the post hoc of a significant Friedman test finds worse
// than the best, but none of the safe before all have met the old instances. Two are compared by
// Wilcoxon's test, as irace does.
func survivors(live []*configuration, met []int, safe []*configuration, all bool) ([]*configuration, error) {
	if len(live) < 2 {
		return live, nil
	}
	limit, sums, err := difference(live, met)
	if err != nil {
		return nil, err
	}
	best := slices.Min(sums)
	var out []*configuration
	for i, c := range live {
		if sums[i]-best <= limit || !all && slices.Contains(safe, c) {
			out = append(out, c)
		}
	}
	return out, nil
}

// difference returns the rank sums of configurations over instances and the difference of two sums
// that is significant, infinite where the tests see none. With n instances, k configurations and A
// the sum of squared ranks Conover's is
//
//	t(1-α/2, (n-1)(k-1)) √(2(nA - Σ R²) / ((n-1)(k-1)))
//
// Source: W. Conover, Practical nonparametric statistics, 3rd edition, 1999, section 5.8.
func difference(live []*configuration, met []int) (limit float64, sums []float64, err error) {
	n, k := float64(len(met)), float64(len(live))
	blocks := make([][]float64, len(met))
	sums = make([]float64, len(live))
	squares := 0.0
	for b, instance := range met {
		for _, c := range live {
			blocks[b] = append(blocks[b], c.costs[instance])
		}
		for i, rank := range stats.Ranks(blocks[b]) {
			sums[i] += rank
			squares += rank * rank
		}
	}
	if k == 2 {
		var a, b []float64
		for _, row := range blocks {
			a, b = append(a, row[0]), append(b, row[1])
		}
		p, err := stats.WilcoxonPaired(a, b)
		if err != nil || p >= raceLevel {
			return math.Inf(1), sums, err
		}
		return 0, sums, nil
	}
	test, err := stats.Friedman(blocks)
	if err != nil || test.P >= raceLevel {
		return math.Inf(1), sums, err
	}
	spread, degrees := n*squares, (n-1)*(k-1)
	for _, r := range sums {
		spread -= r * r
	}
	return studentQuantile(degrees) * math.Sqrt(max(0, 2*spread/degrees)), sums, nil
}

// studentQuantile returns the 0.975 quantile of Student's distribution, within 0.001 from 10
// degrees on: Cornish and Fisher's expansion.
//
// Source: M. Abramowitz, I. Stegun, Handbook of mathematical functions, 26.7.5.
func studentQuantile(degrees float64) float64 {
	const z = 1.959963984540054
	z3, z5, z7 := z*z*z, z*z*z*z*z, z*z*z*z*z*z*z
	return z + (z3+z)/(4*degrees) + (5*z5+16*z3+3*z)/(96*degrees*degrees) +
		(3*z7+19*z5+17*z3-15*z)/(384*degrees*degrees*degrees)
}

// byRanks orders configurations by their rank sums over instances.
func byRanks(live []*configuration, met []int) ([]*configuration, error) {
	if len(live) < 2 {
		return live, nil
	}
	_, sums, err := difference(live, met)
	at := map[*configuration]float64{}
	for i, c := range live {
		at[c] = sums[i]
	}
	out := slices.Clone(live)
	slices.SortStableFunc(out, func(a, b *configuration) int { return cmp.Compare(at[a], at[b]) })
	return out, err
}

// TestIteratedRace: the tests drop the configuration that is worse on every instance and none that
// differs by chance, and children keep to a narrowed model.
func TestIteratedRace(t *testing.T) {
	require.InDelta(t, 2.228139, studentQuantile(10), 1e-3) // a table's
	require.InDelta(t, 2.042272, studentQuantile(30), 1e-4)
	var live []*configuration
	for i := range 4 {
		c := &configuration{costs: map[int]float64{}}
		for instance := range 12 {
			c.costs[instance] = float64((instance + i) % 3)
			if i == 3 {
				c.costs[instance] = 5
			}
		}
		live = append(live, c)
	}
	met := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	kept, err := survivors(live, met, nil, true)
	require.NoError(t, err)
	require.Equal(t, live[:3], kept)
	kept, err = survivors(live, met, live[3:], false)
	require.NoError(t, err)
	require.Equal(t, live, kept, "a safe one stays")
	kept, err = survivors(live[2:], met, nil, true)
	require.NoError(t, err)
	require.Equal(t, live[2:3], kept)
	order, err := byRanks([]*configuration{live[3], live[0]}, met)
	require.NoError(t, err)
	require.Equal(t, []*configuration{live[0], live[3]}, order)
	require.Equal(t, []float64{0.125, 0.625, 0.25}, narrowed([]float64{0.25, 0.25, 0.5}, 1, 0.5))
}
