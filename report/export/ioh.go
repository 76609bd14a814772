package export

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
)

// IOH writes the curves of the final table as IOHanalyzer and iohinspector read them: a folder per
// strategy, in it a description and the improvements of each task. Fitness is minimised. An
// unfinished run has no such curves: [rsie.ErrUnsupported].
//
// Source: IOHexperimenter 0.4.2, the files of its Analyzer logger.
func IOH(d *Data, dir string) error {
	if d.Run.Curves == nil {
		return fmt.Errorf("%w: run %s keeps no curves; a run that ends with this version of rsie does", rsie.ErrUnsupported, d.Run.Name)
	}
	names := map[string]string{}
	for _, s := range d.Strategies {
		names[s.Strategy] = s.Name
	}
	for _, b := range rsie.Baselines() {
		names[b.Digest()] = b.GenomeID
	}
	byStrategy := map[string][]meta.ReportCurve{}
	for _, c := range d.Run.Curves.Runs {
		byStrategy[c.Strategy] = append(byStrategy[c.Strategy], c)
	}
	for _, digest := range sortedKeys(byStrategy) {
		name := names[digest]
		if name == "" {
			name = "g-" + digest
		}
		for k, t := range d.Run.Curves.Tasks {
			if err := iohTask(d, filepath.Join(dir, fileName(name)), name, k+1, t, byStrategy[digest]); err != nil {
				return err
			}
		}
	}
	return nil
}

// iohTask writes one task of one strategy.
func iohTask(d *Data, dir, algorithm string, number int, t meta.ReportTarget, all []meta.ReportCurve) error {
	type best struct {
		Evals int       `json:"evals"`
		Y     float64   `json:"y"`
		X     []float64 `json:"x"` // the run keeps no points
	}
	type run struct {
		Instance int  `json:"instance"`
		Evals    int  `json:"evals"`
		Best     best `json:"best"`
	}
	var runs []run
	var table strings.Builder
	for _, c := range all {
		if c.Task != t.Name || len(c.Fitness) == 0 {
			continue
		}
		table.WriteString("evaluations raw_y\n")
		for _, p := range c.Curve(t.Budget).Points {
			fmt.Fprintf(&table, "%d %s\n", p.Evaluations, strconv.FormatFloat(p.Fitness, 'g', -1, 64))
		}
		last := len(c.Fitness) - 1
		if c.Evaluations[last] < t.Budget { // readers take the last line for the end of the run
			fmt.Fprintf(&table, "%d %s\n", t.Budget, strconv.FormatFloat(c.Fitness[last], 'g', -1, 64))
		}
		runs = append(runs, run{c.Replicate + 1, t.Budget, best{c.Evaluations[last], c.Fitness[last], []float64{}}})
	}
	label := fmt.Sprintf("f%d_%s", number, fileName(t.Name))
	data := fmt.Sprintf("data_%s/IOHprofiler_f%d_DIM%d.dat", label, number, t.Dim)
	if err := os.MkdirAll(filepath.Join(dir, "data_"+label), 0o755); err != nil {
		return err
	}
	err := create(dir, data, func(w io.Writer) error {
		_, err := io.WriteString(w, table.String())
		return err
	})
	if err != nil {
		return err
	}
	return create(dir, "IOHprofiler_"+label+".json", func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "\t")
		return e.Encode(map[string]any{"version": "0.4.2", "suite": fileName(filepath.Base(d.Run.Settings.Suite)),
			"function_id": number, "function_name": t.Name, "maximization": false,
			"algorithm":  map[string]string{"name": algorithm, "info": "rsie"},
			"attributes": []string{"evaluations", "raw_y"},
			"scenarios":  []any{map[string]any{"dimension": t.Dim, "path": data, "runs": runs}}})
	})
}

// fileName keeps letters, digits, dots and dashes of a name, so that it can be a file's.
func fileName(s string) string {
	out := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '-'
	}, s)
	return strings.TrimLeft(out, ".")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
