package servicenow_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/adapters/servicenow"
	"keyturn/bot"
)

const canary = "canary-51ae"

// instance is a small ServiceNow: a token endpoint, and tables whose answers
// the test scripts.
type instance struct {
	*httptest.Server
	t *testing.T

	mu     sync.Mutex
	now    time.Time
	waited time.Duration
	asked  []*http.Request
	bodies []string
	forms  []url.Values
	tables http.HandlerFunc
	token  http.HandlerFunc // nil gives a token
}

func newInstance(t *testing.T, answer http.HandlerFunc) *instance {
	in := &instance{t: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), tables: answer}
	in.Server = httptest.NewServer(http.HandlerFunc(in.serve))
	t.Cleanup(in.Close)
	return in
}

func (in *instance) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/oauth_token.do" {
		_ = r.ParseForm()
		in.mu.Lock()
		in.forms = append(in.forms, r.PostForm)
		n, token := len(in.forms), in.token
		in.mu.Unlock()
		if token != nil {
			token(w, r)
			return
		}
		_, _ = w.Write([]byte(`{"access_token":"` + canary + `-token-` + strconv.Itoa(n) + `","refresh_token":"` + canary + `","scope":"useraccount","token_type":"Bearer","expires_in":1799}`))
		return
	}
	var body json.RawMessage
	_ = json.NewDecoder(r.Body).Decode(&body)
	in.mu.Lock()
	in.asked = append(in.asked, r.Clone(context.WithoutCancel(r.Context())))
	in.bodies = append(in.bodies, string(body))
	in.mu.Unlock()
	in.mu.Lock()
	tables := in.tables
	in.mu.Unlock()
	tables(w, r)
}

func (in *instance) clock() time.Time {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.now
}

func (in *instance) wait(ctx context.Context, d time.Duration) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.now = in.now.Add(d)
	in.waited += d
	return ctx.Err()
}

func (in *instance) client(change ...func(*servicenow.Config)) *servicenow.Client {
	in.t.Helper()
	hc, err := httpx.New(httpx.Config{Version: "test"})
	if err != nil {
		in.t.Fatal(err)
	}
	in.t.Cleanup(hc.CloseIdleConnections)
	cfg := servicenow.Config{HTTP: hc, Now: in.clock, Wait: in.wait, Rand: func() float64 { return 1 },
		Tenants: map[bot.TenantID]servicenow.TenantConfig{
			"contoso": {Host: "contoso.service-now.com", BaseURL: in.URL,
				Writer: servicenow.Credential{ClientID: "writer", Secret: bot.NewSecret(canary + "-writer")}},
			"real": {Host: "contoso.service-now.com",
				Writer: servicenow.Credential{ClientID: "writer", Secret: bot.NewSecret(canary + "-writer")}},
			"none": {},
			"odd":  {Host: "https://contoso.service-now.com/nav"},
		}}
	for _, c := range change {
		c(&cfg)
	}
	return servicenow.New(cfg)
}

// What the instance saw is read under its lock, since a connection that it
// drops tells nobody that its handler is done.
func (in *instance) calls() int { return locked(in, func() int { return len(in.asked) }) }
func (in *instance) asks() int  { return locked(in, func() int { return len(in.forms) }) }
func (in *instance) request(i int) *http.Request {
	return locked(in, func() *http.Request { return in.asked[i] })
}
func (in *instance) form(i int) url.Values {
	return locked(in, func() url.Values { return in.forms[i] })
}
func (in *instance) body(i int) string { return locked(in, func() string { return in.bodies[i] }) }

func (in *instance) script(f func()) {
	in.mu.Lock()
	defer in.mu.Unlock()
	f()
}

func locked[T any](in *instance, f func() T) T {
	in.mu.Lock()
	defer in.mu.Unlock()
	return f()
}

var (
	identity = bot.CallIdentity{RequestID: "our-1", ClientID: "made", Secret: bot.NewSecret(canary + "-made")}
	get      = bot.Call{System: bot.ServiceNow, Method: "GET", Path: "/api/now/table/oauth_entity?sysparm_query=name=x^active=true&sysparm_limit=5"}
	post     = bot.Call{System: bot.ServiceNow, Method: "POST", Path: "/api/now/table/oauth_entity?sysparm_input_display_value=true",
		Body: json.RawMessage(`{"name":"x","client_secret":"` + canary + `-body"}`)}
	proof = bot.Call{System: bot.ServiceNow, Method: "POST", Path: "/oauth_token.do",
		Form: map[string]string{"grant_type": "client_credentials", "client_id": "made", "client_secret": canary}}
)

func answers(list ...func(http.ResponseWriter)) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		a := list[0]
		if len(list) > 1 {
			list = list[1:]
		}
		mu.Unlock()
		a(w)
	}
}

func says(status int, body string, header ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func tableError(status int, message, detail string, header ...string) func(http.ResponseWriter) {
	b, _ := json.Marshal(map[string]any{"error": map[string]string{"message": message, "detail": detail}, "status": "failure"})
	return says(status, string(b), header...)
}

func hangsUp(http.ResponseWriter) { panic(http.ErrAbortHandler) }

func failure(t *testing.T, err error) *bot.Failure {
	t.Helper()
	var f *bot.Failure
	if !errors.As(err, &f) {
		t.Fatalf("this is no failure: %v", err)
	}
	if strings.Contains(f.Error(), canary) || f.Err != nil && strings.Contains(f.Err.Error(), canary) {
		t.Errorf("the failure tells a secret: %v (%v)", f, f.Err)
	}
	if !strings.HasSuffix(f.Says, ".") || !strings.HasSuffix(f.Fix, ".") {
		t.Errorf("the failure is no pair of sentences: %q %q", f.Says, f.Fix)
	}
	return f
}
