package cpu

import (
	"math"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// differential makes t a run of differential evolution.
func differential(t *rsie.Run) {
	t.Mutation, t.Base, t.Adaptation = rsie.CodeDifferential, rsie.CodeBaseRandom, rsie.CodeNoHistory
	t.Flags |= rsie.FlagPairwise
	t.Rate, t.Strength, t.DiversityThreshold = 0.6, 0.7, 0
}

// left returns the numbers below n that are not taken.
func left(n int, taken ...int) (out []int) {
	for i := range n {
		if !slices.Contains(taken, i) {
			out = append(out, i)
		}
	}
	return out
}

// TestDifferential rebuilds every child from the draws by lists of candidates.
func TestDifferential(t *testing.T) {
	const n, dim = 9, 13
	for _, base := range []uint8{rsie.CodeBaseRandom, rsie.CodeBaseBest, rsie.CodeToBest} {
		l := newLoop(t, backend(t, 2), vectorShape(dim), []int{n}, func(_ int, r *rsie.Run) {
			differential(r)
			r.Base, r.Eligible, r.Archive = base, 4, 5
			if base == rsie.CodeToBest {
				r.Flags |= rsie.FlagVaryBest
			}
		})
		for range 4 {
			l.generation()
		}
		l.fill()
		l.do(rsie.OpBreed)
		run := &l.table[0]
		kept := int(l.memory(0, rsie.MemArchive))
		if base == rsie.CodeToBest && kept == 0 {
			t.Fatal("the archive is empty")
		}
		order, now, next := l.get(l.state.Now.Order), l.get(l.state.Now.Points), l.get(l.state.Next.Points)
		archive, parents := l.get(l.state.Archive), l.get(l.state.Next.Parent)
		at := func(place int) []float64 {
			if place >= n {
				return archive[(place-n)*l.state.Stride:][:dim]
			}
			return l.point(now, 0, int(order[place]))
		}
		for i := range n {
			a := addressOf(run, i)
			w, u := a.quad(0, rsie.StreamSelect), a.quad(1, rsie.StreamSelect)
			choose := func(candidates []int, w uint32) int { return candidates[rsie.Below(w, uint32(len(candidates)))] }
			from, pull, taken := i, -1, []int{i}
			switch base {
			case rsie.CodeBaseRandom:
				from = choose(left(n, i), w[0])
				taken = append(taken, from)
			case rsie.CodeBaseBest:
				from, taken = 0, []int{i, 0}
			default:
				best := 2 + int(math.Round(rsie.Uniform(u[2])*2))
				pull = int(rsie.Below(u[0], uint32(best)))
			}
			plus := choose(left(n, taken...), w[1])
			pool := n
			if base == rsie.CodeToBest {
				pool += kept
			}
			minus := choose(left(pool, append(taken, plus)...), w[2])
			if parents[i] != order[i] {
				t.Fatalf("child %d is made against %g, want %g", i, parents[i], order[i])
			}
			for j, got := range l.point(next, 0, i) {
				want := at(i)[j]
				if rsie.Uniform(a.element(j, rsie.StreamMutateMask)) < 0.6 || j == int(rsie.Below(w[3], dim)) {
					want = at(from)[j] + 0.7*(at(plus)[j]-at(minus)[j])
					if pull >= 0 {
						want += 0.7 * (at(pull)[j] - at(i)[j])
					}
				}
				if math.Abs(got-want) > 1e-12*max(1, math.Abs(want)) {
					t.Fatalf("base %d child %d gene %d is %g, want %g", base, i, j, got, want)
				}
			}
		}
	}
}

// TestDifferentialSmall checks that populations too small for distinct members have children
// all the same, and that coordinates stay in the box.
func TestDifferentialSmall(t *testing.T) {
	shape := vectorShape(6)
	shape.Lower, shape.Upper = -0.5, 0.5
	l := newLoop(t, backend(t, 1), shape, []int{1, 2, 3}, func(_ int, r *rsie.Run) { differential(r); r.Strength = 3 })
	for range 5 {
		l.generation()
	}
	for _, x := range l.get(l.state.Now.Points) {
		if !(x >= -0.5 && x <= 0.5) {
			t.Fatalf("coordinate %g is outside the box", x)
		}
	}
}

// TestReplace checks by hand which members survive their children and what the archive and the
// success history keep.
func TestReplace(t *testing.T) {
	nan := math.NaN()
	// The members of Now in order of rising fitness: 2 (1), 0 (3), 3 (5), 1 (9).
	now, child := []float64{3, 9, 1, 5}, []float64{1, 2, nan, 6}
	for _, rule := range []uint8{rsie.CodeSHADE, rsie.CodeLSHADE} {
		l := newLoop(t, backend(t, 2), vectorShape(3), []int{4}, func(_ int, r *rsie.Run) {
			differential(r)
			r.Base, r.Adaptation, r.History, r.Archive, r.Eligible = rsie.CodeToBest, rule, 3, 2, 2
		})
		put := func(points, fitness rsie.Buffer, f []float64, mark float64) {
			for i := range f {
				l.put(points, i*l.state.Stride, []float64{mark + float64(i), 0, 0})
			}
			l.put(fitness, 0, f)
		}
		put(l.state.Now.Points, l.state.Now.Fitness, now, 10)
		l.put(l.state.Now.Order, 0, []float64{2, 0, 3, 1})
		put(l.state.Next.Points, l.state.Next.Fitness, child, 20)
		l.put(l.state.Next.Strengths, 0, []float64{0.9, 0.5, 0.1, 1})
		l.put(l.state.Next.Rates, 0, []float64{0.9, 0.2, 0.1, 0.6})
		l.table[0].Generation = 1
		l.do(rsie.OpReplace)
		// Row 0 equals its rival and stays, row 1 wins by 1, row 2 is NaN, row 3 wins by 3.
		points, fitness := l.get(l.state.Next.Points), l.get(l.state.Next.Fitness)
		for i, want := range []float64{20, 21, 13, 23} {
			if got := l.point(points, 0, i)[0]; got != want {
				t.Errorf("row %d is %g, want %g", i, got, want)
			}
		}
		if !slices.Equal(fitness, []float64{1, 2, 5, 6}) {
			t.Errorf("fitness %v", fitness)
		}
		archive := l.get(l.state.Archive)
		if a, b := archive[0], archive[l.state.Stride]; a != 10 || b != 11 || l.memory(0, rsie.MemArchive) != 2 {
			t.Errorf("archive %g and %g of %g, want 10 and 11", a, b, l.memory(0, rsie.MemArchive))
		}
		history := l.get(l.state.History)
		// w = 1/4 and 3/4: F = (0.25·0.5² + 0.75·1²)/(0.25·0.5 + 0.75·1).
		want := map[uint8]float64{rsie.CodeSHADE: 0.25*0.2 + 0.75*0.6, rsie.CodeLSHADE: (0.25*0.04 + 0.75*0.36) / 0.5}[rule]
		if f, cr := history[0], history[rsie.MaxHistory]; math.Abs(f-0.8125/0.875) > 1e-15 || math.Abs(cr-want) > 1e-15 {
			t.Errorf("rule %d: F %g, CR %g, want %g and %g", rule, f, cr, 0.8125/0.875, want)
		}
		if history[1] != 0.7 || history[rsie.MaxHistory+1] != 0.6 || l.memory(0, rsie.MemHistory) != 1 {
			t.Errorf("the next entry is %g, %g at %g", history[1], history[rsie.MaxHistory+1], l.memory(0, rsie.MemHistory))
		}
		// Children without crossover make the next entry terminal in l_shade.
		put(l.state.Next.Points, l.state.Next.Fitness, child, 20)
		l.put(l.state.Next.Rates, 0, []float64{0, 0, 0, 0})
		l.do(rsie.OpReplace)
		want = map[uint8]float64{rsie.CodeSHADE: 0, rsie.CodeLSHADE: terminal}[rule]
		if cr := l.get(l.state.History)[rsie.MaxHistory+1]; cr != want {
			t.Errorf("rule %d: CR %g, want %g", rule, cr, want)
		}
	}
}

// TestRates checks the distributions of strength and rate around the history.
func TestRates(t *testing.T) {
	const n = 20_000
	l := newLoop(t, backend(t, 2), vectorShape(2), []int{n}, func(_ int, r *rsie.Run) {
		differential(r)
		r.Adaptation, r.History, r.Strength, r.Rate = rsie.CodeLSHADE, 2, 0.5, 0.3
	})
	l.generation()
	l.put(l.state.History, rsie.MaxHistory+1, []float64{terminal})
	l.fill()
	l.do(rsie.OpBreed)
	strengths, rates := l.get(l.state.Next.Strengths), l.get(l.state.Next.Rates)
	zero, below, sum := 0., 0., 0.
	for i, cr := range rates {
		if cr == 0 {
			zero++
		}
		sum += cr
		if strengths[i] < 0.5 {
			below++
		}
		if !(strengths[i] > 0 && strengths[i] <= 1) || cr < 0 || cr > 1 {
			t.Fatalf("F %g, CR %g", strengths[i], cr)
		}
	}
	// The Cauchy draws below 0 are drawn again: P(F <= 0) = 1/2 - atan(5)/π.
	under := 0.5 - math.Atan(5)/math.Pi
	want := (0.5 - under) / (1 - under)
	if math.Abs(below/n-want) > 5*math.Sqrt(0.25/n) {
		t.Errorf("%g of the strengths are below the median, want %g", below/n, want)
	}
	if math.Abs(zero/n-0.5) > 0.02 || math.Abs(sum/(n-zero)-0.3) > 0.005 {
		t.Errorf("%g rates are 0, the others %g in the mean, want 0.5 and 0.3", zero/n, sum/(n-zero))
	}
}

// TestOwnStep checks the inherited steps of children and of survivors.
func TestOwnStep(t *testing.T) {
	l := newLoop(t, backend(t, 2), vectorShape(400), []int{12}, func(_ int, r *rsie.Run) {
		r.Mutation, r.StepFactor, r.Rate, r.CrossoverRate, r.DiversityThreshold = rsie.CodeSelfAdaptive, 3, 1, 0, 0
	})
	l.generation()
	for i := range 12 {
		l.put(l.state.Now.Strengths, i, []float64{math.Pow(2, float64(i-6))})
	}
	l.fill()
	l.do(rsie.OpBreed, rsie.OpSurvive)
	steps, parent, order := l.get(l.state.Next.Strengths), l.get(l.state.Next.Parent), l.get(l.state.Now.Order)
	now, next := l.get(l.state.Now.Points), l.get(l.state.Next.Points)
	for i, got := range steps {
		from := int(parent[i])
		if i < 2 {
			from = int(order[i])
		}
		old := math.Pow(2, float64(from-6))
		if i < 2 {
			if got != old {
				t.Errorf("survivor %d has the step %g, want %g", i, got, old)
			}
			continue
		}
		a := addressOf(&l.table[0], i)
		want := old * math.Pow(3, 2*rsie.Uniform(a.element(0, rsie.StreamFactor))-1)
		if math.Abs(got-min(want, 10)) > 1e-12*want {
			t.Errorf("child %d has the step %g, want %g", i, got, want)
		}
		sum := 0.
		for j, x := range l.point(next, 0, i) {
			d := x - l.point(now, 0, from)[j]
			sum += d * d
		}
		if size := math.Sqrt(sum/400) / (0.1 * got); math.Abs(size-1) > 0.2 {
			t.Errorf("child %d moved by %g of its step", i, size)
		}
	}
}

// TestGroups checks which groups of steps go on, by hand.
func TestGroups(t *testing.T) {
	l := newLoop(t, backend(t, 1), vectorShape(3), []int{9}, func(_ int, r *rsie.Run) {
		r.Mutation, r.StepFactor, r.Groups, r.Elites = rsie.CodeSelfAdaptive, 1.0001, 4, 1
	})
	l.put(l.state.History, 0, []float64{1, 2, 3, 4})
	l.put(l.state.Now.Fitness, 0, slices.Repeat([]float64{5}, 9))
	// Rows 1 and 2 are group 0, then 3 and 4, 5 and 6, 7 and 8: gains -1, 2, -3, 0.
	l.put(l.state.Next.Fitness, 0, []float64{0, 4, 6, 7, 9, 5, 2, 5, 5})
	l.table[0].EvalFrom = 1
	seen := map[float64]bool{}
	for generation := range 40 {
		l.put(l.state.History, 0, []float64{1, 2, 3, 4})
		l.table[0].Generation = uint32(1 + generation)
		l.do(rsie.OpReplace)
		steps := l.get(l.state.History)[:4]
		for k, v := range steps {
			seen[math.Round(v)] = true
			if k == 0 && math.Round(v) != 3 {
				t.Fatalf("the first step is %g, want that of the best group", v)
			}
		}
	}
	if len(seen) != 2 || !seen[1] || !seen[3] {
		t.Errorf("steps %v go on, want those of the better half, 1 and 3", seen)
	}
}

// TestShrink checks that a smaller generation of a population descends from the best members.
func TestShrink(t *testing.T) {
	l := newLoop(t, backend(t, 2), vectorShape(5), []int{20}, func(_ int, r *rsie.Run) { differential(r) })
	l.generation()
	order := l.get(l.state.Now.Order)
	l.fill()
	l.table[0].Members, l.table[0].EvalTo = 6, 6
	l.do(rsie.OpBreed)
	if got := l.get(l.state.Next.Parent)[:6]; !slices.Equal(got, order[:6]) {
		t.Errorf("children are made against %v, want %v", got, order[:6])
	}
}
