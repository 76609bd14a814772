package meta

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/store"
	"github.com/symbio-ai/recursive-improvement/task"
)

// MetaTrain runs levels 1 and 2 on the tasks: training tasks teach, validation tasks help to
// choose; tasks of the test split are never touched. The factory may replace the tasks' models.
// With a Store it continues after the last stored generation; when ctx ends it returns its error
// and everything up to the last whole generation is stored.
func (e *Engine) MetaTrain(ctx context.Context, tasks []*task.Task, factory ModelFactory) (*Result, error) {
	var teach, choose []*task.Task
	for _, t := range tasks {
		switch t.Split {
		case "validation":
			choose = append(choose, t)
		case "training", "":
			teach = append(teach, t)
		}
	}
	if len(teach) == 0 {
		return nil, fmt.Errorf("%w: none of %d tasks has split training; a strategy learns on those",
			rsie.ErrInvalid, len(tasks))
	}
	training, err := e.targets(ctx, teach, factory)
	if err != nil {
		return nil, err
	}
	validation, err := e.targets(ctx, choose, factory)
	if err != nil {
		return nil, err
	}
	digest, err := e.search(ctx, training)
	if err != nil {
		return nil, err
	}
	return e.conclude(ctx, training, validation, digest)
}

// search is level 2: the same loop as level 1, over encoded strategies.
func (e *Engine) search(ctx context.Context, training []target) (digest string, err error) {
	c := e.config
	own := *c.Strategy
	own.PopulationSize = c.MetaPopulationSize
	problem := &strategies{engine: e, targets: training}
	batch, err := NewBatch(c.Backend, problem,
		[]RunSpec{{own, e.key.Child(keySearch), c.MetaPopulationSize * c.MetaGenerations}})
	if err != nil {
		return "", err
	}
	defer batch.Close()
	if digest, err = e.restore(batch, training); err != nil {
		return "", err
	}
	if batch.Generation(0) == 0 {
		var points [][]float64
		for _, s := range e.InitializeMetaPopulation() {
			x := make([]float64, e.space.Dim())
			e.space.Encode(x, s)
			points = append(points, x)
		}
		batch.Start(points)
	}
	for !batch.Done() {
		before := e.evaluations
		if err := batch.Step(ctx); err != nil {
			e.evaluations = before
			return "", err
		}
		if digest, err = e.keep(batch, problem, digest); err != nil {
			return "", err
		}
	}
	return digest, nil
}

// keep files the generation just made and stores it in one transaction.
func (e *Engine) keep(batch *Batch, p *strategies, last string) (string, error) {
	number := batch.Generation(0) - 1
	parents, err := batch.parents(0)
	if err != nil {
		return "", err
	}
	row := store.Generation{Number: number, Evaluations: e.evaluations}
	var scores []float64
	best := 0
	seen := map[string]bool{}
	for i, m := range p.generation {
		scores = append(scores, m.score)
		if m.score > p.generation[best].score {
			best = i
		}
		d := m.strategy.Digest()
		if seen[d] {
			continue
		}
		seen[d] = true
		r := e.archive.at(m.strategy, number)
		if len(r.scores) == 0 && number > 0 {
			r.parents = []string{e.lastDigests[parents[i]]}
		}
		r.note(m.score, m.tasks)
		genes, err := json.Marshal(m.strategy.Named())
		if err != nil {
			return "", err
		}
		row.Strategies = append(row.Strategies, store.Strategy{Digest: d, Genes: genes, Parents: r.parents, Generation: r.born})
		if row.Results, err = appendResults(row.Results, m, "search", e.config.Objectives, p.targets); err != nil {
			return "", err
		}
	}
	e.lastDigests = e.lastDigests[:0]
	for _, m := range p.generation {
		e.lastDigests = append(e.lastDigests, m.strategy.Digest())
	}
	if row.State, err = batch.Save(); err != nil {
		return "", err
	}
	row.Digest = chain(last, row.State)
	ordered := slices.Clone(scores)
	slices.Sort(ordered)
	g := Generation{Number: number, Best: scores[best], Median: median(ordered), Evaluations: e.evaluations,
		Strategy: p.generation[best].strategy.Digest(), Summary: Describe(p.generation[best].strategy), Digest: row.Digest}
	if row.Summary, err = json.Marshal(g); err != nil {
		return "", err
	}
	if e.config.Store != nil {
		if err := e.config.Store.Commit(&row); err != nil {
			return "", err
		}
	}
	if e.config.Progress != nil {
		e.config.Progress(g)
	}
	return row.Digest, nil
}

