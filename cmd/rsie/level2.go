package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/meta/store"
	"github.com/symbio-ai/recursive-improvement/task"
)

// evolveResult is the object that --json prints after evolve and resume.
type evolveResult struct {
	Digest      string        `json:"digest"`     // of the whole run: the same for the same seed
	Run         string        `json:"run"`        // folder
	Strategies  string        `json:"strategies"` // file
	Evaluations int64         `json:"evaluations"`
	Universal   rsie.Strategy `json:"universal"` // the winner
	Report      meta.Report   `json:"report"`    // the final table
}

// taskRef returns how rsie train names the first task of a run.
func taskRef(cfg runConfig, r meta.Report) string {
	own, err := filepath.Abs("tasks.yaml")
	if isPreset(cfg.Suite) || err == nil && own == cfg.Suite {
		return r.Tasks[0].Name
	}
	return cfg.Suite + "#" + r.Tasks[0].Name
}

// otherAnchors names the tasks whose anchors hold for another budget, with that budget.
func otherAnchors(tasks []*task.Task, budget int) []string {
	var out []string
	for _, t := range tasks {
		if t.Anchors != nil && !meta.AnchorsHold(t, budget) {
			out = append(out, fmt.Sprintf("%s (%d)", t.Name, t.Budget))
		}
	}
	return out
}

// evolve runs or continues the search and writes the exports.
func evolve(e *env, dir string, cfg runConfig, tasks []*task.Task,
	backend rsie.Backend, st *store.Store, asJSON bool) error {
	last, err := st.Last()
	if err != nil {
		return err
	}
	from := ""
	if last != nil {
		from = fmt.Sprintf(" from generation %d on", last.Number+2)
		if last.Number+1 == cfg.MetaGenerations {
			from = ", all done: only the winners are measured"
		}
	}
	fmt.Fprintf(e.stderr, "run %s: %d tasks, %d generations of %d strategies%s; Ctrl-C saves and stops\n",
		dir, len(tasks), cfg.MetaGenerations, cfg.MetaPopulation, from)
	if others := otherAnchors(tasks, cfg.BaseBudget); len(others) > 0 {
		fmt.Fprintf(e.stderr, "anchors of %s do not hold for %d evaluations; this run measures its own\n",
			strings.Join(others, ", "), cfg.BaseBudget)
	}
	pictures := newProgress(e.stderr, cfg.MetaGenerations)
	defer pictures.close()
	config := cfg.engine(backend, st)
	config.Progress = pictures.generation
	engine, err := meta.NewEngine(config)
	if err != nil {
		return err
	}
	result, err := engine.MetaTrain(e.ctx, tasks, nil)
	pictures.close()
	if err != nil && e.ctx.Err() != nil {
		fmt.Fprintf(e.stderr, "stopped; everything up to the last whole generation is saved\n"+
			"continue with: rsie resume %s\n", dir)
		return errInterrupted
	}
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "strategies.json")
	var doc strings.Builder
	if err := engine.ExportLearnedStrategies(&doc); err != nil {
		return err
	}
	if err := writeFile(path, []byte(doc.String())); err != nil {
		return err
	}
	if asJSON {
		return printJSON(e.stdout, evolveResult{result.Digest, dir, path, result.Evaluations,
			result.Universal[0], result.Report})
	}
	printReport(e.stdout, result)
	fmt.Fprintf(e.stdout, "\nstrategies  %s\nrun         %s\ndigest      %s\n", path,
		filepath.Join(dir, "run.db"), result.Digest)
	fmt.Fprintf(e.stdout, "use it:     rsie train %s --strategy %s\n", taskRef(cfg, result.Report), path)
	return nil
}

// printReport writes the final table.
func printReport(w io.Writer, r *meta.Result) {
	rep := r.Report
	fmt.Fprintf(w, "\nFinal table: %d fresh seeds per task, %d evaluations per run. Every figure is maximised.\n"+
		"Columns of tasks hold the final quality (0 = random search, 1 = best known); (v) marks validation tasks.\n\n",
		rep.Runs, rep.Budget)
	head := []string{"strategy", "meta-fitness", "gain over default [95 %]", "area"}
	for _, t := range rep.Tasks {
		name := t.Name
		if t.Split == "validation" {
			name += " (v)"
		}
		head = append(head, name)
	}
	rows := [][]string{head}
	for _, row := range rep.Rows {
		name := row.Name
		if row.Role != "hand-designed" {
			name = row.Role + " " + row.Name
		}
		cells := []string{name, fixed(row.MetaFitness),
			fmt.Sprintf("%+.3f [%+.3f, %+.3f]", row.Gain, row.GainInterval[0], row.GainInterval[1]), fixed(row.Area)}
		for _, t := range rep.Tasks {
			cells = append(cells, fixed(row.Quality[t.Name]))
		}
		rows = append(rows, cells)
	}
	table(w, 1, rows)
	u := rep.Rows[0]
	verdict := "not significantly different from"
	if u.GainInterval[0] > 0 {
		verdict = "better than"
	} else if u.GainInterval[1] < 0 {
		verdict = "worse than"
	}
	fmt.Fprintf(w, "\nThe universal strategy is %s the default genome on these tasks (interval over seeds).\n", verdict)
	fmt.Fprintf(w, "It is: %s\n", meta.Describe(r.Universal[0]))
}

func fixed(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }
