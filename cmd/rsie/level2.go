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
	name := r.Tasks[0].Name
	if rest, ok := strings.CutPrefix(name, "generated/"); ok {
		if _, err := task.OpenFamily(strings.Split(rest, "/")[0]); err == nil {
			return name
		}
	}
	if isPreset(strings.Split(cfg.Suite, joint)[0]) || err == nil && own == cfg.Suite {
		return name
	}
	ref := cfg.Suite + "#" + name
	if strings.ContainsAny(ref, "?&") {
		ref = "'" + ref + "'" // for a shell
	}
	return ref
}

// otherAnchors names the tasks whose anchors hold for another budget, with that budget.
func otherAnchors(tasks []*task.Task, budget int) []string {
	var out []string
	for _, t := range tasks {
		if t.Anchors != nil && budget > 0 && !meta.AnchorsHold(t, budget) {
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
	fmt.Fprintf(e.stderr, "run %s: %s, %s of %d strategies%s; Ctrl-C saves and stops\n",
		dir, count(len(tasks), "task"), count(cfg.MetaGenerations, "generation"), cfg.MetaPopulation, from)
	if others := otherAnchors(tasks, cfg.BaseBudget); len(others) > 0 {
		fmt.Fprintf(e.stderr, "anchors of %s do not hold for %d evaluations; this run measures its own\n",
			strings.Join(others, ", "), cfg.BaseBudget)
	}
	engine, result, err := learn(e, dir, cfg, tasks, backend, st)
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

// learn runs the search with its progress, its clock and its steering. It returns errInterrupted
// when the user, or a page, has stopped it.
func learn(e *env, dir string, cfg runConfig, tasks []*task.Task, backend rsie.Backend,
	st *store.Store) (*meta.Engine, *meta.Result, error) {
	pictures := newProgress(e.stderr, cfg.MetaGenerations)
	defer pictures.close()
	watch, err := newStopwatch(st, backend.Info().Device)
	if err != nil {
		return nil, nil, err
	}
	steer := newPilot(e.ctx, dir)
	defer steer.land()
	config := cfg.engine(backend, st)
	config.Progress = func(g meta.Generation) {
		watch.generation(g)
		pictures.generation(g)
		steer.generation(g)
		steer.pass(fmt.Sprintf("generation %d of %d is stored", g.Number+1, cfg.MetaGenerations))
	}
	config.Say = func(text string) {
		watch.say(text)
		pictures.say(text)
		steer.pass(text)
	}
	engine, err := meta.NewEngine(config)
	if err != nil {
		return nil, nil, err
	}
	result, err := engine.MetaTrain(steer.ctx, tasks, nil)
	watch.finish()
	pictures.close()
	if err != nil && steer.ctx.Err() != nil {
		fmt.Fprintf(e.stderr, "stopped; everything up to the last whole generation is saved\n"+
			"continue with: rsie resume %s\n", dir)
		err = errInterrupted
	}
	return engine, result, err
}

// printReport writes the final tables: strategies, then tasks.
func printReport(w io.Writer, r *meta.Result) {
	rep := r.Report
	fmt.Fprintf(w, "\nMeasured on %d fresh seeds per task, %s per run. Every figure is maximised.\n"+
		"area: mean area under quality against log evaluations. ahead: how far the universal winner\n"+
		"is ahead in meta-fitness on %s, with the 95 %% interval over seeds;\n"+
		"it is better or worse where the interval leaves out 0.\n\n",
		rep.Runs, budgetText(rep.Budget), judgedOn(rep))
	rows := [][]string{{"strategy", "meta-fitness", "area training", "generated", "validation", "ahead [95 %]"}}
	for _, row := range rep.Rows {
		if row.Role != "universal winner" && row.WinnerGain == nil {
			continue
		}
		rows = append(rows, []string{rowName(row), fixed(row.MetaFitness), optional(row.TrainingArea), optional(row.GeneratedArea),
			optional(row.ValidationArea), ahead(row)})
	}
	table(w, 1, rows)
	fmt.Fprintf(w, "\nFinal quality by task (0 = random search, 1 = best known):\n\n")
	printQualities(w, rep)
	fmt.Fprintf(w, "\nThe winner is: %s\n", meta.Describe(r.Universal[0]))
}

// judgedOn names the tasks that the winner's lead is measured on.
func judgedOn(rep meta.Report) string {
	for _, t := range rep.Tasks {
		if t.Split == "validation" {
			return "the validation tasks"
		}
	}
	return "all tasks, for want of validation tasks"
}

// rowName marks the winner.
func rowName(row meta.ReportRow) string {
	if row.Role == "universal winner" {
		return "learned: " + row.Name
	}
	return row.Name
}

// ahead formats the winner's lead over a row and what it means.
func ahead(row meta.ReportRow) string {
	if row.WinnerGain == nil {
		return "-"
	}
	in := *row.WinnerInterval
	verdict := "unclear"
	switch {
	case max(in[0], -in[0], in[1], -in[1]) < 0.0005:
		verdict = "equal" // to the digits printed; counted costs alone differ
	case in[0] > 0:
		verdict = "better"
	case in[1] < 0:
		verdict = "worse"
	}
	return fmt.Sprintf("%+.3f [%+.3f, %+.3f] %s", *row.WinnerGain, in[0], in[1], verdict)
}

func optional(v *float64) string {
	if v == nil {
		return "-"
	}
	return fixed(*v)
}

// printQualities writes one line per task: the winner, the task's specialist, the hand-designed.
func printQualities(w io.Writer, rep meta.Report) {
	head := []string{"task", "split", "learned", "specialist"}
	var shown []meta.ReportRow
	special := map[string]string{}
	for _, row := range rep.Rows {
		switch {
		case row.Role == "universal winner":
			shown = append([]meta.ReportRow{row}, shown...)
		case row.WinnerGain != nil:
			head = append(head, row.Name)
			shown = append(shown, row)
		default:
			for name, q := range row.Quality {
				special[name] = fixed(q)
			}
		}
	}
	rows := [][]string{head}
	for _, g := range groupTasks(rep.Tasks) {
		cells := []string{g.name, g.split, fixed(g.quality(shown[0])), "-"}
		if q, ok := special[g.name]; ok {
			cells[3] = q
		}
		for _, row := range shown[1:] {
			cells = append(cells, fixed(g.quality(row)))
		}
		rows = append(rows, cells)
	}
	foldedTable(w, 2, rows)
}

// taskGroup is one line of the table of qualities: a task, or all generated ones of a family.
type taskGroup struct {
	name, split string
	tasks       []string
}

func (g taskGroup) quality(row meta.ReportRow) float64 {
	sum := 0.0
	for _, name := range g.tasks {
		sum += row.Quality[name]
	}
	return sum / float64(len(g.tasks))
}

// groupTasks puts the generated tasks of a family and split together where they are more than six.
func groupTasks(tasks []meta.ReportTask) []taskGroup {
	family := func(t meta.ReportTask) string {
		return t.Name[:strings.LastIndex(t.Name, "/")+1] + " " + t.Split
	}
	count := map[string]int{}
	for _, t := range tasks {
		count[family(t)]++
	}
	var out []taskGroup
	place := map[string]int{}
	for _, t := range tasks {
		key := family(t)
		if !task.IsGenerated(t.Name) || count[key] <= 6 {
			out = append(out, taskGroup{t.Name, t.Split, []string{t.Name}})
			continue
		}
		k, ok := place[key]
		if !ok {
			k, place[key] = len(out), len(out)
			name := fmt.Sprintf("%s* (mean of %d)", t.Name[:strings.LastIndex(t.Name, "/")+1], count[key])
			out = append(out, taskGroup{name: name, split: t.Split})
		}
		out[k].tasks = append(out[k].tasks, t.Name)
	}
	return out
}

func fixed(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }
