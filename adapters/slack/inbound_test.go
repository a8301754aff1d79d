package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

var who = bot.Account{Platform: bot.Slack, Team: team, ID: alice}

func TestATypedCommandIsAnsweredToTheSenderAlone(t *testing.T) {
	a := newApp(t)
	a.desk.reply = bot.Private(bot.Say(bot.T("No open setups.")))
	w := a.types("status <@U0BOB|bob> <#C0OPS|ops> &amp; <https://x.example|x.example>")

	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		t.Fatalf("got %d %s", w.Code, w.Header())
	}
	var r response
	_ = json.Unmarshal(w.Body.Bytes(), &struct {
		*response
		Blocks any `json:"blocks"`
	}{response: &r})
	if r.Type != "ephemeral" || r.Text != "No open setups." {
		t.Errorf("got %+v", r)
	}
	want := bot.Request{
		Key: "slack/cmd/T0CONTOSO/1.2.abc", Kind: bot.Typed, At: noon, From: who, Name: "alice", Unsure: true,
		Place:  bot.Place{Platform: bot.Slack, Team: team, Channel: channelID},
		Text:   "status slack:T0CONTOSO:U0BOB slack:T0CONTOSO:C0OPS & x.example",
		Inline: true,
		Return: bot.Return{URL: bot.NewSecret(a.slack.responseURL()), Trigger: bot.NewSecret("1.2.abc"), Expires: noon.Add(returnTime)},
	}
	if diff := cmp.Diff(want, a.only(t), cmp.AllowUnexported(bot.Secret{})); diff != "" {
		t.Errorf("the request differs (-want +got):\n%s", diff)
	}
}

func TestAReplyForEverybodyIsShownInTheChannel(t *testing.T) {
	a := newApp(t)
	m := bot.Say(bot.T("Everything is fine."))
	a.desk.reply = bot.Reply{Message: &m, InPlace: true}
	if w := a.types("health"); !strings.Contains(w.Body.String(), `"response_type":"in_channel"`) {
		t.Errorf("got %s", w.Body)
	}
}

func TestACommandWithoutWordsToSayIsAcknowledged(t *testing.T) {
	a := newApp(t)
	if w := a.types("mute"); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}

func TestACommandInADirectMessageIsThePersonsOwnPlace(t *testing.T) {
	a := newApp(t)
	a.types("help", "channel_id", "D0SOMEBODY", "channel_name", "directmessage")
	if got := a.only(t).Place; got != bot.DM(who) {
		t.Errorf("got %v", got)
	}
	// It may be a conversation of two others, which the bot is not in.
	if a.dms[team+"/"+alice] != "" {
		t.Error("the channel was taken for the bot's own direct message")
	}
}

func TestAProbeOfTheCertificateIsAnswered(t *testing.T) {
	a := newApp(t)
	if w := a.post("/slack/commands", formType, "ssl_check=1&token=t"); w.Code != 200 || len(a.desk.requests()) != 0 {
		t.Errorf("got %d, %d requests", w.Code, len(a.desk.requests()))
	}
}

func TestOtherWorkspacesAndCommandsAreToldSo(t *testing.T) {
	a := newApp(t)
	if got := textOf(t, a.types("help", "team_id", "T0OTHER")); !strings.Contains(got, "not in Keyturn's configuration") {
		t.Errorf("got %q", got)
	}
	if got := textOf(t, a.types("help", "command", "/other")); !strings.Contains(got, "/keyturn help") {
		t.Errorf("got %q", got)
	}
	if n := len(a.desk.requests()); n != 0 {
		t.Errorf("the desk was asked %d times", n)
	}
	if w := a.post("/slack/commands", formType, "team_id=T"); w.Code != 400 {
		t.Errorf("a command without a name got %d", w.Code)
	}
}

func TestACommandThatFailsIsAnsweredCalmly(t *testing.T) {
	for _, c := range []struct {
		err  error
		says string
	}{
		{fmt.Errorf("commit: %w", bot.ErrNoCommit), "Nothing was done: I could not write"},
		{bot.ErrDraining, "Nothing was done: I am being restarted"},
		{errors.New("pq: password is hunter2"), "cannot say whether it took effect"},
	} {
		a := newApp(t)
		a.desk.err = c.err
		w := a.types("setup")
		if got := textOf(t, w); w.Code != 200 || !strings.Contains(got, c.says) || strings.Contains(got, "hunter2") {
			t.Errorf("%v: got %d %q", c.err, w.Code, got)
		}
		if !strings.Contains(w.Body.String(), "ephemeral") || !strings.Contains(a.log.String(), "slack/cmd/T0CONTOSO/1.2.abc") {
			t.Errorf("%v: it is public or not in the log: %s %s", c.err, w.Body, a.log)
		}
	}
}

