package bbob

import "math"

// double is the unevaluated sum hi + lo of two float64, about 106 bits.
//
// Source: T. J. Dekker, Numerische Mathematik 18, 1971.
type double struct{ hi, lo float64 }

// ln 2 and π/2.
var (
	ln2    = double{0.6931471805599453, 2.3190468138462996e-17}
	halfPi = double{1.5707963267948966, 6.123233995736766e-17}
)

// sum returns a + b.
func (a double) sum(b double) double {
	s := a.hi + b.hi
	t := s - a.hi
	e := (a.hi - (s - t)) + (b.hi - t) + a.lo + b.lo
	return renormalise(s, e)
}

// times returns a·b.
func (a double) times(b double) double {
	p := float64(a.hi * b.hi) // the conversion keeps it from being fused
	e := math.FMA(a.hi, b.hi, -p)
	e = math.FMA(a.hi, b.lo, e)
	return renormalise(p, math.FMA(a.lo, b.hi, e))
}

// over returns a/b.
func (a double) over(b double) double {
	q := a.hi / b.hi
	rest := a.sum(b.times(double{-q, 0}))
	return renormalise(q, (rest.hi+rest.lo)/b.hi)
}

// renormalise returns s + e, |e| small against |s|.
func renormalise(s, e float64) double {
	hi := s + e
	return double{hi, e - (hi - s)}
}

// preciseLog returns ln x of a positive normal number, correctly rounded but for rare cases.
func preciseLog(x float64) float64 { return logarithm(x).hi }

// logarithm returns ln x of a positive normal number:
//
//	x = 2^e m, s = (m-1)/(m+1):  ln x = e ln 2 + 2 Σ_k s^(2k+1)/(2k+1)
//
// m lies between sqrt(1/2) and sqrt(2), so that 20 terms reach 10^-32.
func logarithm(x float64) double {
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, e = 2*m, e-1
	}
	s := double{m - 1, 0}.over(double{m, 0}.sum(double{1, 0}))
	square := s.times(s)
	sum := double{}
	for k := 20; k >= 0; k-- {
		sum = sum.times(square).sum(double{1, 0}.over(double{float64(2*k + 1), 0}))
	}
	return ln2.times(double{float64(e), 0}).sum(sum.times(s).times(double{2, 0}))
}

// precisePow returns base^y for a positive base and a result far from overflow, correctly
// rounded but for rare cases, by the Taylor series of the remainder r of y ln(base) by ln 2:
//
//	exp r = Σ_k r^k/k!
func precisePow(base, y float64) float64 {
	exponent := logarithm(base).times(double{y, 0})
	twos := math.Floor(exponent.hi/ln2.hi + 0.5)
	r := exponent.sum(ln2.times(double{-twos, 0}))
	sum := double{1, 0}
	for k := 18; k >= 1; k-- {
		sum = double{1, 0}.sum(sum.times(r).over(double{float64(k), 0}))
	}
	return math.Ldexp(sum.hi, int(twos))
}

// preciseCos returns cos x for x in [0, 7], correctly rounded but for rare cases, by the Taylor
// series of the remainder r of x by π/2:
//
//	cos r = Σ_k (-r²)^k/(2k)!;  sin r = r Σ_k (-r²)^k/(2k+1)!
func preciseCos(x float64) float64 {
	quadrant := math.Floor(x/halfPi.hi + 0.5)
	r := double{x, 0}.sum(halfPi.times(double{-quadrant, 0}))
	square := r.times(r)
	odd := int(quadrant) % 2
	sum := double{1, 0}
	for k := 14; k >= 1; k-- {
		divisor := float64((2*k - 1 + odd) * (2*k + odd))
		sum = double{1, 0}.sum(sum.times(square).over(double{-divisor, 0}))
	}
	if odd == 1 {
		sum = sum.times(r)
	}
	if q := int(quadrant) % 4; q == 1 || q == 2 {
		return -sum.hi
	}
	return sum.hi
}
