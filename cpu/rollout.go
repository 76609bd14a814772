package cpu

import (
	"github.com/symbio-ai/recursive-improvement"
)

// system is a control system made ready: its dynamics and resolved constants.
type system struct {
	dynamics           rsie.Dynamics
	state, obs, out    int
	horizon            int
	cart               cartConstants[float64]
	squash, discretise bool // outputs pass tanh; the first largest output is the action
}

// loadControl copies the control of p's model and the starts.
func (p *program) loadControl(rows *rsie.Rows) {
	c := p.model.Control
	state, obs, out := c.Dynamics.Sizes()
	p.starts = append(p.starts, rows.Inputs...)
	p.system = system{
		dynamics: c.Dynamics, state: state, obs: obs, out: out, horizon: c.Horizon,
		cart:       newCart[float64](c),
		squash:     c.Dynamics == rsie.CartPoleSwingUp || c.Dynamics == rsie.Pendulum,
		discretise: out > 1,
	}
}

// rollout returns minus the mean over the starts of the sum of rewards of point's policy and
// leaves the sums in w.returns. All episodes in flight advance together, one policy call a
// step; one that ends is dropped, and the others keep their order, so no value depends on it.
func (p *program) rollout(w *scratch, point []float64) float64 {
	y := &p.system
	active := w.active[:p.samples]
	for e := range active {
		active[e] = int32(e)
		w.returns[e] = 0
		w.episodes[e] = episode[float64]{}
		copy(w.episodes[e].state[:y.state], p.starts[e*y.state:])
		y.look(&w.episodes[e])
	}
	for step := 0; step < y.horizon && len(active) > 0; step++ {
		n := len(active)
		x := w.c[:y.obs*n]
		for i, e := range active {
			y.observe(x[i:], &w.episodes[e], n)
		}
		out := p.dense(w, input{x: x}, n, point)
		if y.squash {
			tanhSlice(out)
		}
		kept := active[:0]
		for i, e := range active {
			reward, ended := y.step(&w.episodes[e], y.action(out[i:], n))
			w.returns[e] += reward
			if !ended {
				kept = append(kept, e)
			}
		}
		active = kept
	}
	total := 0.0
	for _, v := range w.returns {
		total += v
	}
	return -total / float64(p.samples)
}

// action returns the output of a policy as a system takes it: the number of the first largest
// output, or the output itself. out holds output j at j*n. An output that is not a number is
// chosen only when it comes first.
func (y *system) action(out []float64, n int) float64 {
	if !y.discretise {
		return out[0]
	}
	best := 0
	for j := 1; j < y.out; j++ {
		if out[j*n] > out[best*n] {
			best = j
		}
	}
	return float64(best)
}

// look fills what the observation and the next step of an episode share.
func (y *system) look(e *episode[float64]) {
	switch y.dynamics {
	case rsie.CartPole, rsie.CartPoleSwingUp:
		e.lookCart()
	case rsie.Acrobot:
		e.lookAcrobot()
	case rsie.Pendulum:
		e.lookPendulum()
	}
}

// observe writes value k of the observation to x[k*n].
func (y *system) observe(x []float64, e *episode[float64], n int) {
	s := &e.state
	switch y.dynamics {
	case rsie.CartPole:
		x[0], x[n], x[2*n], x[3*n] = s[0], s[1], s[2], s[3]
	case rsie.CartPoleSwingUp:
		x[0], x[n], x[2*n], x[3*n], x[4*n] = s[0], s[1], e.cos[0], e.sin[0], s[3]
	case rsie.Acrobot:
		x[0], x[n], x[2*n], x[3*n] = e.cos[0], e.sin[0], e.cos[1], e.sin[1]
		x[4*n], x[5*n] = s[2], s[3]
	case rsie.MountainCar, rsie.MountainCarContinuous:
		x[0], x[n] = s[0], s[1]
	case rsie.Pendulum:
		x[0], x[n], x[2*n] = e.cos[0], e.sin[0], s[1]
	}
}

// step advances e by one step.
func (y *system) step(e *episode[float64], action float64) (reward float64, ended bool) {
	switch y.dynamics {
	case rsie.CartPole:
		force := y.cart.force
		if action == 0 {
			force = -force
		}
		return e.stepCartPole(force, &y.cart)
	case rsie.CartPoleSwingUp:
		return e.stepSwingUp(y.cart.force*action, &y.cart)
	case rsie.Acrobot:
		return e.stepAcrobot(action - 1)
	case rsie.MountainCar:
		return e.stepMountainCar(action - 1)
	case rsie.MountainCarContinuous:
		return e.stepMountainCarContinuous(action)
	}
	return e.stepPendulum(2 * action)
}
