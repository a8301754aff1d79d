package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/state"
	"keyturn/state/statetest"
)

// keys of all tests.
var testKey = must(state.NewKey())

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// database is where the tests may make schemas.
func database(t testing.TB) string {
	t.Helper()
	url := os.Getenv("KEYTURN_TEST_POSTGRES")
	if url == "" {
		t.Skip("KEYTURN_TEST_POSTGRES names no database: set it to a postgres:// address where schemas may be made")
	}
	return url
}

// config is of a schema of the test's own, dropped after it. No claim runs out
// by itself.
func config(t testing.TB) Config {
	t.Helper()
	url := database(t)
	schema := fmt.Sprintf("keyturn_test_%016x", rand.Uint64())
	t.Cleanup(func() {
		query(t, url, "DROP SCHEMA IF EXISTS "+schema+" CASCADE")
	})
	return Config{
		URL: bot.NewSecret(url), Schema: schema, Sealer: must(state.OpenSealer(testKey)), Auditor: must(state.OpenAuditor(testKey)),
		Now: func() time.Time { return statetest.Start }, Term: time.Hour, Connections: 4,
	}
}

// query runs a statement outside of any store and gives all that it says.
func query(t testing.TB, url, sql string) (out []byte) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if b, ok := v.([]byte); ok {
				out = append(append(out, b...), '\n')
			} else {
				out = fmt.Appendln(out, v)
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return out
}

func open(t testing.TB, c Config) *Store {
	t.Helper()
	s, err := Open(context.Background(), c)
	if err != nil {
		t.Fatalf("the store does not open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("the store does not close: %v", err)
		}
	})
	return s
}

func commit(s *Store, c engine.Changes) error {
	return s.Commit(context.Background(), func(engine.View) (engine.Changes, error) { return c, nil })
}

// lapse ends the term of every claim of this replica.
func lapse(t *testing.T, s *Store) {
	t.Helper()
	if _, err := s.pool.Exec(context.Background(), "UPDATE jobs SET held_until = clock_timestamp() - interval '1 second' WHERE owner = $1", s.id); err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) {
	database(t)
	configs := make(map[string]Config)
	again := func(t *testing.T, s engine.Store, now func() time.Time) engine.Store {
		c := configs[s.(*Store).schema]
		c.Now = now
		return open(t, c)
	}
	statetest.Exercise(t, statetest.Subject{
		Open: func(t *testing.T, now func() time.Time) engine.Store {
			c := config(t)
			c.Now = now
			configs[c.Schema] = c
			return open(t, c)
		},
		Reopen: func(t *testing.T, s engine.Store, now func() time.Time) engine.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return again(t, s, now)
		},
		Disk: func(t *testing.T, s engine.Store) (disk []byte) {
			schema, url := s.(*Store).schema, database(t)
			for _, table := range strings.Fields(string(query(t, url, "SELECT tablename::text FROM pg_tables WHERE schemaname = '"+schema+"'"))) {
				disk = append(disk, query(t, url, "SELECT * FROM "+schema+"."+table)...)
			}
			return disk
		},
		Auditor: must(state.OpenAuditor(testKey)),
		Replica: again,
		Lapse:   func(t *testing.T, s engine.Store) { lapse(t, s.(*Store)) },
	})
}

func TestWhatCannotBeOpenedIsRefusedWithTheReason(t *testing.T) {
	c := config(t)
	s := open(t, c)
	if err := commit(s, engine.Changes{Audit: []bot.AuditEntry{{Tenant: "contoso", Act: "approve"}}}); err != nil {
		t.Fatal(err)
	}
	foreign, other := c, must(state.NewKey())
	foreign.Sealer, foreign.Auditor = must(state.OpenSealer(other)), must(state.OpenAuditor(other))
	if _, err := Open(t.Context(), foreign); !errors.Is(err, state.ErrSealed) {
		t.Errorf("with another key: %v", err)
	}
	query(t, database(t), "UPDATE "+c.Schema+".meta SET value = '99' WHERE name = 'layout'")
	open(t, c) // a newer replica added something: the older ones go on
	query(t, database(t), "UPDATE "+c.Schema+".meta SET value = '99' WHERE name = 'schema'")
	if _, err := Open(t.Context(), c); !errors.Is(err, state.ErrNewer) {
		t.Errorf("data of a newer form: %v", err)
	}
	c.Schema = `x"; DROP SCHEMA public`
	if _, err := Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "name of a schema") {
		t.Errorf("a schema that is none: %v", err)
	}
}

