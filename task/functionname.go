package task

import (
	"fmt"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/task/bbob"
)

// evaluationsPerDimension is the budget of a function task that is named without a file.
const evaluationsPerDimension = 10_000

// IsFunction reports whether a name is for [Functions] and not for a file or a suite.
func IsFunction(name string) bool {
	family, _, found := strings.Cut(name, "/")
	return found && (family == "bbob" || family == "bbob-noisy" || family == "bbob-mixture")
}

// Functions returns the tasks of a name:
//
//	bbob/f3/d5/i7        one instance of a function; fitness is f(x)
//	bbob/f3/d5           all instances: run k takes instance k+1; fitness is f(x) - f_opt
//	bbob/5d              all functions in that dimension, each with all instances
//
// and likewise bbob-noisy/f101/d5/i1, bbob-mixture/d5/i3, bbob-mixture/d5 and bbob-noisy/5d.
// Their quality is that of the precision f - f_opt on a logarithmic scale from 1e2 to 1e-8.
//
// It returns [rsie.ErrInvalid] for a name or a number out of range.
func Functions(name string) ([]*Task, error) {
	if strings.HasPrefix(name, "bbob-mixture/") {
		t, err := namedMixture(name)
		if err != nil {
			return nil, err
		}
		return []*Task{t}, nil
	}
	if strings.Count(name, "/") > 1 {
		t, err := namedFunction(name)
		if err != nil {
			return nil, err
		}
		return []*Task{t}, nil
	}
	all, err := bbob.Group(name)
	if err != nil {
		return nil, err
	}
	var out []*Task
	for _, one := range all {
		several, found := strings.CutSuffix(one, "/i1")
		if !found {
			continue
		}
		t, err := namedFunction(several)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// namedFunction makes the task of a function, of one instance or of all.
func namedFunction(name string) (*Task, error) {
	number, dim, instance, err := bbob.Parse(name)
	if err != nil {
		return nil, err
	}
	return newFunctionTask(name, strings.Count(name, "/") == 3, instance, func(instance int) (function, error) {
		if number >= bbob.FirstNoisy {
			f, err := bbob.NewNoisy(number, dim, instance)
			return noisy{f}, err
		}
		f, err := bbob.New(number, dim, instance)
		return noiseless{f}, err
	})
}

// namedMixture makes the task of a generated mixture.
func namedMixture(name string) (*Task, error) {
	one := strings.Contains(name, "/i")
	full := name
	if !one {
		full += "/i1"
	}
	dim, instance, err := bbob.ParseMixture(full)
	if err != nil {
		return nil, err
	}
	return newFunctionTask(name, one, instance, func(instance int) (function, error) {
		f, err := bbob.GenerateMixture(dim, instance)
		return mixture{f}, err
	})
}

// newFunctionTask makes a task of one instance, or of all.
func newFunctionTask(name string, one bool, instance int, build func(int) (function, error)) (*Task, error) {
	f, err := build(instance)
	if err != nil {
		return nil, err
	}
	t := &Task{Name: name, Kind: "function", Split: "training", Budget: evaluationsPerDimension * f.Dim()}
	p := &functionProblem{name: name, f: f, above: !one}
	if one {
		t.Description = fmt.Sprintf("Fitness is f(x); the lowest value f_opt is %g. "+
			"Quality is logarithmic in the precision f - f_opt, from 1e2 to 1e-8.", f.FOpt())
		setFunction(t, p)
		return t, nil
	}
	t.Description = "All instances: run k takes instance k+1. Fitness is the precision f - f_opt; " +
		"quality is logarithmic in it, from 1e2 to 1e-8."
	setFunction(t, &instances{p, build})
	return t, nil
}

var _ rsie.Replicated = (*instances)(nil)
