package main

import (
	"fmt"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/task"
)

type tasksAnchorsCmd struct {
	File   string `arg:"" help:"Task or suite file."`
	Budget *int   `help:"Evaluations per run. Default: each task's own." placeholder:"N"`
	Runs   int    `help:"Runs of every hand-designed strategy." default:"5"`
	Seed   uint64 `help:"Seed." default:"1"`
	backendFlags
	jsonFlag
}

// anchorResult is one task as --json prints it.
type anchorResult struct {
	Task     string  `json:"task"`
	Budget   int     `json:"budget"`
	F0       float64 `json:"f0"`       // quality 0: median of random search, minimised
	F1       float64 `json:"f1"`       // quality 1: best known
	Strategy string  `json:"strategy"` // that reached f1
	Solved   bool    `json:"solved_by_random_search"`
}

// Run measures and writes the anchors.
func (c *tasksAnchorsCmd) Run(e *env) error {
	if c.Runs < 1 || c.Runs > 10_000 || c.Budget != nil && (*c.Budget < 1 || *c.Budget > 1<<30) {
		return fmt.Errorf("%w: --runs %d with --budget %d; allowed are 1 to 10000 and 1 to 2^30",
			rsie.ErrInvalid, c.Runs, orDefault(c.Budget, 0))
	}
	suite, err := task.Load(c.File, loadOptions(e, c.Workers, e.stderr))
	if err != nil {
		return err
	}
	defer closeTasks(suite.Tasks)
	if err := checkWritable(c.File); err != nil {
		return err
	}
	backend, err := c.open()
	if err != nil {
		return err
	}
	defer backend.Close()
	all, err := c.measure(e, suite, backend)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e.stdout, map[string]any{"file": c.File, "anchors": all})
	}
	for _, r := range all {
		fmt.Fprintf(e.stdout, "%s: quality 0 at %.9g (random search), quality 1 at %.9g (%s), %d evaluations\n",
			r.Task, r.F0, r.F1, r.Strategy, r.Budget)
		if r.Solved {
			fmt.Fprintf(e.stdout, "%s: random search already solves this task; it cannot tell strategies apart\n",
				r.Task)
		}
	}
	fmt.Fprintf(e.stdout, "written to %s; fitness is minimised\n", c.File)
	return nil
}

// measure returns what it wrote into the file, once per budget: anchors hold for one.
func (c *tasksAnchorsCmd) measure(e *env, suite *task.Suite, backend rsie.Backend) ([]anchorResult, error) {
	var all []anchorResult
	var budgets []int // in the order of the file
	byBudget := map[int]map[string]rsie.Anchors{}
	for _, t := range suite.Tasks {
		budget := orDefault(c.Budget, t.Budget)
		m := meta.AnchorMeter{Backend: backend, Budget: budget, Runs: c.Runs}
		r, err := m.Measure(e.ctx, t.Name, t.Problem, rsie.NewKey(c.Seed))
		if err != nil {
			return nil, err
		}
		if byBudget[budget] == nil {
			budgets, byBudget[budget] = append(budgets, budget), map[string]rsie.Anchors{}
		}
		byBudget[budget][t.Name] = r.Anchors
		all = append(all, anchorResult{t.Name, budget, r.Anchors.F0, r.Anchors.F1, r.Strategy, r.Solved})
	}
	for _, budget := range budgets {
		command := fmt.Sprintf("rsie tasks anchors %s --budget %d --runs %d --seed %d",
			c.File, budget, c.Runs, c.Seed)
		if err := task.WriteAnchors(c.File, byBudget[budget], command, budget); err != nil {
			return nil, err
		}
	}
	return all, nil
}
