package teams

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// forged is what somebody may put into the Authorization header.
type forged struct {
	header string
	// service is the activity's serviceUrl where it is not the token's.
	service string
	channel string
}

// between is a token that is valid from and until.
func between(w *world, from, until time.Duration) string {
	c := w.claims()
	c["nbf"], c["exp"] = w.now.Add(from).Unix(), w.now.Add(until).Unix()
	return newSigner("k1").token(c)
}

// hostile are headers that must be refused, each for a reason of its own.
func hostile(w *world) map[string]forged {
	k1, other := newSigner("k1"), newSigner("k-other")
	with := func(name string, v any) string {
		c := w.claims()
		c[name] = v
		return k1.token(c)
	}
	without := func(name string) string {
		c := w.claims()
		delete(c, name)
		return k1.token(c)
	}
	good := w.good()
	bare := strings.TrimPrefix(good, "Bearer ")
	parts := strings.Split(bare, ".")
	claims, _ := json.Marshal(w.claims())
	text := string(claims)
	head := func(h string) string { return k1.raw(h, text) }
	b64 := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	none := "Bearer " + b64(`{"alg":"none","typ":"JWT","kid":"k1"}`) + "." + parts[1] + "."
	public, _ := x509.MarshalPKIXPublicKey(&k1.key.PublicKey)
	asSecret := func(secret []byte) string {
		signed := b64(`{"alg":"HS256","typ":"JWT","kid":"k1"}`) + "." + parts[1]
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(signed))
		return "Bearer " + signed + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
	}
	now := w.now
	all := map[string]forged{}
	for name, h := range map[string]string{
		"no header at all":                   "",
		"no scheme":                          bare,
		"another scheme":                     "Basic " + bare,
		"only the scheme":                    "Bearer ",
		"two blanks after the scheme":        "Bearer  " + bare,
		"a blank at the end":                 good + " ",
		"a line break at the end":            good + "\n",
		"a line break in the signature":      good[:len(good)-20] + "\r\n" + good[len(good)-20:],
		"no token but words":                 "Bearer hello",
		"no dots":                            "Bearer " + strings.ReplaceAll(bare, ".", ""),
		"one dot":                            "Bearer " + parts[0] + "." + parts[1],
		"three dots":                         good + ".x",
		"a megabyte of dots":                 "Bearer " + strings.Repeat(".", 1<<20),
		"eight kilobytes of dots":            "Bearer " + strings.Repeat(".", 8000),
		"longer than 8 KiB":                  good + strings.Repeat("A", 8<<10),
		"empty parts":                        "Bearer ..",
		"padding":                            "Bearer " + parts[0] + "=." + parts[1] + "." + parts[2],
		"the standard alphabet":              "Bearer " + parts[0] + "." + parts[1] + ".+/+/",
		"a header that is no JSON":           k1.raw(`nonsense`, text),
		"a header that is a list":            k1.raw(`["RS256"]`, text),
		"no algorithm":                       head(`{"typ":"JWT","kid":"k1"}`),
		"algorithm none":                     none,
		"algorithm none with a signature":    none + parts[2],
		"algorithm NONE with a signature":    "Bearer " + b64(`{"alg":"NONE","kid":"k1"}`) + "." + parts[1] + "." + parts[2],
		"HS256 with the public key as DER":   asSecret(public),
		"HS256 with the public key as PEM":   asSecret(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		"HS256 with the modulus":             asSecret(k1.key.N.Bytes()),
		"RS384 named, RS256 signed":          head(`{"alg":"RS384","kid":"k1"}`),
		"RS512 named, RS256 signed":          head(`{"alg":"RS512","kid":"k1"}`),
		"PS256 named, RS256 signed":          head(`{"alg":"PS256","kid":"k1"}`),
		"rs256 in small letters":             head(`{"alg":"rs256","kid":"k1"}`),
		"an algorithm that is a list":        head(`{"alg":["RS256"],"kid":"k1"}`),
		"the algorithm twice":                head(`{"alg":"none","alg":"RS256","kid":"k1"}`),
		"the algorithm twice in other case":  head(`{"alg":"RS256","Alg":"none","kid":"k1"}`),
		"another type of token":              head(`{"alg":"RS256","typ":"JWE","kid":"k1"}`),
		"no key ID":                          head(`{"alg":"RS256","typ":"JWT"}`),
		"an empty key ID":                    head(`{"alg":"RS256","kid":""}`),
		"a number as key ID":                 head(`{"alg":"RS256","kid":1}`),
		"an unknown key ID":                  other.token(w.claims()),
		"a path as key ID":                   head(`{"alg":"RS256","kid":"../../../../dev/null"}`),
		"SQL as key ID":                      head(`{"alg":"RS256","kid":"x' UNION SELECT 'k1"}`),
		"a key ID of 4 KB":                   head(`{"alg":"RS256","kid":"` + strings.Repeat("k", 4000) + `"}`),
		"two key IDs":                        head(`{"alg":"RS256","kid":"k1","kid":"k1"}`),
		"its own key":                        head(`{"alg":"RS256","kid":"k1","jwk":{"kty":"RSA"}}`),
		"its own key list":                   head(`{"alg":"RS256","kid":"k1","jku":"https://evil.example/keys"}`),
		"its own certificate":                head(`{"alg":"RS256","kid":"k1","x5u":"https://evil.example/c","x5c":["x"]}`),
		"an extension that must be known":    head(`{"alg":"RS256","kid":"k1","crit":["exp"]}`),
		"compressed":                         head(`{"alg":"RS256","kid":"k1","zip":"DEF"}`),
		"signed by another key":              "Bearer " + parts[0] + "." + parts[1] + "." + strings.Split(other.token(w.claims()), ".")[2],
		"a signature cut short":              good[:len(good)-20],
		"a changed claim":                    "Bearer " + parts[0] + "." + b64(strings.Replace(text, `"nbf"`, `"x":1,"nbf"`, 1)) + "." + parts[2],
		"claims that are no JSON":            k1.raw(`{"alg":"RS256","kid":"k1"}`, `nonsense`),
		"claims that are null":               k1.raw(`{"alg":"RS256","kid":"k1"}`, `null`),
		"something after the claims":         k1.raw(`{"alg":"RS256","kid":"k1"}`, text+`{}`),
		"no issuer":                          without("iss"),
		"another issuer":                     with("iss", "https://sts.windows.net/"+contoso+"/"),
		"the issuer with a slash":            with("iss", "https://api.botframework.com/"),
		"the issuer in capitals":             with("iss", "HTTPS://API.BOTFRAMEWORK.COM"),
		"a list of issuers":                  with("iss", []string{"https://api.botframework.com"}),
		"the issuer twice":                   k1.raw(`{"alg":"RS256","kid":"k1"}`, `{"iss":"https://evil.example",`+text[1:]),
		"no audience":                        without("aud"),
		"another app":                        with("aud", fabrik),
		"an empty audience":                  with("aud", ""),
		"a list of audiences":                with("aud", []string{appID, fabrik}),
		"an empty list of audiences":         with("aud", []string{}),
		"an audience that is a number":       with("aud", 7),
		"the audience twice":                 k1.raw(`{"alg":"RS256","kid":"k1"}`, `{"aud":"`+fabrik+`",`+text[1:]),
		"no end":                             without("exp"),
		"an end that is a string":            with("exp", fmt.Sprint(now.Add(time.Hour).Unix())),
		"an end that is null":                with("exp", nil),
		"an end beyond numbers":              k1.raw(`{"alg":"RS256","kid":"k1"}`, strings.Replace(text, `"exp":`, `"exp":1e400,"e":`, 1)),
		"expired six minutes ago":            between(w, -time.Hour, -6*time.Minute),
		"no beginning":                       without("nbf"),
		"a beginning that is true":           with("nbf", true),
		"not valid for six minutes":          with("nbf", now.Add(6*time.Minute).Unix()),
		"ends before it begins":              with("nbf", now.Add(2*time.Hour).Unix()),
		"valid for a year":                   with("exp", now.Add(365*24*time.Hour).Unix()),
		"issued in an hour":                  with("iat", now.Add(time.Hour).Unix()),
		"no serviceurl":                      without("serviceurl"),
		"an empty serviceurl":                with("serviceurl", ""),
		"a serviceurl that is an object":     with("serviceurl", map[string]any{"a": 1}),
		"the serviceurl twice":               k1.raw(`{"alg":"RS256","kid":"k1"}`, `{"ServiceUrl":"https://evil.example/",`+text[1:]),
		"a serviceurl of another activity":   with("serviceurl", "https://smba.trafficmanager.net/emea/"),
		"a user's token of Entra":            k1.token(map[string]any{"iss": "https://login.microsoftonline.com/" + contoso + "/v2.0", "aud": appID, "exp": now.Add(time.Hour).Unix(), "nbf": now.Unix()}),
		"a key of another channel":           newSigner("k-directline").token(w.claims()),
		"a key without endorsements":         newSigner("k-nothing").token(w.claims()),
		"a key too short to be listed":       newSigner("k-short").token(w.claims()),
		"a null byte in the scheme":          "Bearer\x00" + bare,
		"more than Microsoft would ever say": with("x", strings.Repeat("x", 6000)),
	} {
		all[name] = forged{header: h}
	}
	all["another serviceUrl in the activity"] = forged{header: good, service: w.service + "x"}
	all["no serviceUrl in the activity"] = forged{header: good, service: "-"}
	all["an activity of another channel"] = forged{header: good, channel: "directline"}
	all["an activity of no channel"] = forged{header: good, channel: "-"}
	evil := w.claims()
	evil["serviceurl"] = "https://evil.example/amer/"
	all["a serviceUrl that is not Microsoft's"] = forged{header: k1.token(evil), service: "https://evil.example/amer/"}
	evil = maps.Clone(evil)
	evil["serviceurl"] = "http://smba.trafficmanager.net/amer/"
	all["a serviceUrl in clear"] = forged{header: k1.token(evil), service: "http://smba.trafficmanager.net/amer/"}
	return all
}

