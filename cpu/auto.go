package cpu

import rsie "github.com/symbio-ai/recursive-improvement"

// LevelVariable names the environment variable that forces a variant of Native: scalar, avx2 or
// avx512.
const LevelVariable = "RSIE_CPU"

// Auto is a backend in 32 bits with Gonum for the problems that ask for 64.
type Auto struct {
	rsie.Backend
	wide *Gonum
}

var (
	_ rsie.Chooser  = (*Auto)(nil)
	_ rsie.Splitter = (*Auto)(nil)
)

// New returns the fastest backend of this program: Native in [Auto] where it was built with cgo,
// [Gonum] otherwise. workers is as for [NewGonum]; the caller closes it.
func New(workers int) (rsie.Backend, error) {
	if !HasNative {
		return NewGonum(workers)
	}
	a, err := NewAuto(workers)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// NewAuto returns Native with Gonum beside it, or the errors of [NewNative].
func NewAuto(workers int) (*Auto, error) {
	native, err := NewNative(workers)
	if err != nil {
		return nil, err
	}
	return Widen(native, workers)
}

// Widen puts Gonum with so many workers beside a backend, which is closed with it, and where Gonum
// cannot be had.
func Widen(b rsie.Backend, workers int) (*Auto, error) {
	wide, err := NewGonum(workers)
	if err != nil {
		b.Close()
		return nil, err
	}
	return &Auto{b, wide}, nil
}

// For returns Gonum for 64 bits, the other backend otherwise.
func (a *Auto) For(bits int) rsie.Backend {
	if bits > 32 {
		return a.wide
	}
	return a.Backend
}

// Close ends both; it may be called twice.
func (a *Auto) Close() error {
	if err := a.Backend.Close(); err != nil {
		return err
	}
	return a.wide.Close()
}
