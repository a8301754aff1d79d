package engine_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

var checklist = setup.ChecklistKey("r1")

// only is the one message under a key.
func (w *world) only(key string) message {
	w.t.Helper()
	list := w.chat.keyed(key)
	if len(list) != 1 {
		w.t.Fatalf("%d messages have the key %s: %+v", len(list), key, list)
	}
	return list[0]
}

// touch commits the run again without a change that anybody could see.
func (w *world) touch(n int, change func(r *setup.Run)) {
	w.t.Helper()
	w.commit(fmt.Sprintf("touch/%d", n), func(d *engine.Draft) error {
		before, err := d.Run("r1")
		if err != nil {
			return err
		}
		after := before.Clone()
		change(&after)
		return d.PutRun(&before, &after)
	})
}

func TestAChecklistIsPostedOnceAndEditedOnlyWhenItsWordsChange(t *testing.T) {
	w := newWorld(t)
	w.begin()
	if m := w.only(checklist); m.Edits != 0 || !strings.Contains(m.Words, "0 of 4 done") || m.Ref.Place != channel {
		t.Fatalf("it stands there as %+v", m)
	}
	w.touch(1, func(*setup.Run) {})
	w.pass(time.Minute)
	if m := w.only(checklist); m.Edits != 0 {
		t.Errorf("it was edited %d times for nothing", m.Edits)
	}
	for i := range 10 {
		w.touch(10+i, func(r *setup.Run) { r.Change = fmt.Sprintf("CHG%d", i) })
	}
	w.pass(time.Minute)
	if m := w.only(checklist); m.Edits != 1 || !strings.Contains(m.Words, "CHG9") {
		t.Errorf("ten changes at once were %d edits, and it says %q", m.Edits, m.Words)
	}
}

func TestAChecklistIsEditedAtMostEveryFiveSeconds(t *testing.T) {
	w := newWorld(t)
	w.begin()
	edits := 0
	for i := range 60 {
		w.touch(i, func(r *setup.Run) { r.Change = fmt.Sprintf("CHG%d", i) })
		w.pass(time.Second)
		edits = w.only(checklist).Edits
	}
	if edits < 10 || edits > 13 {
		t.Errorf("a minute of changes made %d edits", edits)
	}
}

func TestMessagesOfAPlaceKeepTheirOrder(t *testing.T) {
	w := newWorld(t)
	fails := 3
	w.chat.set(func(_ string, _ bot.Place, m bot.Message) fate {
		if m.Key == "m0" && fails > 0 {
			fails--
			return refused(bot.KindUnreachable)
		}
		return fine
	})
	for i := range 5 {
		w.say(fmt.Sprintf("m%d", i), channel, fmt.Sprint(i))
	}
	w.pass(time.Minute)
	var got []string
	for _, m := range w.chat.at(channel) {
		got = append(got, m.Words)
	}
	if strings.Join(got, "") != "01234" {
		t.Errorf("they came as %v", got)
	}
}

func TestAThrottledMessageWaitsAsLongAsThePlatformSays(t *testing.T) {
	w := newWorld(t)
	times := 20 // far more often than a job is tried
	w.chat.set(func(string, bot.Place, bot.Message) fate {
		if times > 0 {
			times--
			return fate{err: &bot.Failure{Kind: bot.KindThrottled, RetryAfter: 30 * time.Second, Says: "Slow down."}}
		}
		return fine
	})
	w.say("m", channel, "hello")
	w.pass(29 * time.Second)
	if w.chat.attempts != 1 {
		t.Errorf("%d attempts within the 30 seconds", w.chat.attempts)
	}
	w.pass(20 * 30 * time.Second)
	w.only("m")
	if w.chat.attempts != 21 || len(w.dead()) != 0 {
		t.Errorf("%d attempts, dead: %v", w.chat.attempts, w.dead())
	}
}

func TestTheEnginesOwnPaceIsKept(t *testing.T) {
	w := newWorld(t)
	w.pace = engine.NewLimits()
	w.store.Close()
	w.open()
	for i := range 12 {
		w.say(fmt.Sprintf("m%d", i), channel, fmt.Sprint(i))
	}
	w.settle()
	burst := len(w.chat.at(channel))
	w.pass(4 * time.Second)
	if after := len(w.chat.at(channel)); burst != 3 || after != 6 {
		t.Errorf("%d at once and %d after four seconds", burst, after)
	}
	w.pass(time.Minute)
	if n := len(w.chat.at(channel)); n != 12 {
		t.Errorf("%d of 12 arrived", n)
	}
}

