package cpu

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// share writes Next.Selection and Next.Choice: see [rsie.OpShare]. Without sharing they are
// Fitness and Order. With it, by clearing:
//
//	radius = 1/2·sqrt(mean over i of |x_i - centroid|²)
//	walk the members best first; of those within the radius of a member that is not cleared,
//	it keeps the best Niche (itself counts), the others are cleared: selection = worst
//	selection -= DiversityBonus·(worst - best)·|x_i - centroid|/max over i of |x_i - centroid|
//
// worst and best are of the finite fitness values; members without one keep theirs.
//
// Source: A. Petrowski, A clearing procedure as a niching method, ICEC 1996. Cost: at most
// N²·D/2 per run; a distance ends once it is above the radius.
func share(c *call) {
	c.everyRun()
	c.each(copySelection)
	c.sharing(0, c.dim, columns)
	if len(c.spans) == 0 {
		return
	}
	c.each(writeCentroid)
	c.clear()
	for r := range c.runs {
		if shares(&c.runs[r]) {
			c.add(r, 0, int(c.runs[r].Members), c.rows)
		}
	}
	c.each(writeDistance)
	c.sharing(0, 1, 1)
	c.each(openNiches)
	for c.nextTiles() {
		c.each(findNear)
		c.sharing(0, 1, 1)
		c.each(clearTile)
	}
	c.sharing(0, 1, 1)
	c.each(closeNiches)
}

func shares(t *rsie.Run) bool {
	return active(t) && t.Family == rsie.CodePopulation && t.Flags&rsie.FlagSharing != 0
}

// sharing lists spans of [from, to) for the runs that share.
func (c *call) sharing(from, to, size int) {
	c.clear()
	for r := range c.runs {
		if shares(&c.runs[r]) {
			c.add(r, from, to, size)
		}
	}
}

func copySelection(c *call, _ int, s span) {
	from, to := c.members(s.run)
	copy(c.next.selection[from:to], c.next.fitness[from:to])
	copy(c.next.choice[from:to], c.next.order[from:to])
}

func writeCentroid(c *call, _ int, s span) {
	c.meanOf(c.centroid[s.run*c.stride:][s.from:s.to], s)
}

func writeDistance(c *call, _ int, s span) {
	first := int(c.runs[s.run].Offset)
	centroid := c.centroid[s.run*c.stride:][:c.dim]
	for i := s.from; i < s.to; i++ {
		c.distance[first+i] = within(c.next.point(c, first+i), centroid, math.Inf(1))
	}
}

// within returns |a - b|², or a part of it that is above the limit.
func within(a, b []float64, limit float64) float64 {
	sum := 0.
	for len(a) >= 8 && len(b) >= 8 {
		d0, d1, d2, d3 := a[0]-b[0], a[1]-b[1], a[2]-b[2], a[3]-b[3]
		d4, d5, d6, d7 := a[4]-b[4], a[5]-b[5], a[6]-b[6], a[7]-b[7]
		sum += ((d0*d0 + d1*d1) + (d2*d2 + d3*d3)) + ((d4*d4 + d5*d5) + (d6*d6 + d7*d7))
		if sum > limit {
			return sum
		}
		a, b = a[8:], b[8:]
	}
	for j, x := range a {
		sum += (x - b[j]) * (x - b[j])
	}
	return sum
}

// tileSize is the number of possible niche leaders whose distances are found together, one bit
// each.
const tileSize = 64

// niches is how far the walk over a run has come.
type niches struct {
	worst, best float64
	radius      float64 // squared
	farthest    float64 // largest distance to the centroid, squared
	place       int     // first place of the next tile
	end         int     // places from here on have no finite fitness
}

func openNiches(c *call, _ int, s span) {
	from, to := c.members(s.run)
	n := &c.niches[s.run]
	*n = niches{}
	n.worst, n.best = finiteRange(c.next.fitness[from:to])
	sum := 0.
	for _, d := range c.distance[from:to] {
		sum += d
		if d > n.farthest {
			n.farthest = d
		}
	}
	n.radius = sum / float64(to-from) / 4
	for _, i := range c.next.order[from:to] {
		if !finite(c.next.fitness[from+int(i)]) {
			break
		}
		n.end++
	}
	clear(c.cleared[from:to])
}

// nextTiles lists the places whose distances to the next tile of leaders are wanted, and
// reports whether there are any.
func (c *call) nextTiles() bool {
	c.clear()
	for r := range c.runs {
		if n := &c.niches[r]; shares(&c.runs[r]) {
			c.add(r, n.place+1, n.end, max(1, c.rows/16))
		}
	}
	return len(c.spans) > 0
}

// findNear sets bit b of near when leader b of the tile stands before the member and within the
// radius. near and cleared are indexed by place.
func findNear(c *call, _ int, s span) {
	first, n := int(c.runs[s.run].Offset), &c.niches[s.run]
	order := c.next.order[first:]
	for q := s.from; q < s.to; q++ {
		c.near[first+q] = 0
		if c.cleared[first+q] {
			continue
		}
		x := c.next.point(c, first+int(order[q]))
		bits := uint64(0)
		for b := range min(tileSize, q-n.place) {
			p := n.place + b
			if c.cleared[first+p] {
				continue
			}
			if within(x, c.next.point(c, first+int(order[p])), n.radius) <= n.radius {
				bits |= 1 << b
			}
		}
		c.near[first+q] = bits
	}
}

// clearTile lets the leaders of a tile clear the places after them.
func clearTile(c *call, _ int, s span) {
	t, n := &c.runs[s.run], &c.niches[s.run]
	near, cleared := c.near[t.Offset:], c.cleared[t.Offset:]
	for b := range min(tileSize, max(n.end-n.place, 0)) {
		p := n.place + b
		if cleared[p] {
			continue
		}
		kept := uint32(1)
		for q := p + 1; q < n.end; q++ {
			if cleared[q] || near[q]>>b&1 == 0 {
				continue
			}
			if kept < t.Niche {
				kept++
			} else {
				cleared[q] = true
			}
		}
	}
	n.place += tileSize
}

func closeNiches(c *call, _ int, s span) {
	t, n := &c.runs[s.run], &c.niches[s.run]
	from, to := c.members(s.run)
	bonus := t.DiversityBonus * (n.worst - n.best)
	if !(n.farthest > 0) || math.IsInf(n.farthest, 1) {
		bonus = 0
	}
	for q, i := range c.next.order[from : from+n.end] {
		m := from + int(i)
		if c.cleared[from+q] {
			c.next.selection[m] = n.worst
		}
		if d := c.distance[m]; bonus > 0 && d <= n.farthest {
			c.next.selection[m] -= bonus * math.Sqrt(d/n.farthest)
		}
	}
	order(c.next.choice[from:to], c.next.selection[from:to])
}
