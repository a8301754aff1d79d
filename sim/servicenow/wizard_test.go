package servicenow

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// cloud is the other side: a token URL and the connector. It knows one
// application, and one repository once the admin center has it.
type cloud struct {
	mu         sync.Mutex
	repository string // "" until the admin center is done
	broken     bool
	tokens     []url.Values
	shakes     []map[string]string
	url        string
}

func newCloud(t *testing.T) *cloud {
	c := &cloud{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login/{tenant}/oauth2/token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		c.mu.Lock()
		defer c.mu.Unlock()
		id, secret, basic := r.BasicAuth()
		if !basic {
			id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
		}
		c.tokens = append(c.tokens, r.PostForm)
		if id != entraApp || secret != url.QueryEscape(entraSecret) && secret != entraSecret || r.PostForm.Get("resource") == "" {
			writeJSON(w, http.StatusUnauthorized, object{"error": "invalid_client"})
			return
		}
		writeJSON(w, http.StatusOK, object{"token_type": "Bearer", "expires_in": "3599", "access_token": "minted"})
	})
	mux.HandleFunc("POST /login/{tenant}/oauth2/v2.0/token", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusTeapot, object{"error": r.PostFormValue("scope")})
	})
	mux.HandleFunc("POST /connector/handshake", func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.broken {
			http.Error(w, "bad gateway", http.StatusBadGateway)
			return
		}
		var in map[string]string
		b, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(b, &in)
		c.shakes = append(c.shakes, in)
		if r.Header.Get("Authorization") != "Bearer minted" || c.repository == "" || in["repository"] != c.repository {
			writeJSON(w, http.StatusForbidden, object{"error": "repository_unknown"})
			return
		}
		w.WriteHeader(http.StatusOK)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	c.url = srv.URL
	return c
}

func (c *cloud) outbound() map[string]string {
	return map[string]string{"login.microsoftonline.com": c.url + "/login", connectorHost: c.url + "/connector"}
}

func (c *cloud) know(repository string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.repository = repository
}

const setupPath = "/x_mioms_m365_assis_setup.do"

