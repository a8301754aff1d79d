package setup

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
)

func registration(client, name, unique, permissions, secrets string, uris ...string) string {
	return fmt.Sprintf(`{"id":%q,"appId":%q,"displayName":%q,"uniqueName":%q,"requiredResourceAccess":%s,"passwordCredentials":%s,"web":{"redirectUris":["%s"]}}`,
		"a"+client[1:], client, name, unique, permissions, secrets, strings.Join(uris, `","`))
}

const (
	clientA   = "a0000000-0000-4000-8000-00000000000a"
	clientB   = "b0000000-0000-4000-8000-00000000000b"
	clientC   = "c0000000-0000-4000-8000-00000000000c"
	auth      = "https://contoso.service-now.com/auth_redirect.do"
	oauth     = "https://contoso.service-now.com/oauth_redirect.do"
	oneSecret = `[{"keyId":"12121212-3434-5656-7878-909090909090","displayName":"made by hand","endDateTime":"2027-01-01T00:00:00Z"}]`
	mailAPI   = `[{"resourceAppId":"00000003-0000-0000-c000-000000000000","resourceAccess":[{"id":"e383f46e-2787-4529-855e-0e479a3ffac0","type":"Role"}]}]`
)

func TestEntraIsSearchedWithEvidence(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers map[string]string
		strong  []string // client IDs
		weak    []string
		proof   string
		problem string
	}{
		{name: "nothing there", proof: "no registration of this setup was found"},
		{name: "made by the guides", answers: map[string]string{
			"reader":    registration(clientA, "Keyturn service health reader", UniqueReader, "[]", "[]"),
			"connector": registration(clientB, "ServiceNow M365 support integration (contoso.service-now.com)", "keyturn-servicenow-contoso-service-now-com", "[]", oneSecret, oauth, auth),
		}, strong: []string{clientB, clientA}, proof: "1 client secret"},
		{name: "made by hand years ago", answers: map[string]string{
			"redirects": listOf(registration(clientA, "SNOW support", "", "[]", oneSecret, auth)),
		}, strong: []string{clientA}, proof: "a spelling that Microsoft's guide has"},
		{name: "it might be another integration", answers: map[string]string{
			"redirects": listOf(registration(clientA, "SNOW something", "", "[]", oneSecret, oauth)),
		}, weak: []string{clientA}, proof: "not chosen by itself"},
		{name: "it is another integration", answers: map[string]string{
			"redirects": listOf(registration(clientA, "SNOW mail", "", mailAPI, oneSecret, oauth)),
		}, proof: "belongs to another integration and stays"},
		{name: "the search by redirect is refused, the list is read", answers: map[string]string{
			"redirects": "400", "page": listOf(registration(clientA, "SNOW support", "", "[]", "[]", auth), registration(clientC, "Payroll", "", "[]", "[]", "https://pay.contoso.com")),
		}, strong: []string{clientA}},
		{name: "and the list was too long", answers: map[string]string{
			"redirects": "400", "page": `{"value":[],"@odata.nextLink":"https://graph.microsoft.com/next"}`,
		}, proof: "first 999 registrations only"},
		{name: "neither could be read", answers: map[string]string{"redirects": "403", "page": "403"}, problem: "not complete"},
		{name: "Keyturn's own sign-in stays", answers: map[string]string{
			"redirects": listOf(registration("5555aaaa-0000-4000-8000-000000000001", "Keyturn", "", "[]", "[]", auth)),
		}, proof: "Keyturn's own sign-in and stays"},
		{name: "named like ours, for another instance", answers: map[string]string{
			"named": listOf(registration(clientA, "ServiceNow M365 support integration (fabrikam.service-now.com)", "", "[]", "[]", "https://fabrikam.service-now.com/auth_redirect.do")),
		}, proof: "no registration of this setup was found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := sample(t, Cleanup, nil)
			f := prove(t, c, StepDiscoverEntra, tt.answers)
			if tt.problem != "" {
				wantProblem(t, f.Problem, tt.problem)
				return
			}
			wantProof(t, f, tt.proof)
			for k, v := range f.Facts {
				c.Run.Facts[k] = Fact{Value: v}
			}
			var strong, weak []string
			for _, x := range foundIn(c, factFoundEntra) {
				if x.Weak {
					weak = append(weak, x.Client)
				} else {
					strong = append(strong, x.Client)
				}
			}
			slices.Sort(strong)
			slices.Sort(tt.strong)
			if !slices.Equal(strong, tt.strong) || !slices.Equal(weak, tt.weak) {
				t.Errorf("found %v (weak %v), expected %v (weak %v)", strong, weak, tt.strong, tt.weak)
			}
			if len(f.Objects) != len(tt.strong) {
				t.Errorf("%d objects go into the inventory, expected %d", len(f.Objects), len(tt.strong))
			}
		})
	}
}

