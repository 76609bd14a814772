package meta

import (
	"math"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// starts is what the restarts of a run go by.
type starts struct {
	number    int       // starts after the first
	growth    float64   // factor on the population size since the last start
	step      float64   // factor on sigma
	longest   float64   // generations until the next start at the latest, 0 for the default
	begun     int       // evaluations at the last start
	doublings int       // BIPOP: starts with a larger population
	large     bool      // BIPOP: the population is one of those
	spent     [2]int    // BIPOP: evaluations of finished small and large starts
	flat      int       // generations in a row whose better three quarters have one fitness
	best      []float64 // best fitness of every generation since the last start, the latest ones
	middle    []float64 // median fitness
	ended     bool      // a termination criterion holds
}

// Limits of the termination criteria.
//
// Sources: N. Hansen, Benchmarking a BI-population CMA-ES on the BBOB-2009 function testbed,
// GECCO 2009, section 2; pycma 4.5.0 for the values of all but stagnation.
const (
	leastRange       = 1e-11 // of fitness, of a generation and of the latest best values
	leastHistory     = 1e-12 // of the latest best values alone
	leastExtent      = 1e-11 // of the steps along coordinates
	largestCondition = 1e14
	flatGenerations  = 1 // tolerated
	longestHistory   = 20_000
)

// watches reports whether the run restarts by termination criteria.
func (e *runEntry) watches() bool {
	s := &e.spec.Strategy
	return s.Restart != rsie.NoRestart && s.RestartTrigger == rsie.Termination
}

// restart decides whether the run starts again or its last phase begins.
func (e *runEntry) restart(t *rsie.Run, u float64) {
	s := &e.spec.Strategy
	if s.LastPhase > 0 && !e.last && e.spent > 0 && u >= 1-s.LastPhase {
		e.last = true
		e.begin(t)
		t.Flags |= rsie.FlagFromBest
		return
	}
	if s.Restart == rsie.NoRestart || e.last || e.since == 0 {
		return
	}
	due := e.starts.ended
	if s.RestartTrigger == rsie.Patience {
		due = float64(e.spent-e.improved) >= s.RestartPatience*float64(e.spec.Budget) || e.tooLong()
	}
	if !due {
		return
	}
	e.starts.number++
	e.chooseStart()
	e.improved, e.mark = e.spent, rsie.Worst
	e.begin(t)
	if s.Restart == rsie.FromBest {
		t.Flags |= rsie.FlagFromBest
	}
}

// begin marks the coming generation as the first of a start.
func (e *runEntry) begin(t *rsie.Run) {
	e.since = 0
	e.starts.begun, e.starts.flat, e.starts.ended = e.spent, 0, false
	e.starts.best, e.starts.middle = e.starts.best[:0], e.starts.middle[:0]
	t.Flags |= rsie.FlagBegin
}

// chooseStart sets population and steps of the coming start. With BIPOP the first start counts
// as a small one; a small start has the size base·(2^k)^(u²) after k doublings, sigma times
// 0.01^v, and at most half as many evaluations as all large ones.
//
// Sources: A. Auger, N. Hansen, CEC 2005; N. Hansen, GECCO 2009 (see above) in the form of
// pycma 4.5.0.
func (e *runEntry) chooseStart() {
	a := &e.starts
	switch e.spec.Strategy.Restart {
	case rsie.IPOP:
		a.growth *= 2
	case rsie.BIPOP:
		kind := 0
		if a.large {
			kind = 1
		}
		a.spent[kind] += e.spent - a.begun
		a.large = a.spent[0] >= max(1, a.spent[1])
		if a.large {
			a.doublings++
			a.growth, a.step, a.longest = math.Pow(2, float64(a.doublings)), 1, 0
			return
		}
		w := e.spec.Key.Words(uint32(a.number), 0, 0, 0, rsie.StreamRestart)
		v := rsie.Uniform(w[0])
		a.growth = math.Pow(2, float64(a.doublings)*v*v)
		a.step = math.Pow(0.01, rsie.Uniform(w[1]))
		size := e.size(float64(e.spent) / float64(e.spec.Budget))
		a.longest = 0.5 * float64(a.spent[1]) / float64(size)
	}
}

// tooLong reports whether a small start of BIPOP has spent its share, or with termination
// criteria any start 100 + 150·(D+3)²/√lambda generations, lambda of the first.
func (e *runEntry) tooLong() bool {
	longest := math.Inf(1)
	if e.watches() {
		first := e.starts.growth
		e.starts.growth = 1
		lambda := float64(e.size(0))
		e.starts.growth = first
		d := float64(e.scale.Dim)
		longest = 100 + math.Floor(150*(d+3)*(d+3)/math.Sqrt(lambda))
	}
	if e.starts.longest > 0 {
		longest = min(longest, e.starts.longest)
	}
	return float64(e.since) >= longest
}

// judge notes the fitness of a told generation and finds out whether the start has ended.
// sorted is scratch; memory is the run's.
func (e *runEntry) judge(fitness, sorted, memory []float64) {
	a := &e.starts
	sorted = append(sorted[:0], fitness...)
	slices.Sort(sorted)
	n := len(sorted)
	a.note(sorted[0], median(sorted))
	if sorted[0] < sorted[3*n/4] {
		a.flat = 0
	} else {
		a.flat++
	}
	history := a.best[max(0, len(a.best)-10-int(30*float64(e.scale.Dim)/float64(n))):]
	width := slices.Max(history) - slices.Min(history)
	a.ended = a.flat > flatGenerations ||
		width < leastRange && sorted[n-1]-sorted[0] < leastRange ||
		len(history) > 9 && width < leastHistory ||
		memory[rsie.MemExtent] < leastExtent || memory[rsie.MemCondition] > largestCondition ||
		memory[rsie.MemStuck] == 1 || a.stagnates(e.scale.Dim, n) || e.tooLong()
}

// note keeps the latest values, at most twice longestHistory.
func (a *starts) note(best, middle float64) {
	a.best, a.middle = append(a.best, best), append(a.middle, middle)
	if len(a.best) >= 2*longestHistory {
		a.best = a.best[:copy(a.best, a.best[longestHistory:])]
		a.middle = a.middle[:copy(a.middle, a.middle[longestHistory:])]
	}
}

// stagnates reports whether over the last fifth of the generations, at least 120 + 30·D/lambda
// and at most longestHistory, both the best and the median fitness of the last 30 % are no
// better than those of the first 30 %, in the median. It looks at every tenth generation.
func (a *starts) stagnates(dim, lambda int) bool {
	have := len(a.best)
	window := min(max(have/5, 120+int(30*float64(dim)/float64(lambda))), longestHistory)
	if have < window || have%10 != 0 {
		return false
	}
	for _, values := range [2][]float64{a.best[have-window:], a.middle[have-window:]} {
		part := 3 * window / 10
		first, last := slices.Clone(values[:part]), slices.Clone(values[window-part:])
		slices.Sort(first)
		slices.Sort(last)
		if median(last) < median(first) {
			return false
		}
	}
	return true
}

// numbers returns what a saved batch holds of a run besides its curve and history.
func (e *runEntry) numbers() []float64 {
	bit := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	a := &e.starts
	return []float64{float64(e.generation), float64(e.spent), float64(e.since), bit(e.last), float64(e.improved),
		e.mark, float64(a.number), a.growth, a.step, a.longest, float64(a.begun), float64(a.doublings),
		bit(a.large), float64(a.spent[0]), float64(a.spent[1]), float64(a.flat), bit(a.ended), float64(e.live)}
}

// setNumbers is the inverse of numbers.
func (e *runEntry) setNumbers(v []float64) {
	a := &e.starts
	e.generation, e.spent, e.since, e.last = int(v[0]), int(v[1]), int(v[2]), v[3] == 1
	e.improved, e.mark = int(v[4]), v[5]
	a.number, a.growth, a.step, a.longest = int(v[6]), v[7], v[8], v[9]
	a.begun, a.doublings, a.large = int(v[10]), int(v[11]), v[12] == 1
	a.spent, a.flat, a.ended = [2]int{int(v[13]), int(v[14])}, int(v[15]), v[16] == 1
	e.live = int(v[17])
}
