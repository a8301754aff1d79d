package teams

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/test/beside"
)

// recorded is one activity as Teams sent it, with what it is.
type recorded struct {
	Kind     string          `json:"kind"`
	Activity json.RawMessage `json:"activity"`
}

func recordings(b []byte) ([]recorded, error) {
	var all struct {
		Activities []recorded `json:"activities"`
	}
	err := json.Unmarshal(b, &all)
	return all.Activities, err
}

func TestRecordedActivitiesAreUnderstood(t *testing.T) {
	all, err := recordings(beside.Data(t, "teams/activities.json"))
	if err != nil || len(all) < 10 {
		t.Fatalf("%d activities, %v", len(all), err)
	}
	want := func(kind string) (bot.RequestKind, string) {
		switch {
		case strings.HasPrefix(kind, "message:channel mention"):
			return bot.Typed, "help"
		case strings.HasPrefix(kind, "message:personal with"):
			return bot.Typed, "unlink"
		case strings.HasPrefix(kind, "message:"):
			return bot.Typed, "ping"
		case strings.Contains(kind, "Removed"):
			return bot.Left, ""
		case strings.HasPrefix(kind, "conversationUpdate"), strings.HasPrefix(kind, "installationUpdate:add"):
			return bot.Joined, ""
		}
		return "", ""
	}
	for _, r := range all {
		var v activity
		if err := read(r.Activity, &v); err != nil {
			t.Fatal(r.Kind, err)
		}
		tenant := v.tenant()
		if v.ServiceURL == "" {
			continue // no capture but a fragment of one; see the fuzz test
		}
		w := newWorld(t, func(c *Config) {
			c.Tenants = []string{tenant}
			c.AppID = strings.TrimPrefix(v.Recipient.ID, "28:")
		})
		claims := w.claims()
		claims["aud"], claims["serviceurl"] = strings.TrimPrefix(v.Recipient.ID, "28:"), v.ServiceURL
		rec := w.post(newSigner("k1").token(claims), r.Activity)
		if rec.Code != 200 {
			t.Errorf("%s: got HTTP %d\n%s", r.Kind, rec.Code, w.log)
			continue
		}
		kind, text := want(r.Kind)
		if kind == "" {
			w.desk.none(t)
			continue
		}
		got := w.desk.only(t)
		if got.Kind != kind || got.Text != text || got.Place.Team != tenant || got.Place.Channel == "" && got.Place.User == "" || got.Key == "" {
			t.Errorf("%s: got %+v", r.Kind, got)
		}
		if kind == bot.Typed && (got.From.ID == "" || got.Guest || !strings.Contains(r.Kind, "channel") != got.Place.Direct()) {
			t.Errorf("%s: got %+v", r.Kind, got)
		}
	}
}

func FuzzActivity(f *testing.F) {
	if b, err := os.ReadFile(beside.DataFile("teams/activities.json")); err == nil {
		all, _ := recordings(b)
		for _, r := range all {
			f.Add(string(r.Activity))
		}
	}
	for _, s := range []string{`{"type":"invoke","value":"str"}`, `{"type":"message","value":[1]}`, `{"type":"message","text":"<at>x","entities":[{"type":"mention","text":"<at>x","mentioned":{"id":"28:b"}}],"recipient":{"id":"28:b"}}`,
		`{"type":"invoke","name":"task/submit","value":{"data":{"keyturn":{"a":"x","k":"form","f":"AAAA"},"ms:x":"%,%41"}}}`, `{"type":"conversationUpdate","channelData":{"eventType":"teamDeleted","team":{"id":"19:x"}},"conversation":{"id":"19:x"}}`} {
		f.Add(s)
	}
	a, err := New(Config{AppID: appID, Directory: contoso, Tenants: []string{contoso}, Credential: Credential{Secret: bot.NewSecret("s")}, Log: discard()})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var v activity
		if read([]byte(body), &v) != nil {
			return
		}
		v.Conversation.TenantID = contoso
		a.learn(v)
		for _, in := range a.understand(v, []byte(body)) {
			sane(t, in)
		}
		in := inbound{Request: a.request(v, []byte(body))}
		var value invokeValue
		_ = read(v.Value, &value)
		for _, data := range []json.RawMessage{value.Data, value.Action.Data, v.Value} {
			p, typed, ok := readPressed(data)
			if !ok {
				continue
			}
			one := in
			a.press(&one, v, p, typed)
			sane(t, one)
			if card, err := a.replyCard(one, bot.Reply{Errors: map[string]string{"a": "x"}}, false); err == nil && card != nil && sizeOf(card) > maxCard+2000 {
				t.Fatalf("a form of %d bytes", sizeOf(card))
			}
		}
	})
}

