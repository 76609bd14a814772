package meta

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/cpu"
)

// ellipsoid is Σ 10^(4 j/(D-1)) (x_j - c_j)², with an optimum that no symmetry hides.
type ellipsoid struct {
	dim   int
	calls *int
}

func (p ellipsoid) Shape() rsie.Shape {
	return rsie.Shape{Name: "ellipsoid", Dim: p.dim,
		Blocks: []rsie.Block{{Rows: 1, Cols: p.dim, Std: 1}}}
}

func (p ellipsoid) Evaluate(_ context.Context, fitness, points []float64, _ rsie.Key) error {
	for i := range fitness {
		fitness[i] = p.at(points[i*p.dim:][:p.dim])
		if p.calls != nil {
			*p.calls++
		}
	}
	return nil
}

func (p ellipsoid) at(x []float64) float64 {
	sum := 0.0
	for j, v := range x {
		d := v - (0.3 + 0.2*float64(j%3))
		sum += math.Pow(10, 4*float64(j)/float64(p.dim-1)) * d * d
	}
	return sum
}

func gonum(t testing.TB, workers int) rsie.Backend {
	b, err := cpu.NewGonum(workers)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// Every evaluation is counted once and the budget is met exactly, whatever it is a multiple of.
func TestBudgetIsMetExactly(t *testing.T) {
	for _, budget := range []int{1, 49, 50, 51, 333} {
		for _, s := range rsie.Baselines() {
			calls := 0
			got, err := Evolve(context.Background(), gonum(t, 1), s, ellipsoid{5, &calls}, rsie.NewKey(3), budget)
			require.NoError(t, err)
			require.Equal(t, budget, calls, "%s", s.GenomeID)
			require.LessOrEqual(t, got.Curve.Points[len(got.Curve.Points)-1].Evaluations, budget)
			require.InDelta(t, got.Fitness, ellipsoid{dim: 5}.at(got.Point), 1e-9*math.Abs(got.Fitness))
			require.Equal(t, got.Fitness, got.Curve.Final(), "the kept point is the curve's end")
		}
	}
}

// Every hand-designed strategy but the floor beats random search on a badly scaled function; the
// published default, whose steps of 0.01 are small here, is held to less.
func TestStrategiesLearn(t *testing.T) {
	b := gonum(t, 2)
	final := map[string]float64{}
	for _, s := range rsie.Starts() {
		sum := 0.0
		for seed := range uint64(5) {
			got, err := Evolve(context.Background(), b, s, ellipsoid{8, nil}, rsie.NewKey(seed), 5000)
			require.NoError(t, err)
			sum += math.Log10(got.Fitness)
		}
		final[s.GenomeID] = sum / 5
	}
	floor := final["random-search"]
	for name, v := range final {
		if name != "random-search" {
			require.Less(t, v, floor-0.2, "%s reaches 10^%.2f, random search 10^%.2f", name, v, floor)
		}
	}
	require.Less(t, final["snes"], floor-1)
}

// A run inside a batch of others gives the bits it gives alone, and a saved batch continues as
// if it had not been interrupted.
func TestBatchCompositionAndResume(t *testing.T) {
	b := gonum(t, 2)
	p := ellipsoid{6, nil}
	var specs []RunSpec
	for i, s := range rsie.Baselines() {
		specs = append(specs, RunSpec{Strategy: s, Key: rsie.NewKey(uint64(i)), Budget: 400 + 30*i})
	}
	whole, err := NewBatch(b, p, specs)
	require.NoError(t, err)
	defer whole.Close()
	for range 4 {
		require.NoError(t, whole.Step(context.Background()))
	}
	saved, err := whole.Save()
	require.NoError(t, err)
	require.NoError(t, whole.Run(context.Background()))

	again, err := NewBatch(b, p, specs)
	require.NoError(t, err)
	defer again.Close()
	require.NoError(t, again.Restore(saved))
	require.NoError(t, again.Run(context.Background()))
	for r, spec := range specs {
		alone, err := Evolve(context.Background(), b, spec.Strategy, p, spec.Key, spec.Budget)
		require.NoError(t, err)
		point, fitness, err := whole.Best(r)
		require.NoError(t, err)
		require.Equal(t, alone.Point, point, spec.Strategy.GenomeID)
		require.Equal(t, alone.Fitness, fitness)
		require.Equal(t, alone.Curve, whole.Curve(r))
		require.Equal(t, whole.Curve(r), again.Curve(r))
	}
	require.ErrorIs(t, again.Restore(saved[:len(saved)-1]), rsie.ErrShape)
	require.ErrorIs(t, again.Restore(saved[:2]), rsie.ErrShape)
}

// failing answers with an error at the second call and with bad numbers before.
type failing struct {
	ellipsoid
	count *int
}

var errProgram = errors.New("the program died")

func (p failing) Evaluate(_ context.Context, fitness, _ []float64, _ rsie.Key) error {
	*p.count++
	if *p.count > 1 {
		return errProgram
	}
	for i := range fitness {
		fitness[i] = []float64{math.NaN(), math.Inf(1), math.Inf(-1), 2}[i%4]
	}
	return nil
}

func TestBadFitnessIsWorst(t *testing.T) {
	count := 0
	s := rsie.DefaultStrategy()
	s.PopulationSize = 8
	batch, err := NewBatch(gonum(t, 1), failing{ellipsoid{3, nil}, &count}, []RunSpec{{Strategy: s, Key: rsie.NewKey(1), Budget: 100}})
	require.NoError(t, err)
	defer batch.Close()
	require.NoError(t, batch.Step(context.Background()))
	_, fitness, err := batch.Members(0)
	require.NoError(t, err)
	require.Equal(t, []float64{rsie.Worst, rsie.Worst, rsie.Worst, 2, rsie.Worst, rsie.Worst, rsie.Worst, 2}, fitness)
	require.Equal(t, []Point{{1, rsie.Worst}, {4, 2}}, batch.Curve(0).Points)
	require.ErrorIs(t, batch.Step(context.Background()), errProgram)
}

func TestCancelledBatchStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Evolve(ctx, gonum(t, 1), rsie.DefaultStrategy(), ellipsoid{3, nil}, rsie.NewKey(1), 100)
	require.ErrorIs(t, err, context.Canceled)
}

