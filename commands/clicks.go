package commands

import (
	"strings"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/recommend"
	"keyturn/bot/setup"
)

// The verbs of buttons that belong to no run.
const (
	actVerb    = "verb"     // run the command in the value
	actBind    = "bind"     // choose the tenant of a channel
	actStart   = "start"    // the start form
	actAsk     = "step-ask" // ask those who may
	actHistory = "history"  // an incident's history
	actOnIt    = "on-it"    // we are on it
	actReally  = "run-really-cancel"
	actSubs    = "subscribe"     // the subscription form
	actRole    = "role"          // the form of who holds a role
	actReplace = "replace-start" // the form that begins to replace a credential
	actMapping = "mapping-start" // the form that begins to say how ServiceNow incidents are filled
)

func clicks() []Click {
	return []Click{
		{actVerb, "help", Member, verbClick},
		{bot.DrawAnew, "help", Member, anewClick},
		{actBind, "help", Member, bindClick},
		{setup.ActGuide, "setup", Holder, guideClick},
		{actStart, "setup", Holder, startForm},
		{setup.ActStatus, "status", Known, statusClick},
		{setup.ActMine, "mine", Known, mineClick},
		{setup.ActNudge, "nudge", Known, nudgeClick},
		{setup.ActCancel, "cancel", Known, cancelClick},
		{actReally, "cancel", Known, reallyCancelClick},
		{setup.ActClean, "setup", Holder, cleanClick},
		{setup.ActReplace, "inventory", Holder, replaceClick},
		{actReplace, "inventory", Holder, replaceForm},
		{actMapping, "mapping", Holder, mappingForm},
		{setup.ActGoOn, "mine", Known, goOnClick},
		{setup.ActEnd, "cancel", Known, endClick},
		{setup.ActApprove, "mine", Known, approveClick},
		{setup.ActCalls, "mine", Known, callsClick},
		{setup.ActScript, "mine", Known, scriptClick},
		{setup.ActCheck, "mine", Known, checkClick},
		{setup.ActRetry, "mine", Known, retryClick},
		{setup.ActActivated, "mine", Known, activatedClick},
		{setup.ActGlass, "mine", Known, glassClick},
		{setup.ActTake, "mine", Known, takeClick},
		{setup.ActNotMe, "mine", Known, notMeClick},
		{setup.ActReject, "mine", Known, rejectClick},
		{setup.ActSkip, "mine", Known, skipClick},
		{setup.ActRemind, "mine", Known, remindClick},
		{setup.ActUndo, "mine", Known, undoClick},
		{setup.ActAnswer, "mine", Known, answerClick},
		{setup.ActDid, "mine", Known, answerClick},
		{setup.ActBring, "mine", Known, bringClick},
		{setup.ActSignIn, "mine", Known, signInClick},
		{setup.ActReveal, "mine", Known, revealClick},
		{setup.ActLink, "mine", Known, linkClick},
		{setup.ActLinkYes, "roles", Owner, linkYesClick},
		{setup.ActLinkNo, "roles", Owner, linkNoClick},
		{actAsk, "nudge", Known, askClick},
		{actSubs, "subscribe", Known, subscribeForm},
		{actRole, "roles", Owner, roleClick},
		{actHistory, "incident", Member, historyClick},
		{incident.ActionPage, "incident", Member, pageClick},
		{actOnIt, "on-it", Known, onItClick},
		{incident.ActionMute, "mute", Known, muteClick},
		{engine.ActionPage, "mine", Member, pageAgain},
		{engine.ActionUnmute, "unmute", Known, pageUnmuteClick},
		{engine.ActionRemind, "remind", Known, pageRemindClick},
		{actRecommend, "recommend", Member, recommendForm},
		{incident.ActionSolve, "recommend", Member, solveClick},
		{recommend.ActHelped, "recommend", Member, helpedClick},
		{recommend.ActNone, "recommend", Member, noneClick},
		{recommend.ActShare, "recommend", Member, shareClick},
		{recommend.ActNote, "recommend", Member, writeClick},
		{recommend.ActSignIn, "recommend", Known, visitClick},
		{recommend.ActAgain, "recommend", Member, againClick},
		{recommend.ActMessage, "recommend", Member, messageClick},
		{incident.ActionTicket, "incident", Known, ticketClick},
		{actResend, "undelivered", Owner, resendClick},
		{actDiscard, "undelivered", Owner, discardClick},
	}
}

// verbClick runs the command that a button names.
func verbClick(a *Ask) (bot.Reply, error) {
	words := strings.Fields(a.Request.Value)
	if len(words) == 0 {
		return menuVerb(a)
	}
	v, ok := a.Table.Verb(words[0])
	if !ok {
		return a.Table.unknown(words), nil
	}
	if no := a.may(v.Level); no != nil {
		return *no, nil
	}
	a.Args = words[1:]
	return v.Run(a)
}

// bindClick binds a channel to the chosen tenant and runs what was typed.
func bindClick(a *Ask) (bot.Reply, error) {
	id, text, _ := strings.Cut(a.Request.Value, "\n")
	if bound, ok, err := a.Bound(a.Request.Place.Root()); err != nil {
		return bot.Reply{}, err
	} else if ok && string(bound) != id {
		return sayf("This channel belongs to %s already, and keeps it. An owner can mend that in the configuration.", a.Tenant.Name), nil
	}
	for _, t := range a.Env().Speaking(a.Request.Place.Platform, a.Request.Place.Team) {
		if string(t.ID) != id {
			continue
		}
		var err error
		if a.Tenant, err = a.Effective(t); err != nil {
			return bot.Reply{}, err
		}
		a.Person, _ = t.Who(a.Request.From)
		if a.Request.Place.Channel != "" && !a.Request.Place.Direct() {
			a.bind(t)
		}
		a.Request.Value = text
		return verbClick(a)
	}
	return say("That tenant is no longer in the configuration. Type the command again."), nil
}

// OpensForm reports whether an action is answered with a form, where a
// platform has to know before it asks.
func (t *Table) OpensForm(action string) bool {
	switch action {
	case setup.ActGuide, actSubs, actRecommend, actRole, actMapping, setup.ActClean, setup.ActReject, setup.ActSkip, setup.ActNotMe, setup.ActAnswer, setup.ActGlass:
		return true
	case setup.ActReplace, setup.ActBring:
		return true
	}
	return false
}
