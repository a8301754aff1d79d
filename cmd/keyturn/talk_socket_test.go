package main

import (
	"strings"
	"testing"
	"time"

	"keyturn/sim/play"
)

// connected waits until the bot has opened its connections to Slack.
func (h *house) connected() {
	h.Helper()
	deadline := time.After(patience)
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for h.world.Slack.Sockets() == 0 {
		select {
		case <-again.C:
		case <-deadline:
			h.Fatal("the bot did not connect to Slack")
		}
	}
}

// A whole setup over connections that the bot opens: Slack never calls it. Some
// of them break on the way, and the bot is started anew in the middle.
func TestASetupInSocketMode(t *testing.T) {
	h := open(t, withSignIn, withSocketMode)
	if strings.Contains(h.conf, "signing_secret") {
		t.Fatal("the configuration has a signing secret")
	}
	h.world.Slack.Disconnect("refresh_requested")
	h.connected()
	h.finishes("direct")
	h.restart()
	h.world.Slack.Cut()
	h.connected()
	h.types(play.Rita, "/keyturn health")
	h.expectPrivate(play.Rita, "fine")
	if d := h.doctor(0, nil); d.Broken > 0 || !strings.Contains(d.told(fine), "app-level token of Socket Mode: Slack gives connections") {
		t.Errorf("the doctor says:\n%s\n%s", d.told(broken), d.told(fine))
	}
	for _, c := range h.world.Slack.Snapshot().Troubles {
		t.Errorf("%s saw trouble: %s (%s)", c.User, c.What, c.Why)
	}
}
