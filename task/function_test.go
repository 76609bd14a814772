package task

import (
	"context"
	"errors"
	"math"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

func TestFunctionIsTheSphereOfCOCO(t *testing.T) {
	got, err := built(t, new(functionSpec), "{function: 1, dimension: 2, instance: 1}", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := got.Problem.Shape()
	if s.Dim != 2 || s.Lower != -5 || s.Upper != 5 || s.Bits != 64 || s.Check() != nil {
		t.Errorf("shape %+v, want two parameters in [-5,5] of 64 bits", s)
	}
	// COCO: f1, instance 1, 2-D has x_opt (0.2528, -1.1568) and f_opt 79.48; so f(0) is this.
	fitness := make([]float64, 2)
	if err := got.Problem.Evaluate(context.Background(), fitness, []float64{0, 0, 0.2528, -1.1568},
		rsie.Key{}); err != nil {
		t.Fatal(err)
	}
	want := 79.48 + 0.2528*0.2528 + 1.1568*1.1568
	if math.Abs(fitness[0]-want) > 1e-9 || math.Abs(fitness[1]-79.48) > 1e-9 {
		t.Errorf("fitness %v, want %g and 79.48", fitness, want)
	}
	if err := got.Problem.Evaluate(context.Background(), fitness, []float64{0}, rsie.Key{}); !errors.Is(err, rsie.ErrShape) {
		t.Errorf("error %v for a short point, want ErrShape", err)
	}
}

func TestFunctionRefusesAndDigests(t *testing.T) {
	for text, want := range map[string]string{
		"{function: 25, dimension: 5}":             "function is 25",
		"{function: 1, dimension: 0}":              "dimension is 0",
		"{function: 1, dimension: 5, instance: 0}": "instance is 0",
	} {
		_, err := built(t, new(functionSpec), text, "", nil)
		wantInvalid(t, err, want)
	}
	_, err := built(t, new(functionSpec), "{function: 1, dimension: 5}", "", &NetworkSpec{})
	wantInvalid(t, err, "network does not belong to kind function")
	seen := map[string]bool{}
	for _, text := range []string{"{function: 1, dimension: 5}", "{function: 2, dimension: 5}",
		"{function: 1, dimension: 6}", "{function: 1, dimension: 5, instance: 2}"} {
		got, err := built(t, new(functionSpec), text, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		seen[got.Digest()] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d digests of 4 functions", len(seen))
	}
}
