package meta

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// host evaluates the members of a batch whose problem has no program: one download of a run's
// rows, one call of the problem, one upload of its fitness. Runs of a parallel problem are
// shared by goroutines; what each writes depends on the run alone.
type host struct {
	points [][]float64 // per worker, the rows of one run
	errs   []error     // per run
}

// newHost returns the scratch for runs of at most largest members.
func newHost(shape rsie.Shape, runs, largest int) *host {
	workers := 1
	if shape.Parallel {
		workers = min(runtime.GOMAXPROCS(0), runs)
	}
	h := &host{points: make([][]float64, workers), errs: make([]error, runs)}
	for w := range h.points {
		h.points[w] = make([]float64, largest*rsie.Stride(shape.Dim))
	}
	return h
}

// hostEvaluate asks the problem for the fitness of every run's members.
func (b *Batch) hostEvaluate(ctx context.Context) error {
	return b.hostRuns(func(worker, r int) error {
		t := &b.table[r]
		if t.Flags&rsie.FlagActive == 0 {
			return nil
		}
		for i := t.Offset + t.EvalTo; i < t.Offset+t.Members; i++ {
			b.fitness[i] = rsie.Worst
		}
		return b.hostRows(ctx, worker, r, t.EvalFrom, t.EvalTo, t.Members, 0)
	})
}

// hostProbes asks the problem for the fitness of the probes.
func (b *Batch) hostProbes(ctx context.Context) error {
	return b.hostRuns(func(worker, r int) error {
		t := &b.table[r]
		if t.Probes == 0 {
			return nil
		}
		return b.hostRows(ctx, worker, r, t.Members-t.Probes, t.Members, t.Members, 1)
	})
}

// hostRuns calls do for every run and returns the error of the first run that has one. With one
// worker it stops there.
func (b *Batch) hostRuns(do func(worker, r int) error) error {
	h := b.host
	if len(h.points) == 1 {
		for r := range b.runs {
			if err := do(0, r); err != nil {
				return err
			}
		}
		return nil
	}
	var next atomic.Int64
	work := func(worker int) {
		for r := int(next.Add(1)) - 1; r < len(b.runs); r = int(next.Add(1)) - 1 {
			h.errs[r] = do(worker, r)
		}
	}
	var wait sync.WaitGroup
	for worker := range len(h.points) - 1 {
		wait.Go(func() { work(worker + 1) })
	}
	work(0)
	wait.Wait()
	for _, err := range h.errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// hostRows evaluates rows [from, to) of run r and uploads the fitness of rows [from, end). use
// tells the keys of a generation's evaluations apart.
func (b *Batch) hostRows(ctx context.Context, worker, r int, from, to, end uint32, use uint64) error {
	t, dim, stride := &b.table[r], b.shape.Dim, b.state.Stride
	n := int(to - from)
	first := int(t.Offset + from)
	points := b.host.points[worker][:n*stride]
	if err := b.backend.Download(points, b.state.Next.Points, first*stride); err != nil {
		return err
	}
	for i := 1; i < n; i++ {
		copy(points[i*dim:][:dim], points[i*stride:])
	}
	fitness := b.fitness[first:][:n]
	problem := b.problem
	if own := b.runs[r].spec.Problem; own != nil {
		problem = own
	}
	key := b.runs[r].spec.Key.Child(uint64(rsie.StreamProblem)).Child(2*uint64(t.Generation) + use)
	if err := problem.Evaluate(ctx, fitness, points[:n*dim], key); err != nil {
		return fmt.Errorf("%s: %w", b.shape.Name, err)
	}
	// The signal that cancelled may have killed the user's program as well: what it did not
	// answer counts as Worst and must not be told.
	if err := ctx.Err(); err != nil {
		return err
	}
	for i, f := range fitness {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			fitness[i] = rsie.Worst
		}
	}
	return b.backend.Upload(b.state.Next.Fitness, first, b.fitness[first:int(t.Offset+end)])
}
