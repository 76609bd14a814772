package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// differ writes the child of row a.member by differential mutation. x is the member at place
// member mod Previous of Now.Order, which the child is made against:
//
//	random            v = r0 + F·(r1 - r2)
//	best              v = best + F·(r1 - r2)
//	current_to_pbest  v = x + F·(p - x) + F·(r1 - r2'), p one of the Eligible best, with
//	                  FlagVaryBest of the first 2 to Eligible, drawn per child; r2' also from the
//	                  archive
//	child[j] = v[j] with probability CR, and at one place j for certain, else x[j]
//
// r0, r1, r2 differ from each other, from x and from the best where that is the base. In a box a
// coordinate outside goes to the middle between its border and x. F and CR are Strength and the
// rate, or drawn around the success history, see ratesOf.
//
// Draws are of StreamSelect: elements 0 to 2 are r0 to r2, 3 the certain place, 4 the one of the
// best, 5 the entry of the history, 6 the number of the best; the mask is of StreamMutateMask.
//
// Sources: R. Storn, K. Price, J. Global Optimization 11, 1997; J. Zhang, A. Sanderson, IEEE TEC
// 13, 2009 (current-to-pbest, archive, the middle); R. Tanabe, A. Fukunaga, CEC 2013 (SHADE).
func (c *call) differ(t *rsie.Run, run int, p *plan, a *address) {
	from, n := int(t.Offset), t.Previous
	child := from + int(a.member)
	w, more := a.quad(0, rsie.StreamSelect), a.quad(1, rsie.StreamSelect)
	own := a.member % n
	x := c.place(t, own)
	strength, rate := c.ratesOf(t, run, p, a, more[1])
	c.next.strengths[child], c.next.rates[child] = strength, rate
	c.next.parent[child] = c.now.order[from+int(own)]
	clear(c.next.valid(c, child))

	base, toward, pull := x, x, 0.
	var taken omitted
	taken.add(own)
	switch t.Base {
	case rsie.CodeBaseRandom:
		base = c.place(t, taken.draw(w[0], n))
	case rsie.CodeBaseBest:
		taken.add(0)
		base = c.place(t, 0)
	case rsie.CodeToBest:
		best := max(1, t.Eligible)
		if t.Flags&rsie.FlagVaryBest != 0 && best > 2 {
			best = 2 + uint32(math.Round(rsie.Uniform(more[2])*float64(best-2)))
		}
		toward, pull = c.place(t, rsie.Below(more[0], best)), strength
	}
	plus := c.place(t, taken.draw(w[1], n))
	minus := c.subtrahend(t, run, &taken, w[2])
	certain := int(rsie.Below(w[3], uint32(c.dim)))
	limit := limitOf(rate)
	y := c.next.point(c, child)
	for j := 0; j < len(y); j += 4 {
		hit := hits(a, j>>2, limit)
		for k := j; k < min(j+4, len(y)); k++ {
			y[k] = x[k]
			if hit>>(k&3)&1 == 1 || k == certain {
				y[k] = base[k] + pull*(toward[k]-x[k]) + strength*(plus[k]-minus[k])
				y[k] = c.between(y[k], x[k])
			}
		}
	}
}

// place returns the point of Now at a place of its order.
func (c *call) place(t *rsie.Run, place uint32) []float64 {
	return c.now.point(c, int(t.Offset)+int(c.now.order[t.Offset+place]))
}

// subtrahend returns the point that is subtracted: a member, or a row of the archive.
func (c *call) subtrahend(t *rsie.Run, run int, taken *omitted, w uint32) []float64 {
	n := t.Previous
	kept := uint32(0)
	if t.Base == rsie.CodeToBest && t.Archive > 0 {
		kept = min(t.Archive, uint32(c.memoryOf(run)[rsie.MemArchive]))
	}
	number := taken.draw(w, n+kept)
	if number < n {
		return c.place(t, number)
	}
	return c.kept(t, number-n)
}

// kept returns a row of the archive of a run.
func (c *call) kept(t *rsie.Run, row uint32) []float64 {
	return c.archive[int(t.ArchiveAt+row)*c.stride:][:c.dim]
}

// between returns v, or the middle between x and the border of the box that v is outside of.
func (c *call) between(v, x float64) float64 {
	if c.bounded && v < c.lower {
		return (c.lower + x) / 2
	}
	if c.bounded && v > c.upper {
		return (c.upper + x) / 2
	}
	return v
}

// omitted are numbers that a draw leaves out, in rising order.
type omitted struct {
	at [4]uint32
	n  int
}

