package main

import (
	"strings"
	"testing"
	"time"

	"keyturn/sim"
	"keyturn/sim/microsoft"
	"keyturn/sim/play"
	"keyturn/sim/slack"
)

const insufficient = "Insufficient privileges to complete the operation."

// Everything that Graph documents as a refusal of a write to a registration.
func TestWhatEntraRefusesWhenARegistrationIsMade(t *testing.T) {
	h := open(t, hasty(&pauseLog{}))
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Erin, "Approve and run", "entra-app")
	patch := "/applications*"
	h.refusesWrites(play.Erin, "entra-app", []refusal{
		{name: "role missing", provoke: graphSays("PATCH", patch, 403, "Authorization_RequestDenied", insufficient),
			words: []string{"A role or permission for this is missing.", "Application Administrator or Cloud Application Administrator", "if you hold it in PIM, activate it and sign in again", "Authorization_RequestDenied · request 5f0c1e7a"}},
		{name: "role held but not active", provoke: graphSays("PATCH", patch, 403, "Authorization_RequestDenied", "The role is not active. Activate the role in Privileged Identity Management."),
			words: []string{"held but not active", "Activate it in Privileged Identity Management"}},
		{name: "sign-in no longer valid", provoke: graphSays("PATCH", patch, 401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid."),
			words: []string{"The sign-in for this call has expired", "Sign in again", "InvalidAuthenticationToken"}},
		{name: "Conditional Access asks for more", provoke: graphFault(sim.Fault{Method: "PATCH", Path: "/graph/v1.0/applications*", Status: 401,
			Header: map[string][]string{"Www-Authenticate": {`Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="`}},
			Body:   `{"error":{"code":"InvalidAuthenticationToken","message":"TokenCreatedWithOutdatedPolicies"}}`}),
			words: []string{"stronger sign-in", "Conditional Access", "Sign in again"}},
		{name: "a limit of the directory", provoke: graphSays("PATCH", patch, 400, "Directory_QuotaExceeded", "The directory object quota limit for the Principal has been exceeded."),
			words: []string{"A limit of the directory is reached", "An Entra admin can remove unused objects", "Directory_QuotaExceeded"}},
		{name: "bad body", provoke: graphSays("PATCH", patch, 400, "Request_BadRequest", "Invalid value specified for property 'web' of resource 'Application'."),
			words: []string{"did not understand the call", "Invalid value specified for property", "Nothing was changed"}},
		{name: "changed at the same time", provoke: graphSays("PATCH", patch, 412, "Directory_ConcurrencyViolation", "ETag mismatch."),
			words: []string{"Somebody changed this at the same moment"}},
		{name: "an unknown error that wraps another", provoke: graphSays("PATCH", patch, 403, "UnknownError", `{"code":"Forbidden","message":"{\"error\":{\"code\":\"Forbidden\",\"message\":\"The caller may not do this here. ActivityId: 1\"}}"}`),
			words: []string{"does not allow this for the account", "The caller may not do this here", "Application Administrator"}},
		{name: "a web page instead of an answer", provoke: graphFault(sim.Fault{Method: "PATCH", Path: "/graph/v1.0/applications*", Status: 200, Type: "text/html", Body: "<html>Sign in to the proxy</html>"}),
			words: []string{"A web page came back", "A proxy or sign-in page probably stands in between"}},
		{name: "a fault that stays", provoke: graphSays("PATCH", patch, 503, "serviceNotAvailable", "The service is unavailable."),
			words: []string{"may or may not have taken effect"}},
		{name: "a connection that breaks", provoke: graphFault(sim.Fault{Method: "PATCH", Path: "/graph/v1.0/applications*", Drop: true}),
			words: []string{"lost before it answered", "may or may not have taken effect"}},
	})
	h.clicks(play.Erin, "Approve and run", "entra-app")
	h.expectDone(play.Erin, "App registration for ServiceNow", "single tenant", "service principal present")
	h.oneRegistration()
}

