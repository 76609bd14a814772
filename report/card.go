package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
)

// Card is what there is to know of one strategy.
type Card struct {
	Strategy   rsie.Strategy
	Name       string
	Digest     string
	Words      string      // in one line
	Prose      []string    // in sentences
	Nearest    []Neighbour // hand-designed, the nearest first
	Genes      []GeneLine
	Neutral    int    // genes of laws that change nothing
	Fields     []duty // where it wins and loses
	FieldsOn   string // what stands in Fields
	Provenance []fact
	Command    string // that makes the run again in which it was found
}

// duty is one task: the strategy beside the best hand-designed one.
type duty struct {
	Task, Own, Best, Rival, Verdict string
	Ahead                           float64
}

// Neighbour is a hand-designed strategy and how far away it is.
type Neighbour struct {
	Name, Words, Source string
	Distance            float64 // 0 the same algorithm, 1 nothing in common
	Differences         int     // genes with an effect that differ
	Same                bool
}

// GeneLine is one gene of a card.
type GeneLine struct {
	Name, Value, Nearest, Searched string
	Differs                        bool
}

// neighbours is how many hand-designed strategies a card names.
const neighbours = 3

// CardOf returns the card of a strategy.
func CardOf(s rsie.Strategy) *Card {
	s = s.Named()
	c := &Card{Strategy: s, Name: s.GenomeID, Digest: s.Digest(), Words: meta.Describe(s), Prose: Prose(s)}
	c.Nearest = Nearest(s, neighbours)
	near, _ := rsie.Baseline(c.Nearest[0].Name) // a name of Baselines
	for _, g := range rsie.StrategySpace {
		if !g.IsActive(&s) {
			continue
		}
		if g.IsNeutral(&s) {
			c.Neutral++
			continue
		}
		line := GeneLine{Name: g.Name, Value: rounded(g.Format(&s)), Nearest: "–", Searched: Searched(g)}
		if g.IsActive(&near) {
			line.Nearest = rounded(g.Format(&near))
		}
		line.Differs = line.Value != line.Nearest
		c.Genes = append(c.Genes, line)
	}
	if s.FitnessScore != nil {
		c.Provenance = append(c.Provenance, fact{"meta-fitness on fresh seeds, maximised", fixed(*s.FitnessScore)})
	}
	if s.Source != "" {
		c.Provenance = append(c.Provenance, fact{"source", s.Source})
	}
	c.Provenance = append(c.Provenance, fact{"digest of the genes", c.Digest})
	return c
}

// Holds reports whether the run has met a strategy.
func (r *Run) Holds(s rsie.Strategy) bool { _, ok := r.index[s.Digest()]; return ok }

// Card returns the card of a strategy of the run, with the run as its provenance.
func (r *Run) Card(s rsie.Strategy) *Card {
	c := CardOf(s)
	if r.Learned != nil {
		c = CardOfLearned(s, r.Learned)
		c.Command = r.Command
		if r.Digest != "" {
			c.Provenance = append(c.Provenance, fact{"digest of the run", r.Digest})
		}
	}
	if at, ok := r.index[c.Digest]; ok {
		c.Provenance = append(c.Provenance, fact{"found in", fmt.Sprintf("generation %d of %s", r.Strategies[at].Born+1, r.Name)})
	}
	return c
}

// CardOfLearned returns the card of a strategy from a file of learned strategies, with what the
// file's final table says of it.
func CardOfLearned(s rsie.Strategy, l *meta.Learned) *Card {
	digest := s.Digest()
	for _, t := range l.TopUniversalStrategies { // the file knows its score
		if t.Digest() == digest {
			s = t
		}
	}
	c := CardOf(s)
	c.rank(l)
	m := l.Metadata
	c.Provenance = append(c.Provenance, fact{"seed", fmt.Sprint(m.Seed)},
		fact{"strategies tried", fmt.Sprint(m.Strategies)}, fact{"evaluations spent", compact(float64(m.Evaluations))})
	return c
}

