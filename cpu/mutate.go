package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// mutate changes row child of Next by the mutation of its run. j is the k-th mutated gene, found
// by [gaps]; z is of StreamMutate, y of StreamFactor.
//
//	gaussian  x[j] += strength·z[k]
//	adaptive  the same with strength·MemStep
//	own step  the same with strength times the child's step, see ownStep
//	dropout   x[j] = 0
//	svd       s[t] *= exp(strength·y[o+t]) per matrix, o its offset; x[j] += strength·z[j] in
//	          vectors; at elements o+t and j whose uniform of StreamMutateMask is below the rate
//
// A matrix without a mutated singular value stays as it is to the bit. In a bounded problem a
// coordinate that leaves the box is reflected at its border once and then clipped; zeros of
// dropout are clipped.
func (c *call) mutate(t *rsie.Run, p *plan, a *address, child int) {
	x := c.next.point(c, child)
	switch t.Mutation {
	case rsie.CodeDropout:
		dropWalk(x, a, p)
		c.clip(x)
		return
	case rsie.CodeSVD:
		c.scaleFactors(p, a, child)
	default:
		addWalk(x, a, p)
	}
	c.reflect(x)
}

// addGaussian mutates elements [low, high) of x, vectors of svd mutation.
func addGaussian(x []float64, low, high int, a *address, p *plan) {
	for block := low >> 2; block<<2 < high; block++ {
		hit := hits(a, block, p.limit)
		if hit == 0 {
			continue
		}
		var z [4]float64
		z[0], z[1], z[2], z[3] = gauss(a.words(block, rsie.StreamMutate))
		for j := max(low, 4*block); j < min(high, 4*block+4); j++ {
			if hit>>(j&3)&1 == 1 {
				x[j] += p.strength * z[j&3]
			}
		}
	}
}

// scaleFactors is svd mutation. Factors of the child that are missing are computed first, so
// they are valid wherever a singular value was mutated.
func (c *call) scaleFactors(p *plan, a *address, child int) {
	x, f, valid := c.next.point(c, child), c.next.factor(c, child), c.next.valid(c, child)
	for i, b := range c.blocks {
		n := factorSize(b)
		if n == 0 {
			addGaussian(x, b.Offset, b.Offset+b.Rows*b.Cols, a, p)
			continue
		}
		own := f[:n]
		f = f[n:]
		if !anyHit(a, b, p.limit) {
			continue
		}
		matrix := x[b.Offset:][:b.Rows*b.Cols]
		if valid[i] == 0 {
			decompose(own, matrix, b.Rows, b.Cols)
			valid[i] = 1
		}
		_, s, _ := split(own, b.Rows, b.Cols)
		for t := range s {
			j := b.Offset + t
			if hits(a, j>>2, p.limit)>>(j&3)&1 == 1 {
				var z [4]float64
				z[0], z[1], z[2], z[3] = gauss(a.words(j>>2, rsie.StreamFactor))
				s[t] *= exp(p.strength * z[j&3])
			}
		}
		compose(matrix, own, b.Rows, b.Cols)
	}
}

// anyHit reports whether a singular value of block b is mutated.
func anyHit(a *address, b rsie.Block, limit uint32) bool {
	for t := range min(b.Rows, b.Cols) {
		j := b.Offset + t
		if hits(a, j>>2, limit)>>(j&3)&1 == 1 {
			return true
		}
	}
	return false
}

// reflect folds the coordinates of a bounded point into the box.
func (c *call) reflect(x []float64) {
	if !c.bounded {
		return
	}
	for j, v := range x {
		if v < c.lower {
			v = c.lower + (c.lower - v)
		} else if v > c.upper {
			v = c.upper - (v - c.upper)
		}
		x[j] = math.Min(math.Max(v, c.lower), c.upper)
	}
}
