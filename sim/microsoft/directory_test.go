package microsoft_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/sim/microsoft"
)

const seedApp = `{"displayName":"ServiceNow M365 support integration (outbound)","signInAudience":"AzureADMyOrg",
 "web":{"redirectUris":["https://dev1.service-now.com/oauth_redirect.do","https://dev1.service-now.com/auth_redirect.do"]}}`

func TestARegistrationIsMadeOnceHoweverOftenItIsAskedFor(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	token := w.userToken(anna, "Application.ReadWrite.All")
	path := "/applications(uniqueName='keyturn-servicenow')"

	wants(t, w.graph(token, "GET", path, ""), 404, "Request_ResourceNotFound")
	wants(t, w.graph(token, "PATCH", path, seedApp), 404, "Request_ResourceNotFound")
	made := wants(t, w.graph(token, "PATCH", path, seedApp, "Prefer", "create-if-missing"), 201, "")
	if again := wants(t, w.graph(token, "PATCH", path, seedApp, "Prefer", "create-if-missing"), 204, ""); len(again.body) != 0 {
		t.Fatalf("204 with a body: %s", again.body)
	}
	got := wants(t, w.graph(token, "GET", path+"?$select=id,appId,signInAudience,web", ""), 200, "").object(t)
	if got["appId"] != made.text(t, "appId") || got["signInAudience"] != "AzureADMyOrg" || got["displayName"] != nil {
		t.Fatalf("%v", got)
	}
	if n := len(w.sim.Inventory().Apps); n != 2 {
		t.Fatalf("%d registrations", n)
	}
	sp := "/servicePrincipals(appId='" + made.text(t, "appId") + "')"
	wants(t, w.graph(token, "PATCH", sp, `{"displayName":"x"}`), 404, "Request_ResourceNotFound")
	wants(t, w.graph(token, "PATCH", sp, `{}`, "Prefer", "create-if-missing"), 201, "")
	wants(t, w.graph(token, "PATCH", sp, `{}`, "Prefer", "create-if-missing"), 204, "")
	wants(t, w.graph(token, "POST", "/servicePrincipals", `{"appId":"`+made.text(t, "appId")+`"}`), 409, "Request_MultipleObjectsWithSameKeyValue")
}

func TestTwoPlainCreatesMakeTwoRegistrations(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	token := w.appToken()
	one := wants(t, w.graph(token, "POST", "/applications", seedApp), 201, "")
	two := wants(t, w.graph(token, "POST", "/applications", seedApp), 201, "")
	if one.text(t, "appId") == two.text(t, "appId") {
		t.Fatal("the same client ID twice")
	}
	found := w.graph(token, "GET", "/applications?$filter="+url.QueryEscape("startswith(displayName,'servicenow m365')"), "").values(t)
	if len(found) != 2 {
		t.Fatalf("%d found", len(found))
	}
}

func TestABadRegistrationChangesNothing(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	token := w.appToken()
	id := wants(t, w.graph(token, "POST", "/applications", seedApp), 201, "").text(t, "id")
	before := w.sim.Inventory()
	for name, body := range map[string]string{
		"unknown property":        `{"displayName":"x","colour":"red"}`,
		"unknown nested property": `{"displayName":"x","requiredResourceAccess":[{"resourceAppId":"` + microsoft.GraphAppID + `","ResourceAcces":[]}]}`,
		"read-only":               `{"displayName":"x","uniqueName":"mine"}`,
		"empty name":              `{"displayName":" "}`,
		"audience":                `{"displayName":"x","signInAudience":"Everybody"}`,
		"http redirect":           `{"displayName":"x","web":{"redirectUris":["http://dev1.service-now.com/oauth_redirect.do"]}}`,
		"redirect twice":          `{"displayName":"x","web":{"redirectUris":["https://a.example/","https://a.example/"]}}`,
		"permission type":         `{"displayName":"x","requiredResourceAccess":[{"resourceAppId":"` + microsoft.GraphAppID + `","resourceAccess":[{"id":"79c261e0-fe76-4144-aad5-bdc68fbe4037","type":"Both"}]}]}`,
		"not a certificate":       `{"displayName":"x","keyCredentials":[{"type":"AsymmetricX509Cert","usage":"Verify","key":"aGVsbG8="}]}`,
		"secret in the body":      `{"displayName":"x","passwordCredentials":[{"displayName":"mine"}]}`,
		"not JSON":                `{"displayName":`,
	} {
		t.Run(name, func(t *testing.T) {
			wants(t, w.graph(token, "PATCH", "/applications/"+id, body), 400, "")
			if name != "empty name" {
				wants(t, w.graph(token, "POST", "/applications", body), 400, "")
			}
		})
	}
	if d := cmp.Diff(before, w.sim.Inventory()); d != "" {
		t.Fatal(d)
	}
}

