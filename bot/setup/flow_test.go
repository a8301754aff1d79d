package setup_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
	"keyturn/bot/setup"
)

var states = []setup.StepState{setup.Pending, setup.Open, setup.Looking, setup.Planned, setup.Running, setup.Checking, setup.Failed,
	setup.Done, setup.Confirmed, setup.Skipped, setup.NotNeeded}

var later = start.Add(10 * time.Minute)

// at is the sample's run with the step "make" in a state.
func at(s setup.StepState) (setup.Run, *setup.Guide) {
	g := sampleGuide()
	r := newRun(g)
	st := r.Step("make")
	st.State = s
	st.Plan = &setup.Plan{Calls: sampleCalls(), Digest: setup.Digest(sampleCalls())}
	return r, g
}

// acts are what people do to a step, as a table of names.
var acts = []struct {
	name string
	do   func(r *setup.Run, g *setup.Guide) error
}{
	{"approve", func(r *setup.Run, _ *setup.Guide) error {
		return r.Approve("make", setup.Approval{Person: "ada", Digest: setup.Digest(sampleCalls()), At: later})
	}},
	{"approve another plan", func(r *setup.Run, _ *setup.Guide) error {
		return r.Approve("make", setup.Approval{Person: "ada", Digest: "of yesterday", At: later})
	}},
	{"check", func(r *setup.Run, _ *setup.Guide) error { return r.Check("make", "ada") }},
	{"retry", func(r *setup.Run, _ *setup.Guide) error { return r.Retry("make") }},
	{"reject", func(r *setup.Run, _ *setup.Guide) error { return r.Reject("make", "ada", "not now", later) }},
	{"skip", func(r *setup.Run, g *setup.Guide) error {
		spec, _ := g.Step("make")
		return r.Skip(spec, "ada", "not needed", later)
	}},
	{"skip a proof", func(r *setup.Run, g *setup.Guide) error {
		spec := *mustStep(g, "make")
		spec.NoSkip = true
		return r.Skip(&spec, "ada", "not needed", later)
	}},
	{"undo", func(r *setup.Run, g *setup.Guide) error {
		return r.Unmake("make", mustStep(g, "make").API.Back(contextOf(r)), later)
	}},
	{"take", func(r *setup.Run, _ *setup.Guide) error { return r.Take("make", "ada") }},
	{"hand over", func(r *setup.Run, _ *setup.Guide) error { return r.HandOver("make", "amir", later) }},
	{"cancel the run", func(r *setup.Run, _ *setup.Guide) error { return r.Finish(setup.RunCancelled, "enough", later) }},
}

func mustStep(g *setup.Guide, id setup.StepID) *setup.Spec {
	s, ok := g.Step(id)
	if !ok {
		panic("the sample has no step " + id)
	}
	return s
}

func TestEveryActInEveryState(t *testing.T) {
	var b strings.Builder
	for _, act := range acts {
		fmt.Fprintf(&b, "%s\n", act.name)
		for _, s := range states {
			r, g := at(s)
			before := r.Clone()
			err := act.do(&r, g)
			outcome := string(r.Step("make").State)
			switch {
			case errors.Is(err, bot.ErrStale):
				outcome = "stale"
			case err != nil:
				outcome = "no: " + err.Error()
			case r.State != setup.RunOpen:
				outcome = "the run is " + string(r.State)
			case r.Step("make").Holder != "":
				outcome += ", held by " + string(r.Step("make").Holder)
			}
			if err != nil {
				if d := cmp.Diff(before, r); d != "" {
					t.Errorf("%s in %s was refused, and yet something changed:\n%s", act.name, s, d)
				}
			}
			fmt.Fprintf(&b, "  %-12s -> %s\n", s, outcome)
		}
	}
	golden(t, "flow.txt", b.String())
}

func TestAnApprovalCoversThePlanThatWasShown(t *testing.T) {
	r, _ := at(setup.Planned)
	digest := r.Step("make").Plan.Digest
	if err := r.Approve("make", setup.Approval{Person: "ada", Digest: digest, At: later}); err != nil {
		t.Fatal(err)
	}
	if err := r.Approve("make", setup.Approval{Person: "amir", Digest: digest, At: later}); !errors.Is(err, bot.ErrStale) {
		t.Errorf("a second approval: %v", err)
	}
	s := r.Step("make")
	if s.Approval.Person != "ada" || s.By != "ada" || s.Attempt != 1 || s.State != setup.Running {
		t.Errorf("after two approvals the step is %+v", s)
	}
	if err := r.Approve("none", setup.Approval{}); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("approving a step that is not there: %v", err)
	}
	r.Void("make", setup.Proposal{Calls: sampleCalls()[:2]}, "It changed.", later)
	if s.Approval != nil || s.By != "" || s.State != setup.Planned || s.Problem == nil || s.Problem.Kind != bot.KindConflict {
		t.Errorf("after the plan changed the step is %+v", s)
	}
	if err := r.Approve("make", setup.Approval{Person: "ada", Digest: digest}); !errors.Is(err, bot.ErrStale) {
		t.Errorf("the old plan was approved again: %v", err)
	}
}

