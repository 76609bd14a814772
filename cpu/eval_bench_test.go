package cpu

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	rsie "github.com/symbio-ai/recursive-improvement"
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

// yardsticks are the three networks that other libraries are timed on.
func yardsticks() []shape {
	var out []shape
	for _, c := range [][3]int{{4, 3, 150}, {64, 10, 1024}, {784, 10, 1000}} {
		m := &rsie.Model{Network: rsie.Dense, Layers: []int{c[0], 32, c[1]}, Loss: rsie.CrossEntropy,
			Activation: []rsie.Activation{rsie.Tanh}}
		rows := sineRows(m, c[2])
		normals(rows.Inputs, address{key: rsie.NewKey(78)}, rsie.StreamProblem)
		out = append(out, shape{fmt.Sprintf("%d-32-%d", c[0], c[1]), m, rows})
	}
	return out
}

// BenchmarkEvaluate times the evaluation of a population on one core, in member-samples a second
// of the core, and in percent of what it can multiply and add: the yardsticks, also through
// single-precision products of gonum, member by member, and the networks of the suite.
func BenchmarkEvaluate(b *testing.B) {
	for _, c := range yardsticks() {
		for _, n := range []int{256, 4096} {
			benchNetwork(b, c, n)
		}
		b.Run("backend=blas32/"+size(1, 16, c.name, c.rows.S), func(b *testing.B) {
			rate := timed(b, throughBLAS(c, 16))
			b.ReportMetric(16*float64(c.rows.S)*rate, "member-samples/s")
		})
	}
	for _, c := range suiteShapes() {
		if c.model.Loss != rsie.Return {
			benchNetwork(b, c, 256)
		}
	}
}

func benchNetwork(b *testing.B, c shape, members int) {
	onEngines(b, 1, size(1, members, c.name, c.rows.S), func(b *testing.B, g engine) {
		if g.name == "gonum" && members > 256 {
			b.Skip("members are evaluated one by one, so 256 say it all")
		}
		p, err := g.Load(c.model, c.rows)
		must(b, err)
		s, table := populations(b, g, modelShape(c.model), rsie.CodeGaussian, make([][]float64, members))
		table[0].Flags |= rsie.FlagBegin
		must(b, g.Do(s, table, nil, []rsie.Op{rsie.OpInitialise}))
		rate := timed(b, func() { must(b, g.Do(s, table, p, []rsie.Op{rsie.OpEvaluate})) })
		b.ReportMetric(float64(members)*rate, "evaluations/s")
		b.ReportMetric(float64(members*c.rows.S)*rate, "member-samples/s")
		reportFlops(b, g, float64(members)*flops(c.model, c.rows.S)*rate)
	})
}

// throughBLAS returns the evaluation of a yardstick as a program without this package would write
// it: each member in turn, products by gonum's blas32.
func throughBLAS(c shape, members int) func() {
	in, hidden, out, rows := c.model.Layers[0], c.model.Layers[1], c.model.Layers[2], c.rows.S
	matrix := func(r, c int, data []float32) blas32.General {
		return blas32.General{Rows: r, Cols: c, Stride: c, Data: data}
	}
	narrow := func(v []float64) (out []float32) {
		for _, x := range v {
			out = append(out, float32(x))
		}
		return out
	}
	x := matrix(rows, in, narrow(c.rows.Inputs))
	h, o := matrix(rows, hidden, make([]float32, rows*hidden)), matrix(rows, out, make([]float32, rows*out))
	points := narrow(balancing(c.model, members, false))
	fill := func(d, b []float32) {
		for i := 0; i < len(d); i += len(b) {
			copy(d[i:], b)
		}
	}
	return func() {
		for i := range members {
			w1 := points[i*c.model.Dim():]
			b1 := w1[in*hidden:]
			w2 := b1[hidden:]
			b2 := w2[hidden*out:]
			fill(h.Data, b1[:hidden])
			blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, x, matrix(in, hidden, w1[:in*hidden]), 1, h)
			for k, v := range h.Data {
				h.Data[k] = float32(math.Tanh(float64(v)))
			}
			fill(o.Data, b2[:out])
			blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, h, matrix(hidden, out, w2[:hidden*out]), 1, o)
			lossSink = crossEntropy32(o.Data, c.rows.Classes, out)
		}
	}
}

