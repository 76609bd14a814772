package cpu

import (
	"math"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// loop drives the operations as meta.Batch does, with a fitness computed here: the squared
// distance to a target off the diagonal.
type loop struct {
	t     testing.TB
	g     rsie.Backend
	state *rsie.State
	table []rsie.Run
	spent int
	all   []float64
	// fitness replaces the default when set.
	fitness func(r, i int, x []float64) float64
}

func repeat(n, times int) []int {
	out := make([]int, times)
	for i := range out {
		out[i] = n
	}
	return out
}

// newLoop allocates a state for runs that all start as the default genome; set changes them.
func newLoop(t testing.TB, g rsie.Backend, shape rsie.Shape, members []int, set func(r int, t *rsie.Run)) *loop {
	t.Helper()
	l := &loop{t: t, g: g, table: make([]rsie.Run, len(members))}
	offset, needs := 0, rsie.Needs{Members: members}
	for r, n := range members {
		l.table[r] = rsie.Run{Seed: 1000 + uint64(r), Index: uint32(r), Offset: uint32(offset),
			Members: uint32(n), Previous: uint32(n), EvalTo: uint32(n), Eligible: uint32(max(1, n/5)), Tournament: 5,
			Niche: 5, Family: rsie.CodePopulation, Selection: rsie.CodeTournament,
			Mutation: rsie.CodeGaussian, Crossover: rsie.CodeAveraging, Flags: rsie.FlagActive | rsie.FlagBegin, CrossoverRate: 0.7, Rate: 0.1, Strength: 0.1,
			DiversityThreshold: 0.1, DiversityBonus: 0.1}
		offset += n
		if set != nil {
			set(r, &l.table[r])
		}
		l.table[r].EvalTo -= l.table[r].Probes
		needs.SVD = needs.SVD || l.table[r].Mutation == rsie.CodeSVD
		if correlates(&l.table[r]) {
			l.table[r].Slot = uint32(needs.Slots)
			needs.Slots++
		}
		own(&l.table[r], &needs)
	}
	var err error
	if l.state, err = rsie.NewState(g, shape, needs); err != nil {
		t.Fatal(err)
	}
	l.all = make([]float64, offset*l.state.Stride)
	l.do(rsie.OpInitialise, rsie.OpSample)
	for r := range l.table {
		l.table[r].Flags &^= rsie.FlagBegin
	}
	return l
}

// own adds what run t needs besides its population, and gives it its rows of the archive.
func own(t *rsie.Run, needs *rsie.Needs) {
	t.ArchiveAt = uint32(needs.Archive)
	needs.Archive += int(t.Archive)
	needs.Own = needs.Own || t.Mutation >= rsie.CodeDifferential
	needs.History = needs.History || t.Groups > 0 || t.Adaptation > rsie.CodeNoHistory
}

func backend(t testing.TB, workers int) *Gonum {
	t.Helper()
	g, err := NewGonum(workers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

func (l *loop) do(ops ...rsie.Op) {
	l.t.Helper()
	if err := l.g.Do(l.state, l.table, nil, ops); err != nil {
		l.t.Fatal(err)
	}
}

func (l *loop) get(b rsie.Buffer) []float64 {
	l.t.Helper()
	out := make([]float64, b.Len())
	if err := l.g.Download(out, b, 0); err != nil {
		l.t.Fatal(err)
	}
	return out
}

func (l *loop) put(b rsie.Buffer, at int, v []float64) {
	l.t.Helper()
	if err := l.g.Upload(b, at, v); err != nil {
		l.t.Fatal(err)
	}
}

// point returns row i of run r in points, which is a download of Points.
func (l *loop) point(points []float64, r, i int) []float64 {
	return points[(int(l.table[r].Offset)+i)*l.state.Stride:][:l.state.Shape.Dim]
}

// memory returns an entry of the memory of run r.
func (l *loop) memory(r, entry int) float64 { return l.get(l.state.Memory)[r*rsie.MemCount+entry] }

func (l *loop) setMemory(r, entry int, v float64) {
	l.put(l.state.Memory, r*rsie.MemCount+entry, []float64{v})
}

func target(x []float64) float64 {
	sum := 0.
	for j, v := range x {
		d := v - math.Sin(float64(j))
		sum += d * d * (1 + float64(j%3))
	}
	return sum
}

// evaluate writes the fitness of the rows that ask for it.
func (l *loop) evaluate() {
	l.t.Helper()
	points, fitness := l.get(l.state.Next.Points), l.get(l.state.Next.Fitness)
	for r := range l.table {
		t := &l.table[r]
		for i := int(t.EvalFrom); i < int(t.Members); i++ {
			f := rsie.Worst
			if i < int(t.EvalTo) {
				x := l.point(points, r, i)
				if f = target(x); l.fitness != nil {
					f = l.fitness(r, i, x)
				}
			}
			fitness[int(t.Offset)+i] = f
		}
	}
	l.put(l.state.Next.Fitness, 0, fitness)
}

// tell ends a generation; the loop's counter and elites are set for the next one.
func (l *loop) tell() {
	if l.spent > 0 {
		l.do(rsie.OpReplace)
	}
	l.do(rsie.OpRank, rsie.OpMeasure, rsie.OpShare, rsie.OpUpdate, rsie.OpFactor)
	l.state.Swap()
	l.spent++
}

// fill sets the table for the coming generation: a fifth are elites.
func (l *loop) fill() {
	for r := range l.table {
		t := &l.table[r]
		t.Generation = uint32(l.spent)
		if l.spent > 0 && t.Family == rsie.CodePopulation && t.Flags&rsie.FlagPairwise == 0 {
			t.Elites = t.Members / 5
			t.EvalFrom = t.Elites
		}
	}
}

// generation runs one generation after newLoop.
func (l *loop) generation() {
	l.t.Helper()
	l.fill()
	if l.spent > 0 {
		l.do(rsie.OpBreed, rsie.OpSample, rsie.OpSurvive)
	}
	l.evaluate()
	l.tell()
}
