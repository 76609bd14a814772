package meta

import (
	"fmt"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Save returns the whole state of the batch as one value: per run its counters, curve and
// history, then the backend's buffers. A batch of the same specs continues from it bit for bit.
func (b *Batch) Save() ([]float64, error) {
	var out []float64
	for r := range b.runs {
		e := &b.runs[r]
		out = append(out, e.numbers()...)
		out = append(out, float64(len(e.curve.Points)), float64(len(e.starts.best)))
		for _, p := range e.curve.Points {
			out = append(out, float64(p.Evaluations), p.Fitness)
		}
		out = append(append(out, e.starts.best...), e.starts.middle...)
	}
	buffers, err := b.state.Save(b.backend)
	return append(out, buffers...), err
}

// Restore loads what [Batch.Save] returned, or returns [rsie.ErrShape].
func (b *Batch) Restore(saved []float64) error {
	for r := range b.runs {
		rest, err := b.runs[r].restore(saved)
		if err != nil {
			return err
		}
		saved = rest
	}
	b.starts = nil
	return b.state.Restore(b.backend, saved)
}

// restore takes a run's part off saved and returns the rest.
func (e *runEntry) restore(saved []float64) ([]float64, error) {
	short := fmt.Errorf("%w: saved batch ends early", rsie.ErrShape)
	fixed := len(e.numbers())
	if len(saved) < fixed+2 {
		return nil, short
	}
	e.setNumbers(saved)
	points, history := saved[fixed], saved[fixed+1]
	saved = saved[fixed+2:]
	if !(points >= 0 && history >= 0 && 2*(points+history) <= float64(len(saved))) {
		return nil, short
	}
	e.curve.Points = e.curve.Points[:0]
	for range int(points) {
		e.curve.Points = append(e.curve.Points, Point{int(saved[0]), saved[1]})
		saved = saved[2:]
	}
	n := int(history)
	e.starts.best = append(e.starts.best[:0], saved[:n]...)
	e.starts.middle = append(e.starts.middle[:0], saved[n:2*n]...)
	return saved[2*n:], nil
}
