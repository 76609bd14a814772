package cpu

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// classifier returns the network of benchShape with 24 rows of made-up data.
func classifier() (*rsie.Model, *rsie.Rows) {
	m := &rsie.Model{Network: rsie.Dense, Layers: []int{8, 16, 16, 3},
		Activation: []rsie.Activation{rsie.Tanh, rsie.ReLU}, Loss: rsie.CrossEntropy}
	rows := &rsie.Rows{S: 24, Inputs: make([]float64, 24*8), Classes: make([]int32, 24)}
	normals(rows.Inputs, address{key: rsie.NewKey(77)}, rsie.StreamProblem)
	for i := range rows.Classes {
		rows.Classes[i] = int32(i % 3)
	}
	return m, rows
}

// mixed sets run r to one of twenty-two strategies that use every operator between them.
func mixed(r int, t *rsie.Run) {
	t.Selection = uint8(1 + r%4)
	t.Mutation = uint8(1 + r/2%4)
	t.Crossover = uint8(1 + r%3)
	t.Rate, t.Strength = []float64{0.05, 0.3, 1}[r%3], 0.2
	t.DiversityThreshold = []float64{0.1, 5}[r%2] // the second lets immigrants in
	if r%3 == 0 {
		t.Flags |= rsie.FlagSharing | rsie.FlagAdaptive
	}
	switch {
	case r >= 16:
		mixedLater(r-16, t)
	case r == 15:
		t.Family = rsie.CodeRandom
	case r >= 11:
		mixedDistribution(r-11, t)
	}
}

// mixedLater sets one of six strategies that carry more than a population or a mean over from
// generation to generation, or draw their noise in another way.
func mixedLater(k int, t *rsie.Run) {
	switch k {
	case 0:
		differential(t)
		t.Base, t.Adaptation, t.History, t.Archive = rsie.CodeToBest, rsie.CodeLSHADE, 5, 9
		t.Eligible, t.Flags = 3, t.Flags|rsie.FlagVaryBest
	case 1:
		t.Mutation, t.StepFactor, t.Groups = rsie.CodeSelfAdaptive, 2, 3
		t.Flags |= rsie.FlagBestBreeds
	case 5:
		mixedDistribution(2, t)
		t.Scales, t.Recombine, t.Covariance, t.Negative = rsie.CodeFastNES, rsie.CodeUtility, rsie.CodeNoCovariance, 1
		t.Flags &^= rsie.FlagPath
	default:
		mixedDistribution(k-2, t)
		t.Sampling = []uint8{rsie.CodeOrthogonal, rsie.CodeSobol, rsie.CodeLowRank}[k-2]
		t.Archive, t.ParentShare, t.ParentStep, t.ParentCross = 4, 0.3, 0.5, 0.5
	}
}

// mixedDistribution sets one of four distribution strategies that use every update between them.
func mixedDistribution(k int, t *rsie.Run) {
	distribution(t)
	t.Update = []uint8{rsie.CodeAdam, rsie.CodePlain, rsie.CodeClipUp, rsie.CodePlain}[k]
	t.Recombine = []uint8{rsie.CodeCentred, rsie.CodeUtility, rsie.CodeLogarithmic, rsie.CodeEqual}[k]
	t.Control = []uint8{rsie.CodeSuccess, rsie.CodeCumulative, rsie.CodePathLength, rsie.CodeTwoPoint}[k]
	t.Scales = []uint8{rsie.CodeLikelihood, rsie.CodeSepCMA, rsie.CodeNatural, rsie.CodeVariance}[k]
	t.Mu, t.WeightExponent, t.Negative, t.MuEff, t.MaxSpeed = 2, 1, 0.5, 1.8, 2
	t.StepGain, t.ScaleRate, t.PathRate, t.PathDamping = 0.1, 0.05, 0.3, 1.3
	t.CovPathRate, t.CovRankOne, t.CovRankMu = 0.2, 0.1, 0.1
	t.Pull, t.Decay, t.LayerExponent, t.OutputStep = 0.2, 0.001, 0.5, 0.4
	if k == 2 {
		t.Covariance, t.Density = rsie.CodeRankOne, 0.5
		t.Flags |= rsie.FlagPath
	}
	if k%2 == 0 {
		t.Flags |= rsie.FlagMirrored
	}
	if k >= 1 {
		t.Probes = 2
	}
}

