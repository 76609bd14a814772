package cpu

import rsie "github.com/symbio-ai/recursive-improvement"

// keepParents keeps the best points of a distribution run in its archive, by plus selection: of
// rows [EvalFrom, EvalTo) of Next in order, each goes to a free row, else to the place of the
// worst one when it is better. NaN and Worst do not enter.
func (c *call) keepParents(r int) {
	t, m := &c.runs[r], c.memoryOf(r)
	used := min(uint32(m[rsie.MemArchive]), t.Archive)
	kept := c.archived[t.ArchiveAt:][:t.Archive]
	for i := int(t.EvalFrom); i < int(t.EvalTo); i++ {
		f := c.next.fitness[int(t.Offset)+i]
		if !finite(f) {
			continue
		}
		row := used
		if used < t.Archive {
			used++
		} else {
			row = 0
			for k, v := range kept {
				if v > kept[row] {
					row = uint32(k)
				}
			}
			if f >= kept[row] {
				continue
			}
		}
		kept[row] = f
		copy(c.kept(t, row), c.next.point(c, int(t.Offset)+i))
	}
	m[rsie.MemArchive] = float64(used)
}

// fromParents reports whether row i of a distribution run is a child of its archive, and writes
// it then:
//
//	with probability ParentShare: x = parent + ParentStep·step∘z; with probability ParentCross
//	each gene of the parent is a second one's by a fair draw
//
// Draws are of StreamCross: elements 0 whether, 1 and 2 which, 3 whether two; bit 31 of element
// 4 + j takes gene j from the second. z is of StreamMutate and member i, without a mask.
func (c *call) fromParents(x, z, steps []float64, t *rsie.Run, run, i int) bool {
	used := uint32(0)
	if t.Archive > 0 {
		used = min(t.Archive, uint32(c.memoryOf(run)[rsie.MemArchive]))
	}
	if used == 0 {
		return false
	}
	a := addressOf(t, i)
	w := a.quad(0, rsie.StreamCross)
	if w[0]>>8 >= limitOf(t.ParentShare) {
		return false
	}
	one, two := c.kept(t, rsie.Below(w[1], used)), c.kept(t, rsie.Below(w[2], used))
	copy(x, one)
	if w[3]>>8 < limitOf(t.ParentCross) {
		for j := 0; j < len(x); j += 4 {
			w := a.quad(1+j>>2, rsie.StreamCross)
			for k := range x[j:min(j+4, len(x))] {
				if w[k]>>31 == 1 {
					x[j+k] = two[j+k]
				}
			}
		}
	}
	normals(z, a, rsie.StreamMutate)
	for j, v := range z {
		x[j] += t.ParentStep * steps[j] * v
	}
	return true
}
