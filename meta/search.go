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
		switch splitOf(t) {
		case "validation":
			choose = append(choose, t)
		case "training":
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
	digest, err := e.search(ctx, training, e.raceCost(append(slices.Clone(training), validation...)))
	if err != nil {
		return nil, err
	}
	return e.conclude(ctx, training, validation, digest)
}

// segment is one of the independent searches: generations [from, to) of the run, fewer when the
// next could bring the run's evaluations past limit.
type segment struct {
	number, from, to int
	limit            int64
}

// segment returns search number k, which begins with generation from: generations and what
// MetaBudget leaves besides the race are divided among the restarts. begun are the evaluations
// before the first search.
func (e *Engine) segment(k, from int, begun, race int64) segment {
	n := e.config.Restarts
	size := e.config.MetaGenerations / n
	if k < e.config.MetaGenerations%n {
		size++
	}
	s := segment{k, from, from + size, math.MaxInt64}
	if e.config.MetaBudget > 0 {
		s.limit = begun + (e.config.MetaBudget-race-begun)/int64(n)*int64(k+1)
	}
	return s
}

// search is level 2: the same loop as level 1, over encoded strategies, from Restarts starts. race
// is what the final race may cost.
func (e *Engine) search(ctx context.Context, training []target, race int64) (digest string, err error) {
	begun := e.evaluations
	last, err := e.restore(training)
	if err != nil {
		return "", err
	}
	first, err := e.storedSearches()
	if err != nil {
		return "", err
	}
	done := 0
	if last != nil {
		done, digest = last.Number+1, last.Digest
	}
	for k := max(0, len(first)-1); k < e.config.Restarts; k++ {
		if k == len(first) {
			first = append(first, done)
			if err := e.keepSearches(first); err != nil {
				return "", err
			}
		}
		var state []float64
		if done > first[k] {
			state = last.State
		}
		if done, digest, err = e.searchSegment(ctx, training, e.segment(k, first[k], begun, race), state, digest); err != nil {
			return "", err
		}
	}
	return digest, nil
}

// storedSearches returns the first generation of each search that has begun.
func (e *Engine) storedSearches() (first []int, err error) {
	if e.config.Store == nil {
		return nil, nil
	}
	b, err := e.config.Store.Get("searches")
	if err != nil || b == nil {
		return nil, err
	}
	return first, json.Unmarshal(b, &first)
}

func (e *Engine) keepSearches(first []int) error {
	if e.config.Store == nil {
		return nil
	}
	b, err := json.Marshal(first)
	if err != nil {
		return err
	}
	return e.config.Store.Put("searches", b)
}

// searchSegment runs one search from its start or from a stored state and returns the number of
// the generation after its last.
func (e *Engine) searchSegment(ctx context.Context, training []target, s segment, state []float64,
	digest string) (int, string, error) {
	own := *e.config.Strategy
	own.PopulationSize = e.config.MetaPopulationSize
	if e.config.Without.Crossover {
		own.CrossoverRate = 0
	}
	key := e.key.Child(keySearch).Child(uint64(s.number))
	in := e.island(s.number)
	problem := &strategies{engine: e, targets: training, island: in}
	batch, err := NewBatch(e.config.Backend, problem, []RunSpec{
		{Strategy: own, Key: key, Budget: own.PopulationSize * (s.to - s.from)}})
	if err != nil {
		return 0, "", err
	}
	defer batch.Close()
	if state != nil {
		err = e.resume(batch, in, state)
	} else {
		err = e.begin(ctx, batch, training, s, key)
	}
	if err != nil {
		return 0, "", err
	}
	most := int64(own.PopulationSize*e.config.RunsPerTask) * budgets(training)
	if batch.Generation(0) == 0 && e.evaluations > s.limit-most {
		return 0, "", fmt.Errorf("%w: meta-budget %d leaves less than the %d evaluations of a generation: search %d "+
			"begins its first at %d and ends at %d; raise it, or lower candidates, runs-per-task or final-runs",
			rsie.ErrInvalid, e.config.MetaBudget, most, s.number+1, e.evaluations, s.limit)
	}
	e.config.Say(fmt.Sprintf("search: generations %d to %d", s.from+batch.Generation(0)+1, s.to))
	for !batch.Done() && e.evaluations <= s.limit-most {
		before := e.evaluations
		if err := batch.Step(ctx); err != nil {
			e.evaluations = before
			return 0, "", err
		}
		if digest, err = e.keep(batch, problem, s, digest); err != nil {
			return 0, "", err
		}
	}
	return s.from + batch.Generation(0), digest, nil
}

