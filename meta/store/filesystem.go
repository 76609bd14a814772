package store

import (
	"fmt"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// networkName returns the name of a network file system by its Linux magic number, or "".
//
// SQLite's WAL needs memory shared by all processes and locks that hold, which these do not
// give between machines. FUSE and 9p are let through: most of them are folders of one machine
// (containers, virtual machines), and SQLite reports those that cannot share memory.
//
// Source: statfs(2); https://sqlite.org/wal.html, section 1.
func networkName(magic uint32) string {
	return map[uint32]string{
		0x00006969: "NFS",
		0x0000517B: "SMB",
		0xFE534D42: "SMB2",
		0xFF534D42: "CIFS",
		0x0000564C: "NCP",
		0x73757245: "Coda",
		0x5346414F: "AFS",
		0x6B414653: "AFS",
		0x00C36400: "Ceph",
		0x0BD00BD0: "Lustre",
		0x47504653: "GPFS",
		0x01161970: "GFS2",
		0x7461636F: "OCFS2",
		0x19830326: "BeeGFS",
	}[magic]
}

// checkLocal refuses to write a run on a network file system.
func checkLocal(dir, network string) error {
	if network == "" {
		return nil
	}
	return fmt.Errorf("%w: the run folder %s is on a network file system (%s), where a database "+
		"can be damaged; choose a local folder with --out and copy it when the run is done",
		rsie.ErrInvalid, dir, network)
}
