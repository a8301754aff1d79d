package engine_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
)

// notebook is a place outside where heads are noted.
type notebook struct {
	mu    sync.Mutex
	noted []engine.Head
	tries int
	err   error
}

func (n *notebook) Head(_ context.Context, h engine.Head) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.tries++; n.err != nil {
		return n.err
	}
	n.noted = append(n.noted, h)
	return nil
}

func (n *notebook) set(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.err = err
}

func (w *world) witnessed(n *notebook) {
	w.t.Helper()
	w.engine.Witness = n
	if err := w.engine.Begin(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.settle()
}

func (w *world) act(key, what string) {
	w.t.Helper()
	w.commit(key, func(d *engine.Draft) error {
		d.Record(bot.AuditEntry{Tenant: "contoso", Person: "ada", Act: what})
		return nil
	})
}

func TestTheHeadOfATrailLeavesEveryHour(t *testing.T) {
	w := newWorld(t)
	var n notebook
	w.witnessed(&n)
	if len(n.noted) != 0 {
		t.Errorf("an empty trail has the head %+v", n.noted)
	}
	w.act("one", "approve")
	w.act("two", "approve")
	w.pass(3*time.Hour + time.Minute)
	w.act("three", "approve")
	w.pass(time.Hour)
	if len(n.noted) != 4 {
		t.Fatalf("%d heads in four hours: %+v", len(n.noted), n.noted)
	}
	var trail []bot.AuditEntry
	w.read(func(v engine.View) (err error) { trail, err = v.Audit("contoso", 100); return err })
	for i, h := range n.noted {
		want := trail[1]
		if i == 3 {
			want = trail[2]
		}
		if h.Tenant != "contoso" || h.Count != want.Seq || h.MAC != want.MAC || h.At.IsZero() {
			t.Errorf("head %d is %+v, want that of entry %d", i, h, want.Seq)
		}
	}
	w.restart()
	w.engine.Witness = &n
	w.pass(time.Hour)
	if len(n.noted) != 5 {
		t.Errorf("after a restart %d heads were noted", len(n.noted))
	}
}

func TestAPlaceThatCannotBeReachedGetsTheHeadLater(t *testing.T) {
	w := newWorld(t)
	n := notebook{err: errors.New("the collector is down")}
	w.act("one", "approve")
	w.witnessed(&n)
	w.pass(24 * time.Hour) // far beyond what other jobs are tried
	if n.tries < 24 || len(n.noted) != 0 {
		t.Fatalf("%d tries in a day", n.tries)
	}
	n.set(nil)
	w.pass(2 * time.Minute)
	if len(n.noted) == 0 {
		t.Error("the head was given up")
	}
}
