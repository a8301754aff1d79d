package main

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/state"
)

// everything is what a store shows of itself.
type everything struct {
	Reply     bot.Reply
	Runs      []setup.Run
	Objects   []bot.Object
	Incidents []incident.Known
	Subs      []incident.Subscription
	Watch     incident.Watch
	Bound     bot.TenantID
	Sent      []bot.Sent
	Secret    string
	Records   []engine.Record
	Jobs      []bot.Job
	Audit     []bot.AuditEntry
}

func shownBy(t *testing.T, s engine.Store, place bot.Place) (e everything) {
	t.Helper()
	err := s.Read(t.Context(), func(v engine.View) (err error) {
		var errs [12]error
		e.Reply, _, errs[0] = v.Reply("d")
		e.Runs, errs[1] = v.Runs("contoso")
		e.Objects, errs[2] = v.Objects("contoso")
		e.Incidents, errs[3] = v.Incidents("contoso", true)
		e.Subs, errs[4] = v.Subscriptions("contoso")
		e.Watch, errs[5] = v.Watch("contoso")
		e.Bound, _, errs[6] = v.Bound(place)
		e.Sent, errs[7] = v.SentUnder("")
		var secret bot.Secret
		secret, errs[8] = v.Secret("s")
		e.Secret = secret.Reveal()
		e.Records, errs[9] = v.Records("kind", "contoso")
		e.Jobs, errs[10] = v.Jobs("")
		e.Audit, errs[11] = v.Audit("contoso", allAudit)
		return errors.Join(errs[:]...)
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestACopiedStateShowsWhatTheFileShows(t *testing.T) {
	url := ownDatabase(t)
	old, err := state.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := state.AddKey(old)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keyturn.db")
	inFile := &config{Data: path, Key: secret{value: bot.NewSecret(old)}}
	file, err := inFile.openStore(nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	place := bot.Place{Platform: bot.Slack, Team: "T1", Channel: "C1"}
	err = file.Commit(t.Context(), func(engine.View) (engine.Changes, error) {
		return engine.Changes{
			Delivery: &engine.Delivery{Key: "d", At: now, Reply: bot.Private(bot.Say(bot.T("Done.")))},
			Runs:     []setup.Run{{ID: "run-1", Tenant: "contoso", State: setup.RunOpen, Started: now}, {ID: "run-2", Tenant: "contoso", State: "done", Started: now, Ended: now}},
			Objects:  []bot.Object{{Key: "graph/application/1", Run: "run-1", At: now}},
			Incidents: []incident.Known{{Tenant: "contoso", Seen: now, Issue: incident.Issue{ID: "EX1", Resolved: true, Modified: now}},
				{Tenant: "contoso", Seen: now, Issue: incident.Issue{ID: "EX2", Modified: now}}},
			Subscriptions: []incident.Subscription{{ID: "sub", Tenant: "contoso", Place: place, Made: now}},
			Watches:       []incident.Watch{{Tenant: "contoso", Good: now}},
			Bindings:      []engine.Binding{{Place: place, Tenant: "contoso"}},
			Sent:          []bot.Sent{{Key: "m", Digest: "1"}},
			Secrets:       []engine.Sealed{{Name: "s", Value: bot.NewSecret("word")}},
			Records:       []engine.Record{{Kind: "kind", Tenant: "contoso", Key: "k", Value: []byte(`1`), Until: now.Add(time.Hour)}},
			Jobs: []bot.Job{{Lane: "a", Kind: "x", Due: now, Made: now, Payload: []byte(`{"a":1}`), Collapse: "c"}, {Lane: "a", Kind: "y", Due: now.Add(time.Hour), Made: now},
				{Lane: "b", Kind: "z", Due: now.Add(time.Hour), Made: now, Collapse: "c2"}},
			Audit: []bot.AuditEntry{{Tenant: "contoso", Act: "approve", At: now}, {Tenant: "contoso", Act: "call", At: now}},
		}, nil
	})
	want := shownBy(t, file, place)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	// The key was rotated since: what is copied is sealed with the newest.
	conf := &config{State: endpoint{secret{ref: "env:X", value: url}}, Key: secret{value: bot.NewSecret(rotated)}}
	var out bytes.Buffer
	if err := copyState(&console{ctx: t.Context(), out: &out}, conf, path); err != nil {
		t.Fatal(err)
	}
	s, err := conf.openStore(nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if diff := cmp.Diff(want, shownBy(t, s, place)); diff != "" {
		t.Errorf("the database shows something else (-file +database):\n%s", diff)
	}
	jobs, err := s.Claim(context.Background(), now, 10)
	if err != nil || len(jobs) != 1 || !jobs[0].Begun {
		t.Errorf("the jobs that are due are %+v, %v: nobody knows whether they were begun", jobs, err)
	}
	if err := s.Commit(t.Context(), func(engine.View) (engine.Changes, error) {
		return engine.Changes{Jobs: []bot.Job{{Lane: "a", Kind: "later"}}, Audit: []bot.AuditEntry{{Tenant: "contoso", Act: "later"}}}, nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if got := shownBy(t, s, place); len(got.Jobs) != 4 || got.Jobs[3].Kind != "later" || got.Audit[2].Seq != 3 {
		t.Errorf("it does not go on behind what was copied: %+v", got.Jobs)
	}
}
