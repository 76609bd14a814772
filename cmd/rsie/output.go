package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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

// table lines up columns; the first `texts` are left-aligned, the others right-aligned.
func table(w io.Writer, texts int, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for c, cell := range row {
			if c == len(widths) {
				widths = append(widths, 0)
			}
			widths[c] = max(widths[c], len([]rune(cell)))
		}
	}
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
