package cpu

import (
	"math"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// sampled returns the points of one distribution run of n members around mean 2+j with steps
// 0.05(j+1): step size 0.5, scales 0.1(j+1).
func sampled(t *testing.T, n int, shape rsie.Shape, set func(*rsie.Run)) (*loop, []float64) {
	t.Helper()
	l := newLoop(t, backend(t, 2), shape, []int{n}, func(_ int, r *rsie.Run) {
		distribution(r)
		r.Sigma = 0.5
		set(r)
	})
	mean, scale := make([]float64, shape.Dim), make([]float64, shape.Dim)
	for j := range mean {
		mean[j], scale[j] = 2+float64(j), 0.1*float64(j+1)
	}
	l.setVector(0, rsie.VecMean, mean)
	l.setVector(0, rsie.VecScale, scale)
	l.table[0].Generation = 3
	l.do(rsie.OpSample)
	return l, l.get(l.state.Next.Points)
}

// TestSample checks mean and deviation, pairs, and that density thins without changing the
// variance.
func TestSample(t *testing.T) {
	const n, dim = 4001, 7
	for _, c := range []struct {
		flags   uint16
		density float64
	}{{0, 1}, {rsie.FlagMirrored, 1}, {0, 0.25}} {
		l, points := sampled(t, n, vectorShape(dim), func(r *rsie.Run) {
			r.Flags, r.Density = rsie.FlagActive|rsie.FlagBegin|c.flags, c.density
		})
		pairs, zeros := 0, 0
		for j := range dim {
			step, center := 0.05*float64(j+1), 2+float64(j)
			sum, square := 0., 0.
			for i := range n {
				d := (l.point(points, 0, i)[j] - center) / step
				sum, square = sum+d, square+d*d
				if d == 0 {
					zeros++
				}
				if i&1 == 1 && math.Abs(d+(l.point(points, 0, i-1)[j]-center)/step) < 1e-9 && d != 0 {
					pairs++
				}
			}
			// The fourth moment of thinned normal noise is 3/density.
			wide := math.Sqrt((3/c.density - 1) / n)
			if math.Abs(sum/n) > 5/math.Sqrt(n) || math.Abs(square/n-1) > 5*wide {
				t.Errorf("%+v parameter %d: mean %g, variance %g, want 0 and 1", c, j, sum/n, square/n)
			}
		}
		want := 0
		if c.flags&rsie.FlagMirrored != 0 {
			want = n / 2 * dim
		}
		if pairs != want {
			t.Errorf("%+v: %d mirrored values, want %d", c, pairs, want)
		}
		if got := float64(zeros) / (n * dim); math.Abs(got-(1-c.density)) > 0.02 {
			t.Errorf("%+v: a share of %g is not moved, want %g", c, got, 1-c.density)
		}
	}
}

// TestSamplePath checks the variance along and across the evolution path.
func TestSamplePath(t *testing.T) {
	const n = 4000
	l := newLoop(t, backend(t, 2), vectorShape(2), []int{n}, func(_ int, r *rsie.Run) {
		distribution(r)
		r.Sigma, r.Covariance, r.CovRankOne = 1, rsie.CodeRankOne, 0.5
	})
	l.table[0].Flags |= rsie.FlagPath
	l.setVector(0, rsie.VecMean, []float64{0, 0})
	l.setVector(0, rsie.VecPath, []float64{3, 4})
	l.do(rsie.OpSample)
	points := l.get(l.state.Next.Points)
	along, across := 0., 0.
	for i := range n {
		x := l.point(points, 0, i)
		a, b := 0.6*x[0]+0.8*x[1], 0.8*x[0]-0.6*x[1]
		along, across = along+a*a/n, across+b*b/n
	}
	wide := 5 * math.Sqrt(2./n)
	if math.Abs(along/13.5-1) > wide || math.Abs(across-1) > wide {
		t.Errorf("variance %g along the path, %g across, want 1 + 0.5·25 and 1", along, across)
	}
}

// TestSampleDraws checks that a generation of starting draws has the start's deviations.
func TestSampleDraws(t *testing.T) {
	shape := benchShape()
	l, _ := sampled(t, 3, shape, func(r *rsie.Run) { r.StartHidden, r.StartOutput = 2, 4 })
	l.table[0].Flags |= rsie.FlagDraws
	l.do(rsie.OpSample)
	points := l.get(l.state.Next.Points)
	z := make([]float64, shape.Dim)
	normals(z, addressOf(&l.table[0], 1), rsie.StreamInitialise)
	for k, factor := range []float64{2, 2, 2, 2, 4, 4} {
		b := shape.Blocks[k]
		if got, want := l.point(points, 0, 1)[b.Offset], factor*z[b.Offset]*b.Std; got != want {
			t.Errorf("block %d starts at %g, want %g", k, got, want)
		}
	}
}

// TestSampleFresh checks that generations differ, that random runs draw starting points and
// that a box clips.
func TestSampleFresh(t *testing.T) {
	l, before := sampled(t, 4, vectorShape(5), func(*rsie.Run) {})
	l.table[0].Generation++
	l.do(rsie.OpSample)
	if slices.Equal(before, l.get(l.state.Next.Points)) {
		t.Error("two generations have the same noise")
	}
	l.table[0].Family = rsie.CodeRandom
	l.do(rsie.OpSample)
	want := make([]float64, 5)
	normals(want, addressOf(&l.table[0], 2), rsie.StreamInitialise)
	if got := l.point(l.get(l.state.Next.Points), 0, 2); !slices.Equal(got, want) {
		t.Errorf("random member %v, want %v", got, want)
	}
	box := vectorShape(5)
	box.Lower, box.Upper = 3, 4
	l, points := sampled(t, 50, box, func(*rsie.Run) {})
	for i := range 50 {
		x := l.point(points, 0, i)
		if slices.Min(x) < 3 || slices.Max(x) > 4 || x[4] != 4 {
			t.Fatalf("member %v, want within [3, 4], the last at 4", x)
		}
	}
}
