package teams

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"keyturn/bot"
)

func TestScenesAreDrawnAsTheyWereLookedAt(t *testing.T) {
	for name, m := range scenes() {
		d, err := draw(m, nil, nil)
		if err != nil {
			t.Fatal(name, err)
		}
		links, people, times := holds(m)
		for _, w := range faults(t, d, links, people, times) {
			t.Errorf("%s: %s", name, w)
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, encode(map[string]any{"summary": d.summary, "card": d.card}), "", "  "); err != nil {
			t.Fatal(err)
		}
		pretty.WriteByte('\n')
		golden(t, name+".json", pretty.Bytes())
	}
}

func TestAForeignDateOrMentionIsOnlyText(t *testing.T) {
	nasty := "<at>Bob</at> <AT>Bob</AT> {{TIME(2020-01-01T00:00:00Z)}} [x](https://evil.example) **bold** https://evil.example www.evil.example"
	who := bot.Account{Platform: bot.Teams, Team: contoso, ID: bob}
	m := bot.Message{Parts: []bot.Part{
		bot.Paragraph{Text: bot.Join(bot.Mention(who, "Bob"), bot.T(" "+nasty+" "), bot.When(since, bot.Clock))},
		bot.Pairs{Items: []bot.Pair{{Label: "x", Value: bot.Join(bot.T(nasty), bot.Mention(who, "Bob"))}, {Label: nasty, Value: bot.T(nasty)}}},
		bot.Heading{Text: nasty}, bot.Code{Text: nasty}, bot.Copy{Label: nasty, Value: "v"}, bot.Image{URL: "https://a.example/x", Alt: nasty},
		bot.Buttons{Items: []bot.Button{{Label: nasty, Action: "a", Says: nasty, Confirm: &bot.Confirm{Title: nasty, Text: nasty, Yes: nasty, No: nasty}}}},
	}}
	d, err := draw(m, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range faults(t, d, 0, 1, 1) {
		t.Error(w)
	}
	if n := strings.Count(string(encode(d.card["body"])), "<at>Bob</at>"); n != 2 {
		t.Errorf("Bob is named %d times, want twice", n)
	}
}

func TestAMentionNotifiesWhoeverItNames(t *testing.T) {
	a, b := bot.Account{Platform: bot.Teams, ID: bob}, bot.Account{Platform: bot.Teams, ID: erin}
	d, err := draw(bot.Say(bot.Mention(a, "Alex"), bot.T(" and "), bot.Mention(b, "Alex"), bot.T(", "), bot.Mention(a, "Alex"), bot.Mention(bot.Account{Platform: bot.Slack, ID: "U1"}, "Sam")), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	people := d.card["msteams"].(element)["entities"].([]mentioned)
	if len(people) != 2 || people[0].Text == people[1].Text || people[0].Who.ID != bob || people[1].Who.ID != erin {
		t.Errorf("got %+v", people)
	}
	text := d.card["body"].([]element)[0]["text"].(string)
	if strings.Count(text, people[0].Text) != 2 || strings.Count(text, people[1].Text) != 1 || strings.Contains(text, "<at>Sam") {
		t.Errorf("got %q", text)
	}
}

func TestValuesToCopyStayWhatTheyAre(t *testing.T) {
	for _, value := range []string{"a_b*c`d[e](f)", "<b>&amp;</b>", "  lead", "${x} {{y}} {{ DATES }}", "línea", `C:\x\y`} {
		d, err := draw(bot.Message{Parts: []bot.Part{bot.Copy{Label: "L", Value: value}, bot.Code{Text: value}}}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var runs []string
		var v any
		_ = json.Unmarshal(encode(d.card["body"]), &v)
		shownStrings(v, "", func(at, s string) {
			if at == "TextRun.text" && s != "L" {
				runs = append(runs, s)
			}
		})
		if len(runs) != 2 || runs[0] != value || runs[1] != value {
			t.Errorf("%q became %q", value, runs)
		}
	}
	d, err := draw(bot.Message{Parts: []bot.Part{bot.Copy{Label: "Key", Value: strings.Repeat("k", maxCopy+1)}}}, nil, nil)
	if err != nil || strings.Contains(string(encode(d.card["body"])), "kkk") {
		t.Errorf("a value that is too long is shown in part: %v", err)
	}
}

func TestNoMoreThanSixButtonsAreInSightAndEveryRowHasOne(t *testing.T) {
	m := bot.Message{Parts: []bot.Part{bot.Heading{Text: "Visit"}}}
	for i := range 4 {
		m.Add(bot.Buttons{Items: []bot.Button{{Label: fmt.Sprint("Approve ", i), Action: "a"}, {Label: "Check", Action: "b"}, {Label: "Reject", Action: "c"}}})
	}
	d, err := draw(m, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	_ = json.Unmarshal(encode(d.card), &v)
	primary := map[string]int{}
	all := 0
	eachAction(v, func(a map[string]any) {
		all++
		if a["mode"] != "secondary" {
			primary[a["title"].(string)]++
		}
	})
	if all != 12 || len(primary) != 5 || primary["Approve 3"] != 1 || primary["Check"] != 2 {
		t.Errorf("got %d buttons, in sight %v", all, primary)
	}
}

func TestWhatIsTooLongIsCutAndSaid(t *testing.T) {
	d, err := draw(long(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := string(encode(d.card["body"]))
	if !strings.Contains(text, "more lines)") || !strings.Contains(text, "incident.history") || strings.Contains(text, "after the cut") {
		t.Errorf("got %s", text[len(text)-800:])
	}
	if n := len(encode(d.card)); n < maxCard*3/4 {
		t.Errorf("the card has only %d bytes: more was cut than had to be", n)
	}
}

func TestAMessageThatCannotBeDrawnIsAMistake(t *testing.T) {
	for name, m := range map[string]bot.Message{
		"nothing":                 {},
		"a button without action": {Parts: []bot.Part{bot.Heading{Text: "x"}, bot.Buttons{Items: []bot.Button{{Label: "x"}}}}},
		"a page that is a script": {Parts: []bot.Part{bot.Heading{Text: "x"}, bot.Buttons{Items: []bot.Button{{Label: "x", URL: "javascript:alert(1)"}}}}},
		"a value that is a book":  {Parts: []bot.Part{bot.Heading{Text: "x"}, bot.Buttons{Items: []bot.Button{{Label: "x", Action: "a", Value: strings.Repeat("v", 3000)}}}}},
	} {
		if _, err := draw(m, nil, nil); bot.KindOf(err) != bot.KindBadRequest {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

var pieces = []string{"plain words. ", "*bold* ", "_x_", "`c`", "[a](https://b.example)", "<at>Bob</at>", "</at>", "{{DATE(2020-01-01T00:00:00Z)}}", "{{", "\n", "\n\n", "# h", "- l", "1. n", "> q", "&lt;", "&", "<b>", "\\", "|", "😀", "e\u0301", "\u202e", "\u0000", "\ufeff", "://", "www.x.example", "]", "](", "é", "<", "at>", strings.Repeat("long words without end ", 80)}

func anyText(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(t, "text"), "")
}

func anySpans(t *rapid.T) bot.Text {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bot.Span {
		s := bot.Span{Text: anyText(t), Bold: rapid.Bool().Draw(t, "b"), Italic: rapid.Bool().Draw(t, "i"), Strike: rapid.Bool().Draw(t, "s"), Code: rapid.Bool().Draw(t, "c")}
		switch rapid.IntRange(0, 8).Draw(t, "kind") {
		case 0:
			s.Link = rapid.SampledFrom([]string{"https://a.example/(x)?y=[z]", "javascript:x", "mailto:a@b.example", "http://[", anyText(t)}).Draw(t, "link")
		case 1:
			s.Who = &bot.Account{Platform: rapid.SampledFrom([]bot.Platform{bot.Teams, bot.Slack}).Draw(t, "p"), ID: rapid.SampledFrom([]string{bob, erin, "", "<x>"}).Draw(t, "id")}
		case 2:
			at := time.Unix(rapid.Int64Range(-1e11, 1e12).Draw(t, "time"), 0)
			s.Time, s.Style = &at, rapid.SampledFrom([]bot.TimeStyle{bot.DateTime, bot.DateOnly, bot.Clock}).Draw(t, "style")
		case 3:
			s.Group = "g"
		}
		return s
	}), 0, 6).Draw(t, "spans")
}

func TestAnyMessageIsAValidCard(t *testing.T) {
	schemaOf(t)
	rapid.Check(t, func(rt *rapid.T) {
		m := bot.Message{Parts: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bot.Part {
			switch rapid.IntRange(0, 9).Draw(t, "part") {
			case 0:
				return bot.Heading{Text: anyText(t)}
			case 1:
				return bot.Pairs{Items: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bot.Pair { return bot.Pair{Label: anyText(t), Value: anySpans(t)} }), 0, 12).Draw(t, "pairs")}
			case 2:
				return bot.Numbered{Items: []bot.Text{anySpans(t), anySpans(t)}}
			case 3:
				return bot.Copy{Label: anyText(t), Value: anyText(t)}
			case 4:
				return bot.Code{Title: anyText(t), Text: anyText(t)}
			case 5:
				return bot.Note{Text: anySpans(t)}
			case 6:
				return bot.Divider{}
			case 7:
				return bot.Image{URL: rapid.SampledFrom([]string{"https://a.example/x.png", "x"}).Draw(t, "url"), Alt: anyText(t)}
			case 8:
				b := bot.Button{Label: anyText(t), Action: "a", Value: "v", Says: anyText(t), Style: rapid.SampledFrom([]bot.ButtonStyle{bot.Normal, bot.Primary, bot.Danger}).Draw(t, "style")}
				if rapid.Bool().Draw(t, "asks") {
					b.Confirm = &bot.Confirm{Title: anyText(t), Text: anyText(t), Yes: anyText(t), No: anyText(t)}
				}
				return bot.Buttons{Items: []bot.Button{b, {Label: "Two", Action: "b"}}[:rapid.IntRange(0, 2).Draw(t, "n")]}
			}
			return bot.Paragraph{Text: anySpans(t)}
		}), 0, 10).Draw(rt, "parts")}
		d, err := draw(m, nil, nil)
		if err != nil {
			if bot.KindOf(err) != bot.KindBadRequest {
				rt.Fatal(err)
			}
			return
		}
		links, people, times := holds(m)
		for _, w := range faults(t, d, links, people, times) {
			rt.Error(w)
		}
	})
}

// Teams drops plain blanks at the beginning of a line, and with them what says
// which item of a list belongs to which.
func TestItemsOfInnerListsAreIndented(t *testing.T) {
	b, err := PreviewPayload(bot.Say(bot.T("• outer\n   ◦ inner\n      ▪ innermost")))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"• outer", strings.Repeat("\u00a0", 3) + "◦ inner", strings.Repeat("\u00a0", 6) + "▪ innermost"} {
		if !strings.Contains(string(b), `"`+line+`"`) {
			t.Errorf("there is no line %q: %s", line, b)
		}
	}
}
