package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"keyturn/bot/engine"
	"keyturn/bot/setup"
	"keyturn/sim/play"
	"keyturn/sim/teams"
)

// Forms and hand-overs in Teams, where a form is a dialog or a card.

// asksOnTeams brings a run of direct to where Erin and Emil are asked.
func (h *house) asksOnTeams() {
	h.Helper()
	h.crew.Leave("reader-app", "reader-consent", "sn-unattended", "sn-mapping", "sn-incidents")
	if err := h.crew.Begin(h.Context(), "direct"); err != nil {
		h.Fatal(err)
	}
	err := h.crew.WorkUntilShown(h.Context(), "the card of Erin", func(all []play.Card) bool {
		return slices.ContainsFunc(all, func(c play.Card) bool {
			_, ok := c.Has("Approve and run", "reader-app")
			return ok && c.Peer == play.Erin.Name
		})
	})
	if err != nil {
		h.Fatal(err)
	}
	h.idle()
}

// dialog waits for the dialog in front of a person on Teams that shows words.
func (h *house) dialog(who play.Person, words ...string) (found teams.Dialog) {
	h.Helper()
	h.becomes("a dialog of "+who.Name+" with "+strings.Join(words, ", "), func() bool {
		for _, d := range h.world.Teams.Snapshot().Dialogs {
			if d.User == who.Entra && containsAll(every(d.Card), words) {
				found = d
				return true
			}
		}
		return false
	})
	return found
}

// sends fills in the dialog in front of a person and sends it.
func (h *house) sends(who play.Person, inputs map[string]any) teams.Outcome {
	h.Helper()
	out, err := h.world.Teams.Submit(who.Entra, h.dialog(who).ID, inputs)
	if err != nil || out.Shown != "" {
		h.Fatalf("%s sends a form, and Teams shows %q: %v", who.Name, out.Shown, err)
	}
	return out
}

// holds is what the inputs of a dialog hold, by their IDs.
func holds(d teams.Dialog) map[string]string {
	out := map[string]string{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			if kind, _ := v["type"].(string); strings.HasPrefix(kind, "Input.") {
				id, _ := v["id"].(string)
				out[id], _ = v["value"].(string)
			}
			for _, x := range v {
				walk(x)
			}
		}
	}
	var card any
	if json.Unmarshal(d.Card, &card) == nil {
		walk(card)
	}
	return out
}

func TestOnTeamsAStepIsTakenAndHandedOver(t *testing.T) {
	h := openOn(t, play.OnTeams)
	h.asksOnTeams()
	early := h.shows("Emil's card", on(play.OnTeams, play.Emil), "Registration for reading service health", "[Approve and run]")
	h.pressOnTeams(play.Erin, "I take it", "reader-app")
	taken := h.shows("Emil's card without the step", on(play.OnTeams, play.Emil), "Erin Vogel has taken this step")
	if _, ok := taken.Has("Approve and run", "reader-app"); ok || taken.TS != early.TS {
		t.Errorf("the card of Emil is not withdrawn in place:\n%s", taken.Text)
	}

	h.pressOnTeams(play.Erin, "Not me", "reader-app")
	h.dialog(play.Erin, "Who does it instead", "Only people who hold Entra admin can be chosen.", play.Emil.Name)
	if out := h.sends(play.Erin, nil); out.Errors["in:to"] == "" {
		t.Errorf("a hand-over to nobody is sent: %+v", out)
	}
	h.sends(play.Erin, map[string]any{"in:to": play.Emil.Entra})
	h.shows("the checklist", in(play.OnTeams, "it-ops"), "waiting for Emil Sato")
	h.shows("Erin's card", on(play.OnTeams, play.Erin), "Emil Sato has taken this step")
	h.shows("the word in the thread", in(play.OnTeams, "it-ops"), "Erin Vogel handed", "Registration for reading service health", "over to Emil Sato")
	if len(h.world.Teams.Snapshot().Dialogs) > 0 {
		t.Error("the dialog is still open")
	}
	h.pressOnTeams(play.Emil, "Approve and run", "reader-app")
	h.shows("Emil's card", on(play.OnTeams, play.Emil), "Approved by Emil Sato", "Read back")

	// Nobody else holds Priya's role: the owners are told, and no dialog opens.
	h.pressOnTeams(play.Priya, "Not me", "reader-consent")
	h.dialogSays(play.Priya, "Nobody else holds Privileged Role Administrator. I have told the owners")
	h.shows("the word to Omar", on(play.OnTeams, play.Omar), "Priya Nair says that", "Consent to reading service health")
}

// dialogSays waits for words to a person that came instead of a form: in the
// dialog that opened for it, or as an answer.
func (h *house) dialogSays(who play.Person, words string) {
	h.Helper()
	h.becomes("the words to "+who.Name+": "+words, func() bool {
		s := h.world.Teams.Snapshot()
		for _, d := range s.Dialogs {
			if d.User == who.Entra && strings.Contains(every(d.Card), words) {
				return true
			}
		}
		for _, n := range s.Notices {
			if n.User == who.Entra && strings.Contains(n.Text, words) {
				return true
			}
		}
		return false
	})
}

