package task

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a CSV file.
const (
	MaxTableBytes = 1 << 30
	MaxColumns    = 10_000
	MaxRows       = 10_000_000
	MaxLevels     = 1_000   // of a category, classes included
	maxRecord     = 1 << 20 // bytes of a row
	maxCells      = 1 << 27 // cells kept: 1 GiB as float64
	maxMagnitude  = 1e30    // of a number, so that float32 holds it
)

// use is what a column of a file is read as.
type use uint8

const (
	useNot      use = iota // not stored
	useAuto                // the first cell that is not missing decides
	useNumber              // text is an error
	useCategory            // numbers are texts as well
)

// Codes of cells of a category that stand for no level.
const (
	codeMissing int32 = -1
	codeUnseen  int32 = -2 // only where the levels are given
)

// table is a CSV file by columns.
type table struct {
	name    string    // of the file, for errors
	columns []*column // those that are stored, in the order of the file
	header  []string
	rows    int
}

// column holds the cells of a column: values of numbers, codes of categories.
type column struct {
	name   string
	use    use
	values []float64 // NaN where missing
	codes  []int32   // index in levels
	levels []string  // in order of appearance
	index  map[string]int32
	closed bool // levels are given: others are unseen

	missing, missingLine int // cells, and the line of the first
	unseen               int // cells
	numbers              int // cells of a category that are numbers
	firstText            string
	firstTextLine        int
	decided              bool    // use was auto
	lenient              bool    // more levels than allowed end the column, not the reading
	overflow             bool    // that happened
	fraction             float64 // first number that is not whole, and its line
	fractionLine         int
}

// column returns the stored column of a name, nil when there is none.
func (t *table) column(name string) *column {
	for _, c := range t.columns {
		if c.name == name {
			return c
		}
	}
	return nil
}

// tableReader reads a CSV file: RFC 4180, UTF-8 with or without a byte order mark, one header
// line. Blank lines are skipped. Cells are trimmed; empty, ? and NA are missing.
type tableReader struct {
	name  string
	every int                                      // rows 0, every, 2·every, .. are kept
	open  func(header []string) ([]*column, error) // one per column, nil where it is not stored
}

// read reads all rows of r; its errors name file, line and column and wrap nothing.
func (tr tableReader) read(r io.Reader) (*table, error) {
	bounded := &boundedReader{r: r, total: MaxTableBytes, record: maxRecord}
	buffered := bufio.NewReader(bounded)
	if mark, _ := buffered.Peek(3); string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3) // just peeked
	}
	in := csv.NewReader(buffered)
	in.ReuseRecord, in.FieldsPerRecord = true, -1
	t := &table{name: tr.name}
	record, err := in.Read()
	if err == io.EOF {
		return nil, fmt.Errorf("%s is empty; want a header line and rows", tr.name)
	}
	if err != nil {
		return nil, tr.broken(err, bounded)
	}
	if t.header, err = readHeader(record); err != nil {
		return nil, fmt.Errorf("%s:1: %v", tr.name, err)
	}
	all, err := tr.open(t.header)
	if err != nil {
		return nil, fmt.Errorf("%s:1: %v", tr.name, err)
	}
	for _, c := range all {
		if c != nil {
			t.columns = append(t.columns, c)
		}
	}
	for i := 0; ; i++ {
		bounded.record = maxRecord
		record, err := in.Read()
		if err == io.EOF {
			return t, t.finish()
		}
		if err != nil {
			return nil, tr.broken(err, bounded)
		}
		line, _ := in.FieldPos(0)
		if err := tr.row(t, all, record, i, line); err != nil {
			return nil, fmt.Errorf("%s:%d: %v", tr.name, line, err)
		}
	}
}

// row stores row i, which stands at a line.
func (tr tableReader) row(t *table, all []*column, record []string, i, line int) error {
	if len(record) != len(all) {
		return fmt.Errorf("the row has %d cells, the header has %d", len(record), len(all))
	}
	if i >= MaxRows {
		return fmt.Errorf("more than %d rows", MaxRows)
	}
	if i%max(tr.every, 1) != 0 {
		return nil
	}
	t.rows++
	if t.rows*len(t.columns) > maxCells {
		return fmt.Errorf("more than %d cells; list columns under ignore, or keep fewer rows with every",
			maxCells)
	}
	for k, c := range all {
		if c == nil {
			continue
		}
		if err := c.add(strings.TrimSpace(record[k]), line, t.rows-1); err != nil {
			return fmt.Errorf("column %s: %v", c.name, err)
		}
	}
	return nil
}

// broken says what is wrong with the form of a file.
func (tr tableReader) broken(err error, b *boundedReader) error {
	var parse *csv.ParseError
	switch {
	case b.err != nil:
		return fmt.Errorf("%s: %v", tr.name, b.err)
	case errors.As(err, &parse):
		return fmt.Errorf("%s:%d: column %d: %v", tr.name, parse.Line, parse.Column, parse.Err)
	}
	return fmt.Errorf("%s: %v", tr.name, err)
}

