package task

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// sumOfSquares answers every line as a simulator would; before is run with each line in $line.
const sumOfSquares = `while IFS= read -r line; do
%s
printf '%%s\n' "$line" | awk '{
  sub(/.*"points":\[\[/, ""); sub(/\]\]\}$/, "")
  n = split($0, p, /\],\[/)
  for (i = 1; i <= n; i++) {
    m = split(p[i], x, ","); s = 0
    for (j = 1; j <= m; j++) s += x[j] * x[j]
    out = out (i > 1 ? "," : "") sprintf("%%.17g", s)
  }
  print "{\"fitness\":[" out "]}"
}'
done
`

func squares(before string) string { return "#!/bin/sh\n" + fmt.Sprintf(sumOfSquares, before) }

// program is an exec task around a shell script, with what it warned about.
type program struct {
	*Task
	mu       sync.Mutex
	warnings []string
	stderr   bytes.Buffer
	dir      string
}

// start makes the task of a script in a folder of its own; fields are added to its YAML.
func start(t *testing.T, script, fields string, workers int) *program {
	t.Helper()
	p := &program{dir: t.TempDir()}
	write(t, p.dir, "program", script, 0o755)
	var s execSpec
	decode(t, "command: [./program]\n"+fields, &s)
	c := &loading{dir: p.dir, where: "tasks.yaml:1: task x", options: Options{Workers: workers,
		Stderr: &p.stderr, Warn: func(text string) {
			p.mu.Lock()
			p.warnings = append(p.warnings, text)
			p.mu.Unlock()
		}}}
	p.Task = &Task{Name: "x"}
	if err := s.build(p.Task, c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// evaluate returns the fitness of points of two parameters.
func (p *program) evaluate(ctx context.Context, points ...float64) ([]float64, error) {
	fitness := make([]float64, len(points)/2)
	err := p.Problem.Evaluate(ctx, fitness, points, rsie.NewKey(7))
	return fitness, err
}

// wantWarning fails unless some warning contains every text.
func (p *program) wantWarning(t *testing.T, texts ...string) {
	t.Helper()
	for _, w := range p.warnings {
		if !slices.ContainsFunc(texts, func(s string) bool { return !strings.Contains(w, s) }) {
			return
		}
	}
	t.Errorf("warnings %q, want one with %q", p.warnings, texts)
}

var fivePoints = []float64{1, 2, 0.1, -3, 0, 0, 1e-3, 4, -5, 0.25}

func sums(points []float64) []float64 {
	out := make([]float64, len(points)/2)
	for i := range out {
		out[i] = points[2*i]*points[2*i] + points[2*i+1]*points[2*i+1]
	}
	return out
}

func wantFitness(t *testing.T, got, want []float64, err error) {
	t.Helper()
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("fitness %v, %v, want %v", got, err, want)
	}
}

func TestExecAnswersForAnyNumberOfWorkers(t *testing.T) {
	for _, workers := range []int{1, 2, 3, 8} {
		p := start(t, squares(""), "dim: 2", workers)
		for range 3 {
			got, err := p.evaluate(t.Context(), fivePoints...)
			wantFitness(t, got, sums(fivePoints), err)
		}
		p.Close()
		if len(p.warnings) > 0 {
			t.Errorf("%d workers: warnings %q, want none", workers, p.warnings)
		}
		if _, err := p.evaluate(t.Context(), 1, 2); err == nil {
			t.Error("a closed task still evaluates")
		}
	}
}

// TestExecLine guards the published line: exact numbers, the seed of the key and the position.
func TestExecLine(t *testing.T) {
	p := start(t, squares(`printf '%s\n' "$line" >>line.$$`), "dim: 2", 2)
	points := []float64{1.0 / 3, -5e-324, math.MaxFloat64, 0, -1e21, 123456789, 1e-7, 2, 3, 4, 5, 6}
	if _, err := p.evaluate(t.Context(), points...); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(p.dir, "line.*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%d workers got lines, %v; want 2", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if text[len(text)-1] != '\n' || bytes.Count(text, []byte("\n")) != 1 {
			t.Errorf("%q is not one line", text)
		}
		var line struct {
			Version int         `json:"version"`
			Task    string      `json:"task"`
			Seed    json.Number `json:"seed"`
			First   int         `json:"first"`
			Points  [][]float64 `json:"points"`
		}
		in := json.NewDecoder(bytes.NewReader(text))
		in.DisallowUnknownFields()
		if err := in.Decode(&line); err != nil {
			t.Fatal(err)
		}
		if line.Version != 1 || line.Task != "x" || line.Seed != "0" || line.First%3 != 0 || len(line.Points) != 3 {
			t.Errorf("line %+v, want version 1, task x, seed 7>>11, first 0 or 3, three points", line)
		}
		if got := slices.Concat(line.Points...); !slices.Equal(got, points[2*line.First:][:6]) {
			t.Errorf("points %v, want %v", got, points[2*line.First:][:6])
		}
	}
	seed := rsie.NewKey(math.MaxUint64)
	job := execJob{points: []float64{1, 2}, dim: 2, seed: seed.Seed() >> 11}
	if got := string(appendQuestion(nil, `a"b`, job, 0, 1)); got !=
		`{"version":1,"task":"a\"b","seed":9007199254740991,"first":0,"points":[[1,2]]}`+"\n" {
		t.Errorf("line %q", got)
	}
}

// TestExecRanksWorst has one row per way in which an answer can be bad.
func TestExecRanksWorst(t *testing.T) {
	const w = rsie.Worst
	all := []float64{w, w, w, w, w}
	right := sums(fivePoints)
	for _, c := range []struct {
		name, script, fields string
		want                 []float64
		warning              []string
	}{
		{"hangs", squares("sleep 1000"), "timeout_seconds: 0.2", all,
			[]string{"so far 5 points ranked worst", "timeout_seconds"}},
		{"dies on one point", squares(`case "$line" in *0.001*) exit 3;; esac`), "",
			[]float64{right[0], right[1], right[2], w, right[4]}, []string{"so far 1 points", "died"}},
		{"floods", "#!/bin/sh\nread line\nhead -c 5000000 /dev/zero | tr '\\0' x\nread line", "", all,
			[]string{"so far 5 points", "longer than"}},
		{"wrong length", "#!/bin/sh\nwhile read line; do echo '{\"fitness\":[1,2]}'; done", "", all,
			[]string{"so far 5 points", "one value per point"}},
		{"no JSON", "#!/bin/sh\nwhile read line; do echo 1 2 3 4 5; done", "", all,
			[]string{"so far 5 points", "not a line like"}},
		{"empty line", "#!/bin/sh\nwhile read line; do echo; done", "", all, []string{"not a line like"}},
		{"no fitness", "#!/bin/sh\nwhile read line; do echo '{}'; done", "", all, []string{"not a line like"}},
		{"odd values", "#!/bin/sh\nwhile read line; do echo '{\"note\":\"\\\"NaN\",\"fitness\":[NaN,null,-Infinity,\"1\",2e0]}'; done",
			"", []float64{w, w, w, w, 2}, []string{"so far 4 points", "null, NaN, infinite or no number"}},
		{"too large", "#!/bin/sh\nwhile read line; do echo '{\"fitness\":[1e999,0,0,0,0]}'; done", "",
			[]float64{w, 0, 0, 0, 0}, []string{"so far 1 points"}},
		{"starts slowly", "#!/bin/sh\nsleep 0.2\n" + strings.TrimPrefix(squares(""), "#!/bin/sh\n"), "", right, nil},
		{"no line end", "#!/bin/sh\nread line\nprintf '{\"fitness\":[1,2,3,4,5]}'", "", []float64{1, 2, 3, 4, 5}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := start(t, c.script, "dim: 2\n"+c.fields, 1)
			got, err := p.evaluate(t.Context(), fivePoints...)
			wantFitness(t, got, c.want, err)
			if c.warning != nil {
				p.wantWarning(t, c.warning...)
			} else if len(p.warnings) > 0 {
				t.Errorf("warnings %q, want none", p.warnings)
			}
		})
	}
}

