package cpu

import (
	"fmt"
	"math"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
	"gonum.org/v1/gonum/mat"
)

// matrices are the cases: how the entries of a standard normal matrix are changed.
var matrices = []struct {
	name       string
	rows, cols int
	change     func(x []float64, rows, cols int)
}{
	{"square", 16, 16, nil},
	{"smallest", 2, 2, nil},
	{"tall", 40, 7, nil},
	{"wide", 7, 40, nil},
	{"one pair of columns", 33, 2, nil},
	{"rank 2", 12, 9, func(x []float64, rows, cols int) {
		for i := range rows {
			for j := 2; j < cols; j++ {
				x[i*cols+j] = float64(j)*x[i*cols] - 0.5*x[i*cols+1]
			}
		}
	}},
	{"equal columns", 8, 6, func(x []float64, rows, cols int) {
		for i := range rows {
			for j := range cols {
				x[i*cols+j] = x[i*cols]
			}
		}
	}},
	{"zero", 5, 4, func(x []float64, _, _ int) { clear(x) }},
	{"identity", 6, 6, func(x []float64, _, cols int) {
		clear(x)
		for t := range cols {
			x[t*cols+t] = 1
		}
	}},
	{"columns from 1 to 1e-12", 20, 13, func(x []float64, _, cols int) {
		for i := range x {
			x[i] *= math.Pow(10, -float64(i%cols))
		}
	}},
	{"Hilbert, condition 1e13", 10, 10, func(x []float64, _, cols int) {
		for i := range x {
			x[i] = 1 / float64(i/cols+i%cols+1)
		}
	}},
	{"64 x 64", 64, 64, nil},
}

// TestDecompose compares with LAPACK's algorithm in gonum and checks U·diag(s)·Vᵀ = A and the
// orthogonality of U and V.
func TestDecompose(t *testing.T) {
	for n, c := range matrices {
		t.Run(c.name, func(t *testing.T) {
			x := make([]float64, c.rows*c.cols)
			normals(x, address{key: rsie.NewKey(uint64(n))}, rsie.StreamInitialise)
			if c.change != nil {
				c.change(x, c.rows, c.cols)
			}
			f := make([]float64, factorSize(rsie.Block{Rows: c.rows, Cols: c.cols}))
			decompose(f, x, c.rows, c.cols)
			u, s, v := split(f, c.rows, c.cols)

			var svd mat.SVD
			if !svd.Factorize(mat.NewDense(c.rows, c.cols, slices.Clone(x)), mat.SVDThin) {
				t.Fatal("gonum does not converge")
			}
			want := svd.Values(nil)
			got := slices.Clone(s)
			slices.Sort(got)
			slices.Reverse(got)
			scale := max(want[0], 1e-300)
			for i := range want {
				if math.Abs(got[i]-want[i]) > 1e-13*scale {
					t.Errorf("singular value %d is %g, gonum's %g", i, got[i], want[i])
				}
			}
			y := make([]float64, len(x))
			compose(y, f, c.rows, c.cols)
			for i := range x {
				if !(math.Abs(x[i]-y[i]) <= 1e-13*scale) {
					t.Fatalf("element %d is %g after composing, want %g", i, y[i], x[i])
				}
			}
			long, short := u, v
			if c.rows < c.cols {
				long, short = v, u
			}
			checkOrthogonal(t, short, len(s), nil)
			checkOrthogonal(t, long, len(s), s)
			checkSigns(t, short, len(s))
		})
	}
}

// checkOrthogonal expects orthonormal columns; those of a zero singular value are zero.
func checkOrthogonal(t *testing.T, w []float64, k int, s []float64) {
	t.Helper()
	n := len(w) / k
	for p := range k {
		for q := p; q < k; q++ {
			dot, want := 0., 0.
			for i := range n {
				dot += w[p*n+i] * w[q*n+i]
			}
			if p == q && (s == nil || s[p] > 0) {
				want = 1
			}
			if !(math.Abs(dot-want) <= 1e-12) {
				t.Fatalf("product of columns %d and %d is %g, want %g", p, q, dot, want)
			}
		}
	}
}

func checkSigns(t *testing.T, w []float64, k int) {
	t.Helper()
	for p := range k {
		column := w[p*k:][:k]
		if slices.Max(column) < -slices.Min(column)-1e-15 {
			t.Errorf("the largest entry of column %d is negative", p)
		}
	}
}

// TestDecomposeEnds checks that values that are not finite do not hang the sweeps.
func TestDecomposeEnds(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), 1e300} {
		x := []float64{1, 2, bad, 3, 4, 5}
		f := make([]float64, 2*(3+1+2))
		decompose(f, x, 3, 2)
		if y := make([]float64, 6); bad != 1e300 {
			compose(y, f, 3, 2)
			if finite(y[2]) {
				t.Errorf("%g became %g", bad, y[2])
			}
		}
	}
}

// TestFactor checks that OpFactor computes what is missing, and only that.
func TestFactor(t *testing.T) {
	g := backend(t, 2)
	l := newLoop(t, g, benchShape(), []int{4, 5}, func(r int, run *rsie.Run) {
		if r == 1 {
			run.Mutation = rsie.CodeSVD
		}
	})
	marks := make([]float64, 9*len(l.state.Shape.Blocks))
	keepBlock := 5*len(l.state.Shape.Blocks) + 2 // the second matrix of run 1's member 1
	marks[keepBlock] = 1
	l.put(l.state.Next.Factored, 0, marks)
	l.do(rsie.OpFactor)
	points, factors, valid := l.get(l.state.Next.Points), l.get(l.state.Next.Factors), l.get(l.state.Next.Factored)
	for m := range 9 {
		at := m * l.state.FactorLen
		for i, b := range l.state.Shape.Blocks {
			n := factorSize(b)
			name := fmt.Sprintf("member %d block %d", m, i)
			if got, want := valid[m*len(l.state.Shape.Blocks)+i] == 1, n > 0 && m >= 4; got != want {
				t.Errorf("%s: valid %v, want %v", name, got, want)
			}
			own := factors[at : at+n]
			at += n
			if n == 0 {
				continue
			}
			want := make([]float64, n)
			if m >= 4 && m*len(l.state.Shape.Blocks)+i != keepBlock {
				decompose(want, points[m*l.state.Stride+b.Offset:][:b.Rows*b.Cols], b.Rows, b.Cols)
			}
			if !slices.Equal(own, want) {
				t.Errorf("%s: wrong factors", name)
			}
		}
	}
}
