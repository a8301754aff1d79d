package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// stallsUnheard is [world.stalls] of a call that leaves only now, and whose worker
// never hears how it ended.
func (w *world) stallsUnheard(call string, meanwhile ...func()) {
	w.t.Helper()
	late := false
	w.stalls(call, false, append(meanwhile, func() {
		late = true
		w.graph.after = func(c bot.Call) error {
			if c.ID != call || !late {
				return nil
			}
			late = false
			return &bot.Failure{Kind: bot.KindAmbiguous, System: bot.Graph, Says: "The answer was lost."}
		}
	})...)
}

// keepsOne says that of two applications the one stayed that the run knows, and
// that the other's removal is in the audit trail.
func (w *world) keepsOne() {
	w.t.Helper()
	if len(w.graph.apps) != 2 {
		w.t.Fatalf("the late call did not leave: there are %v", w.graph.apps)
	}
	w.pass(2 * time.Minute)
	w.wantStep("make", setup.Done)
	if mine := w.run().Facts["app.id"].Value; !slices.Equal(w.graph.apps, []string{mine}) {
		w.t.Errorf("the run knows %q, and there are %v", mine, w.graph.apps)
	}
	if !slices.Contains(w.acts(), "call second") {
		w.t.Errorf("the removal is not in the audit trail: %v", w.acts())
	}
	if d := w.dead(); len(d) > 0 {
		w.t.Errorf("jobs were given up: %+v", d)
	}
}

func TestAnObjectOfAWorkerThatWasTakenOverIsRemoved(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.stalls("app", false)
	w.keepsOne()
}

func TestAnObjectIsRemovedOfWhichNobodyHeard(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.stallsUnheard("app")
	w.keepsOne()
}

// Where nobody heard what the late call made, only what our account has made since
// then is taken for it.
func TestWhatSomebodyElseMadeStays(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.stallsUnheard("app", func() {
		w.graph.mu.Lock()
		defer w.graph.mu.Unlock()
		w.graph.apps = append(w.graph.apps, "by-amir", "of-old")
		w.graph.strange, w.graph.old = []string{"by-amir"}, []string{"of-old"}
	})
	w.pass(2 * time.Minute)
	mine := w.run().Facts["app.id"].Value
	if want := []string{mine, "by-amir", "of-old"}; !slices.Equal(w.graph.apps, want) {
		t.Errorf("there are %v, want %v", w.graph.apps, want)
	}
}

// A system that refuses a second one of the same name refuses it of whoever comes
// later, also where that is the worker that took the job over.
func TestACallThatIsRefusedBecauseTheLateOneLandedFindsIt(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	w.stopsIn("app", time.Second)
	landed := false
	w.graph.set(func(c bot.Call) error {
		if c.ID != "app" || landed {
			return nil
		}
		landed = true
		w.graph.apps = append(w.graph.apps, "late")
		return &bot.Failure{Kind: bot.KindForbidden, System: bot.Graph, Status: 403, Says: "There is one of that name."}
	}, nil)
	w.restart()
	w.settle()
	w.wantStep("make", setup.Done)
	if mine := w.run().Facts["app.id"].Value; mine != "late" || !slices.Equal(w.graph.apps, []string{"late"}) {
		t.Errorf("the run knows %q, and there are %v", mine, w.graph.apps)
	}
}

// ends brings the sample's run to its end.
func (w *world) ends() {
	w.t.Helper()
	w.pass(time.Minute)
	w.wantStep("make", setup.Done)
	w.graph.mu.Lock()
	w.graph.consent = true
	w.graph.mu.Unlock()
	w.pass(10 * time.Minute)
	w.click(w.id(), "URITA", setup.ActAnswer, "r1/thanks/")
	w.pass(2 * time.Hour)
	if s := w.run().State; s != setup.RunDone {
		w.t.Fatalf("the run is %s", s)
	}
}

