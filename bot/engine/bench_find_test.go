package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/recommend"
)

// manyTexts gives the tenant incidents and message center posts to search.
func (w *world) manyTexts(t testing.TB, issues, news int) {
	t.Helper()
	var list []incident.Known
	about := []string{"delays in the delivery of mail", "calls that drop after a minute", "search results that are old", "files that stay in sync pending", "a board that does not load",
		"enrollment that fails", "flows that do not start", "reports that do not refresh", "passwords that are refused", "captions that are missing"}
	for i := range issues {
		list = append(list, incident.Known{Tenant: "contoso", First: w.clock.Now(), Seen: w.clock.Now(), Issue: incident.Issue{ID: fmt.Sprintf("EX%06d", i), Service: "Exchange Online", Classification: "advisory",
			Status: "investigating", Title: fmt.Sprintf("Users of ring %d see %s", i, about[i%len(about)]), Impact: "Users may see " + about[i%len(about)] + ", in the web client and on phones, for longer than some minutes.",
			Start: w.clock.Now(), Modified: w.clock.Now(), Posts: []incident.Post{{Created: w.clock.Now(), Content: "We look at traces of the transport service to find out which change began it. Next update by noon."}}}})
	}
	err := engine.Named(w.store, w.env).Commit(context.Background(), func(v engine.View) (engine.Changes, error) {
		c := engine.Changes{Incidents: list}
		for i := range news {
			id := fmt.Sprintf("MC%06d", i)
			engine.Kind[incident.KnownMessage]{Name: "message"}.Put(&c, "contoso", id, incident.KnownMessage{Tenant: "contoso", Post: incident.Announcement{ID: id, Title: "A new look of the calendar",
				Services: []string{"Microsoft Teams"}, Modified: w.clock.Now(), Body: "<p>The calendar in Microsoft Teams gets a new look. You may turn it off for some months.</p>"}})
		}
		return c, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) find(t testing.TB, said, except string) (a recommend.Answer) {
	t.Helper()
	err := w.store.Read(context.Background(), func(v engine.View) (err error) {
		a, err = engine.NewDraft(v, w.env, "find", w.clock.Now()).Find("contoso", recommend.Parse(said), except)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// What was counted once is used until something changes, and never longer: a
// change, a vote and the passing of time are seen by the next question.
func TestWhatIsFoundIsAlwaysWhatIsKnownNow(t *testing.T) {
	for name, alias := range map[string]func(string) string{"the store says what has changed": aliased, "it does not say": nil} {
		t.Run(name, func(t *testing.T) { foundIsKnown(t, alias) })
	}
}

func foundIsKnown(t *testing.T, alias func(string) string) {
	w := newWorld(t)
	w.env.Alias = alias
	w.manyTexts(t, 40, 2)
	first := w.find(t, "mail is delivered late", "")
	if len(first.Hits) != 3 {
		t.Fatalf("%d hits", len(first.Hits))
	}
	if alias != nil {
		if err := w.store.Read(t.Context(), func(v engine.View) error {
			_, err := engine.NewDraft(unread{v}, w.env, "find", w.clock.Now()).Find("contoso", recommend.Parse("calls drop"), "")
			return err
		}); err != nil {
			t.Error(err)
		}
	}
	best := first.Hits[0].Doc.ID
	if got := w.find(t, "mail is delivered late", best); got.Hits[0].Doc.ID == best {
		t.Error("what the question is about was found for it")
	}
	w.commit("vote", func(d *engine.Draft) error { return d.Vote("contoso", "EX000030", true) })
	if got := w.find(t, "mail is delivered late", ""); got.Hits[0].Doc.ID != "EX000030" {
		t.Errorf("a vote does not count: %s", got.Hits[0].Doc.ID)
	}
	w.commit("change", func(d *engine.Draft) error {
		k, err := d.Incident("contoso", "EX000007")
		k.Issue.Title, k.Issue.Modified = "Printers in the attic do not print", d.Now.Add(time.Second)
		d.Out.Incidents = append(d.Out.Incidents, k)
		return err
	})
	if got := w.find(t, "printers do not print", ""); len(got.Hits) == 0 || got.Hits[0].Doc.ID != "EX000007" {
		t.Errorf("a change is not seen: %+v", got.Hits)
	}
	if got := w.find(t, "the new calendar of teams", ""); len(got.Hits) == 0 {
		t.Error("a post is not found")
	}
	here := w.env
	w.env = &engine.Env{Tenants: here.Tenants, Guide: here.Guide, Alias: alias} // another replica's
	w.commit("another's change", func(d *engine.Draft) error {
		k, err := d.Incident("contoso", "EX000008")
		k.Issue.Title, k.Issue.Modified = "Projectors hum in the basement", d.Now.Add(time.Second)
		d.Out.Incidents = append(d.Out.Incidents, k)
		return err
	})
	w.env = here
	if got := w.find(t, "projectors hum", ""); len(got.Hits) == 0 || got.Hits[0].Doc.ID != "EX000008" {
		t.Errorf("what another replica read is not seen: %+v", got.Hits)
	}
	w.clock.pass(200 * 24 * time.Hour)
	if got := w.find(t, "the new calendar of teams", ""); len(got.Hits) != 0 {
		t.Errorf("a post of last year is found: %s", got.Hits[0].Doc.ID)
	}
}

// unread is a view of which nobody may read all incidents.
type unread struct{ engine.View }

func (unread) Incidents(bot.TenantID, bool) ([]incident.Known, error) {
	return nil, errors.New("a second question reads every incident again")
}

// BenchmarkFind is what a question costs on the way of a click, where nothing
// was published since the last and where something was.
func BenchmarkFind(b *testing.B) {
	for _, changed := range []bool{false, true} {
		b.Run(fmt.Sprintf("changed=%v", changed), func(b *testing.B) {
			w := newWorld(b)
			w.env.Alias = aliased
			w.manyTexts(b, 400, 60)
			w.find(b, "mail is delivered late", "")
			for b.Loop() {
				if changed {
					b.StopTimer()
					w.env.Forget("contoso")
					b.StartTimer()
				}
				w.find(b, "mail is delivered late", "")
			}
		})
	}
}
