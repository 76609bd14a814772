package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/meta/stats"
)

// readOutcomes returns the searches of a file of JSON lines, none where it does not exist.
func readOutcomes(t *testing.T, file string) (all []outcome) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		var o outcome
		require.NoError(t, json.Unmarshal(lines.Bytes(), &o))
		all = append(all, o)
	}
	return all
}

func addOutcome(t *testing.T, file string, o outcome) {
	b, err := json.Marshal(o)
	require.NoError(t, err)
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	_, err = f.Write(append(b, '\n'))
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// deviceTable returns a Markdown row for every contender with all seeds. Differences are paired by
// seed with those of the first contender.
func deviceTable(t *testing.T, all []contender, done []outcome, seeds int) string {
	out := []string{"| search | area | against full | p | meta-fitness | against full | evaluations | processor s |",
		"|---|---|---|---|---|---|---|---|"}
	of := func(name string, field func(outcome) float64) []float64 {
		values := make([]float64, seeds)
		n := 0
		for _, o := range done {
			if o.Contender == name && o.Seed <= seeds {
				values[o.Seed-1] = field(o)
				n++
			}
		}
		return values[:min(n, seeds)]
	}
	area := func(o outcome) float64 { return o.Area }
	fitness := func(o outcome) float64 { return o.MetaFitness }
	for _, c := range all {
		if len(of(c.name, area)) < seeds {
			continue
		}
		row := []string{c.name, withInterval(t, "%.3f", of(c.name, area)), "", "", withInterval(t, "%.3f", of(c.name, fitness)), "",
			fmt.Sprintf("%.2f M", stats.Mean(of(c.name, func(o outcome) float64 { return float64(o.Spent) }))/1e6),
			fmt.Sprintf("%.1f", stats.Mean(of(c.name, func(o outcome) float64 { return o.Seconds })))}
		if full := of(all[0].name, area); c.name != all[0].name && len(full) == seeds {
			p, err := stats.WilcoxonPaired(of(c.name, area), full)
			require.NoError(t, err)
			row[2], row[3] = withInterval(t, "%+.3f", minus(of(c.name, area), full)), fmt.Sprintf("%.2g", p)
			row[5] = withInterval(t, "%+.3f", minus(of(c.name, fitness), of(all[0].name, fitness)))
		}
		out = append(out, "| "+strings.Join(row, " | ")+" |")
	}
	return strings.Join(out, "\n")
}

func minus(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range out {
		out[i] = a[i] - b[i]
	}
	return out
}

// withInterval prints the mean of x with its 95 % bootstrap interval.
func withInterval(t *testing.T, format string, x []float64) string {
	low, high, err := stats.BootstrapInterval(x, stats.Mean, meta.Resamples, 0.95, meta.IndexSource(rsie.NewKey(1)))
	require.NoError(t, err)
	return fmt.Sprintf(format+" ["+format+", "+format+"]", stats.Mean(x), low, high)
}
