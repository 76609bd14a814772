package meta

import (
	"context"
	"encoding/json"
	"fmt"
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
	Searched    int64  // evaluations until the winner was chosen, of which MetaBudget is the limit
	Digest      string // of the whole run: generations and this result
}

// Report is the final table.
type Report struct {
	Tasks []ReportTask `json:"tasks"`
	Rows  []ReportRow  `json:"rows"`
	Runs  int          `json:"runs_per_task"`
	// Budget is that of one run, in evaluations; 0 where tasks have different ones.
	Budget int `json:"budget"`
}

// ReportTask is a column of the table.
type ReportTask struct {
	Name   string `json:"name"`
	Split  string `json:"split"`
	Budget int    `json:"budget"` // evaluations of a run
}

// ReportRow is one strategy on fresh keys. Qualities and scores are maximised.
type ReportRow struct {
	Name        string       `json:"name"`
	Role        string       `json:"role"` // universal, specialist of TASK, hand-designed
	Genome      string       `json:"genome_id"`
	MetaFitness float64      `json:"meta_fitness"` // mean over the row's tasks
	Metrics     rsie.Metrics `json:"metrics"`
	Area        float64      `json:"area"` // mean area score over tasks
	// TrainingArea, GeneratedArea and ValidationArea are its parts: training tasks of the suite,
	// generated training tasks, and validation tasks; null when the row has no such task.
	TrainingArea   *float64           `json:"training_area"`
	GeneratedArea  *float64           `json:"generated_area"`
	ValidationArea *float64           `json:"validation_area"`
	Quality        map[string]float64 `json:"quality"` // by task; a specialist's own alone
	// Gain is the mean paired difference of meta-fitness to the default genome over tasks and
	// keys with its 95 % bootstrap interval over keys, on these tasks.
	Gain         float64    `json:"gain_over_default"`
	GainInterval [2]float64 `json:"gain_interval"`
	// WinnerGain is the same difference of the universal winner to this row on the validation
	// tasks, on all tasks when there are none; null for learned rows.
	WinnerGain     *float64    `json:"winner_gain_on_validation"`
	WinnerInterval *[2]float64 `json:"winner_gain_interval"`
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
	out := &Result{Universal: universal, Searched: e.evaluations, Specialists: map[string][]rsie.Strategy{}}
	own := special(training)
	e.config.Say(fmt.Sprintf("specialists of %d tasks", len(own)))
	for _, t := range own {
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
	out.Digest = RunDigest(digest, doc)
	if e.config.Store != nil {
		return out, e.config.Store.Finish(doc)
	}
	return out, nil
}

// RunDigest returns the digest of a finished run from that of its last generation and its result as
// it is stored.
func RunDigest(generation string, result []byte) string { return chain(generation+string(result), nil) }

// special returns the tasks that get a specialist: generated ones do only where all are.
func special(training []target) []target {
	own := slices.DeleteFunc(slices.Clone(training), func(t target) bool { return t.made })
	if len(own) == 0 {
		return training
	}
	return own
}

// part names the column that a target counts for.
func (t target) part() string {
	if t.made && t.split == "training" {
		return "generated"
	}
	return t.split
}

// finalists returns the leaders of the search by lower confidence bound, as many of each island.
func (e *Engine) finalists() []rsie.Strategy {
	on := e.config.islands()
	var out []rsie.Strategy
	for _, in := range on {
		for _, r := range e.archive.leaders(Finalists/len(on), in) {
			out = append(out, e.named(r.strategy))
		}
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

// report measures the winner and the rivals on the same fresh keys of every task, and each
// specialist on its own task.
func (e *Engine) report(ctx context.Context, out *Result, training, validation []target) error {
	for _, t := range training {
		out.Report.Tasks = append(out.Report.Tasks, ReportTask{t.name, "training", t.budget})
	}
	for _, t := range validation {
		out.Report.Tasks = append(out.Report.Tasks, ReportTask{t.name, "validation", t.budget})
	}
	targets := append(slices.Clone(training), validation...)
	e.config.Say(fmt.Sprintf("final tables: %d fresh seeds on %d tasks", e.config.FinalRuns, len(targets)))
	// The published default is measured beside the rest whatever the rivals are.
	all := append([]rsie.Strategy{out.Universal[0]}, e.config.Rivals...)
	key, runs := e.key.Child(keyReport), e.config.FinalRuns
	got, err := e.measure(ctx, targets, append(all, rsie.DefaultStrategy()), key, runs)
	if err != nil {
		return err
	}
	base := got[len(all)]
	rows := make([]ReportRow, len(all))
	for i, s := range all {
		rows[i] = ReportRow{Name: s.GenomeID, Role: "hand-designed", Genome: s.GenomeID}
		if i == 0 {
			rows[i].Role = "universal winner"
		}
		if err := e.fillRow(&rows[i], got[i], base, targets); err != nil {
			return err
		}
		if i > 0 {
			if err := e.compareRow(&rows[i], got[i], got[0], len(training)); err != nil {
				return err
			}
		}
	}
	special, err := e.reportSpecialists(ctx, out, training, base, key)
	if err != nil {
		return err
	}
	out.Report.Rows = slices.Concat(rows[:1], special, rows[1:])
	out.Report.Runs, out.Report.Budget = runs, commonBudget(targets)
	score := rows[0].MetaFitness
	out.Universal[0].FitnessScore, out.Universal[0].TaskPerformances = &score, rows[0].Quality
	if err := e.storeCurves(got, targets); err != nil {
		return err
	}
	return e.storePhase(got, "report", targets)
}

// commonBudget returns the budget of all targets, 0 where they have different ones.
func commonBudget(targets []target) int {
	for _, t := range targets {
		if t.budget != targets[0].budget {
			return 0
		}
	}
	return targets[0].budget
}

// reportSpecialists returns a row for each task's specialist, on that task alone.
func (e *Engine) reportSpecialists(ctx context.Context, out *Result, training []target, base measured,
	key rsie.Key) ([]ReportRow, error) {
	var rows []ReportRow
	for k, t := range training {
		if len(out.Specialists[t.name]) == 0 {
			continue
		}
		s := &out.Specialists[t.name][0]
		row := ReportRow{Name: s.GenomeID, Role: "specialist of " + t.name, Genome: s.GenomeID}
		got, err := e.measure(ctx, []target{t}, []rsie.Strategy{*s}, key, e.config.FinalRuns)
		if err != nil {
			return nil, err
		}
		runs := e.config.FinalRuns
		own := measured{terms: base.terms[k*runs:][:runs]}
		if err := e.fillRow(&row, got[0], own, []target{t}); err != nil {
			return nil, err
		}
		score := row.MetaFitness
		s.FitnessScore, s.TaskPerformances = &score, row.Quality
		rows = append(rows, row)
	}
	return rows, nil
}

func (e *Engine) fillRow(row *ReportRow, m, base measured, targets []target) error {
	row.Quality = map[string]float64{}
	var perTask []rsie.Metrics
	areas := map[string][]float64{}
	for _, t := range targets {
		row.Quality[t.name] = m.tasks[t.name].FinalFitness
		perTask = append(perTask, m.tasks[t.name])
		areas[t.part()] = append(areas[t.part()], m.tasks[t.name].SampleEfficiency)
	}
	for split, at := range map[string]**float64{"training": &row.TrainingArea, "generated": &row.GeneratedArea, "validation": &row.ValidationArea} {
		if a := areas[split]; len(a) > 0 {
			mean := average(a)
			*at = &mean
		}
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

// compareRow fills how far the winner is ahead of a row on the tasks after the first `training`,
// on all of them when there are no more.
func (e *Engine) compareRow(row *ReportRow, m, winner measured, training int) error {
	from := training * e.config.FinalRuns
	if from == len(m.terms) {
		from = 0
	}
	gains := e.gainsByKey(measured{terms: winner.terms[from:]}, measured{terms: m.terms[from:]})
	interval, err := bootstrapMean(gains, e.key.Child(keyReport))
	gain := average(gains)
	row.WinnerGain, row.WinnerInterval = &gain, &interval
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
	low, high, err := stats.BootstrapInterval(x, stats.Mean, Resamples, 0.95, IndexSource(key))
	return [2]float64{low, high}, err
}

// IndexSource returns draws from 0..n-1, the i-th call at address i.
func IndexSource(key rsie.Key) func(n int) int {
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
