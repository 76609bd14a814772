package bench

import (
	"context"
	"os"
	"regexp"
	"runtime/debug"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
)

// counting counts the bytes that a batch asks a float32 backend for.
type counting struct {
	rsie.Backend
	bytes float64
}

func (c *counting) Alloc(e rsie.Element, n int) (rsie.Buffer, error) {
	c.bytes += 4 * float64(n)
	return c.Backend.Alloc(e, n)
}

// resident returns a line of /proc/self/status, VmRSS or VmHWM, in bytes.
func resident(t *testing.T, line string) float64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	m := regexp.MustCompile(line + `:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, m)
	kib, err := strconv.Atoi(string(m[1]))
	require.NoError(t, err)
	return 1024 * float64(kib)
}

// settled returns the resident bytes of the process after the garbage is gone, and makes them the
// peak that VmHWM goes on from.
func settled(t *testing.T) float64 {
	t.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Skip("only Linux resets the peak of a process: ", err)
	}
	debug.FreeOSMemory()
	require.NoError(t, os.WriteFile("/proc/self/clear_refs", []byte("5"), 0))
	return resident(t, "VmRSS")
}

// TestBatchMemory runs 64 runs of 50 networks 64-32-10 and finds the peak of the process grown by
// 1.2 times what the state and the data take at most, for populations, with and without factors,
// and distributions.
func TestBatchMemory(t *testing.T) {
	problem := newNetwork(360, 64, 32, 10)
	data := 4 * float64(len(problem.rows.Inputs)+len(problem.rows.Classes))
	for _, c := range []struct{ name, baseline, mutation string }{
		{"population", "simple-ga", "gaussian"}, {"svd", "simple-ga", "svd"}, {"distribution", "openai-es", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			back, _ := fastest(t, 2)
			if back.Info().Bits != 32 {
				t.Skip("the bytes of a float32 backend are counted")
			}
			specs := differing(t, c.baseline, 50*20)
			for r := range specs {
				if c.mutation == "svd" {
					specs[r].Strategy.Mutation = rsie.SVD
				}
			}
			counted := &counting{Backend: back}
			before := settled(t)
			batch, err := meta.NewBatch(counted, problem, specs)
			require.NoError(t, err)
			require.NoError(t, batch.Run(context.Background()))
			grown := resident(t, "VmHWM") - before
			batch.Close()
			want := counted.bytes + data
			t.Logf("counted %.1f MB, peak grew by %.1f MB, ratio %.3f", want/1e6, grown/1e6, grown/want)
			require.Greater(t, grown, 0.8*want, "the peak misses the state")
			require.LessOrEqual(t, grown, 1.2*want)
		})
	}
}

// TestGenerationsLeakNothing takes batches of all families through 10,000 generations, and finds
// the resident size of the process where it was after the first thousand.
func TestGenerationsLeakNothing(t *testing.T) {
	problem := newNetwork(30, 2, 3, 2)
	back, _ := fastest(t, 1)
	var specs []meta.RunSpec
	for _, name := range []string{"simple-ga", "openai-es", "sep-cma-es", "l-shade", "cma-es", "gesmr-ga"} {
		s, err := rsie.Baseline(name)
		require.NoError(t, err)
		s.PopulationSize = 6
		specs = append(specs, meta.RunSpec{Strategy: s, Key: rsie.NewKey(3), Budget: 1 << 30})
	}
	batch, err := meta.NewBatch(back, problem, specs)
	require.NoError(t, err)
	defer batch.Close()
	step := func(n int) {
		for range n {
			require.NoError(t, batch.Step(context.Background()))
		}
	}
	step(1000)
	before := settled(t)
	step(10_000)
	after := settled(t)
	t.Logf("resident %.2f MB, after 10,000 generations %.2f MB", before/1e6, after/1e6)
	require.Less(t, after-before, 1e6, "100 bytes for each generation")
}
