package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/task"
)

type tasksCmd struct {
	List     tasksListCmd     `cmd:"" default:"withargs" help:"List the tasks of a suite."`
	Show     tasksShowCmd     `cmd:"" help:"Show a task."`
	Eval     tasksEvalCmd     `cmd:"" help:"Fitness and metrics of given parameter vectors."`
	Schema   tasksSchemaCmd   `cmd:"" help:"Print the JSON Schema of task files, for editors."`
	Generate tasksGenerateCmd `cmd:"" help:"Generate tasks of a family from a seed, or list the families."`
	Anchors  tasksAnchorsCmd  `cmd:"" help:"Measure the reference values of a file's tasks and write them into it."`
}

type tasksListCmd struct {
	Suite string `help:"quick, standard or a file." default:"standard"`
	jsonFlag
}

// taskRow is a task as --json shows it.
type taskRow struct {
	Name    string        `json:"name"`
	Kind    string        `json:"kind"`
	Split   string        `json:"split"`
	Dim     int           `json:"dim"`
	Budget  int           `json:"budget"`
	Anchors *rsie.Anchors `json:"anchors"`
	Digest  string        `json:"digest"`
	Rows    [3]int        `json:"rows"` // training, validation, test
	Blocks  []blockRow    `json:"blocks,omitempty"`
	Text    string        `json:"description,omitempty"`
}

// blockRow is a matrix or vector of the parameters as --json shows it.
type blockRow struct {
	Offset int     `json:"offset"`
	Rows   int     `json:"rows"`
	Cols   int     `json:"cols"`
	Layer  int     `json:"layer"`
	Std    float64 `json:"start_std"`
}

func rowOf(t *task.Task) taskRow {
	r := taskRow{Name: t.Name, Kind: t.Kind, Split: t.Split, Dim: t.Problem.Shape().Dim, Budget: t.Budget,
		Anchors: t.Anchors, Digest: t.Digest(), Text: t.Description}
	if m, ok := t.Problem.(rsie.Modelled); ok {
		for i, p := range []rsie.Part{rsie.Training, rsie.Validation, rsie.Test} {
			if rows := m.Rows(p); rows != nil {
				r.Rows[i] = rows.S
			}
		}
	}
	return r
}

// Run lists the tasks.
func (c *tasksListCmd) Run(e *env) error {
	suite, err := loadSuite(c.Suite, e, 1, e.stderr)
	if err != nil {
		return err
	}
	defer closeTasks(suite.Tasks)
	var all []taskRow
	rows := [][]string{{"task", "kind", "split", "parameters", "rows", "f0 (quality 0)", "f1 (quality 1)"}}
	for _, t := range suite.Tasks {
		r := rowOf(t)
		all = append(all, r)
		f0, f1 := "-", "-"
		if r.Anchors != nil {
			f0, f1 = fmt.Sprintf("%.6g", r.Anchors.F0), fmt.Sprintf("%.6g", r.Anchors.F1)
		}
		rows = append(rows, []string{r.Name, r.Kind, r.Split, fmt.Sprint(r.Dim),
			fmt.Sprintf("%d/%d/%d", r.Rows[0], r.Rows[1], r.Rows[2]), f0, f1})
	}
	if c.JSON {
		return printJSON(e.stdout, map[string][]taskRow{"tasks": all})
	}
	table(e.stdout, 3, rows)
	fmt.Fprintln(e.stdout, "\nFitness is minimised. Rows are training/validation/test; of control tasks, starts.")
	return nil
}

type tasksShowCmd struct {
	Name string `arg:"" help:"NAME, FILE, FILE#NAME, or a function: bbob/f3/d5/i7, bbob-noisy/f101/d5/i1, bbob-mixture/d5/i3."`
	jsonFlag
}

// Run shows one task with the layout of its parameters.
func (c *tasksShowCmd) Run(e *env) error {
	t, err := findTask(c.Name, e, 1)
	if err != nil {
		return err
	}
	defer t.Close()
	r := rowOf(t)
	for _, b := range t.Problem.Shape().Blocks {
		r.Blocks = append(r.Blocks, blockRow(b))
	}
	if c.JSON {
		return printJSON(e.stdout, r)
	}
	fmt.Fprintf(e.stdout, "%s: %s task, split %s, digest %s\n", r.Name, r.Kind, r.Split, r.Digest)
	if r.Text != "" {
		fmt.Fprintln(e.stdout, r.Text)
	}
	if r.Rows[0] == 0 {
		fmt.Fprintf(e.stdout, "budget %d evaluations; fitness is minimised\n", r.Budget)
	} else {
		fmt.Fprintf(e.stdout, "rows %d training, %d validation, %d test; budget %d evaluations; fitness is minimised\n",
			r.Rows[0], r.Rows[1], r.Rows[2], r.Budget)
	}
	if r.Anchors != nil {
		fmt.Fprintf(e.stdout, "anchors: quality 0 at %.9g, quality 1 at %.9g\n", r.Anchors.F0, r.Anchors.F1)
	}
	fmt.Fprintf(e.stdout, "parameters %d, as blocks (row-major):\n", r.Dim)
	rows := [][]string{{"offset", "rows", "columns", "layer", "starting std"}}
	for _, b := range r.Blocks {
		rows = append(rows, []string{fmt.Sprint(b.Offset), fmt.Sprint(b.Rows), fmt.Sprint(b.Cols),
			fmt.Sprint(b.Layer), fmt.Sprintf("%.4g", b.Std)})
	}
	table(e.stdout, 1, rows)
	return nil
}

