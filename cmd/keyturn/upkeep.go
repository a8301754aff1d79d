package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"keyturn/state"
	"keyturn/state/bolt"
)

type stateCmd struct {
	Check   stateCheckCmd   `cmd:"" help:"Read the whole state and say whether it is sound, while the bot runs or not."`
	Copy    stateCopyCmd    `cmd:"" help:"Carry the state over from a data file to the database that the configuration names, while nothing runs on either."`
	Compact stateCompactCmd `cmd:"" help:"Give the room that removed records left back to the disk, while the bot runs or not."`
}

type stateCheckCmd struct {
	Config string `help:"Configuration file (YAML)." required:"" type:"existingfile"`
}

// Run checks the state.
func (s stateCheckCmd) Run(c *console) error {
	conf, _, err := load(s.Config)
	if err != nil {
		return err
	}
	running, err := ask(c.ctx, conf.Data, "/check", c.out)
	if err != nil || running {
		return err
	}
	store, err := openState(conf)
	if err != nil {
		return err
	}
	return errors.Join(checkState(c.ctx, store, c.out), store.Close())
}

type stateCompactCmd struct {
	Config string `help:"Configuration file (YAML)." required:"" type:"existingfile"`
}

// Run compacts the state.
func (s stateCompactCmd) Run(c *console) error {
	conf, _, err := load(s.Config)
	if err != nil {
		return err
	}
	if err := conf.inFile("the server gives the room back by itself (autovacuum)"); err != nil {
		return err
	}
	running, err := ask(c.ctx, conf.Data, "/compact", c.out)
	if err != nil || running {
		return err
	}
	store, err := openFile(conf)
	if err != nil {
		return err
	}
	if err := errors.Join(compactState(c.ctx, store, c.out), store.Close()); err != nil {
		return err
	}
	return handOver(conf.Data) // it is another file now
}

func checkState(ctx context.Context, store store, w io.Writer) error {
	if err := store.Check(ctx); err != nil {
		return err
	}
	if _, ok := store.(file); !ok {
		fmt.Fprintln(w, "The state is sound: every record, every sealed value and every audit trail was read.")
		return nil
	}
	fmt.Fprintln(w, "The state is sound: every page, every record, every sealed value and every audit trail was read.")
	return nil
}

func compactState(ctx context.Context, store file, w io.Writer) error {
	before, after, err := store.Compact(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Compacted the state from %d to %d KiB.\n", before>>10, after>>10)
	return nil
}

type restoreCmd struct {
	Config string `help:"Configuration file (YAML)." required:"" type:"existingfile"`
	From   string `arg:"" help:"A backup that keyturn backup wrote." type:"existingfile"`
}

// Run verifies a copy of the backup beside the data file, and only then gives it
// the data file's name. What was there before is kept beside it.
func (r restoreCmd) Run(c *console) error {
	conf, _, err := load(r.Config)
	if err != nil {
		return err
	}
	if err := conf.inFile("stop every replica, put a copy in its place with pg_restore, and read it with keyturn state check"); err != nil {
		return err
	}
	release, err := bolt.Hold(conf.Data)
	if err != nil {
		return err
	}
	defer release()
	fresh := conf.Data + ".restore"
	defer os.Remove(fresh)
	if err := copyFile(r.From, fresh); err != nil {
		return err
	}
	if err := sound(c.ctx, conf, fresh); err != nil {
		return fmt.Errorf("the backup %s was not restored, and nothing was changed: %w", r.From, err)
	}
	kept := conf.Data + ".before-" + time.Now().UTC().Format("20060102T150405.000000")
	switch err := os.Link(conf.Data, kept); {
	case errors.Is(err, os.ErrNotExist):
		kept = ""
	case err != nil:
		return fmt.Errorf("the state could not be kept as %s, so nothing was changed: %w", kept, err)
	}
	if err := handOver(fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, conf.Data); err != nil {
		return fmt.Errorf("putting the backup in place: %w", err)
	}
	fmt.Fprintln(c.out, "Restored the state from", r.From)
	if kept != "" {
		fmt.Fprintln(c.out, "What was there before is", kept)
	}
	return nil
}

// sound opens a data file with the configuration's key and reads all of it.
func sound(ctx context.Context, conf *config, path string) error {
	sealer, err := state.OpenSealer(conf.Key.value.Reveal())
	if err != nil {
		return err
	}
	auditor, err := state.OpenAuditor(conf.Key.value.Reveal())
	if err != nil {
		return err
	}
	store, err := bolt.Open(bolt.Config{Path: path, Sealer: sealer, Auditor: auditor})
	if err != nil {
		return err
	}
	return errors.Join(store.Check(ctx), store.Close())
}

// copyFile copies durably to a file that did not exist or that an earlier, failed
// try left.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("reading the backup: %w", err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing beside the data file: %w", err)
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return fmt.Errorf("copying the backup: %w", err)
	}
	return nil
}
