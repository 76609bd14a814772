package task

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Schema is the JSON Schema (draft 2020-12) of task and suite files, for editors; files are
// checked against the same text when they are loaded.
//
//go:embed schema/task.schema.json
var Schema string

const schemaURL = "https://github.com/symbio-ai/recursive-improvement/task/schema/task.schema.json"

// compiler returns the schema, parsed once.
var compiler = sync.OnceValue(func() *jsonschema.Compiler {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(Schema))
	if err != nil {
		panic("task: the embedded schema is not JSON: " + err.Error())
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaURL, doc); err != nil {
		panic("task: the embedded schema is refused: " + err.Error())
	}
	return c
})

var compiling sync.Mutex // a compiler serves one caller at a time

// validate checks a node against a definition of the schema and returns [rsie.ErrInvalid] with
// file, line, field and what is allowed.
func validate(definition string, n *yaml.Node, path string) error {
	compiling.Lock()
	schema, err := compiler().Compile(schemaURL + "#/$defs/" + definition)
	compiling.Unlock()
	if err != nil {
		panic("task: definition " + definition + " of the embedded schema: " + err.Error())
	}
	err = schema.Validate(plain(n))
	if err == nil {
		return nil
	}
	invalid, ok := err.(*jsonschema.ValidationError)
	if !ok {
		return fmt.Errorf("%w: %s:%d: %v", rsie.ErrInvalid, path, n.Line, err)
	}
	line, text := math.MaxInt, ""
	for _, leaf := range leaves(invalid) { // in no order
		l, said := describe(leaf, n)
		if l < line || l == line && said < text {
			line, text = l, said
		}
	}
	return fmt.Errorf("%w: %s:%d: %s", rsie.ErrInvalid, path, line, text)
}

// leaves returns the causes of an error that have no further cause. Of alternatives only those
// count whose value has the right type, for one of them was meant.
func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	_, alternatives := e.ErrorKind.(*kind.AnyOf)
	var out []*jsonschema.ValidationError
	for _, c := range e.Causes {
		for _, leaf := range leaves(c) {
			if _, wrongType := leaf.ErrorKind.(*kind.Type); !alternatives || !wrongType {
				out = append(out, leaf)
			}
		}
	}
	if out == nil { // no alternative has the type
		return leaves(e.Causes[0])
	}
	return out
}

// describe returns the line of an error and what is wrong there.
func describe(leaf *jsonschema.ValidationError, n *yaml.Node) (line int, text string) {
	at := leaf.InstanceLocation
	if extra, ok := leaf.ErrorKind.(*kind.AdditionalProperties); ok {
		unknown := slices.Sorted(slices.Values(extra.Properties))
		return keyLine(n, append(slices.Clone(at), unknown[0])), place(n, at) + "unknown field " + quoted(unknown)
	}
	text = leaf.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	return lineOf(n, at), place(n, at) + text
}

// keyLine returns the line of the field at the end of a path.
func keyLine(n *yaml.Node, path []string) int {
	last := len(path) - 1
	n = follow(n, path[:last])
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		if n.Content[i].Value == path[last] {
			return n.Content[i].Line
		}
	}
	return n.Line
}

// place names the task and the field at a path.
func place(n *yaml.Node, path []string) string {
	out := ""
	if name := field(n, "name"); name != nil {
		out = "task " + name.Value + ": "
	}
	if len(path) > 0 {
		out += strings.Join(path, ".") + ": "
	}
	return out
}
