package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// address is where a member's draws of one generation stand; a stream and an element complete
// it. Element j is word j mod 4 of block j/4.
type address struct {
	key                     rsie.Key
	member, generation, run uint32
}

func addressOf(t *rsie.Run, member int) address {
	return address{rsie.NewKey(t.Seed), uint32(member), t.Generation, t.Index}
}

// quad returns the words of a block.
func (a *address) quad(block int, s rsie.Stream) (w [4]uint32) {
	w[0], w[1], w[2], w[3] = a.words(block, s)
	return w
}

// element returns the word of element j alone.
func (a *address) element(j int, s rsie.Stream) uint32 {
	return a.quad(j>>2, s)[j&3]
}

// gauss returns four normal numbers of four random words, u = [rsie.Uniform] of a word:
//
//	z0, z1 = sqrt(-2 ln u0)·(cos 2πu1, sin 2πu1);  z2, z3 the same of u2, u3
//
// They lie within ±5.9 because u has 24 bits.
//
// Source: G. Box, M. Muller, A note on the generation of random normal deviates, 1958.
func gauss(w0, w1, w2, w3 uint32) (z0, z1, z2, z3 float64) {
	r := math.Sqrt(-2 * ln(rsie.Uniform(w0)))
	q := math.Sqrt(-2 * ln(rsie.Uniform(w2)))
	s0, c0 := turns(rsie.Uniform(w1))
	s1, c1 := turns(rsie.Uniform(w3))
	return r * c0, r * s0, q * c1, q * s1
}

// uniforms fills u with numbers in (lower, upper).
func uniforms(u []float64, a address, s rsie.Stream, lower, upper float64) {
	for j := 0; j < len(u); j += 4 {
		w := a.quad(j>>2, s)
		for k := range u[j:min(j+4, len(u))] {
			u[j+k] = lower + (upper-lower)*rsie.Uniform(w[k])
		}
	}
}

// limitOf returns the number of 24-bit values whose uniform lies below a probability, so that
// w>>8 < limit is an event of that probability to 2^-24.
func limitOf(probability float64) uint32 {
	return uint32(min(max(math.Ceil(probability*(1<<24)-0.5), 0), 1<<24))
}

const certain = 1 << 24 // the limit of an event that always happens

// hits returns the events among elements 4·block to 4·block+3 as bits 0 to 3.
func hits(a *address, block int, limit uint32) uint32 {
	if limit == certain {
		return 15
	}
	w0, w1, w2, w3 := a.words(block, rsie.StreamMutateMask)
	// A difference below zero carries into bit 31.
	return (w0>>8-limit)>>31 | (w1>>8-limit)>>31<<1 | (w2>>8-limit)>>31<<2 |
		(w3>>8-limit)>>31<<3
}
