package cpu

import (
	"fmt"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// operations holds the code of every operation; each is a few phases over the spans of a call.
var operations = [rsie.OpCount]func(*call){
	rsie.OpInitialise: initialise, rsie.OpBreed: breed, rsie.OpSample: sample,
	rsie.OpSurvive: survive, rsie.OpEvaluate: evaluate, rsie.OpRank: rank, rsie.OpShare: share,
	rsie.OpMeasure: measure, rsie.OpUpdate: update, rsie.OpFactor: factor,
	rsie.OpProbe: probe, rsie.OpEvaluateProbes: evaluateProbes, rsie.OpSettle: settle,
	rsie.OpReplace: replace,
}

// Do runs ops in order over the runs of the table. Scratch memory is sized at the first call
// for a larger state than before; later calls allocate nothing. It returns [rsie.ErrShape],
// with nothing changed, when the state, the table or the program disagree.
func (g *Gonum) Do(s *rsie.State, runs []rsie.Run, p rsie.Program, ops []rsie.Op) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return errClosed("do")
	}
	c := &g.call
	if err := c.bind(g, s, runs, p, ops); err != nil {
		shape := ""
		if s != nil {
			shape = fmt.Sprintf(" on %s [%d runs, %d members, %d parameters]",
				s.Shape.Name, s.Runs, s.Members, s.Shape.Dim)
		}
		return fmt.Errorf("gonum: do %v%s: %w", ops, shape, err)
	}
	for _, op := range ops {
		operations[op](c)
	}
	c.runs, c.blocks, c.program = nil, nil, nil
	c.now, c.next, c.vectors, c.memory, c.matrices = side{}, side{}, nil, nil, nil
	c.archive, c.archived, c.history = nil, nil, nil
	return nil
}

// side is a generation's memory.
type side struct {
	points, fitness, selection, factors []float64
	strengths, rates                    []float64 // empty unless a run needs them
	order, choice, parent, factored     []uint32
}

// call is one Do: the state in plain slices, the table, and scratch that outlives it.
type call struct {
	pool     *pool
	spans    []span
	runs     []rsie.Run
	program  *loaded
	now      side
	next     side
	vectors  []float64 // [R, VecCount, stride]
	memory   []float64 // [R, MemCount]
	matrices []float64 // [slots, MatrixLen]

	archive  []float64 // [rows, stride]
	archived []float64 // [rows] fitness of the archive
	history  []float64 // [R, 2, MaxHistory]

	blocks       []rsie.Block
	dim, stride  int
	factors      int // length of a member's factors
	bounded      bool
	closed       bool // points stay in the box
	lower, upper float64
	lastLayer    int // highest layer of the blocks
	rows         int // members of one span of a cheap operation
	dst, src     []float64

	noise    [][]float64 // [workers][2, stride]: noise of a member, and what it is made of or made to
	lottery  []uint64    // [M] prefix sums of roulette weights
	near     []uint64    // [M] who of a tile of leaders is near
	cleared  []bool      // [M]
	distance []float64   // [M] squared distance to the centroid
	utility  []float64   // [M] weight of each member
	ranked   []float64   // [M] weights, best first
	shorter  []float64   // [M] factor on the noise of each member
	length   []float64   // [M] squared length of the noise after that factor
	steps    []float64   // [R, stride]
	inverse  []float64   // [R, stride] 1/steps
	gradient []float64   // [R, stride] weighted noise
	square   []float64   // [R, stride] weighted squares of the noise
	centroid []float64   // [R, stride]
	white    []float64   // [R, stride] gradient in uncorrelated coordinates
	variance []float64   // [R, stride] diagonal of the full covariance
	solver   [][]float64 // [workers][solverLen], with a full covariance
	partial  []float64   // [R, tiles of columns]
	plans    []plan      // [R]
	niches   []niches    // [R]
}

// checkTable tests what the operations rely on.
func checkTable(s *rsie.State, runs []rsie.Run, ops []rsie.Op) error {
	if s == nil {
		return fmt.Errorf("%w: no state", rsie.ErrShape)
	}
	if len(runs) != s.Runs {
		return fmt.Errorf("%w: a table of %d runs, want %d", rsie.ErrShape, len(runs), s.Runs)
	}
	if s.Stride < s.Shape.Dim || s.Shape.Dim < 1 {
		return fmt.Errorf("%w: stride %d", rsie.ErrShape, s.Stride)
	}
	end := 0
	for r := range runs {
		if err := checkRun(&runs[r], end, s); err != nil {
			return fmt.Errorf("run %d: %w", r, err)
		}
		end = int(runs[r].Offset) + int(runs[r].Members)
	}
	for _, op := range ops {
		if op < rsie.OpInitialise || int(op) >= rsie.OpCount {
			return fmt.Errorf("%w: operation %d", rsie.ErrUnsupported, uint8(op))
		}
	}
	return nil
}

