//go:build cgo

package cpu

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/kernels"
)

// distCase is a distribution strategy that TestNativeConforms does not have.
type distCase struct {
	name    string
	shape   rsie.Shape
	members int
	set     func(t *rsie.Run)
	flags   uint16 // of generations after the first
}

func boxed(dim int, open bool) rsie.Shape {
	s := oneBlock(dim)
	s.Lower, s.Upper, s.Open = -2, 3, open
	return s
}

// evolution makes t a CMA-ES with the usual constants of twelve dimensions.
func evolution(t *rsie.Run) {
	natural(t, 0)
	t.Scales, t.Recombine, t.Negative = rsie.CodeNoScales, rsie.CodeTutorial, 0.6
	t.Control, t.StepGain, t.PathRate, t.PathDamping = rsie.CodeCumulative, 1, 0.3, 1.3
	t.Covariance, t.CovPathRate, t.CovRankOne, t.CovRankMu, t.MuEff = rsie.CodeFull, 0.25, 0.01, 0.05, 3
	t.Sigma = 0.3
}

func distCases() []distCase {
	weighted := func(w uint8, scales uint8) func(*rsie.Run) {
		return func(t *rsie.Run) {
			mixedDistribution(1, t)
			t.Recombine, t.Scales, t.Temperature, t.WeightExponent = w, scales, 3, 0.5
			t.Control, t.Mu, t.ScaleRate = rsie.CodePathLength, 12, 0.3
		}
	}
	return []distCase{
		{"softmax deviation", benchShape(), 21, weighted(rsie.CodeSoftmax, rsie.CodeDeviation), 0},
		{"tutorial sep-CMA", oneBlock(40), 20, weighted(rsie.CodeTutorial, rsie.CodeSepCMA), 0},
		{"logistic variance", oneBlock(1000), 20, weighted(rsie.CodeLogistic, rsie.CodeVariance), 0},
		{"logarithmic natural", oneBlock(300), 16, weighted(rsie.CodeLogarithmic, rsie.CodeNatural), rsie.FlagWatch},
		{"pairs likelihood", oneBlock(2100), 17, func(t *rsie.Run) {
			distribution(t)
			t.Flags |= rsie.FlagMirrored
			t.Scales, t.ScaleRate = rsie.CodeLikelihood, 0.05
		}, 0},
		{"closed box", boxed(30, false), 12, func(t *rsie.Run) { natural(t, 0.1); t.Sigma, t.StartShare = 2, 0.5 }, 0},
		{"open box", boxed(30, true), 12, func(t *rsie.Run) { natural(t, 0.1); t.Sigma, t.StartShare = 2, 0.5 }, 0},
		{"starting draws", benchShape(), 12, func(t *rsie.Run) {
			natural(t, 0.1)
			t.StartHidden, t.StartOutput = 0.5, 0.2
			t.Flags |= rsie.FlagDraws
		}, 0},
		{"again from the best", benchShape(), 12, func(t *rsie.Run) {
			natural(t, 0.1)
			t.StartHidden, t.StartOutput = 0.5, 0.2
		}, rsie.FlagBegin | rsie.FlagFromBest},
		{"orthogonal beyond D", oneBlock(5), 23, func(t *rsie.Run) {
			natural(t, 0.1)
			t.Sampling, t.Flags = rsie.CodeOrthogonal, t.Flags|rsie.FlagMirrored
		}, 0},
		{"sobol", oneBlock(700), 12, func(t *rsie.Run) { natural(t, 0.1); t.Sampling = rsie.CodeSobol }, 0},
		{"full", oneBlock(12), 14, evolution, rsie.FlagWatch},
		{"full with scales", oneBlock(12), 14, func(t *rsie.Run) {
			evolution(t)
			t.Scales, t.ScaleRate = rsie.CodeNatural, 0.1
		}, 0},
		{"xNES", oneBlock(11), 14, func(t *rsie.Run) {
			evolution(t)
			t.Covariance, t.Recombine, t.CovRankMu = rsie.CodeExponential, rsie.CodeUtility, 0.4
		}, rsie.FlagWatch},
		{"CR-FM-NES", oneBlock(40), 20, func(t *rsie.Run) {
			mixedLater(5, t)
			t.PathRate, t.Sigma = 0.9, 0.5 // the path becomes long at times
		}, 0},
		{"random", benchShape(), 9, func(t *rsie.Run) { t.Family = rsie.CodeRandom }, 0},
	}
}

// wave is a fitness without meaning, the same for every backend.
func wave(generation, i int) float64 { return math.Sin(float64(7*generation + 3*i*i)) }

// setGeneration sets the flags and the rows of a generation.
func (d *distCase) setGeneration(t *rsie.Run, generation int) {
	t.Generation = uint32(generation)
	t.EvalTo = t.Members - t.Probes
	t.Flags &^= rsie.FlagBegin
	if generation == 0 {
		t.Flags |= rsie.FlagBegin
	} else {
		t.Flags |= d.flags
	}
}

// TestNativeConformsDistributions compares the operations of distributions with the twin.
func TestNativeConformsDistributions(t *testing.T) {
	for _, d := range distCases() {
		t.Run(d.name, func(t *testing.T) {
			l := newLoop(t, backend(t, 1), d.shape, []int{d.members}, func(_ int, run *rsie.Run) { d.set(run) })
			conform(t, l, nil, nil, nil, 4, func(generation int) {
				d.setGeneration(&l.table[0], generation)
				fitness := make([]float64, d.members)
				for i := range fitness {
					fitness[i] = wave(generation, i)
				}
				l.put(l.state.Next.Fitness, 0, fitness)
			}, rsie.OpInitialise, rsie.OpSample, rsie.OpUpdate, rsie.OpProbe, rsie.OpSettle)
		})
	}
}

