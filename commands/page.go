package commands

import (
	"slices"
	"strings"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// pageAgain is the bot's own page as it is now: where it is a message, in its
// place, and where it is a page, by drawing that anew.
func pageAgain(a *Ask) (bot.Reply, error) {
	if a.Person.ID == "" {
		a.Home(a.Request.From)
	} else {
		a.RefreshHome(a.Tenant, a.Person.ID)
	}
	if !a.Request.Message.Known() && a.Request.Return.URL.IsZero() { // no message holds the button
		return bot.Reply{}, nil
	}
	m, err := a.Page(a.Tenant, a.Request.From)
	if !a.Request.Place.Direct() { // a changed client can name any message of the channel: its place is not a page's
		return bot.Private(m), err
	}
	return bot.Reply{Message: &m, Redraw: true}, err
}

// pageUnmuteClick takes back that its reader is not mentioned, about an incident
// or in a channel. A second click finds nothing to take back.
func pageUnmuteClick(a *Ask) (bot.Reply, error) {
	id := a.Request.Value
	if s, ok, err := a.Subscribed(a.Tenant.ID, id); err != nil {
		return bot.Reply{}, err
	} else if ok {
		if i := slices.Index(s.Muted, a.Person.ID); i >= 0 {
			s.Muted = slices.Delete(slices.Clone(s.Muted), i, i+1)
			if err := a.Change(s); err != nil {
				return bot.Reply{}, err
			}
		}
		return pageAgain(a)
	}
	k, no, err := a.issue(id)
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	if slices.Contains(k.Muted, a.Person.ID) {
		k, _ = incident.Mute(k, a.Person.ID)
		a.Out.Incidents = append(a.Out.Incidents, k)
	}
	return pageAgain(a)
}

// remindAsUsual takes back every [Remind me tomorrow 09:00] of the asker whose
// step still waits, and names the steps.
func (a *Ask) remindAsUsual() (titles []string, err error) {
	later, err := a.PutOff(a.Tenant, a.Person)
	for _, l := range later {
		if err == nil {
			err = a.RemindAsUsual(a.Person, l)
		}
		titles = append(titles, l.Title)
	}
	return titles, err
}

func remindVerb(a *Ask) (bot.Reply, error) {
	if len(a.Args) > 0 && !slices.Contains([]string{"me", "my", "us", "as", "again", "usual"}, strings.ToLower(a.Args[0])) { // somebody else
		m := bot.Say(bot.C(a.Table.Command+" remind"), bot.T(" is about reminders of yours that you put off. Did you mean "), bot.C("nudge"), bot.T("? It reminds whoever a run waits for."))
		m.Add(bot.Buttons{Items: []bot.Button{{Label: "Nudge", Action: actVerb, Value: "nudge", Style: bot.Primary}}})
		return bot.Private(m), nil
	}
	titles, err := a.remindAsUsual()
	if err != nil {
		return bot.Reply{}, err
	}
	if len(titles) == 0 {
		return say("You have put nothing off. [Remind me tomorrow 09:00] on a step does that."), nil
	}
	return say("I remind you as usual again: " + strings.Join(titles, ", ") + "."), nil
}

func pageRemindClick(a *Ask) (bot.Reply, error) {
	if _, err := a.remindAsUsual(); err != nil {
		return bot.Reply{}, err
	}
	return pageAgain(a)
}
