//go:build unix && !linux

package task

import (
	"os"
	"syscall"
)

// ownGroup makes a program the leader of a process group, so that it can be killed with
// everything it starts. When this process is killed, a program sees its input end.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// killGroup kills the group that p leads.
func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