func TestAPlanWithoutWritesIsReadBack(t *testing.T) {
	r, _ := at(setup.Looking)
	if r.Planned("make", setup.Proposal{Calls: sampleCalls()[:1], Facts: map[string]string{"app.id": "a1"}}, later) {
		t.Error("a plan that only reads asks for an approval")
	}
	if s := r.Step("make"); s.State != setup.Checking || r.Facts["app.id"].Value != "a1" || r.Facts["app.id"].Step != "make" {
		t.Errorf("%+v, facts %v", s, r.Facts)
	}
}

func TestTheOutcomeOfACallReplacesItsIntent(t *testing.T) {
	r, _ := at(setup.Running)
	r.Begin("make", "app", "req-1", later)
	r.Begin("make", "app", "req-2", later)
	if res, ok := r.Step("make").Result("app"); !ok || !res.Begun || res.RequestID != "req-2" || len(r.Step("make").Results) != 1 {
		t.Errorf("after two intents: %+v", r.Step("make").Results)
	}
	r.End("make", bot.CallResult{Call: "app", Status: 201})
	r.End("make", bot.CallResult{Call: "key", Status: 200})
	if res, _ := r.Step("make").Result("app"); res.Begun || res.Status != 201 || len(r.Step("make").Results) != 2 {
		t.Errorf("after the outcomes: %+v", r.Step("make").Results)
	}
	if _, ok := r.Step("make").Result("none"); ok {
		t.Error("a call that was never made has a result")
	}
}

func TestTheWayBackCanFailAndBeTriedAgain(t *testing.T) {
	r, g := at(setup.Done)
	back := mustStep(g, "make").API.Back(contextOf(&r))
	must(t, r.Unmake("make", back, later))
	s := r.Step("make")
	if s.State != setup.Planned || !s.Undoing || s.Plan.Digest != setup.Digest(back) || !s.At.IsZero() {
		t.Fatalf("the way back is %+v", s)
	}
	must(t, r.Approve("make", setup.Approval{Person: "ada", Digest: s.Plan.Digest, At: later}))
	r.Fail("make", setup.Problem{Says: "Not now."})
	must(t, r.Retry("make"))
	if !s.Undoing || (s.State != setup.Looking && s.State != setup.Planned) {
		t.Errorf("trying again forgets that it was the way back: %+v", s)
	}
}

func TestAWayBackThatIsRejectedLeavesTheStepAsItWas(t *testing.T) {
	r, g := at(setup.Done)
	must(t, r.Unmake("make", mustStep(g, "make").API.Back(contextOf(&r)), later))
	must(t, r.Reject("make", "ada", "keep it", later))
	if s := r.Step("make"); s.State != setup.Checking || s.Undoing || s.Problem != nil {
		t.Errorf("after the rejection: %+v", s)
	}
	r.Prove("make", setup.Finding{Proof: []string{"still there"}}, later)
	if s := r.Step("make"); s.State != setup.Done {
		t.Errorf("after reading it back: %+v", s)
	}
	must(t, r.Unmake("make", mustStep(g, "make").API.Back(contextOf(&r)), later)) // it can be undone again
}

func TestUndoneForgetsWhatTheStepGave(t *testing.T) {
	r, _ := at(setup.Running)
	r.Keep("make", map[string]string{"app.id": "a1"}, later)
	r.Keep("type", map[string]string{"id": "x"}, later)
	s := r.Step("make")
	s.Undoing, s.Holder, s.Attempt = true, "ada", 2
	r.Unmade("make")
	if s.State != setup.Looking || s.Undoing || s.Plan != nil || s.Holder != "ada" || s.Attempt != 2 {
		t.Errorf("%+v", s)
	}
	if _, ok := r.Facts["app.id"]; ok || r.Facts["id"].Value != "x" {
		t.Errorf("the facts are %v", r.Facts)
	}
}

