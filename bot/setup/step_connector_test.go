package setup

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestPreflightSaysWhatIsGone(t *testing.T) {
	app := rowsOf(`{"sys_id":"a1","name":"Microsoft 365 support integration","scope":"x_mioms_m365_assis","version":"2.1.0"}`)
	for _, tt := range []struct {
		name         string
		app, service string
		ends         string
		problem      string
	}{
		{"all there", app, `{"addresses":["192.0.2.1"]}`, "", ""},
		{"the service is gone", app, "404", "has no address any more", ""},
		{"the app is gone", rowsOf(), `{"addresses":["192.0.2.1"]}`, "is not on contoso.service-now.com", ""},
		{"both are gone", rowsOf(), "404", "guide direct", ""},
		{"another app, since the instance ignored the query", rowsOf(`{"sys_id":"z","scope":"x_other"}`), "404", "is not on", ""},
		{"the look-up failed, which proves nothing", app, "503", "", "says nothing about Microsoft's service"},
		{"the table is refused", "403", "404", "", "could not look for the app"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := prove(t, sample(t, Connector, nil), StepPreflight, map[string]string{"app": tt.app, "service": tt.service})
			switch {
			case tt.problem != "":
				wantProblem(t, f.Problem, tt.problem)
			case tt.ends != "":
				if !strings.Contains(f.End, tt.ends) || !strings.Contains(f.End, "2025-05-30") || !strings.Contains(f.End, "cleanup") {
					t.Errorf("the end is told as %q", f.End)
				}
			default:
				wantProof(t, f, "version 2.1.0", "has an address")
				if f.End != "" || f.Facts["app.version"] != "2.1.0" {
					t.Errorf("end %q, facts %v", f.End, f.Facts)
				}
			}
		})
	}
}

// accept fills a step's form.
func accept(t *testing.T, c Context, id StepID, in map[string]string) (facts, wrong map[string]string) {
	t.Helper()
	g := step(t, c, id).Guided
	asked := map[string]bool{}
	for _, i := range g.Ask(c) {
		asked[i.Name] = true
	}
	for name := range in {
		if !asked[name] {
			t.Fatalf("%s does not ask for %q", id, name)
		}
	}
	facts, wrong = g.Accept(c, in)
	if len(facts) > 0 && len(wrong) > 0 {
		t.Errorf("%s keeps facts of a form that it refuses", id)
	}
	for name := range wrong {
		if !asked[name] {
			t.Errorf("%s blames %q, which it did not ask for", id, name)
		}
	}
	return facts, wrong
}

func TestAMissingPanelEndsTheRun(t *testing.T) {
	facts, _ := accept(t, sample(t, Connector, nil), StepPreflightPanel, map[string]string{"panel": "no"})
	if f := prove(t, sample(t, Connector, facts), StepPreflightPanel, nil); !strings.Contains(f.End, "no Support integration panel") {
		t.Errorf("the run goes on: %+v", f)
	}
	facts, _ = accept(t, sample(t, Connector, nil), StepPreflightPanel, map[string]string{"panel": "yes"})
	if f := prove(t, sample(t, Connector, facts), StepPreflightPanel, nil); f.End != "" || f.Problem != nil || len(f.Proof) > 0 {
		t.Errorf("a person's word is made more than that: %+v", f)
	}
	if _, wrong := accept(t, sample(t, Connector, nil), StepPreflightPanel, map[string]string{"panel": "role"}); !strings.Contains(wrong["panel"], "PIM") {
		t.Errorf("an inactive role is answered with %q", wrong["panel"])
	}
}

func TestTheScopeIsCheckedWhereItCanBeRead(t *testing.T) {
	c := sample(t, Connector, nil)
	c.Run.Step(StepScope).By = "sam"
	scope := rowsOf(`{"sys_id":"a1","scope":"x_mioms_m365_assis","name":"Microsoft 365 support integration"}`)
	mine := func(value string) string {
		return rowsOf(`{"name":"apps.current_app","value":"` + value + `","user.user_name":"sam.admin"}`)
	}
	wantProof(t, prove(t, c, StepScope, map[string]string{"scope": scope, "current": mine("a1")}), "sam.admin")
	wantProblem(t, prove(t, c, StepScope, map[string]string{"scope": scope, "current": mine("global")}).Problem, "another scope")
	for name, answers := range map[string]map[string]string{
		"not readable":          {"scope": scope, "current": "403"},
		"of another user":       {"scope": scope, "current": strings.Replace(mine("a1"), "sam.admin", "eve", 1)},
		"the app is not listed": {"scope": rowsOf(), "current": mine("a1")},
	} {
		if f := prove(t, c, StepScope, answers); f.Problem != nil || len(f.Proof) > 0 {
			t.Errorf("%s: more is made of it than a person's word: %+v", name, f)
		}
	}
	if f := prove(t, sample(t, Connector, nil), StepScope, nil); f.Problem != nil || len(f.Proof) > 0 {
		t.Errorf("nobody is known, and still: %+v", f)
	}
}