// TestExecDeathIsBlamedOnThePoint guards that a crash costs one point for any number of workers.
func TestExecDeathIsBlamedOnThePoint(t *testing.T) {
	want := sums(fivePoints)
	want[1], want[4] = rsie.Worst, rsie.Worst
	for _, workers := range []int{1, 2, 5} {
		p := start(t, squares(`case "$line" in *0.1,*|*0.25*) kill -SEGV $$;; esac`), "dim: 2", workers)
		for range 2 {
			got, err := p.evaluate(t.Context(), fivePoints...)
			wantFitness(t, got, want, err)
		}
	}
}

// TestExecEndsAfterEachAnswer guards the program that answers one line and ends: slow, right.
func TestExecEndsAfterEachAnswer(t *testing.T) {
	p := start(t, "#!/bin/sh\n"+strings.Replace(squares(""), "\ndone", "\nexit 0\ndone", 1), "dim: 2", 2)
	for range 4 {
		got, err := p.evaluate(t.Context(), fivePoints...)
		wantFitness(t, got, sums(fivePoints), err)
	}
	p.wantWarning(t, "restarts: the program ended after an answer")
}

// TestExecUnaskedLine guards that a second line is not taken for the answer to the next batch.
func TestExecUnaskedLine(t *testing.T) {
	p := start(t, `#!/bin/sh
read line; printf '{"fitness":[1]}\n{"fitness":[99]}\n'; read line
`, "dim: 2", 1)
	for range 3 {
		got, err := p.evaluate(t.Context(), 1, 1)
		wantFitness(t, got, []float64{1}, err)
	}
	p.wantWarning(t, "restarts: the program wrote to standard output without being asked")
}

