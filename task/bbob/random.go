package bbob

import "math"

// modulus is that of the minimal standard generator, 2^31 - 1.
const modulus = 1<<31 - 1

// lehmer returns the successor of seed in the minimal standard generator, 0 < seed < modulus:
//
//	seed' = 16807·seed mod (2^31 - 1)
//
// Source: S. Park, K. Miller, Communications of the ACM 31, 1988.
func lehmer(seed int64) int64 { return 16807 * seed % modulus }

// uniform fills dst with numbers of (0,1): the generator above behind a Bays-Durham table of 32
// values, filled after 8 steps. A seed below 1 counts as 1; a value 0 becomes 1e-99.
//
// It is the generator of all COCO instances; RR-6829 does not state it.
func uniform(dst []float64, seed int64) {
	seed = max(seed, 1)
	var table [32]int64
	for i := 39; i >= 0; i-- {
		seed = lehmer(seed)
		if i < len(table) {
			table[i] = seed
		}
	}
	drawn := table[0]
	for i := range dst {
		at := drawn / 67108865 // 2^26 + 1 cuts [0, 2^31) into 32 parts
		seed = lehmer(seed)
		drawn, table[at] = table[at], seed
		dst[i] = float64(drawn) / modulus
		if dst[i] == 0 {
			dst[i] = 1e-99
		}
	}
}

// normal fills dst with standard normal numbers by Box and Muller, from N + N uniform ones:
//
//	dst[i] = sqrt(-2 ln u[i]) cos(2π u[N+i])    a value 0 becomes 1e-99
//
// Logarithm and cosine are rounded correctly: f19 turns the last digit of a rotation into the
// tenth digit of its value, and COCO's C library misses the last digit of 4 cosines in 1000.
func normal(dst []float64, seed int64) {
	u := make([]float64, 2*len(dst))
	uniform(u, seed)
	for i := range dst {
		dst[i] = math.Sqrt(-2*preciseLog(u[i])) * preciseCos(2*math.Pi*u[len(dst)+i])
		if dst[i] == 0 {
			dst[i] = 1e-99
		}
	}
}

// drawValue returns f_opt of a seed, Cauchy distributed with two decimals (RR-6829, section 0.2):
//
//	f_opt = clip(floor(10^4 N1/N2 + 0.5)/100, -1000, 1000)
func drawValue(seed int64) float64 {
	var a, b [1]float64
	normal(a[:], seed)
	normal(b[:], seed+1)
	return min(max(math.Floor(100*100*a[0]/b[0]+0.5)/100, -1000), 1000)
}

// drawShift returns the default x_opt of a seed, uniform in [-4,4]^D (RR-6829, section 0.2), on
// a grid without 0:
//
//	x_opt[i] = 8 floor(10^4 u[i])/10^4 - 4    a value 0 becomes -1e-5
func drawShift(dim int, seed int64) []float64 {
	x := make([]float64, dim)
	uniform(x, seed)
	for i := range x {
		x[i] = 8*math.Floor(1e4*x[i])/1e4 - 4
		if x[i] == 0 {
			x[i] = -1e-5
		}
	}
	return x
}

// drawRotation returns an orthogonal matrix [dim, dim], row-major: a matrix of normal numbers,
// filled column by column, whose columns are made orthonormal by Gram-Schmidt from the left
// (RR-6829, section 0.2).
func drawRotation(dim int, seed int64) []float64 {
	m := make([]float64, dim*dim) // row c is column c of the result until the end
	normal(m, seed)
	for c := range dim {
		column := m[c*dim : (c+1)*dim]
		for b := range c {
			before := m[b*dim : (b+1)*dim]
			projection := dot(column, before)
			for k := range column {
				column[k] -= float64(projection * before[k])
			}
		}
		norm := math.Sqrt(dot(column, column))
		for k := range column {
			column[k] /= norm
		}
	}
	for i := range dim {
		for j := range i {
			m[i*dim+j], m[j*dim+i] = m[j*dim+i], m[i*dim+j]
		}
	}
	return m
}

// dot returns the scalar product of two vectors of the same length, summed in index order.
func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += float64(v * b[i])
	}
	return sum
}
