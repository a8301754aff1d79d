package teams_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/sim/teams"
)

func TestTheBotPostsEditsAndDeletes(t *testing.T) {
	w := tenantWith(t)
	id := w.post(incidents, text("EX1 is down"))
	r := w.call(http.MethodPut, activitiesOf(incidents)+"/"+id, text("EX1 is up"))
	if r.status != http.StatusOK || r.id() != id {
		t.Fatalf("the edit was answered %d %v", r.status, r.body)
	}
	got := w.Snapshot().Messages[0]
	if got.Text != "EX1 is up" || got.Revisions != 1 || !got.Bot {
		t.Errorf("the message is %+v", got)
	}
	if r := w.call(http.MethodDelete, activitiesOf(incidents)+"/"+id, nil); r.status != http.StatusOK {
		t.Errorf("the deletion was answered %d", r.status)
	}
	w.refused(w.call(http.MethodPut, activitiesOf(incidents)+"/"+id, text("x")), 404, "ActivityNotFoundInConversation")
	w.refused(w.call(http.MethodDelete, activitiesOf(incidents)+"/1", nil), 404, "ActivityNotFoundInConversation")
}

func TestTheBotChangesItsOwnMessagesOnly(t *testing.T) {
	w := tenantWith(t)
	said := must[teams.Outcome](t)(w.Mention(alice, incidents, "status"))
	w.refused(w.call(http.MethodDelete, activitiesOf(incidents)+"/"+said.Activity, nil), 403, "NotEnoughPermissions")
}

func TestThreadsAreMadeAndAnswered(t *testing.T) {
	w := tenantWith(t)
	r := w.call(http.MethodPost, "/v3/conversations", m{"isGroup": true, "tenantId": tenant, "channelData": m{"channel": m{"id": incidents}}, "activity": text("root")})
	thread, _ := r.body["id"].(string)
	root, _ := r.body["activityId"].(string)
	if r.status != http.StatusCreated || thread != incidents+";messageid="+root || root == "" {
		t.Fatalf("a new thread was answered %d %v", r.status, r.body)
	}
	w.post(thread, text("by the thread's ID"))
	answered := w.call(http.MethodPost, activitiesOf(incidents)+"/"+root, text("by the activity's ID"))
	second := w.call(http.MethodPost, activitiesOf(incidents)+"/"+answered.id(), text("an answer to an answer"))
	if answered.status != http.StatusCreated || second.status != http.StatusCreated {
		t.Fatalf("replies were answered %v %v", answered, second)
	}
	for _, msg := range w.Snapshot().Messages[1:] {
		if msg.Root != root || msg.Thread() != thread {
			t.Errorf("%q hangs on %q", msg.Text, msg.Root)
		}
	}
	w.refused(w.send(incidents+";messageid=1", text("x")), 404, "ConversationNotFound")
	w.refused(w.call(http.MethodPost, "/v3/conversations", m{"isGroup": true, "channelData": m{"channel": m{"id": incidents}}, "activity": m{"type": "typing"}}), 400, "BadSyntax")
}

func TestAPersonalChatIsOpenedByTheTeamsIDOfSomebodyWhomTheBotMet(t *testing.T) {
	w := tenantWith(t)
	open := func(id, in string) reply {
		return w.call(http.MethodPost, "/v3/conversations", m{"isGroup": false, "bot": m{"id": "28:" + appID}, "members": []any{m{"id": id}}, "tenantId": in})
	}
	w.refused(open("alice@example.com", tenant), 400, "BadSyntax")
	w.refused(open(w.TeamsID(alice), ""), 400, "BadSyntax")
	w.refused(open(w.TeamsID(outsider), tenant), 403, "ForbiddenOperationException")
	w.refused(open("29:1nobody", tenant), 404, "MemberNotFoundInConversation")
	first, second := open(w.TeamsID(bob), tenant), open(w.TeamsID(bob), tenant)
	if first.status != http.StatusCreated || second.status != http.StatusOK || first.id() != second.id() || first.id() != w.PersonalID(bob) {
		t.Fatalf("opened as %v, then as %v", first, second)
	}
	w.post(first.id(), text("hello"))
	told := w.Snapshot().Notifications
	if len(told) != 1 || told[0].User != bob || told[0].Why != "chat" {
		t.Errorf("notified: %+v", told)
	}
}

