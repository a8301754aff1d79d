package slack_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/sim/slack"
)

func TestTheLifeOfAChannelReachesTheBot(t *testing.T) {
	w := workspace(t)
	for _, step := range []struct {
		do   func() (slack.Outcome, error)
		want string
	}{
		{func() (slack.Outcome, error) { return w.InviteBot(quiet, alice) }, "member_joined_channel"},
		{func() (slack.Outcome, error) { return w.Join(guest, quiet, "") }, "member_joined_channel"},
		{func() (slack.Outcome, error) { return w.Leave(guest, quiet) }, "member_left_channel"},
		{func() (slack.Outcome, error) { return w.Rename(quiet, "loud") }, "channel_rename"},
		{func() (slack.Outcome, error) { return w.Archive(quiet) }, "channel_archive"},
		{func() (slack.Outcome, error) { return w.Unarchive(quiet) }, "channel_unarchive"},
		{func() (slack.Outcome, error) { return w.RemoveBot(quiet) }, "channel_left"},
		{func() (slack.Outcome, error) { return w.RemoveBot(vault) }, "group_left"},
		{func() (slack.Outcome, error) { return w.Deactivate(bob) }, "user_change"},
		{func() (slack.Outcome, error) { return w.DeleteChannel(ops) }, "channel_deleted"},
	} {
		must[slack.Outcome](t)(step.do())
		if got := w.last().payload["event"].(m)["type"]; got != step.want {
			t.Errorf("got %v, want %s", got, step.want)
		}
	}
}

func TestEverythingIsThereAfterARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "slack.json")
	w := workspace(t, func(c *slack.Config) { c.File = file })
	w.answerJSON(m{"text": "private"})
	ts := w.post(ops, "kept")
	out := must[slack.Outcome](t)(w.Slash(alice, ops, "/keyturn form"))
	w.ok("views.open", m{"trigger_id": out.Trigger, "view": modal("Form", input("b", "a", nil))})
	w.behave(func(rw http.ResponseWriter, _ delivery) { rw.WriteHeader(500) })
	must[slack.Outcome](t)(w.Mention(alice, ops, "", "later"))
	before := w.Snapshot()
	if err := w.Shutdown(); err != nil {
		t.Fatal(err)
	}
	after := workspace(t, func(c *slack.Config) { c.File = file })
	asJSON := func(st slack.State) m {
		b, err := json.Marshal(st)
		if err != nil {
			t.Fatal(err)
		}
		v := m{}
		_ = json.Unmarshal(b, &v)
		return v
	}
	if diff := cmp.Diff(asJSON(before), asJSON(after.Snapshot())); diff != "" {
		t.Error(diff)
	}
	after.ok("chat.update", m{"channel": ops, "ts": ts, "text": "changed after the restart"})
	after.clock.pass(time.Minute)
	if n := after.Tick(); n != 1 {
		t.Errorf("the event that the bot did not take is still due, tried %d", n)
	}
}

func TestABrokenScenarioIsNamed(t *testing.T) {
	_, err := slack.New(slack.Config{BotToken: token, SigningSecret: secret, Users: []slack.User{{ID: "U1"}}})
	if err == nil || !strings.Contains(err.Error(), "U1") {
		t.Errorf("a seed user without a name: %v", err)
	}
	if _, err := slack.New(slack.Config{}); err == nil {
		t.Error("without a token and a secret there is nothing to simulate")
	}
}

func TestAnotherProcessCanDriveIt(t *testing.T) {
	w := workspace(t)
	w.answerJSON(m{"text": "hello"})
	do := func(action, body string) (int, m) {
		resp, err := http.Post(w.api+"/_sim/"+action, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		v := m{}
		_ = json.NewDecoder(resp.Body).Decode(&v)
		return resp.StatusCode, v
	}
	if code, v := do("slash", `{"user":"U0ALICE","channel":"C0OPS","text":"/keyturn help"}`); code != 200 || v["status"] != 200.0 {
		t.Errorf("%d %v", code, v)
	}
	if code, v := do("slash", `{"user":"U0ALICE","channel":"C0OPS","text":"/nothing"}`); code != 422 || !strings.Contains(v["error"].(string), "/nothing") {
		t.Errorf("%d %v", code, v)
	}
	resp, err := http.Get(w.api + "/_sim/state")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var st slack.State
	if err := json.NewDecoder(resp.Body).Decode(&st); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(st.Ephemerals, func(e slack.Ephemeral) bool { return e.Text == "hello" && e.To == alice }) {
		t.Errorf("the answer is missing: %+v", st.Ephemerals)
	}
	req, _ := http.NewRequest(http.MethodPost, w.api+"/_sim/uninstall", strings.NewReader("{}"))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", "https://evil.example")
	foreign, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Body.Close()
	if foreign.StatusCode != http.StatusForbidden {
		t.Errorf("another web page got %d", foreign.StatusCode)
	}
}

func TestWatchersAreWoken(t *testing.T) {
	w := workspace(t)
	changed := w.Changed()
	w.post(ops, "news")
	select {
	case <-changed:
	default:
		t.Error("nobody was woken")
	}
}
