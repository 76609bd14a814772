package report

import (
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
	Words      string
	Nearest    []Neighbour // hand-designed, the nearest first
	Genes      []GeneLine
	Neutral    int // genes of laws that change nothing
	Provenance []fact
	Best, Last []fact // tasks with the highest and the lowest quality
}

// Neighbour is a hand-designed strategy and how far away it is.
type Neighbour struct {
	Name, Words, Source string
	Distance            float64 // Euclidean, of encoded points, over √K: 0 equal, 1 opposite corners
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
	c := &Card{Strategy: s, Name: s.GenomeID, Digest: s.Digest(), Words: meta.Describe(s)}
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
		line := GeneLine{Name: g.Name, Value: g.Format(&s), Nearest: "–", Searched: searched(g)}
		if g.IsActive(&near) {
			line.Nearest = g.Format(&near)
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
	c.rankTasks()
	return c
}

// rankTasks fills where the strategy does best and worst.
func (c *Card) rankTasks() {
	names := sortedKeys(c.Strategy.TaskPerformances)
	slices.SortStableFunc(names, func(a, b string) int {
		switch x, y := c.Strategy.TaskPerformances[a], c.Strategy.TaskPerformances[b]; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	n := min(5, (len(names)+1)/2)
	for _, name := range names[:n] {
		c.Best = append(c.Best, fact{name, fixed(c.Strategy.TaskPerformances[name])})
	}
	for _, name := range names[max(n, len(names)-n):] {
		c.Last = append(c.Last, fact{name, fixed(c.Strategy.TaskPerformances[name])})
	}
}

// Nearest returns the n hand-designed strategies whose encoded points are nearest to that of s.
func Nearest(s rsie.Strategy, n int) []Neighbour {
	sp := rsie.StrategySpace
	x, y := make([]float64, sp.Dim()), make([]float64, sp.Dim())
	sp.Encode(x, s)
	own := s.Digest()
	var out []Neighbour
	for _, b := range rsie.Baselines() {
		sp.Encode(y, b)
		sum := 0.0
		for k := range x {
			sum += (x[k] - y[k]) * (x[k] - y[k])
		}
		out = append(out, Neighbour{Name: b.GenomeID, Words: meta.Describe(b), Source: b.Source,
			Distance: math.Sqrt(sum / float64(sp.Dim())), Differences: len(meta.Diff(s, b)), Same: b.Digest() == own})
	}
	slices.SortStableFunc(out, func(a, b Neighbour) int {
		switch {
		case a.Same != b.Same:
			if a.Same {
				return -1
			}
			return 1
		case a.Distance < b.Distance:
			return -1
		case a.Distance > b.Distance:
			return 1
		}
		return 0
	})
	return out[:min(n, len(out))]
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
		parts = append(parts, fmt.Sprintf("%s %s instead of %s", d.Gene, rounded(d.A), rounded(d.B)))
	}
	text := fmt.Sprintf("Nearest known algorithm: %s (distance %.2f, where 0 is equal and 1 the opposite corner of the space)",
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

// searched returns the values of a gene that level 2 searches, in words.
func searched(g rsie.Gene) string {
	switch {
	case g.Kind == rsie.Category:
		return strings.Join(g.Values, ", ")
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
