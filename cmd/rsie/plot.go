package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
)

type plotCmd struct {
	Kind   string  `arg:"" help:"progress, diversity, curves, ecdf, lead, final, heat, genealogy, parallel, cost, cost-tasks, time, causes, pairs, shapley, surrogate, path, gene:NAME or task:NAME."`
	Folder string  `arg:"" name:"run" help:"Folder of the run." placeholder:"RUN"`
	Out    string  `help:"File to write, .svg or .png. Default: KIND.svg in the folder of the run." placeholder:"FILE"`
	Width  float64 `help:"Width in centimetres, 4 to 100." default:"16"`
	jsonFlag
}

// Run writes one picture.
func (c *plotCmd) Run(e *env) error {
	if !(c.Width >= 4 && c.Width <= 100) {
		return fmt.Errorf("%w: --width %g, allowed are 4 to 100 cm", rsie.ErrInvalid, c.Width)
	}
	out := c.Out
	if out == "" {
		out = filepath.Join(c.Folder, strings.NewReplacer(":", "-", "/", "-").Replace(c.Kind)+".svg")
	}
	format := strings.TrimPrefix(strings.ToLower(filepath.Ext(out)), ".")
	if format != "svg" && format != "png" {
		return fmt.Errorf("%w: --out %s: the name ends in .svg or .png", rsie.ErrInvalid, out)
	}
	r, err := loadRun(c.Folder)
	if err != nil {
		return err
	}
	f, err := r.Figure(c.Kind)
	if err != nil {
		return err
	}
	if err := checkWritable(out); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := f.WriteImage(&b, format, c.Width); err != nil {
		return err
	}
	if err := writeFile(out, b.Bytes()); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e.stdout, map[string]any{"kind": c.Kind, "run": c.Folder, "file": out, "title": f.Title, "says": f.Says})
	}
	fmt.Fprintf(e.stdout, "written to %s\n%s\n", out, f.Says)
	return nil
}
