package bench

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/cpu"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/meta/stats"
)

// curved is one of the functions of bench/peers/distributions.py.
type curved struct{ name string }

func (curved) Shape() rsie.Shape {
	return rsie.Shape{Name: "curved", Dim: 10, Bits: 64, Blocks: []rsie.Block{{Rows: 1, Cols: 10, Std: 1}}}
}

func (p curved) Evaluate(_ context.Context, fitness, points []float64, _ rsie.Key) error {
	for i := range fitness {
		fitness[i] = 0
		x := points[10*i:][:10]
		for j := range x {
			y := x[j] - math.Sin(float64(j))
			switch {
			case p.name == "ellipsoid":
				fitness[i] += math.Pow(10, 4*float64(j)/9) * y * y
			case j < 9:
				a, b := y+1, x[j+1]-math.Sin(float64(j+1))+1
				fitness[i] += 100*(a*a-b)*(a*a-b) + (a-1)*(a-1)
			}
		}
	}
	return nil
}

// peerSettings returns the baseline that bench/peers/distributions.py runs by a name.
func peerSettings(t *testing.T, name string) rsie.Strategy {
	file := name
	if name == "cr-fm-nes" {
		file = "cr-fm-nes-default"
	}
	s, err := rsie.Baseline(file)
	require.NoError(t, err)
	if name == "cr-fm-nes" {
		s.NegativeWeight = 0 // as in evosax
	}
	return s
}

// TestDistributions compares the best fitness of 90 runs with that of 30 runs of another library by
// the test of Mann and Whitney. Of twelve comparisons none may be significant at 0.05 after Holm's
// correction.
func TestDistributions(t *testing.T) {
	text, err := os.ReadFile("testdata/distributions.json")
	require.NoError(t, err)
	var file struct {
		Best map[string]map[string][]float64
	}
	require.NoError(t, json.Unmarshal(text, &file))
	b, err := cpu.NewGonum(0)
	require.NoError(t, err)
	defer b.Close()
	var names []string
	var p []float64
	for name, functions := range file.Best {
		s := peerSettings(t, name)
		for function, theirs := range functions {
			var specs []meta.RunSpec
			for i := range 3 * len(theirs) {
				specs = append(specs, meta.RunSpec{Strategy: s, Key: rsie.NewKey(4000 + uint64(i)),
					Budget: 40*s.PopulationSize - kept(s)})
			}
			batch, err := meta.NewBatch(b, curved{function}, specs)
			require.NoError(t, err)
			require.NoError(t, batch.Run(t.Context()))
			ours := make([]float64, len(specs))
			for i := range ours {
				_, ours[i], err = batch.Best(i)
				require.NoError(t, err)
			}
			batch.Close()
			test, err := stats.MannWhitney(ours, theirs, stats.MannWhitneyOptions{Alternative: stats.TwoSided, Method: stats.Asymptotic})
			require.NoError(t, err)
			names, p = append(names, name+" on "+function), append(p, test.P)
		}
	}
	require.Len(t, p, 12)
	adjusted, err := stats.Holm(p)
	require.NoError(t, err)
	for i, v := range adjusted {
		t.Logf("%-28s p %.3f, adjusted %.3f", names[i], p[i], v)
		require.Greater(t, v, 0.05, names[i])
	}
}

// kept returns how many evaluations less a run of 40 generations takes because its survivors are
// not evaluated again, as they are in the other library.
func kept(s rsie.Strategy) int {
	if s.Family != rsie.Population || s.Survival == rsie.Pairwise {
		return 0
	}
	return 39 * int(math.Round(s.ElitismRatio*float64(s.PopulationSize)))
}
