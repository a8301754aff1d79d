package setup

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
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

func registrationAnswer(audience string, uris ...string) string {
	b, _ := json.Marshal(uris)
	return fmt.Sprintf(`{"id":%q,"appId":%q,"displayName":"ServiceNow M365 support integration (contoso.service-now.com)","uniqueName":"keyturn-servicenow-contoso-service-now-com","signInAudience":%q,"web":{"redirectUris":%s}}`,
		testApp, testClient, audience, b)
}

func TestTheRegistrationIsPlanned(t *testing.T) {
	uris := redirects("contoso.service-now.com")
	sp := listOf(fmt.Sprintf(`{"id":%q,"appId":%q}`, testSP, testClient))
	app := "PATCH /applications(uniqueName='keyturn-servicenow-contoso-service-now-com')"
	for _, tt := range []struct {
		name    string
		answers map[string]string
		writes  []string
		exists  string
		body    string
		problem string
	}{
		{name: "nothing there", writes: []string{app, "PATCH /servicePrincipals(appId='{entra.client_id}')"},
			body: `{"displayName":"ServiceNow M365 support integration (contoso.service-now.com)","signInAudience":"AzureADMyOrg","web":{"redirectUris":["https://contoso.service-now.com/oauth_redirect.do","https://contoso.service-now.com/auth_redirect.do"]}}`},
		{name: "there already", answers: map[string]string{"app": registrationAnswer("AzureADMyOrg", uris...), "principals": sp}, exists: "exists, client ID " + testClient},
		{name: "half there: no service principal", answers: map[string]string{"app": registrationAnswer("AzureADMyOrg", uris...)}, writes: []string{"PATCH /servicePrincipals(appId='" + testClient + "')"}},
		{name: "half there: one spelling", answers: map[string]string{"app": registrationAnswer("AzureADMyOrg", uris[1]), "principals": sp}, writes: []string{app}, body: "oauth_redirect.do"},
		{name: "wrong there: open to others", answers: map[string]string{"app": registrationAnswer("AzureADMultipleOrgs", uris...), "principals": sp}, writes: []string{app}, body: "AzureADMyOrg"},
		{name: "an extra redirect stays", answers: map[string]string{"app": registrationAnswer("AzureADMyOrg", uris[0], "https://extra.contoso.com/x"), "principals": sp}, writes: []string{app}, body: "https://extra.contoso.com/x", exists: "further redirect URI"},
		{name: "a namesake is told", answers: map[string]string{"namesakes": listOf(strings.Replace(registrationAnswer("AzureADMyOrg"), testClient, testKey, 1))}, writes: []string{app, "PATCH /servicePrincipals(appId='{entra.client_id}')"}, exists: "Another registration has the same name"},
		{name: "refused", answers: map[string]string{"app": "403"}, problem: "said 403"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, problem := plan(t, sample(t, Connector, nil), StepEntraApp, tt.answers)
			if tt.problem != "" {
				wantProblem(t, problem, tt.problem)
				return
			}
			wantWrites(t, p, tt.writes...)
			if !strings.Contains(strings.Join(p.Exists, " "), tt.exists) {
				t.Errorf("what exists does not say %q: %v", tt.exists, p.Exists)
			}
			if tt.body != "" && !strings.Contains(string(p.Calls[0].Body), tt.body) {
				t.Errorf("the body lacks %s: %s", tt.body, p.Calls[0].Body)
			}
		})
	}
}

func TestTheRegistrationIsProved(t *testing.T) {
	uris := redirects("contoso.service-now.com")
	known := map[string]string{FactEntraClientID: testClient}
	principal := fmt.Sprintf(`{"id":%q,"appId":%q}`, testSP, testClient)
	f := prove(t, sample(t, Connector, known), StepEntraApp, map[string]string{"app": registrationAnswer("AzureADMyOrg", uris...), "principal": principal})
	wantProof(t, f, "single tenant", "2 redirect URIs", "service principal present")
	wantProblem(t, prove(t, sample(t, Connector, known), StepEntraApp, map[string]string{"app": registrationAnswer("AzureADMyOrg", uris[0]), "principal": principal}).Problem, "auth_redirect.do is missing")
	wantProblem(t, prove(t, sample(t, Connector, known), StepEntraApp, map[string]string{"app": registrationAnswer("AzureADMyOrg", uris...), "principal": "404"}).Problem, "no service principal")

	// Made by hand in the portal: found by its name, and put into the inventory.
	hand := strings.Replace(registrationAnswer("AzureADMyOrg", uris...), `"uniqueName":"keyturn-servicenow-contoso-service-now-com",`, "", 1)
	f = prove(t, sample(t, Connector, nil), StepEntraApp, map[string]string{"namesakes": listOf(hand), "principals": listOf(principal)})
	wantProof(t, f, "single tenant")
	if len(f.Objects) != 1 || f.Objects[0].ID != testClient || f.Facts[FactEntraClientID] != testClient {
		t.Errorf("objects %v, facts %v", f.Objects, f.Facts)
	}
	wantProblem(t, prove(t, sample(t, Connector, nil), StepEntraApp, map[string]string{"namesakes": listOf(hand, strings.Replace(hand, testClient, testKey, 1))}).Problem, "cannot tell which")
}

