package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/task"
)

type tasksGenerateCmd struct {
	Family  string `arg:"" optional:"" help:"An embedded family, or the path of a family file. Without it the embedded ones are listed."`
	Seed    uint64 `help:"Of the first task; the next are seed+2, seed+4, ... Even seeds teach (split training), odd ones judge (validation)." default:"0"`
	Count   int    `help:"Tasks." default:"20"`
	Out     string `help:"Task file (.yaml) to write, or a folder for tasks.yaml." placeholder:"DIR|FILE"`
	Anchors bool   `help:"Measure the reference values, each task at its budget."`
	anchorFlags
	backendFlags
	jsonFlag
}

// anchorFlags are those of commands that need the anchors of generated tasks.
type anchorFlags struct {
	NoCache bool `help:"Measure the anchors of generated tasks anew; the user's cache is neither read nor written. Results do not depend on it."`
}

// Run makes the tasks and shows or writes them.
func (c *tasksGenerateCmd) Run(e *env) error {
	if c.Family == "" {
		return c.families(e)
	}
	target, err := c.target()
	if err != nil {
		return err
	}
	suite, err := task.Generate(c.Family, c.Seed, c.Count)
	if err != nil {
		return err
	}
	if c.Anchors {
		backend, err := c.open()
		if err != nil {
			return err
		}
		defer backend.Close()
		if err := c.fill(e, backend, suite.Tasks, 0); err != nil {
			return err
		}
	}
	if target != "" {
		command := fmt.Sprintf("rsie tasks generate %s --seed %d --count %d --anchors", c.Family, c.Seed, c.Count)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return badPath("make", filepath.Dir(target), err)
		}
		if err := task.WriteGenerated(target, suite, command); err != nil {
			return err
		}
	}
	if c.JSON {
		var all []taskRow
		for _, t := range suite.Tasks {
			all = append(all, rowOf(t))
		}
		return printJSON(e.stdout, map[string]any{"family": c.Family, "out": target, "tasks": all})
	}
	printGenerated(e.stdout, suite.Tasks)
	if target != "" {
		fmt.Fprintf(e.stdout, "written to %s\n", target)
	}
	return nil
}

// target returns the file to write, empty for none; one that exists is left alone.
func (c *tasksGenerateCmd) target() (string, error) {
	path := c.Out
	if path == "" {
		return "", nil
	}
	if !strings.HasSuffix(path, ".yaml") && !strings.HasSuffix(path, ".yml") {
		path = filepath.Join(path, "tasks.yaml")
	}
	if exists(path) {
		return "", fmt.Errorf("%w: %s exists; give another --out or remove it", rsie.ErrInvalid, path)
	}
	return path, nil
}

// families lists the embedded families.
func (c *tasksGenerateCmd) families(e *env) error {
	type row struct {
		Family      string `json:"family"`
		Split       string `json:"split"`
		Description string `json:"description"`
	}
	var all []row
	rows := [][]string{{"family", "split", "what it is"}}
	for _, name := range task.FamilyNames() {
		f, err := task.OpenFamily(name)
		if err != nil {
			return err
		}
		all = append(all, row{f.Name, f.Split, f.Description})
		rows = append(rows, []string{f.Name, f.Split, f.Description})
	}
	if c.JSON {
		return printJSON(e.stdout, map[string][]row{"families": all})
	}
	table(e.stdout, 3, rows)
	fmt.Fprintln(e.stdout, "\nSplit parity: even seeds teach, odd seeds judge. One task: generated/FAMILY/SEED.\n"+
		"A suite: generated:FAMILY,FAMILY?seed=0&count=20, also after another one: standard+generated:...")
	return nil
}

func printGenerated(w io.Writer, tasks []*task.Task) {
	rows := [][]string{{"task", "what", "split", "parameters", "budget", "f0 (quality 0)", "f1 (quality 1)"}}
	for _, t := range tasks {
		f0, f1 := "-", "-"
		if t.Anchors != nil {
			f0, f1 = fmt.Sprintf("%.6g", t.Anchors.F0), fmt.Sprintf("%.6g", t.Anchors.F1)
		}
		rows = append(rows, []string{t.Name, t.Description, t.Split, fmt.Sprint(t.Problem.Shape().Dim),
			fmt.Sprint(t.Budget), f0, f1})
	}
	table(w, 3, rows)
	fmt.Fprintln(w, "\nFitness is minimised; f1 is the best known value and no bound.")
}

