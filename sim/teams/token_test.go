package teams_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"keyturn/sim/teams"
)

func TestATokenIsGivenToTheBotInItsOwnTenant(t *testing.T) {
	w := tenantWith(t)
	status, answer := w.form(tenant, credentials())
	if status != http.StatusOK || answer["token_type"] != "Bearer" || answer["expires_in"] != 3599.0 || answer["access_token"] == "" {
		t.Fatalf("%d %v", status, answer)
	}
	for what, c := range map[string]struct {
		tenant string
		change func(url.Values)
		status int
		code   string
	}{
		"the old shared tenant":  {"botframework.com", nil, 400, "AADSTS700016"},
		"a stranger's tenant":    {"33333333-3333-4333-8333-333333333333", nil, 400, "AADSTS90002"},
		"another application":    {tenant, func(v url.Values) { v.Set("client_id", "x") }, 400, "AADSTS700016"},
		"no application":         {tenant, func(v url.Values) { v.Del("client_id") }, 400, "AADSTS900144"},
		"a wrong secret":         {tenant, func(v url.Values) { v.Set("client_secret", "x") }, 401, "AADSTS7000215"},
		"no secret":              {tenant, func(v url.Values) { v.Del("client_secret") }, 401, "AADSTS7000218"},
		"no grant type":          {tenant, func(v url.Values) { v.Del("grant_type") }, 400, "AADSTS900144"},
		"another grant type":     {tenant, func(v url.Values) { v.Set("grant_type", "password") }, 400, "AADSTS70003"},
		"no scope":               {tenant, func(v url.Values) { v.Del("scope") }, 400, "AADSTS900144"},
		"a scope of other kind":  {tenant, func(v url.Values) { v.Set("scope", "User.Read") }, 400, "AADSTS1002012"},
		"a scope of nobody":      {tenant, func(v url.Values) { v.Set("scope", "https://x/.default") }, 400, "AADSTS500011"},
		"an assertion of no key": {tenant, func(v url.Values) { v.Set("client_assertion", "a.b.c") }, 400, "AADSTS900144"},
	} {
		v := credentials()
		if c.change != nil {
			c.change(v)
		}
		status, answer := w.form(c.tenant, v)
		description, _ := answer["error_description"].(string)
		if status != c.status || !strings.HasPrefix(description, c.code+":") {
			t.Errorf("%s: %d %q, want %d %s", what, status, description, c.status, c.code)
		}
	}
	if n := w.Snapshot().Fetches.Tokens; n != 1 {
		t.Errorf("%d tokens were given", n)
	}
}

func TestTheConnectorWantsAFreshTokenOfItsOwn(t *testing.T) {
	w := tenantWith(t)
	other := tenantWith(t, func(c *teams.Config) { c.BotAppID = "44444444-4444-4444-8444-444444444444" })
	v := credentials()
	v.Set("client_id", "44444444-4444-4444-8444-444444444444")
	_, answer := other.form(tenant, v)
	stolen, _ := answer["access_token"].(string)
	for _, header := range []string{"", "Bearer ", "Bearer a.b.c", "Basic x", "Bearer " + stolen} {
		w.refused(w.request(http.MethodPost, activitiesOf(incidents), text("x"), header), 401, "Unauthorized")
	}
	w.post(incidents, text("x"))
	w.clock.pass(2 * time.Hour)
	w.refused(w.send(incidents, text("x")), 401, "Unauthorized")
}

