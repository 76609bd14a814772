package explain

import (
	"context"
	"encoding/json"
	"errors"
	"math/bits"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
)

// The interval and the p-value of scipy.stats.ttest_1samp([1, 2, 3, 4, 5], 0).
func TestEstimate(t *testing.T) {
	e := estimate([]float64{1, 2, 3, 4, 5})
	require.InDelta(t, 3, e.Mean, 1e-15)
	require.InDelta(t, 1.0367568385224393, e.Interval[0], 1e-9)
	require.InDelta(t, 4.963243161477561, e.Interval[1], 1e-9)
	require.InDelta(t, 0.013235599563682107, e.P, 1e-9)
	require.Equal(t, 5, e.Contexts)

	require.Equal(t, 1.0, estimate([]float64{0, 0, 0}).P, "no difference anywhere")
	require.Equal(t, 0.0, estimate([]float64{0.5, 0.5}).P, "the same difference everywhere")
	require.False(t, estimate(nil).Established())
	require.False(t, estimate([]float64{1}).Established(), "one context proves nothing")
}

// TestShapley compares the formulas with the mean marginal contribution over all orders.
func TestShapley(t *testing.T) {
	const n = 4
	v := make([]float64, 1<<n)
	for set := range v {
		w := rsie.NewKey(5).Words(uint32(set), 0, 0, 0, rsie.StreamResample)
		v[set] = rsie.Uniform(w[0])
	}
	want, orders := make([]float64, n), 0.0
	var walk func(set int)
	var steps []int
	walk = func(set int) {
		if bits.OnesCount(uint(set)) == n {
			orders++
			at := 0
			for _, i := range steps {
				want[i] += v[at|1<<i] - v[at]
				at |= 1 << i
			}
			return
		}
		for i := range n {
			if set>>i&1 == 0 {
				steps = append(steps, i)
				walk(set | 1<<i)
				steps = steps[:len(steps)-1]
			}
		}
	}
	walk(0)
	sum := 0.0
	for i := range n {
		require.InDelta(t, want[i]/orders, shapley(v, n, i), 1e-12, "player %d", i)
		sum += shapley(v, n, i)
	}
	require.InDelta(t, v[len(v)-1]-v[0], sum, 1e-12, "the values divide the whole")

	// A game of second order has its own terms as indices.
	for set := range v {
		v[set] = 0.3*float64(set&1) + 0.5*float64(set>>1&1) + 0.7*float64(set&1)*float64(set>>1&1)
	}
	require.InDelta(t, 0.7, interaction(v, n, 0, 1), 1e-12)
	require.InDelta(t, 0, interaction(v, n, 0, 2), 1e-12)
	require.InDelta(t, 0.3+0.35, shapley(v, n, 0), 1e-12)
}

// studied is the strategy of SPACE.md.
func studied(t *testing.T) rsie.Strategy {
	b, err := os.ReadFile("../../bench/testdata/studied.json")
	require.NoError(t, err)
	var s rsie.Strategy
	require.NoError(t, json.Unmarshal(b, &s))
	return s
}

func TestFactors(t *testing.T) {
	subject, reference := studied(t), rsie.DefaultStrategy()
	all := map[string]Factor{}
	for _, f := range factorsBetween(subject, reference) {
		all[f.Name] = f
	}
	require.Equal(t, "0.4428", all["pull"].Subject)
	require.Equal(t, "0", all["pull"].Reference)
	require.Equal(t, []string{"sigma.schedule", "sigma.end"}, all["sigma.schedule"].Genes)
	require.Equal(t, "schedule=exponential end=0.084", all["sigma.schedule"].Subject)
	require.Contains(t, all, "family")
	require.NotContains(t, all, "population_scale", "1.0017 is rounding")
	require.NotContains(t, all, "parent_fraction", "the same in both")
	require.NotContains(t, all, "crossover_rate", "does not act in the subject")

	got, err := namedFactors([]string{"pull", "step_control+sigma.schedule", "population_scale.*"}, subject, reference)
	require.NoError(t, err)
	require.Equal(t, []string{"step_control", "sigma.schedule", "sigma.end"}, got[1].Genes)
	require.Len(t, got[2].Genes, 6)
	for _, names := range [][]string{{"nothing"}, {"pull", "pull"}, {"crossover_rate"}, {"parent_fraction"}, {"pull+"}} {
		_, err := namedFactors(names, subject, reference)
		require.ErrorIs(t, err, rsie.ErrInvalid, "%v", names)
	}
}