// readyFor opens an instance with a provider on it and everything readable.
func readyFor(t *testing.T, c *cloud, change func(*Config)) *bench {
	b := open(t, func(cfg *Config) {
		cfg.CrossScope, cfg.Outbound = CrossScopeOpen, c.outbound()
		if change != nil {
			change(cfg)
		}
	})
	if a := b.as("olga").call("POST", createEntity, provider()); a.Status != 201 {
		t.Fatal(a.Text)
	}
	if err := b.Pick("sana", appScope); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheWizardSaysWhatStandsInItsWay(t *testing.T) {
	b := open(t, nil)
	if a := b.browse("olga").open(setupPath); a.Status != http.StatusForbidden {
		t.Errorf("without admin: %d, want 403", a.Status)
	}
	p := b.browse("sana")
	if a := p.open(setupPath); !strings.Contains(a.text("error"), "Your application scope is not Microsoft 365 support integration") {
		t.Errorf("with the picker on Global: %q", a.text("error"))
	}
	p.post("/application_picker.do", "scope", appSysID)
	refused := "Read operation against 'oauth_entity' from scope 'x_mioms_m365_assis' has been refused due to the table's cross-scope access policy"
	if a := p.open(setupPath); a.text("error") != refused || a.text("current_application") != appName {
		t.Errorf("with the table closed: %q in scope %q", a.text("error"), a.text("current_application"))
	}

	s := b.as("sana")
	obj := s.one("sys_db_object", "name=oauth_entity")["sys_id"].(string)
	s.call("PATCH", "/api/now/table/sys_db_object/"+obj, object{"access": "package_private", "read_access": "true"})
	if a := p.open(setupPath); a.text("error") != refused {
		t.Errorf("readable, but for its own scope only: %q", a.text("error"))
	}
	s.call("PATCH", "/api/now/table/sys_db_object/"+obj, object{"access": "public"})
	privilege := s.one("sys_scope_privilege", "target_name=oauth_entity^source_scope.scope="+appScope)
	path := "/api/now/table/sys_scope_privilege/" + privilege["sys_id"].(string)
	s.call("PATCH", path, object{"status": "denied"})
	if a := p.open(setupPath); a.text("error") != refused {
		t.Errorf("with the privilege denied: %q", a.text("error"))
	}
	s.call("PATCH", path, object{"status": "allowed"})
	if a := p.open(setupPath); a.text("error") != "" || !strings.Contains(a.Text, `id="agree"`) {
		t.Errorf("with all in order: %q", a.text("error"))
	}

	// The list of profiles stays empty until the second table is open too.
	b.as("olga").call("POST", createEntity, provider())
	if a := p.post(setupPath, "step", "agree", "action", "next"); a.text("no_profiles") == "" {
		t.Error("profiles are offered though oauth_entity_profile is closed")
	}
	other := s.one("sys_db_object", "name=oauth_entity_profile")["sys_id"].(string)
	s.call("PATCH", "/api/now/table/sys_db_object/"+other, object{"read_access": "true"})
	if a := p.open(setupPath); !strings.Contains(a.Text, "(outbound) default_profile</option>") {
		t.Errorf("the profile is not offered: %s", a.Text)
	}
}

// walk1 goes through the 1.x wizard up to step 6.
func walk1(t *testing.T, b *bench, p browser) answer {
	t.Helper()
	profile := b.as("sana").one("oauth_entity_profile", "default=true")["sys_id"].(string)
	for _, page := range [][]string{
		{"step", "agree"},
		{"step", "outbound", "outbound_profile", profile},
		{"step", "inbound", "skip_inbound", "true"},
		{"step", "inbound_user", "skip_user", "true"},
		{"step", "repository", "repository_id", "ContosoRepo"},
		{"step", "settings", "admin_email", "mia@contoso.com", "test_environment", "true"},
	} {
		if a := p.post(setupPath, append(page, "action", "next")...); a.text("error") != "" {
			t.Fatalf("%s: %s", page[1], a.text("error"))
		}
	}
	return p.open(setupPath)
}

func TestTheFirstWizardFromAgreeToDone(t *testing.T) {
	c := newCloud(t)
	b := readyFor(t, c, nil)
	p := b.browse("sana")
	six := walk1(t, b, p)
	got := []string{six.text("outbound_app_id"), six.text("repository_id"), six.text("endpoint")}
	want := []string{entraApp, "ContosoRepo", "https://contoso.service-now.com/api/x_mioms_m365_assis/m365_support"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("step 6 shows (-want +got):\n%s", diff)
	}

	// Too early: the admin center does not know the repository yet.
	early := p.post(setupPath, "step", "complete", "action", "next")
	if early.text("error") != finalOpen || early.text("detail") != "connector.rave.microsoft.com answered 403 (repository_unknown)." {
		t.Fatalf("too early: %q, %q", early.text("error"), early.text("detail"))
	}
	if a := p.open(setupPath); a.text("error") != finalOpen {
		t.Error("the error is gone when the page is opened again")
	}

	c.know("ContosoRepo")
	if done := p.post(setupPath, "step", "complete", "action", "next"); done.text("error") != "" || done.text("done") != "The integration is complete." {
		t.Fatalf("in time: %q", done.text("error"))
	}
	if res := c.tokens[0].Get("resource"); res != "https://connector.rave.microsoft.com" {
		t.Errorf("the token was asked for resource %q", res)
	}
	if diff := cmp.Diff(map[string]string{"repository": "ContosoRepo", "endpoint": want[2]}, c.shakes[1]); diff != "" {
		t.Error(diff)
	}

	s := b.as("sana")
	var log []string
	for _, r := range s.find("sys_outbound_http_log", "") {
		log = append(log, r["url_hostname"].(string)+" "+r["response_status"].(string))
	}
	if diff := cmp.Diff([]string{"login.microsoftonline.com 200", connectorHost + " 403", "login.microsoftonline.com 200", connectorHost + " 200"}, log); diff != "" {
		t.Errorf("outbound log (-want +got):\n%s", diff)
	}
	tokens := s.get("/api/now/table/oauth_credential?sysparm_fields=type,grant_type,token&sysparm_query=peer.client_id=" + entraApp).rows(t)
	if len(tokens) != 2 || tokens[1]["type"] != "access_token" || tokens[1]["token"] != "********" {
		t.Errorf("oauth_credential %v", tokens)
	}
	if rows := s.find("syslog", "sourceLIKEx_mioms_m365_assis^level=2"); len(rows) != 1 {
		t.Errorf("the failure is in the log %d times", len(rows))
	}
	if a := p.post("/x_mioms_m365_assis_settings.do", "admin_email", "no address", "test_environment", "true"); a.text("error") == "" {
		t.Error("settings were saved without an address")
	}
	if at := b.Setup(); at.AgreedBy != "sana" || !at.TestEnvironment || !at.InboundSkipped || !at.UserSkipped {
		t.Errorf("set up as %+v", at)
	}
	p.post("/x_mioms_m365_assis_settings.do", "admin_email", "mia@contoso.com")
	if b.Setup().TestEnvironment {
		t.Error("unticking Test Environment did not go live")
	}
	if a := p.post(setupPath, "step", "done", "action", "restart"); !strings.Contains(a.Text, `id="agree"`) || b.Setup().AgreedBy != "" {
		t.Errorf("running setup again begins at %q", b.Setup().Step)
	}
}

func TestTheWizardHoldsOnToItsPages(t *testing.T) {
	b := readyFor(t, newCloud(t), nil)
	p := b.browse("sana")
	p.post(setupPath, "step", "agree", "action", "next")
	for _, c := range [][]string{
		{"agree", "This page is out of date: somebody has moved the wizard on. This is where it stands now."},
		{"outbound", "Select an outbound OAuth profile."},
	} {
		if a := p.post(setupPath, "step", c[0], "action", "next"); a.text("error") != c[1] {
			t.Errorf("%s: %q", c[0], a.text("error"))
		}
	}
	profile := b.as("sana").one("oauth_entity_profile", "")["sys_id"].(string)
	p.post(setupPath, "step", "outbound", "outbound_profile", profile, "action", "next")
	if a := p.post(setupPath, "step", "inbound", "action", "next"); !strings.Contains(a.text("error"), "Skip current step") {
		t.Errorf("neither chosen nor skipped: %q", a.text("error"))
	}
	p.post(setupPath, "step", "inbound", "action", "back")
	if at := b.Setup(); at.Step != "outbound" || at.Profile != profile {
		t.Errorf("back went to %+v", at)
	}
}

func TestWhatGoesWrongOnTheLastPage(t *testing.T) {
	for name, c := range map[string]struct {
		change        func(*Config)
		error, detail string
	}{
		"the secret was stored malformed": {func(c *Config) { c.SecretWrite = SecretGarbled }, askSupport, "The token request was answered with 401 (invalid_client)."},
		"the service is shut down":        {func(c *Config) { c.World, c.AppVersion = ShutDown, "1.0.11" }, askSupport, connectorHost + " cannot be reached: UnknownHostException: " + connectorHost},
		"the connector is broken":         {nil, askSupport, connectorHost + " answered 502."},
		"the token URL cannot be reached": {func(c *Config) { delete(c.Outbound, "login.microsoftonline.com") }, askSupport, "The token URL cannot be reached: UnknownHostException: login.microsoftonline.com"},
	} {
		other := newCloud(t)
		other.know("ContosoRepo")
		other.broken = name == "the connector is broken"
		b := readyFor(t, other, c.change)
		p := b.browse("sana")
		walk1(t, b, p)
		a := p.post(setupPath, "step", "complete", "action", "next")
		if a.text("error") != c.error || a.text("detail") != c.detail || b.Setup().Step != "complete" {
			t.Errorf("%s: %q, %q", name, a.text("error"), a.text("detail"))
		}
	}
}

func TestHowTheInstanceAsksForItsToken(t *testing.T) {
	c := newCloud(t)
	c.know("ContosoRepo")
	b := readyFor(t, c, nil)
	s := b.as("olga")
	id := s.one("oauth_entity", "client_id="+entraApp)["sys_id"].(string)
	p := b.browse("sana")
	walk1(t, b, p)

	s.call("PATCH", "/api/now/table/oauth_entity/"+id, object{"send_client_credentials_as": "basic_authorization_header"})
	if a := p.post(setupPath, "step", "complete", "action", "next"); a.text("done") == "" {
		t.Errorf("with the credentials in the header: %q", a.text("detail"))
	}
	if c.tokens[0].Has("client_secret") {
		t.Error("the secret went into the body as well")
	}

	p.post(setupPath, "step", "done", "action", "restart")
	walk1(t, b, p)
	s.call("POST", "/api/now/table/oauth_entity_scope", object{"name": "Graph", "oauth_entity": id, "oauth_entity_scope": "https://graph.microsoft.com/.default"})
	s.call("PATCH", "/api/now/table/oauth_entity/"+id, object{"token_url": "https://login.microsoftonline.com/contoso/oauth2/v2.0/token"})
	if a := p.post(setupPath, "step", "complete", "action", "next"); a.text("detail") != "The token request was answered with 418 (https://graph.microsoft.com/.default)." {
		t.Errorf("on a v2 URL: %q", a.text("detail"))
	}
	for _, wrong := range []struct{ table, query, column, value, detail string }{
		{"oauth_entity_profile", "oauth_entity=" + id, "grant_type", "authorization_code", "The grant type of the chosen OAuth profile is not Client Credentials."},
		{"oauth_entity", "sys_id=" + id, "active", "false", "The OAuth provider of the chosen profile is gone or not active."},
	} {
		row := s.one(wrong.table, wrong.query)["sys_id"].(string)
		s.call("PATCH", "/api/now/table/"+wrong.table+"/"+row, object{wrong.column: wrong.value})
		if a := p.post(setupPath, "step", "complete", "action", "next"); a.text("error") != askSupport || a.text("detail") != wrong.detail {
			t.Errorf("%s: %q, %q", wrong.column, a.text("error"), a.text("detail"))
		}
	}
}

func TestTheSecondWizard(t *testing.T) {
	c := newCloud(t)
	b := readyFor(t, c, func(cfg *Config) { cfg.World = Alive2 })
	s := b.as("sana")
	if v := s.one("sys_store_app", "scope="+appScope)["version"]; v != "2.1.0" {
		t.Errorf("version %v", v)
	}
	entity := s.one("oauth_entity", "client_id="+entraApp)["sys_id"].(string)
	p := b.browse("sana")
	for _, page := range [][]string{
		{"step", "agree"},
		{"step", "environment", "test_environment", "true"},
		{"step", "domain", "tenant_domain", "contoso.onmicrosoft.com"},
		{"step", "app"},
		{"step", "provider", "oauth_provider", entity},
	} {
		if a := p.post(setupPath, append(page, "action", "next")...); a.text("error") != "" {
			t.Fatalf("%s: %s", page[1], a.text("error"))
		}
	}
	verify := p.open(setupPath)
	repository := verify.text("repository_id")
	if verify.text("outbound_app_id") != entraApp || !strings.HasPrefix(repository, "contoso-") {
		t.Fatalf("to verify: %q, %q", verify.text("outbound_app_id"), repository)
	}
	if a := p.post(setupPath, "step", "verify", "action", "next"); a.text("error") != finalOpen {
		t.Errorf("too early: %q", a.text("error"))
	}
	c.know(repository)
	if a := p.post(setupPath, "step", "verify", "action", "next"); a.text("done") == "" {
		t.Errorf("Test setup: %q", a.text("error"))
	}
}

func TestTheSecondWizardWithoutAnySetup(t *testing.T) {
	c := newCloud(t)
	b := readyFor(t, c, func(cfg *Config) { cfg.World = Alive2 })
	p := b.browse("sana")
	p.post(setupPath, "step", "agree", "action", "next")
	if a := p.post(setupPath, "step", "environment", "action", "basic"); !strings.Contains(a.text("done"), "basic recommended solutions only") {
		t.Errorf("ended with %q", a.text("done"))
	}
	if len(c.tokens) != 0 {
		t.Error("a token was asked for though nothing is set up")
	}
}

func TestTheTabOnAnIncident(t *testing.T) {
	c := newCloud(t)
	b := readyFor(t, c, nil)
	path, r := b.as("ian").sent(object{"short_description": "mail is slow"})
	_ = path
	id := r["sys_id"].(string)
	ian, sana := b.browse("ian"), b.browse("sana")
	form := "/incident.do?sys_id=" + id
	if a := sana.open(form); a.Status != 200 || strings.Contains(a.Text, "m365_tab") {
		t.Error("the tab shows without a role of the app")
	}
	if a := ian.open(form); a.text("m365_message") != setupOpen {
		t.Errorf("before the setup: %q", a.text("m365_message"))
	}
	walk1(t, b, sana)
	if a := ian.open(form); a.text("m365_message") != finalOpen {
		t.Errorf("before the last step: %q", a.text("m365_message"))
	}
	c.know("ContosoRepo")
	sana.post(setupPath, "step", "complete", "action", "next")
	a := ian.post("/x_mioms_m365_assis_insights.do?sys_id="+id, "action", "insights")
	if a.text("solutions") != "Recommended solutions for: mail is slow" || strings.Contains(a.Text, "contact_support") {
		t.Errorf("after the setup: %s", a.Text)
	}
	if err := b.SetWorld(ShutDown); err != nil {
		t.Fatal(err)
	}
	if a := ian.post("/x_mioms_m365_assis_insights.do?sys_id="+id, "action", "insights"); a.text("solutions") != "" {
		t.Error("solutions show up though the connector is gone")
	}
	if err := b.Grant("ian", roleManage, true); err != nil {
		t.Fatal(err)
	}
	if a := ian.open(form); !strings.Contains(a.Text, "contact_support") {
		t.Error("the administrator role does not offer Microsoft support")
	}
}