func TestThePolicyForSecretsIsAskedFirst(t *testing.T) {
	policy := func(enabled, kind, more string) string {
		return fmt.Sprintf(`{"isEnabled":%s,"applicationRestrictions":{"passwordCredentials":[{"restrictionType":%q,"state":"enabled"%s}]}}`, enabled, kind, more)
	}
	app := func(secrets string) string {
		return fmt.Sprintf(`{"id":%q,"appId":%q,"createdDateTime":"2026-11-23T09:00:00Z","passwordCredentials":%s}`, testApp, testClient, secrets)
	}
	ours := fmt.Sprintf(`[{"keyId":%q,"displayName":"keyturn-r7","endDateTime":"2027-11-23T00:00:00Z"}]`, testKey)
	add := "POST /applications(appId='" + testClient + "')/addPassword"
	for _, tt := range []struct {
		name    string
		months  string
		answers map[string]string
		sealed  bool
		writes  []string
		end     string
		exists  string
		problem string
	}{
		{name: "allowed", answers: map[string]string{"policy": `{"isEnabled":false}`, "app": app("[]")}, writes: []string{add}, end: "2027-11-23", exists: "allows client secrets"},
		{name: "six months", months: "6", answers: map[string]string{"policy": `{"isEnabled":false}`, "app": app("[]")}, writes: []string{add}, end: "2027-05-23"},
		{name: "forbidden", answers: map[string]string{"policy": policy("true", "passwordAddition", ""), "app": app("[]")}, problem: "does not allow client secrets"},
		{name: "forbidden but switched off", answers: map[string]string{"policy": policy("false", "passwordAddition", ""), "app": app("[]")}, writes: []string{add}, end: "2027-11-23"},
		{name: "forbidden for later registrations only", answers: map[string]string{"policy": policy("true", "passwordAddition", `,"restrictForAppsCreatedAfterDateTime":"2027-01-01T00:00:00Z"`), "app": app("[]")}, writes: []string{add}, end: "2027-11-23"},
		{name: "this registration is exempt", answers: map[string]string{"policy": policy("true", "passwordAddition", ""), "assigned": listOf(`{"displayName":"exempt","isEnabled":true,"restrictions":{"passwordCredentials":[]}}`), "app": app("[]")}, writes: []string{add}, end: "2027-11-23"},
		{name: "shorter life", answers: map[string]string{"policy": policy("true", "passwordLifetime", `,"maxLifetime":"P90D"`), "app": app("[]")}, writes: []string{add}, end: "2027-02-21", exists: "90 days"},
		{name: "policy not readable", answers: map[string]string{"policy": "403", "app": app("[]")}, writes: []string{add}, end: "2027-11-23", exists: "could not read"},
		{name: "there already", answers: map[string]string{"policy": `{"isEnabled":false}`, "app": app(ours)}, sealed: true, exists: "exists, until 23 Nov 2027"},
		{name: "half there: its value is lost", answers: map[string]string{"policy": `{"isEnabled":false}`, "app": app(ours)}, writes: []string{"POST /applications(appId='" + testClient + "')/removePassword", add}, end: "2027-11-23"},
		{name: "refused", answers: map[string]string{"app": "403"}, problem: "said 403"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := sample(t, Connector, map[string]string{FactEntraClientID: testClient})
			c.Run.Options[OptionSecretMonths] = tt.months
			if tt.sealed {
				c = c.sealed(entraSecret)
				c.Run.Facts[entraSecretKey] = Fact{Value: testKey}
			}
			p, problem := plan(t, c, StepEntraSecret, tt.answers)
			if tt.problem != "" {
				wantProblem(t, problem, tt.problem)
				return
			}
			if problem != nil {
				t.Fatal(problem.Says)
			}
			wantWrites(t, p, tt.writes...)
			if !strings.Contains(strings.Join(p.Exists, " "), tt.exists) {
				t.Errorf("what exists does not say %q: %v", tt.exists, p.Exists)
			}
			if tt.end != "" {
				last := p.Calls[len(p.Calls)-1]
				if !strings.Contains(string(last.Body), `"endDateTime":"`+tt.end) {
					t.Errorf("the secret ends otherwise: %s", last.Body)
				}
				if last.Look == nil || last.Look.Remove == nil || last.Seal[entraSecret] != "secretText" {
					t.Error("an interrupted call would leave a live secret behind")
				}
			}
		})
	}
}

