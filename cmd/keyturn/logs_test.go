package main

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"keyturn/bot"
	"keyturn/sim"
	"keyturn/sim/play"
)

// The log says by which ID Microsoft's own log knows a failure, and what was in
// the way: people need neither, an operator both. When readings fail there is
// one line, and one when they work again.
func TestTheLogHasWhatAnOperatorNeedsOfAFailure(t *testing.T) {
	h := open(t, withReader)
	h.readable(true)
	h.world.Microsoft.Faults.Add(sim.Fault{Path: "/graph/v1.0" + issuesPath, Status: 403, Header: map[string][]string{"request-id": {"5eed0000-0000-4000-8000-00000000cafe"}},
		Body: `{"error":{"code":"UnknownError","message":"Missing required permissions"}}`})
	h.readable(false)
	h.readable(false)
	h.world.Microsoft.Faults.Clear()
	h.readable(true)
	h.halt()
	log := h.logged("DEBUG")
	for _, want := range []string{"service health cannot be read", "HTTP 403; request 5eed0000-0000-4000-8000-00000000cafe", "service health is read again"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, tail(log, 3000))
		}
	}
	if n := strings.Count(log, "service health is read again"); n != 1 {
		t.Errorf("it is read again %d times", n)
	}
	h.start()
}

// What is in an error is said in one line, once, whatever the log's key is.
func TestTheLogTellsAnErrorInOneLine(t *testing.T) {
	var b strings.Builder
	log := slog.New(logHandler(&b, slog.LevelInfo))
	f := &bot.Failure{Kind: bot.KindUnreachable, Says: "The connection to Slack failed.", Err: fmt.Errorf("dial tcp 127.0.0.1:1:\nconnect: connection refused")}
	log.Warn("a job waits for another try", "error", fmt.Errorf("posting to %s: %w", play.Ops, f))
	log.Warn("no cause", "err", &bot.Failure{Says: "Slack refused.", Code: "not_in_channel"})
	want := []string{`err="posting to ` + play.Ops + `: The connection to Slack failed. [dial tcp 127.0.0.1:1: connect: connection refused]"`, `err="Slack refused. (not_in_channel)"`}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 2 || !strings.HasSuffix(lines[0], want[0]) || !strings.HasSuffix(lines[1], want[1]) {
		t.Errorf("the log is:\n%s", b.String())
	}
}

// Who tried what they may not do stands in the log, with what they asked for, and
// without their words, which nobody else was meant to read.
func TestTheLogNamesWhoWasRefused(t *testing.T) {
	h := open(t)
	h.types(play.Max, "/keyturn roles give entra-admin a-word-of-hers")
	h.expectPrivate(play.Max, "I do not know your account", "I have done nothing")
	h.types(play.Rita, "/keyturn undelivered")
	h.expectPrivate(play.Rita, "Only owners")
	h.types(play.Rita, "/keyturn status")
	h.expectPrivate(play.Rita, "Nothing is being set up")
	h.halt()
	var lines []string
	for line := range strings.Lines(h.logged("DEBUG")) {
		if strings.Contains(line, "somebody asked for what they may not do") {
			lines = append(lines, line)
		}
	}
	if len(lines) != 2 || !strings.Contains(lines[0], play.Max.Slack) || !strings.Contains(lines[0], "asked=roles") || !strings.Contains(lines[0], "not among the people of the tenant") ||
		!strings.Contains(lines[1], play.Rita.Slack) || !strings.Contains(lines[1], "no owner") {
		t.Errorf("the log says:\n%s", strings.Join(lines, ""))
	}
	if strings.Contains(strings.Join(lines, ""), "a-word-of-hers") {
		t.Error("the log has what was said")
	}
	h.start()
}
