package report

import (
	"encoding/json"
	"fmt"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/meta/explain"
	"github.com/symbio-ai/recursive-improvement/meta/stats"
	"github.com/symbio-ai/recursive-improvement/meta/store"
)

// Run is a run of level 2 as plain values. Scores are meta-fitness, qualities final fitness on the
// scale of the anchors; both are maximised.
type Run struct {
	Name    string // the folder as the user named it
	Command string // that makes the run again, for a shell
	Program string // version of the program that reads it

	Settings    Settings
	Generations []Generation
	Strategies  []Strategy // in the order they were met
	Learned     *meta.Learned
	Curves      *meta.ReportCurves // nil of a run that is not finished, or of an older program
	Finals      []store.Result     // level-1 runs of the final table
	Halving     int64              // evaluations before the first generation
	Timeline    Timeline
	Explained   *explain.Result // nil until rsie explain has measured causes
	Digest      string          // of the whole run, as rsie evolve prints it; empty until it is finished

	index map[string]int // of Strategies by digest
}

// Settings are the parts of the configuration that a report shows.
type Settings struct {
	Suite           string          `json:"suite"`
	Tasks           []string        `json:"tasks"`
	MetaPopulation  int             `json:"meta_population"`
	MetaGenerations int             `json:"meta_generations"`
	BaseBudget      int             `json:"base_budget"` // evaluations of one level-1 run; 0: each task's own
	RunsPerTask     int             `json:"runs_per_task"`
	Restarts        int             `json:"restarts"`
	FinalRuns       int             `json:"final_runs"`
	Objectives      rsie.Objectives `json:"objectives"`
	Seed            uint64          `json:"seed"`
	Backend         string          `json:"backend"`
}

// Generation is one generation of level 2.
type Generation struct {
	meta.Generation
	Members []Member // that were measured, in the order they were stored
}

// Member is one strategy in one generation.
type Member struct {
	Strategy  int     // place in [Run.Strategies]
	Score     float64 // of one that was dropped: over the cheap tasks alone
	Tasks     int     // that it met
	Dropped   bool    // it lost on the cheap tasks and did not meet the others
	Diversity float64 // mean spread of its level-1 populations, relative to the start
}

// Strategy is one strategy that the run has met.
type Strategy struct {
	Digest string
	Name   string // the genome_id, or the name of the hand-designed strategy it equals
	Genome rsie.Strategy
	Point  []float64 // encoded, [K]
	Parent int       // place in [Run.Strategies], -1 when it has none
	Born   int       // generation, from 0
	Scores []float64 // one per generation that measured it on all tasks
	Tasks  map[string]TaskMean
}

// TaskMean is what a strategy reached on a task in the search.
type TaskMean struct {
	Quality, Area float64 // means over Runs
	Runs          int
	Evaluations   int64 // of those runs
}

// Score returns the mean of a strategy's scores, NaN when it has none.
func (s *Strategy) Score() float64 {
	if len(s.Scores) == 0 {
		return math.NaN()
	}
	return stats.Mean(s.Scores)
}

// Load reads a run. name is how the user named its folder. A run that is written meanwhile is read
// as it was after the last generation that its first part shows: what came later is left out.
func Load(st *store.Store, name string) (*Run, error) {
	r := &Run{Name: name, index: map[string]int{}}
	config, err := st.Config()
	if err == nil {
		err = decode("configuration", config, &r.Settings)
	}
	if err != nil {
		return nil, err
	}
	for _, load := range []func(*store.Store) error{r.loadGenerations, r.loadStrategies, r.loadResults} {
		if err := load(st); err != nil {
			return nil, err
		}
	}
	return r, r.loadDocuments(st)
}

func decode(what string, b []byte, v any) error {
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: the run's %s: %v", rsie.ErrInvalid, what, err)
	}
	return nil
}

func (r *Run) loadStrategies(st *store.Store) error {
	rows, err := st.Strategies()
	if err != nil {
		return err
	}
	known := baselineNames()
	for i, row := range rows {
		if row.Generation >= len(r.Generations) {
			break // they stand in the order in which they were met
		}
		s := Strategy{Digest: row.Digest, Parent: -1, Born: row.Generation, Tasks: map[string]TaskMean{}}
		if err := decode("strategy "+row.Digest, row.Genes, &s.Genome); err != nil {
			return err
		}
		s.Name = s.Genome.GenomeID
		if name, ok := known[row.Digest]; ok {
			s.Name = name
		}
		s.Point = make([]float64, rsie.StrategySpace.Dim())
		rsie.StrategySpace.Encode(s.Point, s.Genome)
		if len(row.Parents) > 0 {
			if p, ok := r.index[row.Parents[0]]; ok {
				s.Parent = p
			}
		}
		r.index[row.Digest] = i
		r.Strategies = append(r.Strategies, s)
	}
	return nil
}

// baselineNames returns the names of the hand-designed strategies by digest.
func baselineNames() map[string]string {
	out := map[string]string{}
	for _, b := range append(rsie.Baselines(), rsie.DefaultStrategy()) {
		if d := b.Digest(); out[d] == "" {
			out[d] = b.GenomeID
		}
	}
	return out
}

