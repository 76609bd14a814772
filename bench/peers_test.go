package bench

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPeersNameBenchmarks checks that the benchmarks and scripts that bench/peers/compare.py runs
// are there, under the names it knows.
func TestPeersNameBenchmarks(t *testing.T) {
	script, err := os.ReadFile("peers/compare.py")
	require.NoError(t, err)
	var source []byte
	for _, pattern := range []string{"*_test.go", "../cpu/*_test.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, f := range files {
			text, err := os.ReadFile(f)
			require.NoError(t, err)
			source = append(source, text...)
		}
	}
	benchmarks := regexp.MustCompile(`Benchmark(\w+)/|"(Evaluate)/`).FindAllSubmatch(script, -1)
	require.Greater(t, len(benchmarks), 7)
	for _, m := range benchmarks {
		name := "func Benchmark" + string(m[1]) + string(m[2]) + "("
		require.True(t, bytes.Contains(source, []byte(name)), name)
	}
	scripts := regexp.MustCompile(`"(\w+\.py)[ "]`).FindAllSubmatch(script, -1)
	require.Greater(t, len(scripts), 6)
	for _, m := range scripts {
		require.FileExists(t, filepath.Join("peers", string(m[1])))
	}
}
