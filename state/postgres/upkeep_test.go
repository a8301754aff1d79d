package postgres

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
	"keyturn/state"
	"keyturn/state/statetest"
)

func trailOf(t *testing.T, s *Store, tenant bot.TenantID) (list []bot.AuditEntry) {
	t.Helper()
	err := s.Read(t.Context(), func(v engine.View) (err error) {
		list, err = v.Audit(tenant, 1<<30)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestTheOldestEntriesOfATrailGoAndLeaveACheckpoint(t *testing.T) {
	c := config(t)
	now := statetest.Start
	c.Now = func() time.Time { return now }
	c.Keep = state.Keep{Audit: 10 * 24 * time.Hour}
	s := open(t, c)
	for i := range 40 { // one a day
		err := commit(s, engine.Changes{Audit: []bot.AuditEntry{
			{Tenant: "contoso", At: now, Act: "call", Note: fmt.Sprint(i)}, {Tenant: "contoso2", At: now, Act: "call"}}})
		if err == nil {
			err = s.prune(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, tenant := range []bot.TenantID{"contoso", "contoso2"} {
			list := trailOf(t, s, tenant)
			if err := c.Auditor.Verify(list, state.HeadOf(list[len(list)-1])); err != nil {
				t.Fatalf("day %d, %s: %v", i, tenant, err)
			}
			if n := len(list); n > 13 || list[n-1].Seq != uint64(i+1) {
				t.Fatalf("day %d, %s: %d entries, the last is %d", i, tenant, n, list[n-1].Seq)
			}
		}
		now = now.Add(24 * time.Hour)
	}
	if list := trailOf(t, s, "contoso"); list[0].Act != bot.AuditCheckpoint || list[1].Seq != list[0].Seq+1 {
		t.Errorf("the trail begins with %+v, %+v", list[0], list[1])
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	// Silence for years leaves the newest entry, so that the chain goes on.
	now = now.Add(5000 * 24 * time.Hour)
	if err := s.prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list := trailOf(t, s, "contoso"); len(list) != 2 || list[1].Seq != 40 {
		t.Errorf("after years there are %d entries", len(list))
	}
}

// full has one of everything.
func full(t *testing.T, s *Store) {
	t.Helper()
	err := commit(s, engine.Changes{
		Delivery: &engine.Delivery{Key: "d"},
		Runs:     []setup.Run{{ID: "run-1", Tenant: "contoso", State: setup.RunOpen}},
		Secrets:  []engine.Sealed{{Name: "s", Value: bot.NewSecret("word")}},
		Jobs:     []bot.Job{{Lane: "a", Kind: "x", Due: statetest.Start, Payload: []byte(`{"a":1}`)}},
		Audit:    []bot.AuditEntry{{Tenant: "contoso", Act: "approve"}, {Tenant: "contoso", Act: "call"}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestACheckFindsWhatWasChanged(t *testing.T) {
	for sql, finding := range map[string]string{
		"UPDATE %s.runs SET tenant = 'fabrikam'":            "run",
		"UPDATE %s.runs SET value = 'x'":                    "cannot be read",
		"UPDATE %s.secrets SET name = 't'":                  "does not open",
		"UPDATE %s.jobs SET lane = 'b'":                     "job",
		"UPDATE %s.jobs SET due = due + interval '1 hour'":  "job",
		"DELETE FROM %s.audit WHERE seq = 1":                "not what Keyturn wrote",
		"DELETE FROM %s.audit WHERE seq = 2":                "the last entries are missing",
		"DELETE FROM %s.audit_heads":                        "the head of contoso is missing",
		"UPDATE %s.audit SET value = value || ' ' :: bytea": "not what Keyturn wrote",
	} {
		t.Run(sql, func(t *testing.T) {
			c := config(t)
			s := open(t, c)
			full(t, s)
			if err := s.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			query(t, database(t), fmt.Sprintf(sql, c.Schema))
			if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), finding) || !strings.Contains(err.Error(), "go back to a backup") {
				t.Errorf("the check says %v", err)
			}
		})
	}
}

func TestANewKeySealsEverythingOnceNobodyRunsWithTheOld(t *testing.T) {
	c := config(t)
	c.Term = 500 * time.Millisecond
	s := open(t, c)
	full(t, s)
	if stale, err := s.Stale(); stale || err != nil {
		t.Errorf("stale: %v, %v", stale, err)
	}
	fresh, rotated := c, must(state.AddKey(testKey))
	fresh.Sealer, fresh.Auditor = must(state.OpenSealer(rotated)), must(state.OpenAuditor(rotated))
	if _, err := Open(t.Context(), fresh); err == nil || !strings.Contains(err.Error(), "stop every replica") {
		t.Errorf("beside one with the old key: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	next := open(t, fresh)
	if stale, err := next.Stale(); !stale || err != nil {
		t.Errorf("stale: %v, %v", stale, err)
	}
	if n, err := next.Reseal(t.Context()); n != 2 || err != nil {
		t.Errorf("%d values were sealed, %v", n, err)
	}
	if stale, err := next.Stale(); stale || err != nil {
		t.Errorf("stale: %v, %v", stale, err)
	}
	if err := next.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := Open(t.Context(), c); !errors.Is(err, state.ErrSealed) {
		t.Errorf("with the old key alone: %v", err)
	}
}

func TestADeadReplicasKeyIsWaitedFor(t *testing.T) {
	c := config(t)
	c.Term = 500 * time.Millisecond
	s := open(t, c)
	s.cancel() // no more beats, no word that it is gone
	s.errands.Wait()
	c.Sealer, c.Auditor = must(state.OpenSealer(must(state.AddKey(testKey)))), must(state.OpenAuditor(must(state.AddKey(testKey))))
	open(t, c)
}

func TestACommandOpensWhatIsThereAndChangesNothing(t *testing.T) {
	c := config(t)
	aside := c
	aside.Aside = true
	if _, err := Open(t.Context(), aside); err == nil || !strings.Contains(err.Error(), "there is no state yet") {
		t.Errorf("where there is nothing: %v", err)
	}
	s := open(t, c)
	full(t, s)
	command := open(t, aside)
	if err := command.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.alive(t.Context()); err != nil || s.Replicas() != 1 {
		t.Errorf("there are %d replicas, %v", s.Replicas(), err)
	}
	query(t, database(t), "UPDATE "+c.Schema+".meta SET value = '1' WHERE name = 'layout'")
	if _, err := Open(t.Context(), aside); err == nil || !strings.Contains(err.Error(), "an older Keyturn set it up") {
		t.Errorf("an older schema: %v", err)
	}
}

func TestTheAddressMayNameTheSchema(t *testing.T) {
	c := config(t)
	between := "?"
	if strings.Contains(c.URL.Reveal(), "?") {
		between = "&"
	}
	c.URL = bot.NewSecret(c.URL.Reveal() + between + "search_path=" + c.Schema)
	want := c.Schema
	c.Schema = ""
	if s := open(t, c); s.schema != want {
		t.Errorf("the schema is %s", s.schema)
	}
}
