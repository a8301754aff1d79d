package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"keyturn/state"
	"keyturn/state/postgres"
)

type stateCopyCmd struct {
	Config string `help:"Configuration file (YAML) that names the database (state)." required:"" type:"existingfile"`
	From   string `arg:"" help:"The data file." type:"existingfile"`
}

// Run carries a data file over. The database has all of it or nothing; the file
// is left as it is.
func (s stateCopyCmd) Run(c *console) error {
	conf, _, err := load(s.Config)
	if err != nil {
		return err
	}
	if !conf.State.set() {
		return errors.New("the configuration names no database: write state: in the place of data:")
	}
	return copyState(c, conf, s.From)
}

func copyState(c *console, conf *config, from string) error {
	file, err := openFile(&config{Data: from, Key: conf.Key})
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Check(c.ctx); err != nil {
		return err
	}
	made, err := conf.openStore(slog.New(slog.DiscardHandler), time.Now) // sets the schema up
	if err != nil {
		return err
	}
	if err := made.Close(); err != nil {
		return err
	}
	to, err := openState(conf)
	if err != nil {
		return err
	}
	defer to.Close()
	want := map[string]int{}
	got, err := to.(*postgres.Store).Fill(c.ctx, func(take func(state.Item) error) error {
		return file.Everything(c.ctx, func(i state.Item) error { want[i.Kind]++; return take(i) })
	})
	if err != nil {
		return fmt.Errorf("nothing was carried over: %w", err)
	}
	if err := carried(c.ctx, to, want, got); err != nil {
		return fmt.Errorf("%w; drop the schema before you try again", err)
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(got)) {
		if got[kind] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", got[kind], kind))
		}
	}
	fmt.Fprintf(c.out, "Carried the state over from %s: %s.\nEvery record, every sealed value and every audit trail was read in the database. The file is as it was: keep it, and start nothing on it any more.\n", from, strings.Join(parts, ", "))
	return nil
}

// carried verifies the copy: as many of each kind, sealed with the newest key,
// every record and every chain readable.
func carried(ctx context.Context, to store, want, got map[string]int) error {
	for kind, n := range got {
		if want[kind] != n {
			return fmt.Errorf("the file has %d %s, and the database %d", want[kind], kind, n)
		}
	}
	if _, err := to.Reseal(ctx); err != nil {
		return err
	}
	return to.Check(ctx)
}
