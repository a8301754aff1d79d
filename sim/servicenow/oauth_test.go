package servicenow

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAServiceGetsATokenForItsOwnUser(t *testing.T) {
	b := open(t, nil)
	a := b.tokenFor(url.Values{"grant_type": {"client_credentials"}, "client_id": {"bot"}, "client_secret": {botSecret}})
	got := a.json(t)
	token, _ := got["access_token"].(string)
	delete(got, "access_token")
	want := map[string]any{"scope": "useraccount", "token_type": "Bearer", "expires_in": 1799.0}
	if diff := cmp.Diff(want, got); diff != "" || a.Status != http.StatusOK {
		t.Fatalf("status %d, besides the token (-want +got):\n%s", a.Status, diff)
	}

	bot := session{b, token}
	made := bot.call(http.MethodPost, "/api/now/table/incident", object{"short_description": "mail is slow"}).row(t)
	if made["sys_created_by"] != "keyturn" {
		t.Errorf("created by %v, want the client's OAuth application user", made["sys_created_by"])
	}

	b.clock.Pass(30 * time.Minute)
	wantRefused(t, bot.get("/api/now/table/incident"), 401, "User Not Authenticated", "Required to provide Auth information")
}

func TestClientCredentialsNeedPropertyGrantTypeAndUser(t *testing.T) {
	b := open(t, func(c *Config) { c.ClientCredentials = false })
	ask := func() answer {
		return b.tokenFor(url.Values{"grant_type": {"client_credentials"}, "client_id": {"bot"}, "client_secret": {botSecret}})
	}
	refused := func(what string) {
		t.Helper()
		if a := ask(); a.Status != 401 || a.json(t)["error"] != "access_denied" {
			t.Errorf("%s: answered %d %s, want 401 access_denied", what, a.Status, a.Text)
		}
	}
	refused("without the property")

	admin := b.as("sana")
	admin.call(http.MethodPost, "/api/now/table/sys_properties", object{"name": clientCredentialsProperty, "value": "true"})
	if a := ask(); a.Status != 200 {
		t.Fatalf("with the property: %d %s", a.Status, a.Text)
	}
	entity := admin.one("oauth_entity", "client_id=bot")
	path := "/api/now/table/oauth_entity/" + entity["sys_id"].(string)
	admin.call(http.MethodPatch, path, object{"default_grant_type": "authorization_code"})
	refused("with another default grant type")
	admin.call(http.MethodPatch, path, object{"default_grant_type": "client_credentials", "user": ""})
	refused("without an OAuth application user")
}

func TestTheTokenEndpointDoesNotSayWhatIsWrong(t *testing.T) {
	b := open(t, nil)
	for name, form := range map[string]url.Values{
		"wrong password": {"grant_type": {"password"}, "client_id": {"signin"}, "client_secret": {"signin-secret"}, "username": {"sana"}, "password": {"guess"}},
		"stale refresh":  {"grant_type": {"refresh_token"}, "client_id": {"signin"}, "client_secret": {"signin-secret"}, "refresh_token": {"old"}},
	} {
		a := b.tokenFor(form)
		if diff := cmp.Diff(map[string]any{"error": "server_error", "error_description": "access_denied"}, a.json(t)); diff != "" || a.Status != 401 {
			t.Errorf("%s: %d %s", name, a.Status, diff)
		}
	}
	if a := b.tokenFor(url.Values{"grant_type": {"client_credentials"}, "client_id": {"bot"}, "client_secret": {"wrong"}}); a.json(t)["error"] != "invalid_client" {
		t.Errorf("wrong client secret: %s", a.Text)
	}
	r, _ := http.NewRequest(http.MethodPost, b.url+"/oauth_token.do", strings.NewReader(`{"grant_type":"client_credentials","client_id":"bot","client_secret":"`+botSecret+`"}`))
	r.Header.Set("Content-Type", "application/json")
	if a := b.do(r, http.DefaultClient); a.Status == 200 {
		t.Error("a JSON body got a token; the endpoint takes forms only")
	}
}