func TestAPanicCostsItsOwnRequestAlone(t *testing.T) {
	a := newApp(t)
	a.desk.panic = true
	if got := textOf(t, a.types("setup")); !strings.Contains(got, "Something went wrong") {
		t.Errorf("got %q", got)
	}
	if w := a.interacts(a.click("approve~0", "step-1")); w.Code != 200 {
		t.Errorf("a click got %d", w.Code)
	}
	a.desk.panic = false
	a.desk.reply = bot.Private(bot.Say(bot.T("Here I am.")))
	if got := textOf(t, a.types("status")); got != "Here I am." {
		t.Errorf("afterwards got %q", got)
	}
}

func TestAFormIsOpenedAfterTheCommand(t *testing.T) {
	a := newApp(t)
	a.desk.reply = bot.Reply{Form: &bot.Form{Action: "setup.start", Value: "run-1", Title: "Start a setup", Submit: "Start",
		Inputs: []bot.Input{{Name: "tenant", Label: "Tenant", Kind: bot.Line}}}}
	if w := a.types("setup"); w.Code != 200 || w.Body.Len() != 0 {
		t.Fatalf("got %d %q", w.Code, w.Body)
	}
	calls := a.slack.to("views.open")
	if len(calls) != 1 || calls[0].JSON["trigger_id"] != "1.2.abc" || calls[0].Token != testToken {
		t.Fatalf("got %+v", calls)
	}
	view := calls[0].JSON["view"].(map[string]any)
	if view["callback_id"] != formID || !strings.Contains(view["private_metadata"].(string), `"a":"setup.start","v":"run-1","c":"C0OPS"`) {
		t.Errorf("got %v", view)
	}
}

func TestTheDeskHearsOfAFormThatCouldNotBeShown(t *testing.T) {
	a := newApp(t)
	a.slack.answers("views.open", `{"ok":false,"error":"trigger_expired"}`)
	a.desk.reply = bot.Reply{Form: &bot.Form{Action: "x", Title: "X"}}
	a.interacts(a.click("fill~0", "1"))
	why := <-a.desk.lost
	if bot.KindOf(why) != bot.KindRefused || !strings.Contains(why.Error(), "Click again") {
		t.Errorf("got %v", why)
	}
	if n := len(a.slack.to("views.open")); n != 1 {
		t.Errorf("%d calls, want 1: a trigger is good for one", n)
	}
}

func TestAClickNamesItsMessageAndVerb(t *testing.T) {
	a := newApp(t)
	p := a.click("step.approve~3", "run-1/step-2")
	p["container"].(map[string]any)["thread_ts"] = "1699999999.000001"
	p["state"] = map[string]any{"values": map[string]any{"in:note": map[string]any{"value": map[string]any{"type": "plain_text_input", "value": "CHG1"}}}}
	if w := a.interacts(p); w.Code != 200 || w.Body.Len() != 0 {
		t.Fatalf("got %d %q", w.Code, w.Body)
	}
	at := bot.Place{Platform: bot.Slack, Team: team, Channel: channelID, Thread: "1699999999.000001"}
	want := bot.Request{
		Key: "slack/act/T0CONTOSO/3.4.def/1700000001.5/U0ALICE", Kind: bot.Clicked, At: noon, From: who, Name: "alice", Unsure: true,
		Place: at, Action: "step.approve", Value: "run-1/step-2",
		Message: bot.MessageRef{Place: at, ID: "1700000000.000100"},
		Input:   map[string][]string{"note": {"CHG1"}},
		Return:  bot.Return{URL: bot.NewSecret(a.slack.responseURL()), Trigger: bot.NewSecret("3.4.def"), Expires: noon.Add(returnTime)},
	}
	if diff := cmp.Diff(want, a.only(t), cmp.AllowUnexported(bot.Secret{})); diff != "" {
		t.Errorf("the request differs (-want +got):\n%s", diff)
	}
}

