package cpu

import (
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// TestSurvive checks that the best members stand first, best first, with fitness, factors and
// marks, and that later rows, other families and inactive runs are untouched.
func TestSurvive(t *testing.T) {
	l := newLoop(t, backend(t, 2), benchShape(), []int{12, 6, 6}, func(r int, run *rsie.Run) {
		run.Mutation = rsie.CodeSVD
		if r == 1 {
			distribution(run)
		}
	})
	l.generation()
	l.fill()
	l.table[0].Elites, l.table[1].Elites, l.table[2].Elites = 5, 0, 3
	l.table[2].Flags = 0
	stride, factors, blocks := l.state.Stride, l.state.FactorLen, len(l.state.Shape.Blocks)
	for _, b := range []rsie.Buffer{l.state.Next.Points, l.state.Next.Fitness, l.state.Next.Factors} {
		l.put(b, 0, slices.Repeat([]float64{-3}, b.Len()))
	}
	l.do(rsie.OpSurvive)
	order := l.get(l.state.Now.Order)
	for _, c := range []struct {
		name      string
		now, next rsie.Buffer
		width     int
	}{
		{"points", l.state.Now.Points, l.state.Next.Points, stride},
		{"fitness", l.state.Now.Fitness, l.state.Next.Fitness, 1},
		{"factors", l.state.Now.Factors, l.state.Next.Factors, factors},
		{"marks", l.state.Now.Factored, l.state.Next.Factored, blocks},
	} {
		now, next := l.get(c.now), l.get(c.next)
		width := c.width
		if c.name == "points" {
			width = l.state.Shape.Dim
		}
		for i := range 5 {
			want := now[int(order[i])*c.width:][:width]
			if got := next[i*c.width:][:width]; !slices.Equal(got, want) {
				t.Errorf("%s of survivor %d are not those of member %g", c.name, i, order[i])
			}
		}
		if rest := next[5*c.width:]; c.name != "marks" && (slices.Min(rest) != -3 || slices.Max(rest) != -3) {
			t.Errorf("%s after the survivors changed", c.name)
		}
	}
	fitness := l.get(l.state.Next.Fitness)[:5]
	if !slices.IsSorted(fitness) || fitness[0] != slices.Min(l.get(l.state.Now.Fitness)[:12]) {
		t.Errorf("fitness of survivors %v", fitness)
	}
	if got := l.get(l.state.Next.Parent)[:5]; !slices.Equal(got, []float64{0, 1, 2, 3, 4}) {
		t.Errorf("parents of survivors %v, want their own numbers", got)
	}
}

// TestKeepBest checks that a distribution run takes its best point along, with its fitness.
func TestKeepBest(t *testing.T) {
	l := newLoop(t, backend(t, 1), vectorShape(3), []int{4}, func(_ int, r *rsie.Run) { distribution(r) })
	l.setVector(0, rsie.VecBest, []float64{1, 2, 3})
	l.setMemory(0, rsie.MemBest, -5)
	l.table[0].Elites = 1
	l.do(rsie.OpSurvive)
	if got := l.point(l.get(l.state.Next.Points), 0, 0); !slices.Equal(got, []float64{1, 2, 3}) {
		t.Errorf("row 0 is %v, want the best point", got)
	}
	if got := l.get(l.state.Next.Fitness)[0]; got != -5 {
		t.Errorf("its fitness is %g, want -5", got)
	}
}
