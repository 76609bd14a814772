package task

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
)

const good = "a,b,y\n1,2,0\n2,1,1\n3,5,0\n4,4,1\n5,6,0\n6,5,1\n7,8,0\n8,7,1\n9,9,0\n10,10,1\n"

// Every kind of broken table gives one error that names the place.
func TestBadTables(t *testing.T) {
	for _, c := range []struct{ name, fields, data, want string }{
		{"empty", "{target: y}", "", "d.csv is empty"},
		{"header only", "{target: y}", "a,y\n", "has a header but no rows"},
		{"ragged", "{target: y}", strings.Replace(good, "3,5,0", "3,5", 1), "d.csv:4: the row has 2 cells, the header has 3"},
		{"long row", "{target: y}", strings.Replace(good, "3,5,0", "3,5,0,1", 1), "d.csv:4: the row has 4 cells"},
		{"text", "{target: y}", strings.Replace(good, "3,5,0", "3,five,0", 1), `d.csv:4: column b: "five" is not a number`},
		{"text first", "{target: y}", strings.Replace(good, "1,2,0", "1,two,0", 1), `d.csv:2: column b: "two" is not a number`},
		{"text in numbers", "{target: y, numbers: [b]}", strings.Replace(good, "1,2,0", "1,two,0", 1), `d.csv:2: column b: "two"`},
		{"nan", "{target: y}", strings.Replace(good, "3,5,0", "3,NaN,0", 1), `d.csv:4: column b: "NaN"`},
		{"inf", "{target: y}", strings.Replace(good, "3,5,0", "3,-Inf,0", 1), `d.csv:4: column b: "-Inf"`},
		{"huge", "{target: y}", strings.Replace(good, "3,5,0", "3,1e400,0", 1), `"1e400" is not a number between -1e30 and 1e30`},
		{"beyond float32", "{target: y}", strings.Replace(good, "3,5,0", "3,1e31,0", 1), `"1e31" is not a number between`},
		{"one class", "{target: y}", "a,y\n1,0\n2,0\n3,0\n4,0\n5,0\n", `one class only, "0"`},
		{"class not taught", "{target: y}", "a,y\n1,u\n2,v\n3,u\n4,w\n5,u\n", `class "w" of column y appears in no training row`},
		{"class not whole", "{target: y, goal: classification}", "a,y\n1,0\n2,1.5\n3,0\n4,1\n5,0\n", "line 3: column y: class 1.5 is not a whole number"},
		{"text as number", "{target: y, goal: regression}", "a,y\n1,0\n2,x\n3,0\n4,1\n5,0\n", `d.csv:3: column y: "x" is not a number`},
		{"category as number", "{target: y, goal: regression, categories: [y]}", good, "column y is a category"},
		{"no target", "{target: z}", good, `there is no column "z"; the columns are a, b, y`},
		{"no ignored", "{target: y, ignore: [c]}", good, `there is no column "c"`},
		{"target ignored", "{target: y, ignore: [y]}", good, "cannot stand under ignore"},
		{"both kinds", "{target: y, numbers: [a], categories: [a]}", good, "under categories and under numbers"},
		{"no input", "{target: y, ignore: [a, b]}", good, "no input column beside the target"},
		{"target missing", "{target: y}", strings.Replace(good, "3,5,0", "3,5,", 1), "line 4: the target y is missing, as in 1 rows"},
		{"column missing", "{target: y}", "a,b,y\n,1,0\nNA,1,1\n?,2,0\n1,2,1\n2,3,0\n", "column a has no value in the training rows"},
		{"four rows", "{target: y}", "a,y\n1,0\n2,1\n3,0\n4,1\n", "4 rows leave none for the test part"},
		{"duplicate", "{target: y}", "a,a,y\n1,1,1\n", "columns 1 and 2 are both named a"},
		{"no name", "{target: y}", ",a,y\n1,1,1\n", "column 1 has no name"},
		{"semicolons", "{target: y}", "a;b;y\n1;2;3\n", "must be separated by commas"},
		{"open quote", "{target: y}", "a,y\n\"1,0\n2,1\n", "d.csv:"},
		{"quote inside", "{target: y}", "a,y\n1\"2,0\n", `d.csv:2: column 2: bare "`},
		{"not UTF-8", "{target: y}", "a,y\n\xff\xfe,0\n", `d.csv:2: column a: "\xff\xfe" is not UTF-8`},
		{"name not UTF-8", "{target: y}", "a\xff,y\n1,0\n", "the name of column 1 is not UTF-8"},
		{"binary", "{target: y}", "\x00\x01\x02", "d.csv:1: "},
		{"goal", "{target: y, goal: win}", good, `goal "win"; allowed are classification, regression`},
		{"standardise", "{target: y, standardise: some}", good, `standardise "some"; allowed are all, inputs, target, none`},
		{"autoencoder goal", "{target: inputs, goal: classification}", good, "does not fit target"},
		{"every", "{target: y, every: -1}", good, "every -1; allowed are 1 to"},
		{"every too large", "{target: y, every: 100}", good, "1 rows leave none"},
		{"rule", "{target: y, parts: {rule: half}}", good, `parts.rule "half"; allowed are mod5, position, shuffle`},
		{"shares of mod5", "{target: y, parts: {training: 0.6}}", good, "mod5 has fixed shares"},
		{"shares", "{target: y, parts: {rule: shuffle, training: 0.9}}", good, "sum to 1.3, want 1"},
		{"share", "{target: y, parts: {rule: shuffle, training: 1}}", good, "parts.training 1; allowed are values between 0 and 1"},
	} {
		_, _, err := loadTable(t, c.fields, c.data)
		require.ErrorIs(t, err, rsie.ErrInvalid, c.name)
		require.ErrorContains(t, err, "tasks.yaml:1: task x: ", c.name)
		require.ErrorContains(t, err, c.want, c.name)
		require.Equal(t, 1, strings.Count(err.Error(), "invalid input"), err)
	}
}

