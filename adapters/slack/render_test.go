package slack

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"keyturn/bot"
)

func TestMessagesAreDrawnAsTheyWereSeen(t *testing.T) {
	for name, m := range scenes() {
		t.Run(name, func(t *testing.T) {
			b, err := PreviewPayload(m)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".golden.json", append(b, '\n'))
		})
	}
}

func TestHomeIsDrawnAsItWasSeen(t *testing.T) {
	m := bot.Message{Parts: []bot.Part{
		bot.Heading{Text: "What needs you"},
		bot.Paragraph{Text: bot.Join(bot.B("OAuth provider"), bot.T(" for Contoso, since "), bot.When(since, bot.DateTime))},
		bot.Buttons{Items: []bot.Button{{Label: "Open", Action: "step.show", Value: "run-1/5", Style: bot.Primary}}},
		bot.Divider{},
		bot.Heading{Text: "Microsoft 365 now"},
		bot.Paragraph{Text: bot.T("🟡 Teams: Some users see an old presence status")},
		bot.Note{Text: bot.Join(bot.T("26 other services fine, read "), bot.When(since, bot.Clock))},
	}}
	v, err := home(m)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.MarshalIndent(v, "", "  ")
	golden(t, "home.golden.json", append(b, '\n'))
}

// check draws a message and finds what Slack would refuse.
func check(t testing.TB, l limits, m bot.Message) (drawing, []string) {
	d, err := render(m, messageRoom)
	if err != nil {
		return d, nil
	}
	c := newChecker(t, l, m.Parts)
	b, err := json.Marshal(d.Blocks)
	if err != nil {
		return d, []string{err.Error()}
	}
	var list []any
	if err := json.Unmarshal(b, &list); err != nil {
		return d, []string{err.Error()}
	}
	c.blocks(list, l.max(t, "message", "blocks"))
	if most := min(maxMessageText, l["message"]["all_blocks_observed"].SafeBudget); c.text > most {
		c.say("all blocks together have %d characters, %d are safe", c.text, most)
	}
	c.atMost("the top-level text", d.Text, "message", "update_text_hard")
	c.shown("the top-level text", d.Text)
	if strings.ContainsAny(d.Text, "<>") || strings.TrimSpace(d.Text) == "" {
		c.say("the top-level text is empty or holds markup: %q", d.Text)
	}
	return d, c.wrong
}

// newChecker knows whom the parts are meant to mention.
func newChecker(t testing.TB, l limits, parts []bot.Part) *checker {
	c := &checker{t: t, l: l, users: map[string]bool{}, groups: map[string]bool{}}
	for _, s := range allSpans(parts) {
		if s.Who != nil {
			c.users[s.Who.ID] = true
		}
		c.groups[s.Group] = true
	}
	return c
}

func allSpans(parts []bot.Part) []bot.Span {
	var out []bot.Span
	for _, p := range parts {
		switch p := p.(type) {
		case bot.Paragraph:
			out = append(out, p.Text...)
		case bot.Note:
			out = append(out, p.Text...)
		case bot.Pairs:
			for _, it := range p.Items {
				out = append(out, it.Value...)
			}
		case bot.Numbered:
			for _, it := range p.Items {
				out = append(out, it...)
			}
		}
	}
	return out
}

func TestScenesAreWithinSlacksLimits(t *testing.T) {
	l := readLimits(t)
	for name, m := range scenes() {
		if _, wrong := check(t, l, m); len(wrong) > 0 {
			t.Errorf("%s: %s", name, strings.Join(wrong, "\n"))
		}
	}
}

func TestAnyMessageIsWithinSlacksLimits(t *testing.T) {
	l := readLimits(t)
	rapid.Check(t, func(rt *rapid.T) {
		m := anyMessage(rt)
		_, wrong := check(t, l, m)
		if len(wrong) > 0 {
			rt.Fatalf("%s", strings.Join(wrong, "\n"))
		}
	})
}

