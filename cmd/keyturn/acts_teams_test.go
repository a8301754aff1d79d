package main

import (
	"slices"
	"strings"
	"testing"

	"keyturn/sim/play"
	"keyturn/sim/teams"
)

// chatting has people chat on a platform, or on both.
func chatting(on play.Platform) option { return func(s *setting) { s.On = on } }

// openOn is open with people on Teams too: the app is installed there.
func openOn(t *testing.T, on play.Platform, options ...option) *house {
	t.Helper()
	t.Parallel()
	return openHereOn(t, on, options...)
}

func openHereOn(t *testing.T, on play.Platform, options ...option) *house {
	t.Helper()
	h := openHere(t, append(options, chatting(on))...)
	if h.world.Teams == nil {
		return h
	}
	if err := h.world.Join(); err != nil {
		t.Fatal(err)
	}
	return h
}

// shows waits for a card on any platform.
func (h *house) shows(what string, fits func(play.Card) bool, words ...string) play.Card {
	h.Helper()
	var found play.Card
	err := h.crew.Until(h.Context(), what+": "+strings.Join(words, ", "), func(all []play.Card) bool {
		for _, c := range slices.Backward(all) {
			if fits(c) && containsAll(c.Text, words) {
				found = c
				return true
			}
		}
		return false
	})
	if err != nil {
		h.Fatal(err)
	}
	return found
}

// on is what a person sees alone on a platform.
func on(p play.Platform, who play.Person) func(play.Card) bool {
	return func(c play.Card) bool { return c.Platform == p && c.For(who) }
}

func in(p play.Platform, channel string) func(play.Card) bool {
	return func(c play.Card) bool { return c.Platform == p && c.Where == channel }
}

// pressOnTeams presses a button of a person's card on Teams.
func (h *house) pressOnTeams(who play.Person, label, step string) teams.Outcome {
	h.Helper()
	for tries := 0; ; tries++ {
		c := h.shows("a card with ["+label+"]", func(c play.Card) bool {
			_, ok := c.Has(label, step)
			return ok && on(play.OnTeams, who)(c)
		})
		b, _ := c.Has(label, step)
		nth := 0
		for _, x := range c.Buttons {
			if x.Block == b.Block {
				nth++
			}
			if x == b {
				break
			}
		}
		out, err := h.world.Teams.Click(teams.Click{User: who.Entra, Conversation: c.Channel, Activity: c.TS, Action: b.Block, Nth: nth})
		if err != nil && tries < 50 {
			continue // the card was redrawn between the look and the click
		}
		if err != nil || out.Shown != "" {
			h.Fatalf("%s clicks [%s], and Teams shows %q: %v", who.Name, label, out.Shown, err)
		}
		return out
	}
}

// plays plays a guide to its record, as everybody does it who has no trouble.
func (h *house) plays(guide string) {
	h.Helper()
	if err := h.crew.Begin(h.Context(), guide); err != nil {
		h.Fatal(err)
	}
	err := h.crew.WorkUntilShown(h.Context(), "the record", func(all []play.Card) bool {
		return slices.ContainsFunc(all, func(c play.Card) bool { return strings.Contains(c.Text, "✅ finished") && c.Where == "it-ops" })
	})
	if err != nil {
		h.Fatal(err)
	}
	h.idle()
}
