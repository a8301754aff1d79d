package main

import (
	"strings"
	"testing"

	"keyturn/sim/play"
	"keyturn/sim/slack"
)

// asks begins the direct guide without ServiceNow and has Rita say go on: then
// the Entra admins are asked for the registration.
func (h *house) asks() {
	h.Helper()
	h.begins("direct", map[string]any{"instance": "none"})
	h.clicks(play.Rita, "Go on", "before")
	h.expectCard(play.Erin, "Registration for reading service health", "Approve and run")
	h.expectCard(play.Emil, "Registration for reading service health", "Approve and run")
}

func TestASecondRunPointsToTheFirst(t *testing.T) {
	h := open(t)
	h.asks()
	list := h.checklists()[0]
	h.types(play.Rita, "/keyturn setup direct")
	h.submits(play.Rita, map[string]any{"channel": play.Incidents, "instance": "none"})
	h.clicks(play.Rita, "Status", "")
	answer := ""
	h.until("a link to the first run", func(s *slack.State) bool {
		for _, e := range s.Ephemerals {
			if e.To == play.Rita.Slack && strings.Contains(e.Text, "This is being set up already") {
				answer = drawn(e.Text, e.Blocks)
			}
		}
		return answer != ""
	})
	if !strings.Contains(answer, strings.ReplaceAll(list.TS, ".", "")) {
		t.Errorf("the answer does not link to the first checklist (%s): %s", list.TS, answer)
	}
	if n := len(h.checklists()); n != 1 {
		t.Errorf("there are %d runs", n)
	}
	// With ServiceNow it is another run.
	h.begins("direct", nil)
	h.until("a second checklist", func(*slack.State) bool { return len(h.checklists()) == 2 })
}

func TestCancellingListsWhatExistsAndOffersToCleanUp(t *testing.T) {
	h := open(t)
	h.asks()
	h.types(play.Rita, "/keyturn cancel")
	h.expectPrivate(play.Rita, "This run has made nothing")
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCard(play.Erin, "Read back")

	h.types(play.Erin, "/keyturn cancel")
	h.expectPrivate(play.Erin, "Only Rita Okafor, who asked for the run, or an owner can cancel it. Nothing was done.")
	h.types(play.Rita, "/keyturn cancel")
	h.expectPrivate(play.Rita, "This run has made, and it stays until you clean it up", "Keyturn service health reader", "approved by Erin Vogel", "Cancel the run")
	h.clicks(play.Rita, "Let it go on", "")
	h.expectPrivate(play.Rita, "waiting for Priya Nair")
	h.types(play.Rita, "/keyturn cancel")
	h.clicks(play.Rita, "Cancel the run", "")
	h.expectPrivate(play.Rita, "Cancelled.", "it stays until you clean it up")
	h.expectChecklist("cancelled", "Cancelled by Rita Okafor", "What exists now", "Keyturn service health reader", "Clean up")
	h.expectCard(play.Priya, "Nothing waits for you here", "The run was cancelled")
	h.clicks(play.Rita, "Clean up", "")
	h.expectForm(play.Rita, "Set up: cleanup")
	h.types(play.Rita, "/keyturn cancel")
	h.expectPrivate(play.Rita, "nothing to cancel")
}

func TestWhoTakesAStepWithdrawsItFromTheOthers(t *testing.T) {
	h := open(t)
	h.asks()
	early := h.copyOf(play.Emil)
	h.clicks(play.Erin, "I take it", "reader-app")
	h.expectCard(play.Emil, "Erin Vogel has taken this step")
	h.expectChecklist("waiting for Erin Vogel")
	h.clicksOn(play.Emil, early, "Approve and run", "reader-app")
	h.expectPrivate(play.Emil, "Erin Vogel has taken this step. I have not run anything.")
	h.expectNoWrites()

	h.clicks(play.Erin, "Not me", "reader-app")
	h.submits(play.Erin, map[string]any{"to": play.Emil.Name})
	h.expectChecklist("waiting for Emil Sato")
	h.expectCard(play.Erin, "Emil Sato has taken this step")
	h.clicks(play.Emil, "Approve and run", "reader-app")
	h.expectCard(play.Emil, "Approved by Emil Sato", "Read back")
}

