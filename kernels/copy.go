package kernels

import (
	"fmt"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// MaxElements bounds the length of a buffer of 32 bits.
const MaxElements = math.MaxInt32

// worst32 is what [rsie.Worst] becomes in float32; it comes back as itself.
const worst32 = float32(rsie.Worst)

// CheckAlloc returns [rsie.ErrShape] unless a buffer may have n elements of a kind.
func CheckAlloc(e rsie.Element, n int) error {
	if n < 0 || n > MaxElements || e != rsie.Float && e != rsie.Index {
		return fmt.Errorf("%w: alloc of %d elements of kind %d, want 0 to %d of kind %d (Float) or %d (Index)",
			rsie.ErrShape, n, e, MaxElements, rsie.Float, rsie.Index)
	}
	return nil
}

// CheckCopy returns [rsie.ErrShape] unless elements [at, at+n) lie in a buffer of that many.
func CheckCopy(op string, at, n, elements int) error {
	if at < 0 || at > elements || n > elements-at {
		return fmt.Errorf("%w: %s of %d elements from element %d of a buffer of %d", rsie.ErrShape, op, n, at, elements)
	}
	return nil
}

// CheckUpload returns [rsie.ErrShape] unless an Index buffer can hold values, whole numbers from 0 to
// 2^32-1. A Float buffer can hold any.
func CheckUpload(e rsie.Element, values []float64) error {
	if e != rsie.Index {
		return nil
	}
	for i, v := range values {
		if !(v >= 0 && v <= math.MaxUint32) || v != math.Trunc(v) {
			return fmt.Errorf("%w: upload of %d elements: element %d is %g, want a whole number below 2^32",
				rsie.ErrShape, len(values), i, v)
		}
	}
	return nil
}

// NarrowTo rounds values to float32.
func NarrowTo(dst []float32, src []float64) {
	for i, v := range src {
		dst[i] = float32(v)
	}
}

// WidenTo is what Download makes of float32.
func WidenTo(dst []float64, src []float32) {
	for i, v := range src {
		dst[i] = float64(v)
		if v == worst32 {
			dst[i] = rsie.Worst
		}
	}
}

// IndicesTo copies values that [CheckUpload] has passed.
func IndicesTo(dst []uint32, src []float64) {
	for i, v := range src {
		dst[i] = uint32(v)
	}
}

// FromIndices is what Download makes of indices.
func FromIndices(dst []float64, src []uint32) {
	for i, v := range src {
		dst[i] = float64(v)
	}
}
