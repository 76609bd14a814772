package task

import (
	"fmt"
	"io"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Coding is everything that turns raw data into the inputs of a network and its outputs into
// answers. It is stored in model.json, so a model carries it along. Exactly one field is set.
type Coding struct {
	Table  *TableCoding  `json:"table,omitempty"`
	Text   *TextCoding   `json:"text,omitempty"`
	Series *SeriesCoding `json:"series,omitempty"`
}

// TableCoding is the coding of rows of a table.
type TableCoding struct {
	Columns []Column `json:"columns"` // the inputs, in order
	Target  Target   `json:"target"`
}

// Column is how a column becomes inputs: a number x becomes (x - Mean)/Std, a category becomes
// one input per level, 1 for its own and 0 for the others, and all 0 when the level is unknown.
type Column struct {
	Name      string   `json:"name"`
	Mean      float64  `json:"mean"`
	Std       float64  `json:"std"`                  // of a number; 1 where nothing is standardised
	Fill      float64  `json:"fill"`                 // in place of a missing number, in raw units
	Levels    []string `json:"levels,omitempty"`     // of a category; nil for a number
	FillLevel string   `json:"fill_level,omitempty"` // in place of a missing category
}

// Target is what the outputs mean. A class is one output each; a number y is (y - Mean)/Std;
// Inputs means that the outputs are the inputs again.
type Target struct {
	Name    string   `json:"name,omitempty"`
	Inputs  bool     `json:"inputs,omitempty"`
	Classes []string `json:"classes,omitempty"`
	Mean    float64  `json:"mean"`
	Std     float64  `json:"std"`
}

// TextCoding is the coding of a text: the symbols before a position, one-hot, oldest first.
type TextCoding struct {
	Symbols []string `json:"symbols"` // one character each; the index is the class
	Fold    bool     `json:"fold"`    // lower-case; other than a-z is a blank; blanks are joined
	Context int      `json:"context"` // symbols seen
}

// SeriesCoding is the coding of a series: the next value y of Column is (y - Mean)/Std, from the
// values of the Steps positions before it, those of Column itself or, where there are Inputs,
// one of each of these columns per step.
type SeriesCoding struct {
	Column string   `json:"column"`
	Mean   float64  `json:"mean"`
	Std    float64  `json:"std"`
	Steps  int      `json:"steps"`
	Inputs []Column `json:"inputs,omitempty"` // numbers without gaps, in order
}

// coder is what every coding can do.
type coder interface {
	// check returns an error unless the coding fits a network of these widths.
	check(inputs, outputs int) error
	// rows reads data in the form the task was loaded from; name is for errors. Targets are 0.
	rows(r io.Reader, name string, warn func(string)) (*rsie.Rows, error)
	// write writes one line per row of outputs [S, out] after a header, as CSV.
	write(w io.Writer, outputs []float64) error
}

// coder returns the coding that is set, or an error.
func (c *Coding) coder() (coder, error) {
	switch {
	case c == nil:
		return nil, fmt.Errorf("%w: the model has no coding of data; it is a policy for episodes",
			rsie.ErrUnsupported)
	case c.Table != nil:
		return c.Table, nil
	case c.Text != nil:
		return c.Text, nil
	case c.Series != nil:
		return c.Series, nil
	}
	return nil, fmt.Errorf("%w: coding is empty, want one of table, text, series", rsie.ErrInvalid)
}

// round32 rounds to the nearest float32, which every backend stores exactly.
func round32(v float64) float64 { return float64(float32(v)) }

// meanStd returns the mean and the population standard deviation of values, summed in order; a
// deviation below 1e-12 counts as 1.
func meanStd(values []float64) (mean, std float64) {
	for _, v := range values {
		mean += v
	}
	mean /= float64(len(values))
	for _, v := range values {
		std += float64((v - mean) * (v - mean))
	}
	std = math.Sqrt(std / float64(len(values)))
	if std < 1e-12 {
		std = 1
	}
	return mean, std
}
