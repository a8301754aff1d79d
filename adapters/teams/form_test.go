package teams

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

func wholeForm() bot.Form {
	return bot.Form{Action: "setup.begin", Value: "contoso", Title: "Begin a setup", Submit: "Begin", Intro: []bot.Part{bot.Paragraph{Text: bot.T("The connector was *retired* on 30 May 2025.")}},
		Inputs: []bot.Input{
			{Name: "guide", Label: "What to set up", Kind: bot.Choice, Options: []bot.Option{{Value: "direct", Label: "Without the connector", Hint: "works today"}, {Value: "connector", Label: "As Microsoft wrote it"}}, Values: []string{"direct"}},
			{Name: "host", Label: "ServiceNow", Hint: "Its host name, or none.", Kind: bot.Line, Example: "contoso.service-now.com", Optional: true, Max: 80},
			{Name: "why", Label: "Why", Kind: bot.Area},
			{Name: "services", Label: "Services", Kind: bot.Choices, Options: []bot.Option{{Value: "Exchange, Online", Label: "Exchange"}, {Value: "Teams%2C", Label: "Teams"}, {Value: "c", Label: "C"}, {Value: "d", Label: "D"}, {Value: "e", Label: "E"}, {Value: "f", Label: "F"}}, Values: []string{"c"}},
			{Name: "quiet", Label: "Quiet at night", Kind: bot.Tick, Example: "Hold advisories"},
			{Name: "where", Label: "Where incidents go", Kind: bot.Channel},
			{Name: "digest", Label: "Digest at", Kind: bot.TimeOfDay, Values: []string{"09:00"}},
		}}
}

// packedPart is compressed, and compressors change.
var nonceOf = regexp.MustCompile(`"n":"[^"]+"`)
var packedPart = regexp.MustCompile(`"f":"[^"]+"`)

// filled is what a client sends for the form.
var filled = fields{"in:guide": "connector", "in:host": " h ", "in:why": "line one\nline two", "ms:services": "Exchange%2C+Online,Teams%252C",
	"tk:quiet": "yes", "ch:where": ops, "cl:where": "", "in:digest": "08:30"}

func TestAFormIsDrawnSentAndReadBack(t *testing.T) {
	w := newWorld(t)
	f := wholeForm()
	w.desk.reply = bot.Reply{Form: &f}
	s := answered(t, w.clicks(pressed{Action: "open"}, nil))
	var card map[string]any
	if err := json.Unmarshal(s.Value, &card); err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	_ = json.Indent(&pretty, nonceOf.ReplaceAll(packedPart.ReplaceAll(s.Value, []byte(`"f":"(packed)"`)), []byte(`"n":"(nonce)"`)), "", "  ")
	pretty.WriteByte('\n')
	golden(t, "form.json", pretty.Bytes())
	var p pressed
	data, _ := json.Marshal(card["actions"].([]any)[0].(map[string]any)["data"].(map[string]any)[dataKey])
	if err := json.Unmarshal(data, &p); err != nil {
		t.Fatal(err)
	}
	if err := schemaOf(t).Validate(withoutTeams(card)); err != nil {
		t.Error(err)
	}

	w.desk.reply = bot.Reply{Errors: map[string]string{"host": "There is no such host.", "": "Two things are wrong."}}
	rec := w.clicks(p, filled, fields{"id": "f:click-2"})
	got := w.desk.taken[1]
	want := map[string][]string{"guide": {"connector"}, "host": {"h"}, "why": {"line one\nline two"}, "services": {"Exchange, Online", "Teams%2C"},
		"quiet": {"yes"}, "where": {ops}, "digest": {"08:30"}}
	if d := cmp.Diff(want, got.Input); d != "" || got.Kind != bot.Submitted || got.Action != "setup.begin" || got.Value != "contoso" || !got.Inline {
		t.Errorf("%s\n%+v", d, got)
	}
	// What was typed is still there, with what is wrong beside it.
	again := rec.Body.String()
	for _, part := range []string{"There is no such host.", "Two things are wrong.", `"value":"h"`, `"value":"line one\nline two"`, `"value":"connector"`,
		`"value":"Exchange%2C+Online,Teams%252C"`, `"value":"yes"`, `"value":"08:30"`, "retired"} {
		if !strings.Contains(again, part) {
			t.Errorf("the form lost %s", part)
		}
	}
	w.desk.reply = bot.Reply{}
	if s := answered(t, w.clicks(p, filled, fields{"id": "f:click-3"})); s.Type != cardType || bytes.Contains(s.Value, []byte("in:host")) {
		t.Errorf("a form that was taken is still there: %+v", s)
	}
}

