package teams_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keyturn/sim"
	"keyturn/sim/teams"
)

// events are the activities that the bot got, in short.
func (w *world) events() []string {
	var all []string
	for _, d := range w.deliveries() {
		data, _ := d.activity["channelData"].(m)
		line := strings.Fields(fmt.Sprint(d.activity["type"], " ", d.activity["action"], " ", data["eventType"]))
		all = append(all, strings.ReplaceAll(strings.Join(line, " "), " <nil>", ""))
	}
	return all
}

func (w *world) heard(want ...string) {
	w.Helper()
	got := w.events()
	if len(got) < len(want) || strings.Join(got[len(got)-len(want):], "; ") != strings.Join(want, "; ") {
		w.Errorf("the bot heard %q, want %q at the end", got, want)
	}
}

func TestTheBotIsInstalledAndRemoved(t *testing.T) {
	w := tenantWith(t, func(c *teams.Config) { c.Teams[0].Installed = false })
	w.refused(w.send(incidents, text("x")), 403, "BotNotInConversationRoster")
	must[teams.Outcome](t)(w.Install(alice, incidents))
	w.heard("installationUpdate add", "conversationUpdate teamMemberAdded")
	a := w.last()
	conversation, _ := a["conversation"].(m)
	added, _ := a["membersAdded"].([]any)
	first, _ := added[0].(m)
	data, _ := a["channelData"].(m)
	team, _ := data["team"].(m)
	if conversation["id"] != incidents || first["id"] != "28:"+appID || team["name"] != "Operations" || data["settings"] == nil {
		t.Errorf("the bot was added by %v", a)
	}
	if out := must[teams.Outcome](t)(w.Install(alice, opsTeam)); out.Unsent == "" {
		t.Errorf("installed twice: %+v", out)
	}
	w.post(incidents, text("hello"))
	must[teams.Outcome](t)(w.Upgrade(alice, opsTeam))
	w.heard("installationUpdate add-upgrade")
	must[teams.Outcome](t)(w.Uninstall(alice, opsTeam))
	w.heard("installationUpdate remove", "conversationUpdate teamMemberRemoved")

	must[teams.Outcome](t)(w.Install(alice, warRoom))
	w.heard("installationUpdate add", "conversationUpdate")
	must[teams.Outcome](t)(w.Install(bob, ""))
	w.heard("installationUpdate add", "conversationUpdate")
	if c, _ := w.last()["conversation"].(m); c["conversationType"] != "personal" || c["id"] != w.PersonalID(bob) {
		t.Errorf("installed for Bob in %v", c)
	}
	must[teams.Outcome](t)(w.Uninstall(bob, ""))
	w.heard("installationUpdate remove")
	if _, err := w.Uninstall(bob, ""); err == nil {
		t.Error("removed twice")
	}
	if _, err := w.DM(bob, "hello"); err == nil {
		t.Error("Bob still has the bot")
	}
	r := w.call(http.MethodPost, "/v3/conversations", m{"members": []any{m{"id": w.TeamsID(bob)}}, "tenantId": tenant})
	w.refused(r, 403, "ForbiddenOperationException")
}

func TestPeopleComeAndGo(t *testing.T) {
	w := tenantWith(t)
	must[teams.Outcome](t)(w.AddMember(outsider, opsTeam, alice))
	w.heard("conversationUpdate teamMemberAdded")
	added, _ := w.last()["membersAdded"].([]any)
	if first, _ := added[0].(m); first["id"] != w.TeamsID(outsider) || first["aadObjectId"] != outsider {
		t.Errorf("added %v", first)
	}
	must[teams.Outcome](t)(w.Mention(outsider, incidents, "hello"))
	must[teams.Outcome](t)(w.RemoveMember(outsider, opsTeam, ""))
	w.heard("conversationUpdate teamMemberRemoved")
	if _, err := w.Mention(outsider, incidents, "hello"); err == nil {
		t.Error("Olaf still writes")
	}
	for _, wrong := range []func() (teams.Outcome, error){
		func() (teams.Outcome, error) { return w.AddMember(alice, opsTeam, "") },
		func() (teams.Outcome, error) { return w.RemoveMember(outsider, opsTeam, "") },
		func() (teams.Outcome, error) { return w.AddMember("nobody", opsTeam, "") },
		func() (teams.Outcome, error) { return w.AddMember(outsider, "nowhere", "") },
	} {
		if out, err := wrong(); err == nil {
			t.Errorf("it was done: %+v", out)
		}
	}
	if out := must[teams.Outcome](t)(w.AddMember(outsider, warRoom, "")); out.Unsent == "" {
		t.Errorf("the bot heard of a chat that it is not in: %+v", out)
	}
}

