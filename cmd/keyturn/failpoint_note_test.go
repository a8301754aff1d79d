package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/sim"
	"keyturn/sim/play"
	"keyturn/sim/slack"
)

// aroundNote are the points at which a bot ends that writes a work note: around
// its intent and its call, and while it looks for the note.
func aroundNote(f *failpoints) option {
	f.only = func(name string) bool {
		return strings.Contains(name, "work-note") || strings.HasSuffix(name, "the call servicenow GET noted")
	}
	f.left, f.skip = map[string]bool{}, 1
	return withPorts(f.frail)
}

// endedAround waits until the bot has ended before and after the call, and while
// it looked for the note.
func (h *house) endedAround(f *failpoints) {
	h.Helper()
	h.becomes("the bot to end around the note", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.left["before the call servicenow PATCH work-note"] && f.left["after the call servicenow PATCH work-note"] && f.left["after the call servicenow GET noted"]
	})
}

// What was done goes into the change that it was done under once, wherever the
// bot ends on the way.
func TestABotThatEndsAroundAWorkNoteTellsTheChangeOnce(t *testing.T) {
	f := &failpoints{}
	f.acting.Lock() // until there is something to note
	h := open(t, hasty(&pauseLog{}), reword("  sign_in:", "  change: {required: true, pattern: 'CHG[0-9]{7}', example: CHG0031337, read_servicenow: true}\n  sign_in:"), aroundNote(f))
	deaths := 0
	f.die = func() { deaths++; h.fall(f.revive) }
	clock := func(d time.Duration) string { return h.now().Add(d).UTC().Format(time.DateTime) }
	made := h.adminNow("POST", "/api/now/table/change_request", map[string]string{"short_description": "Connect service health", "state": "-2",
		"approval": "approved", "start_date": clock(-time.Hour), "end_date": clock(6 * time.Hour)})
	change, _ := made["result"].(map[string]any)
	number, id := change["number"].(string), change["sys_id"].(string)
	h.begins("direct", map[string]any{"change": number})
	h.clicks(play.Rita, "Go on", "before")
	ends := make(chan struct{})
	h.world.Microsoft.Faults.Add(sim.Fault{Method: "PATCH", Path: "/graph/v1.0/applications*", Times: 1, While: func() { <-ends }})
	h.clicks(play.Erin, "Approve and run", "reader-app")
	f.acting.Unlock()
	close(ends)
	h.expectCard(play.Erin, "Approved by Erin Vogel", "Read back")
	h.endedAround(f)
	f.acting.Lock() // from here on nobody ends it, to the last
	h.idle()
	if notes := h.world.ServiceNow.Notes(id); len(notes) != 1 || !strings.Contains(notes[0], "Registration for reading service health") {
		t.Errorf("after %d deaths the change says: %q", deaths, notes)
	}
	h.expectNothingDead()
	t.Logf("failpoints: a work note in a change: the bot ended %d times, the note stands once", deaths)
}

// An answer goes once into the incident that it is about.
func TestABotThatEndsAroundAWorkNoteTellsTheIncidentOnce(t *testing.T) {
	f := &failpoints{}
	f.acting.Lock()
	h := open(t, hasty(&pauseLog{}), withSignIn, withMax, withReader, withKnowledge("as_asker: true"), aroundNote(f))
	deaths := 0
	f.die = func() { deaths++; h.fall(f.revive) }
	h.expectReading()
	number, id := h.raises(map[string]string{"short_description": "OneDrive stays at sync pending"})
	link := h.typesOn(play.OnSlack, play.Max, "", "recommend "+number, "I read "+number+" as you", "not signed in there")
	h.visits(play.Max, link)
	fresh := h.news()
	h.presses(play.OnSlack, play.Max, "Ask again")
	h.answered(play.OnSlack, play.Max, fresh, number+" says: “OneDrive stays at sync pending", "[Write into "+number+"]")
	ends := make(chan struct{})
	h.world.ServiceNow.Faults.Add(sim.Fault{Method: "GET", Path: "/api/now/table/incident/*", Times: 1, While: func() { <-ends }})
	h.presses(play.OnSlack, play.Max, "Write into "+number)
	f.acting.Unlock()
	close(ends)
	h.endedAround(f)
	h.until("the word that it is written", func(s *slack.State) bool {
		return slices.ContainsFunc(s.Ephemerals, func(e slack.Ephemeral) bool { return strings.Contains(e.Text, "Written into "+number) }) ||
			slices.ContainsFunc(s.Messages, func(m slack.Message) bool { return strings.Contains(m.Text, "Written into "+number) })
	})
	f.acting.Lock() // from here on nobody ends it, to the last
	h.idle()
	if notes := h.world.ServiceNow.Notes(id); len(notes) != 1 {
		t.Errorf("after %d deaths the incident says: %q", deaths, notes)
	}
	h.expectNothingDead()
	t.Logf("failpoints: a work note in an incident: the bot ended %d times, the note stands once", deaths)
}
