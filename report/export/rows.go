package export

import (
	"encoding/json"
	"fmt"
	"math"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/meta/store"
	"github.com/symbio-ai/recursive-improvement/report"
)

// Data is a run as tables. Scores, qualities and metrics are maximised, fitness is minimised. A
// null is a number that does not exist.
type Data struct {
	Run         *report.Run     `json:"-"`
	Generations []GenerationRow `json:"generations"`
	Strategies  []StrategyRow   `json:"strategies"`
	Genes       []GeneRow       `json:"genes"`
	Results     []ResultRow     `json:"results"`
	Finals      []FinalRow      `json:"finals"`
	Curves      []CurveRow      `json:"curves"`
}

// GenerationRow is one generation.
type GenerationRow struct {
	Generation   int64    `json:"generation" parquet:"generation"` // from 0
	Evaluations  int64    `json:"evaluations" parquet:"evaluations"`
	Best         *float64 `json:"best" parquet:"best,optional"`
	Median       *float64 `json:"median" parquet:"median,optional"`
	BestStrategy string   `json:"best_strategy" parquet:"best_strategy"` // digest
	Digest       string   `json:"digest" parquet:"digest"`               // of the run up to here
}

// StrategyRow is one strategy.
type StrategyRow struct {
	Strategy     string   `json:"strategy" parquet:"strategy"` // digest
	Name         string   `json:"name" parquet:"name"`
	Parent       string   `json:"parent" parquet:"parent"` // digest; empty when it has none
	Generation   int64    `json:"generation" parquet:"generation"`
	Measurements int64    `json:"measurements" parquet:"measurements"` // generations on all tasks
	MetaFitness  *float64 `json:"meta_fitness" parquet:"meta_fitness,optional"`
	Words        string   `json:"words" parquet:"words"`
}

// GeneRow is one gene that has an effect in a strategy.
type GeneRow struct {
	Strategy string   `json:"strategy" parquet:"strategy"`
	Gene     string   `json:"gene" parquet:"gene"`
	Text     string   `json:"text" parquet:"text"` // as in a strategy file
	Number   *float64 `json:"number" parquet:"number,optional"`
}

// ResultRow is one level-1 run of the generations.
type ResultRow struct {
	Generation              int64    `json:"generation" parquet:"generation"`
	Strategy                string   `json:"strategy" parquet:"strategy"`
	Task                    string   `json:"task" parquet:"task"`
	Replicate               int64    `json:"replicate" parquet:"replicate"`
	Seed                    uint64   `json:"seed" parquet:"seed"`
	Evaluations             int64    `json:"evaluations" parquet:"evaluations"`
	Fitness                 *float64 `json:"fitness" parquet:"fitness,optional"`
	Area                    *float64 `json:"area" parquet:"area,optional"`
	MetaFitness             *float64 `json:"meta_fitness" parquet:"meta_fitness,optional"`
	ConvergenceSpeed        float64  `json:"convergence_speed" parquet:"convergence_speed"`
	FinalFitness            float64  `json:"final_fitness" parquet:"final_fitness"` // quality
	SampleEfficiency        float64  `json:"sample_efficiency" parquet:"sample_efficiency"`
	Diversity               float64  `json:"diversity" parquet:"diversity"`
	Robustness              float64  `json:"robustness" parquet:"robustness"`
	ComputationalEfficiency float64  `json:"computational_efficiency" parquet:"computational_efficiency"`
}

// FinalRow is one line of the final table on one task.
type FinalRow struct {
	Strategy    string  `json:"strategy" parquet:"strategy"` // genome_id
	Role        string  `json:"role" parquet:"role"`
	Task        string  `json:"task" parquet:"task"`
	Split       string  `json:"split" parquet:"split"`
	Quality     float64 `json:"quality" parquet:"quality"`
	MetaFitness float64 `json:"meta_fitness" parquet:"meta_fitness"` // of the row, over its tasks
}

// CurveRow is one improvement of a run of the final table.
type CurveRow struct {
	Strategy    string  `json:"strategy" parquet:"strategy"` // digest
	Task        string  `json:"task" parquet:"task"`
	Replicate   int64   `json:"replicate" parquet:"replicate"`
	Seed        uint64  `json:"seed" parquet:"seed"`
	Evaluations int64   `json:"evaluations" parquet:"evaluations"`
	Fitness     float64 `json:"fitness" parquet:"fitness"`
	Quality     float64 `json:"quality" parquet:"quality"`
}

// number is v, nil when it is not finite.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// Read makes the tables of a run.
func Read(st *store.Store, r *report.Run) (*Data, error) {
	d := &Data{Run: r}
	for _, g := range r.Generations {
		d.Generations = append(d.Generations, GenerationRow{int64(g.Number), g.Evaluations, number(g.Best),
			number(g.Median), g.Strategy, g.Digest})
	}
	d.readStrategies()
	d.readFinals()
	return d, d.readResults(st)
}

func (d *Data) readStrategies() {
	for i := range d.Run.Strategies {
		s := &d.Run.Strategies[i]
		row := StrategyRow{Strategy: s.Digest, Name: s.Name, Generation: int64(s.Born), Measurements: int64(len(s.Scores)),
			MetaFitness: number(s.Score()), Words: report.CardOf(s.Genome).Words}
		if s.Parent >= 0 {
			row.Parent = d.Run.Strategies[s.Parent].Digest
		}
		d.Strategies = append(d.Strategies, row)
		for _, g := range rsie.StrategySpace {
			if !g.IsActive(&s.Genome) {
				continue
			}
			gene := GeneRow{Strategy: s.Digest, Gene: g.Name, Text: g.Format(&s.Genome)}
			if g.Kind == rsie.Real || g.Kind == rsie.Integer {
				gene.Number = number(g.Get(&s.Genome))
			}
			d.Genes = append(d.Genes, gene)
		}
	}
}

func (d *Data) readFinals() {
	if d.Run.Learned != nil {
		for _, row := range d.Run.Learned.Report.Rows {
			for _, t := range d.Run.Learned.Report.Tasks {
				if q, ok := row.Quality[t.Name]; ok {
					d.Finals = append(d.Finals, FinalRow{row.Name, row.Role, t.Name, t.Split, q, row.MetaFitness})
				}
			}
		}
	}
	if d.Run.Curves == nil {
		return
	}
	known := map[string]meta.ReportTarget{}
	for _, t := range d.Run.Curves.Tasks {
		known[t.Name] = t
	}
	for _, c := range d.Run.Curves.Runs {
		for _, p := range c.Curve(known[c.Task].Budget).Points {
			d.Curves = append(d.Curves, CurveRow{c.Strategy, c.Task, int64(c.Replicate), c.Seed, int64(p.Evaluations),
				p.Fitness, known[c.Task].Anchors.Quality(p.Fitness)})
		}
	}
}

func (d *Data) readResults(st *store.Store) error {
	return st.ResultsByGeneration(func(generation int, r store.Result) error {
		var m rsie.Metrics
		if err := json.Unmarshal(r.Metrics, &m); err != nil {
			return fmt.Errorf("%w: the run's result: %v", rsie.ErrInvalid, err)
		}
		d.Results = append(d.Results, ResultRow{int64(generation), r.Strategy, r.Task, int64(r.Replicate), r.Seed,
			r.Evaluations, number(r.Final), number(r.Area), number(r.MetaFitness), m.ConvergenceSpeed, m.FinalFitness,
			m.SampleEfficiency, m.Diversity, m.Robustness, m.ComputationalEfficiency})
		return nil
	})
}
