package cpu

import (
	"math"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// sampled returns the points of one distribution run of n members around mean 2+j, std 0.1(j+1)
// and Sigma 0.5.
func sampled(t *testing.T, n int, shape rsie.Shape, set func(*rsie.Run)) (*loop, []float64) {
	t.Helper()
	l := newLoop(t, backend(t, 2), shape, []int{n}, func(_ int, r *rsie.Run) {
		distribution(r)
		r.Sigma = 0.5
		set(r)
	})
	mean, std := make([]float64, shape.Dim), make([]float64, shape.Dim)
	for j := range mean {
		mean[j], std[j] = 2+float64(j), 0.1*float64(j+1)
	}
	l.setVector(0, rsie.VecMean, mean)
	l.setVector(0, rsie.VecStd, std)
	l.table[0].Generation = 3
	l.do(rsie.OpSample)
	return l, l.get(l.state.Next.Points)
}

// TestSample checks mean and deviation of both rules, and pairs.
func TestSample(t *testing.T) {
	const n, dim = 2001, 7
	for _, rule := range []uint8{rsie.CodeAdam, rsie.CodeNaturalGradient} {
		for _, flags := range []uint8{rsie.FlagActive, rsie.FlagActive | rsie.FlagMirrored} {
			l, points := sampled(t, n, vectorShape(dim), func(r *rsie.Run) { r.Update, r.Flags = rule, flags })
			pairs := 0
			for j := range dim {
				std := 0.5
				if rule == rsie.CodeNaturalGradient {
					std = 0.1 * float64(j+1)
				}
				sum, square := 0., 0.
				for i := range n {
					d := (l.point(points, 0, i)[j] - 2 - float64(j)) / std
					sum, square = sum+d, square+d*d
					if i&1 == 1 && math.Abs(d+(l.point(points, 0, i-1)[j]-2-float64(j))/std) < 1e-12 {
						pairs++
					}
				}
				if math.Abs(sum/n) > 5/math.Sqrt(n) || math.Abs(square/n-1) > 7*math.Sqrt(2./n) {
					t.Errorf("rule %d parameter %d: mean %g, variance %g, want 0 and 1", rule, j, sum/n, square/n)
				}
			}
			want := 0
			if flags&rsie.FlagMirrored != 0 {
				want = n / 2 * dim
			}
			if pairs != want {
				t.Errorf("rule %d: %d mirrored values, want %d", rule, pairs, want)
			}
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
