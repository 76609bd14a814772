package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/symbio-ai/recursive-improvement/report"
)

type showCmd struct {
	Folder string `arg:"" name:"run" help:"Folder of the run." placeholder:"RUN"`
	jsonFlag
}

// showResult is the object that --json prints.
type showResult struct {
	Run         string           `json:"run"`
	Finished    bool             `json:"finished"`
	Generations []showGeneration `json:"generations"`
	Words       []string         `json:"words"`
	Command     string           `json:"command"`
	Settings    report.Settings  `json:"settings"`
}

type showGeneration struct {
	Generation  int     `json:"generation"`
	Best        float64 `json:"best"`
	Median      float64 `json:"median"`
	Evaluations int64   `json:"evaluations"`
	Strategies  int     `json:"strategies"`
}

// shownGenerations bounds the lines of the table.
const shownGenerations = 12

// Run prints a run on the terminal.
func (c *showCmd) Run(e *env) error {
	r, err := loadRun(c.Folder)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e.stdout, showOf(r))
	}
	state := "finished"
	if r.Learned == nil {
		state = fmt.Sprintf("not finished: %d of %d generations", len(r.Generations), r.Settings.MetaGenerations)
	}
	fmt.Fprintf(e.stdout, "run %s: %s, %s, seed %d\n\n", c.Folder, state, count(len(r.Settings.Tasks), "task"), r.Settings.Seed)
	if len(r.Generations) > 0 {
		printGenerations(e, r)
	}
	for _, w := range r.Words() {
		fmt.Fprintln(e.stdout, wrapped(w))
	}
	if t := r.Duels(); len(t.Rows) > 0 {
		fmt.Fprintln(e.stdout)
		table(e.stdout, t.Text, append([][]string{t.Head}, t.Rows...))
		fmt.Fprintln(e.stdout, wrapped("Lead: the winner's in meta-fitness on the validation tasks. Seeds, p and A12 (the chance that the winner's is higher) are over all tasks."))
	}
	return nil
}

func showOf(r *report.Run) showResult {
	out := showResult{Run: r.Name, Finished: r.Learned != nil, Generations: []showGeneration{}, Words: r.Words(), Command: r.Command, Settings: r.Settings}
	for _, g := range r.Generations {
		out.Generations = append(out.Generations, showGeneration{g.Number + 1, g.Best, g.Median, g.Evaluations, len(g.Members)})
	}
	return out
}

// printGenerations writes sparklines over all generations and a table of some.
func printGenerations(e *env, r *report.Run) {
	var best, middle, diversity []float64
	for _, g := range r.Generations {
		best, middle = append(best, g.Best), append(middle, g.Median)
	}
	for _, s := range r.Diversity().Series[:1] {
		diversity = s.Y
	}
	rows := [][]string{{"over generations", "first", "", "last"}}
	for _, line := range []struct {
		name   string
		values []float64
	}{{"best meta-fitness", best}, {"median meta-fitness", middle}, {"diversity", diversity}} {
		if v := line.values; len(v) > 0 {
			rows = append(rows, []string{line.name, fixed(v[0]), sparkline(v, 48), fixed(v[len(v)-1])})
		}
	}
	table(e.stdout, 3, rows)
	rows = [][]string{{"generation", "best", "median", "strategies", "evaluations"}}
	every := (len(r.Generations) + shownGenerations - 1) / shownGenerations
	for k, g := range r.Generations {
		if k%every == 0 || k == len(r.Generations)-1 {
			rows = append(rows, []string{fmt.Sprint(g.Number + 1), fixed(g.Best), fixed(g.Median), fmt.Sprint(len(g.Members)), fmt.Sprint(g.Evaluations)})
		}
	}
	fmt.Fprintln(e.stdout)
	table(e.stdout, 0, rows)
	fmt.Fprintln(e.stdout, "Meta-fitness is maximised; each generation is measured on fresh keys.")
	fmt.Fprintln(e.stdout)
}

// sparkline draws values as blocks between their lowest and highest, at most width of them, each
// the mean of its stretch.
func sparkline(values []float64, width int) string {
	blocks := []rune("▁▂▃▄▅▆▇█")
	n := min(width, len(values))
	means := make([]float64, n)
	low, high := math.Inf(1), math.Inf(-1)
	for k := range means {
		from, to := k*len(values)/n, (k+1)*len(values)/n
		for _, v := range values[from:to] {
			means[k] += v / float64(to-from)
		}
		low, high = min(low, means[k]), max(high, means[k])
	}
	var out strings.Builder
	for _, v := range means {
		k := len(blocks) / 2
		if high > low {
			k = int((v - low) / (high - low) * float64(len(blocks)-1))
		}
		out.WriteRune(blocks[k])
	}
	return out.String()
}
