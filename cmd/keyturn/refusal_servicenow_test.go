package main

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"keyturn/sim"
	"keyturn/sim/microsoft"
	"keyturn/sim/play"
	"keyturn/sim/servicenow"
	"keyturn/sim/slack"
)

// Everything that the Table API documents as an answer to a read.
func TestWhatServiceNowAnswersToARead(t *testing.T) {
	h := open(t, hasty(&pauseLog{}))
	notIn := nowSays("GET", "oauth_entity", 401, "User Not Authenticated", "Required to provide Auth information")
	notIn(h)
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Sam, "Try again", "signin-servicenow")
	h.expectRefusal(play.Sam, "signin-servicenow", "ServiceNow did not accept the sign-in", "a rule against Basic authentication", "User Not Authenticated")
	h.mended(refusal{})
	h.refusesReads(play.Sam, "signin-servicenow", "Try again", []refusal{
		{name: "oauth_admin missing", provoke: nowSays("GET", "oauth_entity", 403, "Insufficient rights to query records", ""),
			words: []string{"does not let this account read the table oauth_entity", "an account that holds oauth_admin", "a ServiceNow admin can give it", "Insufficient rights to query records"}},
		{name: "a column may not be searched", provoke: nowSays("GET", "oauth_entity", 403, "Insufficient rights to query records", "Field(s) present in the query do not have permission to be read"),
			words: []string{"search the table oauth_entity by one of the columns", "oauth_admin"}},
		{name: "rows hidden by rights", provoke: nowFault(sim.Fault{Method: "GET", Path: "/api/now/table/oauth_entity", Status: 200, Body: `{"result":[]}`}),
			words: []string{"shows no entry with Keyturn's client ID", "an account that holds oauth_admin"}},
		{name: "the record is hidden, as 404", provoke: nowSays("GET", "oauth_entity", 404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval"),
			words: []string{"shows no entry with Keyturn's client ID", "an account that holds oauth_admin"}},
		{name: "the table is not there", provoke: nowSays("GET", "oauth_entity", 400, "Invalid table oauth_entity", ""),
			words: []string{"shows no entry with Keyturn's client ID"}},
		{name: "the instance sleeps", provoke: func(h *house) { h.modes(func(m *servicenow.Modes) { m.Hibernating = true }) },
			mend:  func(h *house) { h.modes(func(m *servicenow.Modes) { m.Hibernating = false }) },
			words: []string{"answered with a web page: it may be asleep", "wake it if it sleeps"}},
		{name: "a sign-in page by redirect", provoke: nowFault(sim.Fault{Method: "GET", Path: "/api/now/table/oauth_entity", Status: 302, Header: http.Header{"Location": {"https://sso.contoso.example/login"}}}),
			words: []string{"pointed to sso.contoso.example", "sign-in page"}},
		{name: "a fault that stays", provoke: nowSays("GET", "oauth_entity", 500, "Internal Server Error", ""),
			words: []string{"ServiceNow has a fault at the moment", "ask whoever looks after the instance"}},
		{name: "no JSON", provoke: nowFault(sim.Fault{Method: "GET", Path: "/api/now/table/oauth_entity", Status: 200, Body: `{"result":[{"sys_id":`}),
			words: []string{"something that cannot be read", "Try again in a few minutes"}},
		{name: "an empty body", provoke: nowFault(sim.Fault{Method: "GET", Path: "/api/now/table/oauth_entity", Status: 200}),
			words: []string{"something that cannot be read"}},
		{name: "broken off with 200", provoke: nowFault(sim.Fault{Method: "GET", Path: "/api/now/table/oauth_entity", Status: 200, Body: `{"result":[],"error":{"message":"Transaction cancelled: maximum execution time exceeded","detail":null},"status":"failure"}`}),
			words: []string{"broke the call off before it was finished", "maximum execution time exceeded"}},
		{name: "a connection that breaks", provoke: nowFault(sim.Fault{Path: "/api/now/table/oauth_entity", Drop: true}),
			words: []string{"ServiceNow could not be reached", "network and firewall"}},
	})
	h.clicks(play.Sam, "Try again", "signin-servicenow")
	h.expectDone(play.Sam, "Keyturn's sign-in at ServiceNow", "type client, active")
	h.everybodyUntilStep(play.Erin, "Approve and run", "entra-app")
}