func TestAClientAssertionCountsOnce(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bot"}, NotAfter: time.Unix(2_000_000_000, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	w := tenantWith(t, func(c *teams.Config) { c.BotSecret, c.BotCertificates = "", [][]byte{der} })
	thumb := sha256.Sum256(der)
	assertion := func(change m) string {
		claims := jwt.MapClaims{"iss": appID, "sub": appID, "aud": w.base + "/" + tenant + "/oauth2/v2.0/token", "jti": "one",
			"exp": w.clock.now().Add(time.Minute).Unix()}
		for k, v := range change {
			claims[k] = v
		}
		tok := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
		tok.Header["x5t#S256"] = base64.RawURLEncoding.EncodeToString(thumb[:])
		return must[string](t)(tok.SignedString(key))
	}
	ask := func(change m) (int, string) {
		v := credentials()
		v.Del("client_secret")
		v.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		v.Set("client_assertion", assertion(change))
		status, answer := w.form(tenant, v)
		description, _ := answer["error_description"].(string)
		code, _, _ := strings.Cut(description, ":")
		return status, code
	}
	if status, code := ask(nil); status != http.StatusOK {
		t.Fatalf("%d %s", status, code)
	}
	for what, c := range map[string]struct {
		change m
		code   string
	}{
		"used before":     {nil, "AADSTS50027"},
		"for elsewhere":   {m{"jti": "2", "aud": "https://example.com"}, "AADSTS700023"},
		"of another app":  {m{"jti": "3", "sub": "x"}, "AADSTS700021"},
		"long over":       {m{"jti": "4", "exp": 1}, "AADSTS700024"},
		"without its jti": {m{"jti": ""}, "AADSTS50027"},
	} {
		if status, code := ask(c.change); status < 400 || code != c.code {
			t.Errorf("%s: %d %s, want %s", what, status, code, c.code)
		}
	}
	v := credentials() // the secret of a bot that has none
	if status, _ := w.form(tenant, v); status != http.StatusUnauthorized {
		t.Errorf("a secret was taken: %d", status)
	}
}

func TestKeysRotateAndGoAway(t *testing.T) {
	w := tenantWith(t)
	must[teams.Outcome](t)(w.Mention(alice, incidents, "one"))
	if err := w.RotateKeys(); err != nil {
		t.Fatal(err)
	}
	must[teams.Outcome](t)(w.Mention(alice, incidents, "two"))
	got := w.deliveries()
	if got[0].refused != nil || got[1].refused != nil {
		t.Fatalf("refused: %v, %v", got[0].refused, got[1].refused)
	}
	kid := func(d delivery) any {
		tok, _, err := jwt.NewParser().ParseUnverified(strings.TrimPrefix(d.header.Get("Authorization"), "Bearer "), jwt.MapClaims{})
		if err != nil {
			t.Fatal(err)
		}
		return tok.Header["kid"]
	}
	if kid(got[0]) == kid(got[1]) {
		t.Error("the key is the same after rotation")
	}
	if f := w.Snapshot().Fetches; f.Documents != 2 || f.Keys != 2 {
		t.Errorf("fetches %+v", f)
	}
	w.SetOutage(true)
	must[teams.Outcome](t)(w.Mention(alice, incidents, "three"))
	if got := w.deliveries(); got[2].refused == nil {
		t.Error("the keys could still be fetched")
	}
}

func TestForgedDeliveriesAreNotBelieved(t *testing.T) {
	w := tenantWith(t)
	body := `{"type":"message","id":"1","channelId":"msteams","serviceUrl":"` + w.ServiceURL() + `"}`
	must[teams.Outcome](t)(w.SendRaw(teams.Delivery{Body: body}))
	if d := w.deliveries()[0]; d.refused != nil {
		t.Fatalf("the right one was refused: %v", d.refused)
	}
	for what, d := range map[string]teams.Delivery{
		"no header":          {NoAuthorization: true},
		"garbage":            {Authorization: "Bearer a.b.c"},
		"another audience":   {Claims: m{"aud": "x"}},
		"another issuer":     {Claims: m{"iss": "https://sts.windows.net/x/"}},
		"no end":             {Claims: m{"exp": nil}},
		"long over":          {Claims: m{"exp": 1}},
		"another service":    {Claims: m{"serviceurl": "https://example.com/"}},
		"no service":         {Claims: m{"serviceurl": nil}},
		"another channel":    {Unendorsed: true},
		"no algorithm":       {Algorithm: "none"},
		"a shared secret":    {Algorithm: "HS256"},
		"a key of nobody":    {KeyID: "x"},
		"a key of its other": {Unendorsed: true, KeyID: "x"},
	} {
		d.Body = body
		must[teams.Outcome](t)(w.SendRaw(d))
		got := w.deliveries()
		if got[len(got)-1].refused == nil {
			t.Errorf("%s: a careful bot believed it", what)
		}
	}
}
