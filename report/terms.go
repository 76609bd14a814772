package report

import (
	"bytes"
	"strconv"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// readMetrics decodes the terms of a result. A run holds a hundred thousand of them, all written
// alike, so a flat object of numbers is read here; any other text is left to package encoding/json,
// which takes several times as long.
func readMetrics(b []byte, m *rsie.Metrics) error {
	*m = rsie.Metrics{}
	if !flatMetrics(b, m) {
		*m = rsie.Metrics{}
		return decode("result", b, m)
	}
	return nil
}

// flatMetrics reports whether b is an object of the known terms without spaces and escapes, each at
// most once, which it then has read.
func flatMetrics(b []byte, m *rsie.Metrics) bool {
	b, ok := bytes.CutPrefix(b, []byte{'{'})
	if !ok {
		return false
	}
	b, ok = bytes.CutSuffix(b, []byte{'}'})
	for seen := 0; ok && len(b) > 0; {
		var term, number []byte
		if term, b, ok = bytes.Cut(b, []byte{':'}); !ok {
			return false
		}
		number, b, ok = bytes.Cut(b, []byte{','})
		to, bit := termOf(m, string(term))
		if to == nil || seen&bit != 0 || ok && len(b) == 0 {
			return false
		}
		seen |= bit
		v, err := strconv.ParseFloat(string(number), 64)
		if err != nil || !plainNumber(number) {
			return false
		}
		*to, ok = v, true
	}
	return ok
}

// plainNumber reports whether a text that [strconv.ParseFloat] reads is a JSON number too: no
// leading zero, no names, no point without digits around it.
func plainNumber(text []byte) bool {
	digit := func(i int) bool { return i >= 0 && i < len(text) && text[i] >= '0' && text[i] <= '9' }
	for i, c := range text {
		switch {
		case digit(i) || c == 'e' || c == '+' && i > 0 || c == '-':
		case c == '.' && digit(i-1) && digit(i+1):
		default:
			return false
		}
	}
	text = bytes.TrimPrefix(text, []byte{'-'})
	return digit(0) && (text[0] != '0' || !digit(1))
}

// termOf returns the place of a quoted term and a bit of its own, nil for one that is not known.
func termOf(m *rsie.Metrics, name string) (*float64, int) {
	switch name {
	case `"convergence_speed"`:
		return &m.ConvergenceSpeed, 1
	case `"final_fitness"`:
		return &m.FinalFitness, 2
	case `"sample_efficiency"`:
		return &m.SampleEfficiency, 4
	case `"diversity"`:
		return &m.Diversity, 8
	case `"robustness"`:
		return &m.Robustness, 16
	case `"computational_efficiency"`:
		return &m.ComputationalEfficiency, 32
	}
	return nil, 0
}
