package task

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Every task of the suite, and a GRU, comes back from disk with the same network and parameters.
func TestModelRoundTrip(t *testing.T) {
	tasks := standard(t).Tasks
	gru, err := loadText(t, "version: 1\ntasks:\n  - {name: g, kind: sequence, form: classes, data: d.csv, target: y, "+
		"steps: 2, network: {kind: gru, hidden: [3]}}\n", map[string]string{"d.csv": good})
	require.NoError(t, err)
	for _, task := range append(tasks, gru.Tasks...) {
		m := task.Problem.(rsie.Modelled).Model()
		x := theta(m)
		dir := filepath.Join(t.TempDir(), "a", "b")
		require.NoError(t, SaveModel(dir, task, x, map[string]any{"strategy": "snes", "seed": 1}), task.Name)
		got, err := LoadModel(dir)
		require.NoError(t, err, task.Name)
		want := *m
		want.Activation = append([]rsie.Activation(nil), m.Activation...)
		require.Equal(t, &want, got.Model(), task.Name)
		require.Equal(t, x, got.Params(), task.Name)
		require.Equal(t, task.Name, got.Task())
		require.Equal(t, "snes", got.Info()["strategy"])
		first, err := os.ReadFile(filepath.Join(dir, modelFile))
		require.NoError(t, err)
		require.NoError(t, SaveModel(dir, task, x, map[string]any{"strategy": "snes", "seed": 1}))
		second, err := os.ReadFile(filepath.Join(dir, modelFile))
		require.NoError(t, err)
		require.Equal(t, string(first), string(second), "same bytes")
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, files, 2)
	}
}

// saved loads a tabular task of the table, saves it at theta and loads it.
func saved(t *testing.T, fields, data string) *SavedModel {
	t.Helper()
	task, _, err := loadTable(t, fields, data)
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, SaveModel(dir, task, theta(task.Problem.(rsie.Modelled).Model()), nil))
	m, err := LoadModel(dir)
	require.NoError(t, err)
	return m
}

func TestPredictionOfClasses(t *testing.T) {
	m := saved(t, "{target: kind}", mixed)
	rows, err := m.RowsFromCSV(strings.NewReader("extra,one,colour,size\n?,7,red,3.2\n,,,\n,7,pink,1\n"), "new.csv")
	require.NoError(t, err)
	require.Equal(t, 3, rows.S)
	z := func(v float64) float64 {
		c := m.coding.Table.Columns[0]
		return float64(float32((v - c.Mean) / c.Std))
	}
	require.Equal(t, []float64{z(3.2), 0, 1, 0, z(m.coding.Table.Columns[0].Fill), 0, 1, 0, z(1), 0, 0, 0}, rows.Inputs)
	require.Len(t, rows.Classes, 3, "a backend wants one class per row")
	require.Equal(t, []string{"new.csv: column colour: 1 cells hold categories that were not in the training rows; they count as none"},
		m.Warnings())
	var b bytes.Buffer
	require.NoError(t, m.WritePredictions(&b, []float64{0, math.Log(3), 0, 0, 5, -5}))
	lines := strings.Split(b.String(), "\n")
	require.Equal(t, "kind,p_cat,p_dog", lines[0])
	require.True(t, strings.HasPrefix(lines[1], "dog,0.25,0.7"), lines[1])
	require.Equal(t, "cat,0.5,0.5", lines[2], "the first among equals")
	require.True(t, strings.HasPrefix(lines[3], "cat,0.9999"), lines[3])
	require.Equal(t, "", lines[4])
}

func TestPredictionOfNumbersAndColumns(t *testing.T) {
	m := saved(t, "{target: size, ignore: [colour, kind], goal: regression, every: 1, numbers: [one]}",
		strings.Replace(strings.Replace(mixed, "\n,red", "\n4,red", 1), "1,red,7", "2,red,7", 1))
	target := m.coding.Table.Target
	rows, err := m.RowsFromCSV(strings.NewReader("one\n7\n8\n"), "new.csv")
	require.NoError(t, err)
	require.Equal(t, []float64{0, 1}, rows.Inputs, "a constant column has deviation 1")
	require.Equal(t, []float64{0, 0}, rows.Targets)
	var b bytes.Buffer
	require.NoError(t, m.WritePredictions(&b, []float64{0, 1}))
	require.Equal(t, "size\n"+formatNumber(target.Mean)+"\n"+formatNumber(target.Std+target.Mean)+"\n", b.String())

	m = saved(t, "{target: inputs, ignore: [kind]}", mixed)
	size := m.coding.Table.Columns[0]
	b.Reset()
	require.NoError(t, m.WritePredictions(&b, []float64{1, 0.2, 0.9, 0}))
	require.Equal(t, "size,colour,one\n"+formatNumber(size.Std+size.Mean)+",red,7\n", b.String())
}

