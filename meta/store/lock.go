package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// errHeld is returned by tryLock when another open file holds the lock.
var errHeld = errors.New("held by another process")

// lockFolder takes the lock of the writer of dir. The operating system drops it when the
// process ends, however it ends; run.lock itself stays and says which process wrote it.
func lockFolder(dir string) (*os.File, error) {
	path := filepath.Join(dir, "run.lock")
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, fmt.Errorf("%w: the run folder %s cannot be written: %w",
				rsie.ErrInvalid, dir, err)
		}
		if err := tryLock(f); err != nil {
			defer f.Close()
			if errors.Is(err, errHeld) {
				return nil, fmt.Errorf("%w: the run folder %s is in use by %s; wait for it or stop it",
					rsie.ErrInvalid, dir, holder(f))
			}
			return nil, fmt.Errorf("lock of %s: %w", dir, err)
		}
		// A failed Create removes the file while it holds it; a lock on a removed file is none.
		if current, err := os.Stat(path); err == nil {
			if own, err := f.Stat(); err == nil && os.SameFile(own, current) {
				return f, sign(f)
			}
		}
		f.Close()
	}
}

// sign writes the process into its lock, for the message to others only.
func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func holder(f *os.File) string {
	b, err := io.ReadAll(io.LimitReader(f, 32))
	if pid, convErr := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && convErr == nil {
		return fmt.Sprintf("process %d", pid)
	}
	return "another process"
}
