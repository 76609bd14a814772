package main

import (
	"io"

	"github.com/symbio-ai/recursive-improvement/task"
)

type tasksSchemaCmd struct{}

// Run prints the JSON Schema of task files, for editors.
func (c *tasksSchemaCmd) Run(e *env) error {
	_, err := io.WriteString(e.stdout, task.Schema)
	return err
}
