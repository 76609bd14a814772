package bbob

import "math"

// prepareModerate fills the constants of f6..f9.
func (f *Function) prepareModerate() {
	switch f.number {
	case 6: // COCO's matrix is R Λ Q where RR-6829 writes Q Λ R
		f.first = compose(f.firstRotation(), powers(10, f.dim), f.secondRotation())
	case 7:
		f.first = f.secondRotation()
		scaleRows(f.first, powers(10, f.dim))
		f.second = f.firstRotation()
		f.scale = powers(1e4, f.dim) // squares of Λ^100
		f.penalty = 1
	case 8:
		f.factor = rosenbrockFactor(f.dim)
		for i := range f.xOpt {
			f.xOpt[i] *= 0.75
		}
	case 9:
		f.prepareRotatedValley(f.secondRotation())
	}
}

// rosenbrockFactor returns max(1, sqrt(D)/8), which keeps the optimum of f8, f9 and f19 in the
// box.
func rosenbrockFactor(dim int) float64 { return max(1, math.Sqrt(float64(dim))/8) }

// prepareRotatedValley sets first to factor·R and x_opt to the point with z = 1 in
// z = factor R x + 1/2.
func (f *Function) prepareRotatedValley(rotation []float64) {
	f.factor = rosenbrockFactor(f.dim)
	f.first = make([]float64, len(rotation))
	for i := range f.dim {
		sum := 0.0
		for j := range f.dim {
			f.first[i*f.dim+j] = f.factor * rotation[i*f.dim+j]
			sum += rotation[j*f.dim+i]
		}
		f.xOpt[i] = sum / (2 * f.factor)
	}
}

// attractiveSector is f6 (RR-6829, section 2.6):
//
//	z = Q Λ^10 R (x - x_opt)
//	f = T_osz(Σ (s_i z_i)²)^0.9    s_i = 100 where z_i x_opt_i > 0, else 1
func (f *Function) attractiveSector(x, y, z []float64) float64 {
	subtract(y, x, f.xOpt)
	rotate(z, f.first, y)
	sum := 0.0
	for i, v := range z {
		square := float64(v * v)
		if v*f.xOpt[i] > 0 {
			square = float64(1e4 * square)
		}
		sum += square
	}
	sum = oscillate(sum)
	if sum == 0 {
		return 0
	}
	return math.Exp(0.9 * math.Log(sum))
}

// stepEllipsoid is f7 (RR-6829, section 2.7):
//
//	ẑ = Λ^10 R (x - x_opt)
//	z̃_i = floor(ẑ_i + 0.5) if |ẑ_i| > 0.5, else floor(10 ẑ_i + 0.5)/10
//	z = Q z̃
//	f = 0.1 max(|ẑ_1|/10^4, Σ 10^(2 i/(D-1)) z_i²) + f_pen(x)
func (f *Function) stepEllipsoid(x, y, z []float64) float64 {
	subtract(y, x, f.xOpt)
	rotate(z, f.first, y)
	floor := math.Abs(z[0]) * 1e-4
	for i, v := range z {
		if math.Abs(v) > 0.5 {
			z[i] = math.Floor(v + 0.5)
		} else {
			z[i] = math.Floor(10*v+0.5) / 10
		}
	}
	rotate(y, f.second, z)
	sum := 0.0
	for i, v := range y {
		sum += float64(f.scale[i] * v * v)
	}
	return 0.1 * max(floor, sum)
}

// rosenbrock is f8 (RR-6829, section 2.8); x_opt is 3/4 of the drawn one:
//
//	z = max(1, sqrt(D)/8) (x - x_opt) + 1
//	f = Σ_(i<D-1) 100 (z_i² - z_(i+1))² + (z_i - 1)²
func (f *Function) rosenbrock(x, z []float64) float64 {
	for i, v := range x {
		z[i] = float64(f.factor*(v-f.xOpt[i])) + 1
	}
	return valley(z)
}

// rosenbrockRotated is f9 (RR-6829, section 2.9), the sum of f8 with
//
//	z = max(1, sqrt(D)/8) R x + 1/2
func (f *Function) rosenbrockRotated(x, z []float64) float64 {
	rotate(z, f.first, x)
	for i := range z {
		z[i] += 0.5
	}
	return valley(z)
}

func valley(z []float64) float64 {
	bends, distances := 0.0, 0.0
	for i := range len(z) - 1 {
		bend := float64(z[i]*z[i]) - z[i+1]
		distance := z[i] - 1
		bends += float64(bend * bend)
		distances += float64(distance * distance)
	}
	return float64(100*bends) + distances
}
