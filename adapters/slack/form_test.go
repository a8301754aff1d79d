package slack

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"keyturn/bot"
)

// setupForm has an input of every kind.
func setupForm() bot.Form {
	return bot.Form{
		Action: "setup.start", Value: "draft-1", Title: "Set up service health for Contoso", Submit: "Start",
		Intro: []bot.Part{
			bot.Paragraph{Text: bot.T("The connector was retired on 30 May 2025. Nothing is written before the pieces were checked.")},
			bot.Note{Text: bot.T("No cases with Microsoft support.")},
		},
		Inputs: []bot.Input{
			{Name: "guide", Label: "What to set up", Kind: bot.Choice, Values: []string{"direct"}, Options: []bot.Option{
				{Value: "connector", Label: "Connector", Hint: "The guide as Microsoft wrote it"}, {Value: "direct", Label: "Direct", Hint: "The same outcome without it"}}},
			{Name: "tenant", Label: "Tenant", Kind: bot.Choice, Optional: true, Options: []bot.Option{{Value: "contoso", Label: "Contoso"}}},
			{Name: "instance", Label: "ServiceNow instance", Kind: bot.Line, Example: "contoso.service-now.com", Hint: "Any host name, or none", Max: 200, Values: []string{"contoso.service-now.com"}},
			{Name: "why", Label: "Reason", Kind: bot.Area, Optional: true},
			{Name: "services", Label: "Services", Kind: bot.Choices, Values: []string{"exchange"}, Options: []bot.Option{{Value: "exchange", Label: "Exchange Online"}, {Value: "teams", Label: "Microsoft Teams"}}},
			{Name: "public", Label: "Name people in public", Kind: bot.Tick, Values: []string{"yes"}},
			{Name: "channel", Label: "Where incidents go", Kind: bot.Channel},
			{Name: "digest", Label: "Daily digest at", Kind: bot.TimeOfDay, Values: []string{"09:00"}},
		},
	}
}

func TestFormsAreDrawnAsTheyWereSeen(t *testing.T) {
	v, err := modal(setupForm(), formMeta{Action: "setup.start", Value: "draft-1", Channel: channelID})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.MarshalIndent(v, "", "  ")
	golden(t, "form.golden.json", append(b, '\n'))
}

// TestWhatAFormAsksComesBackByName lets Slack's side fill in the form as it
// was drawn, element by element.
func TestWhatAFormAsksComesBackByName(t *testing.T) {
	v, err := modal(setupForm(), formMeta{Action: "setup.start", Value: "draft-1", Channel: channelID})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(v)
	var drawn struct {
		PrivateMetadata string           `json:"private_metadata"`
		CallbackID      string           `json:"callback_id"`
		Blocks          []map[string]any `json:"blocks"`
	}
	if err := json.Unmarshal(b, &drawn); err != nil {
		t.Fatal(err)
	}
	values := map[string]any{}
	for _, block := range drawn.Blocks {
		if block["type"] != "input" {
			continue
		}
		e := block["element"].(map[string]any)
		s := map[string]any{"type": e["type"]}
		switch e["type"] {
		case "plain_text_input":
			s["value"] = e["initial_value"]
		case "static_select", "radio_buttons":
			s["selected_option"] = e["initial_option"]
		case "checkboxes":
			s["selected_options"] = e["initial_options"]
		case "conversations_select":
			s["selected_conversation"] = channelID
		case "timepicker":
			s["selected_time"] = e["initial_time"]
		default:
			t.Fatalf("an element %v", e["type"])
		}
		values[block["block_id"].(string)] = map[string]any{e["action_id"].(string): s}
	}
	a := newApp(t)
	a.interacts(map[string]any{
		"type": "view_submission", "team": map[string]any{"id": team}, "user": map[string]any{"id": alice}, "trigger_id": "1.2.x",
		"view": map[string]any{"id": "V1", "callback_id": drawn.CallbackID, "private_metadata": drawn.PrivateMetadata, "state": map[string]any{"values": values}},
	})
	got := a.only(t)
	if got.Action != "setup.start" || got.Value != "draft-1" || got.Place != ops {
		t.Errorf("got %q %q %v", got.Action, got.Value, got.Place)
	}
	want := map[string][]string{
		"guide": {"direct"}, "tenant": {}, "instance": {"contoso.service-now.com"}, "why": {}, "services": {"exchange"},
		"public": {"yes"}, "channel": {channelID}, "digest": {"09:00"},
	}
	if diff := cmp.Diff(want, got.Input); diff != "" {
		t.Errorf("the input differs (-want +got):\n%s", diff)
	}
	if got.One("why") != "" || got.One("instance") != "contoso.service-now.com" {
		t.Error("One gives something else")
	}
}

