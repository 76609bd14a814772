package task

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// One table with everything: a number with a missing cell, a category with one, a constant
// column, text classes, a level that training never sees. Rows 3 and 8 are validation, 4 and 9
// test.
const mixed = `size,colour,one,kind
1,red,7,cat
3,blue,7,dog
,red,7,cat
2,?,7,dog
5,green,7,dog
2,NA,7,dog
6,red,7,cat
4,blue,7,cat
2,blue,7,cat
9,red,7,dog
`

// loadTable builds a tabular task of the fields, given in YAML, on data.
func loadTable(t *testing.T, fields, data string) (*Task, []string, error) {
	t.Helper()
	var warnings []string
	s := &tabularSpec{Data: "d.csv"}
	require.NoError(t, yaml.Unmarshal([]byte(fields), s))
	c := &loading{where: "tasks.yaml:1: task x", options: Options{Warn: func(text string) { warnings = append(warnings, text) }},
		open: func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(data)), nil }}
	out := &Task{Name: "x", Kind: "tabular"}
	err := s.build(out, c)
	return out, warnings, err
}

func TestTableCodingGolden(t *testing.T) {
	task, warnings, err := loadTable(t, "{target: kind}", mixed)
	require.NoError(t, err)
	// Training rows 0, 1, 2, 5, 6, 7: sizes 1 3 . 2 6 4 with mean 3.2 for the missing one.
	coding := task.coding.Table
	require.Len(t, coding.Columns, 3)
	size := coding.Columns[0]
	require.InDelta(t, 3.2, size.Fill, 1e-15)
	require.InDelta(t, 3.2, size.Mean, 1e-15)
	require.InDelta(t, math.Sqrt((2.2*2.2+.2*.2+1.2*1.2+2.8*2.8+.8*.8)/6), size.Std, 1e-15)
	require.Equal(t, Column{Name: "colour", Std: 1, Levels: []string{"blue", "red"}, FillLevel: "red"}, coding.Columns[1])
	require.Equal(t, Column{Name: "one", Std: 1, Mean: 7, Fill: 7}, coding.Columns[2])
	require.Equal(t, Target{Name: "kind", Classes: []string{"cat", "dog"}, Std: 1}, coding.Target)
	z := func(v float64) float64 { return float64(float32((v - size.Mean) / size.Std)) }
	p := task.Problem.(rsie.Modelled)
	require.Equal(t, []float64{
		z(1), 0, 1, 0,
		z(3), 1, 0, 0,
		z(size.Fill), 0, 1, 0,
		z(2), 0, 1, 0,
		z(6), 0, 1, 0,
		z(4), 1, 0, 0,
	}, p.Rows(rsie.Training).Inputs)
	require.Equal(t, []int32{0, 1, 0, 1, 0, 0}, p.Rows(rsie.Training).Classes)
	require.Equal(t, []float64{z(2), 0, 1, 0, z(2), 1, 0, 0}, p.Rows(rsie.Validation).Inputs)
	require.Equal(t, []float64{z(5), 0, 0, 0, z(9), 0, 1, 0}, p.Rows(rsie.Test).Inputs, "green is unknown: all 0")
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0], "test rows: column colour: 1 cells")
	require.Equal(t, []int{4, defaultWidth, 2}, p.Model().Layers)
	require.Equal(t, "goal classification: target kind is text with 2 classes", task.Description)
}

func TestTableOptions(t *testing.T) {
	load := func(fields string) (*TableCoding, rsie.Modelled) {
		task, _, err := loadTable(t, fields, mixed)
		require.NoError(t, err, fields)
		return task.coding.Table, task.Problem.(rsie.Modelled)
	}
	c, p := load("{target: one, ignore: [colour, kind], goal: regression, standardise: none, every: 2, parts: {rule: position}}")
	require.Equal(t, []Column{{Name: "size", Std: 1, Fill: 3}}, c.Columns)
	require.Equal(t, Target{Name: "one", Std: 1}, c.Target)
	require.Equal(t, []float64{1, 3, 5}, p.Rows(rsie.Training).Inputs, "rows 0, 2 (missing) and 4")
	require.Equal(t, []float64{6}, p.Rows(rsie.Validation).Inputs, "row 6")
	require.Equal(t, []float64{2}, p.Rows(rsie.Test).Inputs, "row 8")
	require.Equal(t, []float64{7, 7, 7}, p.Rows(rsie.Training).Targets)
	require.Equal(t, rsie.MeanSquared, p.Model().Loss)

	c, _ = load("{target: one, ignore: [colour, size], goal: regression, standardise: target}")
	require.Equal(t, 7.0, c.Target.Mean)
	c, _ = load("{target: one, ignore: [colour, size], goal: regression, standardise: inputs}")
	require.Equal(t, 0.0, c.Target.Mean)
	c, _ = load("{target: kind, ignore: [size], categories: [one]}")
	require.Equal(t, []string{"7"}, c.Columns[1].Levels)

	c, p = load("{target: inputs, ignore: [kind]}")
	require.True(t, c.Target.Inputs)
	require.Equal(t, p.Rows(rsie.Test).Inputs, p.Rows(rsie.Test).Targets)
	require.Equal(t, 4, p.Model().Outputs())
}

