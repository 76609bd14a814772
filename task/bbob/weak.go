package bbob

import (
	"math"
	"sort"
)

// prepareWeak fills the constants of f20..f24.
func (f *Function) prepareWeak() {
	switch f.number {
	case 20:
		f.prepareSchwefel()
	case 21:
		f.penalty = 1
		f.preparePeaks(101, 10, math.Sqrt(1000))
	case 22:
		f.penalty = 1
		f.preparePeaks(21, 9.8, 1000)
	case 23:
		f.first = compose(f.firstRotation(), powers(100, f.dim), f.secondRotation())
		f.factor = 10 / math.Pow(float64(f.dim), 1.2)
		f.penalty = 1
	case 24:
		f.prepareLunacek()
	}
}

// Twice |x_opt_i| of f20, in the formula and as RR-6829 and COCO report it; the lowest value of
// z sin(sqrt(|z|)) lies between them.
const (
	schwefelPeak     = 4.2096874637
	schwefelReported = 4.2096874633
)

// prepareSchwefel draws the signs of x_opt.
func (f *Function) prepareSchwefel() {
	f.scale = powers(10, f.dim)
	uniform(f.xOpt, f.seed)
	for i, u := range f.xOpt {
		f.xOpt[i] = schwefelReported / 2
		if u < 0.5 {
			f.xOpt[i] = -schwefelReported / 2
		}
	}
}

// schwefel is f20 (RR-6829, section 5.20), with μ = 2|x_opt_i|:
//
//	x̂_i = 2 sign(x_opt_i) x_i;  ẑ_1 = x̂_1, ẑ_(i+1) = x̂_(i+1) + (x̂_i - μ)/4
//	z = 100 (Λ^10 (ẑ - μ) + μ)
//	f = -1/(100 D) Σ z_i sin(sqrt(|z_i|)) + 4.189828872724339 + 100 f_pen(z/100)
func (f *Function) schwefel(x, z []float64) float64 {
	sum, before := 0.0, schwefelPeak
	for i, v := range x {
		flipped := 2 * v
		if f.xOpt[i] < 0 {
			flipped = -flipped
		}
		hat := flipped + float64(0.25*(before-schwefelPeak))
		before = flipped
		z[i] = 100 * (float64(f.scale[i]*(hat-schwefelPeak)) + schwefelPeak)
		sum += float64(z[i] * math.Sin(math.Sqrt(math.Abs(z[i]))))
	}
	return 0.01 * (penalty(z, 500) + 418.9828872724339 - sum/float64(f.dim))
}

// peaks are the P peaks of f21 and f22 in rotated space.
type peaks struct {
	centres []float64 // [P, D]: R y_p
	shapes  []float64 // [P, D]: -1/(2D) times the diagonal of C_p
	heights []float64 // [P]: w_p
	logs    []float64 // [P]: ln w_p
}

// preparePeaks draws the peaks of a Gallagher function: positions uniform in a cube of the given
// side, the first, x_opt, drawn in to 4/5; first is the condition of its shape. Condition
// numbers of the others are a permutation of 1000^(2 p/(P-2)).
func (f *Function) preparePeaks(count int, side, first float64) {
	d := f.dim
	f.first = f.secondRotation()
	p := &peaks{centres: make([]float64, count*d), shapes: make([]float64, count*d),
		heights: make([]float64, count), logs: make([]float64, count)}
	positions := make([]float64, count*d)
	uniform(positions, f.seed)
	for i, u := range positions {
		positions[i] = float64(side*u) - side/2
		if i < d {
			positions[i] *= 0.8
			f.xOpt[i] = positions[i]
		}
	}
	order := permutation(count-1, f.seed)
	for k := range count {
		rotate(p.centres[k*d:(k+1)*d], f.first, positions[k*d:(k+1)*d])
		condition := first
		p.heights[k] = 10
		if k > 0 {
			condition = math.Pow(1000, float64(order[k-1])/float64(count-2))
			p.heights[k] = 1.1 + 8*float64(k-1)/float64(count-2)
		}
		p.logs[k] = math.Log(p.heights[k])
		for i, at := range permutation(d, f.seed+1000*int64(k)) {
			exponent := float64(at)/float64(d-1) - 0.5
			p.shapes[k*d+i] = precisePow(condition, exponent) * -0.5 / float64(d)
		}
	}
	f.peaks = p
}

