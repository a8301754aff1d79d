package statetest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/state"
)

var records = map[string]func(*testing.T, *bench){
	"answers to deliveries are kept 72 hours":            deliveries,
	"an answer comes back as it was":                     replies,
	"a clock that steps backwards forgets no delivery":   clockBack,
	"runs come by ID and by tenant, oldest first":        runs,
	"a run stays with its tenant":                        runMoves,
	"objects belong to the tenant of their run":          objects,
	"incidents come latest change first":                 incidents,
	"subscriptions and watches":                          subscriptions,
	"a channel speaks for one tenant, and so its thread": bindings,
	"the ledger": ledger,
	"secrets":    secrets,
	"the longest names are kept, longer ones refused": longest,
	"records of a kind": keeping,
	"no secret on disk": canaries,
}

func deliveries(t *testing.T, b *bench) {
	put := func(key string) {
		b.commit(engine.Changes{Delivery: &engine.Delivery{Key: key, At: b.clock, Reply: bot.Private(bot.Say(bot.T(key)))}})
	}
	known := func(key string) (ok bool) {
		b.read(func(v engine.View) (err error) { _, ok, err = v.Reply(key); return err })
		return ok
	}
	put("first")
	b.clock = Start.Add(71*time.Hour + 59*time.Minute)
	put("later")
	same(t, "known after 71:59", true, known("first"))
	b.clock = Start.Add(72 * time.Hour)
	same(t, "known after 72:00", false, known("first"))
	same(t, "the later one", true, known("later"))

	put("first")
	b.reopen()
	b.clock = Start.Add(100 * time.Hour)
	put("other")
	same(t, "a key that was used anew is kept from then on", true, known("first"))
	if !known("later") || !known("other") {
		t.Error("a delivery was forgotten too early")
	}
}

func replies(t *testing.T, b *bench) {
	want := bot.Reply{
		Message: &bot.Message{Key: "k", Aloud: true, Parts: []bot.Part{
			bot.Heading{Text: "Approved"}, bot.Paragraph{Text: bot.When(Start, bot.Clock)}, bot.Divider{},
			bot.Buttons{Items: []bot.Button{{Label: "Undo", Action: "undo", Value: "r1"}}},
		}},
		InPlace: true, Redraw: true,
		Form: &bot.Form{Action: "fix", Title: "Correct it", Intro: []bot.Part{bot.Note{Text: bot.T("why")}},
			Inputs: []bot.Input{{Name: "host", Kind: bot.Line}}},
		Errors: map[string]string{"host": "is not a host name"},
	}
	b.commit(engine.Changes{Delivery: &engine.Delivery{Key: "d", Reply: want, At: b.clock}})
	b.reopen()
	b.read(func(v engine.View) error {
		got, ok, err := v.Reply("d")
		same(t, "known", true, ok)
		same(t, "the reply", want, got)
		return err
	})
}

func clockBack(t *testing.T, b *bench) {
	b.commit(engine.Changes{Delivery: &engine.Delivery{Key: "d", At: b.clock}})
	b.clock = Start.Add(-200 * time.Hour)
	b.commit(engine.Changes{Delivery: &engine.Delivery{Key: "past", At: b.clock}})
	b.read(func(v engine.View) error {
		_, ok, err := v.Reply("d")
		_, ok2, err2 := v.Reply("past")
		same(t, "both are known", []bool{true, true}, []bool{ok, ok2})
		return errors.Join(err, err2)
	})
}

