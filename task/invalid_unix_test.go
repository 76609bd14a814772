//go:build unix

package task

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Opening a pipe would wait for a writer that never comes.
func TestPipeIsRefused(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o644))
	_, err := Load(pipe, Options{})
	require.ErrorIs(t, err, rsie.ErrInvalid)
	require.ErrorContains(t, err, "is not a regular file")
}
