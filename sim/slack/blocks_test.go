package slack_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyturn/sim/slack"
)

func TestARefusedBlockIsNamed(t *testing.T) {
	w := workspace(t)
	a := w.refused("chat.postMessage", m{"channel": ops, "text": "x", "blocks": []any{
		m{"type": "divider"}, m{"type": "header", "block_id": "top", "text": mrkdwn("*bold*")},
	}}, "invalid_blocks")
	messages := a["response_metadata"].(m)["messages"].([]any)
	want := `[ERROR] must be plain_text, is "mrkdwn" [json-pointer:/blocks/1/text/type] (header block top)`
	if diff := cmp.Diff([]any{want}, messages); diff != "" {
		t.Error(diff)
	}
}

func TestBlocksThatSlackRefuses(t *testing.T) {
	w := workspace(t)
	for name, blocks := range map[string][]any{
		"an unknown type":                  {m{"type": "marquee"}},
		"a card":                           {m{"type": "card", "title": plain("x")}},
		"a section without anything":       {m{"type": "section"}},
		"an empty text":                    {section("")},
		"a text that is a string":          {m{"type": "section", "text": "hello"}},
		"the same block_id twice":          {m{"type": "divider", "block_id": "a"}, m{"type": "divider", "block_id": "a"}},
		"the same action_id twice":         {actions(button("a", "A"), button("a", "B"))},
		"an unknown property":              {m{"type": "divider", "colour": "red"}},
		"an unknown style":                 {actions(oneButton("style", "warning"))},
		"emoji on mrkdwn":                  {m{"type": "section", "text": m{"type": "mrkdwn", "text": "x", "emoji": true}}},
		"no alt text":                      {m{"type": "image", "image_url": "https://example.com/a.png"}},
		"a text input as a button":         {actions(m{"type": "plain_text_input", "action_id": "t"})},
		"an initial option that is none":   {actions(selectOf(m{"options": times(2, opt), "initial_option": opt(7)}))},
		"a select without options":         {actions(selectOf(m{}))},
		"an actions block without buttons": {actions()},
		"a broken date":                    {actions(m{"type": "datepicker", "action_id": "d", "initial_date": "tomorrow"})},
		"an unknown rich text part":        {m{"type": "rich_text", "elements": []any{m{"type": "rich_text_poem", "elements": []any{}}}}},
		"a block that is no object":        {"divider"},
	} {
		if a := postBlocks(w, blocks...); a["error"] != "invalid_blocks" {
			t.Errorf("%s: got %v", name, a)
		}
	}
	w.refused("chat.postMessage", m{"channel": ops, "text": "x", "blocks": m{}}, "invalid_blocks")
}

func TestSectionFields(t *testing.T) {
	w := workspace(t)
	fields := func(n, length int) m {
		return postBlocks(w, m{"type": "section", "fields": times(n, func(int) any { return mrkdwn(of(length)) })})
	}
	if a := fields(10, 10); a["ok"] != true {
		t.Errorf("ten fields pass: %v", a)
	}
	if a := fields(11, 10); a["error"] != "invalid_blocks" {
		t.Errorf("eleven do not: %v", a)
	}
	if a := fields(1, 2000); a["ok"] != true {
		t.Errorf("2000 characters pass: %v", a)
	}
	if a := fields(1, 2001); a["error"] != "invalid_blocks" {
		t.Errorf("2001 do not: %v", a)
	}
}

func TestAdvisedSizes(t *testing.T) {
	w := workspace(t)
	w.ok("chat.postMessage", m{"channel": ops, "text": of(4001)})
	if a := inActions(w, selectOf(m{"options": []any{m{"text": plain("o"), "value": of(76)}}})); a["ok"] != true {
		t.Fatal(a)
	}
	var said []string
	for _, v := range w.Snapshot().Violations {
		said = append(said, v.What)
	}
	if len(said) != 2 || !strings.Contains(said[0], "4000") || !strings.Contains(said[1], "75") {
		t.Errorf("want a word about the long text and about the option value, got %q", said)
	}
}

func TestLongTextIsCut(t *testing.T) {
	w := workspace(t)
	w.post(ops, of(40001))
	if n := len(w.posted(ops)[0]); n != 40000 {
		t.Errorf("kept %d characters, want 40000", n)
	}
}

func FuzzBlocks(f *testing.F) {
	for _, seed := range []string{`[]`, `[{"type":"section","text":{"type":"mrkdwn","text":"x"}}]`, `{"a":1}`, `[1,null,{"type":5}]`,
		`[{"type":"actions","elements":[{"type":"static_select","options":[{}],"initial_option":3}]}]`,
		`[{"type":"rich_text","elements":[{"type":"rich_text_list","elements":[{"type":"rich_text_section","elements":[{}]}]}]}]`} {
		f.Add(seed)
	}
	s, err := slack.New(slack.Config{BotToken: token, SigningSecret: secret,
		Channels: []slack.Channel{{ID: ops, Name: "ops", Members: []string{theBot}}}})
	if err != nil {
		f.Fatal(err)
	}
	handler := s.Handler()
	f.Fuzz(func(t *testing.T, blocks string) {
		v := url.Values{"token": {token}, "channel": {ops}, "text": {"x"}, "blocks": {blocks}}
		rec := serve(handler, "/api/chat.postMessage", v.Encode())
		if !json.Valid(rec) {
			t.Errorf("answered %s", rec)
		}
		for _, msg := range s.Snapshot().Messages {
			msg.DrawnBlocks()
		}
	})
}
