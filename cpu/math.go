package cpu

import "math"

// The functions here replace those of package math where a generation spends its time. Each is a
// table look-up and a short polynomial, with no branch but the bounds of the argument, so a loop
// over a slice overlaps many values. NaN stays NaN. The stated errors, in units in the last place, hold over 200,000 points
// per function against 200-bit arithmetic; TestMathAccuracy repeats the measurement on fewer.

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

// tanhSlice sets x[i] = tanh(x[i]):
//
//	v = c + d, c a multiple of 1/16;  p = tanh(d) by its series
//	tanh(v) = tanh(c) + (1 - tanh(c)²)·p / (1 + tanh(c)·p)
//
// The error is below 1.6 ulp over the whole line, near 0 as well. -0 becomes 0. Values are
// bounded by branches, which are foreseen; min and max, which care for NaN, measured slower.
func tanhSlice(x []float64) {
	for i, v := range x {
		if v > 20 {
			v = 20
		}
		if v < -20 {
			v = -20
		}
		u := v + roundSixteenth
		c := &tanhTable[math.Float64bits(u)&1023]
		d := v - (u - roundSixteenth)
		q := d * d
		p := d + d*q*(-1./3+q*(2./15+q*(-17./315+q*(62./2835))))
		x[i] = c[0] + c[1]*p/(1+c[0]*p)
	}
}

const (
	ln2Over64High = 0.010830424696223417
	ln2Over64Low  = 2.572804622327669e-14
	expLowest     = -707 // where the result is still a normal number
	expHighest    = 709
)

// expSlice sets x[i] = exp(x[i]):
//
//	x = k·ln2/64 + r;  exp(x) = 2^(k div 64) · 2^((k mod 64)/64) · exp(r)
//
// The error is below 1.4 ulp. Below -707 the result stays exp(-707), above 709 exp(709).
func expSlice(x []float64) {
	for i, v := range x {
		x[i] = exp(v)
	}
}

func exp(v float64) float64 {
	if v > expHighest {
		v = expHighest
	}
	if v < expLowest {
		v = expLowest
	}
	u := v*(64/math.Ln2) + round52
	bits := math.Float64bits(u)
	k := u - round52
	r := v - k*ln2Over64High - k*ln2Over64Low
	p := r + r*r*(1./2+r*(1./6+r*(1./24+r*(1./120))))
	t := expTable[bits&63]
	// The bits above the lowest six are the power of two, in two's complement.
	return (t + t*p) * math.Float64frombits((bits>>6+1023)<<52)
}

// sigmoidSlice sets x[i] = 1/(1 + exp(-x[i])). The error is below 2.5 ulp.
func sigmoidSlice(x []float64) {
	for i, v := range x {
		x[i] = 1 / (1 + exp(-v))
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
