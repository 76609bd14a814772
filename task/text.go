package task

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	rsie "github.com/symbio-ai/recursive-improvement"
)

const (
	// MaxContext is the largest number of symbols or steps a sequence network sees.
	MaxContext   = 4096
	maxTextBytes = 16 << 20
	// unseenSymbol stands, as the last one of an alphabet of characters, for every character
	// that the training part does not have.
	unseenSymbol = "\ufffd"
)

// foldedSymbols returns a to z and the blank.
func foldedSymbols() []string {
	var out []string
	for c := 'a'; c <= 'z'; c++ {
		out = append(out, string(c))
	}
	return append(out, " ")
}

// foldText makes text lower-case, every character but a to z a blank, and a run of blanks one.
func foldText(text string) string {
	var out strings.Builder
	blank := false
	for _, c := range strings.ToLower(text) {
		if c >= 'a' && c <= 'z' {
			out.WriteRune(c)
			blank = false
		} else if !blank {
			out.WriteByte(' ')
			blank = true
		}
	}
	return out.String()
}

// newTextCoding returns the coding of an alphabet: letters, or characters, which are those of
// the training part in order of their code points and unseenSymbol.
func newTextCoding(alphabet string, context int, training []rune) *TextCoding {
	if alphabet == "letters" {
		return &TextCoding{Symbols: foldedSymbols(), Fold: true, Context: context}
	}
	seen := slices.Clone(training)
	slices.Sort(seen)
	out := &TextCoding{Context: context}
	for _, c := range slices.Compact(seen) {
		if c != utf8.RuneError {
			out.Symbols = append(out.Symbols, string(c))
		}
	}
	out.Symbols = append(out.Symbols, unseenSymbol)
	return out
}

// classes returns the symbol numbers of text.
func (c *TextCoding) classes(text string) []int32 {
	if c.Fold {
		text = foldText(text)
	}
	index := make(map[string]int32, len(c.Symbols))
	for k, s := range c.Symbols {
		index[s] = int32(k)
	}
	out := make([]int32, 0, len(text))
	for _, r := range text {
		k, ok := index[string(r)]
		if !ok {
			k = index[unseenSymbol]
		}
		out = append(out, k)
	}
	return out
}

// oneHot writes the inputs that precede position t of classes to dst, which is all 0 and holds
// Context·len(Symbols) numbers. Positions before the text stay 0.
func (c *TextCoding) oneHot(dst []float64, classes []int32, t int) {
	for k := range c.Context {
		if from := t - c.Context + k; from >= 0 {
			dst[k*len(c.Symbols)+int(classes[from])] = 1
		}
	}
}

// targets returns rows whose classes are those of positions start+Context, then every stride,
// before end; the inputs stay within [start, end). Nil when there are none.
func (c *TextCoding) targets(classes []int32, start, end, stride int) *rsie.Rows {
	out := &rsie.Rows{}
	for t := start + c.Context; t < end; t += stride {
		out.Classes = append(out.Classes, classes[t])
	}
	if out.S = len(out.Classes); out.S == 0 {
		return nil
	}
	width := c.Context * len(c.Symbols)
	out.Inputs = make([]float64, out.S*width)
	for s := range out.S {
		c.oneHot(out.Inputs[s*width:][:width], classes, start+c.Context+s*stride)
	}
	return out
}

// check returns an error unless the coding is whole and fits a network.
func (c *TextCoding) check(inputs, outputs int) error {
	if c.Context < 1 || c.Context > MaxContext || len(c.Symbols) < 2 || len(c.Symbols) > MaxWidth {
		return fmt.Errorf("coding: context %d with %d symbols; allowed are 1 to %d and 2 to %d",
			c.Context, len(c.Symbols), MaxContext, MaxWidth)
	}
	seen := map[string]bool{}
	for _, s := range c.Symbols {
		if utf8.RuneCountInString(s) != 1 || seen[s] {
			return fmt.Errorf("coding: symbol %q is not one character, or stands twice", s)
		}
		seen[s] = true
	}
	if c.Fold && !slices.Equal(c.Symbols, foldedSymbols()) || !c.Fold && !seen[unseenSymbol] {
		return fmt.Errorf("coding: the symbols must be a to z and a blank with fold, " +
			"and have U+FFFD among them without")
	}
	if n := c.Context * len(c.Symbols); n != inputs || len(c.Symbols) != outputs {
		return fmt.Errorf("coding has %d inputs and %d outputs, the network has %d and %d",
			n, len(c.Symbols), inputs, outputs)
	}
	return nil
}

// rows reads a text; there is one row for every position that has Context symbols before it,
// and a last one for the symbol after the end.
func (c *TextCoding) rows(r io.Reader, name string, _ func(string)) (*rsie.Rows, error) {
	text, err := readText(r, name)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", rsie.ErrInvalid, err)
	}
	classes := c.classes(text)
	if len(classes) < c.Context {
		return nil, fmt.Errorf("%w: %s has %d characters; the model reads at least %d",
			rsie.ErrInvalid, name, len(classes), c.Context)
	}
	n := len(classes) - c.Context + 1
	if n > maxCells/(c.Context*len(c.Symbols)) {
		return nil, fmt.Errorf("%w: %s becomes more than %d numbers; split the file",
			rsie.ErrInvalid, name, maxCells)
	}
	// The symbol after the end is not known; its class is 0 like that of every row to predict.
	out := c.targets(append(classes, 0), 0, len(classes)+1, 1)
	clear(out.Classes)
	return out, nil
}

// write writes the likeliest symbol and the probability of every symbol.
func (c *TextCoding) write(w io.Writer, outputs []float64) error {
	out := csv.NewWriter(w)
	record := []string{"symbol"}
	for _, s := range c.Symbols {
		record = append(record, "p_"+s)
	}
	if err := out.Write(record); err != nil {
		return err
	}
	p := make([]float64, len(c.Symbols))
	for ; len(outputs) >= len(p); outputs = outputs[len(p):] {
		record[0] = c.Symbols[argmax(outputs[:len(p)])]
		softmax(p, outputs[:len(p)])
		for k, v := range p {
			record[k+1] = formatNumber(v)
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// readText reads a file of at most maxTextBytes.
func readText(r io.Reader, name string) (string, error) {
	text, err := io.ReadAll(io.LimitReader(bufio.NewReader(r), maxTextBytes+1))
	if err != nil {
		return "", fmt.Errorf("%s: %v", name, err)
	}
	if len(text) > maxTextBytes {
		return "", fmt.Errorf("%s is larger than %d bytes", name, maxTextBytes)
	}
	return string(text), nil
}
