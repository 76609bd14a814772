package bbob

import "math"

// prepareMultimodal fills the constants of f15..f19.
func (f *Function) prepareMultimodal() {
	if f.number == 19 {
		f.prepareRotatedValley(f.secondRotation())
		return
	}
	f.first = f.firstRotation()
	switch f.number {
	case 15:
		f.slopes = slopes(0.2, f.dim)
		f.second = compose(f.first, powers(10, f.dim), f.secondRotation())
	case 16:
		f.second = compose(f.first, powers(0.01, f.dim), f.secondRotation())
		f.penalty = 10 / float64(f.dim)
		for _, t := range weierstrassTerms {
			f.factor += float64(t.amplitude * math.Cos(math.Pi*t.frequency))
		}
	case 17, 18:
		condition := 10.0
		if f.number == 18 {
			condition = 1000
		}
		f.slopes = slopes(0.5, f.dim)
		f.second = f.secondRotation()
		scale := powers(condition, f.dim)
		scaleRows(f.second, scale)
		f.penalty = 10
	}
}

// rastriginRotated is f15 (RR-6829, section 4.15):
//
//	z = R Λ^10 Q T_asy^0.2(T_osz(R (x - x_opt)))
//	f = 10 (D - Σ cos(2π z_i)) + |z|²
func (f *Function) rastriginRotated(x, y, z []float64) float64 {
	subtract(y, x, f.xOpt)
	rotate(z, f.first, y)
	for i, v := range z {
		z[i] = asymmetric(oscillate(v), f.slopes[i])
	}
	rotate(y, f.second, z)
	waves, squares := 0.0, 0.0
	for _, v := range y {
		waves += math.Cos(2 * math.Pi * v)
		squares += float64(v * v)
	}
	return rastriginSum(waves, squares, f.dim)
}

// weierstrassTerms are 1/2^k and 3^k, k = 0..11.
var weierstrassTerms = [12]struct{ amplitude, frequency float64 }{
	{1, 1}, {0x1p-1, 3}, {0x1p-2, 9}, {0x1p-3, 27}, {0x1p-4, 81}, {0x1p-5, 243},
	{0x1p-6, 729}, {0x1p-7, 2187}, {0x1p-8, 6561}, {0x1p-9, 19683}, {0x1p-10, 59049},
	{0x1p-11, 177147},
}

// weierstrass is f16 (RR-6829, section 4.16); factor is f_0:
//
//	z = R Λ^(1/100) Q T_osz(R (x - x_opt))
//	f = 10 (1/D Σ_i Σ_k 2^-k cos(2π 3^k (z_i + 1/2)) - f_0)³ + 10/D f_pen(x)
//	f_0 = Σ_k 2^-k cos(π 3^k)
func (f *Function) weierstrass(x, y, z []float64) float64 {
	subtract(y, x, f.xOpt)
	rotate(z, f.first, y)
	for i, v := range z {
		z[i] = oscillate(v)
	}
	rotate(y, f.second, z)
	sum := 0.0
	for _, v := range y {
		for _, t := range weierstrassTerms {
			sum += float64(math.Cos(2*math.Pi*(v+0.5)*t.frequency) * t.amplitude)
		}
	}
	depth := sum/float64(f.dim) - f.factor
	return 10 * depth * depth * depth
}

// schaffer is f17 and f18 (RR-6829, sections 4.17 and 4.18), α = 10 and 1000:
//
//	z = Λ^α Q T_asy^0.5(R (x - x_opt));  s_i = sqrt(z_i² + z_(i+1)²)
//	f = (1/(D-1) Σ_(i<D-1) sqrt(s_i) + sqrt(s_i) sin²(50 s_i^0.2))² + 10 f_pen(x)
func (f *Function) schaffer(x, y, z []float64) float64 {
	subtract(y, x, f.xOpt)
	rotate(z, f.first, y)
	for i, v := range z {
		z[i] = asymmetric(v, f.slopes[i])
	}
	rotate(y, f.second, z)
	sum := 0.0
	for i := range len(y) - 1 {
		square := float64(y[i]*y[i]) + float64(y[i+1]*y[i+1]) // s_i²
		if square == 0 {
			continue
		}
		wave := math.Sin(50 * math.Exp(0.1*math.Log(square)))
		sum += float64(math.Sqrt(math.Sqrt(square)) * (1 + float64(wave*wave)))
	}
	mean := sum / float64(f.dim-1)
	return mean * mean
}

// griewankRosenbrock is f19 (RR-6829, section 4.19), A = 10:
//
//	z = max(1, sqrt(D)/8) R x + 1/2;  s_i = 100 (z_i² - z_(i+1))² + (z_i - 1)²
//	f = A/(D-1) Σ_(i<D-1) (s_i/4000 - cos s_i) + A
//
// The base of the noisy functions has A = 1.
func (f *Function) griewankRosenbrock(x, z []float64) float64 {
	rotate(z, f.first, x)
	for i := range z {
		z[i] += 0.5
	}
	sum := 0.0
	for i := range len(z) - 1 {
		bend := float64(z[i]*z[i]) - z[i+1]
		distance := 1 - z[i]
		s := float64(100*bend*bend) + float64(distance*distance)
		sum += s/4000 - math.Cos(s)
	}
	amplitude := 10.0
	if f.noisy {
		amplitude = 1
	}
	return amplitude + amplitude*sum/float64(f.dim-1)
}
