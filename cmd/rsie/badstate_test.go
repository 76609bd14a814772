//go:build linux

package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite"

	"github.com/symbio-ai/recursive-improvement/meta/store"
)

// made holds a trained model and a run of the good task, made once for all cases.
var made struct {
	sync.Once
	model, run map[string]string // content by file name
}

// useMade writes the model to dir/model and the run to dir/run.
func useMade(t *testing.T, dir string) {
	t.Helper()
	made.Do(func() {
		at := t.TempDir()
		put(t, at, map[string]string{"good.csv": goodCSV, "tasks.yaml": goodTasks})
		must(t, at, "train", "plants", "--budget", "60", "--runs", "1", "--out", "model")
		must(t, at, "evolve", "--out", "run", "--meta-population", "6", "--meta-generations", "1",
			"--base-budget", "40", "--runs-per-task", "1")
		made.model, made.run = contents(t, filepath.Join(at, "model")), contents(t, filepath.Join(at, "run"))
	})
	for name, files := range map[string]map[string]string{"model": made.model, "run": made.run} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		put(t, filepath.Join(dir, name), files)
	}
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	out := map[string]string{}
	for _, f := range entries {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		require.NoError(t, err)
		out[f.Name()] = string(b)
	}
	return out
}

// edited returns a setup that makes model and run and then changes one of their files.
func edited(file string, edit func(text []byte) []byte) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		useMade(t, dir)
		path := filepath.Join(dir, file)
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, edit(b), 0o644))
	}
}

func truncated(b []byte) []byte { return b[:len(b)/2] }
func emptied([]byte) []byte     { return nil }

// flipped inverts one bit at a share of the file.
func flipped(share float64) func([]byte) []byte {
	return func(b []byte) []byte {
		b[int(share*float64(len(b)-1))] ^= 0x40
		return b
	}
}

func replacing(old, text string) func([]byte) []byte {
	return func(b []byte) []byte {
		if !bytes.Contains(b, []byte(old)) {
			panic("the file does not hold " + old)
		}
		return bytes.Replace(b, []byte(old), []byte(text), 1)
	}
}

func badModels() []badInput {
	model := func(name, file string, edit func([]byte) []byte, want string) badInput {
		return badInput{name: "model: " + name, setup: edited("model/"+file, edit),
			args: "predict model good.csv", want: want}
	}
	data := func(name, csv, want string) badInput {
		return badInput{name: "predict: " + name, setup: useMade, files: map[string]string{"new.csv": csv},
			args: "predict model new.csv", want: want}
	}
	return []badInput{
		model("weights cut off", "model.safetensors", truncated, "model.safetensors"),
		model("weights empty", "model.safetensors", emptied, "model.safetensors"),
		model("weights with a broken header", "model.safetensors", flipped(0.0), "model.safetensors"),
		model("description cut off", "model.json", truncated, "model.json"),
		model("description empty", "model.json", emptied, "model.json"),
		model("description of a newer version", "model.json", replacing(`"version": 1`, `"version": 9`),
			"model.json & 9 & newer"),
		model("description of another width", "model.json", replacing("      3,\n", "      4,\n"), "model"),
		{name: "model: no folder", args: "predict nowhere good.csv", want: "nowhere"},
		{name: "model: a file", args: "predict good.csv good.csv", want: "good.csv"},
		{name: "model: a table model asked for text", setup: useMade, args: "sample model", want: "text"},
		{name: "sample: length 0", setup: useMade, args: "sample model --length 0", want: "--length"},
		{name: "sample: temperature NaN", setup: useMade, args: "sample model --temperature NaN",
			want: "--temperature"},
		data("a column is missing", "length,kind\n1,a\n", "new.csv & width"),
		data("text in a number", "length,width\nlong,1\n", "new.csv & length & long"),
		data("ragged", "length,width\n1\n", "new.csv & 2"),
		data("empty", "", "new.csv"),
		data("no row", "length,width\n", "new.csv"),
		{name: "predict: missing file", setup: useMade, args: "predict model none.csv",
			want: "none.csv & no such file"},
		{name: "predict: a folder", setup: useMade, args: "predict model model", want: "model & directory"},
		{name: "predict: output into a missing folder", setup: useMade,
			args: "predict model good.csv --out none/x.csv", want: "none/x.csv"},
	}
}

