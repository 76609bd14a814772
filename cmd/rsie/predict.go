package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strconv"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/task"
)

type predictCmd struct {
	Model string `arg:"" help:"Folder that rsie train wrote."`
	Data  string `arg:"" help:"CSV file with the columns the model was trained on; the target may be missing."`
	Out   string `help:"File to write; standard output without." placeholder:"FILE"`
	backendFlags
	jsonFlag
}

// predictResult is the object that --json prints.
type predictResult struct {
	Columns     []string `json:"columns"`
	Predictions [][]any  `json:"predictions"` // one list per row: numbers, and texts for classes
}

// predictionsJSON turns the lines of a CSV file into one object.
func predictionsJSON(text []byte) (predictResult, error) {
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(lines) == 0 {
		return predictResult{}, fmt.Errorf("predictions as CSV: %v", err)
	}
	out := predictResult{Columns: lines[0], Predictions: [][]any{}}
	for _, line := range lines[1:] {
		row := make([]any, len(line))
		for i, cell := range line {
			row[i] = cell
			if v, err := strconv.ParseFloat(cell, 64); err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
				row[i] = v
			}
		}
		out.Predictions = append(out.Predictions, row)
	}
	return out, nil
}

// Run writes one prediction per row.
func (c *predictCmd) Run(e *env) error {
	m, err := task.LoadModel(c.Model)
	if err != nil {
		return err
	}
	f, err := os.Open(c.Data)
	if err != nil {
		return badPath("read", c.Data, err)
	}
	defer f.Close()
	rows, err := m.RowsFromCSV(f, c.Data)
	if err != nil {
		return err
	}
	for _, text := range m.Warnings() {
		fmt.Fprintln(e.stderr, "warning:", text)
	}
	backend, err := c.open()
	if err != nil {
		return err
	}
	defer backend.Close()
	outputs, err := meta.Predict(backend, m.Model(), rows, m.Params())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := m.WritePredictions(&b, outputs); err != nil {
		return err
	}
	if c.JSON {
		doc, err := predictionsJSON(b.Bytes())
		if err != nil {
			return err
		}
		b.Reset()
		if err := printJSON(&b, doc); err != nil {
			return err
		}
	}
	if c.Out == "" {
		_, err = e.stdout.Write(b.Bytes())
		return err
	}
	if err := writeFile(c.Out, b.Bytes()); err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "%s written to %s\n", count(rows.S, "prediction"), c.Out)
	return nil
}

type sampleCmd struct {
	Model       string  `arg:"" help:"Folder of a text model that rsie train wrote."`
	Prompt      string  `help:"Text to begin with." default:"the "`
	Length      int     `help:"Characters to write, 1 to 100000." default:"200"`
	Temperature float64 `help:"0 always takes the likeliest character, 1 follows the model's probabilities." default:"0.7"`
	Seed        uint64  `help:"Seed of the draws." default:"1"`
	backendFlags
	jsonFlag
}

// Run writes generated text.
func (c *sampleCmd) Run(e *env) error {
	if c.Length < 1 || c.Length > 100_000 || !(c.Temperature >= 0 && c.Temperature <= 100) {
		return fmt.Errorf("%w: --length %d with --temperature %g; allowed are 1 to 100000 and 0 to 100",
			rsie.ErrInvalid, c.Length, c.Temperature)
	}
	m, err := task.LoadModel(c.Model)
	if err != nil {
		return err
	}
	backend, err := c.open()
	if err != nil {
		return err
	}
	defer backend.Close()
	next := func(inputs []float64) ([]float64, error) {
		rows := &rsie.Rows{S: 1, Inputs: inputs, Classes: []int32{0}}
		return meta.Predict(backend, m.Model(), rows, m.Params())
	}
	text, err := m.SampleText(next, c.Prompt, c.Length, c.Temperature, rsie.NewKey(c.Seed))
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e.stdout, map[string]string{"text": text})
	}
	_, err = fmt.Fprintln(e.stdout, text)
	return err
}
