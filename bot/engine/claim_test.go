package engine_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

// stalls has the worker that makes a call stand still until its claim has run
// out and somebody else has done the whole job; then it wakes up. The call has
// taken effect by then, or leaves only now.
func (w *world) stalls(call string, sent bool, meanwhile ...func()) {
	w.t.Helper()
	var now bot.Job
	stalled := false
	stall := func(c bot.Call) error {
		if c.ID != call || stalled {
			return nil
		}
		stalled = true
		if err := w.store.Release(w.t.Context(), now.Claim()); err != nil {
			w.t.Error(err)
		}
		w.graph.mu.Unlock() // the others call too
		defer w.graph.mu.Lock()
		w.settle()
		for _, f := range meanwhile {
			f()
		}
		return nil
	}
	if sent {
		w.graph.set(nil, stall)
	} else {
		w.graph.set(stall, nil)
	}
	for !stalled {
		jobs, err := w.store.Claim(w.t.Context(), w.clock.Now(), 1)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(jobs) == 0 {
			w.clock.pass(time.Second)
			continue
		}
		now = jobs[0]
		w.engine.Do(w.t.Context(), now)
	}
}

func TestAWorkerThatWakesUpTooLateChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.stalls("app", true)
	w.wantStep("make", setup.Done)
	if len(w.graph.apps) != 1 || w.run().Facts["app.id"].Value != w.graph.apps[0] {
		t.Errorf("there are %v, and the run knows %q", w.graph.apps, w.run().Facts["app.id"].Value)
	}
	if res, _ := func() (bot.CallResult, bool) { s := w.step("make"); return s.Result("app") }(); !res.Found {
		t.Errorf("who took the job over did not find what the first worker had made: %+v", res)
	}
	if d := w.dead(); len(d) > 0 {
		t.Errorf("the late worker gave up a job that is not its own: %+v", d)
	}
	w.pass(time.Hour)
	w.wantStep("make", setup.Done)
	if len(w.graph.apps) != 1 || len(w.graph.secrets) != 1 {
		t.Errorf("there are %v and the secrets %v", w.graph.apps, w.graph.secrets)
	}
}

// No fence reaches another company's server: a call that leaves after the last look
// at its claim takes effect beside that of whoever has taken the job over.
func TestASecretOfAWorkerThatWasTakenOverIsRemoved(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.stalls("secret", false)
	w.wantStep("make", setup.Done)
	if len(w.graph.secrets) != 2 {
		t.Fatalf("the late call did not leave: the secrets are %v", w.graph.secrets)
	}
	mine := w.run().Facts["key.id"].Value
	w.pass(2 * time.Minute)
	if len(w.graph.secrets) != 1 || w.graph.secrets[0] != mine {
		t.Errorf("the run knows %q, and the secrets are %v", mine, w.graph.secrets)
	}
	if !slices.Contains(w.acts(), "call drop") {
		t.Errorf("the removal is not in the audit trail: %v", w.acts())
	}
	if d := w.dead(); len(d) > 0 {
		t.Errorf("jobs were given up: %+v", d)
	}
}

// stopsIn works until the bot is stopped in the middle of a call, of which nobody
// hears whether it took effect. pause is the time between two looks for work.
func (w *world) stopsIn(call string, pause time.Duration) {
	ctx, kill := context.WithCancel(w.t.Context())
	w.graph.set(func(c bot.Call) error {
		if c.ID != call {
			return nil
		}
		kill()
		return context.Canceled
	}, nil)
	for ctx.Err() == nil {
		jobs, err := w.store.Claim(w.t.Context(), w.clock.Now(), 1)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, j := range jobs {
			w.engine.Do(ctx, j)
		}
		w.clock.pass(pause)
	}
	w.graph.set(nil, nil)
}

// What a provider holds back takes effect long after whoever asked for it is dead,
// and after it was looked for and made again.
func TestASecretThatAProviderMadeLateIsRemoved(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.stopsIn("secret", time.Second)
	w.restart()
	w.settle()
	mine := w.run().Facts["key.id"].Value
	w.graph.mu.Lock()
	w.graph.secrets = append(w.graph.secrets, "late")
	w.graph.mu.Unlock()
	w.pass(2 * time.Minute)
	w.wantStep("make", setup.Done)
	if len(w.graph.secrets) != 1 || w.graph.secrets[0] != mine {
		t.Errorf("the run knows %q, and the secrets are %v", mine, w.graph.secrets)
	}
}

// termed is a store whose claims have a term, as that of several replicas.
type termed struct{ engine.Store }

func (termed) Term() time.Duration { return 12 * time.Second }

func TestAJobThatWasGivenBackIsLookedUpAgainWhenItsCallIsOver(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.stopsIn("app", 0)
	var waited time.Duration
	w.engine.Store = termed{w.store}
	w.engine.Wait = func(_ context.Context, d time.Duration) error { // the provider is done with it meanwhile
		waited = d
		w.graph.mu.Lock()
		defer w.graph.mu.Unlock()
		w.graph.apps = append(w.graph.apps, "held-back")
		w.clock.pass(d)
		return nil
	}
	w.settle()
	w.wantStep("make", setup.Done)
	if waited <= 0 || waited > 4*time.Second {
		t.Errorf("it waited %s", waited)
	}
	if !slices.Equal(w.graph.apps, []string{"held-back"}) || w.run().Facts["app.id"].Value != "held-back" {
		t.Errorf("there are %v, and the run knows %q", w.graph.apps, w.run().Facts["app.id"].Value)
	}
}

func TestAPostOfAWorkerThatWasTakenOverIsFound(t *testing.T) {
	w := newWorld(t)
	w.say("m", channel, "hello")
	jobs, err := w.store.Claim(t.Context(), w.clock.Now(), 1)
	if err != nil || len(jobs) != 1 {
		t.Fatalf("%v, %v", jobs, err)
	}
	// The first worker has posted, and is not heard of again.
	w.chat.messages = append(w.chat.messages, &message{Ref: bot.MessageRef{Place: channel, ID: "ts-lost"}, Key: "m", Words: "hello"})
	if err := w.store.Release(t.Context(), jobs[0].Claim()); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.only("m")
	w.engine.Do(t.Context(), jobs[0]) // it wakes up before it posts
	w.only("m")
}
