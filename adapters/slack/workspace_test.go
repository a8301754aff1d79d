package slack_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/adapters/slack"
	"keyturn/bot"
	sim "keyturn/sim/slack"
)

const (
	token        = "xoxb-made-up"
	alice, bob   = "U0ALICE", "U0BOB"
	stranger     = "U0STRANGER"
	opsID, theID = "C0OPS", "T0KEYTURN"
)

var (
	ctx  = context.Background()
	ops  = bot.Place{Platform: bot.Slack, Team: theID, Channel: opsID}
	aAcc = bot.Account{Platform: bot.Slack, Team: theID, ID: alice}
	bAcc = bot.Account{Platform: bot.Slack, Team: theID, ID: bob}
)

// counter is a desk with one answer for everything.
type counter struct {
	mu    sync.Mutex
	seen  []bot.Request
	reply func(bot.Request) (bot.Reply, error)
	lost  []error
}

func (c *counter) Handle(_ context.Context, r bot.Request) (bot.Reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, r)
	if c.reply == nil {
		return bot.Reply{}, nil
	}
	return c.reply(r)
}

func (c *counter) FormLost(_ context.Context, _ bot.Request, why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = append(c.lost, why)
}

func (c *counter) last(t *testing.T) bot.Request {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) == 0 {
		t.Fatal("nothing reached the desk")
	}
	return c.seen[len(c.seen)-1]
}

func (c *counter) says(m bot.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reply = func(bot.Request) (bot.Reply, error) { return bot.Private(m), nil }
}

// workspace is a simulated Slack with the adapter installed in it.
type workspace struct {
	*sim.Server
	bot  *slack.Adapter
	desk *counter
	api  string
}

