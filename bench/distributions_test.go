package bench

import (
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/cpu"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/meta/stats"
)

// curved is one of the functions of bench/peers/functions.py, in the box [-5,5] or without one.
type curved struct {
	name  string
	dim   int
	boxed bool
}

func (p curved) Shape() rsie.Shape {
	s := rsie.Shape{Name: "curved", Dim: p.dim, Bits: 64, Blocks: []rsie.Block{{Rows: 1, Cols: p.dim, Std: 1}}}
	if p.boxed {
		s.Lower, s.Upper = -5, 5
	}
	return s
}

func (p curved) Evaluate(_ context.Context, fitness, points []float64, _ rsie.Key) error {
	for i := range fitness {
		fitness[i] = p.value(points[p.dim*i:][:p.dim])
	}
	return nil
}

func (p curved) value(x []float64) float64 {
	y := make([]float64, len(x))
	last := float64(len(x) - 1)
	along, length := 0.0, 0.0
	for j := range y {
		v := 1 + math.Cos(float64(j))
		y[j] = x[j] - math.Sin(float64(j))
		along, length = along+v*y[j], length+v*v
	}
	f := 0.0
	for j := range y {
		switch p.name {
		case "sphere":
			f += y[j] * y[j]
		case "rotated":
			y[j] -= 2 * along / length * (1 + math.Cos(float64(j)))
			fallthrough
		case "ellipsoid":
			f += math.Pow(10, 4*float64(j)/last) * y[j] * y[j]
		case "rosenbrock":
			if j < len(x)-1 {
				a, b := y[j]+1, y[j+1]+1
				f += 100*(a*a-b)*(a*a-b) + (a-1)*(a-1)
			}
		default:
			panic("no function " + p.name)
		}
	}
	return f
}

// peerChanges are the settings of bench/peers/distributions.py that differ from the baseline's.
var peerChanges = map[string]func(*rsie.Strategy){
	"cr-fm-nes-default": func(s *rsie.Strategy) { s.NegativeWeight = 0 }, // evosax drops them
	"cma-es-tuned":      func(s *rsie.Strategy) { s.Sigma, s.LearningRate = rsie.Fixed(1), rsie.Fixed(1) },
	"simple-ga-default": func(s *rsie.Strategy) { s.MutationStrength = 0.3 },
	"openai-es-default": func(s *rsie.Strategy) { s.Sigma, s.LearningRate = rsie.Fixed(0.3), rsie.Fixed(0.1/0.3) },
	"l-shade":           func(s *rsie.Strategy) { s.PopulationScale.End = 4. / 180 },
	"pgpe-default":      func(s *rsie.Strategy) { s.LearningRate, s.MaxSpeed = rsie.Fixed(0.3), 2 },
}

// peer is what another program reached with a strategy on a function.
type peer struct {
	strategy, program, function string
	best                        []float64
}

func peers(t *testing.T) []peer {
	f, err := os.Open("testdata/distributions.csv")
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	byName := map[string]*peer{}
	for _, r := range rows[1:] {
		name := r[0] + " " + r[2]
		if byName[name] == nil {
			byName[name] = &peer{strategy: r[0], program: r[1], function: r[2]}
		}
		v, err := strconv.ParseFloat(r[4], 64)
		require.NoError(t, err)
		byName[name].best = append(byName[name].best, v)
	}
	var out []peer
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		out = append(out, *byName[name])
	}
	return out
}

// bestOf returns the best fitness of runs of the peer's strategy in this program.
func (p peer) bestOf(t *testing.T, b rsie.Backend, runs int) []float64 {
	s, err := rsie.Baseline(p.strategy)
	require.NoError(t, err)
	if change := peerChanges[p.strategy]; change != nil {
		change(&s)
	}
	dim, budget := 10, 2000
	if s.Covariance == rsie.Limited {
		dim, budget = 80, 8500
	}
	if s.Family == rsie.Population && s.StepGroups > 0 {
		budget = 40 * s.PopulationSize
	}
	var specs []meta.RunSpec
	for i := range runs {
		specs = append(specs, meta.RunSpec{Strategy: s, Key: rsie.NewKey(4000 + uint64(i)), Budget: budget - kept(s)})
	}
	batch, err := meta.NewBatch(b, curved{p.function, dim, s.SuccessHistory != rsie.NoHistory}, specs)
	require.NoError(t, err)
	defer batch.Close()
	require.NoError(t, batch.Run(t.Context()))
	ours := make([]float64, runs)
	for i := range ours {
		_, ours[i], err = batch.Best(i)
		require.NoError(t, err)
	}
	return ours
}

// kept returns how many evaluations less a run of 40 generations takes because its survivors are
// not evaluated again, as they are in the other library.
func kept(s rsie.Strategy) int {
	if s.Family != rsie.Population || s.Survival == rsie.Pairwise || s.Mutation == rsie.Adaptive {
		return 0
	}
	return 39 * int(math.Round(s.ElitismRatio*float64(s.PopulationSize)))
}

// TestDistributions compares the best fitness of 90 runs with that of 30 runs of another program
// by the test of Mann and Whitney. Of all comparisons none may be significant at 0.05 after Holm's
// correction. RSIE_REFERENCE=full takes all functions, the reduced form two.
func TestDistributions(t *testing.T) {
	full := os.Getenv("RSIE_REFERENCE") == "full"
	functions := []string{"rotated", "rosenbrock"}
	if full {
		functions = append(functions, "sphere", "ellipsoid")
	}
	b, err := cpu.New(0)
	require.NoError(t, err)
	defer b.Close()
	var found []peer
	var p []float64
	var lines []string
	for _, theirs := range peers(t) {
		if !slices.Contains(functions, theirs.function) {
			continue
		}
		runs := 90
		if theirs.strategy == "lm-ma-es" && !full {
			runs = 30 // many parameters take their time
		}
		ours := theirs.bestOf(t, b, runs)
		test, err := stats.MannWhitney(ours, theirs.best, stats.MannWhitneyOptions{Alternative: stats.TwoSided, Method: stats.Asymptotic})
		require.NoError(t, err)
		found, p = append(found, theirs), append(p, test.P)
		lines = append(lines, fmt.Sprintf("%-18s %-10s %-14s median %-9.3g ours %-9.3g p %.3f", theirs.strategy,
			theirs.function, theirs.program, median(theirs.best), median(ours), test.P))
	}
	require.Len(t, p, 18*len(functions))
	adjusted, err := stats.Holm(p)
	require.NoError(t, err)
	for i := range lines {
		lines[i] += fmt.Sprintf(", adjusted %.3f", adjusted[i])
	}
	t.Logf("\n%s", strings.Join(lines, "\n"))
	for i, v := range adjusted {
		if v <= 0.05 {
			t.Errorf("%s on %s: best fitness differs from that of %s, adjusted p %.4f", found[i].strategy,
				found[i].function, found[i].program, v)
		}
	}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
