package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/adapters/graph"
	"keyturn/bot"
)

func TestACallIsMadeAsItWasShown(t *testing.T) {
	w := newWorld(t, answers(says(201, `{"id":"1"}`, "request-id", "ms-7")))
	call := bot.Call{System: bot.Graph, Method: "PATCH", Path: "/applications(uniqueName='keyturn-x')", Body: json.RawMessage(`{"displayName":"x"}`),
		Header: map[string]string{"Prefer": "create-if-missing"}}
	a, err := w.client().Call(t.Context(), "contoso", call, identity)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bot.Answer{Status: 201, Body: json.RawMessage(`{"id":"1"}`), RequestID: "ms-7"}, a); diff != "" {
		t.Error(diff)
	}
	r := w.request(0)
	if r.Method != "PATCH" || r.URL.Path != "/v1.0/applications(uniqueName='keyturn-x')" || w.bodies[0] != `{"displayName":"x"}` {
		t.Errorf("asked %s %s %s", r.Method, r.URL.Path, w.bodies[0])
	}
	for k, want := range map[string]string{"Prefer": "create-if-missing", "Client-Request-Id": identity.RequestID, "Return-Client-Request-Id": "true",
		"X-Ms-Throttle-Priority": "high", "Content-Type": "application/json", "Authorization": "Bearer " + canary + "-token-1", "User-Agent": "Keyturn/test"} {
		if got := r.Header.Get(k); got != want {
			t.Errorf("%s: %q, want %q", k, got, want)
		}
	}
}

func TestANoContentAnswerIsNull(t *testing.T) {
	w := newWorld(t, answers(says(204, "")))
	a, err := w.client().Call(t.Context(), "contoso", bot.Call{System: bot.Graph, Method: "DELETE", Path: "/applications/1"}, identity)
	if err != nil || string(a.Body) != "null" {
		t.Errorf("%s %v", a.Body, err)
	}
}

func TestTokensAreUsedAgainUntilShortlyBeforeTheirEnd(t *testing.T) {
	w := newWorld(t, answers(says(200, `{"id":"1"}`)))
	c := w.client()
	for range 3 {
		if _, err := c.Call(t.Context(), "contoso", get, identity); err != nil {
			t.Fatal(err)
		}
	}
	if w.fetched() != 1 {
		t.Errorf("three calls fetched %d tokens", w.fetched())
	}
	w.later(56 * time.Minute)
	if _, err := c.Call(t.Context(), "contoso", get, identity); err != nil || w.fetched() != 2 {
		t.Errorf("near its end: %d tokens, %v", w.fetched(), err)
	}
	as := get
	as.As = "reader"
	if _, err := c.Call(t.Context(), "contoso", as, identity); err != nil || w.fetched() != 3 {
		t.Errorf("another identity needs a token of its own: %d, %v", w.fetched(), err)
	}
	rotated := identity
	rotated.Secret = bot.NewSecret("another-secret")
	if _, err := c.Call(t.Context(), "contoso", as, rotated); err != nil || w.fetched() != 4 {
		t.Errorf("a rotated secret is proved with a new token: %d, %v", w.fetched(), err)
	}
}

func TestManyCallsAtOnceFetchOneToken(t *testing.T) {
	w := newWorld(t, answers(says(200, `{"id":"1"}`)))
	c := w.client()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, err := c.Call(t.Context(), "contoso", get, identity); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if w.fetched() != 1 {
		t.Errorf("%d tokens", w.fetched())
	}
}

func TestARefusedTokenIsFetchedAnewOnce(t *testing.T) {
	w := newWorld(t, answers(graphError(401, "InvalidAuthenticationToken", "expired"), says(200, `{"id":"1"}`)))
	if _, err := w.client().Call(t.Context(), "contoso", get, identity); err != nil || w.fetched() != 2 {
		t.Errorf("%d tokens, %v", w.fetched(), err)
	}
	w = newWorld(t, answers(graphError(401, "InvalidAuthenticationToken", "expired")))
	_, err := w.client().Call(t.Context(), "contoso", post, identity)
	if f := failure(t, err); f.Kind != bot.KindSignIn || w.calls() != 2 {
		t.Errorf("after %d calls: %v", w.calls(), f)
	}
}

