package teams

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

// shown is an answer to a button or a dialog as Teams reads it.
type shown struct {
	Status int             `json:"statusCode"`
	Type   string          `json:"type"`
	Value  json.RawMessage `json:"value"`
	Task   struct {
		Type  string          `json:"type"`
		Value json.RawMessage `json:"value"`
	} `json:"task"`
}

func answered(t testing.TB, rec *httptest.ResponseRecorder) shown {
	t.Helper()
	var s shown
	if err := json.Unmarshal(rec.Body.Bytes(), &s); err != nil {
		t.Fatalf("%v: %q", err, rec.Body)
	}
	return s
}

func (s shown) words() string {
	var w string
	_ = json.Unmarshal(s.Value, &w)
	return w
}

// clicks presses a button whose data is ours.
func (w *world) clicks(p pressed, typed fields, change ...fields) *httptest.ResponseRecorder {
	w.t.Helper()
	data := fields{dataKey: p}
	for k, v := range typed {
		data[k] = v
	}
	v := w.inChannel(fields{"type": "invoke", "name": "adaptiveCard/action", "id": "f:click-1", "replyToId": "1700",
		"value": fields{"action": fields{"type": "Action.Execute", "verb": verb, "data": data}, "trigger": "manual"}})
	for _, c := range change {
		for k, x := range c {
			v[k] = x
		}
	}
	return w.deliver(v)
}

func TestAClickReachesTheDesk(t *testing.T) {
	w := newWorld(t)
	w.clicks(pressed{Action: "step.approve", Value: "run-1/2", Nonce: "abc"}, nil)
	got := w.desk.only(t)
	held := channelP.In("1600")
	want := bot.Request{Key: "teams/" + ops + ";messageid=1600/f:click-1/abc", Kind: bot.Clicked, At: noon, From: fromErin, Name: "Erin",
		Place: held, Action: "step.approve", Value: "run-1/2", Message: bot.MessageRef{Place: held, ID: "1700"}, Inline: true}
	got.Return = bot.Return{}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(bot.Secret{})); d != "" {
		t.Error(d)
	}
}

