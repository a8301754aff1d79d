package setup

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

var updateGuides = flag.Bool("update-guides", false, "write the golden files of the guides anew")

const (
	testClient = "11111111-2222-3333-4444-555555555555"
	testApp    = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	testSP     = "99999999-8888-7777-6666-555555555555"
	testKey    = "12121212-3434-5656-7878-909090909090"
	testDER    = "MIIBszCCAVmgAwIBAgIU"
)

// sample is a run of a guide at a tenant with everything configured.
func sample(t *testing.T, id GuideID, facts map[string]string) Context {
	t.Helper()
	g, ok := GuideFor(id)
	if !ok {
		t.Fatalf("there is no guide %q", id)
	}
	tenant := &bot.Tenant{
		ID: "contoso", Name: "Contoso", Directory: "7a1c0b1e-0000-4000-8000-000000000001", Domain: "contoso.onmicrosoft.com", Instance: "contoso.service-now.com",
		People: []bot.Person{{ID: "sam", Name: "Sam", Admin: map[bot.System]string{bot.ServiceNow: "sam.admin"}}},
		SignIn: bot.SignIn{EntraClientID: "5555aaaa-0000-4000-8000-000000000001", EntraRedirect: "https://keyturn.contoso.com/signin/entra", ServiceNowClientID: "keyturn-signin"},
	}
	run := New(g, Start{ID: "r7", Tenant: tenant, Instance: tenant.Instance, Requester: "rita", At: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)})
	run.Options = map[string]string{}
	for k, v := range facts {
		run.Facts[k] = Fact{Value: v}
	}
	return Context{Run: &run, Tenant: tenant}
}

// sealed adds a secret fact.
func (c Context) sealed(names ...string) Context {
	for _, n := range names {
		c.Run.Facts[n] = Fact{Secret: true}
	}
	return c
}

func step(t *testing.T, c Context, id StepID) *Spec {
	t.Helper()
	g, _ := GuideFor(c.Run.Guide)
	s, ok := g.Step(id)
	if !ok {
		t.Fatalf("guide %s has no step %s", c.Run.Guide, id)
	}
	return s
}

// answered gives each call the answer that is written for its ID: a JSON
// document, or a status for a failure. Calls without one find nothing.
func answered(t *testing.T, calls []bot.Call, answers map[string]string) Reading {
	t.Helper()
	r := Reading{}
	used := map[string]bool{}
	for _, c := range calls {
		sound(t, c)
		if _, twice := r[c.ID]; twice {
			t.Fatalf("two calls have the ID %q", c.ID)
		}
		used[c.ID] = true
		a, ok := answers[c.ID]
		if !ok {
			a = nothing(c)
		}
		r[c.ID] = reply(t, c, a)
	}
	for id := range answers {
		if !used[id] {
			t.Fatalf("an answer is written for %q, but that call is not made: %v", id, ids(calls))
		}
	}
	return r
}

func nothing(c bot.Call) string {
	switch {
	case c.System == bot.ServiceNow && strings.Contains(c.Path, "sysparm_query"):
		return `{"result":[]}`
	case c.System == bot.Graph && (strings.Contains(c.Path, "$filter") || strings.Contains(c.Path, "$top") || strings.HasSuffix(c.Path, "Policies")):
		return `{"value":[]}`
	}
	return "404"
}

func reply(t *testing.T, c bot.Call, a string) Read {
	t.Helper()
	kinds := map[string]bot.Kind{"400": bot.KindBadRequest, "401": bot.KindSignIn, "403": bot.KindForbidden, "404": bot.KindNotFound, "503": bot.KindUnreachable}
	if k, ok := kinds[a]; ok {
		return Read{Failure: &bot.Failure{Kind: k, System: c.System, Says: c.System.Name() + " said " + a + ".", Code: "Code" + a, RequestID: "req-1"}}
	}
	if !json.Valid([]byte(a)) {
		t.Fatalf("the answer to %s is no JSON: %s", c.ID, a)
	}
	return Read{Answer: bot.Answer{Status: 200, Body: json.RawMessage(a)}}
}

func ids(calls []bot.Call) []string {
	var out []string
	for _, c := range calls {
		out = append(out, c.ID)
	}
	return out
}

// sound holds for every call of every step.
func sound(t *testing.T, c bot.Call) {
	t.Helper()
	if c.ID == "" || c.What == "" || strings.Contains(c.What, "!") {
		t.Errorf("call %q says %q", c.ID, c.What)
	}
	if c.System != bot.DNS && !strings.HasPrefix(c.Path, "/") {
		t.Errorf("call %s has the path %q", c.ID, c.Path)
	}
	if strings.ContainsAny(c.Path, " \"<>^") {
		t.Errorf("call %s has characters in its path that a URL cannot hold: %q", c.ID, c.Path)
	}
	if c.Body != nil && !json.Valid(c.Body) {
		t.Errorf("call %s has a body that is no JSON: %s", c.ID, c.Body)
	}
}

