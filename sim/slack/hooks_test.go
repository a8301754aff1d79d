package slack_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/sim/slack"
)

// respond uses a response address.
func (w *world) respond(address string, body any) (int, string) {
	w.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		w.Fatal(err)
	}
	resp, err := http.Post(address, "application/json", bytes.NewReader(b))
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

// clicked posts a message with a button, or whispers it, clicks it and returns
// its ts with the response address.
func (w *world) clicked(ephemeral bool) (string, string) {
	w.Helper()
	arguments := m{"channel": ops, "user": bob, "text": "x", "blocks": []any{actions(button("go", "Go"))}}
	ts, _ := "", 0
	if ephemeral {
		ts, _ = w.ok("chat.postEphemeral", arguments)["message_ts"].(string)
	} else {
		ts, _ = w.ok("chat.postMessage", arguments)["ts"].(string)
	}
	if _, err := w.Click(slack.Click{User: bob, Channel: ops, TS: ts, Action: "go"}); err != nil {
		w.Fatal(err)
	}
	address, _ := w.last().payload["response_url"].(string)
	return ts, address
}

func TestAResponseAddressWorksFiveTimesInHalfAnHour(t *testing.T) {
	w := workspace(t)
	must[slack.Outcome](t)(w.Slash(alice, ops, "/keyturn help"))
	address := w.last().form.Get("response_url")
	if code, body := w.respond(address, m{"blocks": []any{m{"type": "x"}}}); code != 400 || !strings.Contains(body, "invalid_blocks") {
		t.Errorf("%d %s", code, body)
	}
	for range 5 {
		if code, body := w.respond(address, m{"text": "for you", "blocks": nil}); code != 200 || body != "ok" {
			t.Fatalf("%d %s", code, body)
		}
	}
	if code, body := w.respond(address, m{"text": "a sixth"}); code != 404 || !strings.Contains(body, "used_url") {
		t.Errorf("%d %s", code, body)
	}
	if n := len(w.whispers(alice)); n != 5 {
		t.Errorf("%d of five answers arrived", n)
	}
	must[slack.Outcome](t)(w.Slash(alice, ops, "/keyturn help"))
	address = w.last().form.Get("response_url")
	w.clock.pass(30*time.Minute + time.Second)
	if code, body := w.respond(address, m{"text": "too late"}); code != 404 || !strings.Contains(body, "expired_url") {
		t.Errorf("%d %s", code, body)
	}
	if code, _ := w.respond(w.api+"/hooks/commands/T1/2/3", m{"text": "x"}); code != 404 {
		t.Errorf("an address that never was: %d", code)
	}
}

func TestAResponseAddressIgnoresChannelRightsAndTheBlockBudget(t *testing.T) {
	w := workspace(t)
	must[slack.Outcome](t)(w.Slash(alice, quiet, "/keyturn help"))
	blocks := times(6, func(int) any { return section(of(2500)) })
	if code, body := w.respond(w.last().form.Get("response_url"), m{"response_type": "in_channel", "text": "long", "blocks": blocks}); code != 200 {
		t.Errorf("%d %s", code, body)
	}
	if diff := cmp.Diff([]string{"/keyturn help", "long"}, w.posted(quiet)); diff != "" {
		t.Error(diff)
	}
}

func TestReplacingAndDeletingTheOriginal(t *testing.T) {
	w := workspace(t)
	_, address := w.clicked(false)
	if code, body := w.respond(address, m{"replace_original": true, "text": "approved"}); code != 200 {
		t.Errorf("%d %s", code, body)
	}
	if code, _ := w.respond(address, m{"text": "only for you"}); code != 200 {
		t.Error("a word besides")
	}
	if code, _ := w.respond(address, m{"response_type": "in_channel", "replace_original": false, "thread_ts": w.Snapshot().Messages[0].TS, "text": "in the thread"}); code != 200 {
		t.Error("a reply in the thread")
	}
	if diff := cmp.Diff([]string{"approved", "in the thread"}, w.posted(ops)); diff != "" {
		t.Error(diff)
	}
	if st := w.Snapshot(); st.Messages[1].ThreadTS != st.Messages[0].TS || st.Messages[0].Blocks != nil {
		t.Errorf("%+v", st.Messages)
	}
	if diff := cmp.Diff([]string{"only for you"}, w.whispers(bob)); diff != "" {
		t.Error(diff)
	}
	if code, _ := w.respond(address, m{"delete_original": true}); code != 200 {
		t.Error("deleting")
	}
	if diff := cmp.Diff([]string{"in the thread"}, w.posted(ops)); diff != "" {
		t.Error(diff)
	}
}

func TestAnEphemeralIsReplacedAndNeverBecomesPublic(t *testing.T) {
	w := workspace(t)
	_, address := w.clicked(true)
	if p := w.last().payload; p["message"] != nil || p["container"].(m)["is_ephemeral"] != true {
		t.Errorf("a click in an ephemeral carries no message: %v", p)
	}
	w.respond(address, m{"response_type": "in_channel", "replace_original": true, "text": "still private"})
	w.respond(address, m{"text": "replaced without asking"})
	if diff := cmp.Diff([]string{"replaced without asking"}, w.whispers(bob)); diff != "" {
		t.Error(diff)
	}
	if n := len(w.posted(ops)); n != 0 {
		t.Errorf("%d messages in public", n)
	}
	w.respond(address, m{"delete_original": true})
	if n := len(w.whispers(bob)); n != 0 {
		t.Errorf("%d left after deleting", n)
	}
	if _, err := w.Click(slack.Click{User: alice, Channel: ops, TS: "1.2", Action: "go"}); err == nil {
		t.Error("nobody clicks what they do not see")
	}
}

func TestAReloadedClientForgetsItsEphemerals(t *testing.T) {
	w := workspace(t)
	w.ok("chat.postEphemeral", m{"channel": ops, "user": bob, "text": "psst"})
	w.Reload(bob)
	if n := len(w.whispers(bob)); n != 0 {
		t.Errorf("%d still there", n)
	}
}
