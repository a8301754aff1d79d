package commands

import (
	"time"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// aboutAChannel answers what only makes sense in a channel where there is none.
func aboutAChannel() bot.Reply {
	return say("Type this in the channel that it is about. Here are only the two of us, so nothing was changed.")
}

// unsubscribeVerb stops telling this channel.
func unsubscribeVerb(a *Ask) (bot.Reply, error) {
	if a.Request.Place.Direct() {
		return aboutAChannel(), nil
	}
	s, ok, err := a.Subscription(a.Tenant.ID, a.Request.Place)
	if err != nil {
		return bot.Reply{}, err
	}
	if !ok {
		return say("This channel is not subscribed, so nothing changed."), nil
	}
	a.Unsubscribe(s)
	a.Record(bot.AuditEntry{Tenant: a.Tenant.ID, Person: a.Person.ID, Via: a.Request.From.String(), Act: "unsubscribe", Note: s.Place.String()})
	if s.Stopped == "" {
		a.Say(s.Place, bot.Say(bot.T(a.Person.Name+" switched service health off for this channel. "), bot.C(a.Table.Command+" subscribe"), bot.T(" switches it on again.")), bot.ClassHandoff)
	}
	return say("Done. This channel is told nothing more."), nil
}

// subscriptionsVerb shows what this channel is told, or changes it by words.
// Other channels are not named: the asker may not belong to them.
func subscriptionsVerb(a *Ask) (bot.Reply, error) {
	s, ok, err := a.Subscription(a.Tenant.ID, a.Request.Place)
	if err != nil {
		return bot.Reply{}, err
	}
	if len(a.Args) > 0 {
		return subscribeVerb(a)
	}
	var m bot.Message
	buttons := []bot.Button{{Label: "Change", Action: actSubs}, {Label: "Stop telling this channel", Action: actVerb, Value: "unsubscribe"}}
	if ok {
		m.Add(bot.Paragraph{Text: incident.Describe(s)}, bot.Note{Text: bot.Join(bot.T("By words: "),
			bot.C(a.Table.Command+" subscriptions incidents only; digest 08:00; quiet 22:00-06:00"))})
	} else {
		m.Add(bot.Paragraph{Text: bot.Join(bot.T("This place is told nothing. "), bot.C(a.Table.Command+" subscribe"), bot.T(" in a channel changes that."))})
		buttons = []bot.Button{{Label: "Tell a channel", Action: actSubs}}
	}
	if a.maps() {
		buttons = append(buttons, mappingButton)
	}
	m.Add(bot.Buttons{Items: buttons})
	return bot.Private(m), nil
}

// maintenanceVerb keeps quiet about what happens while somebody works on it;
// afterwards it is told in one message.
func maintenanceVerb(a *Ask) (bot.Reply, error) {
	s, ok, err := a.Subscription(a.Tenant.ID, a.Request.Place)
	if err != nil {
		return bot.Reply{}, err
	}
	if a.Request.Place.Direct() {
		return aboutAChannel(), nil
	}
	if !ok {
		return say("This channel is told nothing, so there is nothing to hold back."), nil
	}
	words := a.Words()
	switch words {
	case "":
		return say("From when to when? For example: " + a.Table.Command + " maintenance " + a.Now.AddDate(0, 0, 1).Format(time.DateOnly) + " 22:00 to " + a.Now.AddDate(0, 0, 2).Format(time.DateOnly) + " 04:00 of Exchange Online because of the move. " +
			a.Table.Command + " maintenance off ends it."), nil
	case "off", "over", "none":
		words = "no maintenance"
	default:
		words = "maintenance " + words
	}
	sub, no, err := a.read(s, words)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if n := len(sub.Maintenance); n > len(s.Maintenance) && !sub.Maintenance[n-1].To.After(a.Now) {
		return say("That time is over already, so there is nothing to hold back. I changed nothing."), nil
	}
	sub = incident.Current(sub, a.Now)
	if err := a.Change(sub); err != nil {
		return bot.Reply{}, err
	}
	a.Record(bot.AuditEntry{Tenant: a.Tenant.ID, Person: a.Person.ID, Via: a.Request.From.String(), Act: "maintenance", Note: s.Place.String() + ": " + words})
	a.Say(s.Place, bot.Say(bot.T(a.Person.Name+" changed the maintenance windows. "), incident.Describe(sub)), bot.ClassHandoff)
	return say("Done. I say so in the channel."), nil
}
