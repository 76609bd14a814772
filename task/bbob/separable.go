package bbob

import "math"

// prepareSeparable fills the constants of f1..f5.
func (f *Function) prepareSeparable() {
	switch f.number {
	case 2:
		f.scale = powers(1e12, f.dim) // squares of Λ^(10^6)
	case 3:
		f.scale = powers(10, f.dim)
		f.slopes = slopes(0.2, f.dim)
	case 4:
		f.scale = powers(10, f.dim)
		f.penalty = 100
		for i := 0; i < f.dim; i += 2 {
			f.xOpt[i] = math.Abs(f.xOpt[i])
		}
	case 5:
		f.prepareLinearSlope()
	}
}

// sphere is f1 (RR-6829, section 1.1):
//
//	f = |x - x_opt|²
func (f *Function) sphere(x []float64) float64 {
	sum := 0.0
	for i, v := range x {
		z := v - f.xOpt[i]
		sum += float64(z * z)
	}
	return sum
}

// ellipsoid is f2 (RR-6829, section 1.2):
//
//	z = T_osz(x - x_opt)
//	f = Σ 10^(6 i/(D-1)) z_i²
func (f *Function) ellipsoid(x []float64) float64 {
	sum := 0.0
	for i, v := range x {
		z := oscillate(v - f.xOpt[i])
		sum += float64(f.scale[i] * z * z)
	}
	return sum
}

// rastrigin is f3 (RR-6829, section 1.3):
//
//	z = Λ^10 T_asy^0.2(T_osz(x - x_opt))
//	f = 10 (D - Σ cos(2π z_i)) + |z|²
func (f *Function) rastrigin(x []float64) float64 {
	waves, squares := 0.0, 0.0
	for i, v := range x {
		z := f.scale[i] * asymmetric(oscillate(v-f.xOpt[i]), f.slopes[i])
		waves += math.Cos(2 * math.Pi * z)
		squares += float64(z * z)
	}
	return rastriginSum(waves, squares, f.dim)
}

// rastriginSum combines Σ cos(2π z_i) and |z|². An infinite |z|² wins over the cosines, which
// are not defined there.
func rastriginSum(waves, squares float64, dim int) float64 {
	if math.IsInf(squares, 1) {
		return squares
	}
	return float64(10*(float64(dim)-waves)) + squares
}

// buecheRastrigin is f4 (RR-6829, section 1.4), with x_opt made positive at even i, counted
// from 0:
//
//	z_i = s_i T_osz(x_i - x_opt_i)    s_i = 10^(i/(2(D-1))), ten times that for z_i > 0 at even i
//	f = 10 (D - Σ cos(2π z_i)) + |z|² + 100 f_pen(x)
func (f *Function) buecheRastrigin(x []float64) float64 {
	waves, squares := 0.0, 0.0
	for i, v := range x {
		z := oscillate(v - f.xOpt[i])
		s := f.scale[i]
		if z > 0 && i%2 == 0 {
			s *= 10
		}
		z *= s
		waves += math.Cos(2 * math.Pi * z)
		squares += float64(z * z)
	}
	return rastriginSum(waves, squares, f.dim)
}

// prepareLinearSlope moves x_opt to the corner on its side: x_opt_i = ±5; scale is s.
func (f *Function) prepareLinearSlope() {
	f.scale = powers(100, f.dim)
	for i, v := range f.xOpt {
		f.xOpt[i] = 5
		if v < 0 {
			f.xOpt[i] = -5
			f.scale[i] = -f.scale[i]
		}
	}
}

// linearSlope is f5 (RR-6829, section 1.5); beyond the corner x_opt it is flat:
//
//	z_i = x_i if x_opt_i x_i < 25, else x_opt_i;  s_i = sign(x_opt_i) 10^(i/(D-1))
//	f = Σ 5|s_i| - s_i z_i
func (f *Function) linearSlope(x []float64) float64 {
	sum := 0.0
	for i, z := range x {
		if z*f.xOpt[i] >= 25 {
			z = f.xOpt[i]
		}
		sum += float64(5*math.Abs(f.scale[i])) - float64(f.scale[i]*z)
	}
	return sum
}
