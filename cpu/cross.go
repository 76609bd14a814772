package cpu

import rsie "github.com/symbio-ai/recursive-improvement"

// cross writes row child of Next from two members of Now; the same member twice is copied.
//
//	averaging       (a + b)/2
//	weighted merge  α·a + (1-α)·b, α = (worst - f_a)/((worst - f_a) + (worst - f_b)) with the
//	                fitness of Now and the worst finite one; 1/2 without a difference
//	swapping        each layer whole, from b when the top bit of element 4 + layer of
//	                StreamCross is set
//
// A matrix that comes from one parent keeps that parent's factors, another has none.
func (c *call) cross(t *rsie.Run, p *plan, a *address, child, first, second int) {
	from := int(t.Offset)
	x := c.next.point(c, child)
	one, two := c.now.point(c, from+first), c.now.point(c, from+second)
	if first == second || t.Crossover == rsie.CodeSwapping {
		copy(x, one)
		if t.Mutation == rsie.CodeSVD {
			copy(c.next.factor(c, child), c.now.factor(c, from+first))
			copy(c.next.valid(c, child), c.now.valid(c, from+first))
		}
		if first != second {
			c.swap(t, a, child, from+second)
		}
		return
	}
	clear(c.next.valid(c, child))
	two = two[:len(x)]
	if t.Crossover == rsie.CodeAveraging {
		for j, v := range one[:len(x)] {
			x[j] = (v + two[j]) * 0.5
		}
		return
	}
	share := mergeShare(p.worst, c.now.fitness[from+first], c.now.fitness[from+second])
	for j, v := range one[:len(x)] {
		x[j] = share*v + (1-share)*two[j]
	}
}

// mergeShare returns the weight of the first parent.
func mergeShare(worst, fa, fb float64) float64 {
	a, b := 0., 0.
	if finite(fa) {
		a = worst - fa
	}
	if finite(fb) {
		b = worst - fb
	}
	if !(a+b > 0) {
		return 0.5
	}
	return a / (a + b)
}

// swap overwrites the layers of the child that come from member other.
func (c *call) swap(t *rsie.Run, a *address, child, other int) {
	x, y := c.next.point(c, child), c.now.point(c, other)
	svd := t.Mutation == rsie.CodeSVD && c.factors > 0
	at := 0
	for i, b := range c.blocks {
		n := factorSize(b)
		if a.element(4+b.Layer, rsie.StreamCross)>>31 == 1 {
			copy(x[b.Offset:][:b.Rows*b.Cols], y[b.Offset:])
			if svd {
				copy(c.next.factor(c, child)[at:at+n], c.now.factor(c, other)[at:])
				c.next.valid(c, child)[i] = c.now.valid(c, other)[i]
			}
		}
		at += n
	}
}