func TestHandOutOpensIndependentStepsAtOnceAndEndsTheRun(t *testing.T) {
	g := sampleGuide()
	r := newRun(g)
	steps := func(ids ...setup.StepID) []setup.StepID { return ids }
	hand := func(want []setup.StepID) {
		t.Helper()
		if d := cmp.Diff(want, r.HandOut(g, contextOf(&r), later)); d != "" {
			t.Fatalf("handed out (-want +got):\n%s", d)
		}
	}
	hand(steps("agree"))
	hand(nil) // nothing is handed out twice
	r.Confirm("agree", "rita", nil, nil, later)
	hand(steps("make", "find"))
	if s := r.Step("make"); s.State != setup.Looking || s.Since != later {
		t.Errorf("a step with a plan begins by reading: %+v", s)
	}
	r.Prove("find", setup.Finding{}, later)
	hand(steps("type"))
	if r.Step("type").State != setup.Open {
		t.Errorf("a guided step is %s", r.Step("type").State)
	}
	r.Prove("make", setup.Finding{}, later)
	hand(steps("consent"))
	if r.Step("never").State != setup.NotNeeded || r.Step("consent").State != setup.Open {
		t.Errorf("what does not apply is %s, what waits for an act is %s", r.Step("never").State, r.Step("consent").State)
	}
	r.Confirm("type", "sam", map[string]string{"id": "1"}, map[string]string{"id": "1"}, later)
	r.Prove("consent", setup.Finding{}, later)
	hand(steps("end"))
	if done, all := r.Count(); done != 5 || all != 6 || r.State != setup.RunOpen {
		t.Errorf("%d of %d, run %s", done, all, r.State)
	}
	r.Confirm("end", "rita", nil, nil, later)
	hand(nil)
	if r.State != setup.RunDone || r.Ended != later {
		t.Errorf("the run is %s, ended %v", r.State, r.Ended)
	}
	must(t, asStale(r.Finish(setup.RunCancelled, "too late", later)))
}

func TestOnePersonsStepsShareACardWhileItIsOpen(t *testing.T) {
	r, _ := at(setup.Pending)
	r.PutOnCard("ada", "make", start)
	r.PutOnCard("ada", "make", later) // not twice
	r.PutOnCard("ada", "consent", later)
	if d := cmp.Diff([]setup.Visit{{Steps: []setup.StepID{"make", "consent"}, At: start}}, r.Visits["ada"]); d != "" {
		t.Fatalf("the open card (-want +got):\n%s", d)
	}
	r.Step("make").State, r.Step("consent").State = setup.Done, setup.Skipped
	r.PutOnCard("ada", "end", later)
	if v := r.Visits["ada"]; len(v) != 2 || v[1].At != later || !slices.Equal(v[1].Steps, []setup.StepID{"end"}) {
		t.Errorf("after the first card was settled: %+v", v)
	}
}

func TestAStepThatRunsByItselfGetsACardOnlyWhenItFails(t *testing.T) {
	g := sampleGuide()
	r := newRun(g)
	r.Confirm("agree", "rita", nil, nil, start)
	r.HandOut(g, contextOf(&r), start)
	if len(r.Visits["sam"]) != 0 {
		t.Errorf("Sam was bothered: %+v", r.Visits["sam"])
	}
	if len(r.Visits["ada"]) != 1 || len(r.Visits["amir"]) != 1 {
		t.Errorf("both Entra admins get a card: %+v", r.Visits)
	}
	r.Fail("find", setup.Problem{Says: "No."})
	r.HandOut(g, contextOf(&r), later)
	if len(r.Visits["sam"]) != 1 {
		t.Errorf("nobody sees the failure: %+v", r.Visits)
	}
}

func TestARunThatIsCallingCannotBeCancelled(t *testing.T) {
	r, _ := at(setup.Running)
	if err := r.Finish(setup.RunCancelled, "enough", later); err == nil || !strings.Contains(err.Error(), "wait") || r.State != setup.RunOpen {
		t.Errorf("%v, run %s", err, r.State)
	}
}

func TestACloneIsACopy(t *testing.T) {
	g := sampleGuide()
	r := newRun(g)
	r.HandOut(g, contextOf(&r), start)
	r.Begin("make", "app", "1", start)
	before := r.Clone()
	c := r.Clone()
	c.Step("agree").State = setup.Done
	c.Begin("make", "app", "2", later)
	c.Keep("make", map[string]string{"x": "y"}, later)
	c.Visits["rita"][0].Steps[0] = "changed"
	c.PutOnCard("sam", "type", later)
	c.Holders[bot.EntraAdmin][0] = "changed"
	if d := cmp.Diff(before, r); d != "" {
		t.Errorf("changing the clone changed the run:\n%s", d)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// asStale turns the error that is wanted into none.
func asStale(err error) error {
	if errors.Is(err, bot.ErrStale) {
		return nil
	}
	return fmt.Errorf("it was not refused as decided meanwhile: %v", err)
}