func (r *Run) loadGenerations(st *store.Store) error {
	return st.Generations(func(g store.Generation) error {
		var out Generation
		if err := decode("generation", g.Summary, &out.Generation); err != nil {
			return err
		}
		out.Number, out.Evaluations = g.Number, g.Evaluations
		r.Generations = append(r.Generations, out)
		return nil
	})
}

func (r *Run) loadResults(st *store.Store) error {
	return (&gatherer{run: r, terms: map[string][]rsie.Metrics{}, strategy: -1}).read(st)
}

// gatherer joins the results of one strategy in one generation, which stand together.
type gatherer struct {
	run                  *Run
	generation, strategy int
	terms                map[string][]rsie.Metrics // by task
}

func (g *gatherer) read(st *store.Store) error {
	err := st.ResultsByGeneration(func(generation int, v store.Result) error {
		if generation >= len(g.run.Generations) {
			return nil
		}
		at, ok := g.run.index[v.Strategy]
		if !ok {
			return fmt.Errorf("%w: the run's results name a strategy that it lacks", rsie.ErrInvalid)
		}
		if generation != g.generation || at != g.strategy {
			g.flush()
			g.generation, g.strategy = generation, at
		}
		var m rsie.Metrics
		if err := readMetrics(v.Metrics, &m); err != nil {
			return err
		}
		g.terms[v.Task] = append(g.terms[v.Task], m)
		s := &g.run.Strategies[at]
		t := s.Tasks[v.Task]
		t.Runs++
		t.Evaluations += v.Evaluations
		t.Quality += (m.FinalFitness - t.Quality) / float64(t.Runs)
		t.Area += (m.SampleEfficiency - t.Area) / float64(t.Runs)
		s.Tasks[v.Task] = t
		return nil
	})
	g.flush()
	g.run.markDropped()
	return err
}

// flush files what has been gathered.
func (g *gatherer) flush() {
	if len(g.terms) == 0 {
		return
	}
	var mean rsie.Metrics
	n := float64(len(g.terms))
	for _, name := range sortedKeys(g.terms) {
		m := meta.Score(g.terms[name])
		mean.ConvergenceSpeed += m.ConvergenceSpeed / n
		mean.FinalFitness += m.FinalFitness / n
		mean.SampleEfficiency += m.SampleEfficiency / n
		mean.Diversity += m.Diversity / n
		mean.Robustness += m.Robustness / n
		mean.ComputationalEfficiency += m.ComputationalEfficiency / n
	}
	at := &g.run.Generations[g.generation]
	at.Members = append(at.Members, Member{Strategy: g.strategy,
		Score: mean.MetaFitness(g.run.Settings.Objectives), Diversity: mean.Diversity, Tasks: len(g.terms)})
	g.terms = map[string][]rsie.Metrics{}
}

// markDropped tells members that met fewer tasks than others and gives the rest their scores.
func (r *Run) markDropped() {
	all := 0
	for _, g := range r.Generations {
		for _, m := range g.Members {
			all = max(all, m.Tasks)
		}
	}
	for g := range r.Generations {
		for k := range r.Generations[g].Members {
			m := &r.Generations[g].Members[k]
			if m.Dropped = m.Tasks < all; !m.Dropped {
				s := &r.Strategies[m.Strategy]
				s.Scores = append(s.Scores, m.Score)
			}
		}
	}
}

// The names of the documents that the engine keeps in a run besides its results.
const (
	finalsDocument  = "results_report"
	halvingDocument = "halving_%d"
)

func (r *Run) loadDocuments(st *store.Store) error {
	get := func(name string, v any) error {
		b, err := st.Get(name)
		if err != nil || b == nil {
			return err
		}
		return decode("document "+name, b, v)
	}
	for _, d := range []struct {
		name string
		to   any
	}{{meta.CurvesDocument, &r.Curves}, {finalsDocument, &r.Finals},
		{TimelineDocument, &r.Timeline}} {
		if err := get(d.name, d.to); err != nil {
			return err
		}
	}
	var err error
	if r.Explained, err = explain.Stored(st); err != nil {
		return fmt.Errorf("%w: the run's explanation: %v", rsie.ErrInvalid, err)
	}
	var first struct{ Evaluations int64 }
	if err := get(fmt.Sprintf(halvingDocument, 0), &first); err != nil {
		return err
	}
	r.Halving = first.Evaluations
	doc, ok, err := st.Finished()
	if err != nil || !ok || len(r.Generations) < r.Settings.MetaGenerations {
		return err
	}
	if n := len(r.Generations); n > 0 {
		r.Digest = meta.RunDigest(r.Generations[n-1].Digest, doc)
	}
	return decode("result", doc, &r.Learned)
}

// Winner returns the place of the universal winner, or of the leader of a run that is not
// finished; -1 when nothing has been measured on all tasks.
func (r *Run) Winner() int {
	if r.Learned != nil && len(r.Learned.TopUniversalStrategies) > 0 {
		if i, ok := r.index[r.Learned.TopUniversalStrategies[0].Digest()]; ok {
			return i
		}
	}
	if order := r.ranked(); len(order) > 0 {
		return order[0]
	}
	return -1
}

// Best returns the highest meta-fitness of any generation, NaN when there is none.
func (r *Run) Best() float64 {
	best := math.NaN()
	for _, g := range r.Generations {
		if !(g.Best <= best) {
			best = g.Best
		}
	}
	return best
}
