package teams

import "regexp"

// command is one of Keyturn's commands as its messages write them.
var command = regexp.MustCompile(`(^|[^\w/.])/keyturn\b`)

// asTyped writes commands as they are typed in Teams, where bots have no
// commands of their own: the bot is mentioned, with the same words. Values to
// copy and code are left as they are.
func asTyped(s string) string { return command.ReplaceAllString(s, "$1@Keyturn") }
