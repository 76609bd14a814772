package cpu

import rsie "github.com/symbio-ai/recursive-improvement"

// sample draws the members of distribution and random runs, rows [EvalFrom, EvalTo): see
// [rsie.OpSample].
//
//	step[j] = Sigma · MemSigma · layer[j] · scale[j]
//	x[i,j]  = mean[j] + step[j]·z[i,j]; with a full covariance A·z[i] takes the place of z[i],
//	with a limited one T·z[i]
//	mirrored: of rows 2p and 2p+1 the second has -z[p]; an odd last one has no partner
//	sampling: z independent, at right angles, of a low-discrepancy sequence, or a product of
//	two vectors per matrix, see noiseOf
//	parents: some rows are children of the archive instead, see fromParents
//	density < 1: z[i,j] is 0 with probability 1 - density, else divided by √density
//	path: x[i,j] += √r·ε[i]·step[j]·path[j], ε normal, r the rate; mirrored like z
//	random runs, and starting draws of distribution runs: a draw as in initialise
//
// z is of StreamSample and member i, or p for a pair, the mask of StreamMutateMask, ε of
// StreamPath. Bounded points are clipped to the box.
//
// Sources: T. Salimans et al., arXiv:1703.03864 (pairs); Y. Akimoto et al., PPSN 2014 (noise
// along the evolution path).
func sample(c *call) {
	c.eachRun(distributes, setSteps)
	c.clear()
	for r := range c.runs {
		if t := &c.runs[r]; orthogonalises(t) {
			c.add(r, 0, (samplesOf(t)+c.dim-1)/c.dim, 1)
		}
	}
	c.each(orthogonalise)
	c.clear()
	for r := range c.runs {
		if t := &c.runs[r]; active(t) && t.Family != rsie.CodePopulation {
			c.add(r, int(t.EvalFrom), int(t.EvalTo), c.rows)
		}
	}
	c.each(sampleRows)
}

// distributes selects the active distribution runs.
func distributes(t *rsie.Run) bool { return active(t) && t.Family == rsie.CodeDistribution }

// eachRun runs k once for every run that want selects.
func (c *call) eachRun(want func(*rsie.Run) bool, k kernel) {
	c.clear()
	for r := range c.runs {
		if want(&c.runs[r]) {
			c.add(r, 0, 1, 1)
		}
	}
	c.each(k)
}

// setSteps writes the steps of a run, and their inverses, to scratch.
func setSteps(c *call, _ int, s span) {
	steps, inverse := c.stepsOf(s.run), c.inverseOf(s.run)
	sigma := c.sigma(s.run)
	layer, scale := c.vector(s.run, rsie.VecLayer), c.vector(s.run, rsie.VecScale)
	for j := range steps {
		steps[j] = sigma * layer[j] * scale[j]
		inverse[j] = 1 / steps[j]
	}
}

// sigma returns the step size of run r with the control's factor.
func (c *call) sigma(r int) float64 { return c.runs[r].Sigma * c.memoryOf(r)[rsie.MemSigma] }

func (c *call) stepsOf(r int) []float64    { return c.steps[r*c.stride:][:c.dim] }
func (c *call) inverseOf(r int) []float64  { return c.inverse[r*c.stride:][:c.dim] }
func (c *call) gradientOf(r int) []float64 { return c.gradient[r*c.stride:][:c.dim] }
func (c *call) squareOf(r int) []float64   { return c.square[r*c.stride:][:c.dim] }

func sampleRows(c *call, worker int, s span) {
	t := &c.runs[s.run]
	if t.Family == rsie.CodeRandom || t.Flags&rsie.FlagDraws != 0 {
		for i := s.from; i < s.to; i++ {
			c.fresh(t, i, rsie.StreamInitialise)
			if t.Family == rsie.CodeDistribution {
				c.rescale(c.next.point(c, int(t.Offset)+i), t)
			}
		}
		return
	}
	mean, steps := c.vector(s.run, rsie.VecMean), c.stepsOf(s.run)
	z, f, drawn := c.noise[worker][:c.dim], c.noise[worker][c.stride:][:c.dim], -1
	y := z
	if correlates(t) {
		y = f
	}
	for i := s.from; i < s.to; i++ {
		number, sign := i, 1.
		if t.Flags&rsie.FlagMirrored != 0 {
			k := i - int(t.EvalFrom)
			number, sign = k/2, 1-2*float64(k&1)
		}
		m := int(t.Offset) + i
		x := c.next.point(c, m)
		if t.Sampling == rsie.CodeOrthogonal {
			copy(z, x)
			drawn = -1
		}
		if c.fromParents(x, z, steps, t, s.run, i) {
			drawn = -1
		} else {
			if number != drawn {
				c.noiseOf(z, f, t, s.run, number)
				if correlates(t) {
					c.correlate(y, z, t)
				} else if limits(t) {
					c.stretch(z, s.run)
				}
				drawn = number
			}
			for j, v := range y {
				x[j] = mean[j] + sign*steps[j]*v
			}
		}
		c.clip(x)
		c.next.parent[m] = uint32(i)
		clear(c.next.valid(c, m))
	}
}

// rescale multiplies the weights of a starting draw by StartHidden, those of the last layer by
// StartOutput. Biases start at 0 and stay there; points of a box move to its middle part.
func (c *call) rescale(x []float64, t *rsie.Run) {
	if c.bounded {
		if t.StartShare != 1 {
			middle := c.lower + (c.upper-c.lower)/2
			for j, v := range x {
				x[j] = middle + t.StartShare*(v-middle)
			}
		}
		return
	}
	for _, b := range c.blocks {
		factor := t.StartHidden
		if b.Layer == c.lastLayer {
			factor = t.StartOutput
		}
		if c.lastLayer == 0 || factor == 1 {
			continue
		}
		for j := range x[b.Offset:][:b.Rows*b.Cols] {
			x[b.Offset+j] *= factor
		}
	}
}

// clip moves the coordinates of a point to the box that points have to stay in.
func (c *call) clip(x []float64) {
	if c.closed {
		for j, v := range x {
			x[j] = min(max(v, c.lower), c.upper)
		}
	}
}
