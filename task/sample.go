package task

import (
	"fmt"
	"math"
	"slices"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// SampleText returns prompt, in the symbols of the model, followed by length symbols. next
// returns the outputs of the network, one per symbol, on the inputs of one row. With temperature
// 0 the likeliest symbol is taken, otherwise it is drawn with probabilities
// softmax(outputs/temperature), at addresses below key.
//
// It returns [rsie.ErrInvalid] when the model was not trained on text, and the errors of next.
func (m *SavedModel) SampleText(next func(inputs []float64) ([]float64, error), prompt string,
	length int, temperature float64, key rsie.Key) (string, error) {
	if m.coding == nil || m.coding.Text == nil {
		return "", fmt.Errorf("%w: the model of task %s was not trained on text; only a sequence "+
			"task of form text gives one that writes", rsie.ErrInvalid, m.task.Name)
	}
	if length < 0 || !(temperature >= 0) {
		return "", fmt.Errorf("%w: length %d with temperature %g; both start at 0", rsie.ErrInvalid,
			length, temperature)
	}
	return m.coding.Text.sample(next, prompt, length, temperature, key)
}

// sample returns prompt, in the symbols of c, followed by length symbols. next returns the
// outputs of the model on inputs [Context·len(Symbols)]. A prompt shorter than the context has
// blanks before it. With temperature 0 the likeliest symbol is taken, otherwise it is drawn with
// probabilities softmax(outputs/temperature); the i-th draw depends on key and i alone. The
// symbol for unknown characters is never written.
func (c *TextCoding) sample(next func(inputs []float64) ([]float64, error), prompt string,
	length int, temperature float64, key rsie.Key) (string, error) {
	classes := c.classes(prompt)
	written := len(classes)
	if blank := slices.Index(c.Symbols, " "); blank >= 0 && written < c.Context {
		classes = append(slices.Repeat([]int32{int32(blank)}, c.Context-written), classes...)
	}
	from := len(classes) - written
	inputs := make([]float64, c.Context*len(c.Symbols))
	weights := make([]float64, len(c.Symbols))
	unseen := slices.Index(c.Symbols, unseenSymbol)
	for i := range length {
		clear(inputs)
		c.oneHot(inputs, classes, len(classes))
		outputs, err := next(inputs)
		if err != nil {
			return "", err
		}
		if len(outputs) != len(weights) || !finite(outputs...) {
			return "", fmt.Errorf("%w: the model gave %d outputs, want %d finite ones", rsie.ErrShape,
				len(outputs), len(weights))
		}
		copy(weights, outputs)
		if unseen >= 0 {
			weights[unseen] = math.Inf(-1)
		}
		u := rsie.Uniform(key.Words(uint32(i), 0, 0, 0, rsie.StreamProblem)[0])
		classes = append(classes, int32(pick(weights, temperature, u)))
	}
	var out strings.Builder
	for _, k := range classes[from:] {
		out.WriteString(c.Symbols[k])
	}
	return out.String(), nil
}

// pick returns the index at which the running sum of softmax(weights/temperature) passes u, or
// the largest weight for temperature 0. weights is overwritten.
func pick(weights []float64, temperature, u float64) int {
	top := argmax(weights)
	if temperature == 0 {
		return top
	}
	highest, sum := weights[top], 0.0
	for k, v := range weights {
		weights[k] = math.Exp((v - highest) / temperature)
		sum += weights[k]
	}
	running := 0.0
	for k, v := range weights {
		if running += v; running > u*sum {
			return k
		}
	}
	return top
}
