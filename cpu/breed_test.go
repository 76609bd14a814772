package cpu

import (
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// TestImmigrants checks when the last rows are fresh draws, how many, and that survivors keep
// their rows.
func TestImmigrants(t *testing.T) {
	cases := []struct {
		name              string
		members, elites   int
		threshold, spread float64 // of a starting spread of 2
		want              int
	}{
		{"above the threshold", 50, 10, 0.25, 0.6, 0},
		{"at the threshold", 50, 10, 0.25, 0.5, 0},
		{"below", 50, 10, 0.25, 0.4, 5},
		{"at least one", 4, 0, 0.25, 0.4, 1},
		{"rounded", 26, 2, 0.25, 0.4, 3},
		{"survivors stay", 20, 19, 0.25, 0.4, 1},
		{"only survivors", 20, 20, 0.25, 0.4, 0},
		{"no threshold", 20, 4, 0, 0, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := newLoop(t, backend(t, 2), vectorShape(9), []int{c.members}, func(_ int, r *rsie.Run) {
				r.DiversityThreshold, r.Rate, r.CrossoverRate = c.threshold, 0, 0
			})
			l.generation()
			l.fill()
			l.setMemory(0, rsie.MemSpread0, 2)
			l.setMemory(0, rsie.MemSpread, c.spread)
			l.table[0].Elites = uint32(c.elites)
			l.put(l.state.Next.Points, 0, slices.Repeat([]float64{-3}, l.state.Next.Points.Len()))
			l.do(rsie.OpBreed)
			now, next := l.get(l.state.Now.Points), l.get(l.state.Next.Points)
			parent := l.get(l.state.Next.Parent)
			fresh := 0
			for i := range c.members {
				x, want := l.point(next, 0, i), make([]float64, 9)
				normals(want, addressOf(&l.table[0], i), rsie.StreamImmigrant)
				switch {
				case i < c.elites:
					if slices.Max(x) != -3 {
						t.Fatalf("row %d of a survivor was written", i)
					}
				case slices.Equal(x, want):
					fresh++
					if i < c.members-c.want || int(parent[i]) != i {
						t.Errorf("row %d is an immigrant with parent %g", i, parent[i])
					}
				case !slices.Equal(x, l.point(now, 0, int(parent[i]))):
					t.Errorf("row %d is not its parent %g", i, parent[i])
				}
			}
			if fresh != c.want {
				t.Errorf("%d immigrants, want %d", fresh, c.want)
			}
		})
	}
}
