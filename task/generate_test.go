package task

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// one returns a task of a family of one entry.
func one(t *testing.T, entry string, seed uint64) *Task {
	t.Helper()
	f, err := parseFamily([]byte("version: 1\nfamily: x\ntasks:\n  - {"+entry+"}\n"), "x.yaml")
	require.NoError(t, err)
	made, err := f.Task(seed)
	require.NoError(t, err)
	return made
}

// goldenDigests hash the digests and budgets of seeds 0 to 39 of every embedded family. They may
// only change together with the family's file; on another processor the last bit of an
// exponential may differ.
var goldenDigests = map[string]string{
	"bbob":     "738b18e6bf7d0b77",
	"cheap":    "dd00343c3a3800b6",
	"teaching": "5b3d0f20a7ef03f1",
	"control":  "df7fc23d77275d71",
	"geometry": "2ac6beeebadae311",
	"plateau":  "f1dba143af355f10",
	"resample": "978ceb54fa28e881",
	"scaled":   "a4a48fbf67d9e743",
	"series":   "f4199f063635b7b3",
	"teacher":  "abb3fe79dbbc036a",
}

func TestGeneratedDigests(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the digests hold for amd64")
	}
	for _, family := range FamilyNames() {
		h := sha256.New()
		for seed := range uint64(40) {
			s, err := Generate(family, seed, 1)
			require.NoError(t, err)
			fmt.Fprintln(h, s.Tasks[0].Digest(), s.Tasks[0].Budget)
		}
		require.Equal(t, goldenDigests[family], hex.EncodeToString(h.Sum(nil)[:8]), family)
	}
	require.Len(t, goldenDigests, len(FamilyNames()))
}

// A task depends on its family and its seed alone, keeps to the side of the line its seed is on,
// and is another for another seed.
func TestGenerateIsDeterministic(t *testing.T) {
	for _, family := range FamilyNames() {
		s, err := Generate(family, 7, 12)
		require.NoError(t, err)
		seen := map[string]bool{}
		for k, made := range s.Tasks {
			again, err := Generate(family, 7+2*uint64(k), 1)
			require.NoError(t, err)
			require.Equal(t, made.Digest(), again.Tasks[0].Digest())
			require.Equal(t, made.Budget, again.Tasks[0].Budget)
			require.Equal(t, fmt.Sprintf("generated/%s/%d", family, 7+2*k), made.Name)
			require.Equal(t, "validation", made.Split)
			require.Equal(t, "generated", made.Kind)
			require.False(t, seen[made.Digest()], "%s appears twice", made.Name)
			seen[made.Digest()] = true
			require.NoError(t, made.Problem.Shape().Check())
			require.True(t, made.Budget >= 2_000 && made.Budget <= 10_000, made.Budget)
			require.NotEmpty(t, made.Description)
		}
		even, err := Generate(family, 6, 1)
		require.NoError(t, err)
		require.Equal(t, "training", even.Tasks[0].Split)
	}
}

// The ranges of a family hold, over many seeds.
func TestRangesHold(t *testing.T) {
	low, high := 1<<30, 0
	for seed := range uint64(200) {
		made := one(t, "generator: teacher, goal: [regression], inputs: [2, 6], hidden: [3, 5], depth: [1, 2], "+
			"samples: [40, 90], work: 0, budget: [500, 50000]", seed)
		m := made.Problem.(*modelProblem)
		require.True(t, m.model.Layers[0] >= 2 && m.model.Layers[0] <= 6)
		require.True(t, m.model.Layers[1] >= 3 && m.model.Layers[1] <= 5)
		require.True(t, len(m.model.Layers) == 3 || len(m.model.Layers) == 4)
		s := m.rows[rsie.Training].S
		require.True(t, s >= 40 && s < 93, s)
		require.InDelta(t, s, 3*m.rows[rsie.Test].S, 3)
		low, high = min(low, made.Budget), max(high, made.Budget)
		require.True(t, made.Budget >= 500 && made.Budget <= 50_000)
	}
	require.Less(t, low, 600)
	require.Greater(t, high, 40_000)
	d := draws{rsie.NewKey(1)}
	counts := map[int]int{}
	for i := range 2_000 {
		counts[d.whole(fmt.Sprint(i), span{1, 3})]++
	}
	require.Len(t, counts, 3, "both ends are drawn")
	// log(3/2), log(4/3), log(5/4) of log(5/2): more of the small ones.
	require.InDelta(t, 885, counts[1], 90)
	require.InDelta(t, 487, counts[3], 75)
}