// hostile are texts that want to be more than text.
var hostile = []string{
	"<!channel>", "<!here>", "<@U0EVE>", "<!subteam^S9>", "<https://evil.example|bank>", "*bold*", "_it_", "~no~", "`code`", "```\nx\n```",
	"> quote", ":fire:", "@here", "#general", "a & b", "&lt;!channel&gt;", "\x00\x07\x1b[31m", "\u202Egnp.exe", "\u2066x\u2069", "line\r\nline\u2028line",
	"👩‍👩‍👧‍👦", "é́́", "\xff\xfe", "  ", "\n\n\n", "", "word ", "A sentence. ", "https://x.example/a|b>c", "client_id",
}

func anyText(rt *rapid.T, label string) string {
	s := strings.Join(rapid.SliceOfN(rapid.SampledFrom(hostile), 0, 6).Draw(rt, label), "")
	switch rapid.IntRange(0, 9).Draw(rt, label+" size") {
	case 0:
		s = strings.Repeat(s+"&", 700)
	case 1:
		s = strings.Repeat(s+" ", 120)
	case 2:
		s += rapid.String().Draw(rt, label+" more")
	}
	return s
}

func anySpan(rt *rapid.T) bot.Span {
	s := bot.Span{
		Text: anyText(rt, "text"), Bold: rapid.Bool().Draw(rt, "bold"), Italic: rapid.Bool().Draw(rt, "italic"),
		Strike: rapid.Bool().Draw(rt, "strike"), Code: rapid.Bool().Draw(rt, "code"),
	}
	switch rapid.IntRange(0, 8).Draw(rt, "kind") {
	case 0:
		s.Link = rapid.SampledFrom([]string{"https://a.example/x?a=1&b=<2>|3", "javascript:alert(1)", "mailto:a@b.example", "http://", "https://" + strings.Repeat("a", 4000), "ftp://x", "https://x.example/\n<!here>", "https://h.example/" + strings.Repeat("&", 300)}).Draw(rt, "link")
	case 1:
		s.Who = &bot.Account{Platform: rapid.SampledFrom([]bot.Platform{bot.Slack, bot.Teams}).Draw(rt, "platform"), Team: team, ID: rapid.SampledFrom([]string{"U0BOB", "W1", "!channel", "U1> <!here", "", "u1"}).Draw(rt, "user")}
	case 2:
		s.Group = rapid.SampledFrom([]string{"S1", "S1> <!here", "here", "s"}).Draw(rt, "group")
	case 3:
		at := time.Unix(rapid.Int64Range(-10, 4e9).Draw(rt, "time"), 0)
		s.Time, s.Style = &at, rapid.SampledFrom([]bot.TimeStyle{bot.DateTime, bot.DateOnly, bot.Clock, "odd"}).Draw(rt, "style")
	}
	return s
}

func anySpans(rt *rapid.T) bot.Text {
	return bot.Text(rapid.SliceOfN(rapid.Custom(anySpan), 0, 8).Draw(rt, "spans"))
}

func anyButton(rt *rapid.T) bot.Button {
	b := bot.Button{
		Label: anyText(rt, "label"), Action: rapid.SampledFrom([]string{"a", "b.c", "step.approve"}).Draw(rt, "action"),
		Value: strings.Repeat("v", rapid.SampledFrom([]int{0, 10, 400, 2000}).Draw(rt, "value")),
		Style: rapid.SampledFrom([]bot.ButtonStyle{bot.Normal, bot.Primary, bot.Danger, "odd"}).Draw(rt, "style"), Says: anyText(rt, "says"),
	}
	if rapid.Bool().Draw(rt, "has url") {
		b.URL = "https://a.example/" + strings.Repeat("x", rapid.IntRange(0, 2000).Draw(rt, "url"))
	}
	if rapid.Bool().Draw(rt, "asks") {
		b.Confirm = &bot.Confirm{Title: anyText(rt, "title"), Text: anyText(rt, "ask"), Yes: anyText(rt, "yes"), No: anyText(rt, "no")}
	}
	return b
}

