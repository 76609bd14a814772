//go:build cuda

package gpu_test

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/bench"
	"github.com/symbio-ai/recursive-improvement/gpu"
	"github.com/symbio-ai/recursive-improvement/meta"
)

// TestConform has the golden digests of every operation and of whole runs.
func TestConform(t *testing.T) { bench.Conform(t, device(t)) }

// little is memory for one run of the largest populations, of which three are asked for together.
const little = 7 << 20

// TestLimit has the golden digests with little memory, where runs are done in turn.
func TestLimit(t *testing.T) {
	b := device(t)
	b.Limit(b.Memory() + little)
	refuses(t, b)
	bench.ConformRuns(t, b)
}

// refuses expects that the device has no room for three runs.
func refuses(t *testing.T, b *gpu.Backend) {
	t.Helper()
	if _, err := b.Alloc(rsie.Float, 10<<20/4); !errors.Is(err, rsie.ErrMemory) {
		t.Fatalf("10 MiB: %v", err)
	}
}

// emulated skips a test where the device is a true one.
func emulated(t *testing.T) {
	t.Helper()
	if os.Getenv("RSIE_EMU_SEED") == "" {
		t.Skip("only the emulated device can be told to fail")
	}
}

// TestDeviceWithoutMemory has the golden digests on a device whose memory goes to others after the
// backend has looked at it: runs that were refused are done again in halves.
func TestDeviceWithoutMemory(t *testing.T) {
	emulated(t)
	b := device(t)
	t.Setenv("RSIE_EMU_MEMORY", strconv.Itoa(b.Memory()+little))
	refuses(t, b)
	bench.ConformRuns(t, b)
}

// TestFewerBlocks has the same bits where the device has no room for the scratch of all blocks of
// threads, which fewer have then.
func TestFewerBlocks(t *testing.T) {
	emulated(t)
	t.Setenv("RSIE_EMU_PROCESSORS", "8")
	problem := newModelled("wide", rsie.Model{Layers: []int{3, 200, 2}, Activation: []rsie.Activation{rsie.Tanh},
		Loss: rsie.CrossEntropy}, 130, 0)
	measure := func(room int) (best []float64, used int) {
		b := device(t)
		if room > 0 {
			t.Setenv("RSIE_EMU_MEMORY", strconv.Itoa(b.Memory()+room))
		}
		j := meta.Judge{Backend: b, Problem: problem, Budget: 40, Runs: 1, Points: true}
		s := rsie.DefaultStrategy()
		s.PopulationSize = 20
		out, err := j.Measure(t.Context(), []rsie.Strategy{s}, rsie.NewKey(1))
		if err != nil {
			t.Fatal(err)
		}
		return append(out[0][0].Best, out[0][0].Curve.Final()), b.Memory()
	}
	want, all := measure(0)
	got, used := measure(3 << 20)
	if err := same("best point and fitness", want, got); err != nil {
		t.Error(err)
	}
	if used > 3<<20 || all < 10<<20 {
		t.Errorf("%d bytes in use with little room, %d without a bound", used, all)
	}
}

// TestFault expects the name of the kernel and what to do, and that later calls and Close end well.
func TestFault(t *testing.T) {
	emulated(t)
	for _, careful := range []string{"", "1"} {
		t.Setenv(gpu.CarefulVariable, careful)
		b, err := gpu.New(0)
		if err != nil {
			t.Fatal(err)
		}
		batch, err := meta.NewBatch(b, problems()[0], []meta.RunSpec{{Strategy: rsie.DefaultStrategy(), Key: rsie.NewKey(1), Budget: 500}})
		if err != nil {
			t.Fatal(err)
		}
		os.Setenv("RSIE_EMU_FAULT", "rsie_rank_run")
		err = batch.Step(t.Context())
		os.Unsetenv("RSIE_EMU_FAULT")
		for _, want := range []string{"rsie_rank_run", "CUDA_ERROR_ILLEGAL_ADDRESS", "start it again"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("careful %q: %v, without %q", careful, err, want)
			}
		}
		if careful != "" && strings.Contains(err.Error(), "rsie_evaluate_rows") {
			t.Errorf("names more than the kernel: %v", err)
		}
		if _, err := b.Alloc(rsie.Float, 1); err == nil || !strings.Contains(err.Error(), "rsie_rank_run") {
			t.Errorf("the next call: %v", err)
		}
		batch.Close()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestSeveralDevices has the golden digests with the runs shared by two devices.
func TestSeveralDevices(t *testing.T) {
	if os.Getenv("RSIE_EMU_SEED") != "" {
		t.Setenv("RSIE_EMU_DEVICES", "2")
	}
	second, err := gpu.New(1)
	if err != nil {
		t.Skip(err)
	}
	defer second.Close()
	bench.ConformRuns(t, rsie.Several{Backend: device(t), Others: []rsie.Backend{second}})
}