func TestAnAmbiguousPostIsLookedUp(t *testing.T) {
	for _, landed := range []bool{true, false} {
		w := newWorld(t)
		first := true
		w.chat.set(func(string, bot.Place, bot.Message) fate {
			if first {
				first = false
				return fate{lands: landed, err: &bot.Failure{Kind: bot.KindAmbiguous, Says: "No answer came."}}
			}
			return fine
		})
		w.say("m", channel, "hello")
		w.pass(time.Minute)
		m := w.only("m")
		if sent, ok := w.sent("m"); !ok || sent.Ref.ID != m.Ref.ID {
			t.Errorf("landed %v: the ledger has %+v, the channel %+v", landed, sent, m)
		}
	}
}

func TestWithoutLookUpAnAmbiguousPostIsRepeatedAtMostOnce(t *testing.T) {
	w := newWorld(t)
	w.finder = false
	w.store.Close()
	w.open()
	w.chat.set(func(_ string, _ bot.Place, m bot.Message) fate {
		if m.Key == "m" {
			return fate{lands: true, err: &bot.Failure{Kind: bot.KindAmbiguous, Says: "No answer came."}}
		}
		return fine
	})
	w.say("m", channel, "hello")
	w.say("next", channel, "the next one")
	w.pass(10 * time.Minute)
	if n := len(w.chat.keyed("m")); n != 2 {
		t.Errorf("it stands there %d times", n)
	}
	if d := w.dead(); len(d) != 1 || d[0].Last == "" {
		t.Errorf("dead: %+v", d)
	}
	w.only("next") // and nothing waits behind it
}

func TestAfterARestartWhatMayHaveLandedIsLookedUp(t *testing.T) {
	w := newWorld(t)
	w.say("m", channel, "hello")
	// The process ended after the post and before it was written down.
	w.chat.messages = append(w.chat.messages, &message{Ref: bot.MessageRef{Place: channel, ID: "ts-lost"}, Key: "m", Words: "hello"})
	w.restart()
	w.settle()
	w.only("m")
	if sent, _ := w.sent("m"); sent.Ref.ID != "ts-lost" {
		t.Errorf("the ledger has %+v", sent)
	}
}

func TestAMessageThatWasSaidIsNotSaidAgain(t *testing.T) {
	w := newWorld(t)
	w.say("m", channel, "hello")
	w.settle()
	w.say("m", channel, "hello, a second time")
	w.settle()
	if m := w.only("m"); m.Words != "hello" || m.Edits != 0 {
		t.Errorf("%+v", m)
	}
}

func TestADeletedMessageIsPostedAnew(t *testing.T) {
	w := newWorld(t)
	w.begin()
	old := w.only(checklist)
	w.chat.messages = nil
	gone := true
	w.chat.set(func(op string, _ bot.Place, m bot.Message) fate {
		if op == "edit" && m.Key == checklist && gone {
			return refused(bot.KindNotFound)
		}
		return fine
	})
	w.touch(1, func(r *setup.Run) { r.Change = "CHG1" })
	w.pass(time.Minute)
	anew := w.only(checklist)
	if sent, _ := w.sent(checklist); sent.Ref.ID != anew.Ref.ID || anew.Ref.ID == old.Ref.ID {
		t.Errorf("the ledger has %+v, the channel %+v", sent, anew)
	}
	gone = false
	w.touch(2, func(r *setup.Run) { r.Change = "CHG2" })
	w.pass(time.Minute)
	if m := w.only(checklist); m.Edits != 1 || !strings.Contains(m.Words, "CHG2") {
		t.Errorf("the new one is not kept up to date: %+v", m)
	}
}

