package cpu

import (
	"fmt"
	"math"

	"github.com/symbio-ai/recursive-improvement"
)

// program is a model with its data, laid out for evaluation. It is read by all workers; what
// they write is in work, one scratch per worker, so evaluation allocates nothing.
type program struct {
	model   *rsie.Model
	dim     int
	samples int
	layers  []layer   // of a dense network
	blocks  []block   // of data
	starts  []float64 // [S][state] of control
	system  system
	work    []scratch
	// labelled says whether the rows have what the loss needs.
	labelled bool
}

// layer is one dense layer: offsets of W[in][out] and b[out] in a point.
type layer struct {
	in, out, w, b int
	act           rsie.Activation
}

// block is a share of the rows small enough for the caches. Samples run fastest in every array.
type block struct {
	first, n int
	steps    []input   // one, or one per step of a sequence
	targets  []float64 // [out][n]
	classes  []int32   // [n]
}

// scratch is the memory of one worker.
type scratch struct {
	a, b, c   []float64 // [width][n] activations
	gaps      []float64 // [width·n] of outputs to that of the class
	peak, sum []float64 // [n]
	episodes  []episode[float64]
	active    []int32
	returns   []float64
}

// blockRows is the number of rows that a matrix product works on at a time. Measured on the
// networks of the suite, 32, 64 and 128 rows are alike; 256 leave the first cache, and fewer
// pay more for the calls.
const blockRows = 64

// Model returns the model that was loaded.
func (p *program) Model() *rsie.Model { return p.model }

// Samples returns the number of rows, or of episodes.
func (p *program) Samples() int { return p.samples }

// load lays out rows for m and allocates the scratch of every worker. Rows without Targets and
// Classes can be predicted; their fitness is Worst. It returns [rsie.ErrShape] when sizes
// disagree. m and rows are not changed; m is kept, rows are copied.
func load(m *rsie.Model, rows *rsie.Rows, workers int) (*program, error) {
	if workers < 1 {
		return nil, fmt.Errorf("%w: load needs a worker", rsie.ErrShape)
	}
	labelled, err := m.Check(rows)
	if err != nil {
		return nil, err
	}
	p := &program{model: m, dim: m.Dim(), samples: rows.S, labelled: labelled}
	if m.Network == rsie.Dense {
		p.layers = denseLayers(m)
	}
	width, n := 0, 0
	for _, v := range m.Layers[1:] {
		width = max(width, v)
	}
	if m.Loss == rsie.Return {
		p.loadControl(rows)
		width, n = max(width, m.Layers[0]), rows.S
	} else {
		p.loadRows(rows)
		n = p.blocks[0].n
	}
	if m.Network == rsie.GRU {
		width = max(width, 3*m.Layers[1])
	}
	p.work = make([]scratch, workers)
	for i := range p.work {
		p.work[i] = newScratch(width*n, n, m.Loss == rsie.Return)
	}
	return p, nil
}

func newScratch(size, n int, control bool) scratch {
	w := scratch{
		a: make([]float64, size), b: make([]float64, size), c: make([]float64, size),
		peak: make([]float64, n), sum: make([]float64, n),
	}
	if !control {
		w.gaps = make([]float64, size)
	} else {
		w.episodes = make([]episode[float64], n)
		w.active = make([]int32, n)
		w.returns = make([]float64, n)
	}
	return w
}

// loadRows copies rows into blocks.
func (p *program) loadRows(rows *rsie.Rows) {
	m := p.model
	in, steps, out := m.Layers[0], max(1, m.Steps), m.Outputs()
	count := (rows.S + blockRows - 1) / blockRows
	// Equal blocks, in whole fours, which is what the matrix product takes at a time.
	size := ((rows.S+count-1)/count + 3) &^ 3
	for first := 0; first < rows.S; first += size {
		b := block{first: first, n: min(size, rows.S-first)}
		for t := range steps {
			b.steps = append(b.steps, newInput(rows.Inputs[first*in*steps+t*in:], b.n, in, in*steps))
		}
		if p.labelled && m.Loss == rsie.CrossEntropy {
			b.classes = append(b.classes, rows.Classes[first:first+b.n]...)
		} else if p.labelled {
			b.targets = make([]float64, out*b.n)
			transpose(b.targets, rows.Targets[first*out:], b.n, out, out)
		}
		p.blocks = append(p.blocks, b)
	}
}

// transpose writes n rows of src, stride apart, as the columns of dst [cols][n].
func transpose(dst, src []float64, n, cols, stride int) {
	for s := range n {
		for j := range cols {
			dst[j*n+s] = src[s*stride+j]
		}
	}
}

// evaluate writes the loss of points[i*stride:][:Dim] to fitness[i]; one that is not a finite
// number becomes Worst. It allocates nothing. Workers with different numbers may run at once;
// the number has no effect on the values.
func (p *program) evaluate(worker int, fitness, points []float64, stride int) {
	w := &p.work[worker]
	for i := range fitness {
		v := math.NaN()
		point := points[i*stride:][:p.dim]
		switch {
		case p.model.Loss == rsie.Return:
			v = p.rollout(w, point)
		case p.labelled:
			v = p.loss(w, point)
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			v = rsie.Worst
		}
		fitness[i] = v
	}
}

// loss returns the mean loss over all rows. Blocks and rows are summed in order.
func (p *program) loss(w *scratch, point []float64) float64 {
	total, count := 0.0, p.samples
	if p.model.Loss == rsie.MeanSquared {
		count *= p.model.Outputs()
	}
	for i := range p.blocks {
		b := &p.blocks[i]
		out := p.forward(w, b, point)
		if p.model.Loss == rsie.CrossEntropy {
			total += crossEntropy(w, out, b.classes)
		} else {
			total += squares(out, b.targets)
		}
	}
	return total / float64(count)
}

// forward returns the outputs [out][n] of the network of point on block b.
func (p *program) forward(w *scratch, b *block, point []float64) []float64 {
	switch p.model.Network {
	case rsie.Elman:
		return p.elman(w, b, point)
	case rsie.GRU:
		return p.gru(w, b, point)
	}
	return p.dense(w, b.steps[0], b.n, point)
}