func TestAStepThatNobodyElseCanDoGoesToTheOwners(t *testing.T) {
	h := open(t)
	h.asks()
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.clicks(play.Priya, "Not me", "reader-consent")
	h.expectPrivate(play.Priya, "Nobody else holds Privileged Role Administrator. I have told the owners")
	h.expectCard(play.Omar, "Priya Nair says that", "Consent to reading service health")
	h.expectCard(play.Olga, "Priya Nair says that")
}

func TestARejectionReachesTheRequesterWithItsReason(t *testing.T) {
	h := open(t)
	h.asks()
	h.clicks(play.Erin, "Reject", "reader-app")
	h.submitsInVain(play.Erin, map[string]any{"why": "   "}, "why", "Say why")
	h.submits(play.Erin, map[string]any{"why": "We freeze changes until Monday."})
	h.expectCard(play.Rita, "Erin Vogel rejected", "Registration for reading service health", "We freeze changes until Monday.", "Nothing was called")
	h.expectThread(play.Ops, "⛔", "Rejected by Erin Vogel: We freeze changes until Monday.")
	h.expectNoWrites()
	h.clicks(play.Emil, "Try again", "reader-app")
	h.clicks(play.Emil, "Approve and run", "reader-app")
	h.expectCard(play.Emil, "Approved by Emil Sato", "Read back")
}

func TestASkipNeedsAReasonAndProofsCannotBeSkipped(t *testing.T) {
	h := open(t)
	h.begins("direct", nil)
	h.clicks(play.Rita, "Go on", "before")
	h.clicks(play.Sam, "Skip with reason", "sn-mapping")
	h.submits(play.Sam, map[string]any{"why": "Another team fills incidents."})
	h.expectThread(play.Ops, "⏭", "skipped by Sam Duarte", "Another team fills incidents.")
	h.expectCard(play.Sam, "Reason: Another team fills incidents.")

	card := h.expectCard(play.Erin, "Registration for reading service health", "Approve and run")
	if _, ok := card.Has("Skip with reason", "reader-app"); ok {
		t.Error("a proof offers to be skipped")
	}
	calls, _ := card.Has("Show exact calls", "reader-app")
	h.clicks(play.Erin, "Show exact calls", "reader-app")
	h.expectPrivate(play.Erin, "Exact calls")
	h.forges(play.Erin, "step-skip", calls.Value)
	h.expectPrivate(play.Erin, "This step is a proof or protects somebody, so it cannot be skipped.")
}

func TestARefusalIsExplainedAndCanBeTriedAgain(t *testing.T) {
	h := open(t)
	h.asks()
	h.refuses("PATCH", "/graph/v1.0/applications*")
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCard(play.Erin, "⛔ failed", "Authorization_RequestDenied · request ", "Try again", "I fixed it, check")
	h.expectThread(play.Ops, "⛔", "Registration for reading service health")
	h.world.Microsoft.Faults.Clear()
	h.clicks(play.Erin, "Try again", "reader-app")
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCard(play.Erin, "Approved by Erin Vogel", "Read back")
}

func TestAnUndoneStepIsGoneAndPlannedAgain(t *testing.T) {
	h := open(t)
	before := h.exists()
	h.asks()
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCard(play.Erin, "Read back", "Undo")
	h.clicks(play.Erin, "Undo", "reader-app")
	h.expectCard(play.Erin, "This is the way back", "DELETE")
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCall("DELETE", "/graph/v1.0/applications")
	h.expectCard(play.Erin, "Registration for reading service health", "🔵 waiting for you", "PATCH /applications(uniqueName='keyturn-health-reader')")
	h.expectExists(before)
	h.types(play.Rita, "/keyturn inventory")
	h.expectPrivate(play.Rita, "Keyturn has made nothing for Contoso")

	h.everybodyUntil("✅ finished")
}

