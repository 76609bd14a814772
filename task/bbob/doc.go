// Package bbob holds the 24 noiseless functions f1..f24 of the black-box optimization benchmark
// BBOB in float64, its 30 noisy functions f101..f130, and affine mixtures of the noiseless ones.
//
// A [Function] is addressed by number, dimension and instance, "bbob/f3/d5/i7". The instance is
// a seed: it decides the place of the optimum, its value and the rotations, by the generator of
// the COCO platform, so that values are COCO's. Everything is minimised and meant for the box
// [-5,5]^D; most functions are defined outside it too, some with a penalty
//
//	f_pen(x) = Σ_i max(0, |x_i| - 5)²
//
// # Shapes
//
// D is the dimension; points are [N, D], row-major; rotations are [D, D], row-major.
//
// # Determinism
//
// Values are pure functions of the point, and of a [rsie.Key] for [Noisy]. Sums run in index
// order. Nothing is written after construction, so every value may be shared by goroutines.
//
// # Errors
//
// [rsie.ErrInvalid] marks a number, dimension, instance or name outside its range,
// [rsie.ErrShape] arrays whose lengths disagree.
//
// # Sources
//
// N. Hansen, S. Finck, R. Ros, A. Auger, Real-parameter black-box optimization benchmarking:
// noiseless functions definitions, INRIA RR-6829, 2009; noisy functions definitions, RR-6869,
// 2009; N. Hansen et al., COCO, Optimization Methods and Software 36, 2021. D. Vermetten et al.,
// MA-BBOB: many-affine combinations of BBOB functions, arXiv:2306.10627.
package bbob
