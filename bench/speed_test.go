package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/cpu"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/task"
)

// network is a problem of a model on rows of clusters, one for each class.
type network struct {
	model *rsie.Model
	rows  *rsie.Rows
}

var _ rsie.Modelled = network{}

func newNetwork(samples int, layers ...int) network {
	m := &rsie.Model{Network: rsie.Dense, Layers: layers, Loss: rsie.CrossEntropy, Activation: []rsie.Activation{rsie.Tanh}}
	rows := &rsie.Rows{S: samples, Classes: make([]int32, samples)}
	r := rand.New(rand.NewPCG(1, 2))
	centres := make([]float64, layers[0]*m.Outputs())
	for i := range centres {
		centres[i] = 2 * r.NormFloat64()
	}
	for i := range rows.Classes {
		class := i % m.Outputs()
		rows.Classes[i] = int32(class)
		for j := range layers[0] {
			rows.Inputs = append(rows.Inputs, centres[class*layers[0]+j]+r.NormFloat64())
		}
	}
	return network{m, rows}
}

func (n network) Shape() rsie.Shape {
	return rsie.Shape{Name: "network", Dim: n.model.Dim(), Blocks: n.model.Blocks()}
}
func (n network) Model() *rsie.Model          { return n.model }
func (n network) Rows(_ rsie.Part) *rsie.Rows { return n.rows }
func (n network) Evaluate(context.Context, []float64, []float64, rsie.Key) error {
	return errors.New("the backend evaluates")
}

// fastest returns the fastest backend of this program and its name, with the variant that RSIE_CPU
// chooses.
func fastest(t testing.TB, workers int) (rsie.Backend, string) {
	t.Helper()
	b, err := cpu.New(workers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	name := b.Info().Name
	for _, level := range []string{"scalar", "avx2", "avx512"} {
		if strings.Contains(b.Info().Device, ", "+level+",") {
			name += "-" + level
		}
	}
	return b, name
}

// cpuSeconds returns the time that the process has had a core.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// differing returns 64 runs of a baseline with populations of 50 and steps from 0.03 to 0.3.
func differing(t testing.TB, baseline string, budget int) []meta.RunSpec {
	t.Helper()
	s, err := rsie.Baseline(baseline)
	if err != nil {
		t.Fatal(err)
	}
	specs := make([]meta.RunSpec, 64)
	for r := range specs {
		step := 0.03 * math.Pow(10, float64(r)/63)
		s.PopulationSize, s.MutationStrength, s.TruncationRatio = 50, step, 0.5
		s.Sigma.Value = step
		specs[r] = meta.RunSpec{Strategy: s, Key: rsie.NewKey(uint64(r)), Budget: budget}
	}
	return specs
}

// BenchmarkRuns times 64 whole runs with different settings of 200 generations, in member
// evaluations a second of a core, and of the clock on the wall.
func BenchmarkRuns(b *testing.B) {
	problem := newNetwork(150, 4, 32, 3)
	for _, workers := range []int{1, 2} {
		back, name := fastest(b, workers)
		for _, baseline := range []string{"simple-ga", "openai-es"} {
			specs := differing(b, baseline, 50*200)
			b.Run(fmt.Sprintf("backend=%s/workers=%d/R=64/N=50/net=4-32-3/S=150/%s", name, workers, baseline), func(b *testing.B) {
				b.ReportAllocs()
				start, began := cpuSeconds(), time.Now()
				for b.Loop() {
					finish(b, back, problem, specs)
				}
				work := float64(64 * 50 * 200 * b.N)
				b.ReportMetric(work/(cpuSeconds()-start), "evaluations/s")
				b.ReportMetric(work/time.Since(began).Seconds(), "wall-evaluations/s")
			})
		}
	}
}

// finish makes runs from beginning to end.
func finish(t testing.TB, b rsie.Backend, p rsie.Problem, specs []meta.RunSpec) {
	t.Helper()
	batch, err := meta.NewBatch(b, p, specs)
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Close()
	if err := batch.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkStudied times the strategy of testdata/studied.json on the ten training tasks, 10,000
// evaluations each, in batches of 64 runs, in seconds of a core for one run on each task.
func BenchmarkStudied(b *testing.B) {
	suite, err := task.Embedded("standard")
	if err != nil {
		b.Fatal(err)
	}
	all, err := meta.LoadStrategies("testdata/studied.json")
	if err != nil {
		b.Fatal(err)
	}
	back, name := fastest(b, 1)
	specs := make([]meta.RunSpec, 64)
	for r := range specs {
		specs[r] = meta.RunSpec{Strategy: all[0], Key: rsie.NewKey(uint64(r)), Budget: 10_000}
	}
	b.Run("backend="+name+"/workers=1/R=64/tasks=10", func(b *testing.B) {
		start := cpuSeconds()
		for b.Loop() {
			for _, t := range suite.Tasks {
				if _, ok := studiedAreas[t.Name]; ok {
					finish(b, back, t.Problem, specs)
				}
			}
		}
		b.ReportMetric((cpuSeconds()-start)/float64(b.N*len(specs)), "core-s/strategy")
	})
}