func runs(t *testing.T, b *bench) {
	mk := func(id string, tenant bot.TenantID, hours int) setup.Run {
		return setup.Run{ID: id, Tenant: tenant, Guide: setup.Direct, State: setup.RunOpen,
			Started: Start.Add(time.Duration(hours) * time.Hour), Place: bot.Place{Platform: bot.Slack, Team: "T", Channel: "C"},
			Holders: map[bot.Role][]bot.PersonID{bot.EntraAdmin: {"p1"}},
			Facts:   map[string]setup.Fact{"client_id": {Value: "42", Step: "p1", At: Start}},
			Steps:   []setup.Step{{ID: "p1", State: setup.Open, Plan: &setup.Plan{Digest: "d", Calls: []bot.Call{{ID: "c", Body: []byte(`{"a":"b"}`)}}}}},
		}
	}
	late, early, other := mk("a", "contoso", 2), mk("b", "contoso", 1), mk("c", "contoso2", 0)
	b.commit(engine.Changes{Runs: []setup.Run{late, early, other}})
	late.Version = 7
	b.commit(engine.Changes{Runs: []setup.Run{late}})
	b.reopen()
	b.read(func(v engine.View) error {
		list, err := v.Runs("contoso")
		same(t, "the tenant's runs", []setup.Run{early, late}, list)
		one, err2 := v.Run("c")
		same(t, "the run", other, one)
		_, err3 := v.Run("none")
		ids, none, err4 := v.Kept("contoso")
		same(t, "their IDs", []string{"a", "b"}, ids)
		same(t, "incidents of a tenant without any", 0, len(none))
		return errors.Join(err, err2, missing(err3), err4)
	})
}

func runMoves(t *testing.T, b *bench) {
	b.commit(engine.Changes{Runs: []setup.Run{{ID: "a", Tenant: "contoso"}}})
	if err := b.try(engine.Changes{Runs: []setup.Run{{ID: "a", Tenant: "fabrikam"}}}); !errors.Is(err, state.ErrInvalid) {
		t.Errorf("a run moved to another tenant: %v", err)
	}
}

func objects(t *testing.T, b *bench) {
	app := bot.Object{Key: "graph/application/1", System: bot.Graph, ID: "1", Run: "r1", At: Start.Add(time.Hour)}
	row := bot.Object{Key: "servicenow/oauth_entity/2", System: bot.ServiceNow, ID: "2", Run: "r1", At: Start}
	foreign := bot.Object{Key: app.Key, ID: "1", Run: "r2", At: Start}
	b.commit(engine.Changes{
		Runs:    []setup.Run{{ID: "r1", Tenant: "contoso"}, {ID: "r2", Tenant: "fabrikam"}},
		Objects: []bot.Object{app, row, foreign},
	})
	app.Removed = Start.Add(2 * time.Hour)
	b.commit(engine.Changes{Objects: []bot.Object{app}})
	b.read(func(v engine.View) error {
		list, err := v.Objects("contoso")
		same(t, "contoso's objects", []bot.Object{row, app}, list)
		list, err2 := v.Objects("fabrikam")
		same(t, "fabrikam's objects", []bot.Object{foreign}, list)
		return errors.Join(err, err2)
	})
	b.commit(engine.Changes{Unlisted: []bot.Object{app, {Key: "never/there", Run: "r1"}, {Key: row.Key, Run: "unknown"}}})
	b.reopen()
	b.read(func(v engine.View) error {
		list, err := v.Objects("contoso")
		same(t, "after one was taken out", []bot.Object{row}, list)
		list, err2 := v.Objects("fabrikam")
		same(t, "fabrikam's like-named one", []bot.Object{foreign}, list)
		return errors.Join(err, err2)
	})
}

