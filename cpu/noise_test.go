package cpu

import (
	"math"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/kernels"
)

// noises returns the samples of one generation around a mean of 0 with steps of 1.
func noises(t *testing.T, n int, shape rsie.Shape, set func(*rsie.Run)) (*loop, [][]float64) {
	t.Helper()
	l := newLoop(t, backend(t, 2), shape, []int{n}, func(_ int, r *rsie.Run) {
		distribution(r)
		r.Sigma = 1
		set(r)
	})
	l.setVector(0, rsie.VecMean, make([]float64, shape.Dim))
	l.do(rsie.OpSample)
	points := l.get(l.state.Next.Points)
	out := make([][]float64, n)
	for i := range out {
		out[i] = l.point(points, 0, i)
	}
	return l, out
}

func dot(a, b []float64) (sum float64) {
	for j, v := range a {
		sum += v * b[j]
	}
	return sum
}

// TestOrthogonal checks right angles within blocks of D samples, the lengths, and that pairs and
// blocks stand where they should.
func TestOrthogonal(t *testing.T) {
	const dim = 7
	for _, mirrored := range []bool{false, true} {
		const n = 23
		l, z := noises(t, n, vectorShape(dim), func(r *rsie.Run) {
			r.Sampling = rsie.CodeOrthogonal
			if mirrored {
				r.Flags |= rsie.FlagMirrored
			}
		})
		base := z
		if mirrored {
			base = nil
			for i := 0; i < n; i += 2 {
				base = append(base, z[i])
				if i+1 < n {
					for j, v := range z[i+1] {
						if v != -z[i][j] {
							t.Fatalf("rows %d and %d are no pair", i, i+1)
						}
					}
				}
			}
		}
		for k, y := range base {
			raw := make([]float64, dim)
			normals(raw, addressOf(&l.table[0], k), rsie.StreamSample)
			if got, want := math.Sqrt(dot(y, y)), math.Sqrt(dot(raw, raw)); math.Abs(got-want) > 1e-12*want {
				t.Errorf("sample %d is %g long, want %g", k, got, want)
			}
			for m := range k {
				cosine := dot(y, base[m]) / math.Sqrt(dot(y, y)*dot(base[m], base[m]))
				if same := k/dim == m/dim; same != (math.Abs(cosine) < 1e-12) {
					t.Errorf("samples %d and %d have the cosine %g", k, m, cosine)
				}
			}
		}
	}
}

// TestSobolNumbers compares the sequence before scrambling with scipy 1.17.1's, whose order is
// that of the Gray code.
func TestSobolNumbers(t *testing.T) {
	for _, c := range []struct {
		index uint32
		want  []uint32
	}{
		{5, []uint32{3758096384, 3758096384, 536870912, 1610612736, 1610612736, 536870912, 3758096384}},
		{77, []uint32{3590324224, 3590324224, 33554432, 3321888768, 570425344, 3858759680, 4127195136}},
	} {
		for k, j := range []int{0, 1, 2, 3, 10, 100, 255} {
			x := uint32(0)
			for bit := range 32 {
				if (c.index^c.index>>1)>>bit&1 == 1 {
					x ^= kernels.Sobol[j][bit]
				}
			}
			if x != c.want[k] {
				t.Errorf("point %d, dimension %d: %d, want %d", c.index, j, x, c.want[k])
			}
		}
	}
}

// TestSobol checks that each of 2^k equal shares of every coordinate holds one of 2^k samples, for
// dimensions beyond the table too, that pairs of dimensions fill squares evenly within it, and
// that generations differ.
func TestSobol(t *testing.T) {
	const n, dim = 64, 520
	l, z := noises(t, n, vectorShape(dim), func(r *rsie.Run) { r.Sampling = rsie.CodeSobol })
	cell := func(v float64, cells int) int { return int(0.5 * math.Erfc(-v/math.Sqrt2) * float64(cells)) }
	for j := range dim {
		var seen [n]bool
		for i := range n {
			seen[cell(z[i][j], n)] = true
		}
		if slices.Contains(seen[:], false) {
			t.Fatalf("dimension %d leaves a share empty", j)
		}
	}
	var squares [n]int
	for i := range n {
		squares[8*cell(z[i][0], 8)+cell(z[i][1], 8)]++
	}
	if slices.Max(squares[:]) != 1 {
		t.Errorf("the first two dimensions fill squares %v times", squares)
	}
	if same := correlation(z, 3, 259); math.Abs(same) > 0.5 {
		t.Errorf("dimensions 3 and 259, which share numbers, have the correlation %g", same)
	}
	l.table[0].Generation++
	l.do(rsie.OpSample)
	if slices.Equal(l.point(l.get(l.state.Next.Points), 0, 0), z[0]) {
		t.Error("two generations are equal")
	}
}

