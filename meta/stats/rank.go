package stats

import "sort"

// Ranks returns the mid-ranks of x, 1 for the smallest: equal values share the mean of the
// places they take. NaN ranks above everything, each NaN alone.
func Ranks(x []float64) []float64 {
	ranks, _ := midRanks(len(x), func(i, j int) bool { return less(x[i], x[j]) },
		func(i, j int) bool { return x[i] == x[j] })
	return ranks
}

func less(a, b float64) bool { return a < b || (b != b && a == a) }

// midRanks ranks n items and returns the sizes of the groups of ties, those of size 1 included.
// Neighbours in the order for which same holds are tied.
func midRanks(n int, less, same func(i, j int) bool) (ranks []float64, groups []int) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return less(order[a], order[b]) })
	ranks = make([]float64, n)
	for start := 0; start < n; {
		end := start + 1
		for end < n && same(order[end-1], order[end]) {
			end++
		}
		for _, i := range order[start:end] {
			ranks[i] = float64(start+1+end) / 2
		}
		groups = append(groups, end-start)
		start = end
	}
	return ranks, groups
}

// tieTerm returns the sum of t^3 - t over the groups of ties.
func tieTerm(groups []int) float64 {
	sum := 0.0
	for _, g := range groups {
		t := float64(g)
		sum += t * (t*t - 1)
	}
	return sum
}