func incidents(t *testing.T, b *bench) {
	mk := func(id string, tenant bot.TenantID, hours int, resolved bool) incident.Known {
		return incident.Known{Tenant: tenant, First: Start, Seen: Start.Add(time.Duration(hours) * time.Hour),
			Issue: incident.Issue{ID: id, Resolved: resolved, Modified: Start.Add(time.Duration(hours) * time.Hour)}}
	}
	ids := func(list []incident.Known) (out []string) {
		for _, k := range list {
			out = append(out, k.Issue.ID)
		}
		return out
	}
	look := func(all bool, want ...string) {
		t.Helper()
		b.read(func(v engine.View) error {
			list, err := v.Incidents("contoso", all)
			same(t, fmt.Sprintf("incidents, all: %v", all), want, ids(list))
			return err
		})
	}
	b.commit(engine.Changes{Incidents: []incident.Known{
		mk("EX1", "contoso", 1, false), mk("EX2", "contoso", 3, true), mk("EX3", "contoso", 2, false), mk("EX1", "fabrikam", 9, false)}})
	look(false, "EX3", "EX1")
	look(true, "EX2", "EX3", "EX1")

	b.commit(engine.Changes{Incidents: []incident.Known{mk("EX3", "contoso", 4, true)}}) // resolved
	look(false, "EX1")
	b.commit(engine.Changes{Incidents: []incident.Known{mk("EX2", "contoso", 5, false)}}) // re-opened
	b.reopen()
	look(false, "EX2", "EX1")
	look(true, "EX2", "EX3", "EX1")
	b.read(func(v engine.View) error {
		k, err := v.Incident("contoso", "EX3")
		same(t, "a resolved one by ID", mk("EX3", "contoso", 4, true), k)
		_, err2 := v.Incident("fabrikam", "EX3")
		_, kept, err3 := v.Kept("contoso")
		same(t, "the IDs of all", []string{"EX1", "EX2", "EX3"}, kept)
		return errors.Join(err, missing(err2), err3)
	})
}

func subscriptions(t *testing.T, b *bench) {
	sub := func(id string, hours int) incident.Subscription {
		return incident.Subscription{ID: id, Tenant: "contoso", Made: Start.Add(time.Duration(hours) * time.Hour), Services: []string{"Exchange Online"}}
	}
	b.commit(engine.Changes{
		Subscriptions: []incident.Subscription{sub("s1", 2), sub("s2", 1), sub("s3", 3)},
		Watches:       []incident.Watch{{Tenant: "contoso", Seeded: true, Good: Start}},
	})
	b.commit(engine.Changes{Unsubscribed: []incident.Subscription{sub("s1", 2)}})
	b.reopen()
	b.read(func(v engine.View) error {
		list, err := v.Subscriptions("contoso")
		same(t, "subscriptions", []incident.Subscription{sub("s2", 1), sub("s3", 3)}, list)
		one, ok, err4 := v.Subscribed("contoso", "s3")
		same(t, "one of them", sub("s3", 3), one)
		_, gone, err5 := v.Subscribed("contoso", "s1")
		_, foreign, err6 := v.Subscribed("fabrikam", "s3")
		same(t, "which there are", []bool{true, false, false}, []bool{ok, gone, foreign})
		w, err2 := v.Watch("contoso")
		same(t, "the watch", incident.Watch{Tenant: "contoso", Seeded: true, Good: Start}, w)
		none, err3 := v.Watch("fabrikam")
		same(t, "no watch", incident.Watch{}, none)
		return errors.Join(err, err2, err3, err4, err5, err6)
	})
}

func bindings(t *testing.T, b *bench) {
	channel := bot.Place{Platform: bot.Teams, Team: "t:1", Channel: "19:abc@thread.tacv2"}
	bound := func(p bot.Place) (tenant bot.TenantID) {
		b.read(func(v engine.View) (err error) { tenant, _, err = v.Bound(p); return err })
		return tenant
	}
	b.commit(engine.Changes{Bindings: []engine.Binding{{Place: channel, Tenant: "contoso"}}})
	same(t, "the channel", bot.TenantID("contoso"), bound(channel))
	same(t, "its thread", bot.TenantID("contoso"), bound(channel.In("1.2")))
	same(t, "the like-named channel elsewhere", bot.TenantID(""), bound(bot.Place{Platform: bot.Teams, Team: "t", Channel: "1:19:abc@thread.tacv2"}))
	b.commit(engine.Changes{Bindings: []engine.Binding{{Place: channel}}})
	same(t, "after it was forgotten", bot.TenantID(""), bound(channel))
}

