package task

import (
	"fmt"
	"math"
	"slices"

	"go.yaml.in/yaml/v3"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// controlSpec is a policy for a classic-control system: a dense network reads the observation,
// its outputs choose the action, and fitness is minus the mean return over the training starts.
//
// A list of starts is used as it stands, a number is how many states are drawn from the
// distribution of the system's own reset, with StartSeed.
type controlSpec struct {
	System           string   `yaml:"system"`      // see controlSystems
	Horizon          *int     `yaml:"horizon"`     // steps at most, 1..100000; default: the system's limit
	Force            *float64 `yaml:"force"`       // cart-pole systems, newton: (0, 1000], default 10
	PoleMass         *float64 `yaml:"pole_mass"`   // kg: (0, 1000], default 0.1
	HalfLength       *float64 `yaml:"half_length"` // m, of the pole: (0, 1000], default 0.5
	CartMass         *float64 `yaml:"cart_mass"`   // kg: (0, 1000], default 1
	StartsTraining   *starts  `yaml:"starts_training"`
	StartsValidation *starts  `yaml:"starts_validation"`
	StartsTest       *starts  `yaml:"starts_test"`
	StartSeed        uint64   `yaml:"start_seed"` // of drawn starts, default 0
}

const (
	maxHorizon    = 100_000
	maxStarts     = 100_000
	defaultStarts = 8 // drawn per part when the file says nothing about starts
)

// starts is a list of states, or how many to draw.
type starts struct {
	count int
	list  [][]float64
}

// UnmarshalYAML reads a whole number or a list of states.
func (s *starts) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.SequenceNode {
		return node.Decode(&s.list)
	}
	if err := node.Decode(&s.count); err != nil || s.count < 0 || s.count > maxStarts {
		return fmt.Errorf("line %d: starts %q, want a number from 0 to %d or a list of states",
			node.Line, node.Value, maxStarts)
	}
	return nil
}

// controlSystem is what a name in a task file means.
type controlSystem struct {
	name     string
	dynamics rsie.Dynamics
	horizon  int       // gymnasium's time limit; the training suite's for the swing-up
	centre   []float64 // of the start distribution, uniform in centre ± spread
	spread   []float64
}

// controlSystems are gymnasium 1.4's systems with the distribution of their reset. The swing-up
// is not gymnasium's: it starts at rest near hanging down, anywhere in the middle of the track.
var controlSystems = []controlSystem{
	{"cartpole", rsie.CartPole, 500, []float64{0, 0, 0, 0}, []float64{0.05, 0.05, 0.05, 0.05}},
	{"cartpole_swingup", rsie.CartPoleSwingUp, 300, []float64{0, 0, math.Pi, 0},
		[]float64{0.8, 0, 0.2, 0}},
	{"acrobot", rsie.Acrobot, 500, []float64{0, 0, 0, 0}, []float64{0.1, 0.1, 0.1, 0.1}},
	{"mountaincar", rsie.MountainCar, 200, []float64{-0.5, 0}, []float64{0.1, 0}},
	{"mountaincar_continuous", rsie.MountainCarContinuous, 999, []float64{-0.5, 0},
		[]float64{0.1, 0}},
	{"pendulum", rsie.Pendulum, 200, []float64{0, 0}, []float64{math.Pi, 1}},
}

// build makes the policy network and the starts of each part.
func (s *controlSpec) build(t *Task, c *loading) error {
	i := slices.IndexFunc(controlSystems, func(e controlSystem) bool { return e.name == s.System })
	if i < 0 {
		names := make([]string, len(controlSystems))
		for j, e := range controlSystems {
			names[j] = e.name
		}
		return c.invalid("system %q; allowed are %s", s.System, quoted(names))
	}
	system := controlSystems[i]
	control, err := s.control(system, c)
	if err != nil {
		return err
	}
	_, obs, out := system.dynamics.Sizes()
	model, err := c.model(rsie.Model{Layers: []int{obs, out}, Loss: rsie.Return, Control: control})
	if err != nil {
		return err
	}
	p := &modelProblem{name: t.Name, model: model}
	if err := s.fillRows(p, system, c); err != nil {
		return err
	}
	t.Problem = p
	t.digest = p.digest()
	t.metrics = p.measured(returnMetrics)
	return nil
}

