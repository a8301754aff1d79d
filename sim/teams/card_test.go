package teams_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"keyturn/sim/teams"
)

// approval posts a card with an input and a button in the channel.
func (w *world) approval() string {
	w.Helper()
	reason := m{"type": "Input.Text", "id": "reason", "label": "Reason", "isRequired": true, "errorMessage": "Say why."}
	return w.post(incidents, withCard(card([]any{block("Approve?"), reason}, execute("Approve and run", "approve", m{"plan": "p1"}))))
}

func TestAClickIsAnInvokeWithTheInputs(t *testing.T) {
	w := tenantWith(t)
	id := w.approval()
	w.answers(actionAnswer(200, adaptive, card([]any{block("Approved by Alice")})))
	out := must[teams.Outcome](t)(w.Click(teams.Click{User: alice, Conversation: incidents, Activity: id, Action: "Approve and run", Inputs: m{"Reason": "because"}}))
	if !out.OK() || !out.Replaced {
		t.Fatalf("outcome %+v", out)
	}
	a := w.last()
	value, _ := a["value"].(m)
	action, _ := value["action"].(m)
	data, _ := action["data"].(m)
	conversation, _ := a["conversation"].(m)
	if a["type"] != "invoke" || a["name"] != "adaptiveCard/action" || a["replyToId"] != id || value["trigger"] != "manual" {
		t.Errorf("the invoke is %v", a)
	}
	if action["verb"] != "approve" || data["plan"] != "p1" || data["reason"] != "because" || conversation["id"] != incidents+";messageid="+id {
		t.Errorf("the action is %v in %v", action, conversation["id"])
	}
	msg := w.Snapshot().Messages[0]
	if got := string(msg.CardsFor(alice)[0]); !strings.Contains(got, "Approved by Alice") {
		t.Errorf("Alice sees %s", got)
	}
	if got := string(msg.CardsFor(bob)[0]); !strings.Contains(got, "Approve?") {
		t.Errorf("Bob sees %s; an answer is for the clicker alone", got)
	}
	w.call(http.MethodPut, activitiesOf(incidents)+"/"+id, withCard(card([]any{block("Done")})))
	msg = w.Snapshot().Messages[0]
	if got := string(msg.CardsFor(alice)[0]); !strings.Contains(got, "Done") {
		t.Errorf("after the edit Alice sees %s", got)
	}
}

func TestAMissingInputNeverReachesTheBot(t *testing.T) {
	w := tenantWith(t)
	id := w.approval()
	out := must[teams.Outcome](t)(w.Click(teams.Click{User: alice, Conversation: incidents, Activity: id, Action: "approve"}))
	if out.Errors["reason"] != "Say why." || len(w.deliveries()) != 0 {
		t.Errorf("outcome %+v with %d deliveries", out, len(w.deliveries()))
	}
}

func TestWhatTheClientRefuses(t *testing.T) {
	w := tenantWith(t)
	id := w.post(incidents, withCard(card([]any{block("x")}, execute("Yes", "go", m{"n": 1}), execute("Yes", "go", m{"n": 2}),
		m{"type": "Action.Submit", "title": "Off", "isEnabled": false})))
	for _, c := range []struct {
		click teams.Click
		want  string
	}{
		{teams.Click{User: alice, Activity: id, Action: "No"}, `no button "No"`},
		{teams.Click{User: alice, Activity: id, Action: "Yes"}, "say which one"},
		{teams.Click{User: alice, Activity: id, Action: "Yes", Nth: 3}, "no number 3"},
		{teams.Click{User: alice, Activity: id, Action: "Off"}, "greyed out"},
		{teams.Click{User: alice, Activity: "1", Action: "Yes"}, "sees no message"},
		{teams.Click{User: outsider, Activity: id, Action: "Yes"}, "not a member"},
		{teams.Click{User: alice, Activity: id, Action: "Yes", Nth: 1, Inputs: m{"x": "y"}}, "no input"},
	} {
		c.click.Conversation = incidents
		if _, err := w.Click(c.click); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.click, err, c.want)
		}
	}
	must[teams.Outcome](t)(w.Click(teams.Click{User: alice, Conversation: incidents, Activity: id, Action: "Yes", Nth: 2}))
	value, _ := w.last()["value"].(m)
	action, _ := value["action"].(m)
	if data, _ := action["data"].(m); data["n"] != 2.0 {
		t.Errorf("the second button sent %v", data)
	}
}