// oneRegistration gives the registration for ServiceNow, of which there has to
// be exactly one.
func (h *house) oneRegistration() microsoft.InventoryApp {
	h.Helper()
	var found []microsoft.InventoryApp
	for _, a := range h.world.Microsoft.Inventory().Apps {
		if a.Name == "ServiceNow M365 support integration ("+play.Instance+")" {
			found = append(found, a)
		}
	}
	if len(found) != 1 {
		h.Fatalf("there are %d registrations for ServiceNow, expected one", len(found))
	}
	return found[0]
}

// What only lasts a moment is waited out, and nobody has to know.
func TestWhatPassesByItselfAtEntraIsNotShown(t *testing.T) {
	pauses := &pauseLog{}
	h := open(t, withLag, hasty(pauses))
	if err := h.world.Microsoft.SetLag(microsoft.Lag{Principal: 3, Password: 3, Assignment: 2, Token: 3}); err != nil {
		t.Fatal(err)
	}
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Erin, "Approve and run", "entra-app")
	h.world.Microsoft.Faults.Add(sim.Throttled("/graph/v1.0/applications*", 2, 7*time.Second))
	h.world.Microsoft.Faults.Add(sim.Fault{Method: "GET", Path: "/graph/v1.0/applications*", Times: 2, Status: 504, Body: `{"error":{"code":"GatewayTimeout","message":""}}`})
	h.world.Microsoft.Faults.Add(sim.Fault{Method: "PATCH", Path: "/graph/v1.0/servicePrincipals*", Times: 1, Drop: true, After: true})
	h.clicks(play.Erin, "Approve and run", "entra-app")
	h.expectDone(play.Erin, "App registration for ServiceNow", "service principal present")
	if !pauses.took(7 * time.Second) {
		t.Errorf("Graph asked for 7 s, and no such pause was taken: %v", pauses.taken)
	}
	h.everybodyUntilStep(play.Erin, "Approve and run", "entra-secret")
	h.clicks(play.Erin, "Approve and run", "entra-secret")
	h.expectDone(play.Erin, "Client secret for ServiceNow", "a token was issued")
	for _, m := range h.world.Slack.Snapshot().Messages {
		if m.Bot && containsAll(m.Text, []string{"⛔"}) {
			t.Errorf("somebody was told of a failure that passed by itself: %s", m.Text)
		}
	}
	h.oneRegistration()
}

