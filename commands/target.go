package commands

import (
	"errors"
	"slices"
	"strings"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// aim is the step that a button or form means, and the run around it.
type aim struct {
	*Ask
	run    setup.Run // as it is
	guide  *setup.Guide
	spec   *setup.Spec
	step   *setup.Step // of run
	digest string      // of the plan that the card showed
}

// aimRun finds the run of a button; the reply says why there is none.
func (a *Ask) aimRun(value string) (*aim, *bot.Reply, error) {
	id, step, digest, ok := setup.Target(value)
	if !ok {
		no := say("This button does not say which run it belongs to. Type " + a.Table.Command + " mine to see your steps.")
		return nil, &no, nil
	}
	run, err := a.Run(id)
	if errors.Is(err, bot.ErrNotFound) {
		no := say("That run is no longer kept. Nothing was done.")
		return nil, &no, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if run.Tenant != a.Tenant.ID {
		no := say("That run belongs to another tenant, which this place may not speak for. Nothing was done.").Denied("a run of another tenant")
		return nil, &no, nil
	}
	g, ok := a.Env().Guide(run.Guide)
	if !ok {
		no := say("That run follows a guide that this version of Keyturn does not have. Nothing was done.")
		return nil, &no, nil
	}
	m := &aim{Ask: a, run: run, guide: g, digest: digest}
	if step != "" {
		m.spec, ok = g.Step(step)
		m.step = run.Step(step)
		if !ok || m.step == nil {
			no := say("That step is not part of the run. Nothing was done.")
			return nil, &no, nil
		}
	}
	return m, nil, nil
}

// aimStep is aimRun for the buttons of a step that wants an act: it also says
// no to people without the role, and to steps that were decided meanwhile.
func (a *Ask) aimStep(value string, in ...setup.StepState) (*aim, *bot.Reply, error) {
	m, no, err := a.aimRun(value)
	if err != nil || no != nil {
		return nil, no, err
	}
	if m.spec == nil {
		no := say("This button does not say which step it belongs to. Type " + a.Table.Command + " mine to see your steps.")
		return nil, &no, nil
	}
	if no := m.stranger(); no != nil {
		return nil, no, nil
	}
	if m.run.State != setup.RunOpen || !slices.Contains(in, m.step.State) || (m.digest != "" && m.step.Plan != nil && m.digest != m.step.Plan.Digest) {
		no, err := m.old()
		return nil, &no, err
	}
	return m, nil, nil
}

// stranger says no to a person who does not hold the step's role.
func (m *aim) stranger() *bot.Reply {
	role, me := m.spec.Role, m.Person.ID
	// A role that was taken away since the run began no longer counts, not even
	// for a step that was handed over.
	asked := slices.Contains(m.run.HoldersOf(role), me) || m.step.Holder == me
	holds := me != "" && asked && (role == bot.Requester || m.Tenant.Holds(me, role))
	if holds && m.step.Holder != "" && m.step.Holder != me && !m.step.State.Settled() {
		no := say(m.name(m.step.Holder) + " has taken this step. I have not run anything.").Denied("the step is somebody else's")
		return &no
	}
	if holds {
		return nil
	}
	return m.refused()
}

// refused says whose step it is, and offers to ask them.
func (m *aim) refused() *bot.Reply {
	role, me := m.spec.Role, m.Person.ID
	var names []string
	for _, p := range m.run.Waiting(m.spec, m.step) {
		names = append(names, m.name(p))
	}
	who := role.Crew()
	if len(names) > 0 {
		who += " (" + strings.Join(names, ", ") + ")"
	}
	says := "This step belongs to " + who + ". I have not run anything."
	if d := m.Tenant.Doubts[role]; d != "" && me != "" {
		says += " " + d
	}
	msg := bot.Say(bot.T(says))
	msg.Add(bot.Buttons{Items: []bot.Button{{Label: "Ask them", Action: actAsk, Value: m.Request.Value}}})
	no := bot.Private(msg).Denied("does not hold the role of the step")
	return &no
}

// old answers a button of a step that was decided meanwhile, and redraws.
func (m *aim) old() (bot.Reply, error) {
	says := "This step is not waiting for that now, so I have not run anything."
	switch s := m.step; {
	case m.run.State == setup.RunCancelled:
		says = "This run was cancelled, so I have not run anything."
	case m.run.State != setup.RunOpen:
		says = "This run is finished, so I have not run anything."
	case s.State == setup.Planned && m.digest != "" && m.digest != s.Plan.Digest:
		says = "The calls have changed since this card was drawn, so I have not run anything. Look at the new ones."
	case s.By != "" && !s.At.IsZero():
		return m.oldCard(bot.Join(bot.T("This was decided by "+m.name(s.By)+", "), bot.When(s.At, bot.DateTime), bot.T(". I have not run anything again.")))
	case s.Approval != nil:
		return m.oldCard(bot.Join(bot.T("This was approved by "+m.name(s.Approval.Person)+", "), bot.When(s.Approval.At, bot.DateTime), bot.T(". I have not run anything again.")))
	}
	return m.oldCard(bot.T(says))
}

// oldCard says why nothing was done and puts the newest card under it, and
// redraws the one in the ledger.
func (m *aim) oldCard(why bot.Text) (bot.Reply, error) {
	out := bot.Message{}
	out.Add(bot.Paragraph{Text: why})
	if m.Person.ID != "" {
		m.Redraw(&m.run, m.Person.ID)
	}
	out.Add(bot.Buttons{Items: []bot.Button{{Label: "My steps", Action: setup.ActMine, Value: m.run.ID}, {Label: "Status", Action: setup.ActStatus, Value: m.run.ID}}})
	return bot.Private(out), nil
}

// apply changes the run by one act and answers with nothing: the cards that
// follow are the answer.
func (m *aim) apply(act, note string, change func(r *setup.Run) error) (bot.Reply, error) {
	after := m.run.Clone()
	err := change(&after)
	if errors.Is(err, bot.ErrStale) {
		return m.old()
	}
	if err != nil {
		return say(err.Error() + ". Nothing was done."), nil
	}
	if act != "" {
		m.Record(bot.AuditEntry{Tenant: m.Tenant.ID, Person: m.Person.ID, Via: m.Request.From.String(), Act: act, Run: m.run.ID, Step: string(m.spec.ID), Change: m.run.NumbersOf(m.step), Note: note})
	}
	return bot.Reply{}, m.PutRun(&m.run, &after)
}
