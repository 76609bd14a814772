package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/report"
)

type strategyCmd struct {
	List     strategyListCmd     `cmd:"" help:"List the hand-designed strategies, and those of a file."`
	Show     strategyShowCmd     `cmd:"" help:"Show a strategy's genes."`
	Diff     strategyDiffCmd     `cmd:"" help:"Show the genes in which two strategies differ."`
	Validate strategyValidateCmd `cmd:"" help:"Check a strategy file."`
}

type strategyListCmd struct {
	File string `arg:"" optional:"" help:"File of strategies."`
	jsonFlag
}

// Run lists strategies.
func (c *strategyListCmd) Run(e *env) error {
	all := rsie.Baselines()
	if c.File != "" {
		var err error
		if all, err = meta.LoadStrategies(c.File); err != nil {
			return err
		}
	}
	if c.JSON {
		return printJSON(e.stdout, map[string][]rsie.Strategy{"strategies": all})
	}
	rows := [][]string{{"genome_id", "what it is", "meta-fitness"}}
	for _, s := range all {
		score := "-"
		if s.FitnessScore != nil {
			score = fixed(*s.FitnessScore)
		}
		rows = append(rows, []string{s.GenomeID, meta.Describe(s), score})
	}
	table(e.stdout, 2, rows)
	return nil
}

type strategyShowCmd struct {
	Strategy string `arg:"" help:"NAME, FILE or FILE#genome_id."`
	HTML     bool   `help:"Write a card of the strategy as one HTML page." name:"html"`
	Out      string `help:"File of the card. Default: NAME.html here." placeholder:"FILE.html"`
	jsonFlag
}

// Run shows every gene that has an effect, with the values it is searched among.
func (c *strategyShowCmd) Run(e *env) error {
	s, err := meta.FindStrategy(c.Strategy)
	if err != nil {
		return err
	}
	if c.HTML {
		return c.card(e, s)
	}
	if c.JSON {
		return printJSON(e.stdout, s)
	}
	fmt.Fprintf(e.stdout, "%s: %s\n", s.GenomeID, meta.Describe(s))
	if s.FitnessScore != nil {
		fmt.Fprintf(e.stdout, "meta-fitness %.3f (maximised)\n", *s.FitnessScore)
	}
	rows := [][]string{{"gene", "value", "searched"}}
	left := 0
	for _, g := range rsie.StrategySpace {
		switch {
		case !g.IsActive(&s):
		case g.IsNeutral(&s):
			left++
		default:
			rows = append(rows, []string{g.Name, g.Format(&s), report.Searched(g)})
		}
	}
	table(e.stdout, 3, rows)
	if left > 0 {
		fmt.Fprintf(e.stdout, "Not listed: %d parts of laws that change nothing (exponents of 0, constant schedules).\n", left)
	}
	return nil
}

// card writes the page of a strategy.
func (c *strategyShowCmd) card(e *env, s rsie.Strategy) error {
	card, err := cardOf(c.Strategy, s)
	if err != nil {
		return err
	}
	out := c.Out
	if out == "" {
		out = fileName(card.Name) + ".html"
	}
	if err := checkWritable(out); err != nil {
		return err
	}
	var page bytes.Buffer
	if err := card.WriteHTML(&page, versionLine()); err != nil {
		return err
	}
	if err := writeFile(out, page.Bytes()); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e.stdout, map[string]any{"strategy": card.Name, "file": out, "nearest": card.Nearest[0].Name})
	}
	fmt.Fprintf(e.stdout, "written to %s\n%s\n", out, card.Sentence())
	return nil
}

// cardOf returns the card of a strategy with what is known of it: the run beside its file, else the
// final table in the file.
func cardOf(ref string, s rsie.Strategy) (*report.Card, error) {
	path, _, _ := strings.Cut(ref, "#")
	if !exists(path) {
		return report.CardOf(s), nil // a hand-designed one
	}
	if dir := filepath.Dir(path); exists(filepath.Join(dir, "run.db")) {
		r, err := loadRun(dir)
		if err != nil {
			return nil, err
		}
		if r.Holds(s) {
			return r.Card(s), nil
		}
	}
	l, err := meta.LoadLearned(path)
	if err != nil || l == nil {
		return report.CardOf(s), err
	}
	return report.CardOfLearned(s, l), nil
}

// fileName keeps what is plain in the name of a file.
func fileName(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, s), ".")
}

type strategyDiffCmd struct {
	A string `arg:"" help:"NAME, FILE or FILE#genome_id."`
	B string `arg:"" help:"NAME, FILE or FILE#genome_id."`
	jsonFlag
}

// Run lists the differing genes.
func (c *strategyDiffCmd) Run(e *env) error {
	a, err := meta.FindStrategy(c.A)
	if err != nil {
		return err
	}
	b, err := meta.FindStrategy(c.B)
	if err != nil {
		return err
	}
	diff := meta.Diff(a, b)
	if c.JSON {
		if diff == nil {
			diff = []meta.Difference{}
		}
		return printJSON(e.stdout, map[string]any{"a": a.GenomeID, "b": b.GenomeID, "differences": diff})
	}
	if len(diff) == 0 {
		fmt.Fprintln(e.stdout, "the same algorithm: no gene with an effect differs")
		return nil
	}
	rows := [][]string{{"gene", a.GenomeID, b.GenomeID}}
	for _, d := range diff {
		rows = append(rows, []string{d.Gene, d.A, d.B})
	}
	table(e.stdout, 3, rows)
	fmt.Fprintln(e.stdout, "- marks a gene without effect in that strategy.")
	return nil
}

type strategyValidateCmd struct {
	File string `arg:"" help:"File of one or more strategies."`
	jsonFlag
}

// Run reads the file and reports how many strategies it holds.
func (c *strategyValidateCmd) Run(e *env) error {
	all, err := meta.LoadStrategies(c.File)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e.stdout, map[string]any{"file": c.File, "valid": len(all)})
	}
	fmt.Fprintf(e.stdout, "%s: %d valid\n", c.File, len(all))
	return nil
}