// A late write may be found when its approver's sign-in is over. Then nobody can
// look, and nothing is called finished before they have signed in.
func TestALateWriteWaitsForItsApproverToSignInAndFinish(t *testing.T) {
	for _, call := range []string{"app", "secret"} {
		t.Run(call, func(t *testing.T) {
			f := newFront(t)
			f.signIn("UADA")
			f.approve()
			f.stalls(call, false, func() {
				f.graph.mu.Lock()
				f.graph.consent = true // Ada's visit goes on in the meantime, and ends
				f.graph.mu.Unlock()
				f.ends()
			})
			if !f.token("ada").IsZero() {
				t.Fatal("Ada is still signed in")
			}
			f.pass(time.Minute)
			s := f.wantStep("make", setup.Unsigned)
			if s.Approval == nil || s.Approval.Person != "ada" || len(s.Doubts) != 1 {
				t.Errorf("the step is %+v", s)
			}
			if r := f.run(); r.State != setup.RunOpen || !r.Ended.IsZero() {
				t.Errorf("the run is %s, ended %s", r.State, r.Ended)
			}
			if settled, all := func() (int, int) { r := f.run(); return r.Count() }(); settled != all-1 {
				t.Errorf("%d of %d steps are done", settled, all)
			}
			list := f.chat.keyed(setup.ChecklistKey("r1"))
			if words := list[len(list)-1].Words; !strings.Contains(words, "waiting for Ada to sign in and finish") || strings.Contains(words, "finished") {
				t.Errorf("the checklist says: %s", words)
			}
			if !strings.Contains(f.words(), "may have taken effect twice") {
				t.Error("Ada was not told why")
			}
			if n := len(f.graph.apps) + len(f.graph.secrets); n != 3 {
				t.Fatalf("there are %v and the secrets %v: nobody may look", f.graph.apps, f.graph.secrets)
			}

			f.door.in.Until = f.clock.Now().Add(time.Hour)
			f.signIn("UADA")
			f.pass(time.Minute)
			s = f.wantStep("make", setup.Done)
			if last := s.Proof[len(s.Proof)-1]; !strings.Contains(last, "removed 1") {
				t.Errorf("its proof is %q", s.Proof)
			}
			r := f.run()
			if r.State != setup.RunDone || !slices.Equal(f.graph.apps, []string{r.Facts["app.id"].Value}) || !slices.Equal(f.graph.secrets, []string{r.Facts["key.id"].Value}) {
				t.Errorf("the run is %s; there are %v and the secrets %v", r.State, f.graph.apps, f.graph.secrets)
			}
			if !f.token("ada").IsZero() {
				t.Error("nothing is asked of Ada any more, and she is still signed in")
			}
			list = f.chat.keyed(setup.ChecklistKey("r1"))
			if words := list[len(list)-1].Words; !strings.Contains(words, "finished") {
				t.Errorf("the checklist says: %s", words)
			}
		})
	}
}

// While the visit lasts, what a call made a second time is removed before the
// sign-in is forgotten, though nothing else is asked of its person.
func TestASignInIsKeptWhileSomethingIsToBeLookedUp(t *testing.T) {
	f := newFront(t)
	f.signIn("UADA")
	f.approve()
	f.stopsIn("secret", time.Second)
	f.restart()
	f.engine.Doors = nil
	f.graph.mu.Lock()
	f.graph.consent = true
	f.graph.mu.Unlock()
	f.pass(30 * time.Second)
	f.click(f.id(), "URITA", setup.ActAnswer, "r1/thanks/")
	f.settle()
	if s := f.run().State; s != setup.RunDone {
		t.Fatalf("the run is %s", s)
	}
	mine := f.run().Facts["key.id"].Value
	f.graph.mu.Lock()
	f.graph.secrets = append(f.graph.secrets, "late")
	f.graph.mu.Unlock()
	f.pass(5 * time.Minute)
	if !slices.Equal(f.graph.secrets, []string{mine}) {
		t.Errorf("the run knows %q, and the secrets are %v", mine, f.graph.secrets)
	}
	if !f.token("ada").IsZero() {
		t.Error("Ada is still signed in")
	}
}

// What cannot be looked up is left for a person, and not called done either.
func TestALateWriteThatCannotBeLookedUpIsLeftForAPerson(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.approve()
	closed := false
	w.stalls("app", false, func() { closed = true })
	w.graph.set(func(c bot.Call) error {
		if c.ID == "app-look" && closed {
			return &bot.Failure{Kind: bot.KindForbidden, System: bot.Graph, Status: 403, Says: "You may not read that."}
		}
		return nil
	}, nil)
	w.pass(2 * time.Minute)
	s := w.wantStep("make", setup.Failed)
	if len(w.graph.apps) != 2 || s.Problem == nil || !strings.Contains(s.Problem.Says, "may have taken effect twice") {
		t.Fatalf("there are %v and the problem is %+v", w.graph.apps, s.Problem)
	}
	if w.step("consent").State == setup.Pending {
		t.Error("what follows from the step was taken back")
	}
	closed = false
	w.click(w.id(), "UADA", setup.ActRetry, "r1/make/"+s.Plan.Digest)
	w.pass(time.Minute)
	w.wantStep("make", setup.Done)
	if mine := w.run().Facts["app.id"].Value; !slices.Equal(w.graph.apps, []string{mine}) {
		t.Errorf("the run knows %q, and there are %v", mine, w.graph.apps)
	}
}
