package chat_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"keyturn/sim/slack"
	"keyturn/web/chat"
)

type m = map[string]any

func plain(text string) m { return m{"type": "plain_text", "text": text} }

// demo is a workspace with a small bot, seen through the page.
type demo struct {
	*testing.T
	slack *slack.Server
	page  string
	api   string
}

// The bot answers the menu of a message, opens a form for a command, posts a card when the form is good, and
// edits the card at a click.
func (d *demo) bot(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	var p struct {
		Type      string
		Container struct {
			Channel string `json:"channel_id"`
			TS      string `json:"message_ts"`
		}
		Callback string `json:"callback_id"`
		User     struct{ ID string }
		Channel  struct{ ID string }
		Message  struct{ Text string }
		View     struct {
			State struct {
				Values map[string]map[string]m
			}
		}
	}
	_ = json.Unmarshal([]byte(form.Get("payload")), &p)
	switch {
	case form.Get("text") == "setup":
		d.call("views.open", m{"trigger_id": form.Get("trigger_id"), "view": m{"type": "modal", "title": plain("Set up"), "submit": plain("Start"), "blocks": []any{
			m{"type": "input", "block_id": "host", "label": plain("ServiceNow host"), "element": m{"type": "plain_text_input", "action_id": "v"}}}}})
	case form.Get("command") != "":
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(m{"text": "I do not know *" + form.Get("text") + "*"})
	case p.Type == "view_submission":
		host, _ := p.View.State.Values["host"]["v"]["value"].(string)
		if host != "dev.example" {
			_ = json.NewEncoder(w).Encode(m{"response_action": "errors", "errors": m{"host": "That host does not answer."}})
			return
		}
		d.call("chat.postMessage", m{"channel": "C0OPS", "text": "<@U0BOB> approve?", "blocks": []any{
			m{"type": "section", "text": m{"type": "mrkdwn", "text": "<@U0BOB>, may I use `" + host + "`?"}},
			m{"type": "actions", "elements": []any{m{"type": "button", "action_id": "approve", "text": plain("Approve"), "style": "primary"}}}}})
	case p.Type == "message_action":
		d.call("chat.postEphemeral", m{"channel": p.Channel.ID, "user": p.User.ID, "text": p.Callback + " of “" + p.Message.Text + "”"})
	case p.Type == "block_actions":
		d.call("chat.update", m{"channel": p.Container.Channel, "ts": p.Container.TS, "text": "✅ Approved"})
	}
}

func (d *demo) call(method string, v m) {
	b, err := json.Marshal(v)
	if err != nil {
		d.Error(err)
		return
	}
	req, _ := http.NewRequest(http.MethodPost, d.api+"/api/"+method, bytes.NewReader(b))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer xoxb-x")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.Error(err)
		return
	}
	defer resp.Body.Close()
	answer := m{}
	if _ = json.NewDecoder(resp.Body).Decode(&answer); answer["ok"] != true {
		d.Errorf("%s: %v", method, answer)
	}
}

func start(t *testing.T) *demo {
	d := &demo{T: t}
	bot := httptest.NewServer(http.HandlerFunc(d.bot))
	t.Cleanup(bot.Close)
	everyone := []string{"U0ALICE", "U0BOB", "U0KEYTURN"}
	s, err := slack.New(slack.Config{BotToken: "xoxb-x", SigningSecret: "s", BotURL: bot.URL,
		Users:    []slack.User{{ID: "U0ALICE", Name: "alice", RealName: "Alice Arendt", Title: "Entra admin"}, {ID: "U0BOB", Name: "bob", RealName: "Bob Okafor"}},
		Channels: []slack.Channel{{ID: "C0OPS", Name: "ops", Members: everyone}, {ID: "C0OLD", Name: "old", Members: everyone, Archived: true}, {ID: "C0BOB", Name: "bobs", Kind: slack.Private, Members: []string{"U0BOB"}}}})
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(s.Handler())
	t.Cleanup(api.Close)
	page := httptest.NewServer(chat.New(chat.Config{Slack: s, Title: "A demo", Try: []string{"/keyturn setup"}, Menu: []chat.MenuItem{{ID: "is-this-microsoft", Words: "Is this Microsoft?"}}, ImageOrigins: []string{"http://pictures.example"},
		Portals: []chat.Portal{{Name: "Entra", URL: "http://portal.example:9000/apps", Role: "Entra admin"}}}))
	t.Cleanup(page.Close)
	d.slack, d.api, d.page = s, api.URL, page.URL
	return d
}

func (d *demo) get(query string) string {
	d.Helper()
	resp, err := http.Get(d.page + "/?" + query)
	if err != nil {
		d.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		d.Fatalf("%d %s %v", resp.StatusCode, b, err)
	}
	return string(b)
}

