package explain

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
	"gonum.org/v1/gonum/stat/distuv"
)

// planted is a level-2 problem whose effects are known. With u_i the place of gene i between the
// reference (0) and the subject (1), the score on task t is
//
//	0.5 + Σ main_i (1 + tilt_t) u_i + Σ pair_ij u_i u_j + luck(key, t) + noise(strategy, key, t)
//
// and noise is normal with deviation 0.04, in one case of ten 0.1 lower: a run that fails.
type planted struct {
	subject, reference rsie.Strategy
	main               map[string]float64
	pair               map[[2]string]float64
}

// tilts make effects differ by task; their mean is 0.
var tilts = []float64{-1, -0.5, 0.5, 1}

const (
	noiseDeviation = 0.04
	failureChance  = 0.1
	failureLoss    = 0.1
)

// newPlanted returns the problem of the suite: 20 genes, of which 8 have a main effect of 0.03 to
// 0.12, six pairs of those an interaction of 0.04 to 0.08, and 12 have no effect at all.
func newPlanted() *planted {
	p := &planted{reference: rsie.DefaultStrategy(),
		main: map[string]float64{"pull": 0.12, "probes": 0.08, "momentum": 0.06, "start_draws": 0.05, "keep_best": -0.06,
			"weight_decay": -0.05, "output_step": 0.04, "last_phase": 0.03},
		pair: map[[2]string]float64{{"pull", "probes"}: 0.08, {"pull", "momentum"}: -0.06, {"probes", "keep_best"}: 0.05,
			{"momentum", "start_draws"}: 0.06, {"start_draws", "weight_decay"}: -0.05, {"keep_best", "weight_decay"}: 0.04}}
	p.reference.Family, p.reference.GenomeID = rsie.Distribution, "reference"
	s := p.reference
	s.GenomeID = "subject"
	s.Pull, s.Probes, s.Momentum, s.StartDraws, s.KeepBest = 0.5, 2, 0.4, 9, true
	s.WeightDecay, s.OutputStep, s.LastPhase = 0.0005, 0.4, 0.2
	s.PopulationSize, s.Mirrored, s.Density = 18, false, 0.5
	s.StartHidden, s.StartOutput, s.StartShare, s.LayerExponent = 3, 0.5, 0.6, 0.4
	s.Sigma, s.LearningRate, s.SecondMoment = rsie.Fixed(0.4), rsie.Fixed(3), 0.02
	s.Sampling, s.Restart = rsie.Orthogonal, rsie.FromBest
	p.subject = s
	return p
}

func (p *planted) Tasks() []Task {
	return []Task{{"a", "tabular"}, {"b", "tabular"}, {"c", "control"}, {"d", "control"}}
}
func (p *planted) Cost() int64                { return 1 }
func (p *planted) Affords(rsie.Strategy) bool { return true }
func (p *planted) Identity() string           { return fmt.Sprint("planted ", p.main, p.pair) }

// place returns u of a gene.
func (p *planted) place(name string, s rsie.Strategy) float64 {
	g := plantedSpace[name]
	if g.Kind == rsie.Category || g.Kind == rsie.Flag {
		if g.Get(&s) == g.Get(&p.subject) {
			return 1
		}
		return 0
	}
	zero := g.Get(&p.reference)
	return (g.Get(&s) - zero) / (g.Get(&p.subject) - zero)
}

func (p *planted) Measure(_ context.Context, all []rsie.Strategy, key rsie.Key, _ int) ([][]float64, error) {
	out := make([][]float64, len(all))
	for i, s := range all {
		u := map[string]float64{}
		for _, name := range plantedGenes {
			u[name] = p.place(name, s)
		}
		h := fnv.New64a()
		h.Write([]byte(signatureOf(s)))
		for t, tilt := range tilts {
			v := 0.5
			for _, name := range plantedGenes { // a fixed order, so that sums repeat
				v += p.main[name] * (1 + tilt) * u[name]
				for _, other := range plantedGenes {
					v += p.pair[[2]string{name, other}] * u[name] * u[other]
				}
			}
			v += noise(key.Child(uint64(t)))/2 + noise(key.Child(uint64(t)).Child(h.Sum64()))
			out[i] = append(out[i], v)
		}
	}
	return out, nil
}

