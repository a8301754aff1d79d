package servicenow_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/adapters/servicenow"
	"keyturn/bot"
)

func TestACallIsMadeAsItWasShown(t *testing.T) {
	in := newInstance(t, answers(says(201, `{"result":{"sys_id":"1"}}`, "X-Transaction-ID", "tx-1")))
	a, err := in.client().Call(t.Context(), "contoso", post, identity)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bot.Answer{Status: 201, Body: json.RawMessage(`{"result":{"sys_id":"1"}}`), RequestID: "tx-1"}, a); diff != "" {
		t.Error(diff)
	}
	r := in.request(0)
	if r.URL.RequestURI() != post.Path || in.body(0) != string(post.Body) || r.Header.Get("Authorization") != "Bearer "+canary+"-token-1" ||
		r.Header.Get("Accept") != "application/json" || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("asked %s %v %s", r.URL.RequestURI(), r.Header, in.body(0))
	}
	if f := in.form(0); f.Get("grant_type") != "client_credentials" || f.Get("client_id") != "writer" || f.Get("client_secret") != canary+"-writer" {
		t.Errorf("token asked with %v", f)
	}
}

func TestAQueryKeepsItsMeaningOnTheWire(t *testing.T) {
	in := newInstance(t, answers(says(200, `{"result":[]}`)))
	if _, err := in.client().Call(t.Context(), "contoso", get, identity); err != nil {
		t.Fatal(err)
	}
	if q := in.request(0).URL.Query().Get("sysparm_query"); q != "name=x^active=true" {
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
	if _, err := c.Call(t.Context(), "contoso", as, identity); err != nil || in.asks() != 2 || in.form(1).Get("client_id") != "made" {
		t.Errorf("tokens asked: %d, %v", in.asks(), err)
	}
	in.script(func() {
		in.tables = answers(tableError(401, "User Not Authenticated", "Required to provide Auth information"), says(200, `{"result":[]}`))
	})
	if _, err := c.Call(t.Context(), "contoso", get, identity); err != nil || in.asks() != 3 {
		t.Errorf("a refused token is renewed: %d, %v", in.asks(), err)
	}
	in.script(func() {
		in.tables = answers(tableError(401, "User Not Authenticated", "Required to provide Auth information"))
	})
	_, err := c.Call(t.Context(), "contoso", post, identity)
	if f := failure(t, err); f.Kind != bot.KindSignIn || in.asks() != 4 || f.RequestID != "our-1" {
		t.Errorf("once: %d tokens, %+v", in.asks(), f)
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
	in.script(func() {
		in.token = answers(says(401, `{"error":"access_denied","error_description":"bad `+canary+`"}`))
	})
	_, err = in.client().Call(t.Context(), "contoso", proof, identity)
	if f := failure(t, err); f.Kind != bot.KindSignIn || f.Code != "access_denied" || !strings.Contains(f.Fix, "OAuth Application User") {
		t.Errorf("%+v", f)
	}
	refusal := proof
	refusal.Fine = []int{401}
	if a, err := in.client().Call(t.Context(), "contoso", refusal, identity); err != nil || a.Status != 401 {
		t.Errorf("where the refusal is the proof: %+v %v", a, err)
	}
	in.script(func() { in.token = answers(says(401, `{"error":"access_denied"}`), says(200, `{"access_token":"x"}`)) })
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
	if in.asks() != 0 || d.void != 1 || in.request(0).Header.Get("Authorization") != "Bearer "+canary+"-approver" {
		t.Errorf("%d client tokens, %d voided", in.asks(), d.void)
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
		if f := failure(t, err); f.Kind != bot.KindAmbiguous || in.calls() != 1 {
			t.Errorf("%s: %d calls, %v", name, in.calls(), f)
		}
	}
	in := newInstance(t, answers(tableError(429, "Rate limit exceeded", "Rate limit of 10 requests per hour exceeded", "Retry-After", "4"), says(201, `{"result":{}}`)))
	if _, err := in.client().Call(t.Context(), "contoso", post, identity); err != nil || in.waited != 4*time.Second {
		t.Errorf("throttled: waited %v, %v", in.waited, err)
	}
	in = newInstance(t, nil)
	in.script(func() { in.token = answers(hangsUp, says(200, `{"access_token":"x"}`)) })
	in.script(func() { in.tables = answers(says(201, `{"result":{}}`)) })
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
	in.script(func() { in.tables = answers(tableError(429, "Rate limit exceeded", "", "X-RateLimit-Reset", reset)) })
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
	in.script(func() { in.token = answers(says(404, "<html>", "Content-Type", "text/html")) })
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
		if f := failure(t, err); f.Kind != bot.KindBadRequest || in.calls()+in.asks() != 0 {
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
	if f := failure(t, err); f.Kind != bot.KindSignIn || in.asks() != 0 {
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