func TestCleaningUpOnePartLeavesTheOther(t *testing.T) {
	c := sample(t, Cleanup, nil)
	c.Run.Options[OptionCleanup] = string(Connector)
	if got := ids(searchEntra(c)); slices.Contains(got, "reader") {
		t.Errorf("the reader is searched too: %v", got)
	}
	f := prove(t, c, StepDiscoverEntra, map[string]string{"redirects": listOf(registration(clientA, "Keyturn service health reader", UniqueReader, "[]", "[]", auth))})
	if strings.Contains(f.Facts[factFoundEntra], clientA) {
		t.Error("the reader would go with the connector")
	}
	c.Run.Options[OptionCleanup] = string(Direct)
	if step(t, c, StepM365Remove).When(c) {
		t.Error("the admin center has nothing of the guide direct")
	}
}

var instanceLeft = map[string]string{
	"entries": rowsOf(
		`{"sys_id":"e1","name":"Support (old)","client_id":"`+clientA+`","type":"oauth_provider","token_url":"https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/token"}`,
		`{"sys_id":"e2","name":"Something else","client_id":"`+clientC+`","type":"oauth_provider","token_url":"https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/token"}`,
		`{"sys_id":"e3","name":"Mail","client_id":"`+clientC+`","type":"oauth_provider","token_url":"https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token"}`,
		`{"sys_id":"e4","name":"Keyturn","client_id":"keyturn-signin","type":"client","token_url":""}`,
		`{"sys_id":"e5","name":"Keyturn unattended (r3)","client_id":"keyturn-r3","type":"client","token_url":""}`),
	"user":       rowsOf(`{"sys_id":"u1","user_name":"keyturn.integration","active":"true"}`),
	"user-roles": rowsOf(`{"sys_id":"h1","user":"u1","user.user_name":"keyturn.integration","role.name":"sn_incident_write","inherited":"false"}`, `{"sys_id":"h2","user":"u1","user.user_name":"keyturn.integration","role.name":"sn_incident_read","inherited":"true"}`),
	"app":        rowsOf(`{"sys_id":"a1","name":"Microsoft 365 support integration","scope":"x_mioms_m365_assis","version":"1.0.11"}`),
	"tables":     rowsOf(`{"sys_id":"t1","name":"oauth_entity","access":"public","read_access":"true"}`, `{"sys_id":"t2","name":"oauth_entity_profile","access":"public","read_access":"false"}`),
	"held":       rowsOf(`{"sys_id":"h3","user.user_name":"abel.tuter","role.name":"x_mioms_m365_assis.insights_user","inherited":"false"}`, `{"sys_id":"h4","user.user_name":"beth","role.name":"x_other.role"}`),
}

func discovered(t *testing.T, c Context) Context {
	t.Helper()
	f := prove(t, c, StepDiscoverServiceNow, instanceLeft)
	if f.Problem != nil {
		t.Fatal(f.Problem.Says)
	}
	for k, v := range f.Facts {
		c.Run.Facts[k] = Fact{Value: v}
	}
	return c
}

func withApp(t *testing.T) Context {
	return sample(t, Cleanup, map[string]string{factFoundEntra: compact([]found{{Kind: "application", ID: testApp, Key: clientA, Client: clientA, Name: "SNOW support", Why: "w", Secrets: 1}})})
}

func TestTheInstanceIsSearchedWithEvidence(t *testing.T) {
	f := prove(t, withApp(t), StepDiscoverServiceNow, instanceLeft)
	wantProof(t, f, "“Support (old)”: its client ID is that of a registration found at Entra", "“Something else”: its token URL", "not chosen by itself",
		"“Keyturn unattended (r3)”: its name is Keyturn's own", "“Keyturn” is Keyturn's own sign-in and stays", "User keyturn.integration", "2 grants of roles",
		"oauth_entity: other scopes may read it", "version 1.0.11")
	for _, never := range []string{"Mail", "beth", "oauth_entity_profile"} {
		if strings.Contains(strings.Join(f.Proof, " ")+f.Facts[factFoundServiceNow], never) {
			t.Errorf("%s is taken for ours", never)
		}
	}
	wantProblem(t, prove(t, withApp(t), StepDiscoverServiceNow, changed(instanceLeft, "held", "403")).Problem, "not complete")
	f = prove(t, sample(t, Cleanup, nil), StepDiscoverServiceNow, nil)
	wantProof(t, f, "no OAuth entry, role, user or switch")
	if f.Facts[factFoundApp] != "" {
		t.Error("an app is found that is not there")
	}
}

