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
	fitness []float64 // [M], host side
	points  []float64 // one run's points, host evaluation only
	starts  [][]float64
}

// The operations of a generation, before and after the evaluation.
var (
	askFirst = []rsie.Op{rsie.OpInitialise, rsie.OpSample}
	askNext  = []rsie.Op{rsie.OpBreed, rsie.OpSample, rsie.OpSurvive}
	evaluate = []rsie.Op{rsie.OpEvaluate}
	tell     = []rsie.Op{rsie.OpRank, rsie.OpMeasure, rsie.OpShare, rsie.OpUpdate, rsie.OpFactor}

	deviceFirst = join(askFirst, evaluate, tell)
	deviceNext  = join(askNext, evaluate, tell)
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
	out := &Batch{backend: b, problem: p, shape: p.Shape(), runs: make([]runEntry, len(specs)),
		table: make([]rsie.Run, len(specs))}
	sizes := make([]int, len(specs))
	svd, members, largest := false, 0, 0
	for r, spec := range specs {
		if err := spec.Strategy.Validate(); err != nil {
			return nil, err
		}
		if spec.Budget < 1 {
			return nil, fmt.Errorf("%w: budget %d evaluations, want at least 1", rsie.ErrInvalid, spec.Budget)
		}
		n := spec.Strategy.PopulationSize
		out.runs[r] = runEntry{spec: spec, members: n, offset: members,
			curve: Curve{Budget: spec.Budget, Points: make([]Point, 0, min(spec.Budget, 512))}}
		out.table[r] = out.runs[r].template()
		sizes[r], members, largest = n, members+n, max(largest, n)
		svd = svd || spec.Strategy.Family == rsie.Population && spec.Strategy.Mutation == rsie.SVD
	}
	if err := checkMemory(out.shape, members, svd); err != nil {
		return nil, err
	}
	var err error
	if out.state, err = rsie.NewState(b, out.shape, sizes, svd); err != nil {
		return nil, err
	}
	out.fitness = make([]float64, members)
	if m, ok := p.(rsie.Modelled); ok {
		if out.program, err = b.Load(m.Model(), m.Rows(rsie.Training)); err != nil {
			out.Close()
			return nil, err
		}
	} else {
		out.points = make([]float64, largest*out.shape.Dim)
	}
	return out, nil
}

// MaxBatchBytes is the memory one batch may take on a backend.
const MaxBatchBytes = 8 << 30

// stateBytes returns the bytes of the population buffers of members members in float64.
func stateBytes(shape rsie.Shape, members int, svd bool) float64 {
	row := rsie.Stride(shape.Dim)
	if svd {
		row += rsie.FactorLen(shape.Blocks) + len(shape.Blocks)
	}
	return 2 * 8 * float64(members) * float64(row+5)
}

