package rsie

import (
	"context"
	"fmt"
	"math"
)

// Worst is the fitness of an evaluation that gave no finite number.
const Worst = 1e30

// Shape describes the points of a problem.
type Shape struct {
	Name   string
	Dim    int     // D, parameters of a point
	Blocks []Block // tile [0, D) in order
	// Lower and Upper bound every coordinate; equal values mean no bound. Starting points of a
	// bounded problem are uniform in the box, others normal with the deviations of Blocks.
	Lower, Upper float64
	// Open bounds hold for starting points alone: any point may be evaluated.
	Open bool
	Bits int // 64: float32 backends are refused; 0 or 32: any
	// Parallel problems may be asked for several evaluations at once, from several goroutines.
	Parallel bool
	Noisy    bool // the same point may get another fitness: survivors are measured again
}

// Block is one matrix or vector of a point, row-major at Offset.
type Block struct {
	Offset, Rows, Cols int
	Layer              int     // blocks of a layer are swapped together
	Std                float64 // standard deviation of a starting value; 0: starts at 0
}

// Bounded reports whether points are kept in a box.
func (s Shape) Bounded() bool { return s.Lower != s.Upper }

// Check returns [ErrShape] unless the blocks tile [0, Dim) in order.
func (s Shape) Check() error {
	at := 0
	for i, b := range s.Blocks {
		if b.Offset != at || b.Rows < 1 || b.Cols < 1 {
			return fmt.Errorf("%w: %s: block %d at %d with %d x %d, want offset %d and sides >= 1",
				ErrShape, s.Name, i, b.Offset, b.Rows, b.Cols, at)
		}
		at += b.Rows * b.Cols
	}
	if at != s.Dim || s.Dim < 1 {
		return fmt.Errorf("%w: %s: blocks hold %d parameters, want %d >= 1", ErrShape, s.Name, at, s.Dim)
	}
	return nil
}

// Problem is what a run minimises. Weights of a model, points of a function and strategies
// (level 2) are problems alike.
type Problem interface {
	// Shape is constant.
	Shape() Shape
	// Evaluate writes the fitness of the points [len(fitness), Dim], row-major, minimised. A
	// value that is not finite ranks as [Worst]. Randomness, if any, comes from key alone.
	// points may not be kept or changed. An error ends the run.
	Evaluate(ctx context.Context, fitness, points []float64, key Key) error
}

// Replicated is a problem that stands for several instances: the runs of one strategy, counted
// from 0, each take their own.
type Replicated interface {
	Problem
	// Replicate returns instance k, which has the shape of the problem itself, or an error.
	Replicate(k int) (Problem, error)
}

// Modelled is a problem a backend can evaluate without leaving the device.
type Modelled interface {
	Problem
	// Model is constant; fitness is the loss on Rows(Training).
	Model() *Model
	// Rows returns the data of a part, nil when there are none.
	Rows(p Part) *Rows
}

// Part names a share of the data of a task.
type Part uint8

// The parts. Evolution sees Training alone, choices are made on Validation, Test is read once.
const (
	Training Part = 1 + iota
	Validation
	Test
)

// String returns the lower-case name.
func (p Part) String() string { return [...]string{"", "training", "validation", "test"}[p] }

// Network is the kind of model.
type Network uint8

// The networks.
const (
	Dense Network = 1 + iota // layers n0, n1, ...: per layer W[in][out], then b[out]
	Elman                    // layers in, h, out: Wx, Wh, bh, Wo, bo; h_t = act(x_t Wx + h_(t-1) Wh + bh)
	GRU                      // layers in, h, out: see [Model]
)

// Activation is the function of a hidden layer; outputs are linear.
type Activation uint8

// The activations.
const (
	Linear Activation = 1 + iota
	Tanh
	ReLU
	Sigmoid
)

// Loss is what a model is trained for.
type Loss uint8

// The losses.
const (
	CrossEntropy Loss = 1 + iota // mean over rows of logsumexp(out) - out[class], in nats
	MeanSquared                  // mean over rows and outputs of (out - target)²
	Return                       // minus the mean over starts of the sum of rewards
)

