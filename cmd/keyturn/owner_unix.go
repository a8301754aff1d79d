//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

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
