//go:build cgo

package cpu

import (
	"syscall"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/kernels"
)

// yardsticks are the three networks that other libraries are timed on.
func yardsticks() []shape {
	var out []shape
	for _, c := range []struct {
		name    string
		in, out int
		rows    int
	}{{"4-32-3", 4, 3, 150}, {"64-32-10", 64, 10, 1024}, {"784-32-10", 784, 10, 1000}} {
		m := &rsie.Model{Network: rsie.Dense, Layers: []int{c.in, 32, c.out}, Loss: rsie.CrossEntropy,
			Activation: []rsie.Activation{rsie.Tanh}}
		out = append(out, shape{c.name, m, sineRows(m, c.rows)})
	}
	return out
}

// cpuSeconds returns the time that the process has had a core, which other processes do not
// lengthen.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + 1e-6*float64(u.Utime.Usec+u.Stime.Usec)
}

// peakFlops returns the operations per second of a core at level, the best of a few tries.
func peakFlops(level kernels.Level) float64 {
	best := 0.0
	for range 5 {
		start := cpuSeconds()
		n := level.Peak(1 << 22)
		best = max(best, n/(cpuSeconds()-start))
	}
	return best
}

// BenchmarkNativeEvaluate times a generation of 256 members on one core, by variant and by Gonum,
// in member-samples a second of the core and in percent of the fused multiplications and additions that the
// core does at most, measured before.
func BenchmarkNativeEvaluate(b *testing.B) {
	const members = 256
	for _, c := range append(yardsticks(), suiteShapes()...) {
		if c.model.Loss == rsie.Return {
			continue
		}
		var points [][]float64
		for i := range members {
			points = append(points, conformancePoint(c.model, float64(i)))
		}
		work := float64(members * c.rows.S)
		for _, level := range levels() {
			if level == kernels.Scalar && c.rows.S > 300 {
				continue // without fused instructions it takes seconds
			}
			b.Run("net="+c.name+"/backend=native-"+level.String(), func(b *testing.B) {
				g := nativeAt(b, level, 1)
				p, err := g.Load(c.model, c.rows)
				if err != nil {
					b.Fatal(err)
				}
				s, runs := populations(b, g, c.model, points)
				peak := peakFlops(level)
				ops := []rsie.Op{rsie.OpEvaluate}
				b.ReportAllocs()
				start := cpuSeconds()
				for b.Loop() {
					if err := g.Do(s, runs, p, ops); err != nil {
						b.Fatal(err)
					}
				}
				report(b, cpuSeconds()-start, work, members*flops(c.model, c.rows.S), peak)
			})
		}
		b.Run("net="+c.name+"/backend=gonum", func(b *testing.B) {
			p, err := load(c.model, c.rows, 1)
			if err != nil {
				b.Fatal(err)
			}
			fitness := make([]float64, 1)
			n, start := 0, cpuSeconds()
			for b.Loop() {
				p.evaluate(0, fitness, points[n%members], rsie.Stride(p.dim))
				n++
			}
			report(b, cpuSeconds()-start, work/members, flops(c.model, c.rows.S), 0)
		})
	}
}

// report states the rate of b, whose iterations have the given samples and operations.
func report(b *testing.B, seconds, samples, operations, peak float64) {
	rate := float64(b.N) / seconds
	b.ReportMetric(rate*samples/1e6, "M-member-samples/s")
	b.ReportMetric(rate*operations/1e9, "GFLOP/s")
	if peak > 0 {
		b.ReportMetric(100*rate*operations/peak, "%peak")
	}
}
