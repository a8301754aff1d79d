package slack_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/adapters/httpx"
	"keyturn/adapters/slack"
	"keyturn/bot"
	simulated "keyturn/sim"
	sim "keyturn/sim/slack"
)

// connect has an adapter take what comes over its own connections until the
// test ends, and waits for them.
func connect(t *testing.T, a *slack.Adapter, space *sim.Server) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); a.Connect(ctx) }()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	connected(t, space, 2)
	return stop
}

// connected waits until so many connections are open.
func connected(t *testing.T, space *sim.Server, n int) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for space.Sockets() != n {
		select {
		case <-deadline:
			t.Fatalf("%d connections are open, not %d", space.Sockets(), n)
		case <-again.C:
		}
	}
}

// socketSpace is a workspace in Socket Mode.
func socketSpace(t *testing.T, ack time.Duration) (workspace, func() (stop func())) {
	t.Helper()
	desk := &counter{}
	space, err := sim.New(sim.Config{BotToken: token, AppToken: "xapp-made-up", TeamID: theID, AckTimeout: ack, Scopes: append(sim.DefaultScopes(), "im:write"),
		Users: []sim.User{{ID: alice, Name: "alice"}}, Channels: []sim.Channel{{ID: opsID, Name: "ops", Members: []string{alice, "U0KEYTURN"}}}})
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(space.Handler())
	t.Cleanup(api.Close)
	t.Cleanup(func() { _ = space.Shutdown() })
	space.SetURL(api.URL)
	a := slack.New(slack.Config{AppToken: bot.NewSecret("xapp-made-up"), Workspaces: map[string]bot.Secret{theID: bot.NewSecret(token)},
		APIURL: api.URL + "/api/", Desk: desk, Log: slog.New(slog.DiscardHandler), Network: mustNetwork(t, httpx.Config{})})
	return workspace{Server: space, bot: a, desk: desk, api: api.URL + "/api/"}, func() func() { return connect(t, a, space) }
}

func mustNetwork(t *testing.T, c httpx.Config) httpx.Network {
	t.Helper()
	n, err := httpx.NewNetwork(c)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestInSocketModeACommandIsAnsweredInItsAcknowledgement(t *testing.T) {
	w, open := socketSpace(t, 20*time.Second)
	open()
	w.desk.says(bot.Say(bot.T("All is well.")))
	out := fine(t)(w.Slash(alice, opsID, "/keyturn status"))
	if !strings.Contains(out.Body, "All is well.") {
		t.Errorf("the acknowledgement is %q", out.Body)
	}
	if r := w.desk.last(t); r.Text != "status" || r.From != aAcc || r.Place != ops || r.Return.URL.IsZero() || r.Return.Trigger.IsZero() {
		t.Errorf("the request is %+v", r)
	}
}

// An answer that Slack would drop for its size comes by the return way.
func TestInSocketModeALargeAnswerIsNotLost(t *testing.T) {
	w, open := socketSpace(t, 20*time.Second)
	open()
	var m bot.Message
	for i := range 45 {
		m.Parts = append(m.Parts, bot.Paragraph{Text: bot.T(fmt.Sprintf("%d: ", i) + strings.Repeat("ü", 200))})
	}
	w.desk.says(m)
	before := len(w.Snapshot().Ephemerals)
	out := fine(t)(w.Slash(alice, opsID, "/keyturn status"))
	if out.Body != "" {
		t.Fatalf("the acknowledgement has %d bytes", len(out.Body))
	}
	for deadline := time.After(20 * time.Second); len(w.Snapshot().Ephemerals) == before; {
		select {
		case <-w.Changed():
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			t.Fatal("the answer was lost")
		}
	}
}

// What the desk could not commit is not acknowledged; Slack delivers it again,
// and it is the same request.
func TestInSocketModeAnEventThatWasNotCommittedComesAgain(t *testing.T) {
	w, open := socketSpace(t, 300*time.Millisecond)
	open()
	var once sync.Once
	w.desk.reply = func(bot.Request) (r bot.Reply, err error) {
		once.Do(func() { err = bot.ErrNoCommit })
		return r, err
	}
	out := fine(t)(w.Mention(alice, opsID, "", "status"))
	if out.Repeats != 1 {
		t.Errorf("it was repeated %d times", out.Repeats)
	}
	w.desk.mu.Lock()
	defer w.desk.mu.Unlock()
	if len(w.desk.seen) != 2 || w.desk.seen[0].Key != w.desk.seen[1].Key {
		t.Errorf("the desk saw %+v", w.desk.seen)
	}
}

// Connections end: because Slack renews them, because the network breaks. What
// comes meanwhile goes over the other one, or is delivered again.
func TestInSocketModeConnectionsAreOpenedAgain(t *testing.T) {
	for name, end := range map[string]func(*sim.Server){
		"refresh_requested": func(s *sim.Server) { s.Disconnect("refresh_requested") },
		"warning":           func(s *sim.Server) { s.Disconnect("warning") },
		"cut":               (*sim.Server).Cut,
	} {
		t.Run(name, func(t *testing.T) {
			w, open := socketSpace(t, 20*time.Second)
			open()
			for range 3 {
				end(w.Server)
				connected(t, w.Server, 2)
				fine(t)(w.Slash(alice, opsID, "/keyturn help"))
			}
		})
	}
}

// A refused token is said in the log and tried again, and the end of the process
// does not wait for it.
func TestInSocketModeARefusedTokenIsSaid(t *testing.T) {
	w, _ := socketSpace(t, time.Second)
	log := &logged{}
	a := slack.New(slack.Config{AppToken: bot.NewSecret("xapp-other"), Workspaces: map[string]bot.Secret{theID: bot.NewSecret(token)},
		APIURL: w.api, Desk: w.desk, Log: slog.New(slog.NewTextHandler(log, nil))})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); a.Connect(ctx) }()
	for deadline := time.After(20 * time.Second); !strings.Contains(log.String(), "slack.app_token"); {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			t.Fatal("nothing was said")
		}
	}
	cancel()
	<-ended
	if err := a.ProveSocket(context.Background()); bot.KindOf(err) != bot.KindUninstalled {
		t.Errorf("the proof of a wrong token says %v", err)
	}
	if err := w.bot.ProveSocket(context.Background()); err != nil {
		t.Errorf("the proof of the right token says %v", err)
	}
}

