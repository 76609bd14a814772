package cpu

import (
	"math"

	"github.com/symbio-ai/recursive-improvement"
)

// The systems of gymnasium 1.4 (M. Towers et al., arXiv:2407.17032), in both precisions. The
// sines and cosines of the angles of a state stand beside it, because the observation, the
// reward and the next step ask for the same ones.

type float interface{ float32 | float64 }

// episode is one episode in flight.
type episode[T float] struct {
	state    [4]T
	sin, cos [2]T // of the angles of state
}

func sincosOf[T float](v T) (sin, cos T) {
	s, c := sincos(float64(v))
	return T(s), T(c)
}

// wrap returns a - 2π·floor(a/2π + 1/2), an angle in [-π, π).
func wrap[T float](a T) T {
	turns := math.Floor(float64(a/(2*math.Pi) + 0.5))
	return a - 2*math.Pi*T(turns)
}

func clip[T float](v, low, high T) T { return max(low, min(v, high)) }

// cartConstants are those of the cart-pole systems.
type cartConstants[T float] struct {
	force, poleMass, halfLength, total, moment T // total of both masses; poleMass·halfLength
}

// newCart resolves the constants of c; 0 means gymnasium's.
func newCart[T float](c *rsie.Control) cartConstants[T] {
	force, pole, half, cart := c.Cart()
	return cartConstants[T]{T(force), T(pole), T(half), T(cart + pole), T(pole * half)}
}

func (e *episode[T]) lookCart() { e.sin[0], e.cos[0] = sincosOf(e.state[2]) }

// moveCart makes one Euler step of 0.02 s, the positions by the old velocities:
//
//	t = (F + m·l·θ'²·sin θ)/M
//	θ'' = (9.8·sin θ - cos θ·t)/(l·(4/3 - m·cos²θ/M));  x'' = t - m·l·θ''·cos θ/M
//
// Source: A. Barto, R. Sutton, C. Anderson 1983, as corrected in gymnasium.
func (e *episode[T]) moveCart(force T, c *cartConstants[T]) {
	s, sin, cos := &e.state, e.sin[0], e.cos[0]
	t := (force + c.moment*s[3]*s[3]*sin) / c.total
	angular := (9.8*sin - cos*t) / (c.halfLength * (T(4./3) - c.poleMass*cos*cos/c.total))
	linear := t - c.moment*angular*cos/c.total
	s[0] += 0.02 * s[1]
	s[1] += 0.02 * linear
	s[2] += 0.02 * s[3]
	s[3] += 0.02 * angular
	e.lookCart()
}

// stepCartPole gives 1 for every step, the last included; the episode ends when the cart is
// more than 2.4 from the middle or the pole more than 12 degrees from upright.
func (e *episode[T]) stepCartPole(force T, c *cartConstants[T]) (reward T, ended bool) {
	e.moveCart(force, c)
	x, angle := e.state[0], e.state[2]
	const limit = 12 * 2 * math.Pi / 360
	return 1, x < -2.4 || x > 2.4 || angle < -limit || angle > limit
}

// stepSwingUp gives (1 + cos θ)/2 of the new angle; when the cart is more than 2.4 from the
// middle the episode ends without a reward for the step.
func (e *episode[T]) stepSwingUp(force T, c *cartConstants[T]) (reward T, ended bool) {
	e.moveCart(force, c)
	if x := e.state[0]; x < -2.4 || x > 2.4 {
		return 0, true
	}
	return (1 + e.cos[0]) / 2, false
}

func (e *episode[T]) lookAcrobot() {
	e.sin[0], e.cos[0] = sincosOf(e.state[0])
	e.sin[1], e.cos[1] = sincosOf(e.state[1])
}

// slopeAcrobot returns the angular accelerations of the two links:
//
//	d1 = 3.5 + cos θ2;  d2 = 1.25 + cos θ2/2;  φ2 = 4.9·sin(θ1+θ2)
//	φ1 = -ω2²·sin θ2/2 - ω2·ω1·sin θ2 + 14.7·sin θ1 + φ2
//	a2 = (τ + d2/d1·φ1 - ω1²·sin θ2/2 - φ2)/(1.25 - d2²/d1);  a1 = -(d2·a2 + φ1)/d1
//
// with cos(v - π/2) written as sin v and the sine of the sum by the addition theorem.
//
// Source: R. Sutton 1996, with the equations of Sutton and Barto's book.
func slopeAcrobot[T float](sin, cos *[2]T, w1, w2, torque T) (a1, a2 T) {
	d1 := 0.25 + (1.25 + cos[1]) + 2
	d2 := 0.25 + 0.5*cos[1] + 1
	phi2 := 4.9 * (sin[0]*cos[1] + cos[0]*sin[1])
	phi1 := -0.5*w2*w2*sin[1] - w2*w1*sin[1] + 14.7*sin[0] + phi2
	a2 = (torque + d2/d1*phi1 - 0.5*w1*w1*sin[1] - phi2) / (1.25 - d2*d2/d1)
	return -(d2*a2 + phi1) / d1, a2
}

