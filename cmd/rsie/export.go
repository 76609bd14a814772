package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/store"
	"github.com/symbio-ai/recursive-improvement/report"
	"github.com/symbio-ai/recursive-improvement/report/export"
	"github.com/symbio-ai/recursive-improvement/task"
)

type exportCmd struct {
	From string `arg:"" help:"Folder of a run, or of a model that rsie train wrote." placeholder:"RUN|MODEL"`
	To   string `help:"Of a run: csv, parquet, json (tables), tensorboard (curves of the search), optuna (a study), ioh (curves of the final table). Of a model: onnx, safetensors, npz." required:"" placeholder:"FORMAT"`
	Out  string `help:"Folder to write to, of a model the file. Default: a folder named after the format in that of the run; model.FORMAT in that of the model." placeholder:"PATH"`
	jsonFlag
}

var runFormats = map[string]func(*export.Data, string) error{"csv": export.CSV, "parquet": export.Parquet, "json": export.JSON,
	"tensorboard": export.TensorBoard, "optuna": export.Optuna, "ioh": export.IOH}

var modelFormats = []string{"npz", "onnx", "safetensors"}

// Run writes the files.
func (c *exportCmd) Run(e *env) error {
	write, ofRun := runFormats[c.To]
	ofModel := slices.Contains(modelFormats, c.To)
	isRun, isModel := exists(filepath.Join(c.From, "run.db")), exists(filepath.Join(c.From, "model.json"))
	switch {
	case !ofRun && !ofModel:
		return fmt.Errorf("%w: --to %q; of a run there are csv, ioh, json, optuna, parquet, tensorboard, of a model %s",
			rsie.ErrInvalid, c.To, strings.Join(modelFormats, ", "))
	case !isRun && !isModel:
		return fmt.Errorf("%w: %s holds neither a run (run.db) nor a model (model.json)", rsie.ErrInvalid, c.From)
	case ofRun && !isRun:
		return fmt.Errorf("%w: %s is a model; %s is made of a run, a model has %s", rsie.ErrInvalid, c.From, c.To, strings.Join(modelFormats, ", "))
	case ofModel && !isModel:
		return fmt.Errorf("%w: %s is a run; %s is made of a model that rsie train wrote", rsie.ErrInvalid, c.From, c.To)
	case ofModel:
		return c.model(e)
	}
	if c.Out == "" {
		c.Out = filepath.Join(c.From, c.To)
	}
	data, err := loadData(c.From)
	if err != nil {
		return err
	}
	stage, err := newStage(c.Out)
	if err != nil {
		return err
	}
	defer stage.discard()
	if err := write(data, stage.dir); err != nil {
		return err
	}
	if err := stage.replace(); err != nil {
		return err
	}
	return c.done(e)
}

func (c *exportCmd) done(e *env) error {
	if c.JSON {
		return printJSON(e.stdout, map[string]string{"from": c.From, "format": c.To, "out": c.Out})
	}
	fmt.Fprintf(e.stdout, "written to %s\n", c.Out)
	return nil
}

// loadData reads a run as tables.
func loadData(dir string) (*export.Data, error) {
	st, err := store.OpenReadOnly(dir)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	r, err := report.Load(st, dir)
	if err != nil {
		return nil, err
	}
	if err := describeRun(st, r); err != nil {
		return nil, err
	}
	return export.Read(st, r)
}

// model writes a model as one file.
func (c *exportCmd) model(e *env) error {
	if c.Out == "" {
		c.Out = filepath.Join(c.From, "model."+c.To)
	}
	m, err := task.LoadModel(c.From)
	if err != nil {
		return err
	}
	if err := checkWritable(c.Out); err != nil {
		return err
	}
	var b bytes.Buffer
	switch c.To {
	case "npz":
		err = export.NPZ(&b, m)
	case "onnx":
		err = export.ONNX(&b, m)
	default:
		err = export.Safetensors(&b, filepath.Join(c.From, "model.safetensors"))
	}
	if err != nil {
		return err
	}
	if err := writeFile(c.Out, b.Bytes()); err != nil {
		return err
	}
	return c.done(e)
}

// replace is commit for a target whose folders, of an export made before, give way.
func (s *stage) replace() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return badPath("read", s.dir, err)
	}
	for _, f := range entries {
		if !f.IsDir() {
			continue
		}
		if err := os.RemoveAll(filepath.Join(s.target, f.Name())); err != nil {
			return badPath("replace", filepath.Join(s.target, f.Name()), err)
		}
	}
	return s.commit()
}
