//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Who restores a backup is root, and who opens it afterwards is the service's own
// user: the file is theirs, whatever made it.
func TestWhatRootPutsInPlaceBelongsToTheService(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file to somebody else")
	}
	h := open(t)
	h.idle()
	folder := filepath.Dir(h.data)
	conf, copied := filepath.Join(t.TempDir(), "keyturn.yaml"), filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(conf, []byte(h.conf), 0o600); err != nil {
		t.Fatal(err)
	}
	do := func(args ...string) {
		t.Helper()
		var out, complaint strings.Builder
		if code := run(t.Context(), args, &out, &complaint); code != 0 {
			t.Fatalf("%q ends with %d: %s", args, code, complaint.String())
		}
		info, err := os.Stat(h.data)
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t); owner.Uid != 65357 || owner.Gid != 65358 {
			t.Errorf("after %q the state belongs to %d:%d", args, owner.Uid, owner.Gid)
		}
	}
	h.halt()
	for _, path := range []string{folder, h.data} {
		if err := os.Chown(path, 65357, 65358); err != nil {
			t.Fatal(err)
		}
	}
	do("backup", "--config", conf, copied)
	do("state", "compact", "--config", conf)
	do("restore", "--config", conf, copied)
	if err := os.Remove(h.data); err != nil { // on a new machine
		t.Fatal(err)
	}
	do("restore", "--config", conf, copied)
	h.start()
}
