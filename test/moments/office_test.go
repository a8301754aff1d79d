package moments

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/commands"
	"keyturn/state"
	"keyturn/state/bolt"
)

var monday = time.Date(2026, 11, 23, 9, 42, 0, 0, time.UTC)

func on(id string) []bot.Account {
	return []bot.Account{{Platform: bot.Slack, Team: "T0CONTOSO", ID: "U0" + id}}
}

// contoso is an organisation in which everybody signs in as themself.
func contoso() *bot.Tenant {
	return &bot.Tenant{
		ID: "contoso", Name: "Contoso", Instance: "contoso.service-now.com", Directory: "7c3e0f52-1d0b-4a63-9f0e-5a2f1c9b7d10", FourEyes: true,
		Teams: []bot.Workspace{{Platform: bot.Slack, ID: "T0CONTOSO"}}, Owners: []bot.PersonID{"olga"},
		Modes: map[bot.System]bot.Mode{bot.Graph: bot.Delegated, bot.ServiceNow: bot.Delegated},
		People: []bot.Person{
			{ID: "rita", Name: "Rita Okafor", Accounts: on("RITA")},
			{ID: "erin", Name: "Erin Vogel", Accounts: on("ERIN"), Admin: map[bot.System]string{bot.Graph: "erin.admin@contoso.com"}},
			{ID: "emil", Name: "Emil Sato", Accounts: on("EMIL"), Admin: map[bot.System]string{bot.Graph: "emil.admin@contoso.com"}},
			{ID: "priya", Name: "Priya Nair", Accounts: on("PRIYA"), Admin: map[bot.System]string{bot.Graph: "priya.admin@contoso.com"}},
			{ID: "sam", Name: "Sam Duarte", Accounts: on("SAM"), Admin: map[bot.System]string{bot.ServiceNow: "sam.duarte"}},
			{ID: "olga", Name: "Olga Brandt", Accounts: on("OLGA")},
		},
		Holders: map[bot.Role][]bot.PersonID{bot.Requester: {"rita"}, bot.EntraAdmin: {"erin", "emil"}, bot.PrivilegedRoleAdmin: {"priya"}, bot.ServiceNowAdmin: {"sam"}},
	}
}

var ops = bot.Place{Platform: bot.Slack, Team: "T0CONTOSO", Channel: "C0ITOPS"}

// office is Keyturn with a store of its own. What it says stays in the store:
// nothing is sent.
type office struct {
	t      *testing.T
	tenant *bot.Tenant
	guide  *setup.Guide
	run    setup.Run
	now    time.Time
	env    *engine.Env
	engine *engine.Engine
	store  *bolt.Store
	asked  int
}

func base(_ bot.TenantID, s bot.System) string {
	return map[bot.System]string{bot.Graph: "https://graph.microsoft.com/v1.0", bot.ServiceNow: "https://contoso.service-now.com"}[s]
}

func gate(_ bot.TenantID, s bot.System) string {
	return map[bot.System]string{bot.Graph: "https://login.microsoftonline.com", bot.ServiceNow: "https://contoso.service-now.com"}[s]
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, tenant: contoso(), now: monday.Add(time.Hour)}
	o.guide, _ = setup.GuideFor(setup.Direct)
	o.run = setup.New(o.guide, setup.Start{ID: "run-4k7q2m", Tenant: o.tenant, Instance: o.tenant.Instance, Requester: "rita", Change: "CHG0031337", Place: ops,
		Holders: map[bot.Role][]bot.PersonID{bot.EntraAdmin: {"erin", "emil"}, bot.PrivilegedRoleAdmin: {"priya"}, bot.ServiceNowAdmin: {"sam"}},
		Options: map[string]string{setup.OptionChannel: "C0INCIDENTS"}, At: monday})
	key, err := state.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := state.OpenSealer(key)
	if err != nil {
		t.Fatal(err)
	}
	auditor, err := state.OpenAuditor(key)
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return o.now }
	if o.store, err = bolt.Open(bolt.Config{Path: filepath.Join(t.TempDir(), "keyturn.db"), Sealer: sealer, Auditor: auditor, Now: clock, NoSync: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.store.Close() })
	o.env = &engine.Env{Tenants: []*bot.Tenant{o.tenant}, Base: base, Gate: gate, Guide: setup.GuideFor, Public: "https://keyturn.contoso.com"}
	o.engine = engine.New(engine.Config{Env: o.env, Store: o.store, Decide: commands.New("/keyturn").Decide, Now: clock,
		ID: func() string { o.asked++; return fmt.Sprintf("id-%d", o.asked) }, Pace: engine.NoLimits{}})
	return o
}

