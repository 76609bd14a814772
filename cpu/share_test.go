package cpu

import (
	"math"
	"slices"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// plainShare is Petrowski's clearing as printed: one pass, best first, no tiles.
func plainShare(points [][]float64, fitness []float64, niche int, bonus float64) []float64 {
	n, dim := len(points), len(points[0])
	distance := func(a, b []float64) float64 {
		sum := 0.
		for j := range a {
			sum += (a[j] - b[j]) * (a[j] - b[j])
		}
		return math.Sqrt(sum)
	}
	centroid := make([]float64, dim)
	for _, x := range points {
		for j, v := range x {
			centroid[j] += v / float64(n)
		}
	}
	sum, farthest := 0., 0.
	for _, x := range points {
		d := distance(x, centroid)
		sum, farthest = sum+d*d, max(farthest, d)
	}
	radius := math.Sqrt(sum/float64(n)) / 2
	var walk []int
	worst, best := math.Inf(-1), math.Inf(1)
	for i, f := range fitness {
		if f < rsie.Worst {
			walk = append(walk, i)
			worst, best = max(worst, f), min(best, f)
		}
	}
	slices.SortStableFunc(walk, func(a, b int) int {
		switch {
		case fitness[a] < fitness[b]:
			return -1
		case fitness[a] > fitness[b]:
			return 1
		}
		return 0
	})
	out := slices.Clone(fitness)
	cleared := make([]bool, n)
	for k, leader := range walk {
		if cleared[leader] {
			continue
		}
		kept := 1
		for _, i := range walk[k+1:] {
			if cleared[i] || distance(points[i], points[leader]) > radius {
				continue
			}
			if kept++; kept > niche {
				cleared[i], out[i] = true, worst
			}
		}
	}
	for _, i := range walk {
		out[i] -= bonus * (worst - best) * distance(points[i], centroid) / farthest
	}
	return out
}

// TestShareClusters checks two clusters with capacity 2 by hand: the best two of each keep
// their fitness, the others get the worst, and Choice is the order of it.
func TestShareClusters(t *testing.T) {
	l := newLoop(t, backend(t, 2), vectorShape(2), []int{8, 3}, func(r int, run *rsie.Run) {
		run.Niche, run.DiversityBonus = 2, 0
		if r == 0 {
			run.Flags |= rsie.FlagSharing
		}
	})
	fitness := []float64{4, 1, 3, 2, 7, rsie.Worst, 5, 6, 3, 1, 2}
	for i := range 8 {
		side := float64(10 * (i / 4))
		l.put(l.state.Next.Points, i*l.state.Stride, []float64{side + 0.1*float64(i%4), side})
	}
	l.put(l.state.Next.Fitness, 0, fitness)
	l.do(rsie.OpRank, rsie.OpShare)
	want := []float64{7, 1, 7, 2, 7, rsie.Worst, 5, 6, 3, 1, 2}
	if got := l.get(l.state.Next.Selection); !slices.Equal(got, want) {
		t.Errorf("selection %v, want %v", got, want)
	}
	if got := l.get(l.state.Next.Choice); !slices.Equal(got, []float64{1, 3, 6, 7, 0, 2, 4, 5, 1, 2, 0}) {
		t.Errorf("choice %v", got)
	}
	if got := l.get(l.state.Next.Order); !slices.Equal(got, []float64{1, 3, 2, 0, 6, 7, 4, 5, 1, 2, 0}) {
		t.Errorf("order %v changed", got)
	}
}

// TestShare compares with the plain form on clustered populations of sizes around the tile.
func TestShare(t *testing.T) {
	sizes := []int{1, 2, 63, 64, 65, 66, 129, 300}
	l := newLoop(t, backend(t, 3), vectorShape(21), sizes, func(r int, run *rsie.Run) {
		run.Flags |= rsie.FlagSharing
		run.Niche, run.DiversityBonus = uint32(1+r%4), 0.25*float64(r)
	})
	l.evaluate()
	points, fitness := l.get(l.state.Next.Points), l.get(l.state.Next.Fitness)
	for m := range fitness {
		// Six clusters of unequal width; the clusters' centres are far apart.
		row := points[m*l.state.Stride:][:21]
		for j := range row {
			row[j] = row[j]*0.1*float64(1+m%6) + float64((m%6)*(j%3))*0.4
		}
		if m%11 == 10 {
			fitness[m] = rsie.Worst
		}
	}
	l.put(l.state.Next.Points, 0, points)
	l.put(l.state.Next.Fitness, 0, fitness)
	l.do(rsie.OpRank, rsie.OpShare)
	got, choice, cleared := l.get(l.state.Next.Selection), l.get(l.state.Next.Choice), 0
	for r, n := range sizes {
		rows := make([][]float64, n)
		for i := range rows {
			rows[i] = l.point(points, r, i)
		}
		from, run := int(l.table[r].Offset), &l.table[r]
		want := plainShare(rows, fitness[from:from+n], int(run.Niche), run.DiversityBonus)
		for i := range rows {
			if !(math.Abs(got[from+i]-want[i]) <= 1e-12*math.Abs(want[i])) && n > 1 {
				t.Fatalf("run of %d: selection of member %d is %g, want %g", n, i, got[from+i], want[i])
			}
			if want[i] > fitness[from+i] {
				cleared++
			}
			if i > 0 && got[from+int(choice[from+i-1])] > got[from+int(choice[from+i])] {
				t.Fatalf("run of %d: choice is not sorted at place %d", n, i)
			}
		}
	}
	if cleared < 50 {
		t.Errorf("%d members cleared, the case is too easy", cleared)
	}
}

// TestShareDegenerate checks equal points, one niche for all, and a population without a finite
// fitness.
func TestShareDegenerate(t *testing.T) {
	l := newLoop(t, backend(t, 1), vectorShape(2), []int{4, 4}, func(_ int, run *rsie.Run) {
		run.Flags |= rsie.FlagSharing
		run.Niche = 1
	})
	l.put(l.state.Next.Points, 0, make([]float64, l.state.Next.Points.Len()))
	w := rsie.Worst
	l.put(l.state.Next.Fitness, 0, []float64{2, 1, 3, 4, w, w, math.NaN(), w})
	l.do(rsie.OpRank, rsie.OpShare)
	got := l.get(l.state.Next.Selection)
	if !slices.Equal(got[:6], []float64{4, 1, 4, 4, w, w}) || !math.IsNaN(got[6]) {
		t.Errorf("selection %v", got)
	}
	if got := l.get(l.state.Next.Choice); !slices.Equal(got, []float64{1, 0, 2, 3, 0, 1, 3, 2}) {
		t.Errorf("choice %v", got)
	}
}

// TestShareManyNiches checks more leaders than a tile holds: 140 corners of a simplex, each with
// a second member that only its own leader can clear.
func TestShareManyNiches(t *testing.T) {
	const corners = 140
	l := newLoop(t, backend(t, 2), vectorShape(corners), []int{2 * corners}, func(_ int, run *rsie.Run) {
		run.Flags |= rsie.FlagSharing
		run.Niche, run.DiversityBonus = 1, 0
	})
	fitness := make([]float64, 2*corners)
	for i := range fitness {
		x := make([]float64, corners)
		x[i%corners] = 1
		l.put(l.state.Next.Points, i*l.state.Stride, x)
		fitness[i] = float64(i)
	}
	l.put(l.state.Next.Fitness, 0, fitness)
	l.do(rsie.OpRank, rsie.OpShare)
	for i, got := range l.get(l.state.Next.Selection) {
		want := float64(i)
		if i >= corners {
			want = 2*corners - 1
		}
		if got != want {
			t.Errorf("selection of member %d is %g, want %g", i, got, want)
		}
	}
}
