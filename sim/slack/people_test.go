package slack_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/sim/slack"
	"keyturn/test/beside"
)

func serve(h http.Handler, path, form string) []byte {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec.Body.Bytes()
}

func TestTheSignatureIsSlacks(t *testing.T) {
	var file struct {
		Vectors []struct{ Name, Timestamp, Secret, Body, Signature, Expect string }
	}
	if err := json.Unmarshal(beside.Contract(t, "signing-vectors.json"), &file); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, v := range file.Vectors {
		if v.Expect != "accept" || strings.ToLower(v.Signature) != v.Signature || v.Signature == "" {
			continue
		}
		tried++
		if got := slack.Sign(v.Secret, v.Timestamp, v.Body); got != v.Signature {
			t.Errorf("%s: got %s, want %s", v.Name, got, v.Signature)
		}
	}
	if tried < 5 {
		t.Errorf("only %d vectors were usable", tried)
	}
}

func TestASlashCommandIsSignedAndAnsweredPrivately(t *testing.T) {
	w := workspace(t)
	w.answerJSON(m{"text": "two runs are open"})
	out := must[slack.Outcome](t)(w.Slash(alice, ops, "/keyturn status for @bob in #vault & #ops <x>"))
	if !out.OK() || out.Status != http.StatusOK {
		t.Fatalf("%+v", out)
	}
	d := w.last()
	if !d.signed || d.path != "/slack/commands" {
		t.Errorf("not signed, or sent to %s", d.path)
	}
	for name, want := range map[string]string{"command": "/keyturn", "user_id": alice, "user_name": "alice", "channel_id": ops, "channel_name": "ops",
		"team_id": "T0KEYTURN", "api_app_id": "A0KEYTURN", "text": "status for <@U0BOB|bob> in <#C0VAULT|> &amp; <#C0OPS|ops> &lt;x&gt;"} {
		if got := d.form.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if diff := cmp.Diff([]string{"two runs are open"}, w.whispers(alice)); diff != "" {
		t.Error(diff)
	}
	if len(w.posted(ops)) != 0 {
		t.Errorf("the channel should see nothing, it sees %q", w.posted(ops))
	}
}

func TestACommandCanAnswerInTheChannel(t *testing.T) {
	w := workspace(t)
	w.answerJSON(m{"response_type": "in_channel", "text": "all fine"})
	must[slack.Outcome](t)(w.Slash(alice, ops, "/keyturn health"))
	if diff := cmp.Diff([]string{"/keyturn health", "all fine"}, w.posted(ops)); diff != "" {
		t.Error(diff)
	}
}

func TestAFailedCommandIsShownAsSlackShowsIt(t *testing.T) {
	w := workspace(t, func(c *slack.Config) { c.AckTimeout = 20 * time.Millisecond })
	release := make(chan struct{})
	defer close(release)
	for name, c := range map[string]struct {
		bot  func(rw http.ResponseWriter, d delivery)
		want string
	}{
		"too slow":   {func(http.ResponseWriter, delivery) { <-release }, `/keyturn failed with the error "operation_timeout"`},
		"500":        {func(rw http.ResponseWriter, _ delivery) { rw.WriteHeader(500) }, `/keyturn failed with the error "dispatch_failed"`},
		"broken":     {func(rw http.ResponseWriter, _ delivery) { _, _ = rw.Write([]byte(`{"text":`)) }, `/keyturn failed with the error "invalid_command_response"`},
		"bad blocks": {func(rw http.ResponseWriter, _ delivery) { _, _ = rw.Write([]byte(`{"blocks":[{"type":"x"}]}`)) }, `/keyturn failed with the error "invalid_blocks"`},
	} {
		w.behave(c.bot)
		out := must[slack.Outcome](t)(w.Slash(bob, ops, "/keyturn health"))
		said := w.whispers(bob)
		if out.Shown != c.want || said[len(said)-1] != c.want {
			t.Errorf("%s: shown %q", name, out.Shown)
		}
	}
	if n := len(w.Snapshot().Troubles); n != 4 {
		t.Errorf("%d troubles recorded, want 4", n)
	}
}

func TestWhatTheClientItselfRefuses(t *testing.T) {
	w := workspace(t)
	root := w.post(ops, "root")
	refused := func(name string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s: it went through", name)
		}
	}
	_, err := w.Slash(alice, ops, "/unknown thing")
	refused("an unknown command", err)
	_, err = w.Slash(bob, quiet, "/keyturn help")
	refused("a channel that bob is not in", err)
	_, err = w.Slash(stranger, ops, "/keyturn help")
	refused("a person of another workspace", err)
	_, err = w.Slash("U0NOBODY", ops, "/keyturn help")
	refused("nobody", err)
	_, err = w.Click(slack.Click{User: alice, Channel: ops, TS: root, Action: "go"})
	refused("a button that is not there", err)
	out := must[slack.Outcome](t)(w.Type(slack.Said{User: alice, Channel: ops, Thread: root, Text: "/keyturn help"}))
	if out.Shown != "/keyturn is not supported in threads. Sorry!" {
		t.Errorf("in a thread: %+v", out)
	}
	if w.count() != 0 {
		t.Errorf("the bot should not have heard of any of this, it got %d deliveries", w.count())
	}
}

