package meta

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/store"
	"github.com/symbio-ai/recursive-improvement/task"
)

// Config is what an [Engine] is told. Zero values mean the defaults in brackets.
type Config struct {
	MetaPopulationSize int             // strategies per generation [20], 2 to 10,000
	MetaGenerations    int             // [30], 1 to 1,000,000
	BaseTaskBudget     int             // evaluations of a level-1 run [100]
	TaskBudgets        bool            // a task that states a budget keeps it; BaseTaskBudget is for the others
	RunsPerTask        int             // keys per strategy and task [2], 1 to 10,000
	Objectives         rsie.Objectives // weights of meta-fitness [DefaultObjectives]
	Seed               uint64
	Backend            rsie.Backend     // required
	Strategy           *rsie.Strategy   // what level 2 runs [MetaStrategy]; its population_size is MetaPopulationSize
	Starts             []rsie.Strategy  // hand-designed strategies to start from [rsie.Starts]
	Rivals             []rsie.Strategy  // hand-designed strategies of the final table [Starts and snes-assembled]
	Candidates         int              // strategies of the first halving [8·MetaPopulationSize]
	Restarts           int              // independent searches that share MetaGenerations [1], each in one family of strategies, in turn
	MetaBudget         int64            // level-1 evaluations until the winner is chosen, 0: as many as it takes
	Without            Devices          // parts of the search that are switched off
	FinalRuns          int              // keys of the final table and of the race's last round [10]
	Store              *store.Store     // nil: nothing is kept on disk
	Progress           func(Generation) // called after each generation is stored
	Say                func(string)     // called with a line on what is being done besides generations
}

// Devices are parts of the search of level 2; a true one is switched off.
type Devices struct {
	Halving  bool `json:"halving"`  // the first generation is drawn, not chosen among Candidates
	Racing   bool `json:"racing"`   // every strategy meets every task
	Evidence bool `json:"evidence"` // the last measurement alone counts, not the bound of all

	Crossover   bool `json:"crossover"`   // a child has one parent
	Remeasuring bool `json:"remeasuring"` // a survivor keeps its measurement
	FreshKeys   bool `json:"fresh_keys"`  // generations have the same keys, so nothing is measured again
	FinalRace   bool `json:"final_race"`  // the leader of the search is the winner
}

// Generation is what one generation of level 2 brought.
type Generation struct {
	Number      int     `json:"generation"` // from 0
	Best        float64 `json:"best"`       // meta-fitness, maximised
	Median      float64 `json:"median"`
	Strategy    string  `json:"strategy"`    // digest of the best
	Summary     string  `json:"summary"`     // the best in words
	Evaluations int64   `json:"evaluations"` // level-1 evaluations so far
	Digest      string  `json:"digest"`      // of the run up to here
}

func (c *Config) complete() error {
	set := func(v *int, def int) {
		if *v == 0 {
			*v = def
		}
	}
	set(&c.MetaPopulationSize, 20)
	set(&c.MetaGenerations, 30)
	set(&c.BaseTaskBudget, 100)
	set(&c.RunsPerTask, 2)
	set(&c.FinalRuns, 10)
	set(&c.Candidates, 8*c.MetaPopulationSize)
	set(&c.Restarts, 1)
	if (c.Objectives == rsie.Objectives{}) {
		c.Objectives = rsie.DefaultObjectives()
	}
	for _, f := range []struct {
		name            string
		value, low, top int
	}{
		{"meta-population", c.MetaPopulationSize, 2, 10_000},
		{"meta-generations", c.MetaGenerations, 1, 1_000_000},
		{"base-budget", c.BaseTaskBudget, 10, 1 << 30},
		{"runs-per-task", c.RunsPerTask, 1, 10_000},
		{"final-runs", c.FinalRuns, 2, 10_000},
		{"candidates", c.Candidates, c.MetaPopulationSize, 1_000_000},
		{"restarts", c.Restarts, 1, c.MetaGenerations},
	} {
		if f.value < f.low || f.value > f.top {
			return fmt.Errorf("%w: %s is %d, allowed is %d to %d", rsie.ErrInvalid, f.name, f.value, f.low, f.top)
		}
	}
	if c.MetaBudget < 0 {
		return fmt.Errorf("%w: meta-budget is %d, allowed is 0 (no limit) or more", rsie.ErrInvalid, c.MetaBudget)
	}
	if c.Backend == nil {
		return fmt.Errorf("%w: an engine needs a backend, such as cpu.NewGonum(0)", rsie.ErrInvalid)
	}
	if c.Say == nil {
		c.Say = func(string) {}
	}
	if c.Strategy == nil {
		s := MetaStrategy()
		c.Strategy = &s
	}
	if c.Starts == nil {
		c.Starts = rsie.Starts()
	}
	if c.Rivals == nil {
		assembled, err := rsie.Baseline("snes-assembled")
		if err != nil {
			return err
		}
		c.Rivals = append(slices.Clone(c.Starts), assembled)
	}
	return c.Objectives.Check()
}

