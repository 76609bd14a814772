//go:build cgo

package cpu

import (
	"fmt"
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
	for b.Loop() {
		do(rsie.OpBreed)
	}
	b.ReportMetric(float64(members*dim)*float64(b.N)/b.Elapsed().Seconds(), "elements/s")
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
