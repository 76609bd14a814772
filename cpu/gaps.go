package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// gaps walks over the mutated genes of a child. Each gene is mutated with the same probability,
// independently, so the number of genes between one mutated gene and the next is geometric:
//
//	j(-1) = -1;  j(k) = j(k-1) + 1 + floor(ln u[k] / ln(1 - rate))
//
// with u[k] the uniform of element k of StreamMutateMask. One word per mutated gene takes the
// place of one per gene. Gaps above 17.3/rate, of a probability of 3e-8, do not come up.
//
// Source: L. Devroye, Non-Uniform Random Variate Generation, 1986, chapter X.2.
type gaps struct {
	a       *address
	inverse float64 // 1/ln(1 - rate): 0 where every gene is mutated, -Inf where none is
	at      int     // first gene that has not been decided
	k       int     // mutated genes so far
}

// inverseGap returns inverse of a rate; rates outside 0 to 1 count as 0 or 1.
func inverseGap(rate float64) float64 { return 1 / math.Log1p(-min(max(rate, 0), 1)) }

// next writes the next mutated genes below n to genes and returns how many there are: less than
// len(genes), a multiple of four, when they end.
func (g *gaps) next(genes []int32, n int) int {
	if g.inverse == 0 {
		count := min(len(genes), n-g.at)
		for i := range genes[:count] {
			genes[i] = int32(g.at + i)
		}
		g.at += count
		g.k += count
		return count
	}
	for i := 0; i < len(genes); i += 4 {
		var words [4]uint32
		words[0], words[1], words[2], words[3] = g.a.words(g.k>>2, rsie.StreamMutateMask)
		for j, w := range words {
			gap := lnUniform(w) * g.inverse
			if !(gap < float64(n-g.at)) {
				g.at = n
				return i + j
			}
			g.at += int(gap)
			genes[i+j] = int32(g.at)
			g.at++
			g.k++
		}
	}
	return len(genes)
}

// addWalk adds strength·z[k] to the k-th mutated gene of x, z of StreamMutate.
func addWalk(x []float64, a *address, p *plan) {
	var genes [walkLot]int32
	var words [walkLot]uint32
	var z [walkLot]float64
	g := gaps{a: a, inverse: p.inverse}
	for count := walkLot; count == walkLot; {
		first := g.k
		count = g.next(genes[:], len(x))
		padded := (count + 3) &^ 3
		a.fill(words[:padded], first>>2, rsie.StreamMutate)
		gaussOf(z[:count], words[:padded])
		for k, j := range genes[:count] {
			x[j] += p.strength * z[k]
		}
	}
}

// dropWalk sets the mutated genes of x to 0.
func dropWalk(x []float64, a *address, p *plan) {
	var genes [walkLot]int32
	g := gaps{a: a, inverse: p.inverse}
	for count := walkLot; count == walkLot; {
		count = g.next(genes[:], len(x))
		for _, j := range genes[:count] {
			x[j] = 0
		}
	}
}

// walkLot is how many mutated genes are found before they are changed.
const walkLot = 64