func TestTheOwnerChoosesWhatGoes(t *testing.T) {
	c := discovered(t, withApp(t))
	in := step(t, c, StepChooseServiceNow).Guided.Ask(c)[0]
	var offered []string
	for _, o := range in.Options {
		offered = append(offered, o.Value)
		if o.Hint == "" {
			t.Errorf("%s is offered without evidence", o.Label)
		}
	}
	if want := []string{"e1", "e2", "e5", "roles", "u1", "t1"}; !slices.Equal(offered, want) {
		t.Errorf("offered %v, expected %v", offered, want)
	}
	if want := []string{"e1", "e5", "roles", "u1"}; !slices.Equal(in.Values, want) {
		t.Errorf("ticked beforehand: %v, expected %v", in.Values, want)
	}
	facts, wrong := accept(t, c, StepChooseServiceNow, map[string]string{"remove": "e1,t1"})
	if wrong != nil {
		t.Fatal(wrong)
	}
	for k, v := range facts {
		c.Run.Facts[k] = Fact{Value: v}
	}
	if got := chosenRows(c, false, "oauth_entity"); len(got) != 1 || got[0].ID != "e1" {
		t.Errorf("chosen: %v", got)
	}
	if step(t, c, StepRolesRemove).When(c) || step(t, c, StepUserRemove).When(c) || !step(t, c, StepFlagsRestore).When(c) {
		t.Error("the steps do not follow the choice")
	}
	if _, wrong := accept(t, c, StepChooseServiceNow, map[string]string{"remove": "e3"}); wrong == nil {
		t.Error("something is taken that was not offered")
	}
	if facts, _ := accept(t, c, StepChooseServiceNow, map[string]string{"remove": ""}); facts[factChosenServiceNow] != "" {
		t.Error("nothing ticked is not nothing chosen")
	}
}

func TestNothingFoundNeedsNothing(t *testing.T) {
	c := sample(t, Cleanup, map[string]string{factFoundEntra: "null", factFoundServiceNow: "null"})
	for _, id := range []StepID{StepChooseEntra, StepChooseServiceNow, StepRolesRemove, StepUserRemove, StepOAuthRemove, StepFlagsRestore, StepAppRemove, StepSecretsRemove, StepAppsRemove} {
		if step(t, c, id).When(c) {
			t.Errorf("%s is asked for although nothing was found", id)
		}
	}
}

func TestEntriesAreRemovedAndReadBack(t *testing.T) {
	c := discovered(t, withApp(t))
	both := rowsOf(`{"sys_id":"e1"}`, `{"sys_id":"e5"}`)
	p, _ := plan(t, c, StepOAuthRemove, map[string]string{"left-oauth_entity-1": both})
	wantWrites(t, p, "DELETE /api/now/table/oauth_entity/e1", "DELETE /api/now/table/oauth_entity/e5")
	if p.Calls[0].Unmakes != "servicenow/oauth_entity/e1" {
		t.Errorf("the inventory keeps it: %q", p.Calls[0].Unmakes)
	}
	p, _ = plan(t, c, StepOAuthRemove, map[string]string{"left-oauth_entity-1": rowsOf(`{"sys_id":"e5"}`)})
	wantWrites(t, p, "DELETE /api/now/table/oauth_entity/e5")
	p, _ = plan(t, c, StepOAuthRemove, nil)
	wantWrites(t, p)
	_, problem := plan(t, c, StepOAuthRemove, map[string]string{"left-oauth_entity-1": "403"})
	wantProblem(t, problem, "holds admin")
	wantProof(t, prove(t, c, StepOAuthRemove, nil), "not there any more", "Support (old)")
	wantProblem(t, prove(t, c, StepOAuthRemove, map[string]string{"left-oauth_entity-1": both}).Problem, "Still there")
	wantProblem(t, prove(t, c, StepOAuthRemove, map[string]string{"left-oauth_entity-1": "403"}).Problem, "said 403")

	p, _ = plan(t, c, StepRolesRemove, map[string]string{"left-sys_user_has_role-1": rowsOf(`{"sys_id":"h1"}`, `{"sys_id":"h3"}`)})
	wantWrites(t, p, "DELETE /api/now/table/sys_user_has_role/h3", "DELETE /api/now/table/sys_user_has_role/h1")
}

