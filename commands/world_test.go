package commands_test

import (
	"encoding/json"
	"errors"
	"flag"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/bottest"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/commands"
	"keyturn/state"
	"keyturn/state/bolt"
)

var (
	update  = flag.Bool("update", false, "write the golden files anew")
	start   = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	channel = bot.Place{Platform: bot.Slack, Team: "T1", Channel: "C1"}
	keyset  = sync.OnceValues(state.NewKey)
)

func account(id string) bot.Account { return bot.Account{Platform: bot.Slack, Team: "T1", ID: id} }

// world is a store with a tenant and a run in it, and the table.
type world struct {
	t      *testing.T
	store  *bolt.Store
	env    *engine.Env
	tenant *bot.Tenant
	table  *commands.Table
	now    time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	person := func(id, name string) bot.Person {
		return bot.Person{ID: bot.PersonID(id), Name: name, Accounts: []bot.Account{account("U" + id)}}
	}
	w := &world{t: t, table: commands.New("/keyturn"), now: start}
	w.tenant = &bot.Tenant{ID: "contoso", Name: "Contoso", Teams: []bot.Workspace{{Platform: bot.Slack, ID: "T1"}}, Owners: []bot.PersonID{"olga"},
		People:  []bot.Person{person("rita", "Rita"), person("ada", "Ada"), person("amir", "Amir"), person("sam", "Sam"), person("kim", "Kim"), person("olga", "Olga")},
		Holders: map[bot.Role][]bot.PersonID{bot.Requester: {"rita"}, bot.EntraAdmin: {"ada"}, bot.ServiceNowAdmin: {"sam"}}}
	guide := matrixGuide()
	w.env = &engine.Env{Tenants: []*bot.Tenant{w.tenant}, Base: func(bot.TenantID, bot.System) string { return "https://graph.example.com" },
		Guide: func(id setup.GuideID) (*setup.Guide, bool) {
			g := *guide
			g.ID = id
			return &g, id == setup.Direct || id == setup.Cleanup
		}, Pace: time.Second, PaceAfterClick: time.Second, PollEvery: time.Minute, CheckEvery: time.Minute}
	key, err := keyset()
	must(t, err)
	sealer, err := state.OpenSealer(key)
	must(t, err)
	auditor, err := state.OpenAuditor(key)
	must(t, err)
	w.store, err = bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "keyturn.db"), Sealer: sealer, Auditor: auditor, Now: func() time.Time { return w.now }, NoSync: true})
	must(t, err)
	t.Cleanup(func() { w.store.Close() })
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// matrixGuide has a step of the Entra admins for every state that a button
// can find a step in.
func matrixGuide() *setup.Guide {
	call := []bot.Call{{ID: "c", System: bot.Graph, Method: "POST", Path: "/x", What: "Makes it"}}
	api := &setup.API{
		Plan: func(setup.Context, setup.Reading) (setup.Proposal, *setup.Problem) {
			return setup.Proposal{Calls: call}, nil
		},
		Verify: func(setup.Context) []bot.Call { return nil },
		Prove:  func(setup.Context, setup.Reading) setup.Finding { return setup.Finding{} },
		Back:   func(setup.Context) []bot.Call { return call },
	}
	entra := func(id setup.StepID) setup.Spec {
		return setup.Spec{ID: id, Title: "Step " + string(id), Role: bot.EntraAdmin, API: api}
	}
	open := entra("open")
	open.API, open.Guided = nil, &setup.Guided{}
	return &setup.Guide{ID: setup.Direct, Title: "The sample", What: "Tries everything.", Steps: []setup.Spec{
		open, entra("planned"), entra("failed"), entra("done"), entra("gone"),
		{ID: "mine", Title: "The requester's", Role: bot.Requester, Guided: &setup.Guided{}},
	}}
}

// begin puts the run r1 into the store, with its steps in their states, and an
// incident.
func (w *world) begin() {
	w.t.Helper()
	issue, err := incident.Parse(incident.Samples()[0])
	must(w.t, err)
	issue.ID = "EX1"
	w.commit(func(d *engine.Draft) error {
		g, _ := w.env.Guide(setup.Direct)
		r := setup.New(g, setup.Start{ID: "r1", Tenant: w.tenant, Requester: "rita", Place: channel, At: d.Now,
			Holders: map[bot.Role][]bot.PersonID{bot.EntraAdmin: {"ada", "amir"}}})
		for i := range r.Steps {
			s := &r.Steps[i]
			s.Since = d.Now
			if s.ID == "mine" || s.ID == "open" {
				s.State = setup.Open
				continue
			}
			calls := []bot.Call{{ID: "c", System: bot.Graph, Method: "POST", Path: "/x", What: "Makes it"}}
			s.Plan = &setup.Plan{Calls: calls, Digest: setup.Digest(calls)}
			s.State = map[setup.StepID]setup.StepState{"planned": setup.Planned, "failed": setup.Failed, "done": setup.Done}[s.ID]
			if s.ID == "done" {
				s.Approval, s.By, s.At = &setup.Approval{Person: "ada", At: d.Now}, "ada", d.Now
			}
		}
		r.Gone("gone", "It was shut down.", d.Now)
		d.Out.Incidents = append(d.Out.Incidents, incident.Known{Tenant: "contoso", Issue: issue, First: d.Now, Seen: d.Now})
		return d.PutRun(nil, &r)
	})
}

func (w *world) commit(decide func(d *engine.Draft) error) {
	w.t.Helper()
	must(w.t, w.store.Commit(w.t.Context(), func(v engine.View) (engine.Changes, error) {
		d := engine.NewDraft(v, w.env, "test", w.now)
		err := decide(d)
		return d.Out, err
	}))
}

var errTried = errors.New("only tried")

// try decides a request and throws the decision away.
func (w *world) try(r bot.Request) (bot.Reply, engine.Changes) {
	w.t.Helper()
	var reply bot.Reply
	var out engine.Changes
	err := w.store.Commit(w.t.Context(), func(v engine.View) (engine.Changes, error) {
		d := engine.NewDraft(v, w.env, "try", w.now)
		var err error
		if reply, err = w.table.Decide(d, r); err != nil {
			return engine.Changes{}, err
		}
		out = d.Out
		return engine.Changes{}, errTried
	})
	if !errors.Is(err, errTried) {
		w.t.Fatalf("%s %q %q: %v", r.Kind, r.Text, r.Action, err)
	}
	return reply, out
}

// do decides a request and keeps the decision.
func (w *world) do(r bot.Request) bot.Reply {
	w.t.Helper()
	var reply bot.Reply
	w.commit(func(d *engine.Draft) (err error) {
		reply, err = w.table.Decide(d, r)
		return err
	})
	return reply
}

func typed(who, text string) bot.Request {
	return bot.Request{Key: "k", Kind: bot.Typed, From: account("U" + who), Place: channel, Text: text, Inline: true}
}

func clicked(who, action, value string) bot.Request {
	return bot.Request{Key: "k", Kind: bot.Clicked, From: account("U" + who), Place: channel, Action: action, Value: value, Inline: true}
}

func submitted(who, action, value string, input map[string][]string) bot.Request {
	r := clicked(who, action, value)
	r.Kind, r.Input = bot.Submitted, input
	return r
}

func words(r bot.Reply) string {
	if r.Message == nil {
		return ""
	}
	return r.Message.Words()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	bottest.Golden(t, filepath.Join("testdata", name), got, *update, "go test -update")
}

// delivery reads what a job sends.
func delivery(j bot.Job) (p engine.Deliver, ok bool) {
	return p, j.Kind == "deliver" && json.Unmarshal(j.Payload, &p) == nil
}
