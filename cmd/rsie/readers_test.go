package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// manyReaders is how many look at a run in the test and the benchmark.
const manyReaders = 50

// watchedRun is a run of another process whose page is served, with its readers.
type watchedRun struct {
	stdout, stderr bytes.Buffer
	seconds        float64 // of processor time
	code           int
	events         int // that the readers got
	failed         []string
}

var metricsLine = regexp.MustCompile(`^metrics: (http\S+)/metrics with the header Authorization: (Bearer \S+)`)

// runWatched runs the program, which prints where its page is, until it ends or is killed at the end
// of until, with readers who follow its events and fetch its pictures.
func runWatched(tb testing.TB, until context.Context, readers int, args ...string) *watchedRun {
	tb.Helper()
	w := &watchedRun{}
	c := command(".", args...)
	c.Stdout = &w.stdout
	pipe, err := c.StderrPipe()
	require.NoError(tb, err)
	require.NoError(tb, c.Start())
	defer context.AfterFunc(until, func() { _ = c.Process.Kill() })()
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	var mu sync.Mutex
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		w.stderr.WriteString(lines.Text() + "\n")
		m := metricsLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		for range readers {
			all.Add(1)
			go func() {
				defer all.Done()
				events, err := follow(ctx, m[1], m[2])
				mu.Lock()
				defer mu.Unlock()
				w.events += events
				if err != nil {
					w.failed = append(w.failed, err.Error())
				}
			}()
		}
	}
	err = c.Wait()
	cancel()
	all.Wait()
	w.code = c.ProcessState.ExitCode()
	w.seconds = (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
	if w.code == 0 {
		require.NoError(tb, err)
	}
	return w
}

// follow reads the events of a page to the end, and the pictures when their version changes, as the
// page does, and returns how many events came.
func follow(ctx context.Context, page, token string) (int, error) {
	client := &http.Client{Transport: &http.Transport{}} // its own connections, as a browser has
	defer client.CloseIdleConnections()
	get := func(path string) (*http.Response, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, page+path, nil)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Authorization", token)
		answer, err := client.Do(r)
		if err == nil && answer.StatusCode != http.StatusOK {
			answer.Body.Close()
			return nil, fmt.Errorf("%s: %s", path, answer.Status)
		}
		return answer, err
	}
	stream, err := get("/events")
	if err != nil {
		return 0, err
	}
	defer stream.Body.Close()
	events, version := 0, -1
	for lines := bufio.NewScanner(stream.Body); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "event: end") {
			return events, nil
		}
		if !strings.HasPrefix(lines.Text(), "data: [") {
			continue
		}
		events++
		var runs []struct{ Version int }
		if err := json.Unmarshal([]byte(strings.TrimPrefix(lines.Text(), "data: ")), &runs); err != nil || len(runs) != 1 {
			return events, fmt.Errorf("%q: %w", lines.Text(), err)
		}
		if runs[0].Version == version {
			continue
		}
		version = runs[0].Version
		body, err := get("/runs/0/body")
		if err != nil {
			return events, err
		}
		_, err = io.Copy(io.Discard, body.Body)
		body.Body.Close()
		if err != nil {
			return events, err
		}
	}
	return events, fmt.Errorf("the stream ended without its end")
}

// TestFiftyReaders: fifty who watch a run get its events and pictures without an error, and the run
// ends with the bytes of one that nobody watched.
func TestFiftyReaders(t *testing.T) {
	dir := t.TempDir()
	more := []string{"--meta-generations", "40", "--base-budget", "300"}
	alone, _ := must(t, ".", evolveTiny(filepath.Join(dir, "alone"), more...)...)
	digest, strategies := finished(t, alone)
	w := runWatched(t, context.Background(), manyReaders, evolveTiny(filepath.Join(dir, "watched"), append(more, "--live")...)...)
	require.Equal(t, 0, w.code, w.stderr.String())
	require.Empty(t, w.failed)
	require.GreaterOrEqual(t, w.events, manyReaders, "each got the first state at least")
	got, bytesOf := finished(t, w.stdout.String())
	require.Equal(t, digest, got)
	sameText(t, strategies, bytesOf, "watched by fifty")
	require.NotContains(t, w.stderr.String(), "panic")
	left, err := filepath.Glob(filepath.Join(dir, "watched", "live.*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// BenchmarkFiftyReaders reports the processor time of a page with fifty readers in percent of that
// of the run that it shows. The page is that of rsie watch, another process than the run, so that both
// are measured alone: what a page adds to a run of its own process is less than what two such runs differ
// by. It ends with the run, before the pictures of the result are drawn.
func BenchmarkFiftyReaders(b *testing.B) {
	var page, run float64
	for b.Loop() {
		dir := filepath.Join(b.TempDir(), "run")
		c := command(".", "evolve", "--suite", "quick", "--meta-generations", "60", "--out", dir)
		require.NoError(b, c.Start())
		for _, err := os.Stat(filepath.Join(dir, "run.db")); err != nil; _, err = os.Stat(filepath.Join(dir, "run.db")) {
			time.Sleep(10 * time.Millisecond)
		}
		ended, end := context.WithCancel(context.Background())
		go func() {
			_ = c.Wait()
			end()
		}()
		w := runWatched(b, ended, manyReaders, "watch", dir, "--address", "127.0.0.1:0")
		if !c.ProcessState.Success() || w.events < 5*manyReaders {
			b.Fatal(c.ProcessState, w.events, w.stderr.String())
		}
		page += w.seconds
		run += (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
	}
	b.ReportMetric(100*page/run, "%-of-run")
	b.ReportMetric(run/float64(b.N), "cpu-s/run")
}
