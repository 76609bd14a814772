package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
)

type compareCmd struct {
	Strategies []string `help:"Strategies: hand-designed names, FILE or FILE#genome_id; the others are tested against the first." required:"" placeholder:"A,B"`
	Suite      string   `help:"quick, standard, a task or suite file, or generated:FAMILY,FAMILY?seed=1&count=20; +generated:... adds to another. Default: ./tasks.yaml where there is one, or standard with --tasks and quick without." placeholder:"quick|standard|FILE"`
	Tasks      []string `help:"Only these tasks of the suite, generated/FAMILY/SEED, or functions: bbob/5d, bbob/f3/d5, bbob/f3/d5/i7." placeholder:"a,b"`
	Runs       int      `help:"Runs of each strategy on each task, 2 to 10000." default:"25"`
	Budget     *int     `help:"Evaluations per run. Default: each task's own." placeholder:"N"`
	Seed       uint64   `help:"Seed; the same seed gives the same bytes." default:"1"`
	Summary    bool     `help:"Print the rows over all tasks alone."`
	CSV        string   `help:"File for one line per run." name:"csv" placeholder:"FILE"`
	anchorFlags
	backendFlags
	jsonFlag
}

// Run compares and prints.
func (c *compareCmd) Run(e *env) error {
	strategies, err := findStrategies(c.Strategies)
	if err != nil {
		return err
	}
	name := c.Suite
	if name == "" {
		name = defaultSuite(len(c.Tasks) > 0)
	}
	suite, err := loadSuite(name, e, c.Workers, e.stderr)
	if err != nil {
		return err
	}
	defer closeTasks(suite.Tasks)
	tasks, err := selectTasks(suite, c.Tasks)
	if err != nil {
		return err
	}
	budget := orDefault(c.Budget, 0)
	if c.CSV != "" {
		if err := checkWritable(c.CSV); err != nil {
			return err
		}
	}
	backend, err := c.open()
	if err != nil {
		return err
	}
	defer backend.Close()
	if err := c.fill(e, backend, tasks, budget); err != nil {
		return err
	}
	got, err := meta.Compare(e.ctx, backend, tasks, strategies, c.Runs, budget, rsie.NewKey(c.Seed))
	if err != nil {
		return err
	}
	if c.CSV != "" {
		if err := writeFile(c.CSV, comparisonCSV(got)); err != nil {
			return err
		}
	}
	if c.JSON {
		return printJSON(e.stdout, got)
	}
	if c.Summary {
		one := *got
		one.Tasks = nil
		printHead(e.stdout, got)
		printAreas(e.stdout, &one)
		cutTable(e.stdout, &one)
		return nil
	}
	printComparison(e.stdout, got)
	return nil
}

// findStrategies resolves references; of two with one genome_id the later is named by its
// reference.
func findStrategies(refs []string) ([]rsie.Strategy, error) {
	var out []rsie.Strategy
	seen := map[string]bool{}
	for _, ref := range refs {
		s, err := meta.FindStrategy(ref)
		if err != nil {
			return nil, err
		}
		if seen[s.GenomeID] {
			s.GenomeID = ref
		}
		seen[s.GenomeID] = true
		out = append(out, s)
	}
	return out, nil
}

