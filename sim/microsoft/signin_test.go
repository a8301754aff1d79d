package microsoft_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"keyturn/sim/microsoft"
)

func claimsOf(t testing.TB, token string) jwt.MapClaims {
	t.Helper()
	c := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAPersonSignsIn(t *testing.T) {
	w := start(t, withApps(bot()))
	a := w.signIn(anna, "openid", "profile", "offline_access", "User.Read")
	if a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	id := claimsOf(t, a.text(t, "id_token"))
	if id["preferred_username"] != anna || id["tid"] != tenant || id["nonce"] != "no-1" || id["aud"] != botApp ||
		id["iss"] != w.url+"/login/"+tenant+"/v2.0" || !slices.Contains(wids(id), microsoft.ApplicationAdministrator) {
		t.Fatalf("%v", id)
	}
	me := wants(t, w.graph(a.text(t, "access_token"), "GET", "/me", ""), 200, "")
	if me.text(t, "id") != id["oid"] || me.text(t, "userPrincipalName") != anna {
		t.Fatalf("%s", me.body)
	}
	fresh := w.post(w.tokenURL(), "grant_type", "refresh_token", "client_id", botApp, "client_secret", botSecret, "refresh_token", a.text(t, "refresh_token"))
	if fresh.status != 200 || fresh.text(t, "refresh_token") == "" {
		t.Fatalf("%d %s", fresh.status, fresh.body)
	}
}

func wids(c jwt.MapClaims) []string {
	list, _ := c["wids"].([]any)
	var out []string
	for _, v := range list {
		s, _ := v.(string)
		out = append(out, s)
	}
	return out
}

func TestTheMetadataLeadsToTheKeys(t *testing.T) {
	w := start(t, withApps(bot()))
	issuer := w.url + "/login/" + tenant + "/v2.0"
	meta := w.get(issuer + "/.well-known/openid-configuration")
	if meta.text(t, "issuer") != issuer || meta.text(t, "token_endpoint") != w.tokenURL() {
		t.Fatalf("%s", meta.body)
	}
	keys := w.get(meta.text(t, "jwks_uri"))
	token, _, err := jwt.NewParser().ParseUnverified(w.appToken(), jwt.MapClaims{})
	if err != nil || !strings.Contains(string(keys.body), token.Header["kid"].(string)) {
		t.Fatalf("%v %s", err, keys.body)
	}
}

func TestAnActivatedRoleIsInTheNextToken(t *testing.T) {
	w := start(t, withApps(bot()))
	role := microsoft.PrivilegedRoleAdministrator
	has := func() bool {
		return slices.Contains(wids(claimsOf(t, w.signIn(paul, "openid").text(t, "id_token"))), role)
	}
	if has() {
		t.Fatal("eligible is not active")
	}
	if err := w.sim.Activate(paul, role); err != nil {
		t.Fatal(err)
	}
	if !has() {
		t.Fatal("activated, and not in the token")
	}
	w.clock.Add(9 * time.Hour)
	if has() {
		t.Fatal("an activation ends after 8 hours")
	}
	if err := w.sim.Activate(anna, role); err == nil {
		t.Fatal("Anna is not eligible")
	}
	if err := w.sim.SetQuirks(microsoft.Quirks{NoWids: true}); err != nil {
		t.Fatal(err)
	}
	if c := claimsOf(t, w.signIn(anna, "openid").text(t, "id_token")); c["wids"] != nil {
		t.Fatalf("%v", c)
	}
}

func (w *world) authorizeURL(fields ...string) string {
	q := form("client_id", botApp, "response_type", "code", "redirect_uri", callback, "scope", "openid", "state", "s",
		"code_challenge", challenge("verifier"), "code_challenge_method", "S256")
	for k, v := range form(fields...) {
		q[k] = v
	}
	return "/login/" + tenant + "/oauth2/v2.0/authorize?" + q.Encode()
}

func TestSignInErrorsThatStayOnThePage(t *testing.T) {
	w := start(t, withApps(bot()))
	for name, c := range map[string]struct{ url, code string }{
		"unknown application": {w.authorizeURL("client_id", tenant), "AADSTS700016"},
		"unknown redirect":    {w.authorizeURL("redirect_uri", "https://evil.example/"), "AADSTS50011"},
		"unknown tenant":      {strings.Replace(w.authorizeURL(), tenant, "typo.example", 1), "AADSTS90002"},
	} {
		t.Run(name, func(t *testing.T) {
			if a := w.get(c.url); a.header.Get("Location") != "" || !strings.Contains(read(t, a, "message"), c.code) {
				t.Fatalf("%d %s", a.status, a.body)
			}
		})
	}
	if err := w.sim.Block(anna, true); err != nil {
		t.Fatal(err)
	}
	blocked := w.submit(w.get(w.authorizeURL()), "signin", "account", anna)
	if blocked.header.Get("Location") != "" || !strings.Contains(read(t, blocked, "message"), "AADSTS53003") {
		t.Fatalf("%d %s", blocked.status, blocked.body)
	}
}

func TestSignInErrorsThatGoBack(t *testing.T) {
	w := start(t, withApps(bot()))
	for name, c := range map[string]struct {
		answer answer
		want   string
	}{
		"cancelled":       {w.submit(w.get(w.authorizeURL()), "signin", "action", "cancel"), "access_denied"},
		"silent":          {w.get(w.authorizeURL("prompt", "none")), "login_required"},
		"wrong scope":     {w.get(w.authorizeURL("scope", "openid Nothing.Read")), "invalid_scope"},
		"implicit":        {w.get(w.authorizeURL("response_type", "token")), "unsupported_response_type"},
		"other resource":  {w.get(w.authorizeURL("scope", "https://other.example/x")), "invalid_resource"},
		"unknown methods": {w.get(w.authorizeURL("code_challenge_method", "S512")), "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			to, err := url.Parse(c.answer.header.Get("Location"))
			if err != nil || to.Host != "keyturn.example" || to.Query().Get("error") != c.want || to.Query().Get("state") != "s" {
				t.Fatalf("%d %v", c.answer.status, c.answer.header)
			}
		})
	}
	fragment := w.submit(w.get(w.authorizeURL("response_mode", "fragment")), "signin", "account", anna)
	if !strings.HasPrefix(fragment.header.Get("Location"), callback+"#code=") {
		t.Fatalf("%v", fragment.header)
	}
	posted := w.submit(w.get(w.authorizeURL("response_mode", "form_post")), "signin", "account", anna)
	if f := byID(parse(t, posted.body), "formpost"); f == nil || attr(f, "action") != callback || !strings.Contains(string(posted.body), `name="code"`) {
		t.Fatalf("%s", posted.body)
	}
}