// TestNeighbourhood counts what is moved, and that what does not act in the subject stays.
func TestNeighbourhood(t *testing.T) {
	subject := rsie.StrategySpace.Canonical(studied(t))
	numbers, moved, draws := 0, 0, 400
	for k := range draws {
		s := Neighbourhood.draw(subject, rsie.NewKey(3).Child(uint64(k)))
		require.Equal(t, s, Neighbourhood.draw(subject, rsie.NewKey(3).Child(uint64(k))))
		require.Equal(t, rsie.Distribution, s.Family)
		require.NoError(t, s.Validate())
		for _, g := range rsie.StrategySpace {
			changed := g.Get(&s) != g.Get(&subject)
			switch {
			case !g.IsActive(&subject):
				require.False(t, changed, g.Name)
			case g.Kind == rsie.Real && g.Get(&subject) > g.Min && g.Get(&subject) < g.Max:
				numbers++
				if changed {
					moved++
					require.Less(t, coordinate(g, s)-coordinate(g, subject), 6*moveStep)
				}
			}
		}
	}
	require.InDelta(t, moveChance, float64(moved)/float64(numbers), 0.02)

	differ := 0
	for k := range draws {
		if s := Uniform.draw(subject, rsie.NewKey(4).Child(uint64(k))); s.Pull != subject.Pull {
			differ++
		}
	}
	require.Equal(t, draws, differ)
}

// A gene is changed in strategies alone in which it acts.
func TestOnlyActiveGenes(t *testing.T) {
	subject, reference := studied(t), rsie.DefaultStrategy()
	named, err := namedFactors([]string{"step_gain", "pull"}, subject, reference)
	require.NoError(t, err)
	gain := &contrast{factors: named[:1]}
	require.Len(t, gain.arms(subject, subject, reference), 2)
	without := subject
	without.StepControl = rsie.NoControl
	require.Nil(t, gain.arms(without, subject, reference))
	both := &contrast{factors: named}
	require.Len(t, both.arms(subject, subject, reference), 4)
	require.Nil(t, both.arms(without, subject, reference))
}

// TestSurrogate: a function of second order is recovered and predicted, noise is not.
func TestSurrogate(t *testing.T) {
	const n, factors = 160, 6
	x, y, luck, groups := make([][]float64, n), make([]float64, n), make([]float64, n), make([]int, n)
	for s := range x {
		x[s] = make([]float64, factors)
		for i := range x[s] {
			w := rsie.NewKey(9).Words(uint32(i), uint32(s), 0, 0, rsie.StreamResample)
			x[s][i] = float64(2*int(w[0]&1) - 1)
			luck[s] += rsie.Uniform(w[1]) - 0.5
		}
		y[s] = 0.3*x[s][0] - 0.2*x[s][1] + 0.25*x[s][2]*x[s][3]
		groups[s] = s / 16
	}
	require.Greater(t, heldOut(x, y, groups), 0.95)
	require.Less(t, heldOut(x, luck, groups), 0.1)
	q := fit(x, y, choose(x, y, groups))
	require.InDelta(t, 0.3, q.main[0], 0.02)
	require.InDelta(t, -0.2, q.main[1], 0.02)
	require.InDelta(t, 0, q.main[4], 0.02)
	require.InDelta(t, 0.25, q.pair[2][3], 0.03)
	for _, r := range spreadOf(x, y, penalty{ridge: 0.3}, rsie.NewKey(1))[:2] {
		require.Less(t, r[0], r[1])
	}
}

// counter counts the calls of a meter and fails from one of them on.
type counter struct {
	Meter
	calls, fail int
}

var errStopped = errors.New("stopped")

func (c *counter) Measure(ctx context.Context, all []rsie.Strategy, key rsie.Key, k int) ([][]float64, error) {
	if c.calls++; c.fail > 0 && c.calls >= c.fail {
		return nil, errStopped
	}
	return c.Meter.Measure(ctx, all, key, k)
}

// TestResume: an explanation that was stopped continues to the same bytes and measures nothing
// twice; its parts agree with each other and with what was planted.
func TestResume(t *testing.T) {
	p := newPlanted()
	explain := func(folder string, meter Meter) ([]byte, error) {
		r, err := Explain(t.Context(), Config{Subject: p.subject, Reference: p.reference, Meter: meter, Limit: 1000, Seed: 7,
			Keep: Folder(folder)})
		if err != nil {
			return nil, err
		}
		b, err := Folder(folder).Get(Document)
		require.NoError(t, err)
		stored, err := Stored(Folder(folder))
		require.NoError(t, err)
		require.Equal(t, r.Sentences, stored.Sentences)
		return b, nil
	}
	whole := &counter{Meter: p}
	first, second := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	want, err := explain(first, whole)
	require.NoError(t, err)
	_, err = explain(second, &counter{Meter: p, fail: 1 + whole.calls/2})
	require.ErrorIs(t, err, errStopped)
	rest := &counter{Meter: p}
	got, err := explain(second, rest)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
	require.Equal(t, whole.calls-whole.calls/2, rest.calls, "measured again")
	again := &counter{Meter: p, fail: 1}
	got, err = explain(first, again)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))

	var r Result
	require.NoError(t, json.Unmarshal(want, &r))
	require.LessOrEqual(t, r.Evaluations, r.Limit)
	require.Equal(t, "probes", r.Effects[0].Name, "0.08 alone, and 0.13 with pull and keep_best")
	require.Greater(t, r.Screening.R2, 0.5)
	require.Contains(t, []string{"probes", "pull"}, r.Screening.Shares[0].Factor)
	sum := 0.0
	for _, s := range r.Path.Steps {
		sum += s.Gain.Mean
	}
	require.InDelta(t, r.Path.Total.Mean, sum, 1e-12)
	sum = 0
	for _, v := range r.Shapley.Measured {
		sum += v.Mean
	}
	require.InDelta(t, r.Shapley.Total.Mean, sum, 1e-12)
	require.Len(t, r.Effects[0].Kinds, 2)
}

