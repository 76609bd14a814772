package task

import (
	"fmt"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// minSamples is the least number of training rows of a generated task.
const minSamples = 40

// networkRange is the network of a generated task.
type networkRange struct {
	Hidden     span  `yaml:"hidden"`     // units of every hidden layer, default 4 to 24
	Depth      span  `yaml:"depth"`      // hidden layers, default 1 to 2
	Activation names `yaml:"activation"` // drawn from these, default tanh and relu
}

func newNetwork() networkRange {
	return networkRange{Hidden: span{4, 24}, Depth: span{1, 2}, Activation: names{"tanh", "relu"}}
}

// dense returns a drawn network between in and out values.
func (n networkRange) dense(d draws, in, out int, loss rsie.Loss) *rsie.Model {
	m := &rsie.Model{Network: rsie.Dense, Layers: []int{in}, Loss: loss}
	activation := rsie.Activation(slices.Index(activationNames, d.pick("activation", n.Activation)))
	width := d.whole("hidden", n.Hidden)
	for range d.whole("depth", n.Depth) {
		m.Layers, m.Activation = append(m.Layers, width), append(m.Activation, activation)
	}
	m.Layers = append(m.Layers, out)
	return m
}

// sampleRange is the number of training rows of a generated task; validation and test have a
// third as many each.
type sampleRange struct {
	Samples span `yaml:"samples"` // training rows, default 40 to 1,000
	// Work bounds training rows times parameters, times the steps of a recurrent network: what an
	// evaluation costs. Rows are left out until it is met, down to 40. 0: no bound; default 60,000.
	Work float64 `yaml:"work"`
}

func newSamples() sampleRange { return sampleRange{Samples: span{minSamples, 1_000}, Work: 60_000} }

// rows returns how many training rows there are for a model.
func (s sampleRange) rows(d draws, m *rsie.Model) int {
	n := d.whole("samples", s.Samples)
	if s.Work > 0 {
		n = min(n, max(minSamples, int(s.Work)/(m.Dim()*max(1, m.Steps))))
	}
	return n
}

// allRows returns how many rows have n in the training part by the rule mod5, rounded up.
func allRows(n int) int { return (n + 2) / 3 * 5 }

// partOf returns the part of row i by the rule mod5.
func partOf(i int) rsie.Part {
	switch i % 5 {
	case 3:
		return rsie.Validation
	case 4:
		return rsie.Test
	}
	return rsie.Training
}

// drawn is the data of a generated task by rows.
type drawn struct {
	in      int       // inputs of a row
	inputs  []float64 // [rows, in]
	targets []float64 // [rows]; nil with classes
	classes []int32   // [rows]; nil with targets
}

// rows returns the number of rows.
func (t *drawn) rows() int { return len(t.inputs) / t.in }

// standardise gives column k of values [rows, width] the mean 0 and the deviation 1 over
// training rows.
func standardise(values []float64, width int) {
	column := make([]float64, 0, len(values)/width)
	for k := range width {
		column = column[:0]
		for i := 0; i*width < len(values); i++ {
			if partOf(i) == rsie.Training {
				column = append(column, values[i*width+k])
			}
		}
		mean, std := meanStd(column)
		for i := k; i < len(values); i += width {
			values[i] = (values[i] - mean) / std
		}
	}
}

// finish deals the rows to the parts by the rule mod5 and completes the task.
func (t *Task) finish(m *rsie.Model, data *drawn, description string) error {
	p := &modelProblem{name: t.Name, model: m}
	for part := rsie.Training; part <= rsie.Test; part++ {
		p.rows[part] = &rsie.Rows{}
	}
	for i := range data.rows() {
		to := p.rows[partOf(i)]
		to.S++
		for _, v := range data.inputs[i*data.in:][:data.in] {
			to.Inputs = append(to.Inputs, round32(v))
		}
		if data.classes != nil {
			to.Classes = append(to.Classes, data.classes[i])
		} else {
			to.Targets = append(to.Targets, round32(data.targets[i]))
		}
	}
	return t.complete(p, description)
}

// complete makes a task of a network and its rows.
func (t *Task) complete(p *modelProblem, description string) error {
	if err := checkModel(p.model); err != nil {
		return fmt.Errorf("%w: %v", rsie.ErrInvalid, err)
	}
	t.Problem, t.digest, t.Description = p, p.digest(), description
	switch p.model.Loss {
	case rsie.CrossEntropy:
		t.metrics = p.measured(classMetrics)
	case rsie.MeanSquared:
		t.metrics = p.measured(numberMetrics(1))
	default:
		t.metrics = p.measured(returnMetrics)
	}
	return nil
}

// flip replaces the classes of a share of the rows by another one. The same rows flip at a
// larger share, and more.
func flip(classes []int32, count int, share float64, s *stream) {
	for i, c := range classes {
		u, other := s.uniform(), s.below(count-1)
		if u < share {
			classes[i] = (c + 1 + int32(other)) % int32(count)
		}
	}
}
