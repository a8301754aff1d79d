package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"keyturn/sim"
	"keyturn/sim/play"
	"keyturn/sim/slack"
)

const formBody = "application/x-www-form-urlencoded"

// command is the body of a slash command, as Slack sends it.
func command(team, text string) string {
	return url.Values{"team_id": {team}, "channel_id": {play.Ops}, "user_id": {play.Rita.Slack}, "command": {"/keyturn"}, "text": {text},
		"trigger_id": {"1.2.3"}, "response_url": {""}}.Encode()
}

// What is not Slack's, or not whole, gets no further than the door, says why,
// and changes nothing.
func TestWhatIsTurnedAwayAtTheDoor(t *testing.T) {
	h := open(t)
	h.begins("direct", nil)
	h.expectChecklist("0 of")
	h.idle()
	before := len(h.audit())
	unix := func(d time.Duration) string { return strconv.FormatInt(h.now().Add(d).Unix(), 10) }
	for _, tt := range []struct {
		name   string
		send   slack.Delivery
		status int
		says   string
	}{
		{"a wrong signature", slack.Delivery{Path: "/slack/commands", Type: formBody, Body: command(play.Team, "status"), Signature: "v0=" + strings.Repeat("ab", 32)}, 401, "check that the signing secret is this app's"},
		{"a signature of another kind", slack.Delivery{Path: "/slack/commands", Type: formBody, Body: command(play.Team, "status"), Signature: "v1=abc"}, 401, "not signed by Slack"},
		{"signed an hour ago", slack.Delivery{Path: "/slack/commands", Type: formBody, Body: command(play.Team, "status"), Timestamp: unix(-time.Hour)}, 403, "check this server's clock"},
		{"signed for later", slack.Delivery{Path: "/slack/commands", Type: formBody, Body: command(play.Team, "status"), Timestamp: unix(time.Hour)}, 403, "check this server's clock"},
		{"no time at all", slack.Delivery{Path: "/slack/commands", Type: formBody, Body: command(play.Team, "status"), Timestamp: "yesterday"}, 401, "not signed by Slack"},
		{"too large", slack.Delivery{Path: "/slack/commands", Type: formBody, Body: "text=" + strings.Repeat("x", 1<<20)}, 413, "larger than 1 MiB"},
		{"of the wrong type", slack.Delivery{Path: "/slack/commands", Type: "application/json", Body: `{"text":"status"}`}, 415, "has to be application/x-www-form-urlencoded"},
		{"an event as a form", slack.Delivery{Path: "/slack/events", Type: formBody, Body: "a=b"}, 415, "has to be application/json"},
		{"a click without a payload", slack.Delivery{Path: "/slack/interactions", Type: formBody, Body: "a=b"}, 400, "no payload"},
		{"a click that is no JSON", slack.Delivery{Path: "/slack/interactions", Type: formBody, Body: "payload=%7B%22type%22%3A"}, 400, "no JSON"},
		{"an event that is no JSON", slack.Delivery{Path: "/slack/events", Type: "application/json", Body: `{"type":"event_`}, 400, "JSON"},
		{"a payload of another shape", slack.Delivery{Path: "/slack/interactions", Type: formBody, Body: "payload=" + url.QueryEscape(`{"type":"block_actions","actions":"none","user":[]}`)}, 200, ""},
		{"nobody's address", slack.Delivery{Path: "/slack/nothing", Type: formBody, Body: "a=b"}, 404, "/slack/commands, /slack/interactions and /slack/events"},
		{"a workspace that nobody configured", slack.Delivery{Path: "/slack/commands", Type: formBody, Body: command("T0STRANGE", "status")}, 200, "not in Keyturn's configuration"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := h.world.Slack.SendRaw(tt.send)
			if err != nil {
				t.Fatal(err)
			}
			if out.Status != tt.status || !strings.Contains(out.Body, tt.says) {
				t.Errorf("answered %d %q, expected %d with %q", out.Status, clip(out.Body, 300), tt.status, tt.says)
			}
		})
	}
	resp, err := http.Get("http://" + h.bot.conf.Listen + "/slack/commands")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a GET was answered %d", resp.StatusCode)
	}
	h.idle()
	if n := len(h.audit()); n != before {
		t.Errorf("the trail grew by %d entries", n-before)
	}
	h.calm()
	h.types(play.Rita, "/keyturn status")
	h.expectPrivate(play.Rita, "waiting for Rita Okafor")
}