func TestAnswersThatSpeakAndAnswersThatFail(t *testing.T) {
	w := tenantWith(t)
	id := w.post(incidents, withCard(card([]any{block("x")}, execute("Go", "go", nil))))
	click := func() teams.Outcome {
		return must[teams.Outcome](t)(w.Click(teams.Click{User: alice, Conversation: incidents, Activity: id, Action: "Go"}))
	}
	w.answers(actionAnswer(200, "application/vnd.microsoft.activity.message", "Done."))
	if out := click(); out.Toast != "Done." || !out.OK() {
		t.Errorf("a toast: %+v", out)
	}
	w.answers(actionAnswer(400, "application/vnd.microsoft.error", m{"code": "Decided", "message": "This was decided by Bob."}))
	if out := click(); out.Shown != "This was decided by Bob." || out.Code != "Decided" {
		t.Errorf("an error: %+v", out)
	}
	notices := w.Snapshot().Notices
	if len(notices) != 2 || notices[0].Kind != teams.Toast || notices[1].Kind != teams.Red || notices[1].User != alice {
		t.Errorf("shown: %+v", notices)
	}
	if n := len(w.Snapshot().Troubles); n != 0 {
		t.Errorf("%d troubles after good answers", n)
	}
	bad := []func(){
		func() { w.behave(nil) },
		func() { w.answers(m{"hello": "world"}) },
		func() { w.answers(actionAnswer(200, adaptive, m{"type": "AdaptiveCard", "version": "9"})) },
		func() { w.answers(actionAnswer(500, "application/vnd.microsoft.error", m{})) },
		func() { w.behave(func(rw http.ResponseWriter, _ delivery) { rw.WriteHeader(501) }) },
	}
	for i, prepare := range bad {
		prepare()
		if out := click(); out.Shown != "Something went wrong. Please try again." {
			t.Errorf("bad answer %d: %+v", i, out)
		}
		if n := len(w.Snapshot().Troubles); n != i+1 {
			t.Errorf("bad answer %d: %d troubles", i, n)
		}
	}
}

func TestASlowBotIsAskedTwiceWithTheSameActivity(t *testing.T) {
	w := tenantWith(t, func(c *teams.Config) { c.AckTimeout = 50 * time.Millisecond })
	id := w.post(incidents, withCard(card([]any{block("x")}, execute("Go", "go", nil))))
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	w.behave(func(http.ResponseWriter, delivery) { <-release })
	out := must[teams.Outcome](t)(w.Click(teams.Click{User: alice, Conversation: incidents, Activity: id, Action: "Go"}))
	got := w.deliveries()
	if out.Attempts != 2 || out.Reason != "timeout" || out.Shown == "" || len(got) != 2 || got[0].activity["id"] != got[1].activity["id"] {
		t.Errorf("outcome %+v after %d deliveries", out, len(got))
	}
}

func TestASubmitIsAMessageWithAValue(t *testing.T) {
	w := tenantWith(t)
	id := w.post(incidents, withCard(card([]any{m{"type": "Input.Toggle", "id": "sure", "title": "Sure"}}, submit("Send", m{"verb": "go"}))))
	out := must[teams.Outcome](t)(w.Click(teams.Click{User: bob, Conversation: incidents, Activity: id, Action: "Send", Inputs: m{"sure": true}}))
	a := w.last()
	value, _ := a["value"].(m)
	if !out.OK() || a["type"] != "message" || a["text"] != nil || value["verb"] != "go" || value["sure"] != "true" || a["replyToId"] != id {
		t.Errorf("%+v: %v", out, a)
	}
}

