// Package cpu holds the backend of the processor: [Gonum], in pure Go and float64. It is the
// readable form of every operation of the contract; the formula of an operation stands at the
// function that carries it out, in the file of its name (breed.go, sample.go, update.go, ...).
//
// A call of Do runs its operations one after the other. Each is cut into spans of rows or
// columns that the workers take in any order; what a span writes depends on the span alone.
//
// # Shapes
//
// Points are [M, Stride], M the members of all runs, Stride the number D of parameters rounded up
// to 32; run r has rows Offset to Offset+Members. Per-run vectors are [R, VecCount, Stride].
//
// # Determinism
//
// Draws are addressed by run, member, generation and purpose, sums run in index order, and ties
// are broken by index: results are the same bits for any number of workers and any composition
// of a batch. On another architecture the compiler may fuse multiplications and additions.
// Nothing is allocated by Do.
//
// # Errors
//
// [rsie.ErrShape] marks buffers, tables and rows whose sizes disagree, or that belong to another
// or a closed backend, [rsie.ErrInvalid] a number of workers outside its range, and
// [rsie.ErrUnsupported] a model that the package cannot evaluate. A fitness that is not finite
// becomes [rsie.Worst] and is no error.
//
// # Sources
//
// They are named at each operation. Random numbers: J. Salmon et al., SC 2011 (Philox).
// Linear algebra: gonum.org/v1/gonum.
package cpu
