package setup

import (
	"fmt"
	"slices"
	"strings"

	"keyturn/bot"
)

// Handoff is the thread reply that pings those who hold a role: the team by
// its user group where there is one, and each person.
func (s Scene) Handoff(role bot.Role, steps []StepID) bot.Message {
	people := s.Run.HoldersOf(role)
	who := s.called(role, people)
	head := bot.Join(who, bot.T(": "+plural(len(steps), "step is yours now", "steps are yours now")+". The details are in a direct message from me."))
	if len(people) == 0 {
		head = s.nobody(role, len(steps))
	}
	var m bot.Message
	lines := []bot.Text{head}
	for _, id := range steps {
		if spec, ok := s.Guide.Step(id); ok {
			what, _, _ := spec.words(s.Context())
			lines = append(lines, bot.Join(bot.T("🔵 "), bot.B(spec.Title), bot.T(". "+what)))
		}
	}
	m.Add(bot.Paragraph{Text: bot.Lines(lines...)})
	next := bot.Button{Label: "Show my steps", Action: ActMine, Value: s.Run.ID}
	if len(people) == 0 { // whose turn it is has no steps
		next = bot.Button{Label: "Roles", Action: "verb", Value: "roles", Says: "Roles: name somebody for " + role.Title()}
	}
	m.Add(bot.Buttons{Items: []bot.Button{next}})
	return m
}

// called names the team before its people, who are all pinged.
func (s Scene) called(role bot.Role, people []bot.PersonID) bot.Text {
	var who []bot.Text
	if g := s.Tenant.Groups[role][s.Platform]; g != "" {
		who = append(who, bot.Text{{Text: role.Crew(), Group: g}})
	} else if role != bot.Requester && len(people) > 1 {
		who = append(who, bot.T(upper(role.Crew())))
	}
	for _, p := range people {
		who = append(who, s.Ping(p))
	}
	var out bot.Text
	for i, t := range who {
		switch {
		case i == 0:
		case i == len(who)-1 && i > 1:
			out = bot.Join(out, bot.T(" and "))
		default:
			out = bot.Join(out, bot.T(", "))
		}
		out = bot.Join(out, t)
	}
	return out
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// nobody asks the owners for somebody to hold a role.
func (s Scene) nobody(role bot.Role, steps int) bot.Text {
	t := bot.T("Nobody holds the role " + role.Title() + " for this run, so " + plural(steps, "step waits", "steps wait") + ".")
	if len(s.Tenant.Owners) == 0 {
		return t
	}
	for _, o := range s.Tenant.Owners {
		t = bot.Join(t, bot.T(" "), s.Ping(o))
	}
	return bot.Join(t, bot.T(" can name somebody with /keyturn roles."))
}

// Reminder asks a person again, as they wished; it is empty when the steps no
// longer wait.
func (s Scene) Reminder(steps []StepID) bot.Message {
	var lines []bot.Text
	for _, id := range steps {
		spec, ok := s.Guide.Step(id)
		st := s.Run.Step(id)
		if ok && st != nil && s.Run.State == RunOpen && WaitsForPerson(spec, st) {
			lines = append(lines, bot.Join(bot.T("You wanted to be reminded: "), bot.B(spec.Title), bot.T(sentences(" waits for you.", spec.IfItWaits()))))
		}
	}
	var m bot.Message
	if len(lines) > 0 {
		m.Add(bot.Paragraph{Text: bot.Lines(lines...)}, bot.Buttons{Items: []bot.Button{{Label: "Show my steps", Action: ActMine, Value: s.Run.ID}}})
	}
	return m
}

// Outcome tells the thread what became of a step, and by whom.
func (s Scene) Outcome(spec *Spec, st *Step) bot.Message {
	switch st.State {
	case Done:
		t := bot.Join(bot.T("✅ "), bot.B(spec.Title), bot.T(": done, read back"))
		if st.Approval != nil {
			t = bot.Join(t, bot.T(". Approved by "+s.name(st.Approval.Person)))
			if st.Approval.Glass != "" {
				t = bot.Join(t, bot.T(", who broke the glass: "+st.Approval.Glass))
			}
		}
		if len(st.Proof) > 0 {
			t = bot.Join(t, bot.T(". Read back: "+strings.Join(st.Proof, "; ")))
		}
		return bot.Say(t)
	case Confirmed:
		return bot.Say(bot.T("☑️ "), bot.B(spec.Title), bot.T(": confirmed by "+s.name(st.By)+", no check exists"))
	case Skipped:
		return bot.Say(bot.T("⏭ "), bot.B(spec.Title), bot.T(": skipped by "+s.name(st.By)+". Reason: "+st.Why))
	case Failed:
		if st.Gone() {
			no := ": failed. "
			if strings.HasSuffix(spec.Title, "?") {
				no = " No. "
			}
			m := bot.Say(bot.T("⛔ "), bot.B(spec.Title), bot.T(no+st.Problem.Says+" "), s.Ping(s.Run.Requester), bot.T(": end the run, or go on to rehearse it?"))
			m.Add(s.endings(spec, st))
			return m
		}
		t := bot.Join(bot.T("⛔ "), bot.B(spec.Title), bot.T(": failed"))
		if st.Problem != nil {
			t = bot.Join(t, bot.T(". "+s.problem(st)))
		}
		if st.rejected() { // who rejected it told them in person
			return bot.Say(t)
		}
		turn := "it waits for " + s.crew(spec, st)
		if slices.Equal(s.Run.Waiting(spec, st), []bot.PersonID{s.Run.Requester}) {
			turn = "it waits for you"
		}
		return bot.Say(bot.Join(t, bot.T(" "), s.Ping(s.Run.Requester), bot.T(": "+turn+".")))
	}
	return bot.Message{}
}

// ExactCalls is the plan in full: method, address and body of every call.
func (s Scene) ExactCalls(spec *Spec, st *Step) bot.Message {
	var m bot.Message
	m.Add(bot.Heading{Text: "Exact calls"})
	m.Add(bot.Paragraph{Text: bot.Join(bot.B(spec.Title), bot.T(fmt.Sprintf(". %s, in this order. Secrets are never shown. Names in {braces} are filled in from the answers of earlier calls.",
		plural(len(st.Plan.Calls), "call", "calls"))))})
	for i, c := range st.Plan.Calls {
		m.Add(bot.Code{Title: fmt.Sprintf("%d. %s", i+1, c.What), Text: Shown(c, s.Base)})
	}
	m.Add(bot.Note{Text: bot.T("Plan " + st.Plan.Digest + ". If anything changes before the first call, the approval is void.")})
	return m
}
