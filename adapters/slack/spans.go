package slack

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"keyturn/bot"
)

// span is a checked [bot.Span]: its text is tidy, and user, group and link
// hold only what Slack can show as such.
type span struct {
	text                       string
	bold, italic, strike, code bool
	link, user, group, channel string
	at                         time.Time
	style                      bot.TimeStyle
}

var (
	userID  = regexp.MustCompile(`^[UW][A-Z0-9]{1,30}$`)
	roomID  = regexp.MustCompile(`^[CG][A-Z0-9]{1,30}$`)
	groupID = regexp.MustCompile(`^S[A-Z0-9]{1,30}$`)
	emoji   = regexp.MustCompile(`:[A-Za-z0-9_+'\-]+:`)
)

// maxURL is the longest URL that Slack's buttons and images take; links in
// text are held to the same. Source: Slack, "Button element".
const maxURL = 3000

// maxLink is the longest link in text: with its label it must fit a section.
const maxLink = 2000

// maxName is how much is shown of a name or of a time in words.
const maxName = 80

// checked turns text into spans that can be drawn either way.
func checked(t bot.Text) []span {
	out := make([]span, 0, len(t))
	for _, s := range t {
		c := span{text: bot.Tidy(s.Text), bold: s.Bold, italic: s.Italic, strike: s.Strike, code: s.Code}
		switch {
		case s.Link != "":
			if u, ok := webLink(s.Link, maxLink); ok {
				c.link, c.code = u, false
				c.text = first(bot.OneLine(c.text), u)
			}
		case s.Who != nil:
			if s.Who.Platform == bot.Slack && userID.MatchString(s.Who.ID) {
				c.user = s.Who.ID
			}
			c.text = first(bot.Shorten(c.text, maxName), "somebody")
		case s.Group != "":
			if groupID.MatchString(s.Group) {
				c.group = s.Group
			}
			c.text = first(bot.Shorten(c.text, maxName), "a group")
		case s.In != nil && s.In.Platform == bot.Slack && roomID.MatchString(s.In.Channel):
			c.channel, c.code = s.In.Channel, false
			c.text = first(bot.Shorten(c.text, maxName), "a channel")
		case s.Time != nil && s.Time.Unix() > 0:
			c.at, c.style = *s.Time, s.Style
			c.text = first(fallback(bot.Shorten(c.text, maxName)), bot.When(*s.Time, s.Style).Plain())
		}
		if c.text != "" {
			out = append(out, c)
		}
	}
	return out
}

var (
	linkSafe = strings.NewReplacer("<", "%3C", ">", "%3E", "|", "%7C", " ", "%20", `"`, "%22", "`", "%60")
	dateSafe = strings.NewReplacer("|", "/", "<", "", ">", "", "^", "")
)

// webLink accepts http, https and mailto links and nothing else.
func webLink(s string, max int) (string, bool) {
	if s != strings.TrimSpace(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || bot.Hidden(r) }) {
		return "", false
	}
	u, err := url.Parse(s)
	if err != nil || !utf8.ValidString(s) {
		return "", false
	}
	switch {
	case (u.Scheme == "https" || u.Scheme == "http") && u.Host != "":
	case u.Scheme == "mailto" && strings.Contains(u.Opaque, "@"):
	default:
		return "", false
	}
	// What would end or divide Slack's <url|text> is written as URLs write it.
	s = linkSafe.Replace(s)
	return s, escapedUnits(s) <= max
}

// atomic reports whether the span cannot be cut.
func (s span) atomic() bool {
	return s.link != "" || s.user != "" || s.group != "" || s.channel != "" || !s.at.IsZero()
}

// cost is what the span counts in mrkdwn, which is never less than in rich
// text.
func (s span) cost() int { return bot.Units(s.mrkdwn()) }

