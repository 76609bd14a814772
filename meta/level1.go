package meta

import (
	"context"
	"errors"
	"hash/fnv"
	"slices"
	"sync"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// MaxChunkBytes is the memory the runs that advance together may take where the backend has no lower
// bound; more runs are done in several batches, which changes no result.
const MaxChunkBytes = 1 << 30

// Judge measures strategies on a task: level 1. Every strategy meets the same keys.
type Judge struct {
	Backend rsie.Backend
	Problem rsie.Problem
	Task    string // name of the task
	Budget  int    // evaluations per run
	Runs    int    // keys per strategy
	Points  bool   // keep the best points
}

// taskKey gives the keys of a task: they depend on its name, not on which tasks stand beside it.
func taskKey(k rsie.Key, name string) rsie.Key {
	h := fnv.New64a()
	h.Write([]byte(name))
	return k.Child(h.Sum64())
}

// Measure runs every strategy Runs times and returns [strategy][replicate]. Replicate k of
// every strategy has the key key.Child(k) of the task, so differences are paired.
func (j Judge) Measure(ctx context.Context, strategies []rsie.Strategy, key rsie.Key) ([][]Outcome, error) {
	key = taskKey(key, j.Task)
	specs := make([]RunSpec, 0, len(strategies)*j.Runs)
	for _, s := range strategies {
		for k := range j.Runs {
			problem, err := replicate(j.Problem, k)
			if err != nil {
				return nil, err
			}
			specs = append(specs, RunSpec{Strategy: s, Key: key.Child(uint64(k)), Budget: j.Budget, Problem: problem})
		}
	}
	flat, err := j.shared(ctx, specs)
	if err != nil {
		return nil, err
	}
	out := make([][]Outcome, len(strategies))
	for i := range out {
		out[i] = flat[i*j.Runs:][:j.Runs]
		for k := range out[i] {
			out[i][k].Replicate = k
		}
	}
	return out, nil
}

// shared runs specs on all devices of the backend, each a share in their order. A problem that may not
// be asked by several at once stays on the first.
func (j Judge) shared(ctx context.Context, specs []RunSpec) ([]Outcome, error) {
	shape := j.Problem.Shape()
	several, ok := rsie.For(j.Backend, shape).(rsie.Several)
	if _, modelled := j.Problem.(rsie.Modelled); !ok || !modelled && !shape.Parallel {
		return j.inTurn(ctx, specs)
	}
	devices := append([]rsie.Backend{several.Backend}, several.Others...)
	parts, errs := make([][]Outcome, len(devices)), make([]error, len(devices))
	var wait sync.WaitGroup
	for i, device := range devices {
		one := j
		one.Backend = device
		wait.Go(func() {
			parts[i], errs[i] = one.inTurn(ctx, specs[i*len(specs)/len(devices):(i+1)*len(specs)/len(devices)])
		})
	}
	wait.Wait()
	return slices.Concat(parts...), errors.Join(errs...)
}

// inTurn runs specs in batches that fit, one after the other.
func (j Judge) inTurn(ctx context.Context, specs []RunSpec) ([]Outcome, error) {
	flat := make([]Outcome, 0, len(specs))
	for from := 0; from < len(specs); {
		to := j.chunk(specs, from)
		part, err := j.fitting(ctx, specs[from:to])
		if err != nil {
			return nil, err
		}
		flat = append(flat, part...)
		from = to
	}
	return flat, nil
}

// replicate returns the instance of a problem that replicate k runs on, nil when it has none.
func replicate(p rsie.Problem, k int) (rsie.Problem, error) {
	if many, ok := p.(rsie.Replicated); ok {
		return many.Replicate(k)
	}
	return nil, nil
}

// fitting runs specs together, or where the backend has not the memory, in halves one after the other.
func (j Judge) fitting(ctx context.Context, specs []RunSpec) ([]Outcome, error) {
	out, err := j.run(ctx, specs)
	if !errors.Is(err, rsie.ErrMemory) || len(specs) == 1 {
		return out, err
	}
	first, err := j.fitting(ctx, specs[:len(specs)/2])
	if err != nil {
		return nil, err
	}
	second, err := j.fitting(ctx, specs[len(specs)/2:])
	return append(first, second...), err
}

// chunk returns the end of the longest run of specs from `from` that fits the backend's bound or
// MaxChunkBytes.
func (j Judge) chunk(specs []RunSpec, from int) int {
	shape, bytes := j.Problem.Shape(), 0.0
	info := rsie.For(j.Backend, shape).Info()
	limit := float64(MaxChunkBytes)
	if info.Memory > 0 {
		limit = min(limit, float64(info.Memory))
	}
	for to := from; to < len(specs); to++ {
		e, needs := newEntry(specs[to], shape, samplesOf(j.Problem), 0), rsie.Needs{Members: []int{0}}
		e.require(&needs)
		bytes += stateBytes(shape, e.members, needs) * float64(info.Bits) / 64
		if bytes > limit && to > from {
			return to
		}
	}
	return len(specs)
}

func (j Judge) run(ctx context.Context, specs []RunSpec) ([]Outcome, error) {
	b, err := NewBatch(j.Backend, j.Problem, specs)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	if err := b.Run(ctx); err != nil {
		return nil, err
	}
	out := make([]Outcome, len(specs))
	for r, spec := range specs {
		o := Outcome{Strategy: spec.Strategy.Digest(), Task: j.Task, Seed: spec.Key.Seed(), Curve: b.Curve(r)}
		if o.Diversity, err = b.Diversity(r); err != nil {
			return nil, err
		}
		if j.Points {
			if o.Best, _, err = b.Best(r); err != nil {
				return nil, err
			}
		}
		out[r] = o
	}
	return out, nil
}