func (p *omitted) add(v uint32) {
	k := p.n
	for ; k > 0 && p.at[k-1] >= v; k-- {
		if p.at[k-1] == v {
			return // the numbers above v were moved by no more than a copy of themselves
		}
	}
	copy(p.at[k+1:], p.at[k:p.n])
	p.at[k] = v
	p.n++
}

// draw returns a number below n that is not among p, uniform, and adds it. Where all numbers
// are taken it is any of them.
func (p *omitted) draw(w, n uint32) uint32 {
	if uint32(p.n) >= n {
		return rsie.Below(w, n)
	}
	v := rsie.Below(w, n-uint32(p.n))
	for _, t := range p.at[:p.n] {
		if v >= t {
			v++
		}
	}
	p.add(v)
	return v
}

// terminal is a rate of the history that stays 0.
const terminal = -1

// ratesOf returns F and CR of a child. With a success history, h one of its entries:
//
//	F  = M_F[h] + 0.1·tan(π(u - 0.5)), drawn again while not positive, at most 1
//	CR = M_CR[h] + 0.1·z, within [0, 1]; 0 where M_CR[h] is terminal
//
// u are elements 0, 1, ... of StreamMutate, z is element 0 of StreamFactor.
func (c *call) ratesOf(t *rsie.Run, run int, p *plan, a *address, w uint32) (strength, rate float64) {
	if t.Adaptation == rsie.CodeNoHistory {
		return p.strength, p.rate
	}
	strengths, rates := c.historyOf(run)
	h := rsie.Below(w, t.History)
	if m := rates[h]; m != terminal {
		z, _, _, _ := gauss(a.words(0, rsie.StreamFactor))
		rate = min(max(m+rsie.HistorySpread*z, 0), 1)
	}
	for k := range 64 {
		u := rsie.Uniform(a.element(k, rsie.StreamMutate))
		strength = strengths[h] + rsie.HistorySpread*math.Tan(math.Pi*(u-0.5))
		if strength > 0 {
			break
		}
	}
	if !(strength > 0) {
		strength = strengths[h]
	}
	return min(strength, 1), rate
}

// historyOf returns the strengths and rates of the success history of a run; groups of members
// have their steps in the first.
func (c *call) historyOf(run int) (strengths, rates []float64) {
	h := c.history[run*2*rsie.MaxHistory:][:2*rsie.MaxHistory]
	return h[:rsie.MaxHistory], h[rsie.MaxHistory:]
}

// resetHistory puts the history of a run at its start: Strength and Rate, or steps of 1.
func (c *call) resetHistory(run int) {
	if len(c.history) == 0 {
		return
	}
	t := &c.runs[run]
	strengths, rates := c.historyOf(run)
	for k := range strengths {
		strengths[k], rates[k] = 1, 0
		if t.Mutation == rsie.CodeDifferential {
			strengths[k], rates[k] = t.Strength, t.Rate
		}
	}
}

// ownStep returns the step of a child and keeps it for the child's own children:
//
//	own    step = step of the first parent · StepFactor^u, u uniform in (-1, 1), within
//	       [OwnStepLowest, OwnStepHighest]
//	group  the step of the row's group, see adaptGroups
//
// u is element 0 of StreamFactor.
//
// Source: A. Kumar et al., arXiv:2204.04817 (SAMR and GESMR).
func (c *call) ownStep(t *rsie.Run, run int, a *address, parent int) float64 {
	if t.Groups > 0 {
		steps, _ := c.historyOf(run)
		return steps[groupOf(t, int(a.member))]
	}
	step := changedStep(c.now.strengths[int(t.Offset)+parent], t.StepFactor, a.element(0, rsie.StreamFactor))
	c.next.strengths[t.Offset+a.member] = step
	return step
}

func changedStep(step, factor float64, w uint32) float64 {
	step *= math.Pow(factor, 2*rsie.Uniform(w)-1)
	return min(max(step, rsie.OwnStepLowest), rsie.OwnStepHighest)
}

// groupOf returns the group of a row: equal parts of [Elites, Members) in order.
func groupOf(t *rsie.Run, row int) int {
	return (row - int(t.Elites)) * int(t.Groups) / int(t.Members-t.Elites)
}

// inherit copies the strength and the rate of member from of Now to row to of Next.
func (c *call) inherit(to, from int) {
	if len(c.next.strengths) > 0 {
		c.next.strengths[to], c.next.rates[to] = c.now.strengths[from], c.now.rates[from]
	}
}