var mixedSizes = []int{7, 20, 33, 4, 50, 12, 2, 90, 13, 25, 31, 9, 40, 22, 6, 17, 30, 14, 61, 20, 18, 16}

// evolve runs ten generations of some of the runs, with evaluation by the program; the
// runs stop at different times, some in the middle of a generation. It returns the state.
func evolve(t *testing.T, workers int, chosen []int) (*loop, rsie.Program) {
	t.Helper()
	g := backend(t, workers)
	sizes := make([]int, len(chosen))
	for k, r := range chosen {
		sizes[k] = mixedSizes[r]
	}
	l := newLoop(t, g, benchShape(), sizes, func(k int, run *rsie.Run) {
		mixed(chosen[k], run)
		run.Seed, run.Index = uint64(500+chosen[k]), uint32(chosen[k])
	})
	p, err := g.Load(classifier())
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		l.fill()
		for k, r := range chosen {
			run := &l.table[k]
			run.EvalTo = run.Members - run.Probes
			if last := 4 + r%7; l.spent == last {
				run.EvalTo = (run.EvalFrom + run.EvalTo + 1) / 2
			} else if l.spent > last {
				run.Flags &^= rsie.FlagActive
			}
		}
		ops := []rsie.Op{rsie.OpBreed, rsie.OpSample, rsie.OpSurvive, rsie.OpEvaluate, rsie.OpRank,
			rsie.OpMeasure, rsie.OpShare, rsie.OpUpdate, rsie.OpFactor,
			rsie.OpProbe, rsie.OpEvaluateProbes, rsie.OpSettle}
		if l.spent == 0 {
			ops = ops[3:]
		} else {
			ops = slices.Insert(ops, 4, rsie.OpReplace)
		}
		if err := g.Do(l.state, l.table, p, ops); err != nil {
			t.Fatal(err)
		}
		l.state.Swap()
		l.spent++
	}
	return l, p
}

func everyRun() []int {
	out := make([]int, len(mixedSizes))
	for r := range out {
		out[r] = r
	}
	return out
}

// runBits returns everything the state holds of run k, as bits.
func (l *loop) runBits(k int) []uint64 {
	var out []uint64
	from, n := int(l.table[k].Offset), int(l.table[k].Members)
	cut := func(b rsie.Buffer, at, n int) {
		for _, v := range l.get(b)[at : at+n] {
			out = append(out, math.Float64bits(v))
		}
	}
	stride := l.state.Stride
	cut(l.state.Vectors, k*rsie.VecCount*stride, rsie.VecCount*stride)
	cut(l.state.Memory, k*rsie.MemCount, rsie.MemCount)
	if a := int(l.table[k].ArchiveAt); l.table[k].Archive > 0 {
		cut(l.state.Archive, a*stride, int(l.table[k].Archive)*stride)
	}
	if l.table[k].Adaptation > rsie.CodeNoHistory || l.table[k].Groups > 0 {
		cut(l.state.History, k*2*rsie.MaxHistory, 2*rsie.MaxHistory)
	}
	for _, g := range []rsie.Generation{l.state.Now, l.state.Next} {
		cut(g.Points, from*stride, n*stride)
		for _, b := range []rsie.Buffer{g.Fitness, g.Order, g.Selection, g.Choice, g.Parent} {
			cut(b, from, n)
		}
		if n > 0 && l.table[k].Mutation >= rsie.CodeDifferential {
			cut(g.Strengths, from, n)
			cut(g.Rates, from, n)
		}
		if l.state.FactorLen > 0 && l.table[k].Mutation == rsie.CodeSVD {
			cut(g.Factors, from*l.state.FactorLen, n*l.state.FactorLen)
			cut(g.Factored, from*len(l.state.Shape.Blocks), n*len(l.state.Shape.Blocks))
		}
	}
	return out
}