// stepAcrobot makes one Runge-Kutta step of 0.2 s with the torque held, wraps the angles and
// clips the rates to 4π and 9π. The reward is -1, and 0 when the tip comes above 1, which ends
// the episode.
func (e *episode[T]) stepAcrobot(torque T) (reward T, ended bool) {
	const h = 0.2
	s := e.state
	k := [4]T{s[2], s[3]}
	k[2], k[3] = slopeAcrobot(&e.sin, &e.cos, s[2], s[3], torque)
	sum := k
	for i := range 3 {
		length := T(h / 2)
		if i == 2 {
			length = h
		}
		var mid episode[T]
		for j := range mid.state {
			mid.state[j] = s[j] + length*k[j]
		}
		mid.lookAcrobot()
		k[0], k[1] = mid.state[2], mid.state[3]
		k[2], k[3] = slopeAcrobot(&mid.sin, &mid.cos, k[0], k[1], torque)
		weight := T(2)
		if i == 2 {
			weight = 1
		}
		for j := range sum {
			sum[j] += weight * k[j]
		}
	}
	for j := range s {
		s[j] += T(h/6.) * sum[j]
	}
	e.state = [4]T{wrap(s[0]), wrap(s[1]), clip(s[2], -4*math.Pi, 4*math.Pi),
		clip(s[3], -9*math.Pi, 9*math.Pi)}
	e.lookAcrobot()
	if -e.cos[0]-(e.cos[0]*e.cos[1]-e.sin[0]*e.sin[1]) > 1 {
		return 0, true
	}
	return -1, false
}

// moveCar adds push and gravity to the velocity, then moves; the left wall stops the car.
//
// Source: A. Moore 1990.
func (e *episode[T]) moveCar(push T) {
	s := &e.state
	_, cos := sincosOf(3 * s[0])
	s[1] = clip(s[1]+push-0.0025*cos, -0.07, 0.07)
	s[0] = clip(s[0]+s[1], -1.2, 0.6)
	if s[0] == -1.2 && s[1] < 0 {
		s[1] = 0
	}
}

// stepMountainCar gives -1 for every step and ends at position 0.5; the action is -1, 0 or 1.
func (e *episode[T]) stepMountainCar(action T) (reward T, ended bool) {
	e.moveCar(action * 0.001)
	return -1, e.state[0] >= 0.5 && e.state[1] >= 0
}

// stepMountainCarContinuous gives -0.1·action² and 100 at position 0.45, which ends the
// episode. The force is the action clipped to [-1, 1]; the reward uses the action itself.
// gymnasium rounds the state to float32 after a step; this does not.
func (e *episode[T]) stepMountainCarContinuous(action T) (reward T, ended bool) {
	e.moveCar(clip(action, -1, 1) * 0.0015)
	ended = e.state[0] >= 0.45 && e.state[1] >= 0
	if ended {
		reward = 100
	}
	return reward - 0.1*action*action, ended
}

func (e *episode[T]) lookPendulum() { e.sin[0], e.cos[0] = sincosOf(e.state[0]) }

// stepPendulum gives -(wrap(θ)² + 0.1·ω² + 0.001·u²) of the old state with the torque u
// clipped to [-2, 2]; ω changes first, by 0.05·(15·sin θ + 3u), clipped to [-8, 8], then θ by
// the new ω. It never ends.
func (e *episode[T]) stepPendulum(u T) (reward T, ended bool) {
	u = clip(u, -2, 2)
	s := &e.state
	angle := wrap(s[0])
	reward = -(angle*angle + 0.1*s[1]*s[1] + 0.001*u*u)
	s[1] = clip(s[1]+(15*e.sin[0]+3*u)*0.05, -8, 8)
	s[0] += 0.05 * s[1]
	e.lookPendulum()
	return reward, false
}
