package task

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/task/bbob"
)

// mixtureRange generates affine mixtures of BBOB functions, [bbob.GenerateMixture]. Fitness is the
// precision, f(x) - f_opt, or its logarithm to base 10, at least -8; the logarithm ranks
// points alike and lets a quality between two anchors tell 1e-2 from 1e-6.
type mixtureRange struct {
	budgetRange `yaml:",inline"`
	Dimension   span  `yaml:"dimension"` // default 2 to 40
	Scale       names `yaml:"scale"`     // drawn from linear, logarithm; default logarithm
}

func newMixture() *mixtureRange {
	return &mixtureRange{budgetRange: newBudget(), Dimension: span{2, 40}, Scale: names{"logarithm"}}
}

func (g *mixtureRange) check() error { return nil }

// build draws dimension and instance.
func (g *mixtureRange) build(t *Task, d draws) error {
	instance := 1 + d.stream("instance").below(bbob.MaxInstance)
	m, err := bbob.GenerateMixture(d.whole("dimension", g.Dimension), instance)
	if err != nil {
		return err
	}
	scale := d.pick("scale", g.Scale)
	t.Problem = &mixtureProblem{name: t.Name, m: m, logarithm: scale == "logarithm"}
	sum := sha256.Sum256([]byte(m.Name() + " " + scale))
	t.digest = hex.EncodeToString(sum[:8])
	t.Description = fmt.Sprintf("%s, %s of the precision", m.Name(), scale)
	if scale == "linear" {
		t.Description = m.Name() + ", the precision itself"
	}
	return nil
}

// mixtureProblem evaluates a mixture.
type mixtureProblem struct {
	name      string
	m         *bbob.Mixture
	logarithm bool
}

// Shape returns the box [-5,5]^D.
func (p *mixtureProblem) Shape() rsie.Shape {
	return rsie.Shape{Name: p.name, Dim: p.m.Dim(), Lower: -5, Upper: 5, Bits: 64,
		Blocks: []rsie.Block{{Rows: 1, Cols: p.m.Dim(), Std: 1}}}
}

// Evaluate writes the fitness of every point.
func (p *mixtureProblem) Evaluate(ctx context.Context, fitness, points []float64, _ rsie.Key) error {
	dim := p.m.Dim()
	if len(points) != len(fitness)*dim {
		return fmt.Errorf("%w: task %s: %d numbers for %d points of %d", rsie.ErrShape, p.name,
			len(points), len(fitness), dim)
	}
	for i := range fitness {
		fitness[i] = p.m.Precision(points[i*dim:][:dim])
		if p.logarithm {
			fitness[i] = math.Log10(max(fitness[i], 1e-8))
		}
	}
	return ctx.Err()
}