// What somebody typed into a form that comes back with a mistake is still
// there, and only the mistake has to be mended.
func TestOnTeamsAFormThatComesBackKeepsWhatWasTyped(t *testing.T) {
	h := openOn(t, play.OnTeams, withReader)
	h.readable(true)
	h.typesOn(play.OnTeams, play.Mona, "", "menu", "[Tell a channel]")
	h.pressOnTeams(play.Mona, "Tell a channel", "")
	h.dialog(play.Mona, "Everything has a default")
	link := "https://teams.microsoft.com/l/channel/" + strings.ReplaceAll(play.TeamsIncidents, "@", "%40") + "/m365-incidents?tenantId=" + play.Directory
	h.sends(play.Mona, map[string]any{"cl:channel": link, "in:digest": "07:15", "in:zone": "Mars/Olympus", "in:features": "Mail flow, Calendar",
		"ms:classes": "incident", "tk:quiet_incidents": "yes", "in:quiet_from": "22:00", "in:quiet_to": "06:00"})
	d := h.dialog(play.Mona, "Mars/Olympus")
	got := holds(d)
	for id, want := range map[string]string{"in:zone": "Mars/Olympus", "in:digest": "07:15", "in:features": "Mail flow, Calendar", "ms:classes": "incident", "tk:quiet_incidents": "yes", "in:quiet_from": "22:00", "in:quiet_to": "06:00"} {
		if got[id] != want {
			t.Errorf("%s comes back as %q, typed was %q", id, got[id], want)
		}
	}
	if !strings.Contains(every(d.Card), "Europe/Berlin") {
		t.Errorf("the mistake is not explained:\n%s", every(d.Card))
	}
	h.sends(play.Mona, map[string]any{"in:zone": "Europe/Berlin"})
	h.shows("the word in the channel", in(play.OnTeams, "m365-incidents"), "Mona Lindqvist set this up", "Quiet from 22:00 to 06:00 (Europe/Berlin)")
	h.read(func(v engine.View) error {
		subs, err := v.Subscriptions("contoso")
		if len(subs) != 1 || strings.Join(subs[0].Features, ", ") != "Mail flow, Calendar" || subs[0].DigestAt != "07:15" || !subs[0].Quiet.Incidents || !slices.Equal(subs[0].Classes, []string{"incident"}) {
			t.Errorf("the channel is told %+v", subs)
		}
		return err
	})
}

// [Reject] wants a reason; one of blanks comes back, and a real one reaches the
// requester.
func TestOnTeamsARejectionReachesTheRequesterWithItsReason(t *testing.T) {
	h := openOn(t, play.OnTeams)
	h.asksOnTeams()
	h.pressOnTeams(play.Erin, "Reject", "reader-app")
	h.dialog(play.Erin, "Registration for reading service health", "The requester reads it.")
	h.sends(play.Erin, map[string]any{"in:why": "   "})
	h.dialog(play.Erin, "Say why")
	h.sends(play.Erin, map[string]any{"in:why": "We freeze changes until Monday."})
	h.shows("the word to Rita", on(play.OnTeams, play.Rita), "Erin Vogel rejected", "We freeze changes until Monday.", "Nothing was called")
	h.shows("the thread", in(play.OnTeams, "it-ops"), "⛔", "Rejected by Erin Vogel: We freeze changes until Monday.")
}

// [Back] under an answer leads to the card as it is by then, with its buttons.
func TestOnTeamsBackLeadsToTheCardAsItIsNow(t *testing.T) {
	h := openOn(t, play.OnTeams)
	h.asksOnTeams()
	card := h.shows("Erin's card", on(play.OnTeams, play.Erin), "[Approve and run]")
	view := func() (says string) {
		for _, m := range h.world.Teams.Snapshot().Messages {
			if m.ID == card.TS {
				for _, c := range m.CardsFor(play.Erin.Entra) {
					says += every(c)
				}
			}
		}
		return says
	}
	h.pressOnTeams(play.Erin, "Show exact calls", "reader-app")
	h.becomes("the exact calls in place of the card", func() bool {
		return strings.Contains(view(), "Exact calls") && !strings.Contains(view(), "Approve and run")
	})
	if _, err := h.world.Teams.Click(teams.Click{User: play.Erin.Entra, Conversation: card.Channel, Activity: card.TS, Action: "Back"}); err != nil {
		t.Fatal(err)
	}
	h.becomes("the card again", func() bool {
		return strings.Contains(view(), "Approve and run") && !strings.Contains(view(), "Exact calls")
	})

	h.pressOnTeams(play.Erin, "Show exact calls", "reader-app")
	h.becomes("the exact calls once more", func() bool { return strings.Contains(view(), "Exact calls") })
	h.pressOnTeams(play.Emil, "I take it", "reader-app")
	h.becomes("the step to be Emil's", func() (taken bool) {
		h.read(func(v engine.View) error {
			runs, err := v.Runs("contoso")
			for _, r := range runs {
				taken = taken || string(r.Step(setup.StepReaderApp).Holder) == play.Emil.Entra
			}
			return err
		})
		return taken
	})
	h.idle()
	_, err := h.world.Teams.Click(teams.Click{User: play.Erin.Entra, Conversation: card.Channel, Activity: card.TS, Action: "Back"})
	if err != nil && !strings.Contains(view(), "Emil Sato has taken this step") { // the edit took the answer away already
		t.Fatal(err)
	}
	h.becomes("the card as it is now", func() bool {
		return strings.Contains(view(), "Emil Sato has taken this step") && !strings.Contains(view(), "Approve and run")
	})
}