func TestWhatEntraRefusesWhenASecretIsMade(t *testing.T) {
	h := open(t, hasty(&pauseLog{}))
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Erin, "Approve and run", "entra-secret")
	policy := func(p microsoft.SecretPolicy) {
		if err := h.world.Microsoft.SetPolicy(p); err != nil {
			t.Fatal(err)
		}
	}
	nobodyReads := graphSays("GET", "/policies/defaultAppManagementPolicy", 403, "Authorization_RequestDenied", insufficient)
	add := "/applications*/addPassword"
	h.refusesWrites(play.Erin, "entra-secret", []refusal{
		{name: "role missing", provoke: graphSays("POST", add, 403, "Authorization_RequestDenied", insufficient),
			words: []string{"A role or permission for this is missing.", "Application Administrator", "Authorization_RequestDenied"}},
		{name: "the policy forbids secrets, which could not be read before", provoke: func(h *house) {
			nobodyReads(h)
			policy(microsoft.SecretPolicy{Enabled: true, ForbidSecrets: true})
		}, mend: func(h *house) { h.world.Microsoft.Faults.Clear(); policy(microsoft.SecretPolicy{}) },
			words: []string{"policy of the organisation does not allow", "An Entra admin can exempt", "CredentialTypeNotAllowedAsPerAppPolicy"}},
		{name: "the same as 403 without a code of its own", provoke: func(h *house) {
			nobodyReads(h)
			policy(microsoft.SecretPolicy{Enabled: true, ForbidSecrets: true, Status: 403, Code: "Authorization_RequestDenied"})
		}, mend: func(h *house) { h.world.Microsoft.Faults.Clear(); policy(microsoft.SecretPolicy{}) },
			words: []string{"policy of the organisation does not allow", "An Entra admin can exempt"}},
		{name: "a shorter life is asked for", provoke: func(h *house) {
			nobodyReads(h)
			policy(microsoft.SecretPolicy{Enabled: true, MaxLifetime: 90 * 24 * time.Hour})
		}, mend: func(h *house) { h.world.Microsoft.Faults.Clear(); policy(microsoft.SecretPolicy{}) },
			words: []string{"does not let a credential live this long", "with a shorter life", "CredentialLifetimeExceedsMaxValueAsPerAppPolicy"}},
		{name: "an answer without the secret", provoke: graphFault(sim.Fault{Method: "POST", Path: "/graph/v1.0" + add, Status: 200, Body: `{"keyId":"44444444-0000-4000-8000-000000000001"}`}),
			words: []string{"answered, but without"}},
		{name: "an empty answer", provoke: graphFault(sim.Fault{Method: "POST", Path: "/graph/v1.0" + add, Status: 200}),
			words: []string{"its answer cannot be read"}},
	})

	h.in("the policy is read ahead: no secrets", func() {
		policy(microsoft.SecretPolicy{Enabled: true, ForbidSecrets: true})
		h.fromNow()
		h.clicks(play.Erin, "Approve and run", "entra-secret")
		h.expectRefusal(play.Erin, "entra-secret", "Your tenant does not allow client secrets", "the tenant's default app management policy forbids adding them", "An Entra admin can assign an app management policy")
		h.expectNoWrites()
		policy(microsoft.SecretPolicy{Enabled: true, MaxLifetime: 90 * 24 * time.Hour})
		h.again(play.Erin, "entra-secret")
	})
	h.in("the policy is read ahead: a shorter life", func() {
		h.expectApproval(play.Erin, "entra-secret", "A secret may live 90 days here")
	})
	proof := tokenSays(401, 7000215, "invalid_client", "Invalid client secret provided.")
	proof(h)
	h.clicks(play.Erin, "Approve and run", "entra-secret")
	h.expectRefusal(play.Erin, "entra-secret", "no token was issued", "AADSTS7000215")
	h.world.Microsoft.Faults.Clear()
	h.refusesReads(play.Erin, "entra-secret", "I fixed it, check", tokenRefusals)
	h.clicks(play.Erin, "I fixed it, check", "entra-secret")
	h.expectDone(play.Erin, "Client secret for ServiceNow", "a token was issued")
	if s := h.oneRegistration().Secrets; len(s) != 1 {
		t.Errorf("after all the refusals there are other secrets than one: %v", s)
	}
}

// tokenRefusals are the documented answers of Microsoft sign-in to an
// application that asks for a token.
var tokenRefusals = []refusal{
	{name: "wrong secret", provoke: tokenSays(401, 7000215, "invalid_client", "Invalid client secret provided."),
		words: []string{"The client secret is wrong", "Value is needed, not its Secret ID", "AADSTS7000215"}},
	{name: "expired secret", provoke: tokenSays(401, 7000222, "invalid_client", "The provided client secret keys are expired."),
		words: []string{"The client secret has expired", "AADSTS7000222"}},
	{name: "application not in the tenant", provoke: tokenSays(400, 700016, "unauthorized_client", "Application was not found in the directory."),
		words: []string{"This application is not known in the tenant", "Check the client ID and the tenant", "AADSTS700016"}},
	{name: "application disabled", provoke: tokenSays(401, 7000112, "unauthorized_client", "Application is disabled."),
		words: []string{"The application is disabled", "An Entra admin can enable it", "AADSTS7000112"}},
	{name: "tenant unknown", provoke: tokenSays(400, 90002, "invalid_tenant", "Tenant was not found."),
		words: []string{"Microsoft does not know this tenant", "AADSTS90002"}},
	{name: "no consent", provoke: tokenSays(400, 65001, "invalid_grant", "The user or administrator has not consented to use the application."),
		words: []string{"Nobody has consented", "A Privileged Role Administrator", "AADSTS65001"}},
	{name: "Conditional Access", provoke: tokenSays(400, 53003, "invalid_grant", "Access has been blocked by Conditional Access policies."),
		words: []string{"Conditional Access blocks this sign-in", "The Entra admin can see the policy", "AADSTS53003"}},
	{name: "certificate not accepted", provoke: tokenSays(401, 700027, "invalid_client", "Client assertion contains an invalid signature."),
		words: []string{"signature of the application's certificate was not accepted", "AADSTS700027"}},
	{name: "a number that nobody has explained", provoke: tokenSays(400, 7654321, "invalid_request", "Something new."),
		words: []string{"Something new", "AADSTS7654321"}},
	{name: "a web page instead of a token", provoke: graphFault(sim.Fault{Method: "POST", Path: "/login/*/oauth2/v2.0/token", Status: 200, Type: "text/html", Body: "<html></html>"}),
		words: []string{"cannot be read", "proxy"}},
}

