package main

import (
	"fmt"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/cpu"
)

// backendFlags choose where operations run.
type backendFlags struct {
	Workers int    `help:"CPU workers; 0 means one per core. The result does not depend on it." default:"0"`
	Backend string `help:"gonum (pure Go, float64) or auto." default:"auto"`
}

// maxWorkers bounds --workers.
const maxWorkers = 4096

// open returns the chosen backend; the caller closes it.
func (f backendFlags) open() (rsie.Backend, error) {
	if f.Workers < 0 || f.Workers > maxWorkers {
		return nil, fmt.Errorf("%w: --workers %d, allowed is 0 to %d", rsie.ErrInvalid, f.Workers, maxWorkers)
	}
	switch f.Backend {
	case "auto", "gonum":
		return cpu.NewGonum(f.Workers)
	}
	return nil, fmt.Errorf("%w: --backend %q; this program has: auto, gonum", rsie.ErrInvalid, f.Backend)
}
