package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// factor computes the factors of every matrix of svd-mutation runs that has none: see
// [rsie.OpFactor].
//
//	A = U·diag(s)·Vᵀ, k = min(rows, cols)
//
// The factors of a member are, block after block with both sides above one, the k columns of U
// (rows numbers each), s, and the k columns of V (cols numbers each).
func factor(c *call) {
	c.clear()
	if c.factors == 0 {
		return
	}
	for r := range c.runs {
		if t := &c.runs[r]; active(t) && t.Family == rsie.CodePopulation && t.Mutation == rsie.CodeSVD {
			c.add(r, 0, int(t.Members), 1)
		}
	}
	c.each(factorMember)
}

func factorMember(c *call, _ int, s span) {
	m := int(c.runs[s.run].Offset) + s.from
	x, f, valid := c.next.point(c, m), c.next.factor(c, m), c.next.valid(c, m)
	for i, b := range c.blocks {
		n := factorSize(b)
		if n > 0 && valid[i] == 0 {
			decompose(f[:n], x[b.Offset:][:b.Rows*b.Cols], b.Rows, b.Cols)
			valid[i] = 1
		}
		f = f[n:]
	}
}

// factorSize returns the length of the factors of a block, 0 for a vector.
func factorSize(b rsie.Block) int {
	if b.Rows < 2 || b.Cols < 2 {
		return 0
	}
	return min(b.Rows, b.Cols) * (b.Rows + 1 + b.Cols)
}

// split returns the parts of the factors f of a rows x cols matrix.
func split(f []float64, rows, cols int) (u, s, v []float64) {
	k := min(rows, cols)
	return f[:k*rows], f[k*rows:][:k], f[k*rows+k:]
}

// compose sets x = U·diag(s)·Vᵀ; the sum runs over singular values in order.
func compose(x, f []float64, rows, cols int) {
	u, s, v := split(f, rows, cols)
	for i := range rows {
		row := x[i*cols:][:cols]
		clear(row)
		for t, value := range s {
			a := u[t*rows+i] * value
			for j, w := range v[t*cols:][:cols] {
				row[j] += a * w
			}
		}
	}
}

// Limits of the Jacobi iteration.
const (
	jacobiTolerance = 1e-14 // cosine of the angle of two vectors that count as orthogonal
	jacobiSweeps    = 30    // at most; 6 to 10 are usual
)

// decompose writes the thin singular value decomposition of x [rows, cols] to f.
//
// It is the one-sided Jacobi method: the min(rows, cols) longer vectors of x, its columns or
// else its rows, are rotated pairwise in the fixed order (0,1), (0,2) ... (1,2) ... until all
// are orthogonal. Their lengths are the singular values, which are left in the order that the
// sweeps end with, not sorted: a draw belongs to a place, and sorting would let rounding decide
// between near-equal values. In every pair of columns the entry of largest magnitude of the
// shorter one (V, or U of a wide matrix) is positive. A zero singular value has a zero column
// on the longer side. Entries should lie within 1e±75, because their fourth powers are compared;
// values that are not finite end the sweeps and stay in the factors.
//
// Source: M. Hestenes, Inversion of matrices by biorthogonalization, 1958; G. Golub, C. Van
// Loan, Matrix Computations, 4th ed., section 8.6.3.
func decompose(f, x []float64, rows, cols int) {
	u, s, v := split(f, rows, cols)
	k := len(s)
	long, short := u, v
	if rows >= cols {
		for i := range rows {
			for t := range k {
				u[t*rows+i] = x[i*cols+t]
			}
		}
	} else {
		long, short = v, u
		copy(v, x)
	}
	length := len(long) / k
	clear(short)
	for t := range k {
		short[t*k+t] = 1
	}
	for sweep, rotated := 0, true; rotated && sweep < jacobiSweeps; sweep++ {
		rotated = false
		for t := range k {
			w := long[t*length:][:length]
			s[t] = product(w, w)
		}
		for p := range k - 1 {
			for q := p + 1; q < k; q++ {
				a, b := long[p*length:][:length], long[q*length:][:length]
				cos, sin, needed := rotation(s, p, q, product(a, b))
				if needed {
					rotated = true
					turn(a, b, cos, sin)
					turn(short[p*k:][:k], short[q*k:][:k], cos, sin)
				}
			}
		}
	}
	for t := range k {
		s[t] = normalise(long[t*length:][:length], short[t*k:][:k])
	}
}

// rotation returns the turn that makes vectors p and q orthogonal, and whether their product ab
// asks for one. Their squared lengths in s are carried along within a sweep and computed anew at
// the start of the next, so a sweep without rotations has judged by true lengths.
func rotation(s []float64, p, q int, ab float64) (cos, sin float64, needed bool) {
	aa, bb := s[p], s[q]
	if !(ab*ab > jacobiTolerance*jacobiTolerance*(aa*bb)) {
		return 1, 0, false
	}
	d := bb - aa
	tangent := 2 * ab / (d + math.Copysign(math.Sqrt(d*d+4*(ab*ab)), d))
	cos = 1 / math.Sqrt(1+tangent*tangent)
	s[p], s[q] = aa-tangent*ab, bb+tangent*ab
	return cos, cos * tangent, true
}

// product returns a·b as the sum of four quarters, element i in quarter i mod 4.
func product(a, b []float64) float64 {
	var p0, p1, p2, p3 float64
	for len(a) >= 4 && len(b) >= 4 {
		p0 += a[0] * b[0]
		p1 += a[1] * b[1]
		p2 += a[2] * b[2]
		p3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i, x := range a {
		p0 += x * b[i]
	}
	return (p0 + p1) + (p2 + p3)
}

func turn(a, b []float64, cos, sin float64) {
	b = b[:len(a)]
	for i, x := range a {
		y := b[i]
		a[i], b[i] = cos*x-sin*y, sin*x+cos*y
	}
}

// normalise divides a by its length, which it returns, and fixes the sign of a and v.
func normalise(a, v []float64) float64 {
	sum, largest := 0., 0.
	for _, x := range a {
		sum += x * x
	}
	for _, y := range v {
		if math.Abs(y) > math.Abs(largest) {
			largest = y
		}
	}
	length := math.Sqrt(sum)
	scale := math.Copysign(1, largest)
	for i := range v {
		v[i] *= scale
	}
	if length > 0 {
		scale /= length
	}
	for i := range a {
		a[i] *= scale
	}
	return length
}
