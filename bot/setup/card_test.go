package setup_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// shown is the sample's run with everything handed out on cards.
func shown(g *setup.Guide) setup.Run {
	r := newRun(g)
	for _, spec := range g.Steps {
		for _, p := range r.HoldersOf(spec.Role) {
			r.PutOnCard(p, spec.ID, start)
		}
	}
	return r
}

// put gives a step what it carries in a state.
func put(r *setup.Run, id setup.StepID, s setup.StepState) *setup.Step {
	st := r.Step(id)
	st.State, st.Since = s, start
	switch s {
	case setup.Planned, setup.Running, setup.Checking:
		st.Plan = &setup.Plan{Calls: sampleCalls(), Exists: []string{"No application of that name exists."}, Digest: "d1", Made: start}
	case setup.Failed:
		st.Problem = &setup.Problem{Says: "Graph refused it.", Fix: "An Entra admin can allow it.", Code: "Authorization_RequestDenied", Request: "req-7"}
	case setup.Done:
		st.Plan = &setup.Plan{Calls: sampleCalls(), Digest: "d1"}
		st.Proof, st.At, st.By = []string{"single tenant", "2 redirect URIs"}, start.Add(20*time.Minute), "ada"
		st.Results = []bot.CallResult{{Call: "app", Status: 201, RequestID: "req-1"}, {Call: "key", RequestID: "req-2", Found: true}}
	case setup.Confirmed:
		st.At, st.By = start.Add(20*time.Minute), "ada"
	case setup.Skipped:
		st.At, st.By, st.Why = start.Add(20*time.Minute), "ada", "It exists elsewhere."
	}
	if s == setup.Running || s == setup.Done {
		st.Approval = &setup.Approval{Person: "ada", Account: "ada.admin@contoso.com", Digest: "d1", At: start.Add(10 * time.Minute)}
	}
	return st
}

func TestTheCardInEveryStateOfAStep(t *testing.T) {
	var b strings.Builder
	for _, s := range states {
		g := sampleGuide()
		r := shown(g)
		put(&r, "make", s)
		fmt.Fprintf(&b, "===== %s\n%s\n", s, drawn(sceneOf(g, &r).Card("ada", 0)))
	}
	golden(t, "card-states.txt", b.String())
}

func TestTheCardInOtherMoments(t *testing.T) {
	var b strings.Builder
	moment := func(name string, p bot.PersonID, do func(r *setup.Run)) {
		g := sampleGuide()
		r := shown(g)
		do(&r)
		fmt.Fprintf(&b, "===== %s\n%s\n", name, drawn(sceneOf(g, &r).Card(p, 0)))
	}
	moment("taken by somebody else", "ada", func(r *setup.Run) { put(r, "make", setup.Planned).Holder = "amir" })
	moment("taken by the reader", "ada", func(r *setup.Run) { put(r, "make", setup.Planned).Holder = "ada" })
	moment("void", "ada", func(r *setup.Run) {
		put(r, "make", setup.Planned).Problem = &setup.Problem{Says: "What exists changed after the approval.", Fix: "Look at the new calls."}
	})
	moment("the way back", "ada", func(r *setup.Run) { put(r, "make", setup.Planned).Undoing = true })
	moment("cancelled", "ada", func(r *setup.Run) {
		put(r, "make", setup.Planned)
		r.State, r.Why = setup.RunCancelled, "Cancelled by Rita."
	})
	moment("the word alone", "rita", func(r *setup.Run) { put(r, "agree", setup.Open) })
	moment("a form and links", "sam", func(r *setup.Run) {
		put(r, "find", setup.Done)
		put(r, "type", setup.Open)
		r.Keep("make", map[string]string{"app.id": "a1"}, start)
	})
	moment("the service is gone", "sam", func(r *setup.Run) {
		put(r, "find", setup.Open)
		r.Gone("find", "The connector was shut down.", start)
	})
	moment("waiting for an act elsewhere", "priya", func(r *setup.Run) { put(r, "consent", setup.Open) })
	golden(t, "card-moments.txt", b.String())
}

func TestACardThatDoesNotExistSaysNothing(t *testing.T) {
	g := sampleGuide()
	r := shown(g)
	for _, visit := range []int{-1, 1, 99} {
		if m := sceneOf(g, &r).Card("ada", visit); !m.Empty() {
			t.Errorf("visit %d: %s", visit, m.Words())
		}
	}
	if m := sceneOf(g, &r).Card("stranger", 0); !m.Empty() {
		t.Errorf("a stranger: %s", m.Words())
	}
}

func TestACardHasAtMostOnePrimaryButtonAndNoSecret(t *testing.T) {
	for _, s := range states {
		g := sampleGuide()
		r := shown(g)
		for _, spec := range g.Steps {
			put(&r, spec.ID, s)
		}
		for _, p := range people {
			m := sceneOf(g, &r).Card(p.ID, 0)
			primary := 0
			for _, part := range m.Parts {
				row, _ := part.(bot.Buttons)
				if _, ok := part.(bot.Buttons); ok && len(row.Items) == 0 {
					t.Errorf("%s in %s: an empty row of buttons", p.Name, s)
				}
				for _, b := range row.Items {
					if b.Style == bot.Primary {
						primary++
					}
					if b.Says == "" {
						t.Errorf("%s in %s: %q is said the same for every step", p.Name, s, b.Label)
					}
				}
			}
			if primary > 1 {
				t.Errorf("%s in %s: %d primary buttons", p.Name, s, primary)
			}
			if strings.Contains(m.Words(), "{{") {
				t.Errorf("%s in %s: a secret's place is shown raw", p.Name, s)
			}
		}
	}
}

func TestOnlyWhatNothingBuildsOnCanBeUndone(t *testing.T) {
	g := sampleGuide()
	r := shown(g)
	st := put(&r, "make", setup.Done)
	spec := mustStep(g, "make")
	can := func() bool { return sceneOf(g, &r).Undoable(spec, st) }
	if !can() {
		t.Fatal("a step that was made here and that nothing builds on cannot be undone")
	}
	for _, s := range states {
		put(&r, "consent", s)
		if want := s != setup.Done && s != setup.Confirmed && s != setup.Running; can() != want {
			t.Errorf("with the next step %s it can be undone: %v", s, can())
		}
	}
	put(&r, "consent", setup.Open)
	r.State = setup.RunDone
	if can() {
		t.Error("a step of a finished run can be undone")
	}
	r.State = setup.RunOpen
	st.Approval = nil
	if can() {
		t.Error("what was there before can be removed as if it were ours")
	}
}
