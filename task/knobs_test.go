package task

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// neighbourLoss is what a fixed fit, the mean (or the vote) of the five nearest training rows,
// reaches on the test rows: the share of wrong classes, or the squared error.
func neighbourLoss(t *testing.T, made *Task) float64 {
	t.Helper()
	p := made.Problem.(*modelProblem)
	train, test := p.rows[rsie.Training], p.rows[rsie.Test]
	in, loss := len(train.Inputs)/train.S, 0.0
	for s := range test.S {
		order := make([]int, train.S)
		distance := make([]float64, train.S)
		for i := range train.S {
			order[i] = i
			for k := range in {
				d := test.Inputs[s*in+k] - train.Inputs[i*in+k]
				distance[i] += d * d
			}
		}
		slices.SortFunc(order, func(a, b int) int {
			return int(math.Copysign(1, distance[a]-distance[b]))
		})
		mean, votes := 0.0, map[int32]int{}
		for _, i := range order[:5] {
			if train.Classes != nil {
				votes[train.Classes[i]]++
			} else {
				mean += train.Targets[i] / 5
			}
		}
		if train.Classes != nil {
			loss += 1 - float64(votes[test.Classes[s]])/5
		} else {
			loss += (mean - test.Targets[s]) * (mean - test.Targets[s])
		}
	}
	return loss / float64(test.S)
}

// meanLoss is the loss of the fixed fit over seeds.
func meanLoss(t *testing.T, entry string) float64 {
	t.Helper()
	sum := 0.0
	for seed := range uint64(6) {
		sum += neighbourLoss(t, one(t, entry, seed))
	}
	return sum / 6
}

// Every knob of difficulty makes the loss of a fixed fit larger, all else being drawn alike.
func TestKnobsRaiseTheLoss(t *testing.T) {
	for _, c := range []struct {
		entry, knob string
		values      []float64
	}{
		{"generator: teacher, goal: [regression], inputs: 3, samples: 300", "noise", []float64{0, 0.5, 1}},
		{"generator: teacher, goal: [classification], inputs: 3, samples: 300", "noise", []float64{0, 0.5, 1}},
		{"generator: teacher, goal: [classification], classes: 3, samples: 300", "inputs", []float64{1, 5, 20}},
		{"generator: teacher, goal: [regression], inputs: 3, noise: 0, samples: 300", "gain", []float64{1, 3, 10}},
		{"generator: geometry, figure: [rings], samples: 300, flips: 0", "noise", []float64{0, 0.3, 1}},
		{"generator: geometry, figure: [spirals], samples: 300, flips: 0", "noise", []float64{0, 0.3, 1}},
		{"generator: geometry, figure: [xor], samples: 300, flips: 0", "noise", []float64{0, 0.3, 1}},
		{"generator: geometry, figure: [blobs], samples: 300, flips: 0", "noise", []float64{0, 0.3, 1}},
		{"generator: geometry, figure: [checkerboard], samples: 300, flips: 0", "noise", []float64{0, 0.3, 1}},
		{"generator: geometry, figure: [spirals], samples: 300, noise: 0", "flips", []float64{0, 0.1, 0.3}},
		{"generator: geometry, figure: [spirals], samples: 300, noise: 0", "turns", []float64{0.3, 2, 5}},
		{"generator: geometry, figure: [checkerboard], samples: 300, noise: 0, classes: 2", "cells", []float64{2, 4, 8}},
		{"generator: geometry, figure: [rings], samples: 300, noise: 0", "extra", []float64{0, 3, 8}},
		{"generator: resample, data: [wine], samples: 300, features: 1", "flips", []float64{0, 0.1, 0.3}},
		{"generator: resample, data: [diabetes], samples: 300, features: 1", "noise", []float64{0, 0.5, 1}},
		{"generator: series, process: [logistic], network: [dense], window: 3, samples: 300", "noise", []float64{0, 0.2, 0.6}},
	} {
		before := -1.0
		for _, v := range c.values {
			loss := meanLoss(t, fmt.Sprintf("%s, work: 0, %s: %g", c.entry, c.knob, v))
			require.Greater(t, loss, before+0.01, "%s, %s %g", c.entry, c.knob, v)
			before = loss
		}
	}
}

