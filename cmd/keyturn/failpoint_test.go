package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptrace"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/sim/slack"
)

// failpoints ends the bot in the middle of what it does: before and after every
// commit and every call and message that goes out. Nothing in the bot knows of
// them; they stand in its ports.
//
// A point is named by what passes it, such as "after the call secret", and the
// bot ends the first time that a name is passed. While a person waits for the
// bot's answer it does not end: what a person asks for is then passed over, and
// counts the next time.
type failpoints struct {
	acting sync.Mutex             // held while a person acts, and while the bot is ended
	die    func()                 // ends the bot and starts it again; called with acting held
	stop   func(name string)      // instead, where it is set: may keep whoever passes a point
	only   func(name string) bool // where it is set, which points count
	stand  *standstill            // instead, where it is set: has workers stand still

	mu   sync.Mutex
	dead bool
	left map[string]bool // names at which the bot has ended
	skip int             // with skip n, every n-th name only
	seen int
}

// errDead is what everything says once the bot is to be ended.
var errDead = fmt.Errorf("%w: the process has ended", bot.ErrNoCommit)

// act is a person's act.
func (f *failpoints) act(act func()) {
	f.acting.Lock()
	defer f.acting.Unlock()
	act()
}

// over reports whether the process has ended.
func (f *failpoints) over() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

// pass reports whether the process ends at a point.
func (f *failpoints) pass(ctx context.Context, name string) bool {
	if f.stand != nil {
		f.stand.pass(claimIn(ctx), name)
		return false
	}
	if f.stop != nil {
		f.stop(name)
		return false
	}
	name = varies.ReplaceAllString(name, "*")
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return true
	}
	if f.only != nil && !f.only(name) {
		return false
	}
	if f.left[name] || !f.quiet() {
		return false
	}
	if f.dead || f.left[name] { // meanwhile
		f.acting.Unlock()
		return f.dead
	}
	f.left[name] = true
	f.seen++
	if f.skip > 1 && f.seen%f.skip != 0 {
		f.acting.Unlock()
		return false
	}
	f.dead = true
	go func() {
		defer f.acting.Unlock()
		f.die()
	}()
	return true
}

// quiet takes acting where nobody acts. Where only few points count it waits for
// that: they may not come again. It lets go of mu meanwhile.
func (f *failpoints) quiet() bool {
	if f.only == nil || f.acting.TryLock() {
		return f.only != nil || f.acting.TryLock()
	}
	f.mu.Unlock()
	defer f.mu.Lock()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for range 1000 {
		if f.acting.TryLock() {
			return true
		}
		<-again.C
	}
	return false
}

// revive lets the next process live.
func (f *failpoints) revive() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = false
}

// around does something that leaves a trace outside, between its two points.
func around[T any](f *failpoints, ctx context.Context, name string, do func() (T, error)) (T, error) {
	var none T
	if f.pass(ctx, "before "+name) {
		return none, gone(ctx)
	}
	v, err := do()
	if f.pass(ctx, "after "+name) {
		return none, gone(ctx)
	}
	return v, err
}

// gone is how a call ends whose process has ended: not at all. What the bot does
// with the error is lost with it.
func gone(ctx context.Context) error { return errors.Join(errDead, ctx.Err()) }

// frailStore is a store with points around every commit.
type frailStore struct {
	engine.Store
	f *failpoints
}

func (s frailStore) Commit(ctx context.Context, decide func(engine.View) (engine.Changes, error)) error {
	if s.f.over() {
		return errDead
	}
	if s.f.stand != nil {
		return s.f.stand.commit(ctx, s.Store, decide)
	}
	var name string
	err := s.Store.Commit(ctx, func(v engine.View) (engine.Changes, error) {
		c, err := decide(v)
		if name = nameOf(c); err == nil && name != "" && s.f.pass(ctx, "before "+name) {
			return engine.Changes{}, errDead
		}
		return c, err
	})
	if err == nil && name != "" && s.f.pass(ctx, "after "+name) {
		return errDead
	}
	return err
}

func (s frailStore) Claim(ctx context.Context, now time.Time, max int) ([]bot.Job, error) {
	if s.f.over() {
		return nil, errDead
	}
	jobs, err := s.Store.Claim(ctx, now, max)
	if s.f.stand != nil {
		s.f.stand.claimed(jobs)
	}
	return jobs, err
}

// Renew says which claim somebody works under, where that is asked.
func (s frailStore) Renew(ctx context.Context, c bot.Claim) error {
	if asked, ok := ctx.Value(claimKey{}).(*bot.Claim); ok {
		*asked = c
		return errDead
	}
	return s.Store.Renew(ctx, c)
}

type claimKey struct{}

// claimIn is the claim that ctx works under, in a store whose claims have no term.
func claimIn(ctx context.Context) (c bot.Claim) {
	if _, done, err := bot.Permitted(context.WithValue(ctx, claimKey{}, &c)); err == nil {
		done()
	}
	return c
}

var numbers = regexp.MustCompile(`[0-9]+`)

// nameOf says what a commit changes, without what differs each time. What a
// person waits for has no name, nor has a change of nothing.
func nameOf(c engine.Changes) string {
	if c.Delivery != nil {
		return ""
	}
	var parts []string
	for _, e := range c.Audit {
		part := e.Act + " " + e.Step
		if e.Call != nil {
			part += " " + e.Call.ID
		}
		parts = append(parts, part)
	}
	for _, r := range c.Runs {
		for _, s := range r.Steps {
			parts = append(parts, string(s.ID)+"="+string(s.State))
		}
	}
	for _, j := range c.Jobs {
		parts = append(parts, "+"+j.Kind)
	}
	for _, j := range c.Again {
		parts = append(parts, "again "+j.Kind)
	}
	for _, s := range c.Sent {
		parts = append(parts, "sent "+numbers.ReplaceAllString(s.Key, "0"))
	}
	for _, k := range c.Incidents {
		parts = append(parts, fmt.Sprintf("incident %s %d", k.Issue.ID, len(k.Issue.Posts)))
	}
	if len(parts) == 0 && len(c.Done) == 0 {
		return ""
	}
	slices.Sort(parts)
	return "commit " + strings.Join(slices.Compact(parts), ", ")
}