// do posts an action and returns what the visitor is told.
func (d *demo) do(action string, v m) string {
	d.Helper()
	b, _ := json.Marshal(v)
	resp, err := http.Post(d.page+"/do/"+action, "application/json", bytes.NewReader(b))
	if err != nil {
		d.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Notice string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		d.Fatalf("%s: %d %v", action, resp.StatusCode, err)
	}
	return answer.Notice
}

func (d *demo) sees(page string, all ...string) {
	d.Helper()
	for _, want := range all {
		if !strings.Contains(page, want) {
			d.Errorf("the page does not show %q", want)
		}
	}
}

func (d *demo) missing(page string, all ...string) {
	d.Helper()
	for _, unwanted := range all {
		if strings.Contains(page, unwanted) {
			d.Errorf("the page shows %q", unwanted)
		}
	}
}

func TestAVisitorSetsSomethingUp(t *testing.T) {
	d := start(t)
	if said := d.do("type", m{"user": "U0ALICE", "channel": "C0OPS", "text": "/keyturn setup"}); said != "" {
		t.Fatalf("told: %s", said)
	}
	form := d.get("as=U0ALICE&at=C0OPS")
	d.sees(form, `<h2 id="modal-title">Set up</h2>`, `ServiceNow host</label>`, `data-name="host/v"`)
	d.missing(d.get("as=U0BOB&at=C0OPS"), "modal-title")
	d.sees(d.get("as=U0BOB&at=C0OPS"), "has an open form")
	view := d.slack.Snapshot().Views[0].ID

	d.do("submit", m{"user": "U0ALICE", "view": view, "values": m{"host/v": []string{}}})
	d.sees(d.get("as=U0ALICE&at=C0OPS"), "Please complete this required field.")
	d.do("submit", m{"user": "U0ALICE", "view": view, "values": m{"host/v": []string{"wrong.example"}}})
	d.sees(d.get("as=U0ALICE&at=C0OPS"), "That host does not answer.", `value="wrong.example"`, `aria-invalid="true"`)
	d.do("submit", m{"user": "U0ALICE", "view": view, "values": m{"host/v": []string{"dev.example"}}})
	d.missing(d.get("as=U0ALICE&at=C0OPS"), "modal-title")

	alice := d.get("as=U0ALICE&at=C0OPS")
	d.sees(alice, `<span class="mention">@Bob Okafor</span>, may I use <code>dev.example</code>?`, ">Approve</button>", `Bob<span class="rest"> Okafor</span></span></span>
      <span class="badge">1<span class="sr"> mentions`)
	card := d.slack.Snapshot().Messages[0]
	bob := d.get("as=U0BOB&at=C0OPS")
	d.sees(bob, `<span class="mention me">@Bob Okafor</span>`)
	d.missing(d.get("as=U0ALICE&at=C0OPS"), `class="badge"`)

	if said := d.do("click", m{"user": "U0BOB", "channel": "C0OPS", "ts": card.TS, "action": "approve"}); said != "" {
		t.Errorf("told: %s", said)
	}
	after := d.get("as=U0BOB&at=C0OPS")
	d.sees(after, "✅ Approved", "(edited)")
	d.missing(after, ">Approve</button>")
}

func TestPrivateWordsArePrivate(t *testing.T) {
	d := start(t)
	d.do("type", m{"user": "U0ALICE", "channel": "C0OPS", "text": "/keyturn subscrbe"})
	d.sees(d.get("as=U0ALICE&at=C0OPS"), "Only visible to you", "I do not know <strong>subscrbe</strong>")
	d.missing(d.get("as=U0BOB&at=C0OPS"), "Only visible to you", "subscrbe")
	d.missing(d.get("as=U0ALICE"), "bobs")
	d.sees(d.get("as=U0ALICE&at=C0BOB"), "is not in this channel")
	d.sees(d.get("as=U0ALICE&at=C0OLD"), "This channel is archived.")
	d.sees(d.get("as=U0ALICE&at=home"), "has not published a Home")
}

