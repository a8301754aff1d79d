package engine_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
	"keyturn/state"
)

const day = 24 * time.Hour

// size is what the store holds at one time, and how large that makes it.
type size struct {
	ledger, incidents, runs, jobs int
	file, audit                   int64 // bytes
}

func (w *world) size() (s size) {
	w.t.Helper()
	w.read(func(v engine.View) error {
		sent, err := v.SentUnder("")
		s.ledger = len(sent)
		known, _ := v.Incidents("contoso", true)
		s.incidents = len(known)
		runs, _ := v.Runs("contoso")
		s.runs = len(runs)
		trail, _ := v.Audit("contoso", 1<<30)
		for _, e := range trail {
			s.audit += int64(len(asJSON(e)))
		}
		jobs, _ := v.Jobs("")
		s.jobs = len(jobs)
		return err
	})
	info, err := os.Stat(w.path)
	if err != nil {
		w.t.Fatal(err)
	}
	s.file = info.Size()
	if err := w.store.Check(w.t.Context()); err != nil {
		w.t.Error(err)
	}
	return s
}

// aDay is what a busy tenant's day brings: incidents that begin and end, people
// who click, a job that is given up, and now and then a finished run.
func (w *world) aDay(n int) {
	w.t.Helper()
	var begun, over []json.RawMessage
	for i := range 3 {
		begun = append(begun, w.issue(n, i, false))
		over = append(over, w.issue(n, i, true))
	}
	w.health.set(nil, begun...)
	w.pass(8 * time.Hour)
	w.health.set(nil, over...)
	for i := range 5 {
		w.click(fmt.Sprintf("day%d.%d", n, i), "URITA", setup.ActMine, "")
	}
	w.commit(fmt.Sprintf("day%d", n), func(d *engine.Draft) error {
		d.Out.Jobs = append(d.Out.Jobs, bot.Job{Lane: "lost", Kind: "of a newer Keyturn", Due: d.Now})
		if n%7 > 0 {
			return nil
		}
		g, _ := w.env.Guide(setup.Direct)
		r := setup.New(g, setup.Start{ID: fmt.Sprint("week", n), Tenant: w.tenant, Requester: "rita", Place: channel, At: d.Now,
			Holders: map[bot.Role][]bot.PersonID{bot.EntraAdmin: {"ada", "amir"}}})
		r.State, r.Ended = setup.RunDone, d.Now
		d.Out.Objects = append(d.Out.Objects, bot.Object{Key: fmt.Sprint("graph/application/", n), Run: r.ID, At: d.Now, Removed: d.Now})
		return d.PutRun(nil, &r)
	})
	w.pass(16 * time.Hour)
}

// issue is one of the day's, in Graph's shape.
func (w *world) issue(n, i int, resolved bool) json.RawMessage {
	w.t.Helper()
	var m map[string]any
	if err := json.Unmarshal(story(w.t, 0, 0), &m); err != nil {
		w.t.Fatal(err)
	}
	at := w.clock.Now()
	m["id"], m["isResolved"], m["lastModifiedDateTime"] = fmt.Sprintf("EX%d", 100000+10*n+i), resolved, at.Format(time.RFC3339)
	if resolved {
		m["status"], m["endDateTime"] = "serviceRestored", at.Format(time.RFC3339)
	}
	b, err := json.Marshal(m)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func TestTheStoreDoesNotGrowWithTime(t *testing.T) {
	if testing.Short() {
		t.Skip("plays months")
	}
	days := 240
	if os.Getenv("KEYTURN_LONG") != "" {
		days = 3 * 365
	}
	w := newWorld(t)
	w.store.Close()
	w.keep, w.env.PollEvery = state.Keep{Runs: 60 * day, Incidents: 45 * day}, 4*time.Hour
	w.open()
	w.health.set(nil)
	if err := w.engine.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.subscribed()
	var then size
	for n := range days {
		w.aDay(n)
		w.chat.messages = nil // the channel's own memory is not ours
		if n == 120 {
			then = w.size()
		}
	}
	now := w.size()
	t.Logf("after 120 days %+v", then)
	t.Logf("after %d days %+v", days, now)
	for what, n := range map[string][2]int64{
		"ledger entries": {int64(then.ledger), int64(now.ledger)}, "incidents": {int64(then.incidents), int64(now.incidents)},
		"runs": {int64(then.runs), int64(now.runs)}, "jobs": {int64(then.jobs), int64(now.jobs)},
		"bytes of the file but for the audit trail": {then.file - then.audit, now.file - now.audit},
	} {
		if n[0] == 0 {
			t.Errorf("there were no %s: this test tests nothing", what)
		}
		if n[1] > n[0]+n[0]/10 {
			t.Errorf("%s: %d after 120 days, %d after %d", what, n[0], n[1], days)
		}
	}
}