// A limit per hour is waited out, and its people see until when.
func TestTheRateLimitOfAnInstanceIsWaitedOut(t *testing.T) {
	h := open(t, hasty(&pauseLog{}))
	h.crew.Leave("sn-crossscope")
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Sam, "Approve and run", "sn-crossscope")
	reset := h.now().Add(30 * time.Minute)
	h.world.ServiceNow.Faults.Add(sim.Fault{Method: "PATCH", Path: "/api/now/table/sys_db_object/**", Times: 1, Status: 429,
		Header: http.Header{"Retry-After": {"1800"}, "X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Reset": {strconv.FormatInt(reset.Unix(), 10)}, "X-Ratelimit-Rule": {"9d2a5a1b0f0000000000000000000001"}},
		Body:   `{"error":{"message":"Rate limit exceeded","detail":"Rate limit of 100 requests per hour for Table API exceeded"},"status":"failure"}`})
	h.clicks(play.Sam, "Approve and run", "sn-crossscope")
	h.expectCard(play.Sam, "ServiceNow's rate limit for this user is used up", "Rate limit of 100 requests per hour", "I go on by myself at", "nobody has to do anything")
	h.passes(31 * time.Minute)
	h.expectDone(play.Sam, "Cross-scope read of the OAuth registry", "oauth_entity: all application scopes, can read")
}

func TestWhatServiceNowRefusesWhenTablesAreOpened(t *testing.T) {
	h := open(t, hasty(&pauseLog{}))
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Sam, "Approve and run", "sn-crossscope")
	h.expectApproval(play.Sam, "sn-crossscope", "Read operation against 'oauth_entity' from scope 'x_mioms_m365_assis' has been refused due to the table's cross-scope access policy", "Every scoped app on the instance can then read both tables")
	h.refusesWrites(play.Sam, "sn-crossscope", []refusal{
		{name: "admin missing", provoke: nowSays("PATCH", "sys_db_object", 403, "Operation Failed", "ACL Exception Update Failed due to security constraints"),
			words: []string{"does not let this account change the table sys_db_object", "It takes the role admin", "security_admin, which only a person can elevate to", "Operation Failed"}},
		{name: "a business rule", provoke: func(h *house) {
			h.modes(func(m *servicenow.Modes) {
				m.Refusals = []servicenow.Refusal{{Table: "sys_db_object", Operation: "update", Rule: "Protect platform tables", Why: "Ask the platform board first"}}
			})
		}, mend: func(h *house) { h.modes(func(m *servicenow.Modes) { m.Refusals = nil }) },
			words: []string{"A rule of this instance refused the change to the table sys_db_object", "Protect platform tables", "Ask the platform board first", "A ServiceNow admin can tell what the rule wants"}},
		{name: "answered by a gateway's page", provoke: nowFault(sim.Fault{Method: "PATCH", Path: "/api/now/table/sys_db_object/**", Status: 502, Type: "text/html", Body: "<html>Bad gateway</html>"}),
			words: []string{"answered with a web page"}},
	})
	h.clicks(play.Sam, "I did it by hand, check", "sn-crossscope")
	h.expectRefusal(play.Sam, "sn-crossscope", "Other scopes still cannot read oauth_entity", "All application scopes, Can read", "Global scope")
	h.again(play.Sam, "sn-crossscope")
	h.idle() // every card is drawn anew, so that the click is on the plan of now
	h.clicks(play.Sam, "Approve and run", "sn-crossscope")
	h.expectDone(play.Sam, "Cross-scope read of the OAuth registry", "oauth_entity_profile: all application scopes, can read")

	h.in("Setup still shows the error", func() {
		h.crew.Leave("sn-scope")
		h.answerButton(play.Sam, "sn-scope")
		h.clicks(play.Sam, "Say what Setup shows", "sn-scope")
		h.submitsInVain(play.Sam, map[string]any{"setup": "refused"}, "setup", "have the step “Cross-scope read of the OAuth registry” checked again")
		h.submitsInVain(play.Sam, map[string]any{"setup": "scope"}, "setup", "Then the app is not installed")
	})
}

