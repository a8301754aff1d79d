package commands

import (
	"errors"
	"slices"
	"strings"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// issue finds the incident that a button or a word means; the reply says why
// there is none.
func (a *Ask) issue(id string) (incident.Known, *bot.Reply, error) {
	id = strings.ToUpper(strings.TrimSpace(id))
	k, err := a.Incident(a.Tenant.ID, id)
	if errors.Is(err, bot.ErrNotFound) {
		no := sayf("I do not keep an incident “%s” of %s. %s incidents lists the open ones.", clipped(id, 20), a.Tenant.Name, a.Table.Command)
		return k, &no, nil
	}
	return k, nil, err
}

// onItVerb and onItClick say that the asker works on an incident.
func onItVerb(a *Ask) (bot.Reply, error) {
	if len(a.Args) == 0 {
		return say("On which one? For example: " + a.Table.Command + " on-it EX123456."), nil
	}
	return a.onIt(idOf(a.Args))
}

func onItClick(a *Ask) (bot.Reply, error) { return a.onIt(a.Request.Value) }

func (a *Ask) onIt(id string) (bot.Reply, error) {
	k, no, err := a.issue(id)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if k.Worker == a.Person.ID {
		return say("You said so already; the message names you."), nil
	}
	k.Worker, k.Working = a.Person.ID, a.Now
	a.Out.Incidents = append(a.Out.Incidents, k)
	if err := a.Roots(a.Tenant, k.Issue.ID); err != nil {
		return bot.Reply{}, err
	}
	if a.Request.Kind == bot.Clicked {
		return bot.Reply{}, nil // the message that was clicked names the person
	}
	return sayf("Noted. The messages about %s name you.", k.Issue.ID), nil
}

// muteVerb and muteClick have the asker not be mentioned about an incident any
// more, or again. Without an incident it is about everything in this channel.
func muteVerb(a *Ask) (bot.Reply, error) {
	if len(a.Args) > 0 {
		return a.mute(idOf(a.Args))
	}
	if a.Request.Place.Direct() {
		return say("Type this in the channel that it is about, or name an incident: " + a.Table.Command + " mute EX123456."), nil
	}
	s, ok, err := a.Subscription(a.Tenant.ID, a.Request.Place)
	if err != nil {
		return bot.Reply{}, err
	}
	if !ok {
		return say("This channel is told nothing, so nobody is mentioned here. For one incident: " + a.Table.Command + " mute EX123456."), nil
	}
	says := "I do not mention you in this channel any more. " + a.Table.Command + " mute again takes that back."
	if i := slices.Index(s.Muted, a.Person.ID); i >= 0 {
		s.Muted = slices.Delete(slices.Clone(s.Muted), i, i+1)
		says = "I mention you in this channel again, where you are on call."
	} else {
		s.Muted = append(slices.Clone(s.Muted), a.Person.ID)
	}
	a.RefreshHome(a.Tenant, a.Person.ID)
	return say(says), a.Change(s)
}

func muteClick(a *Ask) (bot.Reply, error) { return a.mute(a.Request.Value) }

func (a *Ask) mute(id string) (bot.Reply, error) {
	k, no, err := a.issue(id)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	k, muted := incident.Mute(k, a.Person.ID)
	a.Out.Incidents = append(a.Out.Incidents, k)
	a.RefreshHome(a.Tenant, a.Person.ID)
	if muted {
		return sayf("I do not mention you about %s any more. The channel goes on being told.", k.Issue.ID), nil
	}
	return sayf("I mention you about %s again, where you are on call.", k.Issue.ID), nil
}

// unmuteVerb has the asker be mentioned again, about an incident or in this
// channel. It never mutes, so that it may be asked twice.
func unmuteVerb(a *Ask) (bot.Reply, error) {
	if len(a.Args) > 0 {
		k, no, err := a.issue(idOf(a.Args))
		if err != nil || no != nil {
			return orEmpty(no), err
		}
		if !slices.Contains(k.Muted, a.Person.ID) {
			return sayf("%s is not muted for you.", k.Issue.ID), nil
		}
		return a.mute(k.Issue.ID)
	}
	s, ok, err := a.Subscription(a.Tenant.ID, a.Request.Place)
	if err != nil {
		return bot.Reply{}, err
	}
	if !ok || !slices.Contains(s.Muted, a.Person.ID) {
		return say("This place is not muted for you. For one incident: " + a.Table.Command + " unmute EX123456."), nil
	}
	return muteVerb(a)
}

// ticketClick has the ServiceNow incident of an issue made, or says where it
// is.
func ticketClick(a *Ask) (bot.Reply, error) {
	k, no, err := a.issue(a.Request.Value)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	number, link, mapped, err := a.Ticket(a.Tenant, k.Issue.ID)
	switch {
	case err != nil:
		return bot.Reply{}, err
	case link != "":
		return bot.Private(bot.Say(bot.T("There is one already: "), bot.Link(number, link))), nil
	case !mapped:
		m := bot.Say(bot.T("Keyturn has not learned yet how ServiceNow incidents are filled here. A ServiceNow admin or an owner says it with "), bot.C(a.Table.Command+" mapping"), bot.T("."))
		if a.maps() {
			m.Add(bot.Buttons{Items: []bot.Button{mappingButton}})
		}
		return bot.Private(m), nil
	}
	a.MakeTicket(k)
	a.Record(bot.AuditEntry{Tenant: a.Tenant.ID, Person: a.Person.ID, Via: a.Request.From.String(), Act: "servicenow-incident", Note: k.Issue.ID})
	return sayf("I make a ServiceNow incident for %s. The message links to it in a moment.", k.Issue.ID), nil
}
