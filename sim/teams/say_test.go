package teams_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"keyturn/sim/teams"
)

func TestAChannelMessageReachesTheBotOnlyWhenItIsNamed(t *testing.T) {
	w := tenantWith(t)
	out := must[teams.Outcome](t)(w.Say(alice, incidents, "is anybody there"))
	if out.Unsent == "" || len(w.deliveries()) != 0 {
		t.Fatalf("the bot heard what was not for it: %+v", out)
	}
	out = must[teams.Outcome](t)(w.Say(alice, incidents, "@Keyturn status for @Bob"))
	if !out.OK() || out.Status != http.StatusOK {
		t.Fatalf("outcome %+v", out)
	}
	a := w.last()
	if got := a["text"]; got != "<at>Keyturn</at> status for <at>Bob</at>\n" {
		t.Errorf("text is %q", got)
	}
	conversation, _ := a["conversation"].(m)
	if conversation["id"] != incidents+";messageid="+out.Activity || conversation["conversationType"] != "channel" || conversation["isGroup"] != true {
		t.Errorf("a new post has the conversation %v", conversation)
	}
	entities, _ := a["entities"].([]any)
	first, _ := entities[0].(m)
	mentioned, _ := first["mentioned"].(m)
	if first["text"] != "<at>Keyturn</at>" || mentioned["id"] != "28:"+appID {
		t.Errorf("the mention is %v", first)
	}
	from, _ := a["from"].(m)
	if from["aadObjectId"] != alice || from["id"] != w.TeamsID(alice) || !strings.HasPrefix(w.TeamsID(alice), "29:1") {
		t.Errorf("from is %v", from)
	}
}

func TestAReplyIsDeliveredInItsThread(t *testing.T) {
	w := tenantWith(t)
	root := must[teams.Outcome](t)(w.Mention(alice, incidents, "status"))
	must[teams.Outcome](t)(w.Mention(bob, root.Conversation, "and me"))
	conversation, _ := w.last()["conversation"].(m)
	if conversation["id"] != root.Conversation {
		t.Errorf("the reply came from %v, want %s", conversation["id"], root.Conversation)
	}
	if got := w.Snapshot().Messages[1].Root; got != root.Activity {
		t.Errorf("the reply hangs on %q", got)
	}
}

func TestAPersonalChatNeedsNoMentionButTheBot(t *testing.T) {
	w := tenantWith(t)
	if _, err := w.DM(alice, "help"); err == nil {
		t.Fatal("Alice wrote to a bot that she does not have")
	}
	must[teams.Outcome](t)(w.Install(alice, ""))
	out := must[teams.Outcome](t)(w.DM(alice, "help"))
	a := w.last()
	conversation, _ := a["conversation"].(m)
	if !out.OK() || a["text"] != "help" || conversation["id"] != w.PersonalID(alice) || conversation["isGroup"] != nil {
		t.Errorf("%+v: %v", out, a)
	}
}

func TestNobodyWritesWhereTheyAreNotAMember(t *testing.T) {
	w := tenantWith(t)
	if _, err := w.Mention(outsider, incidents, "status"); err == nil || !strings.Contains(err.Error(), "not a member") {
		t.Errorf("Olaf wrote into the team: %v", err)
	}
	if out := must[teams.Outcome](t)(w.Mention(alice, warRoom, "status")); !strings.Contains(out.Unsent, "the bot is not in War room") {
		t.Errorf("the bot heard of a chat that it is not in: %+v", out)
	}
}

func TestASlashCommandIsSeenByItsPersonAlone(t *testing.T) {
	w := tenantWith(t)
	out := must[teams.Outcome](t)(w.Slash(alice, incidents, "status"))
	recipient, _ := w.last()["recipient"].(m)
	if recipient["isTargeted"] != true {
		t.Errorf("recipient is %v", recipient)
	}
	if n := len(w.Seen(alice, incidents)); n != 1 {
		t.Errorf("Alice sees %d messages", n)
	}
	if n := len(w.Seen(bob, incidents)); n != 0 {
		t.Errorf("Bob sees %d messages", n)
	}
	w.refused(w.send(out.Conversation, text("hi")), 404, "ConversationNotFound")
}

