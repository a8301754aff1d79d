package teams

import (
	"html"
	"net/http"
	"regexp"
	"strings"

	"keyturn/bot"
)

// quoted is the message on whose menu somebody acts. Source: Microsoft, "Define
// action commands" and "Create and send dialogs".
type quoted struct {
	ID   string `json:"id"`
	Body struct {
		Type    string `json:"contentType"`
		Content string `json:"content"`
	} `json:"body"`
}

var (
	unread = regexp.MustCompile(`(?is)<(script|style|attachment)\b[^>]*>.*?</(script|style|attachment)>`)
	inline = regexp.MustCompile(`(?i)</?(b|i|u|s|em|strong|span|a|code|at|font)(\s[^>]*)?>`)
	markup = regexp.MustCompile(`<[^>]*>`)
)

// words are what a message says, without its markup. It is text for a search,
// and is drawn as no more than that.
func (q quoted) words() string {
	text := q.Body.Content
	if strings.EqualFold(q.Body.Type, "html") || q.Body.Type == "" && strings.Contains(text, "<") {
		text = unread.ReplaceAllString(text, " ")
		text = inline.ReplaceAllString(text, "")
		text = html.UnescapeString(markup.ReplaceAllString(text, " "))
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
}

// serveMenu answers a command in the menu of a message: the same as a click on
// a button of that name whose value is what the message says. Only the person
// who acts sees the dialog.
func (a *Adapter) serveMenu(w http.ResponseWriter, r *http.Request, v activity, value invokeValue, in inbound) {
	in.Kind, in.Action, in.Value = bot.Clicked, value.CommandID, bot.Shorten(value.Message.words(), maxQuoted)
	if in.From.ID == "" || in.Action == "" {
		a.count("menu", skipNobody)
		answer(w, dialogSays("Teams did not say who you are, or what you chose. Try again from the Teams app."))
		return
	}
	reply, err := a.decide(r.Context(), "menu", in.Request)
	if err != nil {
		answer(w, dialogSays(bot.Apology(in.Request, err).Words()))
		return
	}
	card, err := a.replyCard(in, reply, true)
	switch {
	case err != nil:
		a.log.Error("a reply could not be drawn", "request", in.Key, "error", err)
		answer(w, dialogSays(bot.Apology(in.Request, err).Words()))
	case card == nil:
		answer(w, dialogSays("Done."))
	default:
		answer(w, dialog("Is this Microsoft?", card))
	}
}

// maxQuoted is how much of a message is read.
const maxQuoted = 2000