func TestWhatServiceNowRefusesWhenTheOAuthProviderIsMade(t *testing.T) {
	h := open(t, hasty(&pauseLog{}))
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Sam, "Approve and run", "sn-oauth")
	table := "oauth_entity"
	h.refusesWrites(play.Sam, "sn-oauth", []refusal{
		{name: "oauth_admin missing", provoke: nowSays("POST", table, 403, "Operation Failed", "ACL Exception Insert Failed due to security constraints"),
			words: []string{"does not let this account change the table oauth_entity", "It takes the role oauth_admin"}},
		{name: "the secret is refused", provoke: func(h *house) { h.modes(func(m *servicenow.Modes) { m.SecretWrite = servicenow.SecretRefused }) },
			mend:  func(h *house) { h.modes(func(m *servicenow.Modes) { m.SecretWrite = servicenow.SecretStored }) },
			words: []string{"A rule of this instance refused", "Client Secret can only be set in the form", "types its value into Client Secret"}},
		{name: "the name is taken", provoke: nowSays("POST", table, 403, "Operation Failed", "Error during insert of oauth_entity (x). Unique Key violation detected by database (Duplicate entry 'x' for key 'name')"),
			words: []string{"has the same name or key", "rename or delete it if it is a leftover"}},
		{name: "not understood", provoke: nowSays("POST", table, 400, "Exception while reading request", "The payload is not valid JSON."),
			words: []string{"ServiceNow did not understand the call", "Nothing was changed"}},
	})
	h.in("a second default profile", func() {
		nowSays("PATCH", "oauth_entity_profile", 403, "Operation Failed", "Operation against file 'oauth_entity_profile' was aborted by Business Rule 'Validate OAuth entity profile^1'. Business Rule Stack:Validate OAuth entity profile. Error: Only one default profile is allowed for an OAuth provider")(h)
		h.clicks(play.Sam, "Approve and run", "sn-oauth")
		h.expectRefusal(play.Sam, "sn-oauth", "A rule of this instance refused the change to the table oauth_entity_profile", "Only one default profile is allowed")
		h.mended(refusal{})
	})
	h.in("the entry is in another scope", func() {
		h.adminNow("DELETE", "/api/now/table/oauth_entity/"+h.provider()["sys_id"], nil)
		h.pick("x_mioms_m365_assis")
		h.again(play.Sam, "sn-oauth")
		h.clicks(play.Sam, "Approve and run", "sn-oauth")
		h.expectRefusal(play.Sam, "sn-oauth", "The entry is in the scope", "not in Global", "I delete the entry and make it there")
		h.pick("global")
		h.again(play.Sam, "sn-oauth")
		h.expectApproval(play.Sam, "sn-oauth", "it is deleted and made again")
	})
	h.clicks(play.Sam, "Approve and run", "sn-oauth")
	h.expectDone(play.Sam, "OAuth provider in Application Registry", "entry in Global, active", "with client credentials")
	if e := h.provider(); e["sys_scope"] != "global" {
		t.Errorf("the entry is in the scope %s", e["sys_scope"])
	}
}

