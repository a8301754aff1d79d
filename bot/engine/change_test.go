package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// instance is a ServiceNow with one change request.
type instance struct {
	mu     sync.Mutex
	change map[string]string
	notes  []string
	as     []bot.PersonID
	refuse func(c bot.Call) error
	lost   bool   // the answer to the next note gets lost
	dies   func() // where the process ends once the next note is written
	looks  int    // for an earlier note
}

func (i *instance) Call(_ context.Context, _ bot.TenantID, c bot.Call, id bot.CallIdentity) (bot.Answer, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.refuse != nil {
		if err := i.refuse(c); err != nil {
			return bot.Answer{}, err
		}
	}
	answer := func(v any) (bot.Answer, error) {
		b, err := json.Marshal(map[string]any{"result": v})
		return bot.Answer{Status: 200, Body: b}, err
	}
	switch {
	case c.Method == "PATCH" && strings.HasSuffix(c.Path, "/change_request/c4a1"):
		var b struct {
			Note string `json:"work_notes"`
		}
		if err := json.Unmarshal(c.Body, &b); err != nil {
			return bot.Answer{}, err
		}
		i.notes, i.as = append(i.notes, b.Note), append(i.as, id.Person)
		if die := i.dies; die != nil {
			i.dies = nil
			die()
			return bot.Answer{}, context.Canceled
		}
		if i.lost {
			i.lost = false
			return bot.Answer{}, &bot.Failure{Kind: bot.KindAmbiguous, Says: "The answer was lost."}
		}
		return answer(i.change)
	case c.Method == "GET" && strings.Contains(c.Path, "/change_request/c4a1?sysparm_fields=sys_id,work_notes&sysparm_display_value=true"):
		i.looks++
		return answer(map[string]string{"sys_id": "c4a1", "work_notes": strings.Join(i.notes, "\n\n")})
	case strings.Contains(c.Path, "change_request?sysparm_query=number%3DCHG0031337"):
		return answer([]any{i.change})
	}
	return bot.Answer{}, fmt.Errorf("what is %s %s?", c.Method, c.Path)
}

func (i *instance) set(field, value string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.change[field] = value
}

// changed is a world whose tenant wants a change that is approved in
// ServiceNow and in its window, and a run that has one.
func changed(t *testing.T) (*world, *instance) {
	t.Helper()
	w := newWorld(t)
	w.tenant.Changes = bot.ChangeRules{{Pattern: `CHG[0-9]{7}`, Example: "CHG0031337", Read: true}}
	sn := &instance{change: map[string]string{"sys_id": "c4a1", "number": "CHG0031337", "state": "-1", "approval": "approved", "on_hold": "false",
		"conflict_status": "No Conflict", "start_date": "2026-11-23 08:00:00", "end_date": "2026-11-23 12:00:00"}}
	w.engine.Callers[bot.ServiceNow] = sn
	w.begin()
	w.touch(1, func(r *setup.Run) { r.Change = "CHG0031337" })
	return w, sn
}

// plans brings the step to its plan.
func (w *world) plans() {
	w.t.Helper()
	w.click("agree", "URITA", setup.ActAnswer, "r1/agree/")
	w.pass(10 * time.Second)
	w.wantStep("make", setup.Planned)
}

func TestWhatWasDoneGoesBackToTheChange(t *testing.T) {
	w, sn := changed(t)
	w.plans()
	if card := w.tells("UADA"); !strings.Contains(card, "Change CHG0031337: approved, its window ends 23 Nov 2026 12:00 UTC") || !strings.Contains(card, "as a work note") {
		t.Errorf("the card says:\n%s", card)
	}
	w.approve()
	w.pass(time.Minute)
	w.wantStep("make", setup.Done)
	if len(sn.notes) != 1 || sn.as[0] != "ada" {
		t.Fatalf("notes %q as %v", sn.notes, sn.as)
	}
	for _, want := range []string{"Make it", "by ada.admin@contoso.com", "• POST /apps: 200, request id-", "• POST /apps/a1/addPassword: 200", "Read back: the application is there", "Keyturn r1 make"} {
		if !strings.Contains(sn.notes[0], want) {
			t.Errorf("the note lacks %q:\n%s", want, sn.notes[0])
		}
	}
	if strings.Contains(sn.notes[0], "treasure") || strings.ContainsAny(sn.notes[0], "{}") {
		t.Errorf("the note says too much:\n%s", sn.notes[0])
	}
	acts := strings.Join(w.acts(), " ")
	if !strings.Contains(acts, "call work-note result") {
		t.Errorf("the audit trail says %s", acts)
	}
}

