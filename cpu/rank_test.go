package cpu

import (
	"math"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// TestRank checks ties, signed zeros, infinities, Worst and NaN, in two ragged runs.
func TestRank(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	g := backend(t, 1)
	l := newLoop(t, g, benchShape(), []int{8, 3}, nil)
	l.put(l.state.Next.Fitness, 0, []float64{nan, 2, rsie.Worst, -inf, nan, 2, inf, 1, 0, math.Copysign(0, -1), -1})
	l.do(rsie.OpRank)
	want := []float64{3, 7, 1, 5, 2, 6, 0, 4, 2, 0, 1}
	if got := l.get(l.state.Next.Order); !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

// TestOrderIsStable compares with a stable sort on many equal values.
func TestOrderIsStable(t *testing.T) {
	f := make([]float64, 1000)
	a := address{key: rsie.NewKey(5)}
	for i := range f {
		f[i] = float64(rsie.Below(a.element(i, rsie.StreamSelect), 20))
	}
	got, want := make([]uint32, len(f)), make([]uint32, len(f))
	for i := range want {
		want[i] = uint32(i)
	}
	slices.SortStableFunc(want, func(x, y uint32) int { return int(f[x]) - int(f[y]) })
	if order(got, f); !slices.Equal(got, want) {
		t.Error("order differs from a stable sort")
	}
}
