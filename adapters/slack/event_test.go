package slack

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

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
			c.want.Unsure = c.want.From.ID != "" && c.want.Kind != bot.Joined // events do not say who is a guest
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
