package store

import "golang.org/x/sys/unix"

// network returns the name of the network file system that dir is on, or "".
func network(dir string) string {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return "" // opening the database tells what is wrong
	}
	return networkName(uint32(s.Type))
}