func TestChannelsAndTeamsChange(t *testing.T) {
	w := tenantWith(t)
	made := must[teams.Outcome](t)(w.CreateChannel(opsTeam, "Quiet"))
	w.heard("conversationUpdate channelCreated")
	id := w.post(made.Conversation, text("hello"))
	must[teams.Outcome](t)(w.RenameChannel(made.Conversation, "Loud"))
	w.heard("conversationUpdate channelRenamed")
	data, _ := w.last()["channelData"].(m)
	conversation, _ := w.last()["conversation"].(m)
	if channel, _ := data["channel"].(m); channel["name"] != "Loud" || channel["id"] != made.Conversation || conversation["id"] != opsTeam {
		t.Errorf("renamed: %v in %v", data, conversation)
	}
	must[teams.Outcome](t)(w.DeleteChannel(made.Conversation))
	w.heard("conversationUpdate channelDeleted")
	w.refused(w.call(http.MethodPut, activitiesOf(made.Conversation)+"/"+id, text("x")), 404, "ConversationNotFound")
	must[teams.Outcome](t)(w.RestoreChannel(made.Conversation))
	w.heard("conversationUpdate channelRestored")
	w.post(made.Conversation, text("back"))
	if _, err := w.DeleteChannel(opsTeam); err == nil {
		t.Error("General was deleted")
	}
	must[teams.Outcome](t)(w.RenameTeam(opsTeam, "Ops"))
	must[teams.Outcome](t)(w.ArchiveTeam(opsTeam))
	must[teams.Outcome](t)(w.UnarchiveTeam(opsTeam))
	must[teams.Outcome](t)(w.DeleteTeam(opsTeam))
	w.heard("conversationUpdate teamRenamed", "conversationUpdate teamArchived", "conversationUpdate teamUnarchived", "conversationUpdate teamDeleted")
	w.refused(w.send(incidents, text("x")), 404, "ConversationNotFound")
	if _, err := w.ArchiveTeam(opsTeam); err == nil {
		t.Error("a team that is gone was archived")
	}
}

func TestAnArchivedTeamIsReadOnlyForPeopleToo(t *testing.T) {
	w := tenantWith(t)
	must[teams.Outcome](t)(w.ArchiveTeam(opsTeam))
	if _, err := w.Mention(alice, incidents, "x"); err == nil {
		t.Error("Alice wrote into an archived team")
	}
}

func TestItRemembersAcrossARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "teams.json")
	keep := func(c *teams.Config) { c.File = file }
	w := tenantWith(t, keep)
	id := w.post(incidents, withCard(card([]any{block("x")}, submit("Edit", m{"msteams": m{"type": "task/fetch"}}))))
	must[teams.Outcome](t)(w.Install(bob, ""))
	must[teams.Outcome](t)(w.Mention(alice, incidents, "status"))
	before, kid := w.Snapshot(), w.deliveries()[0].header.Get("Authorization")
	if err := w.Shutdown(); err != nil {
		t.Fatal(err)
	}
	again := tenantWith(t, keep)
	after := again.Snapshot()
	if len(after.Messages) != len(before.Messages) || after.Messages[0].ID != id || !after.Chats[1].Installed || len(after.Messages[0].Cards()) != 1 {
		t.Errorf("after the restart: %+v", after)
	}
	must[teams.Outcome](t)(again.DM(bob, "hello"))
	header := func(token string) string { h, _, _ := strings.Cut(token, "."); return h }
	if header(kid) != header(again.deliveries()[0].header.Get("Authorization")) {
		t.Error("another key signs after the restart")
	}
	if again.post(incidents, text("y")) <= id {
		t.Error("message IDs go backwards")
	}
}

func TestWhoeverWatchesIsWoken(t *testing.T) {
	w := tenantWith(t)
	changed := w.Changed()
	select {
	case <-changed:
		t.Fatal("woken by nothing")
	default:
	}
	w.post(incidents, text("x"))
	<-changed
	calls, next := w.Journal.Since(0)
	if len(calls) != next || calls[len(calls)-1].Note != "message in Operations > Incidents" || !calls[len(calls)-1].Write {
		t.Errorf("the journal holds %+v", calls)
	}
}

func TestFaultsStandInFrontOfEveryDoor(t *testing.T) {
	w := tenantWith(t)
	w.post(incidents, text("x"))
	w.Faults.Add(sim.Throttled("/v3/**", 1, 7*time.Second))
	if r := w.send(incidents, text("x")); r.status != 429 || r.header.Get("Retry-After") != "7" {
		t.Errorf("%d %v", r.status, r.header)
	}
	w.post(incidents, text("x"))
	w.Faults.Add(sim.Fault{Path: "/" + tenant + "/**", Times: 1, Status: 503, Body: "{}"})
	if status, _ := w.form(tenant, credentials()); status != 503 {
		t.Errorf("the token endpoint answered %d", status)
	}
}

