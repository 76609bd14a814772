package task

import (
	"fmt"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// geometryRange generates classes that lie in the plane as one of these figures, standardised,
// beside features that say nothing:
//
//   - rings: class c on the circle of radius (c + 1)/classes.
//   - spirals: one arm per class, Turns turns from the centre to radius 1.
//   - xor: the sign of the product of two coordinates of the square; two classes.
//   - blobs: Cells normal clouds per class around random centres.
//   - checkerboard: Cells x Cells fields of the square, classes in turn along both sides.
type geometryRange struct {
	budgetRange  `yaml:",inline"`
	networkRange `yaml:",inline"`
	sampleRange  `yaml:",inline"`
	Figure       names `yaml:"figure"`  // drawn from these, default all
	Classes      span  `yaml:"classes"` // default 2 to 4
	Turns        span  `yaml:"turns"`   // default 0.5 to 1.5
	Cells        span  `yaml:"cells"`   // default 2 to 4
	Noise        span  `yaml:"noise"`   // deviation of a place, in gaps between classes; default 0 to 0.3
	Flips        span  `yaml:"flips"`   // share of wrong classes, in every part; default 0 to 0.1
	Extra        span  `yaml:"extra"`   // normal features that say nothing, default 0 to 4
}

var figures = names{"rings", "spirals", "xor", "blobs", "checkerboard"}

func newGeometry() *geometryRange {
	return &geometryRange{budgetRange: newBudget(), networkRange: newNetwork(), sampleRange: newSamples(),
		Figure: figures, Classes: span{2, 4}, Turns: span{0.5, 1.5}, Cells: span{2, 4},
		Noise: span{0, 0.3}, Flips: span{0, 0.1}, Extra: span{0, 4}}
}

func (g *geometryRange) check() error { return nil }

// build draws the figure and its points.
func (g *geometryRange) build(t *Task, d draws) error {
	f := figure{name: d.pick("figure", g.Figure), classes: d.whole("classes", g.Classes),
		turns: d.between("turns", g.Turns), cells: d.whole("cells", g.Cells)}
	if f.name == "xor" {
		f.classes = 2
	}
	extra, noise := d.whole("extra", g.Extra), d.between("noise", g.Noise)
	data := &drawn{in: 2 + extra}
	m := g.dense(d, data.in, f.classes, rsie.CrossEntropy)
	n := allRows(g.rows(d, m))
	data.inputs, data.classes = make([]float64, 0, n*data.in), make([]int32, n)
	f.draw(d)
	points, errors, other := d.stream("points"), d.stream("errors"), d.stream("extra features")
	for i := range n {
		x, y, c := f.point(points)
		data.classes[i] = int32(c)
		data.inputs = append(data.inputs, x+float64(noise*f.gap()*errors.normal()),
			y+float64(noise*f.gap()*errors.normal()))
		for range extra {
			data.inputs = append(data.inputs, other.normal())
		}
	}
	flips := d.between("flips", g.Flips)
	flip(data.classes, f.classes, flips, d.stream("flips of rows"))
	standardise(data.inputs, data.in)
	return t.finish(m, data, fmt.Sprintf("%s: %d classes, %d features that say nothing, noise %.2g, "+
		"%.2g of the classes wrong", f.name, f.classes, extra, noise, flips))
}

// figure is a geometry with its numbers.
type figure struct {
	name           string
	classes, cells int
	turns          float64
	centres        []float64 // of blobs, [classes·cells, 2]
}

// draw draws what the points of the figure share.
func (f *figure) draw(d draws) {
	from := d.stream("centres")
	for range f.classes * f.cells * 2 {
		f.centres = append(f.centres, from.normal())
	}
}

// gap is the typical distance between neighbouring classes.
func (f *figure) gap() float64 {
	switch f.name {
	case "rings", "spirals":
		return 1 / float64(f.classes)
	case "checkerboard":
		return 2 / float64(f.cells)
	}
	return 1
}

// point returns a place and its class.
func (f *figure) point(s *stream) (x, y float64, class int) {
	u, v, w := s.uniform(), s.uniform(), s.below(f.classes)
	a, b := 2*u-1, 2*v-1
	switch f.name {
	case "rings":
		sin, cos := math.Sincos(2 * math.Pi * u)
		r := float64(w+1) / float64(f.classes)
		return r * cos, r * sin, w
	case "spirals":
		turn := float64(f.turns*u) + float64(w)/float64(f.classes)
		sin, cos := math.Sincos(2 * math.Pi * turn)
		return u * cos, u * sin, w
	case "xor":
		if (a < 0) != (b < 0) {
			return a, b, 1
		}
		return a, b, 0
	case "checkerboard":
		k := float64(f.cells)
		return a, b, (int(u*k) + int(v*k)) % f.classes
	}
	at := w*f.cells + int(u*float64(f.cells))
	const spread = 0.2 // of a cloud without noise
	return f.centres[2*at] + spread*s.normal(), f.centres[2*at+1] + spread*s.normal(), w
}
