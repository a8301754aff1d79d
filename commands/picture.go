package commands

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/incident"
)

// The days that a heat map may show: fewer say nothing, more cannot be told
// apart at the width of a chat.
const (
	fewestDays = 2
	mostDays   = 60
)

var issueID = regexp.MustCompile(`^(?i:[A-Z]{2}\d{5,})$`)

// pictureVerb posts a picture where it was asked for: services by day, or, with
// an ID, one incident over time. It is for everybody there, so the asker is told
// privately that it comes.
func pictureVerb(a *Ask) (bot.Reply, error) {
	m, no, err := a.picture()
	if err != nil || no != nil {
		return orEmpty(no), err
	}
	a.Say(a.Request.Place, m, bot.ClassClick)
	if a.Request.Place.Direct() {
		return say("It is drawn and comes here in a moment."), nil
	}
	return say("It is drawn and posted here. If it does not come, invite me to this channel first."), nil
}

func (a *Ask) picture() (m bot.Message, no *bot.Reply, err error) {
	if len(a.Args) == 1 && issueID.MatchString(a.Args[0]) {
		k, no, err := a.issue(strings.ToUpper(a.Args[0]))
		if err == nil && no == nil {
			m.Add(bot.Paragraph{Text: bot.Join(bot.B(k.Issue.ID), bot.T(" over time"))}, a.Timeline(a.Tenant, k))
		}
		return m, no, err
	}
	services, days, no, err := a.pictured()
	if err != nil || no != nil {
		return m, no, err
	}
	w, err := a.Watch(a.Tenant.ID)
	if err != nil {
		return m, nil, err
	}
	if w.Good.IsZero() {
		return m, refusal("There is nothing to draw: service health of %s has not been read yet.", a.Tenant.Name), nil
	}
	picture, err := a.HeatMap(a.Tenant, days, services...)
	title := fmt.Sprintf("The last %d days", days)
	if len(services) > 0 {
		title += " of " + strings.Join(services, ", ")
	}
	m.Add(bot.Paragraph{Text: bot.B(title)}, picture)
	return m, nil, err
}

// pictured reads which services a heat map is asked for, by any of their names,
// and for how many days.
func (a *Ask) pictured() (services []string, days int, no *bot.Reply, err error) {
	days = engine.PictureDays
	args := a.Args
	if n := len(args); n > 1 && strings.EqualFold(strings.TrimSuffix(args[n-1], "s"), "day") {
		args = args[:n-1]
	}
	if n := len(args); n > 0 {
		if number, err := strconv.Atoi(args[n-1]); err == nil {
			if number < fewestDays || number > mostDays {
				return nil, 0, refusal("I draw from %d to %d days. For example: %s picture Exchange Online 14", fewestDays, mostDays, a.Table.Command), nil
			}
			days, args = number, args[:n-1]
		}
	}
	if len(args) == 0 {
		return nil, days, nil, nil
	}
	w, err := a.serviceWords()
	if err != nil {
		return nil, 0, nil, err
	}
	services, err = incident.ReadServices(clipped(strings.Join(args, " "), 300), w)
	if err != nil {
		return nil, 0, refusal("I have drawn nothing. %s %s health all lists the services.", sentence(err), a.Table.Command), nil
	}
	return services, days, nil, nil
}

// sentence is what several errors say, as sentences.
func sentence(err error) string {
	says := strings.ReplaceAll(err.Error(), "\n", ". ")
	if strings.HasSuffix(says, "?") {
		return says
	}
	return says + "."
}

func refusal(format string, args ...any) *bot.Reply {
	r := sayf(format, args...)
	return &r
}
