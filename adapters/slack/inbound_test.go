package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
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
		Key: "slack/cmd/T0CONTOSO/1.2.abc", Kind: bot.Typed, At: noon, From: who, Name: "alice",
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
		Key: "slack/act/T0CONTOSO/3.4.def/1700000001.5/U0ALICE", Kind: bot.Clicked, At: noon, From: who, Name: "alice",
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
		Key: "slack/form/T0CONTOSO/V1/5.6.jkl/U0ALICE", Kind: bot.Submitted, At: noon, From: who, Name: "alice", Place: at,
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

func TestBotsAddressIsProvedOnlyToSlack(t *testing.T) {
	a := newApp(t)
	body := `{"type":"url_verification","challenge":"abc"}`
	if w := a.post("/slack/events", jsonType, body); w.Code != 200 || w.Body.String() != "abc" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	r := httptest.NewRequest("POST", "/slack/events", strings.NewReader(body))
	r.Header.Set("Content-Type", jsonType)
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	if w.Code != 401 || strings.Contains(w.Body.String(), "abc") {
		t.Errorf("unsigned got %d %q", w.Code, w.Body)
	}
}

func TestEventsAreRequestsOrIgnored(t *testing.T) {
	type m = map[string]any
	ops := bot.Place{Platform: bot.Slack, Team: team, Channel: channelID}
	space := bot.Place{Platform: bot.Slack, Team: team}
	cases := []struct {
		name  string
		event m
		want  bot.Request // Kind "" is ignored
	}{
		{"a mention in a thread", m{"type": "app_mention", "user": alice, "text": "<@U0KEYTURN> status &amp; more", "channel": channelID, "ts": "2.1", "thread_ts": "2.0"},
			bot.Request{Kind: bot.Typed, From: who, Place: ops.In("2.0"), Text: "status & more"}},
		{"a mention with a label", m{"type": "app_mention", "user": alice, "text": "hey <@U0KEYTURN|keyturn> help", "channel": channelID},
			bot.Request{Kind: bot.Typed, From: who, Place: ops, Text: "hey help"}},
		{"a mention alone", m{"type": "app_mention", "user": alice, "text": "<@U0KEYTURN>", "channel": channelID},
			bot.Request{Kind: bot.Typed, From: who, Place: ops}},
		{"a mention by a bot", m{"type": "app_mention", "user": "U0OTHERBOT", "bot_id": "B1", "text": "<@U0KEYTURN> status", "channel": channelID}, bot.Request{}},
		{"a direct message", m{"type": "message", "channel_type": "im", "user": alice, "text": "help", "channel": dmID},
			bot.Request{Kind: bot.Typed, From: who, Place: bot.DM(who), Text: "help"}},
		{"the bot's own message", m{"type": "message", "channel_type": "im", "user": botUser, "text": "help", "channel": dmID}, bot.Request{}},
		{"an edit", m{"type": "message", "subtype": "message_changed", "channel_type": "im", "channel": dmID, "message": m{"text": "x"}}, bot.Request{}},
		{"a picture without words", m{"type": "message", "subtype": "file_share", "channel_type": "im", "user": alice, "text": "", "channel": dmID}, bot.Request{}},
		{"talk in a channel", m{"type": "message", "channel_type": "channel", "user": alice, "text": "help", "channel": channelID}, bot.Request{}},
		{"the home tab", m{"type": "app_home_opened", "user": alice, "tab": "home", "channel": dmID},
			bot.Request{Kind: bot.HomeOpened, From: who, Place: bot.DM(who)}},
		{"the messages tab", m{"type": "app_home_opened", "user": alice, "tab": "messages", "channel": dmID}, bot.Request{}},
		{"the bot was invited", m{"type": "member_joined_channel", "user": botUser, "channel": channelID, "inviter": alice},
			bot.Request{Kind: bot.Joined, From: who, Place: ops}},
		{"somebody joined", m{"type": "member_joined_channel", "user": alice, "channel": channelID}, bot.Request{}},
		{"the bot was removed", m{"type": "member_left_channel", "user": botUser, "channel": channelID}, bot.Request{Kind: bot.Left, Place: ops}},
		{"the bot was removed from a private channel", m{"type": "group_left", "channel": channelID}, bot.Request{Kind: bot.Left, Place: ops}},
		{"a channel was archived", m{"type": "channel_archive", "user": alice, "channel": channelID}, bot.Request{Kind: bot.Left, From: who, Place: ops}},
		{"a channel was deleted", m{"type": "channel_deleted", "channel": channelID}, bot.Request{Kind: bot.Left, Place: ops}},
		{"a private channel was archived", m{"type": "group_archive", "channel": channelID}, bot.Request{Kind: bot.Left, Place: ops}},
		{"uninstalled", m{"type": "app_uninstalled"}, bot.Request{Kind: bot.Uninstalled, Place: space}},
		{"the bot's token was revoked", m{"type": "tokens_revoked", "tokens": m{"bot": []any{botUser}}}, bot.Request{Kind: bot.Revoked, Place: space}},
		{"a user's token was revoked", m{"type": "tokens_revoked", "tokens": m{"oauth": []any{alice}, "bot": []any{}}}, bot.Request{}},
		{"something new", m{"type": "moon_landed"}, bot.Request{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := newApp(t)
			if w := a.happens(c.event); w.Code != 200 || w.Body.Len() != 0 {
				t.Fatalf("got %d %q", w.Code, w.Body)
			}
			if c.want.Kind == "" {
				if got := a.desk.requests(); len(got) != 0 {
					t.Errorf("it was not ignored: %+v", got)
				}
				if !strings.Contains(a.log.String(), "goes no further") {
					t.Errorf("the log does not say why: %s", a.log)
				}
				return
			}
			c.want.Key, c.want.At = "slack/ev/Ev0001", noon
			if diff := cmp.Diff(c.want, a.only(t), cmp.AllowUnexported(bot.Secret{})); diff != "" {
				t.Errorf("the request differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnEventThatWasNotKeptIsAskedForAgain(t *testing.T) {
	a := newApp(t)
	mention := map[string]any{"type": "app_mention", "user": alice, "text": "<@U0KEYTURN> status", "channel": channelID}
	for _, err := range []error{bot.ErrNoCommit, bot.ErrDraining} {
		a.desk.err = err
		if w := a.happens(mention); w.Code != 503 {
			t.Errorf("%v: got %d, want 503", err, w.Code)
		}
	}
	a.desk.err = errors.New("a mistake of ours")
	if w := a.happens(mention); w.Code != 200 {
		t.Errorf("an error that stays got %d: Slack would only deliver it again", w.Code)
	}
	if got := a.slack.to("chat.postEphemeral"); len(got) != 1 || got[0].Form.Get("user") != alice {
		t.Errorf("nobody was told: %+v", got)
	}
}

func TestGuestsInSharedChannelsAreKnownAsSuch(t *testing.T) {
	a := newApp(t)
	body := func(event string) string {
		return `{"type":"event_callback","team_id":"T0OTHER","event_id":"Ev1","is_ext_shared_channel":true,
			"authorizations":[{"team_id":"` + team + `","user_id":"` + botUser + `","is_bot":true}],"event":` + event + `}`
	}
	a.post("/slack/events", jsonType, body(`{"type":"app_mention","user":"U0EVE","user_team":"T0OTHER","team":"`+team+`","channel":"C1","text":"<@U0KEYTURN> status"}`))
	a.post("/slack/events", jsonType, body(`{"type":"app_mention","user":"U0EVE","channel":"C1","text":"<@U0KEYTURN> status"}`))
	a.post("/slack/events", jsonType, body(`{"type":"app_mention","user":"`+alice+`","user_team":"`+team+`","channel":"C1","text":"<@U0KEYTURN> status"}`))
	got := a.desk.requests()
	if len(got) != 3 || !got[0].Guest || got[0].From.Team != "T0OTHER" || !got[1].Guest || got[2].Guest || got[2].Place.Team != team {
		t.Errorf("got %+v", got)
	}
}

func TestAnAnswerGoesOnlyToSlack(t *testing.T) {
	a := newApp(t)
	for url, ok := range map[string]bool{
		"https://hooks.slack.com/actions/T/1/x":     true,
		"https://hooks.slack-gov.com/actions/T/1/x": true,
		a.slack.responseURL():                       true, // the configured API's own host
		"http://hooks.slack.com/actions/T/1/x":      false,
		"https://hooks.slack.com.evil.example/x":    false,
		"https://u:p@hooks.slack.com/x":             false,
		"https://169.254.169.254/latest":            false,
		"":                                          false,
	} {
		a.desk.got = nil
		a.types("status", "response_url", url)
		if got := !a.only(t).Return.URL.IsZero(); got != ok {
			t.Errorf("%q: used %v, want %v", url, got, ok)
		}
	}
}