func TestRepliesToAClick(t *testing.T) {
	long := bot.Message{Parts: []bot.Part{bot.Heading{Text: "The exact calls"}, bot.Code{Text: "POST /x"}}}
	form := bot.Form{Action: "f", Title: "Hand over", Submit: "Send", Inputs: []bot.Input{{Name: "why", Label: "Why"}}}
	for name, c := range map[string]struct {
		reply bot.Reply
		check func(t *testing.T, w *world, s shown)
	}{
		"nothing to say": {bot.Reply{}, func(t *testing.T, w *world, s shown) {
			if s.Status != 200 || s.Type != typeToast || s.words() != "" || len(w.sent()) != 0 {
				t.Errorf("got %+v", s)
			}
		}},
		"a short word": {bot.Private(bot.Say(bot.T("Taken. The others are told."))), func(t *testing.T, w *world, s shown) {
			if s.Type != typeToast || s.words() != "Taken. The others are told." {
				t.Errorf("got %+v", s)
			}
		}},
		"more than fits over the conversation": {bot.Private(long), func(t *testing.T, w *world, s shown) {
			if s.Type != cardType || !bytes.Contains(s.Value, []byte("POST /x")) || !bytes.Contains(s.Value, []byte(`"k":"back"`)) || len(w.sent()) != 0 {
				t.Errorf("got %+v", s)
			}
		}},
		"the card redrawn": {bot.Reply{Message: &long, Redraw: true}, func(t *testing.T, w *world, s shown) {
			if s.Type != cardType || bytes.Contains(s.Value, []byte(`"k":"back"`)) {
				t.Errorf("got %+v", s)
			}
			if c := w.lastCall(); c.Method != "PUT" || !strings.HasSuffix(c.Path, "/activities/1700") {
				t.Errorf("the others see the old card: %+v", c)
			}
		}},
		"something for everybody": {bot.Reply{Message: &long, InPlace: true}, func(t *testing.T, w *world, s shown) {
			if c := w.lastCall(); s.words() != "" || c.Method != "POST" || !strings.Contains(c.Path, "messageid=1600/activities") {
				t.Errorf("got %+v, sent %+v", s, c)
			}
		}},
		"a form": {bot.Reply{Form: &form}, func(t *testing.T, w *world, s shown) {
			if s.Type != cardType || !bytes.Contains(s.Value, []byte(`"id":"in:why"`)) {
				t.Errorf("got %+v", s)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.desk.reply = c.reply
			s := answered(t, w.clicks(pressed{Action: "a"}, nil))
			c.check(t, w, s)
			// Teams sends it again: the same answer, and nothing is said twice.
			sent := len(w.sent())
			if again := answered(t, w.clicks(pressed{Action: "a"}, nil)); cmp.Diff(s, again) != "" || w.desk.decided != 1 || len(w.sent()) != sent {
				t.Errorf("again: %+v, decided %d times, sent %d more", again, w.desk.decided, len(w.sent())-sent)
			}
			if s.Type == cardType {
				var card any
				if err := json.Unmarshal(s.Value, &card); err != nil {
					t.Fatal(err)
				}
				if err := schemaOf(t).Validate(withoutTeams(card)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestAFailureIsShownBelowTheCard(t *testing.T) {
	for name, change := range map[string]func(*desk){
		"not written": func(d *desk) { d.err = bot.ErrNoCommit }, "unknown": func(d *desk) { d.err = errors.New("inner " + canary) }, "panic": func(d *desk) { d.boom = true },
	} {
		w := newWorld(t)
		w.Adapter.log = discard()
		change(w.desk)
		rec := w.clicks(pressed{Action: "a"}, nil)
		s := answered(t, rec)
		if s.Status != 500 || s.Type != typeError || !bytes.Contains(s.Value, []byte("message")) || strings.Contains(rec.Body.String(), canary) {
			t.Errorf("%s: got %s", name, rec.Body)
		}
		rec = w.clicks(pressed{Action: "a"}, nil, fields{"name": "task/fetch", "value": fields{"data": fields{dataKey: pressed{Action: "a"}}}})
		if s := answered(t, rec); s.Task.Type != "message" {
			t.Errorf("%s: the dialog got %s", name, rec.Body)
		}
	}
}

func TestButtonsThatAreNotOursAreAnsweredCalmly(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		change fields
		code   int
		kind   string
	}{
		"a value that is a string": {fields{"value": "x"}, 400, typeError},
		"a value that is a list":   {fields{"value": []any{1}}, 400, typeError},
		"no value":                 {fields{"value": nil}, 400, typeError},
		"data that is a string":    {fields{"value": fields{"action": fields{"data": "x"}}}, 400, typeError},
		"data of another bot":      {fields{"value": fields{"action": fields{"verb": "x", "data": fields{"a": 1}}}}, 400, typeError},
		"our part is a string":     {fields{"value": fields{"action": fields{"data": fields{dataKey: "x"}}}}, 400, typeError},
		"a form that is rubbish":   {fields{"value": fields{"action": fields{"data": fields{dataKey: pressed{Action: "a", Kind: pressShow, Form: "rubbish"}}}}}, 400, typeError},
		"a refresh by itself":      {fields{"value": fields{"trigger": "automatic", "action": fields{"data": fields{dataKey: pressed{Action: "a"}}}}}, 200, typeToast},
		"an unknown name":          {fields{"name": "composeExtension/query"}, 501, typeError},
		"no name":                  {fields{"name": nil}, 501, typeError},
		"nobody":                   {fields{"from": fields{}}, 400, typeError},
	} {
		s := answered(t, w.clicks(pressed{Action: "a"}, nil, c.change))
		if s.Status != c.code || s.Type != c.kind {
			t.Errorf("%s: got %+v", name, s)
		}
	}
	for name, value := range map[string]any{"a string": "x", "not ours": fields{"data": fields{"x": 1}}} {
		if s := answered(t, w.clicks(pressed{}, nil, fields{"name": "task/fetch", "value": value})); s.Task.Type != "message" {
			t.Errorf("a dialog with %s: got %+v", name, s)
		}
	}
	w.desk.none(t)
}

func TestThereIsAWayBackToTheCard(t *testing.T) {
	w := newWorld(t)
	if s := answered(t, w.clicks(pressed{Kind: pressBack}, nil)); s.Type != typeToast || s.words() == "" {
		t.Errorf("a card that is not known: got %+v", s)
	}
	ref, err := w.Post(t.Context(), channelP.In("1600"), bot.Say(bot.T("The card as it was.")))
	if err != nil {
		t.Fatal(err)
	}
	s := answered(t, w.clicks(pressed{Kind: pressBack}, nil, fields{"replyToId": ref.ID}))
	if s.Type != cardType || !bytes.Contains(s.Value, []byte("The card as it was.")) {
		t.Errorf("got %+v", s)
	}
	w.desk.none(t)
}

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

func TestAClickOfAnOldClientComesAsAMessage(t *testing.T) {
	w := newWorld(t)
	w.deliver(w.inChannel(fields{"replyToId": "1700", "value": fields{dataKey: pressed{Action: "a", Value: "v", Nonce: "n"}, "in:x": "typed"}}))
	got := w.desk.only(t)
	if got.Kind != bot.Clicked || got.Inline || got.Action != "a" || got.One("x") != "typed" || got.Message.ID != "1700" || !strings.HasSuffix(got.Key, "/n") {
		t.Fatalf("got %+v", got)
	}
	if err := w.Answer(t.Context(), got.From, got.Place, got.Return, bot.Say(bot.T("Done.")), true, false); err != nil {
		t.Fatal(err)
	}
	if c := w.lastCall(); c.Method != "PUT" || !strings.HasSuffix(c.Path, "messageid=1600/activities/1700") {
		t.Errorf("the clicked card is not redrawn: %+v", c)
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