// TestSameBits checks that the number of workers and the composition of the batch change no
// bit, and that the runs get somewhere and their padding stays 0.
func TestSameBits(t *testing.T) {
	one, _ := evolve(t, 1, everyRun())
	for _, workers := range []int{2, 7} {
		other, _ := evolve(t, workers, everyRun())
		for r := range mixedSizes {
			if !slices.Equal(one.runBits(r), other.runBits(r)) {
				t.Errorf("run %d differs between 1 and %d workers", r, workers)
			}
		}
	}
	some := []int{13, 2, 7, 15, 6}
	part, _ := evolve(t, 2, some)
	for k, r := range some {
		if !slices.Equal(one.runBits(r), part.runBits(k)) {
			t.Errorf("run %d differs in another batch", r)
		}
	}
	for r := range mixedSizes {
		alone, _ := evolve(t, 3, []int{r})
		if !slices.Equal(one.runBits(r), alone.runBits(0)) {
			t.Errorf("run %d differs alone", r)
		}
		if best := one.memory(r, rsie.MemBest); !(best < 1.6) {
			t.Errorf("run %d: best %g", r, best)
		}
	}
	points, dim := one.get(one.state.Now.Points), one.state.Shape.Dim
	for m := range one.state.Members {
		if pad := points[m*one.state.Stride+dim : (m+1)*one.state.Stride]; slices.Max(pad) != 0 || slices.Min(pad) != 0 {
			t.Fatalf("padding of member %d is not 0", m)
		}
	}
}

// TestEvolves checks that two kinds of run come close to a target off the diagonal that random
// search, with as many evaluations, does not.
func TestEvolves(t *testing.T) {
	const members, generations = 40, 60
	l := newLoop(t, backend(t, 2), vectorShape(10), repeat(members, 4), func(r int, run *rsie.Run) {
		switch r {
		case 1:
			distribution(run)
		case 2:
			natural(run, 0.3)
			run.Sigma = 1
		case 3:
			run.Family = rsie.CodeRandom
		}
	})
	for range generations {
		l.generation()
	}
	random := l.memory(3, rsie.MemBest)
	for r := range 3 {
		if best := l.memory(r, rsie.MemBest); best > random/3 {
			t.Errorf("run %d reaches %g, random search %g", r, best, random)
		}
	}
}

// TestNoAllocations checks a whole generation with evaluation.
func TestNoAllocations(t *testing.T) {
	l, p := evolve(t, 2, everyRun())
	for r := range l.table {
		l.table[r].Flags |= rsie.FlagActive
	}
	for op := rsie.OpInitialise; int(op) < rsie.OpCount; op++ {
		ops := []rsie.Op{op}
		if n := testing.AllocsPerRun(5, func() {
			if err := l.g.Do(l.state, l.table, p, ops); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s allocates %g times", op, n)
		}
	}
}

// TestOpEvaluate checks that the rows asked for, and no other, get the fitness that Predict's
// outputs give, and that the rest becomes Worst.
func TestOpEvaluate(t *testing.T) {
	g := backend(t, 2)
	m, rows := classifier()
	p, err := g.Load(m, rows)
	if err != nil {
		t.Fatal(err)
	}
	l := newLoop(t, g, benchShape(), []int{9, 5, 3}, nil)
	l.table[0].EvalFrom, l.table[0].EvalTo, l.table[2].Flags = 2, 6, 0
	l.put(l.state.Next.Fitness, 0, slices.Repeat([]float64{-3}, 17))
	if err := g.Do(l.state, l.table, p, []rsie.Op{rsie.OpEvaluate}); err != nil {
		t.Fatal(err)
	}
	points, fitness := l.get(l.state.Next.Points), l.get(l.state.Next.Fitness)
	for member, got := range fitness {
		want := -3.
		switch {
		case member >= 6 && member < 9:
			want = rsie.Worst
		case member >= 2 && member < 14:
			out := make([]float64, 24*3)
			if err := g.Predict(out, p, points[member*l.state.Stride:][:l.state.Shape.Dim]); err != nil {
				t.Fatal(err)
			}
			want = 0
			for i, class := range rows.Classes {
				o := out[3*i:][:3]
				want += (math.Log(math.Exp(o[0])+math.Exp(o[1])+math.Exp(o[2])) - o[class]) / 24
			}
		}
		if math.Abs(got-want) > 1e-12*math.Abs(want) {
			t.Errorf("fitness of member %d is %g, want %g", member, got, want)
		}
	}
}

// TestPredict checks several networks at once against one at a time.
func TestPredict(t *testing.T) {
	g := backend(t, 2)
	p, err := g.Load(classifier())
	if err != nil {
		t.Fatal(err)
	}
	dim := benchShape().Dim
	points, all := make([]float64, 5*dim), make([]float64, 5*72)
	normals(points, address{key: rsie.NewKey(1)}, rsie.StreamInitialise)
	if err := g.Predict(all, p, points); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		one := make([]float64, 72)
		if err := g.Predict(one, p, points[i*dim:][:dim]); err != nil || !slices.Equal(one, all[i*72:][:72]) {
			t.Errorf("network %d differs alone (%v)", i, err)
		}
	}
	if slices.Equal(all[:72], all[72:144]) {
		t.Error("two networks put out the same")
	}
}

