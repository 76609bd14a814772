package task

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// tabularSpec is a table: a class, a number or the row itself from the columns of a CSV file.
//
// A column is a category when its first cell that is not missing is text, a number otherwise;
// categories and numbers overrule that. A missing number is the mean of the training rows, a
// missing category their most frequent level. Every statistic is that of the training rows.
type tabularSpec struct {
	Data        string     `yaml:"data"`
	Target      string     `yaml:"target"` // a column, or inputs: the row itself
	Goal        string     `yaml:"goal"`   // classification, regression; default: see decideGoal
	Ignore      []string   `yaml:"ignore"`
	Categories  []string   `yaml:"categories"`
	Numbers     []string   `yaml:"numbers"`
	Standardise string     `yaml:"standardise"` // all (default), inputs, target, none
	Parts       *partsSpec `yaml:"parts"`
	Every       int        `yaml:"every"` // keep rows 0, every, 2·every, ..; default 1

	steps int // of a series of columns, the first step first; 0: not a series
}

const targetInputs = "inputs" // a target that is the row itself

// partsSpec says which rows are training, validation and test.
type partsSpec struct {
	// Rule: mod5 (default): row i is test if i mod 5 = 4, validation if 3, else training;
	// position: the first share is training, the next validation, the rest test;
	// shuffle: by position, in an order drawn from Seed.
	Rule       string   `yaml:"rule"`
	Training   *float64 `yaml:"training"` // shares of position and shuffle: 0.6, 0.2, 0.2
	Validation *float64 `yaml:"validation"`
	Test       *float64 `yaml:"test"`
	Seed       uint64   `yaml:"seed"`
}

// build reads the table and makes the network.
func (s *tabularSpec) build(t *Task, c *loading) error {
	if err := s.check(); err != nil {
		return c.invalid("%v", err)
	}
	data, err := s.read(c)
	if err != nil {
		return c.invalid("data: %v", err)
	}
	part, err := s.Parts.assign(data.rows)
	if err != nil {
		return c.invalid("%s: %v", s.Data, err)
	}
	coding, reason, err := s.coding(data, part)
	if err != nil {
		return c.invalid("%s: %v", s.Data, err)
	}
	m := rsie.Model{Layers: []int{coding.inputs(), coding.outputs()}, Steps: s.steps, Loss: rsie.MeanSquared}
	if coding.Target.Classes != nil {
		m.Loss = rsie.CrossEntropy
	}
	if s.steps > 0 {
		if m.Layers[0]%s.steps != 0 {
			return c.invalid("%s: %d input columns are not a whole number of columns for each of %d steps",
				s.Data, m.Layers[0], s.steps)
		}
		m.Layers[0] /= s.steps
	}
	model, err := c.model(m)
	if err != nil {
		return err
	}
	if rows := data.rows * (coding.inputs() + coding.outputs()); rows > maxCells {
		return c.invalid("%s: the table becomes %d numbers; allowed are %d; keep fewer rows with every",
			s.Data, rows, maxCells)
	}
	p := &modelProblem{name: t.Name, model: model}
	for _, which := range []rsie.Part{rsie.Training, rsie.Validation, rsie.Test} {
		if p.rows[which], err = coding.fill(data, part, which, c.warn); err != nil {
			return c.invalid("%s: %v", s.Data, err)
		}
	}
	t.Problem, t.coding, t.digest = p, &Coding{Table: coding}, p.digest()
	t.metrics = p.measured(numberMetrics(coding.Target.Std))
	if m.Loss == rsie.CrossEntropy {
		t.metrics = p.measured(classMetrics)
	}
	t.Description = strings.TrimSpace(t.Description + "\n" + reason)
	return nil
}

// check refuses values outside their ranges.
func (s *tabularSpec) check() error {
	for _, f := range []struct {
		name, value string
		allowed     []string
	}{
		{"goal", s.Goal, []string{"", "classification", "regression"}},
		{"standardise", s.Standardise, []string{"", "all", "inputs", "target", "none"}},
	} {
		if !slices.Contains(f.allowed, f.value) {
			return fmt.Errorf("%s %q; allowed are %s", f.name, f.value, quoted(f.allowed[1:]))
		}
	}
	if s.Data == "" || s.Target == "" {
		return fmt.Errorf("data and target are needed: a CSV file, and a column of it or %q", targetInputs)
	}
	if s.Every < 0 || s.Every > MaxRows {
		return fmt.Errorf("every %d; allowed are 1 to %d", s.Every, MaxRows)
	}
	if s.Target == targetInputs && s.Goal == "classification" {
		return fmt.Errorf("goal classification does not fit target %q", targetInputs)
	}
	return nil
}