func TestManyLevelsAreRefused(t *testing.T) {
	var b strings.Builder
	b.WriteString("a,y\n")
	for i := range MaxLevels + 1 {
		fmt.Fprintf(&b, "t%d,%d\n", i, i%2)
	}
	_, _, err := loadTable(t, "{target: y}", b.String())
	require.ErrorContains(t, err, `d.csv:1002: column a: "t1000" is one more than 1000 different texts`)
	_, _, err = loadTable(t, "{target: a}", b.String())
	require.ErrorIs(t, err, rsie.ErrInvalid)
}

// repeat gives text again and again up to n bytes.
type repeat struct {
	text string
	at   int
	left int
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && r.left > 0 {
		k := copy(p[n:], r.text[r.at:])
		r.at = (r.at + k) % len(r.text)
		n, r.left = n+k, r.left-k
	}
	return n, nil
}

// Data that would not fit are refused before they are read: at most 200 MiB are ever allocated, most of them free again.
func TestOversizedTablesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		data io.Reader
		want string
	}{
		"a million columns":  {&repeat{text: ",", left: 1_000_000}, "d.csv:1: 1000001 columns; allowed are at most 10000"},
		"and long names":     {&repeat{text: "c,", left: 2_000_000}, "a row is longer than 1048576 bytes"},
		"long names":         {&repeat{text: "column name,", left: 12_000_000}, "a row is longer than 1048576 bytes"},
		"quote without end":  {io.MultiReader(strings.NewReader("a,y\n1,\""), &repeat{text: "1\n", left: 1 << 30}), "a row is longer than 1048576 bytes"},
		"one endless line":   {io.MultiReader(strings.NewReader("a,y\n1,"), &repeat{text: "1", left: 1 << 30}), "a row is longer"},
		"many columns, once": {&repeat{text: strings.Repeat("x", 40) + ",", left: 1_000_000}, "columns; allowed are at most 10000"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := tableReader{name: "d.csv", open: (&tabularSpec{Target: targetInputs}).columns}.read(c.data)
		runtime.ReadMemStats(&after)
		require.ErrorContains(t, err, c.want, name)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(200<<20), name)
	}
}

