package teams_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"keyturn/adapters/teams"
	"keyturn/bot"
	"keyturn/bot/bottest"
	simulated "keyturn/sim"
	sim "keyturn/sim/teams"
)

func TestTeamsDoesWhatEveryAdapterDoes(t *testing.T) {
	for name, opens := range map[string]func(string) bool{
		"forms as dialogs":           func(action string) bool { return action == "test.open" },
		"forms in place of the card": nil,
	} {
		t.Run(name, func(t *testing.T) {
			bottest.Exercise(t, func(t *testing.T, desk *bottest.Desk) bottest.Subject {
				return openTeams(t, desk, opens).subject()
			})
		})
	}
}

const (
	theTenant    = "11111111-1111-4111-8111-111111111111"
	theApp       = "22222222-2222-4222-8222-222222222222"
	canarySecret = "canary-secret-of-the-suite"
	alice, bob   = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
	opsTeam      = "19:0000000000000000000000000000000a@thread.tacv2"
	opsChannel   = "19:0000000000000000000000000000000b@thread.tacv2"
)

// conforming is a simulated tenant with an adapter under the suite.
type conforming struct {
	*sim.Server
	base      string
	bot       *teams.Adapter
	unplugged atomic.Bool
	log       logged
}

// logged is a log that is read while it is written.
type logged struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