// A release that stores the type under its other name gets that name.
func TestAnInstanceThatCallsTheTypeConsumer(t *testing.T) {
	h := open(t, func(s *setting) { s.Type = "consumer" }, hasty(&pauseLog{}))
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Sam, "Approve and run", "sn-oauth")
	h.clicks(play.Sam, "Approve and run", "sn-oauth")
	h.expectDone(play.Sam, "OAuth provider in Application Registry")
	if e := h.provider(); e["type"] != "consumer" {
		t.Errorf("the entry has the type %q, expected consumer", e["type"])
	}
}

// garbled plays the connector until the wizard, on an instance that stores
// another secret than the one that it was given. It gives the wizard's card.
func (h *house) garbled() play.Card {
	h.Helper()
	h.modes(func(m *servicenow.Modes) { m.SecretWrite = servicenow.SecretGarbled })
	h.crew.Leave("sn-finish")
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Sam, "Say what happened", "sn-finish")
	c, _ := h.answerButton(play.Sam, "sn-finish")
	if _, err := h.crew.ByHand(h.Context(), play.Sam, "sn-finish", c); err == nil {
		h.Fatal("the wizard finished with a garbled secret")
	}
	h.clicks(play.Sam, "Say what happened", "sn-finish")
	return c
}

// A secret that the instance garbles is noticed at the finish, by its own log.
func TestAGarbledSecretIsNoticedInTheLogOfTheInstance(t *testing.T) {
	h := open(t, hasty(&pauseLog{}))
	c := h.garbled()
	h.submits(play.Sam, map[string]any{"result": "fine"}) // a page that says it is done proves little
	h.expectRefusal(play.Sam, "sn-finish", "asked for a token and got 401", "the secret that ServiceNow stored is not the one Entra issued", "Have the secret written again")
	h.modes(func(m *servicenow.Modes) { m.SecretWrite = servicenow.SecretStored })
	made := h.adminGraph("POST", "/applications(appId='"+h.oneRegistration().AppID+"')/addPassword", map[string]any{"passwordCredential": map[string]any{"displayName": "by hand"}})
	h.adminNow("PATCH", "/api/now/table/oauth_entity/"+h.provider()["sys_id"]+"?sysparm_input_display_value=true", map[string]any{"client_secret": made["secretText"]})
	h.later(time.Minute)
	if _, err := h.crew.ByHand(h.Context(), play.Sam, "sn-finish", c); err != nil {
		t.Fatal(err)
	}
	h.clicks(play.Sam, "I fixed it, check", "sn-finish")
	h.expectDone(play.Sam, "Finish the wizard and test", "token request answered 200")
	h.everybodyUntil("✅ finished")
}

func TestNobodyMayHoldTheAdministratorRole(t *testing.T) {
	h := open(t, hasty(&pauseLog{}))
	grant := func(held bool) {
		if err := h.world.ServiceNow.Grant(play.Max.Now, "x_mioms_m365_assis.administrator", held); err != nil {
			t.Fatal(err)
		}
	}
	grant(true)
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Sam, "Approve and run", "sn-roles")
	h.clicks(play.Sam, "Approve and run", "sn-roles")
	h.expectRefusal(play.Sam, "sn-roles", "x_mioms_m365_assis.administrator is held by "+play.Max.Now, "open cases with Microsoft support", "Take the role away")
	h.until("a card without a way around the check", func(s *slack.State) bool {
		_, buttons := h.section(s, play.Sam, "sn-roles")
		return len(buttons) > 0 && !slices.Contains(buttons, "Skip with reason")
	})
	grant(false)
	h.clicks(play.Sam, "I fixed it, check", "sn-roles")
	h.expectDone(play.Sam, "Who sees service health in ServiceNow", play.Max.Now+" has x_mioms_m365_assis.insights_user", "no user and no group is listed")
}