func TestTheWizardFollowsTheVersion(t *testing.T) {
	one, two := sample(t, Connector, map[string]string{"app.version": "1.0.11"}), sample(t, Connector, map[string]string{"app.version": "2.1.0"})
	s := step(t, one, StepWizard)
	text := func(c Context) string {
		var b strings.Builder
		describeGuided(&b, c, s.Guided)
		return b.String()
	}
	if !strings.Contains(text(one), "Skip current step") || strings.Contains(text(one), "Start setup") {
		t.Error("version 1 is told another way")
	}
	if !strings.Contains(text(two), "Start setup") || strings.Contains(text(two), "Skip current step") || strings.Contains(text(two), "ask: Repository ID") {
		t.Error("version 2 is told another way")
	}
	good := map[string]string{"repository": "keyturn-contoso", "sso": "no", "email": "mia@contoso.com", "test": "yes"}
	if facts, wrong := accept(t, one, StepWizard, good); wrong != nil || facts["sn.repository"] != "keyturn-contoso" {
		t.Errorf("%v %v", facts, wrong)
	}
	for name, value := range map[string]string{"repository": "", "email": "mia", "test": "", "sso": ""} {
		if _, wrong := accept(t, one, StepWizard, changed(good, name, value)); wrong[name] == "" {
			t.Errorf("%s %q is taken", name, value)
		}
	}
	if _, wrong := accept(t, two, StepWizard, map[string]string{"test": "yes"}); wrong != nil {
		t.Error(wrong)
	}
}

const pasted = "abC8Q~0123456789abcdefghijklmnopqrstuvwx"

func TestTheLastPageIsComparedWithWhatWasMade(t *testing.T) {
	c := sample(t, Connector, map[string]string{FactEntraClientID: testClient, "sn.repository": "keyturn-contoso", "sn.oauth_profile_name": "default_profile"})
	good := map[string]string{"outbound": strings.ToUpper(testClient), "repository": "keyturn-contoso", "endpoint": "https://contoso.service-now.com/api/x"}
	facts, wrong := accept(t, c, StepReadBack, good)
	if wrong != nil || facts["sn.endpoint.note"] != "" {
		t.Fatalf("%v %v", facts, wrong)
	}
	facts, wrong = accept(t, c, StepReadBack, changed(good, "endpoint", "https://proxy.contoso.com/api/x"))
	if wrong != nil || !strings.Contains(facts["sn.endpoint.note"], "proxy.contoso.com") {
		t.Errorf("another endpoint is only worth a warning: %v %v", facts, wrong)
	}
	for _, tt := range []struct{ field, value, says string }{
		{"outbound", testKey, "That is another application"},
		{"outbound", pasted, "looks like a client secret"},
		{"outbound", "contoso", "no application ID"},
		{"repository", "contoso-2", "You entered “keyturn-contoso”"},
		{"repository", pasted, "looks like a client secret"},
		{"endpoint", "http://contoso.service-now.com", "https://"},
		{"endpoint", "https://x/{{entra.secret}}", "cannot be used"},
	} {
		_, wrong := accept(t, c, StepReadBack, changed(good, tt.field, tt.value))
		if !strings.Contains(wrong[tt.field], tt.says) {
			t.Errorf("%s %q is answered with %q", tt.field, tt.value, wrong[tt.field])
		}
		if strings.Contains(fmt.Sprint(wrong), pasted) {
			t.Error("a pasted secret is repeated")
		}
	}
}

