//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Bounds of refusing one bad input. The promise to the user is a second; a test machine that
// does other work gets five.
const (
	refuseWithin = 5 * time.Second
	refuseRSS    = 200 << 20 // bytes
)

// badInput is one mistake: a folder of files and a command line that must be refused.
type badInput struct {
	name  string
	files map[string]string // beside goodCSV, as good.csv, and goodTasks, as tasks.yaml
	setup func(t *testing.T, dir string)
	args  string // split at blanks
	want  string // words of the one line on standard error, split at " & "
}

const goodTasks = `version: 1
tasks:
  - name: plants
    kind: tabular
    data: good.csv
    target: kind
    network: {hidden: [3]}
`

// goodCSV has 20 rows of two classes.
var goodCSV = func() string {
	var b strings.Builder
	b.WriteString("length,width,kind\n")
	for i := range 20 {
		fmt.Fprintf(&b, "%d.5,%d,%c\n", i, 20-i, 'a'+i%2)
	}
	return b.String()
}()

// tableCase returns a case in which the data of the good task are replaced.
func tableCase(name, csv, want string) badInput {
	return badInput{name: "table: " + name, files: map[string]string{"good.csv": csv},
		args: "train plants", want: want}
}

// taskCase returns a case in which the task file is replaced.
func taskCase(name, yaml, want string) badInput {
	return badInput{name: "task file: " + name, files: map[string]string{"tasks.yaml": yaml},
		args: "train plants", want: want}
}

// strategyCase returns a case with a strategy file.
func strategyCase(name, text, want string) badInput {
	return badInput{name: "strategy: " + name, files: map[string]string{"s.json": text},
		args: "train plants --strategy s.json", want: want}
}

// flagCase returns a case of a wrong command line.
func flagCase(args, want string) badInput {
	return badInput{name: "rsie " + args, args: args, want: want}
}

func badTables() []badInput {
	wide := func(columns int) string {
		var b strings.Builder
		for j := range columns {
			fmt.Fprintf(&b, "c%d,", j)
		}
		b.WriteString("kind\n")
		return b.String()
	}
	replaced := func(line int, text string) string {
		lines := strings.Split(goodCSV, "\n")
		lines[line] = text
		return strings.Join(lines, "\n")
	}
	return []badInput{
		tableCase("empty", "", "good.csv"),
		tableCase("header only", "length,width,kind\n", "good.csv & row"),
		tableCase("ragged row", replaced(3, "1,2"), "good.csv & 4"),
		tableCase("text in a numeric column", replaced(5, "long,15,a"), "good.csv & length & long"),
		tableCase("one class only", strings.ReplaceAll(goodCSV, ",b\n", ",a\n"), "kind & class"),
		tableCase("target missing", strings.Replace(goodCSV, "kind", "sort", 1), "kind & sort"),
		tableCase("column twice", strings.Replace(goodCSV, "width", "length", 1), "length"),
		tableCase("infinite value", replaced(4, "1e999,4,a"), "length"),
		tableCase("inf in words", replaced(4, "inf,4,a"), "length"),
		tableCase("NaN in the target of a regression", replaced(4, "3,4,NaN"), "kind"),
		tableCase("a million columns", wide(1_000_000), "good.csv & row is longer"),
		tableCase("a hundred thousand columns", wide(100_000), "good.csv & columns"),
		tableCase("a quote that never ends", replaced(4, `1,"2,a`), "good.csv"),
		tableCase("binary", "\x00\x01\xff\xfe\n\x00", "good.csv"),
		tableCase("too few rows", "length,width,kind\n1,2,a\n2,3,b\n", "row"),
		{name: "table: missing", setup: remove("good.csv"), args: "train plants", want: "good.csv & no such file"},
		{name: "table: a folder", setup: folder("good.csv"), args: "train plants", want: "good.csv & folder"},
		{name: "init: a missing table", args: "init mine --csv none.csv --target kind", want: "none.csv"},
		{name: "init: no such target", args: "init mine --csv good.csv --target sort", want: "sort & kind"},
		{name: "init: a table without a target", args: "init mine --csv good.csv", want: "--target"},
		{name: "init: a target without a table", args: "init mine --target kind", want: "--csv"},
		{name: "init: a folder that is not empty", args: "init . --csv good.csv --target kind", want: "not empty"},
	}
}

