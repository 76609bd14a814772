//go:build !cgo

package cpu

import (
	"fmt"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// HasNative says whether this program has the Native backend.
const HasNative = false

// Native is missing from this program, which was built without cgo.
type Native struct{ rsie.Backend }

// NewNative returns [rsie.ErrUnsupported].
func NewNative(int) (*Native, error) {
	return nil, fmt.Errorf("%w: this program was built without cgo and has no native backend; "+
		"use --backend gonum, or build with CGO_ENABLED=1 and a C compiler", rsie.ErrUnsupported)
}

// Limit does nothing.
func (*Native) Limit(int) {}
