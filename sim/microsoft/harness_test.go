package microsoft_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/sim/microsoft"
)

const (
	tenant    = "11111111-2222-4333-8444-555555555555"
	graphName = "https://graph.microsoft.com"
	anna      = "anna@contoso.example" // Application Administrator
	paul      = "paul@contoso.example" // may activate Privileged Role Administrator
	mia       = "mia@contoso.example"  // Helpdesk Administrator
	nobody    = "nora@contoso.example" // no role
	dev       = "dev@contoso.example"  // Application Developer
	gina      = "gina@contoso.example" // Global Administrator through a group
	botApp    = "aaaaaaaa-0000-4000-8000-000000000001"
	botSecret = "canary-of-the-bot-0123456789"
	callback  = "https://keyturn.example/signin/callback"
)

// clock is a time that only a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is one simulated tenant on a real listener, and somebody who visits it.
type world struct {
	*testing.T
	sim   *microsoft.Server
	url   string
	clock *clock
	http  *http.Client
}

type change func(*microsoft.Config)

func withLag(l microsoft.Lag) change { return func(c *microsoft.Config) { c.Lag = &l } }

func withQuirks(q microsoft.Quirks) change { return func(c *microsoft.Config) { c.Quirks = q } }

func inFile(name string) change { return func(c *microsoft.Config) { c.File = name } }

func withApps(apps ...microsoft.App) change {
	return func(c *microsoft.Config) { c.Apps = append(c.Apps, apps...) }
}

// bot is a registration with the permissions of an over-privileged tool, so
// that tests of Graph need no consent first.
func bot(roles ...string) microsoft.App {
	return microsoft.App{AppID: botApp, Name: "Keyturn", RedirectURIs: []string{callback},
		Secrets: []microsoft.Secret{{Name: "first", Value: botSecret}}, Roles: roles,
		Scopes: []string{"openid", "profile", "offline_access", "User.Read", "Application.ReadWrite.All", "Policy.Read.All", "RoleManagement.Read.Directory",
			"AppRoleAssignment.ReadWrite.All", "ServiceHealth.Read.All", "ServiceMessage.Read.All", "Organization.Read.All", "User.ReadBasic.All"}}
}

var everything = []string{"Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Directory.Read.All", "Policy.Read.All",
	"ServiceHealth.Read.All", "ServiceMessage.Read.All", "RoleManagement.Read.Directory", "DelegatedPermissionGrant.ReadWrite.All", "Organization.Read.All", "User.Read.All"}

func start(t *testing.T, changes ...change) *world {
	t.Helper()
	c := &clock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	cfg := microsoft.Config{TenantID: tenant, Name: "Contoso", Domain: "contoso.example", Now: c.Now, Lag: &microsoft.Lag{},
		Users: []microsoft.User{
			{Name: "Anna Adams", UPN: anna, Mail: anna, Active: []string{"Application Administrator"}},
			{Name: "Paul Price", UPN: paul, Eligible: []string{"Privileged Role Administrator"}},
			{Name: "Mia Moss", UPN: mia, Mail: mia, Active: []string{"Helpdesk Administrator"}},
			{Name: "Nora Nobody", UPN: nobody, Mail: "nora.nobody@contoso.example"},
			{Name: "Dev Dale", UPN: dev, Active: []string{microsoft.ApplicationDeveloper}},
			{Name: "Gina Gold", UPN: gina, GroupRoles: []string{"Global Administrator"}},
		}}
	for _, ch := range changes {
		ch(&cfg)
	}
	s, err := microsoft.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &world{T: t, sim: s, url: srv.URL, clock: c, http: &http.Client{Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is what came back, read to the end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) object(t testing.TB) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(a.body, &out); err != nil {
		t.Fatalf("status %d, not a JSON object: %v\n%s", a.status, err, a.body)
	}
	return out
}

func (a answer) text(t testing.TB, path ...string) string {
	t.Helper()
	var v any = a.object(t)
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	s, _ := v.(string)
	return s
}

func (a answer) values(t testing.TB) []map[string]any {
	t.Helper()
	var out struct{ Value []map[string]any }
	if err := json.Unmarshal(a.body, &out); err != nil {
		t.Fatalf("status %d, not a collection: %v\n%s", a.status, err, a.body)
	}
	return out.Value
}

func (w *world) do(r *http.Request) answer {
	w.Helper()
	resp, err := w.http.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, b}
}

