package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/meta/store"
	"github.com/symbio-ai/recursive-improvement/task"
)

type evolveCmd struct {
	Suite           string      `help:"quick, standard, a task or suite file, or generated:FAMILY,FAMILY?seed=0&count=20; +generated:... adds to another. Default: quick, or the tasks of ./tasks.yaml where there is one." placeholder:"quick|standard|FILE"`
	Tasks           []string    `help:"Only these tasks of the suite." placeholder:"a,b"`
	Alone           bool        `help:"Learn on the tasks of the standard suite alone. Default: on 24 generated ones besides, standard+generated:teaching?count=24."`
	MetaPopulation  *int        `help:"Strategies per generation. Default: 20, standard suite 24." placeholder:"N"`
	MetaGenerations *int        `help:"Generations of level 2. Default: 10, standard suite 40." placeholder:"N"`
	BaseBudget      *int        `help:"Evaluations of one level-1 run. Default: each task's own." placeholder:"EVALS"`
	RunsPerTask     *int        `help:"Runs of each strategy on each task in a generation; survivors run again in the next. Default: 2, standard suite 1." placeholder:"N"`
	Candidates      *int        `help:"Strategies of the first halving. Default: 8 times the meta-population, standard suite 10 times." placeholder:"N"`
	Restarts        *int        `help:"Independent searches that share the generations, each in one family of strategies, in turn; their leaders meet in the final race. Default: 1, standard suite 2." placeholder:"N"`
	FinalRuns       *int        `help:"Fresh seeds of the final tables. Default: 10, standard suite 5." placeholder:"N"`
	MetaBudget      int64       `help:"Level-1 evaluations until the winner is chosen: no generation begins that could pass it less the cost of the final race. Default: no limit but --meta-generations." placeholder:"EVALS"`
	Without         []string    `help:"Parts of the search to switch off: halving, racing, evidence, crossover, remeasuring, fresh-keys, final-race." placeholder:"PART,..."`
	Objectives      string      `help:"Weights of the terms of meta-fitness, as name=weight,...; unnamed terms count 0. Default: convergence_speed=0.3, final_fitness=0.4, sample_efficiency=0.2, diversity=0.05, robustness=0.03, computational_efficiency=0.02; standard suite sample_efficiency=1, the area its tables report." placeholder:"NAME=W,..."`
	Seed            uint64      `help:"Seed of everything; the same seed gives the same bytes." default:"1"`
	Out             string      `help:"Folder of the run; it must not hold a run yet. Default: the next of runs/001, runs/002, ..." placeholder:"DIR"`
	Live            liveAddress `help:"Serve a page that shows the run while it runs; --live=HOST:PORT says where. Default: a free port of 127.0.0.1." placeholder:"ADDR"`
	liveFlags
	anchorFlags
	backendFlags
	jsonFlag
}

// runConfig is the resolved configuration kept in run.db; a resume needs nothing else.
type runConfig struct {
	Suite           string          `json:"suite"`
	Tasks           []string        `json:"tasks"`
	Digests         []string        `json:"task_digests"`
	MetaPopulation  int             `json:"meta_population"`
	MetaGenerations int             `json:"meta_generations"`
	BaseBudget      int             `json:"base_budget"` // 0: each task's own
	RunsPerTask     int             `json:"runs_per_task"`
	Candidates      int             `json:"candidates"`
	Restarts        int             `json:"restarts"`
	FinalRuns       int             `json:"final_runs"`
	MetaBudget      int64           `json:"meta_budget"` // 0: no limit
	Without         meta.Devices    `json:"without"`
	Objectives      rsie.Objectives `json:"objectives"`
	Seed            uint64          `json:"seed"`
	Backend         string          `json:"backend"`
}