var (
	factPlace   = regexp.MustCompile(`(?:^|[^{])\{([a-z][a-z0-9_.\-]*)\}`)
	secretPlace = regexp.MustCompile(`\{\{([a-z0-9_.\-]+)\}\}`)
)

// plan reads and plans, and holds what every plan must hold: every place is
// filled by a fact, by an earlier call or by a sealed secret, and planning
// twice gives the same digest.
func plan(t *testing.T, c Context, id StepID, answers map[string]string) (Proposal, *Problem) {
	t.Helper()
	s := step(t, c, id)
	r := answered(t, s.API.Read(c), answers)
	p, problem := s.API.Plan(c, r)
	if problem != nil {
		if problem.Says == "" || problem.Fix == "" && problem.Code == "" {
			t.Errorf("%s: a problem without words or fix: %+v", id, problem)
		}
		return p, problem
	}
	known := map[string]bool{}
	for name := range c.Run.Facts {
		known[name] = true
	}
	seen := map[string]bool{}
	for _, call := range p.Calls {
		sound(t, call)
		if seen[call.ID] {
			t.Errorf("%s: two calls have the ID %q", id, call.ID)
		}
		seen[call.ID] = true
		text := call.Path + " " + string(call.Body)
		for _, v := range call.Form {
			text += " " + v
		}
		for _, m := range factPlace.FindAllStringSubmatch(secretPlace.ReplaceAllString(text, ""), -1) {
			if !known[m[1]] {
				t.Errorf("%s: call %s needs the fact %q, which nobody has given yet", id, call.ID, m[1])
			}
		}
		for _, m := range secretPlace.FindAllStringSubmatch(text, -1) {
			if !c.Run.Facts[m[1]].Secret {
				t.Errorf("%s: call %s needs the secret %q, which is not sealed", id, call.ID, m[1])
			}
		}
		for name := range call.Save {
			known[name] = true
		}
		for name := range call.Seal {
			known[name] = true
		}
		if call.Makes != nil && factPlace.MatchString(call.Makes.ID) && !known[strings.Trim(call.Makes.ID, "{}")] {
			t.Errorf("%s: call %s makes %q, which nobody knows", id, call.ID, call.Makes.ID)
		}
		if call.Method == "POST" && call.Write() && call.Look == nil && len(call.Fine) == 0 {
			t.Errorf("%s: call %s is not idempotent and looks for no earlier effect", id, call.ID)
		}
	}
	again, _ := s.API.Plan(c, r)
	for name, v := range p.Facts {
		c.Run.Facts[name] = Fact{Value: v}
	}
	kept, _ := s.API.Plan(c, answered(t, s.API.Read(c), answers))
	if Digest(p.Calls) != Digest(again.Calls) || Digest(p.Calls) != Digest(kept.Calls) {
		t.Errorf("%s: planning again gives another plan", id)
	}
	return p, nil
}

// writes lists the writes of a plan as people see them, without the host.
func writes(p Proposal) []string {
	var out []string
	for _, c := range p.Calls {
		if c.Write() {
			path, _, _ := strings.Cut(c.Path, "?")
			out = append(out, c.Method+" "+path)
		}
	}
	return out
}

// prove verifies and judges.
func prove(t *testing.T, c Context, id StepID, answers map[string]string) Finding {
	t.Helper()
	s := step(t, c, id)
	var calls []bot.Call
	if s.API.Verify != nil {
		calls = s.API.Verify(c)
	}
	f := s.API.Prove(c, answered(t, calls, answers))
	if f.Problem != nil {
		if len(f.Proof) > 0 {
			t.Errorf("%s: a proof beside a problem: %v", id, f.Proof)
		}
		if f.Problem.Says == "" {
			t.Errorf("%s: a problem without words", id)
		}
	}
	return f
}

func wantProof(t *testing.T, f Finding, parts ...string) {
	t.Helper()
	if f.Problem != nil {
		t.Fatalf("not proved: %s %s", f.Problem.Says, f.Problem.Fix)
	}
	text := strings.Join(f.Proof, "; ")
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("the proof does not say %q: %s", p, text)
		}
	}
}