func (w *world) otherKeys() {
	w.keys = append(w.keys, newSigner("k-directline").jwk("directline"), newSigner("k-nothing").jwk(),
		map[string]any{"kty": "RSA", "kid": "k-short", "n": "AQAB", "e": "AQAB", "endorsements": []string{"msteams"}})
}

func (w *world) knocks(f forged) *http.Response {
	v := w.personal(fields{"text": "help"})
	for name, value := range map[string]string{"serviceUrl": f.service, "channelId": f.channel} {
		if value == "-" {
			delete(v, name)
		} else if value != "" {
			v[name] = value
		}
	}
	b, _ := json.Marshal(v)
	return w.post(f.header, b).Result()
}

func TestNoForgedTokenIsAccepted(t *testing.T) {
	w := newWorld(t)
	w.otherKeys()
	w.deliver(w.personal(fields{"text": "help"})) // the keys are warm
	all := hostile(w)
	if len(all) < 60 {
		t.Fatalf("only %d tokens are tried", len(all))
	}
	before := w.fetched()
	for name, f := range all {
		taken := len(w.desk.taken)
		resp := w.knocks(f)
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: got HTTP %d", name, resp.StatusCode)
		}
		if n := resp.ContentLength; n > 0 {
			t.Errorf("%s: the refusal says %d bytes to whoever forged it", name, n)
		}
		if len(w.desk.taken) != taken {
			t.Errorf("%s: the desk heard of it", name)
		}
	}
	if n := w.fetched() - before; n != 0 {
		t.Errorf("forged tokens caused %d fetches", n)
	}
	if w.desk.decided != 1 {
		t.Errorf("the desk decided %d times", w.desk.decided)
	}
}

