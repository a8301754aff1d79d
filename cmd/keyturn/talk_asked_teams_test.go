package main

import (
	"slices"
	"strings"
	"testing"

	"keyturn/sim/play"
)

// Who asks in a channel of Teams sees there that they were answered, and the
// channel does not see what.
func TestWhoAsksInAChannelOfTeamsSeesWhereTheAnswerIs(t *testing.T) {
	h := openOn(t, play.OnTeams, withReader)
	h.readable(true)
	const pointer = "I answered you in our chat, where only you see it."
	pointers := func() (n int) {
		for _, m := range h.world.Teams.Snapshot().Messages {
			for _, c := range m.CardsFor(play.Rita.Entra) {
				if m.Bot && strings.Contains(every(c), pointer) {
					n++
				}
			}
			if m.Bot && strings.Contains(m.Text, pointer) {
				n++
			}
		}
		return n
	}
	fresh := h.news()
	if err := h.crew.Type(h.Context(), play.Rita, "it-ops", "roles"); err != nil {
		t.Fatal(err)
	}
	h.shows("the answer in the chat", func(c play.Card) bool { return on(play.OnTeams, play.Rita)(c) && fresh(c) }, "Roles for Contoso")
	word := h.shows("the word in the channel", func(c play.Card) bool { return in(play.OnTeams, "it-ops")(c) && fresh(c) }, pointer)
	if word.Thread == "" {
		t.Error("the word is no reply to what was asked")
	}
	h.idle()
	if n := pointers(); n != 1 {
		t.Errorf("the word stands %d times", n)
	}
	err := h.crew.Until(h.Context(), "nothing of the answer in the channel", func(all []play.Card) bool {
		return !slices.ContainsFunc(all, func(c play.Card) bool { return c.Where == "it-ops" && strings.Contains(c.Text, "Roles for Contoso") })
	})
	if err != nil {
		t.Fatal(err)
	}
	if v := h.world.Teams.Snapshot().Violations; len(v) > 0 {
		t.Errorf("what a good bot does not do: %+v", v)
	}
}

// Where the tenant has private messages in channels switched on, the answer is
// where it was asked for, for its asker alone.
func TestWithTargetedMessagesTheAnswerIsWhereItWasAsked(t *testing.T) {
	h := openOn(t, play.OnTeams, withReader, reword("  app_id: ", "  targeted: true\n  app_id: "))
	h.readable(true)
	if err := h.crew.Type(h.Context(), play.Rita, "it-ops", "roles"); err != nil {
		t.Fatal(err)
	}
	answer := h.shows("the answer in the channel", in(play.OnTeams, "it-ops"), "Roles for Contoso")
	h.idle()
	for _, m := range h.world.Teams.Snapshot().Messages {
		if m.ID == answer.TS && !strings.EqualFold(m.To, play.Rita.Entra) {
			t.Errorf("the answer is for %q", m.To)
		}
		if m.Bot && strings.Contains(m.Text, "I answered you in our chat") {
			t.Error("the channel is told of an answer elsewhere")
		}
	}
}
