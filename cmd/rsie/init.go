package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/task"
)

type initCmd struct {
	Dir    string `arg:"" help:"Folder of the project; it must be empty or not exist."`
	CSV    string `help:"Your table, a CSV file with a header. Default: an example." name:"csv" placeholder:"FILE"`
	Target string `help:"The column of --csv to predict." placeholder:"COL"`
	jsonFlag
}

// initResult is the object that --json prints.
type initResult struct {
	Dir      string   `json:"dir"`
	Task     string   `json:"task"`
	Files    []string `json:"files"`
	Commands []string `json:"commands"` // what to do next, inside dir
}

// Run writes the project, all of it or nothing.
func (c *initCmd) Run(e *env) error {
	if (c.CSV == "") != (c.Target == "") {
		return fmt.Errorf("%w: --csv FILE and --target COL belong together; give both, or none for an example",
			rsie.ErrInvalid)
	}
	entries, err := os.ReadDir(c.Dir)
	if err == nil && len(entries) > 0 {
		return fmt.Errorf("%w: %s is not empty; name a new folder", rsie.ErrInvalid, c.Dir)
	}
	tasks, files, err := c.starter()
	if err != nil {
		return err
	}
	files["tasks.yaml"] = tasks
	stage, err := newStage(c.Dir)
	if err != nil {
		return err
	}
	defer stage.discard()
	for name, text := range files {
		if err := writeFile(filepath.Join(stage.dir, name), text); err != nil {
			return c.atTarget(name, err)
		}
	}
	// The project is loaded as rsie evolve will load it.
	suite, err := task.Load(filepath.Join(stage.dir, "tasks.yaml"), task.Options{})
	if err != nil {
		return err
	}
	defer closeTasks(suite.Tasks)
	t := suite.Tasks[0]
	out := initResult{Dir: c.Dir, Task: t.Name, Files: []string{"README.txt", "tasks.yaml"}, Commands: []string{
		"rsie evolve",
		"rsie train " + t.Name + " --strategy runs/001/strategies.json",
	}}
	for name := range files {
		if name != "tasks.yaml" { // one data file
			out.Files = append(out.Files, name)
			out.Commands = append(out.Commands, "rsie predict runs/"+t.Name+" "+name)
		}
	}
	if err := writeFile(filepath.Join(stage.dir, "README.txt"), out.readme()); err != nil {
		return c.atTarget("README.txt", err)
	}
	if err := stage.commit(); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e.stdout, out)
	}
	fmt.Fprintf(e.stdout, "made %s with task %s; next:\n  cd %s\n", c.Dir, t.Name, c.Dir)
	for _, command := range out.Commands {
		fmt.Fprintf(e.stdout, "  %s\n", command)
	}
	return nil
}

// starter returns the task file and the data files it reads.
func (c *initCmd) starter() (tasks []byte, files map[string][]byte, err error) {
	if c.CSV == "" {
		tasks, files = task.StarterExample()
		return tasks, files, nil
	}
	info, err := os.Stat(c.CSV)
	if err != nil {
		return nil, nil, badPath("read", c.CSV, err)
	}
	if !info.Mode().IsRegular() || info.Size() > task.MaxTableBytes {
		return nil, nil, fmt.Errorf("%w: --csv %s: want a file of at most %d bytes", rsie.ErrInvalid, c.CSV,
			task.MaxTableBytes)
	}
	name := filepath.Base(c.CSV)
	if name == "tasks.yaml" || name == "README.txt" {
		return nil, nil, fmt.Errorf("%w: --csv %s: the project has a file of that name; rename yours",
			rsie.ErrInvalid, c.CSV)
	}
	f, err := os.Open(c.CSV)
	if err != nil {
		return nil, nil, badPath("read", c.CSV, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, task.MaxTableBytes))
	if err != nil {
		return nil, nil, badPath("read", c.CSV, err)
	}
	tasks, err = task.Starter(name, bytes.NewReader(data), c.Target)
	return tasks, map[string][]byte{name: data}, err
}

// atTarget names a file of the stage by the place it was meant for.
func (c *initCmd) atTarget(name string, err error) error {
	return badPath("write", filepath.Join(c.Dir, name), reason(err))
}

// readme returns the text of README.txt.
func (r initResult) readme() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "A project of rsie, which evolves evolution strategies.\n\n"+
		"tasks.yaml says what is learnt: task %s. Its comments explain every field.\n\n"+
		"1. Learn a strategy on the task. It ends with a table of what was found and writes\n"+
		"   runs/001/strategies.json. Every figure names its direction.\n\n     %s\n\n"+
		"2. Train a model with it. Test rows are read once, for the report.\n\n     %s\n\n"+
		"3. Apply the model to rows: any CSV file with the same columns, the target may be missing.\n\n     %s\n",
		r.Task, r.Commands[0], r.Commands[1], r.Commands[2])
	return b.Bytes()
}
