//go:build cuda

package gpu_test

import (
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

// TestLimit has the golden digests with little memory, where fewer blocks of threads work at once and
// runs are done in turn.
func TestLimit(t *testing.T) {
	b := device(t)
	b.Limit(b.Memory() + 14<<20)
	bench.ConformRuns(t, b)
}

// emulated skips a test where the device is a true one.
func emulated(t *testing.T) {
	t.Helper()
	if os.Getenv("RSIE_EMU_SEED") == "" {
		t.Skip("only the emulated device can be told to fail")
	}
}

// TestDeviceWithoutMemory has the golden digests on a device whose memory goes to others after the
// backend has looked at it: calls that fail are done again in parts.
func TestDeviceWithoutMemory(t *testing.T) {
	emulated(t)
	b := device(t)
	t.Setenv("RSIE_EMU_MEMORY", strconv.Itoa(b.Memory()+14<<20))
	bench.ConformRuns(t, b)
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