func TestTheMenuOfAMessage(t *testing.T) {
	d := start(t)
	d.do("type", m{"user": "U0BOB", "channel": "C0OPS", "text": "mail is <slow>"})
	said := d.slack.Snapshot().Messages[0].TS
	page := d.get("as=U0ALICE&at=C0OPS")
	d.sees(page, `aria-label="More actions for what Bob Okafor said, `, `data-do="menu" data-act="is-this-microsoft">Is this Microsoft?</button>`)
	if told := d.do("menu", m{"user": "U0ALICE", "channel": "C0OPS", "ts": said, "action": "is-this-microsoft"}); told != "" {
		t.Errorf("told: %q", told)
	}
	page = d.get("as=U0ALICE&at=C0OPS")
	d.sees(page, "Only visible to you", "is-this-microsoft of “mail is &lt;slow&gt;”")
	if n := strings.Count(page, `data-do="menu"`); n != 1 {
		t.Errorf("%d messages have a menu; what only Alice sees has none", n)
	}
	d.missing(d.get("as=U0BOB&at=C0OPS"), "Only visible to you")
	if told := d.do("menu", m{"user": "U0ALICE", "channel": "C0OPS", "ts": said, "action": "something-else"}); !strings.Contains(told, "has no something-else") {
		t.Errorf("told: %q", told)
	}
	d.do("type", m{"user": "U0BOB", "channel": "C0OPS", "thread": said, "text": "very"})
	d.sees(d.get("as=U0ALICE&at=C0OPS&thread="+said), `id="tm`+said+`-menu"`)
}

func TestTalkInAThread(t *testing.T) {
	d := start(t)
	d.do("type", m{"user": "U0ALICE", "channel": "C0OPS", "text": "who has a minute?"})
	root := d.slack.Snapshot().Messages[0].TS
	d.do("type", m{"user": "U0BOB", "channel": "C0OPS", "thread": root, "text": "<script>me</script>"})
	d.sees(d.get("as=U0ALICE&at=C0OPS"), "1 reply")
	thread := d.get("as=U0ALICE&at=C0OPS&thread=" + root)
	d.sees(thread, `aria-label="Thread"`, "&lt;script&gt;me&lt;/script&gt;", `id="t`+"m"+root)
	if said := d.do("type", m{"user": "U0BOB", "channel": "C0OPS", "thread": root, "text": "/keyturn help"}); !strings.Contains(said, "not supported in threads") {
		t.Errorf("told: %q", said)
	}
	if said := d.do("type", m{"user": "U0ALICE", "channel": "C0BOB", "text": "hello?"}); said != "U0ALICE is not in the channel bobs." {
		t.Errorf("told: %q", said)
	}
}

func TestThePortalsStandBesideTheChat(t *testing.T) {
	d := start(t)
	d.sees(d.get("as=U0ALICE&at=C0OPS"), "portal=0", ">Entra</span>")
	d.sees(d.get("as=U0ALICE&at=C0OPS&portal=0"), `<iframe src="http://portal.example:9000/apps" title="Entra"></iframe>`)
	d.missing(d.get("as=U0ALICE&at=C0OPS&portal=7"), "<iframe")
}

func TestOtherWebPagesCanDoNothing(t *testing.T) {
	d := start(t)
	try := func(change func(r *http.Request)) *http.Response {
		r, err := http.NewRequest(http.MethodPost, d.page+"/do/type", strings.NewReader(`{"user":"U0ALICE","channel":"C0OPS","text":"forged"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		change(r)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	for name, c := range map[string]struct {
		change func(r *http.Request)
		want   int
	}{
		"another origin":  {func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, http.StatusForbidden},
		"cross-site":      {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		"a plain form":    {func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, http.StatusUnsupportedMediaType},
		"the page itself": {func(r *http.Request) { r.Header.Set("Origin", d.page) }, http.StatusOK},
	} {
		if resp := try(c.change); resp.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", name, resp.StatusCode, c.want)
		}
	}
	if n := len(d.slack.Snapshot().Messages); n != 1 {
		t.Errorf("%d messages were posted, want the page's own one", n)
	}
	resp, err := http.Get(d.page)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	policy := resp.Header.Get("Content-Security-Policy")
	d.sees(policy, "default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "frame-src 'self' http://portal.example:9000", "img-src 'self' data: http://pictures.example")
	d.missing(policy, "unsafe")
}

func TestThePageHearsOfEveryChange(t *testing.T) {
	d := start(t)
	resp, err := http.Get(d.page + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := make(chan string)
	go func() {
		in := bufio.NewScanner(resp.Body)
		for in.Scan() {
			if line, ok := strings.CutPrefix(in.Text(), "data: "); ok {
				lines <- line
			}
		}
		close(lines)
	}()
	hear := func(want string) {
		t.Helper()
		select {
		case got := <-lines:
			if got != want {
				t.Errorf("heard %q, want %q", got, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("never heard %q", want)
		}
	}
	hear("hello")
	d.do("type", m{"user": "U0ALICE", "channel": "C0OPS", "text": "news"})
	hear("changed")
}

func TestTheFilesComeAlong(t *testing.T) {
	d := start(t)
	for _, name := range []string{"app.js", "menus.js", "style.css", "icon.svg"} {
		resp, err := http.Get(fmt.Sprintf("%s/static/%s", d.page, name))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
}
