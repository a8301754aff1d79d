package main

import (
	"slices"
	"strings"
	"testing"

	"keyturn/bot/engine"
	"keyturn/bot/setup"
	"keyturn/sim/play"
	"keyturn/sim/slack"
	"keyturn/sim/teams"
)

// Who may not, who no longer can, and who would do it alone.

const membersOnly = "I only answer members of this organisation. Nothing was done."

// Neither a guest of the workspace nor somebody of another one gets anything
// by clicking, also not with a button that they should never have seen.
func TestAGuestWhoClicksAnApprovalRunsNothing(t *testing.T) {
	for _, tt := range []struct {
		name string
		who  play.Person
		with option
	}{
		{"a guest of the workspace", visits, func(s *setting) {
			s.Also = append(s.Also, slack.User{ID: visits.Slack, Name: "gabi", RealName: visits.Name, Guest: true})
		}},
		{"somebody in a shared channel", stranger, withStranger},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t, tt.with)
			h.asks()
			if tt.who.Name == visits.Name {
				h.types(tt.who, "/keyturn help") // Slack is asked who that is
				h.idle()
			}
			_, b := h.button(play.Erin, "Approve and run", "reader-app")
			h.fromNow()
			before := len(h.audit())
			for _, label := range []string{"Status", "Nudge", "Cancel", "My steps"} {
				h.clicks(tt.who, label, "")
				h.expectPrivate(tt.who, membersOnly)
			}
			for _, action := range []string{"step-approve", "step-sign-in", "step-reveal", "step-reject", "run-cancel", "run-really-cancel"} {
				h.forges(tt.who, action, b.Value)
				h.expectPrivate(tt.who, membersOnly)
			}
			h.expectNoWrites()
			if after := len(h.audit()); after != before {
				t.Errorf("the trail has %d entries more", after-before)
			}
			h.clicks(play.Erin, "Approve and run", "reader-app") // the run waited unharmed
			h.expectCard(play.Erin, "Approved by Erin Vogel", "Read back")
		})
	}
}

func TestAGuestOfTheTeamWhoClicksRunsNothing(t *testing.T) {
	guests := []teams.User{
		{ID: "99999999-0000-4000-8000-000000000011", Name: "Gwen Guest", UPN: "gwen_fabrikam.example#EXT#@contoso.example", Guest: true},
		{ID: "99999999-0000-4000-8000-000000000012", Name: "Theo Elsewhere", UPN: "theo@fabrikam.example", Tenant: "8d4e0f52-1d0b-4a63-9f0e-5a2f1c9b7d11"},
	}
	h := openOn(t, play.OnTeams, func(s *setting) { s.Guest = guests })
	h.crew.Leave("before")
	if err := h.crew.Begin(h.Context(), "direct"); err != nil {
		t.Fatal(err)
	}
	list := h.shows("the checklist", in(play.OnTeams, "it-ops"), "asked for by Rita Okafor")
	h.idle()
	before := len(h.audit())
	clicks := func(g teams.User, label, says string) {
		t.Helper()
		c := teams.Click{User: g.ID, Conversation: list.Channel, Activity: list.TS, Action: label}
		out, err := h.world.Teams.Click(c)
		if err != nil { // an answer stands in the place of the card, for them alone
			c.Action = "Back"
			if _, err := h.world.Teams.Click(c); err != nil {
				t.Fatal(err)
			}
			c.Action = label
			out, err = h.world.Teams.Click(c)
		}
		if err != nil || !strings.Contains(out.Body+out.Shown, says) {
			t.Errorf("%s clicks [%s] and is answered %s %s (%v)", g.Name, label, out.Body, out.Shown, err)
		}
	}
	for _, g := range guests {
		clicks(g, "Status", "so I have done nothing") // nobody in the configuration; Teams is asked who that is
	}
	h.idle()
	for _, g := range guests {
		for _, label := range []string{"Status", "Nudge", "Cancel"} {
			clicks(g, label, "I only answer members of this organisation")
		}
	}
	h.expectNoWrites()
	if after := len(h.audit()); after != before {
		t.Errorf("the trail has %d entries more", after-before)
	}
	h.read(func(v engine.View) error {
		runs, err := v.Runs("contoso")
		if len(runs) != 1 || runs[0].State != setup.RunOpen {
			t.Errorf("the run is %+v", runs)
		}
		return err
	})
}