// boundedReader refuses a file, and a row of it, that is too long, before it is in memory.
type boundedReader struct {
	r      io.Reader
	total  int64
	record int64 // left for this row
	err    error // of a limit or of r
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.err == nil && b.total <= 0 {
		b.err = fmt.Errorf("the file is larger than %d bytes", MaxTableBytes)
	}
	if b.err == nil && b.record <= 0 {
		b.err = fmt.Errorf("a row is longer than %d bytes; is there a quote without an end, "+
			"or are there more than %d columns?", maxRecord, MaxColumns)
	}
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.r.Read(p)
	b.total -= int64(n)
	b.record -= int64(n)
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

// readHeader returns the names of the columns.
func readHeader(record []string) ([]string, error) {
	if len(record) > MaxColumns {
		return nil, fmt.Errorf("%d columns; allowed are at most %d", len(record), MaxColumns)
	}
	header := make([]string, len(record))
	seen := make(map[string]int, len(record))
	for k, cell := range record {
		name := strings.Clone(strings.TrimSpace(cell))
		if !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
			return nil, fmt.Errorf("the name of column %d is not UTF-8 text", k+1)
		}
		if name == "" {
			return nil, fmt.Errorf("column %d has no name; name it, or write the file without it", k+1)
		}
		if first, ok := seen[name]; ok {
			return nil, fmt.Errorf("columns %d and %d are both named %s", first+1, k+1, name)
		}
		seen[name], header[k] = k, name
	}
	if len(header) == 1 && strings.ContainsAny(header[0], ";\t") {
		return nil, fmt.Errorf("the header has no comma; cells must be separated by commas, not by ; or tabs")
	}
	return header, nil
}

// cell is what a cell holds.
type cell uint8

const (
	cellMissing cell = iota
	cellNumber
	cellText
	cellNotFinite // NaN, an infinity or a number beyond maxMagnitude
)

// parseCell says what a trimmed cell holds.
func parseCell(s string) (float64, cell) {
	if s == "" || s == "?" || s == "NA" {
		return 0, cellMissing
	}
	v, err := strconv.ParseFloat(s, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, cellNotFinite
	case err != nil || strings.ContainsAny(s, "xX_"): // Go's own ways to write a number
		return 0, cellText
	case math.IsNaN(v) || math.Abs(v) > maxMagnitude:
		return 0, cellNotFinite
	}
	return v, cellNumber
}

// add stores a cell of a row that stands at a line.
func (c *column) add(s string, line, row int) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%q is not UTF-8 text", s)
	}
	v, kind := parseCell(s)
	if kind == cellMissing {
		if c.missing++; c.missing == 1 {
			c.missingLine = line
		}
		v = math.NaN()
	}
	if c.use == useAuto && kind != cellMissing {
		c.decide(kind == cellText, row)
	}
	switch c.use {
	case useCategory:
		return c.addText(s, kind, line)
	case useNumber:
		if kind == cellNotFinite {
			return fmt.Errorf("%q is not a number between -1e30 and 1e30; leave the cell empty if it is missing", s)
		}
		if kind == cellText {
			return fmt.Errorf("%q is not a number; list the column under categories if it holds names", s)
		}
		if kind == cellNumber && c.fractionLine == 0 && v != math.Trunc(v) {
			c.fraction, c.fractionLine = v, line
		}
		c.values = append(c.values, v)
	}
	return nil
}

// decide makes an undecided column one of categories or numbers and catches up with the missing
// cells of the rows before.
func (c *column) decide(text bool, row int) {
	c.decided = true
	if text {
		c.use = useCategory
		c.codes = slices.Repeat([]int32{codeMissing}, row)
		return
	}
	c.use = useNumber
	c.values = slices.Repeat([]float64{math.NaN()}, row)
}

// addText stores a cell of a category.
func (c *column) addText(s string, kind cell, line int) error {
	if kind == cellMissing {
		c.codes = append(c.codes, codeMissing)
		return nil
	}
	if kind == cellNumber {
		c.numbers++
	} else if c.firstTextLine == 0 {
		c.firstText, c.firstTextLine = strings.Clone(s), line
	}
	code, ok := c.index[s]
	if !ok && c.closed {
		code, ok = codeUnseen, true
		c.unseen++
	}
	if !ok {
		if len(c.levels) == MaxLevels && c.lenient {
			c.overflow = true
			c.codes = append(c.codes, codeUnseen)
			return nil
		}
		if len(c.levels) == MaxLevels {
			return fmt.Errorf("%q is one more than %d different texts; list the column under ignore", s, MaxLevels)
		}
		s = strings.Clone(s) // the record is used again
		code = int32(len(c.levels))
		if c.index == nil {
			c.index = map[string]int32{}
		}
		c.index[s], c.levels = code, append(c.levels, s)
	}
	c.codes = append(c.codes, code)
	return nil
}

// finish settles columns without any cell that decides and those decided by a slip.
func (t *table) finish() error {
	if t.rows == 0 {
		return fmt.Errorf("%s has a header but no rows", t.name)
	}
	for _, c := range t.columns {
		if c.use == useAuto {
			c.decide(false, t.rows)
		}
		if c.use == useCategory && c.decided && 2*c.numbers > t.rows-c.missing {
			return fmt.Errorf("%s:%d: column %s: %q is not a number, but most cells of the column are; "+
				"correct it, or list the column under categories", t.name, c.firstTextLine, c.name, c.firstText)
		}
	}
	return nil
}
