package main

import (
	"testing"

	"keyturn/sim/play"
)

// The bot's own page, where people take back what they chose for themselves.

func TestOnSlacksHomePeopleTakeBackWhatTheyChose(t *testing.T) {
	h := open(t, withReader)
	h.microsoftWrites("SP900001", "SharePoint Online", 3)
	h.readable(true)
	h.expectReading()
	if _, err := h.world.Slack.OpenHome(play.Omar.Slack); err != nil {
		t.Fatal(err)
	}
	h.expectHome(play.Omar, "Your settings", "No incident and no channel is muted for you", "Hours and zones stand in the configuration")
	h.types(play.Omar, "/keyturn mute SP900001")
	h.expectHome(play.Omar, "I do not mention you about SP900001", "Unmute", "/keyturn unmute EX123456")
	h.clicks(play.Omar, "Unmute", "SP900001")
	h.expectHome(play.Omar, "No incident and no channel is muted for you")

	h.typesIn(play.Omar, play.Incidents, "/keyturn subscribe live")
	h.expectChannel(play.Incidents, "Omar Haddad set this up")
	h.typesIn(play.Omar, play.Incidents, "/keyturn mute")
	h.expectHome(play.Omar, "I do not mention you in", "Unmute")
	h.clicks(play.Omar, "Unmute", "")
	h.expectHome(play.Omar, "No incident and no channel is muted for you")
	h.typesIn(play.Omar, play.Incidents, "/keyturn unmute")
	h.expectPrivate(play.Omar, "This place is not muted for you")
}

func TestWhatSomebodyPutOffIsTakenBackOnTheirHome(t *testing.T) {
	h := open(t)
	h.asks()
	h.clicks(play.Erin, "Remind me tomorrow 09:00", "reader-app")
	h.expectPrivate(play.Erin, "I will ask you again")
	h.expectHome(play.Erin, "I leave you alone about", "Registration for reading service health, until", "/keyturn remind")
	h.clicks(play.Erin, "Remind me as usual", "")
	h.expectHome(play.Erin, "I remind you of a step once", "No incident and no channel is muted for you")
	h.idle()
	if home := h.expectHome(play.Erin); containsAll(home.Text, []string{"I leave you alone about"}) {
		t.Errorf("the page still says that she is left alone:\n%s", home.Text)
	}
	h.types(play.Erin, "/keyturn remind")
	h.expectPrivate(play.Erin, "You have put nothing off")
	h.later(33 * hour)
	h.restart()
	h.idle()
	now := h.world.Slack.Snapshot()
	for _, c := range h.cards(&now, play.Erin) {
		if containsAll(c.Text, []string{"You wanted to be reminded"}) {
			t.Errorf("she is asked at a time that she took back:\n%s", c.Text)
		}
	}
}

// On Teams the page is the answer to home, and a click draws it anew where it
// stands.
func TestTheAnswerToHomeOnTeamsIsDrawnAnewByItsButtons(t *testing.T) {
	h := openOn(t, play.OnTeams, withReader)
	h.microsoftWrites("SP900001", "SharePoint Online", 3)
	h.readable(true)
	h.expectReading()
	says := func(text string) {
		t.Helper()
		if err := h.crew.Type(h.Context(), play.Omar, "", text); err != nil {
			t.Fatal(err)
		}
	}
	says("mute SP900001")
	h.shows("the answer", on(play.OnTeams, play.Omar), "I do not mention you about SP900001 any more")
	says("home")
	page := h.shows("the page", on(play.OnTeams, play.Omar), "Your settings", "I do not mention you about SP900001", "[Unmute]", "[Refresh]")
	same := func(c play.Card) bool { return c.Platform == play.OnTeams && c.TS == page.TS }
	h.pressOnTeams(play.Omar, "Unmute", "SP900001")
	h.shows("the page, drawn anew", same, "Your settings", "No incident and no channel is muted for you")
	says("mute SP900001")
	h.idle()
	h.pressOnTeams(play.Omar, "Refresh", "")
	h.shows("the page, refreshed", same, "I do not mention you about SP900001", "[Unmute]")
}