func TestAPersonSignsInWithACodeAndPKCE(t *testing.T) {
	b := open(t, nil)
	verifier := "a-verifier-that-is-long-enough-to-be-one-0123456789"
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{"response_type": {"code"}, "client_id": {"public"}, "redirect_uri": {"https://keyturn.example/callback"}, "state": {"xyz"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}
	stay := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	p := browser{b, stay}

	page := p.open("/oauth_auth.do?" + q.Encode())
	if page.Status != 200 || page.text("application") != "Keyturn public" || strings.Contains(page.Text, "keyturn</option>") {
		t.Fatalf("the page asks for the wrong thing: %d %s", page.Status, page.Text)
	}
	fields := []string{"user_name", "sana", "user_password", "wrong", "decision", "allow"}
	for k := range q {
		fields = append(fields, k, q.Get(k))
	}
	if a := p.post("/oauth_auth.do", fields...); a.Status != 200 || a.text("error") == "" {
		t.Fatalf("a wrong password was taken: %d", a.Status)
	}
	fields[3] = "open sesame"
	back, _ := url.Parse(p.post("/oauth_auth.do", fields...).Header.Get("Location"))
	if back == nil || back.Host != "keyturn.example" || back.Query().Get("state") != "xyz" || back.Query().Get("code") == "" {
		t.Fatalf("sent back to %v", back)
	}

	redeem := url.Values{"grant_type": {"authorization_code"}, "client_id": {"public"}, "code": {back.Query().Get("code")},
		"redirect_uri": {"https://keyturn.example/callback"}, "code_verifier": {verifier}}
	got := b.tokenFor(redeem).json(t)
	me := session{b, got["access_token"].(string)}
	if rows := me.find("sys_user_preference", "user=javascript:gs.getUserID()"); rows == nil {
		t.Error("the token does not work")
	}
	if a := b.tokenFor(redeem); a.Status == 200 {
		t.Error("a code was redeemed twice")
	}

	fresh := b.tokenFor(url.Values{"grant_type": {"refresh_token"}, "client_id": {"public"}, "refresh_token": {got["refresh_token"].(string)}}).json(t)
	if fresh["access_token"] == nil || fresh["access_token"] == got["access_token"] || fresh["refresh_token"] != got["refresh_token"] {
		t.Errorf("refreshing gave %v", fresh)
	}
	p.open("/oauth_revoke_token.do?token=" + url.QueryEscape(fresh["access_token"].(string)))
	if a := (session{b, fresh["access_token"].(string)}).get("/api/now/table/incident"); a.Status != 401 {
		t.Errorf("a revoked token answered %d", a.Status)
	}
}

// Several people may share a browser: whoever is not the one who is signed in
// says so, and is asked who they are.
func TestAnotherPersonTakesOverTheAuthorization(t *testing.T) {
	b := open(t, nil)
	p := browser{b, &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	q := url.Values{"response_type": {"code"}, "client_id": {"signin"}, "redirect_uri": {"https://keyturn.example/callback"}, "state": {"xyz"}}
	if page := p.open("/oauth_auth.do?as=sana&" + q.Encode()); page.text("switch") != "Switch user" {
		t.Errorf("nobody else can sign in: %s", page.Text)
	}
	fields := []string{"decision", "switch"}
	for k := range q {
		fields = append(fields, k, q.Get(k))
	}
	a := p.post("/oauth_auth.do?as=sana", fields...)
	if got := a.Header.Get("Location"); a.Status != http.StatusSeeOther || got != "/oauth_auth.do?"+q.Encode() || !strings.HasPrefix(a.Header.Get("Set-Cookie"), sessionCookie+"=;") {
		t.Errorf("%d to %q with %q", a.Status, got, a.Header.Get("Set-Cookie"))
	}
	if page := p.open(a.Header.Get("Location")); strings.Contains(page.Text, `id="switch"`) || !strings.Contains(page.Text, `id="user_name"`) {
		t.Errorf("it does not ask who they are: %s", page.Text)
	}
}

func TestAuthorizationRefusesWhatItCannotTrust(t *testing.T) {
	b := open(t, nil)
	stay := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	p := browser{b, stay}
	if a := p.open("/oauth_auth.do?response_type=code&client_id=signin&redirect_uri=https://evil.example/"); a.Status != 400 || a.Header.Get("Location") != "" {
		t.Errorf("an unregistered redirect: %d, Location %q", a.Status, a.Header.Get("Location"))
	}
	a := p.open("/oauth_auth.do?response_type=code&client_id=public&redirect_uri=https://keyturn.example/callback")
	if !strings.Contains(a.Header.Get("Location"), "error=invalid_request") {
		t.Errorf("a public client without PKCE: %d, Location %q", a.Status, a.Header.Get("Location"))
	}
	a = p.post("/oauth_auth.do?as=sana", "response_type", "code", "client_id", "signin", "redirect_uri", "https://keyturn.example/callback", "decision", "deny")
	if !strings.Contains(a.Header.Get("Location"), "error=access_denied") {
		t.Errorf("a denial sent back %q", a.Header.Get("Location"))
	}
}

func TestBasicAuthenticationIsForMachinesOnly(t *testing.T) {
	b := open(t, nil)
	with := func(user, password string) answer {
		r, _ := http.NewRequest(http.MethodGet, b.url+"/api/now/table/incident", nil)
		r.SetBasicAuth(user, password)
		return b.do(r, http.DefaultClient)
	}
	wantRefused(t, with("sana", "open sesame"), 401, "User Not Authenticated", "Required to provide Auth information")
	if a := with("keyturn", "machine-pass"); a.Status != 200 {
		t.Errorf("a web-service-only user: %d", a.Status)
	}
	if rows := b.as("sana").find("syslog", "sourceLIKEBasicAuth"); len(rows) != 1 || !strings.Contains(rows[0]["message"].(string), "[sana]") {
		t.Errorf("the refusal is logged as %v", rows)
	}
}

func TestAnAdminTakesATokenAwayByItsRow(t *testing.T) {
	b := open(t, nil)
	ian := b.as("ian")
	rows := b.as("sana").find("oauth_credential", "user.user_name=ian^type=access_token")
	if len(rows) != 1 || rows[0]["token"] != "********" {
		t.Fatalf("oauth_credential shows %v", rows)
	}
	b.as("olga").call(http.MethodDelete, "/api/now/table/oauth_credential/"+rows[0]["sys_id"].(string), nil)
	if a := ian.get("/api/now/table/incident"); a.Status != 401 {
		t.Errorf("the token answers %d", a.Status)
	}
}

func TestATokenDiesWithItsClientAndItsUser(t *testing.T) {
	b := open(t, nil)
	admin := b.as("sana")
	ian := b.as("ian")
	user := admin.one("sys_user", "user_name=ian")
	admin.call(http.MethodPatch, "/api/now/table/sys_user/"+user["sys_id"].(string), object{"active": "false"})
	if a := ian.get("/api/now/table/incident"); a.Status != 401 {
		t.Errorf("an inactive user's token answered %d", a.Status)
	}
	entity := admin.one("oauth_entity", "client_id=signin")
	admin.call(http.MethodDelete, "/api/now/table/oauth_entity/"+entity["sys_id"].(string), nil)
	if a := admin.get("/api/now/table/incident"); a.Status != 401 {
		t.Errorf("a token of a deleted client answered %d", a.Status)
	}
}
