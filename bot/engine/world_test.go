package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
	"keyturn/commands"
	"keyturn/state"
	"keyturn/state/bolt"
)

var (
	start   = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	channel = bot.Place{Platform: bot.Slack, Team: "T1", Channel: "C1"}
	keyset  = sync.OnceValues(state.NewKey)
)

func account(id string) bot.Account { return bot.Account{Platform: bot.Slack, Team: "T1", ID: id} }

// clock is time as the tests say it is.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is an engine with a real store between a fake chat, a fake directory
// and a fake reading of service health.
type world struct {
	t       testing.TB
	clock   *clock
	path    string
	keep    state.Keep
	store   *bolt.Store
	chat    *chat
	finder  bool
	durable bool // the store waits for the disk
	graph   *directory
	health  *readings
	env     *engine.Env
	tenant  *bot.Tenant
	pace    engine.Pace
	log     *slog.Logger
	engine  *engine.Engine
	ids     int
	idMu    sync.Mutex
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, clock: &clock{at: start}, path: filepath.Join(t.TempDir(), "keyturn.db"), finder: true, pace: engine.NoLimits{}}
	w.tenant = &bot.Tenant{
		ID: "contoso", Name: "Contoso", Teams: []bot.Workspace{{Platform: bot.Slack, ID: "T1"}}, Owners: []bot.PersonID{"olga"},
		Reader: bot.Reader{ClientID: "reader"},
		People: []bot.Person{
			{ID: "rita", Name: "Rita", Accounts: []bot.Account{account("URITA")}},
			{ID: "ada", Name: "Ada", Accounts: []bot.Account{account("UADA")}, Admin: map[bot.System]string{bot.Graph: "ada.admin@contoso.com"}},
			{ID: "amir", Name: "Amir", Accounts: []bot.Account{account("UAMIR")}},
			{ID: "olga", Name: "Olga", Accounts: []bot.Account{account("UOLGA")}},
		},
		Holders: map[bot.Role][]bot.PersonID{bot.EntraAdmin: {"ada", "amir"}},
	}
	guide := sampleGuide()
	w.env = &engine.Env{Tenants: []*bot.Tenant{w.tenant}, Base: func(bot.TenantID, bot.System) string { return "https://graph.example.com" },
		Guide: func(id setup.GuideID) (*setup.Guide, bool) { return guide, id == setup.Direct },
		Pace:  5 * time.Second, PaceAfterClick: 1500 * time.Millisecond, PollEvery: 2 * time.Minute, CheckEvery: 15 * time.Second}
	w.chat, w.graph, w.health = newChat(), &directory{}, &readings{}
	w.open()
	w.knownGaps()
	t.Cleanup(func() { w.store.Close() })
	return w
}

// knownGaps has the owners know already which roles nobody holds, so that the
// tests of other things are not told.
func (w *world) knownGaps() {
	w.t.Helper()
	told, err := json.Marshal(w.tenant.Gaps())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.Commit(w.t.Context(), func(engine.View) (engine.Changes, error) {
		return engine.Changes{Records: []engine.Record{{Kind: "gaps", Tenant: w.tenant.ID, Key: "told", Value: told}}}, nil
	}); err != nil {
		w.t.Fatal(err)
	}
}

// open opens the store and makes an engine for it, as a start of the process
// does.
func (w *world) open() {
	w.t.Helper()
	key := value(keyset())(w.t)
	w.store = value(bolt.Open(bolt.Config{Path: w.path, Sealer: value(state.OpenSealer(key))(w.t), Auditor: value(state.OpenAuditor(key))(w.t), Now: w.clock.Now, NoSync: !w.durable, Keep: w.keep}))(w.t)
	w.engine = w.replica(w.pace)
}

// replica is an engine of one more process on the same store.
func (w *world) replica(pace engine.Pace) *engine.Engine {
	var c engine.Chat = w.chat
	if w.finder {
		c = finding{w.chat}
	}
	var store engine.Store = twice{w.store, w}
	if _, measured := w.t.(*testing.B); measured {
		store = w.store
	}
	return engine.New(engine.Config{
		Env: w.env, Store: store, Chats: map[bot.Platform]engine.Chat{bot.Slack: c}, Callers: map[bot.System]bot.Caller{bot.Graph: w.graph},
		Health: w.health, Decide: commands.New("/keyturn").Decide, Now: w.clock.Now, ID: w.id, Keys: nil, Pace: pace, Log: w.log,
		Wait: func(context.Context, time.Duration) error { return nil },
	})
}

