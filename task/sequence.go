package task

import (
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// sequenceSpec is a task on things in an order. Its forms:
//
//   - text: the next symbol from the context symbols before it, one-hot, oldest first. Alphabet
//     letters folds the text: lower-case, every character but a-z is a blank, runs of blanks are
//     one. Alphabet characters has the characters of the training part and U+FFFD for every
//     other. Parts by position: training [0, n·6/10), validation to n·8/10, test the rest
//     (integer division); targets are at start+context, then every stride, inside their part.
//   - series: the next value of the target column from the window values before it of every
//     column. Parts by position of the target as for text; inputs may reach back over a border.
//     Values are standardised by mean and deviation of the training positions.
//   - classes: a table of one series per row: steps groups of columns, the first step first,
//     and a class, the target.
//   - autoencoder: a table whose target is the standardised row itself.
//
// A dense network reads all steps at once, elman and gru one after the other.
type sequenceSpec struct {
	Form     string `yaml:"form"`
	Data     string `yaml:"data"`
	Alphabet string `yaml:"alphabet"` // text: letters (default), characters
	Context  int    `yaml:"context"`  // text: 1..4096
	Stride   int    `yaml:"stride"`   // text: 1 (default) .. 1e6

	Column  string   `yaml:"column"`  // series of one column; or ...
	Columns []string `yaml:"columns"` // ... the inputs, with the target
	Target  string   `yaml:"target"`  // series of several columns: a column; classes: the class
	Window  int      `yaml:"window"`  // series: 1..4096

	Steps  int        `yaml:"steps"`  // classes: 1..4096
	Ignore []string   `yaml:"ignore"` // classes, autoencoder: columns that are not read
	Every  int        `yaml:"every"`  // classes, autoencoder: keep rows 0, every, 2·every, ..
	Parts  *partsSpec `yaml:"parts"`  // classes, autoencoder
}

// sequenceFields are the fields of each form besides form and data.
var sequenceFields = map[string][]string{
	"text":        {"alphabet", "context", "stride"},
	"series":      {"column", "columns", "target", "window"},
	"classes":     {"target", "steps", "ignore", "every", "parts"},
	"autoencoder": {"ignore", "every", "parts"},
}

// build reads the data of the form and makes the network.
func (s *sequenceSpec) build(t *Task, c *loading) error {
	fields, ok := sequenceFields[s.Form]
	if !ok {
		return c.invalid("form %q; allowed are text, series, classes, autoencoder", s.Form)
	}
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"alphabet", s.Alphabet != ""}, {"context", s.Context != 0}, {"stride", s.Stride != 0},
		{"column", s.Column != ""}, {"columns", s.Columns != nil}, {"target", s.Target != ""},
		{"window", s.Window != 0}, {"steps", s.Steps != 0}, {"ignore", s.Ignore != nil},
		{"every", s.Every != 0}, {"parts", s.Parts != nil},
	} {
		if f.given && !slices.Contains(fields, f.name) {
			return c.invalid("%s does not belong to form %s; its fields are data, %s",
				f.name, s.Form, quoted(fields))
		}
	}
	if s.Data == "" {
		return c.invalid("data is needed: a file, relative to the task file")
	}
	switch s.Form {
	case "text":
		return s.buildText(t, c)
	case "series":
		return s.buildSeries(t, c)
	case "classes":
		return s.buildClasses(t, c)
	}
	table := tabularSpec{Data: s.Data, Target: targetInputs, Ignore: s.Ignore, Every: s.Every,
		Parts: s.Parts}
	if err := table.build(t, c); err != nil {
		return err
	}
	return s.checkNumbers(t, c)
}

// buildClasses makes a table whose input columns are steps.
func (s *sequenceSpec) buildClasses(t *Task, c *loading) error {
	if s.Steps < 1 || s.Steps > MaxContext {
		return c.invalid("steps %d; allowed are 1 to %d", s.Steps, MaxContext)
	}
	if s.Target == "" {
		return c.invalid("target is needed: the column with the class")
	}
	table := tabularSpec{Data: s.Data, Target: s.Target, Goal: "classification", Ignore: s.Ignore,
		Every: s.Every, Parts: s.Parts, steps: s.Steps}
	if err := table.build(t, c); err != nil {
		return err
	}
	return s.checkNumbers(t, c)
}

// checkNumbers refuses categories: one input each would shift the groups of the steps, and a
// squared error of an autoencoder says little about them.
func (s *sequenceSpec) checkNumbers(t *Task, c *loading) error {
	for _, column := range t.coding.Table.Columns {
		if column.Levels != nil {
			return c.invalid("%s: column %s holds text; form %s reads numbers; list it under ignore",
				s.Data, column.Name, s.Form)
		}
	}
	return nil
}

// borders returns where training, validation and test of n positions begin, and n.
func borders(n int) [4]int { return [4]int{0, n * 6 / 10, n * 8 / 10, n} }