func secrets(t *testing.T, b *bench) {
	b.commit(engine.Changes{Secrets: []engine.Sealed{{Name: "r1/client_secret", Value: bot.NewSecret("s3cr3t")}, {Name: "r1/token", Value: bot.NewSecret("t")}}})
	b.commit(engine.Changes{Forget: []string{"r1/token"}})
	b.reopen()
	b.read(func(v engine.View) error {
		s, err := v.Secret("r1/client_secret")
		same(t, "the secret", "s3cr3t", s.Reveal())
		_, err2 := v.Secret("r1/token")
		return errors.Join(err, missing(err2))
	})
}

// note is what the suite keeps as records.
type note struct{ Text string }

func keeping(t *testing.T, b *bench) {
	notes, others := engine.Kind[note]{Name: "note"}, engine.Kind[note]{Name: "note2"}
	put := func(f func(c *engine.Changes)) {
		var c engine.Changes
		f(&c)
		b.commit(c)
	}
	all := func(k engine.Kind[note], tenant bot.TenantID) (list []note) {
		b.read(func(v engine.View) (err error) { list, err = k.All(v, tenant); return err })
		return list
	}
	put(func(c *engine.Changes) {
		notes.Put(c, "contoso", "b", note{"second"})
		notes.Put(c, "contoso", "a", note{"first"})
		notes.Put(c, "contoso-2", "a", note{"of another tenant"})
		others.Put(c, "contoso", "a", note{"of another kind"})
		notes.PutUntil(c, "contoso", "c", note{"for an hour"}, b.clock.Add(time.Hour))
		notes.Put(c, "contoso", "d", note{"put and"})
		notes.Drop(c, "contoso", "d")
		notes.Drop(c, "contoso", "never there")
	})
	b.reopen()
	same(t, "the records of a tenant, by key", []note{{"first"}, {"second"}, {"for an hour"}}, all(notes, "contoso"))
	same(t, "those of another kind", []note{{"of another kind"}}, all(others, "contoso"))
	b.clock = b.clock.Add(time.Hour)
	same(t, "after an hour", []note{{"first"}, {"second"}}, all(notes, "contoso"))
	put(func(c *engine.Changes) { notes.Drop(c, "contoso", "a") })
	b.read(func(v engine.View) error {
		_, ok, err := notes.Get(v, "contoso", "c")
		same(t, "one whose time is over", false, ok)
		_, ok, err2 := notes.Get(v, "contoso", "a")
		same(t, "one that was removed", false, ok)
		got, _, err3 := notes.Get(v, "contoso-2", "a")
		same(t, "the other tenant's", note{"of another tenant"}, got)
		return errors.Join(err, err2, err3)
	})
	put(func(c *engine.Changes) {
		notes.PutUntil(c, "contoso", "e", note{"kept longer"}, b.clock.Add(time.Hour))
	})
	put(func(c *engine.Changes) { notes.Put(c, "contoso", "e", note{"kept longer"}) })
	b.clock = b.clock.Add(100 * time.Hour)
	put(func(c *engine.Changes) { notes.Put(c, "contoso", "f", note{"and another"}) })
	same(t, "what was put anew without an end", []note{{"second"}, {"kept longer"}, {"and another"}}, all(notes, "contoso"))
}