// Without the app, or without its service, the requester is asked before
// anything is written.
func TestAnAppOrAServiceThatIsGoneIsSaidBeforeAnyWrite(t *testing.T) {
	for _, tt := range []struct {
		name       string
		gone, back func(h *house)
		words      []string
	}{
		{"the app is not installed", func(h *house) { _ = h.world.ServiceNow.SetApp(servicenow.NotInstalled) }, func(h *house) { _ = h.world.ServiceNow.SetApp("1.0.11") },
			[]string{"The app with the scope x_mioms_m365_assis is not on " + play.Instance}},
		{"the name has no address", func(h *house) { _ = h.world.Microsoft.SetWorld(microsoft.ShutDown) }, func(h *house) { _ = h.world.Microsoft.SetWorld(microsoft.Alive) },
			[]string{"connector.rave.microsoft.com has no address any more", "The app is still on " + play.Instance}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t, hasty(&pauseLog{}))
			tt.gone(h)
			h.crew.Leave("preflight-panel") // the admin center has lost its panel too
			h.fromNow()
			h.begins("connector", nil)
			h.everybodyUntilStep(play.Sam, "Try again", "preflight")
			h.expectRefusal(play.Sam, "preflight", append(tt.words, "Microsoft says that it shut this connector down on 2025-05-30", "Nothing was written", "guide direct", "guide cleanup")...)
			h.expectNoWrites()
			tt.back(h)
			h.crew.Touch("preflight-panel")
			h.clicks(play.Sam, "Try again", "preflight")
			h.everybodyUntilStep(play.Erin, "Approve and run", "entra-app")
		})
	}
}

// The 2.x wizard is another one: its cards follow the version that was found.
func TestTheWizardOfVersion2HasItsOwnCards(t *testing.T) {
	h := open(t, hasty(&pauseLog{}))
	if err := h.world.ServiceNow.SetApp("2.1.0"); err != nil {
		t.Fatal(err)
	}
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Sam, "I am on the last page", "sn-wizard")
	var text string
	h.until("the card of the 2.x wizard", func(s *slack.State) bool {
		text, _ = h.section(s, play.Sam, "sn-wizard")
		return containsAll(text, []string{"Start setup", "Tenant domain", "Do NOT press Next (2.x: Test setup) yet"})
	})
	if strings.Contains(text, "Skip current step") {
		t.Error("the card of the 2.x wizard asks for a button that only 1.x has")
	}
}

func TestWhatServiceNowRefusesForUnattendedWork(t *testing.T) {
	h := open(t, hasty(&pauseLog{}))
	h.begins("direct", nil)
	h.everybodyUntilStep(play.Sam, "Approve and run", "sn-unattended")
	h.refusesWrites(play.Sam, "sn-unattended", []refusal{
		{name: "user_admin missing", provoke: nowSays("POST", "sys_user", 403, "Operation Failed", "ACL Exception Insert Failed due to security constraints"),
			words: []string{"does not let this account change the table sys_user", "user_admin, or admin"}},
		{name: "the role may not be given", provoke: nowSays("POST", "sys_user_has_role", 403, "Operation Failed", "ACL Exception Insert Failed due to security constraints"),
			words: []string{"does not let this account change the table sys_user_has_role", "user_admin"}},
		{name: "the registry entry is refused", provoke: nowSays("POST", "oauth_entity", 403, "Operation Failed", "ACL Exception Insert Failed due to security constraints"),
			words: []string{"does not let this account change the table oauth_entity", "oauth_admin"}},
	})
	denied := nowFault(sim.Fault{Method: "POST", Path: "/oauth_token.do", Status: 401, Body: `{"error":"access_denied","error_description":"client_credentials grant type is not enabled on this instance"}`})
	denied(h)
	h.clicks(play.Sam, "Approve and run", "sn-unattended")
	h.expectRefusal(play.Sam, "sn-unattended", "the user could not sign in", "client_credentials grant type is not enabled", "glide.oauth.inbound.client.credential.grant_type.enabled")
	h.mended(refusal{})
	h.refusesReads(play.Sam, "sn-unattended", "I fixed it, check", []refusal{
		{name: "wrong client", provoke: nowFault(sim.Fault{Method: "POST", Path: "/oauth_token.do", Status: 401, Body: `{"error":"invalid_client","error_description":"access_denied"}`}),
			words: []string{"ServiceNow gives no token for this client", "OAuth Application User", "invalid_client"}},
		{name: "no token endpoint", provoke: nowFault(sim.Fault{Method: "POST", Path: "/oauth_token.do", Status: 404, Type: "text/html", Body: "<html></html>"}),
			words: []string{"has no token endpoint at its usual address", "com.snc.platform.security.oauth"}},
		{name: "the user may not read incidents", provoke: nowSays("GET", "incident", 403, "Insufficient rights to query records", ""),
			words: []string{"the user could not sign in and read an incident", "role itil"}},
	})
	h.in("somebody switched client credentials off", func() {
		id := h.row("sys_properties", "name=glide.oauth.inbound.client.credential.grant_type.enabled")
		h.adminNow("PATCH", "/api/now/table/sys_properties/"+id, map[string]string{"value": "false"})
		h.clicks(play.Sam, "I fixed it, check", "sn-unattended")
		h.expectRefusal(play.Sam, "sn-unattended", "The property glide.oauth.inbound.client.credential.grant_type.enabled is not true", "Try again: the calls set it")
		h.again(play.Sam, "sn-unattended")
		h.clicks(play.Sam, "Approve and run", "sn-unattended")
	})
	h.expectDone(play.Sam, "ServiceNow sign-in for unattended work", "signed in as the user and read the incident table")
}

