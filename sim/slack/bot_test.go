package slack_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/sim/slack"
)

const (
	token  = "xoxb-made-up"
	secret = "made-up-signing-secret"

	alice, bob, guest, stranger = "U0ALICE", "U0BOB", "U0GUEST", "U0STRANGER"
	ops, quiet, vault           = "C0OPS", "C0QUIET", "C0VAULT"
	theBot                      = "U0KEYTURN"
)

// clock is a watch that the test turns.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// delivery is one request as the bot of the tests got it.
type delivery struct {
	path    string
	header  http.Header
	form    url.Values     // of a command
	payload map[string]any // of an interaction or an event
	signed  bool
	at      string
}

// world is a workspace with a bot written for one test.
type world struct {
	*testing.T
	*slack.Server
	clock *clock
	api   string
	mu    sync.Mutex
	got   []delivery
	// bot answers; nil is an empty 200.
	bot func(w http.ResponseWriter, d delivery)
}

func workspace(t *testing.T, change ...func(*slack.Config)) *world {
	t.Helper()
	w := &world{T: t, clock: &clock{at: time.Unix(1_790_000_000, 0)}}
	bot := httptest.NewServer(http.HandlerFunc(w.serveBot))
	t.Cleanup(bot.Close)
	cfg := slack.Config{
		BotToken: token, SigningSecret: secret, BotURL: bot.URL, TeamName: "Example", Now: w.clock.now,
		Scopes: append(slack.DefaultScopes(), "channels:history", "im:write", "channels:join"),
		Users: []slack.User{
			{ID: alice, Name: "alice", RealName: "Alice Admin", Email: "alice@example.com", TZ: "Europe/Berlin", Admin: true},
			{ID: bob, Name: "bob", RealName: "Bob Builder", Email: "bob@example.com"},
			{ID: guest, Name: "gwen", Guest: true},
			{ID: stranger, Name: "sam", Stranger: true, TeamID: "T0OTHER"},
		},
		Channels: []slack.Channel{
			{ID: ops, Name: "ops", Members: []string{alice, bob, stranger, theBot}},
			{ID: quiet, Name: "quiet", Members: []string{alice}},
			{ID: vault, Name: "vault", Kind: slack.Private, Members: []string{alice, theBot}},
		},
		Groups: []slack.Group{{ID: "S0ENTRA", Handle: "entra", Name: "Entra team", Users: []string{alice, bob}}},
	}
	for _, c := range change {
		c(&cfg)
	}
	s, err := slack.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.Server = s
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	t.Cleanup(func() { _ = s.Shutdown() })
	s.SetURL(srv.URL)
	w.api = srv.URL
	return w
}

func (w *world) serveBot(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	d := delivery{path: r.URL.Path, header: r.Header, at: r.Header.Get("X-Slack-Request-Timestamp")}
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "v0:%s:%s", d.at, body)
	d.signed = "v0="+hex.EncodeToString(mac.Sum(nil)) == r.Header.Get("X-Slack-Signature")
	if r.Header.Get("Content-Type") == "application/json" {
		_ = json.Unmarshal(body, &d.payload)
	} else {
		d.form, _ = url.ParseQuery(string(body))
		_ = json.Unmarshal([]byte(d.form.Get("payload")), &d.payload)
	}
	w.mu.Lock()
	w.got = append(w.got, d)
	bot := w.bot
	w.mu.Unlock()
	if bot != nil {
		bot(rw, d)
	}
}

// behave makes the bot answer in another way from now on; nil is an empty 200.
func (w *world) behave(bot func(w http.ResponseWriter, d delivery)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bot = bot
}

// last is the newest delivery to the bot.
func (w *world) last() delivery {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.got) == 0 {
		w.Fatal("the bot got nothing")
	}
	return w.got[len(w.got)-1]
}

func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.got)
}

// answerJSON makes the bot answer every delivery with the same JSON.
func (w *world) answerJSON(v any) {
	w.behave(func(rw http.ResponseWriter, _ delivery) {
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(v)
	})
}

// m is a JSON object in a test.
type m = map[string]any

// call calls the Web API with a JSON body and returns the answer.
func (w *world) call(method string, arguments m) m {
	w.Helper()
	b, err := json.Marshal(arguments)
	if err != nil {
		w.Fatal(err)
	}
	return w.request(method, "application/json", b, "Bearer "+token)
}

// form calls the Web API with a form that holds the token.
func (w *world) form(method string, v url.Values) m {
	w.Helper()
	v.Set("token", token)
	return w.request(method, "application/x-www-form-urlencoded", []byte(v.Encode()), "")
}

func (w *world) request(method, kind string, body []byte, auth string) m {
	w.Helper()
	req, err := http.NewRequest(http.MethodPost, w.api+"/api/"+method, bytes.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	answer := m{}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		w.Fatalf("%s answered %d with something that is no JSON: %v", method, resp.StatusCode, err)
	}
	if after := resp.Header.Get("Retry-After"); after != "" {
		answer["retry_after"], _ = strconv.Atoi(after)
	}
	return answer
}

// ok fails the test unless the call worked.
func (w *world) ok(method string, arguments m) m {
	w.Helper()
	answer := w.call(method, arguments)
	if answer["ok"] != true {
		w.Fatalf("%s was refused: %v %v", method, answer["error"], answer["errors"])
	}
	return answer
}

// refused fails the test unless the call was refused with the code.
func (w *world) refused(method string, arguments m, code string) m {
	w.Helper()
	answer := w.call(method, arguments)
	if answer["ok"] != false || answer["error"] != code {
		w.Fatalf("%s: got %v %v %v, want the error %s", method, answer["ok"], answer["error"], answer["errors"], code)
	}
	return answer
}

func (w *world) post(channel, text string) string {
	w.Helper()
	ts, _ := w.ok("chat.postMessage", m{"channel": channel, "text": text})["ts"].(string)
	return ts
}

// whispers are the texts that only one person sees.
func (w *world) whispers(user string) []string {
	var all []string
	for _, e := range w.Snapshot().Ephemerals {
		if e.To == user {
			all = append(all, e.Text)
		}
	}
	return all
}

// posted are the texts in a channel that everybody sees.
func (w *world) posted(channel string) []string {
	var all []string
	for _, msg := range w.Snapshot().Messages {
		if msg.Channel == channel && !msg.Deleted {
			all = append(all, msg.Text)
		}
	}
	return all
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func plain(text string) m { return m{"type": "plain_text", "text": text} }

func mrkdwn(text string) m { return m{"type": "mrkdwn", "text": text} }

func section(text string) m { return m{"type": "section", "text": mrkdwn(text)} }

func button(action, label string) m {
	return m{"type": "button", "action_id": action, "text": plain(label), "value": "v-" + action}
}

func actions(elements ...any) m {
	return m{"type": "actions", "block_id": "acts", "elements": elements}
}

func input(block, action string, more m) m {
	el := m{"type": "plain_text_input", "action_id": action}
	for k, v := range more {
		el[k] = v
	}
	return m{"type": "input", "block_id": block, "label": plain(strings.ToUpper(block)), "element": el}
}

func modal(title string, blocks ...any) m {
	return m{"type": "modal", "callback_id": "form", "title": plain(title), "submit": plain("Send"), "close": plain("Cancel"), "blocks": blocks}
}
