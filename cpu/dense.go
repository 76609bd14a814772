package cpu

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"github.com/symbio-ai/recursive-improvement"
)

// input is the inputs of one block of rows at one step: dense or, where most are zero, as
// lists, which give the same sums because a product with zero adds nothing. (A weight that is
// not finite and meets only zeros is not noticed in the lists.)
type input struct {
	x     []float64 // [in][n]; nil where the lists are used
	from  []int32   // [n+1]: the entries of sample s are from[s] to from[s+1]
	at    []int32   // input numbers, ascending within a sample
	value []float64
}

// newInput transposes n samples of in values, stride apart.
func newInput(src []float64, n, in, stride int) input {
	var p input
	p.from = append(p.from, 0)
	for s := range n {
		for k, v := range src[s*stride:][:in] {
			if v != 0 {
				p.at = append(p.at, int32(k))
				p.value = append(p.value, v)
			}
		}
		p.from = append(p.from, int32(len(p.at)))
	}
	// A list entry costs about four times an entry of the matrix product (measured).
	if 4*len(p.at) < n*in {
		return p
	}
	p = input{x: make([]float64, n*in)}
	transpose(p.x, src, n, in, stride)
	return p
}

// fill sets row j of y [len(b)][n] to b[j].
func fill(y, b []float64, n int) {
	for j, v := range b {
		row := y[j*n:][:n]
		for len(row) >= 4 {
			q := row[:4:4]
			q[0], q[1], q[2], q[3] = v, v, v, v
			row = row[4:]
		}
		for s := range row {
			row[s] = v
		}
	}
}

// addProduct adds the product of x [in][n] with columns 0..cols-1 of w, a matrix with rows of
// length stride:
//
//	y[j][s] += Σ_k w[k][j]·x[k][s]    added to y one by one, k ascending
//
// gonum's product of a transposed matrix and a vector has this very order: it runs over the
// samples and adds four inputs per load of y, with packed SSE2 on amd64. Measured against loops
// in Go, Axpy and Dgemm it is the fastest (BenchmarkProduct).
func addProduct(y, x, w []float64, n, cols, stride int) {
	in := len(x) / n
	for j := range cols {
		gonum.Implementation{}.Dgemv(blas.Trans, in, n, 1, x, n, w[j:], stride, 1, y[j*n:][:n], 1)
	}
}

// add is addProduct for both forms of inputs.
func (p *input) add(y, w []float64, n, cols, stride int) {
	if p.x != nil {
		addProduct(y, p.x, w, n, cols, stride)
		return
	}
	for s := range n {
		e, end := int(p.from[s]), int(p.from[s+1])
		for ; e+4 <= end; e += 4 {
			at, value := p.at[e:][:4], p.value[e:][:4]
			w0 := w[int(at[0])*stride:][:cols]
			w1 := w[int(at[1])*stride:][:cols]
			w2 := w[int(at[2])*stride:][:cols]
			w3 := w[int(at[3])*stride:][:cols]
			v0, v1, v2, v3 := value[0], value[1], value[2], value[3]
			i := s
			for j := range w0 {
				// float64() forbids fusing, which the product does not do either.
				y[i] = y[i] + float64(v0*w0[j]) + float64(v1*w1[j]) + float64(v2*w2[j]) + float64(v3*w3[j])
				i += n
			}
		}
		for ; e < end; e++ {
			row, v, i := w[int(p.at[e])*stride:][:cols], p.value[e], s
			for _, u := range row {
				y[i] += float64(v * u)
				i += n
			}
		}
	}
}

// denseLayers returns the layers of a dense network; the last is linear.
func denseLayers(m *rsie.Model) []layer {
	var out []layer
	at := 0
	for l := 1; l < len(m.Layers); l++ {
		n := layer{in: m.Layers[l-1], out: m.Layers[l], w: at, act: rsie.Linear}
		n.b = at + n.in*n.out
		at = n.b + n.out
		if l-1 < len(m.Activation) {
			n.act = m.Activation[l-1]
		}
		out = append(out, n)
	}
	return out
}

// dense returns the outputs [out][n] of n samples.
func (p *program) dense(w *scratch, x input, n int, point []float64) []float64 {
	y, other := w.a, w.b
	for i := range p.layers {
		l := &p.layers[i]
		row := y[:l.out*n]
		fill(row, point[l.b:][:l.out], n)
		x.add(row, point[l.w:l.b], n, l.out, l.out)
		activate(row, l.act)
		x = input{x: row}
		y, other = other, y
	}
	return x.x
}

// activate applies a to every value of x.
func activate(x []float64, a rsie.Activation) {
	switch a {
	case rsie.Tanh:
		tanhSlice(x)
	case rsie.ReLU:
		for i, v := range x {
			x[i] = max(v, 0)
		}
	case rsie.Sigmoid:
		sigmoidSlice(x)
	}
}

// Gaps above farGap go to the stable form; products of sums above largeSum are not formed.
const farGap, largeSum = 700, 1e100

// crossEntropy returns
//
//	Σ_s ln(1 + Σ_(j ≠ class s) exp(gap[s][j])),  gap[s][j] = out[j][s] - out[class s][s]
//
// over n = len(classes) samples, out [classes][n]. The logarithms are those of products of sums
// of samples in order, each product at most 1e200: one takes the time of four samples. Where a
// gap is above 700 it is crossEntropyFar. An output of a class that is not finite makes it infinite
// or NaN. out may be used up; w gives scratch.
func crossEntropy(w *scratch, out []float64, classes []int32) float64 {
	n, others, total := len(classes), len(out)/len(classes)-1, 0.0
	gaps, at, far := w.gaps, 0, false
	for s, class := range classes {
		own := out[int(class)*n+s]
		total += 0 * own // NaN when it is not finite: its gaps would not show it
		j := s
		for k := range int32(others + 1) {
			gap := out[j] - own
			gaps[at] = gap // overwritten by the next one when it is the class's own
			if gap > farGap {
				far = true
			}
			if k != class {
				at++
			}
			j += n
		}
	}
	if far {
		return crossEntropyFar(w, out, classes)
	}
	gaps = gaps[:at]
	expSlice(gaps)
	product := 1.0
	for range n {
		sum := 1.0
		for _, v := range gaps[:others] {
			sum += v
		}
		gaps = gaps[others:]
		if !(sum <= largeSum) {
			total += ln(sum)
			continue
		}
		product *= sum
		if product > largeSum {
			total += ln(product)
			product = 1
		}
	}
	return total + ln(product)
}

// crossEntropyFar returns Σ_s ln Σ_j exp(out[j][s]) - out[class s][s] with the largest output of
// a sample subtracted from its exponents. out is used up.
func crossEntropyFar(w *scratch, out []float64, classes []int32) float64 {
	n := len(classes)
	peak, sum := w.peak[:n], w.sum[:n]
	copy(peak, out)
	for j := n; j < len(out); j += n {
		row := out[j:][:n]
		for s := range row {
			peak[s] = max(peak[s], row[s])
		}
	}
	total := 0.0
	for s, c := range classes {
		total += peak[s] - out[int(c)*n+s]
	}
	clear(sum)
	for j := 0; j < len(out); j += n {
		row := out[j:][:n]
		for s := range row {
			row[s] -= peak[s]
		}
		expSlice(row)
		for s := range row {
			sum[s] += row[s]
		}
	}
	logSlice(sum)
	for _, v := range sum {
		total += v
	}
	return total
}

// squares returns Σ (out - target)².
func squares(out, target []float64) float64 {
	target = target[:len(out)]
	total := 0.0
	for i, v := range out {
		d := v - target[i]
		total += d * d
	}
	return total
}
