package explain

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Folder is a [Keeper] with a file NAME.json per document.
type Folder string

// Get reads a document, nil when there is none.
func (f Folder) Get(name string) ([]byte, error) {
	b, err := os.ReadFile(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// Put writes a whole document or nothing. The folder is made where it is missing.
func (f Folder) Put(name string, value []byte) error {
	if err := os.MkdirAll(string(f), 0o755); err != nil {
		return fmt.Errorf("%w: cannot make the folder %s: %v", rsie.ErrInvalid, string(f), err)
	}
	part, err := os.CreateTemp(string(f), ".part-*")
	if err != nil {
		return fmt.Errorf("%w: cannot write into %s: %v", rsie.ErrInvalid, string(f), err)
	}
	_, err = part.Write(value)
	if closed := part.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(part.Name(), f.path(name))
	}
	if err != nil {
		os.Remove(part.Name())
	}
	return err
}

func (f Folder) path(name string) string { return filepath.Join(string(f), name+".json") }