func badTaskFiles() []badInput {
	field := func(old, text string) string { return strings.Replace(goodTasks, old, text, 1) }
	laughs := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'j'; c++ {
		alias := fmt.Sprintf("*%c,", c-1)
		laughs += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.Repeat(alias, 9))
	}
	exec := func(command string) string {
		return "version: 1\ntasks:\n  - name: plants\n    kind: exec\n    command: " + command + "\n    dim: 2\n"
	}
	return []badInput{
		taskCase("empty", "", "tasks.yaml"),
		taskCase("not YAML", "tasks: [}", "tasks.yaml"),
		taskCase("unknown field", field("    target", "    tarjet: x\n    target"), "tasks.yaml:6 & tarjet"),
		taskCase("duplicate key", field("    target", "    kind: tabular\n    target"), "tasks.yaml & kind"),
		taskCase("wrong type", field("[3]", "three"), "tasks.yaml:7 & hidden"),
		taskCase("unknown kind", field("kind: tabular", "kind: magic"), "kind & tabular"),
		taskCase("cyclic", "version: 1\ntasks: &t\n  - *t\n", "tasks.yaml"),
		taskCase("a billion laughs", laughs+goodTasks, "tasks.yaml"),
		taskCase("nested too deep", "tasks: "+strings.Repeat("[", 100_000)+"\n", "tasks.yaml"),
		taskCase("too large", goodTasks+strings.Repeat("# padding\n", 200_000), "tasks.yaml & bytes"),
		taskCase("no version", field("version: 1\n", ""), "version"),
		taskCase("a newer version", field("version: 1", "version: 9"), "version"),
		taskCase("no task", "version: 1\ntasks: []\n", "tasks.yaml & tasks"),
		taskCase("two of one name", goodTasks+strings.TrimPrefix(goodTasks, "version: 1\ntasks:\n"), "plants & line"),
		taskCase("budget 0", field("    target", "    budget: 0\n    target"), "budget"),
		taskCase("budget 2^40", field("    target", "    budget: 1099511627776\n    target"), "budget"),
		taskCase("a layer of no units", field("[3]", "[0]"), "hidden"),
		taskCase("a layer of 2^40 units", field("[3]", "[1099511627776]"), "hidden"),
		taskCase("anchors upside down", field("    target", "    anchors: {f0: 0, f1: 1}\n    target"), "f0 & f1"),
		taskCase("anchor not a number", field("    target", "    anchors: {f0: .nan, f1: 1}\n    target"), "f0"),
		taskCase("a program that is missing", exec("[./none]"), "none"),
		taskCase("no program", exec("[]"), "command"),
		{name: "task file: missing", args: "evolve --suite none.yaml", want: "none.yaml & no such file & standard, generated:FAMILY"},
		{name: "task file: a folder", setup: folder("tasks.yaml"), args: "evolve", want: "tasks.yaml & folder"},
		{name: "task file: only validation tasks", files: map[string]string{"tasks.yaml": field("    target",
			"    split: validation\n    target")}, args: "evolve", want: "split training"},
		{name: "exec: dies at once", files: map[string]string{"tasks.yaml": exec("[sh, -c, 'exit 3']")},
			args: "train plants --budget 200 --runs 1 --workers 1", want: "plants & exit status 3"},
		{name: "exec: dies at once, of a run", files: map[string]string{"tasks.yaml": exec("[sh, -c, 'exit 3']")},
			args: "evolve --base-budget 20 --workers 1", want: "plants & exit status 3"},
	}
}

