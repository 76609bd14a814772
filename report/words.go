package report

import (
	"cmp"
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
	out := []string{fmt.Sprintf("The winner is %s: %s.", w.GenomeID, meta.Describe(w))}
	if w.FitnessScore != nil {
		out = append(out, fmt.Sprintf("Its meta-fitness is %s, measured on %d tasks with %d fresh seeds each that "+
			"took no part in any choice, %s evaluations per run.", fixed(*w.FitnessScore), len(table.Tasks), table.Runs, budgetWords(table.Budget)))
	}
	if duels := r.duels(); len(duels) > 0 {
		out = append(out, "In meta-fitness on "+r.judgedOn()+", with 95 % intervals over seeds, the winner is "+leadWords(duels)+".")
		if tests := testWords(duels); tests != "" {
			out = append(out, "Seed by seed over all tasks (Wilcoxon signed-rank test, Holm's correction, level 0.05) its meta-fitness is "+tests+".")
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
		out = append(out, fmt.Sprintf("Leading so far: %s with a mean meta-fitness of %s in %s: %s.",
			s.Name, fixed(s.Score()), counted(len(s.Scores), "generation"), meta.Describe(s.Genome)))
	}
	return out
}

// leadWords says how the winner stands against the hand-designed strategies on the tasks that judge,
// by verdict: three or fewer each with its interval, more with the smallest and the largest lead.
func leadWords(duels []duel) string {
	var parts []string
	for _, v := range []struct{ verdict, words string }{{"worse", "worse than"}, {"better", "better than"},
		{"equal", "equal to"}, {"open", "not shown to differ from"}} {
		var of []duel
		for _, d := range duels {
			if verdict(*d.row.WinnerInterval) == v.verdict {
				of = append(of, d)
			}
		}
		if len(of) == 0 {
			continue
		}
		var names []string
		for _, d := range of {
			name := d.row.Name
			if len(of) <= 3 {
				name += " " + d.lead()
			}
			names = append(names, name)
		}
		text := v.words + " " + listed(names)
		if len(of) > 3 {
			slices.SortFunc(of, func(a, b duel) int { return cmp.Compare(*a.row.WinnerGain, *b.row.WinnerGain) })
			low, high := of[0], of[len(of)-1]
			text += fmt.Sprintf(", from %s %s to %s %s", low.row.Name, low.lead(), high.row.Name, high.lead())
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// lead is the winner's lead with its interval.
func (d duel) lead() string {
	in := *d.row.WinnerInterval
	return fmt.Sprintf("%s [%s, %s]", signed(*d.row.WinnerGain), signed(in[0]), signed(in[1]))
}

// level is that of the tests.
const level = 0.05

// testWords says what the tests show, empty where none was made.
func testWords(duels []duel) string {
	groups := map[string][]string{}
	for _, d := range duels {
		switch {
		case d.seeds == 0:
		case d.holm > level:
			groups["not shown to differ from that of"] = append(groups["not shown to differ from that of"], d.row.Name)
		case d.a12 < 0.5:
			groups["lower than that of"] = append(groups["lower than that of"], d.row.Name)
		default:
			groups["higher than that of"] = append(groups["higher than that of"], d.row.Name)
		}
	}
	var parts []string
	for _, words := range []string{"lower than that of", "higher than that of", "not shown to differ from that of"} {
		if len(groups[words]) > 0 {
			parts = append(parts, words+" "+listed(groups[words]))
		}
	}
	return strings.Join(parts, "; ")
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// listed joins names as a sentence does.
func listed(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
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

// visible is the difference of mean qualities that words and cards tell of.
const visible = 0.005

// lossWords names the tasks on which a hand-designed strategy ends visibly higher.
func (r *Run) lossWords() []string {
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