func TestRostersComeInPagesAndMembersByAnyName(t *testing.T) {
	w := tenantWith(t, func(c *teams.Config) {
		for i := range 120 {
			id := fmt.Sprintf("bbbbbbbb-0000-4000-8000-%012d", i)
			c.Users = append(c.Users, teams.User{ID: id, Name: fmt.Sprint("Person ", i), UPN: fmt.Sprintf("p%d@example.com", i)})
			c.Teams[0].Members = append(c.Teams[0].Members, id)
		}
	})
	base := "/v3/conversations/" + url.PathEscape(opsTeam)
	var seen []string
	token, pages := "", 0
	for {
		r := w.call(http.MethodGet, base+"/pagedmembers?pageSize=1&continuationToken="+url.QueryEscape(token), nil)
		list, _ := r.body["members"].([]any)
		for _, x := range list {
			member, _ := x.(m)
			seen = append(seen, fmt.Sprint(member["objectId"]))
		}
		pages++
		if token, _ = r.body["continuationToken"].(string); token == "" {
			break
		}
	}
	slices.Sort(seen)
	if pages != 3 || len(slices.Compact(seen)) != 123 {
		t.Errorf("%d pages with %d members; a page holds at least 50", pages, len(seen))
	}
	w.refused(w.call(http.MethodGet, base+"/pagedmembers?continuationToken=x", nil), 400, "BadSyntax")
	for _, name := range []string{w.TeamsID(guest), guest, "gwen_other#EXT#@example.com"} {
		r := w.call(http.MethodGet, base+"/members/"+url.PathEscape(name), nil)
		if r.status != http.StatusOK || r.body["aadObjectId"] != guest || r.body["userRole"] != "guest" || r.body["tenantId"] != tenant {
			t.Errorf("%s: %d %v", name, r.status, r.body)
		}
	}
	w.refused(w.call(http.MethodGet, base+"/members/"+outsider, nil), 404, "MemberNotFoundInConversation")
	if r := w.call(http.MethodGet, base+"/members", nil); len(r.list) != 123 || !w.violated("deprecated") {
		t.Errorf("the old call gave %d members", len(r.list))
	}
}

func TestTeamsAndTheirChannels(t *testing.T) {
	w := tenantWith(t)
	r := w.call(http.MethodGet, "/v3/teams/"+url.PathEscape(opsTeam), nil)
	if r.body["name"] != "Operations" || r.body["channelCount"] != 2.0 || r.body["memberCount"] != 3.0 || r.body["aadGroupId"] == "" {
		t.Errorf("team: %v", r.body)
	}
	list, _ := w.call(http.MethodGet, "/v3/teams/"+url.PathEscape(opsTeam)+"/conversations", nil).body["conversations"].([]any)
	general, _ := list[0].(m)
	if len(list) != 2 || general["id"] != opsTeam || general["name"] != nil {
		t.Errorf("channels: %v", list)
	}
	w.refused(w.call(http.MethodGet, "/v3/teams/nowhere", nil), 404, "ConversationNotFound")
	w.refused(w.call(http.MethodGet, "/v3/elsewhere", nil), 404, "NotFound")
}

func TestTypingIsTakenAndLeavesNothing(t *testing.T) {
	w := tenantWith(t)
	if r := w.send(incidents, m{"type": "typing"}); r.status != http.StatusAccepted || len(w.Snapshot().Messages) != 0 {
		t.Errorf("typing was answered %d", r.status)
	}
}

func TestAMessageForOnePersonIsTheirsForADay(t *testing.T) {
	w := tenantWith(t)
	path := activitiesOf(incidents) + "?isTargetedActivity=true"
	w.refused(w.call(http.MethodPost, path, text("psst")), 400, "BadSyntax")
	w.refused(w.call(http.MethodPost, path, m{"type": "message", "text": "psst", "recipient": m{"id": w.TeamsID(outsider)}}), 400, "BadSyntax")
	r := w.call(http.MethodPost, path, m{"type": "message", "text": "psst", "recipient": m{"id": w.TeamsID(alice)}})
	if r.status != http.StatusCreated {
		t.Fatalf("%d %v", r.status, r.body)
	}
	if len(w.Seen(alice, incidents)) != 1 || len(w.Seen(bob, incidents)) != 0 {
		t.Error("the wrong people see it")
	}
	told := w.Snapshot().Notifications
	if len(told) != 1 || told[0].User != alice || told[0].Why != "private" {
		t.Errorf("notified: %+v", told)
	}
	one := activitiesOf(incidents) + "/" + r.id()
	w.refused(w.call(http.MethodPut, one, text("x")), 404, "ActivityNotFoundInConversation")
	w.refused(w.call(http.MethodPut, one+"?isTargetedActivity=true", m{"type": "message", "text": "x", "recipient": m{"id": w.TeamsID(alice)}}), 400, "BadSyntax")
	if r := w.call(http.MethodPut, one+"?isTargetedActivity=true", text("psst, again")); r.status != http.StatusOK {
		t.Errorf("the edit was answered %d %v", r.status, r.body)
	}
	if _, err := w.React(alice, incidents, r.id(), "like", true); err == nil {
		t.Error("Alice reacted to it")
	}
	w.clock.pass(25 * time.Hour)
	w.token = ""
	if len(w.Seen(alice, incidents)) != 0 {
		t.Error("it is still there a day later")
	}
	w.refused(w.call(http.MethodDelete, one+"?isTargetedActivity=true", nil), 404, "ActivityNotFoundInConversation")
}

