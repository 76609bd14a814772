package task

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// training returns the values of the training rows.
func training(values []float64, part []rsie.Part) []float64 {
	var out []float64
	for i, v := range values {
		if part[i] == rsie.Training {
			out = append(out, v)
		}
	}
	return out
}

// count returns how often each level stands in a training row.
func (c *column) count(part []rsie.Part) []int {
	counts := make([]int, len(c.levels))
	for i, code := range c.codes {
		if code >= 0 && part[i] == rsie.Training {
			counts[code]++
		}
	}
	return counts
}

// sortedLevels returns the levels by value when all are numbers, else by text.
func sortedLevels(levels []string) []string {
	out := slices.Clone(levels)
	slices.Sort(out)
	for _, level := range out {
		if _, kind := parseCell(level); kind != cellNumber {
			return out
		}
	}
	slices.SortStableFunc(out, func(a, b string) int {
		x, _ := parseCell(a)
		y, _ := parseCell(b)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	return out
}

// coding returns how a column becomes inputs, by its training rows.
func (c *column) coding(part []rsie.Part, standardise bool) (Column, error) {
	out := Column{Name: c.name, Std: 1}
	if c.use == useCategory {
		counts := c.count(part)
		for code, n := range counts {
			if n > 0 {
				out.Levels = append(out.Levels, c.levels[code])
			}
		}
		if out.Levels == nil {
			return out, fmt.Errorf("column %s has no value in the training rows; list it under ignore", c.name)
		}
		out.Levels = sortedLevels(out.Levels)
		most := 0
		for _, level := range out.Levels {
			if n := counts[c.index[level]]; n > most {
				most, out.FillLevel = n, level
			}
		}
		return out, nil
	}
	values := training(c.values, part)
	sum, present := 0.0, 0
	for _, v := range values {
		if !math.IsNaN(v) {
			sum += v
			present++
		}
	}
	if present == 0 {
		return out, fmt.Errorf("column %s has no value in the training rows; list it under ignore", c.name)
	}
	out.Fill = sum / float64(present)
	for i, v := range values {
		if math.IsNaN(v) {
			values[i] = out.Fill
		}
	}
	if standardise {
		out.Mean, out.Std = meanStd(values)
	}
	return out, nil
}

// width returns how many inputs the column becomes.
func (c *Column) width() int { return max(1, len(c.Levels)) }

// inputs returns how many numbers a row becomes.
func (c *TableCoding) inputs() int {
	n := 0
	for k := range c.Columns {
		n += c.Columns[k].width()
	}
	return n
}

// outputs returns the width of an answer.
func (c *TableCoding) outputs() int {
	switch {
	case c.Target.Inputs:
		return c.inputs()
	case c.Target.Classes != nil:
		return len(c.Target.Classes)
	}
	return 1
}

// fill returns the rows of one part. Categories that no training row has become zeros, with a
// warning that counts them.
func (c *TableCoding) fill(t *table, part []rsie.Part, which rsie.Part,
	warn func(string, ...any)) (*rsie.Rows, error) {
	var at []int // rows of the table
	for i, p := range part {
		if p == which {
			at = append(at, i)
		}
	}
	rows := &rsie.Rows{S: len(at)}
	var unseen []string
	rows.Inputs, unseen = c.encode(t, at)
	for _, text := range unseen {
		warn("%s rows: %s", which, text)
	}
	y := t.column(c.Target.Name)
	switch {
	case c.Target.Inputs:
		rows.Targets = rows.Inputs
	case c.Target.Classes != nil:
		rows.Classes = make([]int32, len(at))
		class := levelIndex(c.Target.Classes, y.levels)
		for s, i := range at {
			rows.Classes[s] = class[y.codes[i]]
		}
	default:
		rows.Targets = make([]float64, len(at))
		for s, i := range at {
			rows.Targets[s] = round32((y.values[i] - c.Target.Mean) / c.Target.Std)
		}
	}
	return rows, nil
}

// levelIndex returns, for each level of a file, its place among the known ones, or codeUnseen.
func levelIndex(known, levels []string) []int32 {
	out := make([]int32, len(levels))
	for code, level := range levels {
		if out[code] = int32(slices.Index(known, level)); out[code] < 0 {
			out[code] = codeUnseen
		}
	}
	return out
}

// encode returns the inputs [len(at), inputs] of the rows at, and a sentence for each column
// with categories that are not known.
func (c *TableCoding) encode(t *table, at []int) (inputs []float64, unseen []string) {
	width := c.inputs()
	inputs = make([]float64, len(at)*width)
	offset := 0
	for k := range c.Columns {
		column := &c.Columns[k]
		from := t.column(column.Name)
		if column.Levels == nil {
			for s, i := range at {
				v := from.values[i]
				if math.IsNaN(v) {
					v = column.Fill
				}
				inputs[s*width+offset] = round32((v - column.Mean) / column.Std)
			}
		} else if n := column.oneHot(inputs[offset:], width, from, at); n > 0 {
			unseen = append(unseen, fmt.Sprintf(
				"column %s: %d cells hold categories that were not in the training rows; they count as none",
				column.Name, n))
		}
		offset += column.width()
	}
	return inputs, unseen
}

// oneHot writes 1 at the level of each row, rows being stride apart, and returns how many cells
// have no known level.
func (c *Column) oneHot(dst []float64, stride int, from *column, at []int) (unseen int) {
	place := levelIndex(c.Levels, from.levels)
	fill := slices.Index(c.Levels, c.FillLevel)
	for s, i := range at {
		level := fill
		switch code := from.codes[i]; {
		case code == codeUnseen || code >= 0 && place[code] < 0:
			unseen++
			continue
		case code >= 0:
			level = int(place[code])
		}
		dst[s*stride+level] = 1
	}
	return unseen
}

// check returns an error unless the coding is whole and fits a network.
func (c *TableCoding) check(inputs, outputs int) error {
	if len(c.Columns) == 0 || len(c.Columns) > MaxColumns {
		return fmt.Errorf("coding has %d columns; allowed are 1 to %d", len(c.Columns), MaxColumns)
	}
	seen := map[string]bool{}
	for _, column := range c.Columns {
		if column.Name == "" || seen[column.Name] {
			return fmt.Errorf("coding: column %q has no name, or one that stands twice", column.Name)
		}
		seen[column.Name] = true
		if !(column.Std > 0) || !finite(column.Std, column.Mean, column.Fill) || len(column.Levels) > MaxLevels {
			return fmt.Errorf("coding: column %q: want finite numbers, std above 0, at most %d levels",
				column.Name, MaxLevels)
		}
		if column.Levels != nil && !slices.Contains(column.Levels, column.FillLevel) {
			return fmt.Errorf("coding: column %q: fill_level %q is not a level", column.Name, column.FillLevel)
		}
	}
	if t := c.Target; !(t.Std > 0) || !finite(t.Std, t.Mean) || t.Classes != nil && len(t.Classes) < 2 {
		return fmt.Errorf("coding: target %q: want finite numbers, std above 0, classes at least 2", t.Name)
	}
	if c.inputs() != inputs || c.outputs() != outputs {
		return fmt.Errorf("coding has %d inputs and %d outputs, the network has %d and %d",
			c.inputs(), c.outputs(), inputs, outputs)
	}
	return nil
}

func finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// rows reads a CSV file that has the input columns, in any order; others are not looked at.
func (c *TableCoding) rows(r io.Reader, name string, warn func(string)) (*rsie.Rows, error) {
	open := func(header []string) ([]*column, error) {
		out := make([]*column, len(header))
		for _, want := range c.Columns {
			k := slices.Index(header, want.Name)
			if k < 0 {
				return nil, fmt.Errorf("column %q is missing; the model reads %s", want.Name, shortList(c.names()))
			}
			out[k] = &column{name: want.Name, use: useNumber}
			if want.Levels != nil {
				out[k].use, out[k].closed = useCategory, true
				out[k].levels, out[k].index = want.Levels, map[string]int32{}
				for code, level := range want.Levels {
					out[k].index[level] = int32(code)
				}
			}
		}
		return out, nil
	}
	t, err := tableReader{name: name, open: open}.read(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", rsie.ErrInvalid, err)
	}
	if n := t.rows * (c.inputs() + c.outputs()); n > maxCells {
		return nil, fmt.Errorf("%w: %s becomes %d numbers; allowed are %d; split the file",
			rsie.ErrInvalid, name, n, maxCells)
	}
	at := make([]int, t.rows)
	for i := range at {
		at[i] = i
	}
	out := &rsie.Rows{S: t.rows}
	var unseen []string
	out.Inputs, unseen = c.encode(t, at)
	for _, text := range unseen {
		warn(name + ": " + text)
	}
	if c.Target.Classes != nil {
		out.Classes = make([]int32, t.rows)
	} else {
		out.Targets = make([]float64, t.rows*c.outputs())
	}
	return out, nil
}

func (c *TableCoding) names() []string {
	var out []string
	for _, column := range c.Columns {
		out = append(out, column.Name)
	}
	return out
}

// write writes, after a header, the class and the probability of every class; or the number in
// original units; or the columns again, categories by their largest output.
func (c *TableCoding) write(w io.Writer, outputs []float64) error {
	out := csv.NewWriter(w)
	header := []string{c.Target.Name}
	switch {
	case c.Target.Inputs:
		header = c.names()
	case c.Target.Classes != nil:
		for _, class := range c.Target.Classes {
			header = append(header, "p_"+class)
		}
	}
	if err := out.Write(header); err != nil {
		return err
	}
	width := c.outputs()
	record := make([]string, len(header))
	p := make([]float64, width)
	for ; len(outputs) >= width; outputs = outputs[width:] {
		c.answer(record, p, outputs[:width])
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// answer writes the cells of one row of outputs to record; p is scratch of the same width.
func (c *TableCoding) answer(record []string, p, outputs []float64) {
	switch {
	case c.Target.Inputs:
		for k := range c.Columns {
			column := &c.Columns[k]
			here := outputs[:column.width()]
			if column.Levels != nil {
				record[k] = column.Levels[argmax(here)]
			} else {
				record[k] = formatNumber(here[0]*column.Std + column.Mean)
			}
			outputs = outputs[column.width():]
		}
	case c.Target.Classes != nil:
		record[0] = c.Target.Classes[argmax(outputs)]
		softmax(p, outputs)
		for k, v := range p {
			record[k+1] = formatNumber(v)
		}
	default:
		record[0] = formatNumber(outputs[0]*c.Target.Std + c.Target.Mean)
	}
}

// formatNumber returns the shortest text that reads back as v.
func formatNumber(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