func TestBatchRefusesBadRuns(t *testing.T) {
	b := gonum(t, 1)
	bad := rsie.DefaultStrategy()
	bad.MutationRate = 2
	huge := rsie.DefaultStrategy()
	huge.PopulationSize = 1 << 20
	for _, c := range []struct {
		spec RunSpec
		p    rsie.Problem
		says string
	}{
		{RunSpec{Strategy: bad, Key: rsie.NewKey(1), Budget: 10}, ellipsoid{3, nil}, "mutation_rate"},
		{RunSpec{Strategy: rsie.DefaultStrategy(), Key: rsie.NewKey(1), Budget: 0}, ellipsoid{3, nil}, "budget 0"},
		{RunSpec{Strategy: huge, Key: rsie.NewKey(1), Budget: 10}, ellipsoid{100_000, nil}, "GiB"},
	} {
		_, err := NewBatch(b, c.p, []RunSpec{c.spec})
		require.ErrorIs(t, err, rsie.ErrInvalid)
		require.ErrorContains(t, err, c.says)
	}
}

// dying is a problem whose evaluation is cut off by the signal that cancels the context: it
// answers Worst, as an exec task does for a program that was killed.
type dying struct {
	flat
	cancel context.CancelFunc
}

func (d dying) Evaluate(_ context.Context, fitness, _ []float64, _ rsie.Key) error {
	for i := range fitness {
		fitness[i] = rsie.Worst
	}
	d.cancel()
	return nil
}

// A generation whose evaluation met a cancelled context is not told.
func TestBatchCancelledInEvaluation(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := rsie.Starts()[0]
	b, err := NewBatch(gonum(t, 1), dying{cancel: cancel}, []RunSpec{{Strategy: s, Key: rsie.NewKey(1), Budget: 1000}})
	require.NoError(t, err)
	defer b.Close()
	require.ErrorIs(t, b.Step(ctx), context.Canceled)
	require.Zero(t, b.Generation(0))
	require.Empty(t, b.Curve(0).Points)
}
