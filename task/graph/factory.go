package graph

import (
	"fmt"
	"maps"
	"slices"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Factory returns a model factory, as meta.ModelFactory, over models by task name. Every call
// builds a graph of its own, so problems of different calls run side by side. The factory
// returns [rsie.ErrNotFound] with the known names for any other name.
func Factory(models map[string]Build) func(name string) (rsie.Problem, error) {
	models = maps.Clone(models)
	return func(name string) (rsie.Problem, error) {
		build, ok := models[name]
		if !ok {
			return nil, fmt.Errorf("%w: graph model %q; known are %v",
				rsie.ErrNotFound, name, slices.Sorted(maps.Keys(models)))
		}
		p, err := New(name, build)
		if err != nil {
			return nil, err
		}
		return p, nil
	}
}
