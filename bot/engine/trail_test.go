package engine_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

// mute is a store whose audit trail takes no entry of some acts.
type mute struct {
	engine.Store
	acts []string
}

func (s mute) Commit(ctx context.Context, decide func(engine.View) (engine.Changes, error)) error {
	return s.Store.Commit(ctx, func(v engine.View) (engine.Changes, error) {
		c, err := decide(v)
		for _, e := range c.Audit {
			if slices.Contains(s.acts, e.Act) {
				return engine.Changes{}, fmt.Errorf("%w (the audit trail takes no entry %q)", bot.ErrNoCommit, e.Act)
			}
		}
		return c, err
	})
}

func TestATrailThatTakesNoEntryRefusesTheCall(t *testing.T) {
	w := newWorld(t)
	w.planned()
	whole := w.engine.Store
	w.engine.Store = mute{whole, []string{"call"}}
	w.approve()
	w.pass(time.Minute)
	if did := w.graph.did(""); len(did) != 0 {
		t.Fatalf("without an entry was called: %v", did)
	}
	w.engine.Store = whole
	w.pass(10 * time.Minute)
	if s := w.step("make"); s.State != setup.Done && s.State != setup.Failed {
		t.Errorf("the step is left %s", s.State)
	}
	for _, e := range w.trail() {
		if e.Act == "result" && len(w.graph.did("")) == 0 {
			t.Error("a result stands in the trail, and nothing was called")
		}
	}
}

func TestAnApprovalThatIsNotInTheTrailIsNone(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.engine.Store = mute{w.engine.Store, []string{"approve"}}
	_, err := w.engine.Handle(t.Context(), bot.Request{Key: "try", Kind: bot.Clicked, From: account("UADA"), Place: channel, Action: setup.ActApprove,
		Value: "r1/make/" + w.step("make").Plan.Digest})
	if err == nil {
		t.Error("the click was taken")
	}
	w.pass(time.Minute)
	if did := w.graph.did(""); len(did) != 0 {
		t.Errorf("without an approval in the trail was called: %v", did)
	}
	if s := w.step("make"); s.State != setup.Planned {
		t.Errorf("the step is %s", s.State)
	}
}

func (w *world) trail() (out []bot.AuditEntry) {
	w.t.Helper()
	w.read(func(v engine.View) (err error) { out, err = v.Audit("contoso", 1000); return err })
	return out
}

// Whoever reads one line of the trail knows whose word it rests on.
func TestEveryEntryOfAStepSaysWhoseItIs(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.pass(time.Minute)
	w.wantStep("make", setup.Done)
	shown := 0
	for _, e := range w.trail() {
		switch e.Act {
		case "approve":
			if shown = len(e.Calls); shown != 2 || e.Calls[0].Method != "POST" || e.Calls[1].Path != "/apps/{app.id}/addPassword" {
				t.Errorf("the approval says of its plan: %+v", e.Calls)
			}
		case "call", "result", "proved":
			if e.Person != "ada" || e.Account != "ada.admin@contoso.com" || e.Via == "" || e.Plan == "" || e.At.IsZero() || e.Run != "r1" || e.Step != "make" {
				t.Errorf("the entry %q says too little: %+v", e.Act, e)
			}
			if e.Request == "" && e.Act != "proved" {
				t.Errorf("the entry %q has no request ID", e.Act)
			}
		}
	}
	if shown == 0 {
		t.Error("no approval was looked at")
	}
}
