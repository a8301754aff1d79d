package chat

import (
	"bytes"
	"encoding/json"
	"flag"
	"html/template"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"keyturn/sim/slack"
)

var update = flag.Bool("update", false, "write the golden files anew")

func testDrawer() *drawer {
	st := &slack.State{
		Users: []slack.User{{ID: "U0ALICE", RealName: "Alice Arendt", TZ: "Europe/Berlin"}, {ID: "U0BOB", RealName: "Bob <b>Okafor</b>"}},
		Channels: []slack.Channel{{ID: "C0OPS", Name: "ops", Kind: slack.Public, Members: []string{"U0ALICE"}},
			{ID: "C0VAULT", Name: "vault", Kind: slack.Private, Members: []string{"U0BOB"}}},
		Groups: []slack.Group{{ID: "S0ENTRA", Handle: "entra", Users: []string{"U0ALICE"}}, {ID: "S0SNOW", Handle: "snow"}},
	}
	return newDrawer(st, st.Users[0], time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), []string{"http://127.0.0.1:8080"})
}

func TestMarkupLooksAsInSlack(t *testing.T) {
	d := testDrawer()
	for in, want := range map[string]string{
		"*bold* _it_ ~gone~ `code`":                  `<strong>bold</strong> <em>it</em> <s>gone</s> <code>code</code>`,
		"*bold with _it_ inside*":                    `<strong>bold with <em>it</em> inside</strong>`,
		"2*3*4 snake_case_name a~b~c":                `2*3*4 snake_case_name a~b~c`,
		"* not bold * and ** neither":                `* not bold * and ** neither`,
		"(*bold*), *bold*.":                          `(<strong>bold</strong>), <strong>bold</strong>.`,
		"`*not bold* in code`":                       `<code>*not bold* in code</code>`,
		"*a `b* c` d*":                               `<strong>a <code>b* c</code> d</strong>`,
		"first\nsecond":                              `first<br>second`,
		"&gt; quoted\n&gt; more\nafter":              `<blockquote>quoted<br>more</blockquote>after`,
		"before\n&gt; quoted":                        `before<blockquote>quoted</blockquote>`,
		"```\nx &lt; y\n<@U0BOB>\n```end":            "<pre>x &lt; y\n@U0BOB</pre>end",
		"an open ``` fence":                          "an open ``` fence",
		"a &amp; b &lt;c&gt; &nbsp;":                 `a &amp; b &lt;c&gt; &amp;nbsp;`,
		"<@U0ALICE> and <@U0BOB>":                    `<span class="mention me">@Alice Arendt</span> and <span class="mention">@Bob &lt;b&gt;Okafor&lt;/b&gt;</span>`,
		"<@U0GONE> <@U0GONE|gone>":                   `<span class="mention">@U0GONE</span> <span class="mention">@gone</span>`,
		"<!subteam^S0ENTRA> <!subteam^S0SNOW|@snow>": `<span class="mention me">@entra</span> <span class="mention">@snow</span>`,
		"<!here>":                            `<span class="mention loud">@here</span>`,
		"<#C0OPS|ops>":                       `<a class="mention" data-go href="?as=U0ALICE&amp;at=C0OPS">#ops</a>`,
		"<#C0VAULT|vault>":                   `<span class="mention">#vault</span>`,
		"<https://example.com/?a=1&amp;b=2>": `<a href="https://example.com/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">https://example.com/?a=1&amp;b=2</a>`,
		"<https://example.com|a *word*>":     `<a href="https://example.com" target="_blank" rel="noopener noreferrer">a *word*</a>`,
		"<mailto:a@example.com|mail>":        `<a href="mailto:a@example.com" target="_blank" rel="noopener noreferrer">mail</a>`,
		"<https://x.slack.com/archives/C0OPS/p1790000000000001?thread_ts=1790000000.000000&cid=C0OPS|there>": `<a href="?as=U0ALICE&amp;at=C0OPS&amp;thread=1790000000.000000#m1790000000.000001" data-go>there</a>`,
		":white_check_mark: :unknown: 10:30:00":                                           `✅ :unknown: 10:30:00`,
		"<!date^1795521600^{date_short_pretty} at {time}|fallback>":                       `<time datetime="2026-11-24T12:00:00Z" title="Tuesday, 24 November 2026, 13:00:00 CET">today at 13:00</time>`,
		"<!date^1795521600^{date}, {date_num}, {date_long}, {time_secs}, {ago}, {odd}|x>": `<time datetime="2026-11-24T12:00:00Z" title="Tuesday, 24 November 2026, 13:00:00 CET">November 24th, 2026, 2026-11-24, Tuesday, November 24th, 2026, 13:00:00, just now, {odd}</time>`,
		"<!date^soon^{date}|the fallback>":                                                `the fallback`,
	} {
		if diff := cmp.Diff(want, string(d.mrkdwn(in))); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
}

func TestHostileTextStaysText(t *testing.T) {
	d := testDrawer()
	for _, in := range []string{
		`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<javascript:alert(1)|click>`, `<https://x.example/"onmouseover="alert(1)|x>`,
		`<https://x.example|<b>x</b>>`, `*<script>*`, "`<script>`", "```<script>alert(1)</script>```", `<@U0"><script>|<script>>`, `<data:text/html,x|y>`,
		`<!date^1^{date}^javascript:alert(1)|x>`, `<!date^1^<b>{date}|"><script>>`, `<!subteam^"><script>|@"><script>>`, `&lt;script&gt;`, `<JaVaScRiPt:alert(1)>`,
	} {
		onlySafe(t, in, string(d.mrkdwn(in)))
		onlySafe(t, in, string(d.plainText(in)))
		onlySafe(t, in, string(d.markdown(in+"\n# "+in+"\n- "+in+"\n[x]("+in+") **"+in+"**")))
	}
	onlySafe(t, "markdown link", string(d.markdown(`[x](javascript:alert(1)) [y](https://e.example/"onclick="x)`)))
}

// allowed are the only elements and attributes that message text may become.
var allowed = map[string]string{"strong": "", "em": "", "s": "", "u": "", "code": "", "pre": "", "br": "", "blockquote": "", "p": "", "h4": "", "ul": "class",
	"ol": "class start", "li": "", "div": "class", "span": "class role", "time": "datetime title", "a": "href target rel class data-go"}

func onlySafe(t *testing.T, in, out string) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(out))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			tok := z.Token()
			attrs, ok := allowed[tok.Data]
			if !ok {
				t.Fatalf("%q became the element %s in %s", in, tok.Data, out)
			}
			for _, a := range tok.Attr {
				if !strings.Contains(" "+attrs+" ", " "+a.Key+" ") {
					t.Fatalf("%q became the attribute %s=%q in %s", in, a.Key, a.Val, out)
				}
				if a.Key == "href" && !safeLink(a.Val) && !strings.HasPrefix(a.Val, "?as=") {
					t.Fatalf("%q became a link to %q", in, a.Val)
				}
			}
		case html.CommentToken, html.DoctypeToken:
			t.Fatalf("%q became a comment in %s", in, out)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"*a* _b_", "<@U0ALICE|x>", "```a```", "&gt; q", "<https://e.example|x>", "<!date^1^{date}^https://e.example|x>", "**x** [a](https://e.example)", "`<*>`"} {
		f.Add(s)
	}
	d := testDrawer()
	f.Fuzz(func(t *testing.T, in string) {
		onlySafe(t, in, string(d.mrkdwn(in)))
		onlySafe(t, in, string(d.plainText(in)))
		onlySafe(t, in, string(d.markdown(in)))
		onlySafe(t, in, string(d.richText(map[string]any{"elements": []any{map[string]any{"type": "rich_text_section", "elements": []any{
			map[string]any{"type": "text", "text": in}, map[string]any{"type": "link", "url": in, "text": in}, map[string]any{"type": "user", "user_id": in},
			map[string]any{"type": in}}}, map[string]any{"type": in}}})))
	})
}

