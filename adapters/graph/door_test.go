package graph_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"keyturn/adapters/graph"
	"keyturn/bot"
)

const directoryID = "7c3e0f52-1d0b-4a63-9f0e-5a2f1c9b7d10"

// signInWorld is a Microsoft that signs ID tokens as the test says.
func signInWorld(t *testing.T, claims func(issuer string) jwt.MapClaims, with *rsa.PrivateKey) (*graph.Client, *url.Values) {
	t.Helper()
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		base := "http://" + r.Host
		switch {
		case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
			_ = json.NewEncoder(rw).Encode(map[string]any{"issuer": base + "/" + directoryID + "/v2.0", "authorization_endpoint": base + "/a", "token_endpoint": base + "/t", "jwks_uri": base + "/keys",
				"id_token_signing_alg_values_supported": []string{"RS256"}})
		case r.URL.Path == "/keys":
			_ = json.NewEncoder(rw).Encode(map[string]any{"keys": []any{jwk(&signing(t).PublicKey)}})
		}
	})
	form := &url.Values{}
	w.login = func(rw http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		*form = r.PostForm
		token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims(w.URL+"/"+directoryID+"/v2.0"))
		token.Header["kid"] = "k1"
		signed, err := token.SignedString(with)
		if err != nil {
			t.Error(err)
		}
		_ = json.NewEncoder(rw).Encode(map[string]any{"token_type": "Bearer", "expires_in": 86399, "access_token": canary + "-access", "refresh_token": canary + "-refresh", "id_token": signed})
	}
	return w.client(func(c *graph.Config) {
		c.LoginURL = w.URL
		c.Tenants = map[bot.TenantID]graph.TenantConfig{"contoso": {Directory: directoryID,
			SignIn: graph.SignIn{Credential: graph.Credential{ClientID: "client", Secret: bot.NewSecret(canary + "-client")}, Redirect: "https://keyturn.example.com/signin/entra"}}}
	}), form
}

var theKey *rsa.PrivateKey

func signing(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	if theKey == nil {
		var err error
		if theKey, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			t.Fatal(err)
		}
	}
	return theKey
}

func jwk(k *rsa.PublicKey) map[string]any {
	return map[string]any{"kty": "RSA", "use": "sig", "kid": "k1", "alg": "RS256", "n": base64.RawURLEncoding.EncodeToString(k.N.Bytes()), "e": "AQAB"}
}

func goodClaims(issuer string) jwt.MapClaims {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	return jwt.MapClaims{"iss": issuer, "aud": "client", "tid": directoryID, "oid": "object-1", "sub": "s", "preferred_username": "erin.admin@contoso.example", "nonce": "n-1",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(), "wids": []string{"b79fbf4d-3ef9-4689-8143-76b194e85509", "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"}}
}

var aCode = bot.SignInCode{Code: bot.NewSecret(canary + "-code"), Verifier: bot.NewSecret(canary + "-verifier"), Nonce: "n-1"}

func TestASignInSaysWhoItIs(t *testing.T) {
	c, form := signInWorld(t, goodClaims, signing(t))
	in, err := c.Redeem(t.Context(), "contoso", aCode)
	if err != nil {
		t.Fatal(err)
	}
	if in.Account != "erin.admin@contoso.example" || in.Object != "object-1" || !in.Known || len(in.Roles) != 1 || in.Token.Reveal() != canary+"-access" {
		t.Errorf("signed in: %+v", in)
	}
	if left := in.Until.Sub(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)); left != 90*time.Minute {
		t.Errorf("a token for a day counts for %s", left)
	}
	if form.Get("code_verifier") != canary+"-verifier" || form.Get("redirect_uri") != "https://keyturn.example.com/signin/entra" || strings.Contains(form.Get("scope"), "offline_access") || form.Get("claims") != `{"access_token":{"xms_cc":{"values":["cp1"]}}}` {
		t.Errorf("it was redeemed with %v", *form)
	}
	address, err := c.Address("contoso", bot.SignInRequest{State: "s", Nonce: "n", Challenge: "c", Account: "erin.admin@contoso.example"})
	if err != nil || !strings.Contains(address, "code_challenge_method=S256") || !strings.Contains(address, "prompt=select_account") || !strings.Contains(address, "xms_cc") || strings.Contains(address, canary) {
		t.Errorf("the page is %s (%v)", address, err)
	}
}

func TestASignInThatDoesNotFitIsRefused(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	set := func(name string, v any) func(string) jwt.MapClaims {
		return func(issuer string) jwt.MapClaims {
			c := goodClaims(issuer)
			if v == nil {
				delete(c, name)
			} else {
				c[name] = v
			}
			return c
		}
	}
	for name, x := range map[string]struct {
		claims func(string) jwt.MapClaims
		key    *rsa.PrivateKey
	}{
		"another key":             {goodClaims, other},
		"another issuer":          {set("iss", "https://login.microsoftonline.com/evil/v2.0"), signing(t)},
		"another client":          {set("aud", "somebody else"), signing(t)},
		"another tenant":          {set("tid", "8d4e0f52-1d0b-4a63-9f0e-5a2f1c9b7d11"), signing(t)},
		"no tenant":               {set("tid", nil), signing(t)},
		"another sign-in's nonce": {set("nonce", "n-2"), signing(t)},
		"no nonce":                {set("nonce", nil), signing(t)},
		"nobody":                  {set("oid", nil), signing(t)},
		"no name":                 {set("preferred_username", nil), signing(t)},
		"expired":                 {set("exp", 1000), signing(t)},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := signInWorld(t, x.claims, x.key)
			in, err := c.Redeem(t.Context(), "contoso", aCode)
			if bot.KindOf(err) != bot.KindSignIn || !in.Token.IsZero() {
				t.Errorf("it was taken: %+v %v", in, err)
			}
			if err != nil && strings.Contains(err.Error(), canary) {
				t.Errorf("the refusal quotes a secret: %v", err)
			}
		})
	}
}
