package commands

import (
	"maps"
	"slices"
	"strings"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
)

// openRuns lists the tenant's open runs.
func (a *Ask) openRuns() ([]setup.Run, error) {
	runs, err := a.Runs(a.Tenant.ID)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(runs, func(r setup.Run) bool { return r.State != setup.RunOpen }), nil
}

// statusVerb answers who is waited for, for what, since when.
func statusVerb(a *Ask) (bot.Reply, error) {
	runs, err := a.openRuns()
	if err != nil {
		return bot.Reply{}, err
	}
	var m bot.Message
	for i := range runs {
		sc, err := a.Scene(&runs[i], a.Request.Place)
		if err != nil {
			return bot.Reply{}, err
		}
		m.Add(sc.Status().Parts...)
	}
	if len(runs) == 0 {
		m.Add(bot.Paragraph{Text: bot.Join(bot.T("Nothing is being set up now. "), bot.C(a.Table.Command+" setup"), bot.T(" starts a guide."))})
	}
	watch, err := a.Watch(a.Tenant.ID)
	if err != nil {
		return bot.Reply{}, err
	}
	missing, err := a.nothingReads(watch)
	if err != nil {
		return bot.Reply{}, err
	}
	switch {
	case !watch.Failing.IsZero():
		m.Add(bot.Paragraph{Text: bot.Join(bot.T("⚫ Cannot read service health since "), bot.When(watch.Since(), bot.DateTime), bot.T(". "+watch.Failure))})
		if watch.Public != nil {
			if says := incident.PublicWords(*watch.Public, a.Now); len(says) > 0 {
				m.Add(bot.Paragraph{Text: says})
			}
		}
	case !watch.Good.IsZero():
		m.Add(bot.Note{Text: bot.Join(bot.T("Service health was last read "), bot.When(watch.Good, bot.DateTime))})
	case !missing:
		m.Add(bot.Note{Text: bot.T("Service health of " + a.Tenant.Name + " is about to be read for the first time.")})
	default:
		m.Add(bot.Note{Text: bot.Join(bot.T("Service health is not read for "+a.Tenant.Name+" yet: no Graph credential is configured, and no run has made one. "), bot.C(a.Table.Command+" setup direct"), bot.T(" makes one."))})
	}
	if gaps := a.Tenant.Gaps(); a.may(Owner) == nil {
		for _, k := range slices.Sorted(maps.Keys(gaps)) {
			m.Add(bot.Paragraph{Text: bot.T("⛔ " + gaps[k])})
		}
	}
	return bot.Private(m), nil
}

func statusClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimRun(a.Request.Value)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	sc, err := a.Scene(&m.run, a.Request.Place)
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Private(sc.Status()), nil
}

// mineVerb shows the person's open steps of every run. In their direct messages
// it is what the bot's own page shows, which not every platform has.
func mineVerb(a *Ask) (bot.Reply, error) {
	if a.Request.Place.Direct() && a.Request.Place.Platform == bot.Teams { // which has no page
		a.KeepPage(a.Tenant, a.Request.From)
		return bot.Reply{}, nil
	}
	if a.Request.Place.Direct() {
		m, err := a.Page(a.Tenant, a.Request.From)
		return bot.Private(m), err
	}
	runs, err := a.openRuns()
	if err != nil {
		return bot.Reply{}, err
	}
	var m bot.Message
	for i := range runs {
		if err := a.addCards(&m, &runs[i]); err != nil {
			return bot.Reply{}, err
		}
	}
	if m.Empty() {
		m.Add(bot.Paragraph{Text: bot.T("Nothing waits for you.")})
		if len(runs) > 0 { // somebody else is waited for
			m.Add(bot.Buttons{Items: []bot.Button{{Label: "Status", Action: actVerb, Value: "status", Says: "Status: who is waited for"}}})
		}
	}
	return bot.Private(m), nil
}

func mineClick(a *Ask) (bot.Reply, error) {
	t, no, err := a.aimRun(a.Request.Value)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	var m bot.Message
	if err := a.addCards(&m, &t.run); err != nil {
		return bot.Reply{}, err
	}
	if m.Empty() {
		return say("Nothing waits for you in this run."), nil
	}
	return bot.Private(m), nil
}

// addCards adds the person's newest card of a run, if it has open steps.
func (a *Ask) addCards(m *bot.Message, r *setup.Run) error {
	n := len(r.Visits[a.Person.ID]) - 1
	if n < 0 {
		return nil
	}
	open := slices.ContainsFunc(r.Visits[a.Person.ID][n].Steps, func(id setup.StepID) bool {
		s := r.Step(id)
		return s != nil && !s.State.Settled()
	})
	if !open {
		return nil
	}
	sc, err := a.Scene(r, a.Request.Place)
	if err != nil {
		return err
	}
	m.Add(sc.Card(a.Person.ID, n).Parts...)
	return nil
}

// nudgeVerb reminds whoever the open runs wait for.
func nudgeVerb(a *Ask) (bot.Reply, error) {
	runs, err := a.openRuns()
	if err != nil {
		return bot.Reply{}, err
	}
	if len(runs) == 0 {
		return say("Nothing is being set up now, so nobody is waited for."), nil
	}
	var told []string
	for i := range runs {
		names, err := a.nudge(&runs[i], "")
		if err != nil {
			return bot.Reply{}, err
		}
		told = append(told, names...)
	}
	return nudged(told), nil
}

func nudgeClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimRun(a.Request.Value)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	told, err := a.nudge(&m.run, "")
	if err != nil {
		return bot.Reply{}, err
	}
	return nudged(told), nil
}

// askClick asks those who may do a step that the clicker may not.
func askClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimRun(a.Request.Value)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if m.spec == nil {
		return say("This button does not say which step it belongs to."), nil
	}
	told, err := a.nudge(&m.run, m.spec.ID)
	if err != nil {
		return bot.Reply{}, err
	}
	return nudged(told), nil
}

func nudged(told []string) bot.Reply {
	if len(told) == 0 {
		return say("Everybody who is waited for was reminded within the last four hours, so I have not done it again.")
	}
	slices.Sort(told)
	return say("Reminded: " + strings.Join(slices.Compact(told), ", ") + ".")
}

// nudge reminds those whom a run waits for and names them.
func (a *Ask) nudge(r *setup.Run, only setup.StepID) ([]string, error) {
	after := r.Clone()
	told, err := a.Nudge(&after, only, a.nameOfAsker())
	if err != nil || len(told) == 0 {
		return nil, err
	}
	var names []string
	for _, p := range told {
		names = append(names, a.name(p))
	}
	return names, a.PutRun(r, &after)
}

func (a *Ask) nameOfAsker() string {
	if a.Person.Name != "" {
		return a.Person.Name
	}
	return "A colleague"
}

// nothingReads reports whether service health can only be read once somebody makes
// a credential for it. The credential, which is sealed, is looked for only where
// no reading says already that there is one.
func (a *Ask) nothingReads(w incident.Watch) (bool, error) {
	if !w.Good.IsZero() || !w.Failing.IsZero() {
		return false, nil
	}
	reads, err := a.Reads(a.Tenant)
	return !reads, err
}
