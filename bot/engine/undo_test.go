package engine_test

import (
	"errors"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

func TestUndoRemovesWhatTheStepMade(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.pass(time.Minute)
	w.click("undo", "UADA", setup.ActUndo, "r1/make/"+w.step("make").Plan.Digest)
	s := w.wantStep("make", setup.Planned)
	if !s.Undoing {
		t.Fatalf("the plan is not the way back: %+v", s)
	}
	w.approve()
	w.pass(time.Minute)
	w.wantStep("make", setup.Planned)
	if len(w.graph.apps) != 0 || w.run().Facts["app.id"].Value != "" {
		t.Errorf("there are %v, and the run knows %v", w.graph.apps, w.run().Facts)
	}
	w.read(func(v engine.View) error {
		objects, err := v.Objects("contoso")
		if len(objects) != 1 || objects[0].Removed.IsZero() {
			t.Errorf("the inventory is %+v", objects)
		}
		if _, err := v.Secret("run/r1/app.secret"); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("its secret is kept: %v", err)
		}
		return err
	})
}

func TestAWayBackThatFailsCanBeTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.pass(time.Minute)
	w.click("undo", "UADA", setup.ActUndo, "r1/make/"+w.step("make").Plan.Digest)
	w.graph.set(func(c bot.Call) error {
		if c.Method == "DELETE" {
			return &bot.Failure{Kind: bot.KindForbidden, System: bot.Graph, Status: 403, Says: "Not allowed."}
		}
		return nil
	}, nil)
	w.approve()
	w.pass(time.Minute)
	w.wantStep("make", setup.Failed)
	w.graph.set(nil, nil)
	w.click("retry", "UADA", setup.ActRetry, "r1/make/")
	w.pass(time.Minute)
	if s := w.wantStep("make", setup.Planned); !s.Undoing {
		t.Fatalf("the second try makes instead of removing: %+v", s.Plan)
	}
	w.approve()
	w.pass(time.Minute)
	if len(w.graph.apps) != 0 {
		t.Errorf("there are %v", w.graph.apps)
	}
}

func TestAWayBackIsVoidWhenItExpired(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.pass(time.Minute)
	w.click("undo", "UADA", setup.ActUndo, "r1/make/"+w.step("make").Plan.Digest)
	w.approve()
	w.clock.pass(2 * time.Hour)
	w.pass(time.Minute)
	if s := w.wantStep("make", setup.Planned); !s.Undoing || s.Approval != nil || len(w.graph.did("DELETE")) != 0 {
		t.Errorf("%+v, calls %v", s, w.graph.did(""))
	}
}
