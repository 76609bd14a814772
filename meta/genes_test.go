package meta

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
)

// geneBases holds strategies in which, together, every gene is active.
func geneBases() map[string]rsie.Strategy {
	ga := rsie.DefaultStrategy()
	ga.MutationStrength, ga.DiversityThreshold = 0.3, 0.9
	ga.PopulationScale = rsie.Law{Value: 1, Schedule: rsie.Exponential, End: 0.5}
	sharing := ga
	sharing.FitnessSharing = true
	truncation := ga
	truncation.Selection, truncation.MutationStrength = rsie.Elitism, 0.5
	adam := rsie.DefaultStrategy()
	adam.Family, adam.Probes, adam.StepControl = rsie.Distribution, 2, rsie.TwoPoint
	adam.Restart, adam.RestartPatience, adam.LastPhase = rsie.Anew, 0.05, 0.1
	adam.ScaleRule, adam.Recombination = rsie.NaturalRule, rsie.Logarithmic
	adam.StepGain = rsie.Fixed(0.1)
	for _, l := range []*rsie.Law{&adam.PopulationScale, &adam.LearningRate, &adam.Sigma, &adam.StepGain, &adam.ScaleRate} {
		l.Schedule, l.End = rsie.Exponential, 0.5
	}
	clip := adam
	adam.Covariance = rsie.RankOne
	clip.UpdateRule, clip.Recombination = rsie.ClipUp, rsie.Softmax
	clip.StepControl, clip.ScaleRule, clip.Restart = rsie.PathLength, rsie.SepCMA, rsie.FromBest
	full := adam
	full.Covariance, full.CovarianceRate, full.Recombination, full.NegativeWeight = rsie.Full, 1, rsie.Tutorial, 1
	full.RestartTrigger, full.StepControl = rsie.Termination, rsie.Cumulative
	soft := clip
	soft.Parents, soft.ParentCrossover, soft.Covariance = 3, 0.5, rsie.NoCovariance
	soft.ParentShare = rsie.Law{Value: 0.3, Schedule: rsie.Exponential, End: 0.5}
	de := ga
	de.Mutation, de.Survival, de.Base = rsie.Differential, rsie.Pairwise, rsie.ToBest
	de.MutationRate, de.MutationStrength, de.TruncationRatio = 0.5, 0.5, 0.2
	de.ArchiveRatio, de.SuccessHistory, de.PBestVaries = 0.3, rsie.LSHADE, true
	own := ga
	own.Mutation, own.StepGroups = rsie.SelfAdaptive, 4
	return map[string]rsie.Strategy{"de": de, "own": own, "parents": soft, "ga": ga, "sharing": sharing, "truncation": truncation, "adam": adam, "clip": clip, "full": full}
}

// trajectory returns the whole state after a short run.
func trajectory(t *testing.T, b rsie.Backend, s rsie.Strategy, p rsie.Problem) []float64 {
	batch, err := NewBatch(b, p, []RunSpec{{Strategy: s, Key: rsie.NewKey(5), Budget: 1200}})
	require.NoError(t, err)
	defer batch.Close()
	require.NoError(t, batch.Run(context.Background()))
	points, fitness, err := batch.Members(0)
	require.NoError(t, err)
	return append(points, fitness...)
}

// twoLayers is a problem with two matrices, boxed one in a box.
type twoLayers struct{}

type boxed struct{ twoLayers }

func (boxed) Shape() rsie.Shape {
	s := twoLayers{}.Shape()
	s.Lower, s.Upper = -2, 1
	return s
}

// plateau is a problem without anything to gain, on which every start soon ends.
type plateau struct{ twoLayers }

func (plateau) Evaluate(_ context.Context, fitness, _ []float64, _ rsie.Key) error {
	clear(fitness)
	return nil
}

// problemOf returns a problem on which the gene can have an effect.
func problemOf(g rsie.Gene, s *rsie.Strategy) rsie.Problem {
	switch {
	case g.Name == "start_share":
		return boxed{}
	case strings.HasPrefix(g.Name, "restart") && s.RestartTrigger == rsie.Termination:
		return plateau{}
	}
	return twoLayers{}
}

func (twoLayers) Shape() rsie.Shape {
	m := rsie.Model{Network: rsie.Dense, Layers: []int{3, 4, 2}, Activation: []rsie.Activation{rsie.Tanh}}
	return rsie.Shape{Name: "two layers", Dim: m.Dim(), Blocks: m.Blocks()}
}

func (twoLayers) Evaluate(_ context.Context, fitness, points []float64, _ rsie.Key) error {
	dim := twoLayers{}.Shape().Dim
	for i := range fitness {
		fitness[i] = ellipsoid{dim: dim}.at(points[i*dim:][:dim])
	}
	return nil
}

// Changing any gene, and that gene alone, changes the run of a strategy in which it is active;
// each value of a category is another algorithm; a gene without effect changes nothing.
func TestEveryGeneMovesTheRun(t *testing.T) {
	b := gonum(t, 2)
	bases := geneBases()
	moved := map[string]bool{}
	for name, base := range bases {
		same := map[rsie.Problem][]float64{}
		for _, p := range []rsie.Problem{twoLayers{}, boxed{}, plateau{}} {
			same[p] = trajectory(t, b, base, p)
		}
		for _, g := range rsie.StrategySpace {
			if !g.IsActive(&base) {
				continue
			}
			for _, v := range otherValues(g, &base) {
				s := base
				g.Set(&s, v)
				p := problemOf(g, &base)
				require.False(t, slices.Equal(same[p], trajectory(t, b, s, p)), "%s: %s = %g", name, g.Name, v)
				moved[g.Name] = true
			}
		}
	}
	for _, g := range rsie.StrategySpace {
		require.True(t, moved[g.Name], "%s was active in no base", g.Name)
	}
}

func otherValues(g rsie.Gene, s *rsie.Strategy) []float64 {
	v := g.Get(s)
	var out []float64
	switch g.Kind {
	case rsie.Category, rsie.Flag:
		for i := range int(g.Max) + 1 {
			if float64(i) != v {
				out = append(out, float64(i))
			}
		}
	default:
		for _, x := range []float64{g.Min, g.Max} {
			if x != v {
				out = append(out, x)
			}
		}
	}
	return out
}

func TestDeadGenesMoveNothing(t *testing.T) {
	b := gonum(t, 1)
	a := rsie.DefaultStrategy()
	c := a
	c.Sigma, c.LearningRate = rsie.Fixed(2), rsie.Fixed(3)
	c.NicheCapacity, c.DiversityBonus, c.TruncationRatio = 1, 9, 0.7
	require.True(t, slices.Equal(trajectory(t, b, a, twoLayers{}), trajectory(t, b, c, twoLayers{})))
}