func TestMistakesInFormsAreErrors(t *testing.T) {
	option := bot.Option{Value: "a", Label: "A"}
	for says, f := range map[string]bot.Form{
		"3000 characters":   {Value: strings.Repeat("v", 3000)},
		"nothing to choose": {Inputs: []bot.Input{{Name: "a", Kind: bot.Choice}}},
		"needs a value":     {Inputs: []bot.Input{{Name: "a", Kind: bot.Choice, Options: []bot.Option{{Label: "A"}}}}},
		"75 characters":     {Inputs: []bot.Input{{Name: "a", Kind: bot.Choices, Options: []bot.Option{{Value: strings.Repeat("v", 76)}}}}},
		"needs a name":      {Inputs: []bot.Input{{Kind: bot.Line}}},
		"two inputs":        {Inputs: []bot.Input{{Name: "a", Kind: bot.Line}, {Name: "a", Kind: bot.Choice, Options: []bot.Option{option}}}},
		"unknown kind":      {Inputs: []bot.Input{{Name: "a", Kind: "secret"}}},
		"100 blocks":        {Inputs: make([]bot.Input, 100)},
		"neither an action": {Intro: []bot.Part{bot.Buttons{Items: []bot.Button{{Label: "x"}}}}},
	} {
		if _, err := modal(f, formMeta{Action: f.Action, Value: f.Value}); bot.KindOf(err) != bot.KindBadRequest || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v", says, err)
		}
	}
}

func TestAFormThatCannotBeDrawnIsToldToTheDesk(t *testing.T) {
	a := newApp(t)
	a.desk.reply = bot.Reply{Form: &bot.Form{Title: "X", Inputs: []bot.Input{{Name: "a", Kind: "secret"}}}}
	a.interacts(a.click("fill~0", ""))
	if why := <-a.desk.lost; bot.KindOf(why) != bot.KindBadRequest {
		t.Errorf("got %v", why)
	}
	w := a.interacts(a.form(map[string]map[string]any{"tenant": line("x")}))
	if !strings.Contains(w.Body.String(), "in:tenant") {
		t.Errorf("got %s", w.Body)
	}
}

// viewWrong finds what Slack would refuse in a drawn form.
func viewWrong(t testing.TB, l limits, v any, intro []bot.Part) []string {
	b, err := json.Marshal(v)
	if err != nil {
		return []string{err.Error()}
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return []string{err.Error()}
	}
	c := newChecker(t, l, intro)
	for _, field := range []string{"title", "submit", "close"} {
		if m[field] != nil {
			c.object("the "+field, m[field], "views", field)
		}
	}
	if s, ok := m["private_metadata"].(string); ok {
		c.atMost("private_metadata", s, "views", "private_metadata")
	}
	c.blocks(m["blocks"].([]any), l.max(t, "views", "blocks"))
	return c.wrong
}

func TestAnyFormIsWithinSlacksLimits(t *testing.T) {
	l := readLimits(t)
	if v, err := modal(setupForm(), formMeta{}); err != nil || len(viewWrong(t, l, v, nil)) > 0 {
		t.Fatalf("%v %v", err, viewWrong(t, l, v, nil))
	}
	rapid.Check(t, func(rt *rapid.T) {
		f := bot.Form{Action: "a", Value: anyText(rt, "value"), Title: anyText(rt, "title"), Submit: anyText(rt, "submit")}
		if rapid.Bool().Draw(rt, "intro") {
			f.Intro = anyMessage(rt).Parts
		}
		for i := range rapid.IntRange(0, 12).Draw(rt, "inputs") {
			in := bot.Input{
				Name: fmt.Sprintf("in%d", i), Label: anyText(rt, "label"), Hint: anyText(rt, "hint"), Example: anyText(rt, "example"),
				Kind:   rapid.SampledFrom([]bot.InputKind{bot.Line, bot.Area, bot.Choice, bot.Choices, bot.Tick, bot.Channel, bot.TimeOfDay}).Draw(rt, "kind"),
				Values: []string{rapid.SampledFrom([]string{"v1", "yes", "25:00", "09:00", anyText(rt, "filled in")}).Draw(rt, "values")},
				Max:    rapid.SampledFrom([]int{0, 1, 50, 9999}).Draw(rt, "max"), Optional: rapid.Bool().Draw(rt, "optional"),
			}
			for j := range rapid.SampledFrom([]int{1, 3, 11, 99, 250, 1200}).Draw(rt, "options") {
				in.Options = append(in.Options, bot.Option{Value: fmt.Sprintf("v%d", j), Label: rapid.SampledFrom(hostile).Draw(rt, "option"), Hint: "h"})
				if j > 11 {
					in.Options[j].Label = strings.Repeat("long ", 30)
				}
			}
			f.Inputs = append(f.Inputs, in)
		}
		v, err := modal(f, formMeta{Action: f.Action, Value: f.Value})
		if err != nil {
			return
		}
		if wrong := viewWrong(t, l, v, f.Intro); len(wrong) > 0 {
			rt.Fatalf("%s", strings.Join(wrong, "\n"))
		}
	})
}

func TestFormsAreAnsweredWithinTheLimitsToo(t *testing.T) {
	a := newApp(t)
	a.desk.reply = bot.Reply{Errors: map[string]string{"tenant": strings.Repeat("too long ", 500), "note": ""}}
	w := a.interacts(a.form(map[string]map[string]any{"tenant": line("x"), "note": line("y")}))
	var r viewAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &struct {
		*viewAnswer
		View any `json:"view"`
	}{viewAnswer: &r}); err != nil {
		t.Fatal(err)
	}
	if n := bot.Units(r.Errors["in:tenant"]); n == 0 || n > maxFormError || r.Errors["in:note"] == "" {
		t.Errorf("got %v", r.Errors)
	}
}