var plantedGenes = []string{"pull", "probes", "momentum", "start_draws", "keep_best", "weight_decay", "output_step",
	"last_phase"}

// plantedSpace holds their genes by name.
var plantedSpace = func() map[string]rsie.Gene {
	out := map[string]rsie.Gene{}
	for _, name := range plantedGenes {
		out[name] = genesNamed(name)[0]
	}
	return out
}()

// noise has mean 0.
func noise(key rsie.Key) float64 {
	w := key.Words(0, 0, 0, 0, rsie.StreamProblem)
	v := noiseDeviation*distuv.UnitNormal.Quantile(rsie.Uniform(w[0])) + failureChance*failureLoss
	if rsie.Uniform(w[1]) < failureChance {
		v -= failureLoss
	}
	return v
}

// places returns the mean place of each gene in the strategies of a distribution.
func (p *planted) places(d Distribution, draws int) map[string]float64 {
	out := map[string]float64{}
	for k := range draws {
		s := rsie.StrategySpace.Canonical(d.draw(p.subject, rsie.NewKey(999).Child(uint64(k))))
		for _, name := range plantedGenes {
			out[name] += p.place(name, s) / float64(draws)
		}
	}
	return out
}

// effect returns the true effect of a gene on a task, given the mean places: genes are drawn
// independently, so it is the main term and every pair at the mean place of the other.
func (p *planted) effect(name string, places map[string]float64, t int) float64 {
	sum := p.main[name] * (1 + tilts[t])
	for _, other := range plantedGenes {
		sum += (p.pair[[2]string{name, other}] + p.pair[[2]string{other, name}]) * places[other]
	}
	return sum
}

// tally counts what intervals and tests did over replicates.
type tally struct {
	name                    string
	smallest                float64 // size from which an effect counts for the power
	intervals, covered      int
	planted, found          int
	discoveries, replicates float64 // discoveries: summed share of false ones
	falses, all             int     // of the replicate at hand
}

// note takes one estimate and its truth; values below rounding are zero.
func (c *tally) note(e Estimate, truth float64) {
	c.intervals++
	if e.Interval[0] <= truth && truth <= e.Interval[1] {
		c.covered++
	}
	zero := math.Abs(truth) < 1e-9
	if math.Abs(truth) >= c.smallest-1e-9 {
		c.planted++
		if e.Established() {
			c.found++
		}
	}
	if e.Established() {
		c.all++
		if zero {
			c.falses++
		}
	}
}

// end closes a replicate.
func (c *tally) end() {
	c.replicates++
	c.discoveries += float64(c.falses) / float64(max(1, c.all))
	c.falses, c.all = 0, 0
}

func (c *tally) coverage() float64 { return float64(c.covered) / float64(c.intervals) }
func (c *tally) power() float64    { return float64(c.found) / float64(max(1, c.planted)) }
func (c *tally) rate() float64     { return c.discoveries / c.replicates }

// plantedLimit is the number of strategies that an explanation of the suite may measure.
const plantedLimit = 6000

// measurePlanted explains the problem under many seeds and counts.
func measurePlanted(t *testing.T, d Distribution, replicates, draws int) []*tally {
	p := newPlanted()
	places := p.places(d, draws)
	effects, pairs := &tally{name: "effects", smallest: 0.03}, &tally{name: "pairs", smallest: 0.03}
	tasks := &tally{name: "effects by task", smallest: 0.06} // one task has twice the noise of four
	values := &tally{name: "Shapley values", smallest: 0.03}
	for seed := range replicates {
		e, err := begin(Config{Subject: p.subject, Reference: p.reference, Meter: p, Distribution: d, Limit: plantedLimit,
			Seed: uint64(seed)})
		require.NoError(t, err)
		require.Len(t, e.factors, 20)
		leaders, err := e.effects(t.Context(), plantedLimit/2)
		require.NoError(t, err)
		require.NoError(t, e.pairs(t.Context(), leaders, plantedLimit*3/4))
		require.NoError(t, e.game(t.Context(), leaders, plantedLimit))
		for _, v := range e.out.Effects {
			whole := 0.0
			for k, part := range v.Tasks {
				want := p.effect(v.Name, places, k)
				tasks.note(part.Estimate, want)
				whole += want / float64(len(tilts))
			}
			effects.note(v.Estimate, whole)
		}
		for _, v := range e.out.Pairs {
			pairs.note(v.Estimate, p.pair[[2]string{v.A, v.B}]+p.pair[[2]string{v.B, v.A}])
		}
		for _, v := range e.out.Shapley.Measured {
			values.note(v.Estimate, p.shapley(e.out.Shapley.Measured, v.Factor))
		}
		for _, c := range []*tally{effects, tasks, pairs, values} {
			c.end()
		}
	}
	return []*tally{effects, tasks, pairs, values}
}

