package teams

import (
	"html"
	"strings"

	"keyturn/bot"
)

// typedWords turns a message's text into what the person typed, in words that
// are the same on every platform: without the bot's own mention, and other
// people as [bot.Account.String]. Mentions are taken from the activity's
// entities, since a name in the text proves nothing. own says that the bot
// was mentioned.
func (a *Adapter) typedWords(v activity) (words string, own bool) {
	words = v.Text
	if v.TextFormat == "xml" {
		words = html.UnescapeString(words)
	}
	words = strings.NewReplacer("&nbsp;", " ", "\u00a0", " ").Replace(words)
	missed := false
	for _, m := range v.mentions() {
		if m.Mentioned.ID == "" {
			continue
		}
		mine := m.Mentioned.ID == v.Recipient.ID || strings.EqualFold(m.Mentioned.ID, a.botID())
		own = own || mine
		switch {
		case m.Text == "" || !strings.Contains(words, m.Text):
			missed = missed || mine
		case mine:
			words = strings.ReplaceAll(words, m.Text, " ")
		default:
			words = strings.Replace(words, m.Text, a.named(v, m), 1)
		}
	}
	if missed {
		words = withoutFirstTag(words)
	}
	return strings.TrimSpace(strings.TrimPrefix(strings.Join(trimmedLines(words), "\n"), "/")), own
}

// trimmedLines are the lines of a text, each without blanks at its ends.
func trimmedLines(s string) []string {
	var out []string
	for line := range strings.SplitSeq(bot.Tidy(s), "\n") {
		out = append(out, strings.TrimSpace(line))
	}
	return out
}

// withoutFirstTag drops a mention that the text begins with. Some clients
// write another name into the text than into the entity.
func withoutFirstTag(s string) string {
	t := strings.TrimSpace(s)
	if strings.HasPrefix(t, "<at>") {
		if _, rest, ok := strings.Cut(t, "</at>"); ok {
			return rest
		}
	}
	return s
}

// named is a person in the text. Teams names them by its own ID, which is known
// for those who wrote before; otherwise the name has to do.
func (a *Adapter) named(v activity, m mention) string {
	tenant := v.tenant()
	id := m.Mentioned.AadObjectID
	if id == "" {
		id, _ = recall[string](a, "alias", tenant, m.Mentioned.ID)
	}
	if id == "" {
		return first(bot.OneLine(m.Mentioned.Name), m.Text)
	}
	return bot.Account{Platform: bot.Teams, Team: tenant, ID: strings.ToLower(id)}.String()
}
