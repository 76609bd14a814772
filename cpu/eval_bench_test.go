package cpu

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
	"gonum.org/v1/gonum/floats"

	"github.com/symbio-ai/recursive-improvement"
)

// flops counts the multiplications and additions of the matrix products of one evaluation, as
// dense products, activations not counted. For control it is those of all starts to the horizon.
func flops(m *rsie.Model, samples int) float64 {
	n := 0
	for _, b := range m.Blocks() {
		if b.Rows > 1 || b.Std != 0 {
			n += 2 * b.Rows * b.Cols * max(1, m.Steps)
		}
	}
	if m.Control != nil {
		n *= m.Control.Horizon
	}
	return float64(n) * float64(samples)
}

// BenchmarkEvaluate times one evaluation on one core for every network of the suite. Steps and
// operations of a control system are reported where all episodes last to the horizon.
func BenchmarkEvaluate(b *testing.B) {
	for _, c := range suiteShapes() {
		b.Run(c.name, func(b *testing.B) {
			const members = 16
			p, err := load(c.model, c.rows, 1)
			if err != nil {
				b.Fatal(err)
			}
			stride := rsie.Stride(p.dim)
			points := make([]float64, members*stride)
			for i := range members {
				copy(points[i*stride:], conformancePoint(c.model, float64(i)))
			}
			fitness := make([]float64, members)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				p.evaluate(0, fitness[:1], points[n%members*stride:], stride)
				n++
			}
			perSecond := float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(perSecond, "evaluations/s")
			units, name := float64(c.rows.S), "member-samples/s"
			if c.model.Control != nil {
				units, name = units*float64(c.model.Control.Horizon), "steps/s"
				p.evaluate(0, fitness, points, stride)
				if !lastsToHorizon(c.model.Control, fitness) {
					return
				}
			}
			b.ReportMetric(perSecond*units, name)
			b.ReportMetric(perSecond*flops(c.model, c.rows.S)/1e9, "GFLOP/s")
		})
	}
}

// lastsToHorizon reports whether the fitness of every member says that no episode ended early.
func lastsToHorizon(c *rsie.Control, fitness []float64) bool {
	for _, f := range fitness {
		switch c.Dynamics {
		case rsie.Acrobot, rsie.MountainCar: // one each step
			if f != float64(c.Horizon) {
				return false
			}
		case rsie.CartPole:
			if f != -float64(c.Horizon) {
				return false
			}
		case rsie.CartPoleSwingUp, rsie.MountainCarContinuous:
			return false // rewards do not tell
		}
	}
	return true
}

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
