package setup_test

import (
	"encoding/json"
	"flag"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/bottest"
	"keyturn/bot/setup"
)

var update = flag.Bool("update", false, "write the golden files anew")

var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// The people of the sample: Rita asks, Ada and Amir are Entra admins, Sam is
// ServiceNow's, Priya consents.
var people = []bot.Person{
	{ID: "rita", Name: "Rita", Accounts: []bot.Account{{Platform: bot.Slack, Team: "T1", ID: "URITA"}}},
	{ID: "ada", Name: "Ada", Accounts: []bot.Account{{Platform: bot.Slack, Team: "T1", ID: "UADA"}}},
	{ID: "amir", Name: "Amir", Accounts: []bot.Account{{Platform: bot.Slack, Team: "T1", ID: "UAMIR"}}},
	{ID: "sam", Name: "Sam", Accounts: []bot.Account{{Platform: bot.Slack, Team: "T1", ID: "USAM"}}},
	{ID: "priya", Name: "Priya"}, // no chat account here
	{ID: "olga", Name: "Olga", Accounts: []bot.Account{{Platform: bot.Slack, Team: "T1", ID: "UOLGA"}}},
}

func sampleTenant() *bot.Tenant {
	return &bot.Tenant{
		ID: "contoso", Name: "Contoso", Instance: "contoso.service-now.com", People: people, Owners: []bot.PersonID{"olga"},
		Holders: map[bot.Role][]bot.PersonID{bot.EntraAdmin: {"ada", "amir"}, bot.ServiceNowAdmin: {"sam"}, bot.PrivilegedRoleAdmin: {"priya"}},
		Groups:  map[bot.Role]map[bot.Platform]string{bot.EntraAdmin: {bot.Slack: "SENTRA"}},
	}
}

// sampleCalls is what the sample's step "make" does: a read, and two writes
// with facts and a secret in them.
func sampleCalls() []bot.Call {
	return []bot.Call{
		{ID: "exists", System: bot.Graph, Method: "GET", Path: "/applications?$filter=x", What: "Looks for the application"},
		{ID: "app", System: bot.Graph, Method: "POST", Path: "/applications", Header: map[string]string{"Prefer": "return=representation"},
			Body: json.RawMessage(`{"displayName":"Keyturn's reader","tags":["a"]}`), What: "Makes the application", Save: map[string]string{"app.id": "id"}},
		{ID: "key", System: bot.ServiceNow, Method: "PATCH", Path: "/api/now/table/oauth_entity/{app.id}", Body: json.RawMessage(`{"client_secret":"{{app.secret}}"}`), What: "Stores its secret"},
	}
}

// sampleGuide has a step of every sort: the word alone, run by API with a way
// back, asked and checked, by itself, waiting for an act elsewhere, and one
// that does not apply.
func sampleGuide() *setup.Guide {
	proved := func(setup.Context, setup.Reading) setup.Finding {
		return setup.Finding{Proof: []string{"read back: it is there"}}
	}
	reads := func(setup.Context) []bot.Call { return sampleCalls()[:1] }
	return &setup.Guide{ID: setup.Direct, Revision: 3, Title: "The sample", What: "Tries everything.", Warning: "This is a sample.", Steps: []setup.Spec{
		{ID: "agree", Title: "Agree to begin", Role: bot.Requester, What: "Says what will be made.", Minutes: 1, Guided: &setup.Guided{Word: "Begin"}},
		{ID: "make", Title: "Make the application", Role: bot.EntraAdmin, Needs: []setup.StepID{"agree"}, What: "Makes an application.",
			Trap: "The name has to be free.", Undo: "The application can be deleted.", IfWaits: "Nothing else goes on.", Minutes: 5, FourEyes: true,
			API: &setup.API{Read: reads, Verify: reads, Prove: proved, Back: func(setup.Context) []bot.Call {
				return []bot.Call{{ID: "delete", System: bot.Graph, Method: "DELETE", Path: "/applications/{app.id}", What: "Deletes the application"}}
			}, Plan: func(setup.Context, setup.Reading) (setup.Proposal, *setup.Problem) {
				return setup.Proposal{Calls: sampleCalls(), Exists: []string{"No application of that name exists."}}, nil
			}}},
		{ID: "find", Title: "Look around", Role: bot.ServiceNowAdmin, Needs: []setup.StepID{"agree"}, What: "Reads the instance.", NoSkip: true,
			API: &setup.API{Verify: reads, Prove: proved, Auto: true}},
		{ID: "type", Title: "Type it in", Role: bot.ServiceNowAdmin, Needs: []setup.StepID{"find"}, What: "A person types what the page shows.", Minutes: 3,
			Guided: &setup.Guided{
				Link: func(setup.Context) (string, string) { return "Open the page", "https://contoso.service-now.com/setup" },
				Do:   func(setup.Context) []bot.Text { return []bot.Text{bot.T("Open the page."), bot.T("Read the ID.")} },
				Copy: func(c setup.Context) []bot.Copy {
					return []bot.Copy{{Label: "Application ID", Value: c.Fact("app.id")}}
				},
				Leave: "Do NOT press Next yet.",
				Ask:   func(setup.Context) []bot.Input { return []bot.Input{{Name: "id", Label: "ID", Kind: bot.Line}} },
			}},
		{ID: "consent", Title: "Consent", Role: bot.PrivilegedRoleAdmin, Needs: []setup.StepID{"make"}, What: "Waits for consent.", NoSkip: true,
			API:    &setup.API{Verify: reads, Prove: proved, Poll: true},
			Guided: &setup.Guided{Link: func(setup.Context) (string, string) { return "Consent", "https://login.example.com/consent" }}},
		{ID: "never", Title: "Only without an instance", Role: bot.Requester, Needs: []setup.StepID{"make"}, When: func(c setup.Context) bool { return !c.WithServiceNow() },
			Guided: &setup.Guided{}},
		{ID: "end", Title: "Say that it works", Role: bot.Requester, Needs: []setup.StepID{"type", "consent", "never"}, What: "The last word.", Guided: &setup.Guided{}},
	}}
}

