package cpu

import "math"

// eigenScratch is the scratch of eigen, in values.
func eigenScratch(n int) int { return 3 * n }

// eigen writes the eigenvalues of the symmetric matrix a [n, n] to values and its eigenvectors to
// the rows of vectors, in no particular order:
//
//	a = vectorsᵀ·diag(values)·vectors
//
// a is destroyed. Householder reflections bring it to tridiagonal form, implicit QL steps to
// diagonal form; the error of a value is a few times 1e-16 of the largest. Values that are not
// finite end the steps and stay in the result. Nothing is allocated.
//
// Source: J. Wilkinson, C. Reinsch, Handbook for Automatic Computation II, 1971, contributions
// II/2 and II/4 (EISPACK tred2 and imtql2).
func eigen(values, vectors, a, scratch []float64) {
	n := len(values)
	off := scratch[:n]
	tridiagonal(values, off, a, scratch[n:3*n])
	clear(vectors)
	for i := range n {
		vectors[i*n+i] = 1
	}
	// Row i of the product of all reflections; those of rows up to k do not meet reflection k.
	for k := n - 3; k >= 0; k-- {
		v := a[k*n+k+1:][:n-k-1]
		for i := k + 1; i < n; i++ {
			row := vectors[i*n+k+1:][:n-k-1]
			f := 2 * product(row, v)
			for j, x := range v {
				row[j] -= f * x
			}
		}
	}
	for l := range n {
		for step := 0; step < eigenSteps && implicitQL(values, off, vectors, l); step++ {
		}
	}
}

// eigenSteps bounds the QL steps for one eigenvalue; 1 or 2 are usual.
const eigenSteps = 60

// tridiagonal writes the diagonal and the values beside it of the tridiagonal form of a, and
// leaves the vector of reflection k, of length 1 or 0, in row k of a behind the diagonal.
func tridiagonal(diagonal, off, a, scratch []float64) {
	n := len(diagonal)
	for k := range n - 1 {
		v := a[k*n+k+1:][:n-k-1]
		diagonal[k], off[k] = a[k*n+k], v[0]
		if k == n-2 {
			break
		}
		length := math.Sqrt(product(v, v))
		if product(v[1:], v[1:]) == 0 {
			clear(v)
			continue
		}
		off[k] = -math.Copysign(length, v[0])
		v[0] -= off[k]
		scale := 1 / math.Sqrt(product(v, v))
		for j := range v {
			v[j] *= scale
		}
		w := scratch[:len(v)]
		for i := range w {
			w[i] = 2 * product(a[(k+1+i)*n+k+1:][:len(v)], v)
		}
		f := product(w, v)
		for j, x := range v {
			w[j] -= f * x
		}
		for i := range w {
			row, x, y := a[(k+1+i)*n+k+1:][:len(v)], v[i], w[i]
			for j := range row {
				row[j] -= x*w[j] + y*v[j]
			}
		}
	}
	diagonal[n-1], off[n-1] = a[n*n-1], 0
}

// implicitQL does one step for value l and reports whether another is needed.
func implicitQL(d, e, vectors []float64, l int) bool {
	n := len(d)
	m := l
	for m < n-1 && !(math.Abs(e[m]) <= 0x1p-53*(math.Abs(d[m])+math.Abs(d[m+1]))) {
		m++
	}
	if m == l {
		return false
	}
	g := (d[l+1] - d[l]) / (2 * e[l])
	g = d[m] - d[l] + e[l]/(g+math.Copysign(math.Hypot(g, 1), g))
	sin, cos, p := 1., 1., 0.
	for i := m - 1; i >= l; i-- {
		f, b := sin*e[i], cos*e[i]
		r := math.Hypot(f, g)
		e[i+1] = r
		if r == 0 {
			d[i+1] -= p
			e[m] = 0
			return true
		}
		sin, cos = f/r, g/r
		g = d[i+1] - p
		r = (d[i]-g)*sin + 2*cos*b
		p = sin * r
		d[i+1] = g + p
		g = cos*r - b
		turn(vectors[i*n:][:n], vectors[(i+1)*n:][:n], cos, sin)
	}
	d[l] -= p
	e[l], e[m] = g, 0
	return true
}
