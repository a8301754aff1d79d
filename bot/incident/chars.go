package incident

import (
	"strings"
	"unicode/utf8"
)

// tidyRune says what stands for a character of Microsoft's text: itself, a
// plain counterpart, or -1 for nothing. Invisible characters go because they
// break comparing, searching and copying; bidirectional controls because they
// can show a text in another order than it is written.
func tidyRune(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case r == '\r', r == '\v', r == '\f', r == 0x85, r == 0x2028, r == 0x2029:
		return '\n'
	case r < 0x20, r >= 0x7f && r < 0xa0:
		return -1
	case r < 0xa0:
		return r
	case r == 0xa0, r >= 0x2000 && r <= 0x200a, r == 0x202f, r == 0x205f, r == 0x3000, r == 0x1680:
		return ' '
	case r == 0x2010, r == 0x2011:
		return '-'
	case r == 0xad, r == 0x61c, r == 0x200b, r == 0x200e, r == 0x200f, r == 0x2060, r == 0xfeff, r == 0xfffc:
		return -1
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r >= 0xe0000 && r <= 0xe007f:
		return -1
	}
	return r
}

// tidy puts every odd character of s in order. CR LF is one line break.
func tidy(s string) string {
	if plainASCII(s) {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(tidyRune, strings.ToValidUTF8(s, "\uFFFD"))
}

func plainASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 0x7f || c < 0x20 && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// oneLine is a short text, such as a title or a service name, with its odd
// characters in order and every run of blanks as one.
func oneLine(s string) string { return strings.Join(strings.Fields(tidy(s)), " ") }

// length counts characters as readers do, not bytes.
func length(s string) int { return utf8.RuneCountInString(s) }