func TestTeamsOwnKindsOfSubmit(t *testing.T) {
	w := tenantWith(t)
	must[teams.Outcome](t)(w.Install(alice, ""))
	id := w.post(w.PersonalID(alice), withCard(card([]any{block("x")},
		submit("Say", m{"msteams": m{"type": "imBack", "value": "status"}}),
		submit("Back", m{"msteams": m{"type": "messageBack", "text": "t", "displayText": "shown", "value": "a string"}}),
		m{"type": "Action.OpenUrl", "title": "Open", "url": "https://example.com"})))
	press := func(action string) teams.Outcome {
		return must[teams.Outcome](t)(w.Click(teams.Click{User: alice, Conversation: w.PersonalID(alice), Activity: id, Action: action}))
	}
	press("Say")
	if a := w.last(); a["text"] != "status" || a["value"] != nil {
		t.Errorf("imBack sent %v", a)
	}
	press("Back")
	if a := w.last(); a["text"] != "t" || a["value"] != "a string" {
		t.Errorf("messageBack sent %v", a)
	}
	if seen := w.Seen(alice, ""); seen[len(seen)-1].Text != "shown" {
		t.Errorf("the chat shows %q", seen[len(seen)-1].Text)
	}
	before := len(w.deliveries())
	if out := press("Open"); out.Link != "https://example.com" || len(w.deliveries()) != before {
		t.Errorf("a link: %+v", out)
	}
}

func TestInputsAreSentAsTexts(t *testing.T) {
	w := tenantWith(t)
	choices := []any{m{"title": "Exchange", "value": "ex"}, m{"title": "Teams", "value": "tm"}}
	id := w.post(incidents, withCard(card([]any{
		m{"type": "Input.Text", "id": "empty"}, m{"type": "Input.Text", "id": "host", "value": "kept", "regex": "^[a-z]+$", "maxLength": 5},
		m{"type": "Input.Number", "id": "n", "min": 1, "max": 9}, m{"type": "Input.Number", "id": "none"},
		m{"type": "Input.ChoiceSet", "id": "one", "choices": choices}, m{"type": "Input.ChoiceSet", "id": "many", "isMultiSelect": true, "choices": choices},
		m{"type": "Input.Toggle", "id": "t", "title": "T", "valueOn": "yes", "valueOff": "no"}, m{"type": "Input.Date", "id": "d", "min": "2026-01-01"},
	}, execute("Go", "go", nil))))
	click := func(inputs m) (teams.Outcome, error) {
		return w.Click(teams.Click{User: alice, Conversation: incidents, Activity: id, Action: "Go", Inputs: inputs})
	}
	must[teams.Outcome](t)(click(m{"n": 4, "one": "Teams", "many": []any{"Exchange", "tm"}, "t": true, "d": "2026-11-23"}))
	value, _ := w.last()["value"].(m)
	action, _ := value["action"].(m)
	got := fmt.Sprint(action["data"])
	if want := fmt.Sprint(m{"empty": "", "host": "kept", "n": "4", "one": "tm", "many": "ex,tm", "t": "yes", "d": "2026-11-23"}); got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	out := must[teams.Outcome](t)(click(m{"n": 10, "host": "NO", "d": "2025-01-01"}))
	if len(out.Errors) != 3 {
		t.Errorf("the client let pass: %v", out.Errors)
	}
	for _, wrong := range []m{{"n": "x"}, {"one": "Word"}, {"many": "ex,word"}, {"t": "maybe"}, {"d": "soon"}} {
		if _, err := click(wrong); err == nil {
			t.Errorf("the client took %v", wrong)
		}
	}
}