func TestTheAdminCenterIsComparedToo(t *testing.T) {
	c := sample(t, Connector, map[string]string{FactEntraClientID: testClient, "sn.step6.client_id": testClient, "sn.step6.repository": "keyturn-contoso", "sn.endpoint": "https://contoso.service-now.com/api/x"})
	if _, wrong := accept(t, c, StepM365Verify, map[string]string{"outbound": "yes", "repository": "yes", "endpoint": ""}); wrong["endpoint"] == "" {
		t.Error("an unticked value is taken")
	}
	for value, says := range map[string]string{testClient: "", testKey: "another application", pasted: "looks like a client secret", "x": "no application ID"} {
		_, wrong := accept(t, c, StepM365Basic, map[string]string{"application": value})
		if says == "" && wrong != nil || !strings.Contains(wrong["application"], says) {
			t.Errorf("%q is answered with %q", value, wrong["application"])
		}
	}
	good := map[string]string{"repository": "keyturn-contoso", "endpoint": "https://contoso.service-now.com/api/x", "auth": "aad"}
	if _, wrong := accept(t, c, StepM365Repository, good); wrong != nil {
		t.Error(wrong)
	}
	for field, value := range map[string]string{"repository": "other", "endpoint": "https://other", "auth": "basic"} {
		if _, wrong := accept(t, c, StepM365Repository, changed(good, field, value)); wrong[field] == "" {
			t.Errorf("%s %q is taken", field, value)
		}
	}
	if got := len(step(t, c, StepM365Repository).Guided.Copy(c)); got != 6 {
		t.Errorf("%d values to copy, the panel has 6 fields", got)
	}
}

func TestTheFinishIsJudgedByTheOutgoingCalls(t *testing.T) {
	call := func(at, host, status string) string {
		return fmt.Sprintf(`{"sys_created_on":"2026-11-23 %s","url":"https://%s/x","url_hostname":%q,"response_status":%q}`, at, host, host, status)
	}
	older := func(at, host, status string) string {
		return fmt.Sprintf(`{"sys_created_on":"2026-11-23 %s","url":"https://%s/x","http_status":%q}`, at, host, status)
	}
	for _, tt := range []struct{ name, log, proof, says string }{
		{"both answered", rowsOf(call("10:00:02", connectorHost, "200"), call("10:00:01", loginHost, "200")), "answered 200", ""},
		{"with the older column names", rowsOf(older("10:00:02", connectorHost, "200"), older("10:00:01", loginHost, "200")), "answered 200", ""},
		{"an old failure does not count", rowsOf(call("10:00:03", loginHost, "200"), call("10:00:02", connectorHost, "200"), call("10:00:01", loginHost, "401")), "answered 200", ""},
		{"wrong secret", rowsOf(call("10:00:01", loginHost, "401")), "", "the secret that ServiceNow stored is not the one Entra issued"},
		{"no service", rowsOf(call("10:00:01", loginHost, "200")), "", "has not called"},
		{"the service is gone", rowsOf(call("10:00:02", connectorHost, "0"), call("10:00:01", loginHost, "200")), "", "no answer"},
		{"calls from before the step", rowsOf(call("08:00:00", connectorHost, "200")), "", ""},
		{"empty log", rowsOf(), "", ""},
		{"log not readable", "403", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := sample(t, Connector, nil)
			c.Run.Step(StepFinish).Since = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
			f := prove(t, c, StepFinish, map[string]string{"log": tt.log})
			switch {
			case tt.says != "":
				wantProblem(t, f.Problem, tt.says)
			case tt.proof != "":
				wantProof(t, f, tt.proof)
			case f.Problem != nil || len(f.Proof) > 0:
				t.Errorf("nothing was read, and still: %+v", f)
			}
		})
	}
	for _, o := range step(t, sample(t, Connector, nil), StepFinish).Guided.Ask(Context{})[0].Options {
		_, wrong := accept(t, sample(t, Connector, nil), StepFinish, map[string]string{"result": o.Value})
		if (o.Value == "fine") != (wrong == nil) {
			t.Errorf("%s is answered with %v", o.Value, wrong)
		}
	}
	if _, wrong := accept(t, sample(t, Connector, nil), StepGoLive, map[string]string{"test": "ticked"}); wrong == nil {
		t.Error("a ticked box is taken for live")
	}
}

