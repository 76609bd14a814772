package rsie

import "errors"

// Chooser is a backend that has a partner of another precision.
type Chooser interface {
	Backend
	// For returns the backend for a problem that asks for floats of so many bits, 0 for any.
	For(bits int) Backend
}

// Several is a backend of more than one device of a kind. The first does what is asked of a backend;
// whoever has many runs gives each device a share of them, which changes no result.
type Several struct {
	Backend
	Others []Backend
}

// Close ends all.
func (s Several) Close() error {
	err := s.Backend.Close()
	for _, b := range s.Others {
		err = errors.Join(err, b.Close())
	}
	return err
}

// For returns the backend that b has for a problem of a shape: b itself unless it is a [Chooser].
func For(b Backend, shape Shape) Backend {
	if c, ok := b.(Chooser); ok {
		return c.For(shape.Bits)
	}
	return b
}

// Splitter is a backend that can be had several times, for independent problems at the same time.
type Splitter interface {
	Backend
	// Split returns at most n backends, one for each worker at most, that have as many workers
	// together as this one; none where that cannot be. The caller closes them. Results are those of
	// the one backend.
	Split(n int) ([]Backend, error)
}
