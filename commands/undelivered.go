package commands

import (
	"fmt"
	"strconv"
	"strings"

	"keyturn/bot"
	"keyturn/bot/engine"
)

// The buttons under a message that was given up.
const (
	actResend  = "resend"
	actDiscard = "discard" // forget it
)

// lettersShown is how many messages that were given up one answer lists.
const lettersShown = 8

// undeliveredVerb lists the messages that were given up, each with why, and
// sends them again or forgets them.
func undeliveredVerb(a *Ask) (bot.Reply, error) {
	letters, err := a.Undelivered(a.Tenant)
	if err != nil {
		return bot.Reply{}, err
	}
	if len(a.Args) == 2 && strings.EqualFold(a.Args[0], "again") {
		if strings.EqualFold(a.Args[1], "all") {
			return a.resendAll(letters)
		}
		return a.resend(a.Args[1])
	}
	if len(letters) == 0 {
		return say("Everything was delivered, or is still being tried."), nil
	}
	m := bot.Say(bot.B(fmt.Sprintf("%d given up", len(letters))))
	for i, l := range letters {
		if i == lettersShown {
			m.Add(bot.Note{Text: bot.T(fmt.Sprintf("And %d more.", len(letters)-i))})
			break
		}
		m.Add(bot.Paragraph{Text: bot.Join(a.letter(l), bot.T("\n"+clipped(l.Why, 300)))}, bot.Buttons{Items: []bot.Button{
			{Label: "Send again", Action: actResend, Value: jobValue(l.Job), Says: "Send again: message " + jobValue(l.Job)},
			{Label: "Forget it", Action: actDiscard, Value: jobValue(l.Job), Style: bot.Danger, Says: "Forget it: message " + jobValue(l.Job)}}})
	}
	m.Add(bot.Note{Text: bot.Join(bot.T("When what was wrong is mended: "), bot.C(a.Table.Command+" undelivered again all"))})
	return bot.Private(m), nil
}

// letter says which message it is. What was meant for one person alone is not
// repeated to another.
func (a *Ask) letter(l engine.Letter) bot.Text {
	if l.Place.Direct() {
		who := l.Place.User
		if p, ok := a.Tenant.Who(bot.Account{Platform: l.Place.Platform, Team: l.Place.Team, ID: l.Place.User}); ok {
			who = p.Name
		}
		return bot.Join(bot.T("A direct message to "+who+", "), bot.When(l.Made, bot.DateTime))
	}
	return bot.Join(bot.In(l.Place), bot.T(", "), bot.When(l.Made, bot.DateTime), bot.T(": "+clipped(l.Words, 120)))
}

func jobValue(id bot.JobID) string { return strconv.FormatUint(uint64(id), 10) }

func resendClick(a *Ask) (bot.Reply, error) { return a.resend(a.Request.Value) }

func (a *Ask) resend(value string) (bot.Reply, error) {
	return a.settle(value, a.Resend, "resend", "It is on its way again.")
}

func discardClick(a *Ask) (bot.Reply, error) {
	return a.settle(a.Request.Value, a.Discard, "discard", "Forgotten.")
}

func (a *Ask) settle(value string, do func(*bot.Tenant, bot.JobID) (bool, error), act, says string) (bot.Reply, error) {
	id, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		return sayf("Which one? %s undelivered lists them.", a.Table.Command), nil
	}
	ok, err := do(a.Tenant, bot.JobID(id))
	if err != nil {
		return bot.Reply{}, err
	}
	if !ok {
		return say("That message is not among those that were given up any more. Nothing was done."), nil
	}
	a.Record(bot.AuditEntry{Tenant: a.Tenant.ID, Person: a.Person.ID, Via: a.Request.From.String(), Act: act, Note: "message " + value})
	return say(says), nil
}

func (a *Ask) resendAll(letters []engine.Letter) (bot.Reply, error) {
	for _, l := range letters {
		if _, err := a.Resend(a.Tenant, l.Job); err != nil {
			return bot.Reply{}, err
		}
	}
	if len(letters) > 0 {
		a.Record(bot.AuditEntry{Tenant: a.Tenant.ID, Person: a.Person.ID, Via: a.Request.From.String(), Act: "resend", Note: fmt.Sprintf("%d messages", len(letters))})
	}
	return sayf("%d on their way again.", len(letters)), nil
}
