//go:build !cuda

package gpu

import (
	"fmt"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Has says whether this program has the CUDA backend.
const Has = false

// New returns [rsie.ErrUnsupported].
func New(int) (rsie.Backend, error) {
	return nil, fmt.Errorf("%w: this program was built without CUDA; use --backend native or gonum, or build "+
		"the other program with go build -tags cuda ./cmd/rsie where cuda.h and a driver are, or by Dockerfile.cuda",
		rsie.ErrUnsupported)
}
