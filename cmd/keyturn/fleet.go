package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"keyturn/bot"
	"keyturn/sim/play"
	"keyturn/state/postgres"
)

// home is where a bot of the demo lives.
type home struct {
	listen string
	state  string // of the configuration: data, or state and lease
}

// sharing says how replicas share their state: a database's address for each of
// them, and how long one may say nothing. Nobody shares in the zero sharing.
type sharing struct {
	databases []bot.Secret
	lease     time.Duration // as usual where zero
}

// fleet is the demo's bot: one process, or several replicas with a front before
// them.
type fleet struct {
	bots  []*child
	front *front // nil before one bot
	next  int    // who is killed next
}

// startFleet starts a bot for each database, or one that has a file in the folder.
func startFleet(ctx context.Context, w *play.World, dir, level string, log io.Writer, share sharing) (*fleet, error) {
	dir = filepath.Join(dir, "bot")
	key, err := demoKey(filepath.Join(dir, "key"))
	if err != nil {
		return nil, err
	}
	f := &fleet{}
	if err := f.begin(ctx, w, dir, level, log, share, demoSecrets(w, key)); err != nil {
		f.stop()
		return nil, err
	}
	return f, nil
}

func (f *fleet) begin(ctx context.Context, w *play.World, dir, level string, log io.Writer, share sharing, env []string) error {
	if len(share.databases) == 0 {
		if err := f.add(ctx, w, dir, home{w.BotAddr, fmt.Sprintf("data: %q", filepath.Join(dir, "keyturn.db"))}, level, log, env); err != nil {
			return err
		}
		return w.Join()
	}
	at := home{w.BotAddr, "state: env:KEYTURN_STATE"}
	if share.lease > 0 {
		at.state += fmt.Sprintf("\nlease: %s", share.lease)
	}
	var urls []string
	for i, database := range share.databases {
		if len(share.databases) > 1 {
			var err error
			if at.listen, err = freeAddr(w.BotAddr); err != nil {
				return err
			}
		}
		if err := f.add(ctx, w, filepath.Join(dir, fmt.Sprint("replica-", i+1)), at, level, log, append(slices.Clone(env), "KEYTURN_STATE="+database.Reveal())); err != nil {
			return err
		}
		urls = append(urls, f.bots[i].url)
	}
	if len(urls) > 1 {
		var err error
		if f.front, err = openFront(w.BotAddr, urls, log); err != nil {
			return err
		}
	}
	return w.Join()
}

func (f *fleet) add(ctx context.Context, w *play.World, dir string, at home, level string, log io.Writer, env []string) error {
	c, err := newChild(w, dir, at, level, env, log)
	if err == nil {
		err = c.begin(ctx)
	}
	if err == nil {
		f.bots = append(f.bots, c)
	}
	return err
}

// freeAddr is a free port at the host of another address.
func freeAddr(beside string) (string, error) {
	host, _, err := net.SplitHostPort(beside)
	if err != nil {
		return "", err
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", fmt.Errorf("finding a port for a replica: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// processes names the fleet's processes.
func (f *fleet) processes() string {
	var list []string
	for _, c := range f.bots {
		list = append(list, fmt.Sprint(c.pid()))
	}
	if len(list) == 1 {
		return "process " + list[0]
	}
	return "processes " + strings.Join(list, " and ")
}

// killEvery kills a bot, each in its turn, after every so many calls. Where it is
// the only one, it waits until that is back.
func (f *fleet) killEvery(n int) func(context.Context) error {
	if len(f.bots) == 1 {
		return f.bots[0].killEvery(n)
	}
	left := n
	return func(context.Context) error {
		if left--; left > 0 {
			return nil
		}
		left, f.next = n, f.next+1
		return f.bots[f.next%len(f.bots)].kill()
	}
}

func (f *fleet) stop() {
	if f.front != nil {
		f.front.close()
	}
	for _, c := range f.bots {
		c.stop()
	}
}

// ownSchema is the address of a fresh schema in a database, and what drops it.
func ownSchema(database string) (at bot.Secret, drop func() error, err error) {
	if err := postgres.Valid(bot.NewSecret(database)); err != nil {
		return bot.Secret{}, nil, fmt.Errorf("--state: %w", err)
	}
	u, err := url.Parse(database)
	if err != nil {
		return bot.Secret{}, nil, errors.New("--state is no address: write it as postgres://user@host:5432/database")
	}
	schema := fmt.Sprintf("keyturn_demo_%016x", rand.Uint64())
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return bot.NewSecret(u.String()), func() error {
		return postgres.Drop(context.Background(), bot.NewSecret(database), schema)
	}, nil
}
