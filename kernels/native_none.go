//go:build !cgo

package kernels

import (
	"errors"
	"unsafe"
)

// Native says whether the program has the C kernels.
const Native = false

var errMissing = errors.New("this program was built without cgo")

// CPULevel returns Scalar.
func CPULevel() Level { return Scalar }

// Alloc returns nil.
func Alloc(int) unsafe.Pointer { return nil }

// Free does nothing.
func Free(unsafe.Pointer) {}

// Pool has no threads.
type Pool struct{}

// NewPool returns an error.
func NewPool(int) (*Pool, error) { return nil, errMissing }

// Close does nothing.
func (p *Pool) Close() {}

// Do returns an error.
func (p *Pool) Do(Level, *Call, []uint8) error { return errMissing }

// Predict returns an error.
func (p *Pool) Predict(Level, *Call, int) error { return errMissing }

// Peak returns 0.
func (l Level) Peak(int) float64 { return 0 }

func sizes() [6]int { return [6]int{} }