func TestARemindMeComesTheNextMorning(t *testing.T) {
	h := open(t)
	h.asks()
	h.clicks(play.Erin, "Remind me tomorrow 09:00", "reader-app")
	h.expectPrivate(play.Erin, "I will ask you again", "The step stays yours until then")
	h.idle()
	h.later(33 * hour)
	h.restart() // a timer that sleeps does not see that the clock was moved
	h.expectCard(play.Erin, "You wanted to be reminded", "Registration for reading service health")
}

func TestANudgeRemindsThoseWhoAreWaitedForOnceInFourHours(t *testing.T) {
	h := open(t)
	h.asks()
	h.clicks(play.Rita, "Nudge", "")
	h.expectPrivate(play.Rita, "Reminded: Emil Sato, Erin Vogel.")
	h.expectCard(play.Erin, "Rita Okafor asks", "waits for you since")
	h.clicks(play.Rita, "Nudge", "")
	h.expectPrivate(play.Rita, "within the last four hours")
	h.later(5 * hour)
	h.types(play.Rita, "/keyturn nudge")
	h.expectPrivate(play.Rita, "Reminded: Emil Sato, Erin Vogel.")
}

func TestStatusSaysWhoIsWaitedForSinceWhen(t *testing.T) {
	h := open(t)
	h.asks()
	h.types(play.Omar, "/keyturn status")
	h.expectPrivate(play.Omar, "waiting for Erin Vogel and Emil Sato: ", "Registration for reading service health", "since")
}

func TestWhoAskedForTheRunCannotApproveACredential(t *testing.T) {
	h := open(t, holdsToo(play.Rita, "entra-admin"))
	h.types(play.Rita, "/keyturn setup direct")
	h.expectForm(play.Rita, "you cannot approve the steps of Entra admin that create a credential")
	h.submits(play.Rita, map[string]any{"channel": play.Incidents, "instance": "none"})
	h.clicks(play.Rita, "Go on", "before")
	h.clicks(play.Rita, "Approve and run", "reader-app")
	h.expectPrivate(play.Rita, "somebody else has to approve it: Erin Vogel or Emil Sato", "I have not run anything")
	h.expectNoWrites()
	h.clicks(play.Emil, "Approve and run", "reader-app")
	h.expectCard(play.Emil, "Approved by Emil Sato", "Read back")
}

func TestWhereTheTenantWantsNoFourEyesOneIsEnough(t *testing.T) {
	h := open(t, holdsToo(play.Rita, "entra-admin"), withoutFourEyes)
	h.begins("direct", map[string]any{"instance": "none"})
	h.clicks(play.Rita, "Go on", "before")
	h.clicks(play.Rita, "Approve and run", "reader-app")
	h.expectCard(play.Rita, "Approved by Rita Okafor", "Read back")
}

func TestAChangeNumberIsAskedForCheckedAndShown(t *testing.T) {
	h := open(t, withChangeNumbers)
	h.types(play.Rita, "/keyturn setup direct")
	h.expectForm(play.Rita, "Change number")
	values := map[string]any{"channel": play.Incidents, "instance": "none", "change": "0031337"}
	h.submitsInVain(play.Rita, values, "change", "That does not look like a change number. It looks like CHG0031337.")
	values["change"] = "CHG0031337"
	h.submits(play.Rita, values)
	h.expectChecklist("change", "CHG0031337")
	h.clicks(play.Rita, "Go on", "before")
	h.expectCard(play.Erin, "Registration for reading service health", "CHG0031337")
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCard(play.Erin, "Read back")
	approvals := 0
	for _, e := range h.audit() {
		switch e.Act {
		case "approve":
			approvals++
			fallthrough
		case "start", "call":
			if e.Change != "CHG0031337" {
				t.Errorf("the audit entry %q of %s carries the change number %q", e.Act, e.Step, e.Change)
			}
		}
	}
	if approvals != 1 {
		t.Errorf("the trail has %d approvals", approvals)
	}
}