func TestAFormAsADialog(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.OpensForm = func(a string) bool { return a == "open" } })
	d, err := w.draw(bot.Message{Parts: []bot.Part{bot.Heading{Text: "x"}, bot.Buttons{Items: []bot.Button{{Label: "Open", Action: "open"}, {Label: "Do", Action: "do"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	body := string(encode(d.card))
	if strings.Count(body, `"task/fetch"`) != 1 || strings.Count(body, "Action.Execute") != 1 {
		t.Errorf("got %s", body)
	}
	f := wholeForm()
	w.desk.reply = bot.Reply{Form: &f}
	s := answered(t, w.clicks(pressed{}, nil, fields{"name": "task/fetch", "value": fields{"data": fields{dataKey: pressed{Action: "open"}}}}))
	var task struct {
		Title string
		Card  struct {
			ContentType string
			Content     map[string]any
		}
	}
	if err := json.Unmarshal(s.Task.Value, &task); err != nil || s.Task.Type != "continue" || task.Title != "Begin a setup" || task.Card.ContentType != cardType {
		t.Fatalf("got %+v", s)
	}
	button := task.Card.Content["actions"].([]any)[0].(map[string]any)
	if button["type"] != "Action.Submit" {
		t.Errorf("a dialog is sent by %v", button["type"])
	}
	data := button["data"].(map[string]any)
	for k, v := range filled {
		data[k] = v
	}
	submit := fields{"name": "task/submit", "id": "f:2", "value": fields{"data": data}}
	w.desk.reply = bot.Reply{Errors: map[string]string{"host": "No such host."}}
	if s := answered(t, w.clicks(pressed{}, nil, submit)); s.Task.Type != "continue" || !bytes.Contains(s.Task.Value, []byte("No such host.")) || !bytes.Contains(s.Task.Value, []byte("Begin a setup")) {
		t.Errorf("got %+v", s)
	}
	if got := w.desk.taken[1]; got.Kind != bot.Submitted || got.One("guide") != "connector" || got.Message.ID != "1700" {
		t.Errorf("got %+v", got)
	}
	submit["id"] = "f:3"
	w.desk.reply = bot.Private(bot.Say(bot.T("Begun.")))
	if s := answered(t, w.clicks(pressed{}, nil, submit)); s.Task.Type != "continue" || !bytes.Contains(s.Task.Value, []byte("Begun.")) {
		t.Errorf("got %+v", s)
	}
	submit["id"] = "f:4"
	w.desk.reply = bot.Reply{}
	if rec := w.clicks(pressed{}, nil, submit); rec.Body.Len() != 0 {
		t.Errorf("the dialog stays open: %s", rec.Body)
	}
}

func TestAFormAfterWords(t *testing.T) {
	f := wholeForm()
	w := newWorld(t)
	w.desk.reply = bot.Reply{Form: &f}
	w.deliver(w.personal(fields{"text": "setup"}))
	if got := asJSON(w.lastCall().Body); !strings.Contains(got, "in:guide") {
		t.Errorf("in a chat the form itself is shown: %s", got)
	}
	// In a channel everybody would see what one person fills in.
	w = newWorld(t)
	w.desk.reply = bot.Reply{Form: &f}
	v := w.inChannel(fields{"text": "<at>Keyturn</at> setup", "entities": mentionsBot})
	w.deliver(v)
	w.deliver(v)
	if n := len(w.sent()); n != 1 {
		t.Errorf("the form was offered %d times", n)
	}
	c := w.lastCall()
	if got := asJSON(c.Body); strings.Contains(got, "in:guide") || !strings.Contains(got, "Open: Begin a setup") || !strings.Contains(c.Path, "1600") {
		t.Fatalf("got %s", got)
	}
	var all struct {
		Attachments []struct{ Content map[string]any }
	}
	_ = json.Unmarshal([]byte(asJSON(c.Body)), &all)
	var p pressed
	eachAction(all.Attachments[0].Content, func(a map[string]any) {
		_ = json.Unmarshal([]byte(asJSON(a["data"].(map[string]any)[dataKey])), &p)
	})
	decided := w.desk.decided
	if s := answered(t, w.clicks(p, nil)); s.Type != cardType || !bytes.Contains(s.Value, []byte("in:guide")) || !bytes.Contains(s.Value, []byte("This channel")) || w.desk.decided != decided {
		t.Errorf("got %+v", s)
	}
	// Where it cannot be shown, the desk hears of it.
	w = newWorld(t)
	w.desk.reply = bot.Reply{Form: &f}
	w.next(403, "BotNotInConversationRoster")
	w.deliver(w.inChannel(fields{"text": "<at>Keyturn</at> setup", "entities": mentionsBot}))
	if len(w.desk.lost) != 1 || bot.KindOf(w.desk.lost[0]) != bot.KindGone {
		t.Errorf("got %v", w.desk.lost)
	}
}

func TestAnotherChannelIsNamedByItsLink(t *testing.T) {
	link := "https://teams.microsoft.com/l/channel/19%3Aabc%40thread.tacv2/General?groupId=x&tenantId=y"
	for typed, want := range map[string]string{link: "19:abc@thread.tacv2", "19:abc@thread.tacv2": "19:abc@thread.tacv2", "general": "general", "": ops} {
		raw, _ := json.Marshal(fields{dataKey: pressed{Action: "a"}, "ch:where": ops, "cl:where": typed})
		_, got, _ := readPressed(raw)
		if len(got["where"]) != 1 || got["where"][0] != want {
			t.Errorf("%q: got %q", typed, got)
		}
	}
}

func TestAFormThatCannotBeDrawnIsAMistake(t *testing.T) {
	for name, in := range map[string][]bot.Input{
		"two of a name": {{Name: "a", Label: "A"}, {Name: "a", Label: "B"}}, "no name": {{Label: "A"}}, "nothing to choose": {{Name: "a", Kind: bot.Choice}},
		"an unknown kind": {{Name: "a", Kind: "secret"}}, "a choice without value": {{Name: "a", Kind: bot.Choices, Options: []bot.Option{{Label: "x"}}}}, "far too many": make([]bot.Input, 60),
	} {
		if _, err := formCard(bot.Form{Action: "a", Title: "T", Inputs: in}, shape{}); bot.KindOf(err) != bot.KindBadRequest {
			t.Errorf("%s: got %v", name, err)
		}
	}
	bomb, err := pack(bot.Form{Title: strings.Repeat("x", 10<<20)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unpack(bomb); err == nil {
		t.Error("a form of ten megabytes was unpacked")
	}
}