// anchorRuns is the number of keys per strategy that anchors are measured with.
const anchorRuns = 5

// Engine searches for strategies: level 2. Use it from one goroutine.
type Engine struct {
	config      Config
	key         rsie.Key
	space       rsie.Space
	archive     *archive
	evaluations int64 // level-1 evaluations spent
	drawn       uint64
	lastDigests []string // of the last generation's members
	result      *Result
}

// The uses of the engine's key.
const (
	keySearch = iota
	keyRace
	keySpecialist
	keyReport
	keyAnchors
	keyOperators
	keySame
)

// NewEngine returns an engine, or [rsie.ErrInvalid] with the field and its range.
func NewEngine(c Config) (*Engine, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	return &Engine{config: c, key: rsie.NewKey(c.Seed), space: rsie.StrategySpace, archive: newArchive()}, nil
}

// ModelFactory returns the problem that stands for a task of a name: the user's own model.
type ModelFactory func(name string) (rsie.Problem, error)

// budget returns the evaluations of a run on t.
func (e *Engine) budget(t *task.Task) int {
	if e.config.TaskBudgets && t.Budget > 0 {
		return t.Budget
	}
	return e.config.BaseTaskBudget
}

// AnchorsHold reports whether the anchors of t hold for runs of a budget: they were measured at
// the budget of the task. A task whose budget is 0 does not say, and is believed.
func AnchorsHold(t *task.Task, budget int) bool {
	return t.Anchors != nil && (t.Budget == 0 || t.Budget == budget)
}

// targets resolves tasks with the factory, nil meaning each task's own model, and finds anchors:
// those that the run keeps, else the task's where they hold for the budget, else measured ones,
// which the run keeps from then on.
func (e *Engine) targets(ctx context.Context, tasks []*task.Task, factory ModelFactory) ([]target, error) {
	var out []target
	known, err := e.storedAnchors()
	if err != nil {
		return nil, err
	}
	changed := false
	for _, t := range tasks {
		g := target{name: t.Name, split: splitOf(t), problem: t.Problem, digest: t.Digest(),
			budget: e.budget(t), made: t.Kind == "generated"}
		if factory != nil {
			if g.problem, err = factory(t.Name); err != nil {
				return nil, fmt.Errorf("model of task %s: %w", t.Name, err)
			}
		}
		stored, ok := known[t.Name]
		switch {
		case ok:
			// Spent before the run was stopped; restore overrules it by the stored sum.
			e.evaluations += int64(len(rsie.Starts()) * anchorRuns * g.budget)
			g.anchors = stored
		case factory == nil && AnchorsHold(t, g.budget):
			g.anchors = *t.Anchors
		default:
			m := AnchorMeter{Backend: e.config.Backend, Budget: g.budget, Runs: anchorRuns}
			report, err := m.Measure(ctx, t.Name, g.problem, e.key.Child(keyAnchors))
			if err != nil {
				return nil, err
			}
			if report.Solved {
				e.config.Say(fmt.Sprintf("warning: random search already solves task %s with %d evaluations; "+
					"it cannot tell strategies apart", t.Name, g.budget))
			}
			e.evaluations += report.Evaluations
			g.anchors, known[t.Name], changed = report.Anchors, report.Anchors, true
		}
		out = append(out, g)
	}
	if changed && e.config.Store != nil {
		b, err := json.Marshal(known)
		if err != nil {
			return nil, err
		}
		return out, e.config.Store.Put("anchors", b)
	}
	return out, nil
}

// splitOf returns the split of a task; one without teaches.
func splitOf(t *task.Task) string {
	if t.Split == "" {
		return "training"
	}
	return t.Split
}

func (e *Engine) storedAnchors() (map[string]rsie.Anchors, error) {
	known := map[string]rsie.Anchors{}
	if e.config.Store == nil {
		return known, nil
	}
	b, err := e.config.Store.Get("anchors")
	if err != nil || b == nil {
		return known, err
	}
	return known, json.Unmarshal(b, &known)
}

// InitializeMetaPopulation returns MetaPopulationSize strategies: the hand-designed starts, then
// strategies drawn uniformly from the space. They depend on the seed alone. The search starts
// from the best of Candidates such strategies.
func (e *Engine) InitializeMetaPopulation() []rsie.Strategy {
	return e.draw(e.config.MetaPopulationSize, island(""), e.key.Child(keyOperators))
}