func TestTheSecretIsProvedByAToken(t *testing.T) {
	app := fmt.Sprintf(`{"appId":%q,"passwordCredentials":[{"keyId":%q,"displayName":"keyturn-r7","endDateTime":"2027-11-23T00:00:00Z"}]}`, testClient, testKey)
	known := map[string]string{FactEntraClientID: testClient, entraSecretKey: testKey}
	with := func() Context { return sample(t, Connector, known).sealed(entraSecret) }
	wantProof(t, prove(t, with(), StepEntraSecret, map[string]string{"app": app, "token": `{"token_type":"Bearer"}`}), "until 23 Nov 2027", "a token was issued")
	wantProblem(t, prove(t, with(), StepEntraSecret, map[string]string{"app": app, "token": "401"}).Problem, "no token was issued")
	wantProblem(t, prove(t, with(), StepEntraSecret, map[string]string{"app": `{"passwordCredentials":[]}`, "token": "401"}).Problem, "no secret called keyturn-r7")
	f := prove(t, sample(t, Connector, known), StepEntraSecret, map[string]string{"app": app})
	wantProof(t, f, "made by hand")
	if strings.Contains(strings.Join(f.Proof, " "), "issued for") {
		t.Error("a token is claimed that nobody asked for")
	}
}

func entryJSON(scope, grant string) string {
	return fmt.Sprintf(`{"sys_id":"e1","name":%q,"type":"oauth_provider","client_id":%q,"token_url":"https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/token",
		"redirect_url":"https://contoso.service-now.com/oauth_redirect.do","default_grant_type":%q,"active":"true","sys_scope":%q}`, nameProvider, testClient, grant, scope)
}

func profileJSON(grant string) string {
	return fmt.Sprintf(`{"sys_id":"p1","name":"default_profile","oauth_entity":"e1","oauth_entity.client_id":%q,"grant_type":%q,"default":"true"}`, testClient, grant)
}

