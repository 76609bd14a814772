//go:build !cgo

package cpu

import (
	"fmt"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// HasNative says whether this program has the Native backend.
const HasNative = false

// NewNative returns [rsie.ErrUnsupported]: this program was built without cgo.
func NewNative(int) (rsie.Backend, error) {
	return nil, fmt.Errorf("%w: this program was built without cgo and has no native backend; "+
		"use --backend gonum, or build with CGO_ENABLED=1 and a C compiler", rsie.ErrUnsupported)
}