// TestMisuse checks that every wrong call fails with the right sentinel and a text that names
// the operation.
func TestMisuse(t *testing.T) {
	g, other := backend(t, 2), backend(t, 1)
	l := newLoop(t, g, benchShape(), []int{4, 4}, nil)
	m, rows := classifier()
	p, _ := g.Load(m, rows)
	foreign, _ := other.Load(m, rows)
	small, _ := g.Load(&rsie.Model{Network: rsie.Dense, Layers: []int{8, 3}, Loss: rsie.CrossEntropy}, rows)
	freed, _ := g.Alloc(rsie.Float, 3)
	g.Free(freed)
	g.Free(freed)
	g.Free(nil)
	floats, _ := g.Alloc(rsie.Float, 4)
	indices, _ := g.Alloc(rsie.Index, 4)
	do := func(change func(t []rsie.Run), p rsie.Program, ops ...rsie.Op) error {
		table := slices.Clone(l.table)
		change(table)
		return g.Do(l.state, table, p, ops)
	}
	set := func(f func(r *rsie.Run)) error {
		return do(func(t []rsie.Run) { f(&t[1]) }, nil, rsie.OpRank)
	}
	nothing := func([]rsie.Run) {}
	broken := *l.state
	broken.Now.Order = freed
	alloc := func(e rsie.Element, n int) error { _, err := g.Alloc(e, n); return err }
	workers := func(n int) error { _, err := NewGonum(n); return err }
	load := func(m *rsie.Model, rows *rsie.Rows) error { _, err := g.Load(m, rows); return err }
	for i, c := range []struct {
		err  error
		is   error
		text string
	}{
		{workers(-1), rsie.ErrInvalid, "-1 workers"},
		{workers(MaxWorkers + 1), rsie.ErrInvalid, "workers"},
		{alloc(rsie.Float, -1), rsie.ErrShape, "alloc of -1"},
		{alloc(rsie.Float, MaxElements+1), rsie.ErrShape, "alloc"},
		{alloc(9, 2), rsie.ErrShape, "kind 9"},
		{g.Upload(freed, 0, nil), rsie.ErrShape, "upload"},
		{other.Upload(floats, 0, nil), rsie.ErrShape, "another backend"},
		{g.Upload(floats, 2, make([]float64, 3)), rsie.ErrShape, "upload of 3 elements from element 2 of a buffer of 4"},
		{g.Upload(floats, -1, nil), rsie.ErrShape, "-1"},
		{g.Upload(indices, 0, []float64{0, 1.5}), rsie.ErrShape, "element 1 is 1.5"},
		{g.Upload(indices, 0, []float64{-1}), rsie.ErrShape, "-1"},
		{g.Upload(indices, 0, []float64{math.NaN()}), rsie.ErrShape, "NaN"},
		{g.Download(make([]float64, 5), floats, 0), rsie.ErrShape, "download of 5"},
		{g.Download(nil, nil, 0), rsie.ErrShape, "download"},
		{load(nil, rows), rsie.ErrShape, "load"},
		{load(m, nil), rsie.ErrShape, "load"},
		{g.Predict(make([]float64, 71), p, make([]float64, benchShape().Dim)), rsie.ErrShape, "predict"},
		{g.Predict(nil, foreign, nil), rsie.ErrShape, "another backend"},
		{g.Do(nil, l.table, nil, nil), rsie.ErrShape, "no state"},
		{g.Do(l.state, l.table[:1], nil, []rsie.Op{rsie.OpRank}), rsie.ErrShape,
			"[rank] on bench [2 runs, 8 members, 467 parameters]"},
		{g.Do(&broken, l.table, nil, nil), rsie.ErrShape, "freed"},
		{other.Do(l.state, l.table, nil, nil), rsie.ErrShape, "another backend"},
		{do(nothing, nil, rsie.OpEvaluate), rsie.ErrShape, "evaluate"},
		{do(nothing, foreign, rsie.OpEvaluate), rsie.ErrShape, "evaluate"},
		{do(nothing, small, rsie.OpEvaluate), rsie.ErrShape, "27 parameters"},
		{do(nothing, nil, 0), rsie.ErrUnsupported, "operation 0"},
		{set(func(r *rsie.Run) { r.Offset = 3 }), rsie.ErrShape, "run 1"},
		{set(func(r *rsie.Run) { r.Members = 5 }), rsie.ErrShape, "[4, 9)"},
		{set(func(r *rsie.Run) { r.Members = 0 }), rsie.ErrShape, "members"},
		{set(func(r *rsie.Run) { r.Index = 1 << 24 }), rsie.ErrShape, "index"},
		{set(func(r *rsie.Run) { r.EvalTo = 5 }), rsie.ErrShape, "eval_to"},
		{set(func(r *rsie.Run) { r.EvalFrom, r.EvalTo = 3, 2 }), rsie.ErrShape, "eval_from"},
		{set(func(r *rsie.Run) { r.Elites = 5 }), rsie.ErrShape, "elites"},
		{set(func(r *rsie.Run) { r.Family = 4 }), rsie.ErrShape, "family 4, want 1 to 3"},
		{set(func(r *rsie.Run) { r.Family, r.Update = rsie.CodeDistribution, 0 }), rsie.ErrShape, "update"},
		{set(func(r *rsie.Run) { r.Selection = 0 }), rsie.ErrShape, "selection"},
		{set(func(r *rsie.Run) { r.Mutation = 9 }), rsie.ErrShape, "mutation"},
		{set(func(r *rsie.Run) { r.Crossover = 4 }), rsie.ErrShape, "crossover"},
		{set(func(r *rsie.Run) { r.Tournament = 0 }), rsie.ErrShape, "tournament"},
		{set(func(r *rsie.Run) { r.Selection, r.Eligible = rsie.CodeElitism, 5 }), rsie.ErrShape, "eligible"},
		{set(func(r *rsie.Run) { r.Flags |= rsie.FlagSharing; r.Niche = 0 }), rsie.ErrShape, "niche"},
		{set(func(r *rsie.Run) { r.Mutation = rsie.CodeSVD }), rsie.ErrShape, "without factors"},
	} {
		if !errors.Is(c.err, c.is) || !strings.Contains(fmt.Sprint(c.err), c.text) {
			t.Errorf("case %d: error %q, want %q with %q", i, c.err, c.is, c.text)
		}
	}
}