func TestExecDeadFromTheStart(t *testing.T) {
	p := start(t, "#!/bin/sh\necho loading >&2\necho no module named simulator >&2\nexit 3\n", "dim: 2", 2)
	for batch := 1; batch <= 3; batch++ {
		got, err := p.evaluate(t.Context(), fivePoints...)
		if batch < 3 {
			wantFitness(t, got, slices.Repeat([]float64{rsie.Worst}, 5), err)
			continue
		}
		if !errors.Is(err, rsie.ErrInvalid) {
			t.Fatalf("error %v after three batches, want bad input", err)
		}
		for _, text := range []string{"task x", "first 3 batches", "exit status 3", "  no module named simulator"} {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("error %q does not have %q", err, text)
			}
		}
	}
}

// TestExecDeathAfterAnAnswer guards that a program that has worked does not end the run.
func TestExecDeathAfterAnAnswer(t *testing.T) {
	p := start(t, squares(`test -e works || { touch works; printf '{"fitness":[5]}\n'; continue; }; exit 1`), "dim: 2", 1)
	got, err := p.evaluate(t.Context(), 1, 1)
	wantFitness(t, got, []float64{5}, err)
	for range 4 {
		got, err := p.evaluate(t.Context(), 1, 1)
		wantFitness(t, got, []float64{rsie.Worst}, err)
	}
}

// TestExecWarningsAreCounted guards that many bad points make few warnings.
func TestExecWarningsAreCounted(t *testing.T) {
	p := start(t, "#!/bin/sh\nwhile read line; do echo '{\"fitness\":[null]}'; done", "dim: 2", 1)
	for range 100 {
		if _, err := p.evaluate(t.Context(), 1, 1); err != nil {
			t.Fatal(err)
		}
	}
	p.Close()
	if n := len(p.warnings); n != 8 || !strings.Contains(p.warnings[7], "so far 100 points") {
		t.Errorf("%d warnings %q, want 1, 2, 4, .. 64 and the last with 100", n, p.warnings)
	}
}

