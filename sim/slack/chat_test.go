package slack_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keyturn/sim"
	"keyturn/sim/slack"
)

func TestTheTokenIsTakenFromTheFormOrTheHeader(t *testing.T) {
	w := workspace(t)
	if a := w.form("chat.postMessage", url.Values{"channel": {ops}, "blocks": {`[{"type":"divider"}]`}, "text": {"a form"}}); a["ok"] != true {
		t.Errorf("with the token in the form: %v", a)
	}
	w.ok("chat.postMessage", m{"channel": ops, "text": "a body"})
	for name, c := range map[string]struct{ kind, body, auth, want string }{
		"no token":       {"application/json", `{}`, "", "not_authed"},
		"another token":  {"application/json", `{}`, "Bearer xoxb-other", "invalid_auth"},
		"broken JSON":    {"application/json", `{`, "Bearer " + token, "invalid_json"},
		"a JSON list":    {"application/json", `[]`, "Bearer " + token, "json_not_object"},
		"an odd type":    {"text/csv", `a,b`, "Bearer " + token, "invalid_post_type"},
		"token in JSON":  {"application/json", `{"token":"` + token + `"}`, "", "not_authed"},
		"broken escapes": {"application/x-www-form-urlencoded", `a=%zz`, "Bearer " + token, "invalid_form_data"},
	} {
		if a := w.request("auth.test", c.kind, []byte(c.body), c.auth); a["error"] != c.want {
			t.Errorf("%s: got %v, want %s", name, a, c.want)
		}
	}
	w.refused("chat.shout", m{}, "unknown_method")
	if a := w.ok("auth.test", nil); a["user_id"] != theBot || a["team_id"] != "T0KEYTURN" {
		t.Errorf("auth.test does not say who the bot is: %v", a)
	}
}

func TestAMissingScopeIsNamed(t *testing.T) {
	w := workspace(t, func(c *slack.Config) { c.Scopes = []string{"chat:write", "channels:read"} })
	want := m{"ok": false, "error": "missing_scope", "needed": "users:read", "provided": "chat:write,channels:read"}
	if diff := cmp.Diff(want, w.call("users.info", m{"user": alice})); diff != "" {
		t.Error(diff)
	}
	w.ok("conversations.info", m{"channel": ops})
	if a := w.refused("conversations.info", m{"channel": vault}, "missing_scope"); a["needed"] != "groups:read" {
		t.Errorf("a private channel needs groups:read, got %v", a)
	}
}

func TestWhereTheBotMayPost(t *testing.T) {
	w := workspace(t, func(c *slack.Config) {
		c.Channels = append(c.Channels, slack.Channel{ID: "C0NEWS", Name: "news", Members: []string{alice, theBot}, ReadOnly: true},
			slack.Channel{ID: "C0SECRET", Name: "secret", Kind: slack.Private, Members: []string{alice}})
	})
	say := func(channel string) m { return m{"channel": channel, "text": "hello"} }
	w.ok("chat.postMessage", say(ops))
	w.refused("chat.postMessage", say("C0NOWHERE"), "channel_not_found")
	w.refused("chat.postMessage", say("C0SECRET"), "channel_not_found")
	w.refused("chat.postMessage", say(quiet), "not_in_channel")
	w.refused("chat.postMessage", say("C0NEWS"), "restricted_action_read_only_channel")
	w.refused("chat.postMessage", m{"channel": ops}, "no_text")

	must[slack.Outcome](t)(w.Archive(ops))
	w.refused("chat.postMessage", say(ops), "is_archived")
	must[slack.Outcome](t)(w.DeleteChannel(vault))
	w.refused("chat.postMessage", say(vault), "channel_not_found")

	must[slack.Outcome](t)(w.Deactivate(bob))
	w.refused("chat.postMessage", say(bob), "channel_not_found")
	if a := w.ok("chat.postMessage", say(alice)); a["channel"] != "D0ALICE" {
		t.Errorf("a user ID should mean the direct message, got %v", a["channel"])
	}

	wide := workspace(t, func(c *slack.Config) { c.Scopes = []string{"chat:write", "chat:write.public"} })
	wide.ok("chat.postMessage", say(quiet))
}