func TestADialogIsFetchedFilledAndSent(t *testing.T) {
	w := tenantWith(t)
	id := w.post(incidents, withCard(card([]any{block("x")}, submit("Edit", m{"verb": "edit", "msteams": m{"type": "task/fetch"}}))))
	form := card([]any{m{"type": "Input.Text", "id": "host", "label": "Host", "isRequired": true}}, submit("Save", m{"verb": "save"}))
	next := func(c m) m {
		return m{"task": m{"type": "continue", "value": m{"title": "Host", "height": "medium", "card": m{"contentType": adaptive, "content": c}}}}
	}
	w.answers(next(form))
	out := must[teams.Outcome](t)(w.Click(teams.Click{User: alice, Conversation: incidents, Activity: id, Action: "Edit"}))
	if !out.OK() || out.Dialog == "" || w.last()["name"] != "task/fetch" {
		t.Fatalf("outcome %+v", out)
	}
	missing := must[teams.Outcome](t)(w.Submit(alice, out.Dialog, nil))
	if missing.Errors["host"] == "" || len(w.deliveries()) != 1 {
		t.Errorf("an empty form was sent: %+v", missing)
	}
	w.answers(next(card([]any{block("Not found. Once more.")}, submit("Save", nil))))
	second := must[teams.Outcome](t)(w.Submit(alice, out.Dialog, m{"host": "x"}))
	value, _ := w.last()["value"].(m)
	data, _ := value["data"].(m)
	if w.last()["name"] != "task/submit" || data["verb"] != "save" || data["host"] != "x" {
		t.Errorf("submitted %v", w.last())
	}
	if second.Dialog == "" || second.Dialog == out.Dialog {
		t.Errorf("the next dialog is %q after %q", second.Dialog, out.Dialog)
	}
	if _, err := w.Submit(bob, second.Dialog, nil); err == nil {
		t.Error("Bob sent Alice's dialog")
	}
	w.answers(m{"task": m{"type": "message", "value": "Saved."}})
	last := must[teams.Outcome](t)(w.Submit(alice, second.Dialog, nil))
	if last.Toast != "Saved." || last.Dialog != "" || len(w.Snapshot().Dialogs) != 0 {
		t.Errorf("outcome %+v", last)
	}
}

func TestADialogClosesOnNothingAndIsDismissedInSilence(t *testing.T) {
	w := tenantWith(t)
	id := w.post(incidents, withCard(card([]any{block("x")}, submit("Edit", m{"msteams": m{"type": "task/fetch"}}))))
	open := func() string {
		w.answers(m{"task": m{"type": "continue", "value": m{"card": m{"contentType": adaptive, "content": card([]any{block("x")}, submit("Save", nil))}}}})
		return must[teams.Outcome](t)(w.Click(teams.Click{User: alice, Conversation: incidents, Activity: id, Action: "Edit"})).Dialog
	}
	first := open()
	w.behave(nil)
	if out := must[teams.Outcome](t)(w.Submit(alice, first, nil)); !out.OK() || out.Dialog != "" {
		t.Errorf("an empty answer: %+v", out)
	}
	second := open()
	before := len(w.deliveries())
	if err := w.Dismiss(alice, second); err != nil || len(w.deliveries()) != before {
		t.Errorf("dismissed: %v, %d deliveries", err, len(w.deliveries())-before)
	}
	w.behave(nil)
	out := must[teams.Outcome](t)(w.Click(teams.Click{User: alice, Conversation: incidents, Activity: id, Action: "Edit"}))
	if out.Shown == "" || out.Dialog != "" {
		t.Errorf("a dialog without an answer: %+v", out)
	}
}

func TestACardRefreshesItselfForThoseItNames(t *testing.T) {
	w := tenantWith(t)
	c := card([]any{block("x")})
	c["refresh"] = m{"action": m{"type": "Action.Execute", "verb": "refresh"}, "userIds": []any{w.TeamsID(alice)}}
	id := w.post(incidents, withCard(c))
	w.answers(actionAnswer(200, adaptive, c))
	look := func(user string) teams.Outcome { return must[teams.Outcome](t)(w.Look(user, incidents, id)) }
	if out := look(bob); out.Unsent == "" {
		t.Errorf("the card refreshed itself for Bob: %+v", out)
	}
	look(alice)
	if value, _ := w.last()["value"].(m); value["trigger"] != "automatic" {
		t.Errorf("the refresh is %v", value)
	}
	if out := look(alice); out.Unsent == "" {
		t.Error("the card refreshed itself twice in a minute")
	}
	w.clock.pass(2 * time.Minute)
	if out := look(alice); !out.Replaced {
		t.Errorf("later: %+v", out)
	}
}

