package task

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	rsie "github.com/symbio-ai/recursive-improvement"
)

const folderOfKilledHost = "RSIE_TEST_EXEC_HOST"

// TestExecHost is the process that TestExecProgramDiesWithItsHost kills; it is no test.
func TestExecHost(t *testing.T) {
	dir := os.Getenv(folderOfKilledHost)
	if dir == "" {
		t.Skip("only as a child of TestExecProgramDiesWithItsHost")
	}
	var s execSpec
	decode(t, "{command: [./program], dim: 1}", &s)
	task := &Task{Name: "x"}
	if err := s.build(task, &loading{dir: dir, options: Options{Workers: 1}}); err != nil {
		t.Fatal(err)
	}
	_ = task.Problem.Evaluate(context.Background(), make([]float64, 1), make([]float64, 1), rsie.Key{})
}

// TestExecProgramDiesWithItsHost kills a host with -9 while its program works. The program says
// when it starts and, five seconds later, whether it still lives, into a pipe that ends with it.
func TestExecProgramDiesWithItsHost(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "program", "#!/bin/sh\nexec >pipe\necho working\nread line\n"+
		"i=0; while [ $i -lt 50 ]; do i=$((i+1)); sleep 0.1 >/dev/null; done\necho alive\n", 0o755)
	host := exec.Command(os.Args[0], "-test.run=^TestExecHost$")
	host.Env = append(os.Environ(), folderOfKilledHost+"="+dir)
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	lines := bufio.NewReader(in)
	if line, err := lines.ReadString('\n'); line != "working\n" {
		t.Fatalf("%q, %v; want the program to work", line, err)
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait() // killed, as it should be
	rest, err := io.ReadAll(lines)
	if err != nil || len(rest) > 0 {
		t.Errorf("%q, %v after the host's death; want the program's end", rest, err)
	}
}

// TestExecChildrenDieWithTheirProgram closes a task whose program has left a child behind. The
// child says when it starts and, five seconds later, whether it still lives.
func TestExecChildrenDieWithTheirProgram(t *testing.T) {
	p := start(t, squares("(exec >pipe 2>/dev/null </dev/null; echo started; sleep 5 >/dev/null; echo alive) &"),
		"dim: 2", 1)
	pipe := filepath.Join(p.dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.evaluate(t.Context(), 1, 1); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	lines := bufio.NewReader(in)
	if line, err := lines.ReadString('\n'); line != "started\n" {
		t.Fatalf("%q, %v; want the child to start", line, err)
	}
	p.Close()
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v after Close; want the child's end", rest, err)
	}
}