func TestEveryDeliveryIsSignedForThisBot(t *testing.T) {
	w := tenantWith(t)
	must[teams.Outcome](t)(w.Mention(alice, incidents, "status"))
	d := w.deliveries()[0]
	if d.refused != nil {
		t.Fatalf("a careful bot would refuse it: %v", d.refused)
	}
	if d.header.Get("x-ms-tenant-id") != tenant {
		t.Errorf("the tenant hint is %q", d.header.Get("x-ms-tenant-id"))
	}
	if got := d.activity["serviceUrl"]; got != w.base+"/" || got != w.ServiceURL() {
		t.Errorf("serviceUrl is %v", got)
	}
}

func TestEditsWithdrawalsAndReactionsAreTold(t *testing.T) {
	w := tenantWith(t)
	said := must[teams.Outcome](t)(w.Mention(alice, incidents, "stats"))
	must[teams.Outcome](t)(w.Edit(alice, incidents, said.Activity, "@Keyturn status"))
	a := w.last()
	data, _ := a["channelData"].(m)
	if a["type"] != "messageUpdate" || a["id"] != said.Activity || data["eventType"] != "editMessage" || a["text"] != "<at>Keyturn</at> status\n" {
		t.Errorf("an edit arrived as %v", a)
	}
	if _, err := w.Edit(bob, incidents, said.Activity, "mine"); err == nil {
		t.Error("Bob edited what Alice wrote")
	}
	must[teams.Outcome](t)(w.Withdraw(alice, incidents, said.Activity))
	if a = w.last(); a["type"] != "messageDelete" || a["id"] != said.Activity {
		t.Errorf("a withdrawal arrived as %v", a)
	}
	if seen := w.Seen(bob, incidents); len(seen) != 0 {
		t.Errorf("Bob still sees %v", seen)
	}
	id := w.post(incidents, text("hello"))
	must[teams.Outcome](t)(w.React(bob, incidents, id, "like", true))
	a = w.last()
	if a["type"] != "messageReaction" || a["replyToId"] != id || a["reactionsAdded"] == nil {
		t.Errorf("a reaction arrived as %v", a)
	}
	must[teams.Outcome](t)(w.React(bob, incidents, id, "like", false))
	if a = w.last(); a["reactionsRemoved"] == nil {
		t.Errorf("a reaction taken back arrived as %v", a)
	}
	again := must[teams.Outcome](t)(w.React(bob, incidents, id, "like", false))
	if again.Unsent == "" {
		t.Errorf("nothing changed and the bot heard of it: %+v", again)
	}
}

func TestALostMessageIsTroubleOfNobodysScreen(t *testing.T) {
	w := tenantWith(t)
	w.behave(func(rw http.ResponseWriter, _ delivery) { rw.WriteHeader(http.StatusInternalServerError) })
	out := must[teams.Outcome](t)(w.Mention(alice, incidents, "status"))
	if out.Reason != "http_error" || out.Shown != "" || out.Attempts != 1 {
		t.Errorf("outcome %+v", out)
	}
	if n := len(w.Snapshot().Troubles); n != 1 {
		t.Errorf("%d troubles are noted", n)
	}
}

func TestResendRepeatsTheSameActivity(t *testing.T) {
	w := tenantWith(t)
	must[teams.Outcome](t)(w.Mention(alice, incidents, "status"))
	must[teams.Outcome](t)(w.Resend())
	got := w.deliveries()
	if len(got) != 2 || got[0].body != got[1].body || got[1].refused != nil {
		t.Errorf("%d deliveries; the second refused: %v", len(got), got[len(got)-1].refused)
	}
}

func TestMentionsPreferTheLongerName(t *testing.T) {
	w := tenantWith(t, func(c *teams.Config) {
		c.Users = append(c.Users, teams.User{ID: "ann", Name: "Ann", UPN: "ann@example.com"}, teams.User{ID: "annlee", Name: "Ann Lee", UPN: "lee@example.com"})
	})
	must[teams.Outcome](t)(w.Say(alice, incidents, "@Keyturn ask @Ann Lee, not a@b <or> @nobody"))
	if got := w.last()["text"]; got != "<at>Keyturn</at> ask <at>Ann Lee</at>, not a@b <or> @nobody\n" {
		t.Errorf("text is %q", got)
	}
	attachments, _ := w.last()["attachments"].([]any)
	html, _ := attachments[0].(m)
	content, isText := html["content"].(string)
	if !isText || !strings.Contains(content, "&lt;or&gt;") || !slices.Contains([]any{"text/html"}, html["contentType"]) {
		t.Errorf("the rich text is %v", html)
	}
}
