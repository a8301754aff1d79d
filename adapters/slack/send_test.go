package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/bot"
)

var (
	ctx   = context.Background()
	ops   = bot.Place{Platform: bot.Slack, Team: team, Channel: channelID}
	hello = bot.Message{Key: "run-1/checklist", Parts: []bot.Part{bot.Paragraph{Text: bot.T("Hello.")}}}
)

func TestAPostedMessageCarriesItsKeyAndIsFoundByIt(t *testing.T) {
	a := newApp(t)
	ref, err := a.Post(ctx, ops, hello)
	if err != nil {
		t.Fatal(err)
	}
	want := bot.MessageRef{Place: ops, ID: "1700000000.000100", Link: "https://contoso.slack.com/archives/C0OPS/p1700000000000100"}
	if diff := cmp.Diff(want, ref); diff != "" {
		t.Errorf("the reference differs (-want +got):\n%s", diff)
	}
	c := a.slack.to("chat.postMessage")[0]
	for field, want := range map[string]string{
		"channel": channelID, "text": "Hello.", "unfurl_links": "false", "unfurl_media": "false", "reply_broadcast": "", "thread_ts": "", "link_names": "",
		"metadata": `{"event_type":"keyturn","event_payload":{"key":"run-1/checklist"}}`,
	} {
		if got := c.Form.Get(field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
	if c.Token != testToken {
		t.Error("the token is not in the header")
	}

	other := `{"ts":"1.3","user":"U0OTHER","bot_id":"B0OTHER","metadata":{"event_type":"keyturn","event_payload":{"key":"run-1/checklist"}}}`
	own := strings.Replace(strings.Replace(other, "B0OTHER", "B0KEYTURN", 1), "1.3", "1.2", 1)
	a.slack.script("conversations.history", func(w http.ResponseWriter, c call) {
		if c.Form.Get("include_all_metadata") != "1" {
			t.Error("metadata was not asked for")
		}
		if c.Form.Get("cursor") == "" {
			fmt.Fprintf(w, `{"ok":true,"messages":[%s,{"ts":"1.4","text":"x"}],"response_metadata":{"next_cursor":"p2"}}`, other)
			return
		}
		fmt.Fprintf(w, `{"ok":true,"messages":[%s]}`, own)
	})
	found, ok, err := a.Find(ctx, ops, "run-1/checklist")
	if err != nil || !ok || found.ID != "1.2" || found.Place != ops {
		t.Errorf("got %+v %v %v: another app's message with our key is not ours", found, ok, err)
	}
	if _, ok, err := a.Find(ctx, ops, "run-2/checklist"); ok || err != nil {
		t.Errorf("a key that nobody posted: %v %v", ok, err)
	}
}

func TestAReplyIsSearchedInItsThread(t *testing.T) {
	a := newApp(t)
	a.slack.answers("conversations.replies", `{"ok":true,"messages":[{"ts":"1.9","user":"`+botUser+`","metadata":{"event_type":"keyturn","event_payload":{"key":"k"}}}]}`)
	ref, ok, err := a.Find(ctx, ops.In("1.0"), "k")
	if err != nil || !ok || ref.ID != "1.9" || ref.Place.Thread != "1.0" {
		t.Errorf("got %+v %v %v", ref, ok, err)
	}
	a.slack.answers("conversations.replies", `{"ok":false,"error":"missing_scope","needed":"channels:history","provided":"chat:write"}`)
	_, _, err = a.Find(ctx, ops.In("1.0"), "k")
	if bot.KindOf(err) != bot.KindForbidden || !strings.Contains(err.Error(), "channels:history") {
		t.Errorf("got %v", err)
	}
}

func TestADirectMessageIsOpenedOnceAndKeepsItsChannel(t *testing.T) {
	a := newApp(t)
	a.slack.answers("chat.postMessage", `{"ok":true,"channel":"`+dmID+`","ts":"1.1","message":{"ts":"1.1"}}`)
	for range 2 {
		ref, err := a.Post(ctx, bot.DM(who), hello)
		if err != nil {
			t.Fatal(err)
		}
		if ref.Place.Channel != dmID || ref.Place.User != alice || !ref.Place.Direct() {
			t.Errorf("got %+v", ref.Place)
		}
		if err := a.Edit(ctx, ref, hello); err != nil {
			t.Error(err)
		}
	}
	if n := len(a.slack.to("conversations.open")); n != 1 {
		t.Errorf("opened %d times", n)
	}
	if got := a.slack.to("chat.update")[0].Form.Get("channel"); got != dmID {
		t.Errorf("edited in %q", got)
	}
}

func TestWithoutTheScopeToOpenConversationsTheUserIDServes(t *testing.T) {
	a := newApp(t)
	a.slack.answers("conversations.open", `{"ok":false,"error":"missing_scope","needed":"im:write"}`)
	if _, err := a.Post(ctx, bot.DM(who), hello); err != nil {
		t.Fatal(err)
	}
	if got := a.slack.to("chat.postMessage")[0].Form.Get("channel"); got != alice {
		t.Errorf("posted to %q", got)
	}
}

func TestAloudBroadcastsFromAThreadOnly(t *testing.T) {
	a := newApp(t)
	a.slack.answers("chat.postMessage", `{"ok":true,"channel":"C0OPS","ts":"1.1","message":{"ts":"1.1","thread_ts":"1.0"}}`)
	loud := hello
	loud.Aloud = true
	for _, at := range []bot.Place{ops.In("1.0"), ops} {
		if _, err := a.Post(ctx, at, loud); err != nil {
			t.Fatal(err)
		}
	}
	got := a.slack.to("chat.postMessage")
	if got[0].Form.Get("reply_broadcast") != "true" || got[0].Form.Get("thread_ts") != "1.0" || got[1].Form.Has("reply_broadcast") {
		t.Errorf("got %v and %v", got[0].Form, got[1].Form)
	}
}

func TestAReplyWhoseThreadIsGoneDoesNotStandInTheChannel(t *testing.T) {
	a := newApp(t)
	_, err := a.Post(ctx, ops.In("1.0"), hello) // the answer names no thread_ts
	if bot.KindOf(err) != bot.KindNotFound {
		t.Errorf("got %v", err)
	}
	if got := a.slack.to("chat.delete"); len(got) != 1 || got[0].Form.Get("ts") != "1700000000.000100" {
		t.Errorf("it was not taken back: %+v", got)
	}
}

func TestAMessageIsTakenAwayAndOneThatIsGoneIsNoError(t *testing.T) {
	a := newApp(t)
	ref := bot.MessageRef{Place: ops, ID: "1700000000.000100"}
	if err := a.Remove(t.Context(), ref); err != nil {
		t.Error(err)
	}
	if got := a.slack.to("chat.delete"); len(got) != 1 || got[0].Form.Get("ts") != ref.ID || got[0].Form.Get("channel") != ops.Channel {
		t.Errorf("it was not taken away: %+v", got)
	}
	a.slack.answers("chat.delete", `{"ok":false,"error":"message_not_found"}`)
	if err := a.Remove(t.Context(), ref); err != nil {
		t.Errorf("one that is gone: %v", err)
	}
	a.slack.answers("chat.delete", `{"ok":false,"error":"cant_delete_message"}`)
	if err := a.Remove(t.Context(), ref); err == nil {
		t.Error("a refusal is no error")
	}
}

func TestWhatSlackSaysBecomesAKindWithASentence(t *testing.T) {
	refuse := func(code string) func(*fakeSlack, string) {
		return func(f *fakeSlack, m string) { f.answers(m, `{"ok":false,"error":"`+code+`"}`) }
	}
	cases := []struct {
		name   string
		script func(*fakeSlack, string)
		post   bot.Kind
		edit   bot.Kind
		says   string
	}{
		{"not in the channel", refuse("not_in_channel"), bot.KindGone, bot.KindGone, "/invite"},
		{"archived", refuse("is_archived"), bot.KindGone, bot.KindGone, "archived"},
		{"revoked", refuse("token_revoked"), bot.KindUninstalled, bot.KindUninstalled, "Install the app"},
		{"deleted", refuse("message_not_found"), bot.KindNotFound, bot.KindNotFound, "no longer exists"},
		{"too late to edit", refuse("edit_window_closed"), bot.KindNotFound, bot.KindNotFound, "edited"},
		{"too long", refuse("msg_too_long"), bot.KindBadRequest, bot.KindBadRequest, "too long"},
		{"unknown", refuse("moon_phase"), bot.KindRefused, bot.KindRefused, "moon_phase"},
		{"no reason", refuse(""), bot.KindMalformed, bot.KindMalformed, "without a reason"},
		{"internal", refuse("fatal_error"), bot.KindAmbiguous, bot.KindUnreachable, "internal error"},
		{"throttled without header", refuse("ratelimited"), bot.KindThrottled, bot.KindThrottled, "slow down"},
		{"throttled", func(f *fakeSlack, m string) { f.status(m, 429, "Retry-After", "17") }, bot.KindThrottled, bot.KindThrottled, "slow down"},
		{"throttled oddly", func(f *fakeSlack, m string) { f.status(m, 429, "Retry-After", "soon") }, bot.KindThrottled, bot.KindThrottled, "slow down"},
		{"unavailable", func(f *fakeSlack, m string) { f.status(m, 503) }, bot.KindAmbiguous, bot.KindUnreachable, "503"},
		{"a proxy's page", func(f *fakeSlack, m string) { f.answers(m, "<html>") }, bot.KindAmbiguous, bot.KindMalformed, "understood"},
		{"redirected", func(f *fakeSlack, m string) { f.status(m, 307, "Location", "https://evil.example/") }, bot.KindRefused, bot.KindRefused, "307"},
		{"cut off", func(f *fakeSlack, m string) {
			f.script(m, func(w http.ResponseWriter, _ call) { panic(http.ErrAbortHandler) })
		}, bot.KindAmbiguous, bot.KindUnreachable, "connection"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := newApp(t)
			c.script(a.slack, "chat.postMessage")
			c.script(a.slack, "chat.update")
			_, post := a.Post(ctx, ops, hello)
			edit := a.Edit(ctx, bot.MessageRef{Place: ops, ID: "1.1"}, hello)
			if bot.KindOf(post) != c.post || bot.KindOf(edit) != c.edit {
				t.Errorf("post is %q (%v), want %q; edit is %q (%v), want %q", bot.KindOf(post), post, c.post, bot.KindOf(edit), edit, c.edit)
			}
			for _, err := range []error{post, edit} {
				if !strings.Contains(err.Error(), c.says) {
					t.Errorf("%q does not say %q", err, c.says)
				}
				if s := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(s, testToken) {
					t.Errorf("the token is in the error: %s", s)
				}
			}
			if n := len(a.slack.to("chat.postMessage")); n != 1 {
				t.Errorf("posted %d times, want 1", n)
			}
		})
	}
	a := newApp(t)
	a.slack.status("chat.postMessage", 429, "Retry-After", "17")
	_, err := a.Post(ctx, ops, hello)
	if f, ok := err.(*bot.Failure); !ok || f.RetryAfter != 17*time.Second {
		t.Errorf("got %+v", err)
	}
}

func TestNobodyListeningIsNoAmbiguity(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	a := New(Config{Workspaces: map[string]bot.Secret{team: bot.NewSecret(testToken)}, APIURL: "http://" + address, Log: slog.New(slog.DiscardHandler)})
	_, err = a.Post(ctx, ops, hello)
	if bot.KindOf(err) != bot.KindUnreachable {
		t.Errorf("got %q: %v", bot.KindOf(err), err)
	}
}

func TestAnAnswerThatNeverComesIsAmbiguous(t *testing.T) {
	stop := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-stop
	}))
	defer s.Close()
	defer close(stop)
	a := New(Config{Workspaces: map[string]bot.Secret{team: bot.NewSecret(testToken)}, APIURL: s.URL, Log: slog.New(slog.DiscardHandler)})
	a.asked[team] = time.Now() // who the bot is, is not asked here
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	_, err := a.Post(short, ops, hello)
	if bot.KindOf(err) != bot.KindAmbiguous || !strings.Contains(err.Error(), "in time") {
		t.Errorf("got %q: %v", bot.KindOf(err), err)
	}
}