// rank fills where the strategy wins and loses: its row of the final table against the best
// hand-designed strategy on each task, the largest lead first.
func (c *Card) rank(l *meta.Learned) {
	rows := l.Report.Rows
	at := slices.IndexFunc(rows, func(row meta.ReportRow) bool { return row.Role != "hand-designed" && row.Genome == c.Name })
	if at < 0 {
		return
	}
	for _, t := range l.Report.Tasks {
		own, ok := rows[at].Quality[t.Name]
		if !ok {
			continue
		}
		best, rival := math.Inf(-1), ""
		for _, row := range rows {
			if q, ok := row.Quality[t.Name]; ok && row.Role == "hand-designed" && q > best {
				best, rival = q, row.Name
			}
		}
		if rival == "" {
			continue
		}
		d := duty{Task: t.Name, Own: fixed(own), Best: fixed(best), Rival: rival, Ahead: own - best, Verdict: "level"}
		if t.Split == "validation" {
			d.Task += " (validation)"
		}
		if math.Abs(d.Ahead) > visible {
			d.Verdict = map[bool]string{true: "ahead", false: "behind"}[d.Ahead > 0]
		}
		c.Fields = append(c.Fields, d)
	}
	slices.SortStableFunc(c.Fields, func(a, b duty) int { return cmp.Compare(b.Ahead, a.Ahead) })
	c.FieldsOn = fmt.Sprintf("Mean final quality on %d fresh seeds per task (0 is random search, 1 the best known value), beside "+
		"the best of the hand-designed strategies on that task. Within %g counts as level; no test is made of single tasks.",
		l.Report.Runs, visible)
}

// Nearest returns the n hand-designed strategies nearest to s. The distance is the mean over the
// genes that have an effect in either: of a number, how far apart the two are in the searched range;
// of a choice, 1 where they differ; and 1 for a gene that has an effect in one of the two alone.
func Nearest(s rsie.Strategy, n int) []Neighbour {
	own := s.Digest()
	var out []Neighbour
	for _, b := range rsie.Baselines() {
		out = append(out, Neighbour{Name: b.GenomeID, Words: meta.Describe(b), Source: b.Source,
			Distance: distance(&s, &b), Differences: len(meta.Diff(s, b)), Same: b.Digest() == own})
	}
	slices.SortStableFunc(out, func(a, b Neighbour) int {
		if a.Same != b.Same {
			if a.Same {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Distance, b.Distance)
	})
	return out[:min(n, len(out))]
}

// distance is that of [Nearest]. A part of a law that changes nothing in either does not count.
func distance(a, b *rsie.Strategy) float64 {
	sum, count := 0.0, 0.0
	for _, g := range rsie.StrategySpace {
		in, with := g.IsActive(a), g.IsActive(b)
		if !in && !with || (!in || g.IsNeutral(a)) && (!with || g.IsNeutral(b)) {
			continue
		}
		count++
		switch {
		case in != with:
			sum++
		case g.Kind == rsie.Category || g.Kind == rsie.Flag:
			if g.Get(a) != g.Get(b) {
				sum++
			}
		default:
			sum += math.Abs(position(g, g.Get(a)) - position(g, g.Get(b)))
		}
	}
	return sum / max(1, count)
}

// Sentence says which known algorithm the strategy is nearest to, in words.
func (c *Card) Sentence() string {
	n := c.Nearest[0]
	if n.Same {
		return fmt.Sprintf("It is %s: no gene with an effect differs.", n.Name)
	}
	var parts []string
	off := 0
	for _, d := range meta.Diff(c.Strategy, baseline(n.Name)) {
		if d.A == "-" || d.B == "-" {
			off++ // has an effect in one of the two alone, which follows from another gene
			continue
		}
		if rounded(d.A) == rounded(d.B) {
			continue // a number that went through the encoding
		}
		parts = append(parts, fmt.Sprintf("%s %s instead of %s", d.Gene, rounded(d.A), rounded(d.B)))
	}
	text := fmt.Sprintf("Nearest is %s (distance %.2f, where 0 is the same algorithm and 1 nothing in common)",
		n.Name, n.Distance)
	if len(parts) > 0 {
		text += ", with " + strings.Join(parts[:min(8, len(parts))], ", ")
	}
	if more := max(0, len(parts)-8) + off; more > 0 {
		text += fmt.Sprintf("; %d more genes differ or have an effect in one of the two alone", more)
	}
	return text + "."
}

// rounded shortens a number to four digits; other texts stay.
func rounded(text string) string {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// baseline returns a hand-designed strategy by a name that is known to exist.
func baseline(name string) rsie.Strategy {
	s, err := rsie.Baseline(name)
	if err != nil {
		panic("report: " + err.Error())
	}
	return s
}

// Searched returns the values of a gene that level 2 searches, in words.
func Searched(g rsie.Gene) string {
	switch {
	case g.Kind == rsie.Category:
		return strings.Join(g.Values[:int(g.Max)+1], ", ")
	case g.Kind == rsie.Flag:
		return "true, false"
	case g.Log:
		return fmt.Sprintf("%g to %g, logarithmic", g.Min, g.Max)
	}
	return fmt.Sprintf("%g to %g", g.Min, g.Max)
}

// WriteHTML writes the card as a page of its own.
func (c *Card) WriteHTML(w io.Writer, program string) error {
	return writePage(w, document{Title: "Strategy " + c.Name, Body: &contents{Winner: c}, Program: program})
}
