package bench

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// update writes the outputs and tables of the documents anew: go test ./bench -run Docs -update.
var update = flag.Bool("update", false, "write outputs and tables of the documents anew")

// documents returns the README, every page of docs and the README of every example.
func documents(t *testing.T) []string {
	out := []string{"../README.md"}
	for _, pattern := range []string{"../docs/*.md", "../examples/*/README.md"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, found, pattern)
		out = append(out, found...)
	}
	return out
}

// TestDocsCommands runs the shell blocks of every document, in order, each document in a folder
// of its own that holds a copy of examples, with a freshly built rsie first in PATH.
func TestDocsCommands(t *testing.T) {
	p := buildProgram(t)
	commands := p.commands(t)
	for _, name := range documents(t) {
		t.Run(strings.TrimPrefix(name, "../"), func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath("python3"); err != nil && strings.Contains(name, "python") {
				t.Skip("no python3 on this machine")
			}
			raw, err := os.ReadFile(name)
			require.NoError(t, err)
			text := string(raw)
			list, err := blocks(text)
			require.NoError(t, err)
			folder := t.TempDir()
			require.NoError(t, os.CopyFS(filepath.Join(folder, "examples"), os.DirFS("../examples")))
			fresh := map[int]string{}
			for _, b := range list {
				if stdout := p.follow(t, folder, commands, b); b.output > 0 {
					fresh[b.output] = stdout
				}
			}
			if *update {
				require.NoError(t, os.WriteFile(name, []byte(withOutputs(text, fresh)), 0o644))
			}
		})
	}
}

// follow runs one block and returns what it prints, or checks the words of one that is not run.
func (p program) follow(t *testing.T, folder string, commands []string, b block) string {
	if b.reason != "" {
		for _, line := range strings.Split(b.commands, "\n") {
			word := p.unknownWord(t, commands, line)
			require.Empty(t, word, "line %d: there is no %q", b.line, word)
		}
		return ""
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", b.commands)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "HOME="+folder,
		"PATH="+filepath.Dir(p.path)+string(os.PathListSeparator)+os.Getenv("PATH"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	require.NoError(t, err, "line %d:\n%s%s%s", b.line, b.commands, stdout, stderr.String())
	switch {
	case *update || b.output == 0:
	case b.exact:
		require.Equal(t, b.want, string(stdout), "line %d", b.line)
	default:
		require.Equal(t, firstWords(b.want), firstWords(string(stdout)), "line %d:\n%s", b.line, stdout)
	}
	return string(stdout)
}

// firstWords returns the first word of every line: what stays the same in an output whose
// figures are another machine's.
func firstWords(text string) []string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		out = append(out, word)
	}
	return out
}

// withOutputs returns a document with new outputs in the blocks that begin at the given lines,
// counted from 1.
func withOutputs(text string, fresh map[int]string) string {
	var out strings.Builder
	lines := strings.SplitAfter(text, "\n")
	for i := 0; i < len(lines); i++ {
		out.WriteString(lines[i])
		if output, ok := fresh[i+1]; ok {
			out.WriteString(output)
			for i+1 < len(lines) && !strings.HasPrefix(lines[i+1], "```") {
				i++
			}
		}
	}
	return out.String()
}

func TestDocsOutputsAreReplaced(t *testing.T) {
	text := "a\n```sh\nls\n```\n```text like\nold\nolder\n```\nb\n"
	require.Equal(t, "a\n```sh\nls\n```\n```text like\nnew\n```\nb\n", withOutputs(text, map[int]string{5: "new\n"}))
	require.Equal(t, text, withOutputs(text, nil))
	require.Equal(t, []string{"a", "c", ""}, firstWords("a b\n  c 1\n"))
}

// TestDocsGoIsTested: a block of Go code in a document is an example that the tests run.
func TestDocsGoIsTested(t *testing.T) {
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	examples := ""
	for _, name := range []string{"../meta/example_test.go", "../task/exec_example_test.go",
		"../task/graph/example_test.go", "../task/bbob/example_test.go"} {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		examples += squeeze(string(b))
	}
	found := 0
	for _, name := range documents(t) {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		parts := strings.Split(string(b), "\n```go\n")
		for _, part := range parts[1:] {
			code, _, _ := strings.Cut(part, "\n```")
			require.Contains(t, examples, squeeze(code), "%s: no example of a test", name)
			found++
		}
	}
	require.Positive(t, found)
}

// TestDocsJSON runs every command of the table in docs/formats.md, in order, and compares the
// fields of the object it prints with those that the table lists.
func TestDocsJSON(t *testing.T) {
	p := buildProgram(t)
	folder := t.TempDir()
	for name, text := range map[string]string{
		"rows.csv":  "sepal_length_cm,sepal_width_cm,petal_length_cm,petal_width_cm\n5,3,1,0\n",
		"zero.json": "[[0, 0]]",
		"tiny.yaml": "version: 1\nbudget: 20\ntasks:\n  - {name: f, kind: function, function: 1, dimension: 2}\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644))
	}
	page, err := os.ReadFile("../docs/formats.md")
	require.NoError(t, err)
	rows := regexp.MustCompile("(?m)^\\| `rsie ([^`]*)` \\| (.*) \\|$").FindAllStringSubmatch(string(page), -1)
	require.Greater(t, len(rows), 12)
	for _, row := range rows {
		cmd := exec.CommandContext(t.Context(), p.path, strings.Fields(row[1])...)
		cmd.Dir = folder
		stdout, err := cmd.Output()
		require.NoError(t, err, row[1])
		var object map[string]any
		require.NoError(t, json.Unmarshal(stdout, &object), row[1])
		fields := strings.Split(strings.ReplaceAll(row[2], "`", ""), ", ")
		require.ElementsMatch(t, fields, slices.Collect(maps.Keys(object)), row[1])
	}
}
