package incident

import (
	"net/url"
	"strings"

	"keyturn/bot"
)

// linkify makes web addresses that stand in plain text links.
func linkify(t bot.Text) bot.Text {
	found := false
	for _, s := range t {
		found = found || s.Link == "" && !s.Code && strings.Contains(s.Text, "://")
	}
	if !found {
		return t
	}
	var out bot.Text
	for _, s := range t {
		if s.Link != "" || s.Code {
			out = append(out, s)
			continue
		}
		for s.Text != "" {
			from, to := findAddress(s.Text)
			plain, linked := s, s
			plain.Text, linked.Text = s.Text[:from], s.Text[from:to]
			linked.Link = linked.Text
			out = appendSpan(appendSpan(out, plain), linked)
			s.Text = s.Text[to:]
		}
	}
	return out
}

// findAddress finds the first web address in s, without the punctuation that
// ends the sentence around it. Where there is none both are len(s).
func findAddress(s string) (from, to int) {
	for at := 0; ; {
		n := strings.Index(s[at:], "http")
		if n < 0 {
			return len(s), len(s)
		}
		from = at + n
		to = from + len(s[from:])
		if end := strings.IndexAny(s[from:], " \n\t<>\"'()[]{}|\u201c\u201d"); end >= 0 {
			to = from + end
		}
		to = from + len(strings.TrimRight(s[from:to], ".,;:!?*_"))
		if a := s[from:to]; (strings.HasPrefix(a, "https://") || strings.HasPrefix(a, "http://")) && safeLink(a) != "" {
			return from, to
		}
		at = from + len("http")
	}
}

// safeLink gives the address where it is one that a chat may open for a reader,
// and "" otherwise.
func safeLink(href string) string {
	href = strings.TrimSpace(href)
	u, err := url.Parse(href)
	if err != nil || strings.ContainsAny(href, " \n\t<>\"|") {
		return ""
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		if u.Host != "" {
			return href
		}
	case "mailto":
		if u.Opaque != "" {
			return href
		}
	}
	return ""
}
