package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"keyturn/bot/incident"
	"keyturn/sim/play"
)

// publishes has Microsoft publish one of the sample issues as changed now. It
// returns the issue's ID.
func (h *house) publishes(n int) string {
	h.Helper()
	var issue map[string]json.RawMessage
	if err := json.Unmarshal(incident.Samples()[n], &issue); err != nil {
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
	var id string
	_ = json.Unmarshal(issue["id"], &id)
	return id
}

func TestTheDirectGuideFromItsCommandToItsFirstIncident(t *testing.T) {
	h := open(t)
	h.begins("direct", nil)
	h.expectChecklist("0 of 10 done", "waiting for Rita Okafor")
	h.clicks(play.Rita, "Go on", "before")

	ping := h.expectThread(play.Ops, "1 step is yours now", "Registration for reading service health")
	if !strings.Contains(string(ping.Blocks), "S0ENTRA") {
		t.Errorf("the hand-off does not ping the group of the Entra admins: %s", ping.Blocks)
	}
	pinged := map[string]bool{}
	for _, n := range h.world.Slack.Snapshot().Notifications {
		if n.TS == ping.TS {
			pinged[n.User] = true
		}
	}
	if !pinged[play.Erin.Slack] || !pinged[play.Emil.Slack] || pinged[play.Rita.Slack] {
		t.Errorf("the hand-off notified %v, not the Entra admins alone", pinged)
	}

	card := h.expectCard(play.Erin, "Rita Okafor asked for", "About 3 minutes", "Registration for reading service health", "Mind:", "Way back:", "If it waits:",
		"What will be called", "PATCH /applications(uniqueName='keyturn-health-reader')")
	for _, b := range []string{"Approve and run", "Show exact calls", "Give me the script", "I did it by hand, check", "I take it", "Remind me tomorrow 09:00", "Not me", "Reject"} {
		if _, ok := card.Has(b, "reader-app"); !ok {
			t.Errorf("the card has no button [%s]", b)
		}
	}
	h.expectChecklist("waiting for the Entra team since", "waiting for the ServiceNow team since")
	h.expectHome(play.Erin, "Registration for reading service health", "Approve and run")
	h.expectNoWrites()

	h.clicks(play.Erin, "Approve and run", "reader-app")
	h.expectCall("PATCH", "/graph/v1.0/applications(uniqueName='keyturn-health-reader')")
	h.expectCard(play.Erin, "Registration for reading service health", "Approved by Erin Vogel", "ran as", play.Erin.UPN, "Read back: single tenant", "Requests ")
	h.expectCard(play.Emil, "Approved by Erin Vogel")
	h.expectThread(play.Ops, "✅", "Registration for reading service health", "Approved by Erin Vogel")

	h.everybodyUntil("✅ finished")
	h.idle()
	h.expectChecklist("What exists now", "approved by Erin Vogel", "expires", "Clean up")
	if n := len(h.checklists()); n != 1 {
		t.Errorf("the run has %d checklists, not one that is edited", n)
	}
	h.expectEdited(play.Ops, "✅ finished")
	h.expectChannel(play.Incidents, "Rita Okafor set this up", "From now on this channel is told")
	h.expectHome(play.Erin, "Nothing waits for you")

	// The first story is an advisory, which would wait for the daily digest.
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe live")
	h.expectChannel(play.Incidents, "Rita Okafor changed this", "at once")
	id := h.publishes(0)
	root := h.expectChannel(play.Incidents, id, "[History]")
	h.idle()
	roots := 0
	for _, m := range h.world.Slack.Snapshot().Messages {
		if m.Channel == root.Channel && m.ThreadTS == "" && strings.Contains(m.Text, id) && strings.Contains(m.Text, "[History]") {
			roots++
		}
	}
	if roots != 1 {
		t.Errorf("the incident has %d messages of its own", roots)
	}
	if v := h.world.Slack.Snapshot().Violations; len(v) > 0 {
		t.Errorf("what a good app does not do: %v", v)
	}
}

func TestATenantWithoutServiceNowIsAskedForNothingThere(t *testing.T) {
	h := open(t, withoutServiceNow)
	h.finishes("direct")
	h.expectChecklist("✅ finished")
	for _, c := range h.served() {
		if strings.HasPrefix(c.Path, "/api/now/") {
			t.Errorf("ServiceNow was called: %s %s", c.Method, c.Path)
		}
	}
	if text := h.checklists()[0].Text; strings.Contains(text, "ServiceNow admin") {
		t.Errorf("the record names steps that were never needed:\n%s", text)
	}
}

func TestAReaderInTheConfigurationSavesTheRegistration(t *testing.T) {
	h := open(t, withReader, withoutServiceNow)
	h.expectReading() // what the first one finds is not news
	h.types(play.Rita, "/keyturn subscribe live")
	h.expectChannel(play.Ops, "From now on this channel is told")
	h.expectChannel(play.Ops, h.publishes(0))

	h.begins("direct", nil)
	h.everybodyUntil("✅ finished")
	h.expectNoWrites()
}

func TestAWorkspaceWithRealLagAndLimitsGetsThereToo(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	h := open(t, withLag, withSlackLimits, withoutServiceNow)
	h.finishes("direct")
	h.expectChecklist("✅ finished")
	for _, v := range h.world.Slack.Snapshot().Violations {
		t.Errorf("what a good app does not do: %s", v.What)
	}
}
