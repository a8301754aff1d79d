package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/sim/play"
)

// atNight is what people type who want to know one thing, and what the answer
// has to say: ID stands for the open incident of Exchange Online.
var atNight = []struct{ said, want string }{
	{"is outlook down?", "ID"}, {"outlook down??", "ID"}, {"outlok down", "ID"}, {"is exchnage ok", "ID"}, {"down outlook?", "ID"}, {"OWA", "ID"}, {"is owa up", "ID"}, {"EXO?", "ID"},
	{"mail not working", "ID"}, {"anyone else having problems with email", "ID"}, {"health owa", "ID"}, {"incidents exo", "ID"}, {"status outlook", "ID"}, {"show me open incidents for exchange", "ID"},
	{"hallo, ist outlook kaputt?", "ID"}, {"outlook geht nicht", "ID"}, {"est-ce que outlook marche?", "ID"}, {"hey, what's broken?", "ID"}, {"what happened last night", "ID"}, {"anything down?", "ID"},
	{"exchange and sharepoint down?", "ID"}, {"is it us or microsoft", "ID"}, {"ID?", "History"}, {"what about ID", "History"}, {"is ID resolved", "History"}, {"status ID", "History"},
	{"SPO broken", "nothing open for SharePoint Online"}, {"odb down", "nothing open for Microsoft OneDrive"}, {"MFA not working", "nothing open for Microsoft Entra"}, {"teasm down?", "nothing open for Microsoft Teams"},
	{"is defender down", "nothing open for Microsoft Defender"}, {"teams calls drop after 30 seconds", "published nothing yet that fits"}, {"aadsts50076 what is this", "published nothing yet that fits"}, {"53003", "published nothing yet that fits"},
	{"health zoom", "I know no service “zoom” here, so I cannot say how it is"}, {"zoom is down", "I do not understand “zoom is down”"}, {"shut up", "Did you mean mute or unsubscribe? Nothing is done before you choose"},
	{"Hallo", "What can I do for you?"}, {"guten Morgen!", "What can I do for you?"}, {"bonjour", "What can I do for you?"}, {"hi there", "What can I do for you?"}, {"you up?", "What can I do for you?"}, {"??", "What can I do for you?"},
	{"help!", "What may explain or mend"}, {"pls help", "What may explain or mend"}, {"what can you do?", "What may explain or mend"}, {"help subscribe", "Tell this channel about incidents"},
	{"status?", "Nothing is being set up now"}, {"who are you waiting for?", "Nothing is being set up now"}, {"my turn?", "Nothing waits for you"}, {"setup?", "What do you want to set up"}, {"set up servicenow", "There is no guide “servicenow”"},
	{"who can approve?", "Roles for Contoso"}, {"subscrbe", "Did you mean subscribe?"}, {"helth", "Did you mean health?"}, {"stop", "Did you mean cancel or unsubscribe?"}, {"subscribe me", "in the channel that should be told"},
}

// People in trouble do not type commands. Whatever they type is answered with
// what it asks for, on each platform alike, and nothing is changed by it.
func TestWhatPeopleTypeAtNightIsUnderstood(t *testing.T) {
	onEach(t, func(t *testing.T, p play.Platform) {
		h := openOn(t, p, withReader)
		h.readable(true)
		id := h.publishesState(slices.IndexFunc(incident.SampleStories(), func(story []json.RawMessage) bool { return strings.Contains(string(story[0]), `"EX`) }), 0)
		h.becomes("the incident to be known", func() (known bool) {
			h.read(func(v engine.View) error { _, err := v.Incident("contoso", id); known = err == nil; return nil })
			return known
		})
		trail := len(h.audit())
		for _, c := range atNight {
			said := strings.ReplaceAll(c.said, "ID", id)
			want := strings.ReplaceAll(c.want, "ID", id)
			if want == "History" {
				want = "Post the timeline"
			}
			h.typesOn(p, play.Rita, "", said, want)
		}
		h.idle()
		if now := len(h.audit()); now != trail {
			t.Errorf("asking changed something: %+v", h.audit()[trail:])
		}
	})
}

// The same words behind the command, in a channel, are no less understood. Only
// who asks sees the answer.
func TestAQuestionBehindTheCommandIsAnsweredToo(t *testing.T) {
	h := openOn(t, play.OnSlack, withReader)
	h.readable(true)
	h.types(play.Rita, "/keyturn is sharepoint down?")
	h.expectPrivate(play.Rita, "Microsoft has nothing open for SharePoint Online", "To tell a local fault apart:", "[It does not work for me]")
	h.mentions(play.Rita, play.Ops, "", "hey, is teams down?")
	h.expectPrivate(play.Rita, "Microsoft has nothing open for Microsoft Teams")
	h.types(play.Rita, "/keyturn subscribe zoom")
	h.expectPrivate(play.Rita, "I have changed nothing", `I do not know a service "zoom" here`)
	h.types(play.Rita, "/keyturn subscribe owa, spo; incidents only")
	h.expectChannel(play.Ops, "incidents of Exchange Online, SharePoint Online at once")
}
