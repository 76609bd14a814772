//go:build cgo

package cpu

import (
	"fmt"
	"syscall"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// benchMutate times OpBreed with copied parents and Gaussian mutation at rate 0.1, on one worker.
func benchMutate(b *testing.B, g rsie.Backend, bytes, members, dim int) {
	shape := rsie.Shape{Name: "mutate", Dim: dim, Blocks: []rsie.Block{{Rows: 1, Cols: dim, Std: 1}}}
	s, err := rsie.NewState(g, shape, rsie.Needs{Members: []int{members}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Free(g)
	n := uint32(members)
	table := []rsie.Run{{Seed: 1, Members: n, Previous: n, EvalTo: n, Tournament: 1, Eligible: 1, Niche: 1,
		Family: rsie.CodePopulation, Selection: rsie.CodeTournament, Mutation: rsie.CodeGaussian,
		Crossover: rsie.CodeAveraging, Rate: 0.1, Strength: 0.01, Flags: rsie.FlagActive | rsie.FlagBegin}}
	do := func(ops ...rsie.Op) {
		if err := g.Do(s, table, nil, ops); err != nil {
			b.Fatal(err)
		}
	}
	do(rsie.OpInitialise, rsie.OpRank, rsie.OpShare)
	s.Swap()
	table[0].Flags = rsie.FlagActive
	table[0].Generation = 1
	do(rsie.OpBreed)
	b.SetBytes(int64(2 * bytes * members * dim))
	b.ReportAllocs()
	start := processSeconds()
	for b.Loop() {
		do(rsie.OpBreed)
	}
	used := processSeconds() - start
	b.ReportMetric(float64(members*dim)*float64(b.N)/b.Elapsed().Seconds(), "elements/s")
	b.ReportMetric(float64(members*dim)*float64(b.N)/used, "elements/cpu-s")
}

// processSeconds is the time that all threads of the process have computed: on a machine with other
// work, less depends on that than of the time that passes.
func processSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// BenchmarkNativeMutate compares mutation on one core with the twin; 8 bytes of memory traffic per
// element are counted, 16 for the twin. 64 x 1,500 values lie in the second cache.
func BenchmarkNativeMutate(b *testing.B) {
	for _, c := range [][2]int{{64, 1500}, {1024, 48828}, {3200, 259}} {
		b.Run(fmt.Sprintf("backend=native/%dx%d", c[0], c[1]), func(b *testing.B) {
			benchMutate(b, native(b, 1), 4, c[0], c[1])
		})
		if c[0]*c[1] < 1<<23 {
			b.Run(fmt.Sprintf("backend=gonum/%dx%d", c[0], c[1]), func(b *testing.B) {
				benchMutate(b, backend(b, 1), 8, c[0], c[1])
			})
		}
	}
}

// gaRuns steps 64 runs of SimpleGA with different settings, populations of 50, on a network 4-32-3.
type gaRuns struct {
	g     rsie.Backend
	state *rsie.State
	table []rsie.Run
	p     rsie.Program
	spent int
}

func newGARuns(b *testing.B, g rsie.Backend) *gaRuns {
	m := &rsie.Model{Network: rsie.Dense, Layers: []int{4, 32, 3}, Activation: []rsie.Activation{rsie.Tanh},
		Loss: rsie.CrossEntropy}
	rows := &rsie.Rows{S: 150, Inputs: make([]float64, 150*4), Classes: make([]int32, 150)}
	normals(rows.Inputs, address{key: rsie.NewKey(78)}, rsie.StreamProblem)
	for i := range rows.Classes {
		rows.Classes[i] = int32(i % 3)
	}
	p, err := g.Load(m, rows)
	if err != nil {
		b.Fatal(err)
	}
	s, err := rsie.NewState(g, rsie.Shape{Name: "ga", Dim: m.Dim(), Blocks: m.Blocks()}, rsie.Needs{Members: repeat(50, 64)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Free(g) })
	table := make([]rsie.Run, 64)
	for r := range table {
		table[r] = rsie.Run{Seed: uint64(r), Index: uint32(r), Offset: uint32(50 * r), Members: 50, Previous: 50,
			EvalTo: 50, Tournament: uint32(2 + r%4), Eligible: 10, Niche: 5, Family: rsie.CodePopulation,
			Selection: rsie.CodeTournament, Mutation: rsie.CodeGaussian, Crossover: rsie.CodeAveraging,
			CrossoverRate: 0.1 * float64(r%8), Rate: 0.05 + 0.01*float64(r%10), Strength: 0.1,
			DiversityThreshold: 0.01, Flags: rsie.FlagActive | rsie.FlagBegin}
	}
	return &gaRuns{g: g, state: s, table: table, p: p}
}

// step runs one generation. Without evaluation the fitness stays what it was.
func (s *gaRuns) step(b *testing.B, evaluate bool) {
	ops := []rsie.Op{rsie.OpBreed, rsie.OpSurvive}
	if s.spent == 0 {
		ops = []rsie.Op{rsie.OpInitialise}
	}
	if evaluate || s.spent < 2 {
		ops = append(ops, rsie.OpEvaluate)
	}
	if err := s.g.Do(s.state, s.table, s.p, append(ops, rsie.OpRank, rsie.OpMeasure, rsie.OpShare)); err != nil {
		b.Fatal(err)
	}
	s.state.Swap()
	s.spent++
	for r := range s.table {
		t := &s.table[r]
		t.Flags, t.Generation, t.Elites, t.EvalFrom = rsie.FlagActive, uint32(s.spent), 5, 5
	}
}

// BenchmarkNativeGA times generations of 64 runs with and without evaluation on 1 and 2 workers, and
// on one of the twin.
func BenchmarkNativeGA(b *testing.B) {
	for _, evaluate := range []bool{false, true} {
		for _, c := range []struct {
			name string
			open func() rsie.Backend
		}{
			{"backend=native/workers=1", func() rsie.Backend { return native(b, 1) }},
			{"backend=native/workers=2", func() rsie.Backend { return native(b, 2) }},
			{"backend=gonum/workers=1", func() rsie.Backend { return backend(b, 1) }},
		} {
			b.Run(fmt.Sprintf("%s/evaluate=%v", c.name, evaluate), func(b *testing.B) {
				s := newGARuns(b, c.open())
				for range 3 {
					s.step(b, evaluate)
				}
				b.ReportAllocs()
				start := processSeconds()
				for b.Loop() {
					s.step(b, evaluate)
				}
				used := processSeconds() - start
				b.ReportMetric(64*float64(b.N)/b.Elapsed().Seconds(), "generations/s")
				b.ReportMetric(64*float64(b.N)/used, "generations/cpu-s")
				b.ReportMetric(64*45*float64(b.N)/b.Elapsed().Seconds(), "children/s")
			})
		}
	}
}
