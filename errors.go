package rsie

import "errors"

// ErrShape is returned when the lengths or sizes given to an operation disagree.
var ErrShape = errors.New("shape")

// ErrInvalid is returned when a value a user gave is outside its range or of the wrong kind.
// A program that meets it ends with exit code 2.
var ErrInvalid = errors.New("invalid input")

// ErrUnsupported is returned when a backend cannot run an operation or a precision; there is
// no silent fallback to another one.
var ErrUnsupported = errors.New("not supported by this backend")

// ErrNotFound is returned when a named thing (strategy, task, backend) does not exist.
var ErrNotFound = errors.New("not found")