// A sentence that the figures do not support is left out.
func TestSentences(t *testing.T) {
	solid := func(mean float64) Estimate {
		return Estimate{Mean: mean, Interval: [2]float64{mean - 0.01, mean + 0.01}, P: 0.001, Adjusted: 0.001, Contexts: 20}
	}
	vague := Estimate{Mean: 0.05, Interval: [2]float64{-0.1, 0.2}, P: 0.4, Adjusted: 0.4, Contexts: 20}
	nothing := Estimate{Interval: [2]float64{-0.01, 0.01}, P: 0.9, Adjusted: 0.9, Contexts: 20}
	r := &Result{Precision: 0.01, Subject: Named{Genome: "winner"}, Reference: Named{Genome: "default"},
		Effects: []Effect{
			{Factor: Factor{Name: "pull", Subject: "0.4", Reference: "0"}, Estimate: solid(0.12),
				Kinds: []PartEffect{{"control", solid(0.2)}, {"tabular", nothing}}},
			{Factor: Factor{Name: "decay"}, Estimate: solid(-0.05)},
			{Factor: Factor{Name: "density"}, Estimate: vague},
			{Factor: Factor{Name: "momentum"}, Estimate: solid(0.005)},
			{Factor: Factor{Name: "mirrored"}, Estimate: nothing},
			{Factor: Factor{Name: "parents"}, Unmeasured: true}},
		Pairs: []Pair{{"pull", "decay", solid(-0.03)}, {"pull", "density", vague}}}
	require.Equal(t, []string{
		"pull (0.4 against 0) raises the score by 0.120 [0.110, 0.130], over 20 contexts.",
		"decay lowers the score by 0.050 [0.040, 0.060], over 20 contexts.",
		"pull matters on control +0.200 [+0.190, +0.210], not on tabular +0.000 [-0.010, +0.010].",
		"pull and decay hinder each other: together they bring 0.030 [0.020, 0.040] less than the sum of each alone.",
		"Less than 0.02 either way: momentum, mirrored.",
	}, Sentences(r))
	require.Empty(t, Sentences(&Result{Precision: 0.01, Effects: r.Effects[2:3], Path: Path{Total: vague}}))
}

func TestBadSettings(t *testing.T) {
	p := newPlanted()
	good := Config{Subject: p.subject, Reference: p.reference, Meter: p}
	for name, change := range map[string]func(*Config){
		"meter":        func(c *Config) { c.Meter = nil },
		"limit":        func(c *Config) { c.Limit = 100 },
		"precision":    func(c *Config) { c.Precision = -1 },
		"distribution": func(c *Config) { c.Distribution = "wide" },
		"factor":       func(c *Config) { c.Factors = []string{"nothing"} },
		"same":         func(c *Config) { c.Reference = c.Subject },
	} {
		c := good
		change(&c)
		_, err := Explain(t.Context(), c)
		require.ErrorIs(t, err, rsie.ErrInvalid, name)
	}
	_, err := begin(good)
	require.NoError(t, err)
}

// Evaluations go to the wide intervals, and end when all are narrow: a gene with noise gets more
// contexts than one whose contexts all agree.
func TestAllocation(t *testing.T) {
	p := newPlanted()
	contexts := func(size float64) (map[string]int, *explanation) {
		e, err := begin(Config{Subject: p.subject, Reference: p.reference, Meter: constant{p, size}, Limit: 5000})
		require.NoError(t, err)
		_, err = e.effects(t.Context(), 3000)
		require.NoError(t, err)
		out := map[string]int{}
		for _, v := range e.out.Effects {
			out[v.Name] = v.Contexts
		}
		return out, e
	}
	loud, e := contexts(5)
	require.Equal(t, firstContexts, loud["pull"])
	require.Greater(t, loud["keep_best"], 2*firstContexts)
	require.False(t, e.out.Narrow)
	require.Greater(t, e.journal.spent, int64(2900))

	soft, e := contexts(0.2)
	require.Equal(t, firstContexts, soft["keep_best"], "narrower than the precision")
	require.True(t, e.out.Narrow)
	require.Less(t, e.journal.spent, int64(1000))
}

// constant is a meter without noise, but for strategies that keep the best, whose noise has size,
// and for the luck of a key, the same for all strategies, which pairing takes away.
type constant struct {
	*planted
	size float64
}

func (c constant) Measure(_ context.Context, all []rsie.Strategy, key rsie.Key, _ int) ([][]float64, error) {
	out := make([][]float64, len(all))
	for i, s := range all {
		v := s.Pull + 20*noise(key.Child(1))
		if s.KeepBest {
			v += c.size * noise(key)
		}
		out[i] = []float64{v, v, v, v}
	}
	return out, nil
}
