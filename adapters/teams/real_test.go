package teams

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
	escaped  = regexp.MustCompile(`\\([\\*_\[\]` + "`" + `~|#>+=.)-])`)
	codeSpan = regexp.MustCompile("`[^`\n]*`")
)

// readers is what readers see of a card's body, without code that is quoted as
// such.
func readers(t *testing.T, d drawing) string {
	t.Helper()
	var body any
	if err := json.Unmarshal(encode(d.card["body"]), &body); err != nil {
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
			for k, x := range v {
				s, ok := x.(string)
				shown := k == "text" || k == "title" || k == "value" || k == "altText"
				if ok && shown && v["fontType"] != "Monospace" {
					s = strings.ReplaceAll(s, joiner, "")
					if k != "title" && v["type"] != "TextRun" {
						s = escaped.ReplaceAllString(s, "$1")
					}
					out.WriteString(s + "\n")
				}
				if k != "data" {
					walk(x)
				}
			}
		}
	}
	walk(body)
	return out.String()
}

// Nothing of what Microsoft wrote is too large for Teams, calls anybody, shows a
// tag or an entity, or says nothing.
func TestAllThatMicrosoftWroteIsReadable(t *testing.T) {
	n := 0
	for id, messages := range bottest.Microsofts(t, func(name string) []byte { return beside.Data(t, name) }) {
		for _, m := range messages {
			n++
			d, err := draw(m, nil, nil)
			if err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			links, people, times := holds(m)
			if people > 0 {
				t.Errorf("%s: a message calls %d people", id, people)
			}
			for _, w := range faults(t, d, links, people, times) {
				t.Errorf("%s: %s", id, w)
			}
			text := readers(t, d)
			if len(strings.Fields(text)) < 5 {
				t.Errorf("%s: a message says %q", id, text)
			}
			text = codeSpan.ReplaceAllString(text, "")
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
		d, err := draw(m, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range faults(t, d, 0, 0, 0) {
			t.Error(w)
		}
		text := readers(t, d)
		if !strings.Contains(text, "<table-name>") || !strings.Contains(text, "<days>") || strings.Contains(text, "&") && !strings.Contains(text, " && ") {
			t.Errorf("%s\nbecame\n%s", html, text)
		}
	}
}
