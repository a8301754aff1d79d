package engine_test

import (
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// stalls has the worker that makes a call stand still until its claim has run
// out and somebody else has done the whole job; then it wakes up.
func (w *world) stalls(call string) {
	w.t.Helper()
	var now bot.Job
	stalled := false
	w.graph.set(nil, func(c bot.Call) error {
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
		return nil
	})
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
	w.stalls("app")
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
