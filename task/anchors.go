package task

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// WriteAnchors writes reference values of tasks, by name, into a task file, with the command
// that measured them and the budget they hold for. Comments and the order of fields stay; the
// file is replaced in one step.
//
// It returns [rsie.ErrNotFound] for a task that the file does not have and [rsie.ErrInvalid] for
// values without f0 > f1.
func WriteAnchors(file string, a map[string]rsie.Anchors, command string, budget int) error {
	text, err := readLimited(file, MaxTaskFile)
	if err != nil {
		return err
	}
	doc, err := parseYAML(text, file)
	if err != nil {
		return err
	}
	tasks := field(doc.Content[0], "tasks")
	if tasks == nil {
		return fmt.Errorf("%w: %s has no tasks", rsie.ErrInvalid, file)
	}
	left := maps.Clone(a)
	for _, t := range tasks.Content {
		name := field(t, "name")
		if name == nil {
			continue
		}
		v, ok := left[name.Value]
		if !ok {
			continue
		}
		if !finite(v.F0, v.F1) || v.F0 <= v.F1 {
			return fmt.Errorf("%w: anchors of task %s: f0 %g must be above f1 %g, both finite",
				rsie.ErrInvalid, name.Value, v.F0, v.F1)
		}
		delete(left, name.Value)
		if err := setField(t, "anchors", anchorSpec{v.F0, v.F1, budget, command}); err != nil {
			return err
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("%w: %s has no task %s", rsie.ErrNotFound, file, quoted(slices.Sorted(maps.Keys(left))))
	}
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(doc); err != nil {
		return fmt.Errorf("%w: %s: %v", rsie.ErrInvalid, file, err)
	}
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file = target // a link stays a link
	}
	return writeAtomically(file, out.Bytes())
}

// setField sets a field of a map to a value written on one line; its comments stay.
func setField(n *yaml.Node, name string, value any) error {
	var v yaml.Node
	if err := v.Encode(value); err != nil {
		return err
	}
	v.Style = yaml.FlowStyle
	if old := field(n, name); old != nil {
		v.HeadComment, v.LineComment, v.FootComment = old.HeadComment, old.LineComment, old.FootComment
		*old = v
		return nil
	}
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}
	n.Content = append(n.Content, key, &v)
	return nil
}
