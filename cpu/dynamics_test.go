package cpu

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/symbio-ai/recursive-improvement"
)

// trajectory is one of gymnasium's, see testdata/README.md.
type trajectory struct {
	Name         string      `json:"name"`
	InitialState []float64   `json:"initial_state"`
	Actions      []float64   `json:"actions"`
	States       [][]float64 `json:"states"`
	Rewards      []float64   `json:"rewards"`
	Terminated   []bool      `json:"terminated"`
}

// gym lists the systems with their files and the largest error of one float32 step, as a share
// of 1 + |value|. Acrobot multiplies rounding by rates up to 9π
// in its four slopes, the pendulum squares angles that have wrapped.
var gym = []struct {
	file     string
	dynamics rsie.Dynamics
	single   float64
}{
	{"cartpole_v1", rsie.CartPole, 3e-7},
	{"acrobot_v1", rsie.Acrobot, 2e-6},
	{"mountaincar_v0", rsie.MountainCar, 3e-7},
	{"mountaincarcontinuous_v0", rsie.MountainCarContinuous, 3e-7},
	{"pendulum_v1", rsie.Pendulum, 3e-6},
}

func readJSON(t *testing.T, path string, to any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// stepFrom makes one step from state in the precision of T; a is gymnasium's action.
func stepFrom[T float](d rsie.Dynamics, state []float64, a float64) (
	next []float64, reward float64, ended bool) {
	var e episode[T]
	for j, v := range state {
		e.state[j] = T(v)
	}
	var r T
	switch d {
	case rsie.CartPole:
		c := newCart[T](&rsie.Control{})
		e.lookCart()
		r, ended = e.stepCartPole(T(2*a-1)*c.force, &c)
	case rsie.Acrobot:
		e.lookAcrobot()
		r, ended = e.stepAcrobot(T(a - 1))
	case rsie.MountainCar:
		r, ended = e.stepMountainCar(T(a - 1))
	case rsie.MountainCarContinuous:
		r, ended = e.stepMountainCarContinuous(T(a))
	case rsie.Pendulum:
		e.lookPendulum()
		r, ended = e.stepPendulum(T(a))
	}
	for j := range state {
		next = append(next, float64(e.state[j]))
	}
	return next, float64(r), ended
}

// visit is called with the name of a trajectory, the number of a step and the states around it.
type visit func(name string, step int, from, to []float64, action, reward float64, ended bool)

// eachStep calls f for every step of every trajectory.
func eachStep(t *testing.T, file string, f visit) {
	var content struct{ Trajectories []trajectory }
	readJSON(t, "testdata/"+file+".json", &content)
	if len(content.Trajectories) < 3 {
		t.Fatalf("%s: %d trajectories", file, len(content.Trajectories))
	}
	for _, c := range content.Trajectories {
		from := c.InitialState
		for i, to := range c.States {
			f(c.Name, i, from, to, c.Actions[i], c.Rewards[i], c.Terminated[i])
			from = to
		}
	}
}

func TestStepsEqualGymnasium(t *testing.T) {
	for _, g := range gym {
		t.Run(g.file, func(t *testing.T) {
			worst := 0.0
			eachStep(t, g.file, func(name string, i int, from, to []float64, action, reward float64, ended bool) {
				next, r, e := stepFrom[float64](g.dynamics, from, action)
				for j, v := range append(next, r) {
					want := append(append([]float64{}, to...), reward)[j]
					err := math.Abs(v-want) / max(1, math.Abs(want))
					worst = max(worst, err)
					if !(err <= 1e-12) {
						t.Errorf("%s, step %d, value %d: %.17g, want %.17g", name, i, j, v, want)
					}
				}
				if e != ended {
					t.Errorf("%s, step %d: ended %v, want %v", name, i, e, ended)
				}
			})
			t.Logf("largest error %.3g", worst)
		})
	}
}

// TestSingleSteps compares the float32 form with the float64 one from the same state. An angle
// that lands beside a wrap may differ by a turn.
func TestSingleSteps(t *testing.T) {
	for _, g := range gym {
		t.Run(g.file, func(t *testing.T) {
			worst := 0.0
			eachStep(t, g.file, func(name string, i int, from, _ []float64, action, _ float64, _ bool) {
				rounded := make([]float64, len(from))
				for j, v := range from {
					rounded[j] = float64(float32(v))
				}
				action = float64(float32(action))
				want, wantReward, _ := stepFrom[float64](g.dynamics, rounded, action)
				got, reward, _ := stepFrom[float32](g.dynamics, rounded, action)
				if g.dynamics == rsie.Acrobot {
					for j := range 2 {
						got[j] += 2 * math.Pi * math.Round((want[j]-got[j])/(2*math.Pi))
					}
				}
				for j, v := range append(want, wantReward) {
					err := math.Abs(append(got, reward)[j]-v) / (1 + math.Abs(v))
					worst = max(worst, err)
					if !(err <= g.single) {
						t.Errorf("%s, step %d, value %d: off by %g of 1+|%g|, want at most %g", name, i, j, err, v, g.single)
					}
				}
			})
			if worst == 0 {
				t.Error("no rounding at all: the float32 form was not used")
			}
			t.Logf("largest error %.3g", worst)
		})
	}
}

// TestAcrobotClipsRates starts beyond both limits, where gymnasium's trajectories do not get.
func TestAcrobotClipsRates(t *testing.T) {
	for _, sign := range []float64{1, -1} {
		next, _, _ := stepFrom[float64](rsie.Acrobot, []float64{0, 0, sign * 60, sign * 60}, 1)
		rest, _, _ := stepFrom[float64](rsie.Acrobot, []float64{0, 0, sign * 0.1, sign * 60}, 1)
		if math.Abs(next[2]) != 4*math.Pi && math.Abs(rest[2]) != 4*math.Pi {
			t.Errorf("first rate %g and %g, want one at 4π", next[2], rest[2])
		}
		if math.Abs(next[3]) > 9*math.Pi || math.Abs(rest[3]) != 9*math.Pi {
			t.Errorf("second rate %g and %g, want at most 9π and 9π", next[3], rest[3])
		}
	}
}

// TestCartConstants checks gymnasium's constants behind 0 and each field on its own.
func TestCartConstants(t *testing.T) {
	for _, c := range []struct {
		given rsie.Control
		want  cartConstants[float64]
	}{
		{rsie.Control{}, cartConstants[float64]{10, 0.1, 0.5, 1.1, 0.05}},
		{rsie.Control{Force: 8}, cartConstants[float64]{8, 0.1, 0.5, 1.1, 0.05}},
		{rsie.Control{PoleMass: 0.5}, cartConstants[float64]{10, 0.5, 0.5, 1.5, 0.25}},
		{rsie.Control{HalfLength: 2}, cartConstants[float64]{10, 0.1, 2, 1.1, 0.2}},
		{rsie.Control{CartMass: 2}, cartConstants[float64]{10, 0.1, 0.5, 2.1, 0.05}},
	} {
		if got := newCart[float64](&c.given); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c.given, got, c.want)
		}
	}
}