func wantProblem(t *testing.T, p *Problem, parts ...string) {
	t.Helper()
	if p == nil {
		t.Fatalf("no problem was said, expected: %s", strings.Join(parts, ", "))
	}
	for _, part := range parts {
		if !strings.Contains(p.Says+" "+p.Fix, part) {
			t.Errorf("the problem does not say %q: %s %s", part, p.Says, p.Fix)
		}
	}
}

func wantWrites(t *testing.T, p Proposal, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, writes(p)); d != "" {
		t.Errorf("other writes than expected (-want +got):\n%s", d)
	}
}

func TestEveryNeedExistsAndTheStepsCanAllBeReached(t *testing.T) {
	for _, g := range Guides() {
		done := map[StepID]bool{}
		for _, s := range g.Steps {
			if done[s.ID] {
				t.Errorf("%s: step %s is there twice", g.ID, s.ID)
			}
			for _, n := range s.Needs {
				if !done[n] {
					t.Errorf("%s: step %s needs %s, which does not come before it", g.ID, s.ID, n)
				}
			}
			if s.ID != StepBefore && len(s.Needs) == 0 {
				t.Errorf("%s: step %s would be handed out before anybody said go on", g.ID, s.ID)
			}
			done[s.ID] = true
		}
	}
}

// The rows of the design's step table, by guide.
func TestEveryRowOfTheDesignHasItsStep(t *testing.T) {
	all := []StepID{StepBefore, StepSignInEntra, StepSignInServiceNow, StepRecord}
	rows := map[GuideID][]StepID{
		Connector: {StepPreflight, StepPreflightPanel, StepEntraApp, StepEntraSecret, StepOAuth, StepCrossScope, StepScope, StepReadyServiceNow, StepReadyM365,
			StepWizard, StepReadBack, StepM365Verify, StepM365Basic, StepM365Repository, StepFinish, StepRoles, StepGoLive, StepReaderApp, StepReaderConsent, StepChannels},
		Direct: {StepReaderApp, StepReaderConsent, StepUnattended, StepMapping, StepIncidents, StepChannels},
		Cleanup: {StepDiscoverEntra, StepDiscoverServiceNow, StepM365Remove, StepRolesRemove, StepUserRemove, StepOAuthRemove, StepFlagsRestore,
			StepAppRemove, StepSecretsRemove, StepAppsRemove},
	}
	for id, want := range rows {
		g, _ := GuideFor(id)
		for _, s := range append(slices.Clone(all), want...) {
			if _, ok := g.Step(s); !ok {
				t.Errorf("%s has no step %s", id, s)
			}
		}
	}
}

