package slack_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/sim/slack"
)

// openForm opens a modal as a bot would in answer to a command.
func (w *world) openForm(view m) string {
	w.Helper()
	out, err := w.Slash(alice, ops, "/keyturn form")
	if err != nil {
		w.Fatal(err)
	}
	id, _ := w.ok("views.open", m{"trigger_id": out.Trigger, "view": view})["view"].(m)["id"].(string)
	return id
}

func (w *world) openView(user string) *slack.View {
	views := w.Snapshot().Views
	for i := len(views) - 1; i >= 0; i-- {
		if views[i].User == user {
			return &views[i]
		}
	}
	return nil
}

func TestATriggerOpensOneModalWithinThreeSeconds(t *testing.T) {
	w := workspace(t)
	form := modal("Form", section("x"))
	out := must[slack.Outcome](t)(w.Slash(alice, ops, "/keyturn form"))
	w.refused("views.open", m{"trigger_id": out.Trigger, "view": m{"type": "modal"}}, "invalid_arguments")
	w.ok("views.open", m{"trigger_id": out.Trigger, "view": form})
	w.refused("views.open", m{"trigger_id": out.Trigger, "view": form}, "exchanged_trigger_id")
	out = must[slack.Outcome](t)(w.Slash(alice, ops, "/keyturn form"))
	w.clock.pass(3*time.Second + time.Millisecond)
	w.refused("views.open", m{"trigger_id": out.Trigger, "view": form}, "expired_trigger_id")
	w.refused("views.open", m{"trigger_id": "1.2.three", "view": form}, "invalid_trigger_id")
}

func everyInput() m {
	field := func(kind string, more m) m {
		el := m{"type": kind, "action_id": "in"}
		for k, v := range more {
			el[k] = v
		}
		return m{"type": "input", "block_id": kind, "label": plain(kind), "element": el}
	}
	three := m{"options": times(3, opt)}
	return modal("All", input("text", "in", nil), field("static_select", three), field("multi_static_select", three), field("checkboxes", three),
		field("radio_buttons", three), field("conversations_select", m{"response_url_enabled": true}), field("channels_select", nil), field("users_select", nil),
		field("multi_users_select", nil), field("datepicker", nil), field("timepicker", nil), field("number_input", m{"is_decimal_allowed": false}),
		m{"type": "input", "block_id": "maybe", "optional": true, "label": plain("maybe"), "element": m{"type": "plain_text_input", "action_id": "in"}})
}

func TestASubmissionHasTheShapeOfARealOne(t *testing.T) {
	w := workspace(t)
	id := w.openForm(everyInput())
	out := must[slack.Outcome](t)(w.Submit(alice, id, map[string]any{"text": "hello", "static_select": "1", "multi_static_select": []string{"0", "o2"},
		"checkboxes": []string{"1"}, "radio_buttons": "o1", "conversations_select": ops, "channels_select": "#quiet", "users_select": "@bob",
		"multi_users_select": []string{alice, "@bob"}, "datepicker": "2026-11-24", "timepicker": "09:30", "number_input": "7"}))
	if !out.OK() || out.View != "" {
		t.Fatalf("an empty 200 closes the form: %+v", out)
	}
	p := w.last().payload
	option := func(i int) any {
		label := "o" + string(rune('0'+i))
		return m{"text": plain(label), "value": label[1:]}
	}
	in := func(v m) any { return m{"in": v} }
	want := m{
		"text":                 in(m{"type": "plain_text_input", "value": "hello"}),
		"static_select":        in(m{"type": "static_select", "selected_option": option(1)}),
		"multi_static_select":  in(m{"type": "multi_static_select", "selected_options": []any{option(0), option(2)}}),
		"checkboxes":           in(m{"type": "checkboxes", "selected_options": []any{option(1)}}),
		"radio_buttons":        in(m{"type": "radio_buttons", "selected_option": option(1)}),
		"conversations_select": in(m{"type": "conversations_select", "selected_conversation": ops}),
		"channels_select":      in(m{"type": "channels_select", "selected_channel": quiet}),
		"users_select":         in(m{"type": "users_select", "selected_user": bob}),
		"multi_users_select":   in(m{"type": "multi_users_select", "selected_users": []any{alice, bob}}),
		"datepicker":           in(m{"type": "datepicker", "selected_date": "2026-11-24"}),
		"timepicker":           in(m{"type": "timepicker", "selected_time": "09:30"}),
		"number_input":         in(m{"type": "number_input", "value": "7"}),
		"maybe":                in(m{"type": "plain_text_input", "value": nil}),
	}
	if diff := cmp.Diff(want, p["view"].(m)["state"].(m)["values"].(m)); diff != "" {
		t.Error(diff)
	}
	urls := p["response_urls"].([]any)
	if len(urls) != 1 || urls[0].(m)["channel_id"] != ops {
		t.Fatalf("want one response address: %v", urls)
	}
	if code, body := w.respond(urls[0].(m)["response_url"].(string), m{"response_type": "in_channel", "text": "thanks"}); code != 200 || body != "ok" {
		t.Errorf("%d %s", code, body)
	}
}