// twin posts to a control path.
func (w *world) twin(name string, body any) (int, m) {
	w.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		w.Fatal(err)
	}
	resp, err := http.Post(w.base+"/_sim/"+name, "application/json", bytes.NewReader(b))
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	answer := m{}
	if err := json.Unmarshal(text, &answer); err != nil {
		w.Fatalf("%s answered %s", name, text)
	}
	return resp.StatusCode, answer
}

func TestAnotherProcessCanDoWhatPeopleDo(t *testing.T) {
	w := tenantWith(t)
	step := func(name string, body any) m {
		t.Helper()
		status, answer := w.twin(name, body)
		if status != http.StatusOK {
			t.Fatalf("%s: %d %v", name, status, answer)
		}
		return answer
	}
	step("install", m{"user": alice})
	step("say", m{"user": alice, "text": "help"})
	step("say", m{"user": alice, "conversation": incidents, "text": "status", "mention": true})
	step("rename-channel", m{"where": incidents, "name": "Alarms"})
	step("refuse", m{"code": "ServiceError", "times": 1})
	w.refused(w.send(incidents, text("x")), 500, "ServiceError")
	step("allow", m{})
	id := w.post(incidents, withCard(card([]any{block("x")}, execute("Go", "go", nil))))
	w.answers(actionAnswer(200, "application/vnd.microsoft.activity.message", "Done."))
	if out := step("click", m{"user": bob, "conversation": incidents, "activity": id, "action": "Go"}); out["toast"] != "Done." {
		t.Errorf("the click came to %v", out)
	}
	step("react", m{"user": bob, "conversation": incidents, "activity": id, "type": "like"})
	step("activity", m{"user": bob, "conversation": incidents, "raw": m{"type": "futureThing", "text": nil}})
	if got := w.last()["type"]; got != "futureThing" {
		t.Errorf("an unknown activity arrived as %v", got)
	}
	step("raw", m{"body": "no JSON"})
	step("resend", m{})
	step("rotate-keys", m{})
	step("outage", m{"down": true})
	step("faults", m{"path": "/v3/**", "times": 1, "status": 502})
	if r := w.send(incidents, text("x")); r.status != 502 {
		t.Errorf("the fault was not set: %d", r.status)
	}
	if got := step("personal", m{"user": alice})["conversation"]; got != w.PersonalID(alice) {
		t.Errorf("personal: %v", got)
	}
	if status, answer := w.twin("say", m{"user": "nobody", "conversation": incidents, "text": "x"}); status != http.StatusUnprocessableEntity || answer["error"] == "" {
		t.Errorf("a refusal is %d %v", status, answer)
	}
	var state teams.State
	if err := getJSON(w.base+"/_sim/state", &state); err != nil || len(state.Messages) != len(w.Snapshot().Messages) || state.App.BotName != "Keyturn" {
		t.Errorf("state: %v, %+v", err, state.App)
	}
	b, _ := json.Marshal(state)
	if strings.Contains(string(b), secret) {
		t.Error("the state holds the bot's secret")
	}
	var journal m
	if err := getJSON(w.base+"/_sim/journal?since=0", &journal); err != nil || journal["next"] == 0.0 {
		t.Errorf("journal: %v %v", err, journal["next"])
	}
	resp, err := http.Post(w.base+"/_sim/say", "application/x-www-form-urlencoded", strings.NewReader("user=x"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("a form was taken: %d", resp.StatusCode)
	}
}

func TestAScenarioWithATypingErrorIsRefused(t *testing.T) {
	good := func() teams.Config {
		return teams.Config{BotSecret: "x", Users: []teams.User{{ID: "a", Name: "A"}}, Teams: []teams.Team{{ID: "t", Name: "T", Channels: []teams.Channel{{ID: "c", Name: "C"}}}}}
	}
	if _, err := teams.New(good()); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*teams.Config){
		"no secret":        func(c *teams.Config) { c.BotSecret = "" },
		"a nameless user":  func(c *teams.Config) { c.Users[0].Name = "" },
		"a user twice":     func(c *teams.Config) { c.Users = append(c.Users, c.Users[0]) },
		"unknown member":   func(c *teams.Config) { c.Teams[0].Members = []string{"b"} },
		"a channel twice":  func(c *teams.Config) { c.Teams[0].Channels = append(c.Teams[0].Channels, c.Teams[0].Channels[0]) },
		"nameless channel": func(c *teams.Config) { c.Teams[0].Channels[0].Name = "" },
		"a personal chat":  func(c *teams.Config) { c.Chats = []teams.Chat{{ID: "p", Personal: true}} },
	} {
		c := good()
		change(&c)
		if _, err := teams.New(c); err == nil {
			t.Errorf("%s was taken", what)
		}
	}
}
