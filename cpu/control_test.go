package cpu

import (
	"math"
	"testing"

	"github.com/symbio-ai/recursive-improvement"
)

// suiteControl is a control task of the training suite with its check values, which are for the
// parameters of conformancePoint. state10 and state25 are those of the second training start.
type suiteControl struct {
	name             string
	control          rsie.Control
	hidden           int
	train, test      []float64
	check, testCheck float64 // 0: the suite gives none
	state10, state25 []float64
}

func cartStarts(x0, low float64, angles ...float64) []float64 {
	var out []float64
	for i, a := range angles {
		out = append(out, math.Round((x0+0.2*float64(i))*10)/10, low, a, low)
	}
	return out
}

func carStarts(x0 float64) []float64 {
	var out []float64
	for i := range 8 {
		out = append(out, math.Round((x0+0.025*float64(i))*1e4)/1e4, 0)
	}
	return out
}

var (
	swingUpTrain = cartStarts(-0.8, 0, 2.941593, 3.191593, 3.041593, 3.291593,
		3.141593, 2.991593, 3.241593, 3.091593)
	swingUpTest = cartStarts(-0.7, 0, 3.066593, 3.316593, 3.166593, 3.016593,
		3.266593, 3.116593, 2.966593, 3.216593)
	acrobotTrain = []float64{-0.1, -0.1, -0.1, -0.1, -0.075, -0.025, 0.025, 0.075, -0.05, 0.05, -0.05, 0.05,
		-0.025, -0.075, 0.075, 0.025, 0, 0, 0, 0, 0.025, 0.075, -0.075, -0.025, 0.05, -0.05, 0.05, -0.05,
		0.075, 0.025, -0.025, -0.075}
	acrobotTest = []float64{-0.0875, -0.0625, -0.0375, -0.0125, -0.0625, 0.0125, 0.0875, -0.0375,
		-0.0375, 0.0875, 0.0125, -0.0625, -0.0125, -0.0375, -0.0625, -0.0875, 0.0125, 0.0375, 0.0625, 0.0875,
		0.0375, -0.0875, -0.0125, 0.0625, 0.0625, -0.0125, -0.0875, 0.0375, 0.0875, 0.0625, 0.0375, 0.0125}
)

func suiteControls() []suiteControl {
	return []suiteControl{
		{"cartpole_swingup", rsie.Control{Dynamics: rsie.CartPoleSwingUp, Horizon: 300}, 16,
			swingUpTrain, swingUpTest, -7.07787259590621, -7.383160013413164,
			[]float64{-0.7439536810886122, -1.732831792186892, 2.9682010823089477, -2.5747843808917477},
			[]float64{-1.6456191399316393, -4.392415750390749, 1.9459113558236196, -3.2097264294287493}},
		{"pendulum", rsie.Control{Dynamics: rsie.Pendulum, Horizon: 200}, 16,
			[]float64{-3.141593, -1, -2.356194, 0.25, -1.570796, -0.5, -0.785398, 0.75,
				0, 0, 0.785398, -0.75, 1.570796, 0.5, 2.356194, -0.25},
			[]float64{-2.748894, -0.375, -1.963495, 0.875, -1.178097, 0.125, -0.392699, -0.625,
				0.392699, 0.625, 1.178097, -0.125, 1.963495, -0.875, 2.748894, 0.375},
			1605.96543198992, 1612.942737549469,
			[]float64{-3.7647598765595096, -4.4969972882855105}, []float64{-4.908932791868167, 2.0208485882674223}},
		{"acrobot", rsie.Control{Dynamics: rsie.Acrobot, Horizon: 500}, 16, acrobotTrain, acrobotTest, 500, 500,
			[]float64{0.017731677618396266, 0.3561342739257318, 0.006333478650726754, -0.43603529076783526},
			[]float64{0.015978945134278423, 0.4488924426774116, -0.1565146422103672, 0.2193703842325268}},
		{"swingup_short", rsie.Control{Dynamics: rsie.CartPoleSwingUp, Horizon: 300, Force: 8, PoleMass: 0.2,
			HalfLength: 0.3}, 16, swingUpTrain, swingUpTest, -29.5298082025073, 0, nil, nil},
		{"mountaincar", rsie.Control{Dynamics: rsie.MountainCar, Horizon: 200}, 16,
			carStarts(-0.6), carStarts(-0.5875), 200, 0, nil, nil},
	}
}