// TestClose checks that a closed backend refuses everything and closes twice.
func TestClose(t *testing.T) {
	g := backend(t, 3)
	l := newLoop(t, g, benchShape(), []int{4}, nil)
	p, err := g.Load(classifier())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, alloc := g.Alloc(rsie.Float, 1)
	_, load := g.Load(classifier())
	for i, err := range []error{alloc, load, g.Upload(l.state.Memory, 0, nil), g.Download(nil, l.state.Memory, 0),
		g.Predict(nil, p, nil), g.Do(l.state, l.table, nil, []rsie.Op{rsie.OpRank})} {
		if err == nil || !strings.Contains(err.Error(), "after Close") {
			t.Errorf("call %d after Close: %v", i, err)
		}
	}
	l.state.Free(g)
}

// TestInfo checks the name, the precision and that every operation is there.
func TestInfo(t *testing.T) {
	info := backend(t, 2).Info()
	if info.Name != "gonum" || info.Bits != 64 || info.Ops[0] {
		t.Errorf("info %+v", info)
	}
	for op := 1; op < rsie.OpCount; op++ {
		if !info.Ops[op] || operations[op] == nil {
			t.Errorf("operation %s is missing", rsie.Op(op))
		}
	}
}

// TestSaveRestore checks that a state that is saved and restored into another one goes on bit
// for bit.
func TestSaveRestore(t *testing.T) {
	l, p := evolve(t, 2, everyRun())
	saved, err := l.state.Save(l.g)
	if err != nil {
		t.Fatal(err)
	}
	next := func(l *loop) []float64 {
		for r := range l.table {
			l.table[r].Flags |= rsie.FlagActive
		}
		ops := []rsie.Op{rsie.OpBreed, rsie.OpSample, rsie.OpSurvive, rsie.OpEvaluate, rsie.OpRank, rsie.OpMeasure,
			rsie.OpShare, rsie.OpUpdate, rsie.OpFactor}
		if err := l.g.Do(l.state, l.table, p, ops); err != nil {
			t.Fatal(err)
		}
		out, err := l.state.Save(l.g)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := next(l)
	again := newLoop(t, l.g, benchShape(), mixedSizes, mixed)
	copy(again.table, l.table)
	if err := again.state.Restore(l.g, saved); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(next(again), want) {
		t.Error("the restored state goes another way")
	}
}