func TestWhatAnInstanceDemandsOfIncidents(t *testing.T) {
	h := open(t, hasty(&pauseLog{}))
	h.modes(func(m *servicenow.Modes) { m.Mandatory = []string{"contact_type"} })
	h.crew.Leave("sn-incidents")
	h.begins("direct", nil)
	h.everybodyUntilStep(play.Sam, "Correct it", "sn-incidents")
	h.expectRefusal(play.Sam, "sn-incidents", "the instance demands", "(contact_type)", "add it under Further columns")
	correct := func(values map[string]any) {
		h.Helper()
		h.clicks(play.Sam, "Correct it", "sn-incidents")
		h.submits(play.Sam, values)
	}
	correct(map[string]any{"columns": "contact_type = self-service", "group": "Nobody's Desk", "category": "Weather"})
	h.expectRefusal(play.Sam, "sn-incidents", "no active group is called “Nobody's Desk”", "the instance has no category “Weather”, it has:", "Software")
	correct(map[string]any{"group": "Service Desk", "category": "Software"})
	h.refusesWrites(play.Sam, "sn-incidents", []refusal{
		{name: "a business rule that names fields", provoke: func(h *house) {
			h.modes(func(m *servicenow.Modes) {
				m.Refusals = []servicenow.Refusal{{Table: "incident", Operation: "insert", Rule: "Callers must be employees", Why: "Choose another caller", Fields: []string{"caller_id"}}}
			})
		}, mend: func(h *house) { h.modes(func(m *servicenow.Modes) { m.Refusals = nil }) },
			words: []string{"A rule of this instance refused the change to the table incident", "Callers must be employees", "Choose another caller (caller_id)"}},
		{name: "a data policy", provoke: nowSays("POST", "incident", 403, "Operation Failed", "Data Policy Exception: The following fields are mandatory: Business service"),
			words: []string{"A rule of this instance refused", "The following fields are mandatory: Business service"}},
		{name: "the user lacks the role", provoke: nowSays("POST", "incident", 403, "Operation Failed", "ACL Exception Insert Failed due to security constraints"),
			words: []string{"does not let this account change the table incident", "role itil"}},
	})
	h.clicks(play.Sam, "Approve and run", "sn-incidents")
	h.expectDone(play.Sam, "A test incident in ServiceNow", "reached the group Service Desk and is cancelled")
	h.everybodyUntil("✅ finished")
}
