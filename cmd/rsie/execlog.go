package main

import (
	"os"
	"sync"
)

// execLogName is the file of a run folder that keeps what the programs of exec tasks write to
// their standard error.
const execLogName = "exec.stderr"

// The bytes that are held until the folder of the run exists, and those kept in all.
const (
	execLogHeld = 64 << 10
	execLogKept = 16 << 20
)

// execLog is a file that begins to exist with its first byte. Writing never fails: a full disk
// may not stop a run for the sake of its log. It is safe for several writers.
type execLog struct {
	mu   sync.Mutex
	path string
	held []byte
	file *os.File
	size int
}

// keep says where the file is; what was written before goes there.
func (l *execLog) keep(path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.path = path
	l.put(l.held)
	l.held = nil
}

// Write appends b up to the limit.
func (l *execLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.path == "" {
		l.held = append(l.held, b[:min(len(b), execLogHeld-len(l.held))]...)
	} else {
		l.put(b)
	}
	return len(b), nil
}

func (l *execLog) put(b []byte) {
	b = b[:min(len(b), execLogKept-l.size)]
	if len(b) == 0 {
		return
	}
	if l.file == nil {
		f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return
		}
		l.file = f
	}
	n, _ := l.file.Write(b)
	l.size += n
}

func (l *execLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}
