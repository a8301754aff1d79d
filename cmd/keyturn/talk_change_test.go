package main

import (
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/sim/play"
)

// withChangesApart has a rule for each system.
var withChangesApart = reword("  sign_in:", `  change:
    entra: {pattern: 'CHG[0-9]{7}', example: CHG0031337}
    servicenow: {pattern: 'PLT-[0-9]+', example: PLT-17, explanation: "The ticket of the platform team."}
    admin_center: {explanation: "Who agreed, and when."}
  sign_in:`)

// Each system has its own change number: the form asks for each, and every card
// and entry has the one that it is about.
func TestEachSystemHasItsOwnChangeNumber(t *testing.T) {
	h := open(t, withChangesApart)
	h.types(play.Rita, "/keyturn setup connector")
	h.expectForm(play.Rita, "Change number for Entra", "Change number for ServiceNow", "The ticket of the platform team.", "Change number for the Microsoft 365 admin center", "Who agreed, and when.")
	values := map[string]any{"channel": play.Incidents, "insights_users": play.Max.Now, "change.graph": "PLT-42", "change.servicenow": "PLT-42", "change.admin-center": "Mona, on Tuesday"}
	h.submitsInVain(play.Rita, values, "change.graph", "That does not look like a change number. It looks like CHG0031337.")
	values["change.graph"] = "CHG0031337"
	h.submits(play.Rita, values)
	h.expectChecklist("change CHG0031337 for Entra", "change PLT-42 for ServiceNow", "change Mona, on Tuesday for the Microsoft 365 admin center")
	h.everybodyUntil("✅ finished")
	h.idle()

	of := map[string]int{}
	for _, e := range h.trail() {
		number := map[bot.System]string{bot.Graph: "CHG0031337", bot.ServiceNow: "PLT-42"}
		want := ""
		switch {
		case e.Act == "call" && e.Call != nil && e.Call.Write():
			want = number[e.Call.System]
		case e.Act == "approve":
			for _, c := range e.Calls {
				if c.Write() {
					want = number[c.System]
				}
			}
		case e.Act == "confirm" && e.Person == bot.PersonID(play.Mona.Entra):
			want = "Mona, on Tuesday"
		default:
			continue
		}
		of[want]++
		if e.Change != want {
			t.Errorf("the entry %q of %s carries the change %q, not %q", e.Act, e.Step, e.Change, want)
		}
	}
	for _, number := range []string{"CHG0031337", "PLT-42", "Mona, on Tuesday"} {
		if of[number] < 2 {
			t.Errorf("%d entries carry %s: %v", of[number], number, of)
		}
	}
	markdown, _ := h.report(h.audit())
	for _, number := range []string{"CHG0031337", "PLT-42", "Mona, on Tuesday"} {
		if !strings.Contains(markdown, number) {
			t.Errorf("the report does not name %s", number)
		}
	}
}

// What runs under a change that ServiceNow has waits for its window; what runs
// under another number does not.
func TestAChangeThatIsReadHoldsItsOwnSystemAlone(t *testing.T) {
	h := open(t, reword("  sign_in:", `  change:
    entra: {pattern: 'CHG[0-9]{7}', example: CHG0031337}
    servicenow: {source: servicenow}
  sign_in:`))
	made := h.adminNow("POST", "/api/now/table/change_request", map[string]string{"short_description": "Connect service health", "state": "-2", "approval": "approved",
		"start_date": h.now().Add(3 * hour).UTC().Format("2006-01-02 15:04:05"), "end_date": h.now().Add(5 * hour).UTC().Format("2006-01-02 15:04:05")})
	change, _ := made["result"].(map[string]any)
	number, id := change["number"].(string), change["sys_id"].(string)
	h.begins("direct", map[string]any{"change.graph": "CHG0031337", "change.servicenow": number})
	h.clicks(play.Rita, "Go on", "before")
	h.expectCard(play.Erin, "Change CHG0031337, for Entra.", "Approve and run")
	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCard(play.Erin, "Approved by Erin Vogel", "Read back")
	h.expectCard(play.Sam, "The window of change "+number+" begins", "Nothing runs before that")
	h.adminNow("PATCH", "/api/now/table/change_request/"+id, map[string]string{"start_date": h.now().Add(-hour).UTC().Format("2006-01-02 15:04:05")})
	h.clicks(play.Sam, "Read the change again", "sn-unattended")
	h.expectCard(play.Sam, "Change "+number+": approved, its window ends")
	h.clicks(play.Sam, "Approve and run", "sn-unattended")
	h.expectCard(play.Sam, "Approved by Sam Duarte", "Read back")
	h.idle()
	notes := h.adminNow("GET", "/api/now/table/sys_journal_field?sysparm_query=element_id%3D"+id+"%5Eelement%3Dwork_notes", nil)
	if rows, _ := notes["result"].([]any); len(rows) != 1 {
		t.Errorf("the change has %d work notes: %v", len(rows), notes)
	}
}
