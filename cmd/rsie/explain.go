package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/meta/explain"
	"github.com/symbio-ai/recursive-improvement/meta/store"
	"github.com/symbio-ai/recursive-improvement/task"
)

type explainCmd struct {
	Subject    string   `arg:"" help:"Folder of a finished run, whose winner is explained, or a strategy: a hand-designed name, FILE or FILE#genome_id."`
	Suite      string   `help:"Tasks to measure on, as of rsie compare. Default: those of the run, of a strategy as of rsie compare." placeholder:"quick|standard|FILE"`
	Tasks      []string `help:"Only these tasks." placeholder:"a,b"`
	Reference  string   `help:"Strategy that the genes are compared with." default:"default" placeholder:"NAME|FILE"`
	Genes      []string `help:"Only these: a gene, a factor such as sigma.schedule, all of a law as sigma.*, or several set together as a+b. Default: all that differ." placeholder:"a,b+c"`
	Around     string   `help:"Distribution of the strategies that genes are changed in: neighbourhood of the strategy, or uniform over the space." default:"neighbourhood" placeholder:"neighbourhood|uniform"`
	Score      string   `help:"area under quality against log evaluations, or quality at the end." default:"area" placeholder:"area|quality"`
	Budget     *int64   `help:"Evaluations to spend at most. Default: 1600 strategies, once on every task." placeholder:"EVALS"`
	BaseBudget *int     `help:"Evaluations of one run. Default: the run's, of a strategy each task's own." placeholder:"N"`
	Precision  float64  `help:"Half-width of an interval that is narrow enough, above 0 to 1." default:"0.01"`
	Seed       uint64   `help:"Seed; the same seed gives the same bytes." default:"1"`
	Out        string   `help:"Folder for measurements and result of a strategy; a run keeps its own. Default: explanations/GENOME_ID." placeholder:"DIR"`
	anchorFlags
	backendFlags
	jsonFlag
}

// explained is what is explained, and on what.
type explained struct {
	subject rsie.Strategy
	suite   *task.Suite
	tasks   []*task.Task
	budget  int // of one run, 0: each task's own
	anchors map[string]rsie.Anchors
	keep    explain.Keeper
	where   string // the result lies
}

// Run explains and prints.
func (c *explainCmd) Run(e *env) error {
	if c.Score != string(explain.Area) && c.Score != string(explain.Quality) {
		return fmt.Errorf("%w: --score %q, allowed are area and quality", rsie.ErrInvalid, c.Score)
	}
	if c.Budget != nil && *c.Budget < 1 || c.BaseBudget != nil && *c.BaseBudget < 10 {
		return fmt.Errorf("%w: --budget is at least 1, --base-budget at least 10", rsie.ErrInvalid)
	}
	if !(c.Precision > 0 && c.Precision <= 1) {
		return fmt.Errorf("%w: --precision %g, allowed is above 0 to 1", rsie.ErrInvalid, c.Precision)
	}
	reference, err := meta.FindStrategy(c.Reference)
	if err != nil {
		return err
	}
	backend, err := c.open()
	if err != nil {
		return err
	}
	defer backend.Close()
	var what explained
	if exists(filepath.Join(c.Subject, "run.db")) {
		st, err := store.Open(c.Subject)
		if err != nil {
			return err
		}
		defer st.Close()
		err = c.ofRun(e, &what, st)
		if err != nil {
			return err
		}
	} else if err := c.ofStrategy(e, &what); err != nil {
		return err
	}
	defer closeTasks(what.suite.Tasks)
	meter, err := c.meter(e, backend, what)
	if err != nil {
		return err
	}
	config := explain.Config{Subject: what.subject, Reference: reference, Meter: meter,
		Distribution: explain.Distribution(c.Around), Factors: c.Genes, Score: meter.Score, Precision: c.Precision,
		Seed: c.Seed, Keep: what.keep, Say: func(text string) { fmt.Fprintln(e.stderr, text) }}
	if c.Budget != nil {
		config.Limit = *c.Budget
	}
	got, err := explain.Explain(e.ctx, config)
	if err != nil && e.ctx.Err() != nil {
		fmt.Fprintln(e.stderr, "stopped; what was measured is kept, and the same command goes on from there")
		return errInterrupted
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e.stdout, got)
	}
	printExplanation(e.stdout, got)
	fmt.Fprintf(e.stdout, "\nkept in  %s\n", what.where)
	return nil
}

