package slack

import (
	"errors"
	"net/url"

	"keyturn/bot"
)

// parseCommand parses the form of a slash command. Source: Slack, "Implementing
// slash commands".
func (a *Adapter) parseCommand(body []byte) (inbound, url.Values, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return inbound{}, nil, errors.New("The form cannot be read.")
	}
	if form.Get("ssl_check") == "1" {
		return inbound{Skip: skipKind}, form, nil
	}
	team, user, trigger := form.Get("team_id"), form.Get("user_id"), form.Get("trigger_id")
	if team == "" || user == "" || trigger == "" || form.Get("command") == "" {
		return inbound{}, form, errors.New("The command has no team, user, trigger or name.")
	}
	who, _ := account(team, "", "", user)
	in := inbound{Request: bot.Request{
		Key:    deliveryKey("cmd", team, trigger),
		Kind:   bot.Typed,
		At:     a.now(),
		From:   who,
		Unsure: true,
		Name:   form.Get("user_name"),
		Place:  place(team, form.Get("channel_id"), "", user),
		Text:   typedWords(team, form.Get("text")),
		Inline: true,
		Return: a.back(form.Get("response_url"), trigger),
	}}
	if !a.knows(team) {
		in.Skip = skipWorkspace
	}
	return in, form, nil
}
