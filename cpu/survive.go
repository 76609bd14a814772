package cpu

import rsie "github.com/symbio-ai/recursive-improvement"

// survive copies the best members of Now, in order, with fitness and factors, to rows
// [0, Elites) of Next, the best point so far to row 0 of a distribution run with Elites = 1: see
// [rsie.OpSurvive].
func survive(c *call) {
	c.clear()
	for r := range c.runs {
		if t := &c.runs[r]; active(t) {
			c.add(r, 0, int(t.Elites), c.rows)
		}
	}
	c.each(surviveRows)
}

func surviveRows(c *call, _ int, s span) {
	first := int(c.runs[s.run].Offset)
	if c.runs[s.run].Family == rsie.CodeDistribution {
		copy(c.next.point(c, first), c.vector(s.run, rsie.VecBest))
		c.next.fitness[first] = c.memoryOf(s.run)[rsie.MemBest]
		c.next.parent[first] = 0
		return
	}
	for i := s.from; i < s.to; i++ {
		to, from := first+i, first+int(c.now.order[first+i])
		copy(c.next.point(c, to), c.now.point(c, from))
		c.next.fitness[to] = c.now.fitness[from]
		c.next.parent[to] = uint32(i)
		c.inherit(to, from)
		copy(c.next.factor(c, to), c.now.factor(c, from))
		copy(c.next.valid(c, to), c.now.valid(c, from))
	}
}
