//go:build !linux

package bolt

import "os"

func flush(f *os.File) error { return f.Sync() }
