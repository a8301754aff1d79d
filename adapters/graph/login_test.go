package graph_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"keyturn/adapters/graph"
	"keyturn/bot"
)

func TestATokenProofTellsOnlyThatThereWasAToken(t *testing.T) {
	w := newWorld(t, nil)
	var form url.Values
	w.login = func(rw http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		form = r.PostForm
		says(200, `{"token_type":"Bearer","expires_in":"3599","access_token":"`+canary+`","refresh_token":"`+canary+`"}`)(rw)
	}
	call := bot.Call{System: bot.Login, Method: "POST", Path: "/contoso.onmicrosoft.com/oauth2/v2.0/token",
		Form: map[string]string{"grant_type": "client_credentials", "client_id": "a", "client_secret": canary, "scope": "https://graph.microsoft.com/.default"}}
	a, err := w.client().Call(t.Context(), "contoso", call, bot.CallIdentity{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"token_type":"Bearer","expires_in":3599}`, string(a.Body)); diff != "" {
		t.Error(diff)
	}
	if form.Get("client_secret") != canary || form.Get("scope") == "" {
		t.Errorf("sent %v", form)
	}
}

func TestAnAssertionIsSignedFreshWithTheIdentitysKey(t *testing.T) {
	key, cert, public := pair(t)
	w := newWorld(t, nil)
	var seen []string
	w.login = func(rw http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		seen = append(seen, checkAssertion(t, w, r.PostForm, public.PublicKey, public.Raw))
		says(200, `{"token_type":"Bearer","expires_in":3599,"access_token":"x"}`)(rw)
	}
	call := bot.Call{System: bot.Login, Method: "POST", Path: "/contoso.onmicrosoft.com/oauth2/v2.0/token",
		Form: map[string]string{"grant_type": "client_credentials", "client_id": "made", "client_assertion": "{{assertion}}"}}
	by := bot.CallIdentity{Key: key, Cert: cert}
	c := w.client()
	for range 2 {
		if _, err := c.Call(t.Context(), "contoso", call, by); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 2 || seen[0] == seen[1] {
		t.Errorf("assertion IDs %v: each has to be new", seen)
	}
	// The same key authenticates an identity's own calls.
	w.script(func() { w.graph = answers(says(200, `{"value":[]}`)) })
	if _, err := c.Overviews(t.Context(), "contoso", bot.Reader{ClientID: "made", Key: key, Cert: cert}); err != nil || len(seen) != 3 {
		t.Errorf("the reader: %d assertions, %v", len(seen), err)
	}
}

func checkAssertion(t *testing.T, w *world, form url.Values, key any, der []byte) string {
	t.Helper()
	var claims jwt.RegisteredClaims
	tok, err := jwt.ParseWithClaims(form.Get("client_assertion"), &claims, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{"PS256"}), jwt.WithTimeFunc(w.clock), jwt.WithAudience(w.URL+"/contoso.onmicrosoft.com/oauth2/v2.0/token"),
		jwt.WithIssuer("made"), jwt.WithSubject("made"), jwt.WithExpirationRequired())
	if err != nil {
		t.Errorf("the assertion: %v", err)
		return ""
	}
	sum := sha256.Sum256(der)
	if tok.Header["x5t#S256"] != base64.RawURLEncoding.EncodeToString(sum[:]) {
		t.Errorf("x5t#S256 is %v", tok.Header["x5t#S256"])
	}
	if life := claims.ExpiresAt.Sub(w.clock()); life != 5*time.Minute {
		t.Errorf("it lives %v", life)
	}
	if form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || form.Get("client_secret") != "" {
		t.Errorf("form %v", form)
	}
	return claims.ID
}

func TestAKeyThatCannotSignIsNamed(t *testing.T) {
	key, cert, _ := pair(t)
	_, other, _ := pair(t)
	w := newWorld(t, answers(says(200, `{"value":[]}`)))
	for name, r := range map[string]bot.Reader{
		"no PEM":       {ClientID: "a", Key: bot.NewSecret(canary), Cert: cert},
		"no cert":      {ClientID: "a", Key: key},
		"another cert": {ClientID: "a", Key: key, Cert: other},
		"no key":       {ClientID: "a"},
		"no client":    {Secret: bot.NewSecret(canary)},
	} {
		_, err := w.client().Overviews(t.Context(), "contoso", r)
		if f := failure(t, err); f.Kind != bot.KindSignIn || w.fetched() != 0 {
			t.Errorf("%s: %v", name, f)
		}
	}
}

func TestASecretMadeMomentsAgoIsWaitedFor(t *testing.T) {
	wrong := says(401, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. `+canary+`","error_codes":[7000215],"trace_id":"tr-1"}`)
	w := newWorld(t, nil)
	w.script(func() {
		w.login = answers(wrong, wrong, wrong, says(200, `{"token_type":"Bearer","expires_in":3599,"access_token":"x"}`))
	})
	call := bot.Call{System: bot.Login, Method: "POST", Path: "/t/oauth2/v2.0/token", Lag: true, Form: map[string]string{"client_secret": canary}}
	if _, err := w.client().Call(t.Context(), "contoso", call, identity); err != nil || w.waited == 0 {
		t.Errorf("waited %v: %v", w.waited, err)
	}
	w.script(func() { w.login = answers(wrong) })
	call.Lag = false
	_, err := w.client().Call(t.Context(), "contoso", call, identity)
	if f := failure(t, err); f.Kind != bot.KindSignIn || f.Code != "AADSTS7000215" || f.RequestID != "tr-1" || !strings.Contains(f.Fix, "Value") {
		t.Errorf("%+v", f)
	}
}

