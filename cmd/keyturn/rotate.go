package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"keyturn/state"
)

type keyCmd struct {
	Make   keyMakeCmd   `cmd:"" default:"1" help:"Print a fresh sealing key."`
	Rotate keyRotateCmd `cmd:"" help:"Add a fresh key to the configured ones; the next start seals everything with it."`
}

type keyMakeCmd struct{}

// Run prints a fresh sealing key.
func (keyMakeCmd) Run(c *console) error {
	key, err := state.NewKey()
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, key)
	return nil
}

type keyRotateCmd struct {
	Config string `help:"Configuration file (YAML)." required:"" type:"existingfile"`
}

// Run adds a key. A key file is replaced whole or not at all; what stands in a
// variable or a credential only its owner can replace, so it is printed.
func (k keyRotateCmd) Run(c *console) error {
	conf, _, err := load(k.Config)
	if err != nil {
		return err
	}
	key, err := state.AddKey(conf.Key.value.Reveal())
	if err != nil {
		return err
	}
	count, newest, err := state.Keys(key)
	if err != nil {
		return err
	}
	const then = "Start Keyturn again: it seals everything with the new key. The older keys stay in it, for backups and for the audit trail.\n"
	file, ok := strings.CutPrefix(conf.Key.ref, "file:")
	if !ok {
		fmt.Fprintln(c.out, key)
		fmt.Fprintf(c.err, "Key %08x was added, %d in all. Put the line into %s. %s", newest, count, conf.Key.ref, then)
		return nil
	}
	if err := replaceFile(file, key+"\n"); err != nil {
		return fmt.Errorf("the key file was not changed: %w", err)
	}
	fmt.Fprintf(c.out, "Key %08x was added to %s, %d in all. %s", newest, file, count, then)
	return nil
}

// replaceFile gives a file new content, whole or not at all, and its old rights.
func replaceFile(path, content string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".keyturn-key-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	if err := tmp.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	if _, err := tmp.WriteString(content); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// reseal seals everything with the newest key where an older one sealed it.
func reseal(store store, log *slog.Logger) error {
	stale, err := store.Stale()
	if err != nil || !stale {
		return err
	}
	n, err := store.Reseal(context.Background())
	if err != nil {
		return fmt.Errorf("the state could not be sealed with the newest key: %w", err)
	}
	log.Info("everything is sealed with the newest key now", "values", n)
	return nil
}
