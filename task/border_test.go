package task

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
)

func TestMetricsAtBorders(t *testing.T) {
	rows := &rsie.Rows{S: 2, Classes: []int32{0, 2}} // class 1 is absent
	m := classMetrics([]float64{1000, 0, 0, 1000, 0, 0}, rows)
	require.Equal(t, 500.0, m[0].Value, "large outputs do not overflow")
	require.Equal(t, 0.5, m[2].Value, "the mean over the two classes present")
}

func TestTableAtBorders(t *testing.T) {
	task, _, err := loadTable(t, "{target: y, ignore: [b]}", "a,b,y\nu,1,0\nv,1,1\n?,1,0\nu,1,1\nu,1,0\nv,1,1\nu,1,0\n")
	require.NoError(t, err)
	require.Equal(t, "u", task.coding.Table.Columns[0].FillLevel, "the first among equals, by the training rows")
	for _, odd := range []string{"0x10", "1_000"} {
		_, _, err = loadTable(t, "{target: y}", strings.Replace(good, "3,5,0", "3,"+odd+",0", 1))
		require.ErrorContains(t, err, fmt.Sprintf("%q is not a number;", odd))
	}
	var long strings.Builder // more than one row may hold
	long.WriteString("a,y\n")
	for i := range 3 {
		for range 60_000 {
			fmt.Fprintf(&long, "%d.123456789,%d\n", i, i%2)
		}
	}
	require.Greater(t, long.Len(), maxRecord)
	_, _, err = loadTable(t, "{target: y}", long.String())
	require.NoError(t, err)
	some, more := 0.29, 0.42
	parts, err := (&partsSpec{Rule: "position", Training: &some, Validation: &some, Test: &more}).assign(100)
	require.NoError(t, err)
	require.Equal(t, rsie.Training, parts[28], "0.29·100 is 28.999.. in floating point")
	require.Equal(t, rsie.Validation, parts[29])
	require.Greater(t, 29.0, math.Floor(some*100))
}

func TestActivationPerLayer(t *testing.T) {
	c := &loading{where: "x", network: &NetworkSpec{Hidden: []int{3, 4}, Activation: names{"relu", "sigmoid"}}}
	m, err := c.model(rsie.Model{Layers: []int{2, 1}, Loss: rsie.MeanSquared})
	require.NoError(t, err)
	require.Equal(t, []rsie.Activation{rsie.ReLU, rsie.Sigmoid}, m.Activation)
	require.Equal(t, []int{2, 3, 4, 1}, m.Layers)
	c.network = &NetworkSpec{Hidden: []int{}}
	m, err = c.model(rsie.Model{Layers: []int{2, 1}, Loss: rsie.MeanSquared})
	require.NoError(t, err)
	require.Equal(t, []int{2, 1}, m.Layers, "no hidden layer is a linear model")
}

func TestInfinityInATaskFile(t *testing.T) {
	_, err := loadText(t, "version: 1\ntasks:\n  - {name: x, kind: function, function: 1, dimension: 2, anchors: {f0: .inf, f1: 0}}\n", nil)
	require.ErrorIs(t, err, rsie.ErrInvalid)
	require.ErrorContains(t, err, "anchors.f0: got string, want number")
}