// Decades spread the scales of inputs and move that of the target.
func TestDecades(t *testing.T) {
	spread := func(entry string) (inputs, target float64) {
		p := one(t, "generator: teacher, goal: [regression], noise: 0, inputs: 8, "+entry, 2).Problem.(*modelProblem)
		rows := p.rows[rsie.Training]
		low, high := math.Inf(1), 0.0
		for k := range 8 {
			var column []float64
			for s := range rows.S {
				column = append(column, rows.Inputs[s*8+k])
			}
			_, std := meanStd(column)
			low, high = min(low, std), max(high, std)
		}
		mean, std := meanStd(rows.Targets)
		return high / low, math.Abs(mean / std)
	}
	plainInputs, plainTarget := spread("input_decades: 0")
	require.Less(t, plainInputs, 2.0)
	require.Less(t, plainTarget, 1e-6)
	badInputs, badTarget := spread("input_decades: 2, output_decades: 1, offset: 3")
	require.Greater(t, badInputs, 50.0)
	require.InDelta(t, 3, badTarget, 1e-3)
}

// The data of resampled tasks are training rows of training tasks, with columns left out, and
// the parts have no row in common.
func TestResampleStaysInTheTrainingRows(t *testing.T) {
	require.Equal(t, names{"breast_cancer", "diabetes", "digits", "iris", "sines", "spirals", "wine"}, sources())
	standard, err := Embedded("standard")
	require.NoError(t, err)
	wine, err := standard.Select([]string{"wine"})
	require.NoError(t, err)
	rows := wine[0].Problem.(rsie.Modelled).Rows(rsie.Training)
	width := len(rows.Inputs) / rows.S
	known := map[string]bool{}
	for s := range rows.S {
		known[fmt.Sprint(rows.Inputs[s*width:][:width])] = true
	}
	p := one(t, "generator: resample, data: [wine], features: 1, samples: 200, work: 0", 3).Problem.(*modelProblem)
	at := map[string]rsie.Part{}
	for part := rsie.Training; part <= rsie.Test; part++ {
		for s := range p.rows[part].S {
			row := fmt.Sprint(p.rows[part].Inputs[s*width:][:width])
			require.True(t, known[row])
			if before, ok := at[row]; ok {
				require.Equal(t, before, part, "a row is in two parts")
			}
			at[row] = part
		}
	}
	require.Greater(t, len(at), 80, "most of the 107 rows are drawn")
}

// Above the threshold all points are alike; about one starting point in Draws is below it; below
// it the fitness falls with the value, in at most Levels steps.
func TestPlateauIsFlatUntilTheThreshold(t *testing.T) {
	for _, on := range []string{"function", "network"} {
		for _, draws := range []int{10, 100} {
			found, points, limits := 0, 0, map[float64]bool{}
			for seed := range uint64(150) {
				made := one(t, fmt.Sprintf("generator: plateau, on: [%s], draws: %d, levels: 0", on, draws), seed)
				p := made.Problem.(*plateau)
				for _, f := range atRandom(t, made, 50, 9) {
					points++
					if f != p.limit {
						require.Less(t, f, p.limit)
						found++
					}
				}
				limits[p.limit] = true
			}
			require.Len(t, limits, 150)
			require.InDelta(t, 1.0/float64(draws), float64(found)/float64(points), 0.4/float64(draws), on)
		}
	}
	p := &plateau{limit: 2, levels: 4}
	for v, want := range map[float64]float64{5: 2, 2: 2, 1.9: 2, 1.4: 1.5, 0.6: 1, 0.4: 0.5, 0: 0, math.Inf(1): 2} {
		require.Equal(t, want, p.fitness(v), v)
	}
	require.Equal(t, 2.0, p.fitness(math.NaN()))
	p.levels = 0
	require.Equal(t, 0.4, p.fitness(0.4))
	require.Equal(t, 2.0, p.fitness(3))
}

