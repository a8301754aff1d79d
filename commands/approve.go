package commands

import (
	"slices"
	"strings"
	"time"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// approveClick is a person's word on the plan that their card showed.
func approveClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimStep(a.Request.Value, setup.Planned)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if m.digest == "" {
		return m.old()
	}
	if no := m.uncalled(); no != nil {
		return *no, nil
	}
	if m.alone() {
		return m.ruled("You asked for this run, and this step creates a credential, so somebody else has to approve it: " + m.others() + ".").Denied("four eyes"), nil
	}
	for _, need := range m.run.Needs(a.Tenant.Changes, m.step.Plan.Calls) {
		if no := changeWrong(need.Rule, need.Number); no != "" {
			return m.ruled(no + " Cancel the run and start it with one."), nil
		}
	}
	if held, _ := m.run.Held(a.Tenant.Changes, m.step.Plan, a.Now); held != nil {
		return m.ruled(held.Plain()), nil
	}
	return m.approve("")
}

// uncalled says no to running a plan where Keyturn calls nothing.
func (m *aim) uncalled() *bot.Reply {
	system, none := setup.Uncalled(m.Tenant, m.step.Plan.Calls)
	if !none {
		return nil
	}
	no := sayf("Keyturn calls nothing at %s here, so I cannot run it. Take the script, then choose [I did it by hand].", system.Name())
	return &no
}

// alone reports whether whoever asked for the run would be the only one with a
// word on a step that creates a credential.
func (m *aim) alone() bool {
	return m.Tenant.FourEyes && m.spec.FourEyes && !m.step.Undoing && m.run.Requester == m.Person.ID
}

// aloneByHand says no to them where they say that they did it by hand: their word
// counts no more than their approval. What somebody else approved they may mend.
func (m *aim) aloneByHand() *bot.Reply {
	if a := m.step.Approval; !m.alone() || a != nil && a.Person != m.Person.ID {
		return nil
	}
	no := sayf("You asked for this run, and this step creates a credential, so somebody else has to say that it was done: %s. I have marked nothing.", m.others()).Denied("four eyes")
	return &no
}

// approve records the person's word on the plan. glass is the reason for which
// Keyturn's own rules are skipped.
func (m *aim) approve(glass string) (bot.Reply, error) {
	a := m.Ask
	account, no, err := m.signedIn()
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	lives := a.Tenant.ApprovalLives
	if lives == 0 {
		lives = time.Hour
	}
	approval := setup.Approval{Person: a.Person.ID, Account: account, Via: a.Request.From.String(),
		Digest: m.digest, Change: m.run.NumbersOf(m.step), Glass: glass, At: a.Now, Expires: a.Tenant.Hours.Add(a.Now, lives, a.Tenant.Zone)}
	after := m.run.Clone()
	if err := after.Approve(m.spec.ID, approval); err != nil {
		return m.old()
	}
	act := "approve"
	if glass != "" {
		act = "break-glass"
	}
	a.Record(bot.AuditEntry{Tenant: a.Tenant.ID, Person: a.Person.ID, Account: approval.Account, Via: approval.Via, Act: act,
		Run: m.run.ID, Step: string(m.spec.ID), Change: approval.Change, Plan: m.digest, Calls: m.step.Plan.Calls, Exists: m.step.Plan.Exists, Note: glass})
	return bot.Reply{}, a.PutRun(&m.run, &after)
}

func (m *aim) others() string {
	var names []string
	for _, p := range m.run.HoldersOf(m.spec.Role) {
		if p != m.Person.ID {
			names = append(names, m.name(p))
		}
	}
	return named(names, "an owner has to name a second "+m.spec.Role.Title())
}

// systemOf is the system that a plan writes to.
func systemOf(p *setup.Plan) bot.System {
	for _, c := range p.Calls {
		if c.Write() {
			return c.System
		}
	}
	return bot.Graph
}

// callsClick shows the plan in full, to everybody who may see the run.
func callsClick(a *Ask) (bot.Reply, error) { return a.showPlan(setup.Scene.ExactCalls) }

// scriptClick gives the same calls as a script.
func scriptClick(a *Ask) (bot.Reply, error) { return a.showPlan(setup.Scene.Script) }

// showPlan draws the calls of a step, or where it is done by hand and has no plan
// its searches.
func (a *Ask) showPlan(draw func(setup.Scene, *setup.Spec, *setup.Step) bot.Message) (bot.Reply, error) {
	m, no, err := a.aimRun(a.Request.Value)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	sc, err := a.Scene(&m.run, a.Request.Place)
	if err != nil {
		return bot.Reply{}, err
	}
	if m.spec == nil || m.step.Plan == nil && (a.Request.Action != setup.ActScript || len(m.spec.Lookups(sc.Context())) == 0) {
		return say("There are no calls to show for this step now."), nil
	}
	return bot.Private(draw(sc, m.spec, m.step)), nil
}

// checkClick reads back what a person did by hand.
func checkClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimStep(a.Request.Value, setup.Open, setup.Planned, setup.Failed, setup.Unsigned)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if m.spec.API == nil || m.spec.API.Verify == nil {
		return say("No API can check this step. Use the other buttons of its card."), nil
	}
	if no := m.aloneByHand(); no != nil {
		return *no, nil
	}
	return m.apply("check", "done by hand", func(r *setup.Run) error { return r.Check(m.spec.ID, a.Person.ID) })
}