// Every kind of broken task file gives one error with file, line, field and what is allowed.
func TestBadTaskFiles(t *testing.T) {
	task := func(fields string) string {
		return "version: 1\ntasks:\n  - name: x\n    kind: tabular\n    data: d.csv\n    target: y\n" + fields
	}
	deep := "version: " + strings.Repeat("[", 100) + strings.Repeat("]", 100)
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "tasks.yaml is empty"},
		{"comment", "# nothing\n", "tasks.yaml is empty"},
		{"not YAML", "version: 1\ntasks: [\n", "tasks.yaml:"},
		{"tab", "version: 1\n\ttasks: []\n", "tasks.yaml:2: found a tab character"},
		{"list", "- 1\n", "tasks.yaml:1: got array, want object"},
		{"no version", "tasks: []\n", "missing property 'version'"},
		{"newer version", "version: 2\ntasks: [{name: x, kind: tabular}]\n", "tasks.yaml:1: version: value must be 1"},
		{"no tasks", "version: 1\n", "missing property 'tasks'"},
		{"empty tasks", "version: 1\ntasks: []\n", "tasks.yaml:2: tasks: minItems: got 0, want 1"},
		{"many tasks", "version: 1\ntasks:\n" + strings.Repeat("  - {name: x, kind: exec}\n", 1001), "maxItems: got 1,001, want 1,000"},
		{"unknown field above", "version: 1\nbudgt: 3\ntasks: [{name: x, kind: exec}]\n", "tasks.yaml:2: unknown field budgt"},
		{"budget", "version: 1\nbudget: 0\ntasks: [{name: x, kind: exec}]\n", "tasks.yaml:2: budget: minimum: got 0, want 1"},
		{"huge budget", "version: 1\nbudget: 1099511627776\ntasks: [{name: x, kind: exec}]\n", "budget: maximum:"},
		{"no kind", "version: 1\ntasks:\n  - name: x\n", "missing property 'kind'"},
		{"unknown kind", "version: 1\ntasks:\n  - {name: x, kind: picture}\n", "tasks.yaml:3: kind is missing or unknown; allowed are tabular"},
		{"no name", "version: 1\ntasks:\n  - {kind: tabular, data: d.csv, target: y}\n", "missing property 'name'"},
		{"bad name", strings.Replace(task(""), "name: x", "name: ../x", 1), "tasks.yaml:3: task ../x: name: '../x' does not match pattern"},
		{"unknown field", task("    colour: red\n"), "tasks.yaml:7: task x: unknown field colour"},
		{"unknown network field", task("    network: {hiden: [3]}\n"), "tasks.yaml:7: task x: network: unknown field hiden"},
		{"field of another kind", task("    system: pendulum\n"), "tasks.yaml:7: task x: unknown field system"},
		{"duplicate field", task("    target: y\n"), "tasks.yaml:7: field target stands at line 6 as well"},
		{"duplicate task", task("") + "  - {name: x, kind: tabular, data: d.csv, target: y}\n", "tasks.yaml:7: task x stands at line 3 as well"},
		{"wrong type", task("    every: many\n"), "tasks.yaml:7: task x: every: got string, want integer"},
		{"several", task("    every: 0\n    goal: win\n    split: x\n"), "tasks.yaml:7: task x: every: minimum: got 0, want 1"},
		{"split", task("    split: trainning\n"), "split: value must be one of 'training', 'validation', 'test'"},
		{"zero width", task("    network: {hidden: [0]}\n"), "tasks.yaml:7: task x: network.hidden.0: minimum: got 0, want 1"},
		{"wide", task("    network: {hidden: [65537]}\n"), "network.hidden.0: maximum: got 65,537, want 65,536"},
		{"deep", task("    network: {hidden: [" + strings.Repeat("1, ", 64) + "1]}\n"), "network.hidden: maxItems: got 65, want 64"},
		{"large", task("    network: {hidden: [65536, 65536]}\n"), "parameters; allowed are at most 268435456"},
		{"activation", task("    network: {activation: swish}\n"), "network.activation: value must be one of 'tanh', 'relu', 'sigmoid', 'linear'"},
		{"activations", task("    network: {hidden: [3, 3, 3], activation: [tanh, relu]}\n"), "2 names for 3 hidden layers"},
		{"recurrent", task("    network: {kind: gru}\n"), "network.kind gru reads sequences; allowed here is dense"},
		{"network kind", task("    network: {kind: lstm}\n"), "network.kind: value must be one of 'dense', 'elman', 'gru'"},
		{"anchors", task("    anchors: {f0: 1, f1: 2}\n"), "f0 1 must be above f1 2"},
		{"anchor NaN", task("    anchors: {f0: .nan, f1: 2}\n"), "anchors.f0: got string, want number"},
		{"alias", "version: 1\na: &a [1]\nb: *a\n", "tasks.yaml:2: anchors and aliases"},
		{"laughs", "a: &a [lol,lol]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n", "anchors and aliases (& and *) are not allowed"},
		{"cycle", "a: &a [*a]\n", "anchors and aliases"},
		{"nested", deep, "nested more than 32 deep"},
		{"two documents", task("") + "---\nversion: 1\n", "more than one document"},
		{"list as field", "? [a]\n: 1\n", "a field name must be plain text"},
		{"too large", "# " + strings.Repeat("x", MaxTaskFile), "has 1048578 bytes; allowed are 1048576"},
		{"no data file", strings.Replace(task(""), "d.csv", "none.csv", 1), "no such file"},
		{"data is a folder", strings.Replace(task(""), "d.csv", ".", 1), "is a folder, want a file"},
	} {
		_, err := loadText(t, c.text, map[string]string{"d.csv": good})
		require.ErrorIs(t, err, rsie.ErrInvalid, c.name)
		require.ErrorContains(t, err, "tasks.yaml", c.name)
		require.ErrorContains(t, err, c.want, c.name)
		require.Equal(t, 1, strings.Count(err.Error(), "invalid input"), err)
	}
	dir := t.TempDir()
	_, err := Load(dir, Options{})
	require.ErrorIs(t, err, rsie.ErrInvalid)
	require.ErrorContains(t, err, "is a folder")
	_, err = Load(filepath.Join(dir, "none.yaml"), Options{})
	require.ErrorIs(t, err, rsie.ErrInvalid)
	require.ErrorContains(t, err, "no such file")
}

// Anchors of another budget do not hold.
func TestAnchorsOfAnotherBudget(t *testing.T) {
	load := func(budget string) (*rsie.Anchors, []string) {
		dir := t.TempDir()
		path := filepath.Join(dir, "t.yaml")
		require.NoError(t, os.WriteFile(filepath.Join(dir, "d.csv"), []byte(good), 0o644))
		require.NoError(t, os.WriteFile(path, []byte("version: 1\nbudget: 100\ntasks:\n"+
			"  - {name: x, kind: tabular, data: d.csv, target: y, anchors: {f0: 3, f1: 1"+budget+"}}\n"), 0o644))
		var warnings []string
		s, err := Load(path, Options{Warn: func(text string) { warnings = append(warnings, text) }})
		require.NoError(t, err)
		return s.Tasks[0].Anchors, warnings
	}
	for _, budget := range []string{"", ", budget: 100"} {
		a, warnings := load(budget)
		require.Equal(t, &rsie.Anchors{F0: 3, F1: 1}, a)
		require.Empty(t, warnings)
	}
	a, warnings := load(", budget: 99")
	require.Nil(t, a)
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0], "measured at 99 evaluations, not at 100")
}
