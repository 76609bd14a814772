package task

import (
	"context"
	"errors"
	"math"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

func functionTask(t *testing.T, name string) *Task {
	t.Helper()
	all, err := Functions(name)
	if err != nil || len(all) != 1 {
		t.Fatalf("%s: %d tasks, %v", name, len(all), err)
	}
	return all[0]
}

func evaluateOne(t *testing.T, p rsie.Problem, x []float64, key rsie.Key) float64 {
	t.Helper()
	f := []float64{0}
	if err := p.Evaluate(context.Background(), f, x, key); err != nil {
		t.Fatal(err)
	}
	return f[0]
}

// TestFunctionNames checks what names stand for, by values: f(x) of an instance, f - f_opt of
// all of them, the same digest for the same function and another for a group.
func TestFunctionNames(t *testing.T) {
	x := []float64{1, -2}
	one := functionTask(t, "bbob/f1/d2/i1")
	want := 79.48 + (1-0.2528)*(1-0.2528) + (-2+1.1568)*(-2+1.1568)
	if got := evaluateOne(t, one.Problem, x, rsie.Key{}); math.Abs(got-want) > 1e-9 {
		t.Errorf("f(x) = %g, want %g", got, want)
	}
	if p, ok := one.Precision(x); !ok || math.Abs(p-(want-79.48)) > 1e-9 {
		t.Errorf("precision %g, want %g", p, want-79.48)
	}
	if q := one.Anchors.Quality(79.48 + 1e-3); math.Abs(q-0.5) > 1e-9 || one.Anchors.Quality(79.48) != 1 {
		t.Errorf("quality %g at a precision of 1e-3, want 0.5", q)
	}
	all := functionTask(t, "bbob/f1/d2")
	if got := evaluateOne(t, all.Problem, x, rsie.Key{}); math.Abs(got-(want-79.48)) > 1e-9 {
		t.Errorf("all instances: fitness %g, want the precision %g", got, want-79.48)
	}
	for k, name := range []string{"bbob/f1/d2/i1", "bbob/f1/d2/i2", "bbob/f1/d2/i3"} {
		p, err := all.Problem.(rsie.Replicated).Replicate(k)
		if err != nil {
			t.Fatal(err)
		}
		precision, _ := functionTask(t, name).Precision(x)
		if got := evaluateOne(t, p, x, rsie.Key{}); got != precision {
			t.Errorf("replicate %d: %g, want that of %s, %g", k, got, name, precision)
		}
	}
	if one.Digest() == all.Digest() {
		t.Error("an instance and all instances have one digest")
	}
	if got, err := built(t, new(functionSpec), "{function: 1, dimension: 2}", "", nil); err != nil || got.Digest() != one.Digest() {
		t.Errorf("the function of a file has digest %v, want %s", got, one.Digest())
	}
}

// TestFunctionGroups checks groups, noise and mixtures.
func TestFunctionGroups(t *testing.T) {
	for group, n := range map[string]int{"bbob/5d": 24, "bbob-noisy/3d": 30, "bbob-mixture/d4": 1} {
		all, err := Functions(group)
		if err != nil || len(all) != n {
			t.Errorf("%s: %d tasks, %v; want %d", group, len(all), err, n)
		}
		for _, one := range all {
			if _, ok := one.Problem.(rsie.Replicated); !ok || one.Anchors == nil || !IsFunction(one.Name) {
				t.Errorf("%s is no group of instances with anchors", one.Name)
			}
			if s := one.Problem.Shape(); s.Check() != nil || !s.Open || s.Noisy != (group == "bbob-noisy/3d") {
				t.Errorf("%s: shape %+v", one.Name, s)
			}
		}
	}
	noisy := functionTask(t, "bbob-noisy/f101/d2/i1")
	x := []float64{1, -2}
	a, b := evaluateOne(t, noisy.Problem, x, rsie.NewKey(1)), evaluateOne(t, noisy.Problem, x, rsie.NewKey(2))
	if a == b || a != evaluateOne(t, noisy.Problem, x, rsie.NewKey(1)) {
		t.Errorf("noise of two keys: %g and %g", a, b)
	}
	m := functionTask(t, "bbob-mixture/d4/i3")
	if p, ok := m.Precision([]float64{1, 2, 3, 4}); !ok || p <= 0 {
		t.Errorf("precision of a mixture %g", p)
	}
	for _, bad := range []string{"bbob/f25/d5", "bbob/5", "bbob/f1/d1", "bbob-noisy/f1/d5", "bbob-mixture/5", "bbob/f3/d5/i0"} {
		_, err := Functions(bad)
		if !errors.Is(err, rsie.ErrInvalid) {
			t.Errorf("%s: error %v, want ErrInvalid", bad, err)
		}
	}
	if IsFunction("bbob.yaml") || IsFunction("own/bbob") {
		t.Error("a file counts as a function")
	}
}
