package chat

import (
	"html"
	"html/template"
	"strings"
	"unicode"
	"unicode/utf8"
)

// decode undoes the only three escapes of Slack's wire format.
var decode = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// escape makes wire text safe HTML. Everything that reaches the page as
// template.HTML went through here.
func escape(wire string) string { return html.EscapeString(emoji(decode.Replace(wire))) }

// mrkdwn draws Slack's markup: *bold*, _italic_, ~strike~, `code`, ```blocks```,
// > quotes, links, mentions and dates.
func (d *drawer) mrkdwn(text string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(text, "```") {
		switch {
		case i%2 == 1 && strings.Count(text, "```") > i:
			b.WriteString("<pre>" + d.tokensOnly(strings.Trim(part, "\n")) + "</pre>")
		case i%2 == 1:
			d.lines(&b, "```"+part)
		default:
			d.lines(&b, part)
		}
	}
	return template.HTML(b.String()) // #nosec G203: built from escaped parts only
}

// tokensOnly draws code: no markup in it, but links and mentions keep their
// words.
func (d *drawer) tokensOnly(text string) string {
	var b strings.Builder
	for text != "" {
		start := strings.IndexByte(text, '<')
		end := strings.IndexByte(text, '>')
		if start < 0 || end < start {
			b.WriteString(escape(text))
			break
		}
		b.WriteString(escape(text[:start]))
		inner := text[start+1 : end]
		if _, label, ok := strings.Cut(inner, "|"); ok {
			inner = label
		}
		b.WriteString(escape(inner))
		text = text[end+1:]
	}
	return b.String()
}

// lines draws text outside of code blocks, quotes first.
func (d *drawer) lines(b *strings.Builder, text string) {
	quoting, first := false, true
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		rest, quoted := strings.CutPrefix(line, "&gt;")
		if !quoted {
			rest, quoted = strings.CutPrefix(line, ">")
		}
		switch {
		case quoted && !quoting:
			b.WriteString("<blockquote>")
		case !quoted && quoting:
			b.WriteString("</blockquote>")
		case !first:
			b.WriteString("<br>")
		}
		quoting, first = quoted, false
		if quoted {
			line = strings.TrimPrefix(rest, " ")
		}
		d.inline(b, line)
	}
	if quoting {
		b.WriteString("</blockquote>")
	}
}

var styles = map[byte]string{'*': "strong", '_': "em", '~': "s"}

// inline draws one line.
func (d *drawer) inline(b *strings.Builder, line string) {
	plain := 0
	flush := func(to int) { b.WriteString(escape(line[plain:to])) }
	for i := 0; i < len(line); {
		switch c := line[i]; c {
		case '`':
			if end := strings.IndexByte(line[i+1:], '`'); end > 0 {
				flush(i)
				b.WriteString("<code>" + d.tokensOnly(line[i+1:i+1+end]) + "</code>")
				i += end + 2
				plain = i
				continue
			}
		case '<':
			if end := strings.IndexByte(line[i:], '>'); end > 0 {
				flush(i)
				d.token(b, line[i+1:i+end])
				i += end + 1
				plain = i
				continue
			}
		case '*', '_', '~':
			if end := closing(line, i); end > 0 {
				flush(i)
				b.WriteString("<" + styles[c] + ">")
				d.inline(b, line[i+1:end])
				b.WriteString("</" + styles[c] + ">")
				i = end + 1
				plain = i
				continue
			}
		}
		i++
	}
	flush(len(line))
}

// closing finds the mark that ends the style begun at start: both stand at the
// edge of a word, as in Slack. It returns 0 where nothing does.
func closing(line string, start int) int {
	mark := line[start]
	before, _ := utf8.DecodeLastRuneInString(line[:start])
	if start > 0 && wordy(before) || start+1 >= len(line) || line[start+1] == ' ' || line[start+1] == mark {
		return 0
	}
	for i := start + 1; i < len(line); i++ {
		switch line[i] {
		case '`', '<': // a mark inside code or a link does not count
			end := strings.IndexByte(line[i+1:], map[byte]byte{'`': '`', '<': '>'}[line[i]])
			if end >= 0 {
				i += end + 1
			}
		case mark:
			after, _ := utf8.DecodeRuneInString(line[i+1:])
			if line[i-1] != ' ' && (i+1 == len(line) || !wordy(after)) {
				return i
			}
		}
	}
	return 0
}

func wordy(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }

// token draws what stands between < and >.
func (d *drawer) token(b *strings.Builder, token string) {
	what, label, labelled := strings.Cut(token, "|")
	switch {
	case strings.HasPrefix(what, "@"):
		d.mention(b, what[1:], label)
	case strings.HasPrefix(what, "#"):
		d.channelLink(b, what[1:], label)
	case strings.HasPrefix(what, "!subteam^"):
		d.groupMention(b, strings.TrimPrefix(what, "!subteam^"), label)
	case strings.HasPrefix(what, "!date^"):
		d.date(b, strings.TrimPrefix(what, "!date^"), label)
	case strings.HasPrefix(what, "!"):
		b.WriteString(`<span class="mention loud">@` + escape(what[1:]) + `</span>`)
	case safeLink(decode.Replace(what)):
		if !labelled || label == "" {
			label = strings.TrimPrefix(what, "mailto:")
		}
		d.link(b, decode.Replace(what), label)
	default:
		b.WriteString(escape("<" + token + ">"))
	}
}

// safeLink says whether a browser may follow an address from a message.
func safeLink(address string) bool {
	lower := strings.ToLower(address)
	return strings.HasPrefix(lower, "https://") || strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "mailto:")
}

func (d *drawer) link(b *strings.Builder, address, label string) {
	href, target := address, ` target="_blank" rel="noopener noreferrer"`
	if own := d.permalink(address); own != "" {
		href, target = own, ` data-go`
	}
	b.WriteString(`<a href="` + html.EscapeString(href) + `"` + target + `>` + escape(label) + `</a>`)
}

func (d *drawer) mention(b *strings.Builder, id, label string) {
	name, class := label, "mention"
	if u, ok := d.users[id]; ok {
		name = u.RealName
	}
	if name == "" {
		name = id
	}
	if id == d.viewer.ID {
		class = "mention me"
	}
	b.WriteString(`<span class="` + class + `">@` + escape(name) + `</span>`)
}

func (d *drawer) groupMention(b *strings.Builder, id, label string) {
	name, class := strings.TrimPrefix(label, "@"), "mention"
	for _, g := range d.st.Groups {
		if g.ID != id {
			continue
		}
		name = g.Handle
		for _, u := range g.Users {
			if u == d.viewer.ID {
				class = "mention me"
			}
		}
	}
	if name == "" {
		name = id
	}
	b.WriteString(`<span class="` + class + `">@` + escape(name) + `</span>`)
}

func (d *drawer) channelLink(b *strings.Builder, id, label string) {
	ch, ok := d.channels[id]
	if !ok || !member(ch, d.viewer.ID) {
		if label == "" {
			label = "private channel"
		}
		b.WriteString(`<span class="mention">#` + escape(label) + `</span>`)
		return
	}
	b.WriteString(`<a class="mention" data-go href="` + html.EscapeString(d.address(id, "")) + `">#` + escape(ch.Name) + `</a>`)
}

// plainText draws text without markup.
func (d *drawer) plainText(text string) template.HTML {
	escaped := html.EscapeString(emoji(text))
	return template.HTML(strings.ReplaceAll(escaped, "\n", "<br>")) // #nosec G203: escaped above
}
