package task

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// classMetrics returns, of outputs [S, classes] on rows with classes:
//
//	cross_entropy      mean of logsumexp(out) - out[class], in nats; minimised
//	accuracy           share of rows whose largest output (the first among equals) is the class
//	balanced_accuracy  mean over the classes present of the share of their rows that are right
func classMetrics(outputs []float64, rows *rsie.Rows) []Metric {
	width := len(outputs) / rows.S
	right, of := make([]float64, width), make([]float64, width)
	for s, class := range rows.Classes {
		of[class]++
		if argmax(outputs[s*width:][:width]) == int(class) {
			right[class]++
		}
	}
	hits, recall, present := 0.0, 0.0, 0.0
	for k, n := range of {
		if n > 0 {
			hits += right[k]
			recall += right[k] / n
			present++
		}
	}
	return []Metric{
		{Name: "cross_entropy", Value: crossEntropy(outputs, rows)},
		{Name: "accuracy", Value: hits / float64(rows.S), Maximise: true},
		{Name: "balanced_accuracy", Value: recall / present, Maximise: true},
	}
}

// symbolMetrics returns the metrics of a next-symbol model: cross_entropy in nats and
// bits_per_character = cross_entropy / ln 2, both minimised, and accuracy.
func symbolMetrics(outputs []float64, rows *rsie.Rows) []Metric {
	m := classMetrics(outputs, rows)
	return []Metric{m[0], {Name: "bits_per_character", Value: m[0].Value / math.Ln2}, m[1]}
}

// numberMetrics returns a function of outputs [S, width] on rows with targets:
//
//	mse   mean over rows and outputs of (out - target)², in standardised units; minimised
//	rmse  its root times std, in original units; only with one output; minimised
//	r2    1 - Σ(out - target)² / Σ(target - mean of its column)²; 1 or 0 when the targets of
//	      these rows are constant and met or not
func numberMetrics(std float64) func(outputs []float64, rows *rsie.Rows) []Metric {
	return func(outputs []float64, rows *rsie.Rows) []Metric {
		width := len(outputs) / rows.S
		residual, total := 0.0, 0.0
		for k := range width {
			mean := 0.0
			for s := range rows.S {
				mean += rows.Targets[s*width+k]
			}
			mean /= float64(rows.S)
			for s := range rows.S {
				i := s*width + k
				residual += (outputs[i] - rows.Targets[i]) * (outputs[i] - rows.Targets[i])
				total += (rows.Targets[i] - mean) * (rows.Targets[i] - mean)
			}
		}
		mse := bounded(residual / float64(len(outputs)))
		out := []Metric{{Name: "mse", Value: mse}}
		if width == 1 {
			out = append(out, Metric{Name: "rmse", Value: math.Sqrt(mse) * std})
		}
		r2 := 1 - bounded(residual)/total
		if total == 0 {
			r2 = 0
			if residual == 0 {
				r2 = 1
			}
		}
		return append(out, Metric{Name: "r2", Value: r2, Maximise: true})
	}
}

// returnMetrics returns the mean return of episodes, maximised.
func returnMetrics(outputs []float64, _ *rsie.Rows) []Metric {
	sum := 0.0
	for _, v := range outputs {
		sum += v
	}
	return []Metric{{Name: "return", Value: sum / float64(len(outputs)), Maximise: true}}
}

// crossEntropy returns the mean over rows of logsumexp(out) - out[class], or [rsie.Worst] when
// that is not finite.
func crossEntropy(outputs []float64, rows *rsie.Rows) float64 {
	width := len(outputs) / rows.S
	sum := 0.0
	for s, class := range rows.Classes {
		out := outputs[s*width:][:width]
		sum += logSumExp(out) - out[class]
	}
	return bounded(sum / float64(rows.S))
}

// logSumExp returns ln Σ exp(x), with the largest value taken out so that nothing overflows.
func logSumExp(x []float64) float64 {
	top := x[argmax(x)]
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}

// softmax writes the probabilities of outputs x to dst, of the same length.
func softmax(dst, x []float64) {
	total := logSumExp(x)
	for k, v := range x {
		dst[k] = math.Exp(v - total)
	}
}

// argmax returns the lowest index among the largest values.
func argmax(x []float64) int {
	at := 0
	for i, v := range x {
		if v > x[at] {
			at = i
		}
	}
	return at
}

// bounded returns v, or [rsie.Worst] when v is not finite, so that every metric has a place in
// JSON.
func bounded(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return rsie.Worst
	}
	return v
}
