package commands

import (
	"fmt"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
)

func (a *Ask) bind(t *bot.Tenant) {
	a.Out.Bindings = append(a.Out.Bindings, engine.Binding{Place: a.Request.Place.Root(), Tenant: t.ID})
}

// homeOpened draws the person's own page.
func homeOpened(d *engine.Draft, r bot.Request) error {
	for _, t := range d.Env().Speaking(r.Place.Platform, r.Place.Team) {
		if _, known := t.Who(r.From); known || !r.Unsure {
			continue
		}
		if _, err := d.Guest(t, r.From); err != nil {
			return err
		}
	}
	d.Opened(r.From)
	return nil
}

// anewClick has the message that was clicked be drawn again.
func anewClick(a *Ask) (bot.Reply, error) {
	if ok, err := a.Anew(a.Request.Message); err != nil || ok {
		return bot.Reply{}, err
	}
	return say("I do not draw this message again. Leave the conversation and open it again to see it as it was."), nil
}

// life is what happens to the bot in a place: added, removed, uninstalled.
func life(d *engine.Draft, r bot.Request) error {
	switch r.Kind {
	case bot.Joined:
		if r.Place.Direct() {
			return met(d, r)
		}
		back, err := toldBefore(d, r)
		if err != nil {
			return err
		}
		m := bot.Say(bot.T("I am Keyturn. I tell a channel about Microsoft 365 service health, and I host the setup that needs several admins. To be told about incidents here: "),
			bot.C("/keyturn subscribe"), bot.T(". For everything else: "), bot.C("/keyturn help"))
		m.Parts = append(m.Parts, back...)
		m.Add(bot.Buttons{Items: []bot.Button{{Label: "Tell this channel", Action: actVerb, Value: "subscribe"}, {Label: "Set something up", Action: actVerb, Value: "setup"}, {Label: "Help", Action: actVerb, Value: "help"}}})
		d.Say(r.Place.Root(), m, bot.ClassChecklist)
		return nil
	case bot.Left:
		const why = "Keyturn was removed from the channel, or the channel is archived or deleted."
		if err := d.MoveRuns(r.Place, why); err != nil {
			return err
		}
		return stop(d, r, func(p bot.Place) bool { return p.Root() == r.Place.Root() }, why)
	default:
		return stop(d, r, func(p bot.Place) bool { return p.Platform == r.Place.Platform && p.Team == r.Place.Team },
			"Keyturn was uninstalled from the workspace, or its tokens were revoked.")
	}
}

// toldBefore says what a channel was told when the bot was last in it: adding it
// again does not go on by itself.
func toldBefore(d *engine.Draft, r bot.Request) ([]bot.Part, error) {
	for _, t := range d.Env().Speaking(r.Place.Platform, r.Place.Team) {
		s, ok, err := d.Subscription(t.ID, r.Place.Root())
		if err != nil {
			return nil, err
		}
		if ok && s.Stopped != "" {
			return []bot.Part{bot.Paragraph{Text: bot.T("Until I was removed, this channel was told: " + incident.InWords(s) + ". [Tell this channel] switches that on again.")}}, nil
		}
	}
	return nil, nil
}

// lost names what takes no messages any more: a channel, or those of a whole
// workspace.
func lost(at bot.Place, subscriptions int) bot.Text {
	switch {
	case at.Channel != "":
		return bot.In(at)
	case subscriptions == 1:
		return bot.T("the channel that was told")
	}
	return bot.T(fmt.Sprintf("the %d channels that were told", subscriptions))
}

// met greets a person in their direct messages, and gives them what waited for
// a way to reach them.
func met(d *engine.Draft, r bot.Request) error {
	m := bot.Say(bot.T("I am Keyturn. I write to you here when a step of a setup waits for you, and I answer questions about Microsoft 365 service health."))
	m.Add(bot.Buttons{Items: []bot.Button{{Label: "My steps", Action: actVerb, Value: "mine"}, {Label: "Service health", Action: actVerb, Value: "health"}, {Label: "Help", Action: actVerb, Value: "help"}}})
	d.Say(r.Place, m, bot.ClassChecklist)
	return d.Met(bot.Account{Platform: r.Place.Platform, Team: r.Place.Team, ID: r.Place.User})
}

// stop ends the subscriptions of places that take no messages any more and
// tells the admins of each tenant once.
func stop(d *engine.Draft, r bot.Request, gone func(bot.Place) bool, why string) error {
	for _, t := range d.Env().Speaking(r.Place.Platform, r.Place.Team) {
		subs, err := d.Subscriptions(t.ID)
		if err != nil {
			return err
		}
		stopped := 0
		for _, s := range subs {
			if s.Stopped == "" && gone(s.Place) {
				s.Stopped = why
				d.Out.Subscriptions = append(d.Out.Subscriptions, s)
				d.RefreshHome(t, s.By)
				stopped++
			}
		}
		if stopped > 0 {
			d.TellAdmins(t, bot.Say(bot.T("Service health no longer reaches "), lost(r.Place, stopped), bot.T(". "+why+
				" When it should go on, add me again and type /keyturn subscribe there.")))
		}
	}
	return nil
}