func TestTheUserIsKeptWhereIncidentsNameIt(t *testing.T) {
	c := discovered(t, withApp(t))
	there := rowsOf(`{"sys_id":"u1","user_name":"keyturn.integration","active":"true","locked_out":"false"}`)
	opened := rowsOf(`{"sys_id":"i1","opened_by.user_name":"keyturn.integration"}`)
	p, _ := plan(t, c, StepUserRemove, map[string]string{"left-sys_user-1": there})
	wantWrites(t, p, "DELETE /api/now/table/sys_user/u1")
	p, _ = plan(t, c, StepUserRemove, map[string]string{"left-sys_user-1": there, "opened": opened})
	wantWrites(t, p, "PATCH /api/now/table/sys_user/u1")
	p, _ = plan(t, c, StepUserRemove, map[string]string{"opened": opened})
	wantWrites(t, p)
	_, problem := plan(t, c, StepUserRemove, map[string]string{"opened": "403"})
	wantProblem(t, problem, "said 403")
	wantProof(t, prove(t, c, StepUserRemove, nil), "not there any more")
	wantProof(t, prove(t, c, StepUserRemove, map[string]string{"left-sys_user-1": rowsOf(`{"sys_id":"u1","active":"false","locked_out":"true"}`)}), "inactive and locked")
	wantProblem(t, prove(t, c, StepUserRemove, map[string]string{"left-sys_user-1": there}).Problem, "still active")
}

func TestSwitchesGoBackToWhatWasRecorded(t *testing.T) {
	c := withApp(t)
	c.Objects = []bot.Object{
		{Key: "servicenow/sys_db_object/t1", System: bot.ServiceNow, Kind: "sys_db_object", ID: "t1", Name: "oauth_entity", Before: `{"access":"public","read_access":"false"}`},
		{Key: "servicenow/sys_properties/p1", System: bot.ServiceNow, Kind: "sys_properties", ID: "p1", Name: grantProperty},
	}
	c = discovered(t, c)
	now := map[string]string{
		"left-sys_db_object-1":  rowsOf(`{"sys_id":"t1","name":"oauth_entity","access":"public","read_access":"true"}`),
		"left-sys_properties-1": rowsOf(`{"sys_id":"p1","name":"x","value":"true"}`),
	}
	p, _ := plan(t, c, StepFlagsRestore, now)
	wantWrites(t, p, "PATCH /api/now/table/sys_db_object/t1", "DELETE /api/now/table/sys_properties/p1")
	if string(p.Calls[0].Body) != `{"access":"public","read_access":"false"}` || !strings.Contains(strings.Join(p.Exists, " "), "read_access true") {
		t.Errorf("body %s, exists %v", p.Calls[0].Body, p.Exists)
	}
	back := map[string]string{"left-sys_db_object-1": rowsOf(`{"sys_id":"t1","name":"oauth_entity","access":"public","read_access":"false"}`)}
	p, _ = plan(t, c, StepFlagsRestore, back)
	wantWrites(t, p)
	wantProof(t, prove(t, c, StepFlagsRestore, back), "access public, read_access false", "not there any more")
	wantProblem(t, prove(t, c, StepFlagsRestore, now).Problem, "not back to what it was")
	_, problem := plan(t, c, StepFlagsRestore, changed(now, "left-sys_db_object-1", "403"))
	wantProblem(t, problem, "said 403")
}

func TestSecretsGoBeforeRegistrations(t *testing.T) {
	c := withApp(t)
	app := fmt.Sprintf(`{"id":%q,"appId":%q,"passwordCredentials":%s}`, testApp, clientA, oneSecret)
	p, _ := plan(t, c, StepSecretsRemove, map[string]string{"app-1": app})
	wantWrites(t, p, "POST /applications/"+testApp+"/removePassword")
	if p.Calls[0].Unmakes != "graph/secret/"+testKey {
		t.Errorf("the inventory keeps the secret: %q", p.Calls[0].Unmakes)
	}
	p, _ = plan(t, c, StepSecretsRemove, nil)
	wantWrites(t, p)
	_, problem := plan(t, c, StepSecretsRemove, map[string]string{"app-1": "403"})
	wantProblem(t, problem, "said 403")
	wantProof(t, prove(t, c, StepSecretsRemove, map[string]string{"app-1": strings.Replace(app, oneSecret, "[]", 1)}), "has no client secret")
	wantProblem(t, prove(t, c, StepSecretsRemove, map[string]string{"app-1": app}).Problem, "still has 1 client secret")

	p, _ = plan(t, c, StepAppsRemove, map[string]string{"app-1": app})
	wantWrites(t, p, "DELETE /applications/"+testApp)
	if p.Calls[0].Unmakes != "graph/application/"+clientA {
		t.Errorf("the inventory keeps the registration: %q", p.Calls[0].Unmakes)
	}
	p, _ = plan(t, c, StepAppsRemove, nil)
	wantWrites(t, p)
	_, problem = plan(t, c, StepAppsRemove, map[string]string{"app-1": "403"})
	wantProblem(t, problem, "said 403")
	wantProof(t, prove(t, c, StepAppsRemove, nil), "not there any more")
	wantProblem(t, prove(t, c, StepAppsRemove, map[string]string{"app-1": app}).Problem, "still there")
	wantProblem(t, prove(t, c, StepAppsRemove, map[string]string{"app-1": "403"}).Problem, "said 403")
}