// Work bounds what an evaluation costs.
func TestWorkBounds(t *testing.T) {
	for seed := range uint64(30) {
		p := one(t, "generator: series, samples: 1000, work: 12000, hidden: [3, 5]", seed).Problem.(*modelProblem)
		s := p.rows[rsie.Training].S
		require.True(t, s <= minSamples+10 || s*p.model.Dim()*max(1, p.model.Steps) < 12_000*11/10, s)
		c := one(t, "generator: control, work: 20000", seed).Problem.(*modelProblem)
		cost := c.rows[rsie.Training].S * c.model.Control.Horizon * c.model.Dim()
		require.True(t, cost <= 20_000 || c.model.Control.Horizon == 20, cost)
	}
}

// The entries of a family take turns, the same for even and odd seeds.
func TestEntriesTakeTurns(t *testing.T) {
	f, err := parseFamily([]byte("version: 1\nfamily: x\ntasks:\n  - {generator: teacher}\n"+
		"  - {generator: mixture}\n"), "x.yaml")
	require.NoError(t, err)
	for seed := range uint64(12) {
		made, err := f.Task(seed)
		require.NoError(t, err)
		_, mixture := made.Problem.(*mixtureProblem)
		require.Equal(t, seed/2%2 == 1, mixture, seed)
	}
}

// An evaluation of a cheap task is at most 30,000 multiplications or control steps times
// parameters, and its 20 kinds come in turn.
func TestCheapIsCheap(t *testing.T) {
	s, err := Generate("cheap", 0, 60)
	require.NoError(t, err)
	kinds := map[string]int{}
	for k, made := range s.Tasks {
		kinds[strings.Fields(made.Description)[0]]++
		p, ok := made.Problem.(*modelProblem)
		if !ok {
			require.LessOrEqual(t, made.Problem.Shape().Dim, 30)
			continue
		}
		cost := p.rows[rsie.Training].S * p.model.Dim() * max(1, p.model.Steps)
		if p.model.Control != nil {
			cost *= p.model.Control.Horizon
		}
		require.LessOrEqual(t, cost, 30_000, made.Name)
		first := s.Tasks[k%20].Problem.(*modelProblem).model
		require.Equal(t, first.Control != nil, p.model.Control != nil, made.Name)
		require.Equal(t, first.Network, p.model.Network, made.Name)
	}
	require.Greater(t, len(kinds), 12, kinds)
}

func TestReferences(t *testing.T) {
	s, err := Generated("generated:teacher,plateau?seed=3&count=4")
	require.NoError(t, err)
	require.Len(t, s.Tasks, 8)
	require.Equal(t, "generated/teacher/3", s.Tasks[0].Name)
	require.Equal(t, "generated/plateau/9", s.Tasks[7].Name)
	s, err = Generated("generated:bbob")
	require.NoError(t, err)
	require.Len(t, s.Tasks, generatedCount)
	s, err = Generated("generated/geometry/12")
	require.NoError(t, err)
	require.Equal(t, "generated/geometry/12", s.Tasks[0].Name)
	for ref, want := range map[string]string{
		"generated/geometry":                   "generated/FAMILY/SEED",
		"generated/geometry/-1":                "generated/FAMILY/SEED",
		"generated/geometry/1.5":               "generated/FAMILY/SEED",
		"generated/geometry/99999999999999999": "seed",
		"generated:":                           "want generated:FAMILY",
		"generated:teacher?seed=x":             "seed",
		"generated:teacher?count=0":            "count 0",
		"generated:teacher?count=1001":         "1 to 1000",
		"generated:teacher?colour=red":         "colour",
		"generated:teacher?seed=1&seed=2":      "seed",
		"generated:teacher,teacher":            "twice",
	} {
		_, err := Generated(ref)
		require.ErrorIs(t, err, rsie.ErrInvalid, ref)
		require.ErrorContains(t, err, want)
	}
	_, err = Generated("generated/teachers/1")
	require.ErrorIs(t, err, rsie.ErrNotFound)
	require.ErrorContains(t, err, "control, geometry")
	require.False(t, IsGenerated("generated.yaml"))
	ref, err := AbsoluteGenerated("generated:teacher,a.yaml?seed=1")
	require.NoError(t, err)
	here, err := filepath.Abs("a.yaml")
	require.NoError(t, err)
	require.Equal(t, "generated:teacher,"+here+"?seed=1", ref)
}

