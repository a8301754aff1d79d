package slack

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
)

func TestAnswersTakeTheNearestWayThatWorks(t *testing.T) {
	fresh := func(a *app) bot.Return {
		return bot.Return{URL: bot.NewSecret(a.slack.responseURL()), Expires: noon.Add(returnTime)}
	}
	say := func(a *app, at bot.Place, back bot.Return, redraw, inPlace bool) error {
		return a.Answer(ctx, who, at, back, hello, redraw, inPlace)
	}
	t.Run("the return way", func(t *testing.T) {
		a := newApp(t)
		if err := say(a, ops.In("1.0"), fresh(a), false, false); err != nil {
			t.Fatal(err)
		}
		got := a.slack.to("response_url")[0].JSON
		if got["response_type"] != "ephemeral" || got["replace_original"] != false || got["thread_ts"] != "1.0" || got["text"] != "Hello." {
			t.Errorf("got %v", got)
		}
	})
	t.Run("in place of the clicked message", func(t *testing.T) {
		a := newApp(t)
		if err := say(a, ops.In("1.0"), fresh(a), true, false); err != nil {
			t.Fatal(err)
		}
		got := a.slack.to("response_url")[0].JSON
		if got["replace_original"] != true || got["thread_ts"] != nil {
			t.Errorf("got %v", got)
		}
	})
	t.Run("to everybody", func(t *testing.T) {
		a := newApp(t)
		if err := say(a, ops, fresh(a), false, true); err != nil || a.slack.to("response_url")[0].JSON["response_type"] != "in_channel" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("expired", func(t *testing.T) {
		a := newApp(t)
		back := fresh(a)
		back.Expires = noon.Add(time.Second)
		if err := say(a, ops, back, false, false); err != nil {
			t.Fatal(err)
		}
		got := a.slack.to("chat.postEphemeral")
		if len(got) != 1 || got[0].Form.Get("user") != alice || got[0].Form.Get("channel") != channelID || len(a.slack.to("response_url")) != 0 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("used up", func(t *testing.T) {
		a := newApp(t)
		a.slack.script("response_url", func(w http.ResponseWriter, _ call) {
			w.WriteHeader(404)
			_, _ = io.WriteString(w, `{"ok":false,"error":"used_url"}`)
		})
		if err := say(a, ops, fresh(a), false, false); err != nil || len(a.slack.to("chat.postEphemeral")) != 1 {
			t.Errorf("got %v", err)
		}
	})
	t.Run("not in the channel", func(t *testing.T) {
		a := newApp(t)
		a.slack.answers("chat.postEphemeral", `{"ok":false,"error":"user_not_in_channel"}`)
		if err := say(a, ops, bot.Return{}, false, false); err != nil || len(a.slack.to("chat.postMessage")) != 1 || len(a.slack.to("conversations.open")) != 1 {
			t.Errorf("got %v", err)
		}
	})
	t.Run("everybody after it expired", func(t *testing.T) {
		a := newApp(t)
		if err := say(a, ops, bot.Return{}, false, true); err != nil || a.slack.to("chat.postMessage")[0].Form.Get("channel") != channelID {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a direct message", func(t *testing.T) {
		a := newApp(t)
		if err := say(a, bot.DM(who), bot.Return{}, false, false); err != nil || a.slack.to("chat.postMessage")[0].Form.Get("channel") != dmID {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a guest is answered with the app's own token", func(t *testing.T) {
		a := newApp(t)
		eve := bot.Account{Platform: bot.Slack, Team: "T0OTHER", ID: "U0EVE"}
		if err := a.Answer(ctx, eve, ops, bot.Return{}, hello, false, false); err != nil || a.slack.to("chat.postEphemeral")[0].Form.Get("user") != "U0EVE" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a failure names no address", func(t *testing.T) {
		a := newApp(t)
		back := fresh(a)
		a.slack.script("response_url", func(http.ResponseWriter, call) { panic(http.ErrAbortHandler) })
		err := say(a, ops, back, false, false)
		if bot.KindOf(err) != bot.KindAmbiguous || strings.Contains(fmt.Sprintf("%v %+v", err, err), "response_url") {
			t.Errorf("got %v", err)
		}
		a.slack.answers("response_url", `no_more_moons`)
		if err := say(a, ops, back, false, false); bot.KindOf(err) != bot.KindRefused || !strings.Contains(err.Error(), "no_more_moons") {
			t.Errorf("got %v", err)
		}
		a.slack.status("response_url", 429, "Retry-After", "3")
		if err := say(a, ops, back, false, false); bot.KindOf(err) != bot.KindThrottled {
			t.Errorf("got %v", err)
		}
	})
}