// The way back is refused like the way there, and stays the way back.
func TestWhatEntraRefusesWhenARegistrationIsDeleted(t *testing.T) {
	h := open(t, hasty(&pauseLog{}))
	h.crew.Leave("entra-secret")
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Erin, "Approve and run", "entra-app")
	h.clicks(play.Erin, "Approve and run", "entra-app")
	h.expectDone(play.Erin, "App registration for ServiceNow")
	h.clicks(play.Erin, "Undo", "entra-app")
	h.refusesWrites(play.Erin, "entra-app", []refusal{
		{name: "role missing", provoke: graphSays("DELETE", "/applications/*", 403, "Authorization_RequestDenied", insufficient),
			words: []string{"A role or permission for this is missing.", "Application Administrator", "Authorization_RequestDenied"}},
		{name: "a fault that stays", provoke: graphSays("DELETE", "/applications/*", 503, "serviceNotAvailable", ""),
			words: []string{"may or may not have taken effect"}},
	})
	h.oneRegistration()
	if err := h.world.Microsoft.SetQuirks(microsoft.Quirks{UniqueNameStaysBusy: true}); err != nil {
		t.Fatal(err)
	}
	h.clicks(play.Erin, "Approve and run", "entra-app")
	h.until("the step to be planned anew", func(s *slack.State) bool {
		text, _ := h.section(s, play.Erin, "entra-app")
		return strings.Contains(text, "Makes the registration")
	})
	h.refusesWrites(play.Erin, "entra-app", []refusal{{name: "a deleted registration keeps the name", provoke: func(*house) {},
		mend:  func(h *house) { _ = h.world.Microsoft.SetQuirks(microsoft.Quirks{}) },
		words: []string{"a deleted one keeps it for 30 days", "Deleted applications", "ObjectConflict"}}})
	h.clicks(play.Erin, "Approve and run", "entra-app")
	h.expectDone(play.Erin, "App registration for ServiceNow")
	h.oneRegistration()
}