// step brings a step of the run into a state, with what it carries there.
func (o *office) step(id setup.StepID, s setup.StepState, with func(*setup.Step)) *office {
	o.t.Helper()
	st := o.run.Step(id)
	if st == nil {
		o.t.Fatalf("the guide has no step %s", id)
	}
	st.State, st.Since = s, monday
	spec, _ := o.guide.Step(id)
	for _, p := range o.run.HoldersOf(spec.Role) {
		if !slices.ContainsFunc(o.run.Visits[p], func(v setup.Visit) bool { return slices.Contains(v.Steps, id) }) {
			o.run.PutOnCard(p, id, monday)
		}
	}
	if s == setup.Done || s == setup.Confirmed {
		st.At = monday.Add(20 * time.Minute)
	}
	if with != nil {
		with(st)
	}
	return o
}

func (o *office) scene() setup.Scene {
	return setup.Scene{Guide: o.guide, Run: &o.run, Tenant: o.tenant, Platform: bot.Slack, Team: "T0CONTOSO", Public: "https://keyturn.contoso.com",
		Base: func(s bot.System) string { return base("", s) }, Gate: func(s bot.System) string { return gate("", s) }, Now: o.now}
}

// spec is a step of the guide, with how it stands.
func (o *office) spec(id setup.StepID) (*setup.Spec, *setup.Step) {
	spec, _ := o.guide.Step(id)
	return spec, o.run.Step(id)
}

// kept puts the run and some issues into the store, as if all had come about.
func (o *office) kept(issues ...incident.Known) *office {
	o.t.Helper()
	for i := range issues {
		issues[i].Tenant = o.tenant.ID
	}
	err := o.store.Commit(o.t.Context(), func(engine.View) (engine.Changes, error) {
		return engine.Changes{Runs: []setup.Run{o.run}, Incidents: issues, Watches: []incident.Watch{{Tenant: o.tenant.ID, Seeded: true, Good: o.now.Add(-2 * time.Minute)}}}, nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return o
}

// asks has a person type something or press something, and gives the answer.
func (o *office) asks(r bot.Request) bot.Message {
	o.t.Helper()
	o.asked++
	r.Key, r.At, r.Inline = fmt.Sprint("request-", o.asked), o.now, true
	if r.Place == (bot.Place{}) {
		r.Place = ops
	}
	reply, err := o.engine.Handle(o.t.Context(), r)
	if err != nil {
		o.t.Fatal(err)
	}
	if reply.Message != nil {
		return *reply.Message
	}
	if reply.Form != nil {
		return onPaper(*reply.Form)
	}
	return o.said()
}

// onPaper is a form as its reader goes through it: what it says, what it asks and
// why. How each platform draws the fields is held elsewhere.
func onPaper(f bot.Form) bot.Message {
	m := bot.Message{Parts: append([]bot.Part{bot.Heading{Text: f.Title}}, f.Intro...)}
	for _, in := range f.Inputs {
		line := bot.B(in.Label)
		if in.Optional {
			line = bot.Join(line, bot.T(" (optional)"))
		}
		var choices []string
		for _, c := range in.Options {
			choices = append(choices, c.Label)
		}
		if len(choices) > 0 {
			line = bot.Join(line, bot.T(": "+strings.Join(choices, " · ")))
		}
		if in.Hint != "" {
			line = bot.Join(line, bot.T("\n"+in.Hint))
		}
		m.Add(bot.Paragraph{Text: line})
	}
	m.Add(bot.Note{Text: bot.T("To send it: " + f.Submit)})
	return m
}

// said is the newest message that waits to be sent.
func (o *office) said() bot.Message {
	o.t.Helper()
	return o.saidTo(func(engine.Deliver) bool { return true })
}

// saidTo is the newest that waits to be sent to such a place.
func (o *office) saidTo(to func(engine.Deliver) bool) bot.Message {
	o.t.Helper()
	var newest bot.Message
	err := o.store.Read(o.t.Context(), func(v engine.View) error {
		jobs, err := v.Jobs("")
		for _, j := range jobs {
			var d engine.Deliver
			if j.Kind == "deliver" && json.Unmarshal(j.Payload, &d) == nil && d.Draw.Message != nil && to(d) {
				newest = *d.Draw.Message
			}
		}
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	if newest.Empty() {
		o.t.Fatal("nothing is said")
	}
	return newest
}

// page is the bot's own page for somebody.
func (o *office) page(who string) (m bot.Message) {
	o.t.Helper()
	err := o.store.Read(o.t.Context(), func(v engine.View) (err error) {
		m, err = engine.NewDraft(v, o.env, "page", o.now).Page(o.tenant, on(who)[0])
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return m
}

func typed(who, text string) bot.Request {
	return bot.Request{Kind: bot.Typed, From: on(who)[0], Text: text}
}

func clicked(who, action, value string) bot.Request {
	return bot.Request{Kind: bot.Clicked, From: on(who)[0], Action: action, Value: value}
}