func TestGoal(t *testing.T) {
	for _, c := range []struct{ values, goal, reason string }{
		{"0 1 1 0 1 0 0 1 1 0", "classification", "2 different whole numbers"},
		{"0 1 2 0 1 0 0 1 2 0", "regression", "is a number"}, // 3 values in 10 rows
		{"0.5 1 1 0.5 1 1 1 1 1 1", "regression", "is a number"},
		{"b a a b a b b a a b", "classification", "text with 2 classes"},
		{strings.Repeat("1 2 3 ", 5), "classification", "3 different"},
	} {
		data := "x,y\n"
		for i, v := range strings.Fields(c.values) {
			data += fmt.Sprintf("%d,%s\n", i, v)
		}
		task, _, err := loadTable(t, "{target: y}", data)
		require.NoError(t, err, c.values)
		require.Contains(t, task.Description, "goal "+c.goal, c.values)
		require.Contains(t, task.Description, c.reason, c.values)
	}
}

func TestSortedLevels(t *testing.T) {
	require.Equal(t, []string{"2", "9", "10"}, sortedLevels([]string{"10", "9", "2"}))
	require.Equal(t, []string{"10", "9", "a"}, sortedLevels([]string{"a", "9", "10"}))
}

func TestParts(t *testing.T) {
	third := 0.3
	rest := 0.4
	count := func(s *partsSpec, n int) (out [4]int) {
		parts, err := s.assign(n)
		require.NoError(t, err)
		for _, p := range parts {
			out[p]++
		}
		return out
	}
	require.Equal(t, [4]int{0, 3, 1, 1}, count(nil, 5))
	require.Equal(t, [4]int{0, 6, 2, 2}, count(&partsSpec{Rule: "position"}, 10))
	require.Equal(t, [4]int{0, 8, 3, 3}, count(&partsSpec{Rule: "position"}, 14), "rounded down")
	require.Equal(t, [4]int{0, 3, 3, 4}, count(&partsSpec{Rule: "shuffle", Training: &third, Validation: &third, Test: &rest}, 10))
	a, _ := (&partsSpec{Rule: "shuffle", Seed: 1}).assign(100)
	b, _ := (&partsSpec{Rule: "shuffle", Seed: 2}).assign(100)
	c, _ := (&partsSpec{Rule: "shuffle", Seed: 1}).assign(100)
	ordered, _ := (&partsSpec{Rule: "position"}).assign(100)
	require.Equal(t, a, c)
	require.NotEqual(t, a, b)
	require.NotEqual(t, a, ordered)
}

// A table written by encoding/csv reads back cell by cell, quotes, commas and line ends included.
func TestTableRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "rows")
		numbers := rapid.SliceOfN(rapid.Float64Range(-1e30, 1e30), n, n).Draw(t, "numbers")
		texts := rapid.SliceOfN(rapid.StringMatching("[a-z,\"\n;é]{0,6}"), n, n).Draw(t, "texts")
		mark := rapid.SampledFrom([]string{"", "\ufeff"}).Draw(t, "mark")
		var b bytes.Buffer
		b.WriteString(mark)
		w := csv.NewWriter(&b)
		_ = w.Write([]string{"n,1", "t\"2"})
		for i := range n {
			_ = w.Write([]string{strconv.FormatFloat(numbers[i], 'g', -1, 64), texts[i]})
		}
		w.Flush()
		columns := []*column{{name: "n", use: useNumber}, {name: "t", use: useCategory}}
		got, err := tableReader{name: "x", open: func(header []string) ([]*column, error) {
			require.Equal(t, []string{"n,1", "t\"2"}, header)
			return columns, nil
		}}.read(&b)
		require.NoError(t, err)
		require.Equal(t, n, got.rows)
		require.Equal(t, numbers, columns[0].values)
		for i, text := range texts {
			want := strings.TrimSpace(text)
			if code := columns[1].codes[i]; code == codeMissing {
				require.Empty(t, want)
			} else {
				require.Equal(t, want, columns[1].levels[code])
			}
		}
	})
}