// sane holds what is true of every request, whoever wrote it.
func sane(t *testing.T, in inbound) {
	t.Helper()
	if in.Skip != "" {
		return
	}
	if in.Key == "" || in.Kind == "" || in.Place.Team != contoso || in.Place.Platform != bot.Teams || len(in.Key) > 900 {
		t.Fatalf("a request without key, kind or place: %+v", in)
	}
	if in.Kind == bot.Clicked || in.Kind == bot.Submitted || in.Kind == bot.Typed {
		if in.From.ID == "" || in.From.Team == "" {
			t.Fatalf("nobody did it: %+v", in)
		}
	}
	if in.Kind == bot.Typed && in.Text != strings.TrimSpace(in.Text) {
		t.Fatalf("blanks around %q", in.Text)
	}
}

func FuzzToken(f *testing.F) {
	w := newWorld(f)
	w.otherKeys()
	signed := w.signed(f)
	f.Add(w.good())
	for _, h := range hostile(w) {
		if len(h.header) < 2*maxHeader {
			f.Add(h.header)
		}
	}
	f.Fuzz(func(t *testing.T, header string) {
		if _, err := w.takes(t.Context(), signed, header); err != nil {
			t.Fatal(err)
		}
	})
}

// signed are the tokens that Microsoft's key signed for this bot, though some of
// them are for another activity.
func (w *world) signed(t testing.TB) map[string]bool {
	t.Helper()
	signed := map[string]bool{w.good()[len("Bearer "):]: true}
	for _, h := range hostile(w) {
		if _, err := w.valid.prove(t.Context(), h.header); err == nil {
			signed[h.header[len("Bearer "):]] = true
		}
	}
	if len(signed) > 5 {
		t.Fatalf("%d tokens prove themselves", len(signed))
	}
	return signed
}

// takes reports whether a header proves itself. Its error says that one did which
// nobody signed.
func (w *world) takes(ctx context.Context, signed map[string]bool, header string) (bool, error) {
	if _, err := w.valid.prove(ctx, header); err != nil {
		return false, nil
	}
	if !signed[header[len("Bearer "):]] {
		return true, fmt.Errorf("accepted %q, which nobody signed", header)
	}
	return true, nil
}

func FuzzRender(f *testing.F) {
	for _, s := range pieces {
		f.Add(s, "Label", "https://a.example/"+s, 3, true)
	}
	f.Fuzz(func(t *testing.T, text, label, link string, n int, styled bool) {
		at := since.AddDate(0, 0, n%10000)
		who := bot.Account{Platform: bot.Teams, ID: bob}
		m := bot.Message{Parts: []bot.Part{
			bot.Heading{Text: label},
			bot.Paragraph{Text: bot.Text{{Text: text, Bold: styled}, {Text: label, Link: link}, {Text: text, Code: styled}, {Text: label, Time: &at}, {Text: text, Who: &who}}},
			bot.Pairs{Items: []bot.Pair{{Label: label, Value: bot.T(text)}, {Label: text, Value: bot.C(label)}}},
			bot.Copy{Label: label, Value: text}, bot.Code{Title: label, Text: text}, bot.Note{Text: bot.Join(bot.I(text), bot.Link(label, link))},
			bot.Image{URL: link, Alt: text},
		}}
		for range min(max(n, 0), 30) {
			m.Add(bot.Numbered{Items: []bot.Text{bot.T(text), bot.B(label)}}, bot.Buttons{Items: []bot.Button{{Label: label, Action: "a", Says: text}}})
		}
		d, err := draw(m, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range faults(t, d, 2, 1, 1) {
			t.Error(w)
		}
	})
}
