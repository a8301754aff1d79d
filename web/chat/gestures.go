package chat

import (
	"fmt"
	"strings"

	"keyturn/sim/teams"
)

// teamsActions are what the visitor does in Microsoft Teams.
func (p *page) teamsActions() map[string]func(asked) (teams.Outcome, error) {
	s := p.cfg.Teams
	return map[string]func(asked) (teams.Outcome, error){
		"type": p.sayInTeams,
		"press": func(a asked) (teams.Outcome, error) {
			if a.Dialog != "" {
				return s.Press(a.User, a.Dialog, a.Click.Action, a.Inputs)
			}
			c := teams.Click{User: a.User, Conversation: a.Channel, Activity: a.TS, Action: a.Click.Action, Nth: a.Nth, Inputs: a.Inputs}
			out, err := s.Click(c)
			if err == nil {
				p.remember(c, out)
			}
			return out, err
		},
		"menu":    func(a asked) (teams.Outcome, error) { return s.MessageMenu(a.User, a.Channel, a.TS, a.Click.Action) },
		"dismiss": func(a asked) (teams.Outcome, error) { return teams.Outcome{}, s.Dismiss(a.User, a.Dialog) },
		"add":     func(a asked) (teams.Outcome, error) { return s.Install(a.User, a.Where) },
	}
}

// sayInTeams is the composer: "@keyturn" becomes the mention that Teams' own
// completion would make of it, and a line that begins with a slash the private
// command that its slash menu would send.
func (p *page) sayInTeams(a asked) (teams.Outcome, error) {
	s := p.cfg.Teams
	where, bot := a.Channel, s.Snapshot().App.BotName
	if a.Thread != "" {
		where += ";messageid=" + a.Thread
	}
	command, slash := strings.CutPrefix(strings.TrimSpace(a.Text), "/")
	if slash {
		if head, rest, ok := strings.Cut(command, " "); ok && strings.EqualFold(head, bot) {
			command = rest
		}
		if where == s.PersonalID(a.User) {
			return s.DM(a.User, command)
		}
		return s.Slash(a.User, where, command)
	}
	return s.Say(a.User, where, named(a.Text, bot))
}

// named writes every "@name" of the bot as its name is written.
func named(text, bot string) string {
	var b strings.Builder
	for text != "" {
		i := strings.IndexByte(text, '@')
		if i < 0 {
			break
		}
		b.WriteString(text[:i+1])
		text = text[i+1:]
		if len(text) >= len(bot) && strings.EqualFold(text[:len(bot)], bot) {
			b.WriteString(bot)
			text = text[len(bot):]
		}
	}
	return b.String() + text
}

// toldByTeams is what the visitor hears of an action; what the card or the
// dialog shows itself is not repeated.
func toldByTeams(out teams.Outcome, err error) done {
	switch {
	case err != nil:
		return done{Notice: sentence(err.Error()), Error: true}
	case len(out.Errors) > 0:
		return done{Notice: "Look at what is marked, then try again."}
	case out.Toast != "":
		return done{Notice: out.Toast}
	case out.Code != "":
		return done{} // it stands in red below the card
	case out.Shown != "":
		return done{Notice: out.Shown, Error: true}
	case out.Unsent == "the message does not name the bot":
		return done{Notice: "The bot heard nothing: the message does not name it. Begin with its name after an @."}
	case out.Unsent == "the client does this alone", out.Unsent == "the bot is there already":
		return done{}
	case out.Unsent != "":
		return done{Notice: "The bot did not hear this: " + out.Unsent + ".", Error: true}
	case out.Reason != "":
		return done{Notice: fmt.Sprintf("The bot did not take this (%s).", out.Reason), Error: true}
	}
	return done{}
}
