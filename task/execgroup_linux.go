package task

import (
	"os"
	"syscall"
)

// ownGroup makes a program the leader of a process group, so that it can be killed with
// everything it starts, and lets Linux kill it when this process dies, however it dies.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// killGroup kills the group that p leads.
func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
