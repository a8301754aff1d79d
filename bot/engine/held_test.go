package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
)

// replied is a message under another, as it may come before or after it.
func (w *world) replied(root, key string) {
	w.t.Helper()
	w.commit(key, func(d *engine.Draft) error {
		m := bot.Say(bot.T(key))
		m.Key = key
		d.SayUnder(root, channel, m, bot.ClassIncident)
		return nil
	})
}

// thread is what stands under a message, in order.
func (w *world) thread(root string) (words []string) {
	sent, _ := w.sent(root)
	for _, m := range w.chat.at(channel) {
		if m.Ref.Place.Thread == sent.Ref.ID && sent.Ref.ID != "" {
			words = append(words, m.Words)
		}
	}
	return words
}

func TestRepliesThatWereHeldFollowTheirRootInOrder(t *testing.T) {
	w := newWorld(t)
	broken := true
	w.chat.set(func(_ string, _ bot.Place, m bot.Message) fate {
		if m.Key == "root" && broken {
			return refused(bot.KindBadRequest)
		}
		return fine
	})
	w.say("root", channel, "the root")
	w.replied("root", "one")
	w.replied("root", "two")
	w.say("other", channel, "another message")
	w.settle()
	w.only("other") // nothing has waited for the root
	if n := len(w.dead()); n != 3 || len(w.chat.at(channel)) != 1 {
		t.Fatalf("%d are shown as given up, and the channel has %+v", n, w.chat.at(channel))
	}
	broken = false
	w.commit("again", func(d *engine.Draft) error {
		letters, err := d.Undelivered(w.tenant)
		if err != nil {
			return err
		}
		_, err = d.Resend(w.tenant, letters[0].Job)
		return err
	})
	w.replied("root", "three")
	w.settle()
	if got := strings.Join(w.thread("root"), " "); got != "one two three" {
		t.Errorf("the thread reads %q", got)
	}
	if dead := w.dead(); len(dead) != 0 {
		t.Errorf("still shown as given up: %+v", dead)
	}
}

// An incident whose root was lost comes back with its next change: nothing of
// its thread is missing, and the admins have heard of it meanwhile.
func TestALostRootDoesNotSilenceItsThread(t *testing.T) {
	w := newWorld(t)
	w.finder = false // as on Teams
	w.store.Close()
	w.open()
	sub := w.follows(incident.NewSubscription("UTC"))
	w.seeded()
	at := w.clock.Now()
	news := func(posts ...string) {
		w.news(raised("EX7", "Exchange Online", "incident", "serviceDegradation", at, posts...))
		w.pass(5 * time.Minute)
	}
	root := "incident/" + sub + "/EX7/root"
	lost := func(kind bot.Kind) {
		w.chat.set(func(_ string, _ bot.Place, m bot.Message) fate {
			if m.Key == root {
				return refused(kind)
			}
			return fine
		})
	}

	lost(bot.KindAmbiguous)
	news("first")
	if len(w.chat.keyed(root)) != 0 || len(w.dead()) != 1 || !strings.Contains(w.dead()[0].Last, "nobody knows whether it arrived") {
		t.Fatalf("given up: %+v", w.dead())
	}
	if told := w.tells("UOLGA"); !strings.Contains(told, "A message about EX7 in") || !strings.Contains(told, "[What was given up]") {
		t.Errorf("the owner was told %q", told)
	}
	lost(bot.KindRefused)
	news("first", "second")
	news("first", "second", "third")
	if n := strings.Count(w.tells("UOLGA"), "was given up and"); n != 1 {
		t.Errorf("the owner was told %d times in one day", n)
	}

	w.chat.set(nil)
	news("first", "second", "third", "fourth")
	thread := strings.Join(w.thread(root), "\n")
	for i, says := range []string{"second", "third", "fourth"} {
		if strings.Count(thread, says) != 1 || i > 0 && strings.Index(thread, says) < strings.Index(thread, []string{"second", "third", "fourth"}[i-1]) {
			t.Errorf("the thread does not tell %q once and in its turn:\n%s", says, thread)
		}
	}
	if m := w.only(root); !strings.Contains(m.Words, "fourth") {
		t.Errorf("the root says %s", m.Words)
	}
	if dead := w.dead(); len(dead) != 0 {
		t.Errorf("still shown as given up: %s", fmt.Sprint(dead))
	}
}