func openTeams(t *testing.T, desk *bottest.Desk, opens func(string) bool) *conforming {
	t.Helper()
	c, ready := &conforming{}, &opening{Desk: desk}
	tenant, err := sim.New(sim.Config{
		TenantID: theTenant, BotAppID: theApp, BotSecret: canarySecret,
		Users: []sim.User{{ID: alice, Name: "Alice", UPN: "alice@example.com"}, {ID: bob, Name: "Bob", UPN: "bob@example.com"}},
		Teams: []sim.Team{{ID: opsTeam, Name: "Operations", Installed: true, Channels: []sim.Channel{{ID: opsChannel, Name: "Incidents"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Server = tenant
	front := httptest.NewServer(tenant.Handler())
	t.Cleanup(front.Close)
	t.Cleanup(func() { _ = tenant.Shutdown() })
	tenant.SetURL(front.URL)
	c.base = front.URL
	if c.bot, err = teams.New(teams.Config{
		AppID: theApp, Directory: theTenant, Credential: teams.Credential{Secret: bot.NewSecret(canarySecret)}, Tenants: []string{theTenant},
		Cloud:        teams.Cloud{LoginURL: front.URL, OpenIDURL: front.URL + "/v1/.well-known/openidconfiguration", Service: front.URL},
		ServiceHosts: []string{strings.TrimPrefix(front.URL, "http://")},
		HTTP:         c.client(), Desk: ready, OpensForm: opens,
		Log: slog.New(slog.NewTextHandler(&c.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}); err != nil {
		t.Fatal(err)
	}
	app := httptest.NewServer(c.bot.Handler())
	t.Cleanup(app.Close)
	tenant.SetBotURL(app.URL)
	// Teams lets the bot write to those who have the app.
	for _, who := range []string{alice, bob} {
		if _, err := tenant.Install(who, ""); err != nil {
			t.Fatal(err)
		}
	}
	ready.Store(true)
	return c
}

// opening keeps from the suite's desk what happens before the suite begins.
type opening struct {
	*bottest.Desk
	atomic.Bool
}

func (o *opening) Handle(ctx context.Context, r bot.Request) (bot.Reply, error) {
	if !o.Load() {
		return bot.Reply{}, nil
	}
	return o.Desk.Handle(ctx, r)
}

// client makes a connection for each call, and none while it is unplugged.
func (c *conforming) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if c.unplugged.Load() {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}}
}

func account(id string) bot.Account {
	return bot.Account{Platform: bot.Teams, Team: theTenant, ID: id}
}

func (c *conforming) subject() bottest.Subject {
	header, _, _ := strings.Cut(c.token(), ".") // the part that all tokens of the bot share
	return bottest.Subject{
		Adapter: c.bot, Channel: bot.Place{Platform: bot.Teams, Team: theTenant, Channel: opsChannel}, Alice: account(alice), Bob: account(bob),
		Sees: c.sees, Told: c.told, Raised: c.raised, Form: c.form, Changed: c.Changed,
		Mention: func(who bot.Account, text string) error { return well(c.Server.Mention(who.ID, opsChannel, text)) },
		Click: func(who bot.Account, ref bot.MessageRef, label string) error {
			return well(c.Server.Click(sim.Click{User: who.ID, Conversation: c.message(ref).Thread(), Activity: ref.ID, Action: label}))
		},
		Submit: c.submit, Resend: func() error { return well(c.Server.Resend()) },
		Break: c.breaks, Unplug: func() { c.unplugged.Store(true) },
		Delete: c.remove, RemoveBot: c.removeBot,
		// Teams documents 503 as an answer to be tried again.
		Unavailable: bot.KindUnreachable,
		Lacks: map[bottest.Ability]string{
			bottest.Homes:      "what it would say is in the answers to status and mine",
			bottest.Uninstalls: "the app is removed from each team and chat by itself, which are places that are gone",
		},
		Secrets: []string{canarySecret, header}, Logged: c.log.String,
	}
}

// well is what a person was not spared.
func well(o sim.Outcome, err error) error {
	if err == nil && !o.OK() {
		err = fmt.Errorf("the person sees %+v", o)
	}
	return err
}

// token is one as the bot gets it.
func (c *conforming) token() string {
	resp, err := http.PostForm(c.base+"/"+theTenant+"/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {theApp},
		"client_secret": {canarySecret}, "scope": {"https://api.botframework.com/.default"}})
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	var said struct {
		Token string `json:"access_token"`
	}
	_ = json.NewDecoder(resp.Body).Decode(&said) // without one, what uses it fails
	return said.Token
}

// remove deletes a message of the bot as the bot itself could.
func (c *conforming) remove(ref bot.MessageRef) error {
	req, err := http.NewRequest(http.MethodDelete, c.base+"/v3/conversations/"+url.PathEscape(c.message(ref).Thread())+"/activities/"+ref.ID, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("deleting was answered %s", resp.Status)
	}
	return nil
}

// removeBot takes the bot out of the team, with all its channels. Teams calls a
// team by the ID of its first channel.
func (c *conforming) removeBot() (bot.Place, error) {
	return bot.Place{Platform: bot.Teams, Team: theTenant, Channel: opsTeam}, well(c.Server.Uninstall(alice, opsTeam))
}

func (c *conforming) message(ref bot.MessageRef) sim.Message {
	for _, m := range c.Snapshot().Messages {
		if m.ID == ref.ID {
			return m
		}
	}
	return sim.Message{}
}

func (c *conforming) sees(who bot.Account) []bottest.Seen {
	var out []bottest.Seen
	for _, m := range c.Seen(who.ID, "") {
		if m.Bot && !m.Deleted {
			out = append(out, bottest.Seen{ID: m.ID, Thread: m.Root, Text: m.Summary() + fmt.Sprintf("%s", m.CardsFor(who.ID)), Edits: m.Revisions})
		}
	}
	return out
}

func (c *conforming) told(ref bot.MessageRef) []bot.Account {
	var out []bot.Account
	for _, n := range c.Snapshot().Notifications {
		if n.Activity == ref.ID && n.Missed == "" {
			out = append(out, account(n.User))
		}
	}
	return out
}

func (c *conforming) raised(ref bot.MessageRef) bool {
	for _, n := range c.Snapshot().Notifications {
		if n.Activity == ref.ID && n.Why == "alert" {
			return true
		}
	}
	return false
}

// drawn is a form: a dialog, or one in place of a message's card.
type drawn struct {
	card    json.RawMessage
	dialog  string
	message sim.Message
}

func (c *conforming) drawn(who bot.Account) (drawn, bool) {
	st := c.Snapshot()
	for _, d := range st.Dialogs {
		if d.User == who.ID {
			return drawn{card: d.Card, dialog: d.ID}, true
		}
	}
	for _, m := range st.Messages {
		if card := m.Views[who.ID]; bytes.Contains(card, []byte(`"Input.`)) {
			return drawn{card: card, message: m}, true
		}
	}
	return drawn{}, false
}

func (c *conforming) form(who bot.Account) (bottest.Form, bool) {
	d, ok := c.drawn(who)
	f := bottest.Form{Text: string(d.card), Typed: map[string][]string{}}
	for _, in := range inputs(d.card) {
		kind, name, _ := strings.Cut(in.ID, ":")
		switch {
		case in.Value == "" || kind == "cl":
		case in.Multi:
			f.Typed[name] = strings.Split(in.Value, ",")
		default:
			f.Typed[name] = []string{in.Value}
		}
	}
	return f, ok
}

// input is one of a card's.
type input struct {
	Type, ID, Value string
	Multi           bool `json:"isMultiSelect"`
}

func inputs(card json.RawMessage) []input {
	var list []json.RawMessage
	var object map[string]json.RawMessage
	var out []input
	if json.Unmarshal(card, &list) == nil {
		for _, x := range list {
			out = append(out, inputs(x)...)
		}
		return out
	}
	if json.Unmarshal(card, &object) != nil {
		return nil
	}
	var in input
	if json.Unmarshal(card, &in) == nil && strings.HasPrefix(in.Type, "Input.") {
		return []input{in}
	}
	for _, x := range object {
		out = append(out, inputs(x)...)
	}
	return out
}

func (c *conforming) submit(who bot.Account, values map[string][]string) error {
	d, ok := c.drawn(who)
	if !ok {
		return fmt.Errorf("%s has no form", who.ID)
	}
	filled := map[string]any{}
	for _, in := range inputs(d.card) {
		kind, name, _ := strings.Cut(in.ID, ":")
		if given, ok := values[name]; ok && kind != "cl" {
			filled[in.ID] = strings.Join(given, ",")
			if kind == "tk" {
				filled[in.ID] = len(given) > 0
			}
		}
	}
	if d.dialog != "" {
		return well(c.Server.Submit(who.ID, d.dialog, filled))
	}
	return well(c.Server.Click(sim.Click{User: who.ID, Conversation: d.message.Thread(), Activity: d.message.ID, Action: "Start", Inputs: filled}))
}

func (c *conforming) breaks(call bottest.Call, how bottest.Fault) {
	const at = "/v3/conversations/**"
	f := map[bottest.Fault]simulated.Fault{
		bottest.Throttled: simulated.Throttled(at, 1, bottest.RetryAfter), bottest.Unavailable: {Status: http.StatusServiceUnavailable},
		bottest.Lost: {Drop: true}, bottest.Unanswered: {Drop: true, After: true},
	}[how]
	f.Path, f.Times, f.Method = at, 1, http.MethodPost
	if call == bottest.Editing {
		f.Method = http.MethodPut
	}
	c.Faults.Add(f)
}
