package engine_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// crash ends the process in the middle of a call: its effect is there and
// nobody has heard of it.
func (w *world) crash(call string) {
	w.t.Helper()
	ctx, kill := context.WithCancel(w.t.Context())
	w.graph.set(nil, func(c bot.Call) error {
		if c.ID == call {
			kill()
			return context.Canceled
		}
		return nil
	})
	w.worksUntil(ctx)
	w.graph.set(nil, nil)
	w.restart()
}

// worksUntil works until the process ends.
func (w *world) worksUntil(ctx context.Context) {
	w.t.Helper()
	for ctx.Err() == nil {
		jobs, err := w.store.Claim(w.t.Context(), w.clock.Now(), 1)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(jobs) == 0 {
			w.clock.pass(time.Second)
			continue
		}
		w.engine.Do(ctx, jobs[0])
	}
}

func TestACrashAfterACallLeavesOneObject(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.crash("app")
	w.pass(time.Minute)
	w.wantStep("make", setup.Done)
	if len(w.graph.apps) != 1 || w.run().Facts["app.id"].Value != w.graph.apps[0] {
		t.Errorf("there are %v, and the run knows %q", w.graph.apps, w.run().Facts["app.id"].Value)
	}
	res, _ := func() (bot.CallResult, bool) { s := w.step("make"); return s.Result("app") }()
	if !res.Found {
		t.Errorf("it does not say that it found what the first attempt made: %+v", res)
	}
}

func TestACrashAfterASecretWasMadeLeavesNoOrphan(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.crash("secret")
	w.pass(time.Minute)
	w.wantStep("make", setup.Done)
	if len(w.graph.secrets) != 1 || w.run().Facts["key.id"].Value != w.graph.secrets[0] {
		t.Errorf("there are %v, and the run knows %q", w.graph.secrets, w.run().Facts["key.id"].Value)
	}
	if !slices.Contains(w.graph.did(""), "POST /removePassword") {
		t.Errorf("the half-made secret was not removed: %v", w.graph.did(""))
	}
	// What is removed is a call like any other: it stands in the audit first.
	if !slices.Contains(w.acts(), "call drop") {
		t.Errorf("the removal is not in the audit trail: %v", w.acts())
	}
}

func TestAnAmbiguousAnswerIsLookedUpBeforeTheCallIsRepeated(t *testing.T) {
	for _, landed := range []bool{true, false} {
		w := newWorld(t)
		w.planned()
		once := true
		fail := func(c bot.Call) error {
			if c.ID == "app" && once {
				once = false
				return &bot.Failure{Kind: bot.KindAmbiguous, System: bot.Graph, Says: "No answer came."}
			}
			return nil
		}
		if landed {
			w.graph.set(nil, fail)
		} else {
			w.graph.set(fail, nil)
		}
		w.approve()
		w.pass(time.Minute)
		w.wantStep("make", setup.Done)
		if len(w.graph.apps) != 1 {
			t.Errorf("landed %v: there are %v", landed, w.graph.apps)
		}
	}
}
