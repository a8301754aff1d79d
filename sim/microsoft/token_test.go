package microsoft_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"keyturn/sim/microsoft"
)

func TestAnApplicationSignsInWithItsSecret(t *testing.T) {
	w := start(t, withApps(bot("ServiceHealth.Read.All")))
	good := func(change ...string) []string {
		v := form("grant_type", "client_credentials", "client_id", botApp, "client_secret", botSecret, "scope", graphName+"/.default")
		for k, x := range form(change...) {
			v[k] = x
		}
		var out []string
		for k, x := range v {
			if x[0] != "" {
				out = append(out, k, x[0])
			}
		}
		return out
	}
	a := w.post(w.tokenURL(), good()...)
	if a.status != 200 || a.object(t)["expires_in"] != float64(3599) || a.text(t, "token_type") != "Bearer" || a.object(t)["refresh_token"] != nil {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if got := w.get("/graph/v1.0/admin/serviceAnnouncement/issues"); got.status != 401 {
		t.Fatalf("without a token: %d", got.status)
	}
	wants(t, w.graph(a.text(t, "access_token"), "GET", "/admin/serviceAnnouncement/issues", ""), 200, "")

	byDomain := strings.Replace(w.tokenURL(), tenant, "contoso.example", 1)
	if a := w.post(byDomain, good()...); a.status != 200 {
		t.Fatalf("by domain: %d %s", a.status, a.body)
	}
	r := w.request("POST", w.tokenURL(), strings.NewReader("grant_type=client_credentials&scope="+graphName+"/.default"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(botApp, botSecret)
	if a := w.do(r); a.status != 200 {
		t.Fatalf("with Basic: %d %s", a.status, a.body)
	}

	for name, c := range map[string]struct {
		form           []string
		status, number int
	}{
		"wrong secret":          {good("client_secret", "nope"), 401, 7000215},
		"unknown application":   {good("client_id", tenant), 400, 700016},
		"no grant type":         {good("grant_type", ""), 400, 900144},
		"no client":             {good("client_id", ""), 400, 900144},
		"no scope":              {good("scope", ""), 400, 900144},
		"no credential":         {good("client_secret", ""), 401, 7000218},
		"scope without default": {good("scope", graphName+"/User.Read"), 400, 70011},
		"unknown resource":      {good("scope", "https://nowhere.example/.default"), 400, 500011},
		"unknown grant":         {good("grant_type", "password"), 400, 70003},
	} {
		t.Run(name, func(t *testing.T) { refused(t, w.post(w.tokenURL(), c.form...), c.status, c.number) })
	}
	refused(t, w.post(strings.Replace(w.tokenURL(), tenant, "typo.example", 1), good()...), 400, 90002)

	if err := w.sim.DisableApp(botApp, true); err != nil {
		t.Fatal(err)
	}
	refused(t, w.post(w.tokenURL(), good()...), 400, 7000112)
}

func TestATokenErrorHasMicrosoftsShape(t *testing.T) {
	w := start(t, withApps(bot()))
	r := w.request("POST", w.tokenURL(), strings.NewReader(form("grant_type", "client_credentials", "client_id", botApp, "client_secret", "nope").Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("client-request-id", "9f8e7d6c-0000-4000-8000-000000000000")
	o := w.do(r).object(t)
	description, _ := o["error_description"].(string)
	if o["error"] != "invalid_client" || o["correlation_id"] != "9f8e7d6c-0000-4000-8000-000000000000" || o["timestamp"] != "2026-03-02 09:00:00Z" ||
		!strings.HasSuffix(o["error_uri"].(string), "/error?code=7000215") || o["trace_id"] == "" ||
		!strings.HasPrefix(description, "AADSTS7000215: ") || !strings.Contains(description, " Trace ID: ") || strings.Contains(description, "nope") {
		t.Fatalf("%v", o)
	}
	if err := w.sim.SetQuirks(microsoft.Quirks{OldDescriptions: true}); err != nil {
		t.Fatal(err)
	}
	old := w.post(w.tokenURL(), "grant_type", "client_credentials", "client_id", botApp, "client_secret", "nope")
	if !strings.Contains(old.text(t, "error_description"), "\r\nTrace ID: ") {
		t.Fatalf("%s", old.body)
	}
}

func TestTheV1EndpointWantsAResourceAndWritesNumbersAsText(t *testing.T) {
	w := start(t, withApps(bot()))
	v1 := w.url + "/login/contoso.example/oauth2/token"
	refused(t, w.post(v1, "grant_type", "client_credentials", "client_id", botApp, "client_secret", botSecret), 400, 900144)
	a := w.post(v1, "grant_type", "client_credentials", "client_id", botApp, "client_secret", botSecret, "resource", graphName)
	o := a.object(t)
	if o["expires_in"] != "3599" || o["expires_on"] != "1772445599" || o["resource"] != graphName {
		t.Fatalf("%s", a.body)
	}
	if err := w.sim.SetQuirks(microsoft.Quirks{V1WithoutResource: true}); err != nil {
		t.Fatal(err)
	}
	if a := w.post(v1, "grant_type", "client_credentials", "client_id", botApp, "client_secret", botSecret); a.status != 200 {
		t.Fatalf("with a default resource: %d %s", a.status, a.body)
	}
}

func TestASecretExpires(t *testing.T) {
	app := bot()
	app.Secrets = []microsoft.Secret{{Name: "short", Value: botSecret, Ends: time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)}}
	w := start(t, withApps(app))
	w.appToken()
	w.clock.Add(24 * time.Hour)
	refused(t, w.post(w.tokenURL(), "grant_type", "client_credentials", "client_id", botApp, "client_secret", botSecret, "scope", graphName+"/.default"), 401, 7000222)
}

// pair is a key pair made by somebody who registers its public half.
type pair struct {
	key *rsa.PrivateKey
	der []byte
}

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func newPair(t testing.TB, from, until time.Time) pair {
	t.Helper()
	key := testKey()
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(from.Unix()), Subject: pkix.Name{CommonName: "keyturn health reader"}, NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pair{key, der}
}

func (p pair) assertion(t testing.TB, method jwt.SigningMethod, claims jwt.MapClaims, header map[string]any) string {
	t.Helper()
	tok := jwt.NewWithClaims(method, claims)
	one := sha1.Sum(p.der)
	tok.Header["x5t"] = base64.RawURLEncoding.EncodeToString(one[:])
	for k, v := range header {
		tok.Header[k] = v
	}
	var key crypto.PrivateKey = p.key
	out, err := tok.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAnApplicationSignsInWithItsCertificate(t *testing.T) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	p := newPair(t, day, day.AddDate(0, 1, 0))
	other := newPair(t, day.Add(time.Second), day.AddDate(0, 1, 0))
	app := bot()
	app.Certificates = [][]byte{p.der}
	w := start(t, withApps(app))
	ask := func(assertion string) answer {
		return w.post(w.tokenURL(), "grant_type", "client_credentials", "client_id", botApp, "scope", graphName+"/.default",
			"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", assertion)
	}
	claims := func(change jwt.MapClaims) jwt.MapClaims {
		now := w.clock.Now()
		c := jwt.MapClaims{"aud": w.tokenURL(), "iss": botApp, "sub": botApp, "jti": "one-" + t.Name(), "nbf": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
		for k, v := range change {
			c[k] = v
			if v == nil {
				delete(c, k)
			}
		}
		return c
	}
	if a := ask(p.assertion(t, jwt.SigningMethodRS256, claims(nil), nil)); a.status != 200 {
		t.Fatalf("RS256: %d %s", a.status, a.body)
	}
	two := sha256.Sum256(p.der)
	ps := p.assertion(t, jwt.SigningMethodPS256, claims(jwt.MapClaims{"jti": "two"}), map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(two[:])})
	if a := ask(ps); a.status != 200 {
		t.Fatalf("PS256: %d %s", a.status, a.body)
	}
	t.Run("used twice", func(t *testing.T) { refused(t, ask(ps), 400, 50027) })
	for name, c := range map[string]struct {
		assertion      string
		status, number int
	}{
		"an unregistered certificate": {other.assertion(t, jwt.SigningMethodRS256, claims(nil), nil), 401, 700027},
		"a broken signature":          {breakSignature(p.assertion(t, jwt.SigningMethodRS256, claims(jwt.MapClaims{"jti": "x1"}), nil)), 401, 700027},
		"no name of a certificate":    {p.assertion(t, jwt.SigningMethodRS256, claims(jwt.MapClaims{"jti": "x2"}), map[string]any{"x5t": ""}), 401, 700027},
		"another audience":            {p.assertion(t, jwt.SigningMethodRS256, claims(jwt.MapClaims{"jti": "x3", "aud": "https://elsewhere.example"}), nil), 401, 700023},
		"another subject":             {p.assertion(t, jwt.SigningMethodRS256, claims(jwt.MapClaims{"jti": "x4", "sub": tenant}), nil), 401, 700021},
		"expired":                     {p.assertion(t, jwt.SigningMethodRS256, claims(jwt.MapClaims{"jti": "x5", "exp": w.clock.Now().Add(-time.Hour).Unix()}), nil), 401, 700024},
		"no expiry":                   {p.assertion(t, jwt.SigningMethodRS256, claims(jwt.MapClaims{"jti": "x6", "exp": nil}), nil), 400, 50027},
		"no jti":                      {p.assertion(t, jwt.SigningMethodRS256, claims(jwt.MapClaims{"jti": nil}), nil), 400, 50027},
		"not a JWT":                   {"hello", 400, 50027},
		"another issuer":              {p.assertion(t, jwt.SigningMethodRS256, claims(jwt.MapClaims{"jti": "x7", "iss": "https://issuer.example"}), nil), 401, 700211},
	} {
		t.Run(name, func(t *testing.T) { refused(t, ask(c.assertion), c.status, c.number) })
	}
	w.clock.Add(40 * 24 * time.Hour)
	late := p.assertion(t, jwt.SigningMethodRS256, claims(jwt.MapClaims{"jti": "late"}), nil)
	t.Run("after the certificate's end", func(t *testing.T) { refused(t, ask(late), 401, 700027) })
}

func breakSignature(token string) string {
	i := strings.LastIndexByte(token, '.') + 10
	c := byte('A')
	if token[i] == 'A' {
		c = 'B'
	}
	return token[:i] + string(c) + token[i+1:]
}

func TestAnOutsideIssuerIsTrustedByAFederatedCredential(t *testing.T) {
	w := start(t, withApps(bot(everything...)))
	app := "/applications(appId='" + botApp + "')"
	id := wants(t, w.graph(w.appToken(), "GET", app, ""), 200, "").text(t, "id")
	body := `{"name":"cluster","issuer":"https://issuer.example","subject":"system:keyturn","audiences":["api://AzureADTokenExchange"]}`
	wants(t, w.graph(w.appToken(), "POST", "/applications/"+id+"/federatedIdentityCredentials", body), 201, "")
	wants(t, w.graph(w.appToken(), "POST", "/applications/"+id+"/federatedIdentityCredentials", body), 409, "Request_MultipleObjectsWithSameKeyValue")
	if err := w.sim.TrustIssuer("https://issuer.example", testKey().Public()); err != nil {
		t.Fatal(err)
	}
	p := pair{key: testKey()}
	ask := func(subject, audience string) answer {
		c := jwt.MapClaims{"iss": "https://issuer.example", "sub": subject, "aud": audience, "exp": w.clock.Now().Add(time.Minute).Unix()}
		return w.post(w.tokenURL(), "grant_type", "client_credentials", "client_id", botApp, "scope", graphName+"/.default",
			"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", p.assertion(t, jwt.SigningMethodRS256, c, nil))
	}
	if a := ask("system:keyturn", "api://AzureADTokenExchange"); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	refused(t, ask("system:other", "api://AzureADTokenExchange"), 401, 700213)
	refused(t, ask("system:keyturn", "api://other"), 401, 700212)
}

func TestOnlyPostReachesTheTokenEndpoint(t *testing.T) {
	w := start(t)
	if a := w.get(w.tokenURL()); a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != "POST" {
		t.Fatalf("%d %v", a.status, a.header)
	}
}
