package cpu

import (
	"math"
	"math/big"
	"testing"
)

// exactBits is the precision of the reference arithmetic.
const exactBits = 200

func exactly(v float64) *big.Float { return new(big.Float).SetPrec(exactBits).SetFloat64(v) }

func number() *big.Float { return new(big.Float).SetPrec(exactBits) }

// exactExp returns exp(v) by halving the argument 20 times, 16 terms of the series and
// squaring.
func exactExp(v *big.Float) *big.Float {
	const halvings = 20
	r := number().SetMantExp(v, -halvings)
	sum, term := number().SetInt64(1), number().SetInt64(1)
	for i := int64(1); i <= 20; i++ {
		term.Quo(number().Mul(term, r), number().SetInt64(i))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

// exactLog returns ln(v) by Newton's method on exactExp from package math's value.
func exactLog(v *big.Float) *big.Float {
	f, _ := v.Float64()
	y := exactly(math.Log(f))
	for range 3 {
		e := exactExp(number().Neg(y))
		y.Add(y, number().Sub(number().Mul(v, e), number().SetInt64(1)))
	}
	return y
}

func ofExact(f func(*big.Float) *big.Float) func(float64) *big.Float {
	return func(v float64) *big.Float { return f(exactly(v)) }
}

func exactTanh(v float64) *big.Float {
	e := exactExp(exactly(2 * v))
	one := number().SetInt64(1)
	return number().Quo(number().Sub(e, one), number().Add(e, one))
}

func exactSigmoid(v float64) *big.Float {
	one := number().SetInt64(1)
	return number().Quo(one, number().Add(one, exactExp(exactly(-v))))
}

// exactPi is Machin's formula: π = 16 atan(1/5) - 4 atan(1/239).
func exactPi() *big.Float {
	atan := func(n int64) *big.Float {
		sum, power := number(), number().Quo(number().SetInt64(1), number().SetInt64(n))
		for k := int64(1); k < 200; k += 2 {
			term := number().Quo(power, number().SetInt64(k))
			if k%4 == 3 {
				term.Neg(term)
			}
			sum.Add(sum, term)
			power.Quo(power, number().SetInt64(n*n))
		}
		return sum
	}
	a, b := number().SetInt64(16), number().SetInt64(4)
	return number().Sub(a.Mul(a, atan(5)), b.Mul(b, atan(239)))
}

// exactSincos returns the series of sin and cos after a reduction by whole turns.
func exactSincos(v *big.Float) (sin, cos *big.Float) {
	turn := exactPi()
	turn.Mul(turn, number().SetInt64(2))
	k, _ := number().Quo(v, turn).Float64()
	r := number().Sub(v, number().Mul(turn, exactly(math.Round(k))))
	sin, cos = number(), number()
	term := number().SetInt64(1)
	for i := int64(0); i < 80; i++ {
		sum := cos
		if i%2 == 1 {
			sum = sin
		}
		if i%4 < 2 {
			sum.Add(sum, term)
		} else {
			sum.Sub(sum, term)
		}
		term.Quo(number().Mul(term, r), number().SetInt64(i+1))
	}
	return sin, cos
}

// distance returns |got - want| as a plain number.
func distance(got float64, want *big.Float) float64 {
	d, _ := number().Sub(exactly(got), want).Float64()
	return math.Abs(d)
}

// ulps returns the distance in units in the last place of want.
func ulps(got float64, want *big.Float) float64 {
	w, _ := want.Float64()
	return distance(got, want) / (math.Nextafter(math.Abs(w), math.Inf(1)) - math.Abs(w))
}

// one applies a function of slices to a number.
func one(f func([]float64), v float64) float64 {
	x := []float64{v}
	f(x)
	return x[0]
}

// spread returns n numbers between low and high, evenly in the golden ratio's order.
func spread(n int, low, high float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		_, u := math.Modf(float64(i+1) * 0.6180339887498949)
		out[i] = low + (high-low)*u
	}
	return out
}

// TestMathAccuracy measures the largest error of every function, in units in the last place,
// against 200-bit arithmetic.
func TestMathAccuracy(t *testing.T) {
	const n = 2000
	logarithmic := spread(n, -40, 3) // exponents of 2
	for i, v := range logarithmic {
		logarithmic[i] = math.Copysign(math.Exp2(v), float64(i%2)-0.5)
	}
	ratios := spread(n, -600, 600)
	for i, v := range ratios {
		ratios[i] = math.Exp(v)
	}
	for _, c := range []struct {
		name   string
		f      func([]float64)
		exact  func(float64) *big.Float
		points []float64
		limit  float64
	}{
		{"tanh", tanhSlice, exactTanh, spread(n, -3, 3), 2.5},
		{"tanh of small and large", tanhSlice, exactTanh, logarithmic, 2.5},
		{"exp", expSlice, ofExact(exactExp), spread(n, -30, 30), 1.4},
		{"exp far out", expSlice, ofExact(exactExp), spread(n, -707, 709), 1.4},
		{"sigmoid", sigmoidSlice, exactSigmoid, spread(n, -30, 30), 2.5},
		{"ln", logSlice, ofExact(exactLog), ratios, 2},
		{"ln near 1", logSlice, ofExact(exactLog), spread(n, 0.6, 1.5), 2},
	} {
		worst, at := 0.0, 0.0
		for _, v := range c.points {
			if e := ulps(one(c.f, v), c.exact(v)); !(e <= worst) {
				worst, at = e, v
			}
		}
		t.Logf("%s: %.3f ulp at %g", c.name, worst, at)
		if !(worst < c.limit) {
			t.Errorf("%s: %g ulp at %g, want below %g", c.name, worst, at, c.limit)
		}
	}
}

// TestSincosAccuracy measures absolute errors: near a zero of the function they are what
// counts, since a state carries angles with an error of their own.
func TestSincosAccuracy(t *testing.T) {
	worst, worstTurn := 0.0, 0.0
	points := append(spread(3000, -1e5, 1e5), spread(3000, -7, 7)...)
	for n := -40; n <= 40; n++ { // multiples of π/2, where reductions cancel
		points = append(points, float64(n)*math.Pi/2, float64(n*777)*math.Pi/2)
	}
	for _, v := range points {
		s, c := sincos(v)
		exactSin, exactCos := exactSincos(exactly(v))
		worst = max(worst, distance(s, exactSin), distance(c, exactCos))
	}
	turn := number().Mul(exactPi(), number().SetInt64(2))
	for _, u := range append(spread(3000, 0, 1), 0, 0.25, 0.5, 0.75, 1) {
		s, c := turns(u)
		exactSin, exactCos := exactSincos(number().Mul(turn, exactly(u)))
		worstTurn = max(worstTurn, distance(s, exactSin), distance(c, exactCos))
	}
	t.Logf("sincos %.4g, turns %.4g", worst, worstTurn)
	if !(worst < 1.2e-16) || !(worstTurn < 1.2e-16) {
		t.Errorf("sincos is off by %g, turns by %g, want below 1.2e-16", worst, worstTurn)
	}
}

// TestReductionConstants proves the reduction of sincos: the parts add up to 2π/256 within
// 2^-119, and the first two have at most 30 bits.
func TestReductionConstants(t *testing.T) {
	want := number().SetMantExp(exactPi(), -7)
	got := number().Add(number().Add(exactly(turn256A), exactly(turn256B)), exactly(turn256C))
	if e, _ := number().Sub(got, want).Float64(); math.Abs(e) > 0x1p-119 {
		t.Errorf("the parts of 2π/256 are off by %g", e)
	}
	for _, v := range []float64{turn256A, turn256B} {
		if math.Float64bits(v)&(1<<23-1) != 0 {
			t.Errorf("%x has more than 30 bits", v)
		}
	}
}

// exp of one value is that of a slice, and what stands beside a value in a slice does not matter.
func TestMathOfSlices(t *testing.T) {
	points := append(spread(1001, -750, 750), math.NaN(), 3, math.Inf(1), -2, 1e-9)
	for name, f := range map[string]func([]float64){"tanh": tanhSlice, "exp": expSlice,
		"sigmoid": sigmoidSlice, "ln": logSlice} {
		x := append([]float64(nil), points...)
		if name == "tanh" {
			for i := range x {
				x[i] /= 25
			}
		}
		alone := append([]float64(nil), x...)
		f(x)
		for i, v := range alone {
			want := one(f, v)
			if math.Float64bits(x[i]) != math.Float64bits(want) {
				t.Fatalf("%s(%g) = %g in a slice, %g alone", name, v, x[i], want)
			}
			if name == "exp" && math.Float64bits(exp(v)) != math.Float64bits(want) {
				t.Fatalf("exp(%g) = %g, in a slice %g", v, exp(v), want)
			}
		}
	}
}

func TestMathEdges(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name    string
		f       func([]float64)
		v, want float64
	}{
		{"tanh", tanhSlice, inf, 1}, {"tanh", tanhSlice, -inf, -1}, {"tanh", tanhSlice, 0, 0},
		{"tanh", tanhSlice, nan, nan}, {"tanh", tanhSlice, 1e-300, 1e-300}, {"tanh", tanhSlice, -25, -1},
		{"exp", expSlice, 0, 1}, {"exp", expSlice, nan, nan}, {"exp", expSlice, -inf, math.Exp(-707)},
		{"sigmoid", sigmoidSlice, 0, 0.5}, {"sigmoid", sigmoidSlice, inf, 1}, {"sigmoid", sigmoidSlice, nan, nan},
		{"ln", logSlice, 1, 0}, {"ln", logSlice, nan, nan}, {"ln", logSlice, inf, nan},
	} {
		got := one(c.f, c.v)
		if math.IsNaN(got) != math.IsNaN(c.want) || math.Abs(got-c.want) > 1e-15*math.Abs(c.want) {
			t.Errorf("%s(%g) = %g, want %g", c.name, c.v, got, c.want)
		}
	}
	for _, v := range []float64{nan, inf, -inf} {
		if s, c := sincos(v); !math.IsNaN(s) || !math.IsNaN(c) {
			t.Errorf("sincos(%g) = %g, %g, want NaN", v, s, c)
		}
	}
	s, c := sincos(3e5)
	if math.Abs(s-math.Sin(3e5)) > 1e-15 || math.Abs(c-math.Cos(3e5)) > 1e-15 {
		t.Errorf("sincos(3e5) = %g, %g", s, c)
	}
}