// shapley returns the true value in the game of the players: of a function of second order it is
// the main term, all pairs with factors that do not play, and half of those with players.
func (p *planted) shapley(players []ShapleyValue, name string) float64 {
	plays := map[string]bool{}
	for _, v := range players {
		plays[v.Factor] = true
	}
	sum := p.main[name]
	for pair, v := range p.pair {
		other := pair[0] + pair[1]
		if !strings.HasPrefix(other, name) && !strings.HasSuffix(other, name) {
			continue
		}
		if other = pair[0]; other == name {
			other = pair[1]
		}
		if plays[other] {
			v /= 2
		}
		sum += v
	}
	return sum
}

// TestPlantedEffects proves the method on known effects. RSIE_PLANTED=full runs 300 replicates,
// demands coverage of 93 to 97 %, power of 95 % and a false discovery rate of 5 % of every row,
// and writes bench/results/planted_effects.md. The reduced form demands the coverage of all
// rows together and allows a false discovery rate of 10 %.
func TestPlantedEffects(t *testing.T) {
	replicates, draws, slack := 8, 20_000, 0.05
	full := os.Getenv("RSIE_PLANTED") == "full"
	if full {
		replicates, draws, slack = 300, 200_000, 0
	}
	var table strings.Builder
	covered, intervals := 0, 0
	for _, d := range []Distribution{Neighbourhood, Uniform} {
		for _, c := range measurePlanted(t, d, replicates, draws) {
			t.Logf("%s %s: %d intervals, coverage %.4f, power %.4f of %d, false discovery rate %.4f",
				d, c.name, c.intervals, c.coverage(), c.power(), c.planted, c.rate())
			covered, intervals = covered+c.covered, intervals+c.intervals
			if full {
				assert.InDelta(t, 0.95, c.coverage(), 0.02, "%s %s", d, c.name)
			}
			assert.LessOrEqual(t, c.rate(), 0.05+slack, "%s %s", d, c.name)
			assert.GreaterOrEqual(t, c.power(), 0.95, "%s %s", d, c.name)
			fmt.Fprintf(&table, "| %s | %s | %d | %.2f %% | %.2f | %d | %.2f %% | %.2f %% |\n", d, c.name, c.intervals,
				100*c.coverage(), c.smallest, c.planted, 100*c.power(), 100*c.rate())
		}
	}
	assert.InDelta(t, 0.95, float64(covered)/float64(intervals), 0.02)
	if full && !t.Failed() {
		require.NoError(t, os.WriteFile("../../bench/results/planted_effects.md",
			[]byte(fmt.Sprintf(plantedPage, replicates)+table.String()), 0o644))
	}
}

// plantedPage is the head of the table.
const plantedPage = `# Planted effects

Does the attribution of ` + "`rsie explain`" + ` find what is there, and nothing else? A synthetic level-2 problem
(` + "`meta/explain/planted_test.go`" + `) has 20 genes on 4 tasks: 8 with a main effect of 0.03 to 0.12 that differs by
task, 6 pairs with an interaction of 0.04 to 0.08, 12 genes without effect; a run has noise of deviation 0.05, skewed by
failures. The true effects follow from the formula. %d explanations of at most 6,000 measured
strategies, a seed each; the default precision of 0.01. Made by

    make planted

Power is the share of the planted effects of at least the size named that are called established
(Benjamini-Hochberg, 5 %%); the false discovery rate is the mean share of zero effects among those called so. Pairs and
Shapley values are those of the leading genes of each explanation; a single task has twice the noise of the four.

| contexts | figure | intervals | coverage of 95 %% intervals | size | planted | power | false discovery rate |
|---|---|---|---|---|---|---|---|
`
