package slack

import (
	"strings"

	"keyturn/bot"
)

// escapedUnits counts after the escaping of mrkdwn.
func escapedUnits(s string) int {
	return bot.Units(s) + 4*strings.Count(s, "&") + 3*strings.Count(s, "<") + 3*strings.Count(s, ">")
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// escape is the whole escaping that Slack's text has.
// Source: Slack, "Formatting message text".
func escape(s string) string { return escaper.Replace(s) }