func newWorkspace(t *testing.T, scopes ...string) workspace {
	t.Helper()
	desk := &counter{}
	app := httptest.NewUnstartedServer(nil)
	space, err := sim.New(sim.Config{
		BotToken: token, SigningSecret: "made-up", TeamID: theID, Scopes: append(append(sim.DefaultScopes(), "im:write", "channels:history"), scopes...),
		Users: []sim.User{{ID: alice, Name: "alice"}, {ID: bob, Name: "bob"}, {ID: stranger, Name: "sam", Stranger: true, TeamID: "T0OTHER"}},
		Channels: []sim.Channel{{ID: opsID, Name: "ops", Members: []string{alice, bob, stranger, "U0KEYTURN"}},
			{ID: "C0QUIET", Name: "quiet", Members: []string{alice}}},
		Groups: []sim.Group{{ID: "S0ENTRA", Handle: "entra", Users: []string{alice, bob}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(space.Handler())
	t.Cleanup(api.Close)
	t.Cleanup(func() { _ = space.Shutdown() })
	space.SetURL(api.URL)
	a := slack.New(slack.Config{
		SigningSecret: bot.NewSecret("made-up"), Workspaces: map[string]bot.Secret{theID: bot.NewSecret(token)},
		APIURL: api.URL + "/api/", Desk: desk, Log: slog.New(slog.DiscardHandler),
	})
	app.Config.Handler = a.Handler()
	app.Start()
	t.Cleanup(app.Close)
	space.SetBotURL(app.URL)
	return workspace{Server: space, bot: a, desk: desk}
}

// fine fails the test where a person saw a failure.
func fine(t *testing.T) func(sim.Outcome, error) sim.Outcome {
	return func(o sim.Outcome, err error) sim.Outcome {
		t.Helper()
		if err != nil || !o.OK() {
			t.Fatalf("%v %+v", err, o)
		}
		return o
	}
}

func (w workspace) calm(t *testing.T) {
	t.Helper()
	st := w.Snapshot()
	if len(st.Violations) > 0 || len(st.Troubles) > 0 {
		t.Errorf("violations %+v, troubles %+v", st.Violations, st.Troubles)
	}
}

func TestAConversationInAWorkspace(t *testing.T) {
	w := newWorkspace(t)
	w.desk.says(bot.Say(bot.T("No open setups.")))
	fine(t)(w.Slash(alice, opsID, "/keyturn status"))
	if e := w.Snapshot().Ephemerals; len(e) != 1 || e[0].To != alice || e[0].Text != "No open setups." {
		t.Fatalf("alice sees %+v", e)
	}

	// A card with a button, clicked by Bob; the answer takes the card's place
	// for nobody but is his alone, and the card is edited.
	card := bot.Message{Key: "run-1", Parts: []bot.Part{
		bot.Paragraph{Text: bot.Join(bot.T("Waiting for "), bot.Mention(bAcc, "Bob"), bot.T(" since "), bot.When(time.Now(), bot.Clock))},
		bot.Buttons{Items: []bot.Button{{Label: "Approve", Action: "step.approve", Value: "run-1/2", Style: bot.Primary}}},
	}}
	ref, err := w.bot.Post(ctx, ops, card)
	if err != nil {
		t.Fatal(err)
	}
	fine(t)(w.Click(sim.Click{User: bob, Channel: opsID, TS: ref.ID, Action: "Approve"}))
	click := w.desk.last(t)
	if click.From != bAcc || click.Action != "step.approve" || click.Value != "run-1/2" || click.Message.ID != ref.ID || click.Message.Place != ops {
		t.Errorf("the click is %+v", click)
	}
	if err := w.bot.Answer(ctx, bAcc, click.Place, click.Return, bot.Say(bot.T("Running.")), false, false); err != nil {
		t.Fatal(err)
	}
	if err := w.bot.Edit(ctx, ref, bot.Say(bot.T("Approved."))); err != nil {
		t.Fatal(err)
	}
	found, ok, err := w.bot.Find(ctx, ops, "run-1")
	if err != nil || !ok || found.ID != ref.ID {
		t.Errorf("found %+v %v %v", found, ok, err)
	}
	st := w.Snapshot()
	if last := st.Ephemerals[len(st.Ephemerals)-1]; last.To != bob || last.Text != "Running." {
		t.Errorf("bob sees %+v", last)
	}
	if m := st.Messages[0]; m.Text != "Approved." || m.Edited != "" {
		t.Errorf("the card is %+v", m)
	}
	if n := len(st.Notifications); n != 1 || st.Notifications[0].User != bob {
		t.Errorf("notified: %+v, want Bob once", st.Notifications)
	}
	w.calm(t)
}

func TestMentionsDirectMessagesAndHomeInAWorkspace(t *testing.T) {
	w := newWorkspace(t)
	fine(t)(w.Mention(alice, opsID, "", "status please"))
	if r := w.desk.last(t); r.Text != "status please" || r.Place != ops || r.From != aAcc || r.Inline {
		t.Errorf("the mention is %+v", r)
	}
	if err := w.bot.Answer(ctx, aAcc, ops, bot.Return{}, bot.Say(bot.T("Nothing is open.")), false, false); err != nil {
		t.Fatal(err)
	}
	fine(t)(w.Mention(stranger, opsID, "", "health"))
	if r := w.desk.last(t); !r.Guest || r.From.Team != "T0OTHER" || r.Place != ops {
		t.Errorf("the stranger is %+v", r)
	}
	fine(t)(w.DM(bob, "help"))
	r := w.desk.last(t)
	if r.Place != bot.DM(bAcc) || r.Text != "help" {
		t.Errorf("the direct message is %+v", r)
	}
	ref, err := w.bot.Post(ctx, r.Place, bot.Say(bot.T("What I can do.")))
	if err != nil || ref.Place.Channel == "" || ref.Link == "" {
		t.Fatalf("%+v %v", ref, err)
	}
	if err := w.bot.Edit(ctx, ref, bot.Say(bot.T("What I can do now."))); err != nil {
		t.Error(err)
	}
	fine(t)(w.OpenHome(bob))
	if r := w.desk.last(t); r.Kind != bot.HomeOpened || r.From != bAcc {
		t.Errorf("home is %+v", r)
	}
	if err := w.bot.Home(ctx, bAcc, bot.Message{Parts: []bot.Part{bot.Heading{Text: "Nothing needs you"}, bot.Buttons{Items: []bot.Button{{Label: "Help", Action: "help"}}}}}); err != nil {
		t.Fatal(err)
	}
	fine(t)(w.Click(sim.Click{User: bob, View: "home", Action: "Help"}))
	if r := w.desk.last(t); r.Action != "help" || r.Place != bot.DM(bAcc) {
		t.Errorf("the click at home is %+v", r)
	}
	if got, err := w.bot.Members(ctx, theID, "S0ENTRA"); err != nil || len(got) != 2 {
		t.Errorf("members %v %v", got, err)
	}
	w.calm(t)
}

func TestAFormInAWorkspace(t *testing.T) {
	w := newWorkspace(t)
	form := bot.Form{Action: "setup.start", Value: "draft", Title: "Start", Submit: "Start", Inputs: []bot.Input{
		{Name: "tenant", Label: "Tenant", Kind: bot.Choice, Options: []bot.Option{{Value: "contoso", Label: "Contoso"}, {Value: "fabrikam", Label: "Fabrikam"}}},
		{Name: "why", Label: "Why", Kind: bot.Line}, {Name: "public", Label: "In public", Kind: bot.Tick}, {Name: "at", Label: "At", Kind: bot.TimeOfDay, Optional: true},
	}}
	w.desk.reply = func(r bot.Request) (bot.Reply, error) {
		switch {
		case r.Kind != bot.Submitted:
			return bot.Reply{Form: &form}, nil
		case r.One("why") == "no":
			return bot.Reply{Errors: map[string]string{"why": "Say more."}}, nil
		}
		return bot.Reply{}, nil
	}
	out := fine(t)(w.Slash(alice, opsID, "/keyturn setup"))
	view := out.View
	if view == "" {
		// The form is opened after the answer left.
		for range 100 {
			if st := w.Snapshot(); len(st.Views) > 0 {
				view = st.Views[0].ID
				break
			}
			<-w.Changed()
		}
	}
	out, err := w.Submit(alice, view, map[string]any{"in:tenant": "contoso", "in:why": "no"})
	if err != nil || out.Errors["in:why"] != "Say more." {
		t.Fatalf("%+v %v", out, err)
	}
	fine(t)(w.Submit(alice, view, map[string]any{"in:tenant": "contoso", "in:why": "because", "in:public": []string{"yes"}}))
	r := w.desk.last(t)
	if r.Action != "setup.start" || r.Value != "draft" || r.One("tenant") != "contoso" || r.One("why") != "because" || r.One("public") != "yes" || r.One("at") != "" || r.Place != ops {
		t.Errorf("the form is %+v", r)
	}
	if st := w.Snapshot(); len(st.Views) != 0 {
		t.Errorf("still open: %+v", st.Views)
	}
	w.calm(t)
}

func TestWhatHappensToPlacesInAWorkspace(t *testing.T) {
	w := newWorkspace(t)
	fine(t)(w.InviteBot("C0QUIET", alice))
	if r := w.desk.last(t); r.Kind != bot.Joined || r.Place.Channel != "C0QUIET" || r.From != aAcc {
		t.Errorf("joined is %+v", r)
	}
	fine(t)(w.RemoveBot("C0QUIET"))
	if r := w.desk.last(t); r.Kind != bot.Left || r.Place.Channel != "C0QUIET" {
		t.Errorf("left is %+v", r)
	}
	hello := bot.Say(bot.T("Hello."))
	if _, err := w.bot.Post(ctx, bot.Place{Platform: bot.Slack, Team: theID, Channel: "C0QUIET"}, hello); bot.KindOf(err) != bot.KindGone {
		t.Errorf("posting where it is not: %v", err)
	}
	root, err := w.bot.Post(ctx, ops, hello)
	if err != nil {
		t.Fatal(err)
	}
	loud := hello
	loud.Aloud = true
	if _, err := w.bot.Post(ctx, ops.In(root.ID), loud); err != nil {
		t.Fatal(err)
	}
	if st := w.Snapshot(); !st.Messages[len(st.Messages)-1].Broadcast {
		t.Error("the reply was not broadcast")
	}
	if err := w.DeleteMessage(opsID, root.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.bot.Edit(ctx, root, hello); bot.KindOf(err) != bot.KindNotFound {
		t.Errorf("editing a deleted message: %v", err)
	}
	fine(t)(w.Archive(opsID))
	if r := w.desk.last(t); r.Kind != bot.Left || r.Place != ops {
		t.Errorf("archived is %+v", r)
	}
	if _, err := w.bot.Post(ctx, ops, hello); bot.KindOf(err) != bot.KindGone || !strings.Contains(err.Error(), "archived") {
		t.Errorf("posting in an archive: %v", err)
	}
	w.Uninstall()
	if _, err := w.bot.Post(ctx, bot.DM(bAcc), hello); bot.KindOf(err) != bot.KindUninstalled {
		t.Errorf("posting without the app: %v", err)
	}
}

func TestEverySceneIsTakenByAWorkspace(t *testing.T) {
	w := newWorkspace(t)
	for name, m := range slack.Scenes() {
		ref, err := w.bot.Post(ctx, ops, m)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := w.bot.Edit(ctx, ref, m); err != nil {
			t.Errorf("%s edited: %v", name, err)
		}
		if err := w.bot.Home(ctx, aAcc, m); err != nil {
			t.Errorf("%s at home: %v", name, err)
		}
	}
	w.calm(t)
}
