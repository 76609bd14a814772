package task

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// mlp.json holds numpy's metrics of networks on rows of iris and diabetes.
func TestMetricsOfReference(t *testing.T) {
	text, err := os.ReadFile("testdata/mlp.json")
	require.NoError(t, err)
	type set struct {
		Std     []float64 `json:"standardise_std_ddof0"`
		Targets json.RawMessage
		Cases   []map[string]json.RawMessage
	}
	var ref struct{ Classification, Regression set }
	require.NoError(t, json.Unmarshal(text, &ref))
	number := func(c map[string]json.RawMessage, name string) float64 {
		var v float64
		require.NoError(t, json.Unmarshal(c[name], &v), name)
		return v
	}
	outputs := func(c map[string]json.RawMessage) (out []float64) {
		var all [][]float64
		require.NoError(t, json.Unmarshal(c["outputs"], &all))
		for _, row := range all {
			out = append(out, row...)
		}
		return out
	}
	var classes []int32
	require.NoError(t, json.Unmarshal(ref.Classification.Targets, &classes))
	for _, c := range ref.Classification.Cases {
		got := classMetrics(outputs(c), &rsie.Rows{S: len(classes), Classes: classes})
		require.InDelta(t, number(c, "mean_loss"), got[0].Value, 1e-12*number(c, "mean_loss"))
		require.InDelta(t, number(c, "accuracy"), got[1].Value, 1e-15)
		require.InDelta(t, number(c, "balanced_accuracy"), got[2].Value, 1e-15)
	}
	var targets [][]float64
	require.NoError(t, json.Unmarshal(ref.Regression.Targets, &targets))
	rows := &rsie.Rows{S: len(targets)}
	for _, y := range targets {
		rows.Targets = append(rows.Targets, y...)
	}
	for _, c := range ref.Regression.Cases {
		got := numberMetrics(1)(outputs(c), rows)
		require.InEpsilon(t, number(c, "mean_loss"), got[0].Value, 1e-12)
		require.InEpsilon(t, number(c, "rmse"), got[1].Value, 1e-12)
		require.InEpsilon(t, number(c, "r2"), got[2].Value, 1e-11)
		scaled := numberMetrics(77)(outputs(c), rows)
		require.InEpsilon(t, 77*number(c, "rmse"), scaled[1].Value, 1e-12, "original units")
	}
}

func TestMetricsOfBadOutputs(t *testing.T) {
	rows := &rsie.Rows{S: 2, Classes: []int32{0, 1}, Targets: []float64{1, 1}}
	nan := math.NaN()
	for _, m := range [][]Metric{
		classMetrics([]float64{nan, 0, 0, 1}, rows),
		classMetrics([]float64{math.Inf(1), 0, 0, 1}, rows),
		numberMetrics(1)([]float64{nan, 1}, rows),
		numberMetrics(1)([]float64{1e200, 1}, rows),
	} {
		require.Equal(t, rsie.Worst, m[0].Value)
		_, err := json.Marshal(m)
		require.NoError(t, err, "every metric fits JSON")
	}
	constant := numberMetrics(1)([]float64{1, 1}, rows)
	require.Equal(t, Metric{"r2", 1, true}, constant[2], "constant targets, met")
	require.Equal(t, 0.0, numberMetrics(1)([]float64{1, 2}, rows)[2].Value, "constant targets, not met")
	symbol := symbolMetrics([]float64{0, 0, 0, 0}, rows)
	require.InDelta(t, 1, symbol[1].Value, 1e-15, "two equal symbols are one bit")
	require.Equal(t, "bits_per_character", symbol[1].Name)
}
