package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

// logs is what the engine logs from now on.
func (w *world) logs() *strings.Builder {
	var log strings.Builder
	w.engine.Log = slog.New(slog.NewTextHandler(&log, nil))
	return &log
}

// lines gives the log's lines that say something, from the level on.
func lines(log *strings.Builder, words string) (out []string) {
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, words) {
			_, line, _ = strings.Cut(line, "level=")
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}

// Who has read that something waits for another try reads once how that ended.
func TestTheLogSaysWhenWhatHadFailedIsDone(t *testing.T) {
	w := newWorld(t)
	log := w.logs()
	w.chat.set(func(string, bot.Place, bot.Message) fate { return refused(bot.KindUnreachable) })
	w.say("m", channel, "hello")
	w.pass(5 * time.Second)
	if n := len(lines(log, "a job waits for another try")); n != 3 || len(lines(log, "had failed")) != 0 {
		t.Fatalf("it waits %d times for another try:\n%s", n, log)
	}
	w.chat.set(nil)
	w.pass(time.Minute)
	w.say("next", channel, "the next one")
	w.pass(time.Minute)
	w.only("next")
	got := lines(log, "had failed")
	if len(got) != 1 || !strings.HasPrefix(got[0], `INFO msg="a job that had failed is done"`) || !strings.HasSuffix(got[0], "kind=deliver lane=chat/slack:T1:C1 tries=4") {
		t.Errorf("of its end the log says %q", got)
	}
}

// A step that is left for its people after tries that failed is not called done.
func TestTheLogDoesNotCallDoneWhatWasGivenUp(t *testing.T) {
	w := newWorld(t)
	w.planned()
	log := w.logs()
	w.graph.set(func(c bot.Call) error {
		return &bot.Failure{Kind: bot.KindUnreachable, System: c.System, Says: "Graph cannot be reached."}
	}, nil)
	w.approve()
	w.pass(10 * time.Minute)
	w.wantStep("make", setup.Failed)
	got := lines(log, "had failed")
	if len(got) != 1 || !strings.HasPrefix(got[0], `WARN msg="a job that had failed is over, and its people are told why it came to nothing"`) || !strings.HasSuffix(got[0], `err="Graph cannot be reached."`) {
		t.Errorf("of its end the log says %q", got)
	}
}

// failing is a store that does not keep some changes.
type failing struct {
	engine.Store
	fails func(engine.Changes) error
}

func (s failing) Commit(ctx context.Context, decide func(engine.View) (engine.Changes, error)) error {
	return s.Store.Commit(ctx, func(v engine.View) (engine.Changes, error) {
		c, err := decide(v)
		if err == nil {
			err = s.fails(c)
		}
		return c, err
	})
}

// full is what a store says so many times.
func full(times int, of func(engine.Changes) bool) func(engine.Changes) error {
	return func(c engine.Changes) error {
		if of(c) {
			if times--; times >= 0 {
				return fmt.Errorf("%w: no space left on device", bot.ErrNoCommit)
			}
		}
		return nil
	}
}

func anything(engine.Changes) bool { return true }

func ledger(c engine.Changes) bool { return len(c.Sent) > 0 }

// What could not be put back is not in the store, and its end neither: that the
// store takes changes again is said once.
func TestTheLogSaysWhenTheStoreTakesChangesAgain(t *testing.T) {
	w := newWorld(t)
	log := w.logs()
	w.engine.Store = failing{w.engine.Store, full(10, anything)} // for each the sending, three more tries to write that down, and putting it back
	w.say("m", channel, "hello")
	w.say("n", bot.DM(account("UADA")), "elsewhere")
	w.pass(time.Minute)
	w.only("m")
	w.only("n")
	if n := len(lines(log, "could not be put back")); n != 2 {
		t.Errorf("%d jobs could not be put back:\n%s", n, log)
	}
	if got := lines(log, "takes changes"); len(got) != 1 || got[0] != `INFO msg="the store takes changes again"` {
		t.Errorf("of its end the log says %q", got)
	}
}

// A message that stands while the ledger could not be written is not sent again,
// whichever process gets its job.
func TestAMessageThatIsNotInTheLedgerYetIsNotSentAgainByAnotherProcess(t *testing.T) {
	for name, c := range map[string]struct {
		finds bool
		times int
	}{
		"where it can be looked up":          {true, 100},
		"where it cannot, and soon it is in": {false, 3},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.finder = c.finds
			w.engine, w.pace = w.replica(w.pace), engine.NoLimits{}
			other := w.replica(w.pace)
			w.engine.Store = failing{w.engine.Store, full(c.times, ledger)}
			w.clock.pass(time.Hour) // both have been there for a while
			w.say("m", channel, "hello")
			jobs := value(w.store.Claim(t.Context(), w.clock.Now(), 1))(t)
			w.engine.Do(t.Context(), jobs[0])
			w.clock.pass(time.Minute)
			w.works(other)
			w.only("m")
			if _, ok := w.sent("m"); !ok || w.chat.posts != 1 {
				t.Errorf("posted %d times; in the ledger: %v", w.chat.posts, ok)
			}
		})
	}
}

// Nobody knows whether a message landed, and that could not be written down either:
// it is looked up all the same.
func TestADoubtThatCouldNotBeWrittenDownIsStillOne(t *testing.T) {
	w := newWorld(t)
	w.engine.Store = failing{w.engine.Store, full(1, func(c engine.Changes) bool { return len(c.Again) > 0 })}
	w.chat.set(func(string, bot.Place, bot.Message) fate {
		f := refused(bot.KindAmbiguous)
		f.lands = true
		return f
	})
	w.say("m", channel, "hello")
	w.settle()
	w.chat.set(nil)
	w.pass(time.Minute)
	w.only("m")
	if w.chat.posts != 1 {
		t.Errorf("posted %d times", w.chat.posts)
	}
}
