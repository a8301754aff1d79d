package setup

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

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
