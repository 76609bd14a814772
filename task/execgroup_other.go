//go:build !unix

package task

import (
	"os"
	"syscall"
)

// ownGroup returns nil: process groups are a Unix notion.
func ownGroup() *syscall.SysProcAttr { return nil }

// killGroup kills p alone.
func killGroup(p *os.Process) { _ = p.Kill() }