func newRun(g *setup.Guide) setup.Run {
	tenant := sampleTenant()
	holders := map[bot.Role][]bot.PersonID{}
	for role, list := range tenant.Holders {
		holders[role] = append([]bot.PersonID(nil), list...)
	}
	return setup.New(g, setup.Start{ID: "r1", Tenant: tenant, Instance: tenant.Instance, Requester: "rita", Change: "CHG0030001",
		Place: bot.Place{Platform: bot.Slack, Team: "T1", Channel: "C1"}, Holders: holders, At: start})
}

func base(s bot.System) string {
	return map[bot.System]string{bot.Graph: "https://graph.microsoft.com/v1.0", bot.ServiceNow: "https://contoso.service-now.com"}[s]
}

func sceneOf(g *setup.Guide, r *setup.Run) setup.Scene {
	return setup.Scene{Guide: g, Run: r, Tenant: sampleTenant(), Platform: bot.Slack, Team: "T1", Base: base, Now: start.Add(time.Hour)}
}

func contextOf(r *setup.Run) setup.Context { return setup.Context{Run: r, Tenant: sampleTenant()} }

// drawn is a message as a person reads it, with its buttons' verbs and styles.
func drawn(m bot.Message) string {
	var b strings.Builder
	b.WriteString(m.Words() + "\n")
	for _, p := range m.Parts {
		row, ok := p.(bot.Buttons)
		if !ok {
			continue
		}
		for _, x := range row.Items {
			b.WriteString("  " + x.Label + " -> " + x.Action + " " + x.Value + " " + string(x.Style) + "\n")
			if x.Confirm != nil {
				b.WriteString("    asks: " + x.Confirm.Title + " " + x.Confirm.Text + " [" + x.Confirm.Yes + "] [" + x.Confirm.No + "]\n")
			}
		}
	}
	return b.String()
}

// golden compares with a file of testdata, which -update writes.
func golden(t *testing.T, name, got string) {
	t.Helper()
	bottest.Golden(t, filepath.Join("testdata", name), got, *update, "go test -update")
}

func TestTargetReadsWhatACardPutsIntoAButton(t *testing.T) {
	for value, want := range map[string][3]string{
		"r1":         {"r1", "", ""},
		"r1/make":    {"r1", "make", ""},
		"r1/make/d1": {"r1", "make", "d1"},
		"r1/make/":   {"r1", "make", ""},
		"r1//d1":     {"r1", "", "d1"},
	} {
		run, step, digest, ok := setup.Target(value)
		if got := [3]string{run, string(step), digest}; !ok || got != want {
			t.Errorf("%q: %v %v", value, got, ok)
		}
	}
	for _, value := range []string{"", "/", "/make", "//d"} {
		if run, step, digest, ok := setup.Target(value); ok || run != "" || step != "" || digest != "" {
			t.Errorf("%q was read as %q %q %q", value, run, step, digest)
		}
	}
}

func TestEveryButtonOfACardLeadsBackToItsStep(t *testing.T) {
	g := sampleGuide()
	r := newRun(g)
	r.HandOut(g, contextOf(&r), start)
	for _, p := range sceneOf(g, &r).Card("rita", 0).Parts {
		row, _ := p.(bot.Buttons)
		for _, b := range row.Items {
			run, step, _, ok := setup.Target(b.Value)
			if spec, known := g.Step(step); !ok || run != "r1" || !known || spec.ID != "agree" {
				t.Errorf("%s carries %q", b.Label, b.Value)
			}
		}
	}
}

func FuzzTarget(f *testing.F) {
	for _, s := range []string{"r1/make/d1", "", "///", "r1/../x", "r1/make/d1/more"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		run, step, digest, ok := setup.Target(value)
		if !ok {
			if run != "" || step != "" || digest != "" {
				t.Errorf("%q is refused, yet gives %q %q %q", value, run, step, digest)
			}
			return
		}
		if run == "" || strings.Contains(run+string(step)+digest, "/") || !strings.HasPrefix(value, run) {
			t.Errorf("%q gives %q %q %q", value, run, step, digest)
		}
	})
}
