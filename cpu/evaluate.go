package cpu

import rsie "github.com/symbio-ai/recursive-improvement"

// evaluate writes Next.Fitness of rows [EvalFrom, EvalTo) by the program and Worst from EvalTo
// on: see [rsie.OpEvaluate].
func evaluate(c *call) {
	total := 0
	for r := range c.runs {
		if t := &c.runs[r]; active(t) {
			total += int(t.EvalTo - t.EvalFrom)
		}
	}
	// Small spans keep the workers equally busy to the end; eight members amortise the rest.
	size := min(max(total/(16*c.pool.workers()), 1), 8)
	c.clear()
	for r := range c.runs {
		t := &c.runs[r]
		if !active(t) {
			continue
		}
		c.add(r, int(t.EvalFrom), int(t.EvalTo), size)
		from, to := c.members(r)
		for m := from + int(t.EvalTo); m < to; m++ {
			c.next.fitness[m] = rsie.Worst
		}
	}
	c.each(evaluateRows)
}

func evaluateRows(c *call, worker int, s span) {
	from := int(c.runs[s.run].Offset) + s.from
	n := s.to - s.from
	c.program.evaluate(worker, c.next.fitness[from:from+n], c.next.points[from*c.stride:][:n*c.stride],
		c.stride)
}
