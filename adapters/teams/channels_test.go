package teams

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"keyturn/bot"
)

const inOperations = "19:1f6c2a0b7d3e4c5f8a9b0c1d2e3f4a5b@thread.tacv2"

var told = bot.Place{Platform: bot.Teams, Team: contoso, Channel: inOperations}

// somebodyWrites is a message in the channel, as Teams sends it: without names.
func (w *world) somebodyWrites() {
	w.deliver(w.inChannel(fields{"text": "<at>Keyturn</at> help", "entities": mentionsBot, "conversation": fields{"id": inOperations + ";messageid=1600", "conversationType": "channel", "tenantId": contoso},
		"channelData": fields{"tenant": fields{"id": contoso}, "team": fields{"id": ops}, "channel": fields{"id": inOperations}}}))
}

func says(text string) func(http.ResponseWriter) {
	return func(rw http.ResponseWriter) { fmt.Fprint(rw, text) }
}

// page is a message that names a channel, sent to Erin, and how it reads there.
func (w *world) page(at bot.Place) string {
	w.t.Helper()
	m := bot.Say(bot.T("Channels that you set up\n• "), bot.In(at), bot.T(": incidents"))
	if _, err := w.Post(w.t.Context(), bot.DM(bot.Account{Platform: bot.Teams, Team: contoso, ID: erin}), m); err != nil {
		w.t.Fatal(err)
	}
	return asJSON(w.lastCall().Body)
}

func TestAChannelIsNamedAsItsTeamNamesIt(t *testing.T) {
	w := newWorld(t)
	w.somebodyWrites()
	before := len(w.sent())
	w.then(says(`{"id":"`+ops+`","name":"IT Operations"}`), says(`{"conversations":[{"id":"`+ops+`","name":null},{"id":"`+inOperations+`","name":"Incidents"}]}`))
	if got := w.page(told); !strings.Contains(got, "Incidents (IT Operations)") || strings.Contains(got, inOperations) {
		t.Errorf("got %s", got)
	}
	asked := w.sent()[before:]
	if len(asked) < 3 || !strings.Contains(asked[0].Path, "/v3/teams/") || !strings.HasSuffix(asked[1].Path, "/conversations") || asked[1].Method != http.MethodGet {
		t.Errorf("asked %+v", asked)
	}
	before = len(w.sent())
	if got := w.page(told); !strings.Contains(got, "Incidents (IT Operations)") || len(w.sent()) != before+1 {
		t.Errorf("it asks again: %+v", w.sent()[before:])
	}
	w.somebodyWrites() // what says nothing of names costs none
	if got := w.page(told); !strings.Contains(got, "Incidents (IT Operations)") {
		t.Errorf("got %s", got)
	}
}

func TestAChannelThatIsRenamedIsCalledSo(t *testing.T) {
	w := newWorld(t)
	w.somebodyWrites()
	w.deliver(w.inChannel(fields{"type": "conversationUpdate", "conversation": fields{"id": ops, "conversationType": "channel", "tenantId": contoso},
		"channelData": fields{"eventType": "channelRenamed", "tenant": fields{"id": contoso}, "team": fields{"id": ops, "name": "IT Operations"}, "channel": fields{"id": inOperations, "name": "Microsoft 365"}}}))
	before := len(w.sent())
	if got := w.page(told); !strings.Contains(got, "Microsoft 365 (IT Operations)") || len(w.sent()) > before+2 {
		t.Errorf("got %s after %+v", got, w.sent()[before:])
	}
}

// General has the team's own ID, and no name in what Microsoft answers.
func TestTheChannelThatHasNoNameIsGeneral(t *testing.T) {
	w := newWorld(t)
	w.deliver(w.inChannel(fields{"text": "<at>Keyturn</at> help", "entities": mentionsBot}))
	w.then(says(`{"id":"`+ops+`","name":"IT Operations"}`), says(`{"conversations":[{"id":"`+ops+`","name":null}]}`))
	if got := w.page(bot.Place{Platform: bot.Teams, Team: contoso, Channel: ops}); !strings.Contains(got, "General (IT Operations)") {
		t.Errorf("got %s", got)
	}
}

func TestAMessageIsSentWhereTeamsNamesNoChannel(t *testing.T) {
	w := newWorld(t)
	if got := w.page(told); !strings.Contains(got, "a channel of Teams") { // never heard of
		t.Errorf("got %s", got)
	}
	w.somebodyWrites()
	w.next(http.StatusForbidden, "BotNotInConversationRoster")
	if got := w.page(told); !strings.Contains(got, "a channel of Teams") || strings.Contains(got, inOperations) {
		t.Errorf("got %s", got)
	}
	before := len(w.sent())
	if w.page(told); len(w.sent()) != before+1 { // not with every message
		t.Errorf("it asks again at once: %+v", w.sent()[before:])
	}
	w.pass(2 * time.Minute)
	w.then(says(`{"name":"IT Operations"}`), says(`{"conversations":[{"id":"`+inOperations+`","name":"Incidents"}]}`))
	if got := w.page(told); !strings.Contains(got, "Incidents (IT Operations)") {
		t.Errorf("got %s", got)
	}
}

// What names a channel of Slack, in a message on Teams, says so.
func TestAChannelOfAnotherPlatformIsNamedByIt(t *testing.T) {
	w := newWorld(t)
	if got := w.page(bot.Place{Platform: bot.Slack, Team: "T0CONTOSO", Channel: "C0OPS"}); !strings.Contains(got, "a channel of Slack, C0OPS") {
		t.Errorf("got %s", got)
	}
}

// After a removal Teams says nothing about the team any more, and that is when
// the owners have to be told which channel it is about.
func TestTheNameOfAChannelIsKnownBeforeTheBotIsRemoved(t *testing.T) {
	w := newWorld(t)
	w.somebodyWrites()
	posted := func(rw http.ResponseWriter) {
		rw.WriteHeader(http.StatusCreated)
		fmt.Fprintf(rw, `{"id":"%s;messageid=1700","activityId":"1700"}`, inOperations)
	}
	w.then(posted, says(`{"name":"IT Operations"}`), says(`{"conversations":[{"id":"`+inOperations+`","name":"Incidents"},{"id":"19:later@thread.tacv2","name":"Later"}]}`))
	if _, err := w.Post(t.Context(), told, bot.Say(bot.T("From now on this channel is told"))); err != nil {
		t.Fatal(err)
	}
	if got := w.Called(told); got != "Incidents (IT Operations)" {
		t.Errorf("it is called %q", got)
	}
	if got := w.Called(bot.Place{Platform: bot.Teams, Team: contoso, Channel: "19:later@thread.tacv2"}); got != "Later (IT Operations)" {
		t.Errorf("one where nobody spoke yet is called %q", got)
	}
	if got := w.Called(bot.Place{Platform: bot.Teams, Team: contoso, Channel: "19:never@thread.tacv2"}); got != "" {
		t.Errorf("one that nobody named is called %q", got)
	}
}