// appendResults adds every level-1 run of m.
func appendResults(rows []store.Result, m measured, phase string, o rsie.Objectives, targets []target) ([]store.Result, error) {
	anchors := map[string]rsie.Anchors{}
	for _, t := range targets {
		anchors[t.name] = t.anchors
	}
	for k, out := range m.outcomes {
		b, err := json.Marshal(m.terms[k])
		if err != nil {
			return nil, err
		}
		rows = append(rows, store.Result{Strategy: out.Strategy, Task: out.Task, Replicate: out.Replicate,
			Seed: out.Seed, Phase: phase, Evaluations: int64(out.Curve.Budget), Final: out.Curve.Final(),
			Area: out.Curve.Area(anchors[out.Task]), MetaFitness: m.terms[k].MetaFitness(o), Metrics: b})
	}
	return rows, nil
}

// chain returns the digest of a run whose digest was last after a generation that left state.
func chain(last string, state []float64) string {
	h := sha256.New()
	h.Write([]byte(last))
	var b [8]byte
	for _, v := range state {
		binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
		h.Write(b[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// restore continues from the store: the state of the last generation and the archive of all
// measurements in the order they were made.
func (e *Engine) restore(batch *Batch, training []target) (digest string, err error) {
	if e.config.Store == nil {
		return "", nil
	}
	last, err := e.config.Store.Last()
	if err != nil || last == nil {
		return "", err
	}
	if err := batch.Restore(last.State); err != nil {
		return "", fmt.Errorf("generation %d: %w", last.Number, err)
	}
	e.evaluations = last.Evaluations
	rows, err := e.config.Store.Strategies()
	if err != nil {
		return "", err
	}
	known := map[string]store.Strategy{}
	for _, r := range rows {
		known[r.Digest] = r
	}
	if err := e.replay(known, training); err != nil {
		return "", err
	}
	points, _, err := batch.Members(0)
	if err != nil {
		return "", err
	}
	dim := e.space.Dim()
	for i := range len(points) / dim {
		e.lastDigests = append(e.lastDigests, e.space.Decode(points[i*dim:][:dim]).Digest())
	}
	return last.Digest, nil
}

// replay rebuilds the archive. Results of a strategy in a generation stand together, task by
// task, key by key.
func (e *Engine) replay(known map[string]store.Strategy, training []target) error {
	var group []store.Result
	flush := func() error {
		if len(group) == 0 {
			return nil
		}
		row := known[group[0].Strategy]
		var s rsie.Strategy
		if err := json.Unmarshal(row.Genes, &s); err != nil {
			return err
		}
		r := e.archive.at(rsie.StrategySpace.Canonical(s), row.Generation)
		r.parents = row.Parents
		tasks := map[string]rsie.Metrics{}
		var perTask []rsie.Metrics
		for _, t := range training {
			var terms []rsie.Metrics
			for _, g := range group {
				if g.Task != t.name {
					continue
				}
				var m rsie.Metrics
				if err := json.Unmarshal(g.Metrics, &m); err != nil {
					return err
				}
				terms = append(terms, m)
			}
			tasks[t.name] = Score(terms)
			perTask = append(perTask, tasks[t.name])
		}
		r.note(meanMetrics(perTask).MetaFitness(e.config.Objectives), tasks)
		group = group[:0]
		return nil
	}
	size := len(training) * e.config.RunsPerTask
	err := e.config.Store.Results(func(r store.Result) error {
		if r.Phase != "search" {
			return nil
		}
		group = append(group, r)
		if len(group) == size {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// parents returns the first parent of every member of run r.
func (b *Batch) parents(r int) ([]int, error) {
	e := &b.runs[r]
	got := make([]float64, e.rows())
	if err := b.backend.Download(got, b.state.Now.Parent, e.offset); err != nil {
		return nil, err
	}
	out := make([]int, len(got))
	for i, v := range got {
		out[i] = int(v)
	}
	return out, nil
}
