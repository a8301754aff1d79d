package engine_test

import (
	"fmt"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
)

// beside gives two processes on the world's store, each with limits of its own.
func beside(w *world) (a, b *engine.Engine) {
	return w.replica(engine.NewLimits()), w.replica(engine.NewLimits())
}

// asks is what a platform says that wants a pause.
func asks(pause time.Duration) error {
	return &bot.Failure{Kind: bot.KindThrottled, RetryAfter: pause, Says: "Slow down."}
}

// refuses has the chat ask for a pause at the first thing of a kind, and gives
// what was tried of each kind.
func (w *world) refuses(what string, pause time.Duration) map[string]int {
	tried := map[string]int{}
	w.chat.set(func(op string, _ bot.Place, _ bot.Message) fate {
		tried[op]++
		if op == what && tried[op] == 1 {
			return fate{err: asks(pause)}
		}
		return fine
	})
	return tried
}

// draws has a checklist of its own drawn at a channel, anew where it stands there.
func (w *world) draws(channel, words string) {
	w.t.Helper()
	id := "run-" + channel
	w.commit(w.id(), func(d *engine.Draft) error {
		g, _ := w.env.Guide(setup.Direct)
		before, err := d.Run(id)
		if err != nil {
			r := setup.New(g, setup.Start{ID: id, Tenant: w.tenant, Requester: "rita", Place: bot.Place{Platform: bot.Slack, Team: "T1", Channel: channel}, At: d.Now})
			return d.PutRun(nil, &r)
		}
		after := before.Clone()
		after.Change = words
		return d.PutRun(&before, &after)
	})
}

func TestWhatOneReplicaIsToldAboutEditsHoldsForTheOther(t *testing.T) {
	w := newWorld(t)
	a, b := beside(w)
	for _, c := range []string{"C1", "C2"} {
		w.draws(c, "")
	}
	w.works(a)
	w.clock.pass(time.Minute)
	w.works(a)
	tried := w.refuses("edit", 30*time.Second)
	w.draws("C1", "CHG1")
	w.works(a)
	if tried["edit"] != 1 {
		t.Fatalf("%d edits were tried", tried["edit"])
	}
	w.draws("C2", "CHG2")
	w.say("news", bot.Place{Platform: bot.Slack, Team: "T1", Channel: "C3"}, "news")
	for range 29 {
		w.works(b)
		w.clock.pass(time.Second)
	}
	if tried["edit"] != 1 {
		t.Errorf("within 29 seconds the other replica tried %d edits", tried["edit"]-1)
	}
	if tried["post"] != 1 {
		t.Errorf("what Slack takes was posted %d times", tried["post"])
	}
	w.clock.pass(2 * time.Second)
	w.works(b)
	if tried["edit"] != 3 || len(w.dead()) > 0 {
		t.Errorf("after the pause there were %d edits; given up: %v", tried["edit"], w.dead())
	}
}

// What is for later has a lane of its own, which no refusal before it holds up.
func TestWhatOneReplicaIsToldAboutAConversationHoldsForTheOther(t *testing.T) {
	w := newWorld(t)
	w.planned()
	a, b := beside(w)
	at := bot.DM(account("UADA"))
	tried := w.refuses("post", 30*time.Second)
	w.say("first", at, "a first word")
	w.works(a)
	w.commit("later", func(d *engine.Draft) error {
		r, err := d.Run("r1")
		d.Remind(&r, "ada", "make", d.Now)
		return err
	})
	w.works(b)
	w.clock.pass(29 * time.Second)
	w.works(b)
	if tried["post"] != 1 {
		t.Errorf("within 29 seconds the other replica posted there %d times", tried["post"]-1)
	}
	w.clock.pass(2 * time.Second)
	w.works(b)
	if tried["post"] != 3 {
		t.Errorf("after the pause %d messages were posted", tried["post"]-1)
	}
}

func TestWhatOneReplicaIsToldAboutHomePagesHoldsForTheOther(t *testing.T) {
	w := newWorld(t)
	a, b := beside(w)
	tried := w.refuses("home", 30*time.Second)
	w.commit("ada", func(d *engine.Draft) error { d.Home(account("UADA")); return nil })
	w.works(a)
	w.commit("rita", func(d *engine.Draft) error { d.Home(account("URITA")); return nil })
	w.works(b)
	w.clock.pass(29 * time.Second)
	w.works(b)
	if tried["home"] != 1 {
		t.Errorf("within 29 seconds %d pages were drawn", tried["home"])
	}
	w.clock.pass(2 * time.Second)
	w.works(b)
	if tried["home"] != 3 {
		t.Errorf("after the pause %d pages were drawn", tried["home"])
	}
}

// A call that waits out its pause and goes on tells of it while it waits.
func TestWhatOneReplicaIsToldByASystemHoldsForTheOther(t *testing.T) {
	for _, waits := range []bool{false, true} {
		t.Run(fmt.Sprintf("the call waits %v", waits), func(t *testing.T) {
			w := newWorld(t)
			a, b := beside(w)
			ask := bot.Call{ID: "look", System: bot.Graph, Method: "GET", Path: "/apps"}
			call := func(e *engine.Engine, as string) error {
				_, err := e.Callers[bot.Graph].Call(t.Context(), "contoso", ask, bot.CallIdentity{ClientID: as})
				return err
			}
			var told error
			if !waits {
				told = asks(45 * time.Second)
			}
			w.graph.slowed = slowed{45 * time.Second, told}
			if err := call(a, "app"); bot.KindOf(err) != bot.KindOf(told) {
				t.Fatalf("the first call: %v", err)
			}
			if err := call(b, "other"); err != nil {
				t.Errorf("another identity: %v", err)
			}
			w.clock.pass(15 * time.Second)
			asked := len(w.graph.calls)
			err := call(b, "app")
			if f, ok := err.(*bot.Failure); !ok || f.Kind != bot.KindThrottled || f.RetryAfter != 30*time.Second || len(w.graph.calls) != asked {
				t.Errorf("within the pause: %v, %d calls more", err, len(w.graph.calls)-asked)
			}
			w.clock.pass(30 * time.Second)
			if err := call(b, "app"); err != nil {
				t.Errorf("after the pause: %v", err)
			}
		})
	}
}

func TestWhatOneReplicaIsToldAboutServiceHealthHoldsForTheOther(t *testing.T) {
	w := newWorld(t)
	w.follows(incident.Subscription{Style: incident.Live, Messages: true})
	w.seeded()
	a, b := beside(w)
	w.health.slowed = slowed{2 * time.Hour, asks(2 * time.Hour)}
	w.clock.pass(2*time.Minute + time.Second)
	w.works(a)
	asked := w.health.reads()
	for range 7 { // the message center is due meanwhile
		w.clock.pass(15 * time.Minute)
		w.works(b)
	}
	if got := w.health.reads(); got != asked {
		t.Errorf("within the pause Graph was asked %d times more", got-asked)
	}
	w.clock.pass(20 * time.Minute)
	w.works(b)
	if got := w.health.reads(); got != asked+2 {
		t.Errorf("after the pause Graph was asked %d times", got-asked)
	}
}
