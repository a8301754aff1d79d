package teams

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// element is one object of a card.
type element = map[string]any

// look is how a line of text stands out.
type look struct {
	size    string // "", Small, Medium or Large
	bold    bool
	subtle  bool
	alarm   bool // in the colour of what needs attention
	heading bool
}

// mentioned is somebody whom a card notifies: the text that names them in it,
// and who they are. Source: Microsoft, "Format cards in Teams", mentions.
type mentioned struct {
	Type string      `json:"type"`
	Text string      `json:"text"`
	Who  mentionedID `json:"mentioned"`
}

type mentionedID struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// drawLine draws one line of text. A text block understands Markdown, mentions
// and dates, a rich text block none of these but shows any text as it is. So
// what could be read as Markdown is drawn as rich text, unless the line names
// somebody or a time: then it is escaped.
func (r *renderer) drawLine(line []span, l look) element {
	whole := words(line)
	marked, styled, bold := false, false, len(line) > 0
	for _, s := range line {
		marked = marked || s.marked()
		bold = bold && s.bold && !s.marked()
		styled = styled || s.styled() && !s.marked()
	}
	if bold && !marked && harmless(whole) && onlyBold(line) {
		l.bold = true
		styled = false
	}
	if marked || harmless(whole) && !styled {
		return l.on(element{"type": "TextBlock", "text": r.markdown(line), "wrap": true})
	}
	return element{"type": "RichTextBlock", "inlines": runs(line, l)}
}

func onlyBold(line []span) bool {
	for _, s := range line {
		if s.italic || s.strike || s.code {
			return false
		}
	}
	return true
}

// on puts a look on a text block or a text run.
func (l look) on(e element) element {
	if l.size != "" {
		e["size"] = l.size
	}
	if l.bold {
		e["weight"] = "Bolder"
	}
	if l.subtle {
		e["isSubtle"] = true
	}
	if l.alarm {
		e["color"] = "Attention"
	}
	if l.heading && e["type"] == "TextBlock" {
		e["style"] = "heading"
	}
	return e
}

// runs draws spans as rich text, which takes raw text.
func runs(line []span, l look) []element {
	out := make([]element, 0, len(line))
	for _, s := range line {
		mine := l
		mine.bold = l.bold || s.bold
		e := mine.on(element{"type": "TextRun", "text": guard(s.text)})
		if s.italic {
			e["italic"] = true
		}
		if s.strike {
			e["strikethrough"] = true
		}
		if s.code {
			e["fontType"] = "Monospace"
		}
		if s.link != "" {
			e["selectAction"] = element{"type": "Action.OpenUrl", "url": s.link}
		}
		out = append(out, e)
	}
	return out
}

// markdown draws spans as the text of a text block.
func (r *renderer) markdown(line []span) string {
	var b strings.Builder
	for i, s := range line {
		switch {
		case s.user != "":
			b.WriteString(r.mention(s))
		case !s.at.IsZero():
			b.WriteString(s.moment())
		case s.link != "":
			b.WriteString("[" + escape(s.text, false) + "](" + s.link + ")")
		case (s.bold || s.italic) && !s.code && bordered(line, i):
			mark := "_"
			if s.bold {
				mark = "**"
			}
			core := strings.TrimSpace(s.text)
			lead, trail, _ := strings.Cut(s.text, core)
			b.WriteString(lead + mark + escape(core, false) + mark + trail)
		default:
			b.WriteString(escape(s.text, b.Len() == 0))
		}
	}
	return b.String()
}

// bordered reports whether Markdown takes marks around a span: it wants blanks,
// punctuation or the line's end outside, and no blank inside.
func bordered(line []span, i int) bool {
	core := strings.TrimSpace(line[i].text)
	if core == "" || !harmless(core) {
		return false
	}
	before, after := words(line[:i])+line[i].text[:strings.Index(line[i].text, core)], ""
	after = line[i].text[strings.Index(line[i].text, core)+len(core):] + words(line[i+1:])
	last, _ := utf8.DecodeLastRuneInString(before)
	next, _ := utf8.DecodeRuneInString(after)
	ok := func(r rune, empty bool) bool {
		return empty || unicode.IsSpace(r) || strings.ContainsRune("()·,.;:–—/", r)
	}
	one, _ := utf8.DecodeRuneInString(core)
	end, _ := utf8.DecodeLastRuneInString(core)
	inside := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	return ok(last, before == "") && ok(next, after == "") && inside(one) && inside(end)
}

// inName is what a name may not hold inside the tag of a mention.
var inName = regexp.MustCompile("[<>&\\[\\]*_`~\\\\{}|]")

// mention names somebody. Teams notifies whom the text of an entity names, so
// two people of the same name get texts that differ.
func (r *renderer) mention(s span) string {
	name := first(strings.TrimSpace(inName.ReplaceAllString(s.text, "")), "somebody")
	for {
		tag := "<at>" + name + "</at>"
		taken := false
		for _, e := range r.people {
			if e.Text == tag {
				if e.Who.ID == s.user {
					return tag
				}
				taken = true
			}
		}
		if !taken {
			r.people = append(r.people, mentioned{Type: "mention", Text: tag, Who: mentionedID{ID: s.user, Name: name}})
			return tag
		}
		name += joiner
	}
}