func TestTwoClicksAreTwoAndOneClickIsOne(t *testing.T) {
	a := newApp(t)
	one, two := a.click("x~0", "1"), a.click("x~0", "1")
	two["trigger_id"] = "3.5.ghi"
	a.interacts(one)
	a.interacts(one)
	a.interacts(two)
	got := a.desk.requests()
	if got[0].Key != got[1].Key || got[0].Key == got[2].Key {
		t.Errorf("keys %q %q %q", got[0].Key, got[1].Key, got[2].Key)
	}
}

func TestAPersonOfAnotherOrganisationIsAGuest(t *testing.T) {
	a := newApp(t)
	p := a.click("x~0", "1")
	p["user"] = map[string]any{"id": "U0EVE", "team_id": "T0OTHER"}
	a.interacts(p)
	got := a.only(t)
	if !got.Guest || got.From != (bot.Account{Platform: bot.Slack, Team: "T0OTHER", ID: "U0EVE"}) || got.Place.Team != team {
		t.Errorf("got %+v", got)
	}
}

// In a shared channel the payload names the workspace of whoever clicked; the
// message is ours.
func TestAClickFromASharedChannelReachesTheDesk(t *testing.T) {
	for _, message := range []map[string]any{{"ts": "1.1", "team": team}, {"ts": "1.1", "team": "T0OTHER", "bot_profile": map[string]any{"team_id": team}}} {
		a := newApp(t)
		p := a.click("x~0", "1")
		p["user"], p["team"], p["message"] = map[string]any{"id": "U0EVE", "team_id": "T0OTHER"}, map[string]any{"id": "T0OTHER"}, message
		a.interacts(p)
		got := a.only(t)
		if !got.Guest || got.From != (bot.Account{Platform: bot.Slack, Team: "T0OTHER", ID: "U0EVE"}) || got.Place.Team != team {
			t.Errorf("got %+v", got)
		}
	}
}

func TestSelectsAndMenusGiveTheirValue(t *testing.T) {
	for _, c := range []struct {
		element map[string]any
		value   string
		all     []string
	}{
		{map[string]any{"type": "static_select", "selected_option": map[string]any{"value": "a"}}, "a", nil},
		{map[string]any{"type": "overflow", "selected_option": map[string]any{"value": "b"}}, "b", nil},
		{map[string]any{"type": "users_select", "selected_user": "U1"}, "U1", nil},
		{map[string]any{"type": "multi_static_select", "selected_options": []any{map[string]any{"value": "a"}, map[string]any{"value": "b"}}}, "a", []string{"a", "b"}},
	} {
		a := newApp(t)
		p := a.click("pick~1", "")
		c.element["action_id"], c.element["action_ts"] = "pick~1", "1.1"
		p["actions"] = []any{c.element}
		a.interacts(p)
		got := a.only(t)
		if got.Action != "pick" || got.Value != c.value || !cmp.Equal(got.Input["pick"], c.all) {
			t.Errorf("%v: got %q %q %q", c.element["type"], got.Action, got.Value, got.Input)
		}
	}
}

func TestAButtonThatOpensAPageAsksNothing(t *testing.T) {
	a := newApp(t)
	if w := a.interacts(a.click(actionID(openPage, 2), "")); w.Code != 200 || len(a.desk.requests()) != 0 {
		t.Errorf("got %d, %d requests", w.Code, len(a.desk.requests()))
	}
}

func TestAClickThatFailsIsNotSilent(t *testing.T) {
	a := newApp(t)
	a.desk.err = bot.ErrNoCommit
	if w := a.interacts(a.click("x~0", "1")); w.Code != 200 {
		t.Fatalf("got %d", w.Code)
	}
	got := a.slack.to("response_url")
	if len(got) != 1 || !strings.Contains(got[0].JSON["text"].(string), "Nothing was done") || got[0].JSON["response_type"] != "ephemeral" || got[0].JSON["replace_original"] != false {
		t.Errorf("got %+v", got)
	}
	if got[0].Token != "" {
		t.Error("the token went to the response_url")
	}
}

