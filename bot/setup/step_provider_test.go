package setup

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"keyturn/bot"
)

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