// ofRun takes strategy, tasks, budget and anchors from a finished run.
func (c *explainCmd) ofRun(e *env, what *explained, st *store.Store) error {
	raw, err := st.Config()
	if err != nil {
		return err
	}
	doc, ok, err := st.Finished()
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%w: the run %s is not finished; finish it with rsie resume %s", rsie.ErrInvalid,
			c.Subject, c.Subject)
	}
	var cfg runConfig
	var learned meta.Learned
	if err := errors.Join(json.Unmarshal(raw, &cfg), json.Unmarshal(doc, &learned)); err != nil {
		return fmt.Errorf("%w: %s: %v", rsie.ErrInvalid, c.Subject, err)
	}
	if len(learned.TopUniversalStrategies) == 0 {
		return fmt.Errorf("%w: the run %s has no winner", rsie.ErrInvalid, c.Subject)
	}
	what.subject = learned.TopUniversalStrategies[0]
	what.keep, what.where = st, filepath.Join(c.Subject, "run.db")
	name, names := cfg.Suite, cfg.Tasks
	if c.Suite != "" {
		name, names = c.Suite, nil
	}
	if c.Tasks != nil {
		names = c.Tasks
	}
	if err := c.load(e, what, name, names); err != nil {
		return err
	}
	if what.budget = orDefault(c.BaseBudget, cfg.BaseBudget); what.budget != cfg.BaseBudget || c.Suite != "" {
		return nil
	}
	kept, err := st.Get("anchors")
	if err != nil || kept == nil {
		return err
	}
	return json.Unmarshal(kept, &what.anchors)
}

// ofStrategy takes a strategy, and the tasks of the flags.
func (c *explainCmd) ofStrategy(e *env, what *explained) error {
	var err error
	if what.subject, err = meta.FindStrategy(c.Subject); err != nil {
		return err
	}
	name := c.Suite
	if name == "" {
		name = defaultSuite(len(c.Tasks) > 0)
	}
	if err := c.load(e, what, name, c.Tasks); err != nil {
		return err
	}
	what.budget = orDefault(c.BaseBudget, 0)
	what.where = c.Out
	if what.where == "" {
		clean := strings.Map(func(r rune) rune {
			if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
				return '-'
			}
			return r
		}, what.subject.GenomeID)
		what.where = filepath.Join("explanations", clean)
	}
	what.keep = explain.Folder(what.where)
	return nil
}

// load reads the suite and selects its tasks.
func (c *explainCmd) load(e *env, what *explained, name string, names []string) error {
	var err error
	if what.suite, err = loadSuite(name, e, c.Workers, e.stderr); err != nil {
		return err
	}
	what.tasks, err = selectTasks(what.suite, names)
	if err != nil {
		closeTasks(what.suite.Tasks)
	}
	return err
}

// meter finds the anchors: those of the run, those of the task where they hold for the budget,
// else measured ones.
func (c *explainCmd) meter(e *env, backend rsie.Backend, what explained) (*explain.Suite, error) {
	if err := c.fill(e, backend, what.tasks, what.budget); err != nil {
		return nil, err
	}
	out := &explain.Suite{Backend: backend, Score: explain.Score(c.Score)}
	for _, t := range what.tasks {
		target := explain.Target{Task: t, Budget: what.budget}
		if target.Budget == 0 {
			target.Budget = t.Budget
		}
		if target.Budget < 10 {
			return nil, fmt.Errorf("%w: task %s states no budget of a run; give one with --base-budget",
				rsie.ErrInvalid, t.Name)
		}
		if known, ok := what.anchors[t.Name]; ok {
			target.Anchors = known
		} else if meta.AnchorsHold(t, target.Budget) {
			target.Anchors = *t.Anchors
		} else {
			m := meta.AnchorMeter{Backend: backend, Budget: target.Budget, Runs: 5}
			fmt.Fprintf(e.stderr, "anchors of %s for %d evaluations: measured\n", t.Name, target.Budget)
			got, err := m.Measure(e.ctx, t.Name, t.Problem, rsie.NewKey(1))
			if err != nil {
				return nil, err
			}
			target.Anchors = got.Anchors
		}
		out.Targets = append(out.Targets, target)
	}
	return out, nil
}
