package cpu

import rsie "github.com/symbio-ai/recursive-improvement"

// probe writes the points that a run with Probes evaluates after its update, to its last rows:
// see [rsie.OpProbe].
//
//	first   mean
//	second  mean + (mean - mean before the update)
func probe(c *call) {
	c.eachRun(probes, writeProbes)
}

func probes(t *rsie.Run) bool { return distributes(t) && t.Probes > 0 }

func writeProbes(c *call, _ int, s span) {
	t := &c.runs[s.run]
	mean, before := c.vector(s.run, rsie.VecMean), c.vector(s.run, rsie.VecBefore)
	for k := range int(t.Probes) {
		m := int(t.Offset+t.Members-t.Probes) + k
		x := c.next.point(c, m)
		for j, v := range mean {
			x[j] = v + float64(k)*(v-before[j])
		}
		c.clip(x)
	}
}

// evaluateProbes writes the fitness of the probes: see [rsie.OpEvaluateProbes].
func evaluateProbes(c *call) {
	c.clear()
	for r := range c.runs {
		if t := &c.runs[r]; probes(t) {
			c.add(r, int(t.Members-t.Probes), int(t.Members), 1)
		}
	}
	c.each(evaluateRows)
}

// settle keeps what the probes found: see [rsie.OpSettle]. A probe better than ever becomes the
// best point. Of two probes the second becomes the mean when it is better than the first; the
// two-point control then lengthens the steps, else it shortens them:
//
//	factor *= exp(±gain)
//
// Source: N. Hansen, Injecting external solutions into CMA-ES, INRIA RR-7748, 2011, section 4
// (two-point step-size adaptation), with the line search on the mean itself.
func settle(c *call) {
	c.eachRun(probes, settleRun)
}

func settleRun(c *call, _ int, s span) {
	r := s.run
	t, m := &c.runs[r], c.memoryOf(r)
	first := int(t.Offset + t.Members - t.Probes)
	for k := range int(t.Probes) {
		if f := c.next.fitness[first+k]; f < m[rsie.MemBest] {
			m[rsie.MemBest] = f
			copy(c.vector(r, rsie.VecBest), c.next.point(c, first+k))
		}
	}
	if t.Probes < 2 {
		return
	}
	better := c.next.fitness[first+1] < c.next.fitness[first]
	if better {
		copy(c.vector(r, rsie.VecMean), c.next.point(c, first+1))
	}
	if t.Control == rsie.CodeTwoPoint {
		gain := t.StepGain
		if !better {
			gain = -gain
		}
		c.scaleSigma(r, gain)
	}
}
