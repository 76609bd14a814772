package kernels

import (
	"fmt"
	"unsafe"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Buffers finds the memory behind a buffer, and false unless the buffer is the backend's own, of
// that kind and length, and was not freed.
type Buffers func(buf rsie.Buffer, kind rsie.Element, n int) (unsafe.Pointer, bool)

// Bind sets what c says about s: sizes, and where the buffers are. The rest is [Call.Scratch] and
// what belongs to the program.
func (c *Call) Bind(s *rsie.State, workers int, find Buffers) error {
	c.RunCount, c.BlockCount, c.Dim = int32(s.Runs), int32(len(s.Shape.Blocks)), int32(s.Shape.Dim)
	c.Stride, c.Factors, c.Members = int32(s.Stride), int32(s.FactorLen), int32(s.Members)
	// A span takes about 50 us in the dearest of the cheap operations.
	c.Workers, c.Rows = int32(workers), int32(max(1, 4096/s.Stride))
	c.Tiles = int32((s.Shape.Dim + Columns - 1) / Columns)
	c.Limited = int64(rsie.LimitedVectors(s.Shape.Dim))
	c.Bounded, c.Closed = 0, 0
	if s.Shape.Bounded() {
		c.Bounded = 1
		if !s.Shape.Open {
			c.Closed = 1
		}
	}
	c.Lower, c.Upper = float32(s.Shape.Lower), float32(s.Shape.Upper)
	c.SolverLen = 0
	if n := s.Shape.Dim; s.Slots() > 0 {
		c.SolverLen = int64(2*n*n + n + 3*n)
	}
	c.LastLayer = 0
	for _, b := range s.Shape.Blocks {
		c.LastLayer = max(c.LastLayer, int32(b.Layer))
	}
	return c.view(s, find)
}

// Columns is COLUMNS of the kernels: the width of a span over parameters.
const Columns = 256

// view points c at the buffers of s.
func (c *Call) view(s *rsie.State, find Buffers) error {
	ok := true
	at := func(buf rsie.Buffer, kind rsie.Element, n int) unsafe.Pointer {
		if n == 0 {
			return nil
		}
		p, is := find(buf, kind, n)
		ok = ok && is
		return p
	}
	optional := func(buf rsie.Buffer) unsafe.Pointer {
		if buf == nil {
			return nil
		}
		return at(buf, rsie.Float, buf.Len())
	}
	m, valid := s.Members, 0
	if s.FactorLen > 0 {
		valid = m * len(s.Shape.Blocks)
	}
	c.Archive, c.Archived, c.History = optional(s.Archive), optional(s.ArchiveFitness), optional(s.History)
	c.Vectors = at(s.Vectors, rsie.Float, s.Runs*rsie.VecCount*s.Stride)
	c.Memory = at(s.Memory, rsie.Float, s.Runs*rsie.MemCount)
	c.Matrices = at(s.Matrices, rsie.Float, s.Slots()*s.MatrixLen)
	for i, g := range [2]*rsie.Generation{&s.Now, &s.Next} {
		v := [2]*Side{&c.Now, &c.Next}[i]
		v.Points, v.Fitness = at(g.Points, rsie.Float, m*s.Stride), at(g.Fitness, rsie.Float, m)
		v.Selection, v.Factors = at(g.Selection, rsie.Float, m), at(g.Factors, rsie.Float, m*s.FactorLen)
		v.Strengths, v.Rates = optional(g.Strengths), optional(g.Rates)
		v.Order, v.Choice = at(g.Order, rsie.Index, m), at(g.Choice, rsie.Index, m)
		v.Parent, v.Factored = at(g.Parent, rsie.Index, m), at(g.Factored, rsie.Index, valid)
	}
	if !ok {
		return fmt.Errorf("%w: a buffer of the state was freed, belongs to another backend or "+
			"has the wrong length", rsie.ErrShape)
	}
	return nil
}

// Part is memory that a call needs besides the buffers: where its address stands, and its size.
type Part struct {
	At    *unsafe.Pointer
	Bytes int
}

// ScratchParts is the number of parts of [Call.Scratch].
const ScratchParts = 24

// nichesSize is at least the size of what fitness sharing keeps of a run, in bytes.
const nichesSize = 64

// Interleave asks [Call.Scratch] for the memory in which a worker of a CPU has the matrices of
// sixteen members of s, element by element.
func (c *Call) Interleave(s *rsie.State) {
	c.InterleavedLen = 0
	if s.FactorLen == 0 {
		return
	}
	for _, b := range s.Shape.Blocks {
		c.InterleavedLen = max(c.InterleavedLen, int64(16*min(b.Rows, b.Cols)*(b.Rows+1+b.Cols)))
	}
}

// Scratch returns the memory that a call for s needs, after [Call.Bind]: Runs, Blocks and Sobol,
// which the backend fills, come first. Only as many workers as given use the solver.
func (c *Call) Scratch(s *rsie.State, solvers int) [ScratchParts]Part {
	members, workers, runs := s.Members, int(c.Workers), s.Runs
	vectors := 4 * runs * s.Stride
	return [ScratchParts]Part{
		{&c.Runs, int(unsafe.Sizeof(rsie.Run{})) * runs},
		{&c.Blocks, int(unsafe.Sizeof(Block{})) * len(s.Shape.Blocks)},
		{&c.Sobol, int(unsafe.Sizeof(Sobol))},
		{&c.Noise, 4 * 4 * workers * s.Stride},
		{&c.Solver, 8 * solvers * int(c.SolverLen)},
		{&c.Lottery, 8 * members}, {&c.Near, 8 * members}, {&c.Cleared, members},
		{&c.Distance, 4 * members}, {&c.Utility, 4 * members}, {&c.Ranked, 4 * members},
		{&c.Shorter, 4 * members}, {&c.Length, 4 * members},
		{&c.Steps, vectors}, {&c.Inverse, vectors}, {&c.Gradient, vectors}, {&c.Square, vectors},
		{&c.Centroid, vectors}, {&c.White, vectors}, {&c.Variance, vectors},
		{&c.Partial, 4 * runs * int(c.Tiles)},
		{&c.Plans, int(unsafe.Sizeof(Plan{})) * runs},
		{&c.Niches, nichesSize * runs},
		{&c.Interleaved, 4 * workers * int(c.InterleavedLen)},
	}
}

// BlockOf returns a block of parameters as C has it.
func BlockOf(b rsie.Block) Block {
	return Block{Offset: int32(b.Offset), Rows: int32(b.Rows), Cols: int32(b.Cols), Layer: int32(b.Layer),
		Std: float32(b.Std)}
}
