package bot

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Units counts UTF-16 code units, in which chat platforms measure text. They
// are never fewer than characters.
func Units(s string) int {
	n := 0
	for _, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}

// Tidy makes text fit to be shown: valid UTF-8, line breaks as \n, and nothing
// that is invisible and changes how the rest reads.
func Tidy(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return Hidden(r) || breaks(r) }) {
		return s
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case breaks(r):
			return '\n'
		case Hidden(r):
			return -1
		}
		return r
	}, s)
}

// breaks reports characters that end a line and are not \n.
func breaks(r rune) bool {
	return r == '\r' || r == '\v' || r == '\f' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

// Hidden reports control characters and those that turn the writing direction.
// Line breaks and tabs are neither.
func Hidden(r rune) bool {
	switch {
	case r == '\n' || r == '\t' || breaks(r):
		return false
	case r < 0x20 || (r >= 0x7F && r < 0xA0), r == '\u061C', r == '\u200E', r == '\u200F', r == '\uFEFF':
		return true
	}
	return r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069'
}

// OneLine is tidy text on a single line, with every run of blanks as one.
func OneLine(s string) string { return strings.Join(strings.Fields(Tidy(s)), " ") }

// Shorten puts text on one line of at most max [Units], cut at a word and then
// ended by "…".
func Shorten(s string, max int) string {
	s = OneLine(s)
	if Units(s) <= max {
		return s
	}
	end := CutAt(s, max-1, Units)
	if i := strings.LastIndexByte(s[:end], ' '); i > end/2 {
		end = i
	}
	return strings.TrimRight(s[:end], " ,;:.-–") + "…"
}

// Quote shows a value inside a sentence of ours, shortened.
func Quote(s string) string { return "“" + Shorten(s, 80) + "”" }

// CutAt gives the largest offset up to which s counts at most max, without
// tearing what reads as one character.
func CutAt(s string, max int, count func(string) int) int {
	n, end := 0, 0
	for end < len(s) {
		_, size := utf8.DecodeRuneInString(s[end:])
		if n += count(s[end : end+size]); n > max {
			return Whole(s, end)
		}
		end += size
	}
	return len(s)
}

// Whole steps back from an offset to where what reads as one character begins:
// accents, variation selectors and joined emoji stay with what they belong to.
func Whole(s string, at int) int {
	for back := 0; at > 0 && at < len(s) && back < 16; back++ {
		next, _ := utf8.DecodeRuneInString(s[at:])
		last, size := utf8.DecodeLastRuneInString(s[:at])
		if !joins(next) && last != '\u200D' {
			break
		}
		at -= size
	}
	return at
}

// joins reports whether a character belongs to the one before it.
func joins(r rune) bool {
	return r == '\u200D' || unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc) || r >= 0x1F3FB && r <= 0x1F3FF
}

// Border finds the best place to cut s at or before end: after a line, after a
// sentence, after a word. What comes before is at least a third of it, so that
// one early line break does not cost the rest.
func Border(s string, end int) int {
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

// LineCount is how many lines text has; line breaks around it do not count.
func LineCount(s string) int {
	if s = strings.Trim(s, "\n"); s == "" {
		return 0
	}
	return 1 + strings.Count(s, "\n")
}
