package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// jsonFlag adds --json to a command that prints a result.
type jsonFlag struct {
	JSON bool `help:"Print one JSON object instead of text." name:"json"`
}

// printJSON writes v indented, with a final line end.
func printJSON(w io.Writer, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// lineWidth is how wide a table may get before it is folded.
const lineWidth = 100

// foldedTable is table, split into one below the other where it is wider than lineWidth; each
// begins with the first `texts` columns. All rows are equally long.
func foldedTable(w io.Writer, texts int, rows [][]string) {
	widths := columnWidths(rows)
	lead := 0
	for _, width := range widths[:texts] {
		lead += width + 2
	}
	for from := texts; from < len(widths); {
		to, total := from, lead-2
		for to < len(widths) && (to == from || total+2+widths[to] <= lineWidth) {
			total += 2 + widths[to]
			to++
		}
		if from > texts {
			fmt.Fprintln(w)
		}
		part := make([][]string, len(rows))
		for i, row := range rows {
			part[i] = append(slices.Clone(row[:texts]), row[from:to]...)
		}
		table(w, texts, part)
		from = to
	}
}

// columnWidths returns the widths of columns in characters.
func columnWidths(rows [][]string) []int {
	var widths []int
	for _, row := range rows {
		for c, cell := range row {
			if c == len(widths) {
				widths = append(widths, 0)
			}
			widths[c] = max(widths[c], len([]rune(cell)))
		}
	}
	return widths
}

// table lines up columns; the first `texts` are left-aligned, the others right-aligned.
func table(w io.Writer, texts int, rows [][]string) {
	widths := columnWidths(rows)
	for _, row := range rows {
		var line strings.Builder
		for c, cell := range row {
			pad := strings.Repeat(" ", widths[c]-len([]rune(cell)))
			switch {
			case c == 0:
				line.WriteString(cell + pad)
			case c < texts:
				line.WriteString("  " + cell + pad)
			default:
				line.WriteString("  " + pad + cell)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// count returns a number with its noun, "1 run" or "3 runs".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// writeFile writes a whole file or nothing: to a temporary name beside it, then renamed.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".rsie-*")
	if err != nil {
		return badPath("write", path, err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return badPath("write", path, err)
	}
	return nil
}

// badPath turns an error of the file system into bad input that names the path as given.
func badPath(do, path string, err error) error {
	return fmt.Errorf("%w: cannot %s %s: %w", rsie.ErrInvalid, do, path, reason(err))
}

// reason returns an error of the file system without the path in it.
func reason(err error) error {
	var number syscall.Errno
	var onPath *os.PathError
	switch {
	case errors.As(err, &number):
		return number
	case errors.As(err, &onPath):
		return onPath.Err
	}
	return err
}