func TestNoErrorRepeatsThePassword(t *testing.T) {
	c := Config{Sealer: must(state.OpenSealer(testKey)), Auditor: must(state.OpenAuditor(testKey))}
	for _, url := range []string{"postgres://u:hunter2@127.0.0.1:1/x?sslmode=disable", "postgres://u:hunter2@127.0.0.1:port/x", "hunter2"} {
		c.URL = bot.NewSecret(url)
		if _, err := Open(t.Context(), c); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v", err)
		}
	}
}

func TestReplicasThatStartTogetherMakeOneSchema(t *testing.T) {
	c := config(t)
	stores := make(chan *Store, 5)
	errs := make(chan error, 5)
	for range 5 {
		go func() {
			s, err := Open(context.Background(), c)
			errs <- err
			stores <- s
		}()
	}
	for range 5 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
		if s := <-stores; s != nil {
			s.Close()
		}
	}
}

func TestALostConnectionRefusesAndTheStoreLivesOn(t *testing.T) {
	c := config(t)
	s := open(t, c)
	err := s.Commit(t.Context(), func(v engine.View) (engine.Changes, error) {
		_, err := v.(*view).tx.Exec(context.Background(), "SELECT pg_terminate_backend(pg_backend_pid())")
		if err == nil {
			t.Error("the connection lives")
		}
		return engine.Changes{Sent: []bot.Sent{{Key: "lost"}}}, nil
	})
	if !errors.Is(err, bot.ErrNoCommit) {
		t.Errorf("the commit says %v", err)
	}
	if err := commit(s, engine.Changes{Sent: []bot.Sent{{Key: "kept"}}}); err != nil {
		t.Errorf("the next commit says %v", err)
	}
	if got := query(t, database(t), "SELECT key FROM "+c.Schema+".sent"); string(got) != "kept\n" {
		t.Errorf("the ledger has %q", got)
	}
}

// Whoever asks the server and gets no answer has decided nothing, and has read
// nothing: neither is told as something that may have happened.
func TestAConnectionLostInTheMiddleIsToldAsThat(t *testing.T) {
	s := open(t, config(t))
	if err := commit(s, engine.Changes{Sent: []bot.Sent{{Key: "kept"}}}); err != nil {
		t.Fatal(err)
	}
	for name, ask := range map[string]func(v engine.View) error{
		"one value":  func(v engine.View) error { _, _, err := v.Sent("kept"); return err },
		"a list":     func(v engine.View) error { _, err := v.SentUnder(""); return err },
		"jobs":       func(v engine.View) error { _, err := v.Jobs(""); return err },
		"one by one": func(v engine.View) error { return v.EachSent("", func(bot.Sent) error { return nil }) },
		"names":      func(v engine.View) error { _, _, err := v.Kept("contoso"); return err },
		"the trail":  func(v engine.View) error { _, err := v.Audit("contoso", 1); return err },
		"a watch":    func(v engine.View) error { _, err := v.Watch("contoso"); return err },
		"in passing": func(v engine.View) error { _, _ = v.Jobs(""); return errors.New("a decision of its own") },
	} {
		cut := func(v engine.View) error {
			_, err := v.(*view).tx.Exec(context.Background(), "SELECT pg_terminate_backend(pg_backend_pid())")
			if err == nil {
				t.Error("the connection lives")
			}
			return ask(v)
		}
		if err := s.Read(t.Context(), cut); !errors.Is(err, bot.ErrNoRead) {
			t.Errorf("%s: a reading says %v", name, err)
		}
		err := s.Commit(t.Context(), func(v engine.View) (engine.Changes, error) { return engine.Changes{}, cut(v) })
		if !errors.Is(err, bot.ErrNoCommit) {
			t.Errorf("%s: a commit says %v", name, err)
		}
	}
	stale := errors.New("decided meanwhile")
	if err := s.Commit(t.Context(), func(engine.View) (engine.Changes, error) { return engine.Changes{}, stale }); !errors.Is(err, stale) || errors.Is(err, bot.ErrNoCommit) {
		t.Errorf("a decision that says no is told as %v", err)
	}
	if err := s.Read(t.Context(), func(v engine.View) error { _, err := v.Run("none"); return err }); !errors.Is(err, bot.ErrNotFound) || errors.Is(err, bot.ErrNoRead) {
		t.Errorf("what is not there is told as %v", err)
	}
}

