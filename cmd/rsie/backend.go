package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/cpu"
	"github.com/symbio-ai/recursive-improvement/gpu"
)

// backendFlags choose where operations run.
type backendFlags struct {
	Workers int    `help:"CPU workers; 0 means one per core. The result does not depend on it." default:"0"`
	Memory  int    `help:"MiB that populations may take; runs that do not fit together are done in turn. 0 means no bound of your own. The result does not depend on it." default:"0"`
	Backend string `help:"native (C, float32, the CPU's vector instructions), cuda or cuda:N (device N; cuda:0,cuda:1 shares the runs), gonum (pure Go, float64), or auto: native where the program has it. Tasks that ask for 64 bits run on gonum in any case." default:"auto"`
}

// Bounds of --workers and, in MiB, of --memory.
const (
	maxWorkers = 4096
	maxMemory  = 1 << 24
)

// open returns the chosen backend; the caller closes it. Where the environment requires one, it must be
// that.
func (f backendFlags) open() (rsie.Backend, error) {
	b, err := f.choose()
	if err != nil {
		return nil, err
	}
	if err := f.limit(b); err != nil {
		b.Close()
		return nil, err
	}
	required := os.Getenv(rsie.RequireVariable)
	if info := b.Info(); required != "" && !info.Is(required) {
		b.Close()
		return nil, fmt.Errorf("%w: %s=%s, but --backend %s is %s (%s)", rsie.ErrInvalid, rsie.RequireVariable, required,
			f.Backend, info.Name, info.Device)
	}
	return b, nil
}

// limit bounds the memory of a backend.
func (f backendFlags) limit(b rsie.Backend) error {
	if f.Memory == 0 {
		return nil
	}
	if a, ok := b.(*cpu.Auto); ok {
		b = a.Backend
	}
	devices := []rsie.Backend{b}
	if s, ok := b.(rsie.Several); ok {
		devices = append(s.Others, s.Backend)
	}
	for _, d := range devices {
		l, ok := d.(interface{ Limit(bytes int) })
		if !ok {
			return fmt.Errorf("%w: --memory is for native and cuda, not for %s", rsie.ErrInvalid, d.Info().Name)
		}
		l.Limit(f.Memory << 20)
	}
	return nil
}

// choose returns the backend of the flags.
func (f backendFlags) choose() (rsie.Backend, error) {
	if f.Workers < 0 || f.Workers > maxWorkers {
		return nil, fmt.Errorf("%w: --workers %d, allowed is 0 to %d", rsie.ErrInvalid, f.Workers, maxWorkers)
	}
	if f.Memory < 0 || f.Memory > maxMemory {
		return nil, fmt.Errorf("%w: --memory %d, allowed is 0 to %d MiB", rsie.ErrInvalid, f.Memory, maxMemory)
	}
	switch f.Backend {
	case "auto":
		return cpu.New(f.Workers)
	case "native":
		b, err := cpu.NewAuto(f.Workers)
		if err != nil {
			return nil, err
		}
		return b, nil
	case "gonum":
		return cpu.NewGonum(f.Workers)
	}
	b, err := openDevices(f.Backend)
	if err != nil {
		return nil, err
	}
	return cpu.Widen(b, f.Workers)
}

// openDevices opens cuda, cuda:N, or several of them joined by commas.
func openDevices(list string) (rsie.Backend, error) {
	var all []rsie.Backend
	var seen []int
	fail := func(err error) (rsie.Backend, error) {
		for _, b := range all {
			b.Close()
		}
		return nil, err
	}
	for name := range strings.SplitSeq(list, ",") {
		device, ok := cudaDevice(name)
		if !ok || slices.Contains(seen, device) {
			return fail(fmt.Errorf("%w: --backend %q; allowed are auto, gonum, native, cuda, cuda:N and different devices "+
				"joined by commas", rsie.ErrInvalid, list))
		}
		seen = append(seen, device)
		b, err := gpu.New(device)
		if err != nil {
			return fail(err)
		}
		all = append(all, b)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return rsie.Several{Backend: all[0], Others: all[1:]}, nil
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