func checkMemory(shape rsie.Shape, members int, svd bool) error {
	if need := stateBytes(shape, members, svd); need > MaxBatchBytes {
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
// its error and leaves the batch as it was, unless the problem had begun to evaluate.
func (b *Batch) Step(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	first := b.runs[0].generation == 0
	noisy := b.shape.Noisy
	for r := range b.runs {
		b.runs[r].fill(&b.table[r], noisy)
	}
	if err := b.generation(ctx, first); err != nil {
		return err
	}
	if err := b.backend.Download(b.fitness, b.state.Next.Fitness, 0); err != nil {
		return err
	}
	b.state.Swap()
	for r := range b.runs {
		b.record(&b.runs[r], &b.table[r])
	}
	return nil
}

// generation makes, evaluates and tells Next.
func (b *Batch) generation(ctx context.Context, first bool) error {
	device, ask := deviceNext, askNext
	if first {
		device, ask = deviceFirst, askFirst
	}
	if b.program != nil && b.starts == nil {
		return b.backend.Do(b.state, b.table, b.program, device)
	}
	if err := b.backend.Do(b.state, b.table, nil, ask); err != nil {
		return err
	}
	if first {
		if err := b.uploadStarts(); err != nil {
			return err
		}
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

// hostEvaluate asks the problem for the fitness of every run's members.
func (b *Batch) hostEvaluate(ctx context.Context) error {
	if err := b.backend.Download(b.fitness, b.state.Next.Fitness, 0); err != nil {
		return err
	}
	dim := b.shape.Dim
	for r := range b.runs {
		t := &b.table[r]
		if t.Flags&rsie.FlagActive == 0 {
			continue
		}
		from, to := int(t.EvalFrom), int(t.EvalTo)
		points := b.points[:(to-from)*dim]
		for i := from; i < to; i++ {
			row := points[(i-from)*dim:][:dim]
			if err := b.backend.Download(row, b.state.Next.Points, (int(t.Offset)+i)*b.state.Stride); err != nil {
				return err
			}
		}
		fitness := b.fitness[int(t.Offset):][:t.Members]
		key := b.runs[r].spec.Key.Child(uint64(rsie.StreamProblem)).Child(uint64(t.Generation))
		if err := b.problem.Evaluate(ctx, fitness[from:to], points, key); err != nil {
			return fmt.Errorf("%s: %w", b.shape.Name, err)
		}
		for i := from; i < len(fitness); i++ {
			if i >= to || math.IsNaN(fitness[i]) || math.IsInf(fitness[i], 0) {
				fitness[i] = rsie.Worst
			}
		}
	}
	return b.backend.Upload(b.state.Next.Fitness, 0, b.fitness)
}

// record counts the evaluations of a generation and extends the curve, in the order of members.
func (b *Batch) record(e *runEntry, t *rsie.Run) {
	if t.Flags&rsie.FlagActive == 0 {
		return
	}
	for i := t.EvalFrom; i < t.EvalTo; i++ {
		e.spent++
		e.curve.add(e.spent, b.fitness[e.offset+int(i)])
	}
	e.generation++
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
	points = make([]float64, e.members*b.shape.Dim)
	for i := range e.members {
		row := points[i*b.shape.Dim:][:b.shape.Dim]
		if err := b.backend.Download(row, b.state.Now.Points, (e.offset+i)*b.state.Stride); err != nil {
			return nil, nil, err
		}
	}
	fitness = make([]float64, e.members)
	return points, fitness, b.backend.Download(fitness, b.state.Now.Fitness, e.offset)
}

// Save returns the whole state of the batch as one value: per run generation, spent and curve,
// then the backend's buffers. A batch of the same specs continues from it bit for bit.
func (b *Batch) Save() ([]float64, error) {
	var out []float64
	for r := range b.runs {
		e := &b.runs[r]
		out = append(out, float64(e.generation), float64(e.spent), float64(len(e.curve.Points)))
		for _, p := range e.curve.Points {
			out = append(out, float64(p.Evaluations), p.Fitness)
		}
	}
	buffers, err := b.state.Save(b.backend)
	return append(out, buffers...), err
}

// Restore loads what [Batch.Save] returned, or returns [rsie.ErrShape].
func (b *Batch) Restore(saved []float64) error {
	short := fmt.Errorf("%w: saved batch ends early", rsie.ErrShape)
	for r := range b.runs {
		e := &b.runs[r]
		if len(saved) < 3 {
			return short
		}
		e.generation, e.spent = int(saved[0]), int(saved[1])
		n := saved[2]
		saved = saved[3:]
		if !(n >= 0 && 2*n <= float64(len(saved))) {
			return short
		}
		e.curve.Points = e.curve.Points[:0]
		for range int(n) {
			e.curve.Points = append(e.curve.Points, Point{int(saved[0]), saved[1]})
			saved = saved[2:]
		}
	}
	b.starts = nil
	return b.state.Restore(b.backend, saved)
}

// Close frees the backend's memory; it may be called twice.
func (b *Batch) Close() { b.state.Free(b.backend) }
