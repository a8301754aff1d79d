package engine

import (
	"strings"

	"keyturn/bot"
)

// tellRefused has whoever runs Keyturn read who asked for what they may not do.
func (e *Engine) tellRefused(r bot.Request, reply bot.Reply) {
	if reply.Refused == "" {
		return
	}
	e.Log.Warn("somebody asked for what they may not do", "who", r.From.String(), "place", r.Place.Root().String(), "kind", string(r.Kind),
		"asked", asked(r), "why", reply.Refused)
}

// asked names what a request asks for: its button, or the first of its words,
// which is the command. The others are none of the log's business.
func asked(r bot.Request) string {
	if r.Action != "" {
		return bot.Shorten(r.Action, 40)
	}
	word, _, _ := strings.Cut(strings.TrimSpace(r.Text), " ")
	return bot.Shorten(word, 40)
}
