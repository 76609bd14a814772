package main

import (
	"fmt"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/cpu"
)

// backendFlags choose where operations run.
type backendFlags struct {
	Workers int    `help:"CPU workers; 0 means one per core. The result does not depend on it." default:"0"`
	Backend string `help:"native (C, float32, the CPU's vector instructions; gonum for tasks that ask for 64 bits), gonum (pure Go, float64), or auto: native where the program has it." default:"auto"`
}

// maxWorkers bounds --workers.
const maxWorkers = 4096

// open returns the chosen backend; the caller closes it.
func (f backendFlags) open() (rsie.Backend, error) {
	if f.Workers < 0 || f.Workers > maxWorkers {
		return nil, fmt.Errorf("%w: --workers %d, allowed is 0 to %d", rsie.ErrInvalid, f.Workers, maxWorkers)
	}
	switch f.Backend {
	case "auto":
		return cpu.New(f.Workers)
	case "native":
		b, err := cpu.NewAuto(f.Workers)
		if err != nil {
			return nil, err
		}
		return b, nil
	case "gonum":
		return cpu.NewGonum(f.Workers)
	}
	return nil, fmt.Errorf("%w: --backend %q; this program has: auto, native, gonum", rsie.ErrInvalid, f.Backend)
}