// A series of several columns is saved with all of them: the training rows come back from the
// file, and an unknown column or width is refused.
func TestSeriesOfColumnsRoundTrip(t *testing.T) {
	text := "u,v,w\n1,10,9\n3,25,8\n1,30,9\n3,40,7\n1,50,9\n3,60,9\n7,70,9\n8,80,9\n9,90,9\n5,99,9\n"
	suite, err := loadText(t, "version: 1\ntasks:\n  - {name: s, kind: sequence, form: series, data: d.csv, "+
		"columns: [w, v], target: u, window: 2, network: {kind: elman, hidden: [3]}}\n",
		map[string]string{"d.csv": text})
	require.NoError(t, err)
	task := suite.Tasks[0]
	problem := task.Problem.(rsie.Modelled)
	dir := t.TempDir()
	require.NoError(t, SaveModel(dir, task, theta(problem.Model()), nil))
	m, err := LoadModel(dir)
	require.NoError(t, err)
	rows, err := m.RowsFromCSV(strings.NewReader(strings.Replace(text, "u,", "other,", 1)), "new.csv")
	require.NoError(t, err, "the target is not read")
	require.Equal(t, 10-2+1, rows.S)
	training := problem.Rows(rsie.Training)
	require.Equal(t, training.Inputs, rows.Inputs[:len(training.Inputs)])
	require.Equal(t, []float64{0, 0, 0, 0, 0, 0, 0, 0, 0}, rows.Targets)
	coding := m.coding.Series
	require.Len(t, coding.Inputs, 2)
	require.NotEqual(t, coding.Inputs[1].Mean, coding.Mean, "every column has its own scale")
	var b bytes.Buffer
	require.NoError(t, m.WritePredictions(&b, []float64{1}))
	require.Equal(t, "u\n"+formatNumber(coding.Std+coding.Mean)+"\n", b.String())
	_, err = m.RowsFromCSV(strings.NewReader("u,w\n1,2\n1,2\n"), "new.csv")
	require.ErrorContains(t, err, `no column "v"`)
	require.NoError(t, coding.check(4, 1))
	require.Error(t, coding.check(2, 1))
	coding.Inputs[0].Std = 0
	require.Error(t, coding.check(4, 1))
}

func TestRowsFromCSVRefuses(t *testing.T) {
	m := saved(t, "{target: kind}", mixed)
	for text, want := range map[string]string{
		"":                            "new.csv is empty",
		"size,colour,one\n":           "has a header but no rows",
		"size,one\n1,2\n":             `column "colour" is missing; the model reads size, colour, one`,
		"size,colour,one\nx,red,7\n":  `new.csv:2: column size: "x" is not a number`,
		"size,colour,one\n1,red\n":    "the row has 2 cells, the header has 3",
		"size,size,colour,one\n1,1\n": "columns 1 and 2 are both named size",
	} {
		_, err := m.RowsFromCSV(strings.NewReader(text), "new.csv")
		require.ErrorIs(t, err, rsie.ErrInvalid, text)
		require.ErrorContains(t, err, want)
	}
	policy, err := standard(t).Select([]string{"pendulum"})
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, SaveModel(dir, policy[0], theta(policy[0].Problem.(rsie.Modelled).Model()), nil))
	p, err := LoadModel(dir)
	require.NoError(t, err)
	_, err = p.RowsFromCSV(strings.NewReader("a\n1\n"), "new.csv")
	require.ErrorIs(t, err, rsie.ErrUnsupported)
	require.ErrorIs(t, p.WritePredictions(&bytes.Buffer{}, nil), rsie.ErrUnsupported)
}

func TestSaveModelRefuses(t *testing.T) {
	iris := standard(t).Tasks[0]
	require.ErrorIs(t, SaveModel(t.TempDir(), iris, []float64{1}, nil), rsie.ErrShape)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	require.ErrorIs(t, SaveModel(file, iris, make([]float64, 67), nil), rsie.ErrInvalid)
	require.ErrorIs(t, SaveModel(t.TempDir(), iris, make([]float64, 67), map[string]any{"x": math.NaN()}), rsie.ErrInvalid)
	require.ErrorIs(t, SaveModel(t.TempDir(), &Task{Name: "f"}, nil, nil), rsie.ErrUnsupported)
}

