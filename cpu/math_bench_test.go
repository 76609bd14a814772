package cpu

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
	"gonum.org/v1/gonum/floats"
)

// BenchmarkProduct compares ways to the same product of k-ordered sums: y[j] += Σ_k w[k][j]·x[k].
func BenchmarkProduct(b *testing.B) {
	for _, c := range []struct{ in, out, n int }{
		{4, 8, 48}, {64, 32, 60}, {16, 27, 64}, {13, 16, 56}, {5, 16, 8},
	} {
		x, w, y := ramp(c.in*c.n), ramp(c.in*c.out), make([]float64, c.out*c.n)
		for _, k := range []struct {
			name string
			f    func(y, x, w []float64, n, cols int)
		}{
			{"gemv", func(y, x, w []float64, n, cols int) { addProduct(y, x, w, n, cols, cols) }},
			{"axpy", productAxpy}, {"gemm", productGemm}, {"loops4x1", productLoops},
		} {
			b.Run(fmt.Sprintf("%dx%dx%d/%s", c.in, c.out, c.n, k.name), func(b *testing.B) {
				for b.Loop() {
					k.f(y, x, w, c.n, c.out)
				}
				b.ReportMetric(float64(2*c.in*c.out*c.n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

func productAxpy(y, x, w []float64, n, cols int) {
	for j := range cols {
		row := y[j*n:][:n]
		for k := range len(x) / n {
			floats.AddScaled(row, w[k*cols+j], x[k*n:][:n])
		}
	}
}

func productGemm(y, x, w []float64, n, cols int) {
	gonum.Implementation{}.Dgemm(blas.Trans, blas.NoTrans, cols, n, len(x)/n, 1, w, cols, x, n, 1, y, n)
}

func productLoops(y, x, w []float64, n, cols int) {
	in := len(x) / n
	for j := range cols {
		row := y[j*n:][:n]
		k := 0
		for ; k+4 <= in; k += 4 {
			w0, w1, w2, w3 := w[k*cols+j], w[k*cols+cols+j], w[(k+2)*cols+j], w[(k+3)*cols+j]
			x0 := x[k*n:][:len(row)]
			x1 := x[(k+1)*n:][:len(row)]
			x2 := x[(k+2)*n:][:len(row)]
			x3 := x[(k+3)*n:][:len(row)]
			for s := range row {
				row[s] = row[s] + w0*x0[s] + w1*x1[s] + w2*x2[s] + w3*x3[s]
			}
		}
		for ; k < in; k++ {
			v, x0 := w[k*cols+j], x[k*n:][:len(row)]
			for s := range row {
				row[s] += v * x0[s]
			}
		}
	}
}

// BenchmarkMath times the functions over 1024 values of ordinary size.
func BenchmarkMath(b *testing.B) {
	for _, c := range []struct {
		name string
		f    func([]float64)
	}{{"tanh", tanhSlice}, {"exp", expSlice}, {"sigmoid", sigmoidSlice}, {"log", logSlice},
		{"sincos", func(x []float64) {
			for i, v := range x {
				s, c := sincos(v)
				x[i] = s + c
			}
		}}} {
		b.Run(c.name, func(b *testing.B) {
			src, x := make([]float64, 1024), make([]float64, 1024)
			for i := range src {
				src[i] = 4 * math.Sin(float64(i))
				if c.name == "log" {
					src[i] = 5 + src[i]
				}
			}
			for b.Loop() {
				copy(x, src)
				c.f(x)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/value")
		})
	}
}

func ramp(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.Sin(float64(i + 1))
	}
	return out
}
