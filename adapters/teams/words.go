package teams

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// units counts UTF-16 code units, in which Teams measures messages.
func units(s string) int {
	n := 0
	for _, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}

// tidy makes text fit to be shown: valid UTF-8, line breaks as \n, and nothing
// that is invisible and changes how the rest reads.
func tidy(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return hidden(r) || breaks(r) }) {
		return s
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case breaks(r):
			return '\n'
		case hidden(r):
			return -1
		}
		return r
	}, s)
}

// breaks reports characters that end a line and are not \n.
func breaks(r rune) bool {
	return r == '\r' || r == '\v' || r == '\f' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

// hidden reports control characters and those that turn the writing direction.
func hidden(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < 0x20 || (r >= 0x7F && r < 0xA0), r == '\u061C', r == '\u200E', r == '\u200F', r == '\uFEFF':
		return true
	}
	return r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069'
}

// oneLine is tidy text on a single line.
func oneLine(s string) string { return strings.Join(strings.Fields(tidy(s)), " ") }

// shorten puts text on one line of at most max units, cut at a word.
func shorten(s string, max int) string {
	s = oneLine(s)
	if units(s) <= max {
		return s
	}
	end := cutAt(s, max-1)
	if i := strings.LastIndexByte(s[:end], ' '); i > end/2 {
		end = i
	}
	return strings.TrimRight(s[:end], " ,;:.-–") + "…"
}

// cutAt gives the largest byte index up to which s counts at most max units,
// without tearing what reads as one character.
func cutAt(s string, max int) int {
	n, end := 0, 0
	for end < len(s) {
		r, size := utf8.DecodeRuneInString(s[end:])
		if n++; r > 0xFFFF {
			n++
		}
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
// sentence, after a word.
func border(s string, end int) int {
	if end >= len(s) {
		return len(s)
	}
	head, least := s[:end], end/3
	if i := strings.LastIndexByte(head, '\n'); i > least {
		return i + 1
	}
	for i := len(head) - 1; i > least && i > 0; i-- {
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
	if s = strings.Trim(s, "\n"); s == "" {
		return 0
	}
	return 1 + strings.Count(s, "\n")
}

// quote shows a value inside a sentence of our own.
func quote(s string) string { return "“" + shorten(s, 80) + "”" }
