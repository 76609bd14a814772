package bbob

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// randomPoints returns n points [n, dim], uniform in [-radius, radius]^dim.
func randomPoints(n, dim int, radius float64, key rsie.Key) []float64 {
	out := make([]float64, n*dim)
	for i := range out {
		w := key.Words(uint32(i/4), 0, 0, 0, rsie.StreamInitialise)
		out[i] = (2*rsie.Uniform(w[i%4]) - 1) * radius
	}
	return out
}

// TestOptimum: x_opt has precision 0 up to rounding, lies in the box, and no point around it or
// in the box is better.
func TestOptimum(t *testing.T) {
	for number := 1; number <= Functions; number++ {
		for _, dim := range []int{2, 5, 40, 100} {
			f := mustNew(t, number, dim, 3)
			x := f.XOpt()
			if p := f.Precision(x); math.Abs(p) > 1e-9 {
				t.Errorf("%s: precision %g at x_opt", f.Name(), p)
			}
			for i, v := range x {
				if math.Abs(v) > 5 {
					t.Errorf("%s: x_opt[%d] is %g, outside the box", f.Name(), i, v)
				}
			}
			key := rsie.NewKey(uint64(number*1000 + dim))
			far := randomPoints(20, dim, 5, key)
			near := randomPoints(20, dim, 1, key.Child(1))
			for k := range 20 {
				if p := f.Precision(far[k*dim : (k+1)*dim]); !(p > 1e-3) {
					t.Errorf("%s: precision %g at a random point", f.Name(), p)
				}
				for i := range dim {
					near[k*dim+i] = x[i] + near[k*dim+i]*math.Pow(10, -float64(k)/5)
				}
				// f5 is flat beyond its corner, and x_opt of f20 is given to ten digits.
				if p := f.Precision(near[k*dim : (k+1)*dim]); !(p >= -1e-9) {
					t.Errorf("%s: precision %g near x_opt", f.Name(), p)
				}
			}
		}
	}
}

// TestRotationsAreOrthogonal also in a dimension above the vectors'.
func TestRotationsAreOrthogonal(t *testing.T) {
	for _, dim := range []int{2, 7, 40, 120} {
		m := drawRotation(dim, 1010010)
		for i := range dim {
			for j := range dim {
				want := 0.0
				if i == j {
					want = 1
				}
				if got := dot(m[i*dim:][:dim], m[j*dim:][:dim]); math.Abs(got-want) > 1e-11 {
					t.Fatalf("dimension %d: rows %d, %d have product %g", dim, i, j, got)
				}
			}
		}
	}
}

// TestPreciseFunctions uses 20 digits computed with mpmath 1.3 (mp.dps = 30).
func TestPreciseFunctions(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"log 0.1", preciseLog(0.1), -2.30258509299404562850684},
		{"log 1-2^-53", preciseLog(1 - 0x1p-53), -1.11022302462515660e-16},
		{"log 3e-10", preciseLog(3e-10), -21.9272386412723471554},
		{"cos 1", preciseCos(1), 0.540302305868139717400937},
		{"cos 2.5", preciseCos(2.5), -0.801143615546933715},
		{"cos 4", preciseCos(4), -0.653643620863611914},
		{"cos 6", preciseCos(6), 0.960170286650366020545652},
		{"cos π/2", preciseCos(math.Pi / 2), 6.12323399573676588613033e-17},
		{"10^0.3", precisePow(10, 0.3), 1.99526231496887955034591},
		{"1000^-0.5", precisePow(1000, -0.5), 0.0316227766016837933200},
		{"1^7", precisePow(1, 7), 1},
	} {
		if c.got != c.want {
			t.Errorf("%s is %v, want %v", c.name, c.got, c.want)
		}
	}
}

// TestKatsuuraOfManyDimensions: the product of f23 overflows from about 200 dimensions on.
func TestKatsuuraOfManyDimensions(t *testing.T) {
	f := mustNew(t, 23, 250, 1)
	if v := f.Precision(randomPoints(1, 250, 5, rsie.NewKey(1))); !(v > 0 && v < 100) {
		t.Errorf("%s: precision %g, want a value between 0 and 100", f.Name(), v)
	}
}

func TestNotANumber(t *testing.T) {
	for number := 1; number <= Functions; number++ {
		for _, dim := range []int{2, 5} {
			f := mustNew(t, number, dim, 1)
			for i := range dim {
				x := randomPoints(1, dim, 5, rsie.NewKey(1))
				x[i] = math.NaN()
				if v := f.Eval(x); !math.IsNaN(v) {
					t.Errorf("%s: %g with NaN at coordinate %d", f.Name(), v, i)
				}
				x[i] = math.Inf(1)
				if v := f.Eval(x); number != 5 && !math.IsNaN(v) && !math.IsInf(v, 1) {
					t.Errorf("%s: %g with +Inf at coordinate %d", f.Name(), v, i)
				}
			}
		}
	}
}

// TestEvalAllocatesNothing also above the dimension whose scratch is on the stack.
func TestEvalAllocatesNothing(t *testing.T) {
	for number := 1; number <= Functions; number++ {
		for _, dim := range []int{5, stackDim, stackDim + 1} {
			f := mustNew(t, number, dim, 1)
			points := randomPoints(2, dim, 5, rsie.NewKey(1))
			fitness := make([]float64, 2)
			n := testing.AllocsPerRun(100, func() {
				if err := f.EvalAll(fitness, points); err != nil {
					t.Fatal(err)
				}
			})
			if n >= 1 {
				t.Errorf("%s: %g allocations", f.Name(), n)
			}
		}
	}
}