func TestAWorkNoteWhoseAnswerIsLostIsThereOnce(t *testing.T) {
	w, sn := changed(t)
	w.plans()
	sn.lost = true
	w.approve()
	w.pass(time.Hour)
	if len(sn.notes) != 1 || len(w.dead()) != 0 {
		t.Errorf("%d notes, dead jobs %+v", len(sn.notes), w.dead())
	}
}

// A process that ends between the note and its result leaves a job that no try
// has failed at yet.
func TestAWorkNoteWhoseWriterDiedIsThereOnce(t *testing.T) {
	w, sn := changed(t)
	w.plans()
	ctx, kill := context.WithCancel(t.Context())
	sn.dies = kill
	w.approve()
	w.worksUntil(ctx)
	w.restart()
	w.engine.Callers[bot.ServiceNow] = sn
	w.pass(time.Hour)
	if len(sn.notes) != 1 || len(w.dead()) != 0 || sn.looks == 0 {
		t.Errorf("%d notes after %d looks, dead jobs %+v", len(sn.notes), sn.looks, w.dead())
	}
}

// Where nobody may look, a note that may stand there is not written once more.
func TestAWorkNoteThatCannotBeLookedForIsNotRepeated(t *testing.T) {
	w, sn := changed(t)
	w.plans()
	sn.lost = true
	sn.refuse = func(c bot.Call) error {
		if c.ID == "noted" {
			return &bot.Failure{Kind: bot.KindForbidden, Says: "ServiceNow does not let the account read it."}
		}
		return nil
	}
	w.approve()
	w.pass(time.Hour)
	if len(sn.notes) != 1 || len(w.dead()) != 0 {
		t.Errorf("%d notes, dead jobs %+v", len(sn.notes), w.dead())
	}
	if got := w.tells("URITA"); !strings.Contains(got, "could not write into change CHG0031337") || !strings.Contains(got, "an earlier try may have written it") {
		t.Errorf("the requester hears %q", got)
	}
}

func TestAWorkNoteThatIsRefusedIsHandedToTheRequester(t *testing.T) {
	w, sn := changed(t)
	w.plans()
	sn.refuse = func(c bot.Call) error {
		if c.Method == "PATCH" {
			return &bot.Failure{Kind: bot.KindForbidden, Says: "ServiceNow does not let the account write to changes.", Fix: "Its admin can give it itil."}
		}
		return nil
	}
	w.approve()
	w.pass(time.Minute)
	w.wantStep("make", setup.Done) // what was done stands
	if got := w.tells("URITA"); !strings.Contains(got, "could not write into change CHG0031337") || !strings.Contains(got, "POST /apps/a1/addPassword") {
		t.Errorf("the requester hears %q", got)
	}
}

func TestOutsideItsWindowNothingRunsAndTheCardSaysWhen(t *testing.T) {
	w, sn := changed(t)
	sn.set("start_date", "2026-11-23 10:00:00")
	w.plans()
	if card := w.tells("UADA"); !strings.Contains(card, "The window of change CHG0031337 begins 23 Nov 2026 10:00 UTC") {
		t.Errorf("the card says:\n%s", card)
	}
	value := "r1/make/" + w.step("make").Plan.Digest
	r := w.click("early", "UADA", setup.ActApprove, value)
	if r.Message == nil || !strings.Contains(r.Message.Words(), "begins 23 Nov 2026 10:00 UTC") || !strings.Contains(r.Message.Words(), "[Break glass]") {
		t.Fatalf("%+v", r)
	}
	w.wantStep("make", setup.Planned)
	w.pass(time.Hour)
	if said := w.tells("UADA"); !strings.Contains(said, "The window of change CHG0031337 is open") || !strings.Contains(said, "Make it") {
		t.Errorf("when the window begins, Ada reads:\n%s", said)
	}
	w.approve()
	w.pass(time.Minute)
	w.wantStep("make", setup.Done)
}