// A proxy and an authority of one's own hold for the connections too.
func TestInSocketModeConnectionsGoThroughTheProxy(t *testing.T) {
	w, _ := socketSpace(t, 20*time.Second)
	asked, log := make(chan string, 10), &logged{}
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		select {
		case asked <- r.Method + " " + r.Host:
		default: // it was heard often enough
		}
		http.Error(rw, "not today", http.StatusForbidden)
	}))
	t.Cleanup(proxy.Close)
	w.Faults.Add(simulated.Fault{Path: "/api/apps.connections.open", Status: 200, Body: `{"ok":true,"url":"wss://wss-primary.slack.example/link/?ticket=1"}`})
	a := slack.New(slack.Config{AppToken: bot.NewSecret("xapp-made-up"), APIURL: w.api, Desk: w.desk, Log: slog.New(slog.NewTextHandler(log, nil)), Network: mustNetwork(t, httpx.Config{Proxy: proxy.URL})})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); a.Connect(ctx) }()
	select {
	case got := <-asked:
		if got != "CONNECT wss-primary.slack.example:443" {
			t.Errorf("the proxy was asked for %q", got)
		}
		for deadline := time.After(20 * time.Second); !strings.Contains(log.String(), "have the proxy let CONNECT through to them"); {
			select {
			case <-time.After(5 * time.Millisecond):
			case <-deadline:
				t.Fatalf("the log does not say what to do: %s", log.String())
			}
		}
	case <-time.After(20 * time.Second):
		t.Error("the proxy was not asked")
	}
	cancel()
	<-ended
}

// An operator sees how many connections are open: fewer while they are cut, two
// again soon after, none once it stopped.
func TestOpenConnectionsAreCounted(t *testing.T) {
	w, open := socketSpace(t, 20*time.Second)
	is := func(n int) {
		t.Helper()
		deadline, again := time.After(20*time.Second), time.NewTicker(time.Millisecond)
		defer again.Stop()
		for w.bot.Lines() != n {
			select {
			case <-deadline:
				t.Fatalf("%d connections count as open, not %d", w.bot.Lines(), n)
			case <-again.C:
			}
		}
	}
	is(0)
	stop := open()
	is(2)
	w.Faults.Add(simulated.Fault{Path: "/api/apps.connections.open", Status: 503})
	w.Cut()
	is(0)
	w.Faults.Clear()
	is(2)
	stop()
	is(0)
}
