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

// Whoever connects to the socket may copy the state and erase people: nobody else
// may, not even between its making and the setting of its mode.
func TestTheSocketIsItsUsersAloneFromItsFirstMoment(t *testing.T) {
	dir, err := os.MkdirTemp("", "keyturn") // short: a socket's path has at most 104 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := privately(filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	info, err := os.Stat(filepath.Join(dir, "s"))
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("it is open to others at first: %v, %v", info.Mode(), err)
	}
	h := open(t)
	for path, want := range map[string]os.FileMode{h.data: 0o600, socketPath(h.data): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has the mode %v, want %v: %v", filepath.Base(path), info.Mode().Perm(), want, err)
		}
	}
	conf, copied := filepath.Join(dir, "keyturn.yaml"), filepath.Join(dir, "copy.db")
	if err := os.WriteFile(conf, []byte(h.conf), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, complaint strings.Builder
	if code := run(t.Context(), []string{"backup", "--config", conf, copied}, &out, &complaint); code != 0 {
		t.Fatalf("backup ends with %d: %s", code, complaint.String())
	}
	if info, err := os.Stat(copied); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup has the mode %v: %v", info.Mode().Perm(), err)
	}
}
