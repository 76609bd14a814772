package task

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// built decodes the fields of one kind and builds the task with data in dir; network may be nil.
func built(t *testing.T, s spec, text, dir string, network *NetworkSpec) (*Task, error) {
	t.Helper()
	in := yaml.NewDecoder(strings.NewReader(text))
	in.KnownFields(true)
	if err := in.Decode(s); err != nil {
		return nil, err
	}
	c := &loading{dir: dir, where: "tasks.yaml:1: task x", network: network,
		open: func(name string) (io.ReadCloser, error) { return os.Open(filepath.Join(dir, name)) }}
	out := &Task{Name: "x"}
	if err := s.build(out, c); err != nil {
		return nil, err
	}
	t.Cleanup(out.Close)
	return out, nil
}

// wantInvalid fails unless err is bad input that says where and contains text.
func wantInvalid(t *testing.T, err error, text string) {
	t.Helper()
	if !errors.Is(err, rsie.ErrInvalid) || !strings.Contains(err.Error(), "tasks.yaml:1: task x") ||
		!strings.Contains(err.Error(), text) {
		t.Errorf("error %v, want bad input of tasks.yaml:1: task x with %q", err, text)
	}
}

// write puts a file into dir.
func write(t *testing.T, dir, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// decode reads the fields of one kind.
func decode(t *testing.T, text string, s spec) {
	t.Helper()
	in := yaml.NewDecoder(strings.NewReader(text))
	in.KnownFields(true)
	if err := in.Decode(s); err != nil {
		t.Fatal(err)
	}
}