func TestWhatMicrosoftMayChangeIsAccepted(t *testing.T) {
	w := newWorld(t)
	k1 := newSigner("k1")
	with := func(name string, v any) string {
		c := w.claims()
		c[name] = v
		return k1.token(c)
	}
	text, _ := json.Marshal(w.claims())
	for name, header := range map[string]string{
		"the usual":                    w.good(),
		"a scheme in small letters":    "bearer " + strings.TrimPrefix(w.good(), "Bearer "),
		"a list of one audience":       with("aud", []string{appID}),
		"expired four minutes ago":     between(w, -time.Hour, -4*time.Minute),
		"valid in four minutes":        with("nbf", w.now.Add(4*time.Minute).Unix()),
		"seconds with a fraction":      with("exp", float64(w.now.Add(time.Hour).Unix())+0.5),
		"claims that nobody asked for": with("tid", []any{contoso, map[string]any{"deep": 1}}),
		"no type":                      k1.raw(`{"alg":"RS256","kid":"k1"}`, string(text)),
		"serviceUrl in another case":   k1.raw(`{"alg":"RS256","kid":"k1"}`, strings.Replace(string(text), "serviceurl", "serviceUrl", 1)),
	} {
		if resp := w.knocks(forged{header: header}); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: got HTTP %d\n%s", name, resp.StatusCode, w.log)
		}
	}
}

func TestTheEdgesOfTheLeeway(t *testing.T) {
	for _, c := range []struct {
		exp, nbf time.Duration
		code     int
	}{
		{-leeway + time.Second, -time.Hour, 200}, {-leeway, -time.Hour, 403},
		{time.Hour, leeway, 200}, {time.Hour, leeway + time.Second, 403},
		{maxLife - time.Minute, -time.Minute, 200}, {maxLife - time.Minute + time.Second, -time.Minute, 403},
	} {
		w := newWorld(t)
		claims := w.claims()
		claims["exp"], claims["nbf"] = w.now.Add(c.exp).Unix(), w.now.Add(c.nbf).Unix()
		if resp := w.knocks(forged{header: newSigner("k1").token(claims)}); resp.StatusCode != c.code {
			t.Errorf("exp %v, nbf %v: got HTTP %d, want %d", c.exp, c.nbf, resp.StatusCode, c.code)
		}
	}
}

