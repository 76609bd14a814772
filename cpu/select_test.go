package cpu

import (
	"math"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
	"gonum.org/v1/gonum/stat/distuv"
)

// chiSquared fails when counts do not follow the probabilities at a level of 1e-6. An outcome of
// probability 0 may not happen.
func chiSquared(t *testing.T, what string, counts []int, probability []float64) {
	t.Helper()
	total, sum, free := 0, 0., -1.
	for _, n := range counts {
		total += n
	}
	for i, p := range probability {
		if p == 0 {
			if counts[i] != 0 {
				t.Errorf("%s: outcome %d happens %d times, want never", what, i, counts[i])
			}
			continue
		}
		d := float64(counts[i]) - p*float64(total)
		sum += d * d / (p * float64(total))
		free++
	}
	if free < 1 {
		return
	}
	if s := (distuv.ChiSquared{K: free}).Survival(sum); s < 1e-6 {
		t.Errorf("%s: chi-squared %g with %g degrees (p %g): counts %v of %d, want shares %v",
			what, sum, free, s, counts, total, probability)
	}
}

// ready returns a loop of one run whose Now has the given fitness; nothing is kept or mutated.
func ready(t *testing.T, fitness []float64, set func(*rsie.Run)) *loop {
	t.Helper()
	l := newLoop(t, backend(t, 2), vectorShape(3), []int{len(fitness)}, func(_ int, r *rsie.Run) {
		r.CrossoverRate, r.Rate, r.DiversityThreshold = 0, 0, 0
		set(r)
	})
	l.fitness = func(_, i int, _ []float64) float64 { return fitness[i] }
	l.generation()
	return l
}

// parents breeds generations and counts first parents.
func (l *loop) parents(generations int) []int {
	counts := make([]int, l.table[0].Members)
	for range generations {
		l.table[0].Generation++
		l.do(rsie.OpBreed)
		for _, p := range l.get(l.state.Next.Parent) {
			counts[int(p)]++
		}
	}
	return counts
}

var tenValues = []float64{5, 3, 9, 1, 7, 2, 8, 4, rsie.Worst, 6}

// places are the ranks of tenValues.
var places = []int{4, 2, 8, 0, 6, 1, 7, 3, 9, 5}

// TestSelection compares 30,000 choices of each operator with its probabilities.
func TestSelection(t *testing.T) {
	const n = 10
	roulette := func(r *rsie.Run) { r.Selection = rsie.CodeRoulette }
	uniform := func(int) float64 { return 0.1 }
	w := rsie.Worst
	cases := []struct {
		name        string
		fitness     []float64
		set         func(*rsie.Run)
		probability func(i int) float64
	}{
		{"tournament of 3", tenValues, func(r *rsie.Run) { r.Tournament = 3 }, func(i int) float64 {
			p := float64(places[i])
			return (math.Pow(n-p, 3) - math.Pow(n-p-1, 3)) / 1000
		}},
		{"tournament of 1", tenValues, func(r *rsie.Run) { r.Tournament = 1 }, uniform},
		{"roulette", tenValues, roulette, func(i int) float64 {
			return max(9-tenValues[i], 0) / 36
		}},
		{"roulette, all equal", make([]float64, n), roulette, uniform},
		{"roulette, one finite", []float64{w, 4, w}, roulette, func(i int) float64 { return float64(i & 1) }},
		{"roulette, none finite", []float64{w, w, w}, roulette, func(int) float64 { return 1. / 3 }},
		{"rank", tenValues, func(r *rsie.Run) { r.Selection = rsie.CodeRankLinear }, func(i int) float64 {
			return 2 * float64(n-1-places[i]) / (n * (n - 1))
		}},
		{"elitism", tenValues, func(r *rsie.Run) {
			r.Selection, r.Eligible = rsie.CodeElitism, 3
		}, func(i int) float64 {
			if places[i] < 3 {
				return 1. / 3
			}
			return 0
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := ready(t, c.fitness, c.set)
			probability := make([]float64, len(c.fitness))
			for i := range probability {
				probability[i] = c.probability(i)
			}
			chiSquared(t, c.name, l.parents(30000/len(c.fitness)), probability)
		})
	}
}

// TestSecondParent checks by the genes that a second parent is drawn like the first,
// independently, and for the stated share of children.
func TestSecondParent(t *testing.T) {
	for selection := rsie.CodeTournament; selection <= rsie.CodeElitism; selection++ {
		l := ready(t, tenValues, func(r *rsie.Run) {
			r.Selection, r.Eligible, r.Tournament, r.CrossoverRate = selection, 3, 2, 0.4
		})
		for i := range 10 {
			l.put(l.state.Now.Points, i*l.state.Stride, []float64{float64(int(1) << i), 0, 0})
		}
		choice := l.get(l.state.Now.Choice)
		pairs, first := make([]int, 100), make([]float64, 10)
		for range 4000 {
			l.table[0].Generation++
			l.do(rsie.OpBreed)
			points, parents := l.get(l.state.Next.Points), l.get(l.state.Next.Parent)
			for i, p := range parents {
				if place := firstPlace(&l.table[0], selection, i); place >= 0 && p != choice[place] {
					t.Fatalf("child %d: parent %g, the first draw is %g", i, p, choice[place])
				}
				sum := 2*l.point(points, 0, i)[0] - float64(int(1)<<int(p))
				pairs[10*int(p)+int(math.Log2(sum))]++
				first[int(p)] += 1. / 40000
			}
		}
		// The first parent's shares are TestSelection's; they serve as the second's here.
		expect := make([]float64, 100)
		for a := range 10 {
			for b := range 10 {
				expect[10*a+b] = first[a] * 0.4 * first[b]
			}
			expect[10*a+a] += first[a] * 0.6
		}
		chiSquared(t, "pairs", pairs, expect)
	}
}

// firstPlace returns the place of the first parent by the addresses that pick's comment states,
// -1 for roulette, which has none.
func firstPlace(t *rsie.Run, selection uint8, i int) int {
	key := rsie.NewKey(t.Seed)
	words := func(block uint32) [4]uint32 {
		return key.Words(block, uint32(i), t.Generation, t.Index, rsie.StreamSelect)
	}
	w := words(0)
	switch selection {
	case rsie.CodeTournament:
		v := words(1)
		return int(min(rsie.Below(v[0], t.Members), rsie.Below(v[1], t.Members)))
	case rsie.CodeRankLinear:
		return rankPlace(uint64(w[1])<<32|uint64(w[0]), uint64(t.Members))
	case rsie.CodeElitism:
		return int(rsie.Below(w[0], t.Eligible))
	}
	return -1
}

// TestRankPlace checks the exact number of tickets of each place.
func TestRankPlace(t *testing.T) {
	const n = 7
	counts := [n]int{}
	total := uint64(n * (n - 1) / 2)
	for ticket := range total {
		// The smallest draw that gives the ticket.
		draw := uint64(math.Ceil(float64(ticket) / float64(total) * (1 << 32)))
		counts[rankPlace(draw<<32, n)]++
	}
	for place, got := range counts {
		if got != n-1-place {
			t.Errorf("place %d has %d tickets, want %d", place, got, n-1-place)
		}
	}
	if got := rankPlace(1<<63, 1); got != 0 {
		t.Errorf("a single member has place %d", got)
	}
}