// Run starts a new run.
func (c *evolveCmd) Run(e *env) error {
	if c.Live != "" { // refused before any work
		if err := c.options(string(c.Live)).Check(); err != nil {
			return err
		}
	}
	suiteName := c.Suite
	if suiteName == "" {
		suiteName = defaultSuite(false)
	}
	if suiteName == "standard" && len(c.Tasks) == 0 && !c.Alone {
		suiteName += taught
	}
	var log execLog
	defer log.close()
	suite, err := loadSuite(suiteName, e, c.Workers, &log)
	if err != nil {
		return err
	}
	defer closeTasks(suite.Tasks)
	tasks, err := selectTasks(suite, c.Tasks)
	if err != nil {
		return err
	}
	cfg, err := c.resolve(suiteName, suite, tasks)
	if err != nil {
		return err
	}
	backend, err := c.open()
	if err != nil {
		return err
	}
	defer backend.Close()
	cfg.Backend = backend.Info().Name
	// The engine checks the settings before anything is written.
	if _, err := meta.NewEngine(cfg.engine(backend, nil)); err != nil {
		return err
	}
	b, err := json.Marshal(cfg)
	if err != nil {
		return err
	}
	dir := c.Out
	if dir == "" {
		dir = nextRun("runs")
	}
	if exists(filepath.Join(dir, "run.db")) {
		return fmt.Errorf("%w: %s already holds a run; continue it with rsie resume %s, or give another --out",
			rsie.ErrInvalid, dir, dir)
	}
	if err := c.fill(e, backend, tasks, cfg.BaseBudget); err != nil {
		return err
	}
	return c.begin(e, dir, b, cfg, tasks, backend, &log)
}

// begin makes the folder of the run and evolves in it, with a page where one is asked for.
func (c *evolveCmd) begin(e *env, dir string, config []byte, cfg runConfig, tasks []*task.Task, backend rsie.Backend,
	log *execLog) error {
	own := !exists(dir)
	st, err := store.Create(dir, config)
	if err != nil && !errors.Is(err, rsie.ErrInvalid) {
		err = badPath("begin a run in", dir, err)
	}
	if err != nil {
		return err
	}
	defer st.Close()
	log.keep(filepath.Join(dir, execLogName))
	if c.Live != "" {
		page, err := c.serve(e, string(c.Live), []string{dir})
		if err != nil {
			if own {
				discard(dir, st)
			}
			return err
		}
		defer page.Close()
	}
	err = evolve(e, dir, cfg, tasks, backend, st, c.JSON)
	if err != nil && !errors.Is(err, errInterrupted) && own {
		discard(dir, st)
	}
	return err
}

// resolve fills the configuration and checks what the engine does not.
func (c *evolveCmd) resolve(name string, suite *task.Suite, tasks []*task.Task) (runConfig, error) {
	cfg := runConfig{Suite: name, Seed: c.Seed}
	population, generations, runs, candidates, restarts, final := 20, 10, 2, 8, 1, 10
	objectives := rsie.DefaultObjectives()
	if isStandard(name) {
		population, generations, runs, candidates, restarts, final = 24, 40, 1, 10, 2, 5
		objectives = rsie.Objectives{SampleEfficiency: 1}
	}
	cfg.RunsPerTask = orDefault(c.RunsPerTask, runs)
	cfg.MetaPopulation = orDefault(c.MetaPopulation, population)
	cfg.MetaGenerations = orDefault(c.MetaGenerations, generations)
	cfg.BaseBudget = orDefault(c.BaseBudget, 0)
	cfg.Candidates = orDefault(c.Candidates, candidates*cfg.MetaPopulation)
	cfg.Restarts, cfg.FinalRuns = orDefault(c.Restarts, min(restarts, cfg.MetaGenerations)), orDefault(c.FinalRuns, final)
	cfg.MetaBudget = c.MetaBudget
	// The engine takes 0 for its own defaults; on the command line it is a mistake.
	for _, f := range []struct {
		flag       string
		value, low int
	}{{"meta-population", cfg.MetaPopulation, 2}, {"meta-generations", cfg.MetaGenerations, 1},
		{"base-budget", orDefault(c.BaseBudget, 10), 10}, {"runs-per-task", cfg.RunsPerTask, 1},
		{"candidates", cfg.Candidates, cfg.MetaPopulation}, {"restarts", cfg.Restarts, 1},
		{"final-runs", cfg.FinalRuns, 2}} {
		if f.value < f.low {
			return cfg, fmt.Errorf("%w: --%s %d, want at least %d", rsie.ErrInvalid, f.flag, f.value, f.low)
		}
	}
	var err error
	if cfg.Objectives, err = parseObjectives(c.Objectives, objectives); err != nil {
		return cfg, err
	}
	if cfg.Without, err = parseDevices(c.Without); err != nil {
		return cfg, err
	}
	if cfg.Suite, err = absoluteSuite(name); err != nil {
		return cfg, err
	}
	teachers := 0
	for _, t := range tasks {
		cfg.Tasks = append(cfg.Tasks, t.Name)
		cfg.Digests = append(cfg.Digests, t.Digest())
		if t.Split == "training" || t.Split == "" {
			teachers++
		}
	}
	if teachers == 0 {
		return cfg, fmt.Errorf("%w: none of the tasks %v has split training; a strategy learns on those",
			rsie.ErrInvalid, cfg.Tasks)
	}
	return cfg, nil
}

