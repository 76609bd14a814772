package bench

import (
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/task"
)

// digests holds a line for every case and operation, and for every whole run: a name, blanks and the
// digest. They are those of the numeric contract rsie-math/1 and hold on every backend of 32 bits.
//
//go:embed testdata/rsie-math-1.txt
var digests string

// Conform carries the cases of one table out on a backend of 32 bits, one operation at a time, then whole
// runs, and fails where a digest is not the golden one or the environment requires another backend, see
// [rsie.RequireVariable].
func Conform(t *testing.T, b rsie.Backend) {
	t.Helper()
	for _, c := range conformCases() {
		t.Run(c.name, func(t *testing.T) { compare(t, b, must(t)(c.digests(t, b))) })
	}
	ConformRuns(t, b)
}

// ConformRuns is the part of [Conform] that carries out whole runs, which a backend with little memory
// does in parts.
func ConformRuns(t *testing.T, b rsie.Backend) {
	t.Helper()
	for _, r := range wholeRuns() {
		t.Run(r.name, func(t *testing.T) { compare(t, b, must(t)(r.digests(t, b))) })
	}
}

// compare fails where digests are not the golden ones.
func compare(t *testing.T, b rsie.Backend, got []digest) {
	t.Helper()
	if name := os.Getenv(rsie.RequireVariable); name != "" && !b.Info().Is(name) {
		t.Fatalf("%s=%s, but the backend is %s (%s)", rsie.RequireVariable, name, b.Info().Name, b.Info().Device)
	}
	for _, d := range got {
		if want := golden()[d.name]; d.sum != want {
			t.Errorf("%s: digest %s, the golden one is %q", d.name, d.sum, want)
		}
	}
}

// golden returns the golden digests by name.
var golden = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(digests) {
		if f := strings.Fields(line); len(f) == 2 {
			out[f[0]] = f[1]
		}
	}
	return out
})

func must(t *testing.T) func([]digest, error) []digest {
	return func(d []digest, err error) []digest {
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
}

// digest is one line of the golden file.
type digest struct{ name, sum string }

// conformCase is runs of strategies on one problem, all in one batch.
type conformCase struct {
	name        string
	guards      string // what this case is for
	problem     rsie.Problem
	strategies  []rsie.Strategy
	generations int
	spoil       bool // fitness is replaced by odd values before it is ranked
}

// digests returns those of every operation: of all that the state holds after each call of it.
func (c conformCase) digests(t *testing.T, b rsie.Backend) ([]digest, error) {
	s := &stepper{Backend: b, spoil: c.spoil}
	specs := make([]meta.RunSpec, len(c.strategies))
	for r, strategy := range c.strategies {
		specs[r] = meta.RunSpec{Strategy: strategy, Key: rsie.NewKey(11).Child(uint64(r)),
			Budget: c.generations * max(100, strategy.PopulationSize)}
	}
	batch, err := meta.NewBatch(s, c.problem, specs)
	if err != nil {
		return nil, err
	}
	defer batch.Close()
	for range c.generations {
		if err := batch.Step(t.Context()); err != nil {
			return nil, err
		}
	}
	var out []digest
	for op, h := range s.sums {
		if h != nil {
			out = append(out, digest{dashed(c.name + "/" + rsie.Op(op).String()), sum(h)})
		}
	}
	if m, ok := c.problem.(rsie.Modelled); ok {
		d, err := predicted(c.name, b, m)
		return append(out, d), err
	}
	return out, nil
}

// dashed returns a name without blanks.
func dashed(name string) string { return strings.ReplaceAll(name, " ", "-") }

// predicted returns the digest of the outputs of three networks.
func predicted(name string, b rsie.Backend, p rsie.Modelled) (digest, error) {
	m, rows := p.Model(), p.Rows(rsie.Training)
	prog, err := b.Load(m, rows)
	if err != nil {
		return digest{}, err
	}
	width := rows.S
	if m.Loss != rsie.Return {
		width *= m.Outputs()
	}
	points, out := make([]float64, 3*m.Dim()), make([]float64, 3*width)
	for i := range points {
		points[i] = float64(i%17)/10 - 0.8
	}
	err = b.Predict(out, prog, points)
	h := sha256.New()
	fold(h, out)
	return digest{dashed(name + "/predict"), sum(h)}, err
}

// stepper is a backend that does one operation at a time and keeps digests by operation.
type stepper struct {
	rsie.Backend
	sums  [rsie.OpCount]hash.Hash
	spoil bool
}

func (s *stepper) Do(state *rsie.State, runs []rsie.Run, p rsie.Program, ops []rsie.Op) error {
	for _, op := range ops {
		if s.spoil && op == rsie.OpReplace {
			if err := s.Upload(state.Next.Fitness, 0, oddValues(state.Members, runs[0].Generation)); err != nil {
				return err
			}
		}
		if err := s.Backend.Do(state, runs, p, []rsie.Op{op}); err != nil {
			return err
		}
		values, err := state.Save(s.Backend)
		if err != nil {
			return err
		}
		if s.sums[op] == nil {
			s.sums[op] = sha256.New()
		}
		fold(s.sums[op], values)
	}
	return nil
}

// oddValues returns n values of fitness with NaN, infinities, both zeros, the smallest numbers, the
// largest ones and many ties.
func oddValues(n int, generation uint32) []float64 {
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), math.SmallestNonzeroFloat32,
		-math.SmallestNonzeroFloat32, math.MaxFloat32, -math.MaxFloat32, rsie.Worst, 1, 1, -1, 0.5}
	out := make([]float64, n)
	key := rsie.NewKey(5)
	for i := range out {
		w := key.Words(uint32(i), 0, generation, 0, rsie.StreamProblem)
		out[i] = float64(w[0]%64) / 8
		if w[1]%4 == 0 {
			out[i] = odd[int(w[2])%len(odd)]
		}
	}
	return out
}

// fold adds values to a digest. NaN has no fixed bits: every one is the same here.
func fold(h hash.Hash, values []float64) {
	var buf [4096]byte
	for part := range slices.Chunk(values, len(buf)/8) {
		for i, v := range part {
			bits := math.Float64bits(v)
			if v != v {
				bits = math.Float64bits(math.NaN())
			}
			binary.LittleEndian.PutUint64(buf[8*i:], bits)
		}
		h.Write(buf[:8*len(part)])
	}
}

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)[:8]) }

// wholeRun is a strategy on a task of the standard suite until its budget is spent.
type wholeRun struct {
	name     string
	task     string
	strategy rsie.Strategy
	budget   int
}

// wholeReplicates is how many keys a whole run has: more than one, so that runs can be done together or
// in turn.
const wholeReplicates = 3

// digests returns the digest of the curves, the best points and the diversity.
func (r wholeRun) digests(t *testing.T, b rsie.Backend) ([]digest, error) {
	suite, err := task.Embedded("standard")
	if err != nil {
		return nil, err
	}
	tasks, err := suite.Select([]string{r.task})
	if err != nil {
		return nil, err
	}
	j := meta.Judge{Backend: b, Problem: tasks[0].Problem, Task: r.task, Budget: r.budget, Runs: wholeReplicates,
		Points: true}
	out, err := j.Measure(t.Context(), []rsie.Strategy{r.strategy}, rsie.NewKey(1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.name, err)
	}
	h := sha256.New()
	for _, o := range out[0] {
		for _, p := range o.Curve.Points {
			fold(h, []float64{float64(p.Evaluations), p.Fitness})
		}
		fold(h, append([]float64{o.Diversity}, o.Best...))
	}
	return []digest{{"run/" + r.name, sum(h)}}, nil
}
