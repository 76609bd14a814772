package meta

import (
	"context"
	"fmt"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/task"
)

// Evaluator measures points [len(fitness), D] of a problem, minimised, in place of the
// problem's own fitness.
type Evaluator func(ctx context.Context, p rsie.Problem, fitness, points []float64) error

// Trainer uses a strategy: level 1 on one problem.
type Trainer struct {
	config    rsie.EvolutionConfig
	factory   ModelFactory
	evaluator Evaluator
}

// NewTrainer returns a trainer of the model that factory makes for config.Task, on
// config.Backend. evaluator nil means the problem's own fitness.
func NewTrainer(config rsie.EvolutionConfig, factory ModelFactory, evaluator Evaluator) *Trainer {
	return &Trainer{config: config, factory: factory, evaluator: evaluator}
}

// Trained is the result of a run of a strategy on one problem.
type Trained struct {
	Point       []float64 // best ever, [D]
	Fitness     float64   // minimised
	Curve       Curve
	Evaluations int
}

// Train runs the strategy until its budget is spent.
func (t *Trainer) Train(ctx context.Context) (*Trained, error) {
	if t.config.Backend == nil || t.factory == nil {
		return nil, fmt.Errorf("%w: a trainer needs a Backend in its configuration and a model factory", rsie.ErrInvalid)
	}
	p, err := t.factory(t.config.Task)
	if err != nil {
		return nil, err
	}
	if t.evaluator != nil {
		p = replaced{p, t.evaluator}
	}
	return Evolve(ctx, t.config.Backend, t.config.Strategy, p, rsie.NewKey(t.config.Seed), t.config.Budget)
}

// replaced is a problem with another fitness; it hides any model, so that the host evaluates.
type replaced struct {
	problem  rsie.Problem
	evaluate Evaluator
}

func (r replaced) Shape() rsie.Shape { return r.problem.Shape() }

func (r replaced) Evaluate(ctx context.Context, fitness, points []float64, _ rsie.Key) error {
	return r.evaluate(ctx, r.problem, fitness, points)
}

// Evolve runs one strategy on one problem: the whole of level 1, and with a problem of
// strategies the whole of level 2.
func Evolve(ctx context.Context, b rsie.Backend, s rsie.Strategy, p rsie.Problem, key rsie.Key,
	budget int) (*Trained, error) {
	batch, err := NewBatch(b, p, []RunSpec{{Strategy: s, Key: key, Budget: budget}})
	if err != nil {
		return nil, err
	}
	defer batch.Close()
	if err := batch.Run(ctx); err != nil {
		return nil, err
	}
	out := &Trained{Curve: batch.Curve(0), Evaluations: budget}
	out.Point, out.Fitness, err = batch.Best(0)
	return out, err
}

// TrainReport is what `rsie train` shows of a task.
type TrainReport struct {
	Trained
	Run     int                      // which of the runs was chosen
	Runs    []float64                // final training fitness of each
	Metrics map[string][]task.Metric // by part: training, validation, test
	Quality *float64                 // where the task has anchors
}

// TrainTask runs s `runs` times on t and keeps the run of lowest validation loss (training
// fitness where there are no validation rows). Test rows are read once, for the report.
func TrainTask(ctx context.Context, b rsie.Backend, t *task.Task, s rsie.Strategy, key rsie.Key,
	budget, runs int) (*TrainReport, error) {
	judge := Judge{Backend: b, Problem: t.Problem, Task: t.Name, Budget: budget, Runs: runs, Points: true}
	got, err := judge.Measure(ctx, []rsie.Strategy{s}, key)
	if err != nil {
		return nil, err
	}
	out := &TrainReport{Metrics: map[string][]task.Metric{}}
	lowest := 0.0
	for k, o := range got[0] {
		out.Runs = append(out.Runs, o.Curve.Final())
		loss := o.Curve.Final()
		if v, ok, err := partLoss(ctx, b, t, rsie.Validation, o.Best); err != nil {
			return nil, err
		} else if ok {
			loss = v
		}
		if k == 0 || loss < lowest {
			lowest, out.Run = loss, k
			out.Trained = Trained{Point: o.Best, Fitness: o.Curve.Final(), Curve: o.Curve, Evaluations: budget}
		}
	}
	if t.Anchors != nil {
		q := t.Anchors.Quality(out.Fitness)
		out.Quality = &q
	}
	for _, p := range []rsie.Part{rsie.Training, rsie.Validation, rsie.Test} {
		m, err := PartMetrics(b, t, p, out.Point)
		if err != nil {
			return nil, err
		}
		if m != nil {
			out.Metrics[p.String()] = m
		}
	}
	return out, nil
}

// partLoss returns the loss of a point on a part, false when the task has no such rows.
func partLoss(_ context.Context, b rsie.Backend, t *task.Task, p rsie.Part, point []float64) (float64, bool, error) {
	metrics, err := PartMetrics(b, t, p, point)
	if err != nil || len(metrics) == 0 {
		return 0, false, err
	}
	if m := metrics[0]; m.Maximise {
		return -m.Value, true, nil
	}
	return metrics[0].Value, true, nil
}

// PartMetrics returns the user-facing metrics of a point on a part of a task's data, the loss
// first; nil when the task has no model or no such rows.
func PartMetrics(b rsie.Backend, t *task.Task, p rsie.Part, point []float64) ([]task.Metric, error) {
	m, ok := t.Problem.(rsie.Modelled)
	if !ok {
		return nil, nil
	}
	rows := m.Rows(p)
	if rows == nil || rows.S == 0 {
		return nil, nil
	}
	outputs, err := Predict(b, m.Model(), rows, point)
	if err != nil {
		return nil, err
	}
	return t.Metrics(outputs, p), nil
}

// Predict returns the outputs of one network on rows: [S, out], or [S] returns of episodes.
func Predict(b rsie.Backend, m *rsie.Model, rows *rsie.Rows, point []float64) ([]float64, error) {
	if len(point) != m.Dim() {
		return nil, fmt.Errorf("%w: %d parameters, the model has %d", rsie.ErrInvalid, len(point), m.Dim())
	}
	program, err := b.Load(m, rows)
	if err != nil {
		return nil, err
	}
	width := m.Outputs()
	if m.Loss == rsie.Return {
		width = 1
	}
	out := make([]float64, rows.S*width)
	return out, b.Predict(out, program, point)
}

// Fitness returns the training fitness of points [n, D], as a run would see it.
func Fitness(ctx context.Context, b rsie.Backend, p rsie.Problem, points []float64) ([]float64, error) {
	dim := p.Shape().Dim
	n := len(points) / dim
	s := rsie.DefaultStrategy()
	s.PopulationSize = max(n, 2)
	batch, err := NewBatch(b, p, []RunSpec{{Strategy: s, Key: rsie.NewKey(0), Budget: n}})
	if err != nil {
		return nil, err
	}
	defer batch.Close()
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = points[i*dim:][:dim]
	}
	batch.Start(rows)
	if err := batch.Run(ctx); err != nil {
		return nil, err
	}
	_, fitness, err := batch.Members(0)
	return fitness[:n], err
}
