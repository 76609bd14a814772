package task

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"

	rsie "github.com/symbio-ai/recursive-improvement"
)

const maxDepth = 32 // of lists and maps in a task file

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// parseYAML returns the one document of a file: a node that holds the root. Anchors and aliases
// are refused, so a small file cannot grow; so are fields that stand twice.
func parseYAML(text []byte, path string) (*yaml.Node, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	err := d.Decode(&doc)
	if err == io.EOF || err == nil && len(doc.Content) == 0 {
		return nil, fmt.Errorf("%w: %s is empty; want version, budget and tasks", rsie.ErrInvalid, path)
	}
	if err != nil {
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			return nil, fmt.Errorf("%w: %s:%s: %s", rsie.ErrInvalid, path, m[1], err.Error()[len(m[0]):])
		}
		return nil, fmt.Errorf("%w: %s: %v", rsie.ErrInvalid, path, err)
	}
	if err := checkNode(doc.Content[0], 0); err != nil {
		return nil, fmt.Errorf("%w: %s:%v", rsie.ErrInvalid, path, err)
	}
	if err := d.Decode(new(yaml.Node)); err != io.EOF {
		return nil, fmt.Errorf("%w: %s holds more than one document; want one", rsie.ErrInvalid, path)
	}
	return &doc, nil
}

// checkNode refuses aliases, deep nesting and fields that stand twice; its errors begin with the
// line.
func checkNode(n *yaml.Node, depth int) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return fmt.Errorf("%d: anchors and aliases (& and *) are not allowed", n.Line)
	}
	if depth > maxDepth {
		return fmt.Errorf("%d: lists and maps are nested more than %d deep", n.Line, maxDepth)
	}
	if n.Kind == yaml.MappingNode {
		seen := map[string]int{}
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind != yaml.ScalarNode {
				return fmt.Errorf("%d: a field name must be plain text", key.Line)
			}
			if line, ok := seen[key.Value]; ok {
				return fmt.Errorf("%d: field %s stands at line %d as well", key.Line, key.Value, line)
			}
			seen[key.Value] = key.Line
		}
	}
	for _, child := range n.Content {
		if err := checkNode(child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// field returns the value of a field of a map, nil when there is none.
func field(n *yaml.Node, name string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// plain returns a node as JSON has it. NaN and infinities stay texts, so that no number field
// takes them.
func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			out[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return out
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, child := range n.Content {
			out[i] = plain(child)
		}
		return out
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		v := false
		if n.Decode(&v) == nil {
			return v
		}
	case "!!int":
		if v := 0; n.Decode(&v) == nil {
			return v
		}
		fallthrough
	case "!!float":
		if v := 0.0; n.Decode(&v) == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
			return v
		}
	}
	return n.Value
}

// lineOf returns the line of the value that a path of fields and positions leads to.
func lineOf(n *yaml.Node, path []string) int { return follow(n, path).Line }

// follow returns the value that a path of fields and positions leads to, or the last one there is
// on the way.
func follow(n *yaml.Node, path []string) *yaml.Node {
	for _, step := range path {
		next := field(n, step)
		if i, err := strconv.Atoi(step); err == nil && n.Kind == yaml.SequenceNode && i < len(n.Content) {
			next = n.Content[i]
		}
		if next == nil {
			break
		}
		n = next
	}
	return n
}