func correlation(z [][]float64, a, b int) float64 {
	var ab, aa, bb float64
	for _, x := range z {
		ab, aa, bb = ab+x[a]*x[b], aa+x[a]*x[a], bb+x[b]*x[b]
	}
	return ab / math.Sqrt(aa*bb)
}

// TestLowRank checks that matrices of noise have rank one and variance one, and that vectors are
// not products.
func TestLowRank(t *testing.T) {
	shape := benchShape()
	const n = 4000
	_, z := noises(t, n, shape, func(r *rsie.Run) { r.Sampling = rsie.CodeLowRank })
	for _, b := range shape.Blocks {
		at := func(i, row, col int) float64 { return z[i][b.Offset+row*b.Cols+col] }
		sum := 0.
		for i := range n {
			sum += at(i, b.Rows-1, b.Cols-1) * at(i, b.Rows-1, b.Cols-1)
		}
		// The square of a product of two normals has variance 8.
		if got := sum / n; math.Abs(got-1) > 5*math.Sqrt(8./n) {
			t.Errorf("block at %d: variance %g", b.Offset, got)
		}
		if b.Rows < 2 || b.Cols < 2 {
			continue
		}
		if drawsOf(b) == b.Rows*b.Cols {
			t.Fatal("the shape has no matrix of low rank")
		}
		minor := at(0, 0, 0)*at(0, 1, 1) - at(0, 0, 1)*at(0, 1, 0)
		if math.Abs(minor) > 1e-12 {
			t.Errorf("block at %d: minor %g", b.Offset, minor)
		}
		if math.Abs(at(0, 0, 0)-at(0, 1, 0)) < 1e-9 || math.Abs(at(0, 0, 0)-at(0, 0, 1)) < 1e-9 {
			t.Errorf("block at %d repeats an entry", b.Offset)
		}
	}
}

// TestParents checks the plus selection of the archive and the children made from it.
func TestParents(t *testing.T) {
	const n = 400
	l := newLoop(t, backend(t, 2), vectorShape(6), []int{n}, func(_ int, r *rsie.Run) {
		distribution(r)
		r.Archive, r.ParentShare, r.ParentStep, r.ParentCross = 3, 0.25, 0, 0.5
	})
	fitness := make([]float64, n)
	for i := range fitness {
		fitness[i] = float64((i * 7) % n)
		l.put(l.state.Next.Points, i*l.state.Stride, slices.Repeat([]float64{fitness[i]}, 6))
	}
	fitness[0] = math.NaN()
	l.put(l.state.Next.Fitness, 0, fitness)
	l.do(rsie.OpReplace)
	kept := l.get(l.state.ArchiveFitness)
	slices.Sort(kept)
	if !slices.Equal(kept, []float64{1, 2, 3}) || l.memory(0, rsie.MemArchive) != 3 {
		t.Fatalf("the archive holds %v", kept)
	}
	l.do(rsie.OpSample)
	children, two := 0., 0.
	points := l.get(l.state.Next.Points)
	for i := range n {
		x := l.point(points, 0, i)
		if !slices.Contains([]float64{1, 2, 3}, x[0]) {
			continue
		}
		children++
		for _, v := range x {
			if !slices.Contains([]float64{1, 2, 3}, v) {
				t.Fatalf("a child holds %g", v)
			}
		}
		if slices.Min(x) != slices.Max(x) {
			two++
		}
	}
	if math.Abs(children/n-0.25) > 0.08 {
		t.Errorf("%g of the samples are children of the archive, want 0.25", children/n)
	}
	// Two parents of three differ in 2/3 of the cases, and in all genes but 1/32 of these.
	if want := 0.5 * 2 / 3 * 31 / 32; math.Abs(two/children-want) > 0.17 {
		t.Errorf("%g of the children have two parents, want %g", two/children, want)
	}
	l.put(l.state.Next.Fitness, 0, slices.Repeat([]float64{-1}, n))
	l.table[0].EvalFrom, l.table[0].EvalTo = 5, 6
	l.do(rsie.OpReplace)
	if kept := l.get(l.state.ArchiveFitness); slices.Min(kept) != -1 || slices.Max(kept) != 2 {
		t.Errorf("one better point leaves %v", kept)
	}
}
