package commands

import (
	"strings"

	"keyturn/bot"
	"keyturn/bot/engine"
)

// gates are the systems that accounts are linked at, as owners write them.
var gates = []struct {
	system bot.System
	word   string
}{{bot.Graph, "entra"}, {bot.ServiceNow, "servicenow"}}

// linked lists for owners whose accounts were confirmed in chat, each with the
// way back.
func (a *Ask) linked(m *bot.Message) error {
	list, err := a.Confirmed(a.Tenant)
	if err != nil || len(list) == 0 {
		return err
	}
	var items []bot.Pair
	var buttons []bot.Button
	for _, l := range list {
		for _, g := range gates {
			if g.system != l.System {
				continue
			}
			name := a.name(l.Person)
			items = append(items, bot.Pair{Label: name + " at " + engine.GateName(g.system), Value: bot.Join(bot.C(l.Account), bot.T(", confirmed by "+a.name(l.By)+" "), bot.When(l.Confirmed, bot.DateOnly))})
			buttons = append(buttons, bot.Button{Label: "Unlink " + short(l.Account), Action: actVerb, Value: "roles unlink " + name + " " + g.word, Says: "Unlink " + l.Account + ", an account of " + name,
				Confirm: &bot.Confirm{Title: "Unlink this account?", Text: "Their sign-in with it ends, and nothing more is run as it. They can ask for it to be linked again.", Yes: "Unlink it", No: "Keep it"}})
		}
	}
	m.Add(bot.Paragraph{Text: bot.T("Accounts that were confirmed in chat:")}, bot.Pairs{Items: items}, bot.Buttons{Items: buttons})
	return nil
}

// unlink takes back what was confirmed as somebody's account: <person> <system>.
func (a *Ask) unlink(words []string) (bot.Reply, error) {
	last := len(words) - 1
	for _, g := range gates {
		if !strings.EqualFold(words[last], g.word) {
			continue
		}
		p, no := a.find(strings.Join(words[:last], " "))
		if no != "" {
			return say(no + " I have changed nothing."), nil
		}
		accounts, err := a.Unlink(a.Tenant, a.Person.ID, p, g.system, a.Request.From)
		if err != nil {
			return bot.Reply{}, err
		}
		if len(accounts) == 0 {
			return sayf("No account of %s at %s was confirmed in chat, so there is nothing to take back. An account that the configuration names is changed there.", a.name(p), engine.GateName(g.system)), nil
		}
		return sayf("%s is no account of %s any more. Their sign-in at %s has ended, and I have told them.", strings.Join(accounts, ", "), a.name(p), engine.GateName(g.system)), nil
	}
	return say("Write for example: " + a.Table.Command + " roles unlink " + a.someone() + " entra. Or servicenow in the place of entra. I have changed nothing."), nil
}
