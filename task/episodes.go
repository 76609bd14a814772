package task

import (
	"fmt"
	"math"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// episodesRange generates control tasks: the systems of [controlSpec] with drawn starts and
// horizons, and the cart-poles with drawn masses, length and force.
type episodesRange struct {
	budgetRange  `yaml:",inline"`
	networkRange `yaml:",inline"`
	System       names `yaml:"system"`      // drawn from these, default all
	Horizon      span  `yaml:"horizon"`     // steps, default 100 to 300
	Starts       span  `yaml:"starts"`      // of each part, default 4 to 8
	Spread       span  `yaml:"spread"`      // of the starts, times the system's own; default 0.5 to 2
	Force        span  `yaml:"force"`       // newton, default 4 to 20; this and the next in ratios
	PoleMass     span  `yaml:"pole_mass"`   // kg, default 0.03 to 0.6
	HalfLength   span  `yaml:"half_length"` // m, default 0.2 to 1.2
	CartMass     span  `yaml:"cart_mass"`   // kg, default 0.4 to 2.5
	// Work bounds steps times starts times parameters; starts are left out, then steps. 0: no
	// bound; default 200,000.
	Work float64 `yaml:"work"`
}

func newEpisodes() *episodesRange {
	g := &episodesRange{budgetRange: newBudget(), networkRange: newNetwork(), Horizon: span{100, 300},
		Starts: span{4, 8}, Spread: span{0.5, 2}, Force: span{4, 20}, PoleMass: span{0.03, 0.6},
		HalfLength: span{0.2, 1.2}, CartMass: span{0.4, 2.5}, Work: 200_000}
	g.Hidden, g.Depth = span{4, 16}, span{1, 1}
	for _, e := range controlSystems {
		g.System = append(g.System, e.name)
	}
	return g
}

func (g *episodesRange) check() error { return nil }

// build draws the system, its constants and the starts.
func (g *episodesRange) build(t *Task, d draws) error {
	name := d.pick("system", g.System)
	i := slices.IndexFunc(controlSystems, func(e controlSystem) bool { return e.name == name })
	system := controlSystems[i]
	_, obs, out := system.dynamics.Sizes()
	m := g.dense(d, obs, out, rsie.Return)
	count, horizon := d.whole("starts", g.Starts), d.whole("horizon", g.Horizon)
	if g.Work > 0 {
		steps := int(g.Work) / m.Dim()
		count = min(count, max(2, steps/horizon))
		horizon = min(horizon, max(20, steps/count))
	}
	m.Control = &rsie.Control{Dynamics: system.dynamics, Horizon: horizon}
	what := ""
	if c := m.Control; system.dynamics == rsie.CartPole || system.dynamics == rsie.CartPoleSwingUp {
		c.Force, c.PoleMass = round32(d.ratio("force", g.Force)), round32(d.ratio("pole_mass", g.PoleMass))
		c.HalfLength = round32(d.ratio("half_length", g.HalfLength))
		c.CartMass = round32(d.ratio("cart_mass", g.CartMass))
		what = fmt.Sprintf(", force %.2g, pole %.2g kg, half length %.2g m, cart %.2g kg", c.Force,
			c.PoleMass, c.HalfLength, c.CartMass)
	}
	p := &modelProblem{name: t.Name, model: m}
	spread, from := d.between("spread", g.Spread), d.stream("states")
	for part := rsie.Training; part <= rsie.Test; part++ {
		p.rows[part] = &rsie.Rows{S: count}
		for range count {
			for j := range system.centre {
				u := 2*from.uniform() - 1
				v := system.centre[j] + float64(u*system.reach(j, spread))
				p.rows[part].Inputs = append(p.rows[part].Inputs, round32(v))
			}
		}
	}
	return t.complete(p, fmt.Sprintf("%s: %d starts, %d steps%s", name, count, horizon, what))
}

// reach is how far starts lie from the centre: within what the system survives.
func (e controlSystem) reach(j int, spread float64) float64 {
	v := spread * e.spread[j]
	if e.dynamics == rsie.Pendulum && j == 0 {
		return min(v, math.Pi)
	}
	if e.dynamics == rsie.MountainCar || e.dynamics == rsie.MountainCarContinuous {
		return min(v, 0.3) // of the track from -1.2 to 0.6
	}
	return v
}