// A task file may hold generated tasks: they have the digest of the family's, and its own budget.
func TestGeneratedInATaskFile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "own.yaml", "version: 1\nfamily: own\nsplit: test\ntasks:\n  - {generator: teacher, inputs: 3}\n", 0o644)
	text := "version: 1\nbudget: 900\ntasks:\n  - {name: a, kind: generated, family: scaled, seed: 5, digest: DIGEST}\n" +
		"  - {name: b, kind: generated, family: own.yaml, seed: 4, budget: 70, split: test}\n"
	want, err := Generate("scaled", 5, 1)
	require.NoError(t, err)
	write(t, dir, "tasks.yaml", strings.Replace(text, "DIGEST", want.Tasks[0].Digest(), 1), 0o644)
	s, err := Load(filepath.Join(dir, "tasks.yaml"), Options{})
	require.NoError(t, err)
	require.Equal(t, want.Tasks[0].Digest(), s.Tasks[0].Digest())
	require.Equal(t, 900, s.Tasks[0].Budget)
	require.Equal(t, "training", s.Tasks[0].Split)
	own, err := Generate(filepath.Join(dir, "own.yaml"), 4, 1)
	require.NoError(t, err)
	require.Equal(t, own.Tasks[0].Digest(), s.Tasks[1].Digest())
	require.Equal(t, "test", own.Tasks[0].Split)
	write(t, dir, "tasks.yaml", strings.Replace(text, "DIGEST", strings.Repeat("0", 16), 1), 0o644)
	_, err = Load(filepath.Join(dir, "tasks.yaml"), Options{})
	require.ErrorIs(t, err, rsie.ErrInvalid)
	require.ErrorContains(t, err, "digest")
}

// WriteGenerated writes a file that gives the same tasks.
func TestWriteGenerated(t *testing.T) {
	s, err := Generated("generated:cheap,bbob?seed=4&count=6")
	require.NoError(t, err)
	s.Tasks[2].Anchors = &rsie.Anchors{F0: 3, F1: 0.1}
	path := filepath.Join(t.TempDir(), "tasks.yaml")
	require.NoError(t, WriteGenerated(path, s, "rsie tasks generate"))
	got, err := Load(path, Options{})
	require.NoError(t, err)
	require.Len(t, got.Tasks, len(s.Tasks))
	for i, made := range s.Tasks {
		require.Equal(t, made.Name, got.Tasks[i].Name)
		require.Equal(t, made.Digest(), got.Tasks[i].Digest())
		require.Equal(t, made.Budget, got.Tasks[i].Budget)
		require.Equal(t, made.Split, got.Tasks[i].Split)
		require.Equal(t, made.Anchors, got.Tasks[i].Anchors)
	}
	require.ErrorIs(t, WriteGenerated(filepath.Join(path, "x.yaml"), s, ""), rsie.ErrInvalid)
}

// A generated network can be saved and loaded like another.
func TestSaveGenerated(t *testing.T) {
	made := one(t, "generator: teacher", 2)
	dir := t.TempDir()
	require.NoError(t, SaveModel(dir, made, make([]float64, made.Problem.Shape().Dim), nil))
	_, err := LoadModel(dir)
	require.NoError(t, err)
}