func TestAReplyWhoseRootCouldNotBePostedIsHeld(t *testing.T) {
	w := newWorld(t)
	w.chat.set(func(_ string, _ bot.Place, m bot.Message) fate {
		if m.Key == "root" {
			return refused(bot.KindBadRequest)
		}
		return fine
	})
	w.say("root", channel, "the root")
	w.replied("root", "reply")
	w.say("other", channel, "another message")
	w.pass(10 * time.Minute)
	if n := len(w.chat.keyed("reply")); n != 0 {
		t.Errorf("the reply was posted %d times", n)
	}
	var held bool
	for _, j := range w.dead() {
		held = held || strings.Contains(j.Last, "held")
	}
	if !held {
		t.Errorf("nobody can see that it is held: %+v", w.dead())
	}
	w.only("other")
}

func TestAReplyGoesUnderItsRoot(t *testing.T) {
	w := newWorld(t)
	w.say("root", channel, "the root")
	w.replied("root", "reply")
	w.settle()
	if root, reply := w.only("root"), w.only("reply"); reply.Ref.Place.Thread != root.Ref.ID {
		t.Errorf("the reply is at %+v, its root is %s", reply.Ref.Place, root.Ref.ID)
	}
}

func TestARefusedMessageIsGivenUpAndFreesItsLane(t *testing.T) {
	w := newWorld(t)
	tried := 0
	w.chat.set(func(_ string, _ bot.Place, m bot.Message) fate {
		if m.Key == "m" {
			tried++
			return refused(bot.KindRefused)
		}
		return fine
	})
	w.say("m", channel, "hello")
	w.say("next", channel, "the next one")
	w.pass(10 * time.Minute)
	if tried != engine.Tries {
		t.Errorf("it was tried %d times", tried)
	}
	if d := w.dead(); len(d) != 1 || !strings.Contains(d[0].Last, "refused") {
		t.Errorf("dead: %+v", d)
	}
	w.only("next")
}

func TestAnOutageOfHoursLosesNothing(t *testing.T) {
	w := newWorld(t)
	w.chat.set(func(string, bot.Place, bot.Message) fate { return refused(bot.KindUnreachable) })
	w.say("m", channel, "an incident")
	w.pass(6 * time.Hour)
	w.chat.set(nil)
	w.pass(2 * time.Minute)
	w.only("m")
	w.chat.set(func(string, bot.Place, bot.Message) fate { return refused(bot.KindUnreachable) })
	w.say("old", channel, "news of the day before yesterday")
	w.pass(48 * time.Hour)
	if d := w.dead(); len(d) != 1 {
		t.Errorf("after two days it is still tried: %+v", d)
	}
}

func TestAnOutageThatEndsInABrokenConnectionLosesNothing(t *testing.T) {
	w := newWorld(t)
	w.chat.set(func(string, bot.Place, bot.Message) fate { return refused(bot.KindUnreachable) })
	w.say("m", channel, "an incident")
	w.pass(time.Hour)
	w.chat.set(func(string, bot.Place, bot.Message) fate { return refused(bot.KindAmbiguous) })
	w.pass(5 * time.Minute)
	w.chat.set(nil)
	w.pass(2 * time.Minute)
	w.only("m")
	w.chat.set(func(_ string, _ bot.Place, m bot.Message) fate {
		if m.Key == "poison" {
			return refused(bot.KindAmbiguous)
		}
		return fine
	})
	w.say("poison", channel, "what the platform stumbles over")
	w.say("next", channel, "the next one")
	w.pass(20 * time.Minute)
	w.only("next")
	if d := w.dead(); len(d) != 1 {
		t.Errorf("dead: %+v", d)
	}
}

func TestAPanicCostsTheJobAndNothingElse(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t)
	w.log = slog.New(slog.NewTextHandler(&log, nil))
	w.store.Close()
	w.open()
	other := bot.DM(account("UADA"))
	w.chat.set(func(_ string, _ bot.Place, m bot.Message) fate {
		if m.Key == "m" {
			panic("a bug")
		}
		return fine
	})
	w.say("m", channel, "hello")
	w.say("other", other, "elsewhere")
	w.say("next", channel, "the next one")
	w.pass(10 * time.Minute)
	w.only("other")
	w.only("next")
	d := w.dead()
	if len(d) != 1 || strings.Contains(d[0].Last, "goroutine") {
		t.Errorf("dead: %+v", d)
	}
	if !strings.Contains(log.String(), "a bug") || !strings.Contains(log.String(), "goroutine") {
		t.Errorf("the log does not say where the bug is:\n%s", log.String())
	}
}
