package task

import (
	"fmt"
	"slices"
	"sync"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// resampleRange generates variants of the embedded data: the training rows of a tabular task of
// the standard suite whose split is training, dealt anew to the parts, drawn with replacement
// within each, with some of the features and wrong classes, or noise on a number. No row of a
// validation task and no validation or test row of any task takes part.
type resampleRange struct {
	budgetRange  `yaml:",inline"`
	networkRange `yaml:",inline"`
	sampleRange  `yaml:",inline"`
	Data         names `yaml:"data"`     // tasks, drawn from these, default all that there are
	Features     span  `yaml:"features"` // share of the features that stay, default 0.4 to 1
	Most         int   `yaml:"most"`     // features at most, default 32
	Flips        span  `yaml:"flips"`    // share of wrong classes, default 0 to 0.2
	Noise        span  `yaml:"noise"`    // deviations of a numeric target, default 0 to 0.5
}

func newResample() *resampleRange {
	g := &resampleRange{budgetRange: newBudget(), networkRange: newNetwork(), sampleRange: newSamples(),
		Features: span{0.4, 1}, Most: 32, Flips: span{0, 0.2}, Noise: span{0, 0.5}}
	return g
}

// resampled are the tabular training tasks of the standard suite, by name, loaded once.
var resampled = sync.OnceValue(func() map[string]*modelProblem {
	s, err := Embedded("standard")
	if err != nil {
		panic("task: the embedded suite: " + err.Error())
	}
	out := map[string]*modelProblem{}
	for _, t := range s.Tasks {
		if p, ok := t.Problem.(*modelProblem); ok && t.Kind == "tabular" && t.Split == "training" {
			out[t.Name] = p
		}
	}
	return out
})

// sources returns the names of the tasks that are resampled, sorted.
func sources() names {
	var out names
	for name := range resampled() {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func (g *resampleRange) check() error {
	if g.Data == nil {
		g.Data = sources()
	}
	for _, name := range g.Data {
		if resampled()[name] == nil {
			return fmt.Errorf("data %q; allowed are the tabular training tasks of the standard suite: %s",
				name, quoted(sources()))
		}
	}
	return nil
}

// build draws features and rows.
func (g *resampleRange) build(t *Task, d draws) error {
	name := d.pick("data", g.Data)
	source := resampled()[name]
	rows := source.rows[rsie.Training]
	width := source.model.Layers[0]
	keep := max(1, min(width, g.Most, int(d.between("features", g.Features)*float64(width)+0.5)))
	columns := d.stream("columns").order(width)[:keep]
	slices.Sort(columns)
	data := &drawn{in: keep}
	m := g.dense(d, keep, source.model.Outputs(), source.model.Loss)
	byPart := dealRows(rows.S, d)
	from, errors := d.stream("rows"), d.stream("errors")
	noise := d.between("noise", g.Noise)
	for i := range allRows(g.rows(d, m)) {
		pool := byPart[partOf(i)]
		row := pool[from.below(len(pool))]
		for _, k := range columns {
			data.inputs = append(data.inputs, rows.Inputs[row*width+k])
		}
		if rows.Classes != nil {
			data.classes = append(data.classes, rows.Classes[row])
		} else {
			data.targets = append(data.targets, rows.Targets[row]+float64(noise*errors.normal()))
		}
	}
	what := fmt.Sprintf("noise %.2g", noise)
	if data.classes != nil {
		flips := d.between("flips", g.Flips)
		flip(data.classes, m.Outputs(), flips, d.stream("flips of rows"))
		what = fmt.Sprintf("%.2g of the classes wrong", flips)
	}
	return t.finish(m, data, fmt.Sprintf("%s resampled: %d of %d features, %s", name, keep, width, what))
}

// dealRows deals rows 0..n-1 in a drawn order to the parts by the rule mod5.
func dealRows(n int, d draws) [4][]int {
	var out [4][]int
	for i, row := range d.stream("parts").order(n) {
		out[partOf(i)] = append(out[partOf(i)], row)
	}
	return out
}