func TestANewlyGrantedRightIsFoundDespiteAnOldToken(t *testing.T) {
	w := newWorld(t, answers(graphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
		graphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."), says(200, `{"value":[]}`)))
	c := w.client()
	call := bot.Call{System: bot.Graph, Method: "GET", Path: "/admin/serviceAnnouncement/healthOverviews?$top=1", As: "reader"}
	_, err := c.Call(t.Context(), "contoso", call, identity)
	f := failure(t, err)
	if f.Kind != bot.KindForbidden || !strings.Contains(f.Fix, "ServiceHealth.Read.All") || f.RequestID != "ms-1" || f.Code != "Authorization_RequestDenied" {
		t.Errorf("before consent: %+v", f)
	}
	if w.calls() != 1 {
		t.Errorf("a fresh token cannot be blamed, yet there were %d calls", w.calls())
	}
	w.later(time.Minute)
	if _, err := c.Call(t.Context(), "contoso", call, identity); err != nil || w.fetched() != 2 {
		t.Errorf("after consent: %d tokens, %v", w.fetched(), err)
	}
}

func TestReplicationIsWaitedOut(t *testing.T) {
	for name, lag := range map[string]func(http.ResponseWriter){
		"not found":      graphError(404, "Request_ResourceNotFound", "Resource does not exist"),
		"object":         graphError(404, "Directory_ObjectNotFound", "Unable to read"),
		"no application": says(400, `{"error":{"code":"Request_BadRequest","message":"The appId does not reference a valid application object.","details":[{"code":"NoBackingApplicationObject"}]}}`),
		"local tenant":   graphError(403, "Authorization_RequestDenied", "When using this permission, the backing application of the service principal being created must in the local tenant"),
	} {
		w := newWorld(t, answers(lag, lag, lag, lag, says(201, `{"id":"1"}`)))
		call := post
		call.Lag = true
		if _, err := w.client().Call(t.Context(), "contoso", call, identity); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if w.waited < 5*time.Second || w.waited > time.Minute {
			t.Errorf("%s: waited %v", name, w.waited)
		}
		w = newWorld(t, answers(lag))
		if _, err := w.client().Call(t.Context(), "contoso", call, identity); err == nil || w.waited < 59*time.Second || w.waited > 61*time.Second {
			t.Errorf("%s: gave up after %v: %v", name, w.waited, err)
		}
		w = newWorld(t, answers(lag))
		call.Lag = false
		if _, err := w.client().Call(t.Context(), "contoso", call, identity); err == nil || w.waited != 0 {
			t.Errorf("%s: without being asked to it waited %v: %v", name, w.waited, err)
		}
	}
}

func TestAFineStatusIsDone(t *testing.T) {
	w := newWorld(t, answers(graphError(404, "Request_ResourceNotFound", "gone")))
	call := bot.Call{System: bot.Graph, Method: "DELETE", Path: "/applications/1", Fine: []int{404}, Lag: true}
	a, err := w.client().Call(t.Context(), "contoso", call, identity)
	if err != nil || a.Status != 404 || w.waited != 0 {
		t.Errorf("%+v %v after %v", a, err, w.waited)
	}
	w.script(func() {
		w.login = answers(says(404, `{"error":"invalid_tenant","error_description":"AADSTS90002: Tenant not found."}`))
	})
	if _, err := w.client().Call(t.Context(), "contoso", call, identity); err == nil {
		t.Error("a failed sign-in was taken for a removal that is done")
	}
}

func TestThrottlingIsWaitedOutOrHandedBack(t *testing.T) {
	w := newWorld(t, answers(graphError(429, "TooManyRequests", "slow", "Retry-After", "7"), says(201, `{"id":"1"}`)))
	if _, err := w.client().Call(t.Context(), "contoso", post, identity); err != nil || w.waited != 7*time.Second {
		t.Errorf("waited %v: %v", w.waited, err)
	}
	w = newWorld(t, answers(graphError(429, "TooManyRequests", "slow", "Retry-After", "120")))
	_, err := w.client().Call(t.Context(), "contoso", post, identity)
	if f := failure(t, err); f.Kind != bot.KindThrottled || f.RetryAfter != 2*time.Minute || w.waited != 0 {
		t.Errorf("%+v after %v", f, w.waited)
	}
}

func TestReadsAreRepeatedAndWritesAreNot(t *testing.T) {
	for name, trouble := range map[string]func(http.ResponseWriter){
		"hangs up": hangsUp,
		"503":      graphError(503, "ServiceUnavailable", "busy"),
		"500":      says(500, ""),
		"502":      says(502, "<html>bad gateway</html>", "Content-Type", "text/html"),
	} {
		w := newWorld(t, answers(trouble, trouble, says(200, `{"id":"1"}`)))
		if _, err := w.client().Call(t.Context(), "contoso", get, identity); err != nil {
			t.Errorf("%s, a read: %v", name, err)
		}
		w = newWorld(t, answers(trouble))
		if _, err := w.client().Call(t.Context(), "contoso", get, identity); bot.KindOf(err) != bot.KindUnreachable {
			t.Errorf("%s, a read that keeps failing: %v", name, err)
		}
		w = newWorld(t, answers(trouble, says(200, `{"id":"1"}`)))
		_, err := w.client().Call(t.Context(), "contoso", post, identity)
		if f := failure(t, err); f.Kind != bot.KindAmbiguous || w.calls() != 1 || f.RequestID == "" {
			t.Errorf("%s, a write: %d calls, %+v", name, w.calls(), f)
		}
	}
}

func TestAWriteThatWasNeverSentIsNoRiddle(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	l.Close()
	w := newWorld(t, nil)
	_, err = w.client(func(c *graph.Config) { c.GraphURL = nobody }).Call(t.Context(), "contoso", post, identity)
	if f := failure(t, err); f.Kind != bot.KindUnreachable || w.waited == 0 {
		t.Errorf("%+v after %v", f, w.waited)
	}
}

func TestAnswersThatAreNoAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		call   bot.Call
		want   bot.Kind
	}{
		"a page for a read":       {says(200, "<!DOCTYPE html><p>sign in", "Content-Type", "text/html; charset=utf-8"), get, bot.KindMalformed},
		"a page called JSON":      {says(200, "\n<html>"), get, bot.KindMalformed},
		"a page for a write":      {says(200, "<html>", "Content-Type", "text/html"), post, bot.KindMalformed},
		"nothing for a read":      {says(200, "  "), get, bot.KindMalformed},
		"half a JSON for a read":  {says(200, `{"id":`), get, bot.KindMalformed},
		"half a JSON for a write": {says(201, `{"id":`), post, bot.KindAmbiguous},
		"pointed elsewhere":       {says(302, "", "Location", "https://proxy.test/login?c="+canary), get, bot.KindMalformed},
	} {
		w := newWorld(t, answers(c.answer))
		_, err := w.client().Call(t.Context(), "contoso", c.call, identity)
		if f := failure(t, err); f.Kind != c.want {
			t.Errorf("%s: %s, want %s (%v)", name, f.Kind, c.want, f)
		}
	}
	w := newWorld(t, answers(says(201, "")))
	save := post
	save.Save = map[string]string{"id": "id"}
	if _, err := w.client().Call(t.Context(), "contoso", save, identity); bot.KindOf(err) != bot.KindAmbiguous {
		t.Errorf("a write whose ID is needed but not told: %v", err)
	}
}

