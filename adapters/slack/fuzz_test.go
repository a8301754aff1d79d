package slack

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"keyturn/bot"
	"keyturn/test/beside"
)

func seed(f *testing.F, take func(sample) (string, bool)) {
	b, err := os.ReadFile(beside.DataFile("slack/inbound-payloads.json"))
	var all []sample
	if err != nil || json.Unmarshal(b, &all) != nil {
		return // the seeds in the code have to do
	}
	for _, s := range all {
		if body, ok := take(s); ok {
			f.Add(body)
		}
	}
}

// sane holds what is true of every request, whoever wrote it.
func sane(t *testing.T, in inbound) {
	if in.Skip != "" {
		return
	}
	if in.Key == "" || in.Kind == "" || in.Place.Team == "" || in.Place.Platform != bot.Slack {
		t.Fatalf("a request without key, kind or place: %+v", in)
	}
	if len(in.Key) > 600 {
		t.Fatalf("a key of %d bytes", len(in.Key))
	}
	if in.Kind == bot.Clicked || in.Kind == bot.Submitted || in.Kind == bot.Typed {
		if in.From.ID == "" || in.From.Team == "" {
			t.Fatalf("nobody did it: %+v", in)
		}
	}
	if strings.HasPrefix(in.Return.URL.Reveal(), "http://") {
		t.Fatal("an answer would go out in clear")
	}
}

func fuzzed() *Adapter { return parser("T111", "T0001", "T123", "T12345678", "T") }

func FuzzCommand(f *testing.F) {
	f.Add("team_id=T&user_id=U&trigger_id=1&command=/k&text=%3C%40U1%7Cx%3E+%26amp%3B")
	seed(f, func(s sample) (string, bool) { return s.RawBody, s.Kind == "slash_command" })
	a := fuzzed()
	f.Fuzz(func(t *testing.T, body string) {
		in, _, err := a.parseCommand([]byte(body))
		if err == nil && in.Key != "" {
			sane(t, in)
		}
	})
}

func FuzzInteraction(f *testing.F) {
	f.Add(`{"type":"block_actions","team":{"id":"T"},"user":{"id":"U"},"actions":[{"action_id":"a~1","value":1}]}`)
	seed(f, func(s sample) (string, bool) { return string(s.Payload), !strings.HasPrefix(s.Kind, "event_") })
	a := fuzzed()
	f.Fuzz(func(t *testing.T, payload string) {
		body := url.Values{"payload": {payload}}.Encode()
		in, err := a.parseInteraction([]byte(body))
		if err != nil {
			return
		}
		sane(t, in)
		a.formError(in, map[string]string{"a": "x"})
	})
}

func FuzzEvent(f *testing.F) {
	f.Add(`{"type":"event_callback","team_id":"T","event":{"type":"message","channel":"D1","user":"U","text":"<@U1|x> &lt;"}}`)
	seed(f, func(s sample) (string, bool) { return string(s.Payload), strings.HasPrefix(s.Kind, "event_") })
	a := fuzzed()
	f.Fuzz(func(t *testing.T, body string) {
		in, _, err := a.parseEvent([]byte(body))
		if err == nil {
			sane(t, in)
		}
	})
}

func FuzzRender(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, "Label", "https://a.example/"+s, 3, true)
	}
	f.Add(strings.Repeat("é< ", 5000), "*", "mailto:a@b.example", 40, false)
	var l limits
	f.Fuzz(func(t *testing.T, text, label, link string, n int, styled bool) {
		if l == nil {
			l = readLimits(t)
		}
		at := time.Unix(int64(n)*1e6, 0)
		m := bot.Message{Key: "k", Parts: []bot.Part{
			bot.Heading{Text: label},
			bot.Paragraph{Text: bot.Text{{Text: text, Bold: styled}, {Text: label, Link: link}, {Text: text, Code: styled}, {Text: label, Time: &at}}},
			bot.Pairs{Items: []bot.Pair{{Label: label, Value: bot.T(text)}, {Label: text, Value: bot.C(label)}}},
			bot.Copy{Label: label, Value: text}, bot.Code{Title: label, Text: text}, bot.Note{Text: bot.Join(bot.I(text), bot.Link(label, link))},
			bot.Image{URL: link, Alt: text},
		}}
		for range min(max(n, 0), 80) {
			m.Add(bot.Numbered{Items: []bot.Text{bot.T(text), bot.B(label)}}, bot.Buttons{Items: []bot.Button{{Label: label, Action: "a", Says: text}}})
		}
		d, wrong := check(t, l, m)
		if len(wrong) > 0 {
			t.Fatal(strings.Join(wrong, "\n"))
		}
		if !utf8.ValidString(d.Text) {
			t.Fatalf("%q is no UTF-8", d.Text)
		}
	})
}
