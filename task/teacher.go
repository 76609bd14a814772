package task

import (
	"fmt"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// teacherRange generates what a random network says of normal inputs: its standardised output
// plus noise, or as class the largest of its standardised outputs plus noise.
//
// Decades make it badly scaled: input k is multiplied by 10^(decades·v_k) and the target by
// 10^(decades·v), v uniform in [-1,1], and the target then stands Offset deviations from 0.
type teacherRange struct {
	budgetRange   `yaml:",inline"`
	networkRange  `yaml:",inline"`
	sampleRange   `yaml:",inline"`
	Inputs        span  `yaml:"inputs"`         // default 1 to 20
	Goal          names `yaml:"goal"`           // drawn from these, default regression and classification
	Classes       span  `yaml:"classes"`        // default 2 to 5
	TeacherDepth  span  `yaml:"teacher_depth"`  // hidden layers of the teacher, default 1 to 3
	TeacherWidth  span  `yaml:"teacher_width"`  // default 2 to 16
	Gain          span  `yaml:"gain"`           // of its weights; default 1 to 3: the larger, the less linear
	Noise         span  `yaml:"noise"`          // deviations of the target; default 0 to 0.3
	InputDecades  span  `yaml:"input_decades"`  // default 0
	OutputDecades span  `yaml:"output_decades"` // default 0
	Offset        span  `yaml:"offset"`         // default 0
}

func newTeacher() *teacherRange {
	return &teacherRange{budgetRange: newBudget(), networkRange: newNetwork(), sampleRange: newSamples(),
		Inputs: span{1, 20}, Goal: names{"regression", "classification"}, Classes: span{2, 5},
		TeacherDepth: span{1, 3}, TeacherWidth: span{2, 16}, Gain: span{1, 3}, Noise: span{0, 0.3}}
}

func (g *teacherRange) check() error { return nil }

// build draws the teacher, its inputs and the noise.
func (g *teacherRange) build(t *Task, d draws) error {
	data, m, description := g.draw(d)
	return t.finish(m, data, description)
}

// draw returns rows, network and a description.
func (g *teacherRange) draw(d draws) (*drawn, *rsie.Model, string) {
	goal := d.pick("goal", g.Goal)
	loss, out, answers := rsie.MeanSquared, 1, 1
	if goal == "classification" {
		out = d.whole("classes", g.Classes)
		loss, answers = rsie.CrossEntropy, out
	}
	data := &drawn{in: d.whole("inputs", g.Inputs)}
	m := g.dense(d, data.in, out, loss)
	n := allRows(g.rows(d, m))
	data.inputs = make([]float64, n*data.in)
	from := d.stream("data")
	for i := range data.inputs {
		data.inputs[i] = from.normal()
	}
	said := g.teach(d, data, answers)
	standardise(said, answers)
	noise, from := d.between("noise", g.Noise), d.stream("errors")
	for i := range said {
		said[i] += float64(noise * from.normal())
	}
	if goal == "classification" {
		data.classes = make([]int32, n)
		for i := range data.classes {
			data.classes[i] = int32(argmax(said[i*answers:][:answers]))
		}
	} else {
		data.targets = said
	}
	g.rescale(d, data)
	return data, m, fmt.Sprintf("%s of a random teacher: %d inputs, noise %.2g", goal, data.in, noise)
}

// teach returns what a random network of tanh units answers on the rows.
func (g *teacherRange) teach(d draws, data *drawn, answers int) []float64 {
	depth, width := d.whole("teacher_depth", g.TeacherDepth), d.whole("teacher_width", g.TeacherWidth)
	gain, from := d.between("gain", g.Gain), d.stream("teacher")
	n, in, x := data.rows(), data.in, data.inputs
	for layer := range depth + 1 {
		out := width
		if layer == depth {
			out = answers
		}
		scale := gain / math.Sqrt(float64(in))
		weights := make([]float64, (in+1)*out) // the last row is the bias
		for k := range weights {
			weights[k] = float64(scale * from.normal())
		}
		for k := in * out; k < len(weights); k++ {
			weights[k] = from.normal() / 2
		}
		y := make([]float64, n*out)
		for i := range n {
			layerOf(y[i*out:][:out], x[i*in:][:in], weights)
			for k := 0; layer < depth && k < out; k++ {
				y[i*out+k] = math.Tanh(y[i*out+k])
			}
		}
		x, in = y, out
	}
	return x
}

// layerOf writes x·W + b to y; weights is [len(x)+1, len(y)] with b as its last row.
func layerOf(y, x, weights []float64) {
	copy(y, weights[len(x)*len(y):])
	for j, v := range x {
		for k, w := range weights[j*len(y):][:len(y)] {
			y[k] += float64(v * w)
		}
	}
}

// rescale makes inputs and targets badly scaled.
func (g *teacherRange) rescale(d draws, data *drawn) {
	decades, from := d.between("input_decades", g.InputDecades), d.stream("input scales")
	for k := range data.in {
		scale := math.Pow(10, decades*(2*from.uniform()-1))
		for i := k; i < len(data.inputs) && decades != 0; i += data.in {
			data.inputs[i] *= scale
		}
	}
	decades = d.between("output_decades", g.OutputDecades)
	scale := math.Pow(10, decades*(2*d.stream("output scale").uniform()-1))
	offset := d.between("offset", g.Offset)
	for i := range data.targets {
		data.targets[i] = (data.targets[i] + offset) * scale
	}
}