func TestAReplicaThatStandsStillInACommitLosesTheLock(t *testing.T) {
	c := config(t)
	c.Term = 3 * time.Second
	still, other := open(t, c), open(t, c)
	err := still.Commit(t.Context(), func(engine.View) (engine.Changes, error) {
		if err := commit(other, engine.Changes{Sent: []bot.Sent{{Key: "other"}}}); err != nil {
			t.Errorf("the other says %v", err)
		}
		return engine.Changes{Sent: []bot.Sent{{Key: "still"}}}, nil
	})
	if !errors.Is(err, bot.ErrNoCommit) {
		t.Errorf("the one that stood still says %v", err)
	}
	if got := query(t, database(t), "SELECT key FROM "+c.Schema+".sent"); string(got) != "other\n" {
		t.Errorf("the ledger has %q", got)
	}
}

func TestTheDefaultsOfTheServerDoNotMatter(t *testing.T) {
	c := config(t)
	u := must(url.Parse(c.URL.Reveal()))
	q := u.Query()
	q.Set("default_transaction_isolation", "repeatable read")
	q.Set("synchronous_commit", "off")
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	c.URL = bot.NewSecret(u.String())
	s := open(t, c)
	for param, want := range map[string]string{"transaction_isolation": "read committed", "synchronous_commit": "on"} {
		var is string
		if err := s.pool.QueryRow(t.Context(), "SHOW "+param).Scan(&is); err != nil || is != want {
			t.Errorf("%s is %q, %v", param, is, err)
		}
	}
}

func TestWhatIsOverIsCleared(t *testing.T) {
	c := config(t)
	now := statetest.Start
	c.Now = func() time.Time { return now }
	s := open(t, c)
	ended := setup.Run{ID: "ended", Tenant: "contoso", State: "done", Ended: now}
	bare := setup.Run{ID: "bare", Tenant: "contoso", State: "done", Ended: now}
	object := bot.Object{Key: "graph/application/1", Run: "ended"}
	changes := engine.Changes{
		Delivery:  &engine.Delivery{Key: "d", At: now},
		Runs:      []setup.Run{ended, bare, {ID: "open", Tenant: "contoso", State: setup.RunOpen}},
		Objects:   []bot.Object{object},
		Incidents: []incident.Known{{Tenant: "contoso", Seen: now, Issue: incident.Issue{ID: "EX1", Resolved: true}}, {Tenant: "contoso", Seen: now, Issue: incident.Issue{ID: "EX2"}}},
	}
	engine.Kind[int]{Name: "n"}.PutUntil(&changes, "contoso", "short", 1, now.Add(time.Hour))
	engine.Kind[int]{Name: "n"}.Put(&changes, "contoso", "long", 2)
	if err := commit(s, changes); err != nil {
		t.Fatal(err)
	}
	left := func() string {
		var out []byte
		for _, sql := range []string{"SELECT key FROM %s.deliveries", "SELECT id FROM %s.runs ORDER BY id", "SELECT id FROM %s.incidents ORDER BY id", "SELECT key FROM %s.records ORDER BY key"} {
			out = append(out, query(t, database(t), fmt.Sprintf(sql, c.Schema))...)
		}
		return string(bytes.ReplaceAll(bytes.TrimSpace(out), []byte("\n"), []byte(" ")))
	}
	prune := func(want string) {
		t.Helper()
		if err := s.prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := left(); got != want {
			t.Errorf("left is %q, expected %q", got, want)
		}
	}
	prune("d bare ended open EX1 EX2 long short")
	now = statetest.Start.Add(state.KeepRuns + time.Second)
	prune("ended open EX2 long")
	err := s.Read(t.Context(), func(v engine.View) error {
		runs, err := v.Runs("contoso")
		if len(runs) != 1 {
			t.Errorf("%d runs", len(runs))
		}
		_, err2 := v.Run("ended")
		if !errors.Is(err2, bot.ErrNotFound) {
			t.Errorf("the run that is forgotten: %v", err2)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := commit(s, engine.Changes{Unlisted: []bot.Object{object}}); err != nil {
		t.Fatal(err)
	}
	prune("open EX2 long")
}