func drawBlocks(t *testing.T, d *drawer, blocks string, at place) string {
	t.Helper()
	tmpl := template.Must(template.New("").ParseFS(files, "templates/*.html"))
	list := slack.WithIDs(json.RawMessage(blocks), "seed")
	if at.Values == nil {
		at.Values = slack.StateValues(list, nil)
	}
	var b bytes.Buffer
	for _, n := range d.nodes(list, at) {
		if err := tmpl.ExecuteTemplate(&b, "block", n); err != nil {
			t.Fatal(err)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestBlocksAreDrawn(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.json")
	if err != nil || len(inputs) == 0 {
		t.Fatal("there is nothing to draw in testdata", err)
	}
	for _, file := range inputs {
		t.Run(filepath.Base(file), func(t *testing.T) {
			blocks, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := drawBlocks(t, testDrawer(), string(blocks), place{Channel: "C0OPS", TS: "1790000000.000001", Errors: map[string]string{"host": "That host does not answer."}})
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

func TestHostileBlocksBringNoScript(t *testing.T) {
	evil := `"><script>alert(1)</script>`
	text := map[string]any{"type": "plain_text", "text": evil}
	button := map[string]any{"type": "button", "text": text, "value": evil, "action_id": evil, "url": "javascript:alert(1)", "style": evil, "accessibility_label": evil,
		"confirm": map[string]any{"title": text, "text": text, "confirm": text, "deny": text}}
	blocks, err := json.Marshal([]any{
		map[string]any{"type": evil},
		map[string]any{"type": "header", "text": text},
		map[string]any{"type": "section", "block_id": evil, "text": map[string]any{"type": "mrkdwn", "text": evil}, "accessory": button},
		map[string]any{"type": "image", "image_url": "javascript:alert(1)", "alt_text": evil},
		map[string]any{"type": "image", "image_url": "https://elsewhere.example/x.png", "alt_text": evil},
		map[string]any{"type": "actions", "elements": []any{button, map[string]any{"type": "static_select", "placeholder": text,
			"options": []any{map[string]any{"text": text, "value": evil, "description": text}}}}},
		map[string]any{"type": "input", "label": text, "hint": text, "element": map[string]any{"type": "plain_text_input", "initial_value": evil, "placeholder": text}},
		map[string]any{"type": "table", "rows": []any{[]any{map[string]any{"type": "raw_text", "text": evil}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	out := drawBlocks(t, testDrawer(), string(blocks), place{})
	z := html.NewTokenizer(strings.NewReader(out))
	for z.Next() != html.ErrorToken {
		tok := z.Token()
		if tok.Type != html.StartTagToken && tok.Type != html.SelfClosingTagToken {
			continue
		}
		if tok.Data == "script" || tok.Data == "img" {
			t.Errorf("there is a <%s> in the page: %s", tok.Data, tok)
		}
		for _, a := range tok.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.HasPrefix(a.Val, "javascript:") {
				t.Errorf("an attribute got in: %s", tok)
			}
		}
	}
}
