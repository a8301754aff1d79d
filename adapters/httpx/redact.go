package httpx

import (
	"net/url"
	"strings"
	"unicode"

	"keyturn/bot"
)

// Redact is an address as it may be shown and logged: without user name,
// password and query values, and without the path where the path itself is a
// capability (Slack's response and webhook addresses).
func Redact(u *url.URL) string {
	if u == nil {
		return ""
	}
	p := u.EscapedPath()
	if strings.HasPrefix(strings.ToLower(u.Hostname()), "hooks.") {
		p = "/" + bot.Redacted
	}
	s := u.Scheme + "://" + u.Host + p
	if u.Scheme == "" {
		s = u.Host + p
	}
	if keys := queryKeys(u); len(keys) > 0 {
		s += "?" + strings.Join(keys, "&")
	}
	return s
}

// RedactString is [Redact] for an address in a string. What cannot be parsed
// is redacted whole.
func RedactString(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return bot.Redacted
	}
	return Redact(u)
}

func queryKeys(u *url.URL) []string {
	var keys []string
	for _, part := range strings.Split(u.RawQuery, "&") {
		// Without "=" the part may itself be a value.
		if k, _, ok := strings.Cut(part, "="); ok {
			keys = append(keys, k+"=…")
		} else if part != "" {
			keys = append(keys, "…")
		}
	}
	return keys
}

// Plain makes words from outside fit for a sentence: one line, no control,
// invisible or direction-changing characters, at most max characters.
func Plain(s string, max int) string {
	s = strings.ToValidUTF8(s, "")
	var b strings.Builder
	n, blank := 0, false
	for _, r := range s {
		if unicode.IsSpace(r) {
			blank = b.Len() > 0
			continue
		}
		if !unicode.IsPrint(r) {
			continue
		}
		if blank {
			b.WriteByte(' ')
			n, blank = n+1, false
		}
		if n >= max-1 {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
