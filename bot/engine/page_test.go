package engine_test

import (
	"strings"
	"testing"
	"time"

	"keyturn/bot/engine"
)

// opens has somebody look at the bot's own page.
func (w *world) opens(who string) string {
	w.t.Helper()
	// The decision of Home, as commands makes it.
	w.commit("home/"+who, func(d *engine.Draft) error { d.Opened(account(who)); return nil })
	w.settle()
	return w.page(who)
}

// page is the newest page that somebody's client shows.
func (w *world) page(who string) string {
	w.t.Helper()
	for i := len(w.chat.homes) - 1; i >= 0; i-- {
		if says, ok := strings.CutPrefix(w.chat.homes[i], who+": "); ok {
			return says
		}
	}
	w.t.Fatalf("%s has no page", who)
	return ""
}

func (w *world) says(page string, all ...string) {
	w.t.Helper()
	for _, want := range all {
		if !strings.Contains(page, want) {
			w.t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
}

func TestThePageIsOfUseBeforeAnythingIsSetUp(t *testing.T) {
	w := newWorld(t)
	w.says(w.opens("UADA"), "Nothing waits for you.", "Service health is not read yet", "Nothing is set up for Contoso yet", "[Set something up] begins", "For Contoso you are: Entra admin", "No incident and no channel is muted for you", "[Tell a channel]", "[Refresh]")
	stranger := w.opens("UNOBODY")
	w.says(stranger, "Whoever holds a role here can begin one", "I do not know your account for Contoso", "[Service health]", "[Is it Microsoft?]")
	if strings.Contains(stranger, "[Set something up]") || strings.Contains(stranger, "[Roles]") {
		t.Errorf("a stranger is offered what they may not do:\n%s", stranger)
	}
}

func TestThePageShowsTheRunsThatItsReaderIsIn(t *testing.T) {
	w := newWorld(t)
	w.planned()
	w.says(w.opens("UADA"), "1 step waits for you", "[Approve and run]")
	w.says(w.opens("URITA"), "Runs that you are in", "waiting for Ada and Amir")
	if p := w.opens("UOLGA"); strings.Contains(p, "Runs that you are in") {
		t.Errorf("Olga is in no run:\n%s", p)
	}
}

func TestThePageFollowsServiceHealthAndTheChannelsOfItsReader(t *testing.T) {
	w := newWorld(t)
	w.seeded()
	w.says(w.opens("UADA"), "🟢 No open incident")
	w.subscribed()
	w.says(w.page("UADA"), "Channels that you set up", "a channel of Slack, C1: incidents")
	w.says(w.opens("URITA"), "🟢 No open incident")
	issue := story(t, 1, 0)
	w.news(issue)
	w.says(w.page("UADA"), id(t, issue))
	w.says(w.page("URITA"), id(t, issue))
	if strings.Contains(w.page("URITA"), "Channels that you set up") {
		t.Error("Rita set no channel up")
	}
	before := len(w.chat.homes)
	w.news(issue)
	if n := len(w.chat.homes) - before; n != 0 {
		t.Errorf("%d pages were drawn anew where nothing had changed", n)
	}
	w.pass(25 * time.Hour)
	w.opens("UADA")
	before = len(w.chat.homes)
	w.news(story(t, 1, 1))
	for _, h := range w.chat.homes[before:] {
		if strings.HasPrefix(h, "URITA") {
			t.Error("Rita looked at her page yesterday, and it is still drawn for her")
		}
	}
	w.says(w.page("UADA"), id(t, issue))
}