type tasksEvalCmd struct {
	Name   string `arg:"" help:"NAME, FILE or FILE#NAME."`
	Points string `help:"JSON file: a list of parameter vectors." required:"" placeholder:"FILE.json"`
	backendFlags
	jsonFlag
}

// evalResult is the object that --json prints.
type evalResult struct {
	Task    string                          `json:"task"`
	Fitness []float64                       `json:"fitness"` // training, minimised
	Metrics []map[string]map[string]float64 `json:"metrics"` // per point, by part
	// Precision is f - f_opt without noise, of functions alone.
	Precision []float64 `json:"precision,omitempty"`
}

// maxPointsFile is the largest file of points read, in bytes.
const maxPointsFile = 256 << 20

// Run evaluates the points.
func (c *tasksEvalCmd) Run(e *env) error {
	t, err := findTask(c.Name, e, c.Workers)
	if err != nil {
		return err
	}
	defer t.Close()
	dim := t.Problem.Shape().Dim
	points, err := readPoints(c.Points, dim)
	if err != nil {
		return err
	}
	backend, err := c.open()
	if err != nil {
		return err
	}
	defer backend.Close()
	out := evalResult{Task: t.Name}
	if out.Fitness, err = meta.Fitness(e.ctx, backend, t.Problem, points); err != nil {
		return err
	}
	for i := range out.Fitness {
		byPart := map[string]map[string]float64{}
		for _, p := range []rsie.Part{rsie.Training, rsie.Validation, rsie.Test} {
			metrics, err := meta.PartMetrics(backend, t, p, points[i*dim:][:dim])
			if err != nil {
				return err
			}
			for _, m := range metrics {
				if byPart[p.String()] == nil {
					byPart[p.String()] = map[string]float64{}
				}
				byPart[p.String()][m.Name] = m.Value
			}
		}
		out.Metrics = append(out.Metrics, byPart)
		if p, ok := t.Precision(points[i*dim:][:dim]); ok {
			out.Precision = append(out.Precision, p)
		}
	}
	if c.JSON {
		return printJSON(e.stdout, out)
	}
	fmt.Fprintf(e.stdout, "%s: %s, fitness is minimised\n", t.Name, count(len(out.Fitness), "point"))
	for i, f := range out.Fitness {
		fmt.Fprintf(e.stdout, "point %d  fitness %.17g", i, f)
		if len(out.Metrics[i]) > 0 {
			b, err := json.Marshal(out.Metrics[i])
			if err != nil {
				return err
			}
			fmt.Fprintf(e.stdout, "  %s", b)
		}
		fmt.Fprintln(e.stdout)
		if out.Precision != nil {
			fmt.Fprintf(e.stdout, "         precision %.17g above the lowest value\n", out.Precision[i])
		}
	}
	return nil
}

// oneVector reports whether a JSON text begins as a list that holds something else than lists.
func oneVector(text []byte) bool {
	inside, ok := bytes.CutPrefix(bytes.TrimSpace(text), []byte("["))
	inside = bytes.TrimSpace(inside)
	return ok && len(inside) > 0 && inside[0] != '[' && inside[0] != ']'
}

// readPoints reads a list of vectors of length dim into one slice.
func readPoints(path string, dim int) ([]float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, badPath("read", path, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPointsFile+1))
	if err != nil {
		return nil, badPath("read", path, err)
	}
	if len(b) > maxPointsFile {
		return nil, fmt.Errorf("%w: %s is larger than %d bytes", rsie.ErrInvalid, path, maxPointsFile)
	}
	if oneVector(b) {
		b = append(append([]byte("["), b...), ']')
	}
	var points [][]float64
	if err := json.Unmarshal(b, &points); err != nil {
		return nil, fmt.Errorf("%w: %s: %v; want a list of lists of numbers", rsie.ErrInvalid, path, err)
	}
	if len(points) == 0 {
		return nil, fmt.Errorf("%w: %s holds no point", rsie.ErrInvalid, path)
	}
	out := make([]float64, 0, len(points)*dim)
	for i, p := range points {
		if len(p) != dim {
			return nil, fmt.Errorf("%w: %s: point %d has %d numbers, the task has %d parameters",
				rsie.ErrInvalid, path, i, len(p), dim)
		}
		out = append(out, p...)
	}
	return out, nil
}