func badRuns() []badInput {
	db := func(name string, edit func([]byte) []byte, want string) badInput {
		return badInput{name: "run.db: " + name, setup: edited("run/run.db", edit), args: "resume run", want: want}
	}
	return []badInput{
		db("cut off", truncated, "run.db"),
		db("empty", emptied, "run.db"),
		db("a flipped bit in the head", flipped(0), "run.db"),
		db("a flipped bit in the schema", replacing("CREATE TABLE", "CREATE TABME"), "run.db"),
		db("another program's file", func([]byte) []byte { return []byte(strings.Repeat("x", 5000)) }, "run.db"),
		{name: "run.db: of a newer version", setup: newerRun, args: "resume run", want: "run.db & version & newer"},
		{name: "run.db: written by another process", setup: func(t *testing.T, dir string) {
			useMade(t, dir)
			st, err := store.Open(filepath.Join(dir, "run"))
			require.NoError(t, err)
			t.Cleanup(func() { st.Close() })
		}, args: "resume run", want: "run & process"},
		{name: "run.db: a folder", setup: folderBelow("run/run.db"), args: "resume run", want: "run.db"},
		{name: "run: a file", args: "resume good.csv", want: "good.csv"},
		{name: "run: its task has changed", setup: func(t *testing.T, dir string) {
			at := filepath.Join(dir, "run")
			must(t, dir, "evolve", "--out", at, "--meta-population", "6", "--meta-generations", "1",
				"--base-budget", "40", "--runs-per-task", "1")
			put(t, dir, map[string]string{"good.csv": strings.Replace(goodCSV, "3.5", "9.5", 1)})
		}, args: "resume run", want: "plants & changed"},
		{name: "run: a folder that cannot be written", setup: mounted(unix.MS_RDONLY, "size=1m"),
			args: "evolve --out disk/run", want: "disk & read-only"},
		{name: "model: a folder that cannot be written", setup: mounted(unix.MS_RDONLY, "size=1m"),
			args: "train plants --out disk/model", want: "disk & read-only"},
		{name: "run: a full disk", setup: mounted(0, "size=4k"),
			args: "evolve --out disk/run", want: "disk"},
		{name: "model: a full disk", setup: mounted(0, "size=4k"),
			args: "train plants --budget 20 --runs 1 --out disk/model", want: "disk & space"},
		{name: "project: a full disk", setup: mounted(0, "size=4k"),
			args: "init disk/mine --csv good.csv --target kind", want: "disk & space"},
	}
}

// folderBelow is folder below the made run.
func folderBelow(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		useMade(t, dir)
		folder(name)(t, dir)
	}
}

// newerRun marks the run as made by a later program.
func newerRun(t *testing.T, dir string) {
	useMade(t, dir)
	db, err := sql.Open("sqlite", filepath.Join(dir, "run", "run.db"))
	require.NoError(t, err)
	_, err = db.Exec("PRAGMA user_version = 999")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	os.Remove(filepath.Join(dir, "run", "run.db-wal"))
	os.Remove(filepath.Join(dir, "run", "run.db-shm"))
}

// mounted puts a small file system at disk: the superuser, who often runs tests, may write to
// folders whatever their mode.
func mounted(flags uintptr, options string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		at := filepath.Join(dir, "disk")
		require.NoError(t, os.Mkdir(at, 0o755))
		if err := unix.Mount("tmpfs", at, "tmpfs", flags, options); err != nil {
			t.Skip("cannot mount a small file system here: ", err)
		}
		t.Cleanup(func() { require.NoError(t, unix.Unmount(at, syscall.MNT_FORCE)) })
	}
}

// TestDiskFullLater: a disk that is full in the middle of a run ends it with one clear line, and
// with more room the run continues to the bytes of one that nothing disturbed.
func TestDiskFullLater(t *testing.T) {
	dir := t.TempDir()
	mounted(0, "size=320k")(t, dir)
	long := []string{"--meta-generations", "20"}
	out, _ := must(t, ".", evolveTiny(filepath.Join(dir, "whole"), long...)...)
	digest, strategies := finished(t, out)
	var problems bytes.Buffer
	c := command(dir, evolveTiny("disk/run", long...)...)
	c.Stderr = &problems
	require.Error(t, c.Run())
	require.Equal(t, exitBadInput, c.ProcessState.ExitCode(), problems.String())
	lines := strings.Split(strings.TrimSpace(problems.String()), "\n")
	require.Contains(t, lines[len(lines)-1], "disk is full")
	require.NotContains(t, problems.String(), "generation 20/20")
	require.NoError(t, unix.Mount("tmpfs", filepath.Join(dir, "disk"), "tmpfs", unix.MS_REMOUNT, "size=64m"))
	out, _ = must(t, dir, "resume", "disk/run", "--json")
	var got evolveResult
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Equal(t, digest, got.Digest)
	b, err := os.ReadFile(filepath.Join(dir, got.Strategies))
	require.NoError(t, err)
	sameText(t, strategies, b, "after a full disk")
}
