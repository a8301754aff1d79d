package incident

import (
	"net/url"
	"strings"

	"keyturn/bot"
)

// announceSize is how much of a message center post's body a chat shows.
const announceSize = 3500

// MessageLink is where the admin center shows a message center post.
func MessageLink(id string) string {
	return "https://admin.microsoft.com/Adminportal/Home#/MessageCenter/:/messages/" + url.PathEscape(id)
}

var categories = map[string]string{
	"preventorfixissue": "prevent or fix an issue",
	"planforchange":     "plan for change",
	"stayinformed":      "stay informed",
}

// Announce is a message center post as a message: what it is about, what has to
// be done by when, Microsoft's summary, and its text as far as it fits.
func Announce(a Announcement) bot.Message {
	var m bot.Message
	about := strings.Join(a.Services, ", ")
	if about == "" {
		about = "Microsoft 365"
	}
	m.Add(bot.Paragraph{Text: bot.Join(bot.B("Message center · "+about), bot.T(": "+CutAtSentence(oneLine(Convert(a.Title).Plain()), noticeSize)))},
		bot.Paragraph{Text: announceLine(a)})
	if s := Convert(a.Summary); !s.Empty() {
		m.Add(bot.Paragraph{Text: bot.Join(labelled("Summary"), CutText(s, latestSize*2))})
	}
	body := Convert(a.Body)
	short := CutText(body, announceSize)
	m.Add(Paragraphs(short)...)
	note := bot.Join(bot.Link(a.ID, MessageLink(a.ID)), bot.T(" in the Microsoft 365 admin center"))
	if length(short.Plain()) < length(body.Plain()) {
		note = append(note, bot.Span{Text: ", with the rest of the text"})
	}
	m.Add(bot.Note{Text: note})
	return fit(m, a.ID)
}

func announceLine(a Announcement) bot.Text {
	t := bot.T(capital(categoryWords(a.Category)))
	if s := enum(a.Severity); s != "" && s != "normal" {
		t = append(t, bot.Span{Text: " · "}, bot.Span{Text: StatusWords(a.Severity) + " severity", Bold: true})
	}
	if a.Major {
		t = append(t, bot.Span{Text: " · major change"})
	}
	if !a.ActBy.IsZero() {
		t = append(append(t, bot.Span{Text: " · act by "}), bot.When(a.ActBy, bot.DateOnly)...)
	}
	if len(a.Tags) > 0 {
		t = append(t, bot.Span{Text: " · " + strings.ToLower(strings.Join(a.Tags, ", "))})
	}
	if !a.Modified.IsZero() {
		t = append(append(t, bot.Span{Text: " · Microsoft updated "}), bot.When(a.Modified, bot.DateOnly)...)
	}
	return t
}