func TestARequiredFieldLeftEmptyNeverReachesTheBot(t *testing.T) {
	w := workspace(t)
	id := w.openForm(modal("Form", input("name", "in", nil), input("short", "in", m{"max_length": 3})))
	n := w.count()
	out := must[slack.Outcome](t)(w.Submit(alice, id, map[string]any{"short": "too long"}))
	want := map[string]string{"name": "Please complete this required field.", "short": "enter at most 3 characters"}
	if diff := cmp.Diff(want, out.Errors); diff != "" || out.Status != 0 || w.count() != n {
		t.Errorf("%s; %d deliveries more", diff, w.count()-n)
	}
	if _, err := w.Submit(alice, id, map[string]any{"nmae": "x"}); err == nil || !strings.Contains(err.Error(), "name/in") {
		t.Errorf("a field that is not there should be answered with those that are: %v", err)
	}
}

func TestErrorsKeepWhatWasTyped(t *testing.T) {
	w := workspace(t)
	id := w.openForm(modal("Form", input("host", "in", nil), input("note", "in", m{"initial_value": "as ever"})))
	w.answerJSON(m{"response_action": "errors", "errors": m{"host": "That host does not answer."}})
	out := must[slack.Outcome](t)(w.Submit(alice, id, map[string]any{"host": "nowhere.example"}))
	if diff := cmp.Diff(map[string]string{"host": "That host does not answer."}, out.Errors); diff != "" || out.View != id {
		t.Errorf("%s view %s", diff, out.View)
	}
	v := w.openView(alice)
	if got := v.Typed["host"]["in"].(m)["value"]; got != "nowhere.example" || v.Errors["host"] == "" {
		t.Errorf("%+v", v)
	}
	w.answerJSON(m{"response_action": "update", "view": modal("Form 2", input("host", "in", nil), section("looking"))})
	out = must[slack.Outcome](t)(w.Submit(alice, id, nil))
	v = w.openView(alice)
	if out.View != id || len(v.Errors) != 0 || v.Revision != 1 || v.Typed["host"]["in"].(m)["value"] != "nowhere.example" {
		t.Errorf("the same block and action keep their text after an update: %+v", v)
	}
	w.answerJSON(m{"response_action": "push", "view": modal("On top", section("x"), input("more", "in", m{"initial_value": "y"}))})
	out = must[slack.Outcome](t)(w.Submit(alice, id, nil))
	if top := w.openView(alice); out.View == id || top.Previous != id || top.Root != id {
		t.Errorf("%+v", top)
	}
	if _, err := w.Submit(alice, id, nil); err == nil {
		t.Error("a view that is covered cannot be submitted")
	}
	w.answerJSON(m{"response_action": "clear"})
	if out = must[slack.Outcome](t)(w.Submit(alice, out.View, nil)); out.View != "" || w.openView(alice) != nil {
		t.Errorf("clear closes them all: %+v", out)
	}
}

