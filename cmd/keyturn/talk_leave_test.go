package main

import (
	"slices"
	"testing"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/bot/setup"
	"keyturn/sim/play"
)

// What people leave in the middle, and what the bot does when it comes and goes.

// allRuns are the tenant's runs.
func (h *house) allRuns() (out []setup.Run) {
	h.Helper()
	h.read(func(v engine.View) (err error) { out, err = v.Runs("contoso"); return err })
	return out
}

func TestAFormThatIsLeftStartsNothingAndComesAgain(t *testing.T) {
	h := open(t)
	leaves := func(who play.Person) {
		t.Helper()
		if _, err := h.world.Slack.Close(who.Slack, h.form(who).ID, true); err != nil {
			t.Fatal(err)
		}
	}
	h.types(play.Rita, "/keyturn setup direct")
	leaves(play.Rita)
	h.idle()
	if got := h.allRuns(); len(got) != 0 {
		t.Errorf("a form that was left began %d runs", len(got))
	}
	h.asks()
	h.clicks(play.Erin, "Reject", "reader-app")
	leaves(play.Erin)
	h.idle()
	h.expectChecklist("waiting for the Entra team")
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCard(play.Erin, "Approved by Erin Vogel", "Read back")
}

func TestTheBotGreetsAChannelAndCleansUpWhenItIsRemoved(t *testing.T) {
	h := open(t, withReader)
	removed := func(channel string) {
		t.Helper()
		if _, err := h.world.Slack.RemoveBot(channel); err != nil {
			t.Fatal(err)
		}
	}
	removed(play.Incidents)
	if _, err := h.world.Slack.InviteBot(play.Incidents, play.Rita.Slack); err != nil {
		t.Fatal(err)
	}
	h.expectChannel(play.Incidents, "I am Keyturn", "/keyturn subscribe", "/keyturn help")
	h.clicks(play.Rita, "Tell this channel", "")
	h.expectChannel(play.Incidents, "Rita Okafor set this up", "From now on this channel is told")

	h.begins("direct", map[string]any{"instance": "none"})
	h.expectChecklist("0 of")
	removed(play.Incidents)
	h.expectCard(play.Omar, "Service health no longer reaches", "add me again and type /keyturn subscribe there")
	h.becomes("the subscription to stop", func() bool { return h.stopped(play.Incidents) })
	removed(play.Ops)
	h.becomes("the checklist to go on in Rita's direct messages", func() bool {
		all := h.allRuns()
		return len(all) == 1 && all[0].Place.Direct() && all[0].Place.User == play.Rita.Slack
	})
	h.expectCard(play.Rita, "asked for by Rita Okafor", "0 of")
	h.clicks(play.Rita, "Go on", "before")
	h.expectCard(play.Rita, "confirmed by Rita Okafor")
	if tr := h.world.Slack.Snapshot().Troubles; len(tr) > 0 {
		t.Errorf("somebody saw a failure: %+v", tr)
	}
}

func TestTheBotGreetsATeamAndItsRunsSurviveItsRemoval(t *testing.T) {
	h := openOn(t, play.OnTeams)
	h.shows("the greeting", func(c play.Card) bool { return c.Platform == play.OnTeams && c.Channel == play.TeamsTeam }, "I am Keyturn", "[Tell this channel]", "[Set something up]", "[Help]")
	h.crew.Leave("before")
	if err := h.crew.Begin(h.Context(), "direct"); err != nil {
		t.Fatal(err)
	}
	h.shows("the checklist", in(play.OnTeams, "it-ops"), "asked for by Rita Okafor")
	h.idle()
	if _, err := h.world.Teams.Uninstall(play.Omar.Entra, play.TeamsTeam); err != nil {
		t.Fatal(err)
	}
	h.becomes("the checklist to go on in Rita's chat with the bot", func() bool {
		all := h.allRuns()
		return len(all) == 1 && all[0].State == setup.RunOpen && all[0].Place.Platform == bot.Teams && all[0].Place.Direct()
	})
	h.shows("the checklist", on(play.OnTeams, play.Rita), "asked for by Rita Okafor", "0 of")
}

func TestWhoTakesAStepOnTeamsWithdrawsItFromTheOthers(t *testing.T) {
	h := openOn(t, play.OnTeams)
	h.crew.Leave("reader-app", "sn-unattended", "sn-mapping", "sn-incidents")
	if err := h.crew.Begin(h.Context(), "direct"); err != nil {
		t.Fatal(err)
	}
	err := h.crew.WorkUntilShown(h.Context(), "Emil's card", func(all []play.Card) bool {
		return slices.ContainsFunc(all, func(c play.Card) bool {
			_, ok := c.Has("I take it", "reader-app")
			return ok && on(play.OnTeams, play.Emil)(c)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	h.pressOnTeams(play.Erin, "I take it", "reader-app")
	h.shows("Emil's card", on(play.OnTeams, play.Emil), "Erin Vogel has taken this step")
	h.idle()
	h.pressOnTeams(play.Erin, "Approve and run", "reader-app")
	h.shows("Erin's card", on(play.OnTeams, play.Erin), "Approved by Erin Vogel", "Read back")
}
