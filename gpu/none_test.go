//go:build !cuda

package gpu

import (
	"errors"
	"strings"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

func TestWithoutCUDA(t *testing.T) {
	b, err := New(0)
	if b != nil || !errors.Is(err, rsie.ErrUnsupported) || !strings.Contains(err.Error(), "-tags cuda") {
		t.Errorf("New: %v, %v", b, err)
	}
}