// TestTables compares every entry with the function rounded from 200 bits.
func TestTables(t *testing.T) {
	check := func(name string, i int, got float64, want *big.Float) {
		if w, _ := want.Float64(); got != w && distance(got, want) > 1e-58 {
			t.Errorf("%s[%d] = %v, want %v", name, i, got, w)
		}
	}
	one := number().SetInt64(1)
	for j := -320; j <= 320; j++ {
		c, v := tanhTable[j&1023], exactTanh(float64(j)/16)
		check("tanhTable", j, c[0], v)
		check("tanhTable slope", j, c[1], number().Sub(one, number().Mul(v, v)))
	}
	ln2 := exactLog(number().SetInt64(2))
	for i, v := range expTable {
		check("expTable", i, v, exactExp(number().Mul(ln2, exactly(float64(i)/256))))
	}
	for i, c := range logTable[:89] { // c from 11/16 to 11/8
		x := exactly(float64(88+i) / 128)
		check("logTable inverse", i, c[0], number().Quo(one, x))
		check("logTable", i, c[1], exactLog(x))
	}
	turn := number().Mul(exactPi(), number().SetInt64(2))
	for i, v := range sinTable {
		want, _ := exactSincos(number().Mul(turn, exactly(float64(i)/256)))
		check("sinTable", i, v, want)
	}
}
