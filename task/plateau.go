package task

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/task/bbob"
)

// plateauRange generates problems that are flat until something is found. Below a threshold the
// fitness is a value v >= 0, above it the threshold:
//
//	f = limit                                     when v >= limit
//	f = v                                         without levels
//	f = limit·ceil(v/limit·levels)/levels         with them: a staircase
//
// limit is the lowest value of Draws starting points, so about one random point in Draws is
// below it. On function, v = ln(1 + f(x) - f_opt) of a BBOB function; on network, v is the
// squared error of a small network on a random teacher, which the host evaluates.
type plateauRange struct {
	budgetRange `yaml:",inline"`
	On          names `yaml:"on"`        // drawn from function, network; default both
	Draws       span  `yaml:"draws"`     // default 20 to 200
	Levels      span  `yaml:"levels"`    // 0: none; default 0 to 20
	Dimension   span  `yaml:"dimension"` // of functions, default 2 to 10
	Samples     span  `yaml:"samples"`   // of teachers, default 40 to 60
	Hidden      span  `yaml:"hidden"`    // of networks, default 2 to 6
}

func newPlateau() *plateauRange {
	return &plateauRange{budgetRange: newBudget(), On: names{"function", "network"}, Draws: span{20, 200},
		Levels: span{0, 20}, Dimension: span{2, 10}, Samples: span{40, 60}, Hidden: span{2, 6}}
}

func (g *plateauRange) check() error { return nil }

// build draws what lies below the plateau and finds the threshold.
func (g *plateauRange) build(t *Task, d draws) error {
	p := &plateau{levels: d.whole("levels", g.Levels)}
	what, err := g.below(t.Name, p, d)
	if err != nil {
		return err
	}
	n := d.whole("draws", g.Draws)
	from, x := d.stream("starting points"), make([]float64, p.shape.Dim)
	p.limit = math.Inf(1)
	for range n {
		for _, b := range p.shape.Blocks {
			for j := b.Offset; j < b.Offset+b.Rows*b.Cols; j++ {
				if p.shape.Bounded() {
					x[j] = p.shape.Lower + float64(from.uniform()*(p.shape.Upper-p.shape.Lower))
				} else {
					x[j] = float64(b.Std * from.normal())
				}
			}
		}
		p.limit = min(p.limit, p.value(x))
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "plateau %s %x %d", p.identity, math.Float64bits(p.limit), p.levels))
	t.Problem, t.digest = p, hex.EncodeToString(sum[:8])
	t.Description = fmt.Sprintf("plateau over %s, found by about one random point in %d, %d levels below",
		what, n, p.levels)
	return nil
}

// below fills p with a function or a network.
func (g *plateauRange) below(name string, p *plateau, d draws) (what string, err error) {
	if d.pick("on", g.On) == "function" {
		number, dim := 1+d.stream("function").below(bbob.Functions), d.whole("dimension", g.Dimension)
		f, err := bbob.New(number, dim, 1+d.stream("instance").below(bbob.MaxInstance))
		if err != nil {
			return "", err
		}
		p.shape = (&functionProblem{name: name, f: noiseless{f}}).Shape()
		p.shape.Open = false // the share of found points is that of the box
		p.value = func(x []float64) float64 { return math.Log1p(f.Precision(x)) }
		p.identity = f.Name()
		return f.Name(), nil
	}
	teacher := newTeacher()
	teacher.Goal, teacher.Inputs, teacher.Noise = names{"regression"}, span{1, 4}, span{0, 0}
	teacher.Samples, teacher.Hidden, teacher.Depth = g.Samples, g.Hidden, span{1, 1}
	teacher.Activation = names{"tanh"}
	data, m, said := teacher.draw(d)
	held := &Task{Name: name}
	if err := held.finish(m, data, said); err != nil {
		return "", err
	}
	rows := held.Problem.(*modelProblem).rows[rsie.Training]
	p.shape, p.identity = held.Problem.Shape(), held.digest
	p.value = func(x []float64) float64 { return oneLayerError(x, m, rows) }
	return said, nil
}

// oneLayerError is the mean squared error of a network with one layer of tanh units.
func oneLayerError(x []float64, m *rsie.Model, rows *rsie.Rows) float64 {
	in, width := m.Layers[0], m.Layers[1]
	first, second := x[:(in+1)*width], x[(in+1)*width:]
	var buffer [64]float64
	hidden := slices.Grow(buffer[:0], width)[:width]
	sum := 0.0
	for s, want := range rows.Targets {
		layerOf(hidden, rows.Inputs[s*in:][:in], first)
		got := second[width]
		for k, v := range hidden {
			got += float64(math.Tanh(v) * second[k])
		}
		sum += float64((got - want) * (got - want))
	}
	return sum / float64(rows.S)
}

// plateau is a problem of [plateauRange].
type plateau struct {
	shape    rsie.Shape
	identity string                    // of value
	value    func(x []float64) float64 // >= 0
	limit    float64
	levels   int
}

// Shape is that of what lies below.
func (p *plateau) Shape() rsie.Shape { return p.shape }

// Evaluate writes the fitness of every point.
func (p *plateau) Evaluate(ctx context.Context, fitness, points []float64, _ rsie.Key) error {
	if len(points) != len(fitness)*p.shape.Dim {
		return fmt.Errorf("%w: task %s: %d numbers for %d points of %d", rsie.ErrShape, p.shape.Name,
			len(points), len(fitness), p.shape.Dim)
	}
	for i := range fitness {
		fitness[i] = p.fitness(p.value(points[i*p.shape.Dim:][:p.shape.Dim]))
	}
	return ctx.Err()
}

// fitness is the formula of [plateauRange]; NaN is above every threshold.
func (p *plateau) fitness(v float64) float64 {
	if !(v < p.limit) {
		return p.limit
	}
	if p.levels == 0 {
		return v
	}
	return p.limit * math.Ceil(v/p.limit*float64(p.levels)) / float64(p.levels)
}
