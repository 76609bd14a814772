package explain

import (
	"context"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// The measured game.
const (
	mostPlayers = 6
	fewestKeys  = 12
	mostKeys    = 64
)

// game measures every subset of the leading factors on as many keys as the limit allows and
// fills the Shapley values: subset S has the subject's values in S, the reference's in the other
// players, the subject's in all that do not play.
func (e *explanation) game(ctx context.Context, leaders []Factor, limit int64) error {
	players := e.players(leaders, limit)
	n := len(players)
	if n < 2 {
		return nil
	}
	subsets := make([]rsie.Strategy, 1<<n)
	for set := range subsets {
		subsets[set] = e.subject
		for i, f := range players {
			if set>>i&1 == 0 {
				f.set(&subsets[set], e.reference)
			}
		}
		if !e.journal.meter.Affords(subsets[set]) {
			return nil
		}
	}
	values, interactions := make([][]float64, n), make([][]float64, n*n)
	var total []float64
	for k := range mostKeys {
		if e.journal.spent+e.journal.cost(subsets) > limit {
			break
		}
		scores, err := e.journal.measure(ctx, subsets, e.key.Child(keyGame).Child(uint64(k)), k)
		if err != nil {
			return err
		}
		v := make([]float64, len(scores))
		for set, s := range scores {
			v[set] = average(s)
		}
		total = append(total, v[len(v)-1]-v[0])
		for i := range n {
			values[i] = append(values[i], shapley(v, n, i))
			for j := range i {
				interactions[i*n+j] = append(interactions[i*n+j], interaction(v, n, i, j))
			}
		}
	}
	return e.fillGame(players, values, interactions, total)
}

// players returns as many leaders as can be played on the fewest keys.
func (e *explanation) players(leaders []Factor, limit int64) []Factor {
	n := min(len(leaders), mostPlayers)
	for n >= 2 && e.journal.spent+int64(fewestKeys)<<n*e.journal.meter.Cost() > limit {
		n--
	}
	return leaders[:max(n, 0)]
}

func (e *explanation) fillGame(players []Factor, values, interactions [][]float64, total []float64) error {
	if len(total) == 0 {
		return nil
	}
	s := &e.out.Shapley
	s.Keys, s.Total = len(total), estimate(total)
	s.Total.Adjusted = s.Total.P
	var single, double []*Estimate
	n := len(players)
	for i, f := range players {
		s.Measured = append(s.Measured, ShapleyValue{f.Name, estimate(values[i])})
		for j := range i {
			s.Pairs = append(s.Pairs, ShapleyInteraction{players[j].Name, f.Name, estimate(interactions[i*n+j])})
		}
	}
	for i := range s.Measured {
		single = append(single, &s.Measured[i].Estimate)
	}
	for i := range s.Pairs {
		double = append(double, &s.Pairs[i].Estimate)
	}
	if err := adjust(single); err != nil {
		return err
	}
	return adjust(double)
}

// shapley returns the value of player i in the game v over subsets of n players as bits:
//
//	φ_i = Σ_{S without i} |S|! (n-|S|-1)!/n! · (v(S+i) - v(S))
func shapley(v []float64, n, i int) float64 {
	sum := 0.0
	for set := range v {
		if set>>i&1 == 0 {
			sum += share(size(set), n-1) * (v[set|1<<i] - v[set])
		}
	}
	return sum / float64(n)
}

// interaction returns the Shapley interaction index of players i and j:
//
//	I_ij = Σ_{S without i, j} |S|! (n-|S|-2)!/(n-1)! · (v(S+i+j) - v(S+i) - v(S+j) + v(S))
func interaction(v []float64, n, i, j int) float64 {
	sum, a, b := 0.0, 1<<i, 1<<j
	for set := range v {
		if set&(a|b) == 0 {
			sum += share(size(set), n-2) * (v[set|a|b] - v[set|a] - v[set|b] + v[set])
		}
	}
	return sum / float64(n-1)
}

// share returns k! (n-k)!/n!, one over the number of subsets of size k.
func share(k, n int) float64 {
	out := 1.0
	for i := 1; i <= k; i++ {
		out *= float64(i) / float64(n-k+i)
	}
	return out
}

func size(set int) int {
	n := 0
	for ; set > 0; set &= set - 1 {
		n++
	}
	return n
}
