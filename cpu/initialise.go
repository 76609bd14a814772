package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// initialise starts, or starts again, the runs with FlagBegin: see [rsie.OpInitialise].
//
//	population    x[i,j] = Std(block of j)·z, z of StreamInitialise and member i
//	distribution  mean[j] = the same of member 0, weights of hidden and last layers rescaled, or
//	              the best point with FlagFromBest; scale 1; moments, paths 0; step factor 1;
//	              the direction of CR-FM-NES a draw of StreamPath over √D
//	              layer[j] = fan_in(layer of j)^(-LayerExponent/2), last layer · OutputStep
//	both bounded  uniform in (Lower, Upper) instead, of distribution runs in its middle StartShare
//
// fan_in of a layer is the largest number of rows of its blocks. A problem of one layer has no
// last one to set apart. In generation 0 Memory becomes 0 but for steps of 1 and a best of Worst,
// and no factors are valid.
func initialise(c *call) {
	c.clear()
	for r := range c.runs {
		t := &c.runs[r]
		if !active(t) || t.Flags&rsie.FlagBegin == 0 {
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
	if s.from == 0 && t.Generation == 0 {
		c.reset(s.run)
	}
	switch t.Family {
	case rsie.CodePopulation:
		for i := s.from; i < s.to; i++ {
			c.fresh(t, i, rsie.StreamInitialise)
		}
	case rsie.CodeDistribution:
		c.begin(s.run)
	}
}

// reset clears the vectors and the memory of run r.
func (c *call) reset(r int) {
	clear(c.vectors[r*rsie.VecCount*c.stride:][:rsie.VecCount*c.stride])
	m := c.memoryOf(r)
	clear(m)
	m[rsie.MemStep], m[rsie.MemBest] = 1, rsie.Worst
	c.resetHistory(r)
}

// begin puts a distribution run at its start.
func (c *call) begin(r int) {
	t, m := &c.runs[r], c.memoryOf(r)
	mean := c.vector(r, rsie.VecMean)
	if t.Flags&rsie.FlagFromBest != 0 {
		copy(mean, c.vector(r, rsie.VecBest))
	} else {
		c.draw(mean, addressOf(t, 0), rsie.StreamInitialise)
		c.rescale(mean, t)
	}
	if t.Flags&rsie.FlagFromBest == 0 {
		m[rsie.MemArchive] = 0
	}
	copy(c.vector(r, rsie.VecBefore), mean)
	scale := c.vector(r, rsie.VecScale)
	for j := range scale {
		scale[j] = 1
	}
	for _, v := range [...]int{rsie.VecMoment1, rsie.VecMoment2, rsie.VecStepPath, rsie.VecPath} {
		clear(c.vector(r, v))
	}
	if t.Scales == rsie.CodeFastNES {
		v := c.vector(r, rsie.VecDirection)
		normals(v, addressOf(t, 0), rsie.StreamPath)
		for j := range v {
			v[j] /= math.Sqrt(float64(c.dim))
		}
	}
	c.layerSteps(c.vector(r, rsie.VecLayer), t)
	if correlates(t) {
		c.uncorrelated(r)
	} else if limits(t) {
		c.forget(t)
	}
	m[rsie.MemSigma], m[rsie.MemMedian], m[rsie.MemUpdates] = 1, rsie.Worst, 0
}

// layerSteps writes the fixed factors on the steps.
func (c *call) layerSteps(dst []float64, t *rsie.Run) {
	for _, b := range c.blocks {
		fanIn := b.Rows
		for _, other := range c.blocks {
			if other.Layer == b.Layer {
				fanIn = max(fanIn, other.Rows)
			}
		}
		v := math.Pow(float64(fanIn), -t.LayerExponent/2)
		if b.Layer == c.lastLayer && c.lastLayer > 0 {
			v *= t.OutputStep
		}
		for j := range dst[b.Offset:][:b.Rows*b.Cols] {
			dst[b.Offset+j] = v
		}
	}
}

// fresh makes row i of Next a starting draw without parents.
func (c *call) fresh(t *rsie.Run, i int, s rsie.Stream) {
	m := int(t.Offset) + i
	c.draw(c.next.point(c, m), addressOf(t, i), s)
	c.next.parent[m] = uint32(i)
	clear(c.next.valid(c, m))
	if len(c.next.strengths) > 0 {
		c.next.strengths[m], c.next.rates[m] = 1, 0
	}
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