// permutation returns the indices of n uniform numbers of a seed in increasing order.
func permutation(n int, seed int64) []int {
	u := make([]float64, n)
	uniform(u, seed)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return u[order[a]] < u[order[b]] })
	return order
}

// gallagher is f21 and f22 (RR-6829, sections 5.21 and 5.22), P = 101 and 21 peaks:
//
//	f = T_osz(10 - max_p w_p exp(-1/(2D) (x - y_p)ᵀ Rᵀ C_p R (x - y_p)))² + f_pen(x)
//
// w_1 = 10, others 1.1..9.1. The maximum is taken over logarithms, so that one exponential is
// enough.
func (f *Function) gallagher(x, y []float64) float64 {
	rotate(y, f.first, x)
	if hasNaN(y) { // comparisons below would pass over it
		return math.NaN()
	}
	d, p := f.dim, f.peaks
	best, highest, height := math.Inf(-1), 0.0, 0.0
	for k, log := range p.logs {
		centre, shape := p.centres[k*d:][:d], p.shapes[k*d:][:d]
		exponent := 0.0
		for i, v := range y {
			distance := v - centre[i]
			exponent += float64(shape[i] * distance * distance)
		}
		if log+exponent > best {
			best, highest, height = log+exponent, exponent, p.heights[k]
		}
	}
	value := oscillate(10 - height*math.Exp(highest))
	return value * value
}

// katsuura is f23 (RR-6829, section 5.23):
//
//	z = R Λ^100 Q (x - x_opt)
//	f = 10/D² Π_i (1 + i Σ_(j=1..32) |2^j z_i - round(2^j z_i)| / 2^j)^(10/D^1.2) - 10/D² + f_pen(x)
//
// i counts from 1. Doubling and taking the nearest whole number off are exact, so the distance
// for j+1 follows from the one for j.
func (f *Function) katsuura(x, y, z []float64) float64 {
	subtract(y, x, f.xOpt)
	rotate(z, f.first, y)
	logs, product := 0.0, 1.0
	for i, v := range z {
		sum, weight := 0.0, 0.5
		for range 32 {
			v *= 2
			v -= math.Floor(v + 0.5)
			sum += float64(math.Abs(v) * weight)
			weight *= 0.5
		}
		product *= 1 + float64(float64(i+1)*sum)
		if product > 1e200 { // from 62 dimensions on it could overflow
			logs += math.Log(product)
			product = 1
		}
	}
	amplitude := 10 / float64(f.dim) / float64(f.dim)
	return amplitude * math.Expm1(f.factor*(logs+math.Log(product)))
}

// lunacekPeak is μ0 of f24.
const lunacekPeak = 2.5

// prepareLunacek draws x_opt_i = ±μ0/2; factor is s.
func (f *Function) prepareLunacek() {
	normal(f.xOpt, f.seed)
	for i, v := range f.xOpt {
		f.xOpt[i] = lunacekPeak / 2
		if v < 0 {
			f.xOpt[i] = -lunacekPeak / 2
		}
	}
	f.first = compose(f.firstRotation(), powers(100, f.dim), f.secondRotation())
	f.factor = 1 - 0.5/(math.Sqrt(float64(f.dim)+20)-4.1)
	f.penalty = 1e4
}

// lunacek is f24 (RR-6829, section 5.24), with d = 1, s = 1 - 1/(2 sqrt(D+20) - 8.2) and
// μ1 = -sqrt((μ0² - d)/s):
//
//	x̂_i = 2 sign(x_opt_i) x_i;  z = R Λ^100 Q (x̂ - μ0)
//	f = min(Σ (x̂_i - μ0)², d D + s Σ (x̂_i - μ1)²) + 10 (D - Σ cos(2π z_i)) + 10^4 f_pen(x)
func (f *Function) lunacek(x, y, z []float64) float64 {
	const depth = 1.0
	second := -math.Sqrt((lunacekPeak*lunacekPeak - depth) / f.factor)
	sum0, sum1 := 0.0, 0.0
	for i, v := range x {
		hat := 2 * v
		if f.xOpt[i] < 0 {
			hat = -hat
		}
		y[i] = hat - lunacekPeak
		sum0 += float64(y[i] * y[i])
		sum1 += float64((hat - second) * (hat - second))
	}
	rotate(z, f.first, y)
	waves := 0.0
	for _, v := range z {
		waves += math.Cos(2 * math.Pi * v)
	}
	dim := float64(f.dim)
	return min(sum0, depth*dim+float64(f.factor*sum1)) + float64(10*(dim-waves))
}
