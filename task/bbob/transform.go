package bbob

import "math"

// powers returns the diagonal of Λ^α, with alpha = α (RR-6829, section 0.2):
//
//	α^(i/(2(D-1)))    i = 0..D-1
func powers(alpha float64, dim int) []float64 {
	out := make([]float64, dim)
	for i := range out {
		out[i] = precisePow(math.Sqrt(alpha), float64(i)/float64(dim-1))
	}
	return out
}

// slopes returns the factors of [asymmetric]: beta·i/(D-1), i = 0..D-1.
func slopes(beta float64, dim int) []float64 {
	out := make([]float64, dim)
	for i := range out {
		out[i] = beta * float64(i) / float64(dim-1)
	}
	return out
}

// oscillate is T_osz of one number (RR-6829, section 0.2), with l = ln|y|:
//
//	y exp(0.049 (sin(c1 l) + sin(c2 l)))    c1, c2 = 10, 7.9 for y > 0; 5.5, 3.1 for y < 0
//
// 0 stays 0. The inner 1/0.1 of COCO's program, exp(l/0.1 + 0.49(..))^0.1, is multiplied out.
func oscillate(y float64) float64 {
	if y == 0 {
		return 0
	}
	l := math.Log(math.Abs(y))
	c1, c2 := 10.0, 7.9
	if y < 0 {
		c1, c2 = 5.5, 3.1
	}
	return y * math.Exp(0.049*(math.Sin(c1*l)+math.Sin(c2*l)))
}

// asymmetric is T_asy^β of coordinate i (RR-6829, section 0.2), slope = β i/(D-1):
//
//	y^(1 + slope sqrt(y)) for y > 0, else y
func asymmetric(y, slope float64) float64 {
	if !(y > 0) || slope == 0 {
		return y
	}
	return y * math.Exp(slope*math.Sqrt(y)*math.Log(y))
}

// penalty is f_pen of the package comment (RR-6829, section 0.2) for the box [-radius,radius]^D.
func penalty(x []float64, radius float64) float64 {
	sum := 0.0
	for _, v := range x {
		if out := math.Abs(v) - radius; out > 0 {
			sum += float64(out * out)
		}
	}
	return sum
}

// rotate writes dst = M x, M is [len(dst), len(x)] row-major; dst must not alias x. Every sum
// runs in index order; four rows advance together, because one sum alone waits for its additions.
func rotate(dst, m, x []float64) {
	n := len(x)
	i := 0
	for ; i+4 <= len(dst); i += 4 {
		r0, r1 := m[i*n:][:n], m[(i+1)*n:][:n]
		r2, r3 := m[(i+2)*n:][:n], m[(i+3)*n:][:n]
		var s0, s1, s2, s3 float64
		for j, v := range x {
			s0 += float64(r0[j] * v)
			s1 += float64(r1[j] * v)
			s2 += float64(r2[j] * v)
			s3 += float64(r3[j] * v)
		}
		dst[i], dst[i+1], dst[i+2], dst[i+3] = s0, s1, s2, s3
	}
	for ; i < len(dst); i++ {
		dst[i] = dot(m[i*n:][:n], x)
	}
}

// subtract writes dst = x - shift; all have the same length.
func subtract(dst, x, shift []float64) {
	for i := range dst {
		dst[i] = x[i] - shift[i]
	}
}

// scaleRows multiplies row i of the square matrix m by s[i].
func scaleRows(m, s []float64) {
	n := len(s)
	for i, v := range s {
		for j := range n {
			m[i*n+j] *= v
		}
	}
}

// compose returns A diag(s) B, all of size [D, D] with D = len(s).
func compose(a, s, b []float64) []float64 {
	n := len(s)
	out := make([]float64, n*n)
	for i := range n {
		row := out[i*n : (i+1)*n]
		for k := range n {
			v := a[i*n+k] * s[k]
			for j := range row {
				row[j] += float64(v * b[k*n+j])
			}
		}
	}
	return out
}

// hasNaN reports whether a coordinate is not a number.
func hasNaN(x []float64) bool {
	for _, v := range x {
		if v != v {
			return true
		}
	}
	return false
}
