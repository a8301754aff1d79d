package setup

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

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
