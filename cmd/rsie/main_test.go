package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

// TestMain installs this test binary as rsie, so that every test runs the program itself.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"rsie": func() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestScript runs the sessions in testdata/script.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"json": scriptJSON, "exits": scriptExits}})
}

// scriptExits is the command `exits CODE PROGRAM ARG...`.
func scriptExits(ts *testscript.TestScript, _ bool, args []string) {
	code := exitDone
	err := ts.Exec(args[1], args[2:]...)
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// scriptJSON is the command `json FILE KEY...`: the file is one JSON object that holds the keys,
// each a path joined by dots.
func scriptJSON(ts *testscript.TestScript, negated bool, args []string) {
	var doc map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &doc))
	for _, path := range args[1:] {
		var at any = doc
		for _, key := range strings.Split(path, ".") {
			object, ok := at.(map[string]any)
			if !ok {
				ts.Fatalf("%s: %s is below no object", args[0], path)
			}
			if at, ok = object[key]; ok == negated {
				ts.Fatalf("%s: key %s present: %v, want %v", args[0], path, ok, !negated)
			}
		}
	}
}

// commands lists every command of the program.
var commands = []string{"", "evolve", "resume", "train", "predict", "sample", "compare", "explain",
	"strategy", "strategy list", "strategy show", "strategy diff", "strategy validate",
	"tasks", "tasks list", "tasks show", "tasks eval", "tasks schema", "tasks anchors", "tasks generate",
	"report", "show", "plot", "watch", "export", "init", "doctor", "version"}

// TestHelp asks every command for help: it goes to standard output, with exit code 0.
func TestHelp(t *testing.T) {
	for _, c := range commands {
		t.Run("rsie "+c, func(t *testing.T) {
			var out, problems bytes.Buffer
			code := run(append(strings.Fields(c), "--help"), &out, &problems)
			require.Equal(t, exitDone, code)
			require.Empty(t, problems.String())
			require.Contains(t, out.String(), strings.TrimSpace("Usage: rsie "+c))
		})
	}
}

// TestCommandsAreListed fails when a command is missing from the table of TestHelp.
func TestCommandsAreListed(t *testing.T) {
	var out bytes.Buffer
	require.Equal(t, exitDone, run([]string{"--help"}, &out, &out))
	_, list, ok := strings.Cut(out.String(), "Commands:\n")
	require.True(t, ok)
	found := 0
	for _, line := range strings.Split(list, "\n") {
		name, _, ok := strings.Cut(strings.TrimPrefix(line, "  "), "  ")
		if ok && name != "" && !strings.HasPrefix(line, "   ") {
			require.Contains(t, commands, name)
			found++
		}
	}
	require.Equal(t, len(commands)-3, found, "commands that the help lists") // all but "", strategy, tasks
}

// TestUsageErrors: a wrong command line is one line that says where to look, with exit code 2.
func TestUsageErrors(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"evolve --nonsense", "rsie: unknown flag --nonsense; see rsie evolve --help"},
		{"evolv", `did you mean "evolve"`},
		{"strategy", "see rsie strategy --help"},
		{"tasks eval iris", "--points"},
		{"compare", "--strategies"},
		{"evolve --seed=-1", "--seed"},
		{"train", "see rsie train --help"},
	} {
		t.Run(c.args, func(t *testing.T) {
			var out, problems bytes.Buffer
			require.Equal(t, exitBadInput, run(strings.Fields(c.args), &out, &problems))
			require.Empty(t, out.String())
			require.Contains(t, problems.String(), c.want)
			require.Equal(t, 1, strings.Count(problems.String(), "\n"))
		})
	}
}

func TestReport(t *testing.T) {
	var b bytes.Buffer
	require.Equal(t, exitFailure, exitCode(errors.New("two\n  lines"), &b))
	require.Equal(t, "rsie: two lines\n", b.String())
	require.Equal(t, exitInterrupted, exitCode(context.Canceled, &b))
	require.Equal(t, exitInterrupted, exitCode(errInterrupted, &b))
	require.Equal(t, exitBadInput, exitCode(badPath("read", "x", os.ErrNotExist), &b))
	require.Equal(t, exitDone, exitCode(nil, &b))
}

// TestFullOutput: a result that could not be printed does not pass for success.
func TestFullOutput(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full: ", err)
	}
	defer full.Close()
	var problems bytes.Buffer
	require.Equal(t, exitBadInput, run([]string{"strategy", "list"}, full, &problems))
	require.Contains(t, problems.String(), "standard output")
}

// command returns the program as a process in a folder.
func command(dir string, args ...string) *exec.Cmd {
	c := exec.Command("rsie", args...)
	c.Dir = dir
	return c
}

// must runs the program and returns what it printed.
func must(t *testing.T, dir string, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	c := command(dir, args...)
	c.Stdout, c.Stderr = &out, &problems
	require.NoError(t, c.Run(), "rsie %v: %s", args, problems.String())
	return out.String(), problems.String()
}

// TestFoldedTable: a wide table continues below with its first columns; every column stands once.
func TestFoldedTable(t *testing.T) {
	rows := [][]string{{"task", "split"}, {"iris", "training"}}
	for c := range 12 {
		rows[0] = append(rows[0], fmt.Sprintf("strategy-%02d", c))
		rows[1] = append(rows[1], fmt.Sprintf("%.3f", float64(c)/10))
	}
	var b bytes.Buffer
	foldedTable(&b, 2, rows)
	parts := strings.Split(b.String(), "\n\n")
	require.Len(t, parts, 2)
	for _, part := range parts {
		require.True(t, strings.HasPrefix(part, "task  split"), part)
	}
	for _, line := range strings.Split(b.String(), "\n") {
		require.LessOrEqual(t, len(line), lineWidth)
	}
	for c := range 12 {
		require.Equal(t, 1, strings.Count(b.String(), rows[0][2+c]))
		require.Equal(t, 1, strings.Count(b.String(), rows[1][2+c]))
	}
	b.Reset()
	foldedTable(&b, 2, [][]string{{"a", "b", "c"}})
	require.Equal(t, "a  b  c\n", b.String())
}