func (w *world) request(method, address string, body io.Reader) *http.Request {
	w.Helper()
	if strings.HasPrefix(address, "/") {
		address = w.url + address
	}
	r, err := http.NewRequest(method, address, body)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func (w *world) get(address string) answer {
	w.Helper()
	return w.do(w.request("GET", address, nil))
}

// post sends a form.
func (w *world) post(address string, fields ...string) answer {
	w.Helper()
	r := w.request("POST", address, strings.NewReader(form(fields...).Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.do(r)
}

func form(fields ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		v.Add(fields[i], fields[i+1])
	}
	return v
}

func (w *world) tokenURL() string { return w.url + "/login/" + tenant + "/oauth2/v2.0/token" }

// appToken signs the bot in as itself.
func (w *world) appToken() string {
	w.Helper()
	a := w.post(w.tokenURL(), "grant_type", "client_credentials", "client_id", botApp, "client_secret", botSecret, "scope", graphName+"/.default")
	if a.status != 200 {
		w.Fatalf("token: %d %s", a.status, a.body)
	}
	return a.text(w, "access_token")
}

// graph calls Microsoft Graph. The body is JSON text, headers come in pairs.
func (w *world) graph(token, method, path, body string, headers ...string) answer {
	w.Helper()
	address := path
	if !strings.HasPrefix(path, "http") {
		address = w.url + "/graph/v1.0" + path
	}
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := w.request(method, address, in)
	r.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	a := w.do(r)
	keepsContract(w.T, r, body, a)
	return a
}

// wants fails unless the answer has that status and, for a refusal, that code.
func wants(t testing.TB, a answer, status int, code string) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	if code != "" && a.text(t, "error", "code") != code {
		t.Fatalf("code %q, want %q: %s", a.text(t, "error", "code"), code, a.body)
	}
	return a
}

// refused fails unless the token endpoint refused with that AADSTS number.
func refused(t testing.TB, a answer, status, number int) {
	t.Helper()
	codes, _ := a.object(t)["error_codes"].([]any)
	if a.status != status || len(codes) != 1 || codes[0] != float64(number) {
		t.Fatalf("status %d codes %v, want %d AADSTS%d: %s", a.status, codes, status, number, a.body)
	}
}

func challenge(verifier string) string {
	h := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// signIn lets a person sign in to the bot in a browser and returns the token answer.
func (w *world) signIn(upn string, scopes ...string) answer {
	w.Helper()
	q := form("client_id", botApp, "response_type", "code", "redirect_uri", callback, "scope", strings.Join(scopes, " "),
		"state", "st-1", "nonce", "no-1", "code_challenge", challenge("verifier"), "code_challenge_method", "S256")
	page := w.get("/login/" + tenant + "/oauth2/v2.0/authorize?" + q.Encode())
	back := w.submit(page, "signin", "account", upn)
	if back.status != http.StatusFound {
		w.Fatalf("sign-in of %s: status %d: %s", upn, back.status, back.body)
	}
	to, err := url.Parse(back.header.Get("Location"))
	if err != nil || to.Query().Get("state") != "st-1" {
		w.Fatalf("redirected to %q", back.header.Get("Location"))
	}
	return w.post(w.tokenURL(), "grant_type", "authorization_code", "client_id", botApp, "client_secret", botSecret,
		"code", to.Query().Get("code"), "redirect_uri", callback, "code_verifier", "verifier")
}

func (w *world) userToken(upn string, scopes ...string) string {
	w.Helper()
	a := w.signIn(upn, append([]string{"openid"}, scopes...)...)
	if a.status != 200 {
		w.Fatalf("token of %s: %d %s", upn, a.status, a.body)
	}
	return a.text(w, "access_token")
}
