package bbob

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
)

var vectorsDir = flag.String("bbob.vectors", "testdata",
	"folder with bbob_<D>d.json to check, for a run over a full vector collection")

type vectorFile struct {
	Dimension int         `json:"dimension"`
	Points    [][]float64 `json:"points"`
	Offsets   [][]float64 `json:"offsets_from_x_opt"`
	Functions []struct {
		Function int       `json:"function"`
		Instance int       `json:"instance"`
		FOpt     float64   `json:"f_opt"`
		XOpt     []float64 `json:"x_opt"`
		Values   []float64 `json:"values"`
		Near     []float64 `json:"near"`
		AtXOpt   float64   `json:"f_at_x_opt"`
	} `json:"functions"`
}

func readJSON(t testing.TB, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func mustNew(t testing.TB, function, dim, instance int) *Function {
	t.Helper()
	f, err := New(function, dim, instance)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// relative is |got - want| over |want|.
func relative(got, want float64) float64 {
	if got == want {
		return 0
	}
	return math.Abs(got-want) / math.Abs(want)
}

// TestVectors compares with cocoex 2.8.2: 1e-9 relative at points, which is where cocoex and ioh
// agree for every function; 1e-7 absolute near the optimum, where f7 has steps.
func TestVectors(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(*vectorsDir, "bbob_*d.json"))
	if err != nil || len(files) < 6 {
		t.Fatalf("%d vector files, want 6 or more: %v", len(files), err)
	}
	var atPoints, nearOptimum [Functions + 1]float64
	checked := 0
	for _, path := range files {
		var v vectorFile
		readJSON(t, path, &v)
		for _, want := range v.Functions {
			f := mustNew(t, want.Function, v.Dimension, want.Instance)
			if relative(f.FOpt(), want.FOpt) > 1e-14 {
				t.Errorf("%s: f_opt %v, want %v", f.Name(), f.FOpt(), want.FOpt)
			}
			for i, x := range f.XOpt() {
				if !(math.Abs(x-want.XOpt[i]) <= 1e-9) {
					t.Errorf("%s: x_opt[%d] %v, want %v", f.Name(), i, x, want.XOpt[i])
				}
			}
			for k, x := range v.Points {
				e := relative(f.Eval(x), want.Values[k])
				atPoints[want.Function] = max(atPoints[want.Function], e)
				if !(e <= 1e-9) {
					t.Errorf("%s: point %d: %v, want %v", f.Name(), k, f.Eval(x), want.Values[k])
				}
				checked++
			}
			near := append([][]float64{make([]float64, v.Dimension)}, v.Offsets...)
			values := append([]float64{want.AtXOpt}, want.Near...)
			for k, offset := range near {
				x := append([]float64(nil), want.XOpt...)
				for i := range x {
					x[i] += offset[i]
				}
				e := math.Abs(f.Eval(x) - values[k])
				nearOptimum[want.Function] = max(nearOptimum[want.Function], e)
				if !(e <= 1e-7) {
					t.Errorf("%s: near %d: %v, want %v", f.Name(), k, f.Eval(x), values[k])
				}
				checked++
			}
		}
	}
	for n := 1; n <= Functions; n++ {
		t.Logf("f%-2d largest difference: %.1e relative at points, %.1e near the optimum",
			n, atPoints[n], nearOptimum[n])
	}
	t.Logf("%d values", checked)
}

// TestExtraVectors covers instances 6..15 and 71 and dimension 7.
func TestExtraVectors(t *testing.T) {
	var v struct{ Sets []vectorFile }
	readJSON(t, "testdata/extra.json", &v)
	largest, checked := 0.0, 0
	for _, set := range v.Sets {
		for _, want := range set.Functions {
			f := mustNew(t, want.Function, set.Dimension, want.Instance)
			if relative(f.FOpt(), want.FOpt) > 1e-14 {
				t.Errorf("%s: f_opt %v, want %v", f.Name(), f.FOpt(), want.FOpt)
			}
			for k, x := range set.Points {
				e := relative(f.Eval(x), want.Values[k])
				largest = max(largest, e)
				if !(e <= 1e-9) {
					t.Errorf("%s: point %d: %v, want %v", f.Name(), k, f.Eval(x), want.Values[k])
				}
				checked++
			}
		}
	}
	if checked != 6*24*11*5 {
		t.Errorf("%d values checked, want %d", checked, 6*24*11*5)
	}
	t.Logf("largest relative difference %.1e", largest)
}

// TestStepEllipsoidFloor: on the plateau around x_opt f7 is |ẑ_1|/10^5, which is no larger than
// 10^-6 there, so that a tolerance of 1e-7 hardly sees it.
func TestStepEllipsoidFloor(t *testing.T) {
	f := mustNew(t, 7, 2, 1)
	x := f.XOpt()
	for i := range x {
		x[i] += 0.01 * f.first[i] // along the first row of Λ R, whose length is 1
	}
	if got := f.Precision(x); !(math.Abs(got-1e-7) < 1e-12) {
		t.Errorf("precision 0.01 from x_opt along the first axis is %g, want 1e-7", got)
	}
}

// TestGenerator compares the generator, f_opt, shift and rotation with stored intermediate
// values, so that a fault shows where it is. Instances of the vectors above only pass with it.
func TestGenerator(t *testing.T) {
	var v struct {
		Unif, Gauss []struct {
			Seed   int64
			Values []float64
		}
		Rotation []struct {
			Seed      int64
			Dimension int
			Rows      [][]float64
		}
	}
	readJSON(t, "testdata/generator.json", &v)
	if len(v.Unif) == 0 || len(v.Gauss) == 0 || len(v.Rotation) == 0 {
		t.Fatal("a kind of value is missing")
	}
	compare := func(name string, got, want []float64) {
		for i := range want {
			if !(math.Abs(got[i]-want[i]) <= 1e-13) {
				t.Errorf("%s: element %d is %v, want %v", name, i, got[i], want[i])
			}
		}
	}
	for _, want := range v.Unif {
		got := make([]float64, len(want.Values))
		uniform(got, want.Seed)
		compare(fmt.Sprintf("uniform %d", want.Seed), got, want.Values)
	}
	for _, want := range v.Gauss {
		got := make([]float64, len(want.Values))
		normal(got, want.Seed)
		compare(fmt.Sprintf("normal %d", want.Seed), got, want.Values)
	}
	for _, want := range v.Rotation {
		got := drawRotation(want.Dimension, want.Seed)
		for i, row := range want.Rows {
			compare(fmt.Sprintf("rotation %d row %d", want.Seed, i), got[i*want.Dimension:], row)
		}
	}
}
