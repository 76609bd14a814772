package report

import (
	"fmt"
	"slices"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Kinds are the pictures of a run that have a name of their own; gene:NAME and task:NAME are the
// others.
var Kinds = []string{"progress", "diversity", "curves", "ecdf", "lead", "final", "heat", "genealogy", "parallel", "cost", "cost-tasks", "time", "causes", "pairs", "shapley", "surrogate", "path"}

// Figure returns the picture of a kind, or [rsie.ErrInvalid] with the kinds there are.
func (r *Run) Figure(kind string) (Figure, error) {
	if name, ok := strings.CutPrefix(kind, "gene:"); ok {
		return r.geneFigure(name)
	}
	if name, ok := strings.CutPrefix(kind, "task:"); ok {
		for _, f := range r.TaskCurves() {
			if f.Title == name {
				return f, nil
			}
		}
		return Figure{}, fmt.Errorf("%w: the run keeps no curves of a task %q", rsie.ErrInvalid, name)
	}
	if !slices.Contains(Kinds, kind) {
		return Figure{}, fmt.Errorf("%w: kind %q; there are %s, gene:NAME and task:NAME", rsie.ErrInvalid, kind, strings.Join(Kinds, ", "))
	}
	all := append([]Figure{r.Progress(), r.Diversity(), r.QualityCurves(), r.ECDF(), r.Lead(), r.FinalHeat().Figure(), r.SearchHeat().Figure(), r.Genealogy(), r.Parallel()},
		append(r.Cost(), r.Causes()...)...)
	for _, f := range all {
		if f.ID == kind && !f.Empty() {
			return f, nil
		}
	}
	return Figure{}, fmt.Errorf("%w: this run holds nothing to draw for %q", rsie.ErrUnsupported, kind)
}

// geneFigure returns the picture of one gene over generations.
func (r *Run) geneFigure(name string) (Figure, error) {
	for k, g := range rsie.StrategySpace {
		if g.Name != name {
			continue
		}
		f := r.drift(k)
		if g.Kind == rsie.Category || g.Kind == rsie.Flag {
			f = r.frequency(k)
		}
		f.ID = "gene:" + name
		return f, nil
	}
	return Figure{}, fmt.Errorf("%w: there is no gene %q; rsie strategy show default lists some", rsie.ErrInvalid, name)
}
