//go:build cgo

package cpu

import (
	"fmt"
	"math"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// factored runs OpFactor and returns the factors of all members.
func factored(t testing.TB, b rsie.Backend, rows, cols int, members [][]float64) []float64 {
	t.Helper()
	s, runs := populations(t, b, matrixShape(rows, cols), rsie.CodeSVD, members)
	if err := b.Do(s, runs, nil, []rsie.Op{rsie.OpFactor}); err != nil {
		t.Fatal(err)
	}
	out, valid := make([]float64, s.Next.Factors.Len()), make([]float64, s.Next.Factored.Len())
	if err := b.Download(out, s.Next.Factors, 0); err != nil {
		t.Fatal(err)
	}
	if err := b.Download(valid, s.Next.Factored, 0); err != nil {
		t.Fatal(err)
	}
	for i, v := range valid {
		if want := float64(1 - i%2); v != want { // the vector has no factors
			t.Fatalf("factored[%d] is %v, want %v", i, v, want)
		}
	}
	return out
}

// caseMembers returns n matrices of a case, rounded to float32.
func caseMembers(c, n int) (out [][]float64) {
	m := matrices[c]
	for i := range n {
		x := make([]float64, m.rows*m.cols+3)
		normals(x, address{key: rsie.NewKey(uint64(c)), member: uint32(i)}, rsie.StreamInitialise)
		if m.change != nil {
			m.change(x[:m.rows*m.cols], m.rows, m.cols)
		}
		for k, v := range x {
			x[k] = float64(float32(v))
		}
		out = append(out, x)
	}
	return out
}

// TestNativeFactors checks the decompositions of each kind of matrix by every variant: they compose to
// the matrix, their columns are orthonormal, signs are as stated, singular values are the twin's at the
// same places, and a matrix has the same bits among others, alone, and by any variant and number of
// workers. 19 members are a span of 16 and one of 3, or two vectors of 8 and one of 3.
func TestNativeFactors(t *testing.T) {
	for n, c := range matrices {
		t.Run(c.name, func(t *testing.T) {
			members := caseMembers(n, 19)
			size := factorSize(rsie.Block{Rows: c.rows, Cols: c.cols})
			var want []float64
			for _, level := range levels() {
				for _, workers := range []int{1, 2, 7} {
					got := factored(t, nativeAt(t, level, workers), c.rows, c.cols, members)
					if want == nil {
						want = got
					}
					for i, v := range got {
						if math.Float64bits(v) != math.Float64bits(want[i]) {
							t.Fatalf("%v with %d workers: member %d, factor %d is %v, by %v %v", level, workers,
								i/size, i%size, v, levels()[0], want[i])
						}
					}
				}
			}
			alone := factored(t, native(t, 1), c.rows, c.cols, members[17:18])
			if !slices.Equal(alone, want[17*size:18*size]) {
				t.Error("member 17 has other factors when it is alone")
			}
			for i, x := range members {
				checkFactors(t, fmt.Sprint("member ", i), x[:c.rows*c.cols], want[i*size:][:size], c.rows, c.cols)
			}
		})
	}
}

// checkFactors compares the factors f of x with their definition and with the twin's singular values.
// Rotations stop at a cosine of 2e-7, and the rounding of a few hundred of them stays in every vector:
// measured, up to 1e-6 of the largest singular value.
func checkFactors(t *testing.T, name string, x, f []float64, rows, cols int) {
	t.Helper()
	const tolerance = 5e-6
	u, s, v := split(f, rows, cols)
	twin := make([]float64, len(f))
	decompose(twin, x, rows, cols)
	_, want, _ := split(twin, rows, cols)
	scale := max(slices.Max(want), 1e-30)
	for i, w := range want {
		if !(math.Abs(s[i]-w) <= tolerance*scale) {
			t.Errorf("%s: singular value %d is %g, want %g", name, i, s[i], w)
		}
	}
	y := make([]float64, len(x))
	compose(y, f, rows, cols)
	for i := range x {
		if !(math.Abs(x[i]-y[i]) <= tolerance*scale) {
			t.Fatalf("%s: element %d is %g after composing, want %g", name, i, y[i], x[i])
		}
	}
	long, short := u, v
	if rows < cols {
		long, short = v, u
	}
	checkNearlyOrthogonal(t, name, short, len(s), nil)
	checkNearlyOrthogonal(t, name, long, len(s), s)
	checkSigns(t, short, len(s))
}

// checkNearlyOrthogonal is checkOrthogonal in float32. Columns of singular values within rounding of
// zero, beside the largest, are left out.
func checkNearlyOrthogonal(t *testing.T, name string, w []float64, k int, s []float64) {
	t.Helper()
	n := len(w) / k
	for p := range k {
		for q := p; q < k; q++ {
			if s != nil && min(s[p], s[q]) <= 1e-5*slices.Max(s) {
				continue
			}
			dot, want := 0.0, 0.0
			for i := range n {
				dot += w[p*n+i] * w[q*n+i]
			}
			if p == q {
				want = 1
			}
			if !(math.Abs(dot-want) <= 1e-5) {
				t.Fatalf("%s: product of columns %d and %d is %g, want %g", name, p, q, dot, want)
			}
		}
	}
}

// TestNativeFactorsEnd checks that values that are not finite neither hang the sweeps nor reach the
// matrices beside them.
func TestNativeFactorsEnd(t *testing.T) {
	members := caseMembers(2, 16)
	size := factorSize(rsie.Block{Rows: 40, Cols: 7})
	clean := factored(t, native(t, 1), 40, 7, members)
	for _, bad := range []float64{math.NaN(), math.Inf(1), 1e38} {
		members[5] = slices.Clone(members[5])
		members[5][100] = bad
		got := factored(t, native(t, 1), 40, 7, members)
		for i, v := range got {
			if i/size != 5 && v != clean[i] {
				t.Fatalf("%g in member 5: factor %d of member %d is %v, want %v", bad, i%size, i/size, v, clean[i])
			}
		}
		own := got[5*size:][:size]
		if math.IsNaN(bad) && !slices.ContainsFunc(own, math.IsNaN) {
			t.Error("NaN is not in the factors")
		}
	}
}