// comparisonCSV returns one line per run.
func comparisonCSV(c *meta.Comparison) []byte {
	var b strings.Builder
	b.WriteString("task,strategy,replicate,seed,budget,final_fitness,final_quality,area")
	for k := range meta.ErtTargets {
		fmt.Fprintf(&b, ",evaluations_to_0.%d", k+1)
	}
	b.WriteString(",aocc")
	for _, p := range meta.Precisions {
		fmt.Fprintf(&b, ",evaluations_to_%.0e", p)
	}
	b.WriteByte('\n')
	for _, r := range c.Each {
		fmt.Fprintf(&b, "%s,%s,%d,%d,%d,%s,%s,%s", csvCell(r.Task), csvCell(r.Strategy), r.Replicate,
			r.Seed, r.Budget, exact(r.Fitness), exact(r.Quality), exact(r.Area))
		for _, e := range r.Reach {
			b.WriteByte(',')
			if e > 0 {
				b.WriteString(strconv.Itoa(e))
			}
		}
		b.WriteByte(',')
		if r.AOCC > 0 {
			b.WriteString(exact(r.AOCC))
		}
		for _, e := range r.Precise {
			b.WriteByte(',')
			if e > 0 {
				b.WriteString(strconv.Itoa(e))
			}
		}
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

// csvCell quotes a text where CSV needs it.
func csvCell(s string) string {
	if strings.ContainsAny(s, ",\"\n\r") {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

func exact(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// printAreas writes the tables of quality and area.
func printAreas(w io.Writer, c *meta.Comparison) {
	fmt.Fprintln(w, "\nFinal quality (maximised; 0 = random search, 1 = best known)")
	measureTable(w, c, func(r meta.ComparisonRow) meta.Measure { return r.Quality })
	fmt.Fprintln(w, "\nArea score (maximised; area under quality against the logarithm of evaluations)")
	measureTable(w, c, func(r meta.ComparisonRow) meta.Measure { return r.Area })
}

// printHead says what was compared and how.
func printHead(w io.Writer, c *meta.Comparison) {
	fmt.Fprintf(w, "%d runs of %s per strategy and task, seed %d. Reference: %s.\n",
		c.Runs, budgetText(commonBudget(c)), c.Seed, c.Reference)
	fmt.Fprintln(w, "Figures are interquartile means over seeds with 95 % bootstrap intervals. Verdicts: Wilcoxon\n"+
		"signed-rank against the reference, paired by seed, Holm over the strategies, level 0.05.")
}

// printComparison writes a table per measure.
func printComparison(w io.Writer, c *meta.Comparison) {
	printHead(w, c)
	foreign := map[int][]string{} // tasks by the budget of their anchors
	for _, t := range c.Tasks {
		if !t.Measured && t.AnchorBudget != t.Budget && t.Anchors.Floor == 0 {
			foreign[t.AnchorBudget] = append(foreign[t.AnchorBudget], t.Task)
		}
	}
	for _, budget := range slices.Sorted(maps.Keys(foreign)) {
		fmt.Fprintf(w, "The anchors of %s hold for %d evaluations: read qualities as relative there.\n",
			strings.Join(foreign[budget], ", "), budget)
	}
	for _, t := range c.Tasks {
		if t.Measured {
			fmt.Fprintf(w, "The file of task %s has no anchors; measured for this comparison: "+
				"quality 0 at %.6g, quality 1 at %.6g.\n", t.Task, t.Anchors.F0, t.Anchors.F1)
		}
		if t.Solved {
			fmt.Fprintf(w, "Random search already solves task %s; it cannot tell strategies apart.\n", t.Task)
		}
	}
	printAreas(w, c)
	fmt.Fprintln(w, "\nMedian final fitness (minimised)")
	fitnessTable(w, c)
	fmt.Fprintln(w, "\nExpected evaluations to reach a quality (minimised; - = no run reached it)")
	timesTable(w, c)
	preciseTable(w, c)
	cutTable(w, c)
}

// commonBudget returns the evaluations of a run, 0 where tasks have different budgets.
func commonBudget(c *meta.Comparison) int {
	for _, t := range c.Tasks {
		if t.Budget != c.Tasks[0].Budget {
			return 0
		}
	}
	return c.Tasks[0].Budget
}

// budgetText says how long a run is; 0 means that tasks differ.
func budgetText(budget int) string {
	if budget == 0 {
		return "each task's own budget"
	}
	return fmt.Sprintf("%d evaluations", budget)
}

// cutTable writes how far the reference cuts the regret of the others, over several tasks.
func cutTable(w io.Writer, c *meta.Comparison) {
	rows := [][]string{{"strategy", "regret cut [95 %]"}}
	for _, r := range c.Overall {
		if r.Cut != nil {
			in := r.Cut.Interval
			rows = append(rows, []string{r.Strategy, fmt.Sprintf("%+.1f %% [%+.1f, %+.1f]", 100*r.Cut.Value, 100*in[0], 100*in[1])})
		}
	}
	if len(rows) == 1 {
		return
	}
	fmt.Fprintf(w, "\nHow far %s cuts the regret 1 - area of each strategy, mean over tasks and seeds, with the\n"+
		"interval over both\n", c.Reference)
	table(w, 1, rows)
}

// preciseTable writes what function tasks have besides.
func preciseTable(w io.Writer, c *meta.Comparison) {
	head := []string{"task", "strategy", "AOCC"}
	for _, p := range meta.Precisions {
		head = append(head, fmt.Sprintf("%.0e", p))
	}
	rows := [][]string{head}
	add := func(name string, all []meta.ComparisonRow) {
		for _, r := range all {
			if r.AOCC == nil {
				continue
			}
			row := []string{name, r.Strategy, fixed(*r.AOCC)}
			for _, x := range r.Precisions {
				cell := "-"
				if x.Evaluations != nil {
					cell = fmt.Sprintf("%.0f", *x.Evaluations)
				}
				row = append(row, cell)
			}
			rows = append(rows, row)
			name = ""
		}
	}
	for _, t := range c.Tasks {
		add(t.Task, t.Rows)
	}
	add("all tasks", c.Overall)
	if len(rows) == 1 {
		return
	}
	fmt.Fprintln(w, "\nExpected evaluations to reach a precision f - f_opt (minimised; - = no run reached it) and mean\n"+
		"area over the convergence curve, AOCC (maximised; from 1e2 to 1e-8 on a logarithmic scale)")
	table(w, 2, rows)
}

func measureTable(w io.Writer, c *meta.Comparison, of func(meta.ComparisonRow) meta.Measure) {
	rows := [][]string{{"task", "strategy", "IQM [95 %]", "p (Holm)", "A12", "wins/losses",
		"against " + c.Reference}}
	add := func(task string, all []meta.ComparisonRow) {
		for _, r := range all {
			m := of(r)
			row := []string{task, r.Strategy,
				fmt.Sprintf("%s [%s, %s]", fixed(m.IQM), fixed(m.Interval[0]), fixed(m.Interval[1]))}
			if v := m.Versus; v != nil {
				row = append(row, fmt.Sprintf("%.2g", v.Holm), fmt.Sprintf("%.2f", v.A12),
					fmt.Sprintf("%d/%d", v.Wins, v.Losses), v.Verdict)
			}
			rows = append(rows, row)
			task = ""
		}
	}
	for _, t := range c.Tasks {
		add(t.Task, t.Rows)
	}
	add("all tasks", c.Overall)
	table(w, 2, rows)
}

func fitnessTable(w io.Writer, c *meta.Comparison) {
	rows := [][]string{append([]string{"task"}, c.Strategies...)}
	for _, t := range c.Tasks {
		row := []string{t.Task}
		for _, r := range t.Rows {
			row = append(row, fmt.Sprintf("%.6g", *r.MedianFitness))
		}
		rows = append(rows, row)
	}
	table(w, 1, rows)
}

func timesTable(w io.Writer, c *meta.Comparison) {
	head := []string{"task", "strategy"}
	for k := range meta.ErtTargets {
		head = append(head, fmt.Sprintf("q 0.%d", k+1))
	}
	rows := [][]string{head}
	for _, t := range c.Tasks {
		name := t.Task
		for _, r := range t.Rows {
			row := []string{name, r.Strategy}
			for _, x := range r.Times {
				cell := "-"
				if x.Evaluations != nil {
					cell = fmt.Sprintf("%.0f", *x.Evaluations)
				}
				row = append(row, cell)
			}
			rows = append(rows, row)
			name = ""
		}
	}
	table(w, 2, rows)
}
