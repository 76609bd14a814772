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
	return nil, fmt.Errorf("%w: this program was built without CUDA; build the other one with "+
		"go build -tags cuda ./cmd/rsie on a machine with cuda.h and a driver, or with Dockerfile.cuda",
		rsie.ErrUnsupported)
}
