package microsoft_test

import (
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"keyturn/sim/microsoft"
)

// as lets a person visit the portals from now on.
func (w *world) as(upn string) { w.get("/entra/?as=" + url.QueryEscape(upn)) }

func TestAPortalAsksWhoVisits(t *testing.T) {
	w := start(t)
	page := w.get("/entra/apps")
	if !strings.Contains(read(t, page, "choose"), "Anna Adams") {
		t.Fatalf("%s", page.body)
	}
	if a := w.post("/entra/apps", "name", "x"); a.status != 401 || len(w.sim.Inventory().Apps) != 0 {
		t.Fatalf("%d", a.status)
	}
	w.as(anna)
	if page := w.get("/entra/apps"); read(t, page, "signed-in") != anna {
		t.Fatalf("%s", page.body)
	}
	if page := w.get("/entra/apps?as="); byID(parse(t, page.body), "choose") == nil {
		t.Fatal("no way to switch the account")
	}
}

func TestAnEntraAdminWorksByHand(t *testing.T) {
	w := start(t)
	w.as(anna)
	bad := w.submit(w.get("/entra/apps"), "register", "name", "By hand", "redirectUri", "http://dev1.service-now.com/x")
	if bad.status != 400 || !strings.Contains(read(t, bad, "problem"), "must begin with https") || !strings.Contains(string(bad.body), `value="By hand"`) {
		t.Fatalf("%d %s", bad.status, bad.body)
	}
	overview := w.follow(w.submit(w.get("/entra/apps"), "register", "name", "By hand", "redirectUri", "https://dev1.service-now.com/oauth_redirect.do"))
	appID := read(t, overview, "client-id")
	app := "/entra/apps/" + appID
	if read(t, overview, "tenant-id") != tenant || read(t, overview, "audience") != "AzureADMyOrg" {
		t.Fatalf("%s", overview.body)
	}
	w.submit(w.get(app+"/authentication"), "authentication", "redirectUris", "https://dev1.service-now.com/oauth_redirect.do\nhttps://dev1.service-now.com/auth_redirect.do")
	if got := read(t, w.get(app+"/authentication"), "redirect-uris"); !strings.Contains(got, "/auth_redirect.do") {
		t.Fatal(got)
	}

	page := w.submit(w.get(app+"/credentials"), "new-secret", "description", "servicenow", "expires", "12")
	secret := read(t, page, "secret-value")
	a := w.post(w.tokenURL(), "grant_type", "client_credentials", "client_id", appID, "client_secret", secret, "scope", graphName+"/.default")
	if a.status != 200 {
		t.Fatalf("%s", a.body)
	}
	again := w.get(app + "/credentials")
	if strings.Contains(string(again.body), secret) || !strings.Contains(read(t, again, "secrets"), "servicenow 2027-03-02") {
		t.Fatalf("%s", again.body)
	}
	p := newPair(t, w.clock.Now().Add(-time.Hour), w.clock.Now().AddDate(1, 0, 0))
	w.submit(again, "new-certificate", "certificate", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.der})))
	if inv := w.sim.Inventory().Apps[0]; len(inv.Certificates) != 1 || !strings.Contains(read(t, w.get(app+"/credentials"), "certificates"), inv.Certificates[0]) {
		t.Fatalf("%+v", inv)
	}

	w.submit(w.get(app+"/permissions"), "add-permission", "type", "Role", "permission", "ServiceHealth.Read.All")
	if a := w.submit(w.get(app+"/permissions"), "add-permission", "type", "Role", "permission", "Nothing.Read"); a.status != 400 {
		t.Fatalf("%d", a.status)
	}
	denied := w.submit(w.get(app+"/permissions"), "grant")
	if denied.status != http.StatusForbidden || !strings.Contains(read(t, denied, "problem"), "Privileged Role Administrator") {
		t.Fatalf("%d %s", denied.status, denied.body)
	}
	w.as(gina)
	if a := w.submit(w.get(app+"/permissions"), "grant"); !strings.Contains(read(t, a, "permissions"), "Granted for Contoso") {
		t.Fatalf("%s", a.body)
	}
	w.post(app+"/credentials/delete", "keyId", strings.Fields(w.sim.Inventory().Apps[0].Secrets[0])[1])
	refused(t, w.post(w.tokenURL(), "grant_type", "client_credentials", "client_id", appID, "client_secret", secret, "scope", graphName+"/.default"), 401, 7000215)
	w.as(mia)
	w.submit(w.get(app), "delete")
	if len(w.sim.Inventory().Apps) != 1 {
		t.Fatal("a helpdesk administrator deleted a registration")
	}
	w.as(anna)
	w.follow(w.submit(w.get(app), "delete"))
	if inv := w.sim.Inventory(); len(inv.Apps) != 0 || len(inv.Principals) != 0 || len(inv.Assignments) != 0 || inv.Deleted[0] != appID {
		t.Fatalf("%+v", inv)
	}
	if a := w.get(app); a.status != 404 {
		t.Fatalf("%d", a.status)
	}
}

func TestActivatingARoleInThePortal(t *testing.T) {
	w := start(t)
	w.as(paul)
	activate := func(reason string) answer {
		var role string
		walk(parse(t, w.get("/entra/pim").body), func(n *html.Node) {
			if attr(n, "name") == "role" {
				role = attr(n, "value")
			}
		})
		return w.post("/entra/pim/activate", "role", role, "reason", reason)
	}
	if a := activate(" "); a.status != 400 {
		t.Fatalf("without a reason: %d", a.status)
	}
	page := w.follow(activate("consent for Keyturn, CHG0031"))
	if !strings.Contains(read(t, page, "roles"), "Activated until 2026-03-02 17:00") {
		t.Fatalf("%s", page.body)
	}
	if got := read(t, w.get("/entra/"), "active-roles"); got != "Privileged Role Administrator" {
		t.Fatal(got)
	}
	if a := w.post("/entra/pim/activate", "role", microsoft.GlobalAdministrator, "reason", "why not"); a.status != 400 {
		t.Fatalf("a role that Paul is not eligible for: %d", a.status)
	}
}

