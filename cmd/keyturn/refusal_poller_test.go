package main

import (
	"encoding/json"
	"testing"
	"time"

	"keyturn/bot/engine"
	"keyturn/bot/incident"
	"keyturn/sim"
	"keyturn/sim/microsoft"
	"keyturn/sim/play"
)

// watch is what the bot knows about its readings.
func (h *house) watch() (w incident.Watch) {
	h.Helper()
	h.read(func(v engine.View) (err error) { w, err = v.Watch("contoso"); return err })
	return w
}

// stopped reports whether a channel's subscription has stopped.
func (h *house) stopped(channel string) (yes bool) {
	h.Helper()
	h.read(func(v engine.View) error {
		subs, err := v.Subscriptions("contoso")
		for _, s := range subs {
			yes = yes || (s.Place.Channel == channel && s.Stopped != "")
		}
		return err
	})
	return yes
}

// readable waits until a reading has succeeded since the last failure.
func (h *house) readable(yes bool) {
	h.Helper()
	h.becomes("a reading of service health that succeeded or failed", func() bool {
		w := h.watch()
		return yes && w.Failing.IsZero() && !w.Good.IsZero() || !yes && !w.Failing.IsZero()
	})
}

// becomes waits for what no channel shows.
func (h *house) becomes(what string, ok func() bool) {
	h.Helper()
	deadline := time.After(patience)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-deadline:
			h.fail("waited for %s, and it did not come", what)
		}
	}
}

// passes lets time pass on everybody's clock. Somebody clicking wakes the bot,
// which sleeps by the clock on the wall.
func (h *house) passes(d time.Duration) {
	h.Helper()
	h.later(d)
	h.mentions(play.Rita, play.Ops, "", "help")
}

const issuesPath = "/admin/serviceAnnouncement/issues"

// Whatever stands between the bot and Graph is said, with since when, and is
// never taken for health.
func TestServiceHealthThatCannotBeRead(t *testing.T) {
	for _, tt := range []refusal{
		{name: "consent lost", provoke: graphSays("GET", issuesPath, 403, "Authorization_RequestDenied", insufficient),
			words: []string{"A role or permission for this is missing", "consent to ServiceHealth.Read.All"}},
		{name: "sign-in refused", provoke: graphSays("GET", issuesPath, 401, "InvalidAuthenticationToken", "Access token has expired."),
			words: []string{"The sign-in for this call has expired"}},
		{name: "throttled", provoke: func(h *house) {
			h.world.Microsoft.Faults.Add(sim.Throttled("/graph/v1.0"+issuesPath, 0, 45*time.Second))
		},
			words: []string{"asks Keyturn to slow down"}},
		{name: "down", provoke: graphSays("GET", issuesPath, 503, "serviceNotAvailable", ""),
			words: []string{"Microsoft Graph has a fault at the moment"}},
		{name: "a web page", provoke: graphFault(sim.Fault{Path: "/graph/v1.0" + issuesPath, Status: 200, Type: "text/html", Body: "<html></html>"}),
			words: []string{"A web page came back", "network of Keyturn's server"}},
		{name: "no JSON", provoke: graphFault(sim.Fault{Path: "/graph/v1.0" + issuesPath, Status: 200, Body: `{"value":[{"id":"EX1",`}),
			words: []string{"something that is no list", "service health is not known"}},
		{name: "an unknown error that wraps another", provoke: graphSays("GET", issuesPath, 500, "UnknownError", `{"code":"forbidden","message":"{\"error\":\"Forbidden: the tenant may not do this. ActivityId: 1\"}"}`),
			words: []string{"does not allow this"}},
		{name: "the credential has expired", provoke: func(h *house) {
			tokenSays(401, 7000222, "invalid_client", "The provided client secret keys are expired.")(h)
			h.restart()
		}, words: []string{"The client secret has expired"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t, withReader, hasty(&pauseLog{}))
			h.readable(true)
			h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe live")
			h.expectChannel(play.Incidents, "From now on this channel is told")
			tt.provoke(h)
			h.readable(false)
			h.types(play.Rita, "/keyturn status")
			h.expectPrivate(play.Rita, append(tt.words, "Cannot read service health since")...)
			h.passes(16 * time.Minute)
			h.types(play.Max, "/keyturn health")
			c := h.expectPrivate(play.Max, "Cannot read", "This is not a green light")
			if containsAll(c.Text, []string{"🟢"}) {
				t.Errorf("a green light while nothing can be read: %s", c.Text)
			}
			h.expectChannel(play.Incidents, "Cannot read", "This is not a green light", "I go on trying")
			h.expectCard(play.Omar, append(tt.words, "Cannot read", "Why")...)
			h.mended(tt)
			h.passes(6 * time.Minute)
			h.expectChannel(play.Incidents, "I could not read service health from", "It is read again")
			h.readable(true)
			if n := h.told(play.Omar, "Cannot read"); n != 1 {
				t.Errorf("an owner was told %d times, expected once", n)
			}
		})
	}
}

// What Microsoft says in words that nobody has seen yet is shown as it is.
func TestAStatusThatNobodyKnowsIsShownAsItIs(t *testing.T) {
	h := open(t, withReader, hasty(&pauseLog{}))
	h.readable(true)
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe live")
	h.expectChannel(play.Incidents, "From now on")
	put := func(id, status, classification string) {
		now := h.now().UTC().Format(time.RFC3339Nano)
		raw, _ := json.Marshal(map[string]any{"id": id, "title": "Users may see odd things", "service": "Exchange Online", "status": status, "classification": classification, "origin": "martian",
			"impactDescription": "Users may see odd things.", "isResolved": false, "feature": "Odd", "featureGroup": "Odd", "startDateTime": now, "endDateTime": nil, "lastModifiedDateTime": now, "details": []any{},
			"posts": []any{map[string]any{"createdDateTime": now, "postType": "telepathic", "description": map[string]any{"contentType": "html", "content": "<p>User Impact: Users may see odd things.</p>"}}}})
		if err := h.world.Microsoft.PutIssue(raw); err != nil {
			t.Fatal(err)
		}
	}
	put("EX700001", "serviceLevitating", "incident")
	h.expectChannel(play.Incidents, "EX700001", "Service levitating")
	put("EX700002", "ServiceDegradation", "Incident") // as the samples of the documentation spell it
	h.expectChannel(play.Incidents, "EX700002", "degrad")
}

// Graph does not document what can be filtered, and its pages overlap.
func TestAGraphThatRefusesFiltersAndRepeatsPages(t *testing.T) {
	h := open(t, withReader, hasty(&pauseLog{}))
	if err := h.world.Microsoft.SetQuirks(microsoft.Quirks{NoIssueFilter: true, NoIssueOrder: true, NoIssueTop: true, PageOverlap: 3}); err != nil {
		t.Fatal(err)
	}
	h.readable(true)
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe live")
	h.expectChannel(play.Incidents, "From now on")
	first, second := h.publishes(0), h.publishes(1)
	h.expectChannel(play.Incidents, first)
	h.expectChannel(play.Incidents, second)
	h.idle()
	roots := 0
	for _, m := range h.world.Slack.Snapshot().Messages {
		if m.Bot && m.Channel == play.Incidents && (m.ThreadTS == "" || m.ThreadTS == m.TS) && containsAll(drawn(m.Text, m.Blocks), []string{first, "History"}) {
			roots++
		}
	}
	if roots != 1 {
		t.Errorf("%s has %d messages of its own, expected one", first, roots)
	}
	if w := h.watch(); !w.Failing.IsZero() {
		t.Errorf("a refused filter counts as a failure: %s", w.Failure)
	}
}
