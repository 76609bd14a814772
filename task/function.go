package task

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/task/bbob"
)

// functionSpec is a noiseless function of the BBOB test bed. Fitness is f(x); it needs 64 bits,
// for targets go to 1e-8 above the lowest value. Without anchors of its own its quality is that
// of the precision.
type functionSpec struct {
	Function  int  `yaml:"function"`  // 1..24
	Dimension int  `yaml:"dimension"` // of the range of package bbob
	Instance  *int `yaml:"instance"`  // from 1, the default
}

// build makes the function.
func (s *functionSpec) build(t *Task, c *loading) error {
	if c.network != nil {
		return c.invalid("network does not belong to kind function")
	}
	instance := 1
	if s.Instance != nil {
		instance = *s.Instance
	}
	f, err := bbob.New(s.Function, s.Dimension, instance)
	if err != nil {
		return c.invalid("%v", err)
	}
	setFunction(t, &functionProblem{name: t.Name, f: noiseless{f}})
	return nil
}

// Bounds of the precision f - f_opt that quality is made of: 0 at the largest, 1 at the smallest.
const (
	largestPrecision  = 1e2
	smallestPrecision = 1e-8
)

// setFunction gives t the problem, its digest and, where it has none, its anchors:
//
//	q = 1 - (log10(clip(f - f_opt, 1e-8, 1e2)) + 8)/10
func setFunction(t *Task, p rsie.Problem) {
	f := p.(interface{ function() *functionProblem }).function()
	text := f.f.Name()
	lowest := f.f.FOpt()
	if _, many := p.(rsie.Replicated); many {
		text, lowest = "every instance of "+text, 0
	}
	t.Problem = p
	t.digest = digestOf(text)
	if t.Anchors == nil {
		t.Anchors = &rsie.Anchors{F0: lowest + largestPrecision, F1: lowest, Floor: smallestPrecision}
	}
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// function is what the functions, noisy functions and mixtures of package bbob have in common.
type function interface {
	Name() string
	Dim() int
	FOpt() float64
	// Precision returns f(x) - f_opt without noise.
	Precision(x []float64) float64
	// value returns f(x), above f_opt on request, with the noise of a key and a member.
	value(x []float64, above bool, key rsie.Key, member int) float64
}

type noiseless struct{ *bbob.Function }

func (f noiseless) value(x []float64, above bool, _ rsie.Key, _ int) float64 {
	if above {
		return f.Function.Precision(x)
	}
	return f.Eval(x)
}

type noisy struct{ *bbob.Noisy }

func (f noisy) value(x []float64, above bool, key rsie.Key, member int) float64 {
	v := f.Eval(x, key, uint32(member))
	if above {
		v -= f.FOpt()
	}
	return v
}

type mixture struct{ *bbob.Mixture }

func (f mixture) value(x []float64, above bool, _ rsie.Key, _ int) float64 {
	if above {
		return f.Mixture.Precision(x)
	}
	return f.Eval(x)
}

// functionProblem evaluates a function of bbob. It is constant.
type functionProblem struct {
	name  string
	f     function
	above bool // fitness is f(x) - f_opt instead of f(x)
}

func (p *functionProblem) function() *functionProblem { return p }

// Shape returns the box [-5,5]^D that starting points come from.
func (p *functionProblem) Shape() rsie.Shape {
	_, noisy := p.f.(noisy)
	return rsie.Shape{Name: p.name, Dim: p.f.Dim(), Lower: -5, Upper: 5, Open: true, Bits: 64, Noisy: noisy,
		Parallel: true, Blocks: []rsie.Block{{Rows: 1, Cols: p.f.Dim(), Std: 1}}}
}

// Evaluate writes f(x) of every point.
func (p *functionProblem) Evaluate(ctx context.Context, fitness, points []float64, key rsie.Key) error {
	dim := p.f.Dim()
	if len(points) != len(fitness)*dim {
		return fmt.Errorf("%w: task %s: %d numbers for %d points of %d", rsie.ErrShape, p.name,
			len(points), len(fitness), dim)
	}
	for i := range fitness {
		fitness[i] = p.f.value(points[i*dim:][:dim], p.above, key, i)
	}
	return ctx.Err()
}

// instances is a function with all its instances: itself the first of them. Fitness is f - f_opt,
// because instances differ in f_opt.
type instances struct {
	*functionProblem
	make func(instance int) (function, error)
}

// Replicate returns instance k+1.
func (p *instances) Replicate(k int) (rsie.Problem, error) {
	f, err := p.make(k + 1)
	if err != nil {
		return nil, err
	}
	return &functionProblem{name: p.name, f: f, above: true}, nil
}

// Precision returns f(x) - f_opt, without noise, of a point of a function task; false for other
// tasks.
func (t *Task) Precision(point []float64) (float64, bool) {
	p, ok := t.Problem.(interface{ function() *functionProblem })
	if !ok {
		return 0, false
	}
	return p.function().f.Precision(point), true
}
