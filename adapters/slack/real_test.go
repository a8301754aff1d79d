package slack

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/bot/bottest"
	"keyturn/bot/incident"
	"keyturn/test/beside"
)

var (
	ourMarkup = regexp.MustCompile(`<(?:!date\^[^>|]*|(?:https?|mailto):[^>|]*)\|([^>]*)>`)
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
	for id, messages := range bottest.Microsofts(t, func(name string) []byte { return beside.Data(t, name) }) {
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
			for _, bad := range bottest.Markup {
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
