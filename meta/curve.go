package meta

import (
	"math"
	"sort"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Point of a curve: after Evaluations evaluations the best fitness so far is Fitness.
type Point struct {
	Evaluations int
	Fitness     float64 // minimised
}

// Curve is the best-so-far fitness of a run against evaluations: its improvements in order.
type Curve struct {
	Budget int
	Points []Point
}

// add records the fitness of evaluation number e, counted from 1.
func (c *Curve) add(e int, fitness float64) {
	if n := len(c.Points); n == 0 || fitness < c.Points[n-1].Fitness {
		c.Points = append(c.Points, Point{e, fitness})
	}
}

// At returns the lowest fitness among the first e evaluations, [rsie.Worst] before the first.
func (c Curve) At(e int) float64 {
	k := sort.Search(len(c.Points), func(k int) bool { return c.Points[k].Evaluations > e })
	if k == 0 {
		return rsie.Worst
	}
	return c.Points[k-1].Fitness
}

// Final returns the lowest fitness of the run.
func (c Curve) Final() float64 { return c.At(c.Budget) }

// Reach returns the first evaluation whose fitness is target or lower.
func (c Curve) Reach(target float64) (evaluations int, ok bool) {
	k := sort.Search(len(c.Points), func(k int) bool { return c.Points[k].Fitness <= target })
	if k == len(c.Points) {
		return 0, false
	}
	return c.Points[k].Evaluations, true
}

// gridSize is the number of places the area is measured at.
const gridSize = 40

// grid returns e_k = round(e0 · (B/e0)^(k/39)), k = 0..39, with e0 = max(1, B/200): the first
// two-hundredth of the budget is the first generation of the reference runs.
func grid(budget int) [gridSize]int {
	first := math.Max(1, float64(budget)/200)
	var out [gridSize]int
	for k := range out {
		out[k] = int(math.Round(first * math.Pow(float64(budget)/first, float64(k)/(gridSize-1))))
	}
	return out
}

// Area returns the area under quality against the logarithm of evaluations, in [0,1]:
//
//	area = 1/39 Σ_{k=0..38} (q(e_k) + q(e_{k+1}))/2
func (c Curve) Area(a rsie.Anchors) float64 {
	sum, last := 0.0, 0.0
	for k, e := range grid(c.Budget) {
		q := a.Quality(c.At(e))
		if k > 0 {
			sum += (last + q) / 2
		}
		last = q
	}
	return sum / (gridSize - 1)
}

// Mean returns the mean quality over the evaluations 1 .. budget, in [0,1]. Of a function task
// it is the area over the convergence curve (AOCC): 1 minus the mean of the logarithm of the
// best precision, scaled to [0,1].
func (c Curve) Mean(a rsie.Anchors) float64 {
	sum := 0.0
	for k, p := range c.Points {
		until := c.Budget + 1
		if k+1 < len(c.Points) {
			until = c.Points[k+1].Evaluations
		}
		sum += float64(until-p.Evaluations) * a.Quality(p.Fitness)
	}
	return sum / float64(c.Budget)
}

// Speed returns the mean over quality targets 0.1, 0.2 .. 0.9 of 1 - e(target)/budget, 0 for a
// target that is never reached.
func (c Curve) Speed(a rsie.Anchors) float64 {
	sum := 0.0
	for k := 1; k <= 9; k++ {
		if e, ok := c.Reach(a.Target(float64(k) / 10)); ok {
			sum += 1 - float64(e)/float64(c.Budget)
		}
	}
	return sum / 9
}
