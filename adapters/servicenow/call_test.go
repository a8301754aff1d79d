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

	"github.com/google/go-cmp/cmp"

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
	in.tables(w, r)
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

func TestACallIsMadeAsItWasShown(t *testing.T) {
	in := newInstance(t, answers(says(201, `{"result":{"sys_id":"1"}}`, "X-Transaction-ID", "tx-1")))
	a, err := in.client().Call(t.Context(), "contoso", post, identity)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bot.Answer{Status: 201, Body: json.RawMessage(`{"result":{"sys_id":"1"}}`), RequestID: "tx-1"}, a); diff != "" {
		t.Error(diff)
	}
	r := in.asked[0]
	if r.URL.RequestURI() != post.Path || in.bodies[0] != string(post.Body) || r.Header.Get("Authorization") != "Bearer "+canary+"-token-1" ||
		r.Header.Get("Accept") != "application/json" || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("asked %s %v %s", r.URL.RequestURI(), r.Header, in.bodies[0])
	}
	if f := in.forms[0]; f.Get("grant_type") != "client_credentials" || f.Get("client_id") != "writer" || f.Get("client_secret") != canary+"-writer" {
		t.Errorf("token asked with %v", f)
	}
}

func TestAQueryKeepsItsMeaningOnTheWire(t *testing.T) {
	in := newInstance(t, answers(says(200, `{"result":[]}`)))
	if _, err := in.client().Call(t.Context(), "contoso", get, identity); err != nil {
		t.Fatal(err)
	}
	if q := in.asked[0].URL.Query().Get("sysparm_query"); q != "name=x^active=true" {
		t.Errorf("the instance reads %q", q)
	}
}

func TestTokensAreUsedAgainAndRenewed(t *testing.T) {
	in := newInstance(t, answers(says(200, `{"result":[]}`)))
	c := in.client()
	for range 3 {
		if _, err := c.Call(t.Context(), "contoso", get, identity); err != nil {
			t.Fatal(err)
		}
	}
	as := get
	as.As = "snow-reader"
	if _, err := c.Call(t.Context(), "contoso", as, identity); err != nil || len(in.forms) != 2 || in.forms[1].Get("client_id") != "made" {
		t.Errorf("tokens asked: %d, %v", len(in.forms), err)
	}
	in.tables = answers(tableError(401, "User Not Authenticated", "Required to provide Auth information"), says(200, `{"result":[]}`))
	if _, err := c.Call(t.Context(), "contoso", get, identity); err != nil || len(in.forms) != 3 {
		t.Errorf("a refused token is renewed: %d, %v", len(in.forms), err)
	}
	in.tables = answers(tableError(401, "User Not Authenticated", "Required to provide Auth information"))
	_, err := c.Call(t.Context(), "contoso", post, identity)
	if f := failure(t, err); f.Kind != bot.KindSignIn || len(in.forms) != 4 || f.RequestID != "our-1" {
		t.Errorf("once: %d tokens, %+v", len(in.forms), f)
	}
}