func TestASecretIsShownOnceAndSignsIn(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	token := w.appToken()
	made := wants(t, w.graph(token, "POST", "/applications", seedApp), 201, "")
	appID, path := made.text(t, "appId"), "/applications/"+made.text(t, "id")
	wants(t, w.graph(token, "POST", "/servicePrincipals", `{"appId":"`+appID+`"}`), 201, "")

	secret := wants(t, w.graph(token, "POST", path+"/addPassword", `{"passwordCredential":{"displayName":"keyturn-run-7","endDateTime":"2026-09-01T00:00:00Z"}}`), 200, "")
	value, keyID := secret.text(t, "secretText"), secret.text(t, "keyId")
	if len(value) < 16 || len(value) > 64 || secret.text(t, "hint") != value[:3] {
		t.Fatalf("%s", secret.body)
	}
	login := func() answer {
		return w.post(w.tokenURL(), "grant_type", "client_credentials", "client_id", appID, "client_secret", value, "scope", graphName+"/.default")
	}
	if a := login(); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	read := wants(t, w.graph(token, "GET", path, ""), 200, "")
	if strings.Contains(string(read.body), value) || !strings.Contains(string(read.body), "keyturn-run-7") {
		t.Fatalf("%s", read.body)
	}
	long := wants(t, w.graph(token, "POST", "/applications(appId='"+appID+"')/addPassword", ``), 200, "")
	if long.text(t, "endDateTime") != "2028-03-02T09:00:00Z" {
		t.Fatalf("default end: %s", long.body)
	}
	wants(t, w.graph(token, "POST", path+"/addPassword", `{"passwordCredential":{"endDateTime":"2020-01-01T00:00:00Z"}}`), 400, "Request_BadRequest")

	wants(t, w.graph(token, "POST", path+"/removePassword", `{"keyId":"`+keyID+`"}`), 204, "")
	wants(t, w.graph(token, "POST", path+"/removePassword", `{"keyId":"`+keyID+`"}`), 400, "Request_BadRequest")
	refused(t, login(), 401, 7000215)
}

