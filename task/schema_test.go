package task

import (
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// published returns the whole schema as an editor uses it.
func published(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := compiler().Compile(schemaURL)
	require.NoError(t, err)
	return s
}

func TestSchemaAcceptsEmbeddedFiles(t *testing.T) {
	names, err := fs.Glob(embedded, "embedded/*.yaml")
	require.NoError(t, err)
	require.Len(t, names, 2)
	for _, name := range names {
		text, err := fs.ReadFile(embedded, name)
		require.NoError(t, err)
		doc, err := parseYAML(text, name)
		require.NoError(t, err)
		require.NoError(t, published(t).Validate(plain(doc.Content[0])), name)
	}
	text, _ := StarterExample()
	doc, err := parseYAML(text, "starter")
	require.NoError(t, err)
	require.NoError(t, published(t).Validate(plain(doc.Content[0])))
}

// One valid task of every kind; a field more or a wrong kind is refused by the published schema.
func TestSchemaRefuses(t *testing.T) {
	valid := func(text string) error {
		doc, err := parseYAML([]byte("version: 1\ntasks:\n  - {name: x, "+text+"}\n"), "t.yaml")
		require.NoError(t, err)
		return published(t).Validate(plain(doc.Content[0]))
	}
	for _, text := range []string{
		"kind: tabular, data: d.csv, target: y",
		"kind: sequence, form: text, data: d.txt, context: 4",
		"kind: control, system: pendulum, starts_training: 3, starts_test: [[0, 0]]",
		"kind: function, function: 3, dimension: 5",
		"kind: exec, command: [python3, sim.py], dim: 3, lower: -1, upper: 1",
		"kind: generated, family: teacher, seed: 3",
	} {
		require.NoError(t, valid(text))
		require.Error(t, valid(text+", colour: red"), text)
		require.Error(t, valid(strings.Replace(text, "kind: ", "kind: x", 1)))
		require.Error(t, valid(text+", budget: 0"))
	}
	require.Error(t, valid("kind: tabular, data: d.csv"), "no target")
	require.Error(t, valid("kind: exec, command: [a], dim: 3, network: {}"), "exec has no network")
}

// tags returns the YAML names of a struct's fields, those of inlined structs included.
func tags(v any) []string {
	var out []string
	t := reflect.TypeOf(v)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for i := range t.NumField() {
		name, how, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name != "" {
			out = append(out, name)
		}
		if how == "inline" {
			out = append(out, tags(reflect.New(t.Field(i).Type).Interface())...)
		}
	}
	slices.Sort(out)
	return out
}

// The schema and the structs that are decoded name the same fields.
func TestSchemaNamesEveryField(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(Schema))
	require.NoError(t, err)
	defs := doc.(map[string]any)["$defs"].(map[string]any)
	properties := func(name string) []string {
		var out []string
		for field := range defs[name].(map[string]any)["properties"].(map[string]any) {
			out = append(out, field)
		}
		slices.Sort(out)
		return out
	}
	for kind, empty := range kinds {
		want := append(tags(empty()), tags(commonSpec{})...)
		if kind == "function" || kind == "exec" || kind == "generated" {
			want = slices.DeleteFunc(want, func(s string) bool { return s == "network" })
		}
		slices.Sort(want)
		require.Equal(t, want, properties(kind), kind)
	}
	for name, empty := range generators {
		require.Equal(t, tags(empty()), properties("family_"+name), name)
	}
	require.Equal(t, tags(NetworkSpec{}), properties("network"))
	require.Equal(t, tags(anchorSpec{}), properties("anchors"))
	require.Equal(t, tags(partsSpec{}), properties("parts"))
}