const panel = "/admin/settings/organization-profile/support-integration"

func TestTheAdminCenterKeepsTheSupportIntegration(t *testing.T) {
	w := start(t)
	w.as(anna)
	if a := w.get(panel); a.status != 403 || !strings.Contains(read(t, a, "message"), "Helpdesk Administrator") {
		t.Fatalf("%d %s", a.status, a.body)
	}
	w.as(mia)
	if byID(parse(t, w.get("/admin/settings/organization-profile").body), "support-integration") == nil {
		t.Fatal("no link to the panel")
	}
	if a := w.submit(w.get(panel), "basic", "tool", "ServiceNow", "applicationId", "a-secret~not-an-id"); a.status != 400 || !strings.Contains(read(t, a, "problem"), "GUID") {
		t.Fatalf("%d %s", a.status, a.body)
	}
	w.follow(w.submit(w.get(panel), "basic", "tool", "ServiceNow", "applicationId", botApp))
	repo := []string{"repository", "repo-1", "endpoint", "https://dev1.service-now.com/api/x", "authenticationType", "AAD Auth", "clientId", "ignored", "restUsername", "ignored", "restUserPassword", "ignored"}
	saved := w.follow(w.submit(w.get(panel), "new-repository", repo...))
	if got := read(t, saved, "repositories"); !strings.Contains(got, "repo-1 https://dev1.service-now.com/api/x AAD Auth ignored ignored") {
		t.Fatal(got)
	}
	if v := attr(byID(parse(t, saved.body), "application-id"), "value"); v != botApp {
		t.Fatal(v)
	}
	if !w.sim.RepositoryPasswordIs("repo-1", "ignored") || w.sim.RepositoryPasswordIs("repo-1", "other") {
		t.Fatal("the password that was typed is not known again")
	}
	want := microsoft.InventoryAdminCenter{Tool: "ServiceNow", ApplicationID: botApp, Repositories: []microsoft.Repository{{Name: "repo-1",
		Endpoint: "https://dev1.service-now.com/api/x", AuthenticationType: "AAD Auth", ClientID: "ignored", RestUsername: "ignored", HasPassword: true}}}
	same(t, want, w.sim.Inventory().AdminCenter)
	w.follow(w.post(panel+"/repositories/delete", "repository", "repo-1"))
	if a := w.post(panel+"/repositories/delete", "repository", "repo-1"); a.status != 404 {
		t.Fatalf("deleted twice: %d", a.status)
	}
	w.follow(w.submit(w.get(panel), "clear-basic"))
	same(t, microsoft.InventoryAdminCenter{}, w.sim.Inventory().AdminCenter)
}

func TestARepositoryIsCheckedBeforeItIsSaved(t *testing.T) {
	w := start(t)
	w.as(mia)
	for field, value := range map[string]string{"repository": " ", "endpoint": "dev1", "authenticationType": "OAuth", "clientId": "", "restUserPassword": ""} {
		fields := form("repository", "repo-1", "endpoint", "https://dev1.service-now.com/api/x", "authenticationType", "Basic Auth", "clientId", "c", "restUsername", "u", "restUserPassword", "typed-password-canary")
		fields.Set(field, value)
		var pairs []string
		for k := range fields {
			pairs = append(pairs, k, fields.Get(k))
		}
		a := w.post(panel+"/repositories", pairs...)
		if a.status != 400 || read(t, a, "problem") == "" || strings.Contains(string(a.body), "typed-password-canary") {
			t.Errorf("%s: %d %s", field, a.status, a.body)
		}
	}
	if n := len(w.sim.Inventory().AdminCenter.Repositories); n != 0 {
		t.Fatalf("%d saved", n)
	}
}

func TestThePanelIsGoneAfterTheShutdown(t *testing.T) {
	w := start(t)
	if err := w.sim.SetWorld(microsoft.ShutDown); err != nil {
		t.Fatal(err)
	}
	w.as(mia)
	if byID(parse(t, w.get("/admin/settings/organization-profile").body), "support-integration") != nil {
		t.Fatal("a link to the panel")
	}
	if a := w.get(panel); a.status != 404 {
		t.Fatalf("%d", a.status)
	}
	if a := w.post(panel+"/basic", "tool", "ServiceNow", "applicationId", botApp); a.status != 404 || w.sim.Inventory().AdminCenter.Tool != "" {
		t.Fatalf("%d", a.status)
	}
}

func TestServiceHealthInTheAdminCenter(t *testing.T) {
	w := start(t)
	w.put(issue("EX1", "Exchange Online", "serviceDegradation", false, "2026-03-02T08:30:00Z"))
	w.as(mia)
	if got := read(t, w.get("/admin/servicehealth"), "issues"); !strings.Contains(got, "EX1 Users can't send mail Exchange Online") {
		t.Fatal(got)
	}
	page := w.get("/admin/servicehealth/EX1")
	if page.status != 200 || strings.Contains(string(page.body), "<b>into</b>") || !strings.Contains(string(page.body), "into") {
		t.Fatalf("%d %s", page.status, page.body)
	}
	if a := w.get("/admin/servicehealth/EX9"); a.status != 404 {
		t.Fatalf("%d", a.status)
	}
}
