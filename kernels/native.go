//go:build cgo

package kernels

/*
#cgo CFLAGS: -std=gnu11 -Wall
#cgo LDFLAGS: -lm -lpthread
#include "abi.h"
#include "memory.h"
#include "pool.h"

int rsie_do_scalar(rsie_pool *, rsie_call *, const uint8_t *, int);
int rsie_do_avx2(rsie_pool *, rsie_call *, const uint8_t *, int);
int rsie_do_avx512(rsie_pool *, rsie_call *, const uint8_t *, int);
int rsie_predict_scalar(rsie_pool *, rsie_call *, int);
int rsie_predict_avx2(rsie_pool *, rsie_call *, int);
int rsie_predict_avx512(rsie_pool *, rsie_call *, int);
double rsie_peak_scalar(int);
double rsie_peak_avx2(int);
double rsie_peak_avx512(int);

static double rsie_peak(int level, int rounds)
{
#if defined(__x86_64__)
	if (level == 2) return rsie_peak_avx512(rounds);
	if (level == 1) return rsie_peak_avx2(rounds);
#endif
	return rsie_peak_scalar(rounds);
}

static int rsie_do(int level, rsie_pool *p, rsie_call *c, const uint8_t *ops, int n)
{
#if defined(__x86_64__)
	if (level == 2) return rsie_do_avx512(p, c, ops, n);
	if (level == 1) return rsie_do_avx2(p, c, ops, n);
#endif
	return rsie_do_scalar(p, c, ops, n);
}

static int rsie_predict(int level, rsie_pool *p, rsie_call *c, int n)
{
#if defined(__x86_64__)
	if (level == 2) return rsie_predict_avx512(p, c, n);
	if (level == 1) return rsie_predict_avx2(p, c, n);
#endif
	return rsie_predict_scalar(p, c, n);
}
*/
import "C"

import (
	"fmt"
	"unsafe"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Native says whether the program has the C kernels.
const Native = true

// CPULevel returns the highest variant that this CPU has.
func CPULevel() Level { return Level(C.rsie_cpu_level()) }

// Alloc returns zeroed memory outside Go's, or nil when there is none.
func Alloc(bytes int) unsafe.Pointer { return C.rsie_alloc(C.size_t(bytes)) }

// Free gives memory of [Alloc] back; nil does nothing.
func Free(p unsafe.Pointer) { C.rsie_free(p) }

// Pool is a set of threads.
type Pool struct{ c *C.rsie_pool }

// NewPool starts threads for the given number of workers, the caller's included, or returns
// [rsie.ErrMemory].
func NewPool(workers int) (*Pool, error) {
	p := C.rsie_pool_new(C.int(workers))
	if p == nil {
		return nil, fmt.Errorf("%w: %d threads cannot be started", rsie.ErrMemory, workers)
	}
	return &Pool{p}, nil
}

// Close ends the threads.
func (p *Pool) Close() { C.rsie_pool_free(p.c) }

// Do runs operations by their numbers in order.
func (p *Pool) Do(l Level, c *Call, ops []uint8) error {
	if len(ops) == 0 {
		return nil
	}
	switch code := C.rsie_do(C.int(l), p.c, (*C.rsie_call)(unsafe.Pointer(c)),
		(*C.uint8_t)(unsafe.Pointer(&ops[0])), C.int(len(ops))); {
	case code == 0:
		return nil
	case code < 0:
		return rsie.ErrMemory
	default:
		return fmt.Errorf("operation %d is missing", code)
	}
}

// Predict writes the outputs of n points, see [Call].
func (p *Pool) Predict(l Level, c *Call, n int) error {
	if code := C.rsie_predict(C.int(l), p.c, (*C.rsie_call)(unsafe.Pointer(c)), C.int(n)); code != 0 {
		return fmt.Errorf("predict: code %d", code)
	}
	return nil
}

// Peak does rounds of fused multiplications and additions on registers, as fast as a core can, and
// returns how many operations they were: for benchmarks, which time it. 0 says that the variant
// has no such code.
func (l Level) Peak(rounds int) float64 { return float64(C.rsie_peak(C.int(l), C.int(rounds))) }

// sizes are those of the structures in C.
func sizes() [6]int {
	return [6]int{C.sizeof_rsie_run, C.sizeof_rsie_block, C.sizeof_rsie_side, C.sizeof_rsie_layer,
		C.sizeof_rsie_program, C.sizeof_rsie_call}
}
