package export

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"time"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// The operations of Optuna's journal that are written, and its codes.
// Source: optuna 5.0.0, storages/journal/_storage.py, JournalOperation; study/_study_direction.py.
const (
	createStudy = 0
	createTrial = 4
	maximise    = 2
	complete    = 1 // states of a trial
	pruned      = 2
)

// Optuna writes journal.log to a folder: a study that is maximised, with a trial per strategy. Its
// parameters are the genes with an effect, its value the mean meta-fitness, its intermediate values
// the meta-fitness of the generations that measured it on all tasks. A strategy that lost on the
// cheap tasks and met no others is a pruned trial.
func Optuna(d *Data, dir string) error {
	const worker = "rsie-export-1"
	at := clock(d)
	stamp := func(generation int) string {
		return time.Unix(0, int64(1e9*at(generation))).UTC().Format("2006-01-02T15:04:05.000000+00:00")
	}
	spans := geneSpans(d)
	byStrategy := measurements(d)
	return create(dir, "journal.log", func(w io.Writer) error {
		e := json.NewEncoder(w)
		err := e.Encode(map[string]any{"op_code": createStudy, "worker_id": worker,
			"study_name": "rsie-" + filepath.Base(d.Run.Name), "directions": []int{maximise}})
		for i := 0; i < len(d.Run.Strategies) && err == nil; i++ {
			s := &d.Run.Strategies[i]
			distributions, params := parameters(&s.Genome, spans)
			trial := map[string]any{"op_code": createTrial, "worker_id": worker, "study_id": 0, "state": complete,
				"value": number(s.Score()), "values": nil, "datetime_start": stamp(s.Born - 1), "datetime_complete": stamp(s.Born),
				"distributions": distributions, "params": params, "system_attrs": map[string]any{},
				"user_attrs": map[string]any{"digest": s.Digest, "name": s.Name, "parent": d.Strategies[i].Parent,
					"generation": s.Born}, "intermediate_values": byStrategy[i]}
			if len(s.Scores) == 0 {
				trial["state"] = pruned
			}
			err = e.Encode(trial)
		}
		return err
	})
}

// measurements returns the scores of each strategy by generation.
func measurements(d *Data) []map[string]float64 {
	out := make([]map[string]float64, len(d.Run.Strategies))
	for i := range out {
		out[i] = map[string]float64{}
	}
	for _, g := range d.Run.Generations {
		for _, m := range g.Members {
			if !m.Dropped {
				out[m.Strategy][fmt.Sprint(g.Number)] = m.Score
			}
		}
	}
	return out
}

// span is the range of a gene: what is searched, and wider where a hand-designed strategy lies
// outside.
type span struct{ low, high float64 }

func geneSpans(d *Data) map[string]span {
	out := map[string]span{}
	for _, g := range rsie.StrategySpace {
		s := span{g.Min, g.Max}
		for i := range d.Run.Strategies {
			if genome := &d.Run.Strategies[i].Genome; g.IsActive(genome) {
				s.low, s.high = math.Min(s.low, g.Get(genome)), math.Max(s.high, g.Get(genome))
			}
		}
		out[g.Name] = s
	}
	return out
}

// parameters returns the distributions, each a JSON text, and the internal values of the genes
// that have an effect.
func parameters(s *rsie.Strategy, spans map[string]span) (map[string]string, map[string]float64) {
	distributions, params := map[string]string{}, map[string]float64{}
	for _, g := range rsie.StrategySpace {
		if !g.IsActive(s) {
			continue
		}
		in := spans[g.Name]
		var kind string
		attributes := map[string]any{"low": in.low, "high": in.high, "log": g.Log && in.low > 0}
		switch g.Kind {
		case rsie.Category:
			kind, attributes = "CategoricalDistribution", map[string]any{"choices": g.Values}
		case rsie.Flag:
			kind, attributes = "CategoricalDistribution", map[string]any{"choices": []bool{false, true}}
		case rsie.Integer:
			kind = "IntDistribution"
			attributes["step"] = 1
		default:
			kind = "FloatDistribution"
			attributes["step"] = nil
		}
		b, _ := json.Marshal(map[string]any{"name": kind, "attributes": attributes}) // plain values
		distributions[g.Name], params[g.Name] = string(b), g.Get(s)
	}
	return distributions, params
}