func TestOneActivityIsOnePart(t *testing.T) {
	w := tenantWith(t)
	both := withCard(card([]any{block("a")}))
	both["text"] = "b"
	r := w.send(incidents, both)
	if r.status != http.StatusAccepted || r.id() != "" || len(w.Snapshot().Messages) != 2 || !w.violated("became 2 messages") {
		t.Errorf("%d %v with %d messages", r.status, r.body, len(w.Snapshot().Messages))
	}
	if got := w.Snapshot().Messages; got[0].Text != "b" || len(got[0].Cards()) != 0 || got[1].Text != "" || len(got[1].Cards()) != 1 {
		t.Errorf("the parts are %+v", got)
	}
	id := w.post(incidents, text("a"))
	w.refused(w.call(http.MethodPut, activitiesOf(incidents)+"/"+id, both), 400, "BadSyntax")
	one := m{"contentType": adaptive, "content": card([]any{block("a")})}
	w.post(incidents, m{"type": "message", "summary": "s", "attachmentLayout": "carousel", "attachments": []any{one, one}})
	w.refused(w.send(incidents, m{"type": "message"}), 400, "BadSyntax")
	w.refused(w.send(incidents, m{"type": "event", "text": "x"}), 400, "BadSyntax")
}

func TestAMessageIsLimitedInUTF16(t *testing.T) {
	w := tenantWith(t)
	frame := len(`{"text":"","type":"message"}`)
	fits := strings.Repeat("x", 50<<10-frame)
	w.post(incidents, text(fits))
	w.refused(w.send(incidents, text(fits+"x")), 413, "MessageSizeTooBig")
	picture := "data:image/png;base64," + strings.Repeat("A", 200<<10)
	w.post(incidents, withCard(card([]any{m{"type": "Image", "url": picture, "altText": "a chart"}})))
	w.refused(w.send(incidents, text(strings.Repeat("x", 2<<20))), 413, "MessageSizeTooBig")
}

func TestRefusalsSayWhatIsWrongWithTheConversation(t *testing.T) {
	w := tenantWith(t)
	w.refused(w.send(warRoom, text("x")), 403, "BotNotInConversationRoster")
	w.refused(w.send("19:nowhere@thread.tacv2", text("x")), 404, "ConversationNotFound")
	must[teams.Outcome](t)(w.Install(bob, ""))
	personal := w.PersonalID(bob)
	w.post(personal, text("x"))
	if err := w.Block(bob, true); err != nil {
		t.Fatal(err)
	}
	w.refused(w.send(personal, text("x")), 403, "ConversationBlockedByUser")
	if err := w.Block(bob, false); err != nil {
		t.Fatal(err)
	}
	must[teams.Outcome](t)(w.Uninstall(bob, ""))
	w.refused(w.send(personal, text("x")), 403, "BotNotInConversationRoster")
	must[teams.Outcome](t)(w.ArchiveTeam(opsTeam))
	w.refused(w.send(incidents, text("x")), 403, "MessageWritesBlocked")
	must[teams.Outcome](t)(w.UnarchiveTeam(opsTeam))
	w.post(incidents, text("x"))
}

