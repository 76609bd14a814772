package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/symbio-ai/recursive-improvement/meta/store"
	"github.com/symbio-ai/recursive-improvement/report/live"
)

// TestOrders: a run of another program is paused, stays where it is, goes on, and is stopped with
// everything saved; its heartbeat says so and vanishes with it.
func TestOrders(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	args := []string{"evolve", "--out", dir, "--tasks", "iris", "--meta-population", "4", "--candidates", "4",
		"--meta-generations", "100000", "--base-budget", "60", "--runs-per-task", "1"}
	ended := make(chan int, 1)
	var out, problems bytes.Buffer
	go func() { ended <- run(args, &out, &problems) }()
	state := func(want string) {
		t.Helper()
		require.Eventually(t, func() bool {
			b, _ := os.ReadFile(filepath.Join(dir, "live.json")) // absent at first
			return strings.Contains(string(b), `"state":"`+want+`"`)
		}, time.Minute, 10*time.Millisecond)
	}
	state(live.Running)
	stored := func() int {
		st, err := store.OpenReadOnly(dir)
		require.NoError(t, err)
		defer st.Close()
		n := 0
		require.NoError(t, st.Generations(func(store.Generation) error { n++; return nil }))
		return n
	}
	require.Eventually(t, func() bool { return stored() > 0 }, time.Minute, 10*time.Millisecond)
	require.NoError(t, live.Order(dir, "pause"))
	state(live.Paused)
	before := stored()
	require.Never(t, func() bool { return stored() != before }, 500*time.Millisecond, 100*time.Millisecond)
	require.NoError(t, live.Order(dir, "resume"))
	require.Eventually(t, func() bool { return stored() > before }, time.Minute, 10*time.Millisecond)
	require.NoError(t, live.Order(dir, "stop"))
	require.Equal(t, exitInterrupted, <-ended)
	require.Contains(t, problems.String(), "continue with: rsie resume "+dir)
	require.NoFileExists(t, filepath.Join(dir, "live.json"))
	require.NoFileExists(t, filepath.Join(dir, "live.order"))
	require.Positive(t, stored())
}