// fill measures the anchors of the generated tasks that have none, at a budget or, for 0, at
// each task's own.
func (c anchorFlags) fill(e *env, backend rsie.Backend, tasks []*task.Task, budget int) error {
	var open []*task.Task
	for _, t := range tasks {
		if t.Anchors == nil && t.Kind == "generated" {
			open = append(open, t)
		}
	}
	if len(open) == 0 {
		return nil
	}
	path, contract := "", ""
	if dir, err := os.UserCacheDir(); err == nil && !c.NoCache {
		if contract, err = buildContract(); err == nil {
			path = filepath.Join(dir, "rsie", "anchors.json")
		}
	}
	fmt.Fprintf(e.stderr, "anchors of %d generated tasks: measured where %s does not have them\n", len(open),
		orText(path, "the memory of this command"))
	warned := false
	return meta.AnchorTasks(e.ctx, backend, open, budget, meta.NewAnchorCache(path, contract), nil, func(err error) {
		if !warned {
			fmt.Fprintln(e.stderr, "warning: results stand, but are not kept:", oneLine(err))
		}
		warned = true
	})
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// buildContract names what this program computes: the numeric contract with the commit, or with
// the digest of the program where it was built from changed files.
func buildContract() (string, error) {
	v := buildVersion()
	if v.Commit != "" && !v.Modified {
		return numericContract + " " + v.Platform + " " + v.Commit, nil
	}
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return numericContract + " " + hex.EncodeToString(h.Sum(nil)), nil
}

// joint splits a suite from generated ones that are added to it: standard+generated:teacher.
const joint = "+generated:"

// joinedSuite returns the tasks of several suites as one, with the budget of the first.
func joinedSuite(name string, e *env, workers int, programs io.Writer) (*task.Suite, error) {
	out := &task.Suite{}
	names := map[string]bool{}
	for i, part := range strings.Split(name, joint) {
		if i > 0 {
			part = joint[1:] + part
		}
		s, err := loadSuite(part, e, workers, programs)
		if err != nil {
			closeTasks(out.Tasks)
			return nil, err
		}
		if i == 0 {
			out.Budget = s.Budget
		}
		out.Tasks = append(out.Tasks, s.Tasks...)
		for _, t := range s.Tasks {
			if names[t.Name] {
				closeTasks(out.Tasks)
				return nil, fmt.Errorf("%w: suite %s holds task %s twice", rsie.ErrInvalid, name, t.Name)
			}
			names[t.Name] = true
		}
	}
	return out, nil
}

// absoluteSuite returns the name of a suite for a resume from another folder.
func absoluteSuite(name string) (string, error) {
	parts := strings.Split(name, joint)
	for i, part := range parts {
		var err error
		switch {
		case i > 0:
			part, err = task.AbsoluteGenerated(joint[1:] + part)
			part = strings.TrimPrefix(part, joint[1:])
		case isPreset(part):
		case task.IsGenerated(part):
			part, err = task.AbsoluteGenerated(part)
		default:
			part, err = filepath.Abs(part)
		}
		if err != nil {
			return "", err
		}
		parts[i] = part
	}
	return strings.Join(parts, joint), nil
}

// selectTasks returns the named tasks of a suite, all for no name; names of generated tasks
// stand for themselves where the suite does not have them.
func selectTasks(s *task.Suite, names []string) ([]*task.Task, error) {
	all := &task.Suite{Tasks: s.Tasks}
	var wanted []string
	known := map[string]bool{}
	for _, t := range s.Tasks {
		known[t.Name] = true
	}
	for _, name := range names {
		if known[name] || !task.IsGenerated(name) {
			wanted = append(wanted, name)
			continue
		}
		made, err := task.Generated(name)
		if err != nil {
			return nil, err
		}
		for _, t := range made.Tasks {
			if wanted = append(wanted, t.Name); !known[t.Name] {
				all.Tasks, known[t.Name] = append(all.Tasks, t), true
			}
		}
	}
	return all.Select(wanted)
}
