package teams

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"slices"
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
	want := bot.Request{Key: "teams/" + ops + ";messageid=1600/f:click-1/abc", Kind: bot.Clicked, At: noon, From: fromErin, Name: "Erin", Unsure: true,
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
			said := slices.ContainsFunc(w.sent(), func(c call) bool {
				return c.Method == "POST" && strings.Contains(c.Path, "messageid=1600/activities")
			})
			if s.words() != "" || !said {
				t.Errorf("got %+v, sent %+v", s, w.sent())
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
		w := newWorld(t, func(c *Config) { c.Log = discard() })
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
	ref, err := w.Post(t.Context(), channelP.In("1600"), bot.Say(bot.T("The card as it was.")))
	if err != nil {
		t.Fatal(err)
	}
	s := answered(t, w.clicks(pressed{Kind: pressBack}, nil, fields{"replyToId": ref.ID}))
	if s.Type != cardType || !bytes.Contains(s.Value, []byte("The card as it was.")) {
		t.Errorf("got %+v", s)
	}
	w.desk.none(t)
	w.clicks(pressed{Kind: pressBack}, nil, fields{"replyToId": "1700"})
	if r := w.desk.only(t); r.Kind != bot.Clicked || r.Action != bot.DrawAnew || r.Message.ID != "1700" {
		t.Errorf("a card that is not known is asked for with %+v", r)
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