// draw returns n strategies: the starts of the island, then uniform draws in it.
func (e *Engine) draw(n int, in island, key rsie.Key) []rsie.Strategy {
	var out []rsie.Strategy
	for _, s := range e.config.Starts {
		if len(out) < n && in.has(s) {
			out = append(out, s.Clone())
		}
	}
	x := make([]float64, e.space.Dim())
	for i := len(out); i < n; i++ {
		for k := range x {
			w := key.Words(uint32(k/4), uint32(i), 0, 0, rsie.StreamInitialise)
			x[k] = rsie.Uniform(w[k%4])
		}
		out = append(out, in.decode(x).Named())
	}
	return out
}

// EvaluateStrategy measures s on the tasks, RunsPerTask keys each, and returns the mean metrics
// over tasks. Repeated calls use the same keys.
func (e *Engine) EvaluateStrategy(ctx context.Context, s rsie.Strategy, tasks []*task.Task) (rsie.Metrics, error) {
	targets, err := e.targets(ctx, tasks, nil)
	if err != nil {
		return rsie.Metrics{}, err
	}
	got, err := e.measure(ctx, targets, []rsie.Strategy{s}, e.key.Child(keySearch), e.config.RunsPerTask)
	if err != nil {
		return rsie.Metrics{}, err
	}
	var all []rsie.Metrics
	for _, t := range targets {
		all = append(all, got[0].tasks[t.name])
	}
	return meanMetrics(all), nil
}

// CalculateMetaFitness returns the terms of m weighted by the engine's objectives, maximised.
func (e *Engine) CalculateMetaFitness(m rsie.Metrics) float64 {
	return m.MetaFitness(e.config.Objectives)
}

// CrossoverStrategies returns a child of a and b by the operators of the level-2 strategy on
// encoded points. Successive calls draw anew.
func (e *Engine) CrossoverStrategies(a, b rsie.Strategy) (rsie.Strategy, error) {
	s := *e.config.Strategy
	s.CrossoverRate, s.MutationRate = 1, 0
	return e.breed(s, a, b)
}

// MutateStrategy returns a mutated copy of a by the mutation of the level-2 strategy.
func (e *Engine) MutateStrategy(a rsie.Strategy) (rsie.Strategy, error) {
	s := *e.config.Strategy
	s.CrossoverRate = 0
	return e.breed(s, a, a)
}

// breed makes children of a and b with the backend's own operators, one generation of a run of
// s that starts from copies of the two, and returns the first that is neither; a copy of the
// first child when there is none.
func (e *Engine) breed(s, a, b rsie.Strategy) (rsie.Strategy, error) {
	s.PopulationSize, s.TournamentSize, s.Selection = 16, 1, rsie.Tournament
	s.ElitismRatio, s.DiversityThreshold = 0, 0
	e.drawn++
	key := e.key.Child(keyOperators).Child(e.drawn)
	batch, err := NewBatch(e.config.Backend, flat{}, []RunSpec{{Strategy: s, Key: key, Budget: 2 * s.PopulationSize}})
	if err != nil {
		return rsie.Strategy{}, err
	}
	defer batch.Close()
	dim := e.space.Dim()
	points := make([][]float64, s.PopulationSize)
	for i := range points {
		points[i] = make([]float64, dim)
		e.space.Encode(points[i], []rsie.Strategy{a, b}[i%2])
	}
	batch.Start(points)
	if err := batch.Run(context.Background()); err != nil {
		return rsie.Strategy{}, err
	}
	x, _, err := batch.Members(0)
	if err != nil {
		return rsie.Strategy{}, err
	}
	for i := range points {
		child := e.space.Decode(x[i*dim:][:dim])
		if d := child.Digest(); d != a.Digest() && d != b.Digest() {
			return child.Named(), nil
		}
	}
	return e.space.Decode(x[:dim]).Named(), nil
}

// flat is the strategy space with the same fitness everywhere.
type flat struct{}

func (flat) Shape() rsie.Shape { return (&strategies{}).Shape() }

func (flat) Evaluate(_ context.Context, fitness, _ []float64, _ rsie.Key) error {
	clear(fitness)
	return nil
}

// BestStrategyForTask returns the specialist of a task after [Engine.MetaTrain].
func (e *Engine) BestStrategyForTask(name string) (rsie.Strategy, bool) {
	if e.result == nil || len(e.result.Specialists[name]) == 0 {
		return rsie.Strategy{}, false
	}
	return e.result.Specialists[name][0].Clone(), true
}

// UniversalBestStrategy returns the winner of the race after [Engine.MetaTrain].
func (e *Engine) UniversalBestStrategy() (rsie.Strategy, bool) {
	if e.result == nil {
		return rsie.Strategy{}, false
	}
	return e.result.Universal[0].Clone(), true
}
