package meta

import (
	"context"
	"encoding/json"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/stats"
	"github.com/symbio-ai/recursive-improvement/meta/store"
)

// Result is what a run of level 2 ends with. Everything in it is measured on keys that took no
// part in any choice.
type Result struct {
	Universal   []rsie.Strategy            // the winner of the race first, then the other finalists
	Specialists map[string][]rsie.Strategy // best first, by training task
	Report      Report
	Evaluations int64
	Digest      string // of the whole run: generations and this result
}

// Report is the final table.
type Report struct {
	Tasks []ReportTask `json:"tasks"`
	Rows  []ReportRow  `json:"rows"`
	Runs  int          `json:"runs_per_task"`
	// Budget is that of one run, in evaluations.
	Budget int `json:"budget"`
}

// ReportTask is a column of the table.
type ReportTask struct {
	Name  string `json:"name"`
	Split string `json:"split"`
}

// ReportRow is one strategy on fresh keys. Qualities and scores are maximised.
type ReportRow struct {
	Name        string             `json:"name"`
	Role        string             `json:"role"` // universal, specialist of TASK, hand-designed
	Genome      string             `json:"genome_id"`
	MetaFitness float64            `json:"meta_fitness"` // mean over all tasks
	Metrics     rsie.Metrics       `json:"metrics"`
	Area        float64            `json:"area"` // mean area score over tasks
	Quality     map[string]float64 `json:"quality"`
	// Gain is the mean paired difference of meta-fitness to the default genome over tasks and
	// keys with its 95 % bootstrap interval over keys, on these tasks.
	Gain         float64    `json:"gain_over_default"`
	GainInterval [2]float64 `json:"gain_interval"`
}

// Finalists is how many strategies enter the race for the universal winner.
const Finalists = 6

// conclude races the leaders, measures specialists and fills the final table.
func (e *Engine) conclude(ctx context.Context, training, validation []target, digest string) (*Result, error) {
	all := append(slices.Clone(training), validation...)
	universal, err := e.race(ctx, all, e.finalists())
	if err != nil {
		return nil, err
	}
	out := &Result{Universal: universal, Specialists: map[string][]rsie.Strategy{}}
	for _, t := range training {
		if out.Specialists[t.name], err = e.pickSpecialists(ctx, t); err != nil {
			return nil, err
		}
	}
	if err := e.report(ctx, out, training, validation); err != nil {
		return nil, err
	}
	out.Evaluations = e.evaluations
	e.result = out
	doc, err := e.export(out)
	if err != nil {
		return nil, err
	}
	out.Digest = chain(digest+string(doc), nil)
	if e.config.Store != nil {
		return out, e.config.Store.Finish(doc)
	}
	return out, nil
}

// finalists returns the leaders of the search by lower confidence bound.
func (e *Engine) finalists() []rsie.Strategy {
	var out []rsie.Strategy
	for _, r := range e.archive.leaders(Finalists) {
		out = append(out, e.named(r.strategy))
	}
	return out
}

// named gives a strategy of the archive the name of the start it equals, or its digest.
func (e *Engine) named(s rsie.Strategy) rsie.Strategy {
	d := s.Digest()
	for _, b := range e.config.Starts {
		if b.Digest() == d {
			s.GenomeID = b.GenomeID
		}
	}
	return s.Named()
}

// pickSpecialists measures the leaders of one task again on fresh keys and orders them.
func (e *Engine) pickSpecialists(ctx context.Context, t target) ([]rsie.Strategy, error) {
	var all []rsie.Strategy
	for _, r := range e.archive.specialists(3, t.name, e.config.Objectives) {
		all = append(all, e.named(r.strategy))
	}
	got, err := e.measure(ctx, []target{t}, all, e.key.Child(keySpecialist), e.config.FinalRuns)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(got, byScore)
	out := all[:0]
	for _, m := range got {
		out = append(out, m.strategy)
	}
	return out, nil
}

func byScore(a, b measured) int {
	switch {
	case a.score > b.score:
		return -1
	case a.score < b.score:
		return 1
	}
	return 0
}