// calm says that nothing broke inside the bot.
func (h *house) calm() {
	h.Helper()
	if l := h.log.String(); strings.Contains(strings.ToLower(l), "panic") {
		h.Errorf("the bot panicked:\n%s", h.logged("DEBUG"))
	}
}

// Whatever a button carries, the answer is a sentence and nothing is done.
func TestButtonsThatCarryNonsense(t *testing.T) {
	h := open(t)
	h.begins("direct", nil)
	h.expectChecklist("0 of")
	h.clicks(play.Rita, "Status", "")
	h.expectPrivate(play.Rita, "waiting for Rita Okafor")
	h.idle()
	h.fromNow()
	run := h.runID()
	for _, tt := range []struct{ action, value, says string }{
		{"step-approve", "", "does not say which run"},
		{"step-approve", "run-nobody/entra-app/abc", "no longer kept"},
		{"step-approve", run, "does not say which step"},
		{"step-approve", run + "/no-such-step/abc", "not part of the run"},
		{"step-approve", run + "/reader-app/abc", "belongs to the Entra team"},
		{"step-approve", run + "/before/abc/def/ghi", "have not run anything"},
		{"step-undo", run + "/before/", "have not run anything"},
		{"run-cancel", "../../etc/passwd", "no longer kept"},
		{"no-such-action", run, "from an older version of Keyturn"},
		{"verb", "explode now", "I do not understand “explode now”"},
		{"on-it", "EX000000", "do not keep an incident"},
		{"history", strings.Repeat("E", 1500), "do not keep an incident"},
	} {
		h.in(tt.action+" "+clip(tt.value, 30), func() {
			h.forges(play.Rita, tt.action, tt.value)
			h.expectPrivate(play.Rita, tt.says)
		})
	}
	h.expectNoWrites()
	h.calm()
	h.expectChecklist("0 of")
}

func (h *house) runID() string {
	h.Helper()
	s := h.world.Slack.Snapshot()
	m, ok := h.newestChecklist(&s)
	if !ok {
		h.fail("there is no checklist")
	}
	for _, b := range play.MessageCard(m).Buttons {
		if id, _, _ := strings.Cut(b.Value, "/"); strings.HasPrefix(id, "run-") {
			return id
		}
	}
	h.fail("the checklist does not name its run")
	return ""
}

// Text of any length and kind is answered, and shown as text.
func TestCommandsOfAnyKindAreAnswered(t *testing.T) {
	h := open(t)
	for _, text := range []string{"subscrbe", strings.Repeat("ä", 3000), "<!channel> <@U0RITA> *bold* `code`", "status; drop table runs", "\u202egnp.exe", "incident " + strings.Repeat("9", 2000), "setup nowhere"} {
		h.types(play.Rita, "/keyturn "+text)
		c := h.expectPrivate(play.Rita, "")
		if strings.Contains(c.Text, "<!channel>") {
			t.Errorf("an answer would ping everybody: %s", c.Text)
		}
	}
	h.calm()
}

// An issue that is no issue is passed over; the others are told.
func TestAnIssueThatCannotBeUnderstoodIsPassedOver(t *testing.T) {
	h := open(t, withReader)
	h.readable(true)
	h.typesIn(play.Rita, play.Incidents, "/keyturn subscribe live")
	h.expectChannel(play.Incidents, "From now on")
	now, _ := json.Marshal(h.now().UTC().Format(time.RFC3339Nano))
	odd := `{"id":"EX666666","title":[],"service":7,"status":{"a":1},"posts":"none","classification":null,"isResolved":"maybe","startDateTime":"soon","lastModifiedDateTime":` + string(now) + `}`
	graphFault(faultOnce("/graph/v1.0"+issuesPath, `{"value":[`+odd+`]}`))(h)
	id := h.publishes(0)
	h.expectChannel(play.Incidents, id)
	h.readable(true)
	h.calm()
}

// faultOnce answers one call with a body of the test's own.
func faultOnce(path, body string) sim.Fault {
	return sim.Fault{Method: "GET", Path: path, Times: 1, Status: 200, Body: body}
}
