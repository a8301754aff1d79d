package servicenow

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// bench is a running instance with a clock of its own.
type bench struct {
	*Server
	t     *testing.T
	url   string
	clock *clock
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) Pass(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

const (
	botSecret   = "bot-secret-8Qzr"
	entraSecret = "Zk8~entra-client-secret-value"
	entraApp    = "11111111-2222-3333-4444-555555555555"
)

func people() []User {
	return []User{
		{Name: "sana", Full: "Sana Admin", Email: "sana@contoso.com", Roles: []string{"admin"}, Password: "open sesame"},
		{Name: "olga", Full: "Olga Oauth", Roles: []string{"oauth_admin"}},
		{Name: "ursula", Full: "Ursula Users", Roles: []string{"user_admin"}},
		{Name: "ian", Full: "Ian Itil", Roles: []string{"itil", roleView}},
		{Name: "nina", Full: "Nina Nobody"},
		{Name: "keyturn", Full: "Keyturn Bot", Roles: []string{"sn_incident_write"}, WebServiceOnly: true, Password: "machine-pass"},
	}
}

// open starts an instance; change adjusts its configuration.
func open(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	c := &clock{now: time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)}
	cfg := Config{
		Users: people(), Now: c.Now, ClientCredentials: true,
		Clients: []Client{
			{Name: "Keyturn service", ID: "bot", Secret: botSecret, Grant: "client_credentials", User: "keyturn"},
			{Name: "Keyturn sign-in", ID: "signin", Secret: "signin-secret", Redirect: "https://keyturn.example/callback"},
			{Name: "Keyturn public", ID: "public", Public: true, Redirect: "https://keyturn.example/callback"},
		},
	}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	return &bench{Server: s, t: t, url: srv.URL, clock: c}
}

type answer struct {
	Status int
	Header http.Header
	Text   string
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(a.Text), &v); err != nil {
		t.Fatalf("not JSON: %v in %q", err, a.Text)
	}
	return v
}

// row is the result of a single-record answer; it fails the test on an error.
func (a answer) row(t *testing.T) map[string]any {
	t.Helper()
	r, ok := a.json(t)["result"].(map[string]any)
	if !ok {
		t.Fatalf("no record in %d %s", a.Status, a.Text)
	}
	return r
}

func (a answer) rows(t *testing.T) []map[string]any {
	t.Helper()
	list, ok := a.json(t)["result"].([]any)
	if !ok {
		t.Fatalf("no list in %d %s", a.Status, a.Text)
	}
	out := []map[string]any{}
	for _, v := range list {
		out = append(out, v.(map[string]any))
	}
	return out
}

func (b *bench) do(r *http.Request, client *http.Client) answer {
	b.t.Helper()
	res, err := client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

// tokenFor asks the token endpoint.
func (b *bench) tokenFor(form url.Values) answer {
	b.t.Helper()
	r, _ := http.NewRequest(http.MethodPost, b.url+"/oauth_token.do", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r, http.DefaultClient)
}

// session is somebody's use of the Table API.
type session struct {
	*bench
	token string
}

// as signs a person in without the detour through a browser.
func (b *bench) as(user string) session {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.db.first("sys_user", "user_name", user)
	e := b.db.first("oauth_entity", "client_id", "signin")
	return session{b, b.issue("access_token", e, u, "authorization_code", 30*time.Minute)}
}

func (s session) call(method, path string, body any) answer {
	s.t.Helper()
	var sent io.Reader
	if text, ok := body.(string); ok {
		sent = strings.NewReader(text)
	} else if body != nil {
		b, _ := json.Marshal(body)
		sent = bytes.NewReader(b)
	}
	r, err := http.NewRequest(method, s.url+path, sent)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	return s.do(r, http.DefaultClient)
}

func (s session) get(path string) answer { s.t.Helper(); return s.call(http.MethodGet, path, nil) }

// find lists rows by an encoded query.
func (s session) find(table, query string) []map[string]any {
	s.t.Helper()
	return s.get("/api/now/table/" + table + "?sysparm_exclude_reference_link=true&sysparm_query=" + url.QueryEscape(query)).rows(s.t)
}

// one is the only row of a query.
func (s session) one(table, query string) map[string]any {
	s.t.Helper()
	rows := s.find(table, query)
	if len(rows) != 1 {
		s.t.Fatalf("%s with %s: %d rows, want 1", table, query, len(rows))
	}
	return rows[0]
}

type object = map[string]any

// browser is a person at the pages.
type browser struct {
	*bench
	client *http.Client
}

func (b *bench) browse(user string) browser {
	b.t.Helper()
	jar, _ := cookiejar.New(nil)
	p := browser{b, &http.Client{Jar: jar}}
	p.open("/?as=" + user)
	return p
}

func (p browser) open(path string) answer {
	p.t.Helper()
	r, _ := http.NewRequest(http.MethodGet, p.url+path, nil)
	return p.do(r, p.client)
}

func (p browser) post(path string, pairs ...string) answer {
	p.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	r, _ := http.NewRequest(http.MethodPost, p.url+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.do(r, p.client)
}

// text reads the element with that id, as a scripted visitor would.
func (a answer) text(id string) string {
	m := regexp.MustCompile(`id="` + regexp.QuoteMeta(id) + `"[^>]*>([^<]*)<`).FindStringSubmatch(a.Text)
	if m == nil {
		return ""
	}
	return strings.NewReplacer("&#39;", "'", "&gt;", ">", "&#34;", `"`, "&amp;", "&").Replace(m[1])
}

// wantRefused checks status and error body.
func wantRefused(t *testing.T, a answer, status int, message string, detail any) {
	t.Helper()
	body := a.json(t)
	e, _ := body["error"].(map[string]any)
	if a.Status != status || body["status"] != "failure" || e["message"] != message || e["detail"] != detail {
		t.Errorf("answered %d %s\nwant %d %q %v", a.Status, strings.TrimSpace(a.Text), status, message, detail)
	}
}