// mrkdwn draws the span in Slack's own markup.
func (s span) mrkdwn() string {
	switch {
	case s.user != "":
		return s.wrap("<@" + s.user + ">")
	case s.group != "":
		return s.wrap("<!subteam^" + s.group + ">")
	case s.channel != "":
		return s.wrap("<#" + s.channel + ">")
	case !s.at.IsZero():
		return s.wrap("<!date^" + strconv.FormatInt(s.at.Unix(), 10) + "^" + s.tokens() + "|" + escape(s.text) + ">")
	case s.link != "":
		return s.wrap("<" + strings.ReplaceAll(s.link, "&", "&amp;") + "|" + escape(s.text) + ">")
	}
	core := strings.TrimSpace(s.text)
	if core == "" || !(s.bold || s.italic || s.strike || s.code) {
		return escape(s.text)
	}
	lead, trail, _ := strings.Cut(s.text, core)
	return lead + s.wrap(escape(core)) + trail
}

func (s span) wrap(core string) string {
	if s.code && !s.atomic() {
		core = "`" + core + "`"
	}
	if s.strike {
		core = "~" + core + "~"
	}
	if s.italic {
		core = "_" + core + "_"
	}
	if s.bold {
		core = "*" + core + "*"
	}
	return core
}

// tokens is how a time is shown. Source: Slack, "Date formatting".
func (s span) tokens() string {
	switch s.style {
	case bot.DateOnly:
		return "{date_short_pretty}"
	case bot.Clock:
		return "{time}"
	}
	return "{date_short_pretty} {time}"
}

// fallback is what a client shows that cannot format dates: it must not end
// the markup around it.
func fallback(s string) string { return dateSafe.Replace(s) }

func (s span) styled() bool { return s.bold || s.italic || s.strike || (s.code && !s.atomic()) }

// plainly reports whether mrkdwn shows the spans as they are meant: no text
// can be read as formatting, and every style has the borders that Slack wants
// around it.
func plainly(spans []span) bool {
	var b strings.Builder
	for i, s := range spans {
		if !s.harmless() {
			return false
		}
		if s.styled() {
			before, after := b.String(), ""
			if i+1 < len(spans) {
				after = spans[i+1].mrkdwn()
			}
			core := strings.TrimSpace(s.text)
			if core == "" || strings.Contains(core, "\n") {
				return false
			}
			if strings.HasPrefix(s.text, core) && !borderBefore(before) {
				return false
			}
			if strings.HasSuffix(s.text, core) && !borderAfter(after) {
				return false
			}
		}
		b.WriteString(s.mrkdwn())
	}
	for _, line := range strings.Split(b.String(), "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "&gt;") {
			return false
		}
	}
	return true
}

// harmless reports whether nothing in the span's text is formatting to Slack.
func (s span) harmless() bool {
	if s.user != "" || s.group != "" || s.channel != "" || !s.at.IsZero() {
		return true
	}
	if s.code && s.link == "" {
		return !strings.ContainsAny(s.text, "`\n\t")
	}
	if strings.ContainsAny(s.text, "*_~`") || emoji.MatchString(s.text) {
		return false
	}
	return s.link == "" || !strings.ContainsAny(s.text, "|<>")
}

func borderBefore(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return s == "" || unicode.IsSpace(r) || strings.ContainsRune("([{\"'“‘—–-/·", r)
}

func borderAfter(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return s == "" || unicode.IsSpace(r) || strings.ContainsRune(".,;:!?)]}\"'”’—–-/·…", r)
}

// mrkdwn draws spans in Slack's own markup.
func mrkdwn(spans []span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(s.mrkdwn())
	}
	return b.String()
}

