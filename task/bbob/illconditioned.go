package bbob

import "math"

// prepareIllConditioned fills the constants of f10..f14.
func (f *Function) prepareIllConditioned() {
	f.first = f.firstRotation()
	switch f.number {
	case 10:
		f.scale = powers(1e12, f.dim) // squares of Λ^(10^6)
		if f.noisy {
			f.scale = powers(1e8, f.dim)
		}
	case 12:
		f.xOpt = drawShift(f.dim, f.seed+1000000) // COCO's seed of this shift
		f.slopes = slopes(0.5, f.dim)
	case 13:
		f.first = compose(f.first, powers(10, f.dim), f.secondRotation())
	case 14:
		f.scale = make([]float64, f.dim)
		for i := range f.scale {
			f.scale[i] = 2 + 4*float64(i)/float64(f.dim-1)
		}
	}
}

// ellipsoidRotated is f10 (RR-6829, section 3.10):
//
//	z = T_osz(R (x - x_opt))
//	f = Σ 10^(6 i/(D-1)) z_i²
func (f *Function) ellipsoidRotated(x, y, z []float64) float64 {
	subtract(y, x, f.xOpt)
	rotate(z, f.first, y)
	sum := 0.0
	for i, v := range z {
		v = oscillate(v)
		sum += float64(f.scale[i] * v * v)
	}
	return sum
}

// discus is f11 (RR-6829, section 3.11):
//
//	z = T_osz(R (x - x_opt))
//	f = 10^6 z_1² + Σ_(i>1) z_i²
func (f *Function) discus(x, y, z []float64) float64 {
	subtract(y, x, f.xOpt)
	rotate(z, f.first, y)
	sum := 0.0
	for i, v := range z {
		v = oscillate(v)
		if i == 0 {
			v *= 1e3
		}
		sum += float64(v * v)
	}
	return sum
}

// bentCigar is f12 (RR-6829, section 3.12):
//
//	z = R T_asy^0.5(R (x - x_opt))
//	f = z_1² + 10^6 Σ_(i>1) z_i²
func (f *Function) bentCigar(x, y, z []float64) float64 {
	subtract(y, x, f.xOpt)
	rotate(z, f.first, y)
	for i, v := range z {
		z[i] = asymmetric(v, f.slopes[i])
	}
	rotate(y, f.first, z)
	sum := 0.0
	for _, v := range y[1:] {
		sum += float64(v * v)
	}
	return float64(y[0]*y[0]) + float64(1e6*sum)
}

// sharpRidge is f13 (RR-6829, section 3.13), with COCO's order of the rotations:
//
//	z = R Λ^10 Q (x - x_opt)
//	f = z_1² + 100 sqrt(Σ_(i>1) z_i²)
func (f *Function) sharpRidge(x, y, z []float64) float64 {
	subtract(y, x, f.xOpt)
	rotate(z, f.first, y)
	sum := 0.0
	for _, v := range z[1:] {
		sum += float64(v * v)
	}
	return float64(z[0]*z[0]) + float64(100*math.Sqrt(sum))
}

// differentPowers is f14 (RR-6829, section 3.14):
//
//	z = R (x - x_opt)
//	f = sqrt(Σ |z_i|^(2 + 4 i/(D-1)))
func (f *Function) differentPowers(x, y, z []float64) float64 {
	subtract(y, x, f.xOpt)
	rotate(z, f.first, y)
	sum := float64(z[0] * z[0])
	for i, v := range z[1:] {
		if v != 0 {
			sum += math.Exp(f.scale[i+1] * math.Log(math.Abs(v)))
		}
	}
	return math.Sqrt(sum)
}