func TestAMentionAndADirectMessageBecomeEvents(t *testing.T) {
	w := workspace(t)
	root := w.post(ops, "root")
	must[slack.Outcome](t)(w.Type(slack.Said{User: bob, Channel: ops, Thread: root, Text: "@keyturn status please"}))
	ev := w.last().payload["event"].(m)
	if ev["type"] != "app_mention" || ev["text"] != "<@"+theBot+"> status please" || ev["thread_ts"] != root || ev["user"] != bob {
		t.Errorf("got %v", ev)
	}
	must[slack.Outcome](t)(w.DM(bob, "help"))
	ev = w.last().payload["event"].(m)
	if ev["type"] != "message" || ev["channel_type"] != "im" || ev["channel"] != "D0BOB" || ev["text"] != "help" {
		t.Errorf("got %v", ev)
	}
	n := w.count()
	must[slack.Outcome](t)(w.PostAs(bob, ops, "", "just talking"))
	out := must[slack.Outcome](t)(w.Mention(alice, quiet, "", "anyone?"))
	if w.count() != n || out.Unsent == "" {
		t.Errorf("talk without the bot, or where the bot is not, reaches nobody: %+v", out)
	}
}

func TestAnEventIsRepeatedAtOnceAfterAMinuteAndAfterFive(t *testing.T) {
	w := workspace(t)
	w.behave(func(rw http.ResponseWriter, _ delivery) { rw.WriteHeader(http.StatusBadGateway) })
	must[slack.Outcome](t)(w.Mention(alice, ops, "", "hello"))
	type try struct{ Num, Reason string }
	tries := func() (all []try) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, d := range w.got {
			all = append(all, try{d.header.Get("X-Slack-Retry-Num"), d.header.Get("X-Slack-Retry-Reason")})
		}
		return all
	}
	want := []try{{"", ""}, {"1", "http_error"}}
	for _, step := range []struct {
		after time.Duration
		more  []try
	}{{0, nil}, {59 * time.Second, nil}, {time.Second, []try{{"2", "http_error"}}}, {3 * time.Minute, nil}, {time.Minute, []try{{"3", "http_error"}}}, {time.Hour, nil}} {
		w.clock.pass(step.after)
		w.Tick()
		want = append(want, step.more...)
		if diff := cmp.Diff(want, tries()); diff != "" {
			t.Fatalf("after another %v: %s", step.after, diff)
		}
	}
	first, last := w.got[0].payload["event_id"], w.last().payload["event_id"]
	if first != last {
		t.Errorf("a repetition carries the same event ID: %v and %v", first, last)
	}
	if n := len(w.Snapshot().Troubles); n != 1 {
		t.Errorf("the lost event should be recorded once, found %d", n)
	}
}

func TestADeliveryFollowsTwoRedirectsAndNoMore(t *testing.T) {
	w := workspace(t)
	w.behave(func(rw http.ResponseWriter, d delivery) {
		rw.Header().Set("Location", d.path)
		rw.WriteHeader(http.StatusTemporaryRedirect)
	})
	ts, _ := w.ok("chat.postMessage", m{"channel": ops, "text": "x", "blocks": []any{actions(button("a", "A"))}})["ts"].(string)
	out := must[slack.Outcome](t)(w.Click(slack.Click{User: bob, Channel: ops, TS: ts, Action: "a"}))
	if out.Reason != "too_many_redirects" || w.count() != 3 {
		t.Errorf("%+v after %d requests", out, w.count())
	}
}

func TestABotCanDeclineRepetitions(t *testing.T) {
	w := workspace(t)
	w.behave(func(rw http.ResponseWriter, _ delivery) {
		rw.Header().Set("X-Slack-No-Retry", "1")
		rw.WriteHeader(http.StatusInternalServerError)
	})
	must[slack.Outcome](t)(w.Mention(alice, ops, "", "hello"))
	w.clock.pass(time.Hour)
	if n := w.Tick(); n != 0 || w.count() != 1 {
		t.Errorf("%d more tries, %d deliveries", n, w.count())
	}
}

