package commands

import (
	"errors"
	"strings"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// healthVerb says which services are not fine, worst first.
func healthVerb(a *Ask) (bot.Reply, error) {
	known, err := a.Incidents(a.Tenant.ID, false)
	if err != nil {
		return bot.Reply{}, err
	}
	w, err := a.Watch(a.Tenant.ID)
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Private(incident.Health(nil, known, w, a.Now)), nil
}

// incidentVerb shows one incident with its whole history.
func incidentVerb(a *Ask) (bot.Reply, error) {
	if len(a.Args) == 0 {
		return say("Which one? For example: " + a.Table.Command + " incident EX123456. " + a.Table.Command + " health lists the open ones."), nil
	}
	return a.history(strings.ToUpper(a.Args[0]))
}

func historyClick(a *Ask) (bot.Reply, error) { return a.history(a.Request.Value) }

func (a *Ask) history(id string) (bot.Reply, error) {
	k, err := a.Incident(a.Tenant.ID, id)
	if errors.Is(err, bot.ErrNotFound) {
		if r := []rune(id); len(r) > 20 {
			id = string(r[:20]) + "…"
		}
		return sayf("I do not know an incident %q of %s. %s health lists the open ones.", id, a.Tenant.Name, a.Table.Command), nil
	}
	if err != nil {
		return bot.Reply{}, err
	}
	return bot.Private(incident.History(k)), nil
}

// onItClick says that the clicker's team works on an incident.
func onItClick(a *Ask) (bot.Reply, error) {
	k, err := a.Incident(a.Tenant.ID, a.Request.Value)
	if errors.Is(err, bot.ErrNotFound) {
		return say("I no longer keep that incident."), nil
	}
	if err != nil {
		return bot.Reply{}, err
	}
	if k.Worker == a.Person.ID {
		return say("You said so already; the message names you."), nil
	}
	k.Worker, k.Working = a.Person.ID, a.Now
	a.Out.Incidents = append(a.Out.Incidents, k)
	return bot.Reply{}, a.Roots(a.Tenant, k.Issue.ID)
}
