package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// stage is a hidden folder in which files are made before they appear in their own, so that a
// full disk or an error leaves nothing half-written.
type stage struct {
	dir    string // where the files are made
	target string // where they go
}

// newStage makes a stage for target, on the same file system. It fails, and target is left
// alone, when files cannot be written there.
func newStage(target string) (*stage, error) {
	base, err := existingParent(target)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(base, ".rsie-*")
	if err != nil {
		return nil, badPath("write to", base, err)
	}
	return &stage{dir: dir, target: target}, nil
}

// existingParent returns target if it is a folder, else the closest folder above it.
func existingParent(target string) (string, error) {
	for path := filepath.Clean(target); ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		switch {
		case err == nil && info.IsDir():
			return path, nil
		case err == nil:
			return "", fmt.Errorf("%w: %s is a file, not a folder", rsie.ErrInvalid, path)
		case !errors.Is(err, os.ErrNotExist):
			return "", badPath("write to", target, err)
		}
	}
}

// commit moves every file to the target, each in one step.
func (s *stage) commit() error {
	if err := os.MkdirAll(s.target, 0o755); err != nil {
		return badPath("make", s.target, err)
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return badPath("read", s.dir, err)
	}
	for _, f := range entries {
		to := filepath.Join(s.target, f.Name())
		if err := os.Rename(filepath.Join(s.dir, f.Name()), to); err != nil {
			return badPath("write", to, err)
		}
	}
	return nil
}

// discard removes the stage; it may be called after commit.
func (s *stage) discard() { os.RemoveAll(s.dir) }

// checkWritable returns bad input when files cannot be made beside path, before long work whose
// result should go there.
func checkWritable(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%w: cannot write %s: it is a folder; name a file", rsie.ErrInvalid, path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".rsie-*")
	if err != nil {
		return badPath("write", path, err)
	}
	f.Close()
	return os.Remove(f.Name())
}
