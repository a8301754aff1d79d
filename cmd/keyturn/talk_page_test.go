package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"keyturn/bot/incident"
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

// page is a person's page on a platform, opened once and never asked for again:
// it has to follow by itself.
type page struct {
	*house
	on  play.Platform
	who play.Person
	ts  string // of the message that it is on Teams
}

func (h *house) opensPage(p play.Platform, who play.Person, words ...string) *page {
	h.Helper()
	out := &page{house: h, on: p, who: who}
	if p == play.OnTeams {
		out.ts = h.typesOn(p, who, "", "home", append(words, "Refresh")...).TS
		return out
	}
	if _, err := h.world.Slack.OpenHome(who.Slack); err != nil {
		h.Fatal(err)
	}
	out.says(words...)
	return out
}

func (p *page) shown() (says string) {
	if p.on == play.OnSlack {
		s := p.world.Slack.Snapshot()
		return play.ViewCard(s.Homes[p.who.Slack]).Text
	}
	_ = p.crew.Until(p.Context(), "the page", func(all []play.Card) bool {
		for _, c := range all {
			if c.Platform == play.OnTeams && c.TS == p.ts && c.Peer == p.who.Name {
				says = c.Text
			}
		}
		return true
	})
	return says
}

func (p *page) says(words ...string) {
	p.Helper()
	p.becomes("the page of "+p.who.Name+" to say "+strings.Join(words, ", "), func() bool { return containsAll(p.shown(), words) })
}

func (p *page) saysNoMore(words string) {
	p.Helper()
	p.becomes("the page of "+p.who.Name+" to say no more "+words, func() bool { return !strings.Contains(p.shown(), words) })
}

// What needs you, the runs that you are in and whom they wait for, what is open
// at your services, your channels, your settings: of use before anything is set
// up, and drawn anew when any of it changes, on both platforms.
func TestThePageFollowsWhateverItShows(t *testing.T) {
	onEach(t, func(t *testing.T, p play.Platform) {
		h := openOn(t, p, withReader)
		h.readable(true)
		sam := h.opensPage(p, play.Sam, "Nothing waits for you.", "🟢 No open incident", "For Contoso you are: ServiceNow admin", "Set something up")
		mona := h.opensPage(p, play.Mona, "Nothing waits for you.", "Tell a channel")
		owner := h.opensPage(p, play.Olga, "For Contoso you are: owner")

		id := h.publishesState(slices.IndexFunc(incident.SampleStories(), func(story []json.RawMessage) bool { return strings.Contains(string(story[0]), `"EX`) }), 0)
		sam.says(id)
		mona.says(id)
		if err := h.crew.Type(h.Context(), play.Mona, "m365-incidents", "subscribe exchange; live"); err != nil {
			t.Fatal(err)
		}
		mona.says("Channels that you set up", "Exchange Online", id, ", of your services")
		if p == play.OnTeams { // which sends IDs of channels, and has to be asked for names
			mona.says("m365-incidents (IT Operations): incidents, advisories")
		}
		h.typesOn(p, play.Mona, "m365-incidents", "subscriptions digest only 07:30", "Done.")
		mona.says("07:30")
		h.typesOn(p, play.Mona, "m365-incidents", "unsubscribe", "Done.")
		mona.saysNoMore("Channels that you set up")

		h.crew.Leave("before", "reader-app", "sn-unattended", "sn-mapping", "sn-incidents", "channels")
		if err := h.crew.Begin(h.Context(), "direct"); err != nil {
			t.Fatal(err)
		}
		sam.says("Runs that you are in", "waiting for Rita Okafor") // nothing is his yet
		h.crew.Touch("before")
		if err := h.crew.WorkUntilShown(h.Context(), "Sam's page to have his step", func([]play.Card) bool { return containsAll(sam.shown(), []string{"waits for you"}) }); err != nil {
			t.Fatal(err)
		}
		h.typesOn(p, play.Rita, "", "cancel", "[Cancel the run]")
		h.pressOn(p, play.Rita, "Cancel the run")
		sam.says("Nothing waits for you.")
		sam.saysNoMore("Runs that you are in")

		h.typesOn(p, play.Omar, "", "roles give m365-admin "+play.Olga.Name, "")
		owner.says("For Contoso you are:", "Microsoft 365 admin", "owner")
		if p == play.OnTeams {
			if v := h.world.Teams.Snapshot().Violations; len(v) > 0 {
				t.Errorf("what a good bot does not do: %+v", v)
			}
		}
	})
}

// pressOn presses a button of a card that a person sees on a platform.
func (h *house) pressOn(p play.Platform, who play.Person, label string) {
	h.Helper()
	if p == play.OnTeams {
		h.pressOnTeams(who, label, "")
		return
	}
	h.clicks(who, label, "")
}
