package task

import (
	"fmt"
	"os"
	"path/filepath"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// writeAtomically writes a file in one step: a reader sees the old content or the new one, and
// after an error the old one stands.
func writeAtomically(path string, content []byte) error {
	mode := os.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
		if info.IsDir() {
			return fmt.Errorf("%w: %s is a folder, want a file", rsie.ErrInvalid, path)
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return cannotWrite(path, err)
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return cannotWrite(path, err)
	}
	return nil
}

// cannotWrite is bad input: the user named a place that cannot be written.
func cannotWrite(path string, err error) error {
	return fmt.Errorf("%w: cannot write %s: %v", rsie.ErrInvalid, path, cause(err))
}
