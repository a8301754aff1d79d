package commands

import (
	"strings"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// activatedClick looks again after a person has activated the role that was
// missing: a fresh sign-in, where people sign in.
func activatedClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimStep(a.Request.Value, setup.Failed)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if a.Tenant.Mode(bot.Graph) == bot.Delegated { // the role is in a new token only
		return m.offer(bot.Graph, "A fresh sign-in carries the role. Then I read the step again.")
	}
	return m.apply("activated", "says that the role is active now", func(r *setup.Run) error { return r.Activated(m.spec.ID, a.Now) })
}

// ruled says no because of a rule of the organisation's own, with the way
// around it that is always seen.
func (m *aim) ruled(no string) bot.Reply {
	msg := bot.Say(bot.T(no + " I have not run anything."))
	msg.Add(bot.Note{Text: bot.T("If it cannot wait: break glass runs it for the reason that you give. It skips this rule, never the directory's, and the owners are alerted.")},
		bot.Buttons{Items: []bot.Button{{Label: "Break glass", Action: setup.ActGlass, Value: m.Request.Value, Style: bot.Danger, Says: "Break glass: " + m.spec.Title}}})
	return bot.Private(msg)
}

// glassClick runs a plan although Keyturn's own rules say no: four eyes, the
// change number and its window, a step that somebody else has taken. Who does
// it holds the role, and the directory still says whether they may.
func glassClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimRun(a.Request.Value)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if m.spec == nil || m.digest == "" {
		return say("This button does not say which plan it belongs to. Type " + a.Table.Command + " mine to see your steps."), nil
	}
	if m.spec.Role == bot.Requester && a.Person.ID != m.run.Requester || m.spec.Role != bot.Requester && !a.Tenant.Holds(a.Person.ID, m.spec.Role) {
		return *m.refused(), nil
	}
	if m.run.State != setup.RunOpen || m.step.State != setup.Planned || m.digest != m.step.Plan.Digest {
		return m.old()
	}
	if no := m.uncalled(); no != nil {
		return *no, nil
	}
	if a.Request.Kind == bot.Clicked {
		return m.reason(setup.ActGlass, "Break glass", "Why it cannot wait", "The owners are alerted now, with this reason. It stands in the audit trail."), nil
	}
	why := strings.TrimSpace(a.Request.One("why"))
	if len([]rune(why)) < 10 {
		return bot.Reply{Errors: map[string]string{"why": "Say why it cannot wait, in a sentence: the owners read it."}}, nil
	}
	reply, err := m.approve(why)
	if err != nil || reply.Message != nil { // nothing runs, so nobody is alarmed
		return reply, err
	}
	alert := bot.Say(bot.B("Break glass: "), bot.T(a.Person.Name+" runs "), bot.B(m.spec.Title), bot.T(" for "+a.Tenant.Name+" past the rules of Keyturn. Reason: "+why+" Run "+m.run.ID+"."))
	alert.Add(bot.Buttons{Items: []bot.Button{{Label: "Status", Action: setup.ActStatus, Value: m.run.ID}, {Label: "Show exact calls", Action: setup.ActCalls, Value: a.Request.Value}}})
	for _, o := range a.Tenant.Owners {
		a.Draft.Tell(a.Tenant, o, alert)
	}
	if a.Tenant.Admins != nil {
		a.TellAdmins(a.Tenant, alert)
	}
	m.SayUnder(setup.ChecklistKey(m.run.ID), m.run.Place, bot.Say(bot.T(a.Person.Name+" broke the glass and runs "), bot.B(m.spec.Title), bot.T(". Reason: "+why)), bot.ClassHandoff)
	return reply, nil
}

// tellRequester tells whoever asked for the run what became of it, unless they
// did it themselves.
func (m *aim) tellRequester(t bot.Text) {
	if m.run.Requester != m.Person.ID {
		m.Draft.Tell(m.Tenant, m.run.Requester, bot.Say(t))
	}
}
