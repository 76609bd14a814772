package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/task"
)

type trainCmd struct {
	Task     string `arg:"" help:"A task of ./tasks.yaml or of the embedded suite, generated/FAMILY/SEED, a function such as bbob/f3/d5/i7, FILE or FILE#NAME."`
	Strategy string `help:"A hand-designed strategy's name, or FILE or FILE#genome_id. Default: snes." default:"snes" placeholder:"NAME|FILE[#ID]"`
	Budget   *int   `help:"Evaluations per run. Default: the task's." placeholder:"N"`
	Runs     int    `help:"Runs; the one of lowest validation loss is kept." default:"3"`
	Seed     uint64 `help:"Seed; the same seed gives the same bytes." default:"1"`
	Out      string `help:"Folder for model.safetensors, model.json and curve.csv. Default: runs/TASK." placeholder:"DIR"`
	backendFlags
	jsonFlag
}

// trainResult is the object that --json prints.
type trainResult struct {
	Task        string                        `json:"task"`
	Strategy    string                        `json:"strategy"`
	Budget      int                           `json:"budget"`
	Fitness     float64                       `json:"fitness"` // training, minimised
	Runs        []float64                     `json:"runs"`
	Kept        int                           `json:"kept_run"`
	Quality     *float64                      `json:"quality"`
	Precision   *float64                      `json:"precision,omitempty"` // f - f_opt, of a function
	Metrics     map[string]map[string]float64 `json:"metrics"`
	Out         string                        `json:"out"`
	Parameters  int                           `json:"parameters"`
	Evaluations int                           `json:"evaluations"`
}

// Run trains and writes the model.
func (c *trainCmd) Run(e *env) error {
	t, err := findTask(c.Task, e, c.Workers)
	if err != nil {
		return err
	}
	defer t.Close()
	s, err := meta.FindStrategy(c.Strategy)
	if err != nil {
		return err
	}
	budget := orDefault(c.Budget, t.Budget)
	if budget < 1 || budget > 1<<30 || c.Runs < 1 || c.Runs > 10_000 {
		return fmt.Errorf("%w: --budget %d with --runs %d; allowed are 1 to 2^30 and 1 to 10000",
			rsie.ErrInvalid, budget, c.Runs)
	}
	out := c.Out
	if out == "" {
		out = filepath.Join("runs", t.Name)
	}
	stage, err := newStage(out)
	if err != nil {
		return err
	}
	defer stage.discard()
	backend, err := c.open()
	if err != nil {
		return err
	}
	defer backend.Close()
	got, err := meta.TrainTask(e.ctx, backend, t, s, rsie.NewKey(c.Seed), budget, c.Runs)
	if err != nil {
		return err
	}
	if err := saveTrained(stage.dir, t, s, got, c.Seed); err != nil {
		return err
	}
	if err := stage.commit(); err != nil {
		return err
	}
	result := trainResult{Task: t.Name, Strategy: s.GenomeID, Budget: budget, Fitness: got.Fitness, Runs: got.Runs,
		Kept: got.Run, Quality: got.Quality, Metrics: map[string]map[string]float64{}, Out: out,
		Parameters: len(got.Point), Evaluations: budget * c.Runs}
	if t.Anchors != nil && t.Anchors.Floor > 0 {
		above := got.Fitness - t.Anchors.F1
		result.Precision = &above
	}
	for _, p := range []string{"training", "validation", "test"} {
		result.Metrics[p] = map[string]float64{}
		for _, m := range got.Metrics[p] {
			result.Metrics[p][m.Name] = m.Value
		}
	}
	if c.JSON {
		return printJSON(e.stdout, result)
	}
	printTrained(e, result, got)
	return nil
}

// saveTrained writes the model, where the task has one, and the curve.
func saveTrained(out string, t *task.Task, s rsie.Strategy, got *meta.TrainReport, seed uint64) error {
	info := map[string]any{"strategy": s, "seed": seed, "training_fitness": got.Fitness}
	if _, ok := t.Problem.(rsie.Modelled); ok {
		if err := task.SaveModel(out, t, got.Point, info); err != nil {
			return err
		}
	} else if err := savePoint(out, got); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("evaluations,best_fitness\n")
	for _, p := range got.Curve.Points {
		fmt.Fprintf(&b, "%d,%s\n", p.Evaluations, strconv.FormatFloat(p.Fitness, 'g', -1, 64))
	}
	return writeFile(filepath.Join(out, "curve.csv"), []byte(b.String()))
}

// savePoint writes the parameters of a problem that is not a network.
func savePoint(out string, got *meta.TrainReport) error {
	var b strings.Builder
	b.WriteString("[")
	for j, v := range got.Point {
		if j > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.FormatFloat(v, 'g', -1, 64))
	}
	b.WriteString("]\n")
	return writeFile(filepath.Join(out, "point.json"), []byte(b.String()))
}

func printTrained(e *env, r trainResult, got *meta.TrainReport) {
	fmt.Fprintf(e.stdout, "trained %s with %s: %d parameters, %s of %d evaluations\n",
		r.Task, r.Strategy, r.Parameters, count(len(r.Runs), "run"), r.Budget)
	fmt.Fprintf(e.stdout, "training fitness %.6g (minimised), run %d of %d kept\n", r.Fitness, r.Kept+1, len(r.Runs))
	if r.Quality != nil {
		fmt.Fprintf(e.stdout, "quality %.3f (0 = random search, 1 = best known)\n", *r.Quality)
	}
	if r.Precision != nil {
		fmt.Fprintf(e.stdout, "precision %.6g above the lowest value\n", *r.Precision)
	}
	rows := [][]string{{"metric", "training", "validation", "test", "better is"}}
	for i, m := range got.Metrics["training"] {
		row := []string{m.Name}
		for _, p := range []string{"training", "validation", "test"} {
			cell := "-"
			if i < len(got.Metrics[p]) {
				cell = strconv.FormatFloat(got.Metrics[p][i].Value, 'g', 5, 64)
			}
			row = append(row, cell)
		}
		rows = append(rows, append(row, direction(m.Maximise)))
	}
	if len(rows) > 1 {
		table(e.stdout, 1, rows)
	}
	fmt.Fprintf(e.stdout, "written to %s\n", r.Out)
}

func direction(maximise bool) string {
	if maximise {
		return "higher"
	}
	return "lower"
}
