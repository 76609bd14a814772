package main

import (
	"fmt"
	"strconv"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/cpu"
	"github.com/symbio-ai/recursive-improvement/gpu"
)

// backendFlags choose where operations run.
type backendFlags struct {
	Workers int    `help:"CPU workers; 0 means one per core. The result does not depend on it." default:"0"`
	Backend string `help:"gonum (pure Go, float64), native (C, float32), cuda or cuda:N (device N), or auto." default:"auto"`
}

// maxWorkers bounds --workers.
const maxWorkers = 4096

// open returns the chosen backend; the caller closes it.
func (f backendFlags) open() (rsie.Backend, error) {
	if f.Workers < 0 || f.Workers > maxWorkers {
		return nil, fmt.Errorf("%w: --workers %d, allowed is 0 to %d", rsie.ErrInvalid, f.Workers, maxWorkers)
	}
	switch f.Backend {
	case "auto", "gonum":
		return cpu.NewGonum(f.Workers)
	case "native":
		return cpu.NewNative(f.Workers)
	}
	if device, ok := cudaDevice(f.Backend); ok {
		return gpu.New(device)
	}
	return nil, fmt.Errorf("%w: --backend %q; allowed are auto, gonum, native, cuda and cuda:N", rsie.ErrInvalid, f.Backend)
}

// cudaDevice returns the number of the device that cuda or cuda:N names.
func cudaDevice(name string) (device int, ok bool) {
	if name == "cuda" {
		return 0, true
	}
	number, ok := strings.CutPrefix(name, "cuda:")
	if !ok {
		return 0, false
	}
	device, err := strconv.Atoi(number)
	return device, err == nil && device >= 0
}

// cudaCheck says what the CUDA backend is here.
func cudaCheck() check {
	out := check{Name: "backend cuda", Status: "ok", Value: "not in this build; use gonum or native"}
	if !gpu.Has {
		return out
	}
	b, err := gpu.New(0)
	if err != nil {
		out.Status, out.Value = "warn", err.Error()
		out.Advice = "nvidia-smi shows whether the driver sees the device"
		return out
	}
	defer b.Close()
	out.Value = b.Info().Device
	return out
}

// nativeCheck says what the native backend is here.
func nativeCheck() check {
	out := check{Name: "backend native", Status: "ok", Value: "not in this build; use gonum"}
	if !cpu.HasNative {
		return out
	}
	b, err := cpu.NewNative(0)
	if err != nil {
		out.Status, out.Value = "warn", err.Error()
		return out
	}
	defer b.Close()
	out.Value = b.Info().Device
	return out
}
