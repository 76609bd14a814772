package cpu

import (
	"cmp"
	"math"
	"slices"
)

// rank writes Next.Order of every run: member numbers by rising fitness, equal fitness by
// number, NaN last: see [rsie.OpRank].
func rank(c *call) {
	c.everyRun()
	c.each(rankRun)
}

func rankRun(c *call, _ int, s span) {
	from, to := c.members(s.run)
	order(c.next.order[from:to], c.next.fitness[from:to])
}

// order writes the numbers 0 to len(f)-1 to dst, sorted by f. It allocates nothing.
func order(dst []uint32, f []float64) {
	for i := range dst {
		dst[i] = uint32(i)
	}
	slices.SortFunc(dst, func(a, b uint32) int {
		x, y := f[a], f[b]
		switch {
		case x < y:
			return -1
		case y < x:
			return 1
		case x == y || math.IsNaN(x) && math.IsNaN(y):
			return cmp.Compare(a, b)
		case math.IsNaN(y):
			return -1
		}
		return 1
	})
}
