package commands

import (
	"slices"
	"strings"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// takeClick claims a step and withdraws the other holders' cards.
func takeClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimStep(a.Request.Value, setup.Open, setup.Planned, setup.Failed, setup.Unsigned, setup.Looking, setup.Checking)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if m.alone() { // nobody else could approve it then
		return sayf("You asked for this run, and this step creates a credential, so somebody else has to approve it: %s. I have left it to them.", m.others()).Denied("four eyes"), nil
	}
	return m.apply("take", "", func(r *setup.Run) error { return r.Take(m.spec.ID, a.Person.ID) })
}

// notMeClick hands a step to the next holder of its role, or to the owners.
func notMeClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimStep(a.Request.Value, setup.Open, setup.Planned, setup.Failed, setup.Unsigned)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if a.Request.Kind == bot.Clicked {
		return m.handOverForm(), nil
	}
	to := bot.PersonID(a.Request.One("to"))
	if a.Tenant.FourEyes && m.spec.FourEyes && to == m.run.Requester {
		return bot.Reply{Errors: map[string]string{"to": a.name(to) + " asked for this run, and the step creates a credential, so it needs somebody else."}}, nil
	}
	if !a.Tenant.Holds(to, m.spec.Role) {
		return bot.Reply{Errors: map[string]string{"to": "Choose somebody who holds " + m.spec.Role.Title() + "."}}, nil
	}
	m.SayUnder(setup.ChecklistKey(m.run.ID), m.run.Place, bot.Say(bot.T(a.Person.Name+" handed "), bot.B(m.spec.Title), bot.T(" over to "+a.name(to)+".")), bot.ClassHandoff)
	return m.apply("hand-over", a.name(to), func(r *setup.Run) error {
		if !slices.Contains(r.Holders[m.spec.Role], to) {
			r.Holders[m.spec.Role] = append(r.Holders[m.spec.Role], to)
		}
		return r.HandOver(m.spec.ID, to, a.Now)
	})
}

// handOverForm asks who does the step instead: only holders of the role.
func (m *aim) handOverForm() bot.Reply {
	in := bot.Input{Name: "to", Label: "Who does it instead", Kind: bot.Choice, Hint: "Only people who hold " + m.spec.Role.Title() + " can be chosen."}
	for _, p := range slices.Concat(m.Tenant.Holders[m.spec.Role], m.Tenant.Backups[m.spec.Role]) {
		if p != m.Person.ID {
			in.Options = append(in.Options, bot.Option{Value: string(p), Label: m.name(p)})
		}
	}
	if len(in.Options) == 0 {
		for _, o := range m.Tenant.Owners {
			m.Tell(m.Tenant, o, bot.Say(bot.T(m.Person.Name+" says that "), bot.B(m.spec.Title), bot.T(" is not theirs, and nobody else holds "+m.spec.Role.Title()+". Name somebody with "+m.Table.Command+" roles. Run "+m.run.ID+".")))
		}
		return say("Nobody else holds " + m.spec.Role.Title() + ". I have told the owners, who can name somebody with " + m.Table.Command + " roles. The step stays as it is.")
	}
	return bot.Reply{Form: &bot.Form{Action: setup.ActNotMe, Value: m.Request.Value, Title: "Hand over", Submit: "Hand over", Inputs: []bot.Input{in}}}
}

// reason asks why; the answer comes back with the same verb.
func (m *aim) reason(action, title, label, hint string) bot.Reply {
	return bot.Reply{Form: &bot.Form{Action: action, Value: m.Request.Value, Title: title, Submit: title,
		Intro:  []bot.Part{bot.Paragraph{Text: bot.B(m.spec.Title)}},
		Inputs: []bot.Input{{Name: "why", Label: label, Hint: hint, Kind: bot.Area, Max: 500}}}}
}

// rejectClick sends a plan back to the requester, with a reason.
func rejectClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimStep(a.Request.Value, setup.Planned)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if a.Request.Kind == bot.Clicked {
		return m.reason(setup.ActReject, "Reject", "Why", "The requester reads it."), nil
	}
	why := strings.TrimSpace(a.Request.One("why"))
	if why == "" {
		return bot.Reply{Errors: map[string]string{"why": "Say why, so that the requester can mend it."}}, nil
	}
	m.tellRequester(bot.Join(bot.T(a.Person.Name+" rejected "), bot.B(m.spec.Title), bot.T(": "+why+" Nothing was called.")))
	return m.apply("reject", why, func(r *setup.Run) error { return r.Reject(m.spec.ID, a.Person.ID, why, a.Now) })
}

// skipClick settles a step without doing it, with a reason.
func skipClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimStep(a.Request.Value, setup.Open, setup.Planned, setup.Failed, setup.Unsigned)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if m.step.Gone() {
		return sayf("The service is gone, and %s, who asked for the run, says whether it ends or goes on as a rehearsal. I have skipped nothing.", m.name(m.run.Requester)), nil
	}
	if m.spec.NoSkip {
		return say("This step is a proof or protects somebody, so it cannot be skipped."), nil
	}
	if a.Request.Kind == bot.Clicked {
		return m.reason(setup.ActSkip, "Skip", "Why it can be skipped", "It stands in the record."), nil
	}
	why := strings.TrimSpace(a.Request.One("why"))
	if why == "" {
		return bot.Reply{Errors: map[string]string{"why": "Say why, for the record."}}, nil
	}
	return m.apply("skip", why, func(r *setup.Run) error { return r.Skip(m.spec, a.Person.ID, why, a.Now) })
}

// remindClick asks again tomorrow at nine, in the person's own zone.
func remindClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimStep(a.Request.Value, setup.Open, setup.Planned, setup.Failed, setup.Unsigned)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	zone := a.Tenant.Zone
	if z, err := time.LoadLocation(a.Person.Zone); err == nil && a.Person.Zone != "" {
		zone = z
	}
	at := tomorrow(a.Now, zone)
	a.Remind(&m.run, a.Person.ID, m.spec.ID, at)
	after := m.run.Clone()
	after.Step(m.spec.ID).Quiet = at
	a.RefreshHome(a.Tenant, a.Person.ID) // it says what was put off
	if err := a.PutRun(&m.run, &after); err != nil {
		return bot.Reply{}, err
	}
	return bot.Private(bot.Say(bot.T("I will ask you again "), bot.When(at, bot.DateTime), bot.T(". The step stays yours until then."))), nil
}

func tomorrow(now time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	local := now.In(zone)
	return time.Date(local.Year(), local.Month(), local.Day()+1, 9, 0, 0, 0, zone)
}
