// Package kernels holds the operations in C, shared by the native backend and CUDA, and their
// binding to Go.
package kernels

import (
	"fmt"
	"unsafe"
)

// Level is a variant of the kernels, by instruction set.
type Level int

// The levels.
const (
	Scalar Level = iota
	AVX2
	AVX512
)

// String returns the name that RSIE_CPU takes.
func (l Level) String() string { return [...]string{"scalar", "avx2", "avx512"}[l] }

// Block is rsie_block.
type Block struct {
	Offset, Rows, Cols, Layer int32
	Std                       float32
}

// Side is rsie_side: memory outside Go's, nil where unused.
type Side struct {
	Points, Fitness, Selection, Factors, Strengths, Rates unsafe.Pointer
	Order, Choice, Parent, Factored                       unsafe.Pointer
}

// Layer is rsie_layer.
type Layer struct{ In, Out, W, B, Act int32 }

// Program is rsie_program.
type Program struct {
	Network, Loss, Labelled, Samples, Padded, Steps, Dim, Outputs, LayerCount, Widest int32

	Layers, Inputs, Targets, Classes unsafe.Pointer

	Dynamics, Horizon, State, Obs                       int32
	Force, PoleMass, HalfLength, TotalMass, MomentumArm float32
	_                                                   int32
	Starts                                              unsafe.Pointer
	From, At, Value                                     unsafe.Pointer
}

// Plan is rsie_plan.
type Plan struct {
	Worst, Strength, Rate float32
	Limit                 uint32
	Inverse               float64
	Tickets               uint64
	Fresh, _              int32
}

// Call is rsie_call. All pointers are to memory outside Go's.
type Call struct {
	Runs, Blocks, Program unsafe.Pointer

	Now, Next Side

	Vectors, Memory, Matrices, Archive, Archived, History unsafe.Pointer

	RunCount, BlockCount, Dim, Stride, Factors, LastLayer, Members, Workers int32
	Bounded, Closed                                                         int32
	Lower, Upper                                                            float32
	Rows, Tiles                                                             int32

	Noise, Lottery, Near, Cleared                               unsafe.Pointer
	Distance, Utility, Ranked, Shorter, Length                  unsafe.Pointer
	Steps, Inverse, Gradient, Square, Centroid, White, Variance unsafe.Pointer
	Solver, Partial, Plans, Niches, Activations                 unsafe.Pointer

	SolverLen, ActivationLen int64

	Predicted, Asked unsafe.Pointer

	Width int64

	Sobol, Interleaved unsafe.Pointer

	InterleavedLen, Limited int64
}

// Check returns an error unless the layout of C is that of this package and of a run table whose
// entries have the given size.
func Check(run int) error {
	want := [6]int{run, int(unsafe.Sizeof(Block{})), int(unsafe.Sizeof(Side{})), int(unsafe.Sizeof(Layer{})),
		int(unsafe.Sizeof(Program{})), int(unsafe.Sizeof(Call{}))}
	if got := sizes(); got != want {
		return fmt.Errorf("sizes of structures in C %v, in Go %v", got, want)
	}
	return nil
}
