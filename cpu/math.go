package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// The functions here replace those of package math where a generation spends its time. Each is a
// table look-up and a short polynomial or fraction, with no branch but the bounds of the argument,
// so a loop over a slice overlaps many values. NaN stays NaN. The stated errors, in units in the
// last place, hold over 200,000 points per function against 200-bit arithmetic; TestMathAccuracy
// repeats the measurement on fewer.
//
// A loop reads its constants from a variable: the compiler keeps those in registers, where it
// would load constants from memory again at every use.

// round52 moves the binary point of a small number to the end of the significand: adding it
// rounds to the nearest whole number, which then stands in the low bits. The others round to
// multiples of 1/16, 1/128 and 1/256.
const (
	round52        = 3 << 51
	roundSixteenth = round52 / 16
	round128th     = round52 / 128
	round256th     = round52 / 256
)

// tanhTable[j mod 1024] holds tanh(j/16) and 1 - tanh(j/16)² for |j| <= 320. The other entries
// are never read: they let the index be a mask, without a bounds check.
var tanhTable = func() (out [1024][2]float64) {
	for j, c := range tanhHalf {
		out[-j&1023] = [2]float64{-c[0], c[1]}
		out[j] = c
	}
	return out
}()

// The numbers of tanhSlice.
var tanhNumbers = struct{ sixteenth, a, b, c, square float64 }{roundSixteenth, 10.5, 4.5, 0.1, 20 * 20}

// tanhSlice sets x[i] = tanh(x[i]):
//
//	v = c + d, c a multiple of 1/16;  tanh(d) = d·(105 + 10d²)/(105 + 45d² + d⁴) = p/b
//	tanh(v) = tanh(c) + (1 - tanh(c)²)·p / (b + tanh(c)·p)
//
// The fraction is the fourth convergent of the continued fraction d/(1 + d²/(3 + d²/(5 + ...)))
// and is off by less than 1e-17 for |d| <= 1/32. The error is below 2.5 ulp over the whole line,
// near 0 as well. -0 becomes 0. Pairs share the test of their bounds; all of it took 3.5 ns a
// value as a series with a division of its own and takes 2.0.
func tanhSlice(x []float64) {
	k := &tanhNumbers
	sixteenth, a, b, c, square := k.sixteenth, k.a, k.b, k.c, k.square
	for len(x) >= 2 {
		y := x[:2:2]
		v0, v1 := y[0], y[1]
		if !(v0*v0+v1*v1 <= square) { // far out or NaN
			v0, v1 = bounded(v0, 20), bounded(v1, 20)
		}
		u0, u1 := v0+sixteenth, v1+sixteenth
		c0, c1 := &tanhTable[math.Float64bits(u0)&1023], &tanhTable[math.Float64bits(u1)&1023]
		d0, d1 := v0-(u0-sixteenth), v1-(u1-sixteenth)
		q0, q1 := d0*d0, d1*d1
		p0, p1 := d0*(a+q0), d1*(a+q1)
		b0, b1 := a+q0*(b+c*q0), a+q1*(b+c*q1)
		y[0] = c0[0] + c0[1]*p0/(b0+c0[0]*p0)
		y[1] = c1[0] + c1[1]*p1/(b1+c1[0]*p1)
		x = x[2:]
	}
	if len(x) == 1 {
		last := [2]float64{x[0]}
		tanhSlice(last[:])
		x[0] = last[0]
	}
}

// bounded returns v within ±limit, NaN for NaN.
func bounded(v, limit float64) float64 {
	if v > limit {
		return limit
	}
	if v < -limit {
		return -limit
	}
	return v
}

// ln2Over256High + ln2Over256Low is ln(2)/256; the first has 32 bits, so that its products with
// whole numbers below 2^21 are exact.
const (
	ln2Over256High = 0x1.62e42fee00000p-9
	ln2Over256Low  = 0x1.a39ef35793c76p-41
	expLowest      = -707 // where the result is still a normal number
	expHighest     = 709
)

// The numbers of expSlice.
var expNumbers = struct{ steps, whole, high, low, c2, c3, c4, square float64 }{256 / math.Ln2, round52,
	ln2Over256High, ln2Over256Low, 1. / 2, 1. / 6, 1. / 24, 700 * 700}

// expSlice sets x[i] = exp(x[i]):
//
//	x = k·ln2/256 + r;  exp(x) = 2^(k div 256) · 2^((k mod 256)/256) · exp(r)
//
// The error is below 1.4 ulp. Below -707 the result stays exp(-707), above 709 exp(709).
func expSlice(x []float64) {
	k := &expNumbers
	steps, whole, high, low := k.steps, k.whole, k.high, k.low
	c2, c3, c4, square := k.c2, k.c3, k.c4, k.square
	for i, v := range x {
		if !(v*v <= square) { // far out or NaN
			x[i] = exp(v)
			continue
		}
		u := v*steps + whole
		bits := math.Float64bits(u)
		n := u - whole
		r := v - n*high - n*low
		p := r + r*r*(c2+r*(c3+r*c4))
		t := expTable[bits&255]
		// The bits above the lowest eight are the power of two: it goes into the exponent.
		x[i] = math.Float64frombits(math.Float64bits(t+t*p) + bits>>8<<52)
	}
}