// bringClick takes a person's word on a step that nothing may read back, with
// the values that later steps need.
func bringClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimStep(a.Request.Value, setup.Open, setup.Planned, setup.Failed)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if no := m.aloneByHand(); no != nil {
		return *no, nil
	}
	c, err := a.Context(&m.run)
	if err != nil {
		return bot.Reply{}, err
	}
	inputs := m.spec.Brings(c)
	if len(inputs) == 0 {
		return say("This step needs no values. Use the other buttons of its card."), nil
	}
	if a.Request.Kind == bot.Clicked {
		f := bot.Form{Action: setup.ActBring, Value: a.Request.Value, Title: "Done by hand", Submit: "Done", Inputs: inputs}
		f.Intro = append(f.Intro, bot.Paragraph{Text: bot.B(m.spec.Title)})
		return bot.Reply{Form: &f}, nil
	}
	in := map[string]string{}
	for _, x := range inputs {
		in[x.Name] = a.Request.One(x.Name)
	}
	facts, wrong := m.spec.Brought(c, in)
	if len(wrong) > 0 {
		return bot.Reply{Errors: wrong}, nil
	}
	return m.apply("check", "done by hand", func(r *setup.Run) error {
		r.Keep(m.spec.ID, facts, a.Now)
		r.Step(m.spec.ID).Answers = facts
		return r.Check(m.spec.ID, a.Person.ID)
	})
}

// retryClick reads a failed step again, for a new plan.
func retryClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimStep(a.Request.Value, setup.Failed, setup.Planned, setup.Unsigned)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	return m.apply("retry", "", func(r *setup.Run) error {
		r.Step(m.spec.ID).As = a.Person.ID
		return r.Retry(m.spec.ID)
	})
}

// goOnClick goes on although the service is gone: only to rehearse.
func goOnClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimRun(a.Request.Value)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if a.Person.ID != m.run.Requester && !slices.Contains(a.Tenant.Owners, a.Person.ID) {
		return sayf("Only %s, who asked for the run, or an owner can say go on.", m.name(m.run.Requester)).Denied("neither who asked for the run nor an owner"), nil
	}
	if m.spec == nil {
		return say("This button does not say which step it belongs to. Type " + a.Table.Command + " mine to see your steps."), nil
	}
	if m.run.State != setup.RunOpen || m.step.State != setup.Failed {
		return m.old()
	}
	return m.apply("go-on", "the service is gone; a rehearsal", func(r *setup.Run) error {
		r.GoOn = true
		return r.Retry(m.spec.ID)
	})
}

// undoClick plans the way back of a step.
func undoClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimStep(a.Request.Value, setup.Done)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	sc, err := a.Scene(&m.run, a.Request.Place)
	if err != nil {
		return bot.Reply{}, err
	}
	if !sc.Undoable(m.spec, m.step) {
		return say("This step cannot be undone now: a later step builds on it. Cancel the run and clean up, or undo the later step first."), nil
	}
	return m.apply("undo", "", func(r *setup.Run) error {
		return r.Unmake(m.spec.ID, m.spec.API.Back(sc.Context()), a.Now)
	})
}

// answerClick takes a guided step's word, or opens its form; submitting the
// form comes back here with the values.
func answerClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimStep(a.Request.Value, setup.Open, setup.Failed, setup.Planned)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	g := m.spec.Guided
	if g == nil {
		return say("This step has no form. Use the other buttons of its card."), nil
	}
	if need, ok := m.run.ByHandNeeds(a.Tenant.Changes, m.spec); ok {
		if no := changeWrong(need.Rule, need.Number); no != "" {
			return sayf("%s Cancel the run and start it with one. I have not recorded anything.", no), nil
		}
		if held := m.run.HeldByHand(a.Tenant.Changes, m.spec, a.Now); held != nil {
			return bot.Private(bot.Say(held, bot.T(" I have not recorded anything."))), nil
		}
	}
	c, err := a.Context(&m.run)
	if err != nil {
		return bot.Reply{}, err
	}
	if g.Ask != nil && a.Request.Kind == bot.Clicked {
		f := bot.Form{Action: setup.ActAnswer, Value: a.Request.Value, Title: "Enter the values", Submit: "Check", Inputs: g.Ask(c)}
		f.Intro = append(f.Intro, bot.Paragraph{Text: bot.B(m.spec.Title)})
		return bot.Reply{Form: &f}, nil
	}
	answers := map[string]string{}
	if g.Ask != nil { // a card may send along what nobody asked for
		for _, in := range g.Ask(c) {
			if v, ok := a.Request.Input[in.Name]; ok {
				answers[in.Name] = strings.TrimSpace(strings.Join(v, ","))
			}
		}
	}
	var facts map[string]string
	if g.Accept != nil {
		var wrong map[string]string
		if facts, wrong = g.Accept(c, answers); len(wrong) > 0 {
			return bot.Reply{Errors: wrong}, nil
		}
	}
	return m.apply("confirm", m.spec.Title, func(r *setup.Run) error {
		s := r.Step(m.spec.ID)
		switch {
		case m.spec.API == nil:
			r.Confirm(m.spec.ID, a.Person.ID, answers, facts, a.Now)
		case m.spec.API.Plan != nil: // the values are what the plan needs
			r.Keep(m.spec.ID, facts, a.Now)
			s.Answers, s.State, s.Problem, s.Plan = answers, setup.Looking, nil, nil
		default:
			r.Keep(m.spec.ID, facts, a.Now)
			s.Answers, s.State, s.By, s.Problem = answers, setup.Checking, a.Person.ID, nil
		}
		return nil
	})
}