func TestATokenProofTellsOnlyThatThereWasAToken(t *testing.T) {
	in := newInstance(t, nil)
	a, err := in.client().Call(t.Context(), "contoso", proof, identity)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"token_type":"Bearer","expires_in":1799,"scope":"useraccount"}`, string(a.Body)); diff != "" {
		t.Error(diff)
	}
	in.token = answers(says(401, `{"error":"access_denied","error_description":"bad `+canary+`"}`))
	_, err = in.client().Call(t.Context(), "contoso", proof, identity)
	if f := failure(t, err); f.Kind != bot.KindSignIn || f.Code != "access_denied" || !strings.Contains(f.Fix, "OAuth Application User") {
		t.Errorf("%+v", f)
	}
	refusal := proof
	refusal.Fine = []int{401}
	if a, err := in.client().Call(t.Context(), "contoso", refusal, identity); err != nil || a.Status != 401 {
		t.Errorf("where the refusal is the proof: %+v %v", a, err)
	}
	in.token = answers(says(401, `{"error":"access_denied"}`), says(200, `{"access_token":"x"}`))
	lag := proof
	lag.Lag = true
	if _, err := in.client().Call(t.Context(), "contoso", lag, identity); err != nil || in.waited == 0 {
		t.Errorf("an entry made moments ago: waited %v, %v", in.waited, err)
	}
}

func TestARealInstanceIsNeverChangedWithoutASignIn(t *testing.T) {
	in := newInstance(t, nil)
	sent := 0
	spy := func(c *servicenow.Config) {
		c.HTTP = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) { sent++; return nil, errors.New("the network was used") })}
	}
	for _, method := range []string{"POST", "PATCH", "PUT", "DELETE"} {
		for _, as := range []string{"", "snow-reader"} {
			call := bot.Call{System: bot.ServiceNow, Method: method, Path: "/api/now/table/incident/1", As: as}
			_, err := in.client(spy).Call(t.Context(), "real", call, identity)
			if f := failure(t, err); f.Kind != bot.KindForeign || !strings.Contains(f.Says, "Nothing was called") {
				t.Errorf("%s as %q: %v", method, as, f)
			}
		}
	}
	if sent != 0 {
		t.Fatalf("%d requests left", sent)
	}
	d := &delegated{}
	if _, err := in.client(spy, func(c *servicenow.Config) { c.Tokens = d }).Call(t.Context(), "real", post, identity); bot.KindOf(err) == bot.KindForeign || sent == 0 || d.asked == 0 {
		t.Errorf("signed in: %d requests, %v", sent, err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type delegated struct{ asked, void int }

func (d *delegated) Token(context.Context, bot.TenantID, bot.System, bot.CallIdentity) (bot.Secret, error) {
	d.asked++
	return bot.NewSecret(canary + "-approver"), nil
}

func (d *delegated) Void(bot.TenantID, bot.System, bot.CallIdentity, bot.Secret) { d.void++ }

func TestAnApproverCallsWithTheirOwnToken(t *testing.T) {
	in := newInstance(t, answers(tableError(401, "User Not Authenticated", ""), says(201, `{"result":{}}`)))
	d := &delegated{}
	if _, err := in.client(func(c *servicenow.Config) { c.Tokens = d }).Call(t.Context(), "contoso", post, identity); err != nil {
		t.Fatal(err)
	}
	if len(in.forms) != 0 || d.void != 1 || in.asked[0].Header.Get("Authorization") != "Bearer "+canary+"-approver" {
		t.Errorf("%d client tokens, %d voided", len(in.forms), d.void)
	}
}

func TestAWriteIsRepeatedOnlyWhereItHadNoEffect(t *testing.T) {
	for name, trouble := range map[string]func(http.ResponseWriter){
		"hangs up":      hangsUp,
		"500":           tableError(500, "x", "y"),
		"gateway page":  says(502, "<html>", "Content-Type", "text/html"),
		"page with 200": says(200, "<html>", "Content-Type", "text/html"),
		"cancelled":     tableError(200, "Transaction cancelled", "maximum execution time exceeded"),
		"half a JSON":   says(201, `{"result":`),
	} {
		in := newInstance(t, answers(trouble))
		_, err := in.client().Call(t.Context(), "contoso", post, identity)
		if f := failure(t, err); f.Kind != bot.KindAmbiguous || len(in.asked) != 1 {
			t.Errorf("%s: %d calls, %v", name, len(in.asked), f)
		}
	}
	in := newInstance(t, answers(tableError(429, "Rate limit exceeded", "Rate limit of 10 requests per hour exceeded", "Retry-After", "4"), says(201, `{"result":{}}`)))
	if _, err := in.client().Call(t.Context(), "contoso", post, identity); err != nil || in.waited != 4*time.Second {
		t.Errorf("throttled: waited %v, %v", in.waited, err)
	}
	in = newInstance(t, nil)
	in.token = answers(hangsUp, says(200, `{"access_token":"x"}`))
	in.tables = answers(says(201, `{"result":{}}`))
	if _, err := in.client().Call(t.Context(), "contoso", post, identity); err != nil {
		t.Errorf("the token request was lost, so nothing was written yet: %v", err)
	}
}

func TestAReadIsRepeated(t *testing.T) {
	for name, trouble := range map[string]func(http.ResponseWriter){
		"hangs up": hangsUp, "503": says(503, ""), "asleep": says(200, "<html>zzz", "Content-Type", "text/html"),
		"cancelled": tableError(200, "Transaction cancelled", ""),
	} {
		in := newInstance(t, answers(trouble, trouble, says(200, `{"result":[]}`)))
		if _, err := in.client().Call(t.Context(), "contoso", get, identity); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		in = newInstance(t, answers(trouble))
		if _, err := in.client().Call(t.Context(), "contoso", get, identity); failure(t, err).Kind != bot.KindUnreachable {
			t.Errorf("%s for ever: %v", name, err)
		}
	}
	in := newInstance(t, answers(says(200, "")))
	if _, err := in.client().Call(t.Context(), "contoso", get, identity); failure(t, err).Kind != bot.KindMalformed {
		t.Errorf("an empty answer: %v", err)
	}
}

func TestALimitUntilATimeIsHandedBack(t *testing.T) {
	in := newInstance(t, nil)
	reset := strconv.FormatInt(in.clock().Add(10*time.Minute).Unix(), 10)
	in.tables = answers(tableError(429, "Rate limit exceeded", "", "X-RateLimit-Reset", reset))
	_, err := in.client().Call(t.Context(), "contoso", get, identity)
	if f := failure(t, err); f.Kind != bot.KindThrottled || f.RetryAfter != 10*time.Minute || in.waited != 0 {
		t.Errorf("%+v after %v", f, in.waited)
	}
}

func TestARecordThatComesLateIsWaitedFor(t *testing.T) {
	gone := tableError(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
	in := newInstance(t, answers(gone, gone, says(200, `{"result":{}}`)))
	call := get
	call.Lag = true
	if _, err := in.client().Call(t.Context(), "contoso", call, identity); err != nil || in.waited != 3*time.Second {
		t.Errorf("waited %v, %v", in.waited, err)
	}
	in = newInstance(t, answers(gone))
	del := bot.Call{System: bot.ServiceNow, Method: "DELETE", Path: "/api/now/table/oauth_entity/1", Fine: []int{404}}
	if a, err := in.client().Call(t.Context(), "contoso", del, identity); err != nil || a.Status != 404 {
		t.Errorf("a removal that is done: %+v %v", a, err)
	}
	in.token = answers(says(404, "<html>", "Content-Type", "text/html"))
	if _, err := in.client().Call(t.Context(), "contoso", del, identity); failure(t, err).Kind != bot.KindSignIn {
		t.Errorf("no token endpoint was taken for a removal that is done: %v", err)
	}
}

func TestNothingIsCalledForACallThatMakesNoSense(t *testing.T) {
	in := newInstance(t, answers(says(200, `{"result":[]}`)))
	for name, call := range map[string]bot.Call{
		"host":       {System: bot.ServiceNow, Method: "GET", Path: "@evil.test/x"},
		"climbs":     {System: bot.ServiceNow, Method: "GET", Path: "/api/now/../../x"},
		"header":     {System: bot.ServiceNow, Method: "GET", Path: "/x", Header: map[string]string{"X-HTTP-Method-Override": "DELETE"}},
		"form":       {System: bot.ServiceNow, Method: "POST", Path: "/x", Form: map[string]string{"a": "b"}},
		"body":       {System: bot.ServiceNow, Method: "POST", Path: "/x", Body: json.RawMessage(`{`)},
		"proof":      {System: bot.ServiceNow, Method: "GET", Path: "/oauth_token.do"},
		"the system": {System: bot.Graph, Method: "GET", Path: "/x"},
	} {
		_, err := in.client().Call(t.Context(), "contoso", call, identity)
		if f := failure(t, err); f.Kind != bot.KindBadRequest || len(in.asked)+len(in.forms) != 0 {
			t.Errorf("%s: %v", name, f)
		}
	}
	for _, tenant := range []bot.TenantID{"none", "odd", "unknown"} {
		_, err := in.client().Call(t.Context(), tenant, get, identity)
		if f := failure(t, err); f.Kind != bot.KindBadRequest || !strings.Contains(f.Says, string(tenant)) {
			t.Errorf("%s: %v", tenant, f)
		}
	}
	as := get
	as.As = "snow-reader"
	_, err := in.client().Call(t.Context(), "contoso", as, bot.CallIdentity{})
	if f := failure(t, err); f.Kind != bot.KindSignIn || len(in.forms) != 0 {
		t.Errorf("without a credential: %v", f)
	}
}

func TestASecretThatIsRepeatedInAnErrorIsTakenOut(t *testing.T) {
	in := newInstance(t, answers(tableError(403, "Operation Failed", "Data Policy: client_secret "+canary+"-body is too long")))
	_, err := in.client().Call(t.Context(), "contoso", post, identity)
	if f := failure(t, err); f.Kind != bot.KindRefused || !strings.Contains(f.Says, bot.Redacted) {
		t.Errorf("%v", f)
	}
}

func TestASignInPageInFrontOfTheAPI(t *testing.T) {
	in := newInstance(t, answers(says(302, "", "Location", "https://login.example.test/saml?x="+canary)))
	_, err := in.client().Call(t.Context(), "contoso", get, identity)
	if f := failure(t, err); f.Kind != bot.KindUnreachable || !strings.Contains(f.Says, "login.example.test") {
		t.Errorf("a read: %v", f)
	}
	_, err = in.client().Call(t.Context(), "contoso", post, identity)
	if f := failure(t, err); f.Kind != bot.KindRefused {
		t.Errorf("a write: %v", f)
	}
}