func anyMessage(rt *rapid.T) bot.Message {
	part := rapid.Custom(func(rt *rapid.T) bot.Part {
		switch rapid.IntRange(0, 9).Draw(rt, "part") {
		case 0:
			return bot.Heading{Text: anyText(rt, "heading")}
		case 1:
			return bot.Pairs{Items: rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) bot.Pair {
				return bot.Pair{Label: anyText(rt, "label"), Value: anySpans(rt)}
			}), 0, 14).Draw(rt, "pairs")}
		case 2:
			return bot.Numbered{Items: rapid.SliceOfN(rapid.Custom(anySpans), 0, 9).Draw(rt, "items")}
		case 3:
			return bot.Copy{Label: anyText(rt, "label"), Value: anyText(rt, "value")}
		case 4:
			return bot.Code{Title: anyText(rt, "title"), Text: anyText(rt, "code")}
		case 5:
			return bot.Note{Text: anySpans(rt)}
		case 6:
			return bot.Divider{}
		case 7:
			return bot.Image{URL: rapid.SampledFrom([]string{"https://a.example/p.png", "data:x", "mailto:a@b.c", ""}).Draw(rt, "url"), Alt: anyText(rt, "alt")}
		case 8:
			return bot.Buttons{Items: rapid.SliceOfN(rapid.Custom(anyButton), 0, rapid.SampledFrom([]int{3, 30}).Draw(rt, "many")).Draw(rt, "buttons")}
		}
		return bot.Paragraph{Text: anySpans(rt)}
	})
	return bot.Message{Key: "k", Parts: rapid.SliceOfN(part, 0, rapid.SampledFrom([]int{4, 12, 70}).Draw(rt, "parts")).Draw(rt, "all")}
}

func TestWhatDoesNotFitIsSaidAndTheButtonsStay(t *testing.T) {
	d, err := render(long(), messageRoom)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(d.Blocks)
	s := string(b)
	if !strings.Contains(s, "more lines)") || !strings.Contains(s, "incident.history~0") {
		t.Errorf("the cut is not said or the button is gone: %s", s[len(s)-600:])
	}
	if strings.Contains(s, "this comes after the cut") {
		t.Error("text after the cut is shown as if nothing was missing before it")
	}
	var blocks []struct {
		Text struct{ Text string }
	}
	_ = json.Unmarshal(b, &blocks)
	for _, bl := range blocks {
		if text := bl.Text.Text; len(text) > 500 && !strings.HasSuffix(text, ".") {
			t.Errorf("a piece ends amid a sentence: …%s", text[len(text)-40:])
		}
	}
}

func TestWordsOfOthersCannotForgeFormatting(t *testing.T) {
	for _, words := range hostile {
		m := bot.Message{Parts: []bot.Part{bot.Paragraph{Text: bot.Join(bot.T("before "), bot.T(words), bot.T(" after"))}}}
		d, err := render(m, messageRoom)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := json.Marshal(d.Blocks)
		if strings.ContainsAny(words, "*_~`") || strings.Contains(words, ":fire:") || strings.HasPrefix(words, "```") {
			if !strings.Contains(string(b), `"type":"rich_text"`) {
				t.Errorf("%q is drawn as markup: %s", words, b)
			}
		}
	}
	quote := bot.Message{Parts: []bot.Part{bot.Paragraph{Text: bot.T("line\n> not a quote")}}}
	d, _ := render(quote, messageRoom)
	if b, _ := json.Marshal(d.Blocks); !strings.Contains(string(b), `"type":"rich_text"`) {
		t.Errorf("a quote was forged: %s", b)
	}
}