// rich draws spans as elements of rich text, which take raw text.
func rich(spans []span) []slack.RichTextSectionElement {
	out := make([]slack.RichTextSectionElement, 0, len(spans))
	for _, s := range spans {
		var style *slack.RichTextSectionTextStyle
		if s.bold || s.italic || s.strike || s.code {
			style = &slack.RichTextSectionTextStyle{Bold: s.bold, Italic: s.italic, Strike: s.strike, Code: s.code && !s.atomic()}
		}
		switch {
		case s.user != "":
			out = append(out, slack.NewRichTextSectionUserElement(s.user, nil))
		case s.group != "":
			out = append(out, slack.NewRichTextSectionUserGroupElement(s.group))
		case s.channel != "":
			out = append(out, slack.NewRichTextSectionChannelElement(s.channel, nil))
		case !s.at.IsZero():
			words := s.text
			out = append(out, slack.NewRichTextSectionDateElement(s.at.Unix(), s.tokens(), nil, &words))
		case s.link != "":
			out = append(out, slack.NewRichTextSectionLinkElement(s.link, s.text, style))
		default:
			out = append(out, slack.NewRichTextSectionTextElement(s.text, style))
		}
	}
	return out
}

// split cuts spans so that the first piece costs at most max, at the best
// border there is. An atomic span that fits nowhere loses what made it atomic.
func split(spans []span, max int) (head, rest []span) {
	n := 0
	for i, s := range spans {
		c := s.cost()
		if n+c <= max {
			n += c
			head = spans[: i+1 : i+1] // most text is drawn as it is, and copied by nobody
			continue
		}
		if s.atomic() {
			if len(head) > 0 {
				return wholeLines(head, spans[i:], max/3)
			}
			s = span{text: s.text}
		}
		overhead := s.cost() - escapedUnits(s.text)
		most := bot.CutAt(s.text, max-n-overhead, escapedUnits)
		end := bot.Border(s.text, most)
		if end == most && len(head) > 0 && s.cost() <= max/4 {
			return head, spans[i:] // a short span without a border goes on whole
		}
		rest = append(rest, spans[i+1:]...)
		if end == 0 && len(head) == 0 {
			_, end = utf8.DecodeRuneInString(s.text)
		}
		left, right := s, s
		left.text, right.text = s.text[:end], s.text[end:]
		if left.text != "" {
			head = append(head, left)
		}
		if right.text != "" {
			rest = append([]span{right}, rest...)
		}
		return head, rest
	}
	return head, nil
}

// wholeLines moves the line that head ends in the middle of to the rest, where
// it has cost no more than most: a bullet stays with what it belongs to.
func wholeLines(head, rest []span, most int) ([]span, []span) {
	n := 0
	for i := len(head) - 1; i >= 0; i-- {
		s := head[i]
		at := strings.LastIndexByte(s.text, '\n') + 1
		if at == 0 || s.atomic() {
			if n += s.cost(); n > most {
				break
			}
			continue
		}
		left, right := s, s
		left.text, right.text = s.text[:at], s.text[at:]
		if n+escapedUnits(right.text) > most {
			break
		}
		moved := append([]span{}, head[i+1:]...)
		if right.text != "" {
			moved = append([]span{right}, moved...)
		}
		return append(append([]span{}, head[:i]...), left), append(moved, rest...)
	}
	return head, rest
}

// trim takes line breaks and blanks off both ends, and is empty where nothing
// is left to see.
func trim(spans []span) []span {
	const blank = " \t\n"
	for len(spans) > 0 && strings.TrimLeft(spans[0].text, blank) == "" {
		spans = spans[1:]
	}
	for len(spans) > 0 && strings.TrimLeft(spans[len(spans)-1].text, blank) == "" {
		spans = spans[:len(spans)-1]
	}
	if len(spans) == 0 {
		return nil
	}
	last := len(spans) - 1
	if strings.TrimLeft(spans[0].text, blank) == spans[0].text && strings.TrimRight(spans[last].text, blank) == spans[last].text {
		return spans // as nearly always: nothing is copied
	}
	spans = slices.Clone(spans)
	spans[0].text = strings.TrimLeft(spans[0].text, blank)
	spans[last].text = strings.TrimRight(spans[last].text, blank)
	return spans
}

// words is the spans' text.
func words(spans []span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(s.text)
	}
	return b.String()
}
