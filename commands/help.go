package commands

import (
	"strings"

	"keyturn/bot"
)

// helpVerb lists every verb by task, from the table.
func helpVerb(a *Ask) (bot.Reply, error) {
	var m bot.Message
	group := ""
	var lines []bot.Text
	flush := func() {
		if len(lines) > 0 {
			m.Add(bot.Paragraph{Text: bot.Lines(append([]bot.Text{bot.B(group)}, lines...)...)})
		}
		lines = nil
	}
	for _, v := range a.Table.Verbs {
		if v.Group != group {
			flush()
			group = v.Group
		}
		line := bot.Join(bot.C(a.Table.Command+" "+v.Example), bot.T(" · "+v.What))
		if a.may(v.Level) != nil {
			line = bot.Join(line, bot.T(" (not with your account)"))
		}
		lines = append(lines, line)
	}
	flush()
	m.Add(bot.Paragraph{Text: a.whoami()})
	m.Add(bot.Buttons{Items: []bot.Button{{Label: "Set something up", Action: actVerb, Value: "setup", Style: bot.Primary}, {Label: "Service health", Action: actVerb, Value: "health"}}})
	if a.Request.Place.Platform == bot.Slack {
		m.Add(bot.Note{Text: bot.T("Commands do not work in threads: there, mention me with the same words.")})
	}
	return bot.Private(m), nil
}

// whoami says what the asker may do here.
func (a *Ask) whoami() bot.Text {
	if a.Person.ID == "" {
		return bot.T("I do not know your account for " + a.Tenant.Name + ". You can ask for health, incidents and help. An owner can add you in the configuration.")
	}
	var roles []string
	for _, r := range bot.Roles {
		if a.Tenant.Holds(a.Person.ID, r) {
			roles = append(roles, r.Title())
		}
	}
	if len(roles) == 0 {
		return bot.T("You are " + a.Person.Name + " and hold no role for " + a.Tenant.Name + ".")
	}
	return bot.T("You are " + a.Person.Name + ". For " + a.Tenant.Name + " you are: " + strings.Join(roles, ", ") + ".")
}

// menuVerb is the answer to the bare command.
func menuVerb(a *Ask) (bot.Reply, error) {
	m := bot.Say(bot.B("What can I do for you?"))
	m.Add(bot.Buttons{Items: []bot.Button{
		{Label: "Service health", Action: actVerb, Value: "health", Style: bot.Primary},
		{Label: "My steps", Action: actVerb, Value: "mine"},
		{Label: "Status", Action: actVerb, Value: "status"},
		{Label: "Set something up", Action: actVerb, Value: "setup"},
		{Label: "Tell a channel", Action: actSubs},
		{Label: "Help", Action: actVerb, Value: "help"},
	}})
	m.Add(bot.Note{Text: bot.T("The same by command: " + a.Table.Command + " health, mine, status, setup, subscribe, help")})
	return bot.Private(m), nil
}
