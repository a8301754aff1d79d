//go:build unix

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// privately listens on a socket that is its user's alone from its first moment:
// who may connect before its mode is set may ask for everything.
func privately(path string) (net.Listener, error) {
	before := syscall.Umask(0o077) // of the whole process: another file of this moment is private too
	defer syscall.Umask(before)
	return net.Listen("unix", path)
}

// handOver gives a file that root made to whoever owns its folder: the service's
// own user, who could not open it otherwise. Anybody else's files stay as they
// are.
func handOver(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("asking whose the folder of %s is: %w", path, err)
	}
	owner, ok := folder.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
		return fmt.Errorf("giving %s to the owner of its folder: %w", path, err)
	}
	return nil
}