func TestRegistrationsOfTheSameNameAreNamed(t *testing.T) {
	h := open(t, hasty(&pauseLog{}))
	name := "ServiceNow M365 support integration (" + play.Instance + ")"
	first, err := h.world.Microsoft.Register(microsoft.App{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	second, err := h.world.Microsoft.Register(microsoft.App{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	h.begins("connector", nil)
	h.everybodyUntilStep(play.Erin, "Approve and run", "entra-app")
	h.expectApproval(play.Erin, "entra-app", first.AppID, second.AppID, "I leave it alone")
	h.clicks(play.Erin, "I did it by hand, check", "entra-app")
	h.expectRefusal(play.Erin, "entra-app", "2 registrations have this name", "Rename or delete the others")
	h.again(play.Erin, "entra-app")
	h.clicks(play.Erin, "Approve and run", "entra-app")
	h.expectDone(play.Erin, "App registration for ServiceNow", "service principal present")
}

// The health reader: what Graph refuses on the way, and at the proof by token.
func TestWhatEntraRefusesForTheHealthReader(t *testing.T) {
	h := open(t, withoutServiceNow, hasty(&pauseLog{}))
	h.begins("direct", nil)
	h.everybodyUntilStep(play.Erin, "Approve and run", "reader-app")
	h.refusesWrites(play.Erin, "reader-app", []refusal{
		{name: "role missing for the registration", provoke: graphSays("PATCH", "/applications*", 403, "Authorization_RequestDenied", insufficient),
			words: []string{"A role or permission for this is missing.", "Application Administrator", "Authorization_RequestDenied"}},
		{name: "the policy forbids certificates too", provoke: graphSays("PATCH", "/applications*", 400, "CredentialTypeNotAllowedAsPerAppPolicy", "Credential type not allowed as per assigned policy"),
			words: []string{"does not allow this kind of credential", "An Entra admin can exempt"}},
		{name: "the service principal is refused for good", provoke: graphSays("PATCH", "/servicePrincipals*", 403, "Authorization_RequestDenied", "The service principal's application must be in the local tenant."),
			words: []string{"does not find the application in this tenant", "Try again in a minute", "Application Administrator"}},
		{name: "the application is never known everywhere", provoke: graphFault(sim.Fault{Method: "PATCH", Path: "/graph/v1.0/servicePrincipals*", Status: 400,
			Body: `{"error":{"code":"Request_BadRequest","message":"The appId 'x' of the service principal does not reference a valid application object.","details":[{"code":"NoBackingApplicationObject","message":"","target":"appId"}]}}`}),
			words: []string{"does not know the application everywhere yet", "Try again in a minute", "NoBackingApplicationObject"}},
	})
	tokenSays(401, 700027, "invalid_client", "Client assertion contains an invalid signature.")(h)
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectRefusal(play.Erin, "reader-app", "no token was issued for its key", "AADSTS700027")
	h.world.Microsoft.Faults.Clear()
	h.refusesReads(play.Erin, "reader-app", "I fixed it, check", append(tokenRefusals,
		refusal{name: "somebody disabled the registration", provoke: func(h *house) { h.disableReader(true) }, mend: func(h *house) { h.disableReader(false) },
			words: []string{"The application is disabled", "An Entra admin can enable it", "AADSTS7000112"}}))
	h.clicks(play.Erin, "I fixed it, check", "reader-app")
	h.expectDone(play.Erin, "Registration for reading service health", "a token was issued for the key")
	h.everybodyUntil("✅ finished")
}

func (h *house) disableReader(yes bool) {
	h.Helper()
	for _, a := range h.world.Microsoft.Inventory().Apps {
		if a.UniqueName == "keyturn-health-reader" {
			if err := h.world.Microsoft.DisableApp(a.AppID, yes); err != nil {
				h.Fatal(err)
			}
		}
	}
}

// Consent happens elsewhere: the step looks again and again. What it waits for
// is not a failure; what stands in the way is said while it goes on looking.
func TestWhatStandsInTheWayOfConsentIsSaid(t *testing.T) {
	h := open(t, withoutServiceNow, hasty(&pauseLog{}))
	h.crew.Leave("reader-consent")
	h.begins("direct", nil)
	h.everybodyUntilStep(play.Priya, "I did it, check", "reader-consent")
	const health = "/admin/serviceAnnouncement/healthOverviews"
	says := func(words ...string) {
		h.Helper()
		h.until("the consent card to say "+strings.Join(words, ", "), func(s *slack.State) bool {
			text, buttons := h.section(s, play.Priya, "reader-consent")
			return containsAll(text, words) && len(buttons) > 0
		})
	}
	h.in("not given yet, and somebody says it was", func() {
		h.clicks(play.Priya, "I did it, check", "reader-consent")
		says("Consent to ServiceHealth.Read.All has not arrived yet", "Privileged Role Administrator")
	})
	for _, r := range []refusal{
		{name: "application disabled", provoke: func(h *house) { h.disableReader(true) }, mend: func(h *house) { h.disableReader(false) }, words: []string{"The application is disabled", "An Entra admin can enable it"}},
		{name: "throttled, then down", provoke: graphFault(sim.Fault{Path: "/graph/v1.0" + health, Status: 503, Body: `{}`}), words: []string{"Microsoft Graph has a fault at the moment", "It is tried again"}},
		{name: "a web page", provoke: graphFault(sim.Fault{Path: "/graph/v1.0" + health, Status: 200, Type: "text/html", Body: "<p>proxy</p>"}), words: []string{"A web page came back"}},
		{name: "Conditional Access", provoke: tokenSays(400, 53003, "invalid_grant", "Access has been blocked by Conditional Access policies."), words: []string{"Conditional Access blocks this sign-in"}},
	} {
		h.in(r.name, func() {
			if r.name == "Conditional Access" {
				h.restart() // tokens are kept in memory
			}
			r.provoke(h)
			says(r.words...)
			h.mended(r)
		})
	}
	h.unharmed()
	h.crew.Touch("reader-consent")
	h.everybodyUntil("✅ finished")
}
