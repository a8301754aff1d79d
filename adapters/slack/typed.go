package slack

import (
	"strings"

	"keyturn/bot"
)

// typedWords turns Slack's wire text into what the person typed, in words that
// are the same on every platform: a mention becomes [bot.Account.String], a
// channel [bot.Place.String] (both slack:T0123:X0456), a link what was typed
// for it. Source: Slack, "Formatting message text", section on retrieved
// messages.
func typedWords(team, text string) string {
	var b strings.Builder
	for text != "" {
		open := strings.IndexByte(text, '<')
		if open < 0 {
			break
		}
		end := strings.IndexByte(text[open:], '>')
		if end < 0 {
			break
		}
		b.WriteString(unescape(text[:open]))
		b.WriteString(entity(team, text[open+1:open+end]))
		text = text[open+end+1:]
	}
	b.WriteString(unescape(text))
	return strings.TrimSpace(b.String())
}

// entity is one <...> of Slack's text.
func entity(team, body string) string {
	id, label, labelled := strings.Cut(body, "|")
	switch {
	case strings.HasPrefix(id, "@"):
		return bot.Account{Platform: bot.Slack, Team: team, ID: id[1:]}.String()
	case strings.HasPrefix(id, "#"):
		return bot.Place{Platform: bot.Slack, Team: team, Channel: id[1:]}.String()
	case strings.HasPrefix(id, "!subteam^"):
		return bot.Account{Platform: bot.Slack, Team: team, ID: strings.TrimPrefix(id, "!subteam^")}.String()
	case strings.HasPrefix(id, "!date^"):
		return unescape(label)
	case strings.HasPrefix(id, "!"):
		return "@" + id[1:]
	}
	// Slack links what looks like a host or an address by itself; what was
	// typed is then the label and the end of the URL.
	if labelled && strings.HasSuffix(id, label) {
		return unescape(label)
	}
	return unescape(id)
}

var unescaper = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

func unescape(s string) string { return unescaper.Replace(s) }

// withoutMention removes the bot's own mention: every one where its ID is
// known, else the one that the text begins with.
func withoutMention(botUser, text string) string {
	text = strings.TrimSpace(text)
	if botUser == "" {
		if strings.HasPrefix(text, "<@") {
			if _, rest, ok := strings.Cut(text, ">"); ok {
				return strings.TrimSpace(rest)
			}
		}
		return text
	}
	for _, open := range []string{"<@" + botUser + ">", "<@" + botUser + "|"} {
		for {
			before, after, found := strings.Cut(text, open)
			if !found {
				break
			}
			if strings.HasSuffix(open, "|") {
				_, after, _ = strings.Cut(after, ">")
			}
			text = strings.TrimSpace(before) + " " + strings.TrimLeft(after, " \t\u00a0")
		}
	}
	return strings.TrimSpace(text)
}