// bind checks the arguments of Do and sets c up for them.
func (c *call) bind(g *Gonum, s *rsie.State, runs []rsie.Run, p rsie.Program, ops []rsie.Op) error {
	if err := checkTable(s, runs, ops); err != nil {
		return err
	}
	c.blocks, c.dim, c.stride, c.factors = s.Shape.Blocks, s.Shape.Dim, s.Stride, s.FactorLen
	c.bounded, c.lower, c.upper = s.Shape.Bounded(), s.Shape.Lower, s.Shape.Upper
	c.closed = c.bounded && !s.Shape.Open
	c.runs, c.program, c.lastLayer = runs, nil, 0
	for _, b := range c.blocks {
		c.lastLayer = max(c.lastLayer, b.Layer)
	}
	// A span takes about 50 us in the dearest of the cheap operations.
	c.rows = max(1, 4096/s.Stride)
	for _, op := range ops {
		if op == rsie.OpEvaluate || op == rsie.OpEvaluateProbes {
			l, ok := p.(*loaded)
			if !ok || l == nil || l.owner != g {
				return errForeign("evaluate", "the program")
			}
			if l.dim != c.dim {
				return fmt.Errorf("%w: a program of %d parameters", rsie.ErrShape, l.dim)
			}
			c.program = l
		}
	}
	if err := c.view(g, s); err != nil {
		return err
	}
	c.grow(s)
	return nil
}

// checkRun tests what the operations rely on; end is where the previous run ends.
func checkRun(t *rsie.Run, end int, s *rsie.State) error {
	n := t.Members
	bad := func(what string, value, lowest, highest uint32) error {
		return fmt.Errorf("%w: %s %d, want %d to %d", rsie.ErrShape, what, value, lowest, highest)
	}
	switch {
	case int(t.Offset) < end || int(t.Offset)+int(n) > s.Members:
		return fmt.Errorf("%w: members [%d, %d), want within [%d, %d)", rsie.ErrShape, t.Offset,
			int(t.Offset)+int(n), end, s.Members)
	case t.Flags&rsie.FlagActive == 0:
		return nil
	case n < 1:
		return bad("members", n, 1, uint32(s.Members))
	case t.Index >= 1<<24:
		return bad("index", t.Index, 0, 1<<24-1)
	case t.EvalTo > n:
		return bad("eval_to", t.EvalTo, 0, n)
	case t.EvalFrom > t.EvalTo:
		return bad("eval_from", t.EvalFrom, 0, t.EvalTo)
	case t.Family < 1 || t.Family > rsie.CodeRandom:
		return bad("family", uint32(t.Family), 1, uint32(rsie.CodeRandom))
	case t.Family == rsie.CodeDistribution:
		return checkDistribution(t, s, bad)
	case t.Family != rsie.CodePopulation:
		return nil
	case t.Elites > n:
		return bad("elites", t.Elites, 0, n)
	case t.Flags&rsie.FlagBegin == 0 && (t.Previous < 1 || t.Elites > t.Previous):
		return bad("previous", t.Previous, max(1, t.Elites), uint32(s.Members))
	case t.Mutation == rsie.CodeDifferential || t.Mutation == rsie.CodeSelfAdaptive:
		if err := checkAdaptation(t, s, bad); err != nil {
			return err
		}
	}
	return checkSelection(t, s, bad)
}

// checkSelection tests how the parents of a population run are chosen and changed.
func checkSelection(t *rsie.Run, s *rsie.State, bad func(string, uint32, uint32, uint32) error) error {
	n := t.Members
	switch {
	case t.Selection < 1 || t.Selection > rsie.CodeElitism:
		return bad("selection", uint32(t.Selection), 1, uint32(rsie.CodeElitism))
	case t.Mutation < 1 || t.Mutation > rsie.CodeSelfAdaptive:
		return bad("mutation", uint32(t.Mutation), 1, uint32(rsie.CodeSelfAdaptive))
	case t.Crossover < 1 || t.Crossover > rsie.CodeWeightedMerge:
		return bad("crossover", uint32(t.Crossover), 1, uint32(rsie.CodeWeightedMerge))
	case t.Selection == rsie.CodeTournament && (t.Tournament < 1 || t.Tournament > 1<<20):
		return bad("tournament", t.Tournament, 1, 1<<20)
	case t.Selection == rsie.CodeElitism && (t.Eligible < 1 || t.Flags&rsie.FlagBegin == 0 && t.Eligible > t.Previous):
		return bad("eligible", t.Eligible, 1, n)
	case t.Flags&rsie.FlagSharing != 0 && t.Niche < 1:
		return bad("niche", t.Niche, 1, n)
	case t.Mutation == rsie.CodeSVD && s.FactorLen == 0 && rsie.FactorLen(s.Shape.Blocks) > 0:
		return fmt.Errorf("%w: svd mutation in a state without factors", rsie.ErrShape)
	}
	return nil
}