func TestAWorkspaceWithoutTokenSaysSo(t *testing.T) {
	a := newApp(t)
	_, err := a.Post(ctx, bot.Place{Platform: bot.Slack, Team: "T0OTHER", Channel: "C1"}, hello)
	if bot.KindOf(err) != bot.KindUninstalled || !strings.Contains(err.Error(), "T0OTHER") {
		t.Errorf("got %v", err)
	}
}

func TestMessagesGoOutWithoutLinksWhereSlackDoesNotSayWhoTheBotIs(t *testing.T) {
	a := newApp(t)
	a.slack.status("auth.test", 500)
	for range 3 {
		ref, err := a.Post(ctx, ops, hello)
		if err != nil || ref.Link != "" {
			t.Fatalf("got %+v %v", ref, err)
		}
	}
	if n := len(a.slack.to("auth.test")); n != 1 {
		t.Errorf("asked %d times, want 1", n)
	}
}

func TestHomeIsPublishedToOnePerson(t *testing.T) {
	a := newApp(t)
	if err := a.Home(ctx, who, hello); err != nil {
		t.Fatal(err)
	}
	got := a.slack.to("views.publish")[0].JSON
	view := got["view"].(map[string]any)
	if got["user_id"] != alice || view["type"] != "home" || len(view["blocks"].([]any)) != 1 {
		t.Errorf("got %v", got)
	}
	if _, has := got["hash"]; has {
		t.Error("an empty hash was sent, which Slack compares")
	}
}

