package commands_test

import (
	"strings"
	"testing"
	"time"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
)

// fourEyed begins a run of Rita's, who also holds the role of its steps, which
// create credentials.
func fourEyed(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.begin()
	w.alsoHolds("rita")
	return w
}

func TestTheGlassIsBrokenWithAReasonThatTheOwnersRead(t *testing.T) {
	w := fourEyed(t)
	refused := w.do(approve("rita"))
	if !strings.Contains(words(refused), "somebody else has to approve it: Ada") || !strings.Contains(words(refused), "[Break glass]") {
		t.Fatalf("%s", words(refused))
	}
	value := approve("rita").Value
	if f := w.do(clicked("rita", setup.ActGlass, value)).Form; f == nil || f.Title != "Break glass" {
		t.Fatalf("no form asks why: %+v", f)
	}
	if r := w.do(submitted("rita", setup.ActGlass, value, map[string][]string{"why": {"urgent"}})); !strings.Contains(r.Errors["why"], "in a sentence") {
		t.Errorf("%+v", r)
	}
	why := map[string][]string{"why": {"The outage hits payroll and Ada is on a plane"}}
	_, out := w.try(submitted("rita", setup.ActGlass, value, why))
	if len(out.Runs) != 1 || out.Runs[0].Step("planned").Approval.Glass == "" || out.Audit[0].Act != "break-glass" || !strings.Contains(out.Audit[0].Note, "payroll") {
		t.Fatalf("%+v", out.Audit)
	}
	if got := told(out, "olga"); !strings.Contains(got, "Break glass: Rita runs") || !strings.Contains(got, "payroll") {
		t.Errorf("the owner is told %q", got)
	}
	// It skips our rules, not the role: who does not hold it breaks nothing.
	for _, who := range []string{"kim", "sam", "olga", "nobody"} {
		if r, out := w.try(submitted(who, setup.ActGlass, value, why)); len(out.Runs) != 0 || len(out.Audit) != 0 {
			t.Errorf("%s broke the glass: %s", who, words(r))
		}
	}
}

func TestTheGlassGoesPastSomebodyWhoHasTakenTheStep(t *testing.T) {
	w := newWorld(t)
	w.tenant.Holders[bot.EntraAdmin] = []bot.PersonID{"ada", "amir"}
	w.begin()
	w.do(clicked("amir", setup.ActTake, approve("amir").Value))
	if r, _ := w.try(approve("ada")); !strings.Contains(words(r), "Amir has taken this step") {
		t.Fatalf("%s", words(r))
	}
	_, out := w.try(submitted("ada", setup.ActGlass, approve("ada").Value, map[string][]string{"why": {"Amir has gone home and it burns"}}))
	if len(out.Runs) != 1 || !strings.Contains(threads(out), "Ada broke the glass") {
		t.Errorf("%+v, the thread is told %q", out.Audit, threads(out))
	}
	// A plan that has changed is not run by breaking the glass either.
	if r, out := w.try(submitted("ada", setup.ActGlass, "r1/planned/of-yesterday", map[string][]string{"why": {"It really cannot wait"}})); len(out.Runs) != 0 || !strings.Contains(words(r), "have not run anything") {
		t.Errorf("%s", words(r))
	}
}

