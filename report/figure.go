package report

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
)

// Figure is a picture as data: what is drawn and the same numbers as a table.
type Figure struct {
	ID     string // unique on a page, and the KIND of rsie plot
	Title  string
	Says   string // one or two sentences: what is seen and how to read it
	X, Y   Axis
	Series []Series
	Labels []Label
	Table  Table
	Wide   bool // drawn over the whole width of a page
	Small  bool // one of several in a row, which a page draws smaller
	// Quiet: what it says stands elsewhere on the page. Unnamed: so does the legend.
	Quiet, Unnamed bool
	Tall           int // height of the drawing in units, 0 means the usual one
}

// Axis is one side of a figure. Ticks are made from the range where there are none.
type Axis struct {
	Title    string
	Low, Up  float64
	Log      bool
	Ticks    []Tick
	Hidden   bool // no line and no grid
	Vertical bool // a line at every tick from top to bottom, as parallel coordinates have
	Aslant   bool // its texts are long
}

// Tick is a place on an axis with its text.
type Tick struct {
	At   float64
	Text string
}

// Mark is how a series is drawn.
type Mark int

// The marks.
const (
	Line     Mark = iota + 1 // through (X, Y)
	Steps                    // Y holds until the next X
	Band                     // between Low and High at X
	Dots                     // at (X, Y)
	Bars                     // from 0 to X, at the height Y
	Interval                 // a dot at (X, Y) with a line from Low to High
	Area                     // between Low and High at X, filled: a share of a whole
	Cells                    // squares at (X, Y), shaded by Low in [0,1], with their text; in files alone
)

// Series is a set of values drawn alike. A place whose Y is NaN interrupts a line.
type Series struct {
	Name      string // stands in the legend; empty: it does not
	Mark      Mark
	X, Y      []float64
	Low, High []float64
	Colour    int      // 0 to 7: categories, the winner is 0
	Shade     int      // 1 to 5 instead of Colour: an order, 5 is best
	Strong    bool     // drawn thick
	Faint     bool     // drawn thin and pale
	Texts     []string // of each mark, for a pointer that rests on it; may be nil
}

// Label is a short text in the drawing.
type Label struct {
	X, Y   float64
	Text   string
	Anchor string  // start, middle or end
	Up     float64 // units above the place
	Strong bool
}

// Table is a figure's numbers.
type Table struct {
	Head []string
	Rows [][]string
	Text int // leading columns that are text
}

// Empty reports whether a figure has nothing to draw.
func (f Figure) Empty() bool {
	for _, s := range f.Series {
		if len(s.X) > 0 {
			return false
		}
	}
	return true
}

// fit sets the limits of axes that have none from the series, with a margin, so that nothing is
// drawn at the very border.
func (f *Figure) fit() {
	for _, a := range []struct {
		axis *Axis
		of   func(Series) []float64
	}{
		{&f.X, func(s Series) []float64 {
			if s.Mark == Interval {
				return slices.Concat(s.X, s.Low, s.High)
			}
			return s.X
		}},
		{&f.Y, func(s Series) []float64 {
			if s.Mark == Band || s.Mark == Area {
				return slices.Concat(s.Low, s.High)
			}
			return s.Y
		}},
	} {
		if a.axis.Low != a.axis.Up {
			continue
		}
		low, high := math.Inf(1), math.Inf(-1)
		for _, s := range f.Series {
			for _, v := range a.of(s) {
				if !math.IsNaN(v) && !math.IsInf(v, 0) {
					low, high = min(low, v), max(high, v)
				}
			}
		}
		a.axis.Low, a.axis.Up = limits(low, high, a.axis.Log)
	}
}

// limits returns the limits of an axis over values from low to high.
func limits(low, high float64, log bool) (float64, float64) {
	switch {
	case low > high:
		return 0, 1
	case log:
		low = max(low, 1e-300)
		if high <= low {
			return low / 2, low * 2
		}
		return low, high
	case low == high:
		return low - 0.5, high + 0.5
	}
	pad := 0.05 * (high - low)
	return low - pad, high + pad
}

// ticks returns the marks of an axis: those it has, decades, or about n round numbers.
func (a Axis) ticks(n int) []Tick {
	if a.Ticks != nil {
		return a.Ticks
	}
	if a.Log {
		return decades(a.Low, a.Up, n)
	}
	step := roundStep((a.Up - a.Low) / float64(n))
	var out []Tick
	for k := math.Ceil(a.Low/step - 1e-9); k*step <= a.Up+1e-9*step; k++ {
		out = append(out, Tick{k * step, short(k*step, step)})
	}
	return out
}

func decades(low, high float64, n int) []Tick {
	var out []Tick
	if math.Log10(high/low) < 1.2 {
		for _, m := range []float64{1, 2, 5} {
			base := math.Pow(10, math.Floor(math.Log10(low)))
			for _, v := range []float64{m * base, 10 * m * base} {
				if v >= low && v <= high {
					out = append(out, Tick{v, compact(v)})
				}
			}
		}
		slices.SortFunc(out, func(a, b Tick) int { return cmp.Compare(a.At, b.At) })
		return out
	}
	every := max(1, int(math.Log10(high/low))/n)
	for e := math.Ceil(math.Log10(low) - 1e-9); e <= math.Log10(high)+1e-9; e += float64(every) {
		out = append(out, Tick{math.Pow(10, e), compact(math.Pow(10, e))})
	}
	return out
}

// roundStep returns the smallest of 1, 2, 2.5 and 5 times a power of ten that is at least x.
func roundStep(x float64) float64 {
	base := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*base >= x*(1-1e-9) {
			return m * base
		}
	}
	return 10 * base
}

// short formats a tick with the digits that its step has.
func short(v, step float64) string {
	if math.Abs(v) >= 1e4 {
		return compact(v)
	}
	digits := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	if s := strconv.FormatFloat(step, 'g', 3, 64); len(s) > 2 && s[len(s)-2:] == "25" {
		digits++ // 0.25 has a digit more than 0.1
	}
	return strconv.FormatFloat(v+0, 'f', digits, 64)
}

// compact formats a count: 2k, 1.5M.
func compact(v float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= unit.size {
			return strconv.FormatFloat(v/unit.size, 'g', 3, 64) + unit.name
		}
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// fixed formats a score or quality.
func fixed(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

func signed(v float64) string {
	if v >= 0 {
		return "+" + fixed(v)
	}
	return "−" + fixed(-v)
}

func sortedKeys[M ~map[K]V, K cmp.Ordered, V any](m M) []K { return slices.Sorted(maps.Keys(m)) }

// thin returns about n of the places 0 .. count-1, the first and the last among them.
func thin(count, n int) []int {
	var out []int
	if count <= n {
		for i := range count {
			out = append(out, i)
		}
		return out
	}
	for k := range n {
		if i := k * (count - 1) / (n - 1); len(out) == 0 || out[len(out)-1] != i {
			out = append(out, i)
		}
	}
	return out
}