// frailCaller has points around every call.
type frailCaller struct {
	bot.Caller
	f *failpoints
}

func (c frailCaller) Call(ctx context.Context, t bot.TenantID, call bot.Call, as bot.CallIdentity) (bot.Answer, error) {
	return around(c.f, ctx, fmt.Sprintf("the call %s %s %s", call.System, call.Method, call.ID), func() (bot.Answer, error) {
		return c.Caller.Call(c.f.traced(ctx, call), t, call, as)
	})
}

// traced has a point where a write has its connection: after the last look at its
// claim, right before its first byte leaves. A write that asks for a token first
// has another one there.
func (f *failpoints) traced(ctx context.Context, c bot.Call) context.Context {
	if f.stop == nil && f.stand == nil || !c.Write() {
		return ctx
	}
	given, wire := false, ""
	permitted := bot.WithPermit(ctx, func(within context.Context) (context.Context, context.CancelFunc, error) {
		within, done, err := bot.Permitted(valued{within, ctx})
		given = err == nil
		return within, done, err
	})
	return httptrace.WithClientTrace(permitted, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		if given {
			given, wire = false, wire+"on the wire, "
			f.pass(ctx, fmt.Sprintf("%sthe call %s %s %s", wire, c.System, c.Method, c.ID))
		}
	}})
}

// valued is a context with the values of another.
type valued struct {
	context.Context
	of context.Context
}

func (v valued) Value(key any) any {
	if x := v.of.Value(key); x != nil {
		return x
	}
	return v.Context.Value(key)
}

// frailHealth has points around every reading.
type frailHealth struct {
	engine.Health
	f *failpoints
}

func (h frailHealth) Issues(ctx context.Context, t bot.TenantID, as bot.Reader, since time.Time) ([]json.RawMessage, error) {
	return around(h.f, ctx, "a reading", func() ([]json.RawMessage, error) { return h.Health.Issues(ctx, t, as, since) })
}

// seeks is what else the engine asks of a platform that can look a message up.
type seeks interface {
	engine.Finder
	engine.Remover
}

// frailChat has points around every message.
type frailChat struct {
	engine.Chat
	seeks
	f *failpoints
}

func (c frailChat) Post(ctx context.Context, at bot.Place, m bot.Message) (bot.MessageRef, error) {
	return around(c.f, ctx, "posting "+numbers.ReplaceAllString(m.Key, "0"), func() (bot.MessageRef, error) { return c.Chat.Post(ctx, at, m) })
}

func (c frailChat) Edit(ctx context.Context, ref bot.MessageRef, m bot.Message) error {
	_, err := around(c.f, ctx, "editing "+numbers.ReplaceAllString(m.Key, "0"), func() (struct{}, error) { return struct{}{}, c.Chat.Edit(ctx, ref, m) })
	return err
}

// frail puts the points into a bot.
func (f *failpoints) frail(e *engine.Engine) {
	e.Store = frailStore{e.Store, f}
	e.Health = frailHealth{e.Health, f}
	for system, c := range e.Callers {
		e.Callers[system] = frailCaller{c, f}
	}
	for platform, c := range e.Chats {
		if s, ok := c.(seeks); ok {
			e.Chats[platform] = frailChat{c, s, f}
		}
	}
}

// withPorts changes what the bot reaches the world by.
func withPorts(change func(*engine.Engine)) option {
	return func(s *setting) { s.ports = change }
}

// long reports whether there is time for everything.
func long() bool { return os.Getenv("KEYTURN_LONG") != "" }

func TestABotThatEndsAtEveryPointOnceLeavesWhatAnotherLeaves(t *testing.T) {
	for _, guide := range []string{"direct", "connector", "cleanup"} {
		t.Run(guide, func(t *testing.T) {
			f := &failpoints{left: map[string]bool{}, skip: 4}
			if long() {
				f.skip = 1
			}
			f.acting.Lock() // until the run has begun
			h := open(t, append(worldOf(guide), hasty(&pauseLog{}), withPorts(f.frail))...)
			want := ends(t, guide)
			deaths := 0
			f.die = func() {
				deaths++
				h.fall(f.revive)
			}
			h.crew.Act(f.act)
			h.begins(guide, nil)
			f.acting.Unlock()
			h.workUntil("the record of "+guide, func(*slack.State) bool {
				all := h.checklists()
				return len(all) > 0 && strings.Contains(all[len(all)-1].Text, "✅ finished")
			})
			f.acting.Lock() // from here on nobody ends it, to the last
			if diff := cmp.Diff(want, asIt(h.exists())); diff != "" {
				t.Errorf("a bot that ended %d times leaves something else (-without +with):\n%s", deaths, diff)
			}
			h.expectSound()
			if err := h.bot.store.Check(t.Context()); err != nil {
				t.Error(err)
			}
			if deaths < 20 {
				t.Errorf("the bot ended only %d times", deaths)
			}
			t.Logf("failpoints: guide %s: %d points passed, the bot ended at %d of them; %d objects and secrets as without; nothing lost, nothing twice", guide, f.seen, deaths, count(want))
		})
	}
}

func count(what map[string][]string) (n int) {
	for _, list := range what {
		n += len(list)
	}
	return n
}
