package task

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Starter looks at a CSV file and returns a commented task file for it, which stands beside the
// file csvName. Columns that no network can learn from (a text for every row, a running number,
// nothing at all) are listed under ignore, with the reason.
//
// It returns [rsie.ErrInvalid] with file, line and column where the data need the user's hand.
func Starter(csvName string, r io.Reader, target string) ([]byte, error) {
	s := tabularSpec{Data: csvName, Target: target}
	open := func(header []string) ([]*column, error) {
		if target == "" {
			return nil, fmt.Errorf("the target is needed, one of the columns %s", shortList(header))
		}
		columns, err := s.columns(header)
		for _, c := range columns {
			c.lenient = c.name != target
		}
		return columns, err
	}
	t, err := tableReader{name: csvName, open: open}.read(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", rsie.ErrInvalid, err)
	}
	reasons := map[string]string{}
	for _, c := range t.columns {
		if reason := c.useless(); reason != "" && c.name != target {
			s.Ignore = append(s.Ignore, c.name)
			reasons[c.name] = reason
		}
	}
	kept := *t
	kept.columns = slices.DeleteFunc(slices.Clone(t.columns),
		func(c *column) bool { return reasons[c.name] != "" })
	coding, reason, rule, err := s.tryParts(&kept)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %v", rsie.ErrInvalid, csvName, err)
	}
	return s.starterText(t, coding, reason, rule, reasons), nil
}

// StarterExample returns a task file with its data file, for a start without own data.
func StarterExample() ([]byte, map[string][]byte) {
	const name = "iris.csv"
	data, err := fs.ReadFile(embedded, "embedded/data/"+name)
	if err != nil {
		panic("task: an embedded file is missing: " + err.Error())
	}
	text, err := Starter(name, bytes.NewReader(data), "species")
	if err != nil {
		panic("task: the embedded example is refused: " + err.Error())
	}
	return text, map[string][]byte{name: data}
}

// useless returns why nothing can be learnt from a column, empty when something may be.
func (c *column) useless() string {
	cells := len(c.values) + len(c.codes)
	switch {
	case c.missing == cells:
		return "no value"
	case c.overflow:
		return fmt.Sprintf("more than %d different texts", MaxLevels)
	case c.use == useCategory && cells >= 10 && len(c.levels) > cells/2:
		return fmt.Sprintf("%d different texts in %d rows", len(c.levels), cells)
	}
	for i, v := range c.values {
		if len(c.values) < 10 || v != c.values[0]+float64(i) {
			return ""
		}
	}
	if c.use == useNumber {
		return "the number of the row"
	}
	return ""
}

// tryParts returns the coding with the first rule of parts that leaves no class out of training:
// mod5, or shuffle by one of 100 seeds.
func (s *tabularSpec) tryParts(t *table) (c *TableCoding, reason, rule string, err error) {
	for seed := range 101 {
		parts, rule := &partsSpec{Rule: "mod5"}, "{rule: mod5}"
		if seed > 0 {
			parts = &partsSpec{Rule: "shuffle", Seed: uint64(seed)}
			rule = fmt.Sprintf("{rule: shuffle, seed: %d}", seed)
		}
		part, err := parts.assign(t.rows)
		if err != nil {
			return nil, "", "", err
		}
		c, reason, failed := s.coding(t, part)
		if failed == nil {
			return c, reason, rule, nil
		}
		if seed == 100 {
			return nil, "", "", failed
		}
	}
	return nil, "", "", nil // not reached
}

var notInName = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// starterText writes the task file.
func (s *tabularSpec) starterText(t *table, coding *TableCoding, reason, rule string,
	reasons map[string]string) []byte {
	hidden := hiddenWidth(t.rows)
	goal := "regression"
	if coding.Target.Classes != nil {
		goal = "classification"
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Tasks of RSIE. Every field is described in the project's")
	line("# task/schema/task.schema.json.")
	line("version: 1")
	line("")
	line("# Evaluations of one run: how often a network is tried. More is slower and better.")
	line("budget: 10000")
	line("")
	line("tasks:")
	line("  - name: %s", yamlText(taskName(s.Data)))
	line("    kind: tabular")
	line("    split: training     # strategies are learnt on it; validation tasks choose among them")
	line("    data: %s   # %d rows, relative to this file", yamlText(s.Data), t.rows)
	line("    target: %s", yamlText(s.Target))
	line("    goal: %s   # %s", goal, comment(strings.TrimPrefix(reason, "goal "+goal+": ")))
	if len(s.Ignore) > 0 {
		line("    ignore:             # nothing can be learnt from these columns")
		for _, column := range s.Ignore {
			line("      - %s   # %s", yamlText(column), reasons[column])
		}
	}
	line("    # Columns whose numbers are names (codes, years as groups) belong here:")
	line("    # categories: [COLUMN]")
	line("    # Numbers become (v - mean)/std by the training rows; a missing number is their mean, a")
	line("    # missing category their most frequent one.")
	line("    standardise: all    # or inputs, target, none")
	line("    # mod5: row i is test if i mod 5 = 4, validation if 3, else training.")
	line("    parts: %s   # or position, shuffle, with training, validation, test shares", rule)
	line("    network: {hidden: [%d], activation: tanh}   # or relu, sigmoid, linear; more layers: [%d, %d]",
		hidden, hidden, hidden)
	line("    # The anchors, random search's fitness and the best known, are measured by rsie evolve, or")
	line("    # written here by: rsie tasks anchors FILE")
	line("")
	line("# The columns as they are read (%d inputs of the network in all):", coding.inputs())
	for _, c := range t.columns {
		text := c.summary()
		if c.name == s.Target {
			text += " (the target)"
		}
		line("#   %s", comment(text))
	}
	return []byte(b.String())
}

// taskName returns the name of a file without its ending as the name of a task.
func taskName(file string) string {
	base := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	name := strings.Trim(notInName.ReplaceAllString(base, "_"), "_")
	if name == "" {
		return "mine"
	}
	return name[:min(len(name), 60)]
}

// hiddenWidth returns the width of the hidden layer to begin with: more rows bear a wider one.
func hiddenWidth(rows int) int {
	switch {
	case rows < 200:
		return 8
	case rows < 2000:
		return 16
	}
	return 32
}

// summary says how a column is read.
func (c *column) summary() string {
	out := fmt.Sprintf("%s: number", c.name)
	if c.use == useCategory {
		shown := c.levels[:min(len(c.levels), 5)]
		out = fmt.Sprintf("%s: category, %d levels: %s", c.name, len(c.levels), quoted(shown))
		if len(shown) < len(c.levels) {
			out += ", ..."
		}
	} else if values := present(c.values); len(values) > 0 {
		out += fmt.Sprintf(" from %s to %s", formatNumber(slices.Min(values)), formatNumber(slices.Max(values)))
	}
	if c.missing > 0 {
		out += fmt.Sprintf("; %d missing", c.missing)
	}
	return out
}

// present returns the values that are not missing.
func present(values []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return v != v })
}

// comment returns text that fits on a comment line.
func comment(text string) string {
	if q := strconv.Quote(text); q[1:len(q)-1] != text && strings.ContainsAny(text, "\n\r\u0085\u2028\u2029") {
		return q
	}
	return text
}

// yamlText returns a text as a YAML value on one line.
func yamlText(s string) string {
	out, err := yaml.Marshal(s)
	if err != nil || bytes.Count(out, []byte("\n")) != 1 {
		return quote(s)
	}
	return strings.TrimSuffix(string(out), "\n")
}