func TestTheAppIsLookedForAfterUninstalling(t *testing.T) {
	c := discovered(t, withApp(t))
	if !step(t, c, StepAppRemove).When(c) {
		t.Error("an installed app needs no removal")
	}
	wantProof(t, prove(t, c, StepAppRemove, nil), "no app with the scope")
	wantProblem(t, prove(t, c, StepAppRemove, map[string]string{"app": instanceLeft["app"]}).Problem, "still installed")
	wantProblem(t, prove(t, c, StepAppRemove, map[string]string{"app": "403"}).Problem, "said 403")
	for _, said := range []string{"removed", "empty", "gone"} {
		if _, wrong := accept(t, c, StepM365Remove, map[string]string{"panel": said}); wrong != nil {
			t.Errorf("%s: %v", said, wrong)
		}
	}
	if _, wrong := accept(t, c, StepM365Remove, map[string]string{"panel": ""}); wrong == nil {
		t.Error("no answer is taken")
	}
}

// What the guides make is what the cleanup finds again by the inventory.
func TestEveryKindOfObjectThatIsMadeIsRemoved(t *testing.T) {
	removed := map[string]bool{}
	c := withApp(t)
	c.Objects = []bot.Object{{Key: "servicenow/sys_db_object/t1", System: bot.ServiceNow, Kind: "sys_db_object", ID: "t1", Before: `{"read_access":"false"}`},
		{Key: "servicenow/sys_scope_privilege/s1", System: bot.ServiceNow, Kind: "sys_scope_privilege", ID: "s1", Before: `{"status":"denied"}`},
		{Key: "servicenow/sys_properties/p1", System: bot.ServiceNow, Kind: "sys_properties", ID: "p1"}}
	answers := changed(instanceLeft, "groups-held", rowsOf(`{"sys_id":"h7","group.name":"Desk","role.name":"x_mioms_m365_assis.insights_user"}`))
	f := prove(t, c, StepDiscoverServiceNow, answers)
	for k, v := range f.Facts {
		c.Run.Facts[k] = Fact{Value: v}
	}
	for _, x := range append(chosenRows(c, false), chosenRows(c, true)...) {
		removed[x.Kind] = true
	}
	for _, kind := range []string{"oauth_entity", "sys_user", "sys_user_has_role", "sys_group_has_role", "sys_properties", "sys_db_object", "sys_scope_privilege"} {
		if !removed[kind] {
			t.Errorf("%s is made by a guide and never removed", kind)
		}
	}
}

// A card that says "below" has something below.
func TestTheAdminCentersCardNamesOnlyWhatStandsOnIt(t *testing.T) {
	c := sample(t, Cleanup, nil)
	says := func(found, want string, copies int) {
		t.Helper()
		c.Run.Keep(StepDiscoverEntra, map[string]string{factFoundEntra: found}, time.Time{})
		g := step(t, c, StepM365Remove).Guided
		var b strings.Builder
		for _, line := range g.Do(c) {
			b.WriteString(line.Plain() + "\n")
		}
		if got := b.String(); !strings.Contains(got, want) || len(g.Copy(c)) != copies || strings.Contains(got, "below") != (copies > 0) {
			t.Errorf("with %s the card has %d values and says:\n%s", found, len(g.Copy(c)), got)
		}
	}
	one := prove(t, c, StepDiscoverEntra, map[string]string{"redirects": listOf(registration(clientA, "Connector", "", "[]", "[]", auth))}).Facts[factFoundEntra]
	if one == "" {
		t.Fatal("nothing is found of what was left")
	}
	says("[]", "remove the application ID that it shows", 0)
	says(one, "remove the application ID that stands below", 1)
}
