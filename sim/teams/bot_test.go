package teams_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"keyturn/sim/teams"
)

const (
	tenant = "11111111-1111-4111-8111-111111111111"
	appID  = "22222222-2222-4222-8222-222222222222"
	secret = "made-up-secret"

	alice, bob, guest = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002", "aaaaaaaa-0000-4000-8000-000000000003"
	outsider          = "aaaaaaaa-0000-4000-8000-000000000004"
	opsTeam           = "19:0000000000000000000000000000000a@thread.tacv2"
	incidents         = "19:0000000000000000000000000000000b@thread.tacv2"
	warRoom           = "19:0000000000000000000000000000000c@thread.v2"

	adaptive = "application/vnd.microsoft.card.adaptive"
)

// m is a JSON object in a test.
type m = map[string]any

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

// delivery is one activity as the bot of the tests got it.
type delivery struct {
	header   http.Header
	body     string
	activity m
	refused  error // why a careful bot would not believe it
}

// world is a tenant with a bot written for one test.
type world struct {
	*testing.T
	*teams.Server
	clock *clock
	base  string
	token string
	mu    sync.Mutex
	got   []delivery
	// bot answers; nil is an empty 200.
	bot func(w http.ResponseWriter, d delivery)
}

func tenantWith(t *testing.T, change ...func(*teams.Config)) *world {
	t.Helper()
	w := &world{T: t, clock: &clock{at: time.Unix(1_790_000_000, 0)}}
	bot := httptest.NewServer(http.HandlerFunc(w.serveBot))
	t.Cleanup(bot.Close)
	cfg := teams.Config{
		TenantID: tenant, BotAppID: appID, BotSecret: secret, BotURL: bot.URL, Now: w.clock.now,
		Users: []teams.User{
			{ID: alice, Name: "Alice Admin", UPN: "alice@example.com", TZ: "Europe/Berlin", Locale: "de-DE"},
			{ID: bob, Name: "Bob", UPN: "bob@example.com"},
			{ID: guest, Name: "Gwen", UPN: "gwen_other#EXT#@example.com", Guest: true},
			{ID: outsider, Name: "Olaf", UPN: "olaf@example.com"},
		},
		Teams: []teams.Team{{ID: opsTeam, Name: "Operations", Members: []string{alice, bob, guest}, Installed: true,
			Channels: []teams.Channel{{ID: incidents, Name: "Incidents"}}}},
		Chats: []teams.Chat{{ID: warRoom, Name: "War room", Members: []string{alice, bob}}},
	}
	for _, c := range change {
		c(&cfg)
	}
	s, err := teams.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.Server = s
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	t.Cleanup(func() { _ = s.Shutdown() })
	s.SetURL(srv.URL)
	w.base = srv.URL
	return w
}

func (w *world) serveBot(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	d := delivery{header: r.Header, body: string(body)}
	_ = json.Unmarshal(body, &d.activity)
	d.refused = w.verify(r, d.activity)
	w.mu.Lock()
	w.got = append(w.got, d)
	bot := w.bot
	w.mu.Unlock()
	if r.URL.Path != "/teams/messages" {
		http.NotFound(rw, r)
		return
	}
	if bot != nil {
		bot(rw, d)
	}
}

// verify is the check list of a careful bot.
func (w *world) verify(r *http.Request, activity m) error {
	raw, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return errors.New("no bearer token")
	}
	var endorsed []any
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(raw, claims, func(t *jwt.Token) (any, error) {
		var doc, set m
		if err := getJSON(w.base+"/v1/.well-known/openidconfiguration", &doc); err != nil {
			return nil, err
		}
		if err := getJSON(fmt.Sprint(doc["jwks_uri"]), &set); err != nil {
			return nil, err
		}
		keys, _ := set["keys"].([]any)
		for _, k := range keys {
			if k, _ := k.(m); k["kid"] == t.Header["kid"] {
				endorsed, _ = k["endorsements"].([]any)
				n, _ := base64.RawURLEncoding.DecodeString(fmt.Sprint(k["n"]))
				e, _ := base64.RawURLEncoding.DecodeString(fmt.Sprint(k["e"]))
				return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, nil
			}
		}
		return nil, errors.New("the key is not listed")
	}, jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer("https://api.botframework.com"), jwt.WithAudience(appID),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(w.clock.now))
	switch {
	case err != nil:
		return err
	case !slices.Contains(endorsed, any("msteams")):
		return errors.New("the key is not endorsed for msteams")
	case claims["serviceurl"] != activity["serviceUrl"]:
		return fmt.Errorf("serviceurl %v is not the activity's %v", claims["serviceurl"], activity["serviceUrl"])
	}
	return nil
}

