package rsie

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

//go:embed bench/baselines/*.json
var baselineFiles embed.FS

// baselines reads the embedded files once, in the order of their names.
var baselines = sync.OnceValue(func() []Strategy {
	entries, err := baselineFiles.ReadDir("bench/baselines")
	if err != nil {
		panic("rsie: " + err.Error())
	}
	var out []Strategy
	for _, e := range entries {
		b, err := baselineFiles.ReadFile("bench/baselines/" + e.Name())
		if err != nil {
			panic("rsie: " + err.Error())
		}
		var s Strategy
		if err := json.Unmarshal(b, &s); err != nil {
			panic("rsie: " + e.Name() + ": " + err.Error())
		}
		if s.GenomeID != strings.TrimSuffix(e.Name(), ".json") || s.Source == "" {
			panic("rsie: " + e.Name() + " lacks its name or its source")
		}
		out = append(out, s)
	}
	return out
})

// Baselines returns every hand-designed strategy, by name: files of bench/baselines, each with
// its source. Names that end in "-default" have the settings of a library, others of the same
// algorithm those tuned on the training tasks of the embedded suite.
func Baselines() []Strategy {
	out := make([]Strategy, 0, len(baselines()))
	for _, s := range baselines() {
		out = append(out, s.Clone())
	}
	return out
}

// Starts returns the hand-designed strategies that level 2 starts from and is compared with by
// default: the published default genome first, then tuned ones of each family and the floor.
func Starts() []Strategy {
	var out []Strategy
	for _, name := range []string{"default", "simple-ga", "openai-es", "snes", "sep-cma-es", "random-search"} {
		s, err := Baseline(name)
		if err != nil {
			panic("rsie: " + err.Error())
		}
		out = append(out, s)
	}
	return out
}

// Baseline returns the hand-designed strategy of a name, or [ErrNotFound] with the names.
func Baseline(name string) (Strategy, error) {
	var names []string
	for _, s := range baselines() {
		if s.GenomeID == name {
			return s.Clone(), nil
		}
		names = append(names, s.GenomeID)
	}
	return Strategy{}, fmt.Errorf("%w: strategy %q; the hand-designed ones are %v",
		ErrNotFound, name, names)
}