// Every kind of problem evaluates to finite numbers at the origin and at random points.
func TestHostProblemsAreFinite(t *testing.T) {
	for _, family := range []string{"bbob", "plateau"} {
		s, err := Generate(family, 1, 12)
		require.NoError(t, err)
		for _, made := range s.Tasks {
			if _, ok := made.Problem.(rsie.Modelled); ok {
				continue
			}
			dim := made.Problem.Shape().Dim
			points, fitness := make([]float64, 3*dim), make([]float64, 3)
			from := draws{rsie.NewKey(1)}.stream("x")
			for j := dim; j < 2*dim; j++ {
				points[j] = 4 * from.normal()
			}
			for j := 2 * dim; j < 3*dim; j++ {
				points[j] = 1e200
			}
			require.NoError(t, made.Problem.Evaluate(context.Background(), fitness, points, rsie.Key{}))
			require.True(t, finite(fitness[:2]...), made.Name)
			require.ErrorIs(t, made.Problem.Evaluate(context.Background(), fitness, points[1:], rsie.Key{}),
				rsie.ErrShape)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	for _, family := range FamilyNames() {
		b.Run(family, func(b *testing.B) {
			f, err := OpenFamily(family)
			require.NoError(b, err)
			seed := uint64(0)
			for b.Loop() {
				if _, err := f.Task(seed); err != nil {
					b.Fatal(err)
				}
				seed += 2
			}
		})
	}
}

func TestFamilyFiles(t *testing.T) {
	require.Contains(t, FamilyNames(), "cheap")
	for _, name := range FamilyNames() {
		f, err := OpenFamily(name)
		require.NoError(t, err)
		require.Equal(t, name, f.Name)
		require.NotEmpty(t, f.Description)
	}
	_, err := OpenFamily(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorIs(t, err, rsie.ErrInvalid)
	for text, want := range map[string]string{
		"generator: teachers":                              "generator: value must be one of",
		"inputs: 3":                                        "generator",
		"generator: teacher, colour: red":                  "unknown field colour",
		"generator: teacher, inputs: 0":                    "inputs",
		"generator: teacher, inputs: [2, 1]":               "the first number is the lower one",
		"generator: teacher, inputs: [1, 2, 3]":            "inputs",
		"generator: teacher, inputs: 1.5":                  "inputs",
		"generator: teacher, goal: [ranking]":              "goal",
		"generator: teacher, goal: []":                     "goal",
		"generator: teacher, samples: 3":                   "samples",
		"generator: teacher, noise: -1":                    "noise",
		"generator: teacher, noise: .nan":                  "noise",
		"generator: teacher, input_decades: 40":            "input_decades",
		"generator: teacher, budget: 1":                    "budget",
		"generator: geometry, figure: [moons]":             "figure",
		"generator: geometry, flips: 2":                    "flips",
		"generator: geometry, classes: 1":                  "classes",
		"generator: resample, data: [penguins]":            "tabular training tasks",
		"generator: resample, data: [sunspots]":            "tabular training tasks",
		"generator: resample, features: 0":                 "features",
		"generator: control, system: [pole]":               "system",
		"generator: control, force: 0":                     "force",
		"generator: control, data: [iris]":                 "unknown field data",
		"generator: plateau, draws: 0":                     "draws",
		"generator: plateau, on: [sand]":                   "on",
		"generator: series, window: 0":                     "window",
		"generator: series, process: [noise]":              "process",
		"generator: mixture, dimension: 41":                "dimension",
		"generator: mixture, scale: [square]":              "scale",
		"generator: teacher, activation: [tanh], depth: 9": "depth",
	} {
		_, err := parseFamily([]byte("version: 1\nfamily: x\ntasks:\n  - {"+text+"}\n"), "x.yaml")
		require.ErrorIs(t, err, rsie.ErrInvalid, text)
		require.ErrorContains(t, err, want, text)
		require.ErrorContains(t, err, "x.yaml:4", text)
	}
	for _, text := range []string{"version: 2\nfamily: x\ntasks: [{generator: teacher}]",
		"version: 1\nfamily: a b\ntasks: [{generator: teacher}]", "version: 1\nfamily: x\ntasks: []",
		"version: 1\nfamily: x", "version: 1\nfamily: x\nsplit: odd\ntasks: [{generator: teacher}]", ""} {
		_, err := parseFamily([]byte(text), "x.yaml")
		require.ErrorIs(t, err, rsie.ErrInvalid, text)
	}
}

// The published schema of families accepts the embedded ones and refuses what loading refuses.
func TestFamilySchema(t *testing.T) {
	schema, err := compiler().Compile(schemaURL + "#/$defs/family")
	require.NoError(t, err)
	for _, name := range FamilyNames() {
		text, err := familyFiles.ReadFile("families/" + name + ".yaml")
		require.NoError(t, err)
		doc, err := parseYAML(text, name)
		require.NoError(t, err)
		require.NoError(t, schema.Validate(plain(doc.Content[0])), name)
	}
	for _, entry := range []string{"generator: teacher, colour: red", "generator: x", "inputs: 3",
		"generator: mixture, dimension: [2, 41]"} {
		doc, err := parseYAML([]byte("version: 1\nfamily: x\ntasks:\n  - {"+entry+"}\n"), "x")
		require.NoError(t, err)
		require.Error(t, schema.Validate(plain(doc.Content[0])), entry)
	}
}
