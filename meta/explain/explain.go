package explain

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
)

// Config is what [Explain] is told. Zero values mean the defaults in brackets.
type Config struct {
	Subject      rsie.Strategy // required
	Reference    rsie.Strategy // required
	Meter        Meter         // required
	Distribution Distribution  // [Neighbourhood]
	Factors      []string      // names, see docs/explain.md [all in which the two differ]
	Score        Score         // named in the result
	Limit        int64         // evaluations [DefaultStrategies times the cost of one]
	Precision    float64       // half-width of an interval that is narrow enough [0.01], above 0
	Seed         uint64
	Keep         Keeper       // nil: nothing is kept
	Say          func(string) // called with a line before each part
}

// DefaultStrategies is how many strategies, each once on every task, an explanation may measure
// by default; fewestStrategies is the least.
const (
	DefaultStrategies = 1600
	fewestStrategies  = 200
)

// The parts of the limit that are spent when a part of the explanation ends; what a part leaves
// is the next one's.
const (
	untilScreen  = 0.18
	untilEffects = 0.56
	untilPairs   = 0.70
	untilGame    = 0.88
)

// The uses of the key.
const (
	keyScreen = iota
	keyRefits
	keyEffects
	keyPairs
	keyGame
	keyOrder
	keyPath
)

// mostPaired is the number of leading factors of which all pairs are measured, at most.
const mostPaired = 6

// explanation is the work on one result.
type explanation struct {
	config    Config
	key       rsie.Key
	subject   rsie.Strategy
	reference rsie.Strategy
	factors   []Factor
	journal   *journal
	out       *Result
}

// Explain measures what the factors of the subject contribute. When ctx ends it returns its
// error; what was measured is kept, and the same call continues.
//
// It returns [rsie.ErrInvalid] for settings out of range and strategies that do not differ.
func Explain(ctx context.Context, c Config) (*Result, error) {
	e, err := begin(c)
	if err != nil {
		return nil, err
	}
	limit := func(part float64) int64 { return int64(part * float64(e.config.Limit)) }
	e.config.Say(fmt.Sprintf("screening of %d factors", len(e.factors)))
	if err := e.screen(ctx, limit(untilScreen)); err != nil {
		return nil, err
	}
	e.config.Say(fmt.Sprintf("effects of %d factors", len(e.factors)))
	leaders, err := e.effects(ctx, limit(untilEffects))
	if err != nil {
		return nil, err
	}
	e.config.Say("pairs of the leading factors")
	if err := e.pairs(ctx, leaders, limit(untilPairs)); err != nil {
		return nil, err
	}
	e.config.Say("shapley values of the leading factors")
	if err := e.game(ctx, leaders, limit(untilGame)); err != nil {
		return nil, err
	}
	e.config.Say("path from " + e.out.Reference.Genome + " to " + e.out.Subject.Genome)
	if err := e.walk(ctx, leaders, e.config.Limit); err != nil {
		return nil, err
	}
	e.out.Evaluations = e.journal.spent
	e.out.Sentences = Sentences(e.out)
	return e.out, e.store()
}

// begin checks the settings and finds the factors.
func begin(c Config) (*explanation, error) {
	if c.Meter == nil || len(c.Meter.Tasks()) == 0 {
		return nil, fmt.Errorf("%w: an explanation needs tasks to measure on", rsie.ErrInvalid)
	}
	if c.Distribution == "" {
		c.Distribution = Neighbourhood
	}
	if err := c.Distribution.check(); err != nil {
		return nil, err
	}
	if c.Precision == 0 {
		c.Precision = 0.01
	}
	if !(c.Precision > 0 && c.Precision <= 1) {
		return nil, fmt.Errorf("%w: precision %g, allowed is above 0 to 1", rsie.ErrInvalid, c.Precision)
	}
	c.Subject, c.Reference = c.Subject.Named(), c.Reference.Named()
	one := c.Meter.Cost()
	if c.Limit == 0 {
		c.Limit = DefaultStrategies * one
	}
	if c.Limit < fewestStrategies*one {
		return nil, fmt.Errorf("%w: a budget of %d evaluations, want at least %d: %d strategies on every task",
			rsie.ErrInvalid, c.Limit, fewestStrategies*one, fewestStrategies)
	}
	if c.Say == nil {
		c.Say = func(string) {}
	}
	e := &explanation{config: c, key: rsie.NewKey(c.Seed), journal: &journal{meter: c.Meter, keep: c.Keep},
		subject: rsie.StrategySpace.Canonical(c.Subject), reference: rsie.StrategySpace.Canonical(c.Reference)}
	if e.factors = factorsBetween(e.subject, e.reference); c.Factors != nil {
		var err error
		if e.factors, err = namedFactors(c.Factors, e.subject, e.reference); err != nil {
			return nil, err
		}
	}
	if len(e.factors) == 0 {
		return nil, fmt.Errorf("%w: %s and its reference %s are the same algorithm; name another --reference",
			rsie.ErrInvalid, c.Subject.GenomeID, c.Reference.GenomeID)
	}
	e.out = &Result{Format: Format, Version: Version, Distribution: c.Distribution, Score: c.Score,
		Tasks: c.Meter.Tasks(), Seed: c.Seed, Limit: c.Limit, Precision: c.Precision,
		Subject:   Named{Genome: c.Subject.GenomeID, Digest: c.Subject.Digest(), Summary: meta.Describe(c.Subject)},
		Reference: Named{Genome: c.Reference.GenomeID, Digest: c.Reference.Digest(), Summary: meta.Describe(c.Reference)}}
	return e, nil
}

