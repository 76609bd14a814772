package bbob

import (
	"fmt"
	"math"
	"sync"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Ranges of an address. COCO defines dimensions up to 40; above, the formulas are the same, but
// they are not those of its suite bbob-largescale. The highest instance keeps every seed below
// the generator's modulus.
const (
	Functions   = 24
	MinDim      = 2
	MaxDim      = 640
	MaxInstance = 200000
)

// stackDim is the highest dimension whose scratch lies on the stack.
const stackDim = 40

// Function is one instance of a noiseless function. It is constant after [New] and safe for
// concurrent use.
type Function struct {
	number, dim, instance int
	seed                  int64
	noisy                 bool // the variant that is the base of a noisy function

	fOpt    float64
	xOpt    []float64 // [D]
	penalty float64   // factor of f_pen

	first, second []float64 // [D, D]: matrices in the order of application
	scale         []float64 // [D]: a diagonal
	slopes        []float64 // [D]: of asymmetric
	factor        float64   // a function's own constant
	peaks         *peaks    // f21, f22
}

// New returns instance 1..[MaxInstance] of function 1..[Functions] in dimension
// [MinDim]..[MaxDim]. Construction costs O(D³) for rotated functions.
//
// It returns [rsie.ErrInvalid] for a value outside its range.
func New(function, dim, instance int) (*Function, error) {
	if function < 1 || function > Functions {
		return nil, fmt.Errorf("%w: bbob function is %d, allowed is 1 to %d; NewNoisy makes %d to %d",
			rsie.ErrInvalid, function, Functions, FirstNoisy, LastNoisy)
	}
	if err := checkSize(dim, instance); err != nil {
		return nil, err
	}
	return build(function, dim, instance, false), nil
}

func checkSize(dim, instance int) error {
	if dim < MinDim || dim > MaxDim {
		return fmt.Errorf("%w: bbob dimension is %d, allowed is %d to %d",
			rsie.ErrInvalid, dim, MinDim, MaxDim)
	}
	if instance < 1 || instance > MaxInstance {
		return fmt.Errorf("%w: bbob instance is %d, allowed is 1 to %d",
			rsie.ErrInvalid, instance, MaxInstance)
	}
	return nil
}

// build makes a function of a checked address. noisy makes the variant that RR-6869 adds noise
// to: condition 10^4 for f10 and amplitude 1 for f19; its penalty is not read.
func build(number, dim, instance int, noisy bool) *Function {
	base := number
	switch number { // COCO gives these pairs the same seed
	case 4:
		base = 3
	case 18:
		base = 17
	}
	f := &Function{number: number, dim: dim, instance: instance, noisy: noisy,
		seed: int64(base) + 10000*int64(instance)}
	f.fOpt = drawValue(f.seed)
	f.xOpt = drawShift(dim, f.seed)
	switch {
	case number <= 5:
		f.prepareSeparable()
	case number <= 9:
		f.prepareModerate()
	case number <= 14:
		f.prepareIllConditioned()
	case number <= 19:
		f.prepareMultimodal()
	default:
		f.prepareWeak()
	}
	return f
}

// firstRotation and secondRotation return R and Q of RR-6829, section 0.2.
func (f *Function) firstRotation() []float64  { return drawRotation(f.dim, f.seed+1000000) }
func (f *Function) secondRotation() []float64 { return drawRotation(f.dim, f.seed) }

// Name returns the address, "bbob/f3/d5/i7". [Parse] reads it.
func (f *Function) Name() string { return name(family, f.number, f.dim, f.instance) }

// Dim returns D.
func (f *Function) Dim() int { return f.dim }

// FOpt returns the lowest value. The value that [Function.Eval] gives at XOpt differs from it by
// rounding.
func (f *Function) FOpt() float64 { return f.fOpt }

// XOpt returns a copy of the place of the lowest value.
func (f *Function) XOpt() []float64 { return append([]float64(nil), f.xOpt...) }

// Eval returns f(x), the value COCO returns: [Function.Precision] plus FOpt. x has length D, or
// Eval panics; it is not modified. NaN in gives NaN out. Nothing is allocated.
func (f *Function) Eval(x []float64) float64 { return f.Precision(x) + f.fOpt }

// EvalAll writes fitness[i] = f(points[i]); points are [len(fitness), D], row-major.
//
// It returns [rsie.ErrShape] if the lengths disagree.
func (f *Function) EvalAll(fitness, points []float64) error {
	if err := checkPoints(f.Name, fitness, points, f.dim); err != nil {
		return err
	}
	for i := range fitness {
		fitness[i] = f.Eval(points[i*f.dim : (i+1)*f.dim])
	}
	return nil
}

// checkPoints takes the name as a function, because a name costs an allocation.
func checkPoints(name func() string, fitness, points []float64, dim int) error {
	if len(points) != len(fitness)*dim {
		return fmt.Errorf("%w: %s: %d coordinates for %d points of dimension %d, want %d",
			rsie.ErrShape, name(), len(points), len(fitness), dim, len(fitness)*dim)
	}
	return nil
}

// scratch is memory of evaluations in dimensions above stackDim.
var scratch = sync.Pool{New: func() any { return new([2 * MaxDim]float64) }}

// Precision returns f(x) - f_opt without the digits that the sum f(x) loses: the target of an
// optimiser is a precision of 1e-8. x has length D, or Precision panics.
func (f *Function) Precision(x []float64) float64 {
	value := f.bare(x)
	if f.penalty != 0 {
		value += float64(f.penalty * penalty(x, 5))
	}
	return value
}

// bare returns f(x) - f_opt without penalty.
func (f *Function) bare(x []float64) float64 {
	if len(x) != f.dim {
		panic(fmt.Sprintf("bbob: point of length %d for %s", len(x), f.Name()))
	}
	if f.dim <= stackDim {
		var buf [2 * stackDim]float64
		return f.dispatch(x, buf[:f.dim], buf[stackDim:][:f.dim])
	}
	buf := scratch.Get().(*[2 * MaxDim]float64)
	defer scratch.Put(buf)
	return f.dispatch(x, buf[:f.dim], buf[MaxDim:][:f.dim])
}

// dispatch calls the formula of f; y and z are scratch of length D. The calls are direct,
// because scratch handed to a function value would move to the heap.
func (f *Function) dispatch(x, y, z []float64) float64 {
	switch f.number {
	case 1:
		return f.sphere(x)
	case 2:
		return f.ellipsoid(x)
	case 3:
		return f.rastrigin(x)
	case 4:
		return f.buecheRastrigin(x)
	case 5:
		return f.linearSlope(x)
	case 6:
		return f.attractiveSector(x, y, z)
	case 7:
		return f.stepEllipsoid(x, y, z)
	case 8:
		return f.rosenbrock(x, y)
	case 9:
		return f.rosenbrockRotated(x, y)
	case 10:
		return f.ellipsoidRotated(x, y, z)
	case 11:
		return f.discus(x, y, z)
	case 12:
		return f.bentCigar(x, y, z)
	case 13:
		return f.sharpRidge(x, y, z)
	case 14:
		return f.differentPowers(x, y, z)
	case 15:
		return f.rastriginRotated(x, y, z)
	case 16:
		return f.weierstrass(x, y, z)
	case 17, 18:
		return f.schaffer(x, y, z)
	case 19:
		return f.griewankRosenbrock(x, y)
	case 20:
		return f.schwefel(x, y)
	case 21, 22:
		return f.gallagher(x, y)
	case 23:
		return f.katsuura(x, y, z)
	case 24:
		return f.lunacek(x, y, z)
	}
	return math.NaN()
}