// A model folder that was cut off, changed or mixed is refused with the file's name.
func TestLoadModelRefuses(t *testing.T) {
	tasks := standard(t).Tasks
	edit := func(from, to string) func(string) {
		return func(dir string) {
			path := filepath.Join(dir, modelFile)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Contains(t, string(text), from)
			require.NoError(t, os.WriteFile(path, bytes.Replace(text, []byte(from), []byte(to), 1), 0o644))
		}
	}
	for name, c := range map[string]struct {
		change func(dir string)
		want   string
	}{
		"no folder":  {func(dir string) { require.NoError(t, os.RemoveAll(dir)) }, "no such file"},
		"no weights": {func(dir string) { require.NoError(t, os.Remove(filepath.Join(dir, weightsFile))) }, "no such file"},
		"cut off": {func(dir string) { require.NoError(t, os.Truncate(filepath.Join(dir, weightsFile), 700)) },
			"model.safetensors: invalid input: safetensors: the tensors hold"},
		"cut JSON": {func(dir string) { require.NoError(t, os.Truncate(filepath.Join(dir, modelFile), 100)) }, "model.json: unexpected EOF"},
		"bit flip": {func(dir string) {
			path := filepath.Join(dir, weightsFile)
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			b[len(b)-3] ^= 4
			require.NoError(t, os.WriteFile(path, b, 0o644))
		}, "does not belong to model.json"},
		"weights of another": {func(dir string) {
			other := t.TempDir()
			require.NoError(t, SaveModel(other, tasks[0], make([]float64, 67), nil))
			require.NoError(t, os.Rename(filepath.Join(other, weightsFile), filepath.Join(dir, weightsFile)))
		}, "does not belong to model.json"},
		"format":        {edit(`"rsie-model"`, `"other"`), `format "other", want "rsie-model"`},
		"newer":         {edit(`"version": 1`, `"version": 2`), "version 2, this program reads version 1"},
		"newer field":   {edit(`"version": 1`, `"version": 2, "extra": 0`), "version 2, this program reads version 1"},
		"unknown field": {edit(`"version": 1`, `"version": 1, "extra": 0`), `unknown field "extra"`},
		"network":       {edit(`"kind": "dense"`, `"kind": "lstm"`), `kind "lstm"; allowed are dense, elman, gru`},
		"steps":         {edit(`"steps": 0`, `"steps": 3`), "steps 3 and 3 layers do not fit kind dense"},
		"loss":          {edit(`"loss": "cross_entropy"`, `"loss": "hinge"`), `loss "hinge"`},
		"activation":    {edit(`"tanh"`, `"swish"`), `activation "swish"`},
		"wide":          {edit("      8,", "      65537,"), "layer 1 is 65537 wide"},
		"coding width":  {edit("      4,", "      5,"), "coding has 4 inputs and 3 outputs, the network has 5 and 3"},
		"deviation":     {edit(`"std": `, `"std": -`), "std above 0"},
		"more":          {edit("\n}\n", "\n}\n{}"), "more after the JSON object"},
	} {
		dir := t.TempDir()
		require.NoError(t, SaveModel(dir, tasks[0], theta(tasks[0].Problem.(rsie.Modelled).Model()), nil))
		c.change(dir)
		_, err := LoadModel(dir)
		require.ErrorIs(t, err, rsie.ErrInvalid, name)
		require.ErrorContains(t, err, c.want, name)
	}
}

// The file format is a promise: the fields of version 1 and the names of the tensors.
func TestModelFormatGolden(t *testing.T) {
	task, _, err := loadTable(t, "{target: y, ignore: [b]}", good)
	require.NoError(t, err)
	task.digest = "0123456789abcdef" // its own test
	dir := t.TempDir()
	x := make([]float64, task.Problem.Shape().Dim)
	require.NoError(t, SaveModel(dir, task, x, map[string]any{"seed": 7}))
	got, err := os.ReadFile(filepath.Join(dir, modelFile))
	require.NoError(t, err)
	want, err := os.ReadFile("testdata/model.golden.json")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
	b, err := os.ReadFile(filepath.Join(dir, weightsFile))
	require.NoError(t, err)
	tensors, metadata, err := readTensors(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	shapes := map[string][]int{}
	for _, x := range tensors {
		require.Equal(t, "F64", x.dtype)
		shapes[x.name] = x.shape
	}
	require.Equal(t, map[string][]int{"layers.0.weight": {1, 16}, "layers.0.bias": {16},
		"layers.1.weight": {16, 2}, "layers.1.bias": {2}}, shapes)
	require.Equal(t, "float64", metadata["precision"])
	require.True(t, json.Valid(got))
}
