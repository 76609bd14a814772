package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// tmpfs mounts a file system of a size on a new folder, which only root may do.
func tmpfs(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("mounting a tmpfs needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestFullDiskLosesNothingCommitted(t *testing.T) {
	disk := tmpfs(t, "size=1m")
	s, err := Create(filepath.Join(disk, "run"), []byte(`{"seed":1}`))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n := 0
	for ; n < 10_000; n++ {
		if err = s.Commit(sample(n)); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "disk is full") ||
		!strings.Contains(err.Error(), "rsie resume") {
		t.Fatalf("after %d generations: %v, want what to do about a full disk", n, err)
	}
	got, err := read(s)
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, got, expected(n))
	if err := unix.Mount("", disk, "", unix.MS_REMOUNT, "size=4m"); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(sample(n)); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(s.dir); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, err = read(s); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, got, expected(n+1))
}

// A full disk stops Create without a trace.
func TestCreateOnAFullDisk(t *testing.T) {
	disk := tmpfs(t, "size=16k")
	dir := filepath.Join(disk, "runs", "a")
	if _, err := Create(dir, []byte("c")); err == nil {
		t.Fatal("Create succeeded on 16 KiB")
	}
	if entries, err := os.ReadDir(disk); err != nil || len(entries) != 0 {
		t.Errorf("%v is left (%v)", entries, err)
	}
}

func TestReadOnlyFolder(t *testing.T) {
	disk := tmpfs(t, "size=4m")
	dir := filepath.Join(disk, "run")
	s, err := Create(dir, []byte(`{"seed":1}`))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := s.Commit(sample(i)); err != nil {
			t.Fatal(err)
		}
	}
	wal, err := os.ReadFile(s.path() + "-wal")
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	protect := func(flags uintptr) {
		t.Helper()
		if err := unix.Mount("", disk, "", unix.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	protect(unix.MS_RDONLY)
	r, err := OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, got, expected(3))
	_, err = Open(dir)
	wantInvalid(t, err, dir)
	_, err = Create(filepath.Join(disk, "another"), nil)
	wantInvalid(t, err, "another")
	// With changes that wait in the WAL an immutable read would miss them.
	protect(0)
	if err := os.WriteFile(s.path()+"-wal", wal, 0o644); err != nil {
		t.Fatal(err)
	}
	protect(unix.MS_RDONLY)
	_, err = OpenReadOnly(dir)
	wantInvalid(t, err, "run.db-wal", "copy it")
}
