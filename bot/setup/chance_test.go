package setup_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// TestAnySequenceOfActs lets chance click, answer and fail, and holds what has
// to be true of every run at every moment.
func TestAnySequenceOfActs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := sampleGuide()
		r := newRun(g)
		r.HandOut(g, contextOf(&r), start)
		now := start
		for range rapid.IntRange(1, 60).Draw(t, "acts") {
			now = now.Add(time.Minute)
			spec := &g.Steps[rapid.IntRange(0, len(g.Steps)-1).Draw(t, "step")]
			before := r.Clone()
			act := rapid.SampledFrom(chances).Draw(t, "act")
			undo := act.name == "undo" || act.name == "undone"
			if r.State != setup.RunOpen {
				break
			}
			if err := act.do(&r, g, spec, now); err == nil {
				r.HandOut(g, contextOf(&r), now)
			}
			holds(t, g, &before, &r, undo, act.name+" "+string(spec.ID))
		}
	})
}

// holds says what is true after every act.
func holds(t *rapid.T, g *setup.Guide, before, after *setup.Run, undo bool, what string) {
	t.Helper()
	all := true
	for i := range after.Steps {
		was, is := &before.Steps[i], &after.Steps[i]
		spec := mustStep(g, is.ID)
		all = all && is.State.Settled()
		if was.State.Settled() && !is.State.Settled() && !undo {
			t.Fatalf("%s: %s was %s and is %s", what, is.ID, was.State, is.State)
		}
		if was.State == setup.Running && is.State == setup.Running && was.Approval != nil && *was.Approval != *is.Approval {
			t.Fatalf("%s: the approval of %s was replaced while it ran", what, is.ID)
		}
		if is.State == setup.Running && (is.Approval == nil || is.Plan == nil || is.Approval.Digest != is.Plan.Digest) {
			t.Fatalf("%s: %s runs without an approval of its plan", what, is.ID)
		}
		if is.State == setup.Planned && is.Approval != nil {
			t.Fatalf("%s: %s waits for an approval and has one", what, is.ID)
		}
		if after.State == setup.RunOpen && setup.WaitsForPerson(spec, is) {
			for _, p := range after.HoldersOf(spec.Role) {
				if !slices.ContainsFunc(after.Visits[p], func(v setup.Visit) bool { return slices.Contains(v.Steps, is.ID) }) {
					t.Fatalf("%s: %s waits for %s, whose cards do not show it", what, is.ID, p)
				}
			}
		}
	}
	if before.State == setup.RunOpen && after.State != setup.RunCancelled && all != (after.State == setup.RunDone) {
		t.Fatalf("%s: all settled is %v, and the run is %s", what, all, after.State)
	}
	if done, of := after.Count(); done > of || of > len(after.Steps) {
		t.Fatalf("%s: %d of %d done", what, done, of)
	}
}

// chances are the acts of people and of the engine.
var chances = []struct {
	name string
	do   func(r *setup.Run, g *setup.Guide, spec *setup.Spec, now time.Time) error
}{
	{"confirm", func(r *setup.Run, _ *setup.Guide, spec *setup.Spec, now time.Time) error {
		if s := r.Step(spec.ID); spec.API != nil || (s.State != setup.Open && s.State != setup.Failed) {
			return bot.ErrStale
		}
		r.Confirm(spec.ID, "rita", nil, nil, now)
		return nil
	}},
	{"plan", func(r *setup.Run, _ *setup.Guide, spec *setup.Spec, now time.Time) error {
		if s := r.Step(spec.ID); s.State != setup.Looking || spec.API == nil || spec.API.Plan == nil || s.Undoing {
			return bot.ErrStale
		}
		p, _ := spec.API.Plan(contextOf(r), nil)
		r.Planned(spec.ID, p, now)
		return nil
	}},
	{"approve", func(r *setup.Run, _ *setup.Guide, spec *setup.Spec, now time.Time) error {
		s := r.Step(spec.ID)
		if s.Plan == nil {
			return bot.ErrStale
		}
		return r.Approve(spec.ID, setup.Approval{Person: "ada", Digest: s.Plan.Digest, At: now})
	}},
	{"made", func(r *setup.Run, _ *setup.Guide, spec *setup.Spec, _ time.Time) error {
		s := r.Step(spec.ID)
		if s.State != setup.Running || s.Undoing {
			return bot.ErrStale
		}
		s.State = setup.Checking
		return nil
	}},
	{"undone", func(r *setup.Run, _ *setup.Guide, spec *setup.Spec, _ time.Time) error {
		if s := r.Step(spec.ID); s.State != setup.Running || !s.Undoing {
			return bot.ErrStale
		}
		r.Unmade(spec.ID)
		return nil
	}},
	{"prove", func(r *setup.Run, _ *setup.Guide, spec *setup.Spec, now time.Time) error {
		s := r.Step(spec.ID)
		auto := spec.API != nil && spec.API.Plan == nil && (s.State == setup.Looking || s.State == setup.Open)
		if s.State != setup.Checking && !auto {
			return bot.ErrStale
		}
		r.Prove(spec.ID, setup.Finding{Proof: []string{"there"}}, now)
		return nil
	}},
	{"fail", func(r *setup.Run, _ *setup.Guide, spec *setup.Spec, _ time.Time) error {
		switch r.Step(spec.ID).State {
		case setup.Looking, setup.Running, setup.Checking:
			r.Fail(spec.ID, setup.Problem{Says: "No."})
			return nil
		}
		return bot.ErrStale
	}},
	{"void", func(r *setup.Run, _ *setup.Guide, spec *setup.Spec, now time.Time) error {
		if s := r.Step(spec.ID); s.State != setup.Running || s.Undoing {
			return bot.ErrStale
		}
		r.Void(spec.ID, setup.Proposal{Calls: sampleCalls()[:2]}, "changed", now)
		return nil
	}},
	{"check", func(r *setup.Run, _ *setup.Guide, spec *setup.Spec, _ time.Time) error {
		if spec.API == nil {
			return bot.ErrStale
		}
		return r.Check(spec.ID, "ada")
	}},
	{"retry", func(r *setup.Run, _ *setup.Guide, spec *setup.Spec, _ time.Time) error {
		if spec.API == nil {
			return bot.ErrStale
		}
		return r.Retry(spec.ID)
	}},
	{"reject", func(r *setup.Run, _ *setup.Guide, spec *setup.Spec, now time.Time) error {
		return r.Reject(spec.ID, "ada", "no", now)
	}},
	{"skip", func(r *setup.Run, _ *setup.Guide, spec *setup.Spec, now time.Time) error {
		return r.Skip(spec, "ada", "no", now)
	}},
	{"undo", func(r *setup.Run, g *setup.Guide, spec *setup.Spec, now time.Time) error {
		if !sceneOf(g, r).Undoable(spec, r.Step(spec.ID)) {
			return bot.ErrStale
		}
		return r.Unmake(spec.ID, spec.API.Back(contextOf(r)), now)
	}},
	{"take", func(r *setup.Run, _ *setup.Guide, spec *setup.Spec, _ time.Time) error { return r.Take(spec.ID, "ada") }},
	{"hand over", func(r *setup.Run, _ *setup.Guide, spec *setup.Spec, now time.Time) error {
		return r.HandOver(spec.ID, "amir", now)
	}},
	{"cancel", func(r *setup.Run, _ *setup.Guide, _ *setup.Spec, now time.Time) error {
		return r.Finish(setup.RunCancelled, "enough", now)
	}},
}