func TestSignInAnswersThatAreNoAnswers(t *testing.T) {
	call := bot.Call{System: bot.Login, Method: "POST", Path: "/t/oauth2/v2.0/token", Form: map[string]string{"a": "b"}}
	for name, a := range map[string]func(http.ResponseWriter){
		"a page":    says(200, "<html>", "Content-Type", "text/html"),
		"no token":  says(200, `{"token_type":"Bearer"}`),
		"nothing":   says(200, ""),
		"elsewhere": says(302, "", "Location", "https://other.test"),
	} {
		w := newWorld(t, nil)
		w.script(func() { w.login = answers(a) })
		if _, err := w.client().Call(t.Context(), "contoso", call, identity); failure(t, err).Kind != bot.KindMalformed {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAPublicDocumentOfTheSignInServiceCanBeRead(t *testing.T) {
	w := newWorld(t, answers(says(200, `{"issuer":"x"}`)))
	a, err := w.client().Call(t.Context(), "contoso", bot.Call{System: bot.Login, Method: "GET", Path: "/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration"}, identity)
	if err != nil || string(a.Body) != `{"issuer":"x"}` || w.request(0).Header.Get("Authorization") != "" {
		t.Errorf("%s %v", a.Body, err)
	}
}

type names func(string) ([]string, error)

func (f names) LookupHost(_ context.Context, n string) ([]string, error) { return f(n) }

func TestDNSProbes(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client(func(c *graph.Config) {
		c.Resolver = names(func(n string) ([]string, error) {
			switch n {
			case "here.test":
				return []string{"192.0.2.1"}, nil
			case "gone.test":
				return nil, &net.DNSError{Err: "no such host", Name: n, IsNotFound: true}
			}
			return nil, errors.New("timeout")
		})
	})
	ask := func(name string, fine ...int) (bot.Answer, error) {
		return c.Call(t.Context(), "contoso", bot.Call{System: bot.DNS, Method: "GET", Path: name, Fine: fine}, bot.CallIdentity{})
	}
	a, err := ask("here.test")
	if err != nil || !json.Valid(a.Body) || string(a.Body) != `{"addresses":["192.0.2.1"]}` || a.Status != 200 {
		t.Errorf("%s %v", a.Body, err)
	}
	_, err = ask("gone.test")
	if f := failure(t, err); f.Kind != bot.KindNotFound || f.Code != "NXDOMAIN" {
		t.Errorf("%+v", f)
	}
	if a, err := ask("gone.test", 404); err != nil || a.Status != 404 {
		t.Errorf("where gone is fine: %v %v", a, err)
	}
	_, err = ask("slow.test")
	if f := failure(t, err); f.Kind != bot.KindUnreachable {
		t.Errorf("%+v", f)
	}
	_, err = ask("not a name")
	if f := failure(t, err); f.Kind != bot.KindBadRequest {
		t.Errorf("%+v", f)
	}
}
