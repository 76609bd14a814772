package meta

import (
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
)

// The constants of CR-FM-NES are those of the authors' package, crfmnes 1.0.0, as
// bench/peers/cr_fm_nes.py writes them.
func TestFastRates(t *testing.T) {
	for _, c := range []struct {
		dim, members                                   int
		muEff, path, covariance, c1, alpha, stag, conv float64
		scale                                          float64
	}{
		{6, 8, 2.8406104297170542, 0.349739663167155, 0.40864968827481546, 0.00593853034523312,
			1.074796921798473, 0.8752542919817239, 1.7991549072389337, 0.1931457104424308},
		{40, 16, 5.096188878610173, 0.1416512720319942, 0.09326454624540977, 0.006819476766008943,
			0.9954497795965213, 0.7308090078036019, 1.4500722929213201, 0.15431289511136337},
	} {
		s := rsie.DefaultStrategy()
		s.Family, s.PopulationSize, s.ScaleRule = rsie.Distribution, c.members, rsie.FastNES
		s.ScaleRateRule, s.ScaleRate = rsie.Textbook, rsie.Fixed(1)
		shape := rsie.Shape{Dim: c.dim}
		e := newEntry(RunSpec{Strategy: s, Budget: 1000}, shape, 0, 0)
		run := e.template()
		e.fill(&run, false)
		for _, v := range [][2]float64{{run.MuEff, c.muEff}, {run.PathRate, c.path}, {run.CovPathRate, c.covariance},
			{run.CovRankOne, c.c1}, {run.Temperature, c.alpha}, {run.StepGain, c.stag}, {run.PathDamping, c.conv},
			{run.ScaleRate, c.scale}} {
			require.InEpsilon(t, v[1], v[0], 1e-6, "want %g, got %g", v[1], v[0])
		}
	}
}

// A law shrinks a population of members from its start to the smallest size.
func TestPopulationLaw(t *testing.T) {
	b := gonum(t, 1)
	s, err := rsie.Baseline("l-shade")
	require.NoError(t, err)
	batch, err := NewBatch(b, ellipsoid{dim: 5}, []RunSpec{{Strategy: s, Key: rsie.NewKey(3), Budget: 3000}})
	require.NoError(t, err)
	defer batch.Close()
	require.Equal(t, 90, batch.runs[0].members, "18 D")
	sizes := []int{}
	for !batch.Done() {
		require.NoError(t, batch.Step(t.Context()))
		sizes = append(sizes, batch.runs[0].live)
	}
	require.Equal(t, 90, sizes[0])
	require.Less(t, sizes[len(sizes)-1], 8)
	require.IsNonIncreasing(t, sizes)
	_, best, err := batch.Best(0)
	require.NoError(t, err)
	require.Less(t, best, 1e-3)
	_, fitness, err := batch.Members(0)
	require.NoError(t, err)
	require.Len(t, fitness, sizes[len(sizes)-1])
}