func TestAClickCarriesWhatARealOneDoes(t *testing.T) {
	w := workspace(t)
	ts, _ := w.ok("chat.postMessage", m{"channel": ops, "text": "x", "blocks": []any{
		section("approve?"), actions(button("approve", "Approve"), selectOf(m{"options": times(3, opt)})),
	}})["ts"].(string)
	w.behave(func(rw http.ResponseWriter, _ delivery) { _, _ = rw.Write([]byte(`{"text":"never shown"}`)) })
	must[slack.Outcome](t)(w.Click(slack.Click{User: bob, Channel: ops, TS: ts, Action: "s", Choose: []string{"2"}}))
	out := must[slack.Outcome](t)(w.Click(slack.Click{User: bob, Channel: ops, TS: ts, Action: "approve"}))
	if !out.OK() {
		t.Fatalf("%+v", out)
	}
	p := w.last().payload
	action := p["actions"].([]any)[0].(m)
	if action["action_id"] != "approve" || action["block_id"] != "acts" || action["value"] != "v-approve" || action["type"] != "button" || action["action_ts"] == nil {
		t.Errorf("the action: %v", action)
	}
	if c := p["container"].(m); c["message_ts"] != ts || c["channel_id"] != ops || c["is_ephemeral"] != false {
		t.Errorf("the container: %v", c)
	}
	if p["user"].(m)["id"] != bob || p["trigger_id"] != out.Trigger || p["message"].(m)["ts"] != ts {
		t.Errorf("the payload: %v", p)
	}
	chosen := p["state"].(m)["values"].(m)["acts"].(m)["s"].(m)["selected_option"].(m)["value"]
	if chosen != "2" {
		t.Errorf("the menu set before is part of the state, got %v", chosen)
	}
	if len(w.whispers(bob))+len(w.posted(ops)) != 1 {
		t.Error("the body of the answer to a click must be ignored")
	}
	out = must[slack.Outcome](t)(w.Click(slack.Click{User: stranger, Channel: ops, TS: ts, Action: "Approve"}))
	if p := w.last().payload; p["user"].(m)["team_id"] != "T0OTHER" || p["team"].(m)["id"] != "T0OTHER" || !out.OK() {
		t.Errorf("a stranger's click names their workspace: %v %v", p["user"], p["team"])
	}
}

func TestAFailedClickIsShown(t *testing.T) {
	w := workspace(t)
	ts, _ := w.ok("chat.postMessage", m{"channel": ops, "text": "x", "blocks": []any{actions(button("a", "A"))}})["ts"].(string)
	w.behave(func(rw http.ResponseWriter, _ delivery) { rw.WriteHeader(500) })
	if out := must[slack.Outcome](t)(w.Click(slack.Click{User: bob, Channel: ops, TS: ts, Action: "a"})); out.Shown == "" {
		t.Errorf("%+v", out)
	}
	if n := w.count(); n != 1 {
		t.Errorf("a click is never repeated, the bot got it %d times", n)
	}
}

func TestTheSameDeliveryCanComeTwice(t *testing.T) {
	w := workspace(t)
	if _, err := w.Resend(); err == nil {
		t.Error("nothing was sent yet")
	}
	must[slack.Outcome](t)(w.Mention(alice, ops, "", "hello"))
	w.clock.pass(10 * time.Second)
	must[slack.Outcome](t)(w.Resend())
	a, b := w.got[0], w.got[1]
	if diff := cmp.Diff(a.payload, b.payload); diff != "" || !b.signed || a.at == b.at {
		t.Errorf("the same words with a fresh signature: %s", diff)
	}
	must[slack.Outcome](t)(w.SendRaw(slack.Delivery{Path: "/slack/events", Type: "application/json", Body: "{}", Signature: "v0=00"}))
	if w.last().signed {
		t.Error("a forged signature should stay forged")
	}
}

func TestTheHomeIsPublishedAndClicked(t *testing.T) {
	w := workspace(t)
	must[slack.Outcome](t)(w.OpenHome(alice))
	if ev := w.last().payload["event"].(m); ev["type"] != "app_home_opened" || ev["tab"] != "home" || ev["view"] != nil {
		t.Errorf("got %v", ev)
	}
	home := m{"type": "home", "blocks": []any{actions(button("new", "New"))}}
	first := w.ok("views.publish", m{"user_id": alice, "view": home})["view"].(m)
	w.refused("views.publish", m{"user_id": alice, "view": home, "hash": "old"}, "hash_conflict")
	again := w.ok("views.publish", m{"user_id": alice, "view": home, "hash": first["hash"]})["view"].(m)
	if again["id"] != first["id"] || again["hash"] == first["hash"] {
		t.Errorf("the same Home with another hash: %v", again)
	}
	w.refused("views.publish", m{"user_id": "U0NOBODY", "view": home}, "invalid_arguments")
	w.refused("views.publish", m{"user_id": alice, "view": modal("no")}, "invalid_arguments")
	must[slack.Outcome](t)(w.Click(slack.Click{User: alice, View: "home", Action: "new"}))
	p := w.last().payload
	if p["view"].(m)["type"] != "home" || p["container"].(m)["type"] != "view" || p["message"] != nil || p["response_url"] != nil {
		t.Errorf("got %v", p)
	}
	must[slack.Outcome](t)(w.OpenHome(alice))
	if ev := w.last().payload["event"].(m); ev["view"].(m)["id"] != first["id"] {
		t.Errorf("the published view comes along: %v", ev)
	}
}
