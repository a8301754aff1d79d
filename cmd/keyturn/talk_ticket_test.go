package main

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/bot/setup"
	"keyturn/sim"
	"keyturn/sim/play"
)

// publishesState has Microsoft publish a sample issue in one of the states that
// it went through, as changed now.
func (h *house) publishesState(story, state int) (id string) {
	h.Helper()
	var issue map[string]json.RawMessage
	if err := json.Unmarshal(incident.SampleStories()[story][state], &issue); err != nil {
		h.Fatal(err)
	}
	issue["lastModifiedDateTime"], _ = json.Marshal(h.now().UTC().Format(time.RFC3339Nano))
	raw, err := json.Marshal(issue)
	if err != nil {
		h.Fatal(err)
	}
	if err := h.world.Microsoft.PutIssue(raw); err != nil {
		h.Fatal(err)
	}
	_ = json.Unmarshal(issue["id"], &id)
	return id
}

// ticketsOf are the ServiceNow incidents of an issue.
func (h *house) ticketsOf(issue string) (out []map[string]string) {
	h.Helper()
	list, _ := h.adminNow("GET", "/api/now/table/incident?sysparm_query="+url.QueryEscape("correlation_id="+issue)+"&sysparm_exclude_reference_link=true", nil)["result"].([]any)
	for _, it := range list {
		row := map[string]string{}
		for k, v := range it.(map[string]any) {
			row[k], _ = v.(string)
		}
		out = append(out, row)
	}
	return out
}

func TestAServiceNowIncidentFollowsTheIssueUntilAPersonClosesIt(t *testing.T) {
	h := open(t)
	h.finishes("direct")
	id := h.publishesState(1, 0) // an incident that is being investigated
	h.expectChannel(play.Incidents, id, "[ServiceNow incident]")
	h.idle()
	made := h.ticketsOf(id)
	if len(made) != 1 {
		t.Fatalf("%d ServiceNow incidents were made of %s", len(made), id)
	}
	if p := made[0]["priority"]; p < "3" {
		t.Errorf("its priority is %s, the cap is 3", p)
	}
	linked := false
	for _, m := range h.world.Slack.Snapshot().Messages {
		linked = linked || m.ThreadTS == "" && strings.Contains(string(m.Blocks), "incident.do?sys_id="+made[0]["sys_id"])
	}
	if !linked {
		t.Error("the message does not link to the ServiceNow incident")
	}

	h.publishesState(1, 1)
	h.expectThread(play.Incidents, "Logs show that the upload service refuses")
	h.idle()
	if now := h.ticketsOf(id); len(now) != 1 || !strings.HasPrefix(now[0]["correlation_display"], "Keyturn "+id) {
		t.Errorf("after a post the ServiceNow incidents are %+v", now)
	}

	h.adminNow("PATCH", "/api/now/table/incident/"+made[0]["sys_id"], map[string]string{"state": "6", "close_code": "Closed/Resolved by Caller", "close_notes": "Nothing to do here."})
	h.expectThread(play.Incidents, "ServiceNow incident "+made[0]["number"], "now Resolved")
	before := h.ticketsOf(id)
	h.publishesState(1, 2)
	h.publishesState(1, 3)
	h.expectThread(play.Incidents, "Final status")
	h.idle()
	after := h.ticketsOf(id)
	if len(after) != 1 || after[0]["sys_updated_on"] != before[0]["sys_updated_on"] || after[0]["close_notes"] != "Nothing to do here." {
		t.Errorf("what a person closed was written to: %+v", after)
	}
}

func TestARefusedServiceNowIncidentIsToldToTheAdminsWithItsFields(t *testing.T) {
	h := open(t)
	h.finishes("direct")
	h.world.ServiceNow.Faults.Add(sim.Fault{Method: "POST", Path: "/api/now/table/incident", Times: 1, Status: 403,
		Body: `{"error":{"message":"Operation Failed","detail":"Data Policy Exception: Location is mandatory"},"status":"failure"}`})
	id := h.publishesState(1, 0)
	h.expectChannel(play.Incidents, id, "[ServiceNow incident]")
	h.expectCard(play.Omar, "ServiceNow did not take the incident of", id, "Location")
	if n := len(h.ticketsOf(id)); n != 0 {
		t.Fatalf("%d were made", n)
	}
	h.publishesState(1, 1)
	h.expectThread(play.Incidents, "Logs show that the upload service refuses")
	h.idle()
	if n := len(h.ticketsOf(id)); n != 1 {
		t.Errorf("once it is taken there are %d", n)
	}
}

// How ServiceNow incidents are filled can be said after the guide, and changed.
func TestHowServiceNowIncidentsAreFilledIsSaidLater(t *testing.T) {
	h := open(t)
	h.begins("direct", nil)
	h.everybodyUntilStep(play.Sam, "Skip with reason", "sn-mapping")
	h.clicks(play.Sam, "Skip with reason", "sn-mapping")
	h.submits(play.Sam, map[string]any{"why": "Nobody knows the groups yet."})
	h.everybodyUntil("✅ finished")
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe live")
	h.microsoftWrites("SP900001", "SharePoint Online", 2)
	h.expectChannel(play.Incidents, "SP900001", "[History]")
	h.types(play.Erin, "/keyturn mapping")
	h.expectPrivate(play.Erin, "for its admins and for owners of Contoso to say")

	say := func(values map[string]any) {
		t.Helper()
		h.types(play.Sam, "/keyturn mapping")
		h.expectForm(play.Sam, "looks every name up on the instance", "Sam Duarte")
		h.submits(play.Sam, nil)
		h.clicks(play.Sam, "Fill in the form", "sn-mapping")
		h.submits(play.Sam, values)
		h.clicks(play.Sam, "Approve and run", "sn-incidents")
		h.becomes("the run is over", func() bool {
			over := false
			h.read(func(v engine.View) error {
				runs, err := v.Runs("contoso")
				over = len(runs) > 0 && runs[len(runs)-1].State == setup.RunDone
				return err
			})
			return over
		})
	}
	say(map[string]any{"group": "Service Desk"})
	h.microsoftWrites("SP900001", "SharePoint Online", 3)
	h.becomes("the incident in ServiceNow", func() bool { return len(h.ticketsOf("SP900001")) == 1 })
	first := h.ticketsOf("SP900001")[0]["assignment_group"]

	h.adminNow("POST", "/api/now/table/sys_user_group", map[string]string{"name": "Messaging", "active": "true"})
	say(map[string]any{"group": "Messaging"}) // the rest is filled in as it was said before
	h.microsoftWrites("EX900001", "Exchange Online", 2)
	h.becomes("another one, in the other group", func() bool {
		made := h.ticketsOf("EX900001")
		return len(made) == 1 && made[0]["assignment_group"] != first
	})
	if made := h.ticketsOf("SP900001"); len(made) != 1 || made[0]["assignment_group"] != first {
		t.Errorf("the one that was there has changed: %+v", made)
	}
}
