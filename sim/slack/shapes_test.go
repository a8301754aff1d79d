package slack_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"keyturn/sim/slack"
	"keyturn/test/beside"
)

// real gathers the property paths of every recorded payload of a kind, two
// levels deep.
func real(t *testing.T, kinds ...string) map[string]bool {
	var all []struct {
		Kind    string
		Payload m
	}
	if err := json.Unmarshal(beside.Data(t, "slack/inbound-payloads.json"), &all); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range all {
		if slices.ContainsFunc(kinds, func(k string) bool { return p.Kind == k || strings.HasPrefix(p.Kind, k+":") }) {
			paths(p.Payload, "", seen)
		}
	}
	if len(seen) == 0 {
		t.Fatalf("no recorded payload of %v", kinds)
	}
	return seen
}

func paths(v m, at string, into map[string]bool) {
	for k, inner := range v {
		into[at+k] = true
		if o, ok := inner.(m); ok && at == "" {
			paths(o, k+".", into)
		}
	}
}

// TestPayloadsLookLikeRealOnes holds that the simulator sends no property that
// Slack was never seen to send.
func TestPayloadsLookLikeRealOnes(t *testing.T) {
	w := workspace(t)
	check := func(what string, got m, kinds ...string) {
		t.Helper()
		seen, mine := real(t, kinds...), map[string]bool{}
		paths(got, "", mine)
		for p := range mine {
			if !seen[p] {
				t.Errorf("%s: Slack was never seen to send %q", what, p)
			}
		}
	}
	must[slack.Outcome](t)(w.Slash(alice, ops, "/keyturn help"))
	form := m{}
	for k := range w.last().form {
		form[k] = "x"
	}
	check("a command", form, "slash_command")

	w.clicked(false)
	check("a click in a message", w.last().payload, "block_actions")
	w.clicked(true)
	check("a click in an ephemeral", w.last().payload, "block_actions")
	w.ok("views.publish", m{"user_id": alice, "view": m{"type": "home", "blocks": []any{actions(button("new", "New"))}}})
	must[slack.Outcome](t)(w.Click(slack.Click{User: alice, View: "home", Action: "new"}))
	check("a click in the Home", w.last().payload, "block_actions")

	id := w.openForm(modal("Form", input("b", "a", m{"initial_value": "x"})))
	must[slack.Outcome](t)(w.Submit(alice, id, nil))
	check("a submission", w.last().payload, "view_submission")
	view := modal("Form", section("x"))
	view["notify_on_close"] = true
	must[slack.Outcome](t)(w.Close(alice, w.openForm(view), false))
	check("a closed form", w.last().payload, "view_closed", "view_submission")

	must[slack.Outcome](t)(w.Mention(alice, ops, "", "x"))
	check("a mention", w.last().payload, "event_callback:app_mention")
	must[slack.Outcome](t)(w.DM(alice, "x"))
	check("a direct message", w.last().payload, "event_callback:message")
	must[slack.Outcome](t)(w.OpenHome(alice))
	check("an opened Home", w.last().payload, "event_callback:app_home_opened", "event_callback:app_mention")
	w.Uninstall()
	check("an uninstall", w.last().payload, "event_callback:app_uninstalled", "event_callback:app_mention")
}
