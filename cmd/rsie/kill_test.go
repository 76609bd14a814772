package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/store"
)

// sameText compares two texts and shows the first line that differs alone.
func sameText(t *testing.T, want, got []byte, when string, args ...any) {
	t.Helper()
	a, b := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := range min(len(a), len(b)) {
		require.Equal(t, a[i], b[i], "line %d, %s", i+1, fmt.Sprintf(when, args...))
	}
	require.Len(t, b, len(a), when)
}

// tiny are the settings of a run of a second; it has everything that a long one has.
var tiny = []string{"--suite", "quick", "--tasks", "iris", "--meta-population", "6", "--meta-generations", "4",
	"--base-budget", "60", "--runs-per-task", "1", "--seed", "7", "--json"}

func evolveTiny(dir string, more ...string) []string {
	return append(append([]string{"evolve", "--out", dir}, tiny...), more...)
}

// finished returns the digest a run printed and the bytes of its strategies.
func finished(t *testing.T, stdout string) (digest string, strategies []byte) {
	t.Helper()
	var got evolveResult
	require.NoError(t, json.Unmarshal([]byte(stdout), &got), stdout)
	require.Len(t, got.Digest, 32)
	b, err := os.ReadFile(got.Strategies)
	require.NoError(t, err)
	return got.Digest, b
}

// TestWorkers: the number of workers changes no byte.
func TestWorkers(t *testing.T) {
	dir := t.TempDir()
	var digest string
	var bytesOfOne []byte
	for _, workers := range []string{"1", "2", "7"} {
		out, _ := must(t, ".", evolveTiny(filepath.Join(dir, workers), "--workers", workers)...)
		d, b := finished(t, out)
		if digest == "" {
			digest, bytesOfOne = d, b
		}
		require.Equal(t, digest, d, "workers %s", workers)
		sameText(t, bytesOfOne, b, "workers %s", workers)
	}
	out, _ := must(t, ".", evolveTiny(filepath.Join(dir, "seed"), "--seed", "8")...)
	other, _ := finished(t, out)
	require.NotEqual(t, digest, other, "another seed")
}

// untilLine starts the program, reads n lines of its standard error, sends the signal, and
// returns its exit state, what it printed and how long it took to end after the signal.
func untilLine(t *testing.T, n int, signal syscall.Signal, args ...string) (code int,
	stdout, stderr string, took time.Duration) {
	t.Helper()
	c := command(".", args...)
	var out bytes.Buffer
	c.Stdout = &out
	pipe, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	var text strings.Builder
	lines := bufio.NewScanner(pipe)
	for i := 0; i < n && lines.Scan(); i++ {
		text.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "choosing") {
			break // the last line, after as many generations as were not saved
		}
	}
	at := time.Now()
	require.NoError(t, c.Process.Signal(signal))
	for lines.Scan() {
		text.WriteString(lines.Text() + "\n")
	}
	c.Wait() // its error is the exit state, returned below
	return c.ProcessState.ExitCode(), out.String(), text.String(), time.Since(at)
}

// TestKill kills runs 20 times with SIGKILL after a random number of progress lines, resumes
// each until it ends, and compares the bytes with those of a run that nobody disturbed.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	out, _ := must(t, ".", evolveTiny(filepath.Join(dir, "whole"))...)
	digest, strategies := finished(t, out)
	const seed, kills = 20, 20
	key := rsie.NewKey(seed)
	done := 0
	for run := 0; done < kills; run++ {
		at := filepath.Join(dir, fmt.Sprint(run))
		args := evolveTiny(at)
		for done < kills {
			words := key.Words(uint32(done), uint32(run), 0, 0, rsie.StreamSelect)
			// Lines: the first of all, that on anchors, one per generation, that of the conclusion.
			code, out, problems, _ := untilLine(t, 1+int(rsie.Below(words[0], 5)), syscall.SIGKILL, args...)
			if code == exitDone {
				d, _ := finished(t, out)
				require.Equal(t, digest, d)
				break
			}
			require.Equal(t, -1, code, "killed by a signal: %s", problems)
			done++
			args = []string{"resume", at, "--json"}
			if !exists(filepath.Join(at, "run.db")) {
				args = evolveTiny(at)
			}
		}
		out, problems := must(t, ".", args...)
		d, b := finished(t, out)
		sameText(t, strategies, b, "run %d, %d kills, seed %d", run, done, seed)
		require.Equal(t, digest, d, "run %d, %d kills, seed %d: %s", run, done, seed, problems)
	}
}