// read opens and reads the file.
func (s *tabularSpec) read(c *loading) (*table, error) {
	f, err := c.open(s.Data)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return tableReader{name: s.Data, every: s.Every, open: s.columns}.read(f)
}

// columns says what each column of a header is read as.
func (s *tabularSpec) columns(header []string) ([]*column, error) {
	for _, list := range [][]string{{s.Target}, s.Ignore, s.Categories, s.Numbers} {
		for _, name := range list {
			if !slices.Contains(header, name) && name != targetInputs {
				return nil, fmt.Errorf("there is no column %q; the columns are %s", name, shortList(header))
			}
		}
	}
	if slices.Contains(s.Ignore, s.Target) {
		return nil, fmt.Errorf("column %s is the target and cannot stand under ignore", s.Target)
	}
	out := make([]*column, len(header))
	for k, name := range header {
		c := &column{name: name, use: useAuto}
		category, number := slices.Contains(s.Categories, name), slices.Contains(s.Numbers, name)
		switch {
		case category && number:
			return nil, fmt.Errorf("column %s stands under categories and under numbers", name)
		case slices.Contains(s.Ignore, name):
			continue
		case category:
			c.use = useCategory
		case number || name == s.Target && s.Goal == "regression":
			c.use = useNumber
		}
		out[k] = c
	}
	return out, nil
}

// shortList joins at most 20 names.
func shortList(list []string) string {
	if len(list) <= 20 {
		return quoted(list)
	}
	return fmt.Sprintf("%s and %d more", quoted(list[:20]), len(list)-20)
}

// assign returns the part of each of n rows; every part has at least one.
func (s *partsSpec) assign(n int) ([]rsie.Part, error) {
	if s == nil {
		s = &partsSpec{}
	}
	out := make([]rsie.Part, n)
	shares := [3]float64{0.6, 0.2, 0.2}
	given := false
	for k, f := range []*float64{s.Training, s.Validation, s.Test} {
		if f != nil {
			shares[k], given = *f, true
		}
		if !(shares[k] > 0 && shares[k] < 1) {
			return nil, fmt.Errorf("parts.%s %g; allowed are values between 0 and 1", rsie.Part(k+1), shares[k])
		}
	}
	if sum := shares[0] + shares[1] + shares[2]; math.Abs(sum-1) > 1e-9 {
		return nil, fmt.Errorf("the shares of parts sum to %g, want 1; give training, validation and test", sum)
	}
	switch s.Rule {
	case "", "mod5":
		if given {
			return nil, fmt.Errorf("parts.rule mod5 has fixed shares; use position or shuffle")
		}
		for i := range out {
			out[i] = [5]rsie.Part{rsie.Training, rsie.Training, rsie.Training, rsie.Validation, rsie.Test}[i%5]
		}
	case "position", "shuffle":
		byPosition(out, shares)
		if s.Rule == "shuffle" {
			shuffle(out, rsie.NewKey(s.Seed))
		}
	default:
		return nil, fmt.Errorf("parts.rule %q; allowed are mod5, position, shuffle", s.Rule)
	}
	for _, part := range []rsie.Part{rsie.Training, rsie.Validation, rsie.Test} {
		if !slices.Contains(out, part) {
			return nil, fmt.Errorf("%d rows leave none for the %s part; want at least 5 rows", n, part)
		}
	}
	return out, nil
}

// byPosition makes the first shares training and validation, rounded down, and the rest test.
func byPosition(out []rsie.Part, shares [3]float64) {
	const slip = 1e-9 // 0.6·n must not fall below a whole number by rounding
	n := float64(len(out))
	training, validation := int(n*shares[0]+slip), int(n*(shares[0]+shares[1])+slip)
	for i := range out {
		switch {
		case i < training:
			out[i] = rsie.Training
		case i < validation:
			out[i] = rsie.Validation
		default:
			out[i] = rsie.Test
		}
	}
}

// shuffle permutes out uniformly (Fisher-Yates; Knuth, TAOCP 2, algorithm 3.4.2P).
func shuffle(out []rsie.Part, k rsie.Key) {
	for i := len(out) - 1; i > 0; i-- {
		j := rsie.Below(k.Words(uint32(i), 0, 0, 0, rsie.StreamProblem)[0], uint32(i+1))
		out[i], out[j] = out[j], out[i]
	}
}

