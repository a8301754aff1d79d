package teams

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"keyturn/bot"
)

const (
	appID   = "5710acff-f313-453f-8b75-44fff54bab14"
	contoso = "f5ffd8cf-a1aa-4242-adad-86509faa3be5"
	fabrik  = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	erin    = "a6de2a64-9501-4e16-9e50-74df223570a3"
	erin29  = "29:1Q2o9Y0pyxOhK7QU6o7DatYWMy4MFapyiHoA1r"
	bob     = "0b0b0b0b-0000-4000-8000-000000000b0b"
	ops     = "19:8d46058cda57449380517cc374727f2a@thread.tacv2"
	chatID  = "a:1rLdrbRhx8Pc7Y6HNUmkI6QHZ4vUe1dECse"
	canary  = "canary-secret-7Yx"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// signer is a key of Microsoft's.
type signer struct {
	kid string
	key *rsa.PrivateKey
}

var newSigner = func() func(kid string) signer {
	var mu sync.Mutex
	made := map[string]signer{}
	return func(kid string) signer {
		mu.Lock()
		defer mu.Unlock()
		if s, ok := made[kid]; ok {
			return s
		}
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		made[kid] = signer{kid, k}
		return made[kid]
	}
}()

func (s signer) jwk(endorsed ...string) map[string]any {
	return map[string]any{"kty": "RSA", "use": "sig", "kid": s.kid, "n": base64.RawURLEncoding.EncodeToString(s.key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(s.key.E)).Bytes()), "endorsements": endorsed}
}

// raw signs any header and claims, as JSON text.
func (s signer) raw(header, claims string) string {
	signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	sig, err := jwt.SigningMethodRS256.Sign(signed, s.key)
	if err != nil {
		panic(err)
	}
	return "Bearer " + signed + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func (s signer) token(claims map[string]any) string {
	c, _ := json.Marshal(claims)
	return s.raw(`{"typ":"JWT","alg":"RS256","x5t":"abc","kid":"`+s.kid+`"}`, string(c))
}

// call is one request to the Bot Connector or the sign-in service.
type call struct {
	Method, Path, Auth string
	Body               map[string]any
	Form               url.Values
}

// world is Microsoft as far as the adapter meets it, with a desk behind it.
type world struct {
	*Adapter
	t       testing.TB
	service string
	desk    *desk
	log     *bytes.Buffer
	now     time.Time

	mu      sync.Mutex
	keys    []map[string]any
	down    bool // the key list
	fetches int
	logins  []call
	calls   []call
	// answers are what the connector says next; afterwards everything is fine.
	answers []func(w http.ResponseWriter)
	said    int
	login   func(w http.ResponseWriter)
}

func newWorld(t testing.TB, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, now: noon, log: &bytes.Buffer{}, keys: []map[string]any{newSigner("k1").jwk("msteams", "skype")}}
	server := httptest.NewServer(http.HandlerFunc(w.microsoft))
	t.Cleanup(server.Close)
	w.service = server.URL + "/amer/"
	w.desk = &desk{answered: map[string]bot.Reply{}}
	c := Config{
		AppID: appID, Directory: contoso, Credential: Credential{Secret: bot.NewSecret(canary)}, Tenants: []string{contoso},
		Cloud:        Cloud{LoginURL: server.URL, OpenIDURL: server.URL + "/openid", Service: server.URL + "/default"},
		ServiceHosts: []string{strings.TrimPrefix(server.URL, "http://")},
		Now:          func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now },
		Desk:         w.desk, Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&c)
	}
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	w.Adapter = a
	t.Cleanup(func() {
		if strings.Contains(w.log.String(), canary) {
			t.Error("the log holds the bot's secret")
		}
	})
	return w
}

func (w *world) microsoft(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case r.URL.Path == "/openid" || r.URL.Path == "/keys":
		w.fetches++
		if w.down {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if r.URL.Path == "/keys" {
			_ = json.NewEncoder(rw).Encode(map[string]any{"keys": w.keys})
			return
		}
		_ = json.NewEncoder(rw).Encode(map[string]any{"issuer": Public.Issuer, "jwks_uri": "http://" + r.Host + "/keys"})
	case strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token"):
		form, _ := url.ParseQuery(string(body))
		w.logins = append(w.logins, call{Method: r.Method, Path: r.URL.Path, Form: form})
		if w.login != nil {
			w.login(rw)
			return
		}
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(rw, `{"token_type":"Bearer","expires_in":3600,"access_token":"bot-token-%d"}`, len(w.logins))
	default:
		c := call{Method: r.Method, Path: r.URL.EscapedPath(), Auth: r.Header.Get("Authorization")}
		if r.URL.RawQuery != "" {
			c.Path += "?" + r.URL.RawQuery
		}
		_ = json.Unmarshal(body, &c.Body)
		w.calls = append(w.calls, c)
		if len(w.answers) > 0 {
			next := w.answers[0]
			w.answers = w.answers[1:]
			next(rw)
			return
		}
		w.said++
		id := fmt.Sprintf("17000%05d", w.said)
		rw.WriteHeader(http.StatusCreated)
		switch data, _ := c.Body["channelData"].(map[string]any); {
		case strings.HasSuffix(r.URL.Path, "/v3/conversations") && data["channel"] != nil:
			fmt.Fprintf(rw, `{"id":"%s;messageid=%s","activityId":"%s"}`, ops, id, id)
		case strings.HasSuffix(r.URL.Path, "/v3/conversations"):
			fmt.Fprintf(rw, `{"id":"a:new-chat"}`)
		default:
			fmt.Fprintf(rw, `{"id":"%s"}`, id)
		}
	}
}

