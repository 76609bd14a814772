package meta

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
)

// The grid written out in the definition of the training suite.
var suiteGrid = []int{50, 57, 66, 75, 86, 99, 113, 129, 148, 170, 195, 223, 255, 292, 335, 384,
	440, 503, 577, 661, 757, 867, 993, 1138, 1303, 1493, 1710, 1959, 2244, 2570, 2944, 3373, 3864,
	4426, 5070, 5808, 6653, 7621, 8730, 10000}

func TestGridIsTheSuites(t *testing.T) {
	got := grid(10_000)
	require.Equal(t, suiteGrid, got[:])
	small := grid(100)
	require.Equal(t, 1, small[0], "the first place is an evaluation")
	require.Equal(t, 100, small[gridSize-1])
}

func curveOf(budget int, points ...Point) Curve { return Curve{Budget: budget, Points: points} }

func TestCurveKeepsImprovements(t *testing.T) {
	var c Curve
	c.Budget = 10
	for e, f := range []float64{5, 7, 5, 4, math.NaN(), 1} {
		c.add(e+1, f)
	}
	require.Equal(t, []Point{{1, 5}, {4, 4}, {6, 1}}, c.Points)
	require.Equal(t, rsie.Worst, c.At(0))
	require.Equal(t, 5.0, c.At(3))
	require.Equal(t, 4.0, c.At(5))
	require.Equal(t, 1.0, c.Final())
	e, ok := c.Reach(4.5)
	require.True(t, ok)
	require.Equal(t, 4, e)
	_, ok = c.Reach(0.5)
	require.False(t, ok)
}

// A step from quality 0 to 1 at the grid's place k has area (39 - k + 1/2)/39.
func TestAreaOfAStep(t *testing.T) {
	a := rsie.Anchors{F0: 1, F1: 0}
	for _, k := range []int{1, 20, 39} {
		c := curveOf(10_000, Point{1, 1}, Point{suiteGrid[k], 0})
		require.InDelta(t, (39-float64(k)+0.5)/39, c.Area(a), 1e-12, "k=%d", k)
	}
	require.Equal(t, 0.0, curveOf(10_000, Point{1, 1}).Area(a))
	require.InDelta(t, 1, curveOf(10_000, Point{1, -3}).Area(a), 1e-12, "quality is capped at 1")
}

// Targets 0.1 to 0.5 are reached at evaluation 20, the others never.
func TestSpeedCountsTargets(t *testing.T) {
	a := rsie.Anchors{F0: 10, F1: 0}
	c := curveOf(100, Point{1, 10}, Point{20, 4.9999})
	require.InDelta(t, 5*0.8/9, c.Speed(a), 1e-12)
}

func TestScore(t *testing.T) {
	m := Score([]rsie.Metrics{{FinalFitness: 0.2, Diversity: 1}, {FinalFitness: 0.6, Diversity: 0}})
	require.InDelta(t, 0.4, m.FinalFitness, 1e-15)
	require.InDelta(t, 0.5, m.Diversity, 1e-15)
	require.InDelta(t, 1-2*0.2, m.Robustness, 1e-15, "one less twice the standard deviation 0.2")
	require.InDelta(t, 1, Score([]rsie.Metrics{{FinalFitness: 0.3}}).Robustness, 1e-15)
}

// The spread of a score between keys is pooled over strategies seen more than once, and a
// strategy seen once must lead by it.
func TestLeadersNeedEvidence(t *testing.T) {
	a := newArchive()
	for i, scores := range [][]float64{{0.60, 0.62, 0.58}, {0.605}, {0.40, 0.44}} {
		s := rsie.DefaultStrategy()
		s.PopulationSize += i
		r := a.at(s, 0)
		for _, v := range scores {
			r.note(measured{score: v})
		}
	}
	require.InDelta(t, math.Sqrt((2*0.02*0.02+2*0.02*0.02)/3), a.noise(), 1e-12)
	top := a.leaders(2, "")
	require.Equal(t, 50, top[0].strategy.PopulationSize, "three measurements of 0.60 beat one of 0.605")
	require.Equal(t, 51, top[1].strategy.PopulationSize)
}
