package cpu

import rsie "github.com/symbio-ai/recursive-improvement"

// initialise starts runs: see [rsie.OpInitialise].
//
//	population    x[i,j] = Std(block of j)·z, z of StreamInitialise and member i
//	distribution  mean[j] = the same of member 0; std = Sigma; moments 0
//	both bounded  uniform in (Lower, Upper) instead
//
// Memory becomes 0 but for a step of 1 and a best of Worst; no factors are valid.
func initialise(c *call) {
	c.clear()
	for r := range c.runs {
		t := &c.runs[r]
		if !active(t) {
			continue
		}
		if t.Family == rsie.CodePopulation {
			c.add(r, 0, int(t.Members), c.rows)
		} else {
			c.add(r, 0, 1, 1)
		}
	}
	c.each(initialiseRows)
}

func initialiseRows(c *call, _ int, s span) {
	t := &c.runs[s.run]
	if s.from == 0 {
		c.reset(s.run)
	}
	switch t.Family {
	case rsie.CodePopulation:
		for i := s.from; i < s.to; i++ {
			c.fresh(t, i, rsie.StreamInitialise)
		}
	case rsie.CodeDistribution:
		c.draw(c.vector(s.run, rsie.VecMean), addressOf(t, 0), rsie.StreamInitialise)
		std := c.vector(s.run, rsie.VecStd)
		for j := range std {
			std[j] = t.Sigma
		}
	}
}

// reset clears the vectors and the memory of run r.
func (c *call) reset(r int) {
	clear(c.vectors[r*rsie.VecCount*c.stride:][:rsie.VecCount*c.stride])
	m := c.memoryOf(r)
	clear(m)
	m[rsie.MemStep], m[rsie.MemBest] = 1, rsie.Worst
}

// fresh makes row i of Next a starting draw without parents.
func (c *call) fresh(t *rsie.Run, i int, s rsie.Stream) {
	m := int(t.Offset) + i
	c.draw(c.next.point(c, m), addressOf(t, i), s)
	c.next.parent[m] = uint32(i)
	clear(c.next.valid(c, m))
}

// draw fills x with one starting point.
func (c *call) draw(x []float64, a address, s rsie.Stream) {
	if c.bounded {
		uniforms(x, a, s, c.lower, c.upper)
		return
	}
	normals(x, a, s)
	for _, b := range c.blocks {
		for j := range x[b.Offset:][:b.Rows*b.Cols] {
			x[b.Offset+j] *= b.Std
		}
	}
}
