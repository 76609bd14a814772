package task_test

import (
	"math"
	"os/exec"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/task"
)

// TestExecExamples runs the programs of the examples on points whose cost their README states.
func TestExecExamples(t *testing.T) {
	side := math.Log(2/2.25) / 3 // of the best box
	for _, c := range []struct {
		path, needs   string
		points, costs []float64
		margin        float64
	}{
		{"../examples/exec_shell/tasks.yaml", "awk", []float64{side, side, 0, 0}, []float64{6.2403, 6.25}, 5e-5},
		{"../examples/exec_python/tasks.yaml", "python3", []float64{0, 0, -1, 0.5, 0.3, 0},
			[]float64{0.2612, 0.1147}, 5e-5},
	} {
		t.Run(c.needs, func(t *testing.T) {
			if _, err := exec.LookPath(c.needs); err != nil {
				t.Skip(c.needs + " is not installed")
			}
			suite, err := task.Load(c.path, task.Options{Workers: 2, Warn: func(text string) { t.Error(text) }})
			if err != nil {
				t.Fatal(err)
			}
			defer suite.Tasks[0].Close()
			fitness := make([]float64, len(c.costs))
			if err := suite.Tasks[0].Problem.Evaluate(t.Context(), fitness, c.points, rsie.NewKey(1)); err != nil {
				t.Fatal(err)
			}
			for i, want := range c.costs {
				if !(math.Abs(fitness[i]-want) <= c.margin) {
					t.Errorf("point %d costs %g, want %g", i, fitness[i], want)
				}
			}
		})
	}
}