func TestStylesAreDrawnOnlyWhereSlackReadsThem(t *testing.T) {
	draw := func(text bot.Text) string {
		d, err := render(bot.Message{Parts: []bot.Part{bot.Paragraph{Text: text}}}, messageRoom)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := json.Marshal(d.Blocks)
		return string(b)
	}
	if s := draw(bot.Join(bot.T("see "), bot.B("this"), bot.T(", please"))); !strings.Contains(s, "see *this*, please") {
		t.Errorf("got %s", s)
	}
	for _, odd := range []bot.Text{
		bot.Join(bot.T("un"), bot.B("believ"), bot.T("able")),
		bot.Join(bot.B("two"), bot.B("bolds")),
		bot.C("a`b"),
		{{Text: "two\nlines", Bold: true}},
	} {
		if s := draw(odd); !strings.Contains(s, `"type":"rich_text"`) || strings.Contains(s, "*") {
			t.Errorf("%q: got %s", odd.Plain(), s)
		}
	}
	if s := draw(bot.Text{{Text: " padded ", Bold: true}, {Text: "x"}}); !strings.Contains(s, "*padded* x") {
		t.Errorf("got %s", s)
	}
}

func TestTwoRevisionsHaveDifferentBlockIDsAndOneHasTheSame(t *testing.T) {
	ids := func(m bot.Message) []string {
		d, err := render(m, messageRoom)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, b := range d.Blocks {
			out = append(out, b.ID())
		}
		return out
	}
	m := scenes()["checklist"]
	one, again := ids(m), ids(m)
	m.Parts = append(m.Parts, bot.Note{Text: bot.T("Updated.")})
	two := ids(m)
	if !slices.Equal(one, again) || one[0] == two[0] {
		t.Errorf("%v %v %v", one, again, two)
	}
}

func TestVerbsComeBackFromTheButtonsTheyWereDrawnFor(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		v := rapid.StringMatching(`[a-z.~0-9]{1,20}`).Draw(rt, "verb")
		if got := verb(actionID(v, rapid.IntRange(0, 99).Draw(rt, "n"))); got != v {
			rt.Fatalf("%q came back as %q", v, got)
		}
	})
}

func TestMistakesInButtonsAreErrors(t *testing.T) {
	for says, b := range map[string]bot.Button{
		"2000 characters": {Label: "Go", Action: "x", Value: strings.Repeat("v", 2001)},
		"255 characters":  {Label: "Go", Action: strings.Repeat("x", 256)},
		"neither":         {Label: "Go"},
		"no http":         {Label: "Go", URL: "javascript:alert(1)"},
		"control":         {Label: "Go", Action: "x", Value: "a\x00b"},
	} {
		_, err := render(bot.Message{Parts: []bot.Part{bot.Buttons{Items: []bot.Button{b}}}}, messageRoom)
		if bot.KindOf(err) != bot.KindBadRequest || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: got %v", b, err)
		}
	}
}

func TestAnEmptyMessageIsAnError(t *testing.T) {
	for _, m := range []bot.Message{{}, bot.Say(bot.T(" \n")), {Parts: []bot.Part{bot.Divider{}}}} {
		if _, err := render(m, messageRoom); bot.KindOf(err) != bot.KindBadRequest {
			t.Errorf("%+v: got %v", m, err)
		}
	}
}

func TestAChannelIsNamedByTheClientThatShowsIt(t *testing.T) {
	at := bot.Place{Platform: bot.Slack, Team: team, Channel: "C0OPS", Thread: "1.1"}
	for want, text := range map[string]bot.Text{
		`"text":"told in \u003c#C0OPS\u003e."`:    bot.Join(bot.T("told in "), bot.In(at), bot.T(".")),
		`{"type":"channel","channel_id":"C0OPS"}`: bot.Join(bot.T("*told* in "), bot.In(at)),
		`"text":"a channel of Teams"`:             bot.In(bot.Place{Platform: bot.Teams, Team: "7c3e", Channel: "19:it-ops@thread.tacv2"}),
		`"text":"a channel of Slack, C0OPS|x"`:    bot.In(bot.Place{Platform: bot.Slack, Team: "T1", Channel: "C0OPS|x"}),
	} {
		b, err := PreviewPayload(bot.Say(text))
		if err != nil {
			t.Fatal(err)
		}
		var small strings.Builder
		for _, f := range strings.Fields(string(b)) {
			small.WriteString(f)
		}
		if !strings.Contains(small.String(), strings.ReplaceAll(want, " ", "")) {
			t.Errorf("want %s in\n%s", want, b)
		}
	}
}
