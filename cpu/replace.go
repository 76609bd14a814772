package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// replace settles what children and their elders leave to the next generation, after the
// evaluation: see [rsie.OpReplace]. x is the member at place i mod Previous of Now.Order.
//
//	pairwise   row i of Next becomes x where its fitness is above x's or NaN
//	archive    an x that its child improves on goes to the archive of Archive rows: to the next
//	           free one, else to a random one, element i of StreamArchive
//	history    see learnRates;  groups  see adaptGroups
//	parents    see keepParents
//
// Source: J. Zhang, A. Sanderson, IEEE TEC 13, 2009 (archive).
func replace(c *call) {
	c.eachRun(concludes, concludeRun)
	c.clear()
	for r := range c.runs {
		if t := &c.runs[r]; breeds(t) && t.Flags&rsie.FlagPairwise != 0 {
			c.add(r, 0, int(t.Members), c.rows)
		}
	}
	c.each(replaceRows)
}

// concludes selects the runs that carry something over from one generation to the next.
func concludes(t *rsie.Run) bool {
	if distributes(t) {
		return t.Archive > 0
	}
	return breeds(t) && (t.Flags&rsie.FlagPairwise != 0 || t.Groups > 0)
}

func concludeRun(c *call, _ int, s span) {
	t := &c.runs[s.run]
	if t.Family == rsie.CodeDistribution {
		c.keepParents(s.run)
		return
	}
	if t.Mutation == rsie.CodeDifferential && t.Flags&rsie.FlagPairwise != 0 {
		if t.Adaptation != rsie.CodeNoHistory {
			c.learnRates(s.run)
		}
		if t.Archive > 0 {
			c.keepReplaced(s.run)
		}
	}
	if t.Groups > 0 && t.Mutation == rsie.CodeSelfAdaptive {
		c.adaptGroups(s.run)
	}
}

// rival returns the number of the member of Now that row i is compared with.
func (c *call) rival(t *rsie.Run, i int) int {
	from := int(t.Offset)
	return from + int(c.now.order[from+i%int(t.Previous)])
}

func replaceRows(c *call, _ int, s span) {
	t := &c.runs[s.run]
	for i := s.from; i < s.to; i++ {
		to, from := int(t.Offset)+i, c.rival(t, i)
		if c.next.fitness[to] <= c.now.fitness[from] {
			continue
		}
		copy(c.next.point(c, to), c.now.point(c, from))
		c.next.fitness[to] = c.now.fitness[from]
		c.next.parent[to] = uint32(from - int(t.Offset))
		c.inherit(to, from)
		copy(c.next.factor(c, to), c.now.factor(c, from))
		copy(c.next.valid(c, to), c.now.valid(c, from))
	}
}

// keepReplaced fills the archive of a differential run.
func (c *call) keepReplaced(r int) {
	t, m := &c.runs[r], c.memoryOf(r)
	used := min(uint32(m[rsie.MemArchive]), t.Archive)
	for i := range int(t.Members) {
		x := c.rival(t, i)
		if !(c.next.fitness[int(t.Offset)+i] < c.now.fitness[x]) {
			continue
		}
		row := used
		if used < t.Archive {
			used++
		} else {
			a := addressOf(t, i)
			row = rsie.Below(a.element(0, rsie.StreamArchive), t.Archive)
		}
		copy(c.kept(t, row), c.now.point(c, x))
		c.archived[t.ArchiveAt+row] = c.now.fitness[x]
	}
	m[rsie.MemArchive] = float64(used)
}

// learnRates writes one entry of the success history from the children i that are better than
// their x, Δ the improvement, w = Δ/ΣΔ, or equal where an x had no finite fitness:
//
//	M_F[k]  = Σ w F² / Σ w F
//	M_CR[k] = Σ w CR in shade;  Σ w CR² / Σ w CR in l_shade, where it becomes terminal when all
//	          CR are 0 and stays so
//
// and k = k + 1 mod History. Without such a child nothing changes.
//
// Sources: R. Tanabe, A. Fukunaga, CEC 2013, equations (11) to (17), and CEC 2014, algorithm 1.
func (c *call) learnRates(r int) {
	t, m := &c.runs[r], c.memoryOf(r)
	var sum, count, f, ff, cr, crcr float64
	weight := 0.
	better := func(i int) (improvement float64, ok bool) {
		child, x := c.next.fitness[int(t.Offset)+i], c.now.fitness[c.rival(t, i)]
		return x - child, child < x
	}
	for i := range int(t.Members) {
		if d, ok := better(i); ok {
			sum += d
			count++
		}
	}
	if count == 0 {
		return
	}
	for i := range int(t.Members) {
		d, ok := better(i)
		if !ok {
			continue
		}
		if weight = d / sum; !(sum < rsie.Worst/2) {
			weight = 1 / count
		}
		a, b := c.next.strengths[int(t.Offset)+i], c.next.rates[int(t.Offset)+i]
		f, ff, cr, crcr = f+weight*a, ff+weight*a*a, cr+weight*b, crcr+weight*b*b
	}
	strengths, rates := c.historyOf(r)
	k := int(m[rsie.MemHistory]) % int(t.History)
	strengths[k] = ff / f
	switch {
	case t.Adaptation == rsie.CodeSHADE:
		rates[k] = cr
	case cr == 0 || rates[k] == terminal:
		rates[k] = terminal
	default:
		rates[k] = crcr / cr
	}
	m[rsie.MemHistory] = float64((k + 1) % int(t.History))
}

// adaptGroups changes the steps of the groups. gain of a group is the least of its children's
// fitness minus their first parent's:
//
//	the step of the best group stays first, the others are drawn among those of the better half,
//	at least one; each is then multiplied by StepFactor^u, u uniform in (-1, 1)
//
// The draws are elements 0 (which) and 1 (u) of StreamArchive at member k, the group.
//
// Source: A. Kumar et al., arXiv:2204.04817, equations (5) to (7).
func (c *call) adaptGroups(r int) {
	t := &c.runs[r]
	groups := int(t.Groups)
	var gain, old [rsie.MaxHistory]float64
	var byGain [rsie.MaxHistory]uint32
	for k := range groups {
		gain[k] = math.Inf(1)
	}
	for i := int(max(t.Elites, t.EvalFrom)); i < int(t.EvalTo); i++ {
		child := int(t.Offset) + i
		d := c.next.fitness[child] - c.now.fitness[int(t.Offset)+int(c.next.parent[child])]
		if k := groupOf(t, i); d < gain[k] {
			gain[k] = d
		}
	}
	order(byGain[:groups], gain[:groups])
	steps, _ := c.historyOf(r)
	copy(old[:groups], steps)
	for k := range groups {
		a := addressOf(t, k)
		w := a.quad(0, rsie.StreamArchive)
		chosen := uint32(0)
		if k > 0 {
			chosen = rsie.Below(w[0], uint32(max(1, groups/2)))
		}
		steps[k] = changedStep(old[byGain[chosen]], t.StepFactor, w[1])
	}
}
