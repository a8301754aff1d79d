package main

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"keyturn/sim"
	"keyturn/sim/play"
)

// Whether a platform reaches the bot, and with the right secret, only the
// platform's requests prove: the doctor asks the running bot for them.
func TestTheDoctorKnowsWhatCameIn(t *testing.T) {
	h := open(t, withEverything)
	d := h.doctor(0, nil)
	h.says(d, unproved, "Slack, the way in: the signing secret", "first request", "Fix: Type /keyturn help")
	h.says(d, unproved, "Microsoft Teams: the messaging endpoint", "The first message proves", "Fix: Write help")
	h.says(d, unproved, "Microsoft Teams: people of contoso", "It has not met ", play.Erin.Name, "Fix: Have each of them add Keyturn in Teams")
	knocks := func(path string, header map[string]string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodPost, "http://"+h.bot.conf.Listen+path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		for k, v := range header {
			req.Header.Set(k, v)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode < 400 {
			t.Fatalf("%s answers a stranger with %d", path, resp.StatusCode)
		}
	}
	slackSigned := map[string]string{"X-Slack-Request-Timestamp": strconv.FormatInt(time.Now().Unix(), 10), "X-Slack-Signature": "v0=" + strings.Repeat("0", 64)}
	knocks("/slack/events", slackSigned)
	knocks("/slack/events", slackSigned)
	knocks("/teams/messages", map[string]string{"Authorization": "Bearer not.a.token"})
	d = h.doctor(0, nil)
	h.says(d, broken, "Slack, the way in: the signing secret", "Nothing was accepted since the start, and 2 requests were refused", "Fix: Copy the Signing Secret from Basic Information")
	h.says(d, broken, "Microsoft Teams: the messaging endpoint", "Nothing was accepted since the start, and 1 request was refused", "Fix: Compare the app ID of the Azure Bot with teams.app_id")
	h.types(play.Rita, "/keyturn help")
	h.expectPrivate(play.Rita, "Is it us or Microsoft?")
	if err := h.world.Join(); err != nil {
		t.Fatal(err)
	}
	d = h.doctor(0, nil)
	h.says(d, fine, "Slack, the way in: the signing secret", "accepted since the start, and 2 refused: the log says why")
	h.says(d, fine, "Microsoft Teams: the messaging endpoint", "accepted since the start, and 1 refused")
	h.says(d, fine, "Microsoft Teams: people of contoso", "It can write to all ")
}

// In Socket Mode the token can be good and nothing come in all the same: the
// doctor looks at the connections of the running bot, and whether the host that
// Slack names for them is reached.
func TestTheDoctorLooksAtTheConnectionsOfSocketMode(t *testing.T) {
	h := open(t, withSignIn, withSocketMode)
	h.becomes("both connections to be open", func() bool { return h.bot.slack.Lines() == 2 })
	h.says(h.doctor(0, nil), fine, "Slack, the way in: the connections of Socket Mode", "Both are open")
	h.world.Slack.Faults.Add(sim.Fault{Path: "/api/apps.connections.open", Status: 200, Body: `{"ok":false,"error":"invalid_auth"}`})
	h.world.Slack.Cut()
	h.becomes("no connection to be open", func() bool { return h.bot.slack.Lines() == 0 })
	d := h.doctor(0, nil)
	h.says(d, broken, "Slack, the way in: the connections of Socket Mode", "None is open, so nothing comes in from Slack", "Fix: Look in the log")
	h.says(d, broken, "the app-level token of Socket Mode", "Fix: Make an app-level token with the scope connections:write", "(invalid_auth)")
	h.world.Slack.Faults.Clear()
	h.world.Slack.Faults.Add(sim.Fault{Path: "/api/apps.connections.open", Status: 200, Body: `{"ok":true,"url":"ws://127.0.0.1:1/link/?ticket=1"}`})
	h.says(h.doctor(0, nil), broken, "the app-level token of Socket Mode", "The token is accepted, but 127.0.0.1, which Slack names for the connection, is not reached", "every host below slack.com, port 443")
}