func TestAnAnswerThatSlackDoesNotUnderstand(t *testing.T) {
	w := workspace(t)
	for name, answer := range map[string]any{
		"errors for no input":  m{"response_action": "errors", "errors": m{"elsewhere": "x"}},
		"errors without any":   m{"response_action": "errors"},
		"an unknown action":    m{"response_action": "explode"},
		"an update without it": m{"response_action": "update"},
		"a broken view":        m{"response_action": "update", "view": modal("x", m{"type": "section"})},
		"no object":            "what?",
	} {
		w.behave(nil)
		id := w.openForm(modal("Form", input("host", "in", nil)))
		w.answerJSON(answer)
		out := must[slack.Outcome](t)(w.Submit(alice, id, map[string]any{"host": "h"}))
		if out.Shown != "We had some trouble connecting. Try again?" || out.View != id {
			t.Errorf("%s: %+v", name, out)
		}
	}
	w.behave(nil)
	id := w.openForm(modal("Form", input("host", "in", nil)))
	w.behave(func(rw http.ResponseWriter, _ delivery) { rw.WriteHeader(503) })
	if out := must[slack.Outcome](t)(w.Submit(alice, id, map[string]any{"host": "h"})); out.Shown == "" || out.View != id {
		t.Errorf("a failed submission leaves the form open: %+v", out)
	}
}

func TestClosingAForm(t *testing.T) {
	w := workspace(t)
	id := w.openForm(modal("Quiet", section("x")))
	n := w.count()
	must[slack.Outcome](t)(w.Close(alice, id, false))
	if w.count() != n || w.openView(alice) != nil {
		t.Error("nobody asked to be told")
	}
	view := modal("Loud", input("host", "in", nil))
	view["notify_on_close"] = true
	id = w.openForm(view)
	must[slack.Outcome](t)(w.Close(alice, id, true))
	if p := w.last().payload; p["type"] != "view_closed" || p["is_cleared"] != true || p["view"].(m)["id"] != id {
		t.Errorf("got %v", p)
	}
	w.refused("views.update", m{"view_id": id, "view": modal("late", section("x"))}, "not_found")
}

func TestAViewIsUpdatedFromOutside(t *testing.T) {
	w := workspace(t)
	view := modal("Working", section("..."))
	view["external_id"] = "run-1"
	id := w.openForm(view)
	first := w.openView(alice).Hash
	next := modal("Done", section("done"))
	next["external_id"] = "run-1"
	w.refused("views.update", m{"view_id": id, "view": next, "hash": "stale"}, "hash_conflict")
	w.ok("views.update", m{"external_id": "run-1", "view": next, "hash": first})
	w.refused("views.update", m{"view_id": id, "view": next, "hash": first}, "hash_conflict")
	out := must[slack.Outcome](t)(w.Slash(bob, ops, "/keyturn form"))
	w.refused("views.open", m{"trigger_id": out.Trigger, "view": next}, "duplicate_external_id")
	w.refused("views.push", m{"trigger_id": "1.2.x", "view": next}, "invalid_trigger_id")
}

func TestAClickInAFormCarriesWhatIsTyped(t *testing.T) {
	w := workspace(t)
	id := w.openForm(modal("Form", input("host", "in", nil), actions(button("probe", "Probe"))))
	out := must[slack.Outcome](t)(w.Click(slack.Click{User: alice, View: id, Action: "probe", Typed: map[string]any{"host": "dev.example"}}))
	p := w.last().payload
	if got := p["view"].(m)["state"].(m)["values"].(m)["host"].(m)["in"].(m)["value"]; got != "dev.example" {
		t.Errorf("got %v", got)
	}
	w.ok("views.push", m{"trigger_id": out.Trigger, "view": modal("Next", section("x"))})
	if v := w.openView(alice); v.Previous != id {
		t.Errorf("%+v", v)
	}
	bobs := must[slack.Outcome](t)(w.Slash(bob, ops, "/keyturn form"))
	w.refused("views.push", m{"trigger_id": bobs.Trigger, "view": modal("Next", section("x"))}, "not_found")
}
