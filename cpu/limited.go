package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// The limited-memory matrix T of LM-MA-ES has K = rsie.LimitedVectors(D) vectors M, the rows of a
// run's archive behind those of parents. With n the updates since the start:
//
//	T = A_(k-1)·..·A_1·A_0, k = min(n, K);  A_i·z = (1-c_i)·z + c_i·M_i·(M_i·z)
//	c_i = min(CovRankMu/1.5^i, 1/2);  b_i = min(CovRankOne/4^i, 1)
//
// Source: I. Loshchilov, T. Glasmachers, H.-G. Beyer, arXiv:1705.06693, algorithm 1.

// limits selects the runs that have such a matrix.
func limits(t *rsie.Run) bool { return t.Covariance == rsie.CodeLimited }

// remembered returns M_i of a run.
func (c *call) remembered(t *rsie.Run, i int) []float64 { return c.kept(t, t.Archive+uint32(i)) }

// transforms returns k after the given number of updates.
func (c *call) transforms(updates float64) int {
	return int(min(updates, float64(rsie.LimitedVectors(c.dim))))
}

// limitedRate returns c_i.
func limitedRate(t *rsie.Run, i int) float64 {
	return min(t.CovRankMu/math.Pow(1.5, float64(i)), 0.5)
}

// forget clears the vectors of a run at its start.
func (c *call) forget(t *rsie.Run) {
	for i := range rsie.LimitedVectors(c.dim) {
		clear(c.remembered(t, i))
	}
}

// stretch replaces z by T·z.
func (c *call) stretch(z []float64, r int) {
	t := &c.runs[r]
	for i := range c.transforms(c.memoryOf(r)[rsie.MemUpdates]) {
		m, rate := c.remembered(t, i), limitedRate(t, i)
		along := rate * product(m, z)
		for j, v := range m {
			z[j] = (1-rate)*z[j] + along*v
		}
	}
}

// relaxGradient writes the gradient in uncorrelated coordinates, T⁻¹·g, to scratch, after the
// updates have been counted: by Sherman and Morrison's formula A_i⁻¹·y = (y - s·M_i)/(1-c_i),
// s = c_i·(M_i·y)/((1-c_i) + c_i·|M_i|²).
func (c *call) relaxGradient(r int) {
	t, out := &c.runs[r], c.white[r*c.stride:][:c.dim]
	copy(out, c.gradientOf(r))
	for i := c.transforms(c.memoryOf(r)[rsie.MemUpdates]-1) - 1; i >= 0; i-- {
		m, rate := c.remembered(t, i), limitedRate(t, i)
		along := rate * product(m, out) / ((1 - rate) + rate*squared(m))
		for j, v := range m {
			out[j] = (out[j] - along*v) / (1 - rate)
		}
	}
}

// remember moves every M_i towards v, the gradient of relaxGradient:
//
//	M_i = (1-b_i)·M_i + √(mu_eff·b_i·(2-b_i))·v
func (c *call) remember(r int) {
	t, v := &c.runs[r], c.whiteOf(r)
	for i := range rsie.LimitedVectors(c.dim) {
		rate := min(t.CovRankOne/math.Pow(4, float64(i)), 1)
		push := math.Sqrt(t.MuEff * rate * (2 - rate))
		for j, m := range c.remembered(t, i) {
			c.remembered(t, i)[j] = (1-rate)*m + push*v[j]
		}
	}
}