func TestARealHostIsNeverChangedWithoutASignIn(t *testing.T) {
	w := newWorld(t, nil)
	var sent int
	spy := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) { sent++; return nil, errors.New("the network was used") })}
	foreign := func(c *graph.Config) { c.GraphURL, c.LoginURL, c.HTTP = "", "", spy }
	for _, method := range []string{"POST", "PATCH", "PUT", "DELETE"} {
		for _, as := range []string{"", "reader"} {
			call := bot.Call{System: bot.Graph, Method: method, Path: "/applications/1", As: as}
			_, err := w.client(foreign).Call(t.Context(), "contoso", call, identity)
			if f := failure(t, err); f.Kind != bot.KindForeign || !strings.Contains(f.Says, "Nothing was called") || !strings.Contains(f.Says, "graph.microsoft.com") {
				t.Errorf("%s as %q: %v", method, as, f)
			}
		}
	}
	if sent != 0 {
		t.Errorf("%d requests left", sent)
	}
	// With a sign-in the approver's own token is used, and nobody else's.
	signedIn := func(c *graph.Config) { foreign(c); c.Tokens = &delegated{} }
	if _, err := w.client(signedIn).Call(t.Context(), "contoso", post, identity); bot.KindOf(err) == bot.KindForeign || sent == 0 {
		t.Errorf("signed in: %d requests, %v", sent, err)
	}
	sent = 0
	as := post
	as.As = "reader"
	if _, err := w.client(signedIn).Call(t.Context(), "contoso", as, identity); bot.KindOf(err) != bot.KindForeign || sent != 0 {
		t.Errorf("an identity wrote: %d requests, %v", sent, err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type delegated struct {
	mu   sync.Mutex
	void int
	err  error
}

func (d *delegated) Token(context.Context, bot.TenantID, bot.System, bot.CallIdentity) (bot.Secret, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bot.NewSecret(canary + strings.Repeat("v", d.void)), d.err
}

func (d *delegated) Void(bot.TenantID, bot.System, bot.CallIdentity, bot.Secret) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.void++
}

func TestAnApproverCallsWithTheirOwnToken(t *testing.T) {
	w := newWorld(t, answers(graphError(401, "InvalidAuthenticationToken", "expired"), says(201, `{"id":"1"}`)))
	d := &delegated{}
	c := w.client(func(c *graph.Config) { c.Tokens = d })
	if _, err := c.Call(t.Context(), "contoso", post, identity); err != nil {
		t.Fatal(err)
	}
	if w.fetched() != 0 || d.void != 1 || w.request(1).Header.Get("Authorization") != "Bearer "+canary+"v" {
		t.Errorf("%d app tokens, %d voided, %v", w.fetched(), d.void, w.request(1).Header.Get("Authorization"))
	}
	d.err = errors.New("no session")
	_, err := c.Call(t.Context(), "contoso", post, identity)
	if f := failure(t, err); f.Kind != bot.KindSignIn || w.calls() != 2 {
		t.Errorf("without a session: %v", f)
	}
}

func TestNothingIsCalledForACallThatMakesNoSense(t *testing.T) {
	w := newWorld(t, answers(says(200, `{}`)))
	for name, call := range map[string]bot.Call{
		"host":   {System: bot.Graph, Method: "GET", Path: "@evil.test/x"},
		"climbs": {System: bot.Graph, Method: "GET", Path: "/../beta/users"},
		"header": {System: bot.Graph, Method: "GET", Path: "/x", Header: map[string]string{"authorization": "Bearer x"}},
		"body":   {System: bot.Graph, Method: "POST", Path: "/x", Body: json.RawMessage(`{`)},
		"form":   {System: bot.Graph, Method: "POST", Path: "/x", Form: map[string]string{"a": "b"}},
		"method": {System: bot.Graph, Method: "GE T", Path: "/x"},
		"system": {System: bot.ServiceNow, Method: "GET", Path: "/x"},
		"login":  {System: bot.Login, Method: "PUT", Path: "/x"},
	} {
		_, err := w.client().Call(t.Context(), "contoso", call, identity)
		if f := failure(t, err); f.Kind != bot.KindBadRequest || w.calls() != 0 {
			t.Errorf("%s: %v after %d calls", name, f, w.calls())
		}
	}
	_, err := w.client().Call(t.Context(), "fabrikam", get, identity)
	if f := failure(t, err); !strings.Contains(f.Says, "fabrikam") {
		t.Errorf("an unknown tenant: %v", f)
	}
	plain := w.client(func(c *graph.Config) { c.GraphURL = "http://graph.example.test/v1.0" })
	_, err = plain.Call(t.Context(), "contoso", get, identity)
	if f := failure(t, err); !strings.Contains(f.Says, "https://") {
		t.Errorf("an unencrypted host: %v", f)
	}
}

func TestASecretThatIsRepeatedInAnErrorIsTakenOut(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		graphError(400, "Request_BadRequest", "Invalid value '"+canary+"-body' or "+r.Header.Get("Authorization"))(rw)
	})
	call := post
	call.Body = json.RawMessage(`{"passwordCredential":{"secretText":"` + canary + `-body"}}`)
	_, err := w.client().Call(t.Context(), "contoso", call, identity)
	if f := failure(t, err); !strings.Contains(f.Says, bot.Redacted) {
		t.Errorf("%v", f)
	}
}

func TestARedirectDoesNotCarryTheTokenAway(t *testing.T) {
	var got int
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got++ }))
	defer other.Close()
	w := newWorld(t, answers(says(307, "", "Location", other.URL)))
	if _, err := w.client().Call(t.Context(), "contoso", get, identity); bot.KindOf(err) != bot.KindMalformed || got != 0 {
		t.Errorf("%d requests at the other host, %v", got, err)
	}
}
