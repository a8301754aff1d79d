package chat

import (
	"encoding/json"
	"html"
	"html/template"
	"regexp"
	"strings"
	"time"

	"keyturn/sim/teams"
)

// mentioned is a person or the bot that an <at> tag names.
type mentioned struct{ ID, Name string }

// mentionsOf reads mention entities, by their tag.
func mentionsOf(raw json.RawMessage) map[string]mentioned {
	var list []struct {
		Type      string    `json:"type"`
		Text      string    `json:"text"`
		Mentioned mentioned `json:"mentioned"`
	}
	all := map[string]mentioned{}
	if json.Unmarshal(raw, &list) != nil {
		return all
	}
	for _, e := range list {
		if e.Type == "mention" && strings.HasPrefix(e.Text, "<at") {
			all[e.Text] = e.Mentioned
		}
	}
	return all
}

// cardText draws the markup that Teams knows: the subset of Markdown of text
// blocks and messages, mentions and, in cards, times. Everything that reaches
// the page through it is escaped first.
type cardText struct {
	zone     *time.Location
	mentions map[string]mentioned
	me       teams.User
	bot      string // its Teams ID
	card     bool
}

var (
	acItem   = regexp.MustCompile(`^\s*[-*+]\s+(.*)$`)
	acNumber = regexp.MustCompile(`^\s*(\d{1,9})[.)]\s+(.*)$`)
	acEntity = regexp.MustCompile(`^&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});`)
	acTime   = regexp.MustCompile(`^\{\{(DATE|TIME)\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[-+]\d\d:\d\d))(?:,\s*(COMPACT|SHORT|LONG))?\)\}\}`)
	acAt     = regexp.MustCompile(`^<at(?:\s[^<>]*)?>([^<>]*)</at>`)
	acLink   = regexp.MustCompile(`^\[((?:[^\]\[\\\n]|\\.)+)\]\(([^\s()]+)(?:\s+"[^"\n]*")?\)`)
	acBare   = regexp.MustCompile(`^https?://[^\s<>"'()\[\]]+[^\s<>"'()\[\].,;:!?]`)
)

// plain draws what a person typed: mentions and links, and no markup.
func (c cardText) plain(text string) template.HTML {
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if i > 0 {
			b.WriteString("<br>")
		}
		c.run(&b, line, false)
	}
	return template.HTML(b.String()) // #nosec G203: built from escaped parts only
}

// blocks draws Markdown: lists and lines of inline markup.
func (c cardText) blocks(text string) template.HTML {
	var b strings.Builder
	list, open := "", false // the kind of list and whether a line stands before
	switchTo := func(kind, start string) {
		if list == kind {
			return
		}
		if list != "" {
			b.WriteString("</" + list + ">")
		}
		if list = kind; kind != "" {
			b.WriteString("<" + kind + start + ">")
		}
		open = false
	}
	for line := range strings.SplitSeq(strings.ReplaceAll(strings.Trim(text, "\r\n"), "\r", "\n"), "\n") {
		item, number := acItem.FindStringSubmatch(line), acNumber.FindStringSubmatch(line)
		switch {
		case item != nil:
			switchTo("ul", "")
			b.WriteString("<li>")
			c.inline(&b, item[1])
			b.WriteString("</li>")
		case number != nil:
			switchTo("ol", ` start="`+number[1]+`"`)
			b.WriteString("<li>")
			c.inline(&b, number[2])
			b.WriteString("</li>")
		case strings.TrimSpace(line) == "":
			if list == "" && open {
				b.WriteString(`<br>`)
			}
		default:
			switchTo("", "")
			if open {
				b.WriteString("<br>")
			}
			c.inline(&b, line)
			open = true
		}
	}
	switchTo("", "")
	return template.HTML(b.String()) // #nosec G203: built from escaped parts only
}

func (c cardText) inline(b *strings.Builder, line string) { c.run(b, line, true) }

// run draws one line; marks says whether Markdown counts in it.
func (c cardText) run(b *strings.Builder, s string, marks bool) {
	plain := 0
	for i := 0; i < len(s); {
		drawn, used := c.token(s, i, marks)
		if used == 0 {
			i++
			continue
		}
		b.WriteString(html.EscapeString(s[plain:i]) + drawn)
		i += used
		plain = i
	}
	b.WriteString(html.EscapeString(s[plain:]))
}

