package cpu

import (
	"math"
	"math/bits"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/kernels"
)

// noiseOf fills z with the noise of one sample, thinned and lengthened along the path. Under
// orthogonal sampling z holds what orthogonalise left. f is scratch of the same length.
func (c *call) noiseOf(z, f []float64, t *rsie.Run, run, number int) {
	a := addressOf(t, number)
	switch t.Sampling {
	case rsie.CodeSobol:
		if t.Flags&rsie.FlagMirrored == 0 {
			number -= int(t.EvalFrom)
		}
		sobolNormals(z, t, uint32(number))
	case rsie.CodeLowRank:
		c.products(z, f, a)
	case rsie.CodeNormal:
		normals(z, a, rsie.StreamSample)
	}
	if t.Density < 1 {
		limit, factor := limitOf(t.Density), 1/math.Sqrt(t.Density)
		for j := 0; j < len(z); j += 4 {
			bits := hits(&a, j>>2, limit)
			for k := range z[j:min(j+4, len(z))] {
				z[j+k] *= factor * float64(bits>>k&1)
			}
		}
	}
	if t.Flags&rsie.FlagPath != 0 {
		along, _, _, _ := gauss(a.words(0, rsie.StreamPath))
		along *= math.Sqrt(t.CovRankOne)
		for j, p := range c.vector(run, rsie.VecPath) {
			z[j] += along * p
		}
	}
	if t.Scales == rsie.CodeFastNES {
		c.elongate(z, run)
	}
}

// products fills z with a·bᵀ for each matrix, a and b normal, and with normals for each vector, so
// that every entry has variance 1. f takes what is drawn: of each block in order a, then b, or the
// vector; entry k of f is element k of StreamSample.
//
// Source: B. Sarkar et al., Evolution strategies at the hyperscale, 2025 (EGGROLL), rank one.
func (c *call) products(z, f []float64, a address) {
	n := 0
	for _, b := range c.blocks {
		n += drawsOf(b)
	}
	normals(f[:n], a, rsie.StreamSample)
	for _, b := range c.blocks {
		own := f[:drawsOf(b)]
		f = f[len(own):]
		m := z[b.Offset:][:b.Rows*b.Cols]
		if len(own) == len(m) {
			copy(m, own)
			continue
		}
		for i, v := range own[:b.Rows] {
			for j, w := range own[b.Rows:] {
				m[i*b.Cols+j] = v * w
			}
		}
	}
}

// drawsOf returns how many normals the noise of a block takes. A matrix of two rows and two
// columns has as many entries as its factors and is drawn like a vector.
func drawsOf(b rsie.Block) int { return min(b.Rows+b.Cols, b.Rows*b.Cols) }

// orthogonalises selects the runs whose samples lie at right angles.
func orthogonalises(t *rsie.Run) bool {
	return distributes(t) && t.Sampling == rsie.CodeOrthogonal && t.Flags&rsie.FlagDraws == 0
}

// orthogonalise writes the noise of the samples of a run to their rows, one span per block of up
// to D samples, or pairs:
//
//	y[k] = z[k] - Σ_{l<k} (z[k]·y[l])/|y[l]|²·y[l], the y[l] of its block, by modified
//	Gram-Schmidt;  y[k] *= |z[k]|/|y[k]|
//
// z is as in gaussian sampling. The length of a normal vector does not depend on its direction,
// so each y alone has the distribution of z. Both rows of a pair hold y.
//
// Source: K. Choromanski et al., Structured evolution with compact architectures, ICML 2018.
func orthogonalise(c *call, _ int, s span) {
	t := &c.runs[s.run]
	pairs := t.Flags&rsie.FlagMirrored != 0
	row := func(k int) int {
		if pairs {
			k *= 2
		}
		return int(t.Offset+t.EvalFrom) + k
	}
	count := samplesOf(t)
	first, last := s.from*c.dim, min((s.from+1)*c.dim, count)
	for k := first; k < last; k++ {
		number := k
		if !pairs {
			number += int(t.EvalFrom)
		}
		y := c.next.point(c, row(k))
		normals(y, addressOf(t, number), rsie.StreamSample)
		length := squared(y)
		for l := first; l < k; l++ {
			other := c.next.point(c, row(l))
			product := 0.
			for j, v := range other {
				product += v * y[j]
			}
			product /= squared(other)
			for j, v := range other {
				y[j] -= product * v
			}
		}
		if rest := squared(y); rest > 0 {
			factor := math.Sqrt(length / rest)
			for j := range y {
				y[j] *= factor
			}
		}
	}
	if !pairs {
		return
	}
	for k := first; k < last; k++ {
		if m := row(k) + 1; m < int(t.Offset+t.EvalTo) {
			copy(c.next.point(c, m), c.next.point(c, row(k)))
		}
	}
}

// samplesOf returns the number of independent samples of a generation.
func samplesOf(t *rsie.Run) int {
	n := int(t.EvalTo - t.EvalFrom)
	if t.Flags&rsie.FlagMirrored != 0 {
		n = (n + 1) / 2
	}
	return n
}

// sobolNormals fills z with point index of a scrambled Sobol sequence, through the quantile
// function of the normal distribution:
//
//	z[j] = √2·erfinv(2u - 1), u = (scramble(x[j], w[j]) + 1/2)/2^32
//
// x are the digits of dimension j mod 256 with Joe and Kuo's direction numbers, w element j of
// StreamScramble at member 0, anew in each generation. Dimensions beyond 256 use the first ones
// again, 256 at a time, with the points of the generation in another order: within 256 dimensions
// the points fill space evenly, between them they are independent.
//
// Sources: S. Joe, F. Kuo, SIAM J. Sci. Comput. 30, 2008; B. Burley, Practical hash-based Owen
// scrambling, JCGT 9(4), 2020.
func sobolNormals(z []float64, t *rsie.Run, index uint32) {
	dims, shuffles := addressOf(t, 0), addressOf(t, 1)
	mask := uint32(1)<<bits.Len32(uint32(samplesOf(t)-1)) - 1
	at := index
	for j := 0; j < len(z); j += 4 {
		if j%kernels.SobolDimensions == 0 && j > 0 {
			at = scramble(index, shuffles.element(j/kernels.SobolDimensions, rsie.StreamScramble)) & mask
		}
		w := dims.quad(j>>2, rsie.StreamScramble)
		for k := range z[j:min(j+4, len(z))] {
			x := uint32(0)
			v := &kernels.Sobol[(j+k)%kernels.SobolDimensions]
			for rest := at; rest != 0; rest &= rest - 1 {
				x ^= v[bits.TrailingZeros32(rest)]
			}
			u := (float64(scramble(x, w[k])) + 0.5) * 0x1p-32
			z[j+k] = math.Sqrt2 * math.Erfinv(2*u-1)
		}
	}
}

// scramble permutes the binary digits of x, each depending on those above it and the seed, by
// the hash of Laine and Karras in the reversed word.
func scramble(x, seed uint32) uint32 {
	x = bits.Reverse32(x)
	x ^= x * 0x3d20adea
	x += seed
	x *= seed>>16 | 1
	x ^= x * 0x05526c56
	x ^= x * 0x53a22864
	return bits.Reverse32(x)
}
