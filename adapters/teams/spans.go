package teams

import (
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"keyturn/bot"
)

// span is a checked [bot.Span]: its text is tidy and on one line, and user and
// link hold only what Teams can show as such.
type span struct {
	text                       string
	bold, italic, strike, code bool
	link, user                 string
	at                         time.Time
	style                      bot.TimeStyle
}

// person is the form of an ID that a mention may carry: an Entra object ID, a
// Teams ID or a user principal name.
var person = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:_.@#\-]{0,199}$`)

const (
	maxLink = 2000
	maxName = 80
)

// checked turns text into lines of spans.
func checked(t bot.Text) [][]span {
	lines := [][]span{nil}
	add := func(s span) {
		if s.text != "" {
			last := len(lines) - 1
			lines[last] = append(lines[last], s)
		}
	}
	for _, s := range t {
		c := span{text: asTyped(bot.Tidy(s.Text)), bold: s.Bold, italic: s.Italic, strike: s.Strike, code: s.Code}
		switch {
		case s.Link != "":
			if u, ok := webLink(s.Link); ok {
				c.link, c.code = u, false
				c.text = first(bot.OneLine(c.text), bot.OneLine(s.Link))
				add(c)
				continue
			}
		case s.Who != nil:
			c.text = first(bot.Shorten(c.text, maxName), "somebody")
			c.bold = true
			if s.Who.Platform == bot.Teams && person.MatchString(s.Who.ID) {
				c.user = s.Who.ID
			}
			add(c)
			continue
		case s.Group != "":
			c.text = first(bot.Shorten(c.text, maxName), "a group")
			c.bold = true
		case s.Time != nil && s.Time.Unix() > 0 && s.Time.UTC().Year() <= 9999:
			c.at, c.style = s.Time.UTC(), s.Style
			c.text = first(bot.Shorten(c.text, maxName), bot.When(*s.Time, s.Style).Plain())
			add(c)
			continue
		}
		for i, line := range strings.Split(c.text, "\n") {
			if i > 0 {
				lines = append(lines, nil)
			}
			c.text = line
			add(c)
		}
	}
	return lines
}

// webLink accepts http, https and mailto links and nothing else, written so
// that they cannot end the markup around them.
func webLink(s string) (string, bool) {
	if s != strings.TrimSpace(s) || !utf8.ValidString(s) || bot.Units(s) > maxLink ||
		strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || bot.Hidden(r) || r == '\u2060' }) {
		return "", false
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "", false
	case (u.Scheme == "https" || u.Scheme == "http") && u.Host != "":
	case u.Scheme == "mailto" && strings.Contains(u.Opaque, "@"):
	default:
		return "", false
	}
	return linkSafe.Replace(s), true
}

