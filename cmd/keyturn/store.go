package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
	"keyturn/state/bolt"
	"keyturn/state/postgres"
)

// store is an [engine.Store] with what its operator needs of it.
type store interface {
	engine.Store
	// Check reads everything and says what is wrong.
	Check(ctx context.Context) error
	// Stale reports whether an older key than the newest sealed what is there;
	// Reseal seals it anew and says how many values that were.
	Stale() (bool, error)
	Reseal(ctx context.Context) (int, error)
	// Rewrite writes anew where the data lies, so that what removed and changed
	// records held is not there any more.
	Rewrite(ctx context.Context) error
}

// file is what can be done to a data file besides.
type file interface {
	Backup(ctx context.Context, w io.Writer) error
	Compact(ctx context.Context) (before, after int64, err error)
}

var (
	_ store = (*bolt.Store)(nil)
	_ store = (*postgres.Store)(nil)
)

// endpoint is the address of a database or a proxy, which may hold a password: as it is,
// where it holds none, or a reference to it as to any secret.
type endpoint struct{ secret }

// UnmarshalYAML reads the address, or the reference and what it names.
func (d *endpoint) UnmarshalYAML(n *yaml.Node) error {
	var text string
	if err := n.Decode(&text); err != nil {
		return err
	}
	if text == "none" {
		d.ref, d.value = text, bot.NewSecret(text)
		return nil
	}
	if !strings.Contains(text, "://") {
		err := d.secret.UnmarshalYAML(n)
		if d.err != nil && !errors.As(d.err, new(notThere)) {
			d.err = errors.New("it is neither an address nor a reference: write the whole address with its scheme, such as http://proxy.example.com:3128 or postgres://host/name; where it holds a password env:NAME, file:/path or credential:NAME")
		}
		return err
	}
	d.ref, d.value = "an address", bot.NewSecret(text)
	if u, err := url.Parse(text); err == nil && u.User != nil {
		if _, has := u.User.Password(); has {
			d.err = errors.New("a password does not stand in the configuration: write the whole address into a file or a variable, and here file:/path or env:NAME")
		}
	}
	return nil
}

// checkState finds what is wrong with where the state is.
func (c *config) checkState(f *faults) {
	switch {
	case c.Data == "" && !c.State.set():
		f.add("data: say where Keyturn keeps its state, for example data: /var/lib/keyturn/keyturn.db, or state: postgres://... where several replicas share it")
	case c.Data != "" && c.State.set():
		f.add("state: the state is in one place: name the file (data) or the database (state), not both")
	case c.State.err != nil:
		f.add("state: %v", c.State.err)
	case c.State.set():
		if err := postgres.Valid(c.State.value); err != nil {
			f.add("state: %v", err)
		}
	}
	switch l := time.Duration(c.Lease); {
	case l != 0 && !c.State.set():
		f.add("lease: only replicas have one: give it together with state, or leave it out")
	case l != 0 && (l < time.Second || l > time.Minute):
		f.add("lease: %s is out of range: write 1s to 1m, or leave it out for 12s", l)
	}
}

// keys opens what seals and signs.
func (c *config) keys() (state.Sealer, *state.Auditor, error) {
	sealer, err := state.OpenSealer(c.Key.value.Reveal())
	if err != nil {
		return nil, nil, err
	}
	auditor, err := state.OpenAuditor(c.Key.value.Reveal())
	return sealer, auditor, err
}

// openStore opens the state to run on it: the file, or the database as one of
// its replicas.
func (c *config) openStore(log *slog.Logger, now func() time.Time) (store, error) {
	sealer, auditor, err := c.keys()
	if err != nil {
		return nil, err
	}
	runs, incidents, audit := time.Duration(c.Keep.Runs), time.Duration(c.Keep.Incidents), time.Duration(c.Audit.Keep)
	if !c.State.set() {
		s, err := bolt.Open(bolt.Config{Path: c.Data, Sealer: sealer, Auditor: auditor, Log: log, Now: now, Keep: state.Keep{Runs: runs, Incidents: incidents, Audit: audit}})
		if err != nil {
			return nil, err // and no interface around a nil
		}
		return s, nil
	}
	s, err := postgres.Open(context.Background(), postgres.Config{URL: c.State.value, Sealer: sealer, Auditor: auditor, Log: log, Now: now, Term: time.Duration(c.Lease),
		Keep: state.Keep{Runs: runs, Incidents: incidents, Audit: audit}})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openState opens the state for a command: the file only where no bot runs, the
// database beside those that run.
func openState(c *config) (store, error) {
	if !c.State.set() {
		s, err := openFile(c)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	sealer, auditor, err := c.keys()
	if err != nil {
		return nil, err
	}
	s, err := postgres.Open(context.Background(), postgres.Config{URL: c.State.value, Sealer: sealer, Auditor: auditor, Aside: true})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openFile opens the data file itself.
func openFile(c *config) (*bolt.Store, error) {
	sealer, auditor, err := c.keys()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(c.Data); err != nil {
		return nil, fmt.Errorf("there is no state yet: %w", err)
	}
	return bolt.Open(bolt.Config{Path: c.Data, Sealer: sealer, Auditor: auditor})
}

// inFile refuses what is done to a file where there is none, and says what does
// it to a database.
func (c *config) inFile(instead string) error {
	if c.State.set() {
		return fmt.Errorf("the state is in a PostgreSQL database and not in a file: %s", instead)
	}
	return nil
}

// socketPath is the Unix socket beside the data file, for the commands that
// need live state.
func socketPath(data string) string { return data + ".sock" }

// socket opens it, where the state is a file; a database is open to the commands
// as it is.
func (p *process) socket() (shut func(), err error) {
	if p.conf.State.set() {
		return func() {}, nil
	}
	path := socketPath(p.conf.Data)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("an old socket %s cannot be removed: %w", path, err)
	}
	l, err := privately(path)
	if err != nil {
		return nil, fmt.Errorf("opening the socket %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("protecting the socket %s: %w", path, err)
	}
	go func() { _ = http.Serve(l, liveState(p)) }()
	return func() { l.Close() }, nil
}
