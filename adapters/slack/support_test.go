package slack

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/bottest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden holds testdata/name to what was drawn.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	bottest.Golden(t, filepath.Join("testdata", name), string(got), *update, "go test ./adapters/slack -update")
}

const (
	testSecret = "signing-secret-of-the-tests"
	testToken  = "xoxb-canary-token"
	team       = "T0CONTOSO"
	alice      = "U0ALICE"
	botUser    = "U0KEYTURN"
	channelID  = "C0OPS"
	dmID       = "D0ALICE"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func fixed() time.Time { return noon }

// desk records what it is asked and answers what the test says.
type desk struct {
	mu    sync.Mutex
	got   []bot.Request
	reply bot.Reply
	err   error
	panic bool
	lost  chan error
}

func (d *desk) Handle(_ context.Context, r bot.Request) (bot.Reply, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.got = append(d.got, r)
	if d.panic {
		panic("the desk fell over")
	}
	return d.reply, d.err
}

func (d *desk) FormLost(_ context.Context, _ bot.Request, why error) { d.lost <- why }

func (d *desk) requests() []bot.Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]bot.Request(nil), d.got...)
}

// call is one call that the fake Slack received.
type call struct {
	Method string
	Token  string // from the header
	Form   url.Values
	JSON   map[string]any
}

// fakeSlack is a Web API that says what the test scripts.
type fakeSlack struct {
	*httptest.Server
	mu    sync.Mutex
	calls []call
	say   map[string]func(w http.ResponseWriter, c call)
}

func newSlack(t testing.TB) *fakeSlack {
	f := &fakeSlack{say: map[string]func(http.ResponseWriter, call){}}
	f.answers("auth.test", `{"ok":true,"url":"https://contoso.slack.com/","team":"Contoso","user":"keyturn","team_id":"`+team+`","user_id":"`+botUser+`","bot_id":"B0KEYTURN"}`)
	f.answers("chat.postMessage", `{"ok":true,"channel":"`+channelID+`","ts":"1700000000.000100","message":{"ts":"1700000000.000100"}}`)
	f.answers("chat.postEphemeral", `{"ok":true,"message_ts":"1700000000.000200"}`)
	f.answers("chat.update", `{"ok":true,"channel":"`+channelID+`","ts":"1700000000.000100","text":""}`)
	f.answers("chat.delete", `{"ok":true}`)
	f.answers("conversations.open", `{"ok":true,"channel":{"id":"`+dmID+`"}}`)
	f.answers("views.open", `{"ok":true,"view":{"id":"V1"}}`)
	f.answers("views.publish", `{"ok":true,"view":{"id":"V1"}}`)
	f.answers("response_url", `ok`)
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeSlack) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c := call{Method: filepath.Base(r.URL.Path), Token: strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		_ = json.Unmarshal(body, &c.JSON)
	} else {
		c.Form, _ = url.ParseQuery(string(body))
	}
	f.mu.Lock()
	f.calls = append(f.calls, c)
	answer := f.say[c.Method]
	f.mu.Unlock()
	if answer == nil {
		http.NotFound(w, r)
		return
	}
	answer(w, c)
}

func (f *fakeSlack) script(method string, say func(http.ResponseWriter, call)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.say[method] = say
}

func (f *fakeSlack) answers(method, body string) {
	f.script(method, func(w http.ResponseWriter, _ call) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	})
}

func (f *fakeSlack) status(method string, code int, header ...string) {
	f.script(method, func(w http.ResponseWriter, _ call) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	})
}

// to lists the calls of one method.
func (f *fakeSlack) to(method string) []call {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []call
	for _, c := range f.calls {
		if c.Method == method {
			out = append(out, c)
		}
	}
	return out
}

func (f *fakeSlack) responseURL() string { return f.URL + "/actions/T0/1/response_url" }

// app is an adapter between a fake Slack and a desk.
type app struct {
	*Adapter
	slack *fakeSlack
	desk  *desk
	log   *bytes.Buffer
	h     http.Handler
}

func newApp(t testing.TB) *app {
	f := newSlack(t)
	d := &desk{lost: make(chan error, 1)}
	log := &bytes.Buffer{}
	a := New(Config{
		SigningSecret: bot.NewSecret(testSecret),
		Workspaces:    map[string]bot.Secret{team: bot.NewSecret(testToken)},
		APIURL:        f.URL + "/api/",
		HTTP:          f.Client(),
		Now:           fixed,
		Desk:          d,
		Log:           slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	return &app{Adapter: a, slack: f, desk: d, log: log, h: a.Handler()}
}

func sign(secret string, at time.Time, body string) (stamp, signature string) {
	stamp = strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	return stamp, "v0=" + hex.EncodeToString(mac.Sum(nil))
}

func signedRequest(path, contentType, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	stamp, signature := sign(testSecret, noon, body)
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", signature)
	return r
}

func (a *app) post(path, contentType, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, signedRequest(path, contentType, body))
	return w
}

// types types a slash command.
func (a *app) types(text string, more ...string) *httptest.ResponseRecorder {
	form := url.Values{
		"team_id": {team}, "team_domain": {"contoso"}, "channel_id": {channelID}, "channel_name": {"ops"},
		"user_id": {alice}, "user_name": {"alice"}, "command": {"/keyturn"}, "text": {text},
		"trigger_id": {"1.2.abc"}, "response_url": {a.slack.responseURL()}, "api_app_id": {"A0"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return a.post("/slack/commands", formType, form.Encode())
}

// interacts sends an interaction's payload.
func (a *app) interacts(payload map[string]any) *httptest.ResponseRecorder {
	b, _ := json.Marshal(payload)
	return a.post("/slack/interactions", formType, url.Values{"payload": {string(b)}}.Encode())
}

// happens sends an event.
func (a *app) happens(event map[string]any) *httptest.ResponseRecorder {
	b, _ := json.Marshal(map[string]any{
		"type": "event_callback", "team_id": team, "event_id": "Ev0001", "event": event,
		"authorizations": []any{map[string]any{"team_id": team, "user_id": botUser, "is_bot": true}},
	})
	return a.post("/slack/events", jsonType, string(b))
}

// click is a click on a button of the bot's message in a channel.
func (a *app) click(actionID, value string) map[string]any {
	return map[string]any{
		"type": "block_actions", "team": map[string]any{"id": team}, "user": map[string]any{"id": alice, "name": "alice", "team_id": team},
		"trigger_id": "3.4.def", "response_url": a.slack.responseURL(),
		"channel":   map[string]any{"id": channelID},
		"container": map[string]any{"type": "message", "message_ts": "1700000000.000100", "channel_id": channelID},
		"message":   map[string]any{"ts": "1700000000.000100"},
		"actions":   []any{map[string]any{"type": "button", "action_id": actionID, "block_id": "k1.0", "value": value, "action_ts": "1700000001.5"}},
	}
}

// only is the one request that the desk got.
func (a *app) only(t *testing.T) bot.Request {
	t.Helper()
	got := a.desk.requests()
	if len(got) != 1 {
		t.Fatalf("the desk got %d requests, want 1: %+v", len(got), got)
	}
	return got[0]
}

func textOf(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var r struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
		t.Fatalf("the answer is no JSON: %v: %s", err, w.Body)
	}
	return r.Text
}
