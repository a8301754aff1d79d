package commands

import (
	"strings"

	"keyturn/bot"
)

// pictureVerb posts a picture where it was asked for: the services by day, or,
// with an ID, one incident over time. It is for everybody there, so the asker is
// told privately that it comes.
func pictureVerb(a *Ask) (bot.Reply, error) {
	m := bot.Message{}
	if len(a.Args) > 0 {
		k, no, err := a.issue(strings.ToUpper(a.Args[0]))
		if err != nil || no != nil {
			return orEmpty(no), err
		}
		m.Add(bot.Paragraph{Text: bot.Join(bot.B(k.Issue.ID), bot.T(" over time"))}, a.Timeline(a.Tenant, k))
	} else {
		w, err := a.Watch(a.Tenant.ID)
		if err != nil {
			return bot.Reply{}, err
		}
		if w.Good.IsZero() {
			return sayf("There is nothing to draw: service health of %s has not been read yet.", a.Tenant.Name), nil
		}
		picture, err := a.HeatMap(a.Tenant)
		if err != nil {
			return bot.Reply{}, err
		}
		m.Add(bot.Paragraph{Text: bot.B("The last 30 days")}, picture)
	}
	a.Say(a.Request.Place, m, bot.ClassClick)
	return say("It is drawn and posted here. If it does not come, invite me to this channel first."), nil
}