func TestExecStandardError(t *testing.T) {
	p := start(t, squares(`echo hello >&2; head -c 2000000 /dev/zero | tr '\0' 'e' >&2`), "dim: 2", 1)
	got, err := p.evaluate(t.Context(), fivePoints...)
	wantFitness(t, got, sums(fivePoints), err)
	p.Close()
	text := p.stderr.String()
	if !strings.HasPrefix(text, "x[0]: hello\nx[0]: eeee") {
		t.Errorf("standard error begins %.40q", text)
	}
	if len(text) > execStderrLimit+200 || len(text) < execStderrLimit-8192 ||
		!strings.HasSuffix(text, "the rest is dropped)\n") {
		t.Errorf("%d bytes of standard error that end in %q, want 1 MiB and a note", len(text), text[len(text)-60:])
	}
}

func TestExecCancelled(t *testing.T) {
	p := start(t, squares("test -e later || sleep 1000"), "dim: 2", 2)
	ctx, cancel := context.WithTimeout(t.Context(), 50e6)
	defer cancel()
	if _, err := p.evaluate(ctx, fivePoints...); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want that of the context", err)
	}
	write(t, p.dir, "later", "", 0o644)
	got, err := p.evaluate(t.Context(), fivePoints...)
	wantFitness(t, got, sums(fivePoints), err)
	p.Close()
	if len(p.warnings) > 0 {
		t.Errorf("warnings %q; nothing ranked worst", p.warnings)
	}
}

// TestExecLeavesNothingBehind closes tasks whose programs ignore the end of their input or have
// children, and looks for goroutines and pipes. A process that Close has not waited for has both.
func TestExecLeavesNothingBehind(t *testing.T) {
	before := goleak.IgnoreCurrent()
	for _, script := range []string{squares(""), squares("trap '' TERM INT HUP; sleep 1000 &"),
		strings.Replace(squares(""), "\ndone", "\nsleep 1000\ndone", 1)} {
		p := start(t, script, "dim: 2", 2)
		if _, err := p.evaluate(t.Context(), fivePoints...); err != nil {
			t.Fatal(err)
		}
		p.Close()
		p.Close()
	}
	goleak.VerifyNone(t, before)
}

func TestExecSkipsPointsThatAreNotFinite(t *testing.T) {
	p := start(t, squares(""), "dim: 2", 1)
	got, err := p.evaluate(t.Context(), 1, 2, math.NaN(), 1, 3, math.Inf(1), 1, 1)
	wantFitness(t, got, []float64{5, rsie.Worst, rsie.Worst, 2}, err)
	p.wantWarning(t, "so far 2 points", "a parameter was not finite")
}

func TestExecShapes(t *testing.T) {
	for fields, want := range map[string]rsie.Shape{
		"dim: 3\nstart_std: 0.5": {Dim: 3, Blocks: []rsie.Block{{Rows: 1, Cols: 3, Std: 0.5}}},
		"dim: 3\nlower: -1\nupper: 2\nbits: 64\nnoisy: true": {Dim: 3, Lower: -1, Upper: 2, Bits: 64,
			Noisy: true, Blocks: []rsie.Block{{Rows: 1, Cols: 3, Std: 1}}},
		"blocks: [[2, 3], [1, 4]]": {Dim: 10, Blocks: []rsie.Block{{Rows: 2, Cols: 3, Std: 1},
			{Offset: 6, Rows: 1, Cols: 4, Layer: 1, Std: 1}}},
		"layers: [4, 16, 1]": {Dim: 97, Blocks: []rsie.Block{{Rows: 4, Cols: 16, Std: 0.5},
			{Offset: 64, Rows: 1, Cols: 16}, {Offset: 80, Rows: 16, Cols: 1, Layer: 1, Std: 0.25},
			{Offset: 96, Rows: 1, Cols: 1, Layer: 1}}},
	} {
		got := start(t, "#!/bin/sh\n", fields, 1).Problem.Shape()
		want.Name = "x"
		if !slices.Equal(got.Blocks, want.Blocks) || got.Check() != nil || got.Dim != want.Dim ||
			got.Lower != want.Lower || got.Upper != want.Upper || got.Bits != want.Bits || got.Noisy != want.Noisy {
			t.Errorf("%s: shape %+v, want %+v", fields, got, want)
		}
	}
}