func TestMalformedCardsAreRefused(t *testing.T) {
	w := tenantWith(t)
	for what, c := range map[string]any{
		"an unknown element":     card([]any{m{"type": "TextBlok", "text": "x"}}),
		"an unknown action":      card(nil, m{"type": "Action.Explode", "title": "x"}),
		"a version of tomorrow":  m{"type": "AdaptiveCard", "version": "2.0", "body": []any{}},
		"no version":             m{"type": "AdaptiveCard", "body": []any{}},
		"another type":           m{"type": "Card", "version": "1.5"},
		"a text without text":    card([]any{m{"type": "TextBlock"}}),
		"a text that is none":    card([]any{m{"type": "TextBlock", "text": 1}}),
		"an input without ID":    card([]any{m{"type": "Input.Text"}}),
		"a body that is no list": m{"type": "AdaptiveCard", "version": "1.5", "body": m{}},
		"an unknown one inside":  card([]any{m{"type": "ColumnSet", "columns": []any{m{"type": "Column", "items": []any{m{"type": "X"}}}}}}),
		"a list":                 []any{},
	} {
		r := w.send(incidents, m{"type": "message", "summary": "s", "attachments": []any{m{"contentType": adaptive, "content": c}}})
		if r.status != http.StatusBadRequest || r.code() != "BadSyntax" {
			t.Errorf("%s: %d %v", what, r.status, r.body)
		}
	}
	w.refused(w.send(incidents, m{"type": "message", "attachments": []any{m{"contentType": "application/x-unknown"}}}), 400, "BadSyntax")
	w.post(incidents, withCard(card([]any{m{"type": "Badge", "fallback": block("x")}, m{"type": "Icon", "fallback": "drop"}})))
	if n := len(w.Snapshot().Violations); n != 0 {
		t.Errorf("good cards are blamed: %+v", w.Snapshot().Violations)
	}
}

func TestWhatAGoodBotDoesNotDoIsListed(t *testing.T) {
	w := tenantWith(t)
	var many []any
	for i := range 7 {
		many = append(many, execute(fmt.Sprint("b", i), "v", nil))
	}
	old := card([]any{block("x")}, execute("Go", "go", nil))
	old["version"] = "1.3"
	tagged := card([]any{block("<at>Bob</at>")})
	for words, activity := range map[string]m{
		"without summary":           {"type": "message", "attachments": []any{m{"contentType": adaptive, "content": card([]any{block("x")})}}},
		"above 28672":               withCard(card([]any{block(strings.Repeat("x", 30<<10))})),
		"7 primary actions":         withCard(card([]any{block("x")}, many...)),
		"without a label":           withCard(card([]any{m{"type": "Input.Text", "id": "a", "isRequired": true}})),
		"there twice":               withCard(card([]any{m{"type": "Input.Text", "id": "a"}, m{"type": "Input.Text", "id": "a"}})),
		"no property":               withCard(card([]any{m{"type": "TextBlock", "text": "x", "colour": "red"}})),
		"none of: default dark":     withCard(card([]any{m{"type": "TextBlock", "text": "x", "color": "red"}})),
		"needs card version 1.4":    withCard(old),
		"without an entity":         withCard(tagged),
		"without altText":           withCard(card([]any{m{"type": "Image", "url": "https://example.com/a.png"}})),
		"without a title":           withCard(card([]any{block("x")}, m{"type": "Action.Execute"})),
		"shown in personal chats":   {"type": "message", "text": "x", "suggestedActions": m{"actions": []any{m{"type": "imBack"}}}},
		"is mentioned without bein": {"type": "message", "text": "<at>O</at>", "entities": []any{m{"type": "mention", "text": "<at>O</at>", "mentioned": m{"id": outsider}}}},
		"which is nobody's ID":      {"type": "message", "text": "<at>O</at>", "entities": []any{m{"type": "mention", "text": "<at>O</at>", "mentioned": m{"id": "x"}}}},
	} {
		w.post(incidents, activity)
		if !w.violated(words) {
			b, _ := json.Marshal(activity)
			t.Errorf("%q went unnoticed in %.200s", words, b)
		}
	}
}