// coding returns how the table becomes numbers, by the statistics of its training rows, and how
// the goal was decided.
func (s *tabularSpec) coding(t *table, part []rsie.Part) (*TableCoding, string, error) {
	out := &TableCoding{Target: Target{Std: 1}}
	inputs := s.Standardise != "target" && s.Standardise != "none"
	for _, c := range t.columns {
		if c.name == s.Target {
			continue
		}
		column, err := c.coding(part, inputs)
		if err != nil {
			return nil, "", err
		}
		out.Columns = append(out.Columns, column)
	}
	if len(out.Columns) == 0 {
		return nil, "", fmt.Errorf("there is no input column beside the target")
	}
	if s.Target == targetInputs && t.column(targetInputs) == nil {
		out.Target.Inputs = true
		return out, "goal regression: the target is the row itself", nil
	}
	y := t.column(s.Target)
	out.Target.Name = s.Target
	if y.missing > 0 {
		return nil, "", fmt.Errorf("line %d: the target %s is missing, as in %d rows; remove them",
			y.missingLine, y.name, y.missing)
	}
	if s.Goal == "regression" && y.use == useCategory {
		return nil, "", fmt.Errorf("column %s is a category; goal regression needs numbers", y.name)
	}
	goal, reason := s.decideGoal(y)
	if goal == "classification" {
		err := out.Target.setClasses(y, part)
		return out, reason, err
	}
	if s.Standardise == "" || s.Standardise == "all" || s.Standardise == "target" {
		out.Target.Mean, out.Target.Std = meanStd(training(y.values, part))
	}
	return out, reason, nil
}

// decideGoal returns the goal and, where the file does not say it, why. Without a goal in the
// file it is classification when the target is text, or whole numbers with at most 20 different
// values that appear five times each on average; two values always make classes.
func (s *tabularSpec) decideGoal(y *column) (goal, reason string) {
	different := len(y.levels)
	if y.use == useNumber {
		different = countDifferent(y.values, 21)
	}
	switch {
	case s.Goal != "":
		return s.Goal, ""
	case y.use == useCategory:
		goal, reason = "classification", fmt.Sprintf("target %s is text with %d classes", y.name, different)
	case y.fractionLine == 0 && different <= max(2, min(20, len(y.values)/5)):
		goal, reason = "classification", fmt.Sprintf("target %s has %d different whole numbers", y.name, different)
	default:
		goal, reason = "regression", fmt.Sprintf("target %s is a number", y.name)
	}
	return goal, fmt.Sprintf("goal %s: %s", goal, reason)
}

// countDifferent returns how many different values there are, at most limit.
func countDifferent(values []float64, limit int) int {
	seen := map[float64]bool{}
	for _, v := range values {
		if seen[v] = true; len(seen) == limit {
			break
		}
	}
	return len(seen)
}

// setClasses sets the classes to those of the training rows, sorted; another class in another
// part is refused, for no training can teach it.
func (y *Target) setClasses(c *column, part []rsie.Part) error {
	if c.use == useNumber {
		if c.fractionLine > 0 {
			return fmt.Errorf("line %d: column %s: class %g is not a whole number; use goal: regression, "+
				"or list the column under categories", c.fractionLine, c.name, c.fraction)
		}
		c.toCategory()
	}
	if len(c.levels) > MaxLevels {
		return fmt.Errorf("column %s has %d classes; allowed are %d", c.name, len(c.levels), MaxLevels)
	}
	counts := c.count(part)
	for code, level := range c.levels {
		if counts[code] == 0 {
			return fmt.Errorf("class %q of column %s appears in no training row; "+
				"use parts: {rule: shuffle}, or remove its rows", level, c.name)
		}
	}
	if len(c.levels) < 2 {
		return fmt.Errorf("column %s has one class only, %q; want at least 2", c.name, c.levels[0])
	}
	y.Classes = sortedLevels(c.levels)
	return nil
}

// toCategory makes whole numbers texts.
func (c *column) toCategory() {
	c.use, c.index = useCategory, map[string]int32{}
	c.codes = make([]int32, len(c.values))
	for i, v := range c.values {
		text := strconv.FormatFloat(v, 'f', -1, 64)
		code, ok := c.index[text]
		if !ok {
			code = int32(len(c.levels))
			c.index[text], c.levels = code, append(c.levels, text)
		}
		c.codes[i] = code
	}
	c.values = nil
}
