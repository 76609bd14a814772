package cpu

import (
	"fmt"
	"math"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// symmetric returns V·diag(values)·Vᵀ for an orthogonal V.
func symmetric(n int, value func(k int) float64) []float64 {
	x, f := make([]float64, n*n), make([]float64, n*(2*n+1))
	normals(x, address{key: rsie.NewKey(uint64(n))}, rsie.StreamProblem)
	decompose(f, x, n, n)
	_, _, v := split(f, n, n)
	out := make([]float64, n*n)
	for k := range n {
		addOuter(out, v[k*n:][:n], value(k))
	}
	return out
}

// TestEigen checks values, orthogonality and the product for matrices of every kind: distinct,
// repeated, negative, zero, badly conditioned, diagonal, and of the smallest sizes.
func TestEigen(t *testing.T) {
	for name, value := range map[string]func(k int) float64{
		"distinct": func(k int) float64 { return float64(k*k) - 3.5 },
		"repeated": func(k int) float64 { return float64(k / 3) },
		"opposite": func(k int) float64 { return float64(1 - 2*(k%2)) },
		"graded":   func(k int) float64 { return math.Pow(10, -float64(k)) },
		"zero":     func(int) float64 { return 0 },
		"identity": func(int) float64 { return 1 },
	} {
		for _, n := range []int{1, 2, 3, 5, 8, 33} {
			a := symmetric(n, value)
			values, v := make([]float64, n), make([]float64, n*n)
			kept := append([]float64(nil), a...)
			eigen(values, v, kept, make([]float64, eigenScratch(n)))
			largest := 1e-30
			for k := range n {
				largest = max(largest, math.Abs(value(k)))
			}
			back := make([]float64, n*n)
			for k := range n {
				addOuter(back, v[k*n:][:n], values[k])
				for i := range k + 1 {
					want := 0.0
					if i == k {
						want = 1
					}
					if got := product(v[k*n:][:n], v[i*n:][:n]); math.Abs(got-want) > 1e-13 {
						t.Errorf("%s %d: vectors %d and %d have the product %g", name, n, i, k, got)
					}
				}
				closest := math.Inf(1)
				for i := range n {
					closest = min(closest, math.Abs(values[k]-value(i)))
				}
				if closest > 1e-13*largest {
					t.Errorf("%s %d: no eigenvalue %g", name, n, values[k])
				}
			}
			for j := range a {
				if math.Abs(back[j]-a[j]) > 1e-13*largest {
					t.Errorf("%s %d: element %d is %g, want %g", name, n, j, back[j], a[j])
				}
			}
		}
	}
	// What is not finite ends the steps.
	eigen(make([]float64, 3), make([]float64, 9), []float64{1, math.NaN(), 0, math.NaN(), 1, 2, 0, 2, math.Inf(1)},
		make([]float64, eigenScratch(3)))
}

func BenchmarkEigen(b *testing.B) {
	for _, n := range []int{5, 20, 64, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := symmetric(n, func(k int) float64 { return 1 + float64(k) })
			a, values, v := make([]float64, n*n), make([]float64, n), make([]float64, n*n)
			scratch := make([]float64, eigenScratch(n))
			b.ReportAllocs()
			for b.Loop() {
				copy(a, m)
				eigen(values, v, a, scratch)
			}
		})
	}
}
