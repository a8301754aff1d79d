package slack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"keyturn/adapters/slack"
	"keyturn/bot"
	"keyturn/bot/bottest"
	simulated "keyturn/sim"
	sim "keyturn/sim/slack"
)

func TestSlackDoesWhatEveryAdapterDoes(t *testing.T) {
	bottest.Exercise(t, func(t *testing.T, desk *bottest.Desk) bottest.Subject {
		return openSlack(t, desk, "").subject()
	})
}

// In Socket Mode the way in is another one, and nothing else is.
func TestSocketModeDoesWhatEveryAdapterDoes(t *testing.T) {
	bottest.Exercise(t, func(t *testing.T, desk *bottest.Desk) bottest.Subject {
		return openSlack(t, desk, canaryAppToken).subject()
	})
}

// conforming is a simulated workspace with an adapter under the suite.
type conforming struct {
	*sim.Server
	bot       *slack.Adapter
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

const (
	canaryToken    = "xoxb-canary-of-the-suite"
	canaryAppToken = "xapp-canary-of-the-suite"
	canarySecret   = "signing-canary-of-the-suite"
)

func openSlack(t *testing.T, desk *bottest.Desk, appToken string) *conforming {
	t.Helper()
	c := &conforming{}
	space, err := sim.New(sim.Config{
		BotToken: canaryToken, SigningSecret: canarySecret, AppToken: appToken, TeamID: theID, Scopes: append(sim.DefaultScopes(), "im:write", "channels:history"),
		Users:    []sim.User{{ID: alice, Name: "alice"}, {ID: bob, Name: "bob"}},
		Channels: []sim.Channel{{ID: opsID, Name: "ops", Members: []string{alice, bob, "U0KEYTURN"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Server = space
	api := httptest.NewServer(space.Handler())
	t.Cleanup(api.Close)
	t.Cleanup(func() { _ = space.Shutdown() })
	space.SetURL(api.URL)
	c.bot = slack.New(slack.Config{
		SigningSecret: bot.NewSecret(canarySecret), AppToken: bot.NewSecret(appToken), Workspaces: map[string]bot.Secret{theID: bot.NewSecret(canaryToken)},
		APIURL: api.URL + "/api/", Desk: desk, HTTP: c.client(),
		Log: slog.New(slog.NewTextHandler(&c.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if appToken != "" {
		connect(t, c.bot, space)
		return c
	}
	app := httptest.NewServer(c.bot.Handler())
	t.Cleanup(app.Close)
	space.SetBotURL(app.URL)
	return c
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

func (c *conforming) subject() bottest.Subject {
	return bottest.Subject{
		Adapter: c.bot, Channel: ops, Alice: aAcc, Bob: bAcc,
		Sees: c.sees, Told: c.told, Raised: c.raised, Form: c.form, HomePage: c.home, Changed: c.Changed,
		Mention: func(who bot.Account, text string) error { return well(c.Server.Mention(who.ID, opsID, "", text)) },
		Click: func(who bot.Account, ref bot.MessageRef, label string) error {
			return well(c.Server.Click(sim.Click{User: who.ID, Channel: ref.Place.Channel, TS: ref.ID, Action: label}))
		},
		Submit: c.submit, Resend: func() error { return well(c.Server.Resend()) },
		Break: c.breaks, Unplug: func() { c.unplugged.Store(true) },
		Delete:    func(ref bot.MessageRef) error { return c.DeleteMessage(ref.Place.Channel, ref.ID) },
		RemoveBot: func() (bot.Place, error) { return ops, well(c.Server.RemoveBot(opsID)) }, Uninstall: func() { c.Server.Uninstall() },
		// Slack's 503 does not say whether the message was taken.
		Unavailable: bot.KindAmbiguous,
		Secrets:     []string{canaryToken, canarySecret, canaryAppToken}, Logged: c.log.String,
	}
}

// well is what a person was not spared.
func well(o sim.Outcome, err error) error {
	if err == nil && !o.OK() {
		err = fmt.Errorf("the person sees %+v", o)
	}
	return err
}

func (c *conforming) sees(who bot.Account) []bottest.Seen {
	st := c.Snapshot()
	reads := map[string]bool{}
	for _, ch := range st.Channels {
		for _, m := range ch.Members {
			reads[ch.ID] = reads[ch.ID] || m == who.ID
		}
	}
	var out []bottest.Seen
	for _, m := range st.Messages {
		if m.Bot && !m.Deleted && reads[m.Channel] {
			out = append(out, bottest.Seen{ID: m.TS, Thread: m.ThreadTS, Text: m.Text + string(m.Blocks), Edits: m.Revisions})
		}
	}
	for _, e := range st.Ephemerals {
		if e.To == who.ID {
			out = append(out, bottest.Seen{ID: e.TS, Thread: e.ThreadTS, Text: e.Text + string(e.Blocks), Edits: e.Revisions})
		}
	}
	return out
}

func (c *conforming) told(ref bot.MessageRef) []bot.Account {
	var out []bot.Account
	for _, n := range c.Snapshot().Notifications {
		if n.TS == ref.ID && n.Missed == "" {
			out = append(out, bot.Account{Platform: bot.Slack, Team: theID, ID: n.User})
		}
	}
	return out
}

func (c *conforming) raised(ref bot.MessageRef) bool {
	for _, m := range c.Snapshot().Messages {
		if m.TS == ref.ID {
			return m.Broadcast
		}
	}
	return false
}

func (c *conforming) home(who bot.Account) string { return string(c.Snapshot().Homes[who.ID].Body) }

func (c *conforming) view(who bot.Account) (sim.View, bool) {
	for _, v := range c.Snapshot().Views {
		if v.User == who.ID {
			return v, true
		}
	}
	return sim.View{}, false
}

func (c *conforming) form(who bot.Account) (bottest.Form, bool) {
	v, ok := c.view(who)
	if !ok {
		return bottest.Form{}, false
	}
	f := bottest.Form{Text: string(v.Body) + fmt.Sprint(v.Errors), Typed: map[string][]string{}}
	for block, actions := range sim.StateValues(v.DrawnBlocks(), v.Typed) {
		for _, state := range actions {
			f.Typed[strings.TrimPrefix(block, "in:")] = stateWords(state)
		}
	}
	return f, true
}

// stateWords is what an input holds, in the words of its options' values.
func stateWords(state any) []string {
	raw, _ := json.Marshal(state)
	type option struct {
		Value string `json:"value"`
	}
	var s struct {
		Value   string   `json:"value"`
		Option  option   `json:"selected_option"`
		Options []option `json:"selected_options"`
		Channel string   `json:"selected_conversation"`
		Time    string   `json:"selected_time"`
	}
	_ = json.Unmarshal(raw, &s)
	var out []string
	for _, o := range append(s.Options, s.Option, option{s.Value}, option{s.Channel}, option{s.Time}) {
		if o.Value != "" {
			out = append(out, o.Value)
		}
	}
	return out
}

func (c *conforming) submit(who bot.Account, values map[string][]string) error {
	v, ok := c.view(who)
	if !ok {
		return fmt.Errorf("%s has no form", who.ID)
	}
	filled := map[string]any{}
	for name, given := range values {
		filled["in:"+name] = given
	}
	o, err := c.Server.Submit(who.ID, v.ID, filled)
	if err == nil && o.Status != http.StatusOK {
		err = fmt.Errorf("the person sees %+v", o)
	}
	return err
}

func (c *conforming) breaks(call bottest.Call, how bottest.Fault) {
	at := map[bottest.Call]string{bottest.Posting: "/api/chat.postMessage", bottest.Editing: "/api/chat.update", bottest.Answering: "/hooks/**"}[call]
	f := map[bottest.Fault]simulated.Fault{
		bottest.Throttled: simulated.Throttled(at, 1, bottest.RetryAfter), bottest.Unavailable: {Status: http.StatusServiceUnavailable},
		bottest.Lost: {Drop: true}, bottest.Unanswered: {Drop: true, After: true},
	}[how]
	f.Path, f.Times = at, 1
	c.Faults.Add(f)
}
