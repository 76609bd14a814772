package cpu

import rsie "github.com/symbio-ai/recursive-improvement"

// Auto is Native with Gonum for the problems that ask for 64 bits.
type Auto struct {
	*Native
	wide *Gonum
}

var _ rsie.Chooser = (*Auto)(nil)

// New returns the fastest backend of this program: [Auto] where it was built with cgo, [Gonum]
// otherwise. workers is as for [NewGonum]; the caller closes it.
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
	wide, err := NewGonum(workers)
	if err != nil {
		native.Close()
		return nil, err
	}
	return &Auto{native, wide}, nil
}

// For returns Gonum for 64 bits, Native otherwise.
func (a *Auto) For(bits int) rsie.Backend {
	if bits > 32 {
		return a.wide
	}
	return a.Native
}

// Close ends the workers of both; it may be called twice.
func (a *Auto) Close() error {
	if err := a.Native.Close(); err != nil {
		return err
	}
	return a.wide.Close()
}
