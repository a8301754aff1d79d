package bot

import (
	"strings"
	"time"
)

// Text is a run of spans. Renderers escape every span's text, so third-party
// words can neither ping nor forge formatting.
type Text []Span

// Span is a piece of text in one style. At most one of Link, Who, Group,
// In and Time is set; Text is then what is shown (for Time, when the platform cannot
// show the reader's own zone).
type Span struct {
	Text   string     `json:"text,omitempty"`
	Bold   bool       `json:"bold,omitempty"`
	Italic bool       `json:"italic,omitempty"`
	Strike bool       `json:"strike,omitempty"`
	Code   bool       `json:"code,omitempty"`
	Link   string     `json:"link,omitempty"`  // http(s) or mailto only; renderers drop others
	Who    *Account   `json:"who,omitempty"`   // mentions and notifies this account
	Group  string     `json:"group,omitempty"` // mentions a user group by the platform's ID
	In     *Place     `json:"in,omitempty"`    // names this channel and leads to it, where the platform can
	Time   *time.Time `json:"time,omitempty"`  // shown in the reader's zone
	Style  TimeStyle  `json:"style,omitempty"`
}

// TimeStyle says how much of a time is shown.
type TimeStyle string

// The time styles.
const (
	DateTime TimeStyle = ""     // 23 Nov 2026, 10:42
	DateOnly TimeStyle = "date" // 23 Nov 2026
	Clock    TimeStyle = "time" // 10:42
)

// T is plain text.
func T(s string) Text { return Text{{Text: s}} }

// B is bold text.
func B(s string) Text { return Text{{Text: s, Bold: true}} }

// I is italic text.
func I(s string) Text { return Text{{Text: s, Italic: true}} }

// C is text in a code span: values, names and IDs.
func C(s string) Text { return Text{{Text: s, Code: true}} }

// Link is linked text.
func Link(s, url string) Text { return Text{{Text: s, Link: url}} }

// When is a time in the reader's zone. Where the platform cannot do that, the
// words are in UTC and say so.
func When(t time.Time, style TimeStyle) Text {
	u := t.UTC()
	var s string
	switch style {
	case DateOnly:
		s = u.Format("2 Jan 2006")
	case Clock:
		s = u.Format("15:04 UTC")
	default:
		s = u.Format("2 Jan 2006 15:04 UTC")
	}
	return Text{{Text: s, Time: &u, Style: style}}
}

// Mention notifies an account; name is shown where the platform needs one.
func Mention(a Account, name string) Text { return Text{{Text: name, Who: &a}} }

// In names a channel and leads there, where the platform knows its name by its ID.
// Elsewhere the words say which platform it is of, and the ID where people can
// look for it: those of Teams they see nowhere.
func In(p Place) Text {
	p = p.Root()
	words := "a channel of Teams"
	if p.Platform == Slack {
		words = "a channel of Slack, " + p.Channel
	}
	return Text{{Text: words, In: &p}}
}

// Join puts texts after one another.
func Join(parts ...Text) Text {
	var out Text
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// Lines puts each text on a line of its own.
func Lines(lines ...Text) Text {
	var out Text
	for i, l := range lines {
		if i > 0 {
			out = append(out, Span{Text: "\n"})
		}
		out = append(out, l...)
	}
	return out
}

// Plain is the text without styles.
func (t Text) Plain() string {
	var b strings.Builder
	for _, s := range t {
		b.WriteString(s.Text)
	}
	return b.String()
}

// Empty reports whether the text has nothing to show.
func (t Text) Empty() bool { return strings.TrimSpace(t.Plain()) == "" }
