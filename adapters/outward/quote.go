package outward

import (
	"encoding/base64"
	"net/url"
	"strings"

	"keyturn/adapters/httpx"
	"keyturn/bot"
)

// quoted are the words of an outside system as a sentence of their own, and
// "" where they repeat a secret: then none of them is worth the risk.
func quoted(words string, secrets ...bot.Secret) string {
	plain := httpx.Plain(words, len(words)+1)
	if plain == "" || repeats(words, secrets...) || repeats(plain, secrets...) {
		return ""
	}
	return " It said: \"" + strings.TrimRight(httpx.Plain(words, 200), ".") + "\"."
}

// repeats reports whether a text holds a secret, also in the encodings in
// which an address or a sign-in carries it.
func repeats(text string, secrets ...bot.Secret) bool {
	text = strings.ToLower(text)
	for _, s := range secrets {
		v := s.Reveal()
		if v == "" {
			continue
		}
		for _, form := range []string{v, url.QueryEscape(v), url.PathEscape(v), base64.StdEncoding.EncodeToString([]byte(v))} {
			if strings.Contains(text, strings.ToLower(form)) {
				return true
			}
		}
	}
	return false
}
