package bottest

import (
	"regexp"
	"testing"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// Microsofts are the messages that a channel gets of all that Microsoft wrote, by
// the ID of what they are about: of each issue its root, a reply to each of its
// posts and every page of its history, and of each message center post its
// message. read finds a recorded file by its name, or skips the test.
func Microsofts(t testing.TB, read func(name string) []byte) map[string][]bot.Message {
	t.Helper()
	all := map[string][]bot.Message{}
	for _, name := range []string{"graph/issues.json", "graph/messages.json"} {
		f, err := incident.ParseFile(read(name))
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Issues)+len(f.Announcements) == 0 {
			t.Fatalf("%s holds nothing", name)
		}
		for _, is := range f.Issues {
			k := incident.Merge(nil, is, is.Modified)
			out := []bot.Message{incident.Root(k, incident.Subscription{}, incident.Options{}), incident.History(k)}
			for i := range is.Posts {
				p := is.Posts[i]
				out = append(out, incident.Reply(k, incident.Change{Reason: incident.NewPost, Post: &p, Aloud: i%2 == 0}), incident.HistoryBefore(k, p.Created))
			}
			all[is.ID] = out
		}
		for _, a := range f.Announcements {
			all[a.ID] = []bot.Message{incident.Announce(a)}
		}
	}
	return all
}

// Markup is what no reader may see of Microsoft's texts: tags and entities.
var Markup = []*regexp.Regexp{
	regexp.MustCompile(`(?i)</?(p|br|hr|b|i|u|a|em|strong|div|span|ul|ol|li|h[1-6]|table|thead|tbody|tr|td|th|font|style|script|sup|sub)(\s[^<>]*)?/?>`),
	regexp.MustCompile(`(?i)&(#[0-9]+|#x[0-9a-f]+|nbsp|amp|lt|gt|quot|apos|[lr][sd]quo|[nm]dash|hellip|bull|copy|reg|trade|eacute|middot);`),
}