func TestTheOAuthProviderIsPlanned(t *testing.T) {
	consumer := rowsOf(`{"name":"oauth_entity","element":"type","value":"client","label":"OAuth Client"}`, `{"name":"oauth_entity","element":"type","value":"consumer","label":"OAuth Provider"}`)
	provider := rowsOf(`{"name":"oauth_entity","element":"type","value":"oauth_provider","label":"OAuth Provider"}`)
	made := []string{"POST /api/now/table/oauth_entity", "PATCH /api/now/table/oauth_entity_profile/{sn.oauth_profile}"}
	for _, tt := range []struct {
		name    string
		facts   map[string]string
		answers map[string]string
		writes  []string
		body    string
		problem string
	}{
		{name: "nothing there, stored as consumer", answers: map[string]string{"types": consumer}, writes: made, body: `"type":"consumer"`},
		{name: "nothing there, types not readable", answers: map[string]string{"types": "403"}, writes: made, body: `"type":"oauth_provider"`},
		{name: "there already", facts: map[string]string{writtenKey: testKey}, answers: map[string]string{"types": provider, "entry": rowsOf(entryJSON("global", "client_credentials")), "profile": rowsOf(profileJSON("client_credentials"))}},
		{name: "there, with a secret of somebody else", answers: map[string]string{"types": provider, "entry": rowsOf(entryJSON("global", "client_credentials")), "profile": rowsOf(profileJSON("client_credentials"))},
			writes: []string{"PATCH /api/now/table/oauth_entity/e1"}, body: `{"client_secret":"{{entra.secret}}"}`},
		{name: "half there: profile with another grant", facts: map[string]string{writtenKey: testKey}, answers: map[string]string{"types": provider, "entry": rowsOf(entryJSON("global", "client_credentials")), "profile": rowsOf(profileJSON("authorization_code"))},
			writes: []string{"PATCH /api/now/table/oauth_entity_profile/p1"}},
		{name: "wrong there: another scope", answers: map[string]string{"types": provider, "entry": rowsOf(entryJSON("x_other", "client_credentials"))}, writes: append([]string{"DELETE /api/now/table/oauth_entity/e1"}, made...)},
		{name: "wrong there: grant", facts: map[string]string{writtenKey: testKey}, answers: map[string]string{"types": provider, "entry": rowsOf(entryJSON("global", "password")), "profile": rowsOf(profileJSON("client_credentials"))},
			writes: []string{"PATCH /api/now/table/oauth_entity/e1"}, body: `{"default_grant_type":"client_credentials"}`},
		{name: "two entries", answers: map[string]string{"entry": rowsOf(entryJSON("global", "x"), entryJSON("global", "y"))}, problem: "Delete all but one"},
		{name: "the name is taken", answers: map[string]string{"entry": rowsOf(strings.Replace(entryJSON("global", "x"), testClient, testKey, 1))}, problem: "belongs to another client ID"},
		{name: "refused", answers: map[string]string{"entry": "403"}, problem: "oauth_admin"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			facts := map[string]string{FactEntraClientID: testClient, entraSecretKey: testKey}
			for k, v := range tt.facts {
				facts[k] = v
			}
			p, problem := plan(t, sample(t, Connector, facts).sealed(entraSecret), StepOAuth, tt.answers)
			if tt.problem != "" {
				wantProblem(t, problem, tt.problem)
				return
			}
			if problem != nil {
				t.Fatal(problem.Says)
			}
			wantWrites(t, p, tt.writes...)
			if tt.body != "" && !strings.Contains(string(p.Calls[0].Body), tt.body) {
				t.Errorf("the body lacks %s: %s", tt.body, p.Calls[0].Body)
			}
			for _, call := range p.Calls {
				if strings.Contains(string(call.Body), "{{") && !strings.Contains(call.Path, "sysparm_input_display_value=true") {
					t.Errorf("%s writes an encrypted column in a way that does not save it", call.ID)
				}
			}
		})
	}
	_, problem := plan(t, sample(t, Connector, map[string]string{FactEntraClientID: testClient}), StepOAuth, nil)
	wantProblem(t, problem, "made by hand")
}

// Keyturn may reach Microsoft's sign-in by another address than ServiceNow does.
func TestTheTokenURLIsTheOneThatTheInstanceReaches(t *testing.T) {
	for authority, want := range map[string]string{"": "https://login.microsoftonline.com", "https://login.microsoftonline.us/": "https://login.microsoftonline.us"} {
		c := sample(t, Connector, map[string]string{"portal.login": "http://127.0.0.1:8367", "portal.authority": authority})
		if got := tokenURL(c); got != want+"/7a1c0b1e-0000-4000-8000-000000000001/oauth2/token" {
			t.Errorf("with the authority %q the token URL is %s", authority, got)
		}
	}
}

func TestTheOAuthProviderIsProved(t *testing.T) {
	known := map[string]string{FactEntraClientID: testClient, entraSecretKey: testKey}
	ran := func() Context {
		c := sample(t, Connector, known)
		c.Run.Step(StepOAuth).Approval = &Approval{Person: "sam"}
		return c
	}
	f := prove(t, ran(), StepOAuth, map[string]string{"entry": rowsOf(entryJSON("global", "client_credentials")), "profile": rowsOf(profileJSON("client_credentials"))})
	wantProof(t, f, "entry in Global", "default_profile")
	if f.Facts[writtenKey] != testKey || len(f.Objects) != 0 {
		t.Errorf("facts %v, objects %v", f.Facts, f.Objects)
	}
	for _, tt := range []struct{ name, entry, profile, says string }{
		{"no entry", rowsOf(), rowsOf(), "no entry with the client ID"},
		{"another scope", rowsOf(entryJSON("x_other", "client_credentials")), rowsOf(), "not in Global"},
		{"another tenant", rowsOf(strings.Replace(entryJSON("global", "client_credentials"), "contoso.onmicrosoft.com", "fabrikam.com", 1)), rowsOf(), "token URL"},
		{"no profile", rowsOf(entryJSON("global", "client_credentials")), rowsOf(), "no default profile"},
		{"profile's grant", rowsOf(entryJSON("global", "client_credentials")), rowsOf(profileJSON("password")), "grant type password"},
		{"refused", "403", rowsOf(), "oauth_admin"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantProblem(t, prove(t, ran(), StepOAuth, map[string]string{"entry": tt.entry, "profile": tt.profile}).Problem, tt.says)
		})
	}
	f = prove(t, sample(t, Connector, known), StepOAuth, map[string]string{"entry": rowsOf(entryJSON("global", "client_credentials")), "profile": rowsOf(profileJSON("client_credentials"))})
	if f.Facts[writtenKey] != "" || len(f.Objects) != 1 {
		t.Errorf("an entry made by hand is taken for ours: %v %v", f.Facts, f.Objects)
	}
}