// allocation returns one that draws by a use of the key.
func (e *explanation) allocation(use uint64, limit int64) *allocation {
	return &allocation{journal: e.journal, dist: e.config.Distribution, subject: e.subject, reference: e.reference,
		precision: e.config.Precision, key: e.key.Child(use), limit: limit}
}

// effects measures the factors that the limit reaches for and returns them, those that can be
// told from 0 before the others, and the largest effect first among both.
func (e *explanation) effects(ctx context.Context, limit int64) ([]Factor, error) {
	chosen, rest := e.affordable(limit)
	all := make([]*contrast, len(chosen))
	for i, f := range chosen {
		all[i] = &contrast{factors: []Factor{f}}
	}
	var err error
	if e.out.Narrow, err = e.allocation(keyEffects, limit).run(ctx, all); err != nil {
		return nil, err
	}
	for i, f := range chosen {
		e.out.Effects = append(e.out.Effects, e.effectOf(f, all[i]))
	}
	if err := adjustEffects(e.out.Effects); err != nil {
		return nil, err
	}
	slices.SortStableFunc(e.out.Effects, func(a, b Effect) int { return cmp.Compare(math.Abs(b.Mean), math.Abs(a.Mean)) })
	var leaders, others []Factor
	for _, v := range e.out.Effects {
		if v.Established() {
			leaders = append(leaders, v.Factor)
		} else {
			others = append(others, v.Factor)
		}
	}
	leaders = append(leaders, others...)
	for _, f := range rest {
		e.out.Effects = append(e.out.Effects, Effect{Factor: f, Unmeasured: true, Estimate: estimate(nil)})
	}
	return leaders, nil
}

// affordable returns the factors that the first contexts can be paid for, those of the largest
// share in the screening, and the others.
func (e *explanation) affordable(limit int64) (chosen, rest []Factor) {
	const arms = 1.3 // per factor and context: one, and one more where the context has moved it
	most := int(float64(limit-e.journal.spent)/float64(e.journal.meter.Cost())/firstContexts/arms) - 1
	if most >= len(e.factors) {
		return e.factors, nil
	}
	total := map[string]float64{}
	for _, s := range e.out.Screening.Shares {
		total[s.Factor] = s.Total
	}
	for _, name := range e.out.Screening.Held {
		total[name] = math.Inf(1)
	}
	order := slices.Clone(e.factors)
	slices.SortStableFunc(order, func(a, b Factor) int { return cmp.Compare(total[b.Name], total[a.Name]) })
	most = max(1, most)
	return order[:most], order[most:]
}

// effectOf summarises a contrast, overall and by task and kind.
func (e *explanation) effectOf(f Factor, c *contrast) Effect {
	v := Effect{Factor: f, Estimate: c.overall()}
	var kinds []string
	for t, one := range e.out.Tasks {
		v.Tasks = append(v.Tasks, PartEffect{one.Name, c.over(func(k int) bool { return k == t })})
		if !slices.Contains(kinds, one.Kind) {
			kinds = append(kinds, one.Kind)
		}
	}
	if len(kinds) > 1 {
		for _, kind := range kinds {
			v.Kinds = append(v.Kinds, PartEffect{kind, c.over(func(k int) bool { return e.out.Tasks[k].Kind == kind })})
		}
	}
	return v
}

// adjustEffects corrects three tables: overall, by task, by kind.
func adjustEffects(all []Effect) error {
	var overall, tasks, kinds []*Estimate
	for i := range all {
		overall = append(overall, &all[i].Estimate)
		for k := range all[i].Tasks {
			tasks = append(tasks, &all[i].Tasks[k].Estimate)
		}
		for k := range all[i].Kinds {
			kinds = append(kinds, &all[i].Kinds[k].Estimate)
		}
	}
	for _, table := range [][]*Estimate{overall, tasks, kinds} {
		if err := adjust(table); err != nil {
			return err
		}
	}
	return nil
}

// pairs measures the interactions of the leaders, of as many as the limit allows, on contexts of
// their own, so that being a leader biases nothing.
func (e *explanation) pairs(ctx context.Context, leaders []Factor, limit int64) error {
	n := min(len(leaders), mostPaired)
	for n > 2 && e.journal.spent+int64(firstContexts*(n*(n-1)))*e.journal.meter.Cost() > limit {
		n--
	}
	var all []*contrast
	for j := range n {
		for i := range j {
			all = append(all, &contrast{factors: []Factor{leaders[i], leaders[j]}})
		}
	}
	if len(all) == 0 {
		return nil
	}
	if _, err := e.allocation(keyPairs, limit).run(ctx, all); err != nil {
		return err
	}
	var estimates []*Estimate
	for _, c := range all {
		e.out.Pairs = append(e.out.Pairs, Pair{c.factors[0].Name, c.factors[1].Name, c.overall()})
	}
	for i := range e.out.Pairs {
		estimates = append(estimates, &e.out.Pairs[i].Estimate)
	}
	if err := adjust(estimates); err != nil {
		return err
	}
	slices.SortStableFunc(e.out.Pairs, func(a, b Pair) int { return cmp.Compare(math.Abs(b.Mean), math.Abs(a.Mean)) })
	return nil
}

func (e *explanation) store() error {
	if e.config.Keep == nil {
		return nil
	}
	b, err := json.MarshalIndent(e.out, "", "  ")
	if err != nil {
		return err
	}
	return e.config.Keep.Put(Document, append(b, '\n'))
}