func TestScriptedRefusalsEndAfterTheirNumber(t *testing.T) {
	w := tenantWith(t)
	if err := w.Refuse(teams.Refusal{Conversation: incidents, Code: "PreconditionFailed", Times: 2}); err != nil {
		t.Fatal(err)
	}
	w.refused(w.send(incidents, text("x")), 412, "PreconditionFailed")
	r := w.send(incidents, text("x"))
	w.refused(r, 412, "PreconditionFailed")
	if r.header.Get("X-Correlating-OperationId") == "" {
		t.Error("an error comes without the ID that support asks for")
	}
	w.post(opsTeam, text("another channel was never touched"))
	w.post(incidents, text("x"))
	if err := w.Refuse(teams.Refusal{Code: "BotDisabledByAdmin"}); err != nil {
		t.Fatal(err)
	}
	w.refused(w.send(opsTeam, text("x")), 403, "BotDisabledByAdmin")
	w.Allow("")
	w.post(opsTeam, text("x"))
	if err := w.Refuse(teams.Refusal{Code: "Nonsense"}); err == nil {
		t.Error("a refusal that the Connector does not know was taken")
	}
}

func TestRatesHoldForAConversationAndForTheTenant(t *testing.T) {
	w := tenantWith(t, func(c *teams.Config) { c.Limits = true })
	for i := range 7 {
		w.post(incidents, text(fmt.Sprint(i)))
	}
	r := w.send(incidents+";messageid="+w.Snapshot().Messages[0].ID, text("8"))
	w.refused(r, 429, "Throttled")
	if r.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After is %q", r.header.Get("Retry-After"))
	}
	w.post(opsTeam, text("another channel has a rate of its own"))
	w.clock.pass(time.Second)
	w.post(incidents, text("8"))
	w.refused(w.send(incidents, text("9")), 429, "Throttled") // eight in two seconds
	for range 27 {
		w.clock.pass(2 * time.Second)
		for range 3 {
			w.send(incidents, text("x"))
		}
	}
	r = w.send(incidents, text("x"))
	if r.status != 201 {
		t.Errorf("a steady pace of 45 in 30 s was refused: %d", r.status)
	}
	w.clock.pass(time.Minute)
	refused := 0
	for range 12 {
		for _, place := range []string{opsTeam, incidents} {
			path := "/v3/conversations/" + url.PathEscape(place)
			if w.call(http.MethodGet, path+"/members/"+alice, nil).status == 429 {
				refused++
			}
			if w.send(place, text("x")).status == 429 {
				refused++
			}
		}
	}
	if refused != 10 { // five of twelve writes in each of two places
		t.Errorf("%d were refused", refused)
	}
}

func TestTheTenantTakesFiftyASecond(t *testing.T) {
	w := tenantWith(t, func(c *teams.Config) {
		c.Limits = true
		for i := range 9 {
			id := fmt.Sprintf("19:%032d@thread.tacv2", i)
			c.Teams[0].Channels = append(c.Teams[0].Channels, teams.Channel{ID: id, Name: fmt.Sprint("c", i)})
		}
	})
	taken := 0
	for i := range 9 {
		for range 7 {
			if w.send(fmt.Sprintf("19:%032d@thread.tacv2", i), text("x")).status == 201 {
				taken++
			}
		}
	}
	if taken != 50 {
		t.Errorf("%d were taken in a second", taken)
	}
}

func TestAlertsReachEverybodyAndMentionsTheMentioned(t *testing.T) {
	w := tenantWith(t)
	w.post(incidents, m{"type": "message", "text": "<at>Bob</at> look", "entities": []any{
		m{"type": "mention", "text": "<at>Bob</at>", "mentioned": m{"id": w.TeamsID(bob), "name": "Bob"}}}})
	w.post(incidents, m{"type": "message", "text": "all hands", "channelData": m{"notification": m{"alert": true}}})
	c := card([]any{block("Waiting for <at>Alice</at>")})
	c["msteams"] = m{"entities": []any{m{"type": "mention", "text": "<at>Alice</at>", "mentioned": m{"id": "alice@example.com", "name": "Alice"}}}}
	w.post(incidents, withCard(c))
	var got []string
	for _, n := range w.Snapshot().Notifications {
		got = append(got, n.Why+" "+n.User[len(n.User)-1:])
	}
	if want := []string{"mention 2", "alert 1", "alert 2", "alert 3", "mention 1"}; !slices.Equal(got, want) {
		t.Errorf("notified %v, want %v", got, want)
	}
	w.refused(w.send(incidents, m{"type": "message", "text": "Bob look", "entities": []any{
		m{"type": "mention", "text": "<at>Bob</at>", "mentioned": m{"id": w.TeamsID(bob)}}}}), 400, "BadSyntax")
	w.post(incidents, text("<at>Bob</at> nobody"))
	if !w.violated("mention mismatch") {
		t.Error("a tag without an entity went unnoticed")
	}
}
