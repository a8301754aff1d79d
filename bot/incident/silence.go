package incident

import (
	"strconv"
	"strings"
	"time"

	"keyturn/bot"
)

// blindLine says since when nothing is known. seen is the time that the reader
// has in mind: the date is only said where it is another.
func blindLine(w Watch, seen time.Time) bot.Text {
	since := w.Since()
	if since.IsZero() {
		since = w.Good
	}
	if since.IsZero() {
		return bot.Join(bot.B(markBlind+" Cannot read"), bot.T(" service health: it has not been read yet. This is not a green light."))
	}
	return bot.Join(bot.B(markBlind+" Cannot read"), bot.T(" service health since "), bot.When(since, styleAfter(seen, since)),
		bot.T(". This is not a green light."))
}

// Unreadable tells a channel that service health cannot be read. Why is for the
// admins: [UnreadableCause].
func Unreadable(w Watch) bot.Message {
	look := bot.Join(blindLine(w, w.Failing), bot.T("\nI go on trying and say here when it works again. Meanwhile look at the "),
		bot.Link("admin center", "https://admin.microsoft.com/Adminportal/Home#/servicehealth"))
	var public bot.Text
	if w.Public != nil {
		public = PublicWords(*w.Public, w.Public.Read)
	}
	if len(public) == 0 {
		return bot.Say(look, bot.T(" or at "), bot.Link("Microsoft's public status page", "https://status.cloud.microsoft"), bot.T("."))
	}
	m := bot.Say(look, bot.T("."))
	m.Add(bot.Paragraph{Text: public})
	return m
}

// UnreadableCause tells the admins why service health cannot be read.
func UnreadableCause(w Watch) bot.Message {
	m := bot.Say(blindLine(w, w.Failing))
	if f := strings.TrimSpace(w.Failure); f != "" {
		m.Add(bot.Paragraph{Text: bot.Join(labelled("Why"), bot.T(CutAtSentence(tidy(f), 1500)))})
	}
	m.Add(bot.Note{Text: bot.T("Failed in a row: " + strconv.Itoa(w.Tries) + ". I try again at least every 5 minutes.")})
	return m
}

// ReadableAgain tells a channel that service health is read again and what was
// missed.
func ReadableAgain(g Gap) bot.Message {
	var found []string
	for _, f := range []struct {
		n    int
		says string
	}{{g.New, "new"}, {g.Resolved, "resolved"}, {g.Reopened, "re-opened"}} {
		if f.n > 0 {
			found = append(found, strconv.Itoa(f.n)+" "+f.says)
		}
	}
	meanwhile := "Nothing happened meanwhile."
	if len(found) > 0 {
		meanwhile = "Meanwhile: " + strings.Join(found, ", ") + "."
	}
	return bot.Say(bot.T("I could not read service health from "), bot.When(g.From, bot.DateTime), bot.T(" to "),
		bot.When(g.To, styleAfter(g.From, g.To)), bot.T(". It is read again. "+meanwhile))
}
