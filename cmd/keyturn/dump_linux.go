package main

import (
	"fmt"
	"syscall"
)

// forbidDumps keeps this process's memory, which holds secrets, out of files: no
// core is written when it ends, and nobody else of its user may read it while it
// runs. The limit alone would not do: the kernel hands a dump to a program that
// collects them whatever the limit.
func forbidDumps() error {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("limiting core files to nothing: %w (set LimitCORE=0 for the service instead)", err)
	}
	if _, _, no := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0); no != 0 {
		return fmt.Errorf("keeping this process's memory from being dumped: %w", no)
	}
	return nil
}