// next makes the connector answer so.
func (w *world) next(status int, code string, headers ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers = append(w.answers, func(rw http.ResponseWriter) {
		for i := 0; i+1 < len(headers); i += 2 {
			rw.Header().Set(headers[i], headers[i+1])
		}
		rw.WriteHeader(status)
		if code != "" {
			fmt.Fprintf(rw, `{"error":{"code":"%s","message":"said by the connector"}}`, code)
		}
	})
}

// then makes the connector do so next, and nothing else that was planned.
func (w *world) then(does ...func(http.ResponseWriter)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers = does
}

func (w *world) lastCall() call {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.calls) == 0 {
		w.t.Fatal("nothing was sent")
	}
	return w.calls[len(w.calls)-1]
}

func (w *world) sent() []call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]call(nil), w.calls...)
}

func (w *world) fetched() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fetches
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// claims are those of a good token.
func (w *world) claims() map[string]any {
	w.mu.Lock()
	defer w.mu.Unlock()
	return map[string]any{"iss": Public.Issuer, "aud": appID, "serviceurl": w.service,
		"nbf": w.now.Add(-time.Minute).Unix(), "exp": w.now.Add(time.Hour).Unix()}
}

func (w *world) good() string { return newSigner("k1").token(w.claims()) }

// post delivers a body with an Authorization header.
func (w *world) post(auth string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, Path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	if auth != "" {
		r.Header.Set("Authorization", auth)
	}
	rec := httptest.NewRecorder()
	w.Handler().ServeHTTP(rec, r)
	return rec
}

type fields = map[string]any

// personal is an activity in Erin's chat with the bot.
func (w *world) personal(change fields) fields {
	v := fields{"type": "message", "id": "1001", "channelId": "msteams", "serviceUrl": w.service,
		"from":         fields{"id": erin29, "name": "Erin", "aadObjectId": erin},
		"recipient":    fields{"id": "28:" + appID, "name": "Keyturn"},
		"conversation": fields{"id": chatID, "conversationType": "personal", "tenantId": contoso},
		"channelData":  fields{"tenant": fields{"id": contoso}}}
	for k, x := range change {
		v[k] = x
	}
	return v
}

// inChannel is an activity in a thread of the channel.
func (w *world) inChannel(change fields) fields {
	v := w.personal(fields{
		"conversation": fields{"id": ops + ";messageid=1600", "conversationType": "channel", "isGroup": true, "tenantId": contoso},
		"channelData":  fields{"tenant": fields{"id": contoso}, "team": fields{"id": ops}, "channel": fields{"id": ops}}})
	for k, x := range change {
		v[k] = x
	}
	return v
}

var mentionsBot = []fields{{"type": "mention", "text": "<at>Keyturn</at>", "mentioned": fields{"id": "28:" + appID, "name": "Keyturn"}}}

// deliver posts an activity with a good token and expects that it is taken.
func (w *world) deliver(v fields) *httptest.ResponseRecorder {
	w.t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		w.t.Fatal(err)
	}
	rec := w.post(w.good(), b)
	if rec.Code != http.StatusOK {
		w.t.Fatalf("got HTTP %d: %s\n%s", rec.Code, rec.Body, w.log)
	}
	return rec
}

// desk decides as it is told, once a delivery key.
type desk struct {
	mu       sync.Mutex
	reply    bot.Reply
	err      error
	boom     bool
	taken    []bot.Request
	decided  int
	answered map[string]bot.Reply
	lost     []error
}

func (d *desk) Handle(_ context.Context, r bot.Request) (bot.Reply, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.taken = append(d.taken, r)
	if d.boom {
		panic("a desk that breaks")
	}
	if d.err != nil {
		return bot.Reply{}, d.err
	}
	if old, ok := d.answered[r.Key]; ok {
		return old, nil
	}
	d.decided++
	d.answered[r.Key] = d.reply
	return d.reply, nil
}

func (d *desk) FormLost(_ context.Context, _ bot.Request, why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lost = append(d.lost, why)
}

// only gives the one request that the desk got.
func (d *desk) only(t testing.TB) bot.Request {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.taken) != 1 {
		t.Fatalf("the desk got %d requests: %+v", len(d.taken), d.taken)
	}
	return d.taken[0]
}

func (d *desk) none(t testing.TB) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.taken) != 0 {
		t.Fatalf("the desk got %+v", d.taken)
	}
}

func recorder(w *world, r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.Handler().ServeHTTP(rec, r)
	return rec
}

func secretOf(s string) bot.Secret { return bot.NewSecret(s) }

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