// buildText makes the rows of a text.
func (s *sequenceSpec) buildText(t *Task, c *loading) error {
	alphabet, stride := s.Alphabet, s.Stride
	if alphabet == "" {
		alphabet = "letters"
	}
	if stride == 0 {
		stride = 1
	}
	if alphabet != "letters" && alphabet != "characters" {
		return c.invalid("alphabet %q; allowed are letters, characters", alphabet)
	}
	if s.Context < 1 || s.Context > MaxContext {
		return c.invalid("context %d; allowed are 1 to %d symbols", s.Context, MaxContext)
	}
	if stride < 1 || stride > 1e6 {
		return c.invalid("stride %d; allowed are 1 to 1000000", stride)
	}
	f, err := c.open(s.Data)
	if err != nil {
		return c.invalid("data: %v", err)
	}
	defer f.Close()
	text, err := readText(f, s.Data)
	if err != nil {
		return c.invalid("data: %v", err)
	}
	characters := []rune(text)
	coding := newTextCoding(alphabet, s.Context, characters[:borders(len(characters))[1]])
	classes := coding.classes(text)
	width := s.Context * len(coding.Symbols)
	if n := len(classes)/stride + 3; n > maxCells/width {
		return c.invalid("%s: about %d rows of %d inputs are more than %d numbers; use a larger stride",
			s.Data, n, width, maxCells)
	}
	p := &modelProblem{name: t.Name}
	at := borders(len(classes))
	for part := rsie.Training; part <= rsie.Test; part++ {
		p.rows[part] = coding.targets(classes, at[part-1], at[part], stride)
		if p.rows[part] == nil {
			return c.invalid("%s: %d symbols leave no target for the %s part with context %d; "+
				"want at least %d", s.Data, len(classes), part, s.Context, 5*s.Context+5)
		}
	}
	p.model, err = c.model(rsie.Model{Layers: []int{len(coding.Symbols), len(coding.Symbols)},
		Steps: s.Context, Loss: rsie.CrossEntropy})
	if err != nil {
		return err
	}
	t.Problem, t.coding, t.digest = p, &Coding{Text: coding}, p.digest()
	t.metrics = p.measured(symbolMetrics)
	return nil
}

// buildSeries makes the windows of a series.
func (s *sequenceSpec) buildSeries(t *Task, c *loading) error {
	names, target, err := s.seriesColumns(c)
	if err != nil {
		return err
	}
	f, err := c.open(s.Data)
	if err != nil {
		return c.invalid("data: %v", err)
	}
	defer f.Close()
	read, err := readSeries(f, s.Data, append(slices.Clone(names), target))
	if err != nil {
		return c.invalid("data: %v", err)
	}
	n := len(read[0])
	if n > maxCells/(s.Window*len(names)) {
		return c.invalid("%s: %d rows of %d inputs are more than %d numbers; use a smaller window",
			s.Data, n, s.Window*len(names), maxCells)
	}
	at := borders(n)
	coding := &SeriesCoding{Column: target, Steps: s.Window}
	for i, values := range read {
		mean, std := meanStd(values[:max(at[1], 1)])
		read[i] = standardised(values, mean, std)
		if i < len(names) && s.Column == "" {
			coding.Inputs = append(coding.Inputs, Column{Name: names[i], Mean: mean, Std: std})
		}
		coding.Mean, coding.Std = mean, std // the last is the target
	}
	p := &modelProblem{name: t.Name}
	for part := rsie.Training; part <= rsie.Test; part++ {
		p.rows[part] = windows(read[:len(names)], read[len(names)], s.Window, at[part-1], at[part])
		if p.rows[part] == nil {
			return c.invalid("%s: %d rows leave none for the %s part with window %d; want at least %d",
				s.Data, n, part, s.Window, 2*s.Window+5)
		}
	}
	p.model, err = c.model(rsie.Model{Layers: []int{len(names), 1}, Steps: s.Window,
		Loss: rsie.MeanSquared})
	if err != nil {
		return err
	}
	t.Problem, t.coding, t.digest = p, &Coding{Series: coding}, p.digest()
	t.metrics = p.measured(numberMetrics(coding.Std))
	return nil
}

// seriesColumns returns the input columns and the target of a series.
func (s *sequenceSpec) seriesColumns(c *loading) ([]string, string, error) {
	if s.Window < 1 || s.Window > MaxContext {
		return nil, "", c.invalid("window %d; allowed are 1 to %d steps", s.Window, MaxContext)
	}
	if s.Column != "" {
		if s.Columns != nil || s.Target != "" {
			return nil, "", c.invalid("column stands alone; for several inputs give columns and target")
		}
		return []string{s.Column}, s.Column, nil
	}
	if len(s.Columns) == 0 || s.Target == "" {
		return nil, "", c.invalid("give column, or columns with target")
	}
	seen := map[string]bool{}
	for _, name := range s.Columns {
		if seen[name] {
			return nil, "", c.invalid("column %s stands twice under columns", name)
		}
		seen[name] = true
	}
	return s.Columns, s.Target, nil
}
