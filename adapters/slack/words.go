package slack

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// units counts what Slack may count for a character: UTF-16 code units, which
// are never fewer than code points.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += runeUnits(r)
	}
	return n
}

func runeUnits(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

// escapedUnits counts after the escaping of mrkdwn.
func escapedUnits(s string) int {
	return units(s) + 4*strings.Count(s, "&") + 3*strings.Count(s, "<") + 3*strings.Count(s, ">")
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// escape is the whole escaping that Slack's text has.
// Source: Slack, "Formatting message text".
func escape(s string) string { return escaper.Replace(s) }

// tidy makes text fit to be shown: valid UTF-8, line breaks as \n, and nothing
// that is invisible and changes how the rest reads (control characters and the
// marks that turn the writing direction).
func tidy(s string) string {
	clean := true
	for _, r := range s {
		if r == utf8.RuneError || (r != '\n' && hidden(r)) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r' || r == '\u2028' || r == '\u2029' || r == '\u0085' || r == '\v' || r == '\f':
			return '\n'
		case r == '\n' || r == '\t':
			return r
		case hidden(r):
			return -1
		}
		return r
	}, s)
}

// hidden reports control characters and bidirectional controls. Tabs are not
// hidden but stop the fast path of tidy, which is harmless.
func hidden(r rune) bool {
	switch {
	case r < 0x20 || (r >= 0x7F && r < 0xA0):
		return r != '\t'
	case r == '\u2028' || r == '\u2029' || r == '\u061C' || r == '\u200E' || r == '\u200F':
		return true
	case r >= '\u202A' && r <= '\u202E', r >= '\u2066' && r <= '\u2069', r == '\uFEFF':
		return true
	}
	return false
}

// oneLine is tidy text on a single line.
func oneLine(s string) string {
	return strings.Join(strings.Fields(tidy(s)), " ")
}

// shorten puts text on one line of at most max units, cut at a word.
func shorten(s string, max int) string {
	s = oneLine(s)
	if units(s) <= max {
		return s
	}
	cut := cutAt(s, max-1, units)
	if i := strings.LastIndexByte(s[:cut], ' '); i > cut/2 {
		cut = i
	}
	return strings.TrimRight(s[:cut], " ,;:.-–") + "…"
}

// cutAt gives the largest byte index up to which s counts at most max, without
// tearing what reads as one character.
func cutAt(s string, max int, count func(string) int) int {
	n, end := 0, 0
	for end < len(s) {
		_, size := utf8.DecodeRuneInString(s[end:])
		n += count(s[end : end+size])
		if n > max {
			break
		}
		end += size
	}
	if end >= len(s) {
		return len(s)
	}
	for back := 0; end > 0 && back < 16; back++ {
		next, _ := utf8.DecodeRuneInString(s[end:])
		last, size := utf8.DecodeLastRuneInString(s[:end])
		if !joins(next) && last != '\u200D' {
			break
		}
		end -= size
	}
	return end
}

// joins reports whether a character belongs to the one before it.
func joins(r rune) bool {
	return r == '\u200D' || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) ||
		(r >= 0xFE00 && r <= 0xFE0F) || (r >= 0x1F3FB && r <= 0x1F3FF)
}

// border finds the best place to cut s at or before end: after a line, after a
// sentence, after a word. What comes before is at least a third of it, so that
// one early line break does not cost the rest.
func border(s string, end int) int {
	if end >= len(s) {
		return len(s)
	}
	head, least := s[:end], end/3
	if i := strings.LastIndexByte(head, '\n'); i > least {
		return i + 1
	}
	for i := len(head) - 1; i > least; i-- {
		if head[i] == ' ' && strings.IndexByte(".!?:", head[i-1]) >= 0 {
			return i + 1
		}
	}
	if i := strings.LastIndexByte(head, ' '); i > least {
		return i + 1
	}
	return end
}

// lineCount is how many lines text has.
func lineCount(s string) int {
	s = strings.Trim(s, "\n")
	if s == "" {
		return 0
	}
	return 1 + strings.Count(s, "\n")
}

// quote shows a value inside a sentence of our own.
func quote(s string) string { return "“" + shorten(s, 80) + "”" }
