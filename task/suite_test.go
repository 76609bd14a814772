package task

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// check is what the definition of the suite says of a task (testdata/checks.json).
type check struct {
	Check  float64
	Rows   []int
	Dim    int
	Detail map[string]any
}

func readChecks(t *testing.T) map[string]check {
	t.Helper()
	text, err := os.ReadFile("testdata/checks.json")
	require.NoError(t, err)
	var out map[string]check
	require.NoError(t, json.Unmarshal(text, &out))
	return out
}

func standard(t *testing.T) *Suite {
	t.Helper()
	s, err := Embedded("standard")
	require.NoError(t, err)
	t.Cleanup(func() {
		for _, task := range s.Tasks {
			task.Close()
		}
	})
	return s
}

// theta returns the suite's conformance vector: s·sin(i+1), s = 1.5/sqrt(fan-in) for weights and
// 0.1 for biases.
func theta(m *rsie.Model) []float64 {
	out := make([]float64, m.Dim())
	for _, b := range m.Blocks() {
		scale := 0.1
		if b.Std > 0 {
			scale = 1.5 / math.Sqrt(float64(b.Rows))
		}
		for i := b.Offset; i < b.Offset+b.Rows*b.Cols; i++ {
			out[i] = scale * math.Sin(float64(i+1))
		}
	}
	return out
}

// The suite's definition gives the training fitness and the test metric of every task at theta.
func TestDataTasksGiveTheSuitesCheckValues(t *testing.T) {
	checks := readChecks(t)
	seen := 0
	for _, task := range standard(t).Tasks {
		want, ok := checks[task.Name]
		require.True(t, ok, task.Name)
		p := task.Problem.(rsie.Modelled)
		require.Equal(t, want.Dim, p.Model().Dim(), task.Name)
		if task.Kind == "control" {
			continue // TestControlGivesTheSuitesCheckValues
		}
		seen++
		for i, part := range []rsie.Part{rsie.Training, rsie.Validation, rsie.Test} {
			require.Equal(t, want.Rows[i], p.Rows(part).S, "%s %s", task.Name, part)
		}
		x := theta(p.Model())
		got := task.Metrics(forward(p.Model(), x, p.Rows(rsie.Training)), rsie.Training)
		require.InEpsilon(t, want.Check, got[0].Value, 1e-6, task.Name) // rows are rounded to float32
		require.False(t, got[0].Maximise, task.Name)
		test := task.Metrics(forward(p.Model(), x, p.Rows(rsie.Test)), rsie.Test)
		if metric, ok := want.Detail["test_metric"].(float64); ok {
			value := test[0].Value
			if p.Model().Loss == rsie.CrossEntropy {
				require.Equal(t, "accuracy", test[1].Name)
				value = 1 - test[1].Value
			}
			require.InEpsilon(t, metric, value, 1e-5, task.Name)
		}
	}
	require.Equal(t, 11, seen)
}

func TestEmbeddedSuites(t *testing.T) {
	s := standard(t)
	require.Len(t, s.Tasks, 16)
	require.Equal(t, 10_000, s.Budget)
	splits := map[string]int{}
	digests := map[string]string{}
	for _, task := range s.Tasks {
		splits[task.Split]++
		require.NotNil(t, task.Anchors, task.Name)
		require.Regexp(t, "^[0-9a-f]{16}$", task.Digest(), task.Name)
		require.Empty(t, digests[task.Digest()], "%s and %s share a digest", task.Name, digests[task.Digest()])
		digests[task.Digest()] = task.Name
	}
	require.Equal(t, map[string]int{"training": 10, "validation": 6}, splits)

	quick, err := Embedded("quick")
	require.NoError(t, err)
	require.Len(t, quick.Tasks, 3)
	for _, task := range quick.Tasks {
		require.Equal(t, 2000, task.Budget)
		require.Contains(t, digests, task.Digest(), "a quick task is a standard task")
	}
	_, err = Embedded("huge")
	require.ErrorIs(t, err, rsie.ErrNotFound)
	require.ErrorContains(t, err, "quick and standard")
}

func TestSelect(t *testing.T) {
	s := standard(t)
	all, err := s.Select(nil)
	require.NoError(t, err)
	require.Len(t, all, 16)
	two, err := s.Select([]string{"wine", "iris"})
	require.NoError(t, err)
	require.Equal(t, "wine", two[0].Name)
	require.Equal(t, "iris", two[1].Name)
	_, err = s.Select([]string{"iris", "roses"})
	require.ErrorIs(t, err, rsie.ErrNotFound)
	require.ErrorContains(t, err, `task "roses"`)
	_, err = s.Select([]string{"iris", "iris"})
	require.ErrorIs(t, err, rsie.ErrInvalid)
}

// loadText loads a task file with the given text; files are put beside it.
func loadText(t *testing.T, text string, files map[string]string) (*Suite, error) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	path := filepath.Join(dir, "tasks.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return Load(path, Options{})
}

// A digest follows what decides fitness and nothing else.
func TestDigest(t *testing.T) {
	digest := func(task, data string) string {
		s, err := loadText(t, "version: 1\ntasks:\n  - {kind: tabular, data: d.csv, target: y, "+task+"}\n",
			map[string]string{"d.csv": data})
		require.NoError(t, err)
		return s.Tasks[0].Digest()
	}
	data := "a,y\n1,0\n2,1\n3,0\n4,1\n5,0\n6,1\n7,0\n8,1\n9,0\n10,1\n"
	base := digest("name: x", data)
	require.Equal(t, base, digest("name: other, description: words, budget: 7, split: test, anchors: {f0: 2, f1: 1}", data))
	require.Equal(t, base, digest("name: x, network: {hidden: [16], activation: [tanh]}", data), "the defaults")
	for what, changed := range map[string]string{
		"network":    digest("name: x, network: {hidden: [17]}", data),
		"activation": digest("name: x, network: {hidden: [16], activation: relu}", data),
		"goal":       digest("name: x, goal: regression", data),
		"split":      digest("name: x, parts: {rule: position}", data),
		"value":      digest("name: x", strings.Replace(data, "3,0", "3.5,0", 1)),
		"class":      digest("name: x", strings.Replace(data, "3,0", "3,1", 1)),
	} {
		require.NotEqual(t, base, changed, what)
	}
}
