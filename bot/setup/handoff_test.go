package setup_test

import (
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/bot/setup"
)

func TestTheHandOff(t *testing.T) {
	g := sampleGuide()
	r := midway(g)
	s := sceneOf(g, &r)
	var b strings.Builder
	b.WriteString("===== a team with a group\n" + drawn(s.Handoff(bot.EntraAdmin, []setup.StepID{"make"})))
	b.WriteString("\n===== several steps\n" + drawn(s.Handoff(bot.ServiceNowAdmin, []setup.StepID{"find", "type"})))
	b.WriteString("\n===== nobody holds the role\n" + drawn(s.Handoff(bot.M365Admin, []setup.StepID{"type"})))
	golden(t, "handoff.txt", b.String())
}

func TestTheHandOffPingsThoseWhoHaveToAct(t *testing.T) {
	g := sampleGuide()
	r := midway(g)
	pinged := func(m bot.Message) (who []string) {
		for _, p := range m.Parts {
			para, _ := p.(bot.Paragraph)
			for _, span := range para.Text {
				if span.Who != nil {
					who = append(who, span.Who.ID)
				}
				if span.Group != "" {
					who = append(who, span.Group)
				}
			}
		}
		return who
	}
	s := sceneOf(g, &r)
	for _, c := range []struct {
		role bot.Role
		want string
	}{
		{bot.EntraAdmin, "SENTRA UADA UAMIR"},
		{bot.ServiceNowAdmin, "USAM"},
		{bot.PrivilegedRoleAdmin, ""}, // Priya has no account here: she is named, not pinged
		{bot.M365Admin, "UOLGA"},      // nobody: an owner can name somebody
	} {
		if got := strings.Join(pinged(s.Handoff(c.role, []setup.StepID{"make"})), " "); got != c.want {
			t.Errorf("%s: %q are pinged, want %q", c.role, got, c.want)
		}
	}
	if !strings.Contains(s.Handoff(bot.PrivilegedRoleAdmin, []setup.StepID{"consent"}).Words(), "Priya") {
		t.Error("who cannot be pinged is not named either")
	}
	s.Team = "T2" // in another workspace an account of this one means nobody, or somebody else
	if got := pinged(s.Handoff(bot.ServiceNowAdmin, []setup.StepID{"type"})); len(got) > 0 {
		t.Errorf("in another workspace %v are pinged", got)
	}
}

func TestAReminderIsSentOnlyWhileTheStepWaits(t *testing.T) {
	g := sampleGuide()
	for _, s := range states {
		r := shown(g)
		put(&r, "make", s)
		m := sceneOf(g, &r).Reminder([]setup.StepID{"make", "none"})
		if waits := s == setup.Open || s == setup.Planned || s == setup.Failed; m.Empty() == waits {
			t.Errorf("%s: the reminder says %q", s, m.Words())
		}
		r.State = setup.RunCancelled
		if m := sceneOf(g, &r).Reminder([]setup.StepID{"make"}); !m.Empty() {
			t.Errorf("%s: a cancelled run reminds: %q", s, m.Words())
		}
	}
}

func TestTheOutcomes(t *testing.T) {
	g := sampleGuide()
	var b strings.Builder
	for _, state := range states {
		r := shown(g)
		st := put(&r, "make", state)
		m := sceneOf(g, &r).Outcome(mustStep(g, "make"), st)
		if settledOrFailed := state == setup.Done || state == setup.Confirmed || state == setup.Skipped || state == setup.Failed; m.Empty() == settledOrFailed {
			t.Errorf("%s: the outcome says %q", state, m.Words())
		}
		if !m.Empty() {
			b.WriteString("===== " + string(state) + "\n" + drawn(m) + "\n")
		}
	}
	r := shown(g)
	r.Gone("find", "The connector was shut down.", start)
	b.WriteString("===== the service is gone\n" + drawn(sceneOf(g, &r).Outcome(mustStep(g, "find"), r.Step("find"))))
	golden(t, "outcomes.txt", b.String())
}

func TestTheExactCalls(t *testing.T) {
	g := sampleGuide()
	r := shown(g)
	st := put(&r, "make", setup.Planned)
	m := sceneOf(g, &r).ExactCalls(mustStep(g, "make"), st)
	golden(t, "calls.txt", drawn(m))
	if strings.Contains(m.Words(), "app.secret") || !strings.Contains(m.Words(), bot.Redacted) {
		t.Error("the secret's place is not shown as redacted")
	}
}