// TestInterrupt: the first Ctrl-C saves and ends with the resume line, even when a generation
// would take hours; so does SIGTERM.
func TestInterrupt(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		dir := filepath.Join(t.TempDir(), "run")
		code, _, problems, took := untilLine(t, 1, signal, evolveTiny(dir, "--base-budget", "1000000000")...)
		require.Equal(t, exitInterrupted, code, problems)
		require.Contains(t, problems, "rsie resume "+dir)
		require.Less(t, took, 5*time.Second)
		require.FileExists(t, filepath.Join(dir, "run.db"))
	}
}

// TestInterruptBetween: a run interrupted after a generation, and again in its conclusion,
// continues to the bytes of a whole one, and the second time does only the conclusion anew.
func TestInterruptBetween(t *testing.T) {
	dir := t.TempDir()
	out, _ := must(t, ".", evolveTiny(filepath.Join(dir, "whole"))...)
	digest, strategies := finished(t, out)
	at := filepath.Join(dir, "run")
	code, _, problems, _ := untilLine(t, 7, syscall.SIGINT, evolveTiny(at)...)
	require.Equal(t, exitInterrupted, code, problems)
	code, _, problems, _ = untilLine(t, 6, syscall.SIGINT, "resume", at, "--json")
	require.Equal(t, exitInterrupted, code, problems)
	require.NotContains(t, problems, "generation 1/4", "the first generation was saved")
	out, problems = must(t, ".", "resume", at, "--json")
	if strings.Contains(problems, "generation") {
		t.Log("interrupted before the last generation: ", problems)
	}
	d, b := finished(t, out)
	sameText(t, strategies, b, "after two interruptions")
	require.Equal(t, digest, d)
	again, problems := must(t, ".", "resume", at)
	require.NotContains(t, problems, "best meta-fitness", "a finished run has no generation left")
	require.Contains(t, again, "Measured on")
	require.Contains(t, again, digest)
}

// TestKillAfterAnchors continues a run that was killed when the anchors were stored and the
// first generation was not.
func TestKillAfterAnchors(t *testing.T) {
	dir := t.TempDir()
	out, _ := must(t, ".", evolveTiny(filepath.Join(dir, "whole"))...)
	digest, strategies := finished(t, out)
	whole, err := store.Open(filepath.Join(dir, "whole"))
	require.NoError(t, err)
	config, err := whole.Config()
	require.NoError(t, err)
	anchors, err := whole.Get("anchors")
	require.NoError(t, err)
	require.NotEmpty(t, anchors, "those of the suite hold for another budget")
	require.NoError(t, whole.Close())
	killed, err := store.Create(filepath.Join(dir, "killed"), config)
	require.NoError(t, err)
	require.NoError(t, killed.Put("anchors", anchors))
	require.NoError(t, killed.Close())
	out, _ = must(t, ".", "resume", filepath.Join(dir, "killed"), "--json")
	d, b := finished(t, out)
	sameText(t, strategies, b, "killed after the anchors")
	require.Equal(t, digest, d)
}

// TestExplainInterrupted: an explanation that is interrupted, then killed, goes on to the bytes
// of a whole one.
func TestExplainInterrupted(t *testing.T) {
	dir := t.TempDir()
	explain := func(out string) []string {
		return []string{"explain", "snes", "--reference", "openai-es", "--tasks", "iris", "--base-budget", "200",
			"--budget", "80000", "--out", filepath.Join(dir, out), "--json"}
	}
	whole, _ := must(t, ".", explain("whole")...)
	code, out, problems, took := untilLine(t, 3, syscall.SIGINT, explain("part")...)
	require.Equal(t, exitInterrupted, code, problems)
	require.Contains(t, problems, "the same command goes on from there")
	require.Empty(t, out)
	require.Less(t, took, 5*time.Second)
	code, _, problems, _ = untilLine(t, 4, syscall.SIGKILL, explain("part")...)
	require.Equal(t, -1, code, problems)
	require.NoFileExists(t, filepath.Join(dir, "part", "explanation.json"))
	got, _ := must(t, ".", explain("part")...)
	sameText(t, []byte(whole), []byte(got), "after an interrupt and a kill")
}
