package chat

import (
	"bytes"
	"encoding/json"
	"html/template"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"keyturn/sim/slack"
	"keyturn/sim/teams"
)

func teamsTestDrawer() *teamsDrawer {
	tm := &teams.State{App: teams.Config{BotName: "Keyturn", BotAppID: "b0"}}
	me := teams.User{ID: "00-rita", TeamsID: "29:rita", UPN: "rita@contoso.example", Name: "Rita Okafor", TZ: "Europe/Berlin"}
	d := newDrawer(&slack.State{}, slack.User{TZ: me.TZ}, time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), []string{"http://127.0.0.1:8080"})
	return &teamsDrawer{drawer: d, tm: tm, me: human{Teams: me}}
}

func drawCard(t *testing.T, card string, red redLine) string {
	t.Helper()
	tmpl := template.Must(template.New("").ParseFS(files, "templates/*.html"))
	var b bytes.Buffer
	if err := tmpl.ExecuteTemplate(&b, "card", teamsTestDrawer().card(json.RawMessage(card), "here", nil, red)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCardsAreDrawn(t *testing.T) {
	inputs, err := filepath.Glob("testdata/cards/*.json")
	if err != nil || len(inputs) == 0 {
		t.Fatal("there is nothing to draw in testdata/cards", err)
	}
	for _, file := range inputs {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := drawCard(t, string(raw), redLine{Text: "Only an Entra admin may do this.", Errors: map[string]string{"host": "Name the host."}})
			golden := strings.TrimSuffix(file, ".json") + ".golden.html"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("no golden file; run the test with -update and look at it: %v", err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func cardWords() cardText {
	return cardText{zone: time.FixedZone("CET", 3600), card: true, bot: "28:b0", me: teams.User{ID: "00-rita", TeamsID: "29:rita"},
		mentions: map[string]mentioned{"<at>Rita</at>": {ID: "00-RITA", Name: "Rita"}, "<at>Bob</at>": {ID: "29:bob", Name: "Bob"}}}
}

func TestMarkupLooksAsInTeams(t *testing.T) {
	c := cardWords()
	for in, want := range map[string]string{
		"**bold** and __bold__":                     `<strong>bold</strong> and <strong>bold</strong>`,
		"*it* _it_ ~~gone~~":                        `<em>it</em> <em>it</em> <s>gone</s>`,
		"**bold with _it_ inside**":                 `<strong>bold with <em>it</em> inside</strong>`,
		"snake_case_name 2 * 3 * 4 **":              `snake_case_name 2 * 3 * 4 **`,
		`\*not\* \_it\_ \[x\](y) \\`:                `*not* _it_ [x](y) \`,
		"`**code**`":                                `<code>**code**</code>`,
		"[a **b**](https://e.example/?a=1&b=2)":     `<a href="https://e.example/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">a <strong>b</strong></a>`,
		"[x](javascript:alert(1))":                  `[x](javascript:alert(1))`,
		"- one\n- two\nafter":                       `<ul><li>one</li><li>two</li></ul>after`,
		"2. two\n3. three":                          `<ol start="2"><li>two</li><li>three</li></ol>`,
		"one\ntwo":                                  `one<br>two`,
		"&lt;b&gt; &amp; &nope":                     `&lt;b&gt; &amp; &amp;nope`,
		"<at>Rita</at> <at>Bob</at> <at>Eve</at>":   `<span class="mention me">Rita</span> <span class="mention">Bob</span> &lt;at&gt;Eve&lt;/at&gt;`,
		"{{TIME(2026-11-24T12:00:00Z)}}":            `<time datetime="2026-11-24T12:00:00Z" title="Tuesday, 24 November 2026, 13:00:00 CET">13:00</time>`,
		"{{DATE(2026-11-24T23:30:00Z, SHORT)}}":     `<time datetime="2026-11-24T23:30:00Z" title="Wednesday, 25 November 2026, 00:30:00 CET">Wed, Nov 25, 2026</time>`,
		"{{DATE(2026-13-44T23:30:00Z)}} {{DATE(x)}": `{{DATE(2026-13-44T23:30:00Z)}} {{DATE(x)}`,
		"see https://e.example/a_b_c.":              `see <a href="https://e.example/a_b_c" target="_blank" rel="noopener noreferrer">https://e.example/a_b_c</a>.`,
	} {
		if diff := cmp.Diff(want, string(c.blocks(in))); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
	if got := c.plain("**no** <at>Bob</at>\n<b>"); got != `**no** <span class="mention">Bob</span><br>&lt;b&gt;` {
		t.Errorf("a person's words: %s", got)
	}
}

func FuzzCardText(f *testing.F) {
	for _, s := range []string{"**a** _b_", "[x](https://e.example)", "<at>Bob</at>", "- a\n1. b", "`<b>`", `\<script>`, "&#60;script&#62;", "{{DATE(2026-11-24T12:00:00Z)}}",
		"[https://e.example <at>Bob</at>](https://e.example)", `[a](https://e.example/"onclick=x)`, "<script>alert(1)</script>", "**[a](https://e.example)**"} {
		f.Add(s)
	}
	c := cardWords()
	f.Fuzz(func(t *testing.T, in string) {
		onlySafe(t, in, string(c.blocks(in)))
		onlySafe(t, in, string(c.plain(in)))
		c.mentions = map[string]mentioned{"<at>" + in + "</at>": {ID: in, Name: in}}
		onlySafe(t, in, string(c.blocks("<at>"+in+"</at>")))
	})
}

// The browser has to hand back the words of a button as they are; an attribute
// that the template takes for an address would come back changed.
func TestAButtonIsCalledByItsWords(t *testing.T) {
	out := drawCard(t, `{"actions":[{"type":"Action.Execute","title":"Open: the form & more"}]}`, redLine{})
	if want := `data-act="Open: the form &amp; more"`; !strings.Contains(out, want) {
		t.Errorf("no %s in %s", want, out)
	}
	if out := drawBlocks(t, testDrawer(), `[{"type":"actions","elements":[{"type":"button","action_id":"run: it","text":{"type":"plain_text","text":"Run"}}]}]`, place{}); !strings.Contains(out, `data-act="run: it"`) {
		t.Errorf("a button of Slack: %s", out)
	}
}

func TestHostileCardsBringNoScript(t *testing.T) {
	evil := `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	// Every known property of every known type is hostile.
	object := func(kind string) map[string]any {
		o := map[string]any{"type": kind}
		for _, k := range []string{"id", "text", "title", "url", "altText", "label", "placeholder", "value", "valueOn", "errorMessage", "style", "size", "weight", "color", "fontType",
			"spacing", "width", "horizontalAlignment", "tooltip", "verb", "mode", "min", "max", "maxLength", "\x00id", "\x00name", "\x00nth"} {
			o[k] = evil
		}
		return o
	}
	link := object("Action.OpenUrl")
	link["url"] = "javascript:alert(1)"
	var actions, body []any
	for _, kind := range append([]string{evil}, pressable...) {
		a := object(kind)
		a["targetElements"] = []any{evil, map[string]any{"elementId": evil}}
		inner := object("AdaptiveCard")
		inner["body"] = []any{object("TextBlock")}
		a["card"] = inner
		actions = append(actions, a, link)
	}
	for _, kind := range append([]string{evil}, drawn...) {
		o := object(kind)
		o["selectAction"], o["inlineAction"], o["actions"] = actions[2], link, actions
		o["facts"] = []any{object("Fact")}
		o["choices"] = []any{object("Input.Choice")}
		o["inlines"] = []any{evil, object("TextRun"), object(evil)}
		o["items"], o["images"] = []any{object("TextBlock"), nil, evil}, []any{object("Image")}
		o["columns"] = []any{map[string]any{"items": []any{object("Image")}, "selectAction": link, "style": evil, "width": evil}}
		o["rows"] = []any{map[string]any{"cells": []any{map[string]any{"items": []any{object("TextBlock")}}}}}
		body = append(body, o)
	}
	card, err := json.Marshal(map[string]any{"type": "AdaptiveCard", "body": body, "actions": actions,
		"msteams": map[string]any{"entities": []any{map[string]any{"type": "mention", "text": "<at>" + evil + "</at>", "mentioned": map[string]any{"id": evil, "name": evil}}}}})
	if err != nil {
		t.Fatal(err)
	}
	out := drawCard(t, string(card), redLine{Text: evil, Errors: map[string]string{evil: evil}})
	elements := 0
	z := html.NewTokenizer(strings.NewReader(out))
	for z.Next() != html.ErrorToken {
		tok := z.Token()
		if tok.Type != html.StartTagToken && tok.Type != html.SelfClosingTagToken {
			continue
		}
		elements++
		if tok.Data == "script" || tok.Data == "img" {
			t.Errorf("there is a <%s> in the page: %s", tok.Data, tok)
		}
		for _, a := range tok.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.HasPrefix(a.Val, "javascript:") {
				t.Errorf("an attribute got in: %s", tok)
			}
		}
	}
	if elements < 100 {
		t.Errorf("only %d elements were drawn", elements)
	}
	for _, broken := range []string{``, `null`, `[]`, `"x"`, `{"body":7,"actions":{"a":1}}`, `{"body":[[],1,null],"actions":[null,"x"]}`} {
		if got := drawCard(t, broken, redLine{}); !strings.Contains(got, "unknown") {
			t.Errorf("%s is a gap: %s", broken, got)
		}
	}
}