// checkAdaptation tests the entries of runs with strengths or rates of their own.
func checkAdaptation(t *rsie.Run, s *rsie.State, bad func(string, uint32, uint32, uint32) error) error {
	missing := func(what string) error {
		return fmt.Errorf("%w: a run that needs %s in a state without", rsie.ErrShape, what)
	}
	differential := t.Mutation == rsie.CodeDifferential
	switch {
	case differential && (t.Base < 1 || t.Base > rsie.CodeToBest):
		return bad("base", uint32(t.Base), 1, uint32(rsie.CodeToBest))
	case differential && (t.Adaptation < 1 || t.Adaptation > rsie.CodeLSHADE):
		return bad("adaptation", uint32(t.Adaptation), 1, uint32(rsie.CodeLSHADE))
	case differential && t.Adaptation != rsie.CodeNoHistory && (t.History < 1 || t.History > rsie.MaxHistory):
		return bad("history", t.History, 1, rsie.MaxHistory)
	case t.Groups > rsie.MaxHistory:
		return bad("groups", t.Groups, 0, rsie.MaxHistory)
	case s.Next.Strengths == nil || s.Next.Rates == nil:
		return missing("strengths")
	case s.History == nil && (t.Groups > 0 || differential && t.Adaptation != rsie.CodeNoHistory):
		return missing("a history")
	}
	return checkArchive(t, s, 0)
}

// checkArchive tests that the archive of a run, and further rows behind it, lie within the state's.
func checkArchive(t *rsie.Run, s *rsie.State, further int) error {
	rows := 0
	if s.ArchiveFitness != nil {
		rows = s.ArchiveFitness.Len()
	}
	if int(t.ArchiveAt)+int(t.Archive)+further > rows {
		return fmt.Errorf("%w: archive [%d, %d), want within [0, %d)", rsie.ErrShape, t.ArchiveAt,
			int(t.ArchiveAt)+int(t.Archive)+further, rows)
	}
	return nil
}

// checkDistribution tests the entries of a distribution run.
func checkDistribution(t *rsie.Run, s *rsie.State, bad func(string, uint32, uint32, uint32) error) error {
	for _, f := range [...]struct {
		what      string
		code, top uint8
	}{
		{"update", t.Update, rsie.CodeClipUp},
		{"recombination", t.Recombine, rsie.CodeLogistic},
		{"step control", t.Control, rsie.CodeTwoPoint},
		{"scales", t.Scales, rsie.CodeFastNES},
		{"covariance", t.Covariance, rsie.CodeLimited},
		{"sampling", t.Sampling, rsie.CodeLowRank},
	} {
		if f.code < 1 || f.code > f.top {
			return bad(f.what, uint32(f.code), 1, uint32(f.top))
		}
	}
	switch {
	case correlates(t) && int(t.Slot) >= s.Slots():
		return fmt.Errorf("%w: slot %d of %d for a full covariance", rsie.ErrShape, t.Slot, s.Slots())
	case t.Elites > 1:
		return bad("elites", t.Elites, 0, 1)
	case t.Probes > 2 || t.EvalTo+t.Probes > t.Members:
		return bad("probes", t.Probes, 0, min(2, t.Members-t.EvalTo))
	}
	if limits(t) {
		return checkArchive(t, s, rsie.LimitedVectors(s.Shape.Dim))
	}
	return checkArchive(t, s, 0)
}