// lossSink keeps the compiler from leaving work out.
var lossSink float64

func crossEntropy32(logits []float32, classes []int32, outputs int) float64 {
	sum := 0.0
	for i, y := range classes {
		row, z := logits[i*outputs:(i+1)*outputs], 0.0
		for _, v := range row {
			z += math.Exp(float64(v))
		}
		sum += math.Log(z) - float64(row[y])
	}
	return sum / float64(len(classes))
}

// balancing are points of a 4-32-2 policy that balances CartPole over all 500 steps, with noise; or
// random ones of any model, whose episodes have uneven lengths.
func balancing(m *rsie.Model, n int, solved bool) []float64 {
	points := make([]float64, n*m.Dim())
	normals(points, address{key: rsie.NewKey(6)}, rsie.StreamProblem)
	for i := range n {
		x := points[i*m.Dim():][:m.Dim()]
		for _, b := range m.Blocks() {
			scale := b.Std
			if solved {
				scale = 1e-4
			}
			for j := range b.Rows * b.Cols {
				x[b.Offset+j] *= scale
			}
		}
		if solved {
			for k, v := range []float64{0.1, 0.2, 2, 0.5} {
				x[32*k] += v
			}
			x[160]--
			x[161]++
		}
	}
	return points
}

// steps counts the steps of all episodes of points on the twin.
func steps(t testing.TB, s shape, points []float64) (n float64) {
	t.Helper()
	p, err := load(s.model, s.rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	y := &p.system
	for i := range len(points) / p.dim {
		for k := range p.samples {
			var e episode[float64]
			copy(e.state[:y.state], p.starts[k*y.state:])
			y.look(&e)
			x := make([]float64, y.obs)
			for step, ended := 0, false; step < y.horizon && !ended; step++ {
				y.observe(x, &e, 1)
				out := p.dense(&p.work[0], input{x: x}, 1, points[i*p.dim:][:p.dim])
				if y.squash {
					tanhSlice(out)
				}
				_, ended = y.step(&e, y.action(out, 1))
				n++
			}
		}
	}
	return n
}

// BenchmarkRollout times the live steps of whole episodes on one core: CartPole with 1,024 policies
// of 4-32-2 and four episodes, once with all 500 steps live and once untrained, and every system of
// the suite with 256 random policies of 16 units.
func BenchmarkRollout(b *testing.B) {
	state := ramp(16)
	for i := range state {
		state[i] *= 0.05
	}
	cart := &rsie.Model{Network: rsie.Dense, Layers: []int{4, 32, 2}, Loss: rsie.Return,
		Activation: []rsie.Activation{rsie.Tanh}, Control: &rsie.Control{Dynamics: rsie.CartPole, Horizon: 500}}
	rows := &rsie.Rows{S: 4, Inputs: state}
	benchRollout(b, shape{"cartpole-4-32-2-live", cart, rows}, balancing(cart, 1024, true))
	benchRollout(b, shape{"cartpole-4-32-2-untrained", cart, rows}, balancing(cart, 1024, false))
	for _, s := range suiteShapes() {
		if s.model.Loss == rsie.Return {
			benchRollout(b, s, balancing(s.model, 256, false))
		}
	}
}

// liveSteps keeps the steps of a benchmark's episodes for its repetitions.
var liveSteps = map[string]float64{}

func benchRollout(b *testing.B, c shape, points []float64) {
	n, dim := len(points)/c.model.Dim(), c.model.Dim()
	var rows [][]float64
	for i := range n {
		rows = append(rows, points[i*dim:][:dim])
	}
	onEngines(b, 1, size(1, n, c.name, c.rows.S), func(b *testing.B, g engine) {
		if liveSteps[c.name] == 0 {
			liveSteps[c.name] = steps(b, c, points)
		}
		p, err := g.Load(c.model, c.rows)
		must(b, err)
		s, table := populations(b, g, modelShape(c.model), rsie.CodeGaussian, rows)
		rate := timed(b, func() { must(b, g.Do(s, table, p, []rsie.Op{rsie.OpEvaluate})) })
		b.ReportMetric(float64(n)*rate, "evaluations/s")
		b.ReportMetric(liveSteps[c.name]*rate, "live-steps/s")
	})
}
