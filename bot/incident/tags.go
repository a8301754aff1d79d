package incident

import (
	"html"
	"strings"
)

// role is what a tag means to a reader.
type role int

const (
	unknown   role = iota // not a tag: literal text
	ignored               // its content counts, the tag says nothing
	breaking              // a line break
	block                 // begins and ends on a line of its own
	paragraph             // a block with a blank line around it
	heading               // a paragraph in bold
	list                  // ul, ol
	item                  // li
	table                 // table
	row                   // tr
	cell                  // td, th
	bold                  // inline styles, from here ...
	italic                //
	strike                //
	code                  //
	pre                   // ... to here; pre is also a block
	anchor                // a
	picture               // img
	dropped               // its content is not for readers
)

var roles = map[string]role{
	"br": breaking, "hr": breaking,
	"div": block, "section": block, "article": block, "header": block, "footer": block, "main": block, "nav": block,
	"aside": block, "figure": block, "figcaption": block, "dl": block, "dt": block, "dd": block, "center": block,
	"caption": block, "blockquote": paragraph, "p": paragraph, "body": block, "html": ignored, "head": ignored,
	"h1": heading, "h2": heading, "h3": heading, "h4": heading, "h5": heading, "h6": heading,
	"ul": list, "ol": list, "li": item, "lli": item,
	"table": table, "tr": row, "td": cell, "th": cell,
	"thead": ignored, "tbody": ignored, "tfoot": ignored, "col": ignored, "colgroup": ignored,
	"b": bold, "strong": bold, "i": italic, "em": italic, "cite": italic, "s": strike, "strike": strike, "del": strike,
	"code": code, "tt": code, "kbd": code, "samp": code, "pre": pre,
	"a": anchor, "img": picture, "style": dropped, "script": dropped,
	"u": ignored, "span": ignored, "font": ignored, "sup": ignored, "sub": ignored, "small": ignored, "big": ignored,
	"ins": ignored, "mark": ignored, "abbr": ignored, "q": ignored, "meta": ignored, "wbr": ignored, "nobr": ignored,
	"iframe": ignored, "o:p": ignored,
}

// tag is one piece of markup in a text.
type tag struct {
	name  string
	role  role
	close bool
	attrs string // what stands between the name and the end
	end   int    // where the text goes on
}

// readTag reads the tag that may begin at s[at] == '<'. False means that it is
// text: readers then see it as it stands. Markup that Microsoft broke, such as
// "<liadmins can" or "<p--", gives up the tag and keeps the words.
func readTag(s string, at int) (tag, bool) {
	i := at + 1
	t := tag{}
	if i < len(s) && s[i] == '/' {
		t.close, i = true, i+1
	}
	from := i
	for i < len(s) && nameByte(s[i]) {
		i++
	}
	if i == from || !letter(s[from]) {
		return tag{}, false
	}
	t.name = strings.ToLower(s[from:i])
	end, whole := tagEnd(s, i)
	bare := strings.TrimRight(t.name, "-")
	if t.role = roles[bare]; t.role != unknown {
		if bare != t.name && t.role != paragraph && t.role != item {
			t.role = ignored // what is left of a comment, such as "<b-->", opens nothing
		}
		t.name, t.attrs, t.end = bare, s[i:end], end
		if whole {
			t.end++
		}
		return t, true
	}
	if !whole && strings.HasPrefix(t.name, "li") {
		t.name, t.role, t.end = "li", item, from+len("li")
		return t, true
	}
	return tag{}, false
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func nameByte(c byte) bool {
	return letter(c) || c >= '0' && c <= '9' || c == ':' || c == '-' || c == '_' || c == '.'
}

// tagEnd finds the '>' of a tag whose name ends at i, past quoted values. Where
// another tag begins first, or nothing follows, the tag is not whole; it then
// ends right after its name unless what follows it can only be attributes.
func tagEnd(s string, i int) (end int, whole bool) {
	for _, quotes := range []bool{true, false} {
		if end, c := scanTag(s, i, quotes); c == '>' {
			return end, true
		} else if c == '<' || !quotes {
			rest := strings.TrimSpace(s[i:end])
			if rest == "" || rest == "/" || strings.Contains(rest, "=\"") {
				return end, false
			}
			return i, false
		}
	}
	return i, false
}

// scanTag goes to the first '>' or '<' outside quoted values. c is 0 where the
// text ends before.
func scanTag(s string, i int, quotes bool) (end int, c byte) {
	for last := byte(0); i < len(s); i++ {
		switch c := s[i]; {
		case c == '>' || c == '<':
			return i, c
		case quotes && last == '=' && (c == '"' || c == '\''):
			n := strings.IndexByte(s[i+1:], c)
			if n < 0 {
				return len(s), 0
			}
			i, last = i+1+n, c
		case c != ' ' && c != '\n':
			last = c
		}
	}
	return len(s), 0
}

// attr is the value of a tag's attribute, decoded; "" where it is absent.
func (t tag) attr(name string) string {
	s := t.attrs
	for {
		s = strings.TrimLeft(s, " \t\r\n/\"'")
		n := strings.IndexAny(s, "= \t\r\n")
		if n < 0 {
			return ""
		}
		key := s[:n]
		s = strings.TrimLeft(s[n:], " \t\r\n")
		if !strings.HasPrefix(s, "=") {
			continue
		}
		var value string
		value, s = attrValue(strings.TrimLeft(s[1:], " \t\r\n"))
		if strings.EqualFold(key, name) {
			return strings.TrimSpace(tidy(html.UnescapeString(value)))
		}
	}
}

func attrValue(s string) (value, rest string) {
	if s != "" && (s[0] == '"' || s[0] == '\'') {
		if n := strings.IndexByte(s[1:], s[0]); n >= 0 {
			return s[1 : 1+n], s[n+2:]
		}
		return s[1:], ""
	}
	if n := strings.IndexAny(s, " \t\r\n"); n >= 0 {
		return s[:n], s[n:]
	}
	return s, ""
}
