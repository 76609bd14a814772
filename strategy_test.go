package rsie

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

const published = `{"genome_id":"x1","selection_strategy":"rank","mutation_strategy":"svd",
"crossover_strategy":"weighted_merge","population_size":30,"elitism_ratio":0.3,"mutation_rate":0.05,
"mutation_strength":0.2,"tournament_size":3,"diversity_threshold":0.2,"adaptive_mutation":true,
"fitness_sharing":true,"niche_capacity":7,"diversity_bonus":0.4,"fitness_score":0.5,
"task_performances":{"iris":0.9}`

func TestPublishedFieldsAlone(t *testing.T) {
	var s Strategy
	require.NoError(t, json.Unmarshal([]byte(published+"}"), &s))
	require.Equal(t, RankLinear, s.Selection)
	require.Equal(t, SVD, s.Mutation)
	require.Equal(t, 30, s.PopulationSize)
	require.Equal(t, 0.5, *s.FitnessScore)
	require.Equal(t, Population, s.Family, "a field that is not published takes its default")
	b, err := json.Marshal(s)
	require.NoError(t, err)
	var again Strategy
	require.NoError(t, json.Unmarshal(b, &again))
	require.Equal(t, s, again)
}

func TestBadStrategies(t *testing.T) {
	for _, c := range []struct{ text, says string }{
		{published + `,"population_size":30}`, "population_size"},
		{published + `,"popsize":3}`, "popsize"},
		{`{"population_size":0}`, "allowed is 2 to 1.048576e+06"},
		{`{"population_size":1099511627776}`, "population_size"},
		{`{"population_size":2.5}`, "population_size"},
		{`{"mutation_rate":1.5}`, "mutation_rate is 1.5, allowed is 0 to 1"},
		{`{"mutation_rate":"high"}`, "mutation_rate"},
		{`{"selection_strategy":"best"}`, "tournament roulette rank elitism"},
		{`{"family":""}`, "population distribution random"},
		{`{"version":2}`, "newer"},
		{`{"format":"other"}`, "rsie-strategy"},
		{`[1]`, "strategy"},
		{`{"task_performances":{"a":1,"a":2}}`, `"a" stands twice`},
	} {
		var s Strategy
		err := json.Unmarshal([]byte(c.text), &s)
		require.ErrorIs(t, err, ErrInvalid, c.text)
		require.ErrorContains(t, err, c.says)
	}
}

// The run table is shared with C and CUDA: its size and offsets are part of the contract.
func TestRunLayout(t *testing.T) {
	typ := reflect.TypeFor[Run]()
	require.EqualValues(t, 368, typ.Size())
	end := uintptr(0)
	for i := range typ.NumField() {
		f := typ.Field(i)
		require.Equal(t, end, f.Offset, "hole before %s", f.Name)
		end = f.Offset + f.Type.Size()
	}
}

func TestQuality(t *testing.T) {
	a := Anchors{F0: 10, F1: 2}
	require.Equal(t, 0.0, a.Quality(11))
	require.Equal(t, 0.25, a.Quality(8))
	require.Equal(t, 1.0, a.Quality(-5))
	require.Equal(t, 0.0, a.Quality(Worst))
	require.Equal(t, 8.0, a.Target(0.25))
	// With a floor q is linear in the digits of the precision.
	a = Anchors{F0: 103, F1: 3, Floor: 1e-8}
	for f, want := range map[float64]float64{103: 0, 1e9: 0, 13: 0.1, 4: 0.2, 3 + 1e-3: 0.5, 3 + 1e-8: 1, 3: 1, -1: 1} {
		require.InDelta(t, want, a.Quality(f), 1e-8, "f = %g", f)
	}
	require.Equal(t, 0.0, a.Quality(math.NaN()))
	require.InDelta(t, 3+1e-3, a.Target(0.5), 1e-15)
}

func TestMetaFitnessWeights(t *testing.T) {
	m := Metrics{1, 0.5, 0.25, 0, 0, 0}
	require.InDelta(t, 0.3+0.2+0.05, m.MetaFitness(DefaultObjectives()), 1e-15)
	require.InDelta(t, 0.5, m.MetaFitness(Objectives{FinalFitness: 7}), 1e-15)
	require.ErrorIs(t, Objectives{}.Check(), ErrInvalid)
	require.ErrorIs(t, Objectives{FinalFitness: -1, Diversity: 2}.Check(), ErrInvalid)
}
