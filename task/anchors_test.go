package task

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
)

const annotated = `# What this file is.

version: 1
budget: 100 # evaluations
tasks:
  # the first
  - name: one # a name
    kind: tabular
    data: d.csv
    target: y
    anchors: {f0: 9, f1: 8} # old values
    network: {hidden: [3]} # small
  # the second
  - name: two
    kind: tabular
    data: d.csv
    target: a
# the end
`

func TestWriteAnchors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tasks.yaml")
	require.NoError(t, os.WriteFile(path, []byte(annotated), 0o640))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "d.csv"), []byte(good), 0o644))
	link := filepath.Join(dir, "link.yaml")
	require.NoError(t, os.Symlink("tasks.yaml", link))
	err := WriteAnchors(link, map[string]rsie.Anchors{"one": {F0: 0.1, F1: -1e-9}, "two": {F0: 3, F1: 2}},
		"rsie tasks anchors tasks.yaml --budget 100", 100)
	require.NoError(t, err)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, `# What this file is.

version: 1
budget: 100 # evaluations
tasks:
  # the first
  - name: one # a name
    kind: tabular
    data: d.csv
    target: y
    anchors: {f0: 0.1, f1: -1e-09, budget: 100, command: rsie tasks anchors tasks.yaml --budget 100} # old values
    network: {hidden: [3]} # small
  # the second
  - name: two
    kind: tabular
    data: d.csv
    target: a
    anchors: {f0: 3, f1: 2, budget: 100, command: rsie tasks anchors tasks.yaml --budget 100}
# the end
`, string(got))
	info, err := os.Lstat(link)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink, "a link stays a link")
	info, err = os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode().Perm())
	s, err := Load(path, Options{})
	require.NoError(t, err)
	require.Equal(t, &rsie.Anchors{F0: 0.1, F1: -1e-9}, s.Tasks[0].Anchors)
	require.Equal(t, &rsie.Anchors{F0: 3, F1: 2}, s.Tasks[1].Anchors)
}

// What cannot be written leaves the file as it was.
func TestWriteAnchorsRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tasks.yaml")
	require.NoError(t, os.WriteFile(path, []byte(annotated), 0o644))
	err := WriteAnchors(path, map[string]rsie.Anchors{"one": {F0: 2, F1: 1}, "three": {F0: 2, F1: 1}}, "", 1)
	require.ErrorIs(t, err, rsie.ErrNotFound)
	require.ErrorContains(t, err, "has no task three")
	err = WriteAnchors(path, map[string]rsie.Anchors{"one": {F0: 1, F1: 1}}, "", 1)
	require.ErrorIs(t, err, rsie.ErrInvalid)
	require.ErrorContains(t, err, "f0 1 must be above f1 1")
	require.ErrorIs(t, WriteAnchors(dir, nil, "", 1), rsie.ErrInvalid)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, annotated, string(got))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1, "no temporary file is left")
}
