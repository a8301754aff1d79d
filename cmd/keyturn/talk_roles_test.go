package main

import (
	"strings"
	"testing"
	"time"

	"keyturn/sim/play"
	"keyturn/sim/slack"
)

func TestOwnersGiveRolesAndItCountsInTheRunThatIsOpen(t *testing.T) {
	h := open(t)
	h.asks()
	h.types(play.Erin, "/keyturn roles give entra-admin "+play.Mona.Name)
	h.expectPrivate(play.Erin, "Only owners of Contoso may do this, so I have done nothing", "Omar Haddad or Olga Brandt can do it")

	h.types(play.Omar, "/keyturn roles give entra-admin "+play.Mona.Name)
	h.expectPrivate(play.Omar, "Roles for Contoso", "Mona Lindqvist")
	h.expectCard(play.Olga, "Omar Haddad changed roles for Contoso: Mona Lindqvist now holds Entra admin")
	h.clicks(play.Mona, "Approve and run", "reader-app")
	h.expectCard(play.Mona, "Approved by Mona Lindqvist", "Read back")

	h.types(play.Olga, "/keyturn roles")
	h.clicks(play.Olga, "Entra admin", "")
	h.expectForm(play.Olga, "Holders", "Backups")
	h.submits(play.Olga, map[string]any{"holders": []string{play.Erin.Name}, "backups": []string{play.Emil.Name}})
	h.expectCard(play.Omar, "Olga Brandt changed roles for Contoso", "Emil Sato is now backup for Entra admin", "Mona Lindqvist no longer holds Entra admin")
	h.types(play.Mona, "/keyturn roles")
	h.expectPrivate(play.Mona, "Erin Vogel · backup: Emil Sato")
	acts := 0
	for _, e := range h.audit() {
		if e.Act == "role" {
			acts++
		}
	}
	if acts != 3 {
		t.Errorf("the trail has %d changes of roles", acts)
	}
}

func TestAGroupOfSlackThatAnOwnerTrustsGivesARole(t *testing.T) {
	h := open(t)
	h.types(play.Omar, "/keyturn roles take entra-admin "+play.Emil.Name)
	h.expectCard(play.Olga, "Emil Sato no longer holds Entra admin")
	h.types(play.Omar, "/keyturn roles take entra-admin "+play.Erin.Name)
	h.expectCard(play.Olga, "Erin Vogel no longer holds Entra admin", "Roles")
	h.expectCard(play.Olga, "Nobody who can act holds Entra admin")
	h.types(play.Omar, "/keyturn roles group entra-admin on")
	h.expectPrivate(play.Omar, "whoever is in the user group S0ENTRA holds it")
	h.expectCard(play.Olga, "whoever is in the user group S0ENTRA now holds Entra admin")
	// Owners took the role from both people of the group, and that word counts.
	h.types(play.Erin, "/keyturn roles")
	h.expectPrivate(play.Erin, "⛔ nobody")
	h.types(play.Omar, "/keyturn roles group entra-admin off")
	h.expectCard(play.Olga, "only pings")
}

func TestBreakingTheGlassAlertsTheOwners(t *testing.T) {
	h := open(t, holdsToo(play.Rita, "entra-admin"))
	h.begins("direct", map[string]any{"instance": "none"})
	h.clicks(play.Rita, "Go on", "before")
	h.clicks(play.Rita, "Approve and run", "reader-app")
	h.expectPrivate(play.Rita, "somebody else has to approve it", "Break glass")
	h.clicks(play.Rita, "Break glass", "")
	h.submitsInVain(play.Rita, map[string]any{"why": "now"}, "why", "in a sentence")
	h.submits(play.Rita, map[string]any{"why": "Everybody else is on the same plane."})
	h.expectCard(play.Omar, "Break glass: Rita Okafor runs", "Everybody else is on the same plane.")
	h.expectCard(play.Olga, "Break glass: Rita Okafor runs")
	h.expectCard(play.Rita, "Approved by Rita Okafor", "Read back")
	h.expectThread(play.Ops, "who broke the glass: Everybody else is on the same plane.")
}

func TestSomebodyDeactivatedInTheMiddleIsWaitedForNoMore(t *testing.T) {
	h := open(t)
	h.asks()
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCard(play.Priya, "Consent to reading service health")
	if _, err := h.world.Slack.Deactivate(play.Priya.Slack); err != nil {
		t.Fatal(err)
	}
	h.types(play.Rita, "/keyturn nudge")
	h.expectCard(play.Omar, "Nobody who can act holds Privileged Role Administrator", "Priya Nair cannot act", "deactivated")
	h.types(play.Omar, "/keyturn roles give privileged-role-admin "+play.Mona.Name)
	h.expectCard(play.Mona, "Consent to reading service health")
}

func TestAChangeInServiceNowIsReadAndToldWhatWasDone(t *testing.T) {
	h := open(t, reword("  sign_in:", "  change: {required: true, pattern: 'CHG[0-9]{7}', example: CHG0031337, read_servicenow: true}\n  sign_in:"))
	clock := func(d time.Duration) string { return h.now().Add(d).UTC().Format(time.DateTime) }
	made := h.adminNow("POST", "/api/now/table/change_request", map[string]string{"short_description": "Connect service health", "state": "-5",
		"start_date": clock(2 * time.Hour), "end_date": clock(6 * time.Hour)})
	change, _ := made["result"].(map[string]any)
	number, id := change["number"].(string), change["sys_id"].(string)
	h.begins("direct", map[string]any{"change": number})
	h.clicks(play.Rita, "Go on", "before")
	h.expectCard(play.Erin, "Registration for reading service health", "Change "+number+" is not approved yet", "Nothing runs before that")
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectPrivate(play.Erin, "is not approved yet", "I have not run anything", "Break glass")

	h.adminNow("PATCH", "/api/now/table/change_request/"+id, map[string]string{"state": "-2", "approval": "approved"})
	h.clicks(play.Erin, "Read the change again", "reader-app")
	h.expectCard(play.Erin, "The window of change "+number+" begins")
	h.later(3 * time.Hour)
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCard(play.Erin, "Approved by Erin Vogel", "Read back")
	h.until("a work note", func(*slack.State) bool {
		got := h.adminNow("GET", "/api/now/table/sys_journal_field?sysparm_query=element_id%3D"+id, nil)
		rows, _ := got["result"].([]any)
		for _, r := range rows {
			note, _ := r.(map[string]any)["value"].(string)
			if strings.Contains(note, "Registration for reading service health") && strings.Contains(note, "request ") {
				return true
			}
		}
		return false
	})
}