func badStrategies() []badInput {
	return []badInput{
		strategyCase("empty", "", "s.json"),
		strategyCase("not JSON", "population", "s.json"),
		strategyCase("unknown gene", `{"genome_id":"x","colour":1}`, "s.json & colour"),
		strategyCase("duplicate key", `{"genome_id":"x","genome_id":"y"}`, "s.json & genome_id"),
		strategyCase("wrong type", `{"population_size":"many"}`, "s.json & population_size"),
		strategyCase("population 0", `{"population_size":0}`, "population_size & 2"),
		strategyCase("population 2^40", `{"population_size":1099511627776}`, "population_size & allowed is 2 to"),
		strategyCase("rate above 1", `{"mutation_rate":1.5}`, "mutation_rate"),
		strategyCase("unknown operator", `{"selection_strategy":"lottery"}`, "selection_strategy & tournament"),
		strategyCase("a newer version", `{"format":"rsie-strategy","version":9}`, "version 9 & newer"),
		strategyCase("no strategy in a list", `[]`, "s.json"),
		{name: "strategy: missing file", args: "train plants --strategy none.json", want: "none.json & no such file"},
		{name: "strategy: a folder", setup: folder("s.json"), args: "train plants --strategy s.json",
			want: "s.json & not a file"},
		{name: "strategy: unknown name", args: "train plants --strategy best", want: "best & snes"},
		{name: "strategy: unknown id", files: map[string]string{"s.json": `[{"genome_id":"x"}]`},
			args: "train plants --strategy s.json#y", want: "y & x"},
		{name: "strategy: too large", files: map[string]string{"s.json": strings.Repeat(" ", 17<<20)},
			args: "strategy validate s.json", want: "s.json & bytes"},
	}
}

func badFlags() []badInput {
	return []badInput{
		flagCase("evolve --meta-population 0", "meta-population & 2"),
		flagCase("evolve --meta-population 1099511627776", "meta-population & 10000"),
		flagCase("evolve --meta-generations 0", "meta-generations & 1"),
		flagCase("evolve --base-budget=-5", "base-budget & 10"),
		flagCase("evolve --base-budget 1099511627776", "base-budget"),
		flagCase("evolve --runs-per-task 0", "runs-per-task & 1"),
		flagCase("evolve --objectives speed=1", "speed & convergence_speed"),
		flagCase("evolve --objectives diversity=-1", "weight"),
		flagCase("evolve --objectives diversity=NaN", "weight"),
		flagCase("evolve --objectives diversity=0", "0"),
		flagCase("evolve --objectives diversity", "name=weight"),
		flagCase("evolve --objectives diversity=1,diversity=2", "twice"),
		flagCase("evolve --workers=-1", "--workers & 4096"),
		flagCase("evolve --workers 1099511627776", "--workers & 4096"),
		flagCase("evolve --backend cuda", "cuda & gonum"),
		flagCase("evolve --tasks tulips", "tulips & plants"),
		flagCase("evolve --suite huge", "huge"),
		flagCase("evolve --seed 18446744073709551616", "--seed"),
		flagCase("evolve --out good.csv", "good.csv"),
		flagCase("train tulips", "tulips"),
		flagCase("train plants --budget 0", "--budget"),
		flagCase("train plants --runs 0", "--runs"),
		flagCase("train plants --out good.csv/model", "good.csv"),
		flagCase("train iris --budget 100 --strategy snes,default", "snes,default"),
		flagCase("compare --strategies snes,best --tasks plants", "best"),
		flagCase("compare --strategies snes,snes --tasks plants --runs 2 --budget 50", "snes & once"),
		flagCase("compare --strategies snes --tasks plants --runs 0", "runs & 2"),
		flagCase("compare --strategies snes --tasks plants --budget 1", "budget & 10"),
		flagCase("compare --strategies snes --tasks plants --csv none/runs.csv", "none/runs.csv"),
		flagCase("tasks anchors tasks.yaml --runs 0", "--runs"),
		flagCase("tasks show tulips", "tulips"),
		flagCase("resume nowhere", "nowhere & run.db"),
		flagCase("sample nowhere", "nowhere"),
	}
}

