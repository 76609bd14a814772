package bbob

import (
	"fmt"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Numbers of the noisy functions of RR-6869.
const (
	FirstNoisy = 101
	LastNoisy  = 130
)

// NoiseModel is how noise changes a value.
type NoiseModel uint8

// The noise models of RR-6869 on v = f(x) - f_opt; N is standard normal, U uniform in
// (0,1), every draw its own.
const (
	GaussianNoise NoiseModel = 1 + iota // v exp(β N)
	UniformNoise                        // v U^β max(1, (10^9/v)^(α U))
	CauchyNoise                         // v + α max(0, 1000 + N/|N|), the ratio with probability p
)

// Noise is a model with its strength. Fields a model does not name are not read.
type Noise struct {
	Model NoiseModel
	Alpha float64 // α: UniformNoise 0..1, CauchyNoise 0..1e6
	Beta  float64 // β: GaussianNoise 0..10, UniformNoise 0..10
	P     float64 // p of CauchyNoise: 0..1
}

// check returns [rsie.ErrInvalid] when a field that is read is outside its range.
func (n Noise) check() error {
	for _, field := range []struct {
		name    string
		value   float64
		highest float64
		read    bool
	}{
		{"Alpha", n.Alpha, 1, n.Model == UniformNoise},
		{"Alpha", n.Alpha, 1e6, n.Model == CauchyNoise},
		{"Beta", n.Beta, 10, n.Model == GaussianNoise || n.Model == UniformNoise},
		{"P", n.P, 1, n.Model == CauchyNoise},
	} {
		if field.read && !(field.value >= 0 && field.value <= field.highest) {
			return fmt.Errorf("%w: noise: %s is %g, allowed is 0 to %g",
				rsie.ErrInvalid, field.name, field.value, field.highest)
		}
	}
	if n.Model < GaussianNoise || n.Model > CauchyNoise {
		return fmt.Errorf("%w: noise: model is %d, allowed is %d (Gaussian) to %d (Cauchy)",
			rsie.ErrInvalid, n.Model, GaussianNoise, CauchyNoise)
	}
	return nil
}

// noiseFloor is the precision below which values are free of noise.
const noiseFloor = 1e-8

// apply returns what the model makes of v with the four random words of one evaluation; the
// final 1.01e-8 keeps noise from faking a reached target. Below 1e-8 v is returned as it is.
func (n Noise) apply(v float64, w [4]uint32) float64 {
	if v < noiseFloor {
		return v
	}
	u0, u1 := rsie.Uniform(w[0]), rsie.Uniform(w[1])
	switch n.Model {
	case GaussianNoise:
		v *= math.Exp(n.Beta * math.Sqrt(-2*math.Log(u0)) * math.Cos(2*math.Pi*u1))
	case UniformNoise:
		v *= math.Pow(u0, n.Beta) * max(1, math.Pow(1e9/(v+1e-99), n.Alpha*u1))
	case CauchyNoise:
		shift := 1000.0
		if u0 < n.P {
			// Two normal numbers are a point of uniform direction, whose coordinates have the
			// ratio below. u1 is never 1/2, so the sine is never 0.
			shift += math.Cos(2*math.Pi*u1) / math.Abs(math.Sin(2*math.Pi*u1))
		}
		v += n.Alpha * max(0, shift)
	}
	return v + 1.01*noiseFloor
}

// Noisy is a function whose values carry noise; penalty and f_opt do not. It is constant and
// safe for concurrent use.
type Noisy struct {
	base    *Function
	noise   Noise
	penalty float64
	name    string
}

// NewNoisy returns noisy function 101..130 of RR-6869; ranges and cost are those of [New]:
//
//	f_k(x) = noise(base(x)) + f_opt + 100 f_pen(x)
//
//	101..106  moderate noise (Gaussian, uniform, Cauchy) on f1, then on f8
//	107..121  severe noise (same order) on f1, f8, f7, f10 with condition 10^4, f14
//	122..130  severe noise on f17, f19 with amplitude 1, f21
//
//	moderate  β = 0.01; α = 0.01 (0.49 + 1/D), β = 0.01; α = 0.01, p = 0.05
//	severe    β = 1;    α = 0.49 + 1/D, β = 1;           α = 1, p = 0.2
//
// It returns [rsie.ErrInvalid] for a value outside its range.
func NewNoisy(function, dim, instance int) (*Noisy, error) {
	if function < FirstNoisy || function > LastNoisy {
		return nil, fmt.Errorf("%w: bbob-noisy function is %d, allowed is %d to %d",
			rsie.ErrInvalid, function, FirstNoisy, LastNoisy)
	}
	if err := checkSize(dim, instance); err != nil {
		return nil, err
	}
	index := function - FirstNoisy
	number := [10]int{1, 8, 1, 8, 7, 10, 14, 17, 19, 21}[index/3]
	noise := Noise{Model: GaussianNoise + NoiseModel(index%3), Beta: 1}
	strength := 1.0
	noise.P = 0.2
	if index < 6 {
		noise.Beta, strength, noise.P = 0.01, 0.01, 0.05
	}
	noise.Alpha = strength
	if noise.Model == UniformNoise {
		noise.Alpha *= 0.49 + 1/float64(dim)
	}
	return &Noisy{base: build(number, dim, instance, true), noise: noise, penalty: 100,
		name: name(noisyFamily, function, dim, instance)}, nil
}

// AddNoise returns base with noise on its values; the penalty of base stays, without noise.
//
// It returns [rsie.ErrInvalid] for a field of noise outside its range.
func AddNoise(base *Function, noise Noise) (*Noisy, error) {
	if err := noise.check(); err != nil {
		return nil, err
	}
	text := [...]string{"", fmt.Sprintf("gaussian(%g)", noise.Beta),
		fmt.Sprintf("uniform(%g,%g)", noise.Alpha, noise.Beta),
		fmt.Sprintf("cauchy(%g,%g)", noise.Alpha, noise.P)}[noise.Model]
	return &Noisy{base: base, noise: noise, penalty: base.penalty, name: base.Name() + "+" + text}, nil
}

// Name returns "bbob-noisy/f101/d5/i1", or for [AddNoise] the name of the base with the noise:
// "bbob/f3/d5/i7+gaussian(1)".
func (n *Noisy) Name() string { return n.name }

// Dim returns D.
func (n *Noisy) Dim() int { return n.base.dim }

// FOpt returns the value at XOpt, which is free of noise. Noise can make other values lower.
func (n *Noisy) FOpt() float64 { return n.base.fOpt }

// XOpt returns a copy of the place of the optimum.
func (n *Noisy) XOpt() []float64 { return n.base.XOpt() }

// Noise returns the model and its strength.
func (n *Noisy) Noise() Noise { return n.noise }

// Precision returns f(x) - f_opt without noise, to judge a point by. x has length D, or
// Precision panics.
func (n *Noisy) Precision(x []float64) float64 {
	return n.base.bare(x) + float64(n.penalty*penalty(x, 5))
}

// Eval returns the noisy f(x). Noise is a pure function of key and member:
//
//	words = key.Words(0, member, 0, 0, StreamProblem)
//
// so that another evaluation of the same point needs another key or member. x has length D, or
// Eval panics. Nothing is allocated.
func (n *Noisy) Eval(x []float64, key rsie.Key, member uint32) float64 {
	v := n.noise.apply(n.base.bare(x), key.Words(0, member, 0, 0, rsie.StreamProblem))
	return v + float64(n.penalty*penalty(x, 5)) + n.base.fOpt
}

// EvalAll writes fitness[i] = Eval(points[i], key, i); points are [len(fitness), D], row-major.
//
// It returns [rsie.ErrShape] if the lengths disagree.
func (n *Noisy) EvalAll(fitness, points []float64, key rsie.Key) error {
	d := n.base.dim
	if err := checkPoints(n.Name, fitness, points, d); err != nil {
		return err
	}
	for i := range fitness {
		fitness[i] = n.Eval(points[i*d:(i+1)*d], key, uint32(i))
	}
	return nil
}