// longest has names of the greatest length of everything that has one, of bytes
// that nothing can compress, and then of one byte more.
func longest(t *testing.T, b *bench) {
	random := rand.NewChaCha8([32]byte{1})
	name := func(n int) string {
		w := make([]byte, n)
		_, _ = random.Read(w) // never fails
		for i := range w {
			w[i] = max(1, w[i])
		}
		return string(w)
	}
	n, tenant := state.MaxKey, bot.TenantID(name(state.MaxTenant))
	named := func(n int) map[string]engine.Changes {
		place := bot.Place{Platform: bot.Platform(name(8)), Team: name(100), Channel: name(n - 208), User: name(100)}
		run := setup.Run{ID: name(n), Tenant: tenant, State: setup.RunOpen}
		return map[string]engine.Changes{
			"delivery":     {Delivery: &engine.Delivery{Key: name(n), At: b.clock}},
			"run":          {Runs: []setup.Run{run}},
			"object":       {Runs: []setup.Run{run}, Objects: []bot.Object{{Key: name(n), Run: run.ID}}},
			"incident":     {Incidents: []incident.Known{{Tenant: tenant, Issue: incident.Issue{ID: name(n)}}}},
			"resolved":     {Incidents: []incident.Known{{Tenant: tenant, Seen: b.clock, Issue: incident.Issue{ID: name(n), Resolved: true}}}},
			"subscription": {Subscriptions: []incident.Subscription{{Tenant: tenant, ID: name(n)}}},
			"watch":        {Watches: []incident.Watch{{Tenant: bot.TenantID(name(n - state.MaxKey + state.MaxTenant))}}},
			"binding":      {Bindings: []engine.Binding{{Place: place, Tenant: "contoso"}}},
			"ledger entry": {Sent: []bot.Sent{{Key: name(n)}}},
			"secret":       {Secrets: []engine.Sealed{{Name: name(n), Value: bot.NewSecret("word")}}},
			"record":       {Records: []engine.Record{{Kind: name(100), Tenant: tenant, Key: name(n - 100), Value: []byte("1"), Until: b.clock.Add(time.Hour)}}},
			"audit entry":  {Audit: []bot.AuditEntry{{Tenant: bot.TenantID(name(n - state.MaxKey + state.MaxTenant)), Act: "approve"}}},
			"job":          {Jobs: []bot.Job{{Lane: name(n), Kind: "x", Due: b.clock}}},
			"job's name":   {Jobs: []bot.Job{{Lane: "l", Collapse: name(n), Kind: "x", Due: b.clock}}},
		}
	}
	for what, c := range named(n) {
		if err := b.try(c); err != nil {
			t.Errorf("%s: a name of the greatest length is refused: %v", what, err)
		}
	}
	for what, c := range named(n + 1) {
		if err := b.try(c); !errors.Is(err, state.ErrInvalid) || !strings.Contains(err.Error(), "the most that can be stored") {
			t.Errorf("%s: a name that is too long: %v", what, err)
		}
	}
}

func canaries(t *testing.T, b *bench) {
	const canary = "canary-6f1e0d52a9c84b3b-in-a-coal-mine"
	b.commit(engine.Changes{
		Secrets: []engine.Sealed{{Name: "s", Value: bot.NewSecret(canary)}},
		Jobs: []bot.Job{
			{Lane: "l", Kind: "reply", Due: b.clock, Payload: []byte(`{"url":"` + canary + `"}`)},
			{Lane: "m", Kind: "reply", Due: b.clock, Payload: []byte(`{"url":"` + canary + `"}`)}},
	})
	j := b.claim(1)[0]
	j.Tries, j.Payload = 1, []byte(`{"again":"`+canary+`"}`)
	b.commit(engine.Changes{Again: []bot.Job{j}, Forget: []string{"s"}, Done: []bot.JobID{b.claim(2)[0].ID}})
	disk := b.subject.Disk(t, b.store)
	if !bytes.Contains(disk, []byte("reply")) {
		t.Fatal("these are not the bytes on disk: the job's kind is not among them")
	}
	for name, form := range map[string]string{
		"in clear": canary, "in hexadecimal": hex.EncodeToString([]byte(canary)),
		"in base64": base64.StdEncoding.EncodeToString([]byte(canary))[:40],
	} {
		if bytes.Contains(disk, []byte(form)) {
			t.Errorf("a secret is on disk %s", name)
		}
	}
}