func TestATenantThatIsNotConfiguredIsRefused(t *testing.T) {
	for name, change := range map[string]fields{
		"another tenant":                 {"conversation": fields{"id": chatID, "conversationType": "personal", "tenantId": fabrik}, "channelData": fields{"tenant": fields{"id": fabrik}}},
		"no tenant":                      {"conversation": fields{"id": chatID, "conversationType": "personal"}, "channelData": nil},
		"only channelData names another": {"conversation": fields{"id": chatID, "conversationType": "personal"}, "channelData": fields{"tenant": fields{"id": fabrik}}},
		"a tenant that is a number":      {"conversation": fields{"id": chatID, "tenantId": 7}, "channelData": "x"},
	} {
		w := newWorld(t)
		v := w.personal(fields{"text": "help"})
		maps.Copy(v, change)
		b, _ := json.Marshal(v)
		if rec := w.post(w.good(), b); rec.Code != http.StatusForbidden || rec.Body.Len() > 0 {
			t.Errorf("%s: got HTTP %d %q", name, rec.Code, rec.Body)
		}
		w.desk.none(t)
	}
}

func TestTheEndpointIsExact(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		method, path, kind string
		code               int
	}{
		{"POST", "/teams/messages/", "application/json", 404}, {"POST", "/api/messages", "application/json", 404},
		{"GET", Path, "application/json", 405}, {"PUT", Path, "application/json", 405},
		{"POST", Path, "text/plain", 415}, {"POST", Path, "", 415},
	} {
		r, _ := http.NewRequest(c.method, "http://bot"+c.path, strings.NewReader("{}"))
		r.Header.Set("Authorization", w.good())
		r.Header.Set("Content-Type", c.kind)
		rec := recorder(w, r)
		if rec.Code != c.code {
			t.Errorf("%s %s %q: got %d, want %d", c.method, c.path, c.kind, rec.Code, c.code)
		}
	}
	if rec := w.post(w.good(), []byte(`{"type":"message","text":"`+strings.Repeat("x", maxBody)+`"}`)); rec.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a body that is too large: got %d", rec.Code)
	}
	for _, body := range []string{"", "[]", "null", `"x"`, `{"type":`} {
		if rec := w.post(w.good(), []byte(body)); rec.Code != http.StatusBadRequest {
			t.Errorf("body %q: got %d", body, rec.Code)
		}
	}
	w.desk.none(t)
}

func TestNothingStartsWithoutWhatKeepsItSafe(t *testing.T) {
	whole := func() Config {
		return Config{AppID: appID, Directory: contoso, Tenants: []string{contoso}, Credential: Credential{Secret: secretOf("s")}}
	}
	if _, err := New(whole()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"no app ID":           func(c *Config) { c.AppID = "" },
		"a name as app ID":    func(c *Config) { c.AppID = "keyturn" },
		"no tenant":           func(c *Config) { c.Tenants = nil },
		"any tenant":          func(c *Config) { c.Tenants = []string{"*"} },
		"no credential":       func(c *Config) { c.Credential = Credential{} },
		"two credentials":     func(c *Config) { c.Credential.Key = secretOf("k") },
		"a broken key":        func(c *Config) { c.Credential = Credential{Key: secretOf("k"), Cert: "c"} },
		"no directory":        func(c *Config) { c.Directory = "" },
		"a path as directory": func(c *Config) { c.Directory = "../x" },
		"keys in clear":       func(c *Config) { c.Cloud.OpenIDURL = "http://login.example.com/openid" },
		"sign-in in clear":    func(c *Config) { c.Cloud.LoginURL = "http://login.example.com" },
	} {
		c := whole()
		change(&c)
		if _, err := New(c); err == nil || len(err.Error()) < 30 {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestRefusalsDoNotFloodTheLog(t *testing.T) {
	w := newWorld(t)
	for range 500 {
		w.knocks(forged{header: "Bearer x"})
	}
	if n := strings.Count(w.log.String(), "refused"); n != 1 {
		t.Errorf("500 refusals made %d lines", n)
	}
	w.pass(2 * time.Minute)
	w.knocks(forged{header: "Bearer x"})
	if !strings.Contains(w.log.String(), "times=500") {
		t.Errorf("the log does not say how often:\n%s", w.log)
	}
}

func TestARejectedTokenCostsLittle(t *testing.T) {
	w := newWorld(t)
	w.otherKeys()
	w.deliver(w.personal(fields{"text": "help"}))
	for name, f := range hostile(w) {
		if f.service != "" || f.channel != "" {
			continue // the token itself is good
		}
		var before, after runtime.MemStats
		const times = 20
		runtime.ReadMemStats(&before)
		for range times {
			_, _ = w.valid.prove(t.Context(), f.header)
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / times; each >= 64<<10 {
			t.Errorf("%s: %d bytes", name, each)
		}
	}
}

func TestManyAtOnceFetchTheKeysOnce(t *testing.T) {
	w := newWorld(t)
	header := w.good()
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, err := w.valid.prove(t.Context(), header); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := w.fetched(); n != 2 {
		t.Errorf("%d fetches, want the metadata and the list once", n)
	}
}