// control returns the constants of the episode.
func (s *controlSpec) control(system controlSystem, c *loading) (*rsie.Control, error) {
	out := &rsie.Control{Dynamics: system.dynamics, Horizon: system.horizon}
	if s.Horizon != nil {
		out.Horizon = *s.Horizon
	}
	if out.Horizon < 1 || out.Horizon > maxHorizon {
		return nil, c.invalid("horizon %d; allowed are 1 to %d steps", out.Horizon, maxHorizon)
	}
	cart := system.dynamics == rsie.CartPole || system.dynamics == rsie.CartPoleSwingUp
	if cart {
		out.Force, out.PoleMass, out.HalfLength, out.CartMass = 10, 0.1, 0.5, 1
	}
	for _, f := range []struct {
		name string
		from *float64
		to   *float64
	}{
		{"force", s.Force, &out.Force}, {"pole_mass", s.PoleMass, &out.PoleMass},
		{"half_length", s.HalfLength, &out.HalfLength}, {"cart_mass", s.CartMass, &out.CartMass},
	} {
		switch {
		case f.from == nil:
		case !cart:
			return nil, c.invalid("%s does not belong to system %s; remove it", f.name, system.name)
		case !(*f.from > 0 && *f.from <= 1000):
			return nil, c.invalid("%s %g; allowed are values above 0 up to 1000", f.name, *f.from)
		default:
			*f.to = *f.from
		}
	}
	return out, nil
}

// fillRows puts the starts of the parts into p. Without any field about starts each part draws
// defaultStarts; with some, a part that is not named has none.
func (s *controlSpec) fillRows(p *modelProblem, system controlSystem, c *loading) error {
	given := []*starts{rsie.Training: s.StartsTraining, rsie.Validation: s.StartsValidation,
		rsie.Test: s.StartsTest}
	none := s.StartsTraining == nil && s.StartsValidation == nil && s.StartsTest == nil
	for part := rsie.Training; part <= rsie.Test; part++ {
		g := given[part]
		if g == nil && none {
			g = &starts{count: defaultStarts}
		}
		if g == nil {
			continue
		}
		rows, err := system.rows(g, rsie.NewKey(s.StartSeed).Child(uint64(part)))
		if err != nil {
			return c.invalid("starts_%s: %v", part, err)
		}
		if rows.S > 0 {
			p.rows[part] = rows
		}
	}
	if p.rows[rsie.Training] == nil {
		return c.invalid("starts_training is empty; give a number from 1 to %d or a list of states",
			maxStarts)
	}
	return nil
}

// rows returns the states of g as rows; k is used where they are drawn.
func (e controlSystem) rows(g *starts, k rsie.Key) (*rsie.Rows, error) {
	width := len(e.centre)
	if g.list == nil {
		rows := &rsie.Rows{S: g.count, Inputs: make([]float64, g.count*width)}
		for r := range g.count {
			words := k.Words(0, uint32(r), 0, 0, rsie.StreamProblem)
			for j := range width {
				u := 2*rsie.Uniform(words[j]) - 1
				rows.Inputs[r*width+j] = e.centre[j] + float64(u*e.spread[j])
			}
		}
		return rows, nil
	}
	if len(g.list) > maxStarts {
		return nil, fmt.Errorf("%d states; allowed are at most %d", len(g.list), maxStarts)
	}
	rows := &rsie.Rows{S: len(g.list)}
	for r, state := range g.list {
		if len(state) != width {
			return nil, fmt.Errorf("state %d has %d numbers, want %d", r+1, len(state), width)
		}
		for j, v := range state {
			if math.IsNaN(v) || math.Abs(v) > 1e6 {
				return nil, fmt.Errorf("state %d, number %d is %g; allowed are -1e6 to 1e6", r+1, j+1, v)
			}
		}
		rows.Inputs = append(rows.Inputs, state...)
	}
	return rows, nil
}