// exp is expSlice of one value, with the same result.
func exp(v float64) float64 {
	if v > expHighest {
		v = expHighest
	}
	if v < expLowest {
		v = expLowest
	}
	u := v*(256/math.Ln2) + round52
	bits := math.Float64bits(u)
	n := u - round52
	r := v - n*ln2Over256High - n*ln2Over256Low
	p := r + r*r*(1./2+r*(1./6+r*(1./24)))
	t := expTable[bits&255]
	return (t + t*p) * math.Float64frombits((bits>>8+1023)<<52)
}

// sigmoidSlice sets x[i] = 1/(1 + exp(-x[i])). The error is below 2.5 ulp.
func sigmoidSlice(x []float64) {
	for i, v := range x {
		x[i] = -v
	}
	expSlice(x)
	for i, v := range x {
		x[i] = 1 / (1 + v)
	}
}

// logSlice sets x[i] = ln(x[i]) for positive normal numbers; +Inf becomes NaN.
func logSlice(x []float64) {
	for i, v := range x {
		x[i] = ln(v)
	}
}

// ln returns the natural logarithm of a positive normal number:
//
//	v = 2^k·z, z in [11/16, 11/8);  z = c(1 + r), c a multiple of 1/128
//	ln v = k·ln 2 + ln c + ln(1+r)
//
// The error is below 2 ulp; ln c is exactly 0 around 1, so it is small there too.
func ln(v float64) float64 {
	const low = 0x3fe6000000000000 // 11/16
	bits := math.Float64bits(v)
	part := bits - low
	k := float64(int64(part) >> 52)
	z := math.Float64frombits(bits - part&(0xfff<<52))
	u := z + round128th
	c := &logTable[(math.Float64bits(u)-88)&127]
	r := (z - (u - round128th)) * c[0]
	p := r * r * (-1./2 + r*(1./3+r*(-1./4+r*(1./5+r*(-1./6+r*(1./7))))))
	return k*math.Ln2 + c[1] + (r + p) + v*0 // the last term keeps NaN and Inf
}

// lnUniform returns ln of [rsie.Uniform] of a word, with the same result as ln: it is short enough
// to be compiled into a loop.
func lnUniform(word uint32) float64 {
	const low = 0x3fe6000000000000
	bits := math.Float64bits(rsie.Uniform(word))
	part := bits - low
	z := math.Float64frombits(bits - part&(0xfff<<52))
	u := z + round128th
	c := &logTable[(math.Float64bits(u)-88)&127]
	r := (z - (u - round128th)) * c[0]
	p := r * r * (-1./2 + r*(1./3+r*(-1./4+r*(1./5+r*(-1./6+r*(1./7))))))
	return float64(int64(part)>>52)*math.Ln2 + c[1] + (r + p)
}

// turn256A + turn256B + turn256C is 2π/256 to 120 bits. The first two have 30 bits, so that
// their products with a whole number below 2^23 are exact.
//
// Source: W. Cody, W. Waite, Software Manual for the Elementary Functions, 1980.
const (
	turn256A = 0x1.921fb54p-6
	turn256B = 0x1.10b46118p-36
	turn256C = 0x1.313198a2e0370p-67
)

// turns returns sin and cos of 2π·u for 0 <= u <= 1 within 1.2e-16 of the exact values:
//
//	u = n/256 + f;  sin(2πu) = S + (S·(cos δ - 1) + C·sin δ), δ = 2πf
func turns(u float64) (sin, cos float64) {
	w := u + round256th
	return rotate(math.Float64bits(w), (u-(w-round256th))*(2*math.Pi))
}

// rotate returns sin and cos of 2πn/256 + d for |d| <= π/256.
func rotate(n uint64, d float64) (sin, cos float64) {
	s, c := sinTable[n&255], sinTable[(n+64)&255]
	q := d * d
	sd := d + d*q*(-1./6+q*(1./120+q*(-1./5040)))
	cd := q * (-1./2 + q*(1./24+q*(-1./720)))
	return s + (s*cd + c*sd), c + (c*cd - s*sd)
}

// sincos returns sin and cos of v radians within 1.2e-16 of the exact values. Angles above 1e5,
// which no system reaches in an episode, and values that are not finite go to package math.
func sincos(v float64) (sin, cos float64) {
	if !(math.Abs(v) < 1e5) {
		return math.Sincos(v)
	}
	w := v*(256/(2*math.Pi)) + round52
	n := w - round52
	return rotate(math.Float64bits(w), ((v-n*turn256A)-n*turn256B)-n*turn256C)
}