func TestTheCrossScopeReadIsOpenedAndRemembered(t *testing.T) {
	tables := func(read1, read2 string) string {
		return rowsOf(`{"sys_id":"t1","name":"oauth_entity","access":"public","read_access":"`+read1+`"}`, `{"sys_id":"t2","name":"oauth_entity_profile","access":"public","read_access":"`+read2+`"}`)
	}
	privilege := func(status string) string {
		return rowsOf(`{"sys_id":"s1","source_scope":"a1","source_scope.scope":"x_mioms_m365_assis","target_name":"oauth_entity","operation":"read","status":"` + status + `"}`)
	}
	for _, tt := range []struct {
		name    string
		answers map[string]string
		writes  []string
		problem string
	}{
		{"both closed", map[string]string{"tables": tables("false", "false")}, []string{"PATCH /api/now/table/sys_db_object/t1", "PATCH /api/now/table/sys_db_object/t2"}, ""},
		{"open already", map[string]string{"tables": tables("true", "true")}, nil, ""},
		{"half open", map[string]string{"tables": tables("true", "false")}, []string{"PATCH /api/now/table/sys_db_object/t2"}, ""},
		{"the app's privilege is denied", map[string]string{"tables": tables("true", "true"), "privileges": privilege("denied")}, []string{"PATCH /api/now/table/sys_scope_privilege/s1"}, ""},
		{"the tables are hidden", nil, nil, "cannot see the table"},
		{"refused", map[string]string{"tables": "403"}, nil, "holds admin"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, problem := plan(t, sample(t, Connector, nil), StepCrossScope, tt.answers)
			if tt.problem != "" {
				wantProblem(t, problem, tt.problem)
				return
			}
			wantWrites(t, p, tt.writes...)
		})
	}
	p, _ := plan(t, sample(t, Connector, nil), StepCrossScope, map[string]string{"tables": tables("false", "true")})
	if got := p.Calls[0].Makes.Before; got != `{"access":"public","read_access":"false"}` {
		t.Errorf("what was there before is recorded as %s", got)
	}
	// A second change keeps the first record.
	c := sample(t, Connector, nil)
	c.Objects = []bot.Object{{Key: "servicenow/sys_db_object/t1", System: bot.ServiceNow, Kind: "sys_db_object", ID: "t1", Name: "oauth_entity", Before: `{"access":"package_private","read_access":"false"}`, Run: "r7", Step: "sn-crossscope"}}
	p, _ = plan(t, c, StepCrossScope, map[string]string{"tables": tables("false", "true")})
	if got := p.Calls[0].Makes.Before; !strings.Contains(got, "package_private") {
		t.Errorf("the first record is forgotten: %s", got)
	}
	if got := writes(Proposal{Calls: step(t, c, StepCrossScope).API.Back(c)}); !slices.Equal(got, []string{"PATCH /api/now/table/sys_db_object/t1"}) {
		t.Errorf("undo calls %v", got)
	}
	wantProof(t, prove(t, sample(t, Connector, nil), StepCrossScope, map[string]string{"tables": tables("true", "true"), "privileges": privilege("allowed")}), "oauth_entity_profile: all application scopes")
	wantProblem(t, prove(t, sample(t, Connector, nil), StepCrossScope, map[string]string{"tables": tables("true", "false")}).Problem, "oauth_entity_profile")
	wantProblem(t, prove(t, sample(t, Connector, nil), StepCrossScope, map[string]string{"tables": tables("true", "true"), "privileges": privilege("denied")}).Problem, "denied")
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