// restart ends the process as a crash does and starts it again.
func (w *world) restart() {
	w.t.Helper()
	if err := w.store.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.clock.pass(time.Second)
	w.open()
	if err := w.engine.Begin(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) id() string {
	w.idMu.Lock()
	defer w.idMu.Unlock()
	w.ids++
	return fmt.Sprintf("id-%d", w.ids)
}

func value[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// twice is a store that runs every decision twice, the second time a moment
// later, as a commit that meets a conflict does: both have to say the same.
type twice struct {
	*bolt.Store
	w *world
}

func (s twice) Commit(ctx context.Context, decide func(engine.View) (engine.Changes, error)) error {
	return s.Store.Commit(ctx, func(v engine.View) (engine.Changes, error) {
		first, err := decide(v)
		if err != nil {
			return first, err
		}
		s.w.clock.pass(time.Second)
		second, err := decide(v)
		s.w.clock.pass(-time.Second)
		if d := cmp.Diff(asJSON(first), asJSON(second)); d != "" || err != nil {
			s.w.t.Errorf("a decision that runs again comes out otherwise (%v):\n%s", err, d)
		}
		return second, err
	})
}

func asJSON(v any) string {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// settle works until nothing is due.
func (w *world) settle() {
	w.t.Helper()
	w.works(w.engine)
}

// works has one process do what is due.
func (w *world) works(e *engine.Engine) {
	w.t.Helper()
	for range 10000 {
		jobs, err := w.store.Claim(w.t.Context(), w.clock.Now(), 1)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(jobs) == 0 {
			return
		}
		e.Do(w.t.Context(), jobs[0])
	}
	w.t.Fatal("there is always one more job")
}

// pass lets time go by, and works whenever something is due.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	end := w.clock.Now().Add(d)
	w.settle()
	for {
		next, ok, err := w.store.Next(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		if !ok || next.After(end) {
			break
		}
		w.clock.pass(next.Sub(w.clock.Now()))
		w.settle()
	}
	w.clock.pass(end.Sub(w.clock.Now()))
}

// commit decides something, as a request does.
func (w *world) commit(key string, decide func(d *engine.Draft) error) {
	w.t.Helper()
	now := w.clock.Now()
	err := engine.Named(twice{w.store, w}, w.env).Commit(w.t.Context(), func(v engine.View) (engine.Changes, error) {
		d := engine.NewDraft(v, w.env, key, now)
		err := decide(d)
		return d.Out, err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) say(key string, at bot.Place, words string) {
	w.t.Helper()
	w.commit(key, func(d *engine.Draft) error {
		m := bot.Say(bot.T(words))
		m.Key = key
		d.Say(at, m, bot.ClassHandoff)
		return nil
	})
}

func (w *world) read(f func(v engine.View) error) {
	w.t.Helper()
	if err := w.store.Read(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) run() setup.Run {
	w.t.Helper()
	var r setup.Run
	w.read(func(v engine.View) (err error) { r, err = v.Run("r1"); return err })
	return r
}

func (w *world) step(id setup.StepID) setup.Step {
	w.t.Helper()
	r := w.run()
	return *r.Step(id)
}

func (w *world) wantStep(id setup.StepID, want setup.StepState) setup.Step {
	w.t.Helper()
	s := w.step(id)
	if s.State != want {
		w.t.Fatalf("%s is %s, want %s (problem %+v)", id, s.State, want, s.Problem)
	}
	return s
}

func (w *world) sent(key string) (bot.Sent, bool) {
	w.t.Helper()
	var s bot.Sent
	var ok bool
	w.read(func(v engine.View) (err error) { s, ok, err = v.Sent(key); return err })
	return s, ok
}

// dead gives the jobs that were given up.
func (w *world) dead() (out []bot.Job) {
	w.t.Helper()
	w.read(func(v engine.View) error {
		jobs, err := v.Jobs("")
		for _, j := range jobs {
			if j.Dead {
				out = append(out, j)
			}
		}
		return err
	})
	return out
}

// acts is what the audit trail says, an act each.
func (w *world) acts() (out []string) {
	w.t.Helper()
	w.read(func(v engine.View) error {
		entries, err := v.Audit("contoso", 1000)
		for _, e := range entries {
			act := e.Act
			if e.Call != nil {
				act += " " + e.Call.ID
			}
			out = append(out, act)
		}
		return err
	})
	return out
}

// click is a button as Slack delivers it.
func (w *world) click(key, who, action, value string) bot.Reply {
	w.t.Helper()
	r, err := w.engine.Handle(w.t.Context(), bot.Request{Key: key, Kind: bot.Clicked, At: w.clock.Now(), From: account(who), Place: channel, Action: action, Value: value, Inline: true})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// begin starts the sample's run in the channel, and lets it go as far as it
// goes without people.
func (w *world) begin() {
	w.t.Helper()
	w.commit("begin", func(d *engine.Draft) error {
		g, _ := w.env.Guide(setup.Direct)
		r := setup.New(g, setup.Start{ID: "r1", Tenant: w.tenant, Requester: "rita", Place: channel, At: d.Now,
			Holders: map[bot.Role][]bot.PersonID{bot.EntraAdmin: {"ada", "amir"}}})
		return d.PutRun(nil, &r)
	})
	w.settle()
}

// planned begins a run and brings its step "make" to its plan.
func (w *world) planned() {
	w.t.Helper()
	w.begin()
	w.click("agree", "URITA", setup.ActAnswer, "r1/agree/")
	w.pass(10 * time.Second)
	w.wantStep("make", setup.Planned)
}

// approve is Ada's word on the plan of "make".
func (w *world) approve() {
	w.t.Helper()
	w.click(w.id(), "UADA", setup.ActApprove, "r1/make/"+w.step("make").Plan.Digest)
	w.wantStep("make", setup.Running)
}