func TestACodeIsRedeemedOnceSoonAndByItsOwner(t *testing.T) {
	w := start(t, withApps(bot()))
	code := func() string {
		to, err := url.Parse(w.submit(w.get(w.authorizeURL()), "signin", "account", anna).header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		return to.Query().Get("code")
	}
	redeem := func(code, verifier, redirect string) answer {
		return w.post(w.tokenURL(), "grant_type", "authorization_code", "client_id", botApp, "client_secret", botSecret, "code", code,
			"redirect_uri", redirect, "code_verifier", verifier)
	}
	first := code()
	refused(t, redeem(first, "guess", callback), 400, 501481)
	refused(t, redeem(first, "verifier", "https://other.example/"), 400, 50011)
	if a := redeem(first, "verifier", callback); a.status != 200 {
		t.Fatalf("%s", a.body)
	}
	refused(t, redeem(first, "verifier", callback), 400, 54005)
	late := code()
	w.clock.Add(11 * time.Minute)
	refused(t, redeem(late, "verifier", callback), 400, 70008)
	refused(t, redeem("made up", "verifier", callback), 400, 9002313)
}

func TestASessionEnds(t *testing.T) {
	w := start(t, withApps(bot()))
	token := w.signIn(anna, "openid", "offline_access").text(t, "refresh_token")
	refresh := func() answer {
		return w.post(w.tokenURL(), "grant_type", "refresh_token", "client_id", botApp, "client_secret", botSecret, "refresh_token", token)
	}
	if a := refresh(); a.status != 200 {
		t.Fatalf("%s", a.body)
	}
	if err := w.sim.Block(anna, true); err != nil {
		t.Fatal(err)
	}
	refused(t, refresh(), 400, 53003)
	if err := w.sim.Block(anna, false); err != nil {
		t.Fatal(err)
	}
	if err := w.sim.RevokeSessions(anna); err != nil {
		t.Fatal(err)
	}
	refused(t, refresh(), 400, 50173)
	if a := w.signIn(anna, "openid"); a.status != 200 {
		t.Fatalf("a new sign-in after the revocation: %s", a.body)
	}
	w.clock.Add(91 * 24 * time.Hour)
	refused(t, refresh(), 400, 700082)
}

func TestAPublicClientNeedsPKCE(t *testing.T) {
	app := bot()
	app.Public, app.Secrets = true, nil
	w := start(t, withApps(app))
	if a := w.get(w.authorizeURL("code_challenge", "")); !strings.Contains(a.header.Get("Location"), "error=invalid_request") {
		t.Fatalf("%v", a.header)
	}
	to, err := url.Parse(w.submit(w.get(w.authorizeURL()), "signin", "account", anna).header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	a := w.post(w.tokenURL(), "grant_type", "authorization_code", "client_id", botApp, "code", to.Query().Get("code"), "redirect_uri", callback, "code_verifier", "verifier")
	if a.status != 200 {
		t.Fatalf("%s", a.body)
	}
	refused(t, w.post(w.tokenURL(), "grant_type", "client_credentials", "client_id", botApp, "scope", graphName+"/.default"), 401, 7000218)
}

func TestConsentOnTheWayIn(t *testing.T) {
	app := bot()
	app.Scopes = nil
	w := start(t, withApps(app))
	page := w.submit(w.get(w.authorizeURL("scope", "openid User.Read")), "signin", "account", nobody)
	if !strings.Contains(read(t, page, "permissions"), "User.Read") {
		t.Fatalf("%s", page.body)
	}
	if a := w.submit(page, "consent", "action", "accept"); !strings.Contains(a.header.Get("Location"), "code=") {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := w.submit(w.get(w.authorizeURL("scope", "openid User.Read")), "signin", "account", nobody); !strings.Contains(a.header.Get("Location"), "code=") {
		t.Fatal("asked twice")
	}
	stopped := w.submit(w.get(w.authorizeURL("scope", "openid Application.ReadWrite.All")), "signin", "account", nobody)
	if !strings.Contains(read(t, stopped, "message"), "AADSTS90094") {
		t.Fatalf("%s", stopped.body)
	}
	admin := w.submit(w.get(w.authorizeURL("scope", "openid Application.ReadWrite.All")), "signin", "account", anna)
	if a := w.submit(admin, "consent", "action", "accept", "everyone", "1"); !strings.Contains(a.header.Get("Location"), "code=") {
		t.Fatalf("%s", a.body)
	}
	if a := w.submit(w.get(w.authorizeURL("scope", "openid Application.ReadWrite.All")), "signin", "account", nobody); !strings.Contains(a.header.Get("Location"), "code=") {
		t.Fatalf("consented for everyone: %s", a.body)
	}
}

func TestAdminConsentNeedsTheRightRoleActive(t *testing.T) {
	reader := microsoft.App{Name: "Keyturn health reader", AppID: "cccccccc-0000-4000-8000-000000000001", RedirectURIs: []string{callback},
		Requested: []string{"ServiceHealth.Read.All", "ServiceMessage.Read.All"}, Secrets: []microsoft.Secret{{Name: "x", Value: "reader-secret-canary"}}}
	w := start(t, withApps(reader))
	open := func() answer {
		return w.get("/login/" + tenant + "/adminconsent?" + form("client_id", reader.AppID, "state", "s-9", "redirect_uri", callback).Encode())
	}
	token := func() string {
		return w.post(w.tokenURL(), "grant_type", "client_credentials", "client_id", reader.AppID, "client_secret", "reader-secret-canary", "scope", graphName+"/.default").text(t, "access_token")
	}
	old := token()
	wants(t, w.graph(old, "GET", "/admin/serviceAnnouncement/healthOverviews?$top=1", ""), 403, "Authorization_RequestDenied")

	page := open()
	if read(t, page, "app") != reader.Name || !strings.Contains(read(t, page, "permissions"), "ServiceHealth.Read.All") {
		t.Fatalf("%s", page.body)
	}
	for _, who := range []string{anna, paul, nobody} {
		if a := w.submit(open(), "consent", "account", who); !strings.Contains(read(t, a, "message"), "Privileged Role Administrator") {
			t.Fatalf("%s: %s", who, a.body)
		}
	}
	forged := w.post("/login/"+tenant+"/adminconsent", "client_id", reader.AppID, "account", anna, "action", "accept")
	if len(w.sim.Inventory().Assignments) != 0 {
		t.Fatalf("Anna consented by a forged form: %s", forged.body)
	}
	if err := w.sim.Activate(paul, microsoft.PrivilegedRoleAdministrator); err != nil {
		t.Fatal(err)
	}
	cancelled := w.submit(w.submit(open(), "consent", "account", paul), "consent", "action", "cancel")
	if !strings.Contains(cancelled.header.Get("Location"), "error=permission_denied") || !strings.Contains(cancelled.header.Get("Location"), "state=s-9") {
		t.Fatalf("%v", cancelled.header)
	}
	accepted := w.submit(w.submit(open(), "consent", "account", paul), "consent", "action", "accept")
	to, err := url.Parse(accepted.header.Get("Location"))
	if err != nil || to.Query().Get("admin_consent") != "True" || to.Query().Get("tenant") != tenant || to.Query().Get("state") != "s-9" {
		t.Fatalf("%v", accepted.header)
	}
	wants(t, w.graph(old, "GET", "/admin/serviceAnnouncement/healthOverviews", ""), 403, "Authorization_RequestDenied") // new permissions are in new tokens only
	wants(t, w.graph(token(), "GET", "/admin/serviceAnnouncement/healthOverviews?$top=1", ""), 200, "")
	if n := len(w.sim.Inventory().Assignments); n != 2 {
		t.Fatalf("%d assignments", n)
	}
	var writes []string
	calls, _ := w.sim.Journal.Since(0)
	for _, c := range calls {
		if c.Write {
			writes = append(writes, c.Who+": "+c.Note)
		}
	}
	if strings.Join(writes, "\n") != paul+": granted admin consent to Keyturn health reader" {
		t.Fatalf("%q", writes)
	}
	done := w.submit(w.submit(w.get("/login/"+tenant+"/adminconsent?client_id="+reader.AppID), "consent", "account", gina), "consent", "action", "accept")
	if done.status != 200 || !strings.Contains(read(t, done, "message"), "Admin consent was granted") {
		t.Fatalf("%d %s", done.status, done.body)
	}
	bad := w.get("/login/" + tenant + "/adminconsent?" + form("client_id", reader.AppID, "redirect_uri", "https://evil.example/").Encode())
	if !strings.Contains(read(t, bad, "message"), "AADSTS50011") {
		t.Fatalf("%s", bad.body)
	}
}
