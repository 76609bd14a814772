package export_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/cpu"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/meta/store"
	"github.com/symbio-ai/recursive-improvement/report"
	"github.com/symbio-ai/recursive-improvement/report/export"
	"github.com/symbio-ai/recursive-improvement/task"
)

// evolved makes a small run of level 2 in dir and returns its tables.
func evolved(t *testing.T, dir string) *export.Data {
	t.Helper()
	backend, err := cpu.NewGonum(1)
	require.NoError(t, err)
	defer backend.Close()
	suite, err := task.Generate("cheap", 0, 3)
	require.NoError(t, err)
	for k, one := range suite.Tasks {
		one.Split = []string{"training", "training", "validation"}[k]
	}
	settings := report.Settings{Suite: "cheap", MetaPopulation: 8, MetaGenerations: 3, BaseBudget: 60, RunsPerTask: 2,
		FinalRuns: 3, Objectives: rsie.DefaultObjectives(), Seed: 5}
	st, err := store.Create(dir, encoded(t, settings))
	require.NoError(t, err)
	defer st.Close()
	engine, err := meta.NewEngine(meta.Config{MetaPopulationSize: 8, MetaGenerations: 3, BaseTaskBudget: 60, RunsPerTask: 2,
		FinalRuns: 3, Candidates: 10, Seed: 5, Backend: backend, Store: st})
	require.NoError(t, err)
	_, err = engine.MetaTrain(t.Context(), suite.Tasks, nil)
	require.NoError(t, err)
	r, err := report.Load(st, dir)
	require.NoError(t, err)
	d, err := export.Read(st, r)
	require.NoError(t, err)
	return d
}

func encoded(t *testing.T, v any) []byte {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}

// saveModels writes a model of each kind of network with what it puts out on its training rows.
func saveModels(t *testing.T, dir string) {
	t.Helper()
	backend, err := cpu.NewGonum(1)
	require.NoError(t, err)
	defer backend.Close()
	suite, err := task.Generate("series", 0, 40)
	require.NoError(t, err)
	tabular, err := task.Embedded("quick")
	require.NoError(t, err)
	done := map[rsie.Network]bool{}
	for _, one := range append(tabular.Tasks[:1], suite.Tasks...) {
		problem, ok := one.Problem.(rsie.Modelled)
		if !ok || done[problem.Model().Network] && len(done) < 3 || len(done) == 3 {
			continue
		}
		done[problem.Model().Network] = true
		saveModel(t, backend, one, problem, filepath.Join(dir, fmt.Sprintf("network-%d", problem.Model().Network)))
	}
	require.Len(t, done, 3, "dense, elman and gru")
}

func saveModel(t *testing.T, backend rsie.Backend, one *task.Task, problem rsie.Modelled, dir string) {
	t.Helper()
	net := problem.Model()
	point := make([]float64, net.Dim())
	key := rsie.NewKey(3)
	for j := range point {
		point[j] = 2*rsie.Uniform(key.Words(uint32(j), 0, 0, 0, rsie.StreamInitialise)[0]) - 1
	}
	require.NoError(t, task.SaveModel(dir, one, point, nil))
	m, err := task.LoadModel(dir)
	require.NoError(t, err)
	rows := problem.Rows(rsie.Training)
	flat, err := meta.Predict(backend, m.Model(), rows, m.Params())
	require.NoError(t, err)
	var inputs, outputs [][]float64
	wide, out := len(rows.Inputs)/rows.S, len(flat)/rows.S
	for s := range rows.S {
		inputs, outputs = append(inputs, rows.Inputs[s*wide:][:wide]), append(outputs, flat[s*out:][:out])
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "expected.json"), encoded(t, map[string]any{
		"inputs": inputs, "outputs": outputs, "tensors": m.Tensors()}), 0o600))
	var onnx, npz bytes.Buffer
	require.NoError(t, export.ONNX(&onnx, m))
	require.NoError(t, export.NPZ(&npz, m))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.onnx"), onnx.Bytes(), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.npz"), npz.Bytes(), 0o600))
}

// TestToolsReadExports reads every format with the tool it is meant for. It needs a Python with
// testdata/requirements.txt, named by RSIE_PYTHON: make exports installs one.
func TestToolsReadExports(t *testing.T) {
	python := os.Getenv("RSIE_PYTHON")
	if python == "" {
		t.Skip("RSIE_PYTHON names no Python with report/export/testdata/requirements.txt; run: make exports")
	}
	dir := t.TempDir()
	d := evolved(t, filepath.Join(dir, "run"))
	for name, write := range formats() {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		require.NoError(t, write(d, filepath.Join(dir, name)))
	}
	saveModels(t, filepath.Join(dir, "models"))
	got, err := exec.CommandContext(t.Context(), python, "testdata/roundtrip.py", dir).CombinedOutput()
	require.NoError(t, err, "%s", got)
	t.Logf("%s", got)
}

func formats() map[string]func(*export.Data, string) error {
	return map[string]func(*export.Data, string) error{"csv": export.CSV, "json": export.JSON, "parquet": export.Parquet,
		"tensorboard": export.TensorBoard, "optuna": export.Optuna, "ioh": export.IOH}
}

// TestExportsAreTheSameBytes: a run is exported twice alike.
func TestExportsAreTheSameBytes(t *testing.T) {
	dir := t.TempDir()
	d := evolved(t, filepath.Join(dir, "run"))
	for name, write := range formats() {
		var texts [2]map[string]string
		for k := range texts {
			at := filepath.Join(dir, fmt.Sprint(name, k))
			require.NoError(t, os.Mkdir(at, 0o755))
			require.NoError(t, write(d, at))
			texts[k] = contents(t, at)
		}
		require.NotEmpty(t, texts[0], name)
		require.True(t, fmt.Sprint(texts[0]) == fmt.Sprint(texts[1]), name)
	}
}

func contents(t *testing.T, dir string) map[string]string {
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[name] = string(b)
		return err
	})
	require.NoError(t, err)
	return out
}
