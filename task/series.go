package task

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// windows returns rows that predict position t of target from the steps positions before it, for
// t in [from, to) and t >= steps. Each step holds one value of every column. Nil when there are
// none. Position len(target) may be asked for; its target is 0.
func windows(columns [][]float64, target []float64, steps, from, to int) *rsie.Rows {
	from = max(from, steps)
	if from >= to {
		return nil
	}
	out := &rsie.Rows{S: to - from, Targets: make([]float64, to-from)}
	out.Inputs = make([]float64, 0, out.S*steps*len(columns))
	for t := from; t < to; t++ {
		for step := t - steps; step < t; step++ {
			for _, column := range columns {
				out.Inputs = append(out.Inputs, round32(column[step]))
			}
		}
		if t < len(target) {
			out.Targets[t-from] = round32(target[t])
		}
	}
	return out
}

// readSeries reads the named columns of a CSV file, in order of names, without missing values.
func readSeries(r io.Reader, name string, names []string) ([][]float64, error) {
	open := func(header []string) ([]*column, error) {
		out := make([]*column, len(header))
		for _, want := range names {
			k := slices.Index(header, want)
			if k < 0 {
				return nil, fmt.Errorf("there is no column %q; the columns are %s", want, shortList(header))
			}
			out[k] = &column{name: want, use: useNumber}
		}
		return out, nil
	}
	t, err := tableReader{name: name, open: open}.read(r)
	if err != nil {
		return nil, err
	}
	out := make([][]float64, len(names))
	for i, want := range names {
		c := t.column(want)
		if c.missing > 0 {
			return nil, fmt.Errorf("%s:%d: column %s: a value is missing, as in %d rows; a series has no gaps",
				name, c.missingLine, want, c.missing)
		}
		out[i] = c.values
	}
	return out, nil
}

// standardised returns (values - mean)/std.
func standardised(values []float64, mean, std float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = (v - mean) / std
	}
	return out
}

// check returns an error unless the coding is whole and fits a network.
func (c *SeriesCoding) check(inputs, outputs int) error {
	if c.Steps < 1 || c.Steps > MaxContext || c.Column == "" || !(c.Std > 0) || !finite(c.Mean, c.Std) {
		return fmt.Errorf("coding: column %q with %d steps, mean %g, std %g; want a name, 1 to %d "+
			"steps, finite numbers and std above 0", c.Column, c.Steps, c.Mean, c.Std, MaxContext)
	}
	if len(c.Inputs) > MaxColumns {
		return fmt.Errorf("coding: %d input columns; allowed are %d", len(c.Inputs), MaxColumns)
	}
	for _, in := range c.Inputs {
		if in.Name == "" || in.Levels != nil || !(in.Std > 0) || !finite(in.Mean, in.Std) {
			return fmt.Errorf("coding: input %q with mean %g, std %g; want the name of a column of "+
				"numbers, finite numbers and std above 0", in.Name, in.Mean, in.Std)
		}
	}
	if width := c.Steps * len(c.columns()); inputs != width || outputs != 1 {
		return fmt.Errorf("coding has %d inputs and 1 output, the network has %d and %d",
			width, inputs, outputs)
	}
	return nil
}

// columns returns the columns that a step reads.
func (c *SeriesCoding) columns() []Column {
	if len(c.Inputs) > 0 {
		return c.Inputs
	}
	return []Column{{Name: c.Column, Mean: c.Mean, Std: c.Std}}
}

// rows reads a CSV file with the columns of a step; there is one row for every position that has
// Steps values before it, and a last one for the value after the end.
func (c *SeriesCoding) rows(r io.Reader, name string, _ func(string)) (*rsie.Rows, error) {
	columns := c.columns()
	names := make([]string, len(columns))
	for i, in := range columns {
		names[i] = in.Name
	}
	read, err := readSeries(r, name, names)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", rsie.ErrInvalid, err)
	}
	n := len(read[0])
	if n < c.Steps {
		return nil, fmt.Errorf("%w: %s has %d rows; the model reads at least %d", rsie.ErrInvalid,
			name, n, c.Steps)
	}
	if n+1 > maxCells/(c.Steps*len(columns)) {
		return nil, fmt.Errorf("%w: %s becomes more than %d numbers; split the file",
			rsie.ErrInvalid, name, maxCells)
	}
	for i, in := range columns {
		read[i] = standardised(read[i], in.Mean, in.Std)
	}
	return windows(read, make([]float64, n), c.Steps, c.Steps, n+1), nil
}

// write writes the predicted values in original units.
func (c *SeriesCoding) write(w io.Writer, outputs []float64) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{c.Column}); err != nil {
		return err
	}
	for _, v := range outputs {
		if err := out.Write([]string{formatNumber(v*c.Std + c.Mean)}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
