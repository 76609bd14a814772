package rsie

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func randomPoint(t *rapid.T) []float64 {
	return rapid.SliceOfN(rapid.Float64Range(0, 1), StrategySpace.Dim(), StrategySpace.Dim()).Draw(t, "point")
}

// A decoded point is a valid strategy and its encoding decodes to itself.
func TestSpaceRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := StrategySpace.Decode(randomPoint(t))
		require.NoError(t, s.Validate())
		x := make([]float64, StrategySpace.Dim())
		StrategySpace.Encode(x, s)
		require.Equal(t, s, StrategySpace.Decode(x))
		y := make([]float64, StrategySpace.Dim())
		StrategySpace.Encode(y, StrategySpace.Decode(x))
		require.Equal(t, x, y)
	})
}

// Each gene reaches both ends of its range and changes the digest where it is active.
func TestEveryGeneCounts(t *testing.T) {
	starts := Baselines()
	sharing := DefaultStrategy()
	sharing.FitnessSharing = true
	truncation := DefaultStrategy()
	truncation.Selection = Elitism
	soft := everything()
	soft.Recombination = Softmax
	starts = append(starts, differential(), selfAdaptive(), sharing, truncation, everything(), soft, adam())
	for k, g := range StrategySpace {
		moved := false
		for _, s := range starts {
			if !g.IsActive(&s) {
				continue
			}
			x := make([]float64, StrategySpace.Dim())
			StrategySpace.Encode(x, s)
			x[k] = 0
			low := StrategySpace.Decode(x)
			x[k] = 1
			high := StrategySpace.Decode(x)
			require.Equal(t, g.Min, g.Get(&low), g.Name)
			require.Equal(t, g.Max, g.Get(&high), g.Name)
			require.NotEqual(t, low.Digest(), high.Digest(), g.Name)
			moved = true
		}
		require.True(t, moved, "%s is active in no start", g.Name)
	}
}

// differential is a population strategy with each part of differential evolution.
func differential() Strategy {
	s := DefaultStrategy()
	s.Mutation, s.Base, s.Survival, s.SuccessHistory = Differential, ToBest, Pairwise, LSHADE
	return s
}

func selfAdaptive() Strategy {
	s := DefaultStrategy()
	s.Mutation = SelfAdaptive
	return s
}

// everything is a distribution strategy in which each optional part is on.
func everything() Strategy {
	s := DefaultStrategy()
	s.Family, s.Probes, s.StepControl, s.ScaleRule = Distribution, 2, TwoPoint, Variance
	s.Recombination, s.Restart, s.LastPhase = Logarithmic, FromBest, 0.1
	s.UpdateRule, s.Covariance, s.Parents = ClipUp, RankOne, 3
	for _, l := range []*Law{&s.PopulationScale, &s.LearningRate, &s.Sigma, &s.StepGain, &s.ScaleRate, &s.ParentShare} {
		l.Schedule, l.End = Exponential, 0.5
	}
	return s
}

func adam() Strategy {
	s := everything()
	s.UpdateRule = Adam
	return s
}

func TestDeadGeneDoesNotCount(t *testing.T) {
	a, b := DefaultStrategy(), DefaultStrategy()
	b.Sigma, b.NicheCapacity = Fixed(2), 9 // no effect in a population strategy without sharing
	require.Equal(t, a.Digest(), b.Digest())
	b.MutationRate = 0.2
	require.NotEqual(t, a.Digest(), b.Digest())
}

// A part of a law is neutral by its value alone; other genes never are.
func TestNeutralParts(t *testing.T) {
	s := everything()
	neutral := map[string]bool{}
	for _, g := range StrategySpace {
		neutral[g.Name] = g.IsNeutral(&s)
	}
	require.True(t, neutral["sigma.dim_exponent"])
	require.False(t, neutral["sigma.schedule"], "it is exponential")
	require.False(t, neutral["sigma.end"])
	require.False(t, neutral["sigma"])
	require.False(t, neutral["layer_exponent"], "0, but no part of a law")
	s.Sigma = Law{Value: 1, Dim: -0.5, Schedule: Constant, End: 1}
	for _, g := range StrategySpace {
		switch g.Name {
		case "sigma.dim_exponent":
			require.False(t, g.IsNeutral(&s))
		case "sigma.schedule":
			require.True(t, g.IsNeutral(&s))
		}
	}
}

// TestUnsearchedValue: level 2 never proposes a value that is left out of the search; a file may
// hold it, and it encodes to a searched neighbour.
func TestUnsearchedValue(t *testing.T) {
	s := DefaultStrategy()
	s.Family, s.Covariance = Distribution, Limited
	require.NoError(t, s.Validate())
	k := slices.IndexFunc(StrategySpace, func(g Gene) bool { return g.Name == "covariance" })
	x := make([]float64, StrategySpace.Dim())
	StrategySpace.Encode(x, s)
	require.True(t, x[k] > 0.75 && x[k] < 1, x[k])
	for _, v := range []float64{0, 0.5, 0.99, 1, 2} {
		x[k] = v
		require.NotEqual(t, Limited, StrategySpace.Decode(x).Covariance)
	}
}

// A neutral value has its share of the coordinate, and the others have equal parts of the rest.
func TestNeutralShare(t *testing.T) {
	const n = 6000
	for _, g := range StrategySpace {
		if g.Neutral == nil {
			continue
		}
		at, least, most := 0, math.Inf(1), math.Inf(-1)
		counts := map[float64]int{}
		for i := range n {
			v := g.decode((float64(i) + 0.5) / n)
			counts[v]++
			least, most = min(least, v), max(most, v)
			if v == *g.Neutral {
				at++
			}
		}
		require.Equal(t, g.Min, g.decode(0), g.Name)
		require.Equal(t, g.Max, g.decode(1), g.Name)
		// A whole number that rounds to the neutral one adds to its share.
		require.InDelta(t, NeutralShare, float64(at)/n, 0.06, g.Name)
		if g.Kind == Category {
			for v, c := range counts {
				if v != *g.Neutral {
					require.InDelta(t, (1-NeutralShare)/g.Max, float64(c)/n, 0.01, "%s %g", g.Name, v)
				}
			}
		}
		require.InDelta(t, g.Max, most, 0.02*(g.Max-g.Min), g.Name)
		require.InDelta(t, g.Min, least, 0.02*(g.Max-g.Min), g.Name)
	}
}
