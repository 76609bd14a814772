package stats

import (
	"fmt"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Holm returns p-values adjusted for the family-wise error rate, in the order of p:
//
//	adjusted(i) = min(1, max over j <= i of (m-j+1)·p(j))    p(1) <= ... <= p(m)
//
// Source: S. Holm 1979.
func Holm(p []float64) ([]float64, error) {
	order, err := ascending(p)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(p))
	last := 0.0
	for place, i := range order {
		last = min(1, max(last, float64(len(p)-place)*p[i]))
		out[i] = last
	}
	return out, nil
}

// BenjaminiHochberg returns p-values adjusted for the false discovery rate, in the order of p:
//
//	adjusted(i) = min(1, min over j >= i of m·p(j)/j)    p(1) <= ... <= p(m)
//
// Source: Y. Benjamini and Y. Hochberg 1995.
func BenjaminiHochberg(p []float64) ([]float64, error) {
	order, err := ascending(p)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(p))
	last := 1.0
	for place := len(order) - 1; place >= 0; place-- {
		i := order[place]
		last = min(last, float64(len(p))*p[i]/float64(place+1))
		out[i] = last
	}
	return out, nil
}

// ascending returns the indices of p in ascending order.
func ascending(p []float64) ([]int, error) {
	if err := checkSample("list of p-values", p, 1); err != nil {
		return nil, err
	}
	order := make([]int, len(p))
	for i, v := range p {
		if v < 0 || v > 1 {
			return nil, fmt.Errorf("%w: p-value %d is %v, want 0 to 1", rsie.ErrInvalid, i, v)
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	return order, nil
}