// token draws what begins at i and says how long it was, 0 for ordinary text.
func (c cardText) token(s string, i int, marks bool) (string, int) {
	rest := s[i:]
	switch {
	case rest[0] == '<':
		if hit := acAt.FindStringSubmatch(rest); hit != nil {
			return c.mention(hit[0], hit[1]), len(hit[0])
		}
	case rest[0] == '{' && c.card:
		if hit := acTime.FindStringSubmatch(rest); hit != nil {
			return c.moment(hit), len(hit[0])
		}
	case rest[0] == 'h' && (i == 0 || !wordy(rune(s[i-1]))):
		if hit := acBare.FindString(rest); hit != "" {
			return anchor(hit, html.EscapeString(hit)), len(hit)
		}
	case !marks:
	case rest[0] == '\\' && len(rest) > 1 && strings.IndexByte("\\`*_{}[]()#+-.!~|<>&:\"'$%,/;=?@^", rest[1]) >= 0:
		return html.EscapeString(rest[1:2]), 2
	case rest[0] == '&':
		if hit := acEntity.FindString(rest); hit != "" {
			return html.EscapeString(html.UnescapeString(hit)), len(hit)
		}
	case rest[0] == '`':
		if end := strings.IndexByte(rest[1:], '`'); end > 0 {
			return "<code>" + html.EscapeString(rest[1:1+end]) + "</code>", end + 2
		}
	case rest[0] == '[':
		if hit := acLink.FindStringSubmatch(rest); hit != nil && safeLink(hit[2]) {
			var label strings.Builder
			c.noLinks().run(&label, hit[1], true)
			return anchor(hit[2], label.String()), len(hit[0])
		}
	case rest[0] == '*' || rest[0] == '_' || rest[0] == '~':
		return c.emphasis(s, i)
	}
	return "", 0
}

// noLinks is for the words of a link, which hold no other.
func (c cardText) noLinks() cardText {
	c.mentions = nil
	return c
}

func anchor(address, words string) string {
	words = links.ReplaceAllString(words, "")
	return `<a href="` + html.EscapeString(address) + `" target="_blank" rel="noopener noreferrer">` + words + `</a>`
}

var links = regexp.MustCompile(`</?a\b[^>]*>`)

// reach is how far the end of an emphasis may be.
const reach = 1000

// emphasis draws **bold**, __bold__, *italic*, _italic_ and ~~struck~~.
func (c cardText) emphasis(s string, i int) (string, int) {
	mark, tag := s[i:i+1], "em"
	if strings.HasPrefix(s[i+1:], mark) {
		mark, tag = mark+mark, map[string]string{"*": "strong", "_": "strong", "~": "s"}[mark]
	} else if mark == "~" {
		return "", 0
	}
	rest := s[i+len(mark):]
	if rest == "" || strings.HasPrefix(rest, " ") || mark[0] == '_' && i > 0 && wordy(rune(s[i-1])) {
		return "", 0
	}
	for at := 1; at < len(rest) && at < reach; at++ {
		if rest[at] == '\\' {
			at++
			continue
		}
		if !strings.HasPrefix(rest[at:], mark) || rest[at-1] == ' ' {
			continue
		}
		after := rest[at+len(mark):]
		if len(mark) == 1 && strings.HasPrefix(after, mark) || mark[0] == '_' && after != "" && wordy(rune(after[0])) {
			if len(mark) == 1 && strings.HasPrefix(after, mark) {
				at++ // the end of something bold inside
			}
			continue
		}
		var b strings.Builder
		c.run(&b, rest[:at], true)
		return "<" + tag + ">" + b.String() + "</" + tag + ">", at + 2*len(mark)
	}
	return "", 0
}

// mention draws an <at> tag; one without its entity is shown as it stands,
// because Teams mentions nobody then.
func (c cardText) mention(tag, name string) string {
	who, ok := c.mentions[tag]
	if !ok {
		return html.EscapeString(tag)
	}
	class := "mention"
	if me := c.me; who.ID != "" && (who.ID == me.TeamsID || strings.EqualFold(who.ID, me.ID) || strings.EqualFold(who.ID, me.UPN)) {
		class = "mention me"
	}
	return `<span class="` + class + `">` + html.EscapeString(html.UnescapeString(name)) + `</span>`
}

// moment draws {{DATE(...)}} and {{TIME(...)}} in the viewer's zone.
func (c cardText) moment(hit []string) string {
	at, err := time.Parse(time.RFC3339, hit[2])
	if err != nil {
		return html.EscapeString(hit[0])
	}
	at = at.In(c.zone)
	shown := at.Format("15:04")
	if hit[1] == "DATE" {
		switch hit[3] {
		case "SHORT":
			shown = at.Format("Mon, Jan 2, 2006")
		case "LONG":
			shown = at.Format("Monday, January 2, 2006")
		default:
			shown = at.Format("1/2/2006")
		}
	}
	return `<time datetime="` + at.UTC().Format(time.RFC3339) + `" title="` + at.Format("Monday, 2 January 2006, 15:04:05 MST") + `">` + shown + `</time>`
}