func getJSON(u string, v any) error {
	resp, err := http.Get(u)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %d", u, resp.StatusCode)
	}
	return json.NewDecoder(resp.Body).Decode(v)
}

// behave makes the bot answer in another way from now on; nil is an empty 200.
func (w *world) behave(bot func(w http.ResponseWriter, d delivery)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bot = bot
}

// answers makes the bot answer every delivery with the same JSON.
func (w *world) answers(v any) {
	w.behave(func(rw http.ResponseWriter, _ delivery) { _ = json.NewEncoder(rw).Encode(v) })
}

// last is the newest activity that the bot got.
func (w *world) last() m {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.got) == 0 {
		w.Fatal("the bot got nothing")
	}
	return w.got[len(w.got)-1].activity
}

func (w *world) deliveries() []delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.got)
}

// form asks the token endpoint.
func (w *world) form(tenant string, v url.Values) (int, m) {
	w.Helper()
	resp, err := http.PostForm(w.base+"/"+tenant+"/oauth2/v2.0/token", v)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	answer := m{}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		w.Fatal(err)
	}
	return resp.StatusCode, answer
}

func credentials() url.Values {
	return url.Values{"grant_type": {"client_credentials"}, "client_id": {appID}, "client_secret": {secret}, "scope": {"https://api.botframework.com/.default"}}
}

// reply is what the Connector answered.
type reply struct {
	status int
	header http.Header
	body   m
	list   []any
}

func (r reply) code() string {
	e, _ := r.body["error"].(m)
	code, _ := e["code"].(string)
	return code
}

func (r reply) id() string {
	id, _ := r.body["id"].(string)
	return id
}

// call calls the Connector with a good token.
func (w *world) call(method, path string, body any) reply {
	w.Helper()
	if w.token == "" {
		status, answer := w.form(tenant, credentials())
		if status != http.StatusOK {
			w.Fatalf("no token: %v", answer)
		}
		w.token, _ = answer["access_token"].(string)
	}
	return w.request(method, path, body, "Bearer "+w.token)
}

func (w *world) request(method, path string, body any, authorization string) reply {
	w.Helper()
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			w.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(context.Background(), method, w.base+path, bytes.NewReader(content))
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	r := reply{status: resp.StatusCode, header: resp.Header}
	text, _ := io.ReadAll(resp.Body)
	if json.Unmarshal(text, &r.body) != nil && json.Unmarshal(text, &r.list) != nil && len(text) > 0 {
		w.Fatalf("%s %s answered %d with something that is no JSON: %s", method, path, resp.StatusCode, text)
	}
	return r
}

func activitiesOf(conversation string) string {
	return "/v3/conversations/" + url.PathEscape(conversation) + "/activities"
}

func (w *world) send(conversation string, activity m) reply {
	w.Helper()
	return w.call(http.MethodPost, activitiesOf(conversation), activity)
}

// post sends an activity and returns its ID.
func (w *world) post(conversation string, activity m) string {
	w.Helper()
	r := w.send(conversation, activity)
	if r.status != http.StatusCreated || r.id() == "" {
		w.Fatalf("the message was not taken: %d %v", r.status, r.body)
	}
	return r.id()
}

// refused fails the test unless the call was refused with the status and code.
func (w *world) refused(r reply, status int, code string) {
	w.Helper()
	if r.status != status || r.code() != code {
		w.Fatalf("got %d %v, want %d %s", r.status, r.body, status, code)
	}
}

// violated says whether a violation with these words was noted.
func (w *world) violated(words string) bool {
	return slices.ContainsFunc(w.Snapshot().Violations, func(v teams.Violation) bool { return strings.Contains(v.What, words) })
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

func text(words string) m { return m{"type": "message", "text": words} }

func withCard(card m) m {
	return m{"type": "message", "summary": "a card", "attachments": []any{m{"contentType": adaptive, "content": card}}}
}

func card(body []any, actions ...any) m {
	c := m{"type": "AdaptiveCard", "version": "1.5", "body": body}
	if len(actions) > 0 {
		c["actions"] = actions
	}
	return c
}

func block(words string) m { return m{"type": "TextBlock", "text": words, "wrap": true} }

func execute(title, verb string, data m) m {
	return m{"type": "Action.Execute", "title": title, "verb": verb, "data": data}
}

func submit(title string, data m) m { return m{"type": "Action.Submit", "title": title, "data": data} }

func actionAnswer(status int, kind string, value any) m {
	return m{"statusCode": status, "type": kind, "value": value}
}