// report measures the winner, the specialists and the starts on the same fresh keys.
func (e *Engine) report(ctx context.Context, out *Result, training, validation []target) error {
	var rows []ReportRow
	var all []rsie.Strategy
	add := func(s rsie.Strategy, role string) {
		rows = append(rows, ReportRow{Name: s.GenomeID, Role: role, Genome: s.GenomeID})
		all = append(all, s)
	}
	add(out.Universal[0], "universal winner")
	for _, t := range training {
		add(out.Specialists[t.name][0], "specialist of "+t.name)
	}
	for _, s := range e.config.Starts {
		add(s, "hand-designed")
	}
	for _, t := range training {
		out.Report.Tasks = append(out.Report.Tasks, ReportTask{t.name, "training"})
	}
	for _, t := range validation {
		out.Report.Tasks = append(out.Report.Tasks, ReportTask{t.name, "validation"})
	}
	targets := append(slices.Clone(training), validation...)
	// The published default is measured beside the rest whatever the starts are.
	got, err := e.measure(ctx, targets, append(all, rsie.DefaultStrategy()), e.key.Child(keyReport), e.config.FinalRuns)
	if err != nil {
		return err
	}
	base := got[len(all)]
	for i := range rows {
		if err := e.fillRow(&rows[i], got[i], base, targets); err != nil {
			return err
		}
	}
	out.Report.Rows, out.Report.Runs, out.Report.Budget = rows, e.config.FinalRuns, e.config.BaseTaskBudget
	e.score(out, rows, all)
	return e.storePhase(got, "report", targets)
}

// score writes what the report measured into the strategies of the result.
func (e *Engine) score(out *Result, rows []ReportRow, all []rsie.Strategy) {
	byDigest := map[string]ReportRow{}
	for i, r := range rows {
		byDigest[all[i].Digest()] = r
	}
	fill := func(s *rsie.Strategy) {
		if r, ok := byDigest[s.Digest()]; ok {
			score := r.MetaFitness
			s.FitnessScore, s.TaskPerformances = &score, r.Quality
		}
	}
	for i := range out.Universal {
		fill(&out.Universal[i])
	}
	for _, list := range out.Specialists {
		for i := range list {
			fill(&list[i])
		}
	}
}

func (e *Engine) fillRow(row *ReportRow, m, base measured, targets []target) error {
	row.Quality = map[string]float64{}
	var perTask []rsie.Metrics
	for _, t := range targets {
		row.Quality[t.name] = m.tasks[t.name].FinalFitness
		perTask = append(perTask, m.tasks[t.name])
	}
	row.Metrics = meanMetrics(perTask)
	row.MetaFitness = m.score
	row.Area = row.Metrics.SampleEfficiency
	gains := e.gainsByKey(m, base)
	row.Gain = average(gains)
	var err error
	row.GainInterval, err = bootstrapMean(gains, e.key.Child(keyReport))
	return err
}

// gainsByKey returns, per replicate, the difference of meta-fitness of m to base meaned over
// tasks; robustness, which needs several keys, is left out of both.
func (e *Engine) gainsByKey(m, base measured) []float64 {
	runs := e.config.FinalRuns
	out := make([]float64, runs)
	tasks := len(m.terms) / runs
	for i := range m.terms {
		d := m.terms[i].MetaFitness(e.config.Objectives) - base.terms[i].MetaFitness(e.config.Objectives)
		out[i%runs] += d / float64(tasks)
	}
	return out
}

// Resamples is the number of bootstrap resamples of every interval.
const Resamples = 10_000

// bootstrapMean returns the 95 % percentile interval of the mean of x.
func bootstrapMean(x []float64, key rsie.Key) ([2]float64, error) {
	low, high, err := stats.BootstrapInterval(x, stats.Mean, Resamples, 0.95, indexSource(key))
	return [2]float64{low, high}, err
}

// indexSource returns draws from 0..n-1, the i-th call at address i.
func indexSource(key rsie.Key) func(n int) int {
	var words [4]uint32
	i := uint32(0)
	return func(n int) int {
		if i%4 == 0 {
			words = key.Words(i/4, 0, 0, 0, rsie.StreamResample)
		}
		w := words[i%4]
		i++
		return int(rsie.Below(w, uint32(n)))
	}
}

// storePhase keeps the level-1 results of a phase after the search.
func (e *Engine) storePhase(got []measured, phase string, targets []target) error {
	if e.config.Store == nil {
		return nil
	}
	var rows []store.Result
	var err error
	seen := map[string]bool{}
	for _, m := range got {
		if d := m.strategy.Digest(); !seen[d] {
			seen[d] = true
			if rows, err = appendResults(rows, m, phase, e.config.Objectives, targets); err != nil {
				return err
			}
		}
	}
	b, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return e.config.Store.Put("results_"+phase, b)
}