func TestTheTenantsPolicyMayForbidSecrets(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	token := w.appToken()
	path := "/applications/" + wants(t, w.graph(token, "POST", "/applications", seedApp), 201, "").text(t, "id") + "/addPassword"
	policy := func() map[string]any {
		return wants(t, w.graph(token, "GET", "/policies/defaultAppManagementPolicy", ""), 200, "").object(t)
	}
	if policy()["isEnabled"] != false {
		t.Fatalf("%v", policy())
	}
	if err := w.sim.SetPolicy(microsoft.SecretPolicy{Enabled: true, ForbidSecrets: true, MaxLifetime: 90 * 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(policy()); !strings.Contains(text, "passwordAddition") || !strings.Contains(text, "P90D") {
		t.Fatal(text)
	}
	if a := wants(t, w.graph(token, "POST", path, ``), 400, ""); !strings.Contains(a.text(t, "error", "message"), "Credential type not allowed as per assigned policy") {
		t.Fatalf("%s", a.body)
	}
	if err := w.sim.SetPolicy(microsoft.SecretPolicy{Enabled: true, MaxLifetime: 90 * 24 * time.Hour, Status: 403, Code: "Authorization_RequestDenied"}); err != nil {
		t.Fatal(err)
	}
	wants(t, w.graph(token, "POST", path, ``), 403, "Authorization_RequestDenied")
	wants(t, w.graph(token, "POST", path, `{"passwordCredential":{"endDateTime":"2026-05-01T00:00:00Z"}}`), 200, "")
}

func TestANewRegistrationTakesTimeToArrive(t *testing.T) {
	w := start(t, withApps(bot(everything...)), withLag(microsoft.Lag{Principal: 2, Password: 1, Assignment: 1, Token: 1}))
	token := w.appToken()
	made := wants(t, w.graph(token, "POST", "/applications", seedApp), 201, "")
	appID := made.text(t, "appId")
	for range 2 {
		a := wants(t, w.graph(token, "PATCH", "/servicePrincipals(appId='"+appID+"')", `{}`, "Prefer", "create-if-missing"), 400, "Request_BadRequest")
		if !strings.Contains(string(a.body), `"code":"NoBackingApplicationObject"`) {
			t.Fatalf("%s", a.body)
		}
	}
	sp := wants(t, w.graph(token, "PATCH", "/servicePrincipals(appId='"+appID+"')", `{}`, "Prefer", "create-if-missing"), 201, "").text(t, "id")
	wants(t, w.graph(token, "POST", "/applications/"+made.text(t, "id")+"/addPassword", ``), 404, "Request_ResourceNotFound")
	value := wants(t, w.graph(token, "POST", "/applications/"+made.text(t, "id")+"/addPassword", ``), 200, "").text(t, "secretText")
	wants(t, w.graph(token, "GET", "/servicePrincipals/"+sp+"/appRoleAssignments", ""), 404, "Request_ResourceNotFound")
	wants(t, w.graph(token, "GET", "/servicePrincipals/"+sp+"/appRoleAssignments", ""), 200, "")
	login := func() answer {
		return w.post(w.tokenURL(), "grant_type", "client_credentials", "client_id", appID, "client_secret", value, "scope", graphName+"/.default")
	}
	refused(t, login(), 401, 7000215)
	if a := login(); a.status != 200 {
		t.Fatalf("%s", a.body)
	}
}

func TestADeletedRegistrationComesBackOrIsGone(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	token := w.appToken()
	path := "/applications(uniqueName='keyturn-servicenow')"
	made := wants(t, w.graph(token, "PATCH", path, seedApp, "Prefer", "create-if-missing"), 201, "")
	appID, id := made.text(t, "appId"), made.text(t, "id")
	wants(t, w.graph(token, "POST", "/servicePrincipals", `{"appId":"`+appID+`"}`), 201, "")
	before := w.sim.Inventory()

	wants(t, w.graph(token, "DELETE", path, ""), 204, "")
	wants(t, w.graph(token, "GET", "/applications/"+id, ""), 404, "Request_ResourceNotFound")
	wants(t, w.graph(token, "GET", "/servicePrincipals(appId='"+appID+"')", ""), 404, "Request_ResourceNotFound")
	if got := w.graph(token, "GET", "/directory/deletedItems/microsoft.graph.application", "").values(t); len(got) != 1 || got[0]["deletedDateTime"] == nil {
		t.Fatalf("%v", got)
	}
	if err := w.sim.SetQuirks(microsoft.Quirks{UniqueNameStaysBusy: true}); err != nil {
		t.Fatal(err)
	}
	a := wants(t, w.graph(token, "PATCH", path, seedApp, "Prefer", "create-if-missing"), 400, "Request_BadRequest")
	if !strings.Contains(string(a.body), "ObjectConflict") {
		t.Fatalf("%s", a.body)
	}
	wants(t, w.graph(token, "POST", "/directory/deletedItems/"+id+"/restore", ""), 200, "")
	if d := cmp.Diff(before, w.sim.Inventory()); d != "" {
		t.Fatal(d)
	}
	wants(t, w.graph(token, "DELETE", "/applications/"+id, ""), 204, "")
	wants(t, w.graph(token, "DELETE", "/directory/deletedItems/"+id, ""), 204, "")
	wants(t, w.graph(token, "PATCH", path, seedApp, "Prefer", "create-if-missing"), 201, "")
	wants(t, w.graph(token, "DELETE", path, ""), 204, "")
	w.clock.Add(31 * 24 * time.Hour)
	if got := w.graph(w.appToken(), "GET", "/directory/deletedItems/microsoft.graph.application", "").values(t); len(got) != 0 {
		t.Fatalf("after 30 days: %v", got)
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	scopes := []string{"Application.ReadWrite.All"}
	made := wants(t, w.graph(w.userToken(anna, scopes...), "POST", "/applications", seedApp), 201, "").text(t, "id")

	a := wants(t, w.graph(w.userToken(nobody, scopes...), "POST", "/applications", seedApp, "client-request-id", "9f8e7d6c-0000-4000-8000-000000000000"), 403, "Authorization_RequestDenied")
	inner, _ := a.object(t)["error"].(map[string]any)["innerError"].(map[string]any)
	if inner["client-request-id"] != "9f8e7d6c-0000-4000-8000-000000000000" || inner["request-id"] != a.header.Get("request-id") || inner["date"] != "2026-03-02T09:00:00" {
		t.Fatalf("%s %v", a.body, a.header)
	}
	mine := wants(t, w.graph(w.userToken(dev, scopes...), "POST", "/applications", seedApp), 201, "").text(t, "id")
	wants(t, w.graph(w.userToken(dev, scopes...), "PATCH", "/applications/"+mine, `{"displayName":"mine"}`), 204, "")
	wants(t, w.graph(w.userToken(dev, scopes...), "PATCH", "/applications/"+made, `{"displayName":"not mine"}`), 403, "Authorization_RequestDenied")
	wants(t, w.graph(w.userToken(gina, scopes...), "PATCH", "/applications/"+made, `{"notes":"by a group's role"}`), 204, "")

	wants(t, w.graph(w.userToken(mia), "GET", "/admin/serviceAnnouncement/issues", ""), 200, "")
	wants(t, w.graph(w.userToken(nobody), "GET", "/admin/serviceAnnouncement/issues", ""), 403, "Authorization_RequestDenied")
	if err := w.sim.SetQuirks(microsoft.Quirks{UsersMayRegister: true}); err != nil {
		t.Fatal(err)
	}
	wants(t, w.graph(w.userToken(nobody, scopes...), "POST", "/applications", seedApp), 201, "")
}

func TestAnApplicationMayTouchOnlyItsOwn(t *testing.T) {
	w := start(t, withApps(bot("Application.ReadWrite.OwnedBy"), microsoft.App{Name: "Somebody's", AppID: "bbbbbbbb-0000-4000-8000-000000000001"}), withLag(microsoft.Lag{Principal: 1}))
	token := w.appToken()
	wants(t, w.graph(token, "PATCH", "/applications(appId='bbbbbbbb-0000-4000-8000-000000000001')", `{"displayName":"taken"}`), 403, "Authorization_RequestDenied")
	made := wants(t, w.graph(token, "POST", "/applications", seedApp), 201, "")
	wants(t, w.graph(token, "PATCH", "/applications/"+made.text(t, "id"), `{"displayName":"mine"}`), 204, "")
	body := `{"appId":"` + made.text(t, "appId") + `"}`
	if a := wants(t, w.graph(token, "POST", "/servicePrincipals", body), 403, "Authorization_RequestDenied"); !strings.Contains(string(a.body), "local tenant") {
		t.Fatalf("%s", a.body)
	}
	wants(t, w.graph(token, "POST", "/servicePrincipals", body), 201, "")
	wants(t, w.graph(token, "GET", "/servicePrincipals(appId='"+microsoft.GraphAppID+"')/appRoleAssignedTo", ""), 403, "Authorization_RequestDenied")
}

func TestGraphRefusesBadTokens(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	token := w.appToken()
	for name, bad := range map[string]string{"none": "", "nonsense": "abc", "broken": breakSignature(token)} {
		t.Run(name, func(t *testing.T) {
			a := wants(t, w.graph(bad, "GET", "/organization", ""), 401, "InvalidAuthenticationToken")
			if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
				t.Fatalf("%v", a.header)
			}
		})
	}
	other := w.post(w.tokenURL(), "grant_type", "client_credentials", "client_id", botApp, "client_secret", botSecret, "scope", botApp+"/.default").text(t, "access_token")
	wants(t, w.graph(other, "GET", "/organization", ""), 401, "InvalidAuthenticationToken")
	w.clock.Add(2 * time.Hour)
	if a := wants(t, w.graph(token, "GET", "/organization", ""), 401, "InvalidAuthenticationToken"); !strings.Contains(a.text(t, "error", "message"), "expired") {
		t.Fatalf("%s", a.body)
	}
	wants(t, w.graph(w.appToken(), "GET", "/nothing/here", ""), 400, "BadRequest")
	wants(t, w.graph(w.appToken(), "PUT", "/organization", "{}"), 405, "Request_BadRequest")
}

func TestConsentByAppRoleAssignment(t *testing.T) {
	w := start(t, withApps(bot(everything...), microsoft.App{Name: "health reader", AppID: "cccccccc-0000-4000-8000-000000000001", Requested: []string{"ServiceHealth.Read.All"}}))
	token := w.appToken()
	graph := wants(t, w.graph(token, "GET", "/servicePrincipals(appId='"+microsoft.GraphAppID+"')?$select=id,appRoles", ""), 200, "")
	reader := wants(t, w.graph(token, "GET", "/servicePrincipals(appId='cccccccc-0000-4000-8000-000000000001')", ""), 200, "").text(t, "id")
	if !strings.Contains(string(graph.body), "79c261e0-fe76-4144-aad5-bdc68fbe4037") {
		t.Fatalf("%s", graph.body)
	}
	path := "/servicePrincipals/" + graph.text(t, "id") + "/appRoleAssignedTo"
	body := fmt.Sprintf(`{"principalId":%q,"resourceId":%q,"appRoleId":"79c261e0-fe76-4144-aad5-bdc68fbe4037"}`, reader, graph.text(t, "id"))

	people := []string{"AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All"}
	wants(t, w.graph(w.userToken(anna, people...), "POST", path, body), 403, "Authorization_RequestDenied")
	wants(t, w.graph(w.userToken(paul, people...), "POST", path, body), 403, "Authorization_RequestDenied")
	if err := w.sim.Activate(paul, "Privileged Role Administrator"); err != nil {
		t.Fatal(err)
	}
	made := wants(t, w.graph(w.userToken(paul, people...), "POST", path, body), 201, "")
	again := wants(t, w.graph(token, "POST", path, body), 400, "Request_BadRequest")
	if again.text(t, "error", "message") != "Permission being assigned already exists on the object" {
		t.Fatalf("%s", again.body)
	}
	list := w.graph(token, "GET", "/servicePrincipals/"+reader+"/appRoleAssignments", "").values(t)
	if len(list) != 1 || list[0]["principalDisplayName"] != "health reader" || list[0]["resourceDisplayName"] != "Microsoft Graph" {
		t.Fatalf("%v", list)
	}
	wants(t, w.graph(token, "POST", path, strings.Replace(body, "79c261e0", "00000000", 1)), 400, "Request_BadRequest")
	wants(t, w.graph(token, "DELETE", path+"/"+made.text(t, "id"), ""), 204, "")
	wants(t, w.graph(token, "DELETE", path+"/"+made.text(t, "id"), ""), 404, "Request_ResourceNotFound")
}