// TestConcurrentUse compares values of several goroutines on one Function with those of one.
func TestConcurrentUse(t *testing.T) {
	for _, number := range []int{7, 15, 17, 21, 24} {
		for _, dim := range []int{5, stackDim + 1} {
			f := mustNew(t, number, dim, 1)
			points := randomPoints(50, dim, 5, rsie.NewKey(2))
			want := make([]float64, 50)
			if err := f.EvalAll(want, points); err != nil {
				t.Fatal(err)
			}
			var results [4][]float64
			var group sync.WaitGroup
			for w := range results {
				results[w] = make([]float64, 50)
				group.Go(func() { _ = f.EvalAll(results[w], points) })
			}
			group.Wait()
			for w, got := range results {
				if !slices.Equal(got, want) {
					t.Errorf("%s: goroutine %d has other values", f.Name(), w)
				}
			}
		}
	}
}

func TestCallerCannotChangeOptimum(t *testing.T) {
	f := mustNew(t, 1, 3, 1)
	f.XOpt()[0] = 99
	if f.XOpt()[0] == 99 {
		t.Error("XOpt returned its own array")
	}
}

func TestErrors(t *testing.T) {
	for _, c := range [][3]int{
		{0, 5, 1}, {25, 5, 1}, {101, 5, 1}, {-1, 5, 1}, {1, 1, 1}, {1, 0, 1}, {1, MaxDim + 1, 1},
		{1, 5, 0}, {1, 5, MaxInstance + 1}, {1, 5, -3},
	} {
		if f, err := New(c[0], c[1], c[2]); !errors.Is(err, rsie.ErrInvalid) || f != nil {
			t.Errorf("New%v: %v, want ErrInvalid", c, err)
		}
	}
	f := mustNew(t, 1, 3, 1)
	if err := f.EvalAll(make([]float64, 2), make([]float64, 5)); !errors.Is(err, rsie.ErrShape) {
		t.Errorf("EvalAll with 5 coordinates for 2 points: %v, want ErrShape", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("Eval of a short point did not panic")
		}
	}()
	f.Eval(make([]float64, 2))
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		name                    string
		function, dim, instance int
	}{
		{"bbob/f3/d5/i7", 3, 5, 7},
		{"bbob/f24/d640/i200000", 24, 640, 200000},
		{"bbob/f1/d2", 1, 2, 1},
		{"bbob-noisy/f130/d40/i3", 130, 40, 3},
	} {
		function, dim, instance, err := Parse(c.name)
		if err != nil || function != c.function || dim != c.dim || instance != c.instance {
			t.Errorf("Parse(%q) = %d, %d, %d, %v", c.name, function, dim, instance, err)
		}
	}
	for _, bad := range []string{"", "bbob", "bbob/f3", "bbob/f0/d5/i1", "bbob/f25/d5/i1", "bbob/f3/d1/i1",
		"bbob/f3/d5/i0", "bbob/f3/d641/i1", "bbob/f3/d5/i200001", "bbob/f3/d5/i1/x", "bbob/3/d5/i1",
		"bbob/f03/d5/i1", "bbob/f+3/d5/i1", "bbob/d5/f3/i1", "bbob/f3/d5/i", "bbob/f3/d5/",
		"bbob/f101/d5/i1", "bbob-noisy/f1/d5/i1", "coco/f1/d5/i1",
		"bbob/f99999999999999999999/d5/i1"} {
		if _, _, _, err := Parse(bad); !errors.Is(err, rsie.ErrInvalid) {
			t.Errorf("Parse(%q): %v, want ErrInvalid", bad, err)
		}
	}
	if got := mustNew(t, 3, 5, 7).Name(); got != "bbob/f3/d5/i7" {
		t.Errorf("Name is %q", got)
	}
}

func TestGroup(t *testing.T) {
	for group, functions := range map[string]int{"bbob/5d": 24, "bbob-noisy/20d": 30} {
		names, err := Group(group)
		if err != nil || len(names) != 5*functions {
			t.Fatalf("Group(%q) has %d names, want %d: %v", group, len(names), 5*functions, err)
		}
		for _, n := range names {
			if _, _, _, err := Parse(n); err != nil {
				t.Error(err)
			}
		}
		slices.Sort(names)
		if len(slices.Compact(names)) != 5*functions {
			t.Errorf("Group(%q) has a name twice", group)
		}
	}
	names, _ := Group("bbob/5d")
	if names[0] != "bbob/f1/d5/i1" || names[7] != "bbob/f2/d5/i3" || names[119] != "bbob/f24/d5/i5" {
		t.Errorf("order of the group: %v", names)
	}
	for _, bad := range []string{"", "bbob", "bbob/5", "bbob/d5",
		"bbob/05d", "bbob/1d", "bbob/641d", "coco/5d"} {
		if _, err := Group(bad); !errors.Is(err, rsie.ErrInvalid) {
			t.Errorf("Group(%q): %v, want ErrInvalid", bad, err)
		}
	}
}

// BenchmarkEval reports evaluations per second of each function on one core.
func BenchmarkEval(b *testing.B) {
	for _, dim := range []int{5, 20} {
		for number := 1; number <= Functions; number++ {
			b.Run(fmt.Sprintf("d%d/f%d", dim, number), func(b *testing.B) {
				f := mustNew(b, number, dim, 1)
				points := randomPoints(64, dim, 5, rsie.NewKey(1))
				b.ReportAllocs()
				sum := 0.0
				for i := 0; b.Loop(); i++ {
					at := i % 64 * dim
					sum += f.Eval(points[at : at+dim])
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "evals/s")
				if math.IsNaN(sum) {
					b.Fatal("a value is NaN")
				}
			})
		}
	}
}
