package meta

import (
	"context"
	"fmt"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Batch advances runs with different strategies, sizes and keys on one problem together. It is
// the one ask, evaluate, tell loop of every level. Use it from one goroutine.
type Batch struct {
	backend rsie.Backend
	problem rsie.Problem
	shape   rsie.Shape
	state   *rsie.State
	program rsie.Program // nil: the host evaluates
	runs    []runEntry
	table   []rsie.Run
	fitness []float64   // [M], host side
	host    *host       // nil: the program evaluates
	sorted  []float64   // scratch of the termination criteria
	starts  [][]float64 // first members of population runs, until the first step
}

// The operations of a generation, before and after the evaluation.
var (
	ask      = []rsie.Op{rsie.OpInitialise, rsie.OpBreed, rsie.OpSample, rsie.OpSurvive}
	evaluate = []rsie.Op{rsie.OpEvaluate}
	tell     = []rsie.Op{rsie.OpReplace, rsie.OpRank, rsie.OpMeasure, rsie.OpShare, rsie.OpUpdate, rsie.OpFactor}
	probe    = []rsie.Op{rsie.OpProbe}
	settle   = []rsie.Op{rsie.OpSettle}

	onDevice      = join(ask, evaluate, tell)
	probeOnDevice = join(probe, []rsie.Op{rsie.OpEvaluateProbes}, settle)
)

func join(lists ...[]rsie.Op) (out []rsie.Op) {
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// NewBatch prepares runs of a problem; the caller closes the batch. It returns [rsie.ErrInvalid]
// for a strategy or budget out of range and [rsie.ErrUnsupported] when the backend lacks the
// precision.
func NewBatch(b rsie.Backend, p rsie.Problem, specs []RunSpec) (*Batch, error) {
	if len(specs) == 0 {
		return nil, fmt.Errorf("%w: a batch of no runs", rsie.ErrShape)
	}
	b = rsie.For(b, p.Shape())
	out := &Batch{backend: b, problem: p, shape: p.Shape(), runs: make([]runEntry, len(specs)),
		table: make([]rsie.Run, len(specs))}
	needs := rsie.Needs{Members: make([]int, len(specs))}
	members, largest := 0, 0
	for r, spec := range specs {
		if err := spec.Strategy.Validate(); err != nil {
			return nil, err
		}
		if spec.Budget < 1 {
			return nil, fmt.Errorf("%w: budget %d evaluations, want at least 1", rsie.ErrInvalid, spec.Budget)
		}
		out.runs[r] = newEntry(spec, out.shape, samplesOf(p), members)
		n := out.runs[r].members
		out.table[r] = out.runs[r].template()
		if c := out.table[r].Covariance; c == rsie.CodeFull || c == rsie.CodeExponential {
			out.table[r].Slot = uint32(needs.Slots)
		}
		needs.Members[r], members, largest = n, members+n, max(largest, n)
		out.table[r].ArchiveAt = uint32(needs.Archive)
		out.runs[r].require(&needs)
	}
	if err := checkMemory(out.shape, members, needs); err != nil {
		return nil, err
	}
	var err error
	if out.state, err = rsie.NewState(b, out.shape, needs); err != nil {
		return nil, err
	}
	out.fitness, out.sorted = make([]float64, members), make([]float64, largest)
	if m, ok := p.(rsie.Modelled); ok {
		if out.program, err = b.Load(m.Model(), m.Rows(rsie.Training)); err != nil {
			out.Close()
			return nil, err
		}
	} else {
		out.host = newHost(out.shape, len(specs), largest)
	}
	return out, nil
}

// samplesOf returns the number of training samples of a problem, 0 when it has none.
func samplesOf(p rsie.Problem) int {
	if m, ok := p.(rsie.Modelled); ok {
		return m.Rows(rsie.Training).S
	}
	return 0
}

// MaxBatchBytes is the memory one batch may take on a backend.
const MaxBatchBytes = 8 << 30

// require adds what the run needs to needs.
func (e *runEntry) require(needs *rsie.Needs) {
	s := &e.spec.Strategy
	if s.Family == rsie.Population {
		needs.SVD = needs.SVD || s.Mutation == rsie.SVD
		needs.Own = needs.Own || s.Mutation == rsie.Differential || s.Mutation == rsie.SelfAdaptive
		needs.History = needs.History || s.SuccessHistory != rsie.NoHistory || s.StepGroups > 0
	}
	needs.Archive += e.archive()
	if learnsFull(s) && e.scale.Dim <= rsie.MaxFullDim {
		needs.Slots++
	}
}

// stateBytes returns the bytes of the buffers of members members of the runs of needs, in float64.
func stateBytes(shape rsie.Shape, members int, needs rsie.Needs) float64 {
	stride := rsie.Stride(shape.Dim)
	row := stride
	if needs.SVD {
		row += rsie.FactorLen(shape.Blocks) + len(shape.Blocks)
	}
	vectors := rsie.VecCount*stride + rsie.MemCount
	if needs.History {
		vectors += 2 * rsie.MaxHistory
	}
	return 2*8*float64(members)*float64(row+7) + 8*float64(len(needs.Members))*float64(vectors) +
		8*float64(needs.Archive)*float64(stride) + 8*float64(needs.Slots)*float64(rsie.MatrixLen(shape.Dim))
}

func checkMemory(shape rsie.Shape, members int, needs rsie.Needs) error {
	if need := stateBytes(shape, members, needs); need > MaxBatchBytes {
		return fmt.Errorf("%w: populations of %d members with %d parameters need %.1f GiB, "+
			"at most %d GiB are used; lower population_size or the network's width",
			rsie.ErrInvalid, members, shape.Dim, need/(1<<30), MaxBatchBytes>>30)
	}
	return nil
}

// Start sets the first members of every population run instead of starting draws. It must be
// called before the first step; points are kept until then.
func (b *Batch) Start(points [][]float64) { b.starts = points }

// Done reports whether every run has spent its budget.
func (b *Batch) Done() bool {
	for r := range b.runs {
		if b.runs[r].spent < b.runs[r].spec.Budget {
			return false
		}
	}
	return true
}

// Step advances every run that has budget left by one generation. A cancelled context returns
// its error and leaves the batch as it was, unless the problem had begun to evaluate: then the
// generation is not told, and the batch must be restored before it is used again.
func (b *Batch) Step(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	noisy, probes := b.shape.Noisy, false
	for r := range b.runs {
		b.runs[r].fill(&b.table[r], noisy)
		probes = probes || b.table[r].Probes > 0
	}
	if err := b.generation(ctx); err != nil {
		return err
	}
	if err := b.fetchFitness(); err != nil {
		return err
	}
	for r := range b.runs {
		b.record(&b.runs[r], &b.table[r])
	}
	if probes {
		if err := b.probeMeans(ctx); err != nil {
			return err
		}
	}
	b.state.Swap()
	for r := range b.runs {
		b.runs[r].advance(&b.table[r])
	}
	return b.judge()
}

// fetchFitness downloads the fitness of all members, which the host has where it evaluates.
func (b *Batch) fetchFitness() error {
	if b.host != nil {
		return nil
	}
	return b.backend.Download(b.fitness, b.state.Next.Fitness, 0)
}

// judge applies the termination criteria to the generation just told.
func (b *Batch) judge() error {
	for r := range b.runs {
		t := &b.table[r]
		if t.Flags&rsie.FlagActive == 0 || t.Flags&rsie.FlagWatch == 0 || t.Flags&rsie.FlagDraws != 0 || t.EvalTo < 2 {
			continue
		}
		memory, err := b.memory(r)
		if err != nil {
			return err
		}
		b.runs[r].judge(b.fitness[t.Offset+t.EvalFrom:t.Offset+t.EvalTo], b.sorted, memory)
	}
	return nil
}

// generation makes, evaluates and tells Next.
func (b *Batch) generation(ctx context.Context) error {
	if b.program != nil && b.starts == nil {
		return b.backend.Do(b.state, b.table, b.program, onDevice)
	}
	if err := b.backend.Do(b.state, b.table, nil, ask); err != nil {
		return err
	}
	if err := b.uploadStarts(); err != nil {
		return err
	}
	if b.program != nil {
		if err := b.backend.Do(b.state, b.table, b.program, evaluate); err != nil {
			return err
		}
	} else if err := b.hostEvaluate(ctx); err != nil {
		return err
	}
	return b.backend.Do(b.state, b.table, nil, tell)
}

// probeMeans evaluates the probes of the runs that have some, and counts them.
func (b *Batch) probeMeans(ctx context.Context) error {
	if b.program != nil {
		if err := b.backend.Do(b.state, b.table, b.program, probeOnDevice); err != nil {
			return err
		}
	} else {
		if err := b.backend.Do(b.state, b.table, nil, probe); err != nil {
			return err
		}
		if err := b.hostProbes(ctx); err != nil {
			return err
		}
		if err := b.backend.Do(b.state, b.table, nil, settle); err != nil {
			return err
		}
	}
	if err := b.fetchFitness(); err != nil {
		return err
	}
	for r := range b.runs {
		t := &b.table[r]
		b.runs[r].count(b.fitness[t.Offset+t.Members-t.Probes:][:t.Probes])
	}
	return nil
}

func (b *Batch) uploadStarts() error {
	for r := range b.runs {
		if b.runs[r].spec.Strategy.Family != rsie.Population {
			continue
		}
		for i, point := range b.starts[:min(len(b.starts), b.runs[r].members)] {
			if err := b.backend.Upload(b.state.Next.Points, (b.runs[r].offset+i)*b.state.Stride, point); err != nil {
				return err
			}
		}
	}
	b.starts = nil
	return nil
}

// record counts the members of a generation, in their order.
func (b *Batch) record(e *runEntry, t *rsie.Run) {
	if t.Flags&rsie.FlagActive != 0 {
		e.count(b.fitness[t.Offset+t.EvalFrom : t.Offset+t.EvalTo])
	}
}

// count counts evaluations and extends the curve.
func (e *runEntry) count(fitness []float64) {
	for _, f := range fitness {
		e.spent++
		e.curve.add(e.spent, f)
		if f < e.mark-improvement*math.Abs(e.mark) {
			e.mark, e.improved = f, e.spent
		}
	}
}

// advance ends a generation.
func (e *runEntry) advance(t *rsie.Run) {
	if t.Flags&rsie.FlagActive != 0 {
		e.generation++
		e.live = int(t.Members)
		e.since++
	}
}

// Run steps until every run is done or the context ends.
func (b *Batch) Run(ctx context.Context) error {
	for !b.Done() {
		if err := b.Step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Curve returns the curve of run r; it is the batch's own and grows with it.
func (b *Batch) Curve(r int) Curve { return b.runs[r].curve }

// Generation returns the generations that run r has finished.
func (b *Batch) Generation(r int) int { return b.runs[r].generation }

// Best returns a copy of the best point that run r has evaluated, and its fitness.
func (b *Batch) Best(r int) ([]float64, float64, error) {
	point := make([]float64, b.shape.Dim)
	at := (r*rsie.VecCount + rsie.VecBest) * b.state.Stride
	if err := b.backend.Download(point, b.state.Vectors, at); err != nil {
		return nil, 0, err
	}
	memory, err := b.memory(r)
	return point, memory[rsie.MemBest], err
}

// Diversity returns the mean over generations of the spread of run r relative to its first
// population, capped at 1.
func (b *Batch) Diversity(r int) (float64, error) {
	m, err := b.memory(r)
	if err != nil || m[rsie.MemMeasured] == 0 {
		return 0, err
	}
	return m[rsie.MemSpreadSum] / m[rsie.MemMeasured], nil
}

func (b *Batch) memory(r int) ([]float64, error) {
	m := make([]float64, rsie.MemCount)
	return m, b.backend.Download(m, b.state.Memory, r*rsie.MemCount)
}

// Members returns a copy of the points of run r's last population, [N, D], and their fitness.
func (b *Batch) Members(r int) (points, fitness []float64, err error) {
	e := &b.runs[r]
	// A run that ended earlier than the batch lies on the side it was told on.
	side, steps := &b.state.Now, 0
	for i := range b.runs {
		steps = max(steps, b.runs[i].generation)
	}
	if (steps-e.generation)%2 == 1 {
		side = &b.state.Next
	}
	n := e.rows()
	points = make([]float64, n*b.shape.Dim)
	for i := range n {
		row := points[i*b.shape.Dim:][:b.shape.Dim]
		if err := b.backend.Download(row, side.Points, (e.offset+i)*b.state.Stride); err != nil {
			return nil, nil, err
		}
	}
	fitness = make([]float64, n)
	return points, fitness, b.backend.Download(fitness, side.Fitness, e.offset)
}

// rows returns the rows that hold the population of the generation told last.
func (e *runEntry) rows() int {
	if e.live > 0 && e.spec.Strategy.Family == rsie.Population {
		return e.live
	}
	return e.members
}

// Close frees the backend's memory; it may be called twice.
func (b *Batch) Close() { b.state.Free(b.backend) }