func TestAThreadWhoseParentIsGoneLandsInTheChannel(t *testing.T) {
	w := workspace(t)
	root := w.post(ops, "root")
	reply := w.ok("chat.postMessage", m{"channel": ops, "text": "reply", "thread_ts": root})
	if reply["message"].(m)["thread_ts"] != root {
		t.Errorf("the reply is not in the thread: %v", reply)
	}
	aloud := w.ok("chat.postMessage", m{"channel": ops, "text": "aloud", "thread_ts": root, "reply_broadcast": true})
	if aloud["message"].(m)["subtype"] != "thread_broadcast" {
		t.Errorf("not broadcast: %v", aloud)
	}
	history := w.ok("conversations.history", m{"channel": ops})
	if n := len(history["messages"].([]any)); n != 2 {
		t.Errorf("the channel shows %d messages, want the root and the broadcast reply", n)
	}
	if n := len(w.ok("conversations.replies", m{"channel": ops, "ts": root})["messages"].([]any)); n != 3 {
		t.Errorf("the thread has %d messages, want 3", n)
	}
	w.ok("chat.delete", m{"channel": ops, "ts": root})
	orphan := w.ok("chat.postMessage", m{"channel": ops, "text": "too late", "thread_ts": root})
	if _, threaded := orphan["message"].(m)["thread_ts"]; threaded {
		t.Errorf("the parent is deleted, so the reply should land un-threaded: %v", orphan)
	}
}

func TestOnlyOwnMessagesCanBeChanged(t *testing.T) {
	w := workspace(t)
	his := must[slack.Outcome](t)(w.PostAs(bob, ops, "", "mine"))
	w.refused("chat.update", m{"channel": ops, "ts": his.TS, "text": "changed"}, "cant_update_message")
	w.refused("chat.delete", m{"channel": ops, "ts": his.TS}, "cant_delete_message")
	private, _ := w.ok("chat.postEphemeral", m{"channel": ops, "user": bob, "text": "psst"})["message_ts"].(string)
	w.refused("chat.update", m{"channel": ops, "ts": private, "text": "changed"}, "message_not_found")
	w.refused("chat.postEphemeral", m{"channel": ops, "user": guest, "text": "psst"}, "user_not_in_channel")
}

func TestTextWithoutBlocksRemovesTheBlocks(t *testing.T) {
	w := workspace(t)
	ts, _ := w.ok("chat.postMessage", m{"channel": ops, "text": "open", "blocks": []any{section("open")},
		"metadata": m{"event_type": "step", "event_payload": m{"id": "1"}}})["ts"].(string)
	find := func() slack.Message {
		for _, msg := range w.Snapshot().Messages {
			if msg.TS == ts {
				return msg
			}
		}
		t.Fatal("the message is gone")
		return slack.Message{}
	}
	w.ok("chat.update", m{"channel": ops, "ts": ts, "text": "done", "blocks": []any{section("done")}})
	if msg := find(); msg.Edited != "" || msg.Revisions != 1 || !strings.Contains(string(msg.Blocks), "done") {
		t.Errorf("an update with blocks leaves no mark: %+v", msg)
	}
	w.ok("chat.update", m{"channel": ops, "ts": ts, "text": "just text"})
	if msg := find(); msg.Edited == "" || msg.Revisions != 2 || msg.Blocks != nil || msg.Metadata == nil {
		t.Errorf("text alone removes the blocks, marks the edit and keeps the metadata: %+v", msg)
	}
}

