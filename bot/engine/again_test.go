package engine_test

import (
	"context"
	"errors"
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

// full is a store that takes no change for a while.
type full struct {
	engine.Store
	left *int
}

func (s full) Commit(ctx context.Context, decide func(engine.View) (engine.Changes, error)) error {
	if *s.left--; *s.left >= 0 {
		return fmt.Errorf("%w: %w", bot.ErrNoCommit, errors.New("no space left on device"))
	}
	return s.Store.Commit(ctx, decide)
}

// What could not be put back is not in the store, and its end neither: that the
// store takes changes again is said once.
func TestTheLogSaysWhenTheStoreTakesChangesAgain(t *testing.T) {
	w := newWorld(t)
	log := w.logs()
	left := 4
	w.engine.Store = full{w.engine.Store, &left}
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