// distRun carries three runs of a case through generations on any backend, with fitness and order
// from outside, and returns the state. Several runs give every phase spans for several workers.
func distRun(t testing.TB, b rsie.Backend, d *distCase, generations int) []float64 {
	t.Helper()
	const runs = 3
	table, needs := make([]rsie.Run, runs), rsie.Needs{}
	for r := range table {
		n := uint32(d.members)
		run := rsie.Run{Seed: 77, Index: uint32(r), Offset: uint32(r) * n, Members: n, Previous: n, Flags: rsie.FlagActive}
		d.set(&run)
		run.ArchiveAt = uint32(needs.Archive)
		needs.Members, needs.Archive = append(needs.Members, d.members), needs.Archive+int(run.Archive)
		if correlates(&run) {
			run.Slot = uint32(needs.Slots)
			needs.Slots++
		}
		table[r] = run
	}
	s, err := rsie.NewState(b, d.shape, needs)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Free(b)
	for g := range generations {
		for r := range table {
			d.setGeneration(&table[r], g)
			if correlates(&table[r]) {
				table[r].Flags |= rsie.FlagDecompose
			}
		}
		for _, ops := range [][]rsie.Op{{rsie.OpInitialise, rsie.OpSample}, {rsie.OpUpdate, rsie.OpProbe, rsie.OpSettle}} {
			tellWave(t, b, s, d.members, g)
			if err := b.Do(s, table, nil, ops); err != nil {
				t.Fatal(err)
			}
		}
	}
	all, err := s.Save(b)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// tellWave writes fitness and order of runs of n members.
func tellWave(t testing.TB, b rsie.Backend, s *rsie.State, n, generation int) {
	t.Helper()
	fitness, order := make([]float64, s.Members), make([]float64, s.Members)
	for i := range fitness {
		fitness[i], order[i] = wave(generation, i%n), float64(i%n)
	}
	for from := 0; from < s.Members; from += n {
		slices.SortFunc(order[from:from+n], func(i, k float64) int {
			return cmp.Compare(fitness[int(i)], fitness[int(k)])
		})
	}
	if err := b.Upload(s.Next.Fitness, 0, fitness); err != nil {
		t.Fatal(err)
	}
	if err := b.Upload(s.Next.Order, 0, order); err != nil {
		t.Fatal(err)
	}
}

func hashOf(values []float64) uint64 {
	h := fnv.New64a()
	for _, v := range values {
		bits := math.Float64bits(v)
		var b [8]byte
		for k := range b {
			b[k] = byte(bits >> (8 * k))
		}
		h.Write(b[:])
	}
	return h.Sum64()
}

// TestNativeDistributionBits sees every variant that the CPU has, and 1, 2 and 7 workers, give the
// same bits.
func TestNativeDistributionBits(t *testing.T) {
	cases := distCases()
	for k := range mixedSizes {
		if k >= 11 && k <= 15 || k >= 18 {
			cases = append(cases, distCase{name: fmt.Sprint("strategy ", k), shape: benchShape(), members: mixedSizes[k],
				set: func(t *rsie.Run) { mixed(k, t) }})
		}
	}
	for _, d := range cases {
		first := uint64(0)
		for level := kernels.Scalar; level <= kernels.CPULevel(); level++ {
			for _, workers := range []int{1, 2, 7} {
				b := native(t, workers)
				b.level = level
				got := hashOf(distRun(t, b, &d, 3))
				if first == 0 {
					first = got
				}
				if got != first {
					t.Errorf("%s: %v with %d workers: digest %x, want %x", d.name, level, workers, got, first)
				}
				b.Close()
			}
		}
	}
}

// TestNativeDecomposes sees second and roots of a full covariance make up the first matrix.
func TestNativeDecomposes(t *testing.T) {
	for _, n := range []int{1, 2, 3, 12, 33} {
		d := distCase{shape: oneBlock(n), members: 14, set: func(t *rsie.Run) {
			evolution(t)
			t.CovRankMu, t.CovRankOne, t.Negative = 0.4, 0.2, 0 // C stays positive
		}}
		b := native(t, 1)
		state, err := rsie.NewState(b, d.shape, rsie.Needs{Members: []int{14, 14, 14}, Slots: 3})
		if err != nil {
			t.Fatal(err)
		}
		all := distRun(t, b, &d, 4)
		if err := state.Restore(b, all); err != nil {
			t.Fatal(err)
		}
		m := make([]float64, state.MatrixLen)
		if err := b.Download(m, state.Matrices, 0); err != nil {
			t.Fatal(err)
		}
		state.Free(b)
		c, v, roots := m[:n*n], m[n*n:2*n*n], m[2*n*n:]
		size := 0.
		for j := range n {
			size = max(size, c[j*n+j])
		}
		for i := range n {
			for j := range n {
				sum := 0.
				for k := range n {
					sum += v[k*n+i] * roots[k] * roots[k] * v[k*n+j]
				}
				if !(math.Abs(sum-c[i*n+j]) <= 3e-6*size) {
					t.Fatalf("dimension %d: element %d, %d is %g, want %g", n, i, j, sum, c[i*n+j])
				}
			}
		}
		if n > 1 && c[1] == 0 {
			t.Fatal("the covariance stayed diagonal")
		}
	}
}