// form is a submitted form as Slack sends it.
func (a *app) form(inputs map[string]map[string]any) map[string]any {
	values, blocks := map[string]any{}, []any{}
	for _, name := range []string{"tenant", "note", "ready"} {
		if e, ok := inputs[name]; ok {
			values["in:"+name] = map[string]any{"value": e}
			blocks = append(blocks, map[string]any{"type": "input", "block_id": "in:" + name})
		}
	}
	return map[string]any{
		"type": "view_submission", "team": map[string]any{"id": team}, "user": map[string]any{"id": alice, "name": "alice"},
		"trigger_id": "5.6.jkl",
		"view": map[string]any{
			"id": "V1", "type": "modal", "callback_id": formID, "hash": "1.h",
			"private_metadata": `{"a":"setup.start","v":"run-1","c":"C0OPS","t":"1.5","m":"1.6"}`,
			"blocks":           append([]any{map[string]any{"type": "section", "block_id": "k1.0"}}, blocks...),
			"state":            map[string]any{"values": values},
		},
	}
}

func line(v any) map[string]any { return map[string]any{"type": "plain_text_input", "value": v} }

func TestASubmittedFormBringsItsValuesAndItsPlace(t *testing.T) {
	a := newApp(t)
	w := a.interacts(a.form(map[string]map[string]any{
		"tenant": {"type": "static_select", "selected_option": map[string]any{"value": "contoso"}},
		"note":   line(nil),
		"ready":  {"type": "checkboxes", "selected_options": []any{map[string]any{"value": "yes"}}},
	}))
	if got := strings.TrimSpace(w.Body.String()); got != `{"response_action":"clear"}` {
		t.Errorf("got %s", got)
	}
	at := bot.Place{Platform: bot.Slack, Team: team, Channel: channelID, Thread: "1.5"}
	want := bot.Request{
		Key: "slack/form/T0CONTOSO/V1/5.6.jkl/U0ALICE", Kind: bot.Submitted, At: noon, From: who, Name: "alice", Unsure: true, Place: at,
		Action: "setup.start", Value: "run-1", Message: bot.MessageRef{Place: at, ID: "1.6"},
		Input:  map[string][]string{"tenant": {"contoso"}, "note": {}, "ready": {"yes"}},
		Return: bot.Return{Trigger: bot.NewSecret("5.6.jkl")},
	}
	if diff := cmp.Diff(want, a.only(t), cmp.AllowUnexported(bot.Secret{})); diff != "" {
		t.Errorf("the request differs (-want +got):\n%s", diff)
	}
}

func TestAFormStaysOpenWithWhatIsWrong(t *testing.T) {
	a := newApp(t)
	a.desk.reply = bot.Reply{Errors: map[string]string{"note": "That is no change number: write CHG0030001.", "gone": "Ask again."}}
	w := a.interacts(a.form(map[string]map[string]any{"tenant": line("x"), "note": line("y")}))
	want := `{"response_action":"errors","errors":{"in:note":"That is no change number: write CHG0030001.","in:tenant":"Ask again."}}`
	if got := strings.TrimSpace(w.Body.String()); got != want {
		t.Errorf("got %s", got)
	}
	a.desk.reply = bot.Reply{}
	again := a.form(map[string]map[string]any{"tenant": line("x"), "note": line("CHG1")})
	again["trigger_id"] = "5.7.mno"
	a.interacts(again)
	got := a.desk.requests()
	if got[0].Key == got[1].Key {
		t.Error("the corrected form has the key of the refused one, so it would get its answer")
	}
}

func TestAFormWithoutInputsSaysWhatIsWrongInItsPlace(t *testing.T) {
	a := newApp(t)
	a.desk.err = bot.ErrDraining
	w := a.interacts(a.form(nil))
	if got := w.Body.String(); !strings.Contains(got, `"response_action":"update"`) || !strings.Contains(got, "being restarted") {
		t.Errorf("got %s", got)
	}
}

func TestAFormIsFollowedByAnother(t *testing.T) {
	a := newApp(t)
	a.desk.reply = bot.Reply{Form: &bot.Form{Action: "setup.people", Title: "Who", Inputs: []bot.Input{{Name: "owner", Label: "Owner"}}}}
	w := a.interacts(a.form(map[string]map[string]any{"tenant": line("contoso")}))
	for _, want := range []string{`"response_action":"update"`, `"block_id":"in:owner"`, `\"c\":\"C0OPS\"`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s is not in %s", want, w.Body)
		}
	}
}

func TestAFormThatCouldNotBeDecidedStaysOpen(t *testing.T) {
	a := newApp(t)
	a.desk.panic = true
	w := a.interacts(a.form(map[string]map[string]any{"tenant": line("contoso")}))
	if got := w.Body.String(); !strings.Contains(got, `"in:tenant":"Something went wrong on my side`) {
		t.Errorf("got %s", got)
	}
}