// view turns the buffers of s into slices.
func (c *call) view(g *Gonum, s *rsie.State) error {
	ok := true
	floats := func(b rsie.Buffer, n int) []float64 {
		own, is := b.(*buffer)
		if n == 0 {
			return nil
		}
		if !is || own == nil || own.owner != g || len(own.floats) != n {
			ok = false
			return nil
		}
		return own.floats
	}
	indices := func(b rsie.Buffer, n int) []uint32 {
		own, is := b.(*buffer)
		if n == 0 {
			return nil
		}
		if !is || own == nil || own.owner != g || len(own.indices) != n {
			ok = false
			return nil
		}
		return own.indices
	}
	optional := func(b rsie.Buffer) []float64 {
		if b == nil {
			return nil
		}
		return floats(b, b.Len())
	}
	m, valid := s.Members, 0
	if s.FactorLen > 0 {
		valid = m * len(s.Shape.Blocks)
	}
	c.archive, c.archived, c.history = optional(s.Archive), optional(s.ArchiveFitness), optional(s.History)
	c.vectors = floats(s.Vectors, s.Runs*rsie.VecCount*s.Stride)
	c.memory = floats(s.Memory, s.Runs*rsie.MemCount)
	c.matrices = floats(s.Matrices, s.Slots()*s.MatrixLen)
	for i, b := range [2]*rsie.Generation{&s.Now, &s.Next} {
		v := [2]*side{&c.now, &c.next}[i]
		v.points, v.fitness = floats(b.Points, m*s.Stride), floats(b.Fitness, m)
		v.selection, v.factors = floats(b.Selection, m), floats(b.Factors, m*s.FactorLen)
		v.order, v.choice = indices(b.Order, m), indices(b.Choice, m)
		v.strengths, v.rates = optional(b.Strengths), optional(b.Rates)
		v.parent, v.factored = indices(b.Parent, m), indices(b.Factored, valid)
	}
	if !ok {
		return fmt.Errorf("%w: a buffer of the state was freed, belongs to another backend or "+
			"has the wrong length", rsie.ErrShape)
	}
	return nil
}

// grow makes the scratch large enough for s.
func (c *call) grow(s *rsie.State) {
	for w := range c.noise {
		if len(c.noise[w]) < 2*s.Stride {
			c.noise[w] = make([]float64, 2*s.Stride)
		}
		if n := solverLen(s.Shape.Dim); s.Slots() > 0 && len(c.solver[w]) < n {
			c.solver[w] = make([]float64, n)
		}
	}
	if len(c.lottery) < s.Members {
		c.lottery, c.near = make([]uint64, s.Members), make([]uint64, s.Members)
		c.cleared = make([]bool, s.Members)
		c.distance, c.utility = make([]float64, s.Members), make([]float64, s.Members)
		c.ranked, c.shorter = make([]float64, s.Members), make([]float64, s.Members)
		c.length = make([]float64, s.Members)
	}
	if len(c.plans) < s.Runs {
		c.plans, c.niches = make([]plan, s.Runs), make([]niches, s.Runs)
	}
	if n := s.Runs * s.Stride; len(c.centroid) < n {
		c.centroid, c.steps = make([]float64, n), make([]float64, n)
		c.inverse = make([]float64, n)
		c.gradient, c.square = make([]float64, n), make([]float64, n)
		c.white, c.variance = make([]float64, n), make([]float64, n)
	}
	if n := s.Runs * c.tiles(); len(c.partial) < n {
		c.partial = make([]float64, n)
	}
}

// clear starts an empty list of spans.
func (c *call) clear() { c.spans = c.spans[:0] }

// add cuts [from, to) of run r into spans of the given size.
func (c *call) add(r, from, to, size int) {
	for ; from < to; from += size {
		c.spans = append(c.spans, span{r, from, min(from+size, to)})
	}
}

// everyRun lists every active run as one span.
func (c *call) everyRun() {
	c.clear()
	for r := range c.runs {
		if active(&c.runs[r]) {
			c.add(r, 0, 1, 1)
		}
	}
}

func (c *call) each(k kernel) { c.pool.each(c, k) }

func active(t *rsie.Run) bool { return t.Flags&rsie.FlagActive != 0 }

// members returns the global numbers of the members of run r.
func (c *call) members(r int) (from, to int) {
	t := &c.runs[r]
	return int(t.Offset), int(t.Offset) + int(t.Members)
}

func (c *call) memoryOf(r int) []float64 { return c.memory[r*rsie.MemCount:][:rsie.MemCount] }

// vector returns one of the vectors of run r, without the padding.
func (c *call) vector(r, which int) []float64 {
	return c.vectors[(r*rsie.VecCount+which)*c.stride:][:c.dim]
}

// point returns the parameters of member m of all runs, without the padding, which stays 0.
func (s *side) point(c *call, m int) []float64 { return s.points[m*c.stride:][:c.dim] }

// factor returns the factors of member m, empty where the state has none.
func (s *side) factor(c *call, m int) []float64 { return s.factors[m*c.factors:][:c.factors] }

// valid returns which blocks of member m have valid factors, empty where the state has none.
func (s *side) valid(c *call, m int) []uint32 {
	if c.factors == 0 {
		return nil
	}
	return s.factored[m*len(c.blocks):][:len(c.blocks)]
}
