package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

func TestARequestTakesEffectOncePerDeliveryKey(t *testing.T) {
	w := newWorld(t)
	r := bot.Request{Key: "d1", Kind: bot.Typed, From: account("UADA"), Place: channel, Text: "subscribe", Inline: true}
	first, err := w.engine.Handle(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		again, err := w.engine.Handle(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(asJSON(first), asJSON(again)); d != "" {
			t.Errorf("the repeat was answered otherwise:\n%s", d)
		}
	}
	w.settle()
	if n := len(w.chat.at(channel)); n != 1 {
		t.Errorf("the channel was told %d times", n)
	}
	if acts := w.acts(); len(acts) != 1 {
		t.Errorf("the audit trail is %v", acts)
	}
	w.restart()
	again, err := w.engine.Handle(t.Context(), r)
	if err != nil || asJSON(first) != asJSON(again) {
		t.Errorf("after a restart: %s, %v", asJSON(again), err)
	}
}

func TestRepeatsThatComeAtTheSameMomentTakeEffectOnce(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			_, err := w.engine.Handle(t.Context(), bot.Request{Key: "same", Kind: bot.Typed, From: account("UADA"), Place: channel, Text: "subscribe", Inline: true})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	w.settle()
	if acts := w.acts(); len(acts) != 1 {
		t.Errorf("the audit trail is %v", acts)
	}
}

func TestWhatIsNotAnsweredInlineIsAnsweredByAJobOfItsOwn(t *testing.T) {
	w := newWorld(t)
	block := true
	w.chat.set(func(op string, _ bot.Place, _ bot.Message) fate {
		if op == "post" && block {
			return fate{err: &bot.Failure{Kind: bot.KindThrottled, RetryAfter: time.Hour}}
		}
		return fine
	})
	w.say("m", channel, "the channel is throttled")
	w.settle()
	back := bot.Return{URL: bot.NewSecret("https://hooks.example.com/1"), Expires: start.Add(30 * time.Minute)}
	_, err := w.engine.Handle(t.Context(), bot.Request{Key: "d1", Kind: bot.Clicked, From: account("UADA"), Place: channel, Action: "verb", Value: "roles", Return: back})
	if err != nil {
		t.Fatal(err)
	}
	w.settle()
	if len(w.chat.answers) != 1 || !strings.HasPrefix(w.chat.answers[0], "UADA redraw=false inPlace=false back=https://hooks.example.com/1: Roles for Contoso") {
		t.Errorf("the answers are %q", w.chat.answers)
	}
}

func TestAnAmbiguousAnswerIsNotRepeated(t *testing.T) {
	w := newWorld(t)
	w.chat.set(func(string, bot.Place, bot.Message) fate {
		return fate{lands: true, err: &bot.Failure{Kind: bot.KindAmbiguous}}
	})
	_, err := w.engine.Handle(t.Context(), bot.Request{Key: "d1", Kind: bot.Clicked, From: account("UADA"), Place: channel, Action: "verb", Value: "help"})
	if err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	if len(w.chat.answers) != 1 || len(w.dead()) != 0 {
		t.Errorf("%d answers, dead %v", len(w.chat.answers), w.dead())
	}
}

func TestAFormThatDidNotOpenIsSaid(t *testing.T) {
	w := newWorld(t)
	w.engine.FormLost(t.Context(), bot.Request{Key: "d1", From: account("UADA"), Place: channel}, errors.New("expired_trigger_id"))
	w.settle()
	if len(w.chat.answers) != 1 || !strings.Contains(w.chat.answers[0], "click again") {
		t.Errorf("the answers are %q", w.chat.answers)
	}
}

func TestADecisionThatFailsChangesNothing(t *testing.T) {
	w := newWorld(t)
	for name, decide := range map[string]engine.Decide{
		"error": func(d *engine.Draft, _ bot.Request) (bot.Reply, error) {
			d.Say(channel, bot.Say(bot.T("half of it")), bot.ClassClick)
			return bot.Private(bot.Say(bot.T("done"))), errors.New("no")
		},
		"panic": func(d *engine.Draft, _ bot.Request) (bot.Reply, error) {
			d.Say(channel, bot.Say(bot.T("half of it")), bot.ClassClick)
			panic("a bug")
		},
	} {
		e := engine.New(engine.Config{Env: w.env, Store: w.store, Now: w.clock.Now, ID: w.id, Decide: decide, Pace: engine.NoLimits{}})
		r, err := e.Handle(t.Context(), bot.Request{Key: "d/" + name, Kind: bot.Typed, From: account("UADA"), Place: channel})
		if err == nil || r.Message != nil {
			t.Errorf("%s: it answered %+v, %v", name, r, err)
		}
	}
	w.settle()
	if n := len(w.chat.at(channel)); n != 0 {
		t.Errorf("%d messages of decisions that failed", n)
	}
}

func TestTheHomePageShowsWhatWaits(t *testing.T) {
	w := newWorld(t)
	w.planned()
	if _, err := w.engine.Handle(t.Context(), bot.Request{Key: "h1", Kind: bot.HomeOpened, From: account("UADA")}); err != nil {
		t.Fatal(err)
	}
	w.settle()
	last := w.chat.homes[len(w.chat.homes)-1]
	if !strings.HasPrefix(last, "UADA: Contoso") || !strings.Contains(last, "1 step waits for you") || !strings.Contains(last, "Approve and run") {
		t.Errorf("Ada's page says %s", last)
	}
}

func TestAReminderComesWhenItWasAskedForAndOnlyIfItStillWaits(t *testing.T) {
	w := newWorld(t)
	w.env.CheckEvery = time.Hour // days go by
	w.planned()
	w.click("remind", "UADA", setup.ActRemind, "r1/make/"+w.step("make").Plan.Digest)
	count := func() (n int) {
		for _, m := range w.chat.at(bot.DM(account("UADA"))) {
			if strings.Contains(m.Words, "You wanted to be reminded") {
				n++
			}
		}
		return n
	}
	w.pass(23 * time.Hour)
	if count() != 0 {
		t.Error("it came too soon")
	}
	w.pass(2 * time.Hour)
	if count() != 1 {
		t.Errorf("it came %d times", count())
	}
	w.click("remind2", "UADA", setup.ActRemind, "r1/make/"+w.step("make").Plan.Digest)
	w.approve()
	w.pass(48 * time.Hour)
	if count() != 1 {
		t.Error("a step that is done was reminded of")
	}
}

func TestANudgeIsNotRepeatedWithinFourHours(t *testing.T) {
	w := newWorld(t)
	w.planned()
	nudge := func(n int) string {
		r := w.click(fmt.Sprintf("nudge/%d", n), "URITA", setup.ActNudge, "r1")
		w.pass(time.Minute)
		return r.Message.Words()
	}
	if got := nudge(1); !strings.Contains(got, "Reminded: Ada, Amir") {
		t.Errorf("the first: %s", got)
	}
	if got := nudge(2); !strings.Contains(got, "within the last four hours") {
		t.Errorf("the second: %s", got)
	}
	w.pass(4 * time.Hour)
	if got := nudge(3); !strings.Contains(got, "Reminded") {
		t.Errorf("after four hours: %s", got)
	}
}

// TestTheLoopItself runs the real loop on a fake clock: jobs that fall due
// later, a lane that waits, the stop that lets jobs finish.
func TestTheLoopItself(t *testing.T) {
	dir := newWorld(t) // outside the bubble: its files and keys
	dir.store.Close()
	synctest.Test(t, func(t *testing.T) {
		w := dir
		w.t = t
		w.clock = &clock{at: start}
		w.open()
		begun := time.Now()
		now := func() time.Time { return start.Add(time.Since(begun)) }
		slow := make(chan struct{})
		w.chat.set(func(_ string, _ bot.Place, m bot.Message) fate {
			if m.Key == "slow" {
				<-slow
			}
			return fine
		})
		e := engine.New(engine.Config{Env: w.env, Store: w.store, Chats: map[bot.Platform]engine.Chat{bot.Slack: w.chat}, Now: now, ID: w.id, Pace: engine.NewLimits(), Workers: 2})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- e.Run(ctx) }()
		for i := range 6 {
			w.say(fmt.Sprintf("m%d", i), channel, fmt.Sprint(i))
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if n := len(w.chat.at(channel)); n != 3 {
			t.Errorf("%d at once, the burst is 3", n)
		}
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if n := len(w.chat.at(channel)); n != 6 {
			t.Errorf("%d after four seconds", n)
		}
		w.say("slow", bot.DM(account("UADA")), "takes a while")
		synctest.Wait()
		stop()
		time.Sleep(time.Second)
		synctest.Wait()
		select {
		case <-ended:
			t.Error("it stopped before the job in flight was done")
		default:
		}
		close(slow)
		synctest.Wait()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if _, ok := w.sent("slow"); !ok {
			t.Error("the job in flight was lost")
		}
		w.store.Close()
	})
}

// Timers stand still while a machine is suspended, its clock does not.
func TestAMachineThatWasSuspendedSeesWhatFellDueMeanwhile(t *testing.T) {
	dir := newWorld(t) // outside the bubble: its files and keys
	dir.store.Close()
	synctest.Test(t, func(t *testing.T) {
		w := dir
		w.t = t
		w.clock = &clock{at: start}
		w.open()
		w.commit("later", func(d *engine.Draft) error {
			m := bot.Say(bot.T("in an hour"))
			m.Key = "later"
			d.Say(channel, m, bot.ClassHandoff)
			d.Out.Jobs[0].Due = start.Add(time.Hour)
			return nil
		})
		e := engine.New(engine.Config{Env: w.env, Store: w.store, Chats: map[bot.Platform]engine.Chat{bot.Slack: w.chat}, Now: w.clock.Now, ID: w.id, Pace: engine.NewLimits(), Workers: 2})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- e.Run(ctx) }()
		synctest.Wait()
		w.clock.pass(2 * time.Hour)
		time.Sleep(time.Minute)
		synctest.Wait()
		if _, ok := w.sent("later"); !ok {
			t.Error("a minute after it woke up it had not looked at its clock")
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		w.store.Close()
	})
}
