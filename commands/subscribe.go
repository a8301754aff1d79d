package commands

import (
	"slices"
	"strings"

	"keyturn/bot"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
)

// subscribeVerb makes this channel be told what the words say. Without words a
// channel that is told nothing gets what most want; one that is told something
// keeps it.
func subscribeVerb(a *Ask) (bot.Reply, error) {
	at := a.Request.Place.Root()
	if at.Direct() {
		m := bot.Say(bot.T("Type this in the channel that should be told, once I am in it. Or choose the channel here."))
		m.Add(bot.Buttons{Items: []bot.Button{{Label: "Tell a channel", Action: actSubs, Style: bot.Primary}}})
		return bot.Private(m), nil
	}
	base, _, err := a.base(at)
	if err != nil {
		return bot.Reply{}, err
	}
	sub, no, err := a.read(base, a.Words())
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	return a.subscribe(sub)
}

// base is what a channel is told, or what it would be told by default.
func (a *Ask) base(at bot.Place) (sub incident.Subscription, have bool, err error) {
	sub, have, err = a.Subscription(a.Tenant.ID, at)
	if !have {
		sub = incident.NewSubscription(a.Tenant.ZoneName())
		sub.Tenant, sub.Place = a.Tenant.ID, at
	}
	return sub, have, err
}

// read reads what was typed about a subscription; the reply says each thing
// that is wrong with it.
func (a *Ask) read(base incident.Subscription, words string) (incident.Subscription, *bot.Reply, error) {
	w, err := a.serviceWords()
	if err != nil {
		return base, nil, err
	}
	w.Base, w.Mention = base, a.mention
	sub, err := incident.ParseSubscription(words, w)
	if err == nil {
		return sub, nil, nil
	}
	m := bot.Say(bot.T("I have changed nothing. " + sentence(err)))
	m.Add(bot.Buttons{Items: []bot.Button{{Label: "Use the form", Action: actSubs}}})
	no := bot.Private(m)
	return base, &no, nil
}

// serviceWords is what names of services are read with.
func (a *Ask) serviceWords() (incident.Words, error) {
	names, all, err := a.serviceNames()
	return incident.Words{Services: names, All: all, Meant: func(name string) (string, bool) {
		meant, ok, err := a.serviceMeant(name)
		return meant, ok && err == nil
	}}, err
}

// mention finds who is meant by a word that the chat turned into an account.
// Slack's user groups are accounts too, by their letter.
func (a *Ask) mention(word string) (bot.Text, error) {
	who, err := bot.ParseAccount(word)
	if err != nil {
		return nil, errNobody(word)
	}
	if who.Platform == bot.Slack && strings.HasPrefix(who.ID, "S") {
		return bot.Text{{Text: "the on-call group", Group: who.ID}}, nil
	}
	name := who.ID
	if p, ok := a.Tenant.Who(who); ok {
		name = p.Name
	}
	return bot.Mention(who, name), nil
}

type errNobody string

func (e errNobody) Error() string {
	return "I cannot tell who “" + clipped(string(e), 40) + "” is: choose the person or user group from the list that the chat offers after @"
}

func (a *Ask) subscribe(sub incident.Subscription) (bot.Reply, error) {
	sub.By = a.Person.ID
	if err := a.Subscribe(sub, nil); err != nil {
		return bot.Reply{}, err
	}
	w, err := a.Watch(a.Tenant.ID)
	if err != nil {
		return bot.Reply{}, err
	}
	missing, err := a.nothingReads(w)
	if err != nil {
		return bot.Reply{}, err
	}
	if missing {
		m := bot.Say(bot.T("This channel is subscribed, but service health is not read for "+a.Tenant.Name+" yet: no Graph credential is configured, and no run has made one. The guide "), bot.C("direct"), bot.T(" makes one."))
		m.Add(bot.Buttons{Items: []bot.Button{{Label: "Start the guide", Action: setup.ActGuide, Value: "direct"}}})
		return bot.Private(m), nil
	}
	m := bot.Say(bot.T("Done. I say so in the channel. If nothing comes there, invite me to it."))
	m.Add(bot.Buttons{Items: []bot.Button{{Label: "Change it", Action: actSubs}}})
	return bot.Private(m), nil
}

// subscribeForm is the form's answer: the same as the command.
func subscribeForm(a *Ask) (bot.Reply, error) {
	if a.Request.Kind == bot.Clicked {
		return a.openSubscribe()
	}
	at := bot.Place{Platform: a.Request.Place.Platform, Team: a.Request.Place.Team, Channel: a.Request.One("channel")}
	if no, err := a.mayTell(at); err != nil || no != "" {
		return bot.Reply{Errors: map[string]string{"channel": no}}, err
	}
	base, _, err := a.base(at)
	if err != nil {
		return bot.Reply{}, err
	}
	sub, wrong := incident.FromForm(base, a.Request.Input)
	if len(wrong) > 0 {
		return bot.Reply{Errors: wrong}, nil
	}
	a.claim(at)
	return a.subscribe(sub)
}

// openSubscribe opens the form with what the channel is told now, and the
// tenant's services.
func (a *Ask) openSubscribe() (bot.Reply, error) {
	at := a.Request.Place.Root()
	base, _, err := a.base(at)
	if err != nil {
		return bot.Reply{}, err
	}
	if at.Direct() {
		base.Place.Channel = ""
	}
	services, err := a.services()
	if err != nil {
		return bot.Reply{}, err
	}
	f := incident.SubscriptionForm(base, services)
	f.Action, f.Value = actSubs, string(a.Tenant.ID)
	return bot.Reply{Form: &f}, nil
}

// services lists the tenant's own services, as far as a form can offer them.
func (a *Ask) services() ([]string, error) {
	names, _, err := a.serviceNames()
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(s string) bool { return len(s) > 75 })
	slices.Sort(names)
	return names[:min(len(names), 100)], nil
}
