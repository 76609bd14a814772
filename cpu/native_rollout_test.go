//go:build cgo

package cpu

import (
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// controlPrograms loads every system with a horizon that float32 can follow: chaos multiplies the
// rounding of a step.
func controlPrograms(t testing.TB, horizon int) (out []shape) {
	for _, s := range suiteShapes() {
		if s.model.Loss != rsie.Return {
			continue
		}
		c := *s.model.Control
		c.Horizon = horizon
		m := *s.model
		m.Control = &c
		out = append(out, shape{s.name, &m, s.rows})
	}
	return out
}

// TestNativeRolloutConforms compares returns of every system with the twin's over 20 steps.
func TestNativeRolloutConforms(t *testing.T) {
	g, b := backend(t, 1), native(t, 2)
	for _, s := range append(controlPrograms(t, 20), episodeShapes()...) {
		p, err := g.Load(s.model, s.rows)
		if err != nil {
			t.Fatal(err)
		}
		q, err := b.Load(s.model, s.rows)
		if err != nil {
			t.Fatal(err)
		}
		const n = 37
		points := make([]float64, n*s.model.Dim())
		normals(points, address{key: rsie.NewKey(5)}, rsie.StreamProblem)
		for i, v := range points {
			points[i] = float64(float32(v))
		}
		want, got := make([]float64, n*s.rows.S), make([]float64, n*s.rows.S)
		if err := g.Predict(want, p, points); err != nil {
			t.Fatal(err)
		}
		if err := b.Predict(got, q, points); err != nil {
			t.Fatal(err)
		}
		far := 0
		for i := range want {
			if math.Abs(got[i]-want[i]) > 2e-3*(1+math.Abs(want[i])) {
				if far++; far == 1 {
					t.Logf("%s: return %d is %g, want %g", s.name, i, got[i], want[i])
				}
			}
		}
		// A choice between outputs that are nearly equal may fall the other way.
		if far > len(want)/50 {
			t.Errorf("%s: %d of %d returns differ", s.name, far, len(want))
		}
	}
}

// TestNativeRolloutIsOfTheEpisode compares the fitness of members in one state with that of each
// alone: lanes, spans and neighbours may not matter.
func TestNativeRolloutIsOfTheEpisode(t *testing.T) {
	for _, s := range controlPrograms(t, 120) {
		b := native(t, 3)
		q, err := b.Load(s.model, s.rows)
		if err != nil {
			t.Fatal(err)
		}
		const n = 41
		dim := s.model.Dim()
		points := make([]float64, n*dim)
		normals(points, address{key: rsie.NewKey(6)}, rsie.StreamProblem)
		all := make([]float64, n*s.rows.S)
		if err := b.Predict(all, q, points); err != nil {
			t.Fatal(err)
		}
		fitness := evaluateOn(t, b, q, s.model, points)
		for i := range n {
			alone := evaluateOn(t, b, q, s.model, points[i*dim:][:dim])
			if alone[0] != fitness[i] {
				t.Fatalf("%s: member %d has %v among others and %v alone", s.name, i, fitness[i], alone[0])
			}
			mean := 0.0
			for _, v := range all[i*s.rows.S:][:s.rows.S] {
				mean -= v / float64(s.rows.S)
			}
			if math.Abs(mean-fitness[i]) > 1e-4*(1+math.Abs(mean)) {
				t.Fatalf("%s: member %d has fitness %v, its returns mean %v", s.name, i, fitness[i], mean)
			}
		}
	}
}

// evaluateOn returns the fitness of points as the members of one random run.
func evaluateOn(t testing.TB, b rsie.Backend, p rsie.Program, m *rsie.Model, points []float64) []float64 {
	t.Helper()
	n := len(points) / m.Dim()
	s, err := rsie.NewState(b, rsie.Shape{Name: "episodes", Dim: m.Dim(), Blocks: m.Blocks()}, rsie.Needs{Members: []int{n}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Free(b)
	for i := range n {
		if err := b.Upload(s.Next.Points, i*s.Stride, points[i*m.Dim():][:m.Dim()]); err != nil {
			t.Fatal(err)
		}
	}
	table := []rsie.Run{{Members: uint32(n), Previous: uint32(n), EvalTo: uint32(n), Family: rsie.CodeRandom, Flags: rsie.FlagActive}}
	if err := b.Do(s, table, p, []rsie.Op{rsie.OpEvaluate}); err != nil {
		t.Fatal(err)
	}
	out := make([]float64, n)
	if err := b.Download(out, s.Next.Fitness, 0); err != nil {
		t.Fatal(err)
	}
	return out
}

// episodeShapes are policies of other depths, widths and activations, and numbers of starts around those
// of a flight.
func episodeShapes() (out []shape) {
	for i, c := range []struct {
		dynamics   rsie.Dynamics
		hidden     []int
		activation rsie.Activation
		starts     int
	}{
		{rsie.CartPole, nil, rsie.Tanh, 1}, {rsie.CartPole, []int{33}, rsie.Tanh, 3}, {rsie.Acrobot, []int{7, 9}, rsie.ReLU, 16},
		{rsie.Pendulum, []int{1}, rsie.Sigmoid, 33}, {rsie.MountainCar, []int{12, 5, 3}, rsie.Tanh, 40},
		{rsie.CartPoleSwingUp, []int{20}, rsie.Linear, 5}, {rsie.MountainCarContinuous, []int{15}, rsie.ReLU, 70},
	} {
		state, obs, width := c.dynamics.Sizes()
		m := &rsie.Model{Network: rsie.Dense, Layers: append(append([]int{obs}, c.hidden...), width), Loss: rsie.Return,
			Control: &rsie.Control{Dynamics: c.dynamics, Horizon: 20}}
		for range c.hidden {
			m.Activation = append(m.Activation, c.activation)
		}
		rows := &rsie.Rows{S: c.starts, Inputs: ramp(c.starts * state)}
		for k := range rows.Inputs {
			rows.Inputs[k] = float64(float32(0.05 * rows.Inputs[k]))
		}
		out = append(out, shape{fmt.Sprint("policy ", i, " ", m.Layers), m, rows})
	}
	return out
}

// TestNativeRolloutBits sees every variant, and 1, 2 and 7 workers, give every policy the same bits, over
// horizons at which chaos would show the smallest difference.
func TestNativeRolloutBits(t *testing.T) {
	for _, s := range append(controlPrograms(t, 150), episodeShapes()...) {
		points := make([]float64, 45*s.model.Dim())
		normals(points, address{key: rsie.NewKey(8)}, rsie.StreamProblem)
		var want []float64
		for _, level := range levels() {
			for _, workers := range []int{1, 2, 7} {
				b := nativeAt(t, level, workers)
				p, err := b.Load(s.model, s.rows)
				if err != nil {
					t.Fatal(err)
				}
				got := evaluateOn(t, b, p, s.model, points)
				if want == nil {
					want = got
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: %v with %d workers differs from %v with one", s.name, level, workers, levels()[0])
				}
			}
		}
		if slices.Min(want) == slices.Max(want) && s.model.Control.Dynamics != rsie.MountainCar && s.model.Control.Dynamics != rsie.Acrobot {
			t.Errorf("%s: all policies have fitness %v", s.name, want[0])
		}
	}
}

// TestNativeStepsNearGymnasium makes every step of gymnasium's trajectories from its listed state. The
// tolerance is that of the float32 twin and the rounding of the listed states: half a unit of an angle
// of acrobot moves its rates by up to 9 pi times as much.
func TestNativeStepsNearGymnasium(t *testing.T) {
	program := filepath.Join(t.TempDir(), "steps")
	if out, err := exec.Command("cc", "-O2", "-ffp-contract=off", "-I../kernels", "testdata/steps.c", "-o", program, "-lm").
		CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, g := range gym {
		t.Run(g.file, func(t *testing.T) {
			var lines strings.Builder
			var want [][]float64
			eachStep(t, g.file, func(_ string, _ int, from, to []float64, action, reward float64, ended bool) {
				if g.dynamics == rsie.Pendulum {
					action /= 2 // the policy's, whose force is twice as large
				}
				s := append(slices.Clone(from), 0, 0)
				fmt.Fprintf(&lines, "%d %.9g %.9g %.9g %.9g %.9g\n", g.dynamics, s[0], s[1], s[2], s[3], action)
				w := append(append(slices.Clone(to), 0, 0)[:4], reward, 0)
				if ended {
					w[5] = 1
				}
				want = append(want, w)
			})
			run := exec.Command(program)
			run.Stdin = strings.NewReader(lines.String())
			out, err := run.Output()
			if err != nil {
				t.Fatal(err)
			}
			worst, wraps := compareSteps(t, strings.Fields(string(out)), want, 3*g.single)
			t.Logf("%d steps, largest error %.3g, %d angles on the other side of a wrap", len(want), worst, wraps)
		})
	}
}

// compareSteps returns the largest error, as a share of 1 + |value|, and how many angles are a turn off.
func compareSteps(t *testing.T, fields []string, want [][]float64, tolerance float64) (worst float64, wraps int) {
	t.Helper()
	if len(fields) != 6*len(want) {
		t.Fatalf("%d numbers for %d steps", len(fields), len(want))
	}
	for i, w := range want {
		for k, v := range w {
			got, err := strconv.ParseFloat(fields[6*i+k], 64)
			if err != nil {
				t.Fatal(err)
			}
			if turns := math.Round((v - got) / (2 * math.Pi)); k < 2 && turns != 0 {
				got += 2 * math.Pi * turns
				wraps++
			}
			off := math.Abs(got-v) / (1 + math.Abs(v))
			worst = max(worst, off)
			if !(off <= tolerance) {
				t.Errorf("step %d, value %d: %.9g, want %.9g within %g", i, k, got, v, tolerance)
			}
		}
	}
	return worst, wraps
}