// atRandom returns the fitness of n starting points of a problem.
func atRandom(t *testing.T, made *Task, n int, seed uint64) []float64 {
	t.Helper()
	shape := made.Problem.Shape()
	s := draws{rsie.NewKey(seed)}.stream("other points")
	points := make([]float64, n*shape.Dim)
	for i := range n {
		for _, b := range shape.Blocks {
			for j := b.Offset; j < b.Offset+b.Rows*b.Cols; j++ {
				points[i*shape.Dim+j] = b.Std * s.normal()
				if shape.Bounded() {
					points[i*shape.Dim+j] = shape.Lower + s.uniform()*(shape.Upper-shape.Lower)
				}
			}
		}
	}
	fitness := make([]float64, n)
	require.NoError(t, made.Problem.Evaluate(context.Background(), fitness, points, rsie.Key{}))
	return fitness
}

// The error below a plateau is that of the network: at zero weights, the mean square of the
// targets; with an output bias alone, of the targets less the bias.
func TestPlateauOfANetwork(t *testing.T) {
	made := one(t, "generator: plateau, on: [network]", 1)
	p := made.Problem.(*plateau)
	x := make([]float64, p.shape.Dim)
	zero := p.value(x)
	require.InDelta(t, 1, zero, 1e-5, "targets are standardised")
	x[len(x)-1] = 2
	require.InDelta(t, zero+4, p.value(x), 1e-5, "their mean is 0")
}

// A mixture's fitness is the logarithm of its precision, which reaches -8 at the optimum.
func TestMixtureScales(t *testing.T) {
	for seed := range uint64(5) {
		linear := one(t, "generator: mixture, dimension: [2, 40], scale: [linear]", seed).Problem.(*mixtureProblem)
		logarithm := one(t, "generator: mixture, dimension: [2, 40]", seed)
		best := linear.m.XOpt()
		fitness := make([]float64, 1)
		require.NoError(t, logarithm.Problem.Evaluate(context.Background(), fitness, best, rsie.Key{}))
		require.Equal(t, -8.0, fitness[0])
		best[0] += 0.5
		require.NoError(t, logarithm.Problem.Evaluate(context.Background(), fitness, best, rsie.Key{}))
		require.InDelta(t, math.Log10(linear.m.Precision(best)), fitness[0], 1e-12)
		require.Greater(t, fitness[0], -8.0)
		require.Equal(t, 64, logarithm.Problem.Shape().Bits)
	}
}

// A process is the one it is called: the logistic map and Hénon's follow their formulas exactly,
// and autoregression is stationary.
func TestProcesses(t *testing.T) {
	d := draws{rsie.NewKey(4)}
	x := course("logistic", 300, d)
	r := x[1] / (x[0] * (1 - x[0]))
	require.True(t, r >= 3.6 && r <= 4)
	for i := 1; i < len(x); i++ {
		require.InDelta(t, r*x[i-1]*(1-x[i-1]), x[i], 1e-9)
	}
	x = course("henon", 300, d)
	a := (1 + 0.3*x[0] - x[2]) / (x[1] * x[1])
	for i := 2; i < len(x); i++ {
		require.InDelta(t, 1-a*x[i-1]*x[i-1]+0.3*x[i-2], x[i], 1e-9)
	}
	for seed := range uint64(20) {
		for _, name := range processes {
			x := course(name, 2000, draws{rsie.NewKey(seed)})
			require.True(t, finite(x...), name)
			_, first := meanStd(x[:1000])
			_, second := meanStd(x[1000:])
			require.InDelta(t, 1, first/second, 0.6, name)
		}
	}
}

// Constants and starts of control tasks stay in their ranges and differ between seeds.
func TestEpisodes(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(60) {
		p := one(t, "generator: control, spread: 4", seed).Problem.(*modelProblem)
		c := p.model.Control
		if c.Dynamics == rsie.CartPole || c.Dynamics == rsie.CartPoleSwingUp {
			require.True(t, c.Force >= 4 && c.Force <= 20 && c.PoleMass >= 0.03-1e-8 && c.CartMass <= 2.5, c)
			seen[fmt.Sprint(c.Force)] = true
		}
		state, _, _ := c.Dynamics.Sizes()
		for k, v := range p.rows[rsie.Training].Inputs {
			if k%state == 0 && (c.Dynamics == rsie.MountainCar || c.Dynamics == rsie.MountainCarContinuous) {
				require.True(t, v > -1.2 && v < 0.5, v)
			}
		}
		require.NotEqual(t, p.rows[rsie.Training].Inputs, p.rows[rsie.Test].Inputs)
	}
	require.Greater(t, len(seen), 10)
}
