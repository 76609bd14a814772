package task

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Task is a named problem with what its file says about it.
type Task struct {
	Name        string
	Kind        string // tabular, sequence, control, function, exec
	Split       string // training, validation or test: of the suite, not of the rows
	Description string
	Problem     rsie.Problem
	Budget      int           // evaluations of a run
	Anchors     *rsie.Anchors // nil when not measured

	coding  *Coding // how raw data becomes rows; nil for control, function and exec
	origin  origin  // of a generated task
	digest  string
	metrics func(outputs []float64, p rsie.Part) []Metric
	close   func()
}

// Metric is a user-facing value of a model on a part of the data.
type Metric struct {
	Name     string
	Value    float64
	Maximise bool // whether higher is better
}

// Digest returns 16 hexadecimal digits that depend on everything that decides fitness: data,
// network, split, constants. Names, anchors and descriptions do not count.
func (t *Task) Digest() string { return t.digest }

// Metrics returns the user-facing metrics of one model's outputs on a part, the loss first; nil
// when the task has none. outputs are what [rsie.Backend] Predict wrote: [S, out], or [S]
// returns of episodes.
func (t *Task) Metrics(outputs []float64, p rsie.Part) []Metric {
	if t.metrics == nil {
		return nil
	}
	return t.metrics(outputs, p)
}

// Close ends what the task started, such as the processes of an exec task; it may be called
// twice.
func (t *Task) Close() {
	if t.close != nil {
		t.close()
		t.close = nil
	}
}

// Options say how tasks are loaded.
type Options struct {
	Workers int               // processes of an exec task; 0 means one per core
	Stderr  io.Writer         // where an exec program's standard error goes; nil: nowhere
	Warn    func(text string) // called for each counted warning; nil: nobody hears
}

// spec is one task of a file: the part of one kind, decoded from YAML with closed fields.
type spec interface {
	// build makes the task. The fields that all kinds share are already in t.
	build(t *Task, c *loading) error
}

// loading is what build may use besides the spec.
type loading struct {
	options Options
	open    func(name string) (io.ReadCloser, error) // a data file, relative to the task file
	dir     string                                   // folder of the task file, for exec; empty when embedded
	where   string                                   // "FILE:LINE: task NAME", for errors
	network *NetworkSpec                             // nil when the file has none
}

// invalid returns [rsie.ErrInvalid] with the place of the task and the text.
func (c *loading) invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", rsie.ErrInvalid, c.where, fmt.Sprintf(format, args...))
}

// warn passes a text on to whoever listens.
func (c *loading) warn(format string, args ...any) {
	if c.options.Warn != nil {
		c.options.Warn(c.where + ": " + fmt.Sprintf(format, args...))
	}
}

// modelProblem is a network with the rows of each part.
type modelProblem struct {
	name  string
	model *rsie.Model
	rows  [4]*rsie.Rows // by rsie.Part; nil where there are none
}

// digest returns the digest of a task whose fitness is decided by p alone: the network, its
// loss and the rows of every part.
func (p *modelProblem) digest() string {
	h := sha256.New()
	described, err := json.Marshal(p.model)
	if err != nil {
		panic("task: a model holds no NaN: " + err.Error())
	}
	h.Write(described)
	var word [8]byte
	put := func(v uint64) {
		binary.LittleEndian.PutUint64(word[:], v)
		h.Write(word[:])
	}
	for part := rsie.Training; part <= rsie.Test; part++ {
		rows := p.rows[part]
		if rows == nil {
			put(0)
			continue
		}
		put(uint64(rows.S))
		for _, values := range [][]float64{rows.Inputs, rows.Targets} {
			put(uint64(len(values)))
			for _, v := range values {
				put(math.Float64bits(v))
			}
		}
		put(uint64(len(rows.Classes)))
		for _, class := range rows.Classes {
			put(uint64(class))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// measured returns, as the metrics of a task, what measure says of the outputs on the rows of a part; nil
// where there are no rows.
func (p *modelProblem) measured(measure func(outputs []float64, rows *rsie.Rows) []Metric,
) func([]float64, rsie.Part) []Metric {
	return func(outputs []float64, part rsie.Part) []Metric {
		if p.rows[part] == nil {
			return nil
		}
		return measure(outputs, p.rows[part])
	}
}

// Shape returns the parameters of the network.
func (p *modelProblem) Shape() rsie.Shape {
	return rsie.Shape{Name: p.name, Dim: p.model.Dim(), Blocks: p.model.Blocks()}
}

// Model returns the network.
func (p *modelProblem) Model() *rsie.Model { return p.model }

// Rows returns the data of a part.
func (p *modelProblem) Rows(part rsie.Part) *rsie.Rows { return p.rows[part] }

// Evaluate returns [rsie.ErrUnsupported]: a network is evaluated by a backend, which gets it
// through Model and Rows.
func (p *modelProblem) Evaluate(context.Context, []float64, []float64, rsie.Key) error {
	return fmt.Errorf("%w: task %s is a network; evaluate it through a backend", rsie.ErrUnsupported, p.name)
}
