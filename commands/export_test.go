package commands

import "keyturn/bot"

// Understood reports whether a request has an intent or an answer that says
// that it has none.
func Understood(t *Table, r bot.Request) bool {
	run, _, _, unknown := t.intent(r)
	return (run != nil) != (unknown != nil)
}
