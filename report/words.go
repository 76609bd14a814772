package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/meta/stats"
)

// duel is the winner against one hand-designed strategy, paired by seed over all tasks.
type duel struct {
	row          meta.ReportRow
	p, holm, a12 float64
	wins, losses int
	seeds        int
}

// Words returns what the numbers of a finished run say, a sentence or two each, the losses beside
// the wins.
func (r *Run) Words() []string {
	if r.Learned == nil {
		return r.unfinishedWords()
	}
	w := r.Learned.TopUniversalStrategies[0]
	table := r.Learned.Report
	out := []string{fmt.Sprintf("The winner, %s, is %s.", w.GenomeID, meta.Describe(w))}
	if w.FitnessScore != nil {
		out = append(out, fmt.Sprintf("Its meta-fitness is %s, measured on %d tasks with %d fresh seeds each that "+
			"took no part in any choice, %s evaluations per run.", fixed(*w.FitnessScore), len(table.Tasks), table.Runs, budgetWords(table.Budget)))
	}
	if duels := r.duels(); len(duels) > 0 {
		out = append(out, "Against the hand-designed strategies, in meta-fitness on "+r.judgedOn()+" with 95 % intervals over "+
			"seeds; and seed by seed over all tasks, with the Wilcoxon signed-rank test after Holm's correction:")
		for _, d := range duels {
			out = append(out, d.sentence())
		}
	}
	out = append(out, r.lossWords()...)
	return append(out, "These figures hold for these tasks at this budget. Intervals are over seeds, not over "+
		"tasks: they do not say how the winner does on tasks unlike these.")
}

// budgetWords names the evaluations of a run.
func budgetWords(budget int) string {
	if budget == 0 {
		return "each task's own number of"
	}
	return fmt.Sprint(budget)
}

func (r *Run) unfinishedWords() []string {
	n := len(r.Generations)
	if n == 0 {
		return []string{"No generation has been stored yet."}
	}
	out := []string{fmt.Sprintf("The run is not finished: %d of %d generations are stored, and the final tables are "+
		"not measured yet. Scores of the search favour luck; read them as provisional.", n, r.Settings.MetaGenerations)}
	if w := r.Winner(); w >= 0 {
		s := &r.Strategies[w]
		out = append(out, fmt.Sprintf("Leading so far: %s with a mean meta-fitness of %s in %d generations: %s.",
			s.Name, fixed(s.Score()), len(s.Scores), meta.Describe(s.Genome)))
	}
	return out
}

// sentence says how the winner stands against one strategy.
func (d duel) sentence() string {
	in := *d.row.WinnerInterval
	verb := map[string]string{"better": "Better than", "worse": "Worse than", "equal": "Equal to",
		"open": "Not shown to differ from"}[verdict(in)]
	text := fmt.Sprintf("%s %s: %s (%s to %s)", verb, d.row.Name, signed(*d.row.WinnerGain), signed(in[0]), signed(in[1]))
	if d.seeds > 0 {
		text += fmt.Sprintf("; ahead on %d and behind on %d of %d seeds, p = %.2g, A12 = %.2f", d.wins, d.losses, d.seeds, d.holm, d.a12)
	}
	return text + "."
}

// duels returns the comparisons of the final table with their tests.
func (r *Run) duels() []duel {
	scores := r.scoresBySeed()
	winner := scores[r.Learned.TopUniversalStrategies[0].Digest()]
	digests := map[string]string{}
	for digest, name := range baselineNames() {
		digests[name] = digest
	}
	var out []duel
	var p []float64
	for _, row := range r.Learned.Report.Rows {
		if row.WinnerGain == nil || row.WinnerInterval == nil {
			continue
		}
		d := duel{row: row, p: 1}
		if rival := scores[digests[row.Genome]]; len(rival) > 1 && len(rival) == len(winner) {
			d.test(winner, rival)
		}
		out, p = append(out, d), append(p, d.p)
	}
	if holm, err := stats.Holm(p); err == nil {
		for k := range out {
			out[k].holm = holm[k]
		}
	}
	return out
}

func (d *duel) test(winner, rival []float64) {
	for i := range winner {
		switch {
		case winner[i] > rival[i]:
			d.wins++
		case winner[i] < rival[i]:
			d.losses++
		}
	}
	d.seeds = len(winner)
	if p, err := stats.WilcoxonPaired(winner, rival); err == nil && !math.IsNaN(p) {
		d.p = p
	}
	d.a12, _ = stats.A12(winner, rival) // neither side is empty
}

// scoresBySeed returns the meta-fitness of each replicate of the final table, meaned over tasks,
// by digest.
func (r *Run) scoresBySeed() map[string][]float64 {
	type sum struct{ total, count []float64 }
	sums := map[string]*sum{}
	for _, v := range r.Finals {
		if v.Replicate < 0 || v.Replicate > 1<<16 {
			continue
		}
		s := sums[v.Strategy]
		if s == nil {
			s = &sum{}
			sums[v.Strategy] = s
		}
		for len(s.total) <= v.Replicate {
			s.total, s.count = append(s.total, 0), append(s.count, 0)
		}
		s.total[v.Replicate] += v.MetaFitness
		s.count[v.Replicate]++
	}
	out := map[string][]float64{}
	for d, s := range sums {
		for k := range s.total {
			out[d] = append(out[d], s.total[k]/s.count[k])
		}
	}
	return out
}

// lossWords names the tasks on which a hand-designed strategy ends visibly higher.
func (r *Run) lossWords() []string {
	const visible = 0.005
	rows := r.Learned.Report.Rows
	at := slices.IndexFunc(rows, func(row meta.ReportRow) bool { return row.Role == "universal winner" })
	if at < 0 {
		return nil
	}
	var lost []string
	for _, t := range r.Learned.Report.Tasks {
		own, best, name := rows[at].Quality[t.Name], 0.0, ""
		for _, row := range rows {
			if q, ok := row.Quality[t.Name]; ok && row.WinnerGain != nil && q > best {
				best, name = q, row.Name
			}
		}
		if best > own+visible {
			lost = append(lost, fmt.Sprintf("%s (%s %s, winner %s)", t.Name, name, fixed(best), fixed(own)))
		}
	}
	if len(lost) == 0 {
		return []string{fmt.Sprintf("On none of the %d tasks does a hand-designed strategy end with a quality higher by more than 0.005.",
			len(r.Learned.Report.Tasks))}
	}
	return []string{"A hand-designed strategy ends with higher quality on: " + strings.Join(lost, "; ") + "."}
}
