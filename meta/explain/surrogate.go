package explain

import (
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/meta/stats"
)

// quadratic is a function of places x_i = ±1, one per factor, the subject's value being +1:
//
//	f = Σ main_i x_i + Σ_{i<j} pair_ij x_i x_j
//
// Its terms are orthonormal when places are fair coins, so squares of coefficients are parts of
// the variance; in the game of factors at +1 or -1 the Shapley values are 2 main_i and the
// interaction indices 4 pair_ij.
type quadratic struct {
	main []float64
	pair [][]float64 // symmetric, diagonal 0
}

// penalty is how strongly a fit is held back: ridge on all coefficients, pairs counting share
// times a main term.
type penalty struct{ ridge, share float64 }

// penalties are those that a fit chooses among.
func penalties(factors int) []penalty {
	var out []penalty
	for _, ridge := range []float64{0.3, 3, 30, 300} {
		for _, share := range []float64{0, 0.3 / float64(factors), 1.5 / float64(factors)} {
			out = append(out, penalty{ridge, share})
		}
	}
	return out
}

// fit returns the ridge solution, by its dual:
//
//	(K + ridge I) a = y    K_st = x_s·x_t + share ((x_s·x_t)² - factors)/2
func fit(x [][]float64, y []float64, p penalty) quadratic {
	n, factors := len(x), len(x[0])
	k := make([][]float64, n)
	for s := range k {
		k[s] = make([]float64, n)
		for t := range s + 1 {
			dot := 0.0
			for i := range factors {
				dot += x[s][i] * x[t][i]
			}
			k[s][t] = dot + p.share*(dot*dot-float64(factors))/2
		}
		k[s][s] += p.ridge
	}
	a := solve(k, y)
	q := quadratic{main: make([]float64, factors), pair: make([][]float64, factors)}
	for i := range factors {
		q.pair[i] = make([]float64, factors)
		for s := range n {
			q.main[i] += a[s] * x[s][i]
		}
		for j := range i {
			for s := range n {
				q.pair[i][j] += p.share * a[s] * x[s][i] * x[s][j]
			}
			q.pair[j][i] = q.pair[i][j]
		}
	}
	return q
}

// at returns the value at a place.
func (q quadratic) at(x []float64) float64 {
	v := 0.0
	for i, m := range q.main {
		v += m * x[i]
		for j := range i {
			v += q.pair[i][j] * x[i] * x[j]
		}
	}
	return v
}

// solve returns the solution of k a = y by Cholesky's decomposition; k is positive definite, its
// lower triangle is overwritten.
func solve(k [][]float64, y []float64) []float64 {
	n := len(y)
	for i := range n {
		for j := range i + 1 {
			v := k[i][j]
			for l := range j {
				v -= k[i][l] * k[j][l]
			}
			if i == j {
				k[i][i] = math.Sqrt(math.Max(v, 1e-12))
			} else {
				k[i][j] = v / k[j][j]
			}
		}
	}
	a := make([]float64, n)
	for i := range n {
		v := y[i]
		for l := range i {
			v -= k[i][l] * a[l]
		}
		a[i] = v / k[i][i]
	}
	for i := n - 1; i >= 0; i-- {
		v := a[i]
		for l := i + 1; l < n; l++ {
			v -= k[l][i] * a[l]
		}
		a[i] = v / k[i][i]
	}
	return a
}

// folds of the cross-validation.
const folds = 5

// split returns the samples outside and inside a fold; a group of equal number stays together.
func split(groups []int, fold int) (train, test []int) {
	for s, g := range groups {
		if g%folds == fold {
			test = append(test, s)
		} else {
			train = append(train, s)
		}
	}
	return train, test
}

func take[T any](x []T, places []int) []T {
	out := make([]T, len(places))
	for i, p := range places {
		out[i] = x[p]
	}
	return out
}

// choose returns the penalty with the least squared error on folds held out.
func choose(x [][]float64, y []float64, groups []int) penalty {
	best, least := penalty{}, math.Inf(1)
	for _, p := range penalties(len(x[0])) {
		if e := errorOf(x, y, groups, p); e < least {
			best, least = p, e
		}
	}
	return best
}

// errorOf returns the squared error of a penalty over all folds.
func errorOf(x [][]float64, y []float64, groups []int, p penalty) float64 {
	sum := 0.0
	for fold := range folds {
		train, test := split(groups, fold)
		if len(train) == 0 {
			continue
		}
		q := fit(take(x, train), take(y, train), p)
		for _, s := range test {
			e := y[s] - q.at(x[s])
			sum += e * e
		}
	}
	return sum
}

// heldOut returns R² on samples that took no part in the fit nor in the choice of its penalty.
func heldOut(x [][]float64, y []float64, groups []int) float64 {
	wrong, all := 0.0, 0.0
	mean := stats.Mean(y)
	for fold := range folds {
		train, test := split(groups, fold)
		if len(train) == 0 {
			continue
		}
		inner := make([]int, len(train))
		for i, s := range train {
			inner[i] = groups[s] / folds // other folds than the outer ones
		}
		xs, ys := take(x, train), take(y, train)
		q := fit(xs, ys, choose(xs, ys, inner))
		for _, s := range test {
			e := y[s] - q.at(x[s])
			wrong += e * e
			all += (y[s] - mean) * (y[s] - mean)
		}
	}
	if all == 0 {
		return 0
	}
	return 1 - wrong/all
}

// refits is the number of fits to resampled samples behind an interval.
const refits = 50

// spreadOf returns, per factor, the 2.5 and 97.5 % quantiles of the main coefficient over refits.
func spreadOf(x [][]float64, y []float64, p penalty, key rsie.Key) [][2]float64 {
	draw := meta.IndexSource(key)
	values := make([][]float64, len(x[0]))
	places := make([]int, len(x))
	for range refits {
		for i := range places {
			places[i] = draw(len(x))
		}
		q := fit(take(x, places), take(y, places), p)
		for i, m := range q.main {
			values[i] = append(values[i], m)
		}
	}
	out := make([][2]float64, len(values))
	for i, v := range values {
		out[i] = [2]float64{stats.Quantile(v, Level/2), stats.Quantile(v, 1-Level/2)}
	}
	return out
}