// Model is a network with its loss, evaluated for whole populations by a backend.
//
// Parameter order of a GRU with layers in, h, out, gates in the order update z, reset r,
// candidate n: Wx[in][3h], Wh[h][3h], b[3h], Wo[h][out], bo[out]:
//
//	z = sigmoid(x Wxz + h Whz + bz);  r = sigmoid(x Wxr + h Whr + br)
//	n = tanh(x Wxn + (r∘h) Whn + bn);  h' = (1-z)∘n + z∘h
//
// Source: K. Cho et al., arXiv:1406.1078, with biases.
type Model struct {
	Network    Network
	Layers     []int
	Activation []Activation // one per hidden layer; GRU has none
	Steps      int          // length of a sequence; 0 for Dense
	Loss       Loss
	Control    *Control // with Return: the network is its policy, Rows.Inputs are the starts
}

// Rows is the data of one part: S samples.
type Rows struct {
	S       int
	Inputs  []float64 // [S][Layers[0]·max(1,Steps)] row-major, first step first; starts for Control
	Targets []float64 // [S][out] for MeanSquared
	Classes []int32   // [S] for CrossEntropy
}

// Dynamics is a classic-control system.
type Dynamics uint8

// The systems: observations, starts and rewards as in gymnasium 1.4 unless said otherwise.
const (
	CartPole              Dynamics = 1 + iota // state x, x', θ, θ'; 2 actions by argmax
	CartPoleSwingUp                           // obs x, x', cos θ, sin θ, θ'; force·tanh(out)
	Acrobot                                   // state θ1, θ2, ω1, ω2; obs cos, sin, cos, sin, ω1, ω2; 3 actions
	MountainCar                               // state position, velocity; 3 actions
	MountainCarContinuous                     // 1 output, the force
	Pendulum                                  // state θ, ω; obs cos, sin, ω; torque 2·tanh(out)
)

// Control is an episode: a system, its constants and its length.
type Control struct {
	Dynamics                              Dynamics
	Horizon                               int     // steps at most
	Force, PoleMass, HalfLength, CartMass float64 // cart-pole systems; 10, 0.1, 0.5, 1
}

// Sizes returns the length of a state and of an observation and the outputs of the policy.
func (d Dynamics) Sizes() (state, obs, out int) {
	switch d {
	case CartPole:
		return 4, 4, 2
	case CartPoleSwingUp:
		return 4, 5, 1
	case Acrobot:
		return 4, 6, 3
	case MountainCar:
		return 2, 2, 3
	case MountainCarContinuous:
		return 2, 2, 1
	case Pendulum:
		return 2, 3, 1
	}
	return 0, 0, 0
}

// Blocks returns the matrices and biases of m in parameter order; weights start N(0, 1/fan_in),
// biases at 0.
func (m *Model) Blocks() []Block {
	var out []Block
	at := 0
	add := func(rows, cols, layer int, std float64) {
		out = append(out, Block{Offset: at, Rows: rows, Cols: cols, Layer: layer, Std: std})
		at += rows * cols
	}
	std := func(fanIn int) float64 { return 1 / math.Sqrt(float64(fanIn)) }
	if m.Network == Dense {
		for l := 1; l < len(m.Layers); l++ {
			in, width := m.Layers[l-1], m.Layers[l]
			add(in, width, l-1, std(in))
			add(1, width, l-1, 0)
		}
		return out
	}
	in, h, width := m.Layers[0], m.Layers[1], m.Layers[2]
	gates := 1
	if m.Network == GRU {
		gates = 3
	}
	add(in, gates*h, 0, std(in))
	add(h, gates*h, 0, std(h))
	add(1, gates*h, 0, 0)
	add(h, width, 1, std(h))
	add(1, width, 1, 0)
	return out
}

// Dim returns D, the number of parameters.
func (m *Model) Dim() int {
	b := m.Blocks()
	last := b[len(b)-1]
	return last.Offset + last.Rows*last.Cols
}

// Outputs returns the width of the last layer.
func (m *Model) Outputs() int { return m.Layers[len(m.Layers)-1] }