func TestAChangeThatIsNotGoodRunsNothing(t *testing.T) {
	for name, c := range map[string]struct{ field, value, want string }{
		"not approved": {"approval", "requested", "is not approved yet"},
		"on hold":      {"on_hold", "true", "is on hold"},
		"new":          {"state", "-5", "neither scheduled nor being implemented"},
		"cancelled":    {"state", "4", "is over"},
		"freeze":       {"conflict_status", "Conflict", "in conflict with a freeze"},
		"too late":     {"end_date", "2026-11-23 08:30:00", "ended 23 Nov 2026 08:30 UTC"},
		"another":      {"number", "CHG0000001", "has no change CHG0031337"},
	} {
		t.Run(name, func(t *testing.T) {
			w, sn := changed(t)
			w.plans()
			// It was good when the card was drawn, and is not when the calls begin.
			w.approve()
			sn.set(c.field, c.value)
			w.pass(time.Minute)
			s := w.wantStep("make", setup.Planned)
			if s.Approval != nil || s.Problem == nil || !strings.Contains(s.Problem.Says, c.want) || len(w.graph.did("")) != 0 {
				t.Fatalf("%+v, calls %v", s.Problem, w.graph.did(""))
			}
			value := "r1/make/" + s.Plan.Digest
			if r := w.click("again", "UADA", setup.ActApprove, value); r.Message == nil || !strings.Contains(r.Message.Words(), c.want) {
				t.Errorf("%+v", r)
			}
			// Breaking the glass goes past it, and the note says so.
			why := map[string][]string{"why": {"The payroll run is blocked by it"}}
			if _, err := w.engine.Handle(t.Context(), bot.Request{Key: "glass", Kind: bot.Submitted, From: account("UADA"), Place: channel, Action: setup.ActGlass, Value: value, Input: why, Inline: true}); err != nil {
				t.Fatal(err)
			}
			w.pass(time.Minute)
			w.wantStep("make", setup.Done)
			if !strings.Contains(w.tells("UOLGA"), "Break glass: Ada runs Make it") {
				t.Errorf("the owner hears %q", w.tells("UOLGA"))
			}
			if name != "another" && (len(sn.notes) != 1 || !strings.Contains(sn.notes[0], "payroll")) {
				t.Errorf("notes %q", sn.notes)
			}
		})
	}
}

func TestWhoCannotReadTheChangeLeansOnWhoCould(t *testing.T) {
	w, sn := changed(t)
	w.plans()
	forbidden := func(c bot.Call) error {
		if c.Method == "GET" {
			return &bot.Failure{Kind: bot.KindSignIn, Says: "Ada has no account at ServiceNow."}
		}
		return nil
	}
	sn.refuse = forbidden
	w.approve()
	w.pass(time.Minute)
	w.wantStep("make", setup.Done)

	w, sn = changed(t)
	sn.refuse = forbidden
	w.plans()
	value := "r1/make/" + w.step("make").Plan.Digest
	if r := w.click("blind", "UADA", setup.ActApprove, value); r.Message == nil || !strings.Contains(r.Message.Words(), "cannot be read in ServiceNow: Ada has no account") {
		t.Errorf("%+v", r)
	}
	sn.refuse = nil
	w.click("read again", "UADA", setup.ActRetry, value)
	w.pass(time.Minute)
	w.approve()
	w.pass(time.Minute)
	w.wantStep("make", setup.Done)
}
