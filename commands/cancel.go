package commands

import (
	"slices"

	"keyturn/bot"
	"keyturn/bot/setup"
)

// cancelVerb asks which open run to cancel.
func cancelVerb(a *Ask) (bot.Reply, error) {
	runs, err := a.openRuns()
	if err != nil {
		return bot.Reply{}, err
	}
	if len(runs) == 0 {
		return say("Nothing is being set up now, so there is nothing to cancel."), nil
	}
	if len(runs) == 1 {
		return a.askCancel(&runs[0])
	}
	m := bot.Say(bot.T("Which run?"))
	var buttons []bot.Button
	for _, r := range runs {
		buttons = append(buttons, bot.Button{Label: string(r.Guide) + " " + r.ID, Action: setup.ActCancel, Value: r.ID})
	}
	m.Add(bot.Buttons{Items: buttons})
	return bot.Private(m), nil
}

func cancelClick(a *Ask) (bot.Reply, error) {
	m, no, err := a.aimRun(a.Request.Value)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	return a.askCancel(&m.run)
}

// mayEnd reports whether the person may end a run: the requester or an owner.
func (a *Ask) mayEnd(r *setup.Run) bool {
	return a.Person.ID == r.Requester || slices.Contains(a.Tenant.Owners, a.Person.ID)
}

// askCancel lists what exists already and asks once more.
func (a *Ask) askCancel(r *setup.Run) (bot.Reply, error) {
	if r.State != setup.RunOpen {
		return say("This run is over already."), nil
	}
	if !a.mayEnd(r) {
		return sayf("Only %s, who asked for the run, or an owner can cancel it. Nothing was done.", a.name(r.Requester)).Denied("neither who asked for the run nor an owner"), nil
	}
	sc, err := a.Scene(r, a.Request.Place)
	if err != nil {
		return bot.Reply{}, err
	}
	left := sc.Left()
	m := bot.Say(bot.B("Cancel this run?"), bot.Join(bot.T("\n"), sc.Title(), bot.T("\nThen nobody is asked for its steps any more. Cancelling undoes nothing.")))
	for _, p := range left.Parts {
		if _, ok := p.(bot.Buttons); !ok {
			m.Add(p)
		}
	}
	m.Add(bot.Buttons{Items: []bot.Button{{Label: "Cancel the run", Action: actReally, Value: r.ID, Style: bot.Danger, Says: "Cancel the run: " + r.ID},
		{Label: "Let it go on", Action: setup.ActStatus, Value: r.ID, Says: "Let it go on: show the status of the run"}}}, bot.Note{Text: bot.T("Run " + r.ID)})
	return bot.Private(m), nil
}

func reallyCancelClick(a *Ask) (bot.Reply, error) {
	return a.end(setup.RunCancelled, "cancel", "Cancelled by "+a.Person.Name+".")
}

// endClick ends a run whose service is gone.
func endClick(a *Ask) (bot.Reply, error) {
	return a.end(setup.RunEnded, "end", "The guide direct works today; cleanup removes what the connector left.")
}

func (a *Ask) end(state setup.RunState, act, why string) (bot.Reply, error) {
	m, no, err := a.aimRun(a.Request.Value)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if !a.mayEnd(&m.run) {
		return sayf("Only %s, who asked for the run, or an owner can end it. Nothing was done.", a.name(m.run.Requester)).Denied("neither who asked for the run nor an owner"), nil
	}
	after := m.run.Clone()
	if err := after.Finish(state, why, a.Now); err != nil {
		if m.run.State != setup.RunOpen {
			return say("This run is over already."), nil
		}
		return say("Not yet: " + err.Error() + "."), nil
	}
	a.Record(bot.AuditEntry{Tenant: a.Tenant.ID, Person: a.Person.ID, Via: a.Request.From.String(), Act: act, Run: m.run.ID, Note: why})
	m.tellRequester(bot.Join(bot.T("The run " + m.run.ID + " (" + string(m.run.Guide) + ", " + a.Tenant.Name + "), which you asked for, was ended by " + a.Person.Name + ". " + why)))
	if err := a.PutRun(&m.run, &after); err != nil {
		return bot.Reply{}, err
	}
	sc, err := a.Scene(&after, a.Request.Place)
	if err != nil {
		return bot.Reply{}, err
	}
	said := bot.Say(bot.B("Cancelled."), bot.T(" Nobody is asked for a step of this run any more."))
	if state == setup.RunEnded {
		said = bot.Say(bot.B("Ended: the service is gone."), bot.T(" Nobody is asked for a step of this run any more. "+why))
	}
	said.Add(sc.Left().Parts...)
	return bot.Private(said), nil
}