func TestMetadataComesBackFromHistory(t *testing.T) {
	w := workspace(t)
	meta := m{"event_type": "incident", "event_payload": m{"id": "EX1"}}
	w.ok("chat.postMessage", m{"channel": ops, "text": "x", "metadata": meta})
	first := func(arguments m) any {
		arguments["channel"] = ops
		return w.ok("conversations.history", arguments)["messages"].([]any)[0].(m)["metadata"]
	}
	if diff := cmp.Diff(any(meta), first(m{"include_all_metadata": true})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(any(m{"event_type": "incident"}), first(m{})); diff != "" {
		t.Error(diff)
	}
	w.refused("chat.postMessage", m{"channel": ops, "text": "x", "metadata": m{"event_type": ""}}, "invalid_metadata_format")
	w.refused("conversations.history", m{"channel": vault}, "missing_scope")
}

func TestWhoIsNotified(t *testing.T) {
	w := workspace(t)
	w.post(ops, "for <@"+bob+"> and <!subteam^S0ENTRA>, not for `<@"+stranger+">`")
	w.post(alice, "a direct word")
	w.ok("chat.postMessage", m{"channel": ops, "text": "<@" + alice + "> in the text only", "blocks": []any{
		m{"type": "rich_text", "elements": []any{m{"type": "rich_text_section", "elements": []any{m{"type": "user", "user_id": bob}}}}},
		m{"type": "section", "text": plain("<@" + alice + ">")},
	}})
	w.post(ops, "<@"+guest+"> cannot see this")
	type told struct{ User, Why, Missed string }
	var got []told
	for _, n := range w.Snapshot().Notifications {
		got = append(got, told{n.User, n.Why, n.Missed})
	}
	want := []told{{bob, "mention", ""}, {alice, "group", ""}, {alice, "dm", ""}, {bob, "mention", ""}, {guest, "mention", "not in the channel"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestShoutingAtEverybodyIsRecorded(t *testing.T) {
	w := workspace(t)
	w.post(ops, "<!channel> wake up")
	w.ok("chat.postMessage", m{"channel": ops, "text": "x", "blocks": []any{section("hello @here")}})
	w.ok("chat.postMessage", m{"channel": ops, "text": "x", "blocks": []any{m{"type": "section", "text": m{"type": "mrkdwn", "text": "hello @here", "verbatim": true}}}})
	w.ok("chat.postMessage", m{"channel": ops, "text": "x", "blocks": []any{m{"type": "rich_text", "elements": []any{
		m{"type": "rich_text_section", "elements": []any{m{"type": "broadcast", "range": "here"}}}}}}})
	if n := len(w.Snapshot().Violations); n != 3 {
		t.Errorf("recorded %d violations, want 3: %+v", n, w.Snapshot().Violations)
	}
}

func TestPeopleAndGroupsCanBeLookedUp(t *testing.T) {
	w := workspace(t)
	u := w.ok("users.lookupByEmail", m{"email": "ALICE@example.com"})["user"].(m)
	if u["id"] != alice || u["tz"] != "Europe/Berlin" || u["tz_offset"] != 7200.0 {
		t.Errorf("got %v", u)
	}
	w.refused("users.lookupByEmail", m{"email": "nobody@example.com"}, "users_not_found")
	w.refused("users.info", m{"user": "U0NOBODY"}, "user_not_found")
	if u := w.ok("users.info", m{"user": guest})["user"].(m); u["is_restricted"] != true {
		t.Errorf("a guest is restricted: %v", u)
	}
	if u := w.ok("users.info", m{"user": stranger})["user"].(m); u["is_stranger"] != true || u["team_id"] != "T0OTHER" {
		t.Errorf("a person of another workspace: %v", u)
	}
	must[slack.Outcome](t)(w.Deactivate(bob))
	if u := w.ok("users.info", m{"user": bob})["user"].(m); u["deleted"] != true {
		t.Errorf("a deactivated person: %v", u)
	}
	groups := w.ok("usergroups.list", m{"include_users": true})["usergroups"].([]any)
	if diff := cmp.Diff([]any{alice}, groups[0].(m)["users"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{alice}, w.ok("usergroups.users.list", m{"usergroup": "S0ENTRA"})["users"]); diff != "" {
		t.Error(diff)
	}
	w.refused("usergroups.users.list", m{"usergroup": "S0NONE"}, "no_such_subteam")
}

func TestListsComeInPages(t *testing.T) {
	w := workspace(t)
	var names []string
	cursor := ""
	for range 10 {
		a := w.ok("conversations.list", m{"types": "public_channel,private_channel", "limit": 1, "cursor": cursor})
		for _, ch := range a["channels"].([]any) {
			names = append(names, ch.(m)["name"].(string))
		}
		if cursor = a["response_metadata"].(m)["next_cursor"].(string); cursor == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"ops", "quiet", "vault"}, names); diff != "" {
		t.Error(diff)
	}
	mine := w.ok("users.conversations", m{"user": bob})["channels"].([]any)
	if len(mine) != 1 || mine[0].(m)["id"] != ops {
		t.Errorf("bob's channels: %v", mine)
	}
	if diff := cmp.Diff([]any{alice, bob, stranger, theBot}, w.ok("conversations.members", m{"channel": ops})["members"]); diff != "" {
		t.Error(diff)
	}
}

func TestConversationsCanBeOpenedAndJoined(t *testing.T) {
	w := workspace(t)
	if id := w.ok("conversations.open", m{"users": bob})["channel"].(m)["id"]; id != "D0BOB" {
		t.Errorf("got %v", id)
	}
	w.refused("conversations.open", m{"users": alice + "," + bob}, "too_many_users")
	w.ok("conversations.join", m{"channel": quiet})
	w.post(quiet, "now it works")
	w.refused("conversations.join", m{"channel": vault}, "method_not_supported_for_channel_type")
	link := w.ok("chat.getPermalink", m{"channel": ops, "message_ts": w.post(ops, "linked")})["permalink"].(string)
	if !strings.HasPrefix(link, "https://example.slack.com/archives/"+ops+"/p1790000000") {
		t.Errorf("got %s", link)
	}
}

func TestTheRatesOfSlack(t *testing.T) {
	w := workspace(t, func(c *slack.Config) { c.Limits = true })
	say := m{"channel": ops, "text": "x"}
	for range 3 {
		w.ok("chat.postMessage", say)
	}
	if a := w.refused("chat.postMessage", say, "ratelimited"); a["retry_after"] != 1 {
		t.Errorf("want Retry-After: 1, got %v", a)
	}
	w.ok("chat.postMessage", m{"channel": vault, "text": "another channel has its own pace"})
	w.clock.pass(time.Second)
	w.ok("chat.postMessage", say)

	for range 20 {
		w.ok("users.list", nil)
	}
	if a := w.refused("users.list", nil, "ratelimited"); a["retry_after"] != 60 && a["retry_after"] != 59 {
		t.Errorf("a tier-2 method takes 20 calls a minute: %v", a)
	}
	w.clock.pass(time.Minute)
	w.ok("users.list", nil)
}

func TestAScriptedFaultStandsInFrontOfTheAPI(t *testing.T) {
	w := workspace(t)
	w.Faults.Add(sim.Throttled("/api/chat.postMessage", 1, 30*time.Second))
	resp, err := http.Post(w.api+"/api/chat.postMessage", "application/json", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "30" {
		t.Errorf("got %d %v", resp.StatusCode, resp.Header)
	}
	w.post(ops, "the second call passes")
}

func TestTheEndOfTheApp(t *testing.T) {
	w := workspace(t)
	w.ok("auth.revoke", nil)
	w.refused("auth.test", nil, "token_revoked")
	w.Reinstall()
	if out := w.Uninstall(); !out.OK() {
		t.Errorf("the bot did not take the news: %+v", out)
	}
	w.refused("auth.test", nil, "account_inactive")
	var kinds []any
	w.mu.Lock()
	for _, d := range w.got {
		if ev, _ := d.payload["event"].(m); ev != nil {
			kinds = append(kinds, ev["type"])
		}
	}
	w.mu.Unlock()
	if n := len(kinds); n < 2 || kinds[n-1] != "app_uninstalled" || kinds[n-2] != "tokens_revoked" {
		t.Errorf("the bot heard %v", kinds)
	}
	if _, err := w.Slash(alice, ops, "/keyturn help"); err == nil {
		t.Error("the command of an app that is gone does not exist")
	}
}
