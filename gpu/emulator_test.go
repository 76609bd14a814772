//go:build cuda

package gpu_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"unsafe"

	"gorgonia.org/cu"
)

// faults are what the emulated driver ends a program for, and what it says.
var faults = []struct {
	name, want string
	do         func()
}{
	{"second free", "for the second time", func() {
		p := claim()
		cu.MemFree(p)
		cu.MemFree(p)
	}},
	{"free of no allocation", "which is no allocation", func() { cu.MemFree(claim() + 4) }},
	{"copy past the end", "bytes [32, 48) of allocation", func() {
		var values [4]float32
		cu.MemcpyHtoD(claim()+32, unsafe.Pointer(&values), 16)
	}},
	{"copy from freed memory", "was freed", func() {
		var values [4]float32
		p := claim()
		cu.MemFree(p)
		cu.MemcpyDtoH(unsafe.Pointer(&values), p, 16)
	}},
	{"memory that stays", "that were not freed", func() {
		claim()
		cu.Device(0).ReleasePrimaryCtx()
	}},
	{"missing function", "cuMemAllocManaged is not emulated", func() { cu.MemAllocManaged(16, cu.AttachGlobal) }},
	{"attribute", "cuDeviceGetAttribute of", func() { cu.Device(0).Attribute(cu.WarpSize) }},
}

// claim returns 40 bytes of the device in a context of its own.
func claim() cu.DevicePtr {
	ctx, err := cu.Device(0).RetainPrimaryCtx()
	if err == nil {
		err = cu.SetCurrentContext(ctx)
	}
	p, e := cu.MemAlloc(40)
	if err != nil || e != nil {
		panic("no memory")
	}
	return p
}

// TestFaults breaks each rule in a process of its own.
func TestFaults(t *testing.T) {
	if name := os.Getenv("RSIE_TEST_FAULT"); name != "" {
		for _, f := range faults {
			if f.name == name {
				f.do()
			}
		}
		return
	}
	if os.Getenv("RSIE_EMU_SEED") == "" {
		t.Skip("a device has undefined behaviour here")
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run", "^TestFaults$")
			cmd.Env = append(os.Environ(), "RSIE_TEST_FAULT="+f.name, "RSIE_EMU_LOG=")
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), f.want) {
				t.Errorf("%v, without %q:\n%.400s", err, f.want, out)
			}
		})
	}
}