var linkSafe = strings.NewReplacer("(", "%28", ")", "%29", "<", "%3C", ">", "%3E", " ", "%20", `"`, "%22", "`", "%60", `\`, "%5C", "{", "%7B", "}", "%7D", "*", "%2A", "[", "%5B", "]", "%5D", "|", "%7C")

// atomic reports whether the span cannot be cut.
func (s span) atomic() bool { return s.link != "" || s.user != "" || !s.at.IsZero() }

// marked reports whether the span needs what only a text block has: a mention
// or a time in the reader's zone.
func (s span) marked() bool { return s.user != "" || !s.at.IsZero() }

func (s span) styled() bool { return s.bold || s.italic || s.strike || s.code }

// joiner is invisible and takes no room: it breaks what would be read as markup
// where a character cannot be escaped.
const joiner = "\u2060"

// guard breaks what Teams looks for in any text of a card: mentions and dates.
func guard(s string) string {
	if strings.Contains(s, "<") {
		s = atTag.ReplaceAllString(s, "<"+joiner+"$1")
	}
	if strings.Contains(s, "{{") {
		s = dateCall.ReplaceAllString(s, "{"+joiner+"{$1")
	}
	return s
}

var (
	atTag    = regexp.MustCompile(`(?i)<(\s*/?\s*at\b)`)
	dateCall = regexp.MustCompile(`(?i)\{\{(\s*(?:DATE|TIME)\b)`)

	// anywhere and start are what Markdown could read as formatting in a text
	// block, in any place and at the beginning of a line.
	anywhere = regexp.MustCompile("[\\\\*_\\[\\]`~<|]|&[A-Za-z#]|://|(?i:\\bwww\\.)|\\{\\{")
	start    = regexp.MustCompile(`^\s*(?:[#>+=\-]|[0-9]{1,9}[.)])`)
)

// harmless reports whether a text block shows text as it is written.
func harmless(s string) bool { return !anywhere.MatchString(s) && !start.MatchString(s) }

// escape makes a text block show text as it is written, as far as Markdown has
// escapes for it, and breaks the rest.
func escape(s string, atStart bool) string {
	lead := ""
	if atStart {
		if hit := start.FindString(s); hit != "" {
			lead, s = hit[:len(hit)-1]+`\`+hit[len(hit)-1:], s[len(hit):]
		}
	}
	s = guard(s)
	var b strings.Builder
	for i, r := range s {
		switch r {
		case '\\', '*', '_', '[', ']', '`', '~', '|':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '<', '&':
			b.WriteRune(r)
			// At the end too: what follows may stand in the next span.
			if i+1 == len(s) || (!strings.HasPrefix(s[i+1:], joiner) && s[i+1] != ' ') {
				b.WriteString(joiner)
			}
		case ':':
			b.WriteRune(r)
			if strings.HasPrefix(s[i+1:], "//") {
				b.WriteString(joiner)
			}
		case '{':
			b.WriteRune(r)
			if i+1 == len(s) || strings.HasPrefix(s[i+1:], "{") {
				b.WriteString(joiner)
			}
		case '.':
			if i >= 3 && strings.EqualFold(s[i-3:i], "www") {
				b.WriteString(joiner)
			}
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return lead + b.String()
}

// moment is the markup of a time in the reader's zone.
// Source: Microsoft, "Text features" of Adaptive Cards.
func (s span) moment() string {
	at := s.at.Format("2006-01-02T15:04:05Z")
	switch s.style {
	case bot.DateOnly:
		return "{{DATE(" + at + ",SHORT)}}"
	case bot.Clock:
		return "{{TIME(" + at + ")}}"
	}
	return "{{DATE(" + at + ",SHORT)}} {{TIME(" + at + ")}}"
}

// split cuts a line so that the first piece has at most max units of text, at
// the best border there is.
func split(line []span, max int) (head, rest []span) {
	n := 0
	for i, s := range line {
		c := bot.Units(s.text)
		if n+c <= max {
			n += c
			head = append(head, s)
			continue
		}
		if s.atomic() {
			return head, line[i:]
		}
		end := bot.Border(s.text, bot.CutAt(s.text, max-n, bot.Units))
		left, right := s, s
		left.text, right.text = s.text[:end], s.text[end:]
		if left.text != "" {
			head = append(head, left)
		}
		return head, append([]span{right}, line[i+1:]...)
	}
	return head, nil
}

// trim takes blanks off both ends of a line.
func trim(line []span) []span {
	for len(line) > 0 && !line[0].marked() {
		s := line[0]
		if s.text = strings.TrimLeft(s.text, " \t\n"); s.text != "" {
			line = append([]span{s}, line[1:]...)
			break
		}
		line = line[1:]
	}
	for last := len(line) - 1; last >= 0 && !line[last].marked(); last = len(line) - 1 {
		s := line[last]
		if s.text = strings.TrimRight(s.text, " \t\n"); s.text != "" {
			line = append(append([]span{}, line[:last]...), s)
			break
		}
		line = line[:last]
	}
	return line
}

// words is a line's text.
func words(line []span) string {
	var b strings.Builder
	for _, s := range line {
		b.WriteString(s.text)
	}
	return b.String()
}
