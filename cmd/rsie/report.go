package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/store"
	"github.com/symbio-ai/recursive-improvement/report"
)

type reportCmd struct {
	Runs []string `arg:"" help:"Folder of a run, or two to set side by side." placeholder:"RUN"`
	Out  string   `help:"File to write. Default: report.html in the folder of the run; of two, compare.html here." placeholder:"FILE.html"`
	jsonFlag
}

// Run writes the page.
func (c *reportCmd) Run(e *env) error {
	if len(c.Runs) > 2 {
		return fmt.Errorf("%w: %d runs, a report shows one or sets two side by side", rsie.ErrInvalid, len(c.Runs))
	}
	var runs []*report.Run
	for _, dir := range c.Runs {
		r, err := loadRun(dir)
		if err != nil {
			return err
		}
		runs = append(runs, r)
	}
	out := c.Out
	if out == "" {
		out = filepath.Join(c.Runs[0], "report.html")
		if len(runs) == 2 {
			out = "compare.html"
		}
	}
	if err := checkWritable(out); err != nil {
		return err
	}
	var page bytes.Buffer
	var err error
	if len(runs) == 2 {
		err = report.WriteComparison(&page, runs[0], runs[1])
	} else {
		err = runs[0].WriteHTML(&page)
	}
	if err != nil {
		return err
	}
	if err := writeFile(out, page.Bytes()); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e.stdout, map[string]any{"runs": c.Runs, "file": out, "bytes": page.Len()})
	}
	fmt.Fprintf(e.stdout, "written to %s (%d kB); it needs no network and no server\n", out, (page.Len()+999)/1000)
	return nil
}

// loadRun reads a run for pictures and exports, also while it is written.
func loadRun(dir string) (*report.Run, error) {
	if !exists(filepath.Join(dir, "run.db")) {
		return nil, fmt.Errorf("%w: %s holds no run: it has no run.db; rsie evolve --out DIR begins one",
			rsie.ErrInvalid, dir)
	}
	st, err := store.OpenReadOnly(dir)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	r, err := report.Load(st, dir)
	if err != nil {
		return nil, err
	}
	return r, describeRun(st, r)
}

// describeRun fills what a run does not know itself: how to make it again.
func describeRun(st *store.Store, r *report.Run) error {
	b, err := st.Config()
	if err != nil {
		return err
	}
	var cfg runConfig
	if err := json.Unmarshal(b, &cfg); err != nil {
		return fmt.Errorf("%w: %s: configuration: %v", rsie.ErrInvalid, r.Name, err)
	}
	r.Command, r.Program = cfg.command(r.Name), versionLine()
	return nil
}

// versionLine is the version and the commit in one line.
func versionLine() string {
	v := buildVersion()
	if len(v.Commit) < 12 {
		return v.Version
	}
	return v.Version + " " + v.Commit[:12]
}

// command returns the command line that makes the run again in another folder.
func (c runConfig) command(dir string) string {
	words := []string{"rsie", "evolve", "--suite", shellWord(c.Suite), "--tasks", shellWord(strings.Join(c.Tasks, ","))}
	number := func(flag string, v int) { words = append(words, flag, strconv.Itoa(v)) }
	number("--meta-population", c.MetaPopulation)
	number("--meta-generations", c.MetaGenerations)
	if c.BaseBudget > 0 {
		number("--base-budget", c.BaseBudget)
	}
	number("--runs-per-task", c.RunsPerTask)
	number("--candidates", c.Candidates)
	number("--restarts", c.Restarts)
	number("--final-runs", c.FinalRuns)
	if c.MetaBudget > 0 {
		words = append(words, "--meta-budget", strconv.FormatInt(c.MetaBudget, 10))
	}
	var off []string
	for _, p := range devices(&c.Without) {
		if *p.off {
			off = append(off, p.name)
		}
	}
	if len(off) > 0 {
		words = append(words, "--without", strings.Join(off, ","))
	}
	if c.Objectives != rsie.DefaultObjectives() {
		o := c.Objectives
		words = append(words, "--objectives", fmt.Sprintf("convergence_speed=%s,final_fitness=%s,sample_efficiency=%s,"+
			"diversity=%s,robustness=%s,computational_efficiency=%s", exact(o.ConvergenceSpeed), exact(o.FinalFitness),
			exact(o.SampleEfficiency), exact(o.Diversity), exact(o.Robustness), exact(o.ComputationalEfficiency)))
	}
	backend := "native" // whose bytes those of a device are
	if c.Backend == "gonum" {
		backend = c.Backend
	}
	words = append(words, "--backend", backend, "--seed", strconv.FormatUint(c.Seed, 10), "--out", shellWord(strings.TrimRight(dir, "/")+"-again"))
	return strings.Join(words, " ")
}

// shellWord quotes a word where a shell would not take it as it is.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./,:=+@%", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
