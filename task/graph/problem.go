package graph

import (
	"context"
	"fmt"
	"math"
	"sync"

	// Without this module gorgonia's tensors stop the program at start on this version of Go.
	_ "go4.org/unsafe/assume-no-moving-gc"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Build adds a model to g and says what its parts are. It is called once per problem. A panic,
// such as one of gorgonia.Must, is reported as an error of the build.
type Build func(g *gorgonia.ExprGraph) (Model, error)

// Model names the parts of an expression graph. All nodes belong to the graph that [Build] got.
type Model struct {
	// Params are the nodes whose elements are evolved, float64 or float32. Values bound to them
	// are replaced; none need be bound.
	Params []*gorgonia.Node
	// Loss is the fitness, a scalar node of float64 or float32, minimised.
	Loss *gorgonia.Node
	// Outputs are the nodes that [Problem.Outputs] returns; may be empty. They hold tensors or
	// scalars of float64 or float32.
	Outputs []*gorgonia.Node
	// Inputs are the nodes that [Problem.Outputs] can put other data into; may be empty. Like
	// every node that is neither computed nor a parameter they have a tensor.Dense bound.
	Inputs []*gorgonia.Node
	// Std holds the standard deviation of the starting values of each parameter, >= 0; nil means
	// 1/sqrt(fan_in) for matrices and 0 for scalars, vectors and matrices of one row. fan_in is
	// the number of rows of a matrix (x·W), the product of all axes but the first of a tensor of
	// more axes (the kernels of a convolution).
	Std []float64
}

// Problem is the loss of an expression graph as a function of its parameters. Its methods may be
// called from several goroutines; they take turns, because a graph holds one set of values.
type Problem struct {
	shape   rsie.Shape
	model   Model
	params  []parameter
	machine gorgonia.VM
	loss    gorgonia.Value
	outputs []gorgonia.Value

	mu sync.Mutex // guards the values of the graph
}

var _ rsie.Problem = (*Problem)(nil)

// New builds a graph and checks that it can be evolved: it has parameters, a scalar loss, data
// for all other inputs, no value that is not a number, and the same loss when it is run twice.
// It returns [rsie.ErrInvalid] with the node and the reason otherwise.
func New(name string, build Build) (*Problem, error) {
	g := gorgonia.NewGraph()
	m, err := call(build, g)
	if err != nil {
		return nil, fmt.Errorf("%w: graph %s: build: %w", rsie.ErrInvalid, name, err)
	}
	p := &Problem{model: m, outputs: make([]gorgonia.Value, len(m.Outputs))}
	if err := p.prepare(name, g); err != nil {
		return nil, fmt.Errorf("%w: graph %s: %w", rsie.ErrInvalid, name, err)
	}
	return p, nil
}

// call runs build and turns a panic into an error: gorgonia's own way to report a wrong shape
// is a panic of Must.
func call(build Build, g *gorgonia.ExprGraph) (m Model, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return build(g)
}

// prepare checks the model, binds its parameters and compiles the graph.
func (p *Problem) prepare(name string, g *gorgonia.ExprGraph) error {
	if err := p.model.check(g); err != nil {
		return err
	}
	var err error
	if p.params, err = bind(p.model.Params); err != nil {
		return err
	}
	if p.shape, err = shape(name, p.model, p.params); err != nil {
		return err
	}
	gorgonia.Read(p.model.Loss, &p.loss)
	for i, n := range p.model.Outputs {
		gorgonia.Read(n, &p.outputs[i])
	}
	program, registers, err := gorgonia.Compile(g)
	if err != nil {
		return fmt.Errorf("compile: %w", err)
	}
	// EvalMode turns the layers that draw while training, such as dropout, off.
	p.machine = gorgonia.NewTapeMachine(g, gorgonia.WithPrecompiled(program, registers), gorgonia.EvalMode())
	return p.trial()
}

// trialPoints is how many starting points are tried before a loss that is never finite counts
// as a mistake: a logarithm of a parameter is no number for half of them.
const trialPoints = 8

// trial runs the graph at starting points.
func (p *Problem) trial() error {
	point := make([]float64, p.shape.Dim)
	for try := range trialPoints {
		start(point, p.shape.Blocks, uint32(try))
		first, err := p.run(point)
		if err != nil {
			return err
		}
		second, err := p.run(point)
		if err != nil {
			return err
		}
		if math.Float64bits(first) != math.Float64bits(second) {
			return fmt.Errorf("the loss of one point is %g, then %g: the graph draws random numbers; "+
				"bind random values as data instead", first, second)
		}
		if !math.IsNaN(first) && !math.IsInf(first, 0) {
			return nil
		}
	}
	return fmt.Errorf("the loss is not finite at any of %d starting points; check logarithms, "+
		"divisions and the scale of the inputs", trialPoints)
}

// start writes a normal starting point by Box and Muller; its draws serve the trial alone.
func start(point []float64, blocks []rsie.Block, try uint32) {
	key := rsie.NewKey(0)
	for _, b := range blocks {
		for j := b.Offset; j < b.Offset+b.Rows*b.Cols; j++ {
			w := key.Words(uint32(j), try, 0, 0, rsie.StreamProblem)
			r := math.Sqrt(-2 * math.Log(rsie.Uniform(w[0])))
			point[j] = b.Std * r * math.Cos(2*math.Pi*rsie.Uniform(w[1]))
		}
	}
}

// run returns the loss of one point. The caller holds the lock.
func (p *Problem) run(point []float64) (float64, error) {
	for i, q := range p.params {
		q.set(point[p.shape.Blocks[i].Offset:])
	}
	p.machine.Reset()
	if err := p.machine.RunAll(); err != nil {
		return 0, fmt.Errorf("run: %w", err)
	}
	return number(p.loss), nil
}

// Shape returns one block per parameter node, in the order of Model.Params. A matrix begins a
// layer; scalars and vectors belong to the layer of the matrix before them.
func (p *Problem) Shape() rsie.Shape { return p.shape }

// Evaluate writes the losses of the points [len(fitness), D], one after the other. A loss that
// is not a number is written as it is and ranks as the worst. The key is not used. It returns
// [rsie.ErrShape] for a wrong number of values and the context's error when it ends early.
func (p *Problem) Evaluate(ctx context.Context, fitness, points []float64, _ rsie.Key) error {
	if len(points) != len(fitness)*p.shape.Dim {
		return fmt.Errorf("%w: graph %s: %d values for %d points of %d parameters",
			rsie.ErrShape, p.shape.Name, len(points), len(fitness), p.shape.Dim)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range fitness {
		if err := ctx.Err(); err != nil {
			return err
		}
		loss, err := p.run(points[i*p.shape.Dim:][:p.shape.Dim])
		if err != nil {
			return fmt.Errorf("graph %s: %w", p.shape.Name, err)
		}
		fitness[i] = loss
	}
	return nil
}

// Outputs returns the values of Model.Outputs at a point of length D, as copies owned by the
// caller; scalars have the shape (). Tensors given in inputs stand for Model.Inputs in this call,
// in order and with the same shapes and element types; none means the data of the build. It
// returns [rsie.ErrShape] when sizes disagree.
func (p *Problem) Outputs(point []float64, inputs ...*tensor.Dense) ([]*tensor.Dense, error) {
	if len(point) != p.shape.Dim {
		return nil, fmt.Errorf("%w: graph %s: %d parameters, want %d",
			rsie.ErrShape, p.shape.Name, len(point), p.shape.Dim)
	}
	if len(inputs) != 0 && len(inputs) != len(p.model.Inputs) {
		return nil, fmt.Errorf("%w: graph %s: %d inputs, the model names %d",
			rsie.ErrShape, p.shape.Name, len(inputs), len(p.model.Inputs))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, t := range inputs {
		n := p.model.Inputs[i]
		data := n.Value()
		if err := gorgonia.Let(n, t); err != nil {
			return nil, fmt.Errorf("%w: graph %s: input %s: %w", rsie.ErrShape, p.shape.Name, n.Name(), err)
		}
		defer gorgonia.Let(n, data)
	}
	if _, err := p.run(point); err != nil {
		return nil, fmt.Errorf("graph %s: %w", p.shape.Name, err)
	}
	out := make([]*tensor.Dense, len(p.outputs))
	for i, v := range p.outputs {
		out[i] = dense(v)
	}
	return out, nil
}

// Parameters returns the point of length D as one tensor per node of Model.Params, in the nodes'
// shapes and element types, as copies owned by the caller.
func (p *Problem) Parameters(point []float64) ([]*tensor.Dense, error) {
	if len(point) != p.shape.Dim {
		return nil, fmt.Errorf("%w: graph %s: %d parameters, want %d",
			rsie.ErrShape, p.shape.Name, len(point), p.shape.Dim)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]*tensor.Dense, len(p.params))
	for i, q := range p.params {
		q.set(point[p.shape.Blocks[i].Offset:])
		out[i] = dense(p.model.Params[i].Value())
	}
	return out, nil
}
