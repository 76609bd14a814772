package cpu

import (
	"math/bits"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// pick returns the number of the first (which = 0) or second (1) parent of the child at a,
// drawn from Now by the selection of the run. Places are those of Now.Choice, 0 the best; w are
// words of StreamSelect.
//
//	tournament  best of Tournament places, each uniform: draw d = which·Tournament + 0, 1, ...
//	            is element 4 + d
//	roulette    probability ~ weight, see tickets; elements 2·which and 2·which + 1 as 64 bits
//	rank        probability ~ Previous - 1 - place, elements as for roulette
//	elitism     uniform among the first Eligible places, element 2·which
//
// Sources: D. Goldberg, K. Deb, A comparative analysis of selection schemes, 1991; J. Baker,
// Adaptive selection methods, 1985 (linear ranking with pressure 2).
func (c *call) pick(t *rsie.Run, p *plan, a *address, which int) int {
	from, n := int(t.Offset), t.Previous
	choice := c.now.choice[from:][:n]
	if t.Selection == rsie.CodeTournament {
		return int(choice[tournament(t, a, which)])
	}
	w := a.quad(0, rsie.StreamSelect)
	low, high := w[2*which], w[2*which+1]
	long := uint64(high)<<32 | uint64(low)
	switch t.Selection {
	case rsie.CodeRoulette:
		ticket, _ := bits.Mul64(long, p.tickets)
		return holder(c.lottery[from:][:n], ticket)
	case rsie.CodeRankLinear:
		return int(choice[rankPlace(long, uint64(n))])
	}
	return int(choice[rsie.Below(low, t.Eligible)])
}

func tournament(t *rsie.Run, a *address, which int) uint32 {
	size := int(t.Tournament)
	best := t.Previous
	for d := which * size; d < (which+1)*size; {
		w := a.quad(1+d>>2, rsie.StreamSelect)
		for end := min(d|3, (which+1)*size-1); d <= end; d++ {
			best = min(best, rsie.Below(w[d&3], t.Previous))
		}
	}
	return best
}

// tickets writes the prefix sums of the weights of members to sums and returns the total:
//
//	weight = floor(2^40·(worst - f)/(worst - best)), 0 for a fitness that is not finite
//
// Without a difference all finite ones weigh 1, without a finite one all members do.
func tickets(sums []uint64, f []float64) uint64 {
	worst, best := finiteRange(f)
	total := uint64(0)
	for i, v := range f {
		switch {
		case worst != worst:
			total++
		case !finite(v):
		case worst == best:
			total++
		default:
			total += uint64((worst - v) / (worst - best) * (1 << 40))
		}
		sums[i] = total
	}
	return total
}

// holder returns the first member whose prefix sum is above the ticket.
func holder(sums []uint64, ticket uint64) int {
	low, high := 0, len(sums)-1
	for low < high {
		if middle := (low + high) / 2; sums[middle] > ticket {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// rankPlace returns a place among n with weight n - 1 - place by a 64-bit draw; the place of a
// single member is 0.
func rankPlace(draw, n uint64) int {
	ticket, _ := bits.Mul64(draw, n*(n-1)/2)
	low, high := uint64(0), n-1
	for low < high {
		// The places up to middle weigh (middle+1)(n-1) - middle(middle+1)/2 together.
		if middle := (low + high) / 2; (middle+1)*(n-1)-middle*(middle+1)/2 > ticket {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return int(low)
}
