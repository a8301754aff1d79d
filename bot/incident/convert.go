package incident

import (
	"html"
	"strings"

	"keyturn/bot"
)

// Convert turns Microsoft's text, HTML or plain whatever Graph says it is,
// into neutral rich text: newlines and tags become line breaks, entities are
// decoded, list items begin with a bullet or their number, table rows are
// lines, pictures are words, links lead to http, https and mailto only. The
// result holds no markup; what merely looks like a tag stays as text.
func Convert(content string) bot.Text {
	if !strings.Contains(content, "<") {
		w := newWriter()
		w.text(decode(content))
		return w.finish()
	}
	c := converter{s: content, w: newWriter()}
	c.run()
	return c.w.finish()
}

// decode resolves entities. Microsoft sometimes encodes twice, which readers
// would see as "&nbsp;"; after the third pass what is left is meant.
func decode(s string) string {
	for range 3 {
		if !strings.Contains(s, "&") {
			break
		}
		next := html.UnescapeString(s)
		if next == s {
			break
		}
		s = next
	}
	return tidy(s)
}

// converter walks over a text, giving the pieces between tags to the writer.
type converter struct {
	s    string
	from int // where the text begins that is not written yet
	at   int
	w    *writer
	none map[string]bool // what does not occur any more
}

func (c *converter) run() {
	for {
		n := strings.IndexByte(c.s[c.at:], '<')
		if n < 0 {
			c.at = len(c.s)
			c.flush()
			return
		}
		c.at += n
		c.markup()
	}
}

// markup deals with what begins with the '<' at c.at. What is no tag stays
// part of the text.
func (c *converter) markup() {
	if c.declaration(c.s[c.at:]) {
		return
	}
	t, ok := readTag(c.s, c.at)
	if !ok {
		c.at++
		return
	}
	c.flush()
	c.at, c.from = t.end, t.end
	if t.role != dropped {
		c.w.tag(t)
		return
	}
	c.drop(t)
	c.from = c.at
}

// declaration skips a comment, doctype or processing instruction. One that
// never ends costs the reader its opening characters only.
func (c *converter) declaration(rest string) bool {
	opening, end := "", ">"
	for _, o := range []string{"<!--", "<!doctype", "<![", "<?xml"} {
		if len(rest) >= len(o) && strings.EqualFold(rest[:len(o)], o) {
			opening = o
			break
		}
	}
	switch opening {
	case "":
		return false
	case "<!--":
		end = "-->"
	}
	c.flush()
	if n := c.find(c.at, end); n >= 0 {
		c.at = n + len(end)
	} else {
		c.at += len(opening)
	}
	c.from = c.at
	return true
}

// find is the index of what from at on, or -1. It remembers what there is no
// more of, so that a text full of openings without ends stays quick.
func (c *converter) find(at int, what string) int {
	if c.none[what] {
		return -1
	}
	if n := strings.Index(c.s[at:], what); n >= 0 {
		return at + n
	}
	c.lacks(what)
	return -1
}

func (c *converter) lacks(what string) {
	if c.none == nil {
		c.none = map[string]bool{}
	}
	c.none[what] = true
}

// drop skips the content of a style or script. One that is never closed must
// not take the rest of the text with it.
func (c *converter) drop(t tag) {
	if t.close || c.none["</"+t.name] {
		return
	}
	for at := c.find(c.at, "</"); at >= 0; at = c.find(at+len("</"), "</") {
		if end, ok := readTag(c.s, at); ok && end.close && end.name == t.name {
			c.at = end.end
			return
		}
	}
	c.lacks("</" + t.name)
}

// flush writes the text before c.at. In a placeholder of several words, which
// an HTML editor stored as attributes, the editor's ="" are taken away again.
func (c *converter) flush() {
	s := c.s[c.from:c.at]
	if s == "" {
		return
	}
	if strings.Contains(s, "<") {
		s = strings.ReplaceAll(s, `=""`, "")
	}
	c.w.text(decode(s))
}