// orDefault returns what a flag was given, or its default.
func orDefault(given *int, value int) int {
	if given != nil {
		return *given
	}
	return value
}

// nextRun returns the first folder DIR/001, DIR/002, ... after all that exist.
func nextRun(dir string) string {
	last := 0
	entries, _ := os.ReadDir(dir) // none: the first run
	for _, f := range entries {
		if n, err := strconv.Atoi(f.Name()); err == nil {
			last = max(last, n)
		}
	}
	return filepath.Join(dir, fmt.Sprintf("%03d", last+1))
}

// discard removes the folder of a run that failed before its first generation; what programs
// of exec tasks complained about is kept.
func discard(dir string, st *store.Store) {
	last, err := st.Last()
	if err != nil || last != nil || exists(filepath.Join(dir, execLogName)) {
		return
	}
	st.Close()
	os.RemoveAll(dir)
	os.Remove(filepath.Dir(dir)) // the folder of runs, when it holds no other
}

// taught is what the standard suite learns on besides: strategies that know ten tasks alone carry
// over to others less well.
const taught = joint + "teaching?count=24"

// isStandard reports whether a suite is the standard one, with what it learns on besides or without.
func isStandard(name string) bool { return name == "standard" || name == "standard"+taught }

func isPreset(name string) bool { return name == "quick" || name == "standard" }

func (c runConfig) engine(b rsie.Backend, st *store.Store) meta.Config {
	return meta.Config{MetaPopulationSize: c.MetaPopulation, MetaGenerations: c.MetaGenerations,
		BaseTaskBudget: c.BaseBudget, TaskBudgets: c.BaseBudget == 0, RunsPerTask: c.RunsPerTask, Objectives: c.Objectives, Seed: c.Seed,
		Candidates: c.Candidates, Restarts: c.Restarts, FinalRuns: c.FinalRuns,
		MetaBudget: c.MetaBudget, Without: c.Without,
		Backend: b, Store: st}
}

// device is a part of the search by the name that --without knows it by.
type device struct {
	name string
	off  *bool
}

func devices(d *meta.Devices) []device {
	return []device{{"halving", &d.Halving}, {"racing", &d.Racing}, {"evidence", &d.Evidence},
		{"crossover", &d.Crossover}, {"remeasuring", &d.Remeasuring}, {"fresh-keys", &d.FreshKeys},
		{"final-race", &d.FinalRace}}
}

// parseDevices reads the parts of the search to switch off.
func parseDevices(names []string) (meta.Devices, error) {
	var d meta.Devices
	var known []string
	off := map[string]*bool{}
	for _, p := range devices(&d) {
		known = append(known, p.name)
		off[p.name] = p.off
	}
	for _, name := range names {
		if off[name] == nil {
			return d, fmt.Errorf("%w: --without %q; the parts are %s", rsie.ErrInvalid, name, strings.Join(known, ", "))
		}
		*off[name] = true
	}
	return d, nil
}

// parseObjectives reads name=weight pairs; empty means the weights otherwise.
func parseObjectives(text string, otherwise rsie.Objectives) (rsie.Objectives, error) {
	if text == "" {
		return otherwise, nil
	}
	var o rsie.Objectives
	fields := map[string]*float64{"convergence_speed": &o.ConvergenceSpeed, "final_fitness": &o.FinalFitness,
		"sample_efficiency": &o.SampleEfficiency, "diversity": &o.Diversity, "robustness": &o.Robustness,
		"computational_efficiency": &o.ComputationalEfficiency}
	given := map[string]bool{}
	var names []string
	for n := range fields {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, pair := range strings.Split(text, ",") {
		name, value, ok := strings.Cut(pair, "=")
		v, err := strconv.ParseFloat(value, 64)
		at := fields[name]
		if !ok || err != nil || at == nil {
			return o, fmt.Errorf("%w: --objectives %q: want name=weight with a name of %v", rsie.ErrInvalid, pair, names)
		}
		if given[name] {
			return o, fmt.Errorf("%w: --objectives names %s twice", rsie.ErrInvalid, name)
		}
		*at, given[name] = v, true
	}
	return o, o.Check()
}