func TestWhatIsHandedOutAtTheSameTime(t *testing.T) {
	open := func(id GuideID, settled ...StepID) []string {
		c := sample(t, id, nil)
		for _, s := range settled {
			c.Run.Step(s).State = Done
		}
		g, _ := GuideFor(id)
		var out []string
		for _, s := range c.Run.HandOut(g, c, c.Run.Started) {
			out = append(out, string(s))
		}
		return out
	}
	for _, tt := range []struct {
		name    string
		guide   GuideID
		settled []StepID
		want    []string
	}{
		{"at first only the requester", Connector, nil, []string{"before"}},
		{"then both sign-ins and the panel", Connector, []StepID{StepBefore}, []string{"signin-entra", "signin-servicenow", "preflight-panel"}},
		{"nothing is written before both looks", Connector, []StepID{StepBefore, StepSignInEntra, StepSignInServiceNow, StepPreflight}, []string{"preflight-panel"}},
		{"then Entra and ServiceNow at once", Connector, []StepID{StepBefore, StepSignInEntra, StepSignInServiceNow, StepPreflight, StepPreflightPanel}, []string{"entra-app", "sn-crossscope", "reader-app"}},
		{"direct: Entra and ServiceNow do not wait for each other", Direct, []StepID{StepBefore, StepSignInEntra, StepSignInServiceNow}, []string{"reader-app", "sn-unattended", "sn-mapping"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, open(tt.guide, tt.settled...)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRegistrationsAreDeletedLast(t *testing.T) {
	g, _ := GuideFor(Cleanup)
	s, _ := g.Step(StepAppsRemove)
	for _, need := range []StepID{StepRolesRemove, StepUserRemove, StepOAuthRemove, StepFlagsRestore, StepAppRemove, StepM365Remove, StepSecretsRemove} {
		if !slices.Contains(s.Needs, need) {
			t.Errorf("the registrations go before %s", need)
		}
	}
}

// The texts are read by people in a hurry: short, calm, complete.
func TestTheTexts(t *testing.T) {
	for _, g := range Guides() {
		for _, s := range g.Steps {
			c := sample(t, g.ID, map[string]string{FactEntraClientID: testClient, FactReaderClientID: testClient, "sn.endpoint": "https://contoso.service-now.com/api/x", "sn.repository": "keyturn-contoso"})
			for _, version := range []string{"1.0.7", "2.1.0"} {
				c.Run.Facts["app.version"] = Fact{Value: version}
				texts := []string{s.Title, s.What, s.Trap, s.Undo, s.IfWaits}
				if s.What == "" || s.Undo == "" || s.IfWaits == "" || s.Minutes < 1 || !s.Role.Known() {
					t.Errorf("%s/%s: What, Undo, IfWaits, Minutes and Role are needed", g.ID, s.ID)
				}
				if strings.Contains(s.What, "\n") {
					t.Errorf("%s/%s: What is more than a line", g.ID, s.ID)
				}
				if s.Guided != nil && s.Guided.Do != nil {
					things := s.Guided.Do(c)
					if len(things) > 7 {
						t.Errorf("%s/%s: %d things to do, seven are the most", g.ID, s.ID, len(things))
					}
					for _, d := range things {
						texts = append(texts, d.Plain())
					}
				}
				if s.Guided != nil && s.Guided.Link != nil {
					if _, url := s.Guided.Link(c); !strings.HasPrefix(url, "https://") {
						t.Errorf("%s/%s: the link is %q", g.ID, s.ID, url)
					}
				}
				for _, text := range texts {
					for _, bad := range []string{"!", "please note", "Please note", "simply", "successfully"} {
						if strings.Contains(text, bad) {
							t.Errorf("%s/%s says %q: %s", g.ID, s.ID, bad, text)
						}
					}
				}
				if s.FourEyes && s.API == nil {
					t.Errorf("%s/%s: four eyes without calls", g.ID, s.ID)
				}
			}
		}
	}
}

func TestTheGuidesAsText(t *testing.T) {
	for _, g := range Guides() {
		got := describe(t, g)
		path := filepath.Join("testdata", "guide-"+string(g.ID)+".txt")
		if *updateGuides {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v (go test -update-guides writes it)", err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("guide %s changed (go test -update-guides accepts it):\n%s", g.ID, d)
		}
	}
}

func describe(t *testing.T, g *Guide) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, revision %d\n%s\n%s\n", g.Title, g.Revision, g.What, g.Warning)
	c := sample(t, g.ID, map[string]string{FactEntraClientID: testClient, FactReaderClientID: testClient, "app.version": "1.0.7",
		"sn.oauth_profile_name": "Microsoft 365 support integration (outbound) default_profile", "sn.repository": "keyturn-contoso", "sn.endpoint": "https://contoso.service-now.com/api/x"})
	for i, s := range g.Steps {
		fmt.Fprintf(&b, "\n%d. %s [%s] %s, %d min\n", i+1, s.Title, s.ID, s.Role, s.Minutes)
		fmt.Fprintf(&b, "   needs: %v  no skip: %v  four eyes: %v\n", s.Needs, s.NoSkip, s.FourEyes)
		fmt.Fprintf(&b, "   what: %s\n   trap: %s\n   undo: %s\n   waits: %s\n", s.What, s.Trap, s.Undo, s.IfWaits)
		if a := s.API; a != nil {
			fmt.Fprintf(&b, "   api: keys %v, auto %v, poll %v, writes %v, way back %v\n", a.Keys, a.Auto, a.Poll, a.Plan != nil, a.Back != nil)
		}
		if gd := s.Guided; gd != nil {
			describeGuided(&b, c, gd)
		}
	}
	return b.String()
}

func describeGuided(b *strings.Builder, c Context, g *Guided) {
	if g.Link != nil {
		label, url := g.Link(c)
		fmt.Fprintf(b, "   link: %s %s\n", label, url)
	}
	if g.Do != nil {
		for _, d := range g.Do(c) {
			fmt.Fprintf(b, "   - %s\n", d.Plain())
		}
	}
	if g.Copy != nil {
		for _, f := range g.Copy(c) {
			fmt.Fprintf(b, "   copy: %s = %s\n", f.Label, f.Value)
		}
	}
	if g.Leave != "" {
		fmt.Fprintf(b, "   leave: %s\n", g.Leave)
	}
	if g.Ask != nil {
		for _, in := range g.Ask(c) {
			fmt.Fprintf(b, "   ask: %s (%s) %s %v\n", in.Label, in.Kind, in.Hint, in.Values)
			for _, o := range in.Options {
				fmt.Fprintf(b, "        %s: %s\n", o.Value, o.Label)
			}
		}
	}
	if g.Word != "" {
		fmt.Fprintf(b, "   word: %s\n", g.Word)
	}
}