// onStarts loads the task's network with starts and a horizon.
func (c *suiteControl) onStarts(t *testing.T, starts []float64, horizon int) *program {
	t.Helper()
	state, obs, out := c.control.Dynamics.Sizes()
	control := c.control
	control.Horizon = horizon
	p, err := load(&rsie.Model{Network: rsie.Dense, Layers: []int{obs, c.hidden, out}, Loss: rsie.Return,
		Activation: []rsie.Activation{rsie.Tanh}, Control: &control},
		&rsie.Rows{S: len(starts) / state, Inputs: starts}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func fitnessOf(p *program, point []float64) float64 {
	f := []float64{0}
	p.evaluate(0, f, point, len(point))
	return f[0]
}

func near(got, want, relative float64) bool {
	return math.Abs(got-want) <= relative*max(1, math.Abs(want))
}

// TestSuiteControl reproduces the suite's check values to 1e-12.
func TestSuiteControl(t *testing.T) {
	const tolerance = 1e-12
	for _, c := range suiteControls() {
		state, _, _ := c.control.Dynamics.Sizes()
		p := c.onStarts(t, c.train, c.control.Horizon)
		point := conformancePoint(p.model, 0)
		if got := fitnessOf(p, point); !near(got, c.check, tolerance) {
			t.Errorf("%s: fitness %.15g, want %.15g", c.name, got, c.check)
		}
		got := fitnessOf(c.onStarts(t, c.test, c.control.Horizon), point)
		if c.testCheck != 0 && !near(got, c.testCheck, tolerance) {
			t.Errorf("%s: test metric %.15g, want %.15g", c.name, got, c.testCheck)
		}
		for horizon, want := range map[int][]float64{10: c.state10, 25: c.state25} {
			p := c.onStarts(t, c.train[state:2*state], horizon)
			fitnessOf(p, point)
			for j, v := range want {
				if got := p.work[0].episodes[0].state[j]; !near(got, v, tolerance) {
					t.Errorf("%s: state[%d] after %d steps %.16g, want %.16g", c.name, j, horizon, got, v)
				}
			}
		}
	}
}

// TestAcrobotEnds has the suite's second vector, under which all episodes end.
func TestAcrobotEnds(t *testing.T) {
	c := suiteControls()[2]
	p := c.onStarts(t, c.train, 500)
	point := make([]float64, p.dim)
	point[80], point[112], point[114] = 1, -1, 1
	if got := fitnessOf(p, point); got != 81.625 {
		t.Errorf("fitness %g, want 81.625", got)
	}
	if got := fitnessOf(c.onStarts(t, c.test, 500), point); got != 70 {
		t.Errorf("test metric %g, want 70", got)
	}
}

// TestEpisodesAreAlone compares the batch with each episode by itself, where episodes end at
// different times, and the sums that predict writes with the fitness.
func TestEpisodesAreAlone(t *testing.T) {
	for _, c := range suiteControls() {
		state, _, _ := c.control.Dynamics.Sizes()
		p := c.onStarts(t, c.train, c.control.Horizon)
		point := conformancePoint(p.model, 0.5)
		returns := make([]float64, p.samples)
		p.predict(returns, 0, point)
		sum := 0.0
		for e, r := range returns {
			alone := c.onStarts(t, c.train[e*state:(e+1)*state], c.control.Horizon)
			if got := fitnessOf(alone, point); got != -r {
				t.Errorf("%s, start %d: alone %v, in the batch %v", c.name, e, got, -r)
			}
			sum += r
		}
		if got := fitnessOf(p, point); got != -sum/float64(p.samples) {
			t.Errorf("%s: fitness %v, mean of the returns %v", c.name, got, -sum/float64(p.samples))
		}
	}
}

// TestCartPoleBalances has a policy that is known to balance (gymnasium's own vectors hold it to
// the limit of 500), one that falls and the argmax of equal outputs.
func TestCartPoleBalances(t *testing.T) {
	m := &rsie.Model{Network: rsie.Dense, Layers: []int{4, 2}, Loss: rsie.Return,
		Control: &rsie.Control{Dynamics: rsie.CartPole, Horizon: 500}}
	p, err := load(m, &rsie.Rows{S: 2, Inputs: []float64{0.01, 0.02, -0.03, 0.04, 0, 0, 0, 0}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	balance := make([]float64, 10)
	for k, v := range []float64{0.1, 0.2, 1, 0.5} {
		balance[2*k+1] = v
	}
	if got := fitnessOf(p, balance); got != -500 {
		t.Errorf("balancing policy: %g, want -500", got)
	}
	left, always := make([]float64, 10), make([]float64, 10)
	always[8] = 1
	if got, want := fitnessOf(p, left), fitnessOf(p, always); got != want || got < -20 || got > -5 {
		t.Errorf("equal outputs: %g, first action always: %g, want the same short fall", got, want)
	}
}