// budgets returns the evaluations of one run on every target.
func budgets(targets []target) int64 {
	sum := int64(0)
	for _, t := range targets {
		sum += int64(t.budget)
	}
	return sum
}

// begin sets the first generation of a search.
func (e *Engine) begin(ctx context.Context, batch *Batch, training []target, s segment, key rsie.Key) error {
	first, err := e.halve(ctx, training, e.island(s.number), fmt.Sprintf("halving_%d", s.number), key.Child(keyOperators))
	if err != nil {
		return err
	}
	var points [][]float64
	for _, s := range first {
		x := make([]float64, e.space.Dim())
		e.space.Encode(x, s)
		points = append(points, x)
	}
	batch.Start(points)
	return nil
}

// resume loads the state of the last stored generation.
func (e *Engine) resume(batch *Batch, in island, state []float64) error {
	if err := batch.Restore(state); err != nil {
		return err
	}
	points, _, err := batch.Members(0)
	if err != nil {
		return err
	}
	dim := e.space.Dim()
	e.lastDigests = e.lastDigests[:0]
	for i := range len(points) / dim {
		e.lastDigests = append(e.lastDigests, in.decode(points[i*dim:][:dim]).Digest())
	}
	return nil
}

// keep files the generation just made and stores it in one transaction.
func (e *Engine) keep(batch *Batch, p *strategies, place segment, last string) (string, error) {
	number := place.from + batch.Generation(0) - 1
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
		if seen[d] || len(m.outcomes) == 0 {
			continue
		}
		seen[d] = true
		r := e.archive.at(m.strategy, number)
		if r.parents == nil && number > place.from && r.born == number {
			r.parents = []string{e.lastDigests[parents[i]]}
		}
		r.note(m)
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

// restore rebuilds the archive of all measurements in the order they were made, and returns the
// last stored generation, nil when there is none.
func (e *Engine) restore(training []target) (*store.Generation, error) {
	if e.config.Store == nil {
		return nil, nil
	}
	last, err := e.config.Store.Last()
	if err != nil || last == nil {
		return nil, err
	}
	e.evaluations = last.Evaluations
	rows, err := e.config.Store.Strategies()
	if err != nil {
		return nil, err
	}
	known := map[string]store.Strategy{}
	for _, r := range rows {
		known[r.Digest] = r
	}
	return last, e.replay(known, training)
}

// replay files the stored results again. Those of a strategy in a generation stand together.
func (e *Engine) replay(known map[string]store.Strategy, training []target) error {
	type run struct {
		task      string
		replicate int
	}
	var group []store.Result
	seen := map[run]bool{}
	flush := func() error {
		if len(group) == 0 {
			return nil
		}
		err := e.refile(group, known[group[0].Strategy], training)
		group = group[:0]
		clear(seen)
		return err
	}
	err := e.config.Store.Results(func(r store.Result) error {
		at := run{r.Task, r.Replicate}
		if len(group) > 0 && (r.Strategy != group[0].Strategy || seen[at]) {
			if err := flush(); err != nil {
				return err
			}
		}
		group = append(group, r)
		seen[at] = true
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// refile notes one measurement of a strategy from its stored results.
func (e *Engine) refile(group []store.Result, row store.Strategy, training []target) error {
	var s rsie.Strategy
	if err := json.Unmarshal(row.Genes, &s); err != nil {
		return err
	}
	m := measured{strategy: rsie.StrategySpace.Canonical(s), tasks: map[string]rsie.Metrics{}}
	terms := map[string][]rsie.Metrics{}
	for _, g := range group {
		var v rsie.Metrics
		if err := json.Unmarshal(g.Metrics, &v); err != nil {
			return err
		}
		terms[g.Task] = append(terms[g.Task], v)
	}
	for name, v := range terms {
		m.tasks[name] = Score(v)
	}
	m.dropped = len(terms) < len(training)
	if !m.dropped {
		m.score = e.scoreOf(m.tasks, training)
	}
	r := e.archive.at(m.strategy, row.Generation)
	r.parents = row.Parents
	r.note(m)
	return nil
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
