package task

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// starterTask makes a starter project of a table and loads its task.
func starterTask(t *testing.T, name, data, target string) (*Task, string) {
	t.Helper()
	text, err := Starter(name, strings.NewReader(data), target)
	require.NoError(t, err)
	s, err := loadText(t, string(text), map[string]string{name: data})
	require.NoError(t, err, string(text))
	require.Len(t, s.Tasks, 1)
	return s.Tasks[0], string(text)
}

func TestStarter(t *testing.T) {
	var b strings.Builder
	b.WriteString("id,name,size,\"odd: #name\",empty,price\n")
	for i := range 50 {
		fmt.Fprintf(&b, "%d,person %d,%d,%s,,%d.5\n", i+1, i, i*i%17, []string{"yes", "no"}[i%2], i*3%50)
	}
	task, text := starterTask(t, "my data-2024.csv", b.String(), "price")
	require.Equal(t, "my_data_2024", task.Name)
	require.Equal(t, rsie.MeanSquared, task.Problem.(rsie.Modelled).Model().Loss)
	var used []string
	for _, c := range task.coding.Table.Columns {
		used = append(used, c.Name)
	}
	require.Equal(t, []string{"size", "odd: #name"}, used)
	for _, want := range []string{"- id   # the number of the row", "- name   # 50 different texts in 50 rows",
		"- empty   # no value", "goal: regression", "#   size: number from 0 to 16", "#   odd: #name: category, 2 levels: yes, no",
		"50 rows"} {
		require.Contains(t, text, want)
	}
}

func TestStarterParts(t *testing.T) {
	data := "a,y\n" // by mod5 the class v is never in training
	for i := range 40 {
		data += fmt.Sprintf("%d,%s\n", i*i%7, map[bool]string{true: "v", false: "u"}[i%5 == 4])
	}
	task, text := starterTask(t, "d.csv", data, "y")
	require.Contains(t, text, "parts: {rule: shuffle, seed: 1}")
	require.Equal(t, []string{"u", "v"}, task.coding.Table.Target.Classes)
}

func TestStarterManyTexts(t *testing.T) {
	data := "a,b,y\n"
	for i := range 2500 {
		data += fmt.Sprintf("t%d,%d,%d\n", i, i*i%7, i%2)
	}
	task, text := starterTask(t, "d.csv", data, "y")
	require.Contains(t, text, "- a   # more than 1000 different texts")
	require.Len(t, task.coding.Table.Columns, 1)
}

func TestStarterRefuses(t *testing.T) {
	for _, c := range []struct{ data, target, want string }{
		{good, "", "the target is needed, one of the columns a, b, y"},
		{good, "z", `there is no column "z"`},
		{"", "y", "d.csv is empty"},
		{"a,y\n1,0\n2,0\n3,0\n4,0\n5,0\n", "y", "one class only"},
		{"a,y\n1,0\n2,1\n", "y", "2 rows leave none"},
		{strings.Replace(good, "3,5", "3,x", 1), "y", `d.csv:4: column b: "x" is not a number`},
	} {
		_, err := Starter("d.csv", strings.NewReader(c.data), c.target)
		require.ErrorIs(t, err, rsie.ErrInvalid, c.want)
		require.ErrorContains(t, err, c.want)
	}
}

func TestStarterExample(t *testing.T) {
	text, data := StarterExample()
	require.Len(t, data, 1)
	dir := t.TempDir()
	for name, content := range data {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o644))
	}
	path := filepath.Join(dir, "tasks.yaml")
	require.NoError(t, os.WriteFile(path, text, 0o644))
	s, err := Load(path, Options{})
	require.NoError(t, err)
	require.Equal(t, []int{4, 8, 3}, s.Tasks[0].Problem.(rsie.Modelled).Model().Layers)
	iris, err := standard(t).Select([]string{"iris"})
	require.NoError(t, err)
	require.Equal(t, iris[0].Digest(), s.Tasks[0].Digest(), "the suite's task")
}