func TestMembersOfAGroupAreAskedForInTheirWorkspace(t *testing.T) {
	a := newApp(t)
	a.slack.answers("usergroups.users.list", `{"ok":true,"users":["U1","U2"]}`)
	got, err := a.Members(ctx, team, "S1")
	if err != nil || !cmp.Equal(got, []string{"U1", "U2"}) || a.slack.to("usergroups.users.list")[0].Form.Get("team_id") != team {
		t.Errorf("got %q %v", got, err)
	}
	a.slack.answers("usergroups.users.list", `{"ok":false,"error":"no_such_subteam"}`)
	if _, err := a.Members(ctx, team, "S9"); bot.KindOf(err) != bot.KindNotFound {
		t.Errorf("got %v", err)
	}
}

func TestThePreviewIsWhatWouldBePosted(t *testing.T) {
	a := newApp(t)
	if _, err := a.Post(ctx, ops, hello); err != nil {
		t.Fatal(err)
	}
	b, err := PreviewPayload(hello)
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		Text     string          `json:"text"`
		Blocks   json.RawMessage `json:"blocks"`
		Metadata json.RawMessage `json:"metadata"`
		Unfurl   *bool           `json:"unfurl_links"`
	}
	if err := json.Unmarshal(b, &body); err != nil {
		t.Fatal(err)
	}
	sent := a.slack.to("chat.postMessage")[0].Form
	for name, pair := range map[string][2]string{
		"text":     {body.Text, sent.Get("text")},
		"blocks":   {compact(t, body.Blocks), compact(t, []byte(sent.Get("blocks")))},
		"metadata": {compact(t, body.Metadata), compact(t, []byte(sent.Get("metadata")))},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: the preview says %s, posted was %s", name, pair[0], pair[1])
		}
	}
	if body.Unfurl == nil || *body.Unfurl {
		t.Error("the preview unfurls links")
	}
}

func compact(t *testing.T, b []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	out, _ := json.Marshal(v)
	return string(out)
}
