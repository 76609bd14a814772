package cpu

import rsie "github.com/symbio-ai/recursive-improvement"

// sample draws the members of distribution and random runs: see [rsie.OpSample].
//
//	x[i,j] = mean[j] + std[j]·z[i,j]
//	mirrored: x[2p] = mean + std·z[p], x[2p+1] = mean - std·z[p]; an odd last one has no partner
//	adam: std is the table's Sigma; natural gradient: the std vector
//	random: a starting draw as in initialise
//
// z is of StreamSample and member i, or p for a pair. Bounded points are clipped to the box.
func sample(c *call) {
	c.clear()
	for r := range c.runs {
		if t := &c.runs[r]; active(t) && t.Family != rsie.CodePopulation {
			c.add(r, 0, int(t.Members), c.rows)
		}
	}
	c.each(sampleRows)
}

func sampleRows(c *call, worker int, s span) {
	t := &c.runs[s.run]
	if t.Family == rsie.CodeRandom {
		for i := s.from; i < s.to; i++ {
			c.fresh(t, i, rsie.StreamInitialise)
		}
		return
	}
	mean, std := c.vector(s.run, rsie.VecMean), c.vector(s.run, rsie.VecStd)
	z, drawn := c.noise[worker][:c.dim], -1
	for i := s.from; i < s.to; i++ {
		number, sign := i, 1.
		if t.Flags&rsie.FlagMirrored != 0 {
			number, sign = i/2, 1-2*float64(i&1)
		}
		if number != drawn {
			normals(z, addressOf(t, number), rsie.StreamSample)
			drawn = number
		}
		m := int(t.Offset) + i
		x := c.next.point(c, m)
		if t.Update == rsie.CodeAdam {
			scale := sign * t.Sigma
			for j, v := range z {
				x[j] = mean[j] + scale*v
			}
		} else {
			for j, v := range z {
				x[j] = mean[j] + sign*std[j]*v
			}
		}
		c.clip(x)
		c.next.parent[m] = uint32(i)
		clear(c.next.valid(c, m))
	}
}

// clip moves the coordinates of a bounded point to the box.
func (c *call) clip(x []float64) {
	if c.bounded {
		for j, v := range x {
			x[j] = min(max(v, c.lower), c.upper)
		}
	}
}
