package meta

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/cpu"
)

// TestLimitedRows: vectors of limited memory and parents share the archive without touching each
// other's rows or those of the next run: every run of a batch ends as it does alone.
func TestLimitedRows(t *testing.T) {
	b, err := cpu.NewGonum(2)
	require.NoError(t, err)
	defer b.Close()
	s, err := rsie.Baseline("lm-ma-es")
	require.NoError(t, err)
	kept := s.Clone()
	kept.Parents, kept.Restart, kept.RestartPatience = 3, rsie.Anew, 0.1
	p := twoLayers{}
	specs := []RunSpec{{Strategy: kept, Key: rsie.NewKey(1), Budget: 700}, {Strategy: s, Key: rsie.NewKey(2), Budget: 600},
		{Strategy: kept, Key: rsie.NewKey(3), Budget: 500}}
	ends := func(specs []RunSpec) (out [][]float64) {
		batch, err := NewBatch(b, p, specs)
		require.NoError(t, err)
		defer batch.Close()
		require.NoError(t, batch.Run(t.Context()))
		for r := range specs {
			x, f, err := batch.Best(r)
			require.NoError(t, err)
			out = append(out, append(slices.Clone(x), f))
		}
		return out
	}
	together := ends(specs)
	for r := range specs {
		require.Equal(t, ends(specs[r : r+1])[0], together[r], "run %d", r)
	}
	plain := s.Clone()
	plain.Covariance = rsie.NoCovariance
	require.NotEqual(t, ends([]RunSpec{{Strategy: plain, Key: rsie.NewKey(2), Budget: 600}})[0], together[1])
}