var roleRows = map[string]string{
	"roles": rowsOf(`{"sys_id":"r1","name":"x_mioms_m365_assis.insights_user"}`, `{"sys_id":"r2","name":"x_mioms_m365_assis.administrator"}`),
	"users": rowsOf(`{"sys_id":"u1","user_name":"abel.tuter","active":"true"}`, `{"sys_id":"u2","user_name":"beth.anglin","active":"true"}`),
	"group": rowsOf(`{"sys_id":"g1","name":"Service Desk","active":"true"}`),
}

func TestTheInsightsRoleIsGivenAndTheOtherIsNot(t *testing.T) {
	held := rowsOf(`{"sys_id":"h1","user":"u1","user.user_name":"abel.tuter","role":"r1","role.name":"x_mioms_m365_assis.insights_user"}`)
	ask := func(users, group string) Context {
		c := sample(t, Connector, nil)
		c.Run.Options[OptionUsers], c.Run.Options[OptionGroup] = users, group
		return c
	}
	both := func(more ...string) map[string]string {
		out := changed(roleRows, "held", rowsOf())
		for i := 0; i+1 < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	give := []string{"POST /api/now/table/sys_user_has_role", "POST /api/now/table/sys_user_has_role", "POST /api/now/table/sys_group_has_role"}
	p, _ := plan(t, ask("abel.tuter, beth.anglin", "Service Desk"), StepRoles, both())
	wantWrites(t, p, give...)
	p, _ = plan(t, ask("abel.tuter, beth.anglin", "Service Desk"), StepRoles, both("held", held))
	wantWrites(t, p, give[1:]...)
	without := both("users", rowsOf())
	delete(without, "group")
	_, problem := plan(t, ask("zoe", ""), StepRoles, without)
	wantProblem(t, problem, "no active user zoe")
	_, problem = plan(t, ask("", "Service Desk"), StepRoles, map[string]string{"roles": rowsOf(), "group": roleRows["group"]})
	wantProblem(t, problem, "no role")
	_, problem = plan(t, ask("", ""), StepRoles, map[string]string{"roles": "403"})
	wantProblem(t, problem, "user_admin")

	proven := map[string]string{"roles": roleRows["roles"], "users": roleRows["users"], "held": held}
	wantProof(t, prove(t, ask("abel.tuter", ""), StepRoles, proven), "abel.tuter has", "no user and no group is listed with x_mioms_m365_assis.administrator")
	wantProblem(t, prove(t, ask("abel.tuter,beth.anglin", ""), StepRoles, proven).Problem, "missing for beth.anglin")
	bad := changed(proven, "held", rowsOf(`{"sys_id":"h9","user.user_name":"eve","role.name":"x_mioms_m365_assis.administrator"}`))
	wantProblem(t, prove(t, ask("abel.tuter", ""), StepRoles, bad).Problem, "is held by eve", "Take the role away")
	bad = changed(proven, "groups-held", rowsOf(`{"sys_id":"h9","group.name":"Desk","role.name":"x_mioms_m365_assis.administrator"}`))
	wantProblem(t, prove(t, ask("abel.tuter", ""), StepRoles, bad).Problem, "the group Desk")
	if !step(t, ask("", ""), StepRoles).NoSkip {
		t.Error("the check for administrators can be skipped")
	}
}

func TestWhatLooksLikeASecret(t *testing.T) {
	for s, want := range map[string]bool{
		pasted: true, "Zx9~abcdefghijklmnop": true, "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6": true,
		testClient: false, "keyturn-contoso": false, "https://contoso.service-now.com/api/Abc123Abc123Abc123Abc": false,
		"Closed/Resolved by Caller": false, "mia.administrator@contoso.onmicrosoft.com": false, "": false,
	} {
		if looksSecret(s) != want {
			t.Errorf("looksSecret(%q) is %v", s, !want)
		}
	}
}

func TestISODurations(t *testing.T) {
	for s, want := range map[string]string{"P90D": "2160h0m0s", "P1Y": "8760h0m0s", "P1M": "720h0m0s", "P1DT1H": "25h0m0s", "PT30S": "30s", "P2W": "336h0m0s"} {
		if d, ok := isoDuration(s); !ok || d.String() != want {
			t.Errorf("%s is read as %s, %v", s, d, ok)
		}
	}
	for _, s := range []string{"", "P", "90D", "P0D", "P99999999999999D", "P1Y1"} {
		if d, ok := isoDuration(s); ok {
			t.Errorf("%q is read as %s", s, d)
		}
	}
}
