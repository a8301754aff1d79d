package engine_test

import (
	"context"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
)

// still is a chat at which the process stands still, once, before or after a
// message of its lands.
type still struct {
	finding
	before, after func()
	unheard       bool // the answer is lost
}

func (s *still) Post(ctx context.Context, at bot.Place, m bot.Message) (bot.MessageRef, error) {
	stand(&s.before)
	ref, err := s.finding.Post(ctx, at, m)
	stand(&s.after)
	if s.unheard {
		return bot.MessageRef{}, refused(bot.KindAmbiguous).err
	}
	return ref, err
}

func stand(at *func()) {
	if f := *at; f != nil {
		*at = nil
		f()
	}
}

// A process stands still while it posts, and another one has its job meanwhile:
// in the end the message stands once, and it is the one that the ledger knows.
func TestAMessageOfAWorkerThatStoodStillStandsOnce(t *testing.T) {
	for name, c := range map[string]struct{ after, unheard bool }{
		"before it lands":                    {},
		"before it lands, and hears nothing": {unheard: true},
		"after it has landed":                {after: true},
		"after it has landed, unheard":       {after: true, unheard: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			other := w.replica(w.pace)
			w.clock.pass(time.Hour) // both have been there for a while
			w.say("m", channel, "hello")
			j := value(w.store.Claim(t.Context(), w.clock.Now(), 1))(t)[0]
			takeOver := func() {
				if err := w.store.Release(t.Context(), j.Claim()); err != nil {
					t.Fatal(err)
				}
				w.works(other)
			}
			at := &still{finding: finding{w.chat}, before: takeOver}
			if c.after {
				at.before, at.after = nil, takeOver
			}
			at.unheard = c.unheard
			w.engine.Chats[bot.Slack] = at
			w.engine.Do(t.Context(), j)
			m := w.only("m")
			if s, ok := w.sent("m"); !ok || s.Ref.ID != m.Ref.ID {
				t.Errorf("it stands as %s, and the ledger says %v %+v", m.Ref.ID, ok, s.Ref)
			}
		})
	}
}

// Whoever has the job meanwhile has not come to its end: the late message waits
// for that, and is not taken back before another one stands.
func TestALateMessageIsTakenBackOnlyOnceAnotherOneStands(t *testing.T) {
	w := newWorld(t)
	other := w.replica(w.pace)
	w.clock.pass(time.Hour)
	w.say("m", channel, "hello")
	j := value(w.store.Claim(t.Context(), w.clock.Now(), 1))(t)[0]
	var taken bot.Job
	w.engine.Chats[bot.Slack] = &still{finding: finding{w.chat}, before: func() {
		if err := w.store.Release(t.Context(), j.Claim()); err != nil {
			t.Fatal(err)
		}
		taken = value(w.store.Claim(t.Context(), w.clock.Now(), 1))(t)[0]
	}}
	waits := 0
	w.engine.Wait = func(context.Context, time.Duration) error {
		if waits++; waits == 3 {
			other.Do(t.Context(), taken) // it finds the late one
		}
		if waits < 3 {
			w.only("m")
		}
		return nil
	}
	w.engine.Do(t.Context(), j)
	m := w.only("m")
	if s, ok := w.sent("m"); !ok || s.Ref.ID != m.Ref.ID || waits != 3 {
		t.Errorf("it stands as %s, and the ledger says %v %+v after %d looks", m.Ref.ID, ok, s.Ref, waits)
	}
}

var _ engine.Remover = (*chat)(nil)
