package task

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/task/bbob"
)

// functionSpec is a noiseless function of the BBOB test bed, in the box [-5,5]. Fitness is f(x);
// it needs 64 bits, for targets go to 1e-8 above the lowest value.
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
	t.Problem = &functionProblem{name: t.Name, f: f}
	sum := sha256.Sum256([]byte(f.Name()))
	t.digest = hex.EncodeToString(sum[:8])
	return nil
}

// functionProblem evaluates a function of bbob.
type functionProblem struct {
	name string
	f    *bbob.Function
}

// Shape returns the box [-5,5]^D.
func (p *functionProblem) Shape() rsie.Shape {
	return rsie.Shape{Name: p.name, Dim: p.f.Dim(), Lower: -5, Upper: 5, Bits: 64,
		Blocks: []rsie.Block{{Rows: 1, Cols: p.f.Dim(), Std: 1}}}
}

// Evaluate writes f(x) of every point.
func (p *functionProblem) Evaluate(ctx context.Context, fitness, points []float64, _ rsie.Key) error {
	if len(points) != len(fitness)*p.f.Dim() {
		return fmt.Errorf("%w: task %s: %d numbers for %d points of %d", rsie.ErrShape, p.name,
			len(points), len(fitness), p.f.Dim())
	}
	for i := range fitness {
		fitness[i] = p.f.Eval(points[i*p.f.Dim():][:p.f.Dim()])
	}
	return ctx.Err()
}
