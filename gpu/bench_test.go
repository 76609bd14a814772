//go:build cuda

package gpu_test

import (
	"fmt"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/gpu"
	"github.com/symbio-ai/recursive-improvement/meta"
)

// BenchmarkSample reports the bytes of a population that sampling writes per second.
func BenchmarkSample(b *testing.B) {
	timeOps(b, "openai-es", newModelled("wide", rsie.Model{Layers: []int{64, 32, 10},
		Activation: []rsie.Activation{rsie.Tanh}, Loss: rsie.CrossEntropy}, 1024, 0), rsie.OpSample)
}

// BenchmarkEvaluate reports member-samples per second of networks of the speed table.
func BenchmarkEvaluate(b *testing.B) {
	for _, c := range []struct {
		layers  []int
		samples int
	}{{[]int{4, 32, 3}, 150}, {[]int{64, 32, 10}, 1024}} {
		b.Run(fmt.Sprintf("net=%v/S=%d", c.layers, c.samples), func(b *testing.B) {
			m := rsie.Model{Layers: c.layers, Activation: []rsie.Activation{rsie.Tanh}, Loss: rsie.CrossEntropy}
			timeOps(b, "openai-es", newModelled("net", m, c.samples, 0), rsie.OpEvaluate)
		})
	}
}

// BenchmarkRollout times episodes of 200 steps each, eight per member.
func BenchmarkRollout(b *testing.B) {
	m := rsie.Model{Layers: []int{3, 32, 1}, Activation: []rsie.Activation{rsie.Tanh}, Loss: rsie.Return,
		Control: &rsie.Control{Dynamics: rsie.Pendulum, Horizon: 200}}
	timeOps(b, "openai-es", newModelled("pendulum", m, 8, 0), rsie.OpEvaluate)
}

// timeOps times one operation over 4,096 members.
func timeOps(b *testing.B, strategy string, problem modelled, op rsie.Op) {
	d, err := gpu.New(0)
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	s, err := rsie.Baseline(strategy)
	if err != nil {
		b.Fatal(err)
	}
	s.PopulationSize = 4096
	keep := &kept{Backend: d}
	batch, err := meta.NewBatch(keep, problem, []meta.RunSpec{{Strategy: s, Key: rsie.NewKey(1), Budget: 1 << 20}})
	if err != nil {
		b.Fatal(err)
	}
	defer batch.Close()
	for range 2 {
		if err := batch.Step(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for range b.N {
		if err := d.Do(keep.state, keep.runs, keep.program, []rsie.Op{op}); err != nil {
			b.Fatal(err)
		}
	}
	members := float64(s.PopulationSize) * float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(members*float64(problem.rows.S), "member-samples/s")
	b.ReportMetric(members*float64(4*problem.shape.Dim)/1e9, "GB/s")
}

// kept remembers the last call, to repeat its operations.
type kept struct {
	rsie.Backend
	state   *rsie.State
	runs    []rsie.Run
	program rsie.Program
}

func (k *kept) Do(s *rsie.State, runs []rsie.Run, p rsie.Program, ops []rsie.Op) error {
	k.state, k.runs = s, append(k.runs[:0], runs...)
	if p != nil {
		k.program = p
	}
	return k.Backend.Do(s, runs, p, ops)
}
