//go:build cuda

package gpu

/*
#cgo CFLAGS: -std=gnu11 -Wall
#cgo LDFLAGS: -lm
#include "list.h"
#include <stdlib.h>
*/
import "C"

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"unsafe"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/kernels"
	"github.com/symbio-ai/recursive-improvement/kernels/images"
	"gorgonia.org/cu"
)

// CarefulVariable names the environment variable that makes the backend wait for every kernel, so
// that the error of one carries its name.
const CarefulVariable = "RSIE_CUDA_CAREFUL"

// launcher runs kernels on a device. Its arrays are outside Go's memory.
type launcher struct {
	context   cu.CUContext
	module    cu.Module
	functions []C.CUfunction
	list      *C.rsie_list
	careful   bool
}

// newLauncher loads the kernels into the current context.
func newLauncher(context cu.CUContext) (*launcher, error) {
	image, err := images.PTX()
	if err != nil {
		return nil, fmt.Errorf("cuda: image of the kernels: %w", err)
	}
	l := &launcher{context: context, careful: os.Getenv(CarefulVariable) != ""}
	if l.module, err = cu.LoadData(image); err != nil {
		return nil, driverError("cuModuleLoadData of the kernels", err)
	}
	for k := 0; ; k++ {
		name := C.rsie_kernel_name(C.int(k))
		if name == nil {
			break
		}
		f, err := l.module.Function(C.GoString(name))
		if err != nil {
			return nil, driverError("cuModuleGetFunction of "+C.GoString(name), err)
		}
		l.functions = append(l.functions, *(*C.CUfunction)(unsafe.Pointer(&f)))
	}
	l.list = (*C.rsie_list)(C.calloc(1, C.sizeof_rsie_list))
	return l, nil
}

// record lists the phases of ops, 0 standing for the prediction of points, and returns how many
// spans they have.
func (l *launcher) record(c *kernels.Call, ops []uint8, points int) (int, error) {
	if len(ops) == 0 {
		return 0, nil
	}
	switch code := C.rsie_record(l.list, (*C.rsie_call)(unsafe.Pointer(c)),
		(*C.uint8_t)(unsafe.Pointer(&ops[0])), C.int(len(ops)), C.int(points)); {
	case code < 0:
		return 0, rsie.ErrMemory
	case code > 0:
		return 0, fmt.Errorf("operation %d is missing", code)
	}
	return int(l.list.span_count), nil
}

// spanSize is the size of a span in bytes.
const spanSize = C.sizeof_rsie_span

// spans returns the recorded spans as bytes.
func (l *launcher) spans() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(l.list.spans)), spanSize*int(l.list.span_count))
}

// run launches what was recorded, with the call and the spans at addresses of the device.
func (l *launcher) run(call, spans cu.DevicePtr, blocks int) error {
	careful, phase := C.int(0), C.int(0)
	if l.careful {
		careful = 1
	}
	code := C.rsie_run_list(*(*C.CUcontext)(unsafe.Pointer(&l.context)), &l.functions[0], l.list,
		C.CUdeviceptr(call), C.CUdeviceptr(spans), C.int(blocks), careful, &phase)
	if code == C.CUDA_SUCCESS {
		return nil
	}
	name, text := (*C.char)(nil), (*C.char)(nil)
	C.cuGetErrorName(code, &name)
	C.cuGetErrorString(code, &text)
	err := fmt.Errorf("%s, %s; the device does nothing more for this program: start it again, rsie resume continues a "+
		"stored run", C.GoString(name), C.GoString(text))
	if l.careful && phase < l.list.phase_count {
		return driverError("kernel "+l.names(int(phase), int(phase)+1), err)
	}
	return driverError(fmt.Sprintf("one of the kernels %s (%s=1 says which)", l.names(0, int(min(phase+1, l.list.phase_count))), CarefulVariable), err)
}

// names returns the names of the kernels of phases [from, to), each once.
func (l *launcher) names(from, to int) string {
	var out []string
	for _, p := range unsafe.Slice(l.list.phases, l.list.phase_count)[from:to] {
		if name := C.GoString(C.rsie_kernel_name(p.kernel)); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}

func (l *launcher) close() error {
	C.rsie_list_free(l.list)
	C.free(unsafe.Pointer(l.list))
	return l.module.Unload()
}

// driverError says which call of the driver failed.
func driverError(call string, err error) error { return fmt.Errorf("cuda: %s: %w", call, err) }
