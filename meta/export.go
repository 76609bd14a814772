package meta

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// LearnedFormat and LearnedVersion stand in every file of learned strategies.
const (
	LearnedFormat  = "rsie-learned-strategies"
	LearnedVersion = 1
)

// Learned is the file of a run's strategies: plain data, the same bytes for the same seed.
type Learned struct {
	Format                 string                     `json:"format"`
	Version                int                        `json:"version"`
	Metadata               LearnedMetadata            `json:"metadata"`
	TopUniversalStrategies []rsie.Strategy            `json:"top_universal_strategies"`
	TaskStrategies         map[string][]rsie.Strategy `json:"task_strategies"`
	Report                 Report                     `json:"report"`
}

// LearnedMetadata says how the strategies were found.
type LearnedMetadata struct {
	Direction          string          `json:"direction"`
	Seed               uint64          `json:"seed"`
	MetaPopulationSize int             `json:"meta_population_size"`
	MetaGenerations    int             `json:"meta_generations"`
	BaseTaskBudget     int             `json:"base_task_budget"` // evaluations
	RunsPerTask        int             `json:"runs_per_task"`
	Objectives         rsie.Objectives `json:"objectives"`
	Strategies         int             `json:"strategies_tried"`
	Evaluations        int64           `json:"evaluations"`
	Precision          int             `json:"precision_bits"`
}

// export returns the learned strategies as indented JSON with a final line end.
func (e *Engine) export(r *Result) ([]byte, error) {
	c := e.config
	doc := Learned{Format: LearnedFormat, Version: LearnedVersion,
		Metadata: LearnedMetadata{
			Direction: "fitness_score, quality and meta_fitness are maximised",
			Seed:      c.Seed, MetaPopulationSize: c.MetaPopulationSize, MetaGenerations: c.MetaGenerations,
			BaseTaskBudget: c.BaseTaskBudget, RunsPerTask: c.RunsPerTask, Objectives: c.Objectives,
			Strategies: len(e.archive.order), Evaluations: e.evaluations, Precision: c.Backend.Info().Bits,
		},
		TopUniversalStrategies: r.Universal, TaskStrategies: r.Specialists, Report: r.Report}
	b, err := json.MarshalIndent(doc, "", "  ")
	return append(b, '\n'), err
}

// ExportLearnedStrategies writes the strategies of the last [Engine.MetaTrain] as JSON.
func (e *Engine) ExportLearnedStrategies(w io.Writer) error {
	if e.result == nil {
		return fmt.Errorf("%w: nothing learned yet; call MetaTrain first", rsie.ErrNotFound)
	}
	b, err := e.export(e.result)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// LoadStrategies reads strategies from a file: one strategy, a list of them, or what
// [Engine.ExportLearnedStrategies] wrote; universal ones come first.
func LoadStrategies(path string) ([]rsie.Strategy, error) {
	b, err := readLimited(path, rsie.MaxStrategyFile)
	if err != nil {
		return nil, err
	}
	wrap := func(err error) error {
		if errors.Is(err, rsie.ErrInvalid) {
			return fmt.Errorf("%s: %w", path, err)
		}
		return fmt.Errorf("%w: %s: %v", rsie.ErrInvalid, path, err)
	}
	var list []rsie.Strategy
	if strings.HasPrefix(strings.TrimSpace(string(b)), "[") {
		if err := json.Unmarshal(b, &list); err != nil {
			return nil, wrap(err)
		}
	} else {
		var head struct {
			Format  string                     `json:"format"`
			Version int                        `json:"version"`
			Top     []rsie.Strategy            `json:"top_universal_strategies"`
			Tasks   map[string][]rsie.Strategy `json:"task_strategies"`
		}
		if err := json.Unmarshal(b, &head); err != nil {
			return nil, wrap(err)
		}
		if head.Format != LearnedFormat && head.Top == nil {
			var one rsie.Strategy
			if err := json.Unmarshal(b, &one); err != nil {
				return nil, wrap(err)
			}
			return []rsie.Strategy{one.Named()}, nil
		}
		if head.Version > LearnedVersion {
			return nil, wrap(fmt.Errorf("version %d, this program reads %d; use a newer rsie", head.Version, LearnedVersion))
		}
		list = head.Top
		for _, name := range slices.Sorted(maps.Keys(head.Tasks)) {
			list = append(list, head.Tasks[name]...)
		}
	}
	if len(list) == 0 {
		return nil, wrap(errors.New("holds no strategy"))
	}
	for i := range list {
		list[i] = list[i].Named()
	}
	return list, nil
}

// FindStrategy resolves NAME, FILE or FILE#genome_id: a hand-designed strategy, or one from a
// file (the first without an id).
func FindStrategy(ref string) (rsie.Strategy, error) {
	path, id, hasID := strings.Cut(ref, "#")
	if !hasID && !strings.ContainsAny(ref, `/\`) && !strings.HasSuffix(ref, ".json") {
		s, err := rsie.Baseline(ref)
		if err != nil {
			return s, fmt.Errorf("%w: %w; a file is named FILE.json or FILE.json#genome_id", rsie.ErrInvalid, err)
		}
		return s, nil
	}
	list, err := LoadStrategies(path)
	if err != nil {
		return rsie.Strategy{}, err
	}
	if !hasID {
		return list[0], nil
	}
	var ids []string
	for _, s := range list {
		if s.GenomeID == id {
			return s, nil
		}
		ids = append(ids, s.GenomeID)
	}
	return rsie.Strategy{}, fmt.Errorf("%w: %s holds no strategy %q; it holds %v", rsie.ErrInvalid, path, id, ids)
}

// LoadLearned reads what [Engine.ExportLearnedStrategies] wrote; nil for a file that [LoadStrategies]
// reads but that holds strategies alone.
func LoadLearned(path string) (*Learned, error) {
	b, err := readLimited(path, rsie.MaxStrategyFile)
	if err != nil {
		return nil, err
	}
	var l Learned
	if json.Unmarshal(b, &l) != nil || l.Format != LearnedFormat || l.Version > LearnedVersion {
		return nil, nil
	}
	return &l, nil
}

// readLimited reads a whole file of at most limit bytes.
func readLimited(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %v", rsie.ErrInvalid, path, errors.Unwrap(err))
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a file", rsie.ErrInvalid, path)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%w: %s has %d bytes, at most %d are read", rsie.ErrInvalid, path, info.Size(), limit)
	}
	return os.ReadFile(filepath.Clean(path))
}
