package slack

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/bot/incident"
)

// microsofts are the messages that a channel gets of all that Microsoft wrote:
// of each issue its root, a reply to each of its posts and every page of its
// history, and of each message center post its message.
func microsofts(t *testing.T) map[string][]bot.Message {
	t.Helper()
	all := map[string][]bot.Message{}
	for _, name := range []string{"graph/issues.json", "graph/messages.json"} {
		f, err := incident.ParseFile(data(t, name))
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

var (
	ourMarkup = regexp.MustCompile(`<(?:!date\^[^>|]*|(?:https?|mailto):[^>|]*)\|([^>]*)>`)
	htmlTag   = regexp.MustCompile(`(?i)</?(p|br|hr|b|i|u|a|em|strong|div|span|ul|ol|li|h[1-6]|table|thead|tbody|tr|td|th|font|style|script|sup|sub)(\s[^<>]*)?/?>`)
	anEntity  = regexp.MustCompile(`(?i)&(#[0-9]+|#x[0-9a-f]+|nbsp|amp|lt|gt|quot|apos|[lr][sd]quo|[nm]dash|hellip|bull|copy|reg|trade|eacute|middot);`)
)

// readers is what readers see of a drawn message, without code that is quoted
// as such.
func readers(t *testing.T, d drawing) string {
	t.Helper()
	b, err := json.Marshal(d.Blocks)
	if err != nil {
		t.Fatal(err)
	}
	var blocks any
	if err := json.Unmarshal(b, &blocks); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			if s, ok := v["text"].(string); ok {
				style, _ := v["style"].(map[string]any)
				if v["type"] == "mrkdwn" {
					s = unescaper.Replace(codeSpan.ReplaceAllString(ourMarkup.ReplaceAllString(s, "$1"), ""))
				}
				if style["code"] != true {
					out.WriteString(s + "\n")
				}
			}
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(blocks)
	return out.String()
}

var codeSpan = regexp.MustCompile("`[^`\n]*`")

// Nothing of what Microsoft wrote is refused by Slack, calls anybody, shows a
// tag or an entity, or says nothing.
func TestAllThatMicrosoftWroteIsReadable(t *testing.T) {
	l := readLimits(t)
	n := 0
	for id, messages := range microsofts(t) {
		for _, m := range messages {
			n++
			d, wrong := check(t, l, m)
			for _, w := range wrong {
				t.Errorf("%s: %s", id, w)
			}
			text := readers(t, d)
			if len(strings.Fields(text)) < 5 {
				t.Errorf("%s: a message says %q", id, text)
			}
			for _, bad := range []*regexp.Regexp{htmlTag, anEntity} {
				if found := bad.FindString(text); found != "" {
					t.Errorf("%s: readers see %q in\n%s", id, found, text)
				}
			}
		}
	}
	t.Logf("%d messages", n)
}

// What looks like a tag and is none is a placeholder, and stays.
func TestPlaceholdersOfMicrosoftsStayReadable(t *testing.T) {
	for _, html := range []string{"<p>Run <b>Set-Table</b> <table-name> -Days &lt;days&gt;.</p>", "Run Set-Table <table-name> -Days &lt;days&gt;.", "<div>Set-Table &lt;table-name&gt; &amp;&amp; echo <days></div>"} {
		m := bot.Message{Parts: incident.Paragraphs(incident.Convert(html))}
		d, wrong := check(t, readLimits(t), m)
		text := readers(t, d)
		if len(wrong) > 0 || !strings.Contains(text, "<table-name>") || !strings.Contains(text, "<days>") || strings.Contains(text, "&") && !strings.Contains(text, " && ") {
			t.Errorf("%s\nbecame\n%s\n%q", html, text, wrong)
		}
	}
}
