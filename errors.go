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

// ErrMemory is returned when a backend or its device has no memory left for what was asked. Less at a
// time, such as fewer runs of a batch, may fit and has the same results.
var ErrMemory = errors.New("out of memory")

// ErrNotFound is returned when a named thing (strategy, task, backend) does not exist.
var ErrNotFound = errors.New("not found")