// The account that a step runs as is disabled while its calls are made. What
// was approved runs as nobody else; another holder starts over.
func TestAnApproverWhoseAccountIsDisabledInTheMiddle(t *testing.T) {
	h := open(t, withSignIn, hasty(&pauseLog{}))
	h.asksToSignIn()
	h.signsIn(play.Erin, "Sign in", firstSignIn, play.Erin.UPN)
	h.expectApproval(play.Erin, "reader-app")
	if err := h.world.Microsoft.Disable(play.Erin.UPN, true); err != nil {
		t.Fatal(err)
	}
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.until("the step to wait for Erin's sign-in", func(s *slack.State) bool {
		text, buttons := h.section(s, play.Erin, "reader-app")
		return slices.Contains(buttons, "Sign in") && containsAll(text, []string{"The sign-in for this call has expired or is not valid for Microsoft Graph"})
	})
	h.idle()
	h.unharmed()
	h.expectPage(h.signsIn(play.Erin, "Sign in", "reader-app", play.Erin.UPN), "AADSTS50057", "disabled")
	h.expectNoWrites()
	h.until("Emil to see who is waited for", func(s *slack.State) bool {
		text, buttons := h.section(s, play.Emil, "reader-app")
		return slices.Contains(buttons, "Start over as me") && containsAll(text, []string{"Erin Vogel approved the calls, and they run as nobody else", "The sign-in is over"})
	})
	h.clicks(play.Emil, "Start over as me", "reader-app")
	h.until("Emil to be asked to sign in", func(s *slack.State) bool {
		_, buttons := h.section(s, play.Emil, "reader-app")
		return slices.Contains(buttons, "Sign in")
	})
	h.signsIn(play.Emil, "Sign in", "reader-app", play.Emil.UPN)
	h.expectApproval(play.Emil, "reader-app")
	h.clicks(play.Emil, "Approve and run", "reader-app")
	h.expectDone(play.Emil, "Registration for reading service health", "Approved by Emil Sato")
	for _, e := range h.trail() {
		if e.Act == "result" && e.Account == play.Erin.UPN {
			t.Errorf("a call of the disabled account had a result: %+v", e)
		}
	}
}

// Teams does not tell that an account was closed: its chat is no longer there.
func TestSomebodyWhoIsGoneFromTeamsInTheMiddle(t *testing.T) {
	h := openOn(t, play.OnTeams)
	h.crew.Leave("reader-app", "sn-unattended", "sn-mapping", "sn-incidents")
	if err := h.world.Teams.Refuse(teams.Refusal{Conversation: h.world.Teams.PersonalID(play.Erin.Entra), Code: "ConversationNotFound"}); err != nil {
		t.Fatal(err)
	}
	if err := h.crew.Begin(h.Context(), "direct"); err != nil {
		t.Fatal(err)
	}
	err := h.crew.WorkUntilShown(h.Context(), "the checklist to say that Erin is not reached", func(all []play.Card) bool {
		return slices.ContainsFunc(all, func(c play.Card) bool {
			return c.Where == "it-ops" && c.Thread == "" && strings.Contains(c.Text, "I cannot reach Erin Vogel. Keyturn cannot write to this person yet")
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	h.pressOnTeams(play.Emil, "Approve and run", "reader-app")
	h.shows("Emil's card", on(play.OnTeams, play.Emil), "Approved by Emil Sato", "Read back")
}

// Who asks for a run cannot choose themself as the only one who approves what
// makes a credential, nor somebody who does not hold the role.
func TestARequesterCannotNameThemself(t *testing.T) {
	h := open(t, holdsToo(play.Rita, "entra-admin"))
	h.types(play.Rita, "/keyturn setup direct")
	h.expectForm(play.Rita, "Only people who hold the role can be chosen")
	values := map[string]any{"channel": play.Incidents, "instance": "none", "role.entra-admin": []string{play.Rita.Entra}}
	h.submitsInVain(play.Rita, values, "role.entra-admin", "You ask for it, so you cannot approve alone what creates a credential. Choose somebody else besides you.")
	values["role.entra-admin"] = []string{play.Rita.Entra, play.Erin.Entra}
	h.submits(play.Rita, values)
	h.clicks(play.Rita, "Go on", "before")
	h.clicks(play.Rita, "Approve and run", "reader-app")
	h.expectPrivate(play.Rita, "somebody else has to approve it", "I have not run anything")
	h.expectNoWrites()
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCard(play.Erin, "Approved by Erin Vogel", "Read back")
}