func badPoints() []badInput {
	points := func(name, text, want string) badInput {
		return badInput{name: "points: " + name, files: map[string]string{"p.json": text},
			args: "tasks eval plants --points p.json", want: want}
	}
	return []badInput{
		points("empty", "", "p.json"),
		points("no point", "[]", "p.json & no point"),
		points("an empty point", "[[]]", "p.json & 0 numbers & 17"),
		points("too short", "[[1,2,3]]", "p.json & 3 numbers & 17"),
		points("not numbers", `[["a"]]`, "p.json & list"),
		points("cut off", "[[1,2", "p.json"),
		points("NaN", "[[NaN]]", "p.json"),
		{name: "points: missing", args: "tasks eval plants --points p.json", want: "p.json & no such file"},
		{name: "points: a folder", setup: folder("p.json"), args: "tasks eval plants --points p.json",
			want: "p.json & directory"},
	}
}

// TestBadInput runs the table: every mistake is refused with exit code 2 and one line that
// holds the wanted words, and leaves the folder as it was.
func TestBadInput(t *testing.T) {
	all := append(badTables(), badTaskFiles()...)
	all = append(append(append(all, badStrategies()...), badFlags()...), badPoints()...)
	all = append(append(all, badModels()...), badRuns()...)
	t.Logf("%d bad inputs", len(all))
	var slowest time.Duration
	var largest int64
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, map[string]string{"good.csv": goodCSV, "tasks.yaml": goodTasks})
			put(t, dir, c.files)
			if c.setup != nil {
				c.setup(t, dir)
			}
			took, rss := refused(t, dir, strings.Fields(c.args), c.want)
			slowest, largest = max(slowest, took), max(largest, rss)
		})
	}
	t.Logf("slowest %v, largest %d MiB", slowest.Round(time.Millisecond), largest>>20)
}

// refused runs the program on a mistake and returns the time it took and its largest memory.
func refused(t *testing.T, dir string, args []string, want string) (time.Duration, int64) {
	t.Helper()
	before := snapshot(t, dir)
	var out, problems bytes.Buffer
	c := command(dir, args...)
	c.Stdout, c.Stderr = &out, &problems
	began := time.Now()
	err := c.Run()
	took := time.Since(began)
	if c.ProcessState == nil {
		require.NoError(t, err)
	}
	text := withoutNotes(problems.String())
	require.Equal(t, exitBadInput, c.ProcessState.ExitCode(), text)
	require.Equal(t, 1, strings.Count(text, "\n"), "lines on standard error: %s", text)
	require.True(t, strings.HasPrefix(text, "rsie: "), text)
	require.Less(t, len(text), 600, "a line to read: %s", text)
	for _, word := range strings.Split(want, " & ") {
		require.Contains(t, text, word)
	}
	require.Empty(t, out.String())
	require.Empty(t, changed(before, snapshot(t, dir)), "files that were changed")
	require.Less(t, took, refuseWithin)
	rss := c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss * 1024 // Linux counts KiB
	require.Less(t, rss, int64(refuseRSS))
	return took, rss
}

// withoutNotes drops what may come before an error: counted warnings and the first line of a run.
func withoutNotes(text string) string {
	var out strings.Builder
	for _, line := range strings.SplitAfter(text, "\n") {
		if !strings.HasPrefix(line, "warning: ") && !strings.HasPrefix(line, "run ") {
			out.WriteString(line)
		}
	}
	return out.String()
}

// changed returns the files that differ.
func changed(before, after map[string]string) (out []string) {
	for path, text := range before {
		if after[path] != text {
			out = append(out, path)
		}
	}
	for path := range after {
		if _, ok := before[path]; !ok {
			out = append(out, path)
		}
	}
	return out
}

// snapshot returns the content of every file below dir, but for run.lock, which names the
// process that wrote last.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			out[path] = "not a file"
			return err
		}
		if d.Name() == "run.lock" {
			return nil
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		out[path] = string(b)
		return err
	}))
	return out
}

func put(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
}

// remove returns a setup that removes a file.
func remove(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, name))) }
}

// folder returns a setup that puts a folder in a file's place.
func folder(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, name)))
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
	}
}