func TestARequesterCannotNameThemselfAlone(t *testing.T) {
	w := fourEyed(t)
	w.tenant.Holders[bot.EntraAdmin] = []bot.PersonID{"rita", "ada"}
	f := w.do(clicked("rita", "guide", "cleanup")).Form
	if f == nil || !strings.Contains(f.Intro[len(f.Intro)-1].(bot.Paragraph).Text.Plain(), "cannot approve the steps of Entra admin that create a credential") {
		t.Fatalf("the start form does not say who cannot approve what: %+v", f)
	}
	start := func(who ...string) bot.Reply {
		r, _ := w.try(submitted("rita", "start", "cleanup/C1/contoso", map[string][]string{"role.entra-admin": who}))
		return r
	}
	if r := start("rita"); !strings.Contains(r.Errors["role.entra-admin"], "somebody else besides you") {
		t.Errorf("%+v", r)
	}
	if r := start("rita", "ada"); len(r.Errors) != 0 {
		t.Errorf("%+v", r.Errors)
	}
	// Nor is the step handed over to the requester.
	r, out := w.try(submitted("ada", setup.ActNotMe, approve("ada").Value, map[string][]string{"to": {"rita"}}))
	if !strings.Contains(r.Errors["to"], "needs somebody else") || len(out.Runs) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestARoleThatIsNotActiveIsActivatedAndTheClockStands(t *testing.T) {
	w := newWorld(t)
	w.tenant.RemindAfter = time.Hour
	w.begin()
	fail := func(kind bot.Kind) {
		w.commit(func(d *engine.Draft) error {
			before, err := d.Run("r1")
			after := before.Clone()
			after.PutOnCard("ada", "failed", d.Now)
			after.Fail("failed", setup.Problem{Says: "The role for this is held but not active now.", Kind: kind, At: d.Now})
			return errorsOr(err, d.PutRun(&before, &after))
		})
	}
	fail(bot.KindInactive)
	card := words(w.do(typed("ada", "mine")))
	for _, want := range []string{"Your account does not carry Entra admin now. If you hold it in PIM, activate it, then [Activated]", "Nobody is reminded meanwhile", "[Activated] [Not me]"} {
		if !strings.Contains(card, want) {
			t.Errorf("the card lacks %q:\n%s", want, card)
		}
	}
	g, _ := w.env.Guide(setup.Direct)
	must(t, w.store.Read(t.Context(), func(v engine.View) error {
		r, err := v.Run("r1")
		for i := range r.Steps {
			if r.Steps[i].ID != "failed" {
				r.Steps[i].State = setup.Done
			}
		}
		if at, ok := r.NextReminder(g, w.tenant); ok {
			t.Errorf("the clock goes on: %v", at)
		}
		r.Step("failed").Problem.Kind = bot.KindRefused
		if _, ok := r.NextReminder(g, w.tenant); !ok {
			t.Error("the clock stands for any failure")
		}
		return err
	}))
	w.now = w.now.Add(time.Minute)
	_, out := w.try(clicked("ada", setup.ActActivated, "r1/failed/"))
	if len(out.Runs) != 1 || out.Runs[0].Step("failed").State != setup.Looking || !out.Runs[0].Step("failed").Fresh.Equal(w.now) {
		t.Errorf("%+v", out.Runs)
	}
	if r, out := w.try(clicked("sam", setup.ActActivated, "r1/failed/")); len(out.Runs) != 0 {
		t.Errorf("somebody else's role: %s", words(r))
	}
}

func TestTheRequesterHearsOfEveryOutcome(t *testing.T) {
	w := newWorld(t)
	w.tenant.Holders[bot.EntraAdmin] = []bot.PersonID{"ada", "amir"}
	w.begin()
	value := approve("ada").Value
	for _, c := range []struct {
		action, alone, thread, kept string
		in                          map[string][]string
	}{
		{setup.ActReject, "Ada rejected Step planned: the name is wrong", "Rejected by Ada: the name is wrong", "⛔ failed, waiting for the Entra team · Step planned", map[string][]string{"why": {"the name is wrong"}}},
		{setup.ActSkip, "", "skipped by Ada. Reason: done last year", "⏭ skipped by Ada · Step planned. Reason: done last year", map[string][]string{"why": {"done last year"}}},
		{setup.ActNotMe, "", "Ada handed Step planned over to Amir", "", map[string][]string{"to": {"amir"}}},
	} {
		_, out := w.try(submitted("ada", c.action, value, c.in))
		if got := told(out, "rita"); c.alone == "" && got != "" || !strings.Contains(got, c.alone) {
			t.Errorf("%s: the requester gets a message of its own %q", c.action, got)
		}
		if !strings.Contains(threads(out), c.thread) {
			t.Errorf("%s: the thread says %q", c.action, threads(out))
		}
		if got := w.kept(out, "rita"); !strings.Contains(got, c.kept) {
			t.Errorf("%s: the message that is kept up to date says %q", c.action, got)
		}
	}
}

// threads is what is said in threads.
func threads(out engine.Changes) string {
	var b strings.Builder
	for _, j := range out.Jobs {
		if p, ok := delivery(j); ok && p.Under != "" && p.Draw.Message != nil {
			b.WriteString(p.Draw.Message.Words() + "\n")
		}
	}
	return b.String()
}

// kept is the message that keeps a requester up to date, as it is drawn after a
// change.
func (w *world) kept(out engine.Changes, who string) string {
	w.t.Helper()
	for _, j := range out.Jobs {
		p, ok := delivery(j)
		if !ok || p.Place.User != "U"+who || !strings.HasPrefix(p.Key, setup.ToldKey("r1")) {
			continue
		}
		g, _ := w.env.Guide(out.Runs[0].Guide)
		return setup.Scene{Guide: g, Run: &out.Runs[0], Tenant: w.tenant, Now: w.now}.Told().Words()
	}
	return ""
}

func TestAnApprovalExpiresInWorkingTime(t *testing.T) {
	w := newWorld(t)
	w.begin()
	hours, err := bot.ParseHours("09:00-17:00", "mon-fri")
	must(t, err)
	w.tenant.Hours, w.tenant.ApprovalLives = hours, 2*time.Hour
	w.now = time.Date(2026, 11, 27, 16, 0, 0, 0, time.UTC) // a Friday
	_, out := w.try(approve("ada"))
	if want := time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC); !out.Runs[0].Step("planned").Approval.Expires.Equal(want) {
		t.Errorf("it expires %v", out.Runs[0].Step("planned").Approval.Expires)
	}
}