func TestExecRefuses(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "plain", "#!/bin/sh\n", 0o644)
	write(t, dir, "program", "#!/bin/sh\n", 0o755)
	const ok = "command: [./program]\n"
	for text, want := range map[string]string{
		"dim: 2":                                        "command is empty",
		"{command: [./none], dim: 2}":                   `command: the program "./none" cannot be started`,
		"{command: [./plain], dim: 2}":                  "permission denied",
		"{command: [./], dim: 2}":                       "cannot be started",
		"{command: [no-such-program], dim: 2}":          "executable file not found",
		ok:                                              "0 of dim, blocks and layers are given",
		ok + "dim: 2\nlayers: [1, 2]":                   "2 of dim, blocks and layers are given",
		ok + "dim: -1":                                  "block 1 has 1 x -1 parameters",
		ok + "dim: 1000001":                             "at most 1000000",
		ok + "blocks: [[1000, 1000], [1, 1]]":           "block 2 has 1 x 1",
		ok + "blocks: []":                               "blocks is empty",
		ok + "layers: [3]":                              "layers has 1 widths",
		ok + "dim: 2\nlower: 1":                         "lower and upper go together",
		ok + "dim: 2\nlower: 1\nupper: 1":               "lower 1 with upper 1; want lower < upper",
		ok + "dim: 2\nlower: 0\nupper: 1\nstart_std: 1": "start_std has no effect with a box",
		ok + "dim: 2\nstart_std: 0":                     "start_std 0; allowed are values above 0",
		ok + "dim: 2\nbits: 16":                         "bits 16; allowed are 32 and 64",
		ok + "dim: 2\ntimeout_seconds: 0":               "timeout_seconds 0; allowed are 0.001 to 86400",
		ok + "dim: 2\ntimeout_seconds: 86401":           "timeout_seconds 86401",
	} {
		_, err := built(t, new(execSpec), text, dir, nil)
		wantInvalid(t, err, want)
	}
	_, err := built(t, new(execSpec), ok+"dim: 2", "", nil)
	wantInvalid(t, err, "this one is embedded")
	_, err = built(t, new(execSpec), ok+"dim: 2", dir, &NetworkSpec{})
	wantInvalid(t, err, "network does not belong to kind exec")
	p := start(t, "no program at all", "dim: 2", 1)
	if _, err := p.evaluate(t.Context(), 1, 1); !errors.Is(err, rsie.ErrInvalid) ||
		!strings.Contains(err.Error(), "task x cannot be started") {
		t.Errorf("error %v for a file without an interpreter, want bad input", err)
	}
	p = start(t, squares(""), "dim: 2", 1)
	if err := p.Problem.Evaluate(t.Context(), make([]float64, 2), make([]float64, 3), rsie.Key{}); !errors.Is(err, rsie.ErrShape) {
		t.Errorf("error %v for half a point, want ErrShape", err)
	}
}

func TestExecDigest(t *testing.T) {
	base := start(t, squares(""), "dim: 2", 1).Digest()
	if start(t, squares(""), "dim: 2\ntimeout_seconds: 3", 5).Digest() != base {
		t.Error("a limit or the number of workers changes the digest")
	}
	seen := map[string]bool{base: true}
	for _, c := range [][2]string{{squares("# other"), "dim: 2"}, {squares(""), "dim: 3"},
		{squares(""), "dim: 2\nnoisy: true"}, {squares(""), "dim: 2\nlower: 0\nupper: 1"},
		{squares(""), "dim: 2\nstart_std: 2"}, {squares(""), "blocks: [[2, 1]]"}, {squares(""), "dim: 2\nbits: 64"}} {
		d := start(t, c[0], c[1], 1).Digest()
		if seen[d] {
			t.Errorf("%q has a digest that was seen", c[1])
		}
		seen[d] = true
	}
	renamed := &Task{Name: "y", Description: "other"}
	var s execSpec
	decode(t, "{command: [./program], dim: 2}", &s)
	dir := t.TempDir()
	write(t, dir, "program", squares(""), 0o755)
	if err := s.build(renamed, &loading{dir: dir}); err != nil || renamed.Digest() != base {
		t.Errorf("digest %s, %v under another name and folder, want %s", renamed.Digest(), err, base)
	}
}
