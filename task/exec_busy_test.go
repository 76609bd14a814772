//go:build linux

package task

import (
	"os"
	"testing"
	"time"
)

// TestExecWaitsForABusyProgram guards against ETXTBSY: a program that something still holds open
// for writing is started when it is let go.
func TestExecWaitsForABusyProgram(t *testing.T) {
	p := start(t, squares(""), "dim: 2", 1)
	writer, err := os.OpenFile(p.dir+"/program", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, func() { writer.Close() })
	got, err := p.evaluate(t.Context(), fivePoints...)
	wantFitness(t, got, sums(fivePoints), err)
}
