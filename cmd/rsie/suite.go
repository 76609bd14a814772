package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/task"
)

// loadSuite returns a preset, generated tasks or the tasks of a file, or several joined by +. The
// programs of exec tasks write their standard error to programs.
func loadSuite(name string, e *env, workers int, programs io.Writer) (*task.Suite, error) {
	switch {
	case strings.Contains(name, joint):
		return joinedSuite(name, e, workers, programs)
	case task.IsGenerated(name):
		return task.Generated(name)
	case isPreset(name):
		return task.Embedded(name)
	}
	suite, err := task.Load(name, loadOptions(e, workers, programs))
	if err != nil && !exists(name) {
		err = fmt.Errorf("%w; a suite is quick, standard, generated:FAMILY or a file", err)
	}
	return suite, err
}

// loadOptions says how the tasks of a file are loaded.
func loadOptions(e *env, workers int, programs io.Writer) task.Options {
	return task.Options{Workers: workers, Stderr: programs,
		Warn: func(text string) { fmt.Fprintln(e.stderr, "warning:", text) }}
}

// defaultSuite is ./tasks.yaml where there is one, else quick, or standard when tasks are named.
func defaultSuite(named bool) string {
	switch {
	case exists("tasks.yaml"):
		return "tasks.yaml"
	case named:
		return "standard"
	}
	return "quick"
}

// findTask returns the task that a reference names: FILE (its only task), FILE#name, a function, a
// task of ./tasks.yaml, a generated one, or one of the standard suite. The caller closes it.
func findTask(ref string, e *env, workers int) (*task.Task, error) {
	if task.IsFunction(ref) {
		all, err := task.Functions(ref)
		if err == nil && len(all) != 1 {
			err = fmt.Errorf("%w: %s names %d functions; name one, such as %s", rsie.ErrInvalid, ref, len(all), all[0].Name)
		}
		if err != nil {
			return nil, err
		}
		return all[0], nil
	}
	suite, name, err := taskSuite(ref, e, workers)
	if err != nil {
		return nil, err
	}
	if name == "" {
		if len(suite.Tasks) != 1 {
			var names []string
			for _, t := range suite.Tasks {
				names = append(names, t.Name)
			}
			closeTasks(suite.Tasks)
			return nil, fmt.Errorf("%w: %s holds %d tasks; name one as %s#NAME, of %v",
				rsie.ErrInvalid, ref, len(names), ref, names)
		}
		return suite.Tasks[0], nil
	}
	one, err := suite.Select([]string{name})
	for _, t := range suite.Tasks {
		if err != nil || t != one[0] {
			t.Close()
		}
	}
	if err != nil {
		return nil, err
	}
	return one[0], nil
}

func closeTasks(all []*task.Task) {
	for _, t := range all {
		t.Close()
	}
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// taskSuite returns the suite a reference points into and the task's name, empty for the only one.
func taskSuite(ref string, e *env, workers int) (*task.Suite, string, error) {
	if path, name, ok := strings.Cut(ref, "#"); ok {
		s, err := loadSuite(path, e, workers, e.stderr)
		return s, name, err
	}
	if task.IsGenerated(ref) {
		s, err := task.Generated(ref)
		return s, "", err
	}
	if strings.ContainsAny(ref, `/\`) || strings.HasSuffix(ref, ".yaml") || strings.HasSuffix(ref, ".yml") {
		s, err := loadSuite(ref, e, workers, e.stderr)
		return s, "", err
	}
	if exists("tasks.yaml") {
		own, err := loadSuite("tasks.yaml", e, workers, e.stderr)
		if err != nil {
			return nil, "", err
		}
		for _, t := range own.Tasks {
			if t.Name == ref {
				return own, ref, nil
			}
		}
		closeTasks(own.Tasks)
	}
	s, err := task.Embedded("standard")
	return s, ref, err
}
